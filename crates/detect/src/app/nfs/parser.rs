//! The state of a flow that carries NFS: finds records in the stream and hands them on.

use super::rpc::{self, Header, Read};
use super::state::{Asked, State};
use super::transaction::{Event, NfsTransaction};
use super::{frames, v2, v3, v4};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::transfer::Bytes;
use crate::app::{Broken, Context, Input, Looked, Parser, Taken, Transactions, Transport, UNTAKEN_BYTES_MAX};

/// Bytes of a record that is waited for; longer ones are taken as they come or passed over.
const RECORD_BYTES_MAX: usize = UNTAKEN_BYTES_MAX;
/// Shorter records are waited for.
const PART_RECORD_BYTES_MIN: usize = 512;
/// The data of a read or a write begin within so many bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a call or of a reply that must be there before it is taken as it comes.
const PART_CALL_BYTES_MIN: usize = 44;
const PART_REPLY_BYTES_MIN: usize = 128;
/// How long after a hole a file may say nothing before it is given up.
const SILENCE_AFTER_HOLE_SECONDS_MAX: u64 = 60;

/// The state of a flow.
#[derive(Clone, Debug, Default)]
pub struct NfsParser {
    state: State,
    /// A hole came: where the next record begins is not known.
    is_searching: [bool; 2],
}

