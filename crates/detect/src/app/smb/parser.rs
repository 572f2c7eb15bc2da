//! The state of a flow that carries SMB: finds records in the stream and hands them on.

use super::events::Event;
use super::frames::{self, Collected};
use super::nbss::{self, Dialect};
use super::state::{EXCHANGES_MAX, State};
use super::transaction::SmbTransaction;
use super::{v1, v2};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::transfer::Bytes;
use crate::app::{Broken, Context, Input, Parser, Taken, Transactions, UNTAKEN_BYTES_MAX};

/// Bytes of a record that must be there before it is taken as it comes.
const PART_BYTES_MIN: usize = 512;
/// The data of a read or a write of SMB 1 begin within so many bytes: two lengths of 16 bits say where.
const HEAD_BYTES_MAX: usize = 2 * 64 * 1024 + PART_BYTES_MIN;
/// Bytes that tell whether a flow begins with a record: a header, and how a message begins.
const BEGINNING_BYTES: usize = nbss::HEADER_BYTES + 4;
/// A read from or a write to a pipe is waited for until it is whole, unless it is longer than this.
const PIPE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of the header of an encrypted record.
const ENCRYPTED_HEADER_BYTES: usize = 52;
/// How long after a hole a file may say nothing before it is given up.
const SILENCE_AFTER_HOLE_SECONDS_MAX: u64 = 60;

/// One way of a flow.
#[derive(Clone, Debug, Default)]
struct Side {
    /// A hole came, or the flow was joined in its midst: where the next record begins is not known.
    is_searching: bool,
    collected: Collected,
}

/// What becomes of a record of which only a part is there.
enum Part {
    /// It was taken; what follows belongs to its file, or is passed over.
    Taken,
    /// More of it must be there.
    More,
    /// All of it must be there.
    Whole,
}

/// The state of a flow.
#[derive(Clone, Debug, Default)]
pub struct SmbParser {
    state: State,
    sides: [Side; 2],
}

