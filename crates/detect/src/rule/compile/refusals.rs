//! What contradicts itself: rules that can be read, option by option, and yet mean nothing as a whole.
//!
//! Suricata refuses them, so an alert of one would be an alert that it never gives. Each complaint says what is wrong and what would be right.
//! Not here: what one option alone can know of its own text.

use super::{Absent, Compiler, Draft, DraftPart, Link, Part, Where};
use crate::Complaint;
use crate::app::{Field, ProtocolId, Takes};
use crate::inspect::Chain;
use crate::inspect::chain::Operand;
use crate::inspect::content::Content;
use crate::rule::compiled::{Head, View, What};

/// Digits of an MD5, as JA3 and HASSH write it.
const MD5_DIGITS: usize = 32;
/// Letters of a SHA-1 whose bytes are parted by colons.
const FINGERPRINT_LETTERS: usize = 59;
/// A serial number of so many digits has no colon.
const SERIAL_DIGITS_MAX: usize = 2;

/// What a string must be like to be in a buffer at all.
#[derive(Clone, Copy)]
enum Likeness {
    /// The buffer has small letters only.
    Small,
    /// It neither begins nor ends with white space.
    Trimmed,
    /// It is a whole MD5.
    Md5,
    /// It is a whole SHA-1 with colons.
    Fingerprint,
    /// It is a serial number, whose bytes are parted by colons.
    Serial,
}

/// Buffers, by their keyword, whose strings have a likeness.
const LIKENESSES: &[(&str, Likeness)] = &[
    ("http.host", Likeness::Small),
    ("http.method", Likeness::Trimmed),
    ("ja3.hash", Likeness::Md5),
    ("ja3s.hash", Likeness::Md5),
    ("ssh.hassh", Likeness::Md5),
    ("ssh.hassh.server", Likeness::Md5),
    ("tls.cert_fingerprint", Likeness::Fingerprint),
    ("tls.cert_serial", Likeness::Serial),
];

impl Likeness {
    fn refuses(self, content: &Content) -> Option<&'static str> {
        let bytes = &content.bytes;
        let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        match self {
            Likeness::Small if content.nocase => Some("the buffer is all small letters: leave 'nocase' out"),
            Likeness::Small if bytes.iter().any(u8::is_ascii_uppercase) => {
                Some("the buffer is all small letters: write the content so")
            }
            Likeness::Trimmed if is_space(bytes.first()) || is_space(bytes.last()) => {
                Some("the buffer neither begins nor ends with white space: nor may the content")
            }
            Likeness::Md5 if bytes.len() != MD5_DIGITS => Some("the content must be a whole hash: 32 digits"),
            Likeness::Fingerprint if bytes.len() != FINGERPRINT_LETTERS || !bytes.contains(&b':') => {
                Some("the content must be a whole fingerprint: 20 bytes parted by colons")
            }
            Likeness::Serial if bytes.len() > SERIAL_DIGITS_MAX && !bytes.contains(&b':') => {
                Some("the bytes of a serial number are parted by colons")
            }
            _ => None,
        }
    }

    /// Whether the first content alone is asked.
    fn asks_first_only(self) -> bool {
        matches!(self, Likeness::Md5 | Likeness::Fingerprint | Likeness::Serial)
    }
}

impl Compiler<'_> {
    /// Whether the strings that are looked for in a buffer can be there.
    pub(super) fn may_be_in(&self, field: Field, chain: &Chain) -> Result<(), Complaint> {
        let known =
            LIKENESSES.iter().find(|(name, _)| match self.keyword(name).map(|keyword| keyword.takes) {
                Some(Takes::Buffer(buffer) | Takes::Folded(buffer, _)) => buffer.field == field,
                _ => false,
            });
        let Some((name, likeness)) = known else { return Ok(()) };
        let count = if likeness.asks_first_only() { 1 } else { usize::MAX };
        match contents(chain).take(count).find_map(|content| likeness.refuses(content)) {
            Some(words) => Err(Complaint::new(format!("'{name}': {words}"))),
            None => Ok(()),
        }
    }
}

