//! The exchanges of a flow that are open or not yet looked at, oldest first.

use super::{Broken, Context, Input, Parser, Taken, Transaction};
use crate::Direction;
use crate::eve::Object;
use std::any::Any;
use std::collections::VecDeque;

/// Exchanges of one flow at most, where the protocol says nothing else; beyond that the oldest is forgotten, and counted.
const TRANSACTIONS_MAX: usize = 1024;

/// One that is alive.
#[derive(Clone, Debug)]
pub struct Live<T> {
    /// Its number in the flow, from 0.
    pub id: u64,
    /// What it was about.
    pub transaction: T,
    /// What the engine remembers of matching it.
    pub(crate) inspection: Inspection,
}

/// The exchanges of a flow, oldest first.
#[derive(Clone, Debug)]
pub struct Transactions<T> {
    opened: u64,
    forgotten: u64,
    max: usize,
    live: VecDeque<Live<T>>,
}

impl<T> Default for Transactions<T> {
    fn default() -> Self {
        Transactions::holding(TRANSACTIONS_MAX)
    }
}

impl<T> Transactions<T> {
    /// None yet, and so many at most.
    #[must_use]
    pub fn holding(max: usize) -> Self {
        Transactions { opened: 0, forgotten: 0, max, live: VecDeque::new() }
    }

    /// Opens one at the end and tells its number. With too many alive the oldest is forgotten.
    pub fn open(&mut self, transaction: T) -> u64 {
        if self.live.len() >= self.max {
            self.live.pop_front();
            self.forgotten += 1;
        }
        let id = self.opened;
        self.opened += 1;
        self.live.push_back(Live { id, transaction, inspection: Inspection::default() });
        id
    }

    /// The one of this number, while it is alive.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&T> {
        self.place(id).and_then(|place| self.live.get(place)).map(|live| &live.transaction)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        self.place(id).and_then(|place| self.live.get_mut(place)).map(|live| &mut live.transaction)
    }

    /// The newest.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.live.back_mut().map(|live| &mut live.transaction)
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Live<T>> + ExactSizeIterator {
        self.live.iter()
    }

    /// All, oldest first, to change.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Live<T>> + ExactSizeIterator {
        self.live.iter_mut()
    }

    /// How many are alive.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// How many were ever opened.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// How many were forgotten since there were too many.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.live.binary_search_by_key(&id, |live| live.id).ok()
    }
}

/// What the engine remembers of matching a transaction.
#[derive(Clone, Default, Debug)]
pub(crate) struct Inspection {
    /// For each direction.
    pub(crate) sides: [Inspected; 2],
    /// It was written down.
    pub(crate) is_recorded: bool,
    /// Files of each direction that were written down: bit `n` is the `n`-th.
    pub(crate) files_recorded: [u32; 2],
    /// What was odd and was written down.
    pub(crate) events_recorded: u128,
}

/// What was matched in one direction.
#[derive(Clone, Default, Debug)]
pub(crate) struct Inspected {
    /// Prefilter buffers that were scanned in full: bit `n` is the `n`-th of the direction's list.
    pub(crate) scanned: u128,
    /// Rules whose decision is open, ascending, with what already holds.
    pub(crate) open: Vec<(u32, u64)>,
    /// Rules that matched already, ascending.
    pub(crate) matched: Vec<u32>,
    /// Everything was complete when it was looked at last.
    pub(crate) done: bool,
    /// It was looked at before.
    pub(crate) begun: bool,
    /// Files that it had then.
    pub(crate) files: usize,
}

impl Inspected {
    /// Whether a rule matched, or may yet.
    pub(crate) fn has_rules(&self) -> bool {
        !self.open.is_empty() || !self.matched.is_empty()
    }
}

