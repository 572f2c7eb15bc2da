//! Session setup of SMB 1.

use super::Record;
use super::text::{ascii, unicode};
use crate::app::bytes::Reader;
use crate::app::smb::auth;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Key, Purpose};
use crate::app::smb::state::State;
use crate::app::smb::transaction::{Command, Host, SessionSetup, What};

/// A client logs in. What is not the form with a security blob is not understood, and has no exchange.
pub(super) fn request(state: &mut State, record: &Record<'_>, offset: usize) -> Option<()> {
    let mut reader = Reader::new(record.from(offset));
    reader.skip(15)?;
    let blob_bytes = reader.le16()?;
    reader.skip(10)?;
    let blob = reader.take(usize::from(blob_bytes))?;
    let login = auth::credentials(blob);
    let is_unusual = login.ntlmssp.as_ref().is_some_and(|ntlmssp| ntlmssp.is_unusual);
    let setup = SessionSetup { client: Some(host(record, reader.rest())), server: None, login };
    let key = Key { tree: 0, ..record.key(Purpose::Header) };
    let opened = state.open(Command::One(record.command), key, What::SessionSetup(Box::new(setup)))?;
    if is_unusual {
        opened.note(Event::UnusualNtlmsspOrder);
    }
    Some(())
}

/// The server answers. The session has its number only from the first response on: the first request had 0.
pub(super) fn response(state: &mut State, record: &Record<'_>, offset: usize) {
    let key = Key { tree: 0, ..record.key(Purpose::Header) };
    let first = Key { session: 0, ..key };
    let wanted = if record.user != 0 && state.find_session_setup(&key).is_some() { key } else { first };
    let Some(transaction) = state.find_session_setup(&wanted) else {
        return;
    };
    match (blob_passed(record.from(offset)), &mut transaction.what) {
        (Some(rest), What::SessionSetup(setup)) => setup.server = Some(host(record, rest)),
        (None, _) => transaction.note(Event::MalformedData),
        _ => {}
    }
    transaction.key = record.key(Purpose::Header);
    transaction.answered(record.nt_or_dos());
}

/// What is behind the blob of a response.
fn blob_passed(parameters: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(parameters);
    match *parameters.first()? {
        0 => reader.skip(3)?,
        3 => reader.skip(9)?,
        _ => {
            reader.skip(7)?;
            let blob_bytes = reader.le16()?;
            reader.skip(2)?;
            reader.skip(usize::from(blob_bytes))?;
        }
    }
    Some(reader.rest())
}

/// What a side says of itself at the end of the record.
fn host(record: &Record<'_>, bytes: &[u8]) -> Host {
    let mut reader = Reader::new(bytes);
    let is_unicode = bytes.len() > 1 && record.is_unicode;
    if is_unicode && (record.body.len() - bytes.len()) % 2 == 1 {
        reader.take_at_most(1);
    }
    let mut next = || if is_unicode { unicode(&mut reader) } else { ascii(&mut reader) };
    let system = next().unwrap_or_default();
    let manager = next().unwrap_or_default();
    Host { system, manager }
}
