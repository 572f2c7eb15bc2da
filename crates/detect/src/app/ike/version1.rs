//! Payloads of version 1 (RFC 2408, 2409).
//!
//! A chain of payloads, each with its length and the type of the next one; security associations hold proposals, and
//! those transforms, in the same way.

use crate::app::bytes::Reader;

pub(super) const SECURITY_ASSOCIATION: u8 = 1;
const PROPOSAL: u8 = 2;
const TRANSFORM: u8 = 3;
const KEY_EXCHANGE: u8 = 4;
const NONCE: u8 = 10;
const VENDOR: u8 = 13;

/// Payloads within one another at most: proposals in associations and transforms in proposals need three.
const DEPTH_MAX: usize = 8;
/// Transforms of one message that are kept at most.
const TRANSFORMS_MAX: usize = 256;
/// Vendors of one message that are kept at most.
const VENDORS_MAX: usize = 256;

/// What a proposal says of one algorithm or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) kind: u16,
    /// The value of a short attribute, the length of a long one.
    pub(super) short: u16,
    pub(super) number: Option<u32>,
    pub(super) bytes: Option<Vec<u8>>,
}

/// What the payloads of a message say.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Payloads {
    /// Types that came, each once.
    pub(super) types: Vec<u8>,
    pub(super) is_encrypted: bool,
    /// More bytes than payloads.
    pub(super) has_extra: bool,
    /// The domain of interpretation.
    pub(super) interpretation: Option<u32>,
    pub(super) key_exchange: Vec<u8>,
    pub(super) nonce: Vec<u8>,
    pub(super) transforms: Vec<Vec<Attribute>>,
    /// In hexadecimal digits.
    pub(super) vendors: Vec<String>,
}

impl Payloads {
    /// Reads them; nothing if an association or a proposal makes no sense.
    pub(super) fn read(bytes: &[u8], first: u8) -> Option<Payloads> {
        let mut payloads = Payloads { types: vec![first], ..Payloads::default() };
        let mut reader = Reader::new(bytes);
        payloads.chain(&mut reader, first, DEPTH_MAX)?;
        payloads.has_extra = !reader.is_empty();
        Some(payloads)
    }

    fn chain(&mut self, reader: &mut Reader<'_>, first: u8, depth: usize) -> Option<()> {
        let mut kind = first;
        while let Some((next, content)) = payload(reader) {
            self.add(kind, content, depth)?;
            kind = next;
        }
        Some(())
    }

    fn add(&mut self, kind: u8, content: &[u8], depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if !self.types.contains(&kind) {
            self.types.push(kind);
        }
        match kind {
            SECURITY_ASSOCIATION => {
                let mut reader = Reader::new(content);
                let interpretation = reader.be32()?;
                self.interpretation = Some(interpretation);
                if interpretation == 1 {
                    reader.take(4)?; // The situation.
                    self.chain(&mut reader, PROPOSAL, depth)?;
                }
            }
            PROPOSAL => {
                let mut reader = Reader::new(content);
                reader.take(2)?; // Number and protocol.
                let spi_bytes = reader.u8()?;
                reader.u8()?; // How many transforms.
                reader.take(usize::from(spi_bytes))?;
                self.chain(&mut reader, TRANSFORM, depth)?;
            }
            TRANSFORM => {
                if let Some((_, attributes)) = content.split_at_checked(4)
                    && self.transforms.len() < TRANSFORMS_MAX
                {
                    self.transforms.push(read_attributes(attributes));
                }
            }
            KEY_EXCHANGE => self.key_exchange = content.to_vec(),
            NONCE => self.nonce = content.to_vec(),
            VENDOR if self.vendors.len() < VENDORS_MAX => {
                self.vendors.push(content.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            _ => {}
        }
        Some(())
    }
}

/// The type of the next payload and the content of this one, if there is one. Nothing is read else.
fn payload<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let mut ahead = *reader;
    let next = ahead.u8()?;
    ahead.u8()?;
    let length = ahead.be16()?;
    let content = ahead.take(usize::from(length).saturating_sub(4))?;
    *reader = ahead;
    Some((next, content))
}

fn read_attributes(bytes: &[u8]) -> Vec<Attribute> {
    let mut reader = Reader::new(bytes);
    let mut attributes = Vec::new();
    while let Some(attribute) = read_attribute(&mut reader) {
        attributes.push(attribute);
    }
    attributes
}

fn read_attribute(reader: &mut Reader<'_>) -> Option<Attribute> {
    let kind = reader.be16()?;
    let short = reader.be16()?;
    let (mut number, mut bytes) = (None, None);
    if kind & 0x8000 != 0 {
        number = Some(u32::from(short));
    } else if short == 4 {
        number = Some(reader.be32()?);
    } else {
        bytes = Some(reader.take(usize::from(short))?.to_vec());
    }
    Some(Attribute { kind: kind & 0x7fff, short, number, bytes })
}
