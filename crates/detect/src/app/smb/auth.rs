//! Who logs in: NTLMSSP or a Kerberos ticket, in SPNEGO or bare.
//!
//! The names are read, not judged: nothing here checks that a login is genuine or succeeds.

use crate::app::bytes::Reader;
use der_parser::asn1_rs::FromDer;
use der_parser::ber::BerObjectContent;
use der_parser::der::{parse_der, parse_der_oid, parse_der_sequence};
use kerberos_parser::krb5::ApReq;

const SPNEGO: &str = "1.3.6.1.5.5.2";
const KERBEROS: &str = "1.2.840.113554.1.2.2";
const NTLMSSP: &str = "1.3.6.1.4.1.311.2.2.10";
/// What an NTLMSSP message begins with.
const SIGNATURE: &[u8] = b"NTLMSSP\0";
/// The message in which a client names its user.
const AUTHENTICATE: u32 = 3;
/// Bytes of the signature and the message's kind, which offsets count too.
const PREFIX_BYTES: usize = 12;
/// A client that tells its version.
const HAS_VERSION: u32 = 0x0200_0000;
const VERSION_BYTES: usize = 8;
/// Bytes of the fields before the version, the prefix among them.
const FIELDS_BYTES: usize = PREFIX_BYTES + 6 * 8 + 4;

/// What a login says.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    pub(super) ntlmssp: Option<Ntlmssp>,
    pub(super) ticket: Option<Ticket>,
}

/// Whom NTLMSSP names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Ntlmssp {
    pub(super) domain: Vec<u8>,
    pub(super) user: Vec<u8>,
    pub(super) host: Vec<u8>,
    pub(super) version: Option<String>,
    /// The names do not stand in the usual order.
    pub(super) is_unusual: bool,
}

/// Whom a Kerberos ticket is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ticket {
    pub(super) realm: String,
    pub(super) server: Vec<String>,
}

/// Reads a security blob.
pub(super) fn credentials(blob: &[u8]) -> Credentials {
    match spnego(blob) {
        Some(Inner::Tokens(tokens)) => from_tokens(tokens),
        Some(Inner::Other) | None => Credentials { ntlmssp: ntlmssp(blob), ticket: None },
    }
}

/// What SPNEGO holds.
enum Inner<'a> {
    Tokens(&'a [u8]),
    Other,
}

fn spnego(blob: &[u8]) -> Option<Inner<'_>> {
    let (_, outer) = parse_der(blob).ok()?;
    let (tokens, identifier) = parse_der_oid(outer.content.as_slice().ok()?).ok()?;
    if identifier.content.as_oid().ok()?.to_string() != SPNEGO {
        return None;
    }
    let Ok((_, inner)) = parse_der(tokens) else {
        return Some(Inner::Other);
    };
    Some(inner.content.as_slice().map_or(Inner::Other, Inner::Tokens))
}

fn from_tokens(tokens: &[u8]) -> Credentials {
    let mut found = Credentials::default();
    let (mut offers_kerberos, mut offers_ntlmssp) = (false, false);
    let Ok((_, sequence)) = parse_der_sequence(tokens) else {
        return found;
    };
    let BerObjectContent::Sequence(fields) = sequence.content else {
        return found;
    };
    for field in &fields {
        let Some(value) = field.content.as_slice().ok().and_then(|bytes| parse_der(bytes).ok()) else {
            continue;
        };
        match value.1.content {
            BerObjectContent::Sequence(mechanisms) => {
                for mechanism in &mechanisms {
                    if let BerObjectContent::OID(identifier) = &mechanism.content {
                        let identifier = identifier.to_string();
                        offers_kerberos |= identifier == KERBEROS;
                        offers_ntlmssp |= identifier == NTLMSSP;
                    }
                }
            }
            BerObjectContent::OctetString(token) => {
                if offers_kerberos && let Some(ticket) = ticket(token) {
                    found.ticket = Some(ticket);
                }
                if offers_ntlmssp && found.ticket.is_none() {
                    found.ntlmssp = ntlmssp(token);
                }
            }
            _ => {}
        }
    }
    found
}

fn ticket(token: &[u8]) -> Option<Ticket> {
    let (_, outer) = parse_der(token).ok()?;
    let (rest, _) = parse_der_oid(outer.content.as_slice().ok()?).ok()?;
    let mut reader = Reader::new(rest);
    reader.skip(2)?;
    let (_, request) = ApReq::from_der(reader.rest()).ok()?;
    Some(Ticket { realm: request.ticket.realm.0, server: request.ticket.sname.name_string })
}

/// A length and where the bytes are.
#[derive(Clone, Copy)]
struct Place {
    bytes: usize,
    offset: usize,
}

impl Place {
    fn read(reader: &mut Reader<'_>, message_bytes: usize) -> Option<Place> {
        let bytes = usize::from(reader.le16()?);
        reader.skip(2)?;
        let offset = usize::try_from(reader.le32()?).ok()?;
        (bytes < message_bytes && offset < message_bytes).then_some(Place { bytes, offset })
    }