impl Draft {
    /// What the parts from `from` on are about must be one protocol with what was said before.
    pub(super) fn narrow_protocols(
        &mut self,
        from: usize,
        option: &str,
        value: &str,
    ) -> Result<(), Complaint> {
        let asks_dce = option.starts_with("byte_")
            && value.split(|letter: char| letter == ',' || letter.is_whitespace()).any(|word| word == "dce");
        if asks_dce {
            self.narrow(&[ProtocolId::Dcerpc, ProtocolId::Smb])?;
        }
        let said: Vec<Vec<ProtocolId>> =
            self.parts.get(from..).unwrap_or_default().iter().map(spoken).collect();
        for protocols in said {
            self.narrow(&protocols)?;
        }
        Ok(())
    }

    fn narrow(&mut self, protocols: &[ProtocolId]) -> Result<(), Complaint> {
        // DNS within HTTP/2 is both, and what is about it may name either.
        let is_both = self.spoken.contains(&ProtocolId::Doh2) || protocols == [ProtocolId::Doh2];
        if protocols.is_empty() || is_both {
            return Ok(());
        }
        let mut common = without_doh2(protocols);
        if !self.spoken.is_empty() {
            common.retain(|protocol| self.spoken.contains(protocol));
        }
        if common.is_empty() {
            return Err(Complaint::new(format!(
                "it is about {}, but the rule is about {} already: a rule is about one protocol",
                names(&without_doh2(protocols)),
                names(&self.spoken)
            )));
        }
        self.spoken = common;
        Ok(())
    }

    /// `app-layer-protocol` asks what is spoken, where that is still open.
    pub(super) fn may_ask_protocol(&self, negated: bool, name: &str) -> Result<(), Complaint> {
        if !self.spoken.is_empty() {
            return Err(Complaint::new(format!(
                "the rule is about {} already: ask for a protocol in rules on ip, tcp or udp, before what is about one",
                names(&self.spoken)
            )));
        }
        // One that is wanted stands alone; several may be unwanted, each once.
        let fits = |asked: &(bool, String)| negated && asked.0 && asked.1 != name;
        if self.asked_protocols.iter().all(fits) {
            Ok(())
        } else {
            Err(Complaint::new("a rule asks for one protocol, or excludes some, each once"))
        }
    }

    /// `prefilter` says something of what stands before it.
    pub(super) fn has_condition(&self) -> bool {
        !self.parts.is_empty()
            || !self.packet.is_empty()
            || !self.flow_tests.is_empty()
            || !self.bits.is_empty()
            || !self.ints.is_empty()
            || !self.changes.is_empty()
            || !self.late.is_empty()
            || self.flow.established.is_some()
            || self.flow.stream.is_some()
    }

    /// Whether a content was said to be the fast pattern.
    pub(super) fn has_fast_pattern(&self) -> bool {
        self.parts.iter().any(|part| match part {
            DraftPart::Open(open) => has_fast(&open.chain),
            DraftPart::Done(_) => false,
        })
    }

    /// What the last option must not stand beside.
    pub(super) fn contradictions(&self, head: &Head) -> Result<(), Complaint> {
        let wants_packet =
            self.needs_packet || head.view == Some(View::Packets) || self.flow.stream == Some(false);
        let wants_stream = head.view == Some(View::Stream) || self.flow.stream == Some(true);
        let (mut layer, mut frame, mut packet, mut payload) = (false, false, false, false);
        for part in &self.parts {
            match part {
                DraftPart::Done(Part { what: What::Reached(_), .. }) => {}
                DraftPart::Done(_) => layer = true,
                DraftPart::Open(open) => match open.at {
                    Where::Layer(_) => layer = true,
                    Where::Frame(_) => frame = true,
                    Where::Packet(_) => packet = true,
                    Where::Payload => payload |= !open.chain.is_empty(),
                },
            }
        }
        layer |= !self.files.is_empty();
        let mixed = if wants_packet && wants_stream {
            "what is asked of single packets does not go with what is looked for in the stream alone"
        } else if wants_packet && (layer || frame) {
            "what is asked of single packets does not go with what is asked of an exchange"
        } else if frame && payload {
            "contents outside of the frame do not go with a 'frame'"
        } else if frame && layer {
            "what is asked of an exchange does not go with a 'frame'"
        } else if frame && packet {
            "what is asked of a packet's headers does not go with a 'frame'"
        } else {
            return Ok(());
        };
        Err(Complaint::new(format!("{mixed}: make it two rules")))
    }
}

