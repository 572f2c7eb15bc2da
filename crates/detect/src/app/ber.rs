//! Reads what ASN.1's basic encoding rules (X.690) write: elements of tag, length and content.
//!
//! Home-made rather than one of the field's crates: it hands out pieces of the input without a copy or an
//! allocation, and nothing in it recurses deeper than
//! [`DEPTH_MAX`]. Contents are read by those who know what they mean.

use super::bytes::Reader;

/// Elements of unknown length within one another at most.
const DEPTH_MAX: usize = 8;

/// Why there is no element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It goes on behind what is there.
    Incomplete,
    /// It is something else.
    Invalid,
}

/// Whose tag it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    Universal,
    Application,
    Context,
    Private,
}

pub(crate) const BOOLEAN: u32 = 1;
pub(crate) const INTEGER: u32 = 2;
pub(crate) const BIT_STRING: u32 = 3;
pub(crate) const OCTET_STRING: u32 = 4;
pub(crate) const NULL: u32 = 5;
pub(crate) const OID: u32 = 6;
pub(crate) const ENUMERATED: u32 = 10;
pub(crate) const SEQUENCE: u32 = 16;
pub(crate) const SET: u32 = 17;

/// An element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) class: Class,
    pub(crate) is_constructed: bool,
    pub(crate) tag: u32,
    pub(crate) content: &'a [u8],
}

/// What stands before a content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    pub(crate) class: Class,
    pub(crate) is_constructed: bool,
    pub(crate) tag: u32,
    /// None: until two zeros come.
    pub(crate) length: Option<usize>,
}

impl Head {
    /// The head that stands here.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Head, Fault> {
        let first = reader.u8().ok_or(Fault::Incomplete)?;
        let class = match first >> 6 {
            0 => Class::Universal,
            1 => Class::Application,
            2 => Class::Context,
            _ => Class::Private,
        };
        let is_constructed = first & 0x20 != 0;
        let mut tag = u32::from(first & 0x1f);
        if tag == 0x1f {
            tag = 0;
            // Four further bytes at most.
            let mut count = 0;
            loop {
                let byte = reader.u8().filter(|_| count < 5).ok_or(Fault::Invalid)?;
                tag = tag << 7 | u32::from(byte & 0x7f);
                count += 1;
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let length = match reader.u8().ok_or(Fault::Incomplete)? {
            length @ 0..0x80 => Some(usize::from(length)),
            0x80 if is_constructed => None,
            0x80 | 0xff => return Err(Fault::Invalid),
            count => {
                let digits = reader.take(usize::from(count & 0x7f)).ok_or(Fault::Incomplete)?;
                let length = digits.iter().try_fold(0usize, |length, digit| {
                    length.checked_mul(256).and_then(|length| length.checked_add(usize::from(*digit)))
                });
                Some(length.ok_or(Fault::Invalid)?)
            }
        };
        Ok(Head { class, is_constructed, tag, length })
    }

    /// The content behind it.
    pub(crate) fn content<'a>(&self, reader: &mut Reader<'a>, depth: usize) -> Result<&'a [u8], Fault> {
        if depth == 0 {
            return Err(Fault::Invalid);
        }
        if let Some(length) = self.length {
            return reader.take(length).ok_or(Fault::Incomplete);
        }
        let start = *reader;
        loop {
            let before = start.len() - reader.len();
            let head = Head::read(reader)?;
            head.content(reader, depth - 1)?;
            if head.tag == 0 && head.length == Some(0) {
                return start.rest().get(..before).ok_or(Fault::Invalid);
            }
        }
    }
}

/// The element that stands here. Nothing is read if there is none.
pub(crate) fn element<'a>(reader: &mut Reader<'a>) -> Result<Element<'a>, Fault> {
    let mut ahead = *reader;
    let head = Head::read(&mut ahead)?;
    let content = head.content(&mut ahead, DEPTH_MAX)?;
    *reader = ahead;
    Ok(Element { class: head.class, is_constructed: head.is_constructed, tag: head.tag, content })
}

/// The content of an element whose head is of the wanted kind. Another head is told before its content is there.
fn expected<'a>(reader: &mut Reader<'a>, is_wanted: impl Fn(&Head) -> bool) -> Result<&'a [u8], Fault> {
    let mut ahead = *reader;
    let head = Head::read(&mut ahead)?;
    if !is_wanted(&head) {
        return Err(Fault::Invalid);
    }
    let content = head.content(&mut ahead, DEPTH_MAX)?;
    *reader = ahead;
    Ok(content)
}

