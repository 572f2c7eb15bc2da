//! A parser by itself: bytes of both sides in, exchanges out, with no engine around it.
//!
//! Upon bytes: they are shown with what was left of the last time, as the engine shows them, until nothing more is taken.
//! Upon [`Driver::look`]: every field that a rule can ask for is asked for, exchanges move on as after rules, and those that are over are forgotten.
//!
//! For those who want a protocol without rules, and for `fuzz/src/layer.rs`. It panics where a parser breaks a promise that the engine relies on.

use super::{AnyParser, AnyTransaction, Context, Ends, Field, Input, Next, Protocol, ProtocolId, Settings};
use super::{Broken, Ready, Takes, Test, Transport, UNTAKEN_BYTES_MAX, Verdict, file};
use crate::eve::Object;
use crate::{Direction, Time};

/// Rounds that a parser may take over one input: more means that it takes nothing and says it did.
const ROUNDS_MAX: usize = 1 << 16;
/// Texts that are tried as what stands behind a keyword's colon.
const TEXTS: &[&str] = &[
    "", "1", "0", ">0", "!1", "a", "true", "yes", "any", "read", "request", "response", "1,2", "a,b",
    "file.txt",
];

/// What the keywords of a protocol can ask of an exchange.
pub struct Questions {
    fields: Vec<Field>,
    tests: Vec<Test>,
}

impl Questions {
    /// All of them: each buffer, each number, and each test that can be made of a short text.
    #[must_use]
    pub fn of(protocol: &Protocol) -> Self {
        let mut questions =
            Questions { fields: vec![file::DATA, file::NAME, file::MAGIC], tests: Vec::new() };
        for keyword in protocol.keywords {
            match &keyword.takes {
                Takes::Buffer(buffer) | Takes::Modifier(buffer) | Takes::Folded(buffer, _) => {
                    questions.fields.push(buffer.field);
                }
                Takes::Number(number) => questions.fields.push(number.field),
                Takes::Test(parse) => {
                    questions.tests.extend(TEXTS.iter().filter_map(|text| parse(text).ok()));
                }
                Takes::File(_) => {}
            }
        }
        questions.fields.sort_unstable();
        questions.fields.dedup();
        questions
    }
}

/// A parser, driven.
pub struct Driver {
    parser: Box<dyn AnyParser>,
    ends: Ends,
    announced: Option<(u64, Vec<u8>)>,
    is_broken: bool,
    next: Option<Next>,
    rest: [Vec<u8>; 2],
    wanted: [usize; 2],
    offset: [u64; 2],
    ended: [bool; 2],
}

impl Driver {
    /// A new flow of this protocol between these ends.
    #[must_use]
    pub fn new(protocol: &Protocol, settings: &Settings, ends: Ends) -> Self {
        Driver {
            parser: (protocol.begin)(settings),
            ends,
            announced: None,
            is_broken: false,
            next: None,
            rest: [Vec::new(), Vec::new()],
            wanted: [0; 2],
            offset: [0; 2],
            ended: [false; 2],
        }
    }

    /// Another flow announced this one.
    pub fn announce(&mut self, note: u64, name: &[u8]) {
        self.announced = Some((note, name.to_vec()));
    }

    /// What one side says: in a stream with what follows, in a datagram by itself.
    pub fn say(&mut self, settings: &Settings, direction: Direction, bytes: &[u8]) {
        let side = direction.index();
        if self.ends.transport == Transport::Udp {
            if !self.is_over() && !bytes.is_empty() {
                self.show(settings, direction, bytes, false);
            }
            return;
        }
        if self.is_over() || self.ended[side] {
            return;
        }
        self.rest[side].extend_from_slice(bytes);
        self.offer(settings, direction, false);
    }

    /// A hole in what one side says.
    pub fn gap(&mut self, settings: &Settings, direction: Direction, bytes: u64) {
        let side = direction.index();
        if self.is_over() || self.ended[side] || self.ends.transport == Transport::Udp {
            return;
        }
        // What was left before the hole is lost with it.
        let lost = bytes.saturating_add(self.rest[side].len() as u64);
        self.rest[side].clear();
        self.wanted[side] = 0;
        self.offset[side] = self.offset[side].saturating_add(lost);
        self.work(settings, |parser, context| parser.gap(direction, bytes, context).map(|()| 0));
    }

    /// One side has said all.
    pub fn end(&mut self, settings: &Settings, direction: Direction) {
        let side = direction.index();
        if std::mem::replace(&mut self.ended[side], true) {
            return;
        }
        if !self.is_over() && !self.rest[side].is_empty() {
            self.offer(settings, direction, true);
        }
        self.work(settings, |parser, context| {
            parser.end(direction, context);
            Ok(0)
        });
    }

