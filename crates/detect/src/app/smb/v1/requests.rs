//! Requests of SMB 1.

use super::{
    CLOSE, LOCKING_ANDX, NEGOTIATE, NT_CANCEL, NT_CREATE_ANDX, READ_ANDX, RENAME, Record, SESSION_SETUP_ANDX,
    TRANS, TRANS2, TRANS2_SECONDARY, TREE_CONNECT_ANDX, TREE_DISCONNECT, WRITE, WRITE_AND_CLOSE, WRITE_ANDX,
    files, opens_an_exchange, session, text, trans,
};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Handle, Key, Purpose};
use crate::app::smb::state::{State, bounded, without_zeros};
use crate::app::smb::transaction::{Command, Create, Negotiation, TreeConnect, What};

/// Dialects of a negotiation that are kept.
const DIALECTS_MAX: usize = 64;

/// What became of a request.
pub(super) enum Outcome {
    /// It has an exchange, or needs none.
    Done,
    /// It has none: an ordinary one is opened if its command has one.
    Ordinary,
    /// The same, and nobody answers it.
    Unanswered,
}

/// Takes a request and those that are chained to it.
pub(in crate::app::smb) fn request(state: &mut State, record: &Record<'_>) {
    record.each_command(|command, offset| one(state, record, command, offset));
}

fn one(state: &mut State, record: &Record<'_>, command: u8, offset: usize) {
    let outcome = match command {
        NEGOTIATE => negotiate(state, record),
        SESSION_SETUP_ANDX => {
            session::request(state, record, offset);
            Some(Outcome::Done)
        }
        TREE_CONNECT_ANDX => tree_connect(state, record, offset),
        TREE_DISCONNECT => {
            state.trees.take(&record.tree_key());
            Some(Outcome::Ordinary)
        }
        NT_CREATE_ANDX => create(state, record, command, offset),
        CLOSE => close(state, record),
        RENAME => rename(state, record),
        READ_ANDX => files::read_asked(state, record, offset).map(|()| Outcome::Ordinary),
        WRITE | WRITE_ANDX | WRITE_AND_CLOSE => {
            files::write(state, record, command, offset, 0);
            Some(Outcome::Done)
        }
        TRANS => {
            trans::request(state, record);
            Some(Outcome::Done)
        }
        TRANS2 => trans::set_info(state, record),
        NT_CANCEL | TRANS2_SECONDARY | LOCKING_ANDX => Some(Outcome::Unanswered),
        _ => Some(Outcome::Ordinary),
    };
    if matches!(outcome, Some(Outcome::Done)) || !opens_an_exchange(command) {
        return;
    }
    if let Some(transaction) = state.open(Command::One(command), record.key(Purpose::Command), What::Plain) {
        match outcome {
            None => transaction.note(Event::MalformedData),
            Some(Outcome::Unanswered) => transaction.done[1] = true,
            Some(_) => {}
        }
    }
}

fn negotiate(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(3)?;
    let mut dialects = Vec::new();
    let mut count = 0;
    let mut are_malformed = false;
    while let Some(dialect) = reader.until(0) {
        count += 1;
        are_malformed |= dialect.len() < 2;
        // The first byte tells that a text follows.
        if let Some((_, name)) = dialect.split_first()
            && dialects.len() < DIALECTS_MAX
        {
            dialects.push(bounded(name));
        }
    }
    if count == 0 {
        return None;
    }
    if let Some(transaction) = state.find_negotiation(1) {
        transaction.note(Event::DuplicateNegotiate);
        return Some(Outcome::Done);
    }
    let negotiation = Negotiation { dialects, ..Negotiation::default() };
    // It is found by what it is, not by a key.
    let key = Key { purpose: Purpose::Header, session: u64::MAX, message: u64::MAX, tree: 0 };
    let opened = state.open(Command::One(NEGOTIATE), key, What::Negotiate(Box::new(negotiation)));
    if let Some(transaction) = opened.filter(|_| are_malformed) {
        transaction.note(Event::NegotiateMalformedDialects);
    }
    Some(Outcome::Done)
}

fn tree_connect(state: &mut State, record: &Record<'_>, offset: usize) -> Option<Outcome> {
    let mut reader = Reader::new(record.from(offset));
    reader.skip(7)?;
    let password_bytes = usize::from(reader.le16()?);
    reader.skip(2)?;
    reader.skip(password_bytes)?;
    let mut share = text::text(&mut reader, record, 11 + password_bytes)?;
    let service = text::ascii(&mut reader)?;
    if share.len() > 1 {
        share.remove(0); // One of the two backslashes at its front.
    }
    let tree = TreeConnect { share, service_asked: Some(service), ..TreeConnect::default() };
    let command = Command::One(TREE_CONNECT_ANDX);
    state.open(command, record.key(Purpose::Tree), What::TreeConnect(Box::new(tree)));
    Some(Outcome::Done)
}

fn create(state: &mut State, record: &Record<'_>, command: u8, offset: usize) -> Option<Outcome> {
    let mut reader = Reader::new(record.from(offset));
    reader.skip(6)?;
    let name_bytes = reader.le16()?;
    reader.skip(28)?;
    let (disposition, options) = (reader.le32()?, reader.le32()?);
    reader.skip(5)?;
    let rest_bytes = reader.le16()?;
    let name = match rest_bytes.checked_sub(name_bytes) {
        Some(before) => text::text(&mut reader, record, usize::from(before))?,
        None => Vec::new(),
    };
    state.awaited_names.put(record.message_key(), name.clone());
    let create = Create {
        name,
        disposition,
        is_deleted_on_close: options & 0x1000 != 0,
        is_directory: options & 1 != 0,
        ..Create::default()
    };
    state.open(Command::One(command), record.key(Purpose::Command), What::Create(Box::new(create)));
    Some(Outcome::Done)
}

fn close(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(1)?;
    let handle = record.handle(reader.array()?);
    state.names.take(&handle);
    state.awaited_handles.put(record.message_key(), handle);
    state.close_file(handle, Direction::ToServer, None);
    Some(Outcome::Ordinary)
}

fn rename(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(6)?;
    let from = text::unicode(&mut reader)?;
    reader.skip(2)?;
    let to = text::unicode(&mut reader)?;
    let what = What::Rename { handle: Handle::default(), from: without_zeros(&from), to: without_zeros(&to) };
    state.open(Command::One(RENAME), record.key(Purpose::Command), what);
    Some(Outcome::Done)
}