/// What a buffer's chain must not say together.
pub(super) fn chain_makes_sense(chain: &Chain, absent: Absent) -> Result<(), Complaint> {
    match absent {
        Absent::Fails if chain.is_empty() => {
            return Err(Complaint::new("a sticky buffer that nothing is looked for in"));
        }
        Absent::Only if !chain.is_empty() => {
            return Err(Complaint::new(
                "a buffer that is 'absent' has nothing in it: expected 'absent: or_else'",
            ));
        }
        Absent::Or if chain.is_empty() => {
            return Err(Complaint::new("'absent: or_else' needs what else may hold, as a content behind it"));
        }
        Absent::Only | Absent::Or if has_fast(chain) => {
            return Err(Complaint::new("a buffer that may be 'absent' has no 'fast_pattern'"));
        }
        _ => {}
    }
    let sizes = chain.links.iter().find_map(|link| match link {
        Link::Size(test) => Some(test.most_for_contents()),
        _ => None,
    });
    match sizes.flatten() {
        Some(most) => contents_fit(chain, most, "bsize"),
        None => Ok(()),
    }
}

/// Whether what is looked for, one behind the other, fits into so many bytes.
pub(super) fn contents_fit(chain: &Chain, most: u64, option: &str) -> Result<(), Complaint> {
    let number = |operand: Option<Operand>| match operand {
        Some(Operand::Number(number)) => number,
        _ => 0,
    };
    let (mut length, mut offset) = (0i64, 0i64);
    for (place, content) in contents(chain).enumerate() {
        if place > 0 && (!content.is_relative() || content.negated) {
            continue;
        }
        length = length.saturating_add(content.bytes.len() as i64).saturating_add(number(content.distance));
        offset = offset.max(number(content.offset));
    }
    let needed = u64::try_from(length.saturating_add(offset)).unwrap_or(0);
    if needed > most {
        return Err(Complaint::new(format!(
            "the contents need {needed} bytes and '{option}' allows {most}: it never holds"
        )));
    }
    Ok(())
}

fn contents(chain: &Chain) -> impl Iterator<Item = &Content> {
    chain.links.iter().filter_map(|link| match link {
        Link::Content(content) => Some(content),
        _ => None,
    })
}

fn has_fast(chain: &Chain) -> bool {
    chain.links.iter().any(|link| match link {
        Link::Content(content) => content.fast,
        Link::Base64(base64) => base64.chain.as_ref().is_some_and(|chain| has_fast(chain)),
        _ => false,
    })
}

/// Which protocols a part is about; none, if it is about any.
fn spoken(part: &DraftPart) -> Vec<ProtocolId> {
    match part {
        DraftPart::Open(open) => match open.at {
            Where::Layer(buffer) => buffer.protocols.to_vec(),
            _ => Vec::new(),
        },
        DraftPart::Done(Part { what: What::Event { protocol, .. }, .. }) => vec![*protocol],
        DraftPart::Done(part) => part.protocols.to_vec(),
    }
}

fn without_doh2(protocols: &[ProtocolId]) -> Vec<ProtocolId> {
    protocols.iter().copied().filter(|protocol| *protocol != ProtocolId::Doh2).collect()
}

fn names(protocols: &[ProtocolId]) -> String {
    let known = crate::app::table::PROTOCOLS;
    let names = protocols.iter().filter_map(|id| known.iter().find(|known| known.id == *id));
    names.map(|protocol| protocol.name).collect::<Vec<_>>().join(" or ")
}

/// The protocols that a rule's head leaves open.
pub(super) fn head_protocols(name: &str, layers: &[ProtocolId]) -> Vec<ProtocolId> {
    if name == "doh2" { layers.to_vec() } else { without_doh2(layers) }
}

#[cfg(test)]
mod tests;
