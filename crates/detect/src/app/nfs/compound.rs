//! The operations that NFS 4's messages are made of. Those that say something are read, the others are passed over, since only
//! who knows one finds the next.

use super::v3::padding;
use crate::app::bytes::Reader;

/// Operations of a message; with more, it is malformed.
const OPERATIONS_MAX: u32 = 64;
const STATE_BYTES: usize = 16;

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asks<'a> {
    /// This is the file from now on.
    PutHandle(&'a [u8]),
    Read {
        offset: u64,
    },
    Write {
        offset: u64,
        stable: u32,
        bytes: &'a [u8],
    },
    /// Opens, or looks up, a file of this name.
    Name(&'a [u8]),
    Commit,
    Close,
    Create(&'a [u8]),
    Remove(&'a [u8]),
    Other,
}

/// What a server answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answers<'a> {
    Read { status: u32, is_last: bool, bytes: &'a [u8] },
    Opened,
    Handle(&'a [u8]),
    Root { status: u32 },
    Created { status: u32 },
    Removed { status: u32 },
    Other,
}

/// The operations of a request; nothing if one of them is malformed or not known.
pub(super) fn asked(bytes: &[u8]) -> Option<Vec<Asks<'_>>> {
    let mut reader = Reader::new(bytes);
    text(&mut reader)?;
    reader.skip(4)?;
    list(&mut reader, ask)
}

/// The operations of a response; nothing if one of them is malformed or not known.
pub(super) fn answered(bytes: &[u8]) -> Option<Vec<Answers<'_>>> {
    let mut reader = Reader::new(bytes);
    reader.skip(4)?;
    text(&mut reader)?;
    list(&mut reader, answer)
}

fn list<'a, T>(reader: &mut Reader<'a>, one: impl Fn(u32, &mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
    let count = reader.be32().filter(|count| *count <= OPERATIONS_MAX)?;
    let mut list = Vec::new();
    for _ in 0..count {
        let operation = reader.be32()?;
        list.push(one(operation, reader)?);
    }
    Some(list)
}

/// Bytes behind their length, padded to four.
fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(reader.be32()?).ok()?;
    let text = reader.take(length)?;
    reader.take_at_most(padding(length));
    Some(text)
}

/// Which attributes are meant.
fn attribute_bits(reader: &mut Reader<'_>) -> Option<()> {
    let words = reader.be32().filter(|words| *words <= 3)?;
    reader.skip(4 * usize::try_from(words.max(1)).ok()?)
}

fn attributes(reader: &mut Reader<'_>) -> Option<()> {
    attribute_bits(reader)?;
    text(reader).map(|_| ())
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    reader.be32().filter(|flag| *flag <= 1).map(|flag| flag == 1)
}

fn ask<'a>(operation: u32, reader: &mut Reader<'a>) -> Option<Asks<'a>> {
    match operation {
        super::v4::PUTFH => return Some(Asks::PutHandle(text(reader)?)),
        super::v4::READ => {
            reader.skip(STATE_BYTES)?;
            let offset = reader.be64()?;
            reader.skip(4)?;
            return Some(Asks::Read { offset });
        }
        super::v4::WRITE => {
            reader.skip(STATE_BYTES)?;
            let (offset, stable) = (reader.be64()?, reader.be32()?);
            return Some(Asks::Write { offset, stable, bytes: text(reader)? });
        }
        super::v4::OPEN => return open(reader).map(Asks::Name),
        super::v4::LOOKUP => return Some(Asks::Name(text(reader)?)),
        super::v4::REMOVE => return Some(Asks::Remove(text(reader)?)),
        super::v4::CREATE => {
            let kind = reader.be32()?;
            if kind == 5 {
                text(reader)?; // What a link points to.
            }
            let name = text(reader)?;
            attributes(reader)?;
            return Some(Asks::Create(name));
        }
        super::v4::CLOSE => return reader.skip(4 + STATE_BYTES).map(|()| Asks::Close),
        super::v4::COMMIT => return reader.skip(12).map(|()| Asks::Commit),
        _ => ask_other(operation, reader)?,
    }
    Some(Asks::Other)
}

fn open<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    reader.skip(20)?;
    text(reader)?; // The owner.
    if reader.be32()? == 1 {
        match reader.be32()? {
            0 | 1 => attributes(reader)?,
            2 | 3 => reader.skip(8)?,
            _ => return None,
        }
    }
    reader.skip(4)?;
    text(reader)
}

