//! Transactions of SMB 1: what is said to a pipe, and attributes that are set.

use super::requests::Outcome;
use super::text::{text, unicode};
use super::{HEADER_BYTES, Record, TRANS2, opens_an_exchange};
use crate::app::bytes::Reader;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Handle, Purpose};
use crate::app::smb::names::BUFFER_OVERFLOW;
use crate::app::smb::state::{State, without_zeros};
use crate::app::smb::transaction::{Command, SetInfo, What};

/// The name of a file whose opening was not seen.
const UNKNOWN: &[u8] = b"<unknown>";
const SET_PATH_INFO: u16 = 6;
const SET_FILE_INFO: u16 = 8;
const LEVEL_RENAME: u16 = 1010;
const LEVEL_DISPOSITION: u16 = 1013;

/// Something is said to a pipe.
pub(super) fn request(state: &mut State, record: &Record<'_>) {
    let said = said(record);
    let is_malformed = said.is_none();
    if let Some((Some(file), bytes)) = said {
        state.awaited_handles.put(record.message_key(), Handle::of_v1(file));
        if state.speaks_dcerpc(record.handle(file)) {
            state.write_dcerpc(&record.carrier(record.command), bytes);
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

/// The pipe that is spoken to, if it is one, and what is said.
fn said<'a>(record: &Record<'a>) -> Option<(Option<[u8; 2]>, &'a [u8])> {
    let mut reader = Reader::new(record.body);
    let words = reader.u8()?;
    reader.skip(18)?;
    let parameter_bytes = usize::from(reader.le16()?);
    let parameter_offset = usize::from(reader.le16()?);
    let data_bytes = usize::from(reader.le16()?);
    let data_offset = usize::from(reader.le16()?);
    let setup_words = reader.u8()?;
    reader.skip(1)?;
    let mut file = None;
    if words == 16 && setup_words == 2 && data_bytes > 0 {
        reader.skip(2)?;
        file = Some(reader.array::<2>()?);
    }
    reader.skip(2)?;
    let place = |reader: &Reader<'_>| HEADER_BYTES + record.body.len() - reader.len();
    let at = place(&reader);
    text(&mut reader, record, at)?;
    let at = place(&reader);
    if data_bytes == 0 {
        return Some((file, &[]));
    }
    // Parameters and data are padded to four bytes, or not, as senders like it.
    let padding = if at == parameter_offset || at == data_offset { 0 } else { at % 4 };
    let at = at.saturating_add(padding).saturating_add(parameter_bytes);
    let second_padding = if at == data_offset { 0 } else { at % 4 };
    reader.skip(padding)?;
    reader.skip(parameter_bytes)?;
    reader.skip(second_padding)?;
    Some((file, reader.take(data_bytes)?))
}

/// A pipe answers.
pub(super) fn response(state: &mut State, record: &Record<'_>) {
    let answer = answer(record.body);
    if let Some(bytes) = answer {
        let asked = state.awaited_handles.take(&record.message_key());
        let handle = asked.unwrap_or_default();
        let user_handle = asked.map(|handle| record.handle(handle.file()));
        let speaks_dcerpc = user_handle.is_some_and(|handle| state.speaks_dcerpc(handle));
        if record.status == BUFFER_OVERFLOW {
            // The rest is read.
            state.keep_fragment((record.tree_key(), handle), bytes);
        } else if speaks_dcerpc {
            state.read_dcerpc(&record.carrier(record.command), record.status, handle, bytes);
        }
    }
    ordinary_response(state, record, answer.is_none());
}

fn answer(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let words = reader.u8()?;
    if words == 0 {
        reader.skip(2)?;
        return Some(&[]);
    }
    reader.skip(12)?;
    let data_bytes = reader.le16()?;
    let data_offset = reader.le16()?;
    reader.skip(2 + 2 + 2)?;
    reader.skip(1)?;
    let usual = HEADER_BYTES + 4 + 2 * usize::from(words);
    reader.skip(usize::from(data_offset).saturating_sub(usual))?;
    reader.take(usize::from(data_bytes))
}

/// Completes the ordinary exchange that waits for this response; if there is none and the response is malformed, opens one to
/// say so.
pub(super) fn ordinary_response(state: &mut State, record: &Record<'_>, is_malformed: bool) {
    let command = Command::One(record.command);
    let key = record.key(Purpose::Command);
    let transaction = match state.find_command(command, &key) {
        None if is_malformed => state.open(command, key, What::Plain),
        found => found,
    };
    if let Some(transaction) = transaction {
        transaction.done[0] = true;
        transaction.answered(record.nt_or_dos());
        if is_malformed {
            transaction.note(Event::MalformedData);
        }
    }
}

/// Attributes of a file are set: a new name, or that it is to be deleted. What cannot be read is passed over, since it has no
/// exchange.
pub(super) fn set_info(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(19)?;
    let parameter_bytes = reader.le16()?;
    let parameter_offset = reader.le16()?;
    let parameters_end = parameter_offset.checked_add(parameter_bytes)?;
    let data_bytes = reader.le16()?;
    let data_offset = reader.le16()?;
    reader.skip(2)?;
    let command = reader.le16()?;
    reader.skip(5)?;
    let mut parameters = Reader::new(reader.take(usize::from(parameter_bytes))?);
    reader.skip(usize::from(data_offset.saturating_sub(parameters_end)))?;
    let mut data = Reader::new(reader.take(usize::from(data_bytes))?);
    let (handle, level, name) = match command {
        SET_PATH_INFO => {
            let level = parameters.le16()?;
            parameters.skip(4)?;
            (Handle::default(), level, unicode(&mut parameters)?)
        }
        SET_FILE_INFO => {
            let file = parameters.array::<2>()?;
            let level = parameters.le16()?;
            (Handle::of_v1(file), level, state.name_of(record.handle(file), UNKNOWN))
        }
        _ => return Some(Outcome::Ordinary),
    };
    let what = match level {
        LEVEL_DISPOSITION => {
            let is_deleted_on_close = data.u8()? & 1 == 1;
            What::SetInfo(Box::new(SetInfo { command, level, name, handle, is_deleted_on_close }))
        }
        LEVEL_RENAME => {
            data.skip(8)?;
            let name_bytes = data.le32()?;
            let to = without_zeros(data.take(name_bytes as usize)?);
            What::Rename { handle, from: name, to }
        }
        _ => return Some(Outcome::Ordinary),
    };
    state.open(Command::One(TRANS2), record.key(Purpose::Command), what);
    Some(Outcome::Done)
}
