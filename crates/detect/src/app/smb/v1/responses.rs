//! Responses of SMB 1.

use super::{
    CLOSE, LOGOFF_ANDX, NEGOTIATE, NT_CREATE_ANDX, READ_ANDX, Record, SESSION_SETUP_ANDX, TRANS,
    TREE_CONNECT_ANDX, TREE_DISCONNECT, WRITE_ANDX, files, session, trans,
};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::smb::events::Event;
use crate::app::smb::key::Purpose;
use crate::app::smb::names::{self, SUCCESS};
use crate::app::smb::state::{State, Tree, bounded};
use crate::app::smb::transaction::{Command, Spoken, What};

/// What became of a response.
enum Outcome {
    /// Its exchange was found, or it needs none.
    Done,
    /// An ordinary exchange may wait for it.
    Ordinary,
}

/// Takes a response and those that are chained to it.
pub(in crate::app::smb) fn response(state: &mut State, record: &Record<'_>) {
    record.each_command(|command, offset| one(state, record, command, offset));
}

fn one(state: &mut State, record: &Record<'_>, command: u8, offset: usize) {
    let outcome = match command {
        NEGOTIATE => negotiate(state, record),
        SESSION_SETUP_ANDX => {
            session::response(state, record, offset);
            Some(Outcome::Done)
        }
        TREE_CONNECT_ANDX if record.status != SUCCESS => {
            if let Some(transaction) = state.find_tree_connect(&record.key(Purpose::Tree)) {
                transaction.answered(record.nt_or_dos());
            }
            Some(Outcome::Done)
        }
        TREE_CONNECT_ANDX => tree_connect(state, record, offset),
        TREE_DISCONNECT => {
            state.trees.take(&record.tree_key());
            Some(Outcome::Ordinary)
        }
        NT_CREATE_ANDX if record.status == SUCCESS => create(state, record, command, offset),
        CLOSE => {
            if let Some(handle) = state.awaited_handles.take(&record.message_key()) {
                state.close_file(handle, Direction::ToClient, None);
            }
            Some(Outcome::Ordinary)
        }
        READ_ANDX => {
            files::read(state, record, offset, 0);
            Some(Outcome::Done)
        }
        TRANS => {
            trans::response(state, record);
            Some(Outcome::Done)
        }
        _ => Some(Outcome::Ordinary),
    };
    if matches!(outcome, Some(Outcome::Done)) || command == WRITE_ANDX {
        return;
    }
    let found = if command == LOGOFF_ANDX {
        state.find_last(Command::One(command))
    } else {
        state.find_command(Command::One(command), &record.key(Purpose::Command))
    };
    if let Some(transaction) = found {
        transaction.done[0] = true;
        transaction.answered(record.nt_or_dos());
        if outcome.is_none() {
            transaction.note(Event::MalformedData);
        }
    }
}

fn negotiate(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    let words = reader.u8()?;
    let mut chosen = 0;
    let mut guid = None;
    if words == 0 {
        reader.skip(2)?;
    } else {
        chosen = reader.le16()?;
        reader.skip(32)?;
        let rest_bytes = reader.le16()?;
        if rest_bytes >= 16 {
            guid = Some(reader.array::<16>()?);
        }
    }
    let Some(transaction) = state.find_negotiation(1) else {
        return Some(Outcome::Ordinary);
    };
    transaction.answered(record.nt_or_dos());
    let mut dialect = None;
    if let What::Negotiate(negotiation) = &mut transaction.what {
        negotiation.server_guid = guid;
        dialect = negotiation.dialects.get(usize::from(chosen)).cloned();
    }
    match dialect {
        Some(name) => {
            let spoken = Spoken::One(name.into());
            transaction.spoken = spoken.clone();
            state.spoken = spoken;
        }
        None => transaction.note(Event::NegotiateMalformedDialects),
    }
    Some(Outcome::Done)
}

fn tree_connect(state: &mut State, record: &Record<'_>, offset: usize) -> Option<Outcome> {
    let mut reader = Reader::new(record.from(offset));
    let words = reader.u8()?;
    reader.skip(4)?;
    if words >= 3 {
        reader.skip(2)?;
    }
    if words == 7 {
        reader.skip(8)?;
    }
    reader.skip(2)?;
    let service = bounded(reader.until(0)?);
    reader.until(0)?;
    let is_pipe = service == b"IPC";
    let Some(transaction) = state.find_tree_connect(&record.key(Purpose::Tree)) else {
        return Some(Outcome::Ordinary);
    };
    transaction.answered(record.nt_or_dos());
    transaction.key = record.key(Purpose::Header);
    if let What::TreeConnect(connect) = &mut transaction.what {
        connect.is_pipe = is_pipe;
        connect.service_given = Some(service);
        let tree = Tree { share: connect.share.clone(), is_pipe };
        state.trees.put(record.tree_key(), tree);
    }
    Some(Outcome::Done)
}

fn create(state: &mut State, record: &Record<'_>, command: u8, offset: usize) -> Option<Outcome> {
    let mut reader = Reader::new(record.from(offset));
    let words = reader.u8()?;
    reader.skip(5)?;
    let file = reader.array::<2>()?;
    reader.skip(4)?;
    let mut times = [0; 4];
    for time in &mut times {
        *time = names::seconds(reader.le64()?);
    }
    reader.skip(4)?;
    let size = reader.le64()?;
    reader.skip(8 + 5)?;
    if words == 42 {
        reader.skip(32)?;
    }
    reader.skip(2)?;
    let handle = record.handle(file);
    if let Some(mut name) = state.awaited_names.take(&record.message_key()) {
        name.retain(|byte| *byte != 0);
        state.names.put(handle, name);
    }
    let key = record.key(Purpose::Command);
    if let Some(transaction) = state.find_command(Command::One(command), &key) {
        transaction.answered(crate::app::smb::transaction::Status::Nt(record.status));
        if let What::Create(create) = &mut transaction.what {
            create.times = times;
            create.size = size;
            create.handle = handle.without_user();
        }
    }
    Some(Outcome::Done)
}