fn ask_other(operation: u32, reader: &mut Reader<'_>) -> Option<()> {
    match operation {
        // Access, secinfo without a name.
        3 | 52 => reader.skip(4),
        // Delegreturn, openconfirm.
        8 => reader.skip(STATE_BYTES),
        20 => reader.skip(4 + STATE_BYTES),
        // Getattr, setattr, readdir.
        9 => attribute_bits(reader),
        34 => {
            reader.skip(STATE_BYTES)?;
            attributes(reader)
        }
        26 => {
            reader.skip(24)?;
            attribute_bits(reader)
        }
        // Getfh, putrootfh, savefh.
        10 | 24 | 32 => Some(()),
        // Rename: from, to.
        29 => {
            text(reader)?;
            text(reader).map(|_| ())
        }
        // Renew, destroy clientid, destroy session.
        30 | 57 => reader.skip(8),
        44 => reader.skip(16),
        // Setclientid and its confirmation.
        35 => {
            reader.skip(8)?;
            text(reader)?;
            reader.skip(4)?;
            text(reader)?;
            text(reader)?;
            reader.skip(4)
        }
        36 => reader.skip(16),
        // Exchange id.
        42 => {
            reader.skip(8)?;
            text(reader)?;
            reader.skip(12)?;
            text(reader)?;
            text(reader)?;
            reader.skip(12)
        }
        // Create session: what follows the machine's name belongs to it, to the end.
        43 => {
            reader.skip(8 + 4 + 4 + 28 + 28 + 16)?;
            text(reader)?;
            reader.take_at_most(usize::MAX);
            Some(())
        }
        // Getdeviceinfo, layoutget, layoutreturn.
        47 => reader.skip(32),
        50 => {
            flag(reader)?;
            reader.skip(8 + 24 + STATE_BYTES + 4)
        }
        51 => {
            flag(reader)?;
            reader.skip(12 + 16 + STATE_BYTES)?;
            text(reader).map(|_| ())
        }
        // Sequence, reclaim complete.
        53 => reader.skip(32),
        58 => flag(reader).map(|_| ()),
        _ => None,
    }
}

fn answer<'a>(operation: u32, reader: &mut Reader<'a>) -> Option<Answers<'a>> {
    let status = reader.be32()?;
    let is_ok = status == 0;
    match operation {
        super::v4::READ if is_ok => {
            let is_last = flag(reader)?;
            return Some(Answers::Read { status, is_last, bytes: text(reader)? });
        }
        super::v4::GETFH if is_ok => return Some(Answers::Handle(text(reader)?)),
        super::v4::PUTROOTFH => return Some(Answers::Root { status }),
        super::v4::OPEN if is_ok => return opened(reader).map(|()| Answers::Opened),
        super::v4::CREATE => {
            if is_ok {
                reader.skip(20)?;
                attribute_bits(reader)?;
            }
            return Some(Answers::Created { status });
        }
        super::v4::REMOVE => {
            if is_ok {
                reader.skip(20)?;
            }
            return Some(Answers::Removed { status });
        }
        _ => answer_other(operation, is_ok, reader)?,
    }
    Some(Answers::Other)
}

fn opened(reader: &mut Reader<'_>) -> Option<()> {
    reader.skip(STATE_BYTES + 20 + 4)?;
    attribute_bits(reader)?;
    match reader.be32()? {
        0 => Some(()),
        1 => {
            reader.skip(STATE_BYTES + 16)?;
            text(reader).map(|_| ())
        }
        2 => {
            reader.skip(STATE_BYTES + 24)?;
            text(reader).map(|_| ())
        }
        _ => None,
    }
}

fn answer_other(operation: u32, is_ok: bool, reader: &mut Reader<'_>) -> Option<()> {
    match (operation, is_ok) {
        // Lookup, putfh, savefh, delegreturn, rename, renew, confirmations and destructions tell their status alone.
        (15 | 22 | 32 | 8 | 29 | 30 | 36 | 44 | 57 | 58, _) => Some(()),
        // So do these if they failed.
        (3 | 4 | 5 | 9 | 10 | 18 | 20 | 25 | 26 | 34 | 38 | 42 | 43 | 47 | 50 | 53, false) => Some(()),
        (3 | 5, true) => reader.skip(8),
        (4 | 20, true) => reader.skip(STATE_BYTES),
        (9, true) => attributes(reader),
        (34, true) => attribute_bits(reader),
        (26, true) => listing(reader),
        (35, _) => reader.skip(12),
        (38, true) => reader.skip(16),
        (42, true) => {
            reader.skip(8 + 12 + 8)?;
            text(reader)?;
            text(reader)?;
            reader.skip(4)?;
            text(reader)?;
            text(reader)?;
            reader.skip(12)
        }
        (43, true) => reader.skip(16 + 8 + 56),
        (47, true) => {
            reader.skip(4 + 8 + 4 + 8)?;
            text(reader)?;
            text(reader)?;
            reader.skip(4)
        }
        (50, true) => layout(reader),
        (51, _) => flag(reader).map(|_| ()),
        (52, _) => {
            let count = reader.be32()?;
            for _ in 0..count {
                if reader.be32()? == 6 {
                    text(reader)?;
                    reader.skip(8)?;
                }
            }
            Some(())
        }
        (53, true) => reader.skip(36),
        _ => None,
    }
}

fn listing(reader: &mut Reader<'_>) -> Option<()> {
    reader.skip(8)?;
    while flag(reader)? {
        reader.skip(8)?;
        text(reader)?;
        attributes(reader)?;
    }
    flag(reader).map(|_| ())
}

fn layout(reader: &mut Reader<'_>) -> Option<()> {
    flag(reader)?;
    reader.skip(STATE_BYTES + 4 + 16 + 4 + 4 + 4 + 16 + 4 + 4 + 8)?;
    let handles = reader.be32()?;
    for _ in 0..handles {
        text(reader)?;
    }
    Some(())
}