impl Parser for NfsParser {
    type Transaction = NfsTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            match direction {
                Direction::ToServer => self.call(input.bytes, input.bytes, context),
                Direction::ToClient => self.reply(input.bytes, input.bytes, context),
            };
            return Ok(Taken::all(&input));
        }
        let given = self.state.give_rest(direction, Bytes::Seen(input.bytes));
        let mut taken = usize::try_from(given).unwrap_or(0).min(input.bytes.len());
        if self.is_searching[direction.index()] {
            match search(direction, input.bytes.get(taken..).unwrap_or_default()) {
                Ok(place) => taken += place,
                Err(passed) => return Ok(Taken::part(taken + passed, 0)),
            }
            self.is_searching[direction.index()] = false;
        }
        let taken = self.records(direction, input.bytes, taken, context)?;
        self.after_hole(direction, context);
        Ok(taken)
    }

    fn gap(&mut self, direction: Direction, bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        if self.state.give_rest(direction, Bytes::Lost(bytes)) < bytes {
            self.state.had_hole[direction.index()] = true;
            self.is_searching[direction.index()] = true;
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        for live in self.state.transactions.iter_mut() {
            let transaction = &mut live.transaction;
            let file = transaction.file.as_mut().filter(|file| file.carried.direction == direction);
            if let Some(file) = file {
                file.carried.truncate();
            }
            transaction.done[direction.index()] = true;
        }
    }

    fn transactions(&self) -> &Transactions<NfsTransaction> {
        &self.state.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<NfsTransaction> {
        &mut self.state.transactions
    }
}

impl NfsParser {
    fn records(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        mut taken: usize,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(Taken::part(taken, 0));
            }
            let least = match direction {
                Direction::ToServer => rpc::CALL_HEADER_BYTES,
                Direction::ToClient => rpc::HEADER_BYTES,
            };
            let header = match rpc::header(rest) {
                Read::Header(header) => header,
                Read::Part => return Ok(Taken::part(taken, least)),
                Read::Malformed => {
                    self.state.note(Event::MalformedData);
                    return Err(Broken);
                }
            };
            if rest.len() < least {
                return Ok(Taken::part(taken, least));
            }
            let Some(record) = rest.get(..header.length) else {
                return self.part_of_record(direction, &header, rest, taken);
            };
            let message = record.get(4..).unwrap_or_default();
            let understood = match direction {
                Direction::ToServer => self.call(record, message, context),
                Direction::ToClient => self.reply(record, message, context),
            };
            if understood.is_none() {
                self.state.note(Event::MalformedData);
            }
            taken += header.length;
        }
    }

    /// Takes a call; nothing if it is malformed.
    fn call(&mut self, record: &[u8], message: &[u8], context: &mut Context<'_>) -> Option<()> {
        let call = rpc::call(message)?;
        frames::call(context, record, call.credentials, call.version, call.body);
        match call.version {
            2 => v2::call(&mut self.state, &call),
            3 => v3::call(&mut self.state, &call),
            4 if context.ends.transport == Transport::Tcp => v4::call(&mut self.state, &call),
            _ => {}
        }
        Some(())
    }

    /// Takes a reply; nothing if it is malformed. One to a call that was not seen says nothing.
    fn reply(&mut self, record: &[u8], message: &[u8], context: &mut Context<'_>) -> Option<()> {
        let reply = rpc::reply(message)?;
        frames::reply(context, record, record.len() - message.len() + 8);
        let Some(mut asked) = self.state.calls.take(&reply.xid) else {
            return Some(());
        };
        if self.state.version == 0 {
            self.state.version = asked.version;
        }
        match asked.version {
            2..=4 => frames::message(context, Direction::ToClient, asked.version, reply.body),
            _ => self.state.note(Event::NonExistingVersion),
        }
        match asked.version {
            2 => v2::reply(&mut self.state, &reply, &asked),
            3 => v3::reply(&mut self.state, &reply, &asked),
            4 => v4::reply(&mut self.state, &reply, &mut asked),
            _ => {}
        }
        Some(())
    }

    /// Takes what is there of a read or a write of NFS 3, of which the rest comes later. Everything else is waited for, unless
    /// it is too long.
    fn part_of_record(
        &mut self,
        direction: Direction,
        header: &Header,
        rest: &[u8],
        taken: usize,
    ) -> Result<Taken, Broken> {
        let missing = (header.length - rest.len()) as u64;
        let message = rest.get(4..).unwrap_or_default();
        let is_long = header.length >= PART_RECORD_BYTES_MIN;
        let least = match direction {
            Direction::ToServer => PART_CALL_BYTES_MIN,
            Direction::ToClient => PART_REPLY_BYTES_MIN,
        };
        if is_long && rest.len() < least {
            return Ok(Taken::part(taken, least));
        }
        let all = Ok(Taken::part(taken + rest.len(), 0));
        // Its data may begin behind what is here.
        let more = Ok(Taken::part(taken, 0));
        match direction {
            Direction::ToServer if is_long && procedure(message) == Some((3, v3::WRITE)) => {
                if rpc::call(message).and_then(|call| v3::write(&mut self.state, &call, missing)).is_some() {
                    return all;
                }
                if rest.len() < HEAD_BYTES_MAX {
                    return more;
                }
            }
            Direction::ToClient if is_long => {
                let is_read = |asked: &&Asked| asked.version == 3 && asked.procedure == v3::READ;
                if let Some(asked) = self.state.calls.get(&header.xid).filter(is_read).cloned() {
                    let read = rpc::reply(message)
                        .and_then(|reply| v3::read(&mut self.state, &reply, &asked, missing));
                    if read.is_some() {
                        self.state.calls.take(&header.xid);
                        return all;
                    }
                    if rest.len() < HEAD_BYTES_MAX {
                        return more;
                    }
                }
            }
            _ => {}
        }
        if header.length > RECORD_BYTES_MAX {
            self.state.note(Event::MalformedData);
            self.state.skip[direction.index()] = missing;
            return all;
        }
        Ok(Taken::part(taken, header.length))
    }

    /// After a hole, exchanges do not wait for what may have been in it. Files may: they have some time.
    fn after_hole(&mut self, direction: Direction, context: &Context<'_>) {
        if !self.state.had_hole[direction.index()] {
            return;
        }
        let now = context.time.seconds();
        let newest = self.state.transactions.opened().saturating_sub(1);
        for live in self.state.transactions.iter_mut().filter(|live| live.id < newest) {
            let transaction = &mut live.transaction;
            let Some(file) = transaction.file.as_mut() else {
                transaction.done[0] = true;
                transaction.done[1] |= direction == Direction::ToClient;
                continue;
            };
            match file.carried.given_up_at {
                None => file.carried.given_up_at = Some(now.saturating_add(SILENCE_AFTER_HOLE_SECONDS_MAX)),
                Some(end) if now > end => {
                    file.carried.truncate();
                    transaction.done = [true, true];
                }
                Some(_) => {}
            }
        }
    }
}

/// The version and the procedure that a call names.
fn procedure(message: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(message);
    reader.skip(16)?;
    Some((reader.be32()?, reader.be32()?))
}

/// Where the next record begins, after a hole. `Err` with how many bytes can be passed over if there is none yet.
fn search(direction: Direction, bytes: &[u8]) -> Result<usize, usize> {
    for place in 0..bytes.len() {
        let rest = bytes.get(place..).unwrap_or_default();
        let looked = match direction {
            Direction::ToServer => rpc::looks_like_a_call(rest),
            Direction::ToClient => rpc::looks_like_a_reply(rest),
        };
        match looked {
            Looked::Yes => return Ok(place),
            Looked::Unsure => return Err(place),
            Looked::No | Looked::Reversed => {}
        }
    }
    Err(bytes.len())
}