    fn end(&self) -> usize {
        self.offset.saturating_add(self.bytes)
    }

    /// The text there, without the zeros of UTF-16.
    fn text(&self, message: &[u8]) -> Option<Vec<u8>> {
        let start = self.offset.checked_sub(PREFIX_BYTES)?;
        let bytes = message.get(start..start.checked_add(self.bytes)?)?;
        Some(bytes.iter().copied().filter(|byte| *byte != 0).collect())
    }
}

/// The names in the NTLMSSP message that stands somewhere in the blob, if it is the one that names a user.
fn ntlmssp(blob: &[u8]) -> Option<Ntlmssp> {
    let place = blob.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    let mut reader = Reader::new(blob);
    reader.skip(place.checked_add(SIGNATURE.len())?)?;
    if reader.le32()? != AUTHENTICATE {
        return None;
    }
    let message = reader.rest();
    let message_bytes = message.len().saturating_add(PREFIX_BYTES);
    let mut places = [Place { bytes: 0, offset: 0 }; 6];
    for place in &mut places {
        *place = Place::read(&mut reader, message_bytes)?;
    }
    let flags = reader.le32()?;
    let data_start = places.iter().map(|place| place.offset).min().unwrap_or(0);
    let mut version = None;
    if data_start >= FIELDS_BYTES + VERSION_BYTES && flags & HAS_VERSION != 0 {
        let (major, minor, build) = (reader.u8()?, reader.u8()?, reader.le16()?);
        reader.skip(3)?;
        version = Some(format!("{major}.{minor} build {build} rev {}", reader.u8()?));
    }
    let [_, _, domain, user, host, _] = places;
    let is_unusual =
        (user.offset > 0 && user.offset < domain.end()) || (host.offset > 0 && host.offset < user.end());
    Some(Ntlmssp {
        domain: domain.text(message)?,
        user: user.text(message)?,
        host: host.text(message)?,
        version,
        is_unusual,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An NTLMSSP message that names a user, its fields in the order of `order` (0 domain, 1 user, 2 host).
    pub(crate) fn authenticate(order: [usize; 3]) -> Vec<u8> {
        let texts: [&[u8]; 3] = [b"D\0O\0M\0", b"a\0n\0n\0", b"P\0C\0"];
        let mut offsets = [0u32; 3];
        let mut payload = Vec::new();
        for field in order {
            offsets[field] = (FIELDS_BYTES + VERSION_BYTES + payload.len()) as u32;
            payload.extend_from_slice(texts[field]);
        }
        let mut message = SIGNATURE.to_vec();
        message.extend_from_slice(&AUTHENTICATE.to_le_bytes());
        let mut place = |bytes: usize, offset: u32| {
            message.extend_from_slice(&(bytes as u16).to_le_bytes());
            message.extend_from_slice(&(bytes as u16).to_le_bytes());
            message.extend_from_slice(&offset.to_le_bytes());
        };
        place(0, 72);
        place(0, 72);
        for field in 0..3 {
            place(texts[field].len(), offsets[field]);
        }
        place(0, 72);
        message.extend_from_slice(&HAS_VERSION.to_le_bytes());
        message.extend_from_slice(&[10, 0, 0x5a, 0x29, 0, 0, 0, 15]);
        message.extend_from_slice(&payload);
        message
    }

    #[test]
    fn the_names_of_a_login_are_read() {
        let login = credentials(&authenticate([0, 1, 2])).ntlmssp;
        let wanted = Ntlmssp {
            domain: b"DOM".to_vec(),
            user: b"ann".to_vec(),
            host: b"PC".to_vec(),
            version: Some("10.0 build 10586 rev 15".to_owned()),
            is_unusual: false,
        };
        assert_eq!(login, Some(wanted));
    }

    #[test]
    fn names_in_another_order_are_unusual() {
        let login = credentials(&authenticate([2, 1, 0])).ntlmssp;
        assert!(login.is_some_and(|login| login.is_unusual && login.user == b"ann"));
    }

    #[test]
    fn names_inside_spnego_are_found() {
        let token = authenticate([0, 1, 2]);
        let wrap = |tag: u8, inner: &[u8]| [&[tag, 0x81, inner.len() as u8], inner].concat();
        let ntlmssp = [6u8, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10];
        let mechanisms = wrap(0xa0, &wrap(0x30, &ntlmssp));
        let sequence = wrap(0x30, &[mechanisms, wrap(0xa2, &wrap(4, &token))].concat());
        let spnego = [6u8, 6, 0x2b, 6, 1, 5, 5, 2];
        let blob = wrap(0x60, &[&spnego[..], &wrap(0xa0, &sequence)].concat());
        assert!(credentials(&blob).ntlmssp.is_some_and(|login| login.user == b"ann"));
    }

    #[test]
    fn no_cut_login_is_read_wrongly() {
        let whole = authenticate([0, 1, 2]);
        for end in 0..whole.len() {
            assert_eq!(credentials(&whole[..end]).ntlmssp, None, "{end}");
        }
    }
}
