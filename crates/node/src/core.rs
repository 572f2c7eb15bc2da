//! The replica's half of a node: replica, log and timers.
//!
//! Upon an event: the replica takes it; what it wants sent is left for the other half, what it wants kept waits, timers are set.
//!   All effects of one event are performed, in order, before the next event.
//! Upon the end of a turn, when all that it wanted sent has left: what waits goes to the log, in one piece ([`Core::write`]). Others
//!   write to their disks meanwhile, so ours is not what they wait for.
//! Upon a change of the roster that was executed: it is told with [`Core::news`], which is asked before anything is sent that follows
//!   from it.
//! Upon news of the log: what has become durable is told to the replica.

use crate::timers::Timers;
use agree::between::{LogStanding, Standing, Tally};
use agree::replica::Position;
use agree::roster::{Edition, Signed};
use agree::{Destination, Effect, Event, Message, Observation, Outbox, Replica, Write};
use wire::{Digest, Time};

/// Where a replica's writes go.
pub trait Keeping {
    /// Keeps more writes, in order, and leaves none of them behind. What is quick to write is durable when this returns. Why it
    /// cannot, if it cannot: then this replica must stop.
    fn write(&mut self, writes: &mut Vec<Write>) -> Result<(), String>;

    /// Up to where everything survives a loss of power.
    fn durable(&mut self) -> Result<Position, String>;

    /// How it stands.
    fn standing(&self) -> LogStanding;
}

/// The replica and what it needs.
pub struct Core<R, L> {
    replica: R,
    log: L,
    told: Position,
    timers: Timers,
    outbox: Outbox,
    writes: Vec<Write>,
    tally: Tally,
    /// Up to which edition of the roster the other half was told, and by which changes.
    shown: Option<(Edition, Digest)>,
}

impl<R: Replica, L: Keeping> Core<R, L> {
    /// A replica that has not been told yet that it was started. `last` is the position up to which `log` holds everything.
    pub fn new(replica: R, log: L, last: Position) -> Self {
        Core {
            replica,
            log,
            told: last,
            timers: Timers::default(),
            outbox: Outbox::new(),
            writes: Vec::new(),
            tally: Tally::default(),
            shown: None,
        }
    }

    /// Changes of the roster that the replica executed, or found on its disk, and that were not told yet. What was told and is taken
    /// back is not taken back there: what is put in its place will be told.
    pub fn news(&mut self) -> Option<Vec<Signed>> {
        let chain = self.replica.chain()?;
        let now = (chain.edition(), chain.mark());
        if self.shown == Some(now) || self.shown.is_some_and(|(edition, _)| edition > now.0) {
            return None;
        }
        let known = self.shown.filter(|(edition, mark)| chain.mark_at(*edition) == Some(*mark));
        let after = known.map_or(Edition(0), |(edition, _)| edition);
        self.shown = Some(now);
        Some(chain.after(after).cloned().collect()).filter(|news: &Vec<Signed>| !news.is_empty())
    }

    /// How the replica and its log stand, and what it did.
    pub fn standing(&self) -> Standing {
        Standing { status: self.replica.status(), tally: self.tally, log: self.log.standing() }
    }

    /// When [`Core::passed`] is due next.
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Hands the replica an event; what it wants sent is added to `sends`.
    pub fn step(&mut self, now: Time, event: Event, sends: &mut Vec<(Destination, Message)>) {
        self.replica.step(now, event, &mut self.outbox);
        for effect in self.outbox.drain() {
            match effect {
                Effect::Send { to, message } => sends.push((to, message)),
                Effect::SetTimer(timer, after) => self.timers.set(timer, now, after),
                Effect::ClearTimer(timer) => self.timers.clear(timer),
                Effect::Write(write) => self.writes.push(write),
                Effect::Observe(observation) => observed(&mut self.tally, &observation),
                Effect::Refuse { .. } => self.tally.refused += 1,
            }
        }
    }

    /// It is `now`: timers that ran out, and what has become durable.
    pub fn passed(&mut self, now: Time, sends: &mut Vec<(Destination, Message)>) -> Result<(), String> {
        while let Some(timer) = self.timers.take_due(now) {
            self.step(now, Event::Timer(timer), sends);
        }
        let durable = self.log.durable()?;
        if durable > self.told {
            self.told = durable;
            self.step(now, Event::Durable(durable), sends);
        }
        Ok(())
    }

    /// What waits goes to the log; whether something is durable now that the replica has not been told.
    pub fn write(&mut self) -> Result<bool, String> {
        if self.writes.is_empty() {
            return Ok(false);
        }
        self.log.write(&mut self.writes)?;
        Ok(self.log.durable()? > self.told)
    }

    /// Whether something waits for the log.
    pub fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }
}

fn observed(tally: &mut Tally, observation: &Observation) {
    match observation {
        Observation::Executed { applied, .. } => {
            tally.batches += 1;
            tally.requests += applied.len() as u64;
        }
        Observation::Restored { .. } => tally.restores += 1,
        Observation::Stable { .. } => tally.checkpoints += 1,
        Observation::RolledBack { .. } | Observation::Entered { .. } => {}
    }
}
