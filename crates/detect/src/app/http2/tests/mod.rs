//! Whole conversations, fed to the parser as a flow would feed them.

mod hostile;
mod keywords;
mod streams;

use super::connection::{Connection, PREFACE};
use super::exchange::Exchange;
use super::{event, frame};
pub(super) use crate::app::file::DATA;
use crate::app::{Context, Ends, Field, Input, Parser, Settings, Transaction, Transport};
use crate::{Direction, Time};
use Direction::{ToClient, ToServer};

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const WITH_PRIORITY: u8 = 0x20;

/// A frame.
pub(super) fn framed(kind: u8, flags: u8, stream: u32, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), bytes].concat()
}

/// A header that is written out and put into the table.
pub(super) fn kept(name: &str, value: &str) -> Vec<u8> {
    [&[0x40, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

/// A header that is written out and forgotten.
pub(super) fn plain(name: &str, value: &str) -> Vec<u8> {
    [&[0x00, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

/// `GET` of a path from a host.
pub(super) fn request(stream: u32, path: &str) -> Vec<u8> {
    let block = [&[0x82, 0x86][..], &plain(":path", path), &plain(":authority", "a.example")].concat();
    framed(frame::HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// A client and a server that talk, and a parser that listens.
pub(super) struct Talk {
    parser: Connection,
    rest: [Vec<u8>; 2],
    offset: [u64; 2],
    pub(super) broken: bool,
}

impl Talk {
    /// A parser that has heard the client's preface.
    pub(super) fn begun() -> Self {
        let mut talk = Talk::new();
        talk.say(ToServer, PREFACE);
        talk
    }

    pub(super) fn new() -> Self {
        Talk { parser: Connection::new(), rest: Default::default(), offset: [0; 2], broken: false }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Connection, &mut Context<'_>) -> T) -> T {
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 40_000),
            server: ([10, 0, 0, 2].into(), 80),
            transport: Transport::Tcp,
        };
        let settings = Settings { records: true, ..Settings::default() };
        let mut context = Context::new(Time::default(), ends, &settings);
        act(&mut self.parser, &mut context)
    }

    fn feed(&mut self, direction: Direction, last: bool) {
        if self.broken {
            return;
        }
        let place = direction.index();
        let bytes = std::mem::take(&mut self.rest[place]);
        let input = Input { bytes: &bytes, offset: self.offset[place], last };
        match self.with(|parser, context| parser.feed(direction, input, context)) {
            Ok(taken) => {
                assert!(taken.bytes <= bytes.len(), "more was taken than there was");
                self.offset[place] += taken.bytes as u64;
                self.rest[place] = bytes[taken.bytes..].to_vec();
            }
            Err(_) => self.broken = true,
        }
    }

    pub(super) fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.rest[direction.index()].extend_from_slice(bytes);
        self.feed(direction, false);
        self
    }

    pub(super) fn lose(&mut self, direction: Direction, bytes: u64) -> &mut Self {
        self.rest[direction.index()].clear();
        self.broken |= self.with(|parser, context| parser.gap(direction, bytes, context)).is_err();
        self
    }

    pub(super) fn close(&mut self) -> &mut Self {
        for direction in [ToServer, ToClient] {
            self.feed(direction, true);
            self.with(|parser, context| parser.end(direction, context));
        }
        self
    }

    /// The exchange of a stream.
    pub(super) fn stream(&self, stream: u32) -> &Exchange {
        let all = self.parser.transactions();
        let found = all.iter().find(|live| live.transaction.stream == stream);
        &found.unwrap_or_else(|| panic!("no stream {stream}")).transaction
    }

    /// All values of a field, joined by a bar.
    pub(super) fn text(&self, stream: u32, field: Field, direction: Direction) -> String {
        text(self.stream(stream), field, direction)
    }

    /// The events of all exchanges.
    pub(super) fn events(&self) -> Vec<&'static str> {
        let bits = self.parser.transactions().iter().fold(0, |bits, live| bits | live.transaction.events);
        let names = event::NAMES.iter().enumerate();
        names.filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }

    /// All that rules could see, to compare two conversations by.
    pub(super) fn everything(&self) -> String {
        use crate::app::http::field;
        let mut out = String::new();
        for live in self.parser.transactions().iter() {
            let exchange = &live.transaction;
            out += &format!("{} {:?} {:x} ", exchange.stream, exchange.stage, exchange.events);
            for direction in [ToServer, ToClient] {
                for number in field::URI.number()..=field::REQUEST_BODY.number() {
                    let field = Field::new(crate::app::Family::Http, number);
                    out += &text(exchange, field, direction);
                    out += ";";
                }
                out += &text(exchange, DATA, direction);
                let side = exchange.side(direction);
                out += &format!("{:?}{:?}{:?}{:?}", side.errors, side.settings, side.weights, side.windows);
            }
        }
        out
    }
}

fn text(exchange: &Exchange, field: Field, direction: Direction) -> String {
    let mut values = Vec::new();
    exchange.visit(field, direction, &mut |piece| {
        values.push(String::from_utf8_lossy(piece.bytes).into_owned());
    });
    if let Some(files) = exchange.files(direction).filter(|_| field == DATA) {
        files.visit(field, &mut |piece| values.push(String::from_utf8_lossy(piece.bytes).into_owned()));
    }
    values.join("|")
}
