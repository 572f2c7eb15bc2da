//! Frames of initial packets: pieces of the handshake, and messages of Google's own handshake.
//!
//! All of a packet must be frames; one that is not known takes the rest of it.

use super::header::number;
use crate::app::tls::reader::Reader;

/// Messages of Google's handshake have so many entries at most that are looked at.
const TAGS_MAX: usize = 256;

/// A frame that matters here.
pub(super) enum Frame<'a> {
    /// A piece of the handshake, and where it belongs.
    Crypto(u64, &'a [u8]),
    /// A message of Google's handshake: its tags and their values; nothing if it is another message.
    Stream(Option<Vec<Tag<'a>>>),
}

/// A tag of Google's handshake and its value.
pub(super) type Tag<'a> = (u32, &'a [u8]);

/// The server that a client names, in Google's handshake.
pub(super) const SERVER_NAME: u32 = u32::from_be_bytes(*b"SNI\0");
/// What the client calls itself.
pub(super) const USER_AGENT: u32 = u32::from_be_bytes(*b"UAID");

static TAGS: &[&[u8; 4]] = &[
    b"AEAD", b"CCRT", b"CCS\0", b"CETV", b"CFCW", b"CHLO", b"COPT", b"CSCT", b"CTIM", b"ICSL", b"IRTT",
    b"KEXS", b"MIDS", b"MSPC", b"NONC", b"NONP", b"PAD\0", b"PDMD", b"PUBS", b"SCID", b"SCLS", b"SFCW",
    b"SMHL", b"SNI\0", b"SNO\0", b"STK\0", b"TCID", b"UAID", b"VER\0", b"XLCT",
];

/// Reads all frames of a packet; nothing if not all of it is frames.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Frame<'_>>> {
    let mut reader = Reader::new(bytes);
    let mut frames = Vec::new();
    while !reader.rest().is_empty() {
        let kind = reader.u8()?;
        match kind {
            0x80..=0xff => frames.push(stream(&mut reader, kind)?),
            0x00 => {
                let padding = reader.rest().iter().take_while(|byte| **byte == 0).count();
                reader.take(padding)?;
            }
            0x01 => {}
            0x02 => acknowledgement(&mut reader)?,
            0x03 => {
                acknowledgement(&mut reader)?;
                numbers(&mut reader, 3)?;
            }
            0x06 => {
                let offset = number(&mut reader)?;
                let size = usize::try_from(number(&mut reader)?).ok()?;
                frames.push(Frame::Crypto(offset, reader.take(size)?));
            }
            0x08 => {
                number(&mut reader)?;
                let size = usize::try_from(number(&mut reader)?).ok()?;
                frames.push(Frame::Stream(tags(reader.take(size)?)));
            }
            _ => return Some(frames),
        }
    }
    Some(frames)
}

fn acknowledgement(reader: &mut Reader<'_>) -> Option<()> {
    numbers(reader, 2)?;
    let ranges = number(reader)?;
    number(reader)?;
    numbers(reader, ranges.checked_mul(2)?)
}

/// Passes by so many numbers.
fn numbers(reader: &mut Reader<'_>, count: u64) -> Option<()> {
    for _ in 0..count {
        number(reader)?;
    }
    Some(())
}

/// A stream frame of Google's: its type tells how long its fields are.
fn stream<'a>(reader: &mut Reader<'a>, kind: u8) -> Option<Frame<'a>> {
    let offset = match (kind & 0x1c) >> 2 {
        0 => 0,
        more => usize::from(more) + 1,
    };
    reader.take(usize::from(kind & 0x03) + 1)?;
    reader.take(offset)?;
    let data = if kind & 0x20 != 0 { reader.piece()? } else { reader.take(reader.rest().len())? };
    Some(Frame::Stream(tags(data)))
}

/// Reads a message of Google's handshake: its tag, how many entries, each with its tag and where its value ends,
/// then the values.
fn tags(message: &[u8]) -> Option<Vec<Tag<'_>>> {
    let mut reader = Reader::new(message);
    known(reader.u32()?)?;
    let count = reader.take(2).map(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))?;
    reader.take(2)?;
    let mut ends = Vec::new();
    for _ in 0..count {
        let tag = known(reader.u32()?)?;
        let end = reader.u32()?.swap_bytes();
        if ends.len() >= TAGS_MAX {
            return None;
        }
        ends.push((tag, end));
    }
    let mut last = 0;
    let mut tags = Vec::new();
    for (tag, end) in ends {
        let value = reader.take(usize::try_from(end.checked_sub(last)?).ok()?)?;
        last = end;
        tags.push((tag, value));
    }
    reader.rest().is_empty().then_some(tags)
}

fn known(tag: u32) -> Option<u32> {
    TAGS.iter().any(|known| u32::from_be_bytes(**known) == tag).then_some(tag)
}

/// A tag as text.
pub(super) fn name(tag: u32) -> String {
    tag.to_be_bytes().iter().filter(|byte| **byte != 0).copied().map(char::from).collect()
}
