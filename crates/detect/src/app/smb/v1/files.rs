//! Reads and writes of SMB 1.

use super::{HEADER_BYTES, READ_ANDX, Record, WRITE, WRITE_AND_CLOSE, WRITE_ANDX, opens_an_exchange};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Handle, Key, Purpose};
use crate::app::smb::names::SUCCESS;
use crate::app::smb::state::State;
use crate::app::smb::stream::Part;
use crate::app::smb::transaction::{Command, What};

/// The name of a file whose opening was not seen.
const UNKNOWN: &[u8] = b"<unknown>";
/// Where the data of a write stands at the earliest.
const WRITE_OFFSET_MIN: u16 = 0x3c;

/// Remembers which part of which file a read asks for.
pub(super) fn read_asked(state: &mut State, record: &Record<'_>, offset: usize) -> Option<()> {
    let mut reader = Reader::new(record.from(offset));
    let words = reader.u8()?;
    reader.skip(4)?;
    let handle = record.handle(reader.array()?);
    let low = reader.le32()?;
    reader.skip(10)?;
    let high = if words == 12 { reader.le32()? } else { 0 };
    let place = u64::from(high) << 32 | u64::from(low);
    state.reads.put(record.message_key(), (handle, place));
    Some(())
}

/// What a write says.
struct Written<'a> {
    handle: Handle,
    offset: u64,
    length: u32,
    bytes: &'a [u8],
}

fn written<'a>(record: &Record<'a>, command: u8, offset: usize) -> Option<Written<'a>> {
    let parameters = if command == WRITE_ANDX { record.from(offset) } else { record.body };
    let mut reader = Reader::new(parameters);
    let words = reader.u8()?;
    if command == WRITE_ANDX {
        reader.skip(4)?;
    }
    let handle = record.handle(reader.array()?);
    match command {
        WRITE => {
            reader.skip(2)?;
            let place = reader.le32()?;
            reader.skip(5)?;
            let length = reader.le16()?;
            let bytes = reader.take(usize::from(length))?;
            Some(Written { handle, offset: u64::from(place), length: u32::from(length), bytes })
        }
        WRITE_AND_CLOSE => {
            let length = reader.le16()?;
            let place = reader.le32()?;
            reader.skip(4)?;
            let rest_bytes = reader.le16()?;
            reader.skip(usize::from(rest_bytes.saturating_sub(length)))?;
            let bytes = reader.take(usize::from(length))?;
            Some(Written { handle, offset: u64::from(place), length: u32::from(length), bytes })
        }
        _ => {
            let low = reader.le32()?;
            reader.skip(8)?;
            let (length_high, length_low) = (reader.le16()?, reader.le16()?);
            let length = u32::from(length_high) << 16 | u32::from(length_low);
            let data_offset = reader.le16()?;
            if data_offset < WRITE_OFFSET_MIN {
                return None;
            }
            let high = if words == 14 { reader.le32()? } else { 0 };
            reader.skip(2)?;
            let mut reader = Reader::new(parameters);
            reader.skip(usize::from(data_offset).checked_sub(offset)?)?;
            let bytes = reader.take_at_most(length as usize);
            Some(Written { handle, offset: u64::from(high) << 32 | u64::from(low), length, bytes })
        }
    }
}

/// Whether so much of a write, or of a response to a read, is there that the place of its data is.
pub(in crate::app::smb) fn shows_its_data(record: &Record<'_>) -> bool {
    match record.command {
        WRITE_ANDX => written(record, WRITE_ANDX, HEADER_BYTES).is_some(),
        READ_ANDX if record.status == SUCCESS => read_bytes(record.from(HEADER_BYTES)).is_some(),
        _ => true,
    }
}

