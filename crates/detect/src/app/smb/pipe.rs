//! DCERPC in named pipes: what is written to a pipe, read from it, or sent through it.

use super::call::Call;
use super::events::Event;
use super::key::{Handle, Key, Purpose, TreeKey};
use super::state::State;
use super::transaction::{Command, SmbTransaction, Status, What};
use super::{names, v2};
use crate::app::bytes::Reader;
use crate::app::dcerpc::pdu::{self, FIRST_FRAGMENT, HEADER_BYTES, Header, LAST_FRAGMENT, kind};
use std::sync::Arc;

/// Pipes that speak DCERPC. Others' content is not looked at.
const PIPES: [&[u8]; 7] = [b"svcctl", b"srvsvc", b"atsvc", b"lsarpc", b"samr", b"spoolss", b"winreg"];
/// The name that a file gets which was seen to speak DCERPC, whose own name was not seen.
pub(super) const SEEN_TO_SPEAK: &[u8] = b"<dcerpc>";
/// Bytes of a unit of which a part came that are kept: a unit has 65,535 at most.
const FRAGMENT_BYTES_MAX: usize = 64 * 1024;

/// What carried a unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    pub(super) command: Command,
    pub(super) key: Key,
}

impl Carrier {
    /// The message by which a call is found again. Reads and writes of one call are different messages: there it is the call's
    /// own number alone.
    fn message(&self, key: &Key) -> u64 {
        match self.command {
            Command::One(_) | Command::Two(v2::READ | v2::WRITE) => 0,
            Command::Two(_) => key.message,
        }
    }
}

/// Whether bytes look like a unit of DCERPC.
pub(super) fn looks_like_dcerpc(bytes: &[u8]) -> bool {
    Header::read(&mut Reader::new(bytes)).is_some_and(|header| {
        header.major == 5 && header.minor < 3 && header.length > 0 && header.kind <= kind::LAST
    })
}

impl State {
    /// Whether what is said to this file is DCERPC, by its name.
    pub(super) fn speaks_dcerpc(&mut self, handle: Handle) -> bool {
        self.names.get(&handle).is_some_and(|name| {
            let name = match name.as_slice() {
                [b'\\', rest @ ..] if !rest.is_empty() => rest,
                name => name,
            };
            name == SEEN_TO_SPEAK || PIPES.contains(&name)
        })
    }

    fn find_call(&mut self, carrier: &Carrier, call_id: u32) -> Option<&mut SmbTransaction> {
        let message = carrier.message(&carrier.key);
        self.transactions.iter_mut().map(|live| &mut live.transaction).find(|transaction| {
            transaction.key.session == carrier.key.session
                && carrier.message(&transaction.key) == message
                && transaction.call().is_some_and(|call| call.call_id == call_id)
        })
    }

    fn open_call(&mut self, carrier: &Carrier, call_id: u32) -> Option<&mut SmbTransaction> {
        let call = Call::new(call_id, &self.interfaces);
        self.open(carrier.command, carrier.key, What::Call(Box::new(call)))
    }

    /// A client's unit.
    pub(super) fn write_dcerpc(&mut self, carrier: &Carrier, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        let Some(header) = Header::read(&mut reader) else {
            return self.note(Event::MalformedData);
        };
        if header.flags & FIRST_FRAGMENT == 0 && header.kind == kind::REQUEST {
            return self.go_on_with_request(carrier, &header, reader);
        }
        let asked =
            (header.kind == kind::BIND).then(|| pdu::bind(&mut reader.clone(), &header, true)).flatten();
        if let Some(asked) = &asked {
            self.interfaces = Arc::new(asked.clone());
        }
        let Some(transaction) = self.open_call(carrier, header.call_id) else {
            return;
        };
        let mut is_done = true;
        let mut is_malformed = false;
        if let Some(call) = transaction.call_mut() {
            call.kinds[0] = header.kind;
            call.seen[0] = true;
            match header.kind {
                kind::REQUEST => match request(&header, reader) {
                    Some((context, operation, stub)) => {
                        call.context = context;
                        call.operation = operation;
                        call.stubs[0].append(stub);
                        call.stubs[0].count_fragment();
                        is_done = header.flags & LAST_FRAGMENT != 0;
                    }
                    None => is_malformed = true,
                },
                kind::BIND => is_malformed = asked.is_none(),
                other => is_malformed = other > kind::LAST,
            }
        }
        transaction.done[0] = is_done;
        if is_malformed {
            transaction.note(Event::MalformedData);
        }
    }