impl Parser for SmbParser {
    type Transaction = SmbTransaction;
    const LOOKS_AT_ONCE: bool = false;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if self.state.transactions.len() >= EXCHANGES_MAX {
            self.state.note(Event::TooManyTransactions);
            return Err(Broken);
        }
        let side = direction.index();
        if input.offset == 0 {
            if input.bytes.len() < BEGINNING_BYTES && !input.last {
                return Ok(Taken::part(0, BEGINNING_BYTES));
            }
            self.sides[side].is_searching |= begins_within_a_record(input.bytes);
        }
        self.sides[side].collected.append(context, direction, input.bytes);
        let mut taken = self.rest_of_record(direction, Bytes::Seen(input.bytes));
        if self.sides[side].is_searching {
            match nbss::search(input.bytes.get(taken..).unwrap_or_default()) {
                Ok(place) => taken += place,
                Err(passed) => return Ok(Taken::part(taken + passed, 0)),
            }
            self.sides[side].is_searching = false;
        }
        let taken = self.records(direction, input.bytes, taken, context)?;
        self.after_hole(direction, context);
        Ok(taken)
    }

    fn gap(&mut self, direction: Direction, bytes: u64, context: &mut Context<'_>) -> Result<(), Broken> {
        self.sides[direction.index()].collected.finish(context, direction);
        let filled = self.rest_of_record(direction, Bytes::Lost(bytes)) as u64;
        if filled < bytes {
            self.state.had_hole[direction.index()] = true;
            self.sides[direction.index()].is_searching = true;
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.sides[direction.index()].collected.finish(context, direction);
        for live in self.state.transactions.iter_mut() {
            let transaction = &mut live.transaction;
            if let Some(file) = transaction
                .file_mut()
                .map(|file| &mut file.carried)
                .filter(|file| file.direction == direction)
            {
                file.truncate();
            }
            transaction.done[direction.index()] = true;
        }
    }

    fn transactions(&self) -> &Transactions<SmbTransaction> {
        &self.state.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<SmbTransaction> {
        &mut self.state.transactions
    }
}

impl SmbParser {
    /// Gives what belongs to a record that was taken as it comes; tells how much that is.
    fn rest_of_record(&mut self, direction: Direction, bytes: Bytes<'_>) -> usize {
        let side = direction.index();
        let given = self.state.give_rest(direction, bytes);
        let skipped = bytes.len().saturating_sub(given).min(self.state.skip[side] as u64);
        if self.state.file_left[side].is_none() {
            self.state.skip[side] -= usize::try_from(skipped).unwrap_or(0);
            return usize::try_from(given + skipped).unwrap_or(usize::MAX);
        }
        usize::try_from(given).unwrap_or(usize::MAX)
    }

    fn records(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        mut taken: usize,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            let Some(header) = nbss::Header::read(&mut Reader::new(rest)) else {
                let wanted = if rest.is_empty() { 0 } else { nbss::HEADER_BYTES };
                return Ok(Taken::part(taken, wanted));
            };
            let length = nbss::HEADER_BYTES + header.length;
            if let Some(record) = rest.get(..length) {
                frames::session(context, direction, record);
                if header.kind == nbss::MESSAGE {
                    self.record(direction, &record[nbss::HEADER_BYTES..], context)?;
                }
                taken += length;
                continue;
            }
            if rest.len() < PART_BYTES_MIN {
                let is_smb = header.is_known() && rest.get(nbss::HEADER_BYTES..).is_some_and(nbss::is_smb);
                if length < PART_BYTES_MIN && rest.len() > 2 * nbss::HEADER_BYTES && !is_smb {
                    self.state.lose(direction);
                }
                return Ok(Taken::part(taken, length.min(PART_BYTES_MIN)));
            }
            if header.kind == nbss::MESSAGE {
                match self.part_of_record(direction, rest, length, context) {
                    Part::Taken => return Ok(Taken::part(bytes.len(), 0)),
                    Part::More => return Ok(Taken::part(taken, 0)),
                    Part::Whole => {}
                }
            }
            if length > UNTAKEN_BYTES_MAX {
                // Too long to wait for, such as much that is encrypted: it is passed over.
                self.state.skip[direction.index()] = length - rest.len();
                return Ok(Taken::part(bytes.len(), 0));
            }
            return Ok(Taken::part(taken, length));
        }
    }

    /// Takes a record that is there in full.
    fn record(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), Broken> {
        let taken = match nbss::dialect(bytes) {
            Some(Dialect::One) => self.record_of_v1(direction, bytes, context),
            Some(Dialect::Two) => self.chain_of_v2(direction, bytes, context),
            Some(Dialect::Three) => encrypted(direction, bytes, context),
            Some(Dialect::Other) => Some(()),
            None if bytes.len() < nbss::HEADER_BYTES && direction == Direction::ToClient => Some(()),
            None => None,
        };
        if taken.is_none() {
            self.state.note(Event::MalformedData);
        }
        taken.ok_or(Broken)
    }

    fn record_of_v1(&mut self, direction: Direction, bytes: &[u8], context: &mut Context<'_>) -> Option<()> {
        let record = v1::Record::read(bytes)?;
        frames::record(context, direction, Dialect::One, bytes, v1::HEADER_BYTES);
        // What comes the wrong way is passed over.
        match direction {
            Direction::ToServer if !record.is_response => v1::request(&mut self.state, &record),
            Direction::ToClient if record.is_response => {
                if record.refuses_login() {
                    context.refuses_login();
                }
                v1::response(&mut self.state, &record);
            }
            _ => {}
        }
        Some(())
    }

    fn chain_of_v2(
        &mut self,
        direction: Direction,
        mut bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Option<()> {
        while !bytes.is_empty() {
            let record = v2::Record::read(bytes, direction == Direction::ToClient)?;
            let (mine, rest) = bytes.split_at_checked(record.length)?;
            frames::record(context, direction, Dialect::Two, mine, usize::from(record.header_bytes));
            match direction {
                Direction::ToServer if !record.is_response => v2::request(&mut self.state, &record),
                Direction::ToClient if record.is_response => {
                    if record.refuses_login() {
                        context.refuses_login();
                    }
                    v2::response(&mut self.state, &record);
                }
                _ => {}
            }
            bytes = rest;
        }
        Some(())
    }

    /// Takes what is there of a read or a write, of which the rest comes later. Everything else is waited for, unless it is too long.
    fn part_of_record(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        length: usize,
        context: &mut Context<'_>,
    ) -> Part {
        let missing = length.saturating_sub(bytes.len());
        let record = bytes.get(nbss::HEADER_BYTES..).unwrap_or_default();
        let side = direction.index();
        let state = &mut self.state;
        // Of what is missing nothing is read, but for what its file takes.
        let (dialect, header_bytes) = match nbss::dialect(record) {
            Some(Dialect::One) => {
                let Some(record) = v1::Record::read(record) else {
                    return Part::Whole;
                };
                if state.trees.get(&record.tree_key()).is_some_and(|tree| tree.is_pipe)
                    && length < PIPE_BYTES_MAX
                {
                    return Part::Whole;
                }
                let carries_data = match direction {
                    Direction::ToServer => !record.is_response && record.command == v1::WRITE_ANDX,
                    Direction::ToClient => record.is_response && record.command == v1::READ_ANDX,
                };
                if !carries_data {
                    return Part::Whole;
                }
                if !v1::shows_its_data(&record) {
                    return if bytes.len() < HEAD_BYTES_MAX { Part::More } else { Part::Whole };
                }
                state.skip[side] = missing;
                match direction {
                    Direction::ToServer => {
                        v1::write(state, &record, v1::WRITE_ANDX, v1::HEADER_BYTES, missing);
                    }
                    Direction::ToClient => v1::read(state, &record, v1::HEADER_BYTES, missing),
                }
                (Dialect::One, v1::HEADER_BYTES)
            }
            Some(Dialect::Two) => {
                let Some(record) = v2::Record::read(record, direction == Direction::ToClient) else {
                    return Part::Whole;
                };
                if v2::may_belong_to_a_pipe(state, &record) && length < PIPE_BYTES_MAX {
                    return Part::Whole;
                }
                let carries_data = match direction {
                    Direction::ToServer => !record.is_response && record.command == v2::WRITE,
                    Direction::ToClient => record.is_response && record.command == v2::READ,
                };
                if !carries_data {
                    return Part::Whole;
                }
                state.skip[side] = missing;
                match direction {
                    Direction::ToServer => v2::write(state, &record, missing),
                    Direction::ToClient => v2::read(state, &record, missing),
                }
                (Dialect::Two, usize::from(record.header_bytes))
            }
            _ => return Part::Whole,
        };
        self.sides[side].collected = Collected::begin(context, bytes, missing, dialect, header_bytes);
        Part::Taken
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
            let Some(file) = transaction.file_mut().map(|file| &mut file.carried) else {
                transaction.done[0] = true;
                transaction.done[1] |= direction == Direction::ToClient;
                continue;
            };
            match file.given_up_at {
                None => file.given_up_at = Some(now.saturating_add(SILENCE_AFTER_HOLE_SECONDS_MAX)),
                Some(end) if now > end => {
                    file.truncate();
                    transaction.done = [true, true];
                }
                Some(_) => {}
            }
        }
    }
}

/// Takes encrypted records, of which nothing but where they are can be told.
fn encrypted(direction: Direction, mut bytes: &[u8], context: &mut Context<'_>) -> Option<()> {
    while !bytes.is_empty() {
        let mut reader = Reader::new(bytes);
        if reader.take(4)? != b"\xfdSMB" {
            return None;
        }
        reader.skip(32)?;
        let length = reader.le32()?;
        reader.skip(12)?;
        reader.skip(usize::try_from(length).ok()?)?;
        let (mine, rest) = bytes.split_at_checked(bytes.len() - reader.len())?;
        frames::record(context, direction, Dialect::Three, mine, ENCRYPTED_HEADER_BYTES);
        bytes = rest;
    }
    Some(())
}

/// Whether a flow that was joined in its midst begins with something else than a record.
fn begins_within_a_record(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    match nbss::Header::read(&mut reader) {
        Some(header) if reader.len() >= 4 => {
            !header.is_known() || (header.kind == nbss::MESSAGE && nbss::dialect(reader.rest()).is_none())
        }
        _ => false,
    }
}
