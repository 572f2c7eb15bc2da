//! Phase 2 at the others: accepts what the leader proposes, executes what the leader says is chosen.
//!
//! Upon ACCEPT(v, N, chosen, batch) from the leader of `v`:
//!   - `v` below the promise: SUPERSEDED. Above it: promise `v`.
//!   - N executed already: the batch is the one executed, since it was chosen; say ACCEPTED(v, N) again.
//!   - N further ahead than there is room for: refused; the leader will send it again, or it will be caught up with.
//!   - N accepted in `v` already: if that is durable say so again, else it is about to be said.
//!   - else write ACCEPTED(v, N, batch), and once that is durable send ACCEPTED(v, N).
//!
//! Upon HEARTBEAT(v, chosen): likewise, without a batch.
//! Upon `chosen` in either: every place up to there is chosen, in `v` or before. What was accepted there in `v` or
//!   later is what was chosen, and is executed. What was accepted before `v` may have been overtaken: the first
//!   place that has nothing better is caught up with ([`super::catch_up`]).

use super::message::{Accept, Accepted, Heartbeat, Message};
use super::record::{Accepted as AcceptedRecord, Record};
use super::{Chosen, Replica};
use crate::replica::{Destination, Effect, Outbox, Refusal};
use crate::service::Service;
use wire::{Encode, NodeId, Peer, Sequence, View};

impl<S: Service + Clone> Replica<S> {
    /// The leader proposes a batch.
    pub(super) fn accept(&mut self, from: NodeId, accept: Accept, out: &mut Outbox) {
        if !self.follows(from, accept.view, out) {
            return;
        }
        let (view, chosen) = (accept.view, accept.chosen);
        if let Err(refusal) = self.take(from, accept, out) {
            out.refuse(Peer::Node(from), refusal);
        }
        self.note_chosen(view, chosen, out);
    }

    /// The leader is there.
    pub(super) fn heartbeat(&mut self, from: NodeId, heartbeat: &Heartbeat, out: &mut Outbox) {
        if self.follows(from, heartbeat.view, out) {
            self.relayed = 0;
            self.note_chosen(heartbeat.view, heartbeat.chosen, out);
        }
    }

    /// Whether `from` leads `view` and this replica follows it there; from now on, if `view` is new.
    fn follows(&mut self, from: NodeId, view: View, out: &mut Outbox) -> bool {
        if self.leader(view) != from {
            out.refuse(Peer::Node(from), Refusal::NotAllowed);
            return false;
        }
        if view < self.promised && !defect!(PaxosStaleBallot) {
            self.refuse_superseded(from, out);
            return false;
        }
        if view > self.promised {
            self.enter(view, out);
        } else {
            self.heard(out);
        }
        true
    }

    /// Accepts a batch, or says again that it was accepted.
    fn take(&mut self, from: NodeId, accept: Accept, out: &mut Outbox) -> Result<(), Refusal> {
        let Accept { view, sequence, batch, .. } = accept;
        let accepted = Message::Accepted(Accepted { view, sequence });
        let known = self.log.get(sequence);
        let other = known.is_some_and(|known| known.batch.digest() != batch.digest());
        if sequence <= self.executed() {
            if other {
                return Err(Refusal::Contradiction);
            }
            self.send_durable(Destination::Peer(from.into()), accepted, out);
            return Ok(());
        }
        if sequence > self.limit() {
            return Err(Refusal::TooFarAhead);
        }
        if let Some(known) = known.filter(|known| known.view == view) {
            if other {
                return Err(Refusal::Contradiction);
            }
            if known.record.is_some_and(|record| record <= self.journal.durable_up_to()) {
                out.send(from, accepted);
            }
            return Ok(());
        }
        let record = Record::Accepted(AcceptedRecord { view, sequence, batch: batch.clone() });
        let record = self.journal.record(record.to_bytes(), out);
        self.log.accept(sequence, view, batch, record);
        if defect!(PaxosAcceptedNotDurable) {
            out.push(Effect::Send { to: Destination::Peer(from.into()), message: accepted.into() });
        } else {
            self.send_durable(Destination::Peer(from.into()), accepted, out);
        }
        Ok(())
    }

    /// Every place up to `through` was chosen in `by` or an earlier ballot.
    fn note_chosen(&mut self, by: View, through: Sequence, out: &mut Outbox) {
        if through > self.chosen.through {
            self.chosen = Chosen { through, by };
        }
        self.execute_chosen(out);
    }

    /// Executes what is known to be chosen, up to the first place of which the batch is not known for sure.
    pub(super) fn execute_chosen(&mut self, out: &mut Outbox) {
        while self.is_behind() && self.executed() < self.limit() {
            let accepted = self.log.get(self.executed().next());
            let Some(entry) =
                accepted.filter(|entry| entry.view >= self.chosen.by || defect!(PaxosStaleExecuted))
            else {
                break;
            };
            let batch = entry.batch.clone();
            self.execute(&batch, out);
        }
        if self.is_behind() {
            self.catch_up_soon(out);
        }
    }

    /// Whether something is chosen that this replica has not executed.
    pub(super) fn is_behind(&self) -> bool {
        self.executed() < self.chosen.through
    }
}