/// A [`Transaction`] whose type is not known.
pub(crate) trait AnyTransaction {
    fn concerns(&self, direction: Direction) -> bool;
    fn lacks(&self, field: super::Field, direction: Direction) -> bool;
    fn is_complete(&self, direction: Direction) -> bool;
    fn ready(&self, field: super::Field, direction: Direction) -> super::Ready;
    fn visit(&self, field: super::Field, direction: Direction, show: &mut dyn FnMut(super::Piece<'_>));
    fn number(&self, field: super::Field, direction: Direction, show: &mut dyn FnMut(u64));
    fn events(&self, direction: Direction) -> u128;
    fn files(&self, direction: Direction) -> Option<&super::file::Files>;
    fn files_mut(&mut self, direction: Direction) -> Option<&mut super::file::Files>;
    fn inspected(&mut self, direction: Direction);
    fn is_told(&self) -> bool;
    fn record(&self, record: &mut Object);
    fn record_beside(&self, record: &mut Object);
    fn as_any(&self) -> &dyn Any;
}

impl<T: Transaction> AnyTransaction for T {
    fn concerns(&self, direction: Direction) -> bool {
        Transaction::concerns(self, direction)
    }

    fn lacks(&self, field: super::Field, direction: Direction) -> bool {
        Transaction::lacks(self, field, direction)
    }

    fn is_complete(&self, direction: Direction) -> bool {
        Transaction::is_complete(self, direction)
    }

    fn ready(&self, field: super::Field, direction: Direction) -> super::Ready {
        Transaction::ready(self, field, direction)
    }

    fn visit(&self, field: super::Field, direction: Direction, show: &mut dyn FnMut(super::Piece<'_>)) {
        Transaction::visit(self, field, direction, show);
    }

    fn number(&self, field: super::Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        Transaction::number(self, field, direction, show);
    }

    fn events(&self, direction: Direction) -> u128 {
        Transaction::events(self, direction)
    }

    fn files(&self, direction: Direction) -> Option<&super::file::Files> {
        Transaction::files(self, direction)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut super::file::Files> {
        Transaction::files_mut(self, direction)
    }

    fn inspected(&mut self, direction: Direction) {
        Transaction::inspected(self, direction);
    }

    fn is_told(&self) -> bool {
        Transaction::is_told(self)
    }

    fn record(&self, record: &mut Object) {
        Transaction::record(self, record);
    }

    fn record_beside(&self, record: &mut Object) {
        Transaction::record_beside(self, record);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A [`Parser`] whose type is not known.
pub(crate) trait AnyParser: Send + Sync {
    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken>;
    fn gap(&mut self, direction: Direction, bytes: u64, context: &mut Context<'_>) -> Result<(), Broken>;
    fn end(&mut self, direction: Direction, context: &mut Context<'_>);
    /// How many exchanges are alive.
    fn live(&self) -> usize;
    /// Bytes that one of them takes by itself.
    fn exchange_bytes(&self) -> usize;
    /// Bytes that it and they hold more than what they were shown accounts for.
    fn unpacked_bytes(&self) -> usize;
    /// How many were ever opened.
    fn opened(&self) -> u64;
    /// How many of those that are alive are complete in this direction; 0 if raw bytes are not looked at for that.
    fn complete(&self, direction: Direction) -> usize;
    /// The one at this place, to change.
    fn at_mut(&mut self, place: usize) -> Option<(u64, &mut dyn AnyTransaction, &mut Inspection)>;
    /// Forgets the one at this place.
    fn remove(&mut self, place: usize);
    fn duplicate(&self) -> Box<dyn AnyParser>;
}

impl<P: Parser> AnyParser for P {
    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        Parser::feed(self, direction, input, context)
    }

    fn gap(&mut self, direction: Direction, bytes: u64, context: &mut Context<'_>) -> Result<(), Broken> {
        Parser::gap(self, direction, bytes, context)
    }

    fn end(&mut self, direction: Direction, context: &mut Context<'_>) {
        Parser::end(self, direction, context);
    }

    fn live(&self) -> usize {
        self.transactions().len()
    }

    fn exchange_bytes(&self) -> usize {
        size_of::<Live<P::Transaction>>()
    }

    fn unpacked_bytes(&self) -> usize {
        let exchanges = self.transactions().live.iter();
        Parser::unpacked_bytes(self)
            + exchanges.map(|live| Transaction::unpacked_bytes(&live.transaction)).sum::<usize>()
    }

    fn opened(&self) -> u64 {
        self.transactions().opened()
    }

    fn complete(&self, direction: Direction) -> usize {
        if !P::LOOKS_AT_ONCE {
            return 0;
        }
        self.transactions()
            .live
            .iter()
            .filter(|live| Transaction::is_complete(&live.transaction, direction))
            .count()
    }

    fn at_mut(&mut self, place: usize) -> Option<(u64, &mut dyn AnyTransaction, &mut Inspection)> {
        let live = self.transactions_mut().live.get_mut(place)?;
        Some((live.id, &mut live.transaction, &mut live.inspection))
    }

    fn remove(&mut self, place: usize) {
        self.transactions_mut().live.remove(place);
    }

    fn duplicate(&self) -> Box<dyn AnyParser> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn AnyParser> {
    fn clone(&self) -> Self {
        (**self).duplicate()
    }
}
