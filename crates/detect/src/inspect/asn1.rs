//! `asn1`: whether what stands at a place is ASN.1 whose lengths are hostile.
//!
//! Upon bytes: elements are read one behind the other, those within sequences and sets too, until one is damaged. It holds if one of those read whole is
//! longer than the rule allows, is a string of bits that leaves out more of them than it has, or is a number in letters that is too long for those who
//! read it. More than [`ELEMENTS_MAX`] in a row, or deeper within one another, is looked at no further.

use crate::Complaint;
use crate::app::ber::{Class, Head};
use crate::app::bytes::Reader;

/// Elements in a row, and within one another.
const ELEMENTS_MAX: usize = 30;
/// Bytes behind the place that are looked at.
const BYTES_MAX: usize = u16::MAX as usize;
/// A number in letters longer than this is hostile.
const LETTERS_MAX: usize = 256;
const BIT_STRING: u32 = 3;
const REAL: u32 = 9;
const SEQUENCE: u32 = 16;
const SET: u32 = 17;

/// Where the first element stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    At(u16),
    /// From where the last match ended.
    Behind(i32),
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asn1 {
    bits: bool,
    letters: bool,
    longer_than: Option<u32>,
    place: Place,
}

impl Asn1 {
    /// Reads `oversize_length 1024, relative_offset 0`, `bitstring_overflow`, `double_overflow`, …
    pub(crate) fn parse(text: &str) -> Result<Asn1, Complaint> {
        let mut asn1 = Asn1 { bits: false, letters: false, longer_than: None, place: Place::At(0) };
        let text = text.trim();
        let text = text.strip_suffix(',').unwrap_or(text);
        for part in text.split(',') {
            let mut words = part.split_whitespace().peekable();
            if words.peek().is_none() {
                return Err(Complaint::new("nothing is asked between two commas"));
            }
            while let Some(word) = words.next() {
                match word {
                    "bitstring_overflow" => asn1.bits = true,
                    "double_overflow" => asn1.letters = true,
                    "oversize_length" => asn1.longer_than = Some(number(word, words.next())?),
                    "absolute_offset" => asn1.place = Place::At(number(word, words.next())?),
                    "relative_offset" => {
                        let offset: i32 = number(word, words.next())?;
                        if offset.unsigned_abs() > u32::from(u16::MAX) {
                            return Err(Complaint::new("'relative_offset' reaches 65535 bytes at most"));
                        }
                        asn1.place = Place::Behind(offset);
                    }
                    other => return Err(Complaint::new(format!("'{other}' is no part of 'asn1'"))),
                }
            }
        }
        Ok(asn1)
    }

    /// Whether it depends on where the last match ended.
    pub(crate) fn is_relative(&self) -> bool {
        matches!(self.place, Place::Behind(_))
    }

    /// Whether it holds in `bytes`.
    pub(crate) fn holds(&self, bytes: &[u8], last: usize) -> bool {
        let at = match self.place {
            Place::At(at) => Some(usize::from(at)),
            Place::Behind(offset) => {
                isize::try_from(offset).ok().and_then(|offset| last.checked_add_signed(offset))
            }
        };
        let Some(rest) = at.and_then(|at| bytes.get(at..)) else { return false };
        let mut reader = Reader::new(rest.get(..BYTES_MAX).unwrap_or(rest));
        let mut holds = false;
        for _ in 0..ELEMENTS_MAX {
            match self.element(&mut reader, ELEMENTS_MAX) {
                Some(is_hostile) => holds |= is_hostile,
                None => return holds,
            }
        }
        // So many that nobody says what they mean.
        reader.rest().is_empty() && holds
    }

    /// Reads an element; tells whether it or one within it is hostile. Nothing if it is damaged.
    fn element(&self, reader: &mut Reader<'_>, depth: usize) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let head = Head::read(reader).ok()?;
        let content = head.content(reader, depth).ok()?;
        let mut is_hostile = self.longer_than.is_some_and(|most| content.len() as u64 > u64::from(most));
        if head.class != Class::Universal {
            return Some(is_hostile);
        }
        match (head.tag, head.is_constructed) {
            (BIT_STRING, false) => {
                let left_out = content.first().map_or(0, |left_out| usize::from(*left_out));
                is_hostile |= self.bits && left_out > content.len() * 8;
            }
            (REAL, false) => {
                let in_letters = content.first().is_some_and(|first| first & 0xc0 == 0);
                is_hostile |= self.letters && in_letters && content.len() > LETTERS_MAX;
            }
            (SEQUENCE | SET, true) => {
                let mut within = Reader::new(content);
                while !within.rest().is_empty() {
                    is_hostile |= self.element(&mut within, depth)?;
                }
            }
            _ => {}
        }
        Some(is_hostile)
    }
}

fn number<T: std::str::FromStr>(word: &str, text: Option<&str>) -> Result<T, Complaint> {
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Complaint::new(format!("'{word}' needs a number behind it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asn1(text: &str) -> Asn1 {
        Asn1::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn an_element_that_is_longer_than_allowed_is_hostile_wherever_it_lies() {
        let text = [0x30, 7, 0x02, 1, 9, 0x04, 2, 1, 2];
        assert!(asn1("oversize_length 6").holds(&text, 0));
        assert!(!asn1("oversize_length 7").holds(&text, 0));
        assert!(asn1("oversize_length 1, absolute_offset 5").holds(&text, 0));
        assert!(!asn1("oversize_length 2, absolute_offset 5").holds(&text, 0));
        assert!(asn1("oversize_length 1 relative_offset 2").holds(&text, 3));
        assert!(asn1("oversize_length 1 relative_offset -2").holds(&text, 7));
        assert!(!asn1("oversize_length 1, relative_offset -8").holds(&text, 7));
    }

    #[test]
    fn bits_that_are_left_out_but_are_not_there_are_hostile() {
        assert!(asn1("bitstring_overflow").holds(&[0x03, 1, 0xff], 0));
        assert!(!asn1("bitstring_overflow").holds(&[0x03, 1, 7], 0));
        assert!(!asn1("double_overflow").holds(&[0x03, 1, 0xff], 0));
    }

    #[test]
    fn a_long_number_in_letters_is_hostile() {
        let text = |length: u16| {
            let mut bytes = vec![0x09, 0x82];
            bytes.extend(length.to_be_bytes());
            bytes.extend(vec![5; usize::from(length)]);
            bytes
        };
        assert!(asn1("double_overflow").holds(&text(257), 0));
        assert!(!asn1("double_overflow").holds(&text(256), 0));
    }

    #[test]
    fn what_is_damaged_ends_the_look_and_nothing_panics() {
        let text = [0x30, 0x82, 0x01, 0x00, 0x09, 0x80, 1, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        for end in 0..text.len() {
            let _ = asn1("oversize_length 1, bitstring_overflow, double_overflow").holds(&text[..end], 0);
        }
        assert!(!asn1("oversize_length 0").holds(&[0x30, 5, 1], 0));
        let deep = vec![0x30u8; 100];
        assert!(!asn1("oversize_length 0").holds(&deep, 0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "oversize_length",
            "oversize_length -1",
            "oversize_length 4294967296",
            "absolute_offset 65536",
            "relative_offset 65536",
            "oversize_length 1024,,",
            "oversize_length 1, other 3",
            "bitstring_overflowabsolute_offset",
        ] {
            assert!(Asn1::parse(text).is_err(), "{text}");
        }
        assert_eq!(asn1("double_overflow, oversize_length 10 absolute_offset 3").longer_than, Some(10));
    }
}
