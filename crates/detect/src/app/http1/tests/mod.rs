//! Whole conversations, fed to the parser as a flow would feed them.

mod bodies;
mod evasion;
mod fields;
mod flow;
mod hostile;

use super::{Connection, Exchange, event};
use crate::app::{Context, Ends, Field, Input, Next, Parser, Piece, Settings, Transaction, Transport, file};
use crate::{Direction, Time};
use Direction::{ToClient, ToServer};

/// A client and a server that talk, and a parser that listens.
struct Talk {
    parser: Connection,
    settings: Settings,
    rest: [Vec<u8>; 2],
    offset: [u64; 2],
    frames: Vec<(&'static str, Vec<u8>)>,
    next: Option<Next>,
    broken: bool,
}

impl Talk {
    fn new() -> Self {
        let mut settings = Settings { records: true, ..Settings::default() };
        settings.frames.extend(["http1.request", "http1.response"]);
        Talk {
            parser: Connection::new(),
            settings,
            rest: [Vec::new(), Vec::new()],
            offset: [0; 2],
            frames: Vec::new(),
            next: None,
            broken: false,
        }
    }

    /// Both say all that they say, then they close.
    fn of(client: &[u8], server: &[u8]) -> Self {
        let mut talk = Talk::new();
        talk.say(ToServer, client);
        talk.say(ToClient, server);
        talk.close();
        talk
    }

    fn with(&mut self, act: impl FnOnce(&mut Connection, &mut Context<'_>)) {
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 40_000),
            server: ([10, 0, 0, 2].into(), 80),
            transport: Transport::Tcp,
        };
        let settings = self.settings.clone();
        let mut context = Context::new(Time::default(), ends, &settings);
        act(&mut self.parser, &mut context);
        self.frames.extend(context.frames().map(|(name, bytes)| (name, bytes.to_vec())));
        self.next = self.next.or(context.asked());
    }

    fn feed(&mut self, direction: Direction, last: bool) {
        if self.broken {
            return;
        }
        let place = direction.index();
        let bytes = std::mem::take(&mut self.rest[place]);
        let input = Input { bytes: &bytes, offset: self.offset[place], last };
        let mut result = None;
        self.with(|parser, context| result = Some(parser.feed(direction, input, context)));
        match result {
            Some(Ok(taken)) => {
                assert!(taken.bytes <= bytes.len(), "more was taken than there was");
                self.offset[place] += taken.bytes as u64;
                self.rest[place] = bytes[taken.bytes..].to_vec();
            }
            _ => self.broken = true,
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.rest[direction.index()].extend_from_slice(bytes);
        self.feed(direction, false);
        self
    }

    fn lose(&mut self, direction: Direction, bytes: u64) -> &mut Self {
        self.rest[direction.index()].clear();
        let mut result = Ok(());
        self.with(|parser, context| result = parser.gap(direction, bytes, context));
        self.broken |= result.is_err();
        self
    }

    fn close(&mut self) -> &mut Self {
        for direction in [ToServer, ToClient] {
            self.feed(direction, true);
            self.with(|parser, context| parser.end(direction, context));
        }
        self
    }

    fn count(&self) -> usize {
        self.parser.transactions().len()
    }

    fn exchange(&self, id: u64) -> &Exchange {
        self.parser.transactions().get(id).expect("an exchange of this number")
    }

    /// All values of a field, joined by a bar.
    fn text(&self, id: u64, field: Field, direction: Direction) -> Option<String> {
        let mut values = Vec::new();
        let exchange = self.exchange(id);
        let mut show = |piece: Piece<'_>| values.push(String::from_utf8_lossy(piece.bytes).into_owned());
        match exchange.files(direction) {
            Some(files) if field == file::DATA => files.visit(field, &mut show),
            _ => exchange.visit(field, direction, &mut show),
        }
        (!values.is_empty()).then(|| values.join("|"))
    }

    fn events(&self, id: u64) -> Vec<&'static str> {
        let bits = self.exchange(id).events(ToServer);
        let names = event::NAMES.iter().enumerate();
        names.filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }

    fn files(&self, id: u64, direction: Direction) -> Vec<(String, String)> {
        let files = self.exchange(id).files(direction).expect("files").list().iter();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        files.map(|file| (text(&file.name), text(file.body.window()))).collect()
    }

    /// All that rules could see, to compare two conversations by.
    fn everything(&self) -> String {
        use crate::app::http::field;
        let mut out = String::new();
        for live in self.parser.transactions().iter() {
            for direction in [ToServer, ToClient] {
                for number in field::URI.number()..=field::REQUEST_BODY.number() {
                    let field = Field::new(crate::app::Family::Http, number);
                    let value = self.text(live.id, field, direction);
                    out += &format!("{} {direction:?} {number} {value:?}\n", live.id);
                }
                out += &format!(
                    "{:?} {}\n",
                    self.files(live.id, direction),
                    live.transaction.is_complete(direction)
                );
            }
            out += &format!("{:?}\n", self.events(live.id));
        }
        out
    }
}
