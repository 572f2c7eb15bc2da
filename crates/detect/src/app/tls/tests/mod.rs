//! Tests of TLS: exchanges, keywords, and what is odd.

mod build;
mod exchange;
mod odd;
mod rules;

use super::{PROTOCOL, Session, Tls, event};
use crate::app::{
    Broken, Context, Ends, Field, Input, Next, Parser, Ready, Settings, Taken, Takes, Transaction, Transport,
};
use crate::{Direction, Time};
use core::net::{IpAddr, Ipv4Addr};

/// A flow that is fed; what a parser leaves is shown again with what follows, as the engine does it.
struct Flow {
    parser: Tls,
    settings: Settings,
    left: [Vec<u8>; 2],
    asked: Vec<Next>,
    frames: Vec<(String, Vec<u8>)>,
    now: Time,
}

impl Flow {
    /// A flow of which everything is wanted.
    fn new() -> Self {
        Flow::with(Settings { records: true, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let parser = Tls::new(&settings);
        let (left, asked, frames) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
        Flow { parser, settings, left, asked, frames, now: Time(1_600_000_000_000_000_000) }
    }

    fn say(&mut self, from: Direction, bytes: &[u8]) -> Result<Taken, Broken> {
        let left = &mut self.left[from.index()];
        left.extend_from_slice(bytes);
        let mut context = Context::new(self.now, ends(), &self.settings);
        let taken = self.parser.feed(from, Input { bytes: left, offset: 0, last: false }, &mut context)?;
        assert!(taken.bytes <= left.len(), "more was taken than there is");
        self.asked.extend(context.asked());
        self.frames.extend(context.frames().map(|(name, bytes)| (name.to_string(), bytes.to_vec())));
        left.drain(..taken.bytes);
        Ok(taken)
    }

    fn client(&mut self, bytes: &[u8]) -> Result<Taken, Broken> {
        self.say(Direction::ToServer, bytes)
    }

    fn server(&mut self, bytes: &[u8]) -> Result<Taken, Broken> {
        self.say(Direction::ToClient, bytes)
    }

    fn end(&mut self, direction: Direction) {
        let mut context = Context::new(self.now, ends(), &self.settings);
        self.parser.end(direction, &mut context);
    }

    fn session(&self) -> &Session {
        &self.parser.transactions.iter().next().expect("a session").transaction
    }

    /// What the keyword `name` looks into.
    fn values(&self, name: &str, direction: Direction) -> Vec<String> {
        let mut values = Vec::new();
        self.session().visit(field_of(name), direction, &mut |piece| {
            values.push(String::from_utf8_lossy(piece.bytes).into_owned());
        });
        values
    }

    fn ready(&self, name: &str, direction: Direction) -> Ready {
        self.session().ready(field_of(name), direction)
    }

    /// The names of what was odd.
    fn events(&self) -> Vec<&'static str> {
        let bits = self.session().events(Direction::ToServer);
        event::NAMES
            .iter()
            .enumerate()
            .filter(|(place, _)| bits >> place & 1 == 1)
            .map(|(_, name)| *name)
            .collect()
    }
}

fn ends() -> Ends {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ends { client: (address, 50_000), server: (address, 443), transport: Transport::Tcp }
}

fn field_of(name: &str) -> Field {
    let keyword = PROTOCOL.keywords.iter().find(|keyword| keyword.name == name);
    match keyword.map(|keyword| keyword.takes) {
        Some(Takes::Buffer(buffer) | Takes::Folded(buffer, _)) => buffer.field,
        Some(Takes::Number(number)) => number.field,
        _ => panic!("{name} is no field"),
    }
}
