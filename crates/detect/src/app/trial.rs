//! For tests: a parser, fed as the engine feeds it, and what came of it.
//!
//! Keeps what was not taken and shows it again with what follows, as long as anything is taken; panics where
//! a parser breaks a promise that the engine relies on.

use super::{
    Broken, Context, Ends, Expectation, Field, Input, Next, Parser, Piece, Settings, Transaction, Transport,
};
use crate::{Direction, Time};
use core::net::{IpAddr, Ipv4Addr};

/// Rounds that a parser may take over one input: more means that it takes nothing and says it did.
const ROUNDS_MAX: usize = 1 << 16;

pub(crate) struct Trial<P: Parser> {
    pub(crate) parser: P,
    pub(crate) settings: Settings,
    pub(crate) ends: Ends,
    pub(crate) announced: Option<(u64, Vec<u8>)>,
    pub(crate) broken: bool,
    pub(crate) next: Option<Next>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) refused_logins: u32,
    pub(crate) frames: Vec<(&'static str, Direction, Vec<u8>)>,
    rest: [Vec<u8>; 2],
    offset: [u64; 2],
}

impl<P: Parser> Trial<P> {
    /// A parser of a flow from 10.0.0.1 to 10.0.0.2, with frames of these names wanted.
    pub(crate) fn new(parser: P, transport: Transport, frames: &[&'static str]) -> Self {
        let settings =
            Settings { frames: frames.iter().copied().collect(), records: true, ..Settings::default() };
        let end = |last, port| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        Trial {
            parser,
            settings,
            ends: Ends { client: end(1, 40_000), server: end(2, 53), transport },
            announced: None,
            broken: false,
            next: None,
            expectations: Vec::new(),
            refused_logins: 0,
            frames: Vec::new(),
            rest: [Vec::new(), Vec::new()],
            offset: [0; 2],
        }
    }

    /// What one side says, in one piece.
    pub(crate) fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.feed(direction, bytes, false)
    }

    /// The same, byte by byte.
    pub(crate) fn spell(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.say(direction, &[*byte]);
        }
        self
    }

    fn feed(&mut self, direction: Direction, bytes: &[u8], last: bool) -> &mut Self {
        let place = direction.index();
        self.rest[place].extend_from_slice(bytes);
        for _ in 0..ROUNDS_MAX {
            if self.broken || (self.rest[place].is_empty() && !last) {
                return self;
            }
            let shown = std::mem::take(&mut self.rest[place]);
            let input = Input { bytes: &shown, offset: self.offset[place], last };
            let mut context = Context::new(Time(0), self.ends, &self.settings);
            context.announced = self.announced.as_ref().map(|announced| announced.0);
            context.announced_name =
                self.announced.as_ref().map(|announced| announced.1.as_slice()).unwrap_or_default();
            let taken = self.parser.feed(direction, input, &mut context);
            self.next = context.asked().or(self.next);
            self.expectations.extend_from_slice(context.announcements());
            self.refused_logins += context.refused_logins;
            let frames = std::mem::take(&mut context.frames);
            self.frames.extend(frames.into_iter().map(|frame| (frame.name, frame.direction, frame.bytes)));
            match taken {
                Err(Broken) => self.broken = true,
                Ok(taken) => {
                    assert!(taken.bytes <= shown.len(), "more taken than shown");
                    self.rest[place] = shown[taken.bytes..].to_vec();
                    self.offset[place] += taken.bytes as u64;
                    // Who follows gets what a parser leaves behind that asks for another.
                    let is_over = matches!(self.next, Some(Next::Switch(_)));
                    if taken.bytes == 0 || self.rest[place].is_empty() || is_over {
                        return self;
                    }
                }
            }
        }
        panic!("the parser does not come to an end");
    }

    /// A hole in what one side says.
    pub(crate) fn gap(&mut self, direction: Direction, bytes: u64) -> &mut Self {
        let place = direction.index();
        self.offset[place] += bytes + self.rest[place].len() as u64;
        self.rest[place].clear();
        let mut context = Context::new(Time(0), self.ends, &self.settings);
        self.broken |= self.parser.gap(direction, bytes, &mut context).is_err();
        self
    }

    /// One side has said all.
    pub(crate) fn end(&mut self, direction: Direction) -> &mut Self {
        if !self.rest[direction.index()].is_empty() {
            self.feed(direction, &[], true);
        }
        let mut context = Context::new(Time(0), self.ends, &self.settings);
        self.parser.end(direction, &mut context);
        self
    }

    /// The transactions, oldest first.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &P::Transaction> {
        self.parser.transactions().iter().map(|live| &live.transaction)
    }

    /// All values that a field has in all transactions.
    pub(crate) fn values(&self, field: Field, direction: Direction) -> Vec<String> {
        let mut values = Vec::new();
        for transaction in self.transactions().filter(|transaction| transaction.concerns(direction)) {
            transaction.visit(field, direction, &mut |piece: Piece<'_>| {
                values.push(String::from_utf8_lossy(piece.bytes).into_owned());
            });
        }
        values
    }

    /// All values that a field of numbers has in all transactions.
    pub(crate) fn numbers(&self, field: Field, direction: Direction) -> Vec<u64> {
        let mut values = Vec::new();
        for transaction in self.transactions().filter(|transaction| transaction.concerns(direction)) {
            transaction.number(field, direction, &mut |value| values.push(value));
        }
        values
    }

    /// The names of the events of all transactions in either direction, each name once.
    pub(crate) fn events(&self, names: &[&'static str]) -> Vec<&'static str> {
        let bits = self.transactions().fold(0, |bits, transaction| {
            bits | transaction.events(Direction::ToServer) | transaction.events(Direction::ToClient)
        });
        names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }

    /// The records of all transactions.
    pub(crate) fn records(&self) -> Vec<String> {
        let write = |transaction: &P::Transaction| {
            let mut object = crate::eve::Object::new();
            transaction.record(&mut object);
            transaction.record_beside(&mut object);
            object.finish()
        };
        self.transactions().map(write).collect()
    }
}
