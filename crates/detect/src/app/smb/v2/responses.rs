//! Responses of SMB 2.

use super::requests::{Destination, destination};
use super::{
    CREATE, IOCTL, NEGOTIATE, PIPE_TRANSCEIVE, READ, Record, SESSION_SETUP, TREE_CONNECT, TREE_DISCONNECT,
    WRITE,
};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Handle, Key, Purpose};
use crate::app::smb::names::{self, BUFFER_OVERFLOW, END_OF_FILE, PENDING, SUCCESS};
use crate::app::smb::state::{READ_BYTES_MAX, State, Tree, WRITE_BYTES_MAX};
use crate::app::smb::stream::Part;
use crate::app::smb::transaction::{Spoken, Status, What};

/// The name of a file whose opening was not seen.
const UNKNOWN: &[u8] = b"<unknown>";
/// A tree of pipes.
const SHARE_OF_PIPES: u8 = 2;

/// What became of a response.
enum Outcome {
    /// Its exchange was found, or it needs none.
    Done,
    /// An ordinary exchange may wait for it.
    Ordinary,
}

/// Takes a response.
pub(in crate::app::smb) fn response(state: &mut State, record: &Record<'_>) {
    let outcome = match record.command {
        NEGOTIATE => negotiate(state, record),
        SESSION_SETUP => {
            session_setup(state, record);
            Some(Outcome::Done)
        }
        TREE_CONNECT => tree_connect(state, record),
        TREE_DISCONNECT => {
            state.trees.take(&record.tree_key());
            Some(Outcome::Ordinary)
        }
        CREATE if record.status == SUCCESS => create(state, record),
        READ => {
            read_or_end(state, record);
            Some(Outcome::Ordinary)
        }
        WRITE if record.status == SUCCESS => (record.body.len() >= 14).then_some(Outcome::Ordinary),
        IOCTL => {
            ioctl(state, record);
            Some(Outcome::Done)
        }
        _ => Some(Outcome::Ordinary),
    };
    if matches!(outcome, Some(Outcome::Done)) {
        return;
    }
    let key = record.key(Purpose::Command);
    if let Some(transaction) = state.find_command(record.command(), &key) {
        transaction.status = Some(Status::Nt(record.status));
        if record.status != PENDING {
            transaction.done[1] = true;
        }
        if outcome.is_none() {
            transaction.note(Event::MalformedData);
        }
    }
}

fn negotiate(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let mut number = 0;
    let mut guid = None;
    let mut sizes = [0, 0];
    if record.status == SUCCESS {
        number = reader.le16()?;
        reader.skip(2)?;
        guid = Some(reader.array::<16>()?);
        reader.skip(8)?;
        sizes = [reader.le32()?, reader.le32()?];
    }
    let [read_bytes_max, write_bytes_max] = sizes;
    if read_bytes_max > READ_BYTES_MAX {
        state.note(Event::NegotiateMaxReadSizeTooLarge);
    }
    if write_bytes_max > WRITE_BYTES_MAX {
        state.note(Event::NegotiateMaxWriteSizeTooLarge);
    }
    if number != 0 {
        state.spoken = Spoken::Two(number);
    }
    state.read_bytes_max = read_bytes_max;
    state.write_bytes_max = write_bytes_max;
    let spoken = state.spoken.clone();
    // A client of SMB 1 that offers SMB 2 too is answered with SMB 2.
    let version = if state.find_negotiation(2).is_some() { 2 } else { 1 };
    let Some(transaction) = state.find_negotiation(version) else {
        return Some(Outcome::Ordinary);
    };
    transaction.answered(Status::Nt(record.status));
    transaction.spoken = spoken;
    if let What::Negotiate(negotiation) = &mut transaction.what {
        negotiation.server_guid = guid;
        negotiation.read_bytes_max = read_bytes_max;
        negotiation.write_bytes_max = write_bytes_max;
    }
    Some(Outcome::Done)
}

/// The session has its number only from the first response on: the first request had 0.
fn session_setup(state: &mut State, record: &Record<'_>) {
    let key = record.key(Purpose::Header);
    let first = Key { session: 0, tree: 0, ..key };
    let wanted = if record.session != 0 && state.find_session_setup(&key).is_some() { key } else { first };
    if let Some(transaction) = state.find_session_setup(&wanted) {
        transaction.key = key;
        transaction.answered(Status::Nt(record.status));
    }
}

fn tree_connect(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let is_success = record.status == SUCCESS;
    let share_kind = if is_success {
        let mut reader = Reader::new(record.body);
        reader.skip(2)?;
        let kind = reader.u8()?;
        reader.skip(12)?;
        kind
    } else {
        0
    };
    let Some(transaction) = state.find_tree_connect(&record.key(Purpose::Tree)) else {
        return Some(if is_success { Outcome::Done } else { Outcome::Ordinary });
    };
    transaction.answered(Status::Nt(record.status));
    if is_success {
        transaction.key = record.key(Purpose::Header);
        if let What::TreeConnect(connect) = &mut transaction.what {
            connect.share_kind = share_kind;
            connect.is_pipe = share_kind == SHARE_OF_PIPES;
            let tree = Tree { share: connect.share.clone(), is_pipe: connect.is_pipe };
            state.trees.put(record.tree_key(), tree);
        }
    }
    Some(Outcome::Done)
}