    /// Whether the parser is shown nothing more: it gave up, or said that something else follows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_broken || matches!(self.next, Some(Next::Switch(_) | Next::Recognise | Next::Opaque))
    }

    /// Whether the parser gave up.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// What is to become of the flow, if the parser said so.
    #[must_use]
    pub fn next(&self) -> Option<Next> {
        self.next
    }

    /// What follows, if it is another protocol.
    #[must_use]
    pub fn follows(&self) -> Option<ProtocolId> {
        match self.next {
            Some(Next::Switch(protocol)) => Some(protocol),
            _ => None,
        }
    }

    /// How many exchanges are alive.
    #[must_use]
    pub fn live(&self) -> usize {
        self.parser.live()
    }

    /// Asks everything of every exchange in this direction, as rules would, lets exchanges move on, and forgets those that are over. How many values there were.
    pub fn look(&mut self, settings: &Settings, questions: &Questions, direction: Direction) -> usize {
        let (mut place, mut values) = (0, 0);
        let side = direction.index();
        while let Some((_, transaction, inspection)) = self.parser.at_mut(place) {
            let concerns = transaction.concerns(direction);
            let is_complete = transaction.is_complete(direction);
            if concerns && !inspection.sides[side].done {
                if let Some(files) = transaction.files_mut(direction) {
                    files.prepare(settings);
                }
                values += ask(transaction, questions, direction);
                transaction.inspected(direction);
                if let Some(files) = transaction.files_mut(direction) {
                    files.inspected();
                }
            }
            inspection.sides[side].done |= is_complete || !concerns;
            let other = direction.reversed();
            inspection.sides[other.index()].done |= !transaction.concerns(other);
            if inspection.sides.iter().all(|side| side.done) {
                self.parser.remove(place);
            } else {
                place += 1;
            }
        }
        values
    }

    /// The records of all exchanges that are alive, oldest first, with their events, and of their files with what is there of them.
    pub fn records(&mut self) -> Vec<String> {
        const BOTH: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
        let mut records = Vec::new();
        while let Some((id, transaction, _)) = self.parser.at_mut(records.len()) {
            let mut record = Object::new();
            transaction.record(&mut record);
            transaction.record_beside(&mut record);
            for file in BOTH.into_iter().filter_map(|way| transaction.files(way)).flat_map(file::Files::list)
            {
                let mut told = file::record(file, id);
                told.bytes("content", file.body.window());
                record.object("fileinfo", told);
            }
            let events = BOTH.map(|direction| transaction.events(direction));
            records.push(format!("{id} {:x} {:x} {}", events[0], events[1], record.finish()));
        }
        records
    }

    /// What each field of each exchange that is alive shows, both ways: the number of the exchange, and the bytes.
    pub fn shown(&mut self, questions: &Questions) -> Vec<(u64, Vec<u8>)> {
        let (mut shown, mut place) = (Vec::new(), 0);
        while let Some((id, transaction, _)) = self.parser.at_mut(place) {
            for direction in [Direction::ToServer, Direction::ToClient] {
                for field in &questions.fields {
                    let mut show = |piece: super::Piece<'_>| shown.push((id, piece.bytes.to_vec()));
                    transaction.visit(*field, direction, &mut show);
                    if let Some(files) = transaction.files(direction) {
                        files.visit(*field, &mut show);
                    }
                }
            }
            place += 1;
        }
        shown
    }

    /// Shows what there is of a side until nothing more is taken.
    fn offer(&mut self, settings: &Settings, direction: Direction, last: bool) {
        let side = direction.index();
        for _ in 0..ROUNDS_MAX {
            if self.is_over()
                || self.rest[side].is_empty()
                || (self.rest[side].len() < self.wanted[side] && !last)
            {
                return;
            }
            let shown = std::mem::take(&mut self.rest[side]);
            let Some(taken) = self.show(settings, direction, &shown, last) else { return };
            self.rest[side] = shown.get(taken..).unwrap_or_default().to_vec();
            self.offset[side] += taken as u64;
            if self.rest[side].len() > UNTAKEN_BYTES_MAX {
                self.is_broken = true;
            }
            if taken == 0 {
                return;
            }
        }
        panic!("the parser does not come to an end");
    }

    fn show(&mut self, settings: &Settings, direction: Direction, bytes: &[u8], last: bool) -> Option<usize> {
        let side = direction.index();
        let input = Input { bytes, offset: self.offset[side], last };
        let mut wanted = 0;
        let taken = self.work(settings, |parser, context| {
            let taken = parser.feed(direction, input, context)?;
            wanted = taken.wanted;
            Ok(taken.bytes)
        })?;
        assert!(taken <= bytes.len(), "more taken than shown");
        let rest = bytes.len() - taken;
        self.wanted[side] = if rest == 0 { 0 } else { wanted.max(rest + 1) };
        Some(taken)
    }

    fn work(
        &mut self,
        settings: &Settings,
        work: impl FnOnce(&mut dyn AnyParser, &mut Context<'_>) -> Result<usize, Broken>,
    ) -> Option<usize> {
        let mut context = Context::new(Time(0), self.ends, settings);
        if let Some((note, name)) = &self.announced {
            context.announced = Some(*note);
            context.announced_name = name;
        }
        let taken = work(&mut *self.parser, &mut context);
        self.next = context.asked().or(self.next);
        self.is_broken |= taken.is_err();
        taken.ok()
    }
}

/// Asks all questions of one exchange. How many values there were.
fn ask(transaction: &dyn AnyTransaction, questions: &Questions, direction: Direction) -> usize {
    let mut values = 0;
    for field in &questions.fields {
        values += usize::from(transaction.ready(*field, direction) != Ready::No);
        transaction.visit(*field, direction, &mut |piece| values += usize::from(!piece.bytes.is_empty()));
        transaction.number(*field, direction, &mut |_| values += 1);
        if let Some(files) = transaction.files(direction) {
            values += usize::from(files.ready(*field) != Ready::No);
            files.visit(*field, &mut |piece| values += usize::from(!piece.bytes.is_empty()));
        }
    }
    for test in &questions.tests {
        values += usize::from(test.check(transaction.as_any(), direction) == Verdict::Holds);
    }
    transaction.events(direction);
    let mut record = Object::new();
    transaction.record(&mut record);
    values + usize::from(!record.is_empty())
}