/// Takes a write, of which `missing` bytes of the record may not be here yet.
pub(in crate::app::smb) fn write(
    state: &mut State,
    record: &Record<'_>,
    command: u8,
    offset: usize,
    missing: usize,
) {
    let written = written(record, command, offset);
    let is_malformed = written.is_none();
    if let Some(written) = written {
        let Written { handle, offset, length, bytes } = written;
        let part = Part { direction: Direction::ToServer, handle, offset, length, bytes, missing };
        if length as usize > bytes.len().saturating_add(missing) {
            state.note(Event::WriteRequestTooLarge);
            return state.skip_record(&part);
        }
        write_part(state, record, command, &part);
        if command == WRITE_AND_CLOSE {
            state.names.take(&handle);
            state.close_file(handle, Direction::ToServer, None);
        }
    }
    if !opens_an_exchange(record.command) && !is_malformed {
        return;
    }
    let command = Command::One(record.command);
    if let Some(transaction) = state.open(command, record.key(Purpose::Command), What::Plain)
        && is_malformed
    {
        transaction.note(Event::MalformedData);
    }
}

fn write_part(state: &mut State, record: &Record<'_>, command: u8, part: &Part<'_>) {
    if state.give_to_open_file(part) {
        return;
    }
    let name = state.name_of(part.handle, UNKNOWN);
    let tree = state.trees.get(&record.tree_key()).cloned().unwrap_or_default();
    if tree.is_pipe {
        state.write_dcerpc(&record.carrier(command), part.bytes);
        return state.skip_record(part);
    }
    state.open_file(part, Command::One(WRITE_ANDX), file_key(), name, tree.share);
}

/// Takes what a read gives, of which `missing` bytes of the record may not be here yet.
pub(in crate::app::smb) fn read(state: &mut State, record: &Record<'_>, offset: usize, missing: usize) {
    let mut is_malformed = false;
    if record.status == SUCCESS {
        match read_bytes(record.from(offset)) {
            Some((length, bytes)) => {
                if read_part(state, record, length, bytes, missing).is_none() {
                    return;
                }
            }
            None => is_malformed = true,
        }
    }
    super::trans::ordinary_response(state, record, is_malformed);
}

/// How much a read gives, and what of it is here.
fn read_bytes(parameters: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = Reader::new(parameters);
    let words = reader.u8()?;
    reader.skip(4 + 6)?;
    let length_low = reader.le16()?;
    let data_offset = reader.le16()?;
    let length_high = reader.le32()?;
    reader.skip(6)?;
    let rest_bytes = reader.le16()?;
    reader.skip(usize::from(rest_bytes.saturating_sub(length_low)))?;
    // The parameters and one byte of padding end here; data may stand later.
    let usual = (HEADER_BYTES + 4).saturating_add(2 * usize::from(words));
    reader.skip(usize::from(data_offset).saturating_sub(usual))?;
    Some((length_high.wrapping_shl(16) | u32::from(length_low), reader.rest()))
}

/// Nothing if the record is not to be told to an ordinary exchange.
fn read_part(
    state: &mut State,
    record: &Record<'_>,
    length: u32,
    bytes: &[u8],
    missing: usize,
) -> Option<()> {
    let nobody = Handle::default();
    let mut part = Part { direction: Direction::ToClient, handle: nobody, offset: 0, length, bytes, missing };
    if length as usize > bytes.len().saturating_add(missing) {
        state.note(Event::ReadResponseTooLarge);
        state.skip_record(&part);
        return None;
    }
    let Some((handle, offset)) = state.reads.take(&record.message_key()) else {
        state.skip_record(&part);
        return None;
    };
    part.handle = handle;
    part.offset = offset;
    let tree = state.trees.get(&record.tree_key()).cloned().unwrap_or_default();
    if tree.is_pipe {
        state.read_dcerpc(&record.carrier(READ_ANDX), SUCCESS, handle.without_user(), bytes);
        state.skip_record(&part);
    } else if !state.give_to_open_file(&part) {
        let name = state.name_of(handle, b"");
        state.open_file(&part, Command::One(READ_ANDX), file_key(), name, tree.share);
    }
    Some(())
}

/// A file is found by its handle.
fn file_key() -> Key {
    Key { purpose: Purpose::Header, session: 0, message: 0, tree: 0 }
}