fn create(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(8)?;
    let mut times = [0; 4];
    for time in &mut times {
        *time = names::seconds(reader.le64()?);
    }
    reader.skip(8)?;
    let size = reader.le64()?;
    reader.skip(8)?;
    let handle = Handle::of_v2(reader.array()?);
    reader.skip(8)?;
    if let Some(mut name) = state.awaited_names.take(&record.message_key()) {
        name.retain(|byte| *byte != 0);
        state.names.put(handle, name);
    }
    if let Some(transaction) = state.find_command(record.command(), &record.key(Purpose::Command)) {
        transaction.answered(Status::Nt(record.status));
        if let What::Create(create) = &mut transaction.what {
            create.times = times;
            create.size = size;
            create.handle = handle;
        }
    }
    Some(Outcome::Done)
}

fn read_or_end(state: &mut State, record: &Record<'_>) {
    match record.status {
        SUCCESS | BUFFER_OVERFLOW => read(state, record, 0),
        END_OF_FILE => {
            let Some((handle, _)) = state.reads.take(&record.message_key()) else {
                return;
            };
            let Some(transaction) = state.find_file(handle, Direction::ToClient) else {
                return;
            };
            let was_open = !transaction.done[0];
            if let Some(file) = transaction.file_mut().filter(|_| was_open) {
                file.carried.close();
            }
            transaction.status = Some(Status::Nt(record.status));
            transaction.done[0] = true;
        }
        _ => {}
    }
}

/// Takes what a read gives, of which `missing` bytes of the record may not be here yet.
pub(in crate::app::smb) fn read(state: &mut State, record: &Record<'_>, missing: usize) {
    if read_record(state, record, missing).is_none() {
        state.note(Event::MalformedData);
    }
}

fn read_record(state: &mut State, record: &Record<'_>, missing: usize) -> Option<()> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let length = reader.le32()?;
    reader.skip(8)?;
    let bytes = reader.take_at_most(length as usize);
    let nobody = Handle::default();
    let mut part = Part { direction: Direction::ToClient, handle: nobody, offset: 0, length, bytes, missing };
    if (length as usize).saturating_sub(bytes.len()) > missing {
        state.note(Event::ReadResponseTooLarge);
        state.skip_record(&part);
        return Some(());
    }
    if !matches!(record.status, SUCCESS | BUFFER_OVERFLOW) {
        state.skip_record(&part);
        return Some(());
    }
    if (state.read_bytes_max != 0 && length > state.read_bytes_max) || length > READ_BYTES_MAX {
        state.note(Event::ReadResponseTooLarge);
        state.skip_record(&part);
        return Some(());
    }
    let Some((handle, offset)) = state.reads.take(&record.message_key()) else {
        state.skip_record(&part);
        return Some(());
    };
    part.handle = handle;
    part.offset = offset;
    if state.give_to_open_file(&part) {
        return Some(());
    }
    match destination(state, record, handle, bytes) {
        Destination::Dcerpc => {
            state.read_dcerpc(&record.carrier(), record.status, handle, bytes);
            state.skip_record(&part);
        }
        Destination::Pipe => state.skip_record(&part),
        Destination::File(share) => {
            let name = state.name_of(handle, UNKNOWN);
            let key =
                Key { purpose: Purpose::Header, session: record.session, message: 0, tree: record.tree };
            state.open_file(&part, record.command(), key, name, share);
        }
    }
    Some(())
}

fn ioctl(state: &mut State, record: &Record<'_>) {
    let parsed = ioctl_parts(record);
    if let Some((function, handle, bytes)) = parsed
        && function == PIPE_TRANSCEIVE
        && state.speaks_dcerpc(handle)
    {
        return state.read_dcerpc(&record.carrier(), record.status, Handle::default(), bytes);
    }
    let key = record.key(Purpose::Header);
    if let Some(transaction) = state.find_command(record.command(), &key) {
        transaction.status = Some(Status::Nt(record.status));
        if record.status != PENDING {
            transaction.done[1] = true;
        }
        if parsed.is_none() && record.status == SUCCESS {
            transaction.note(Event::MalformedData);
        }
    }
}

fn ioctl_parts<'a>(record: &Record<'a>) -> Option<(u32, Handle, &'a [u8])> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let function = reader.le32()?;
    let handle = Handle::of_v2(reader.array()?);
    reader.skip(4)?;
    let sent = reader.le32()?;
    reader.skip(4)?;
    let given = reader.le32()?;
    reader.skip(8)?;
    reader.skip(sent as usize)?;
    Some((function, handle, reader.take(given as usize)?))
}