/// The content of an element of this tag, whatever its class.
pub(crate) fn content<'a>(reader: &mut Reader<'a>, tag: u32) -> Result<&'a [u8], Fault> {
    expected(reader, |head| head.tag == tag)
}

/// What is within a sequence.
pub(crate) fn sequence<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, Fault> {
    content(reader, SEQUENCE).map(Reader::new)
}

/// The content of an element of this class and tag.
pub(crate) fn tagged<'a>(reader: &mut Reader<'a>, class: Class, tag: u32) -> Result<&'a [u8], Fault> {
    expected(reader, |head| (head.class, head.tag) == (class, tag))
}

/// The same, where it may be left out.
pub(crate) fn optional<'a>(
    reader: &mut Reader<'a>,
    class: Class,
    tag: u32,
) -> Result<Option<&'a [u8]>, Fault> {
    if reader.is_empty() {
        return Ok(None);
    }
    let mut ahead = *reader;
    let element = element(&mut ahead)?;
    if (element.class, element.tag) != (class, tag) {
        return Ok(None);
    }
    *reader = ahead;
    Ok(Some(element.content))
}

/// The number that an integer's content stands for, if it is not below zero and has at most so many bytes.
pub(crate) fn unsigned(content: &[u8], bytes_max: usize) -> Result<u64, Fault> {
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        return Err(Fault::Invalid);
    }
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    let digits = content.get(zeros..).unwrap_or_default();
    if digits.len() > bytes_max {
        return Err(Fault::Invalid);
    }
    Ok(digits.iter().fold(0, |value, digit| value << 8 | u64::from(*digit)))
}

/// An integer of 32 bits that is not below zero.
pub(crate) fn u32(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    let content = content(reader, INTEGER)?;
    unsigned(content, 4).map(|value| value as u32)
}

/// A string of bytes.
pub(crate) fn octets<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    content(reader, OCTET_STRING)
}

/// A string of bytes that is text.
pub(crate) fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    let bytes = octets(reader)?;
    if core::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(Fault::Invalid) }
}

/// How an object identifier is written: numbers with dots between them.
pub(crate) fn dotted(content: &[u8]) -> String {
    let mut text = String::new();
    let mut number = 0u64;
    for byte in content {
        // Numbers that are too large for us are shown as far as they fit.
        number = number.checked_mul(128).unwrap_or(0) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (number / 40).min(2);
            text = format!("{first}.{}", number - first * 40);
        } else {
            text.push_str(&format!(".{number}"));
        }
        number = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(u32, &[u8]), Fault> {
        element(&mut Reader::new(bytes)).map(|element| (element.tag, element.content))
    }

    #[test]
    fn every_form_of_a_length_is_read() {
        assert_eq!(read(&[4, 2, 1, 2, 3]), Ok((4, &[1, 2][..])));
        assert_eq!(read(&[4, 0x81, 2, 1, 2]), Ok((4, &[1, 2][..])));
        assert_eq!(read(&[0x30, 0x80, 4, 1, 9, 0, 0]), Ok((SEQUENCE, &[4, 1, 9][..])));
        assert_eq!(read(&[0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0]), Ok((SEQUENCE, &[0x30, 0x80, 0, 0][..])));
        assert_eq!(read(&[0x7f, 0x81, 0x00, 0]), Ok((128, &[][..])));
    }

    #[test]
    fn what_lies_about_its_length_is_refused() {
        assert_eq!(read(&[4, 5, 1]), Err(Fault::Incomplete));
        assert_eq!(read(&[4, 0x80]), Err(Fault::Invalid));
        assert_eq!(read(&[4, 0xff]), Err(Fault::Invalid));
        assert_eq!(read(&[4, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Fault::Invalid));
        assert_eq!(read(&[4, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(Fault::Incomplete));
        let nested: Vec<u8> = [0x30, 0x80].repeat(10_000);
        assert_eq!(read(&nested), Err(Fault::Invalid));
    }

    #[test]
    fn numbers_are_read() {
        assert_eq!(unsigned(&[0, 0, 1, 2], 2), Ok(0x102));
        assert_eq!(unsigned(&[0x80], 4), Err(Fault::Invalid));
        assert_eq!(unsigned(&[], 4), Err(Fault::Invalid));
        assert_eq!(unsigned(&[1, 0, 0], 2), Err(Fault::Invalid));
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff], 4), Ok(0xffff_ffff));
    }

    #[test]
    fn object_identifiers_are_written_with_dots() {
        assert_eq!(dotted(&[0x2b, 6, 1, 4, 1, 0x8b, 0x3a]), "1.3.6.1.4.1.1466");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
        assert_eq!(dotted(&[0xff; 40]), "");
    }
}
