//! State transfer: a replica that is too far behind for the log takes over a checkpoint whole.
//!
//! Upon two ticks without a batch executed, while `f+1` have taken a checkpoint (n, d) beyond the last batch executed:
//!   it is fetched ([`crate::checkpoint::Fetch`]) from those who said so; one of them is correct, so d is right and
//!   somebody hands it out.
//! Upon a tick in which nothing of it came: if `f+1` have a later one by now, that one instead; else the next source.
//! Upon its end: the machine is restored; the snapshot goes to disk, and behind it CHECKPOINT(n, d): this replica can
//!   hand it out now. The low watermark stays until `2f+1` have taken it: what is between is still reported in
//!   VIEW-CHANGE.
//! Upon an ask for a checkpoint that is held: a manifest or a chunk.
//!
//! While it fetches, a replica is not impatient with the primary: it cannot tell whose fault it is.

use super::Replica;
use super::message::{self, Message};
use crate::Service;
use crate::checkpoint::{Checkpoint, Fetch, Step, Transfer};
use crate::replica::{Observation, Outbox, Refusal};
use crate::sessions::Standing;
use wire::{Keys, NodeId};

/// Ticks without progress before a replica takes over a state rather than wait for batches.
const TICKS_WITHOUT_PROGRESS: u8 = 2;

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Something of a state transfer came.
    pub(super) fn transfer(
        &mut self,
        from: NodeId,
        transfer: Transfer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if matches!(transfer, Transfer::AskManifest(_) | Transfer::AskChunk(_)) {
            let answer = self.checkpoints.held().find_map(|checkpoint| checkpoint.serve(&transfer));
            out.send(from, answer.ok_or(Refusal::Stale)?);
            return Ok(());
        }
        let Some(fetch) = &mut self.catch_up.fetch else { return Err(Refusal::Stale) };
        match fetch.receive(from, transfer) {
            Step::Wait => {}
            Step::Ask(ask) => {
                self.catch_up.fetch_moved = true;
                self.ask_source(ask, out);
            }
            Step::Blame { liar, ask } => {
                self.ask_source(ask, out);
                out.refuse(wire::Peer::Node(liar), Refusal::Contradiction);
            }
            Step::Done(checkpoint) => {
                self.catch_up.fetch = None;
                return self.take_over(checkpoint, out);
            }
        }
        Ok(())
    }

    fn ask_source(&self, ask: Vec<Transfer>, out: &mut Outbox) {
        if let Some(fetch) = &self.catch_up.fetch {
            for one in ask {
                out.send(fetch.source(), one);
            }
        }
    }

    /// Begins, goes on with or gives up a state transfer, once per tick.
    pub(super) fn tick_transfer(&mut self, out: &mut Outbox) {
        let executed = self.machine.sequence();
        if self.catch_up.fetch.as_ref().is_some_and(|fetch| fetch.sequence() <= executed) {
            self.catch_up.fetch = None;
        }
        let still = executed == self.catch_up.executed_before;
        self.catch_up.ticks_still = if still { self.catch_up.ticks_still.saturating_add(1) } else { 0 };
        self.catch_up.executed_before = executed;
        if core::mem::take(&mut self.catch_up.fetch_moved)
            || (self.catch_up.fetch.is_none() && self.catch_up.ticks_still < TICKS_WITHOUT_PROGRESS)
        {
            return;
        }
        let fetching = self.catch_up.fetch.as_ref().map_or(executed, Fetch::sequence);
        if let Some((sequence, digest, sources)) = self.checkpoints.ahead(fetching, self.quorum.one_correct())
        {
            self.catch_up.fetch = Some(Fetch::new(sequence, digest, sources));
        } else if let Some(fetch) = &mut self.catch_up.fetch {
            fetch.next_source();
        }
        let ask = self.catch_up.fetch.as_mut().map(Fetch::ask).unwrap_or_default();
        self.ask_source(ask, out);
    }

    /// Becomes the state of `checkpoint`, whose digest `f+1` vouched for.
    fn take_over(&mut self, checkpoint: Checkpoint, out: &mut Outbox) -> Result<(), Refusal> {
        let (sequence, digest) = (checkpoint.sequence(), checkpoint.digest());
        if sequence <= self.machine.sequence() {
            return Ok(());
        }
        let mut machine = self.machine.clone();
        if machine.restore(checkpoint.snapshot()).is_err() || machine.sequence() != sequence {
            // Only if more than f lie, or the service cannot read what it wrote. The state that works stays.
            return Err(Refusal::Contradiction);
        }
        self.machine = machine;
        let machine = &self.machine;
        self.order.watch.retain(|client, timestamp| machine.standing(client, timestamp) == Standing::New);
        self.order.next = self.order.next.max(sequence.next());
        self.checkpoints.keep(checkpoint);
        self.checkpoints.transferred = sequence;
        out.observe(Observation::Restored { sequence, state: self.machine.digest() });
        if !self.begin_era(out) {
            self.write_snapshot(out);
        }
        if self.takes_part() {
            self.send_durably(Message::Checkpoint(message::Checkpoint { sequence, digest }), out);
        }
        self.settle(out);
        Ok(())
    }
}