    fn go_on_with_request(&mut self, carrier: &Carrier, header: &Header, reader: Reader<'_>) {
        let Some((_, _, stub)) = request(header, reader) else {
            return self.note(Event::MalformedData);
        };
        let interfaces = Arc::clone(&self.interfaces);
        let Some(transaction) = self.find_call(carrier, header.call_id) else {
            return;
        };
        if let Some(call) = transaction.call_mut() {
            call.interfaces = interfaces;
            call.stubs[0].append(stub);
            call.stubs[0].count_fragment();
        }
        if header.flags & LAST_FRAGMENT != 0 {
            transaction.done[0] = true;
        }
    }

    /// A server's unit, or a part of one.
    pub(super) fn read_dcerpc(&mut self, carrier: &Carrier, status: u32, handle: Handle, bytes: &[u8]) {
        if status != names::SUCCESS && status != names::BUFFER_OVERFLOW {
            if let Some(transaction) = self.find_command(carrier.command, &carrier.key) {
                transaction.answered(Status::Nt(status));
            }
            return;
        }
        let place = (TreeKey { session: carrier.key.session, tree: carrier.key.tree }, handle);
        let earlier = self.fragments.take(&place);
        let joined;
        let bytes = match earlier {
            Some(mut earlier) => {
                earlier.extend_from_slice(bytes);
                joined = earlier;
                joined.as_slice()
            }
            None => bytes,
        };
        if bytes.is_empty() {
            return;
        }
        let mut reader = Reader::new(bytes);
        let Some(header) = Header::read(&mut reader) else {
            return self.note(Event::MalformedData);
        };
        if status == names::BUFFER_OVERFLOW && bytes.len() < usize::from(header.length) {
            return self.keep_fragment(place, bytes);
        }
        if header.kind == kind::BIND_ACK {
            return self.bind_answered(carrier, status, &header, reader);
        }
        let interfaces = Arc::clone(&self.interfaces);
        let transaction = match self.find_call(carrier, header.call_id) {
            Some(transaction) => transaction,
            // The request was missed.
            None => match self.open_call(carrier, header.call_id) {
                Some(transaction) => transaction,
                None => return,
            },
        };
        if let Some(call) = transaction.call_mut() {
            call.interfaces = interfaces;
        }
        answer(transaction, status, &header, reader);
    }

    /// Keeps a part of a unit until the rest comes.
    pub(super) fn keep_fragment(&mut self, place: (TreeKey, Handle), bytes: &[u8]) {
        let kept = bytes[..bytes.len().min(FRAGMENT_BYTES_MAX)].to_vec();
        self.fragments.put(place, kept);
    }

    fn bind_answered(&mut self, carrier: &Carrier, status: u32, header: &Header, mut reader: Reader<'_>) {
        let Some(answers) = pdu::bind_answers(&mut reader) else {
            return self.note(Event::MalformedData);
        };
        if self.find_call(carrier, header.call_id).is_none() {
            return;
        }
        for (interface, answer) in Arc::make_mut(&mut self.interfaces).iter_mut().zip(answers) {
            interface.answer = Some(answer);
        }
        let interfaces = Arc::clone(&self.interfaces);
        if let Some(transaction) = self.find_call(carrier, header.call_id) {
            transaction.answered(Status::Nt(status));
            if let Some(call) = transaction.call_mut() {
                call.answered(kind::BIND_ACK);
                call.interfaces = interfaces;
            }
        }
    }
}

/// A request's context, operation and stub. Its length counts the header and eight bytes before the stub.
fn request<'a>(header: &Header, mut reader: Reader<'a>) -> Option<(u16, u16, &'a [u8])> {
    let (context, operation) = pdu::request(&mut reader, header.is_little())?;
    let stub = reader.take(stub_bytes(header)?)?;
    Some((context, operation, stub))
}

fn stub_bytes(header: &Header) -> Option<usize> {
    usize::from(header.length).checked_sub(HEADER_BYTES + 8)
}

fn answer(transaction: &mut SmbTransaction, status: u32, header: &Header, mut reader: Reader<'_>) {
    let mut is_done = true;
    let mut is_malformed = header.kind > kind::LAST;
    let Some(call) = transaction.call_mut() else {
        return;
    };
    if header.kind == kind::RESPONSE {
        let stub = stub_bytes(header).and_then(|count| {
            reader.skip(8)?;
            reader.take(count)
        });
        match stub {
            Some(stub) => {
                call.stubs[1].append(stub);
                call.stubs[1].count_fragment();
                is_done = header.flags & LAST_FRAGMENT != 0;
            }
            None => {
                is_malformed = true;
                is_done = false;
            }
        }
    }
    if header.kind != kind::RESPONSE || !is_malformed {
        call.answered(header.kind);
        transaction.status = Some(Status::Nt(status));
        transaction.done[1] = is_done;
    }
    if is_malformed {
        transaction.note(Event::MalformedData);
    }
}

/// The key of what goes through pipes.
pub(super) fn pipe_key(session: u64, tree: u32, message: u64) -> Key {
    Key { purpose: Purpose::Header, session, message, tree }
}
