//! What was lost on the way: every replica says where it stands, and who has what it lacks sends it.
//!
//! Upon the tick (every `retransmit_after` while there is something to do, else every `heartbeat_every`), and upon the
//! start: STATUS goes to all.
//! Upon STATUS of j, a few times per tick:
//!   - j knows no NEW-VIEW as late as mine, or another one for the same view while it changes view: mine;
//!   - I change view, and j is in an earlier one or lacks my VIEW-CHANGE: mine;
//!   - we are in the same view: for the places after those j executed, my PRE-PREPARE, PREPARE and COMMIT, but for what j
//!     says it has; for those that j executed and I did not, my PREPARE and COMMIT: j may have learned in an earlier view that they
//!     are committed, and in this one I need its votes, which need mine;
//!   - j executed less than I: COMMITTED, the digests of what comes next;
//!   - checkpoints I took above j's stable one: CHECKPOINT.
//!
//! Upon COMMITTED from `f+1` for the same digest at n: it is committed at n, in whatever view: a correct replica
//! executed it.
//!
//! Batches that are known only by their digest are [`super::batches`]' business.
//!
//! Nothing of this makes anything true that was not; it only makes it known. So none of it is signed or remembered.

use super::Replica;
use super::TICK;
use super::log::Slot;
use super::message::{self, COMMITTED_MAX, Commit, Committed, Message, PrePrepare, Prepare, Status};
use crate::Service;
use crate::checkpoint::Fetch;
use crate::replica::{Outbox, Position, Refusal};
use crate::request::BATCH_BYTES_MAX;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Digest, Keys, NodeId, Sequence};

/// What one member may be answered between two ticks, in units of one batch.
const ANSWERS_PER_TICK_MAX: u32 = 64;

/// What the answer to one STATUS counts for.
const STATUS_COST: u32 = 16;

/// Places about which a STATUS speaks bit by bit.
const PLACES_TOLD: u64 = 64;

/// What a replica lacks, and what it gave to others that lacked it.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct CatchUp {
    /// The state transfer under way.
    pub(super) fetch: Option<Fetch>,
    /// Whether something of it came since the last tick.
    pub(super) fetch_moved: bool,
    /// The last batch executed at the last tick.
    pub(super) executed_before: Sequence,
    /// For how many ticks it has been the last.
    pub(super) ticks_still: u8,
    /// Batches asked for since the last tick.
    pub(super) asked: BTreeSet<(Sequence, Digest)>,
    /// Whose turn it is to be asked, as an offset from this replica.
    pub(super) turn: usize,
    /// How far the disk was at the last tick.
    durable_before: Position,
    /// What each member was answered since the last tick at which the disk had come further, so that answers that wait
    /// for the disk do not pile up.
    answered: BTreeMap<NodeId, u32>,
}

impl CatchUp {
    /// Whether `from` may be answered again before the next tick.
    pub(super) fn may_answer(&mut self, from: NodeId, cost: u32) -> Result<(), Refusal> {
        let answered = self.answered.entry(from).or_default();
        if *answered + cost > ANSWERS_PER_TICK_MAX {
            return Err(Refusal::NoRoom);
        }
        *answered += cost;
        Ok(())
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Time to say where this replica stands.
    pub(super) fn tick(&mut self, out: &mut Outbox) {
        let durable = self.journal.durable_up_to();
        if self.journal.pending() == 0 || durable > self.catch_up.durable_before {
            self.catch_up.answered.clear();
        }
        self.catch_up.durable_before = durable;
        self.catch_up.asked.clear();
        self.catch_up.turn = self.catch_up.turn % (self.settings.n() - 1) + 1;
        self.tick_transfer(out);
        self.tick_relays(out);
        self.ask_for_batches(out);
        self.tell_standing(out);
        let busy = !self.views.active
            || self.views.suspicions.own()
            || self.catch_up.fetch.is_some()
            || self.checkpoints.own.len() > 1
            || self.has_open_places();
        let after = if busy { self.settings.retransmit_after } else { self.settings.heartbeat_every };
        out.set_timer(TICK, after);
    }

    /// Says to all where this replica stands.
    pub(super) fn tell_standing(&self, out: &mut Outbox) {
        out.send_members(crate::Message::Pbft(Message::Status(self.standing())));
    }

    /// Where this replica stands.
    fn standing(&self) -> Status {
        let (view, executed) = (self.views.view, self.machine.sequence());
        let bits = |has: &dyn Fn(&Slot) -> bool| {
            let told = self.log.after(executed).take_while(|(n, _)| n.0 <= executed.0 + PLACES_TOLD);
            told.filter(|(_, slot)| has(slot)).fold(0, |bits, (n, _)| bits | 1 << (n.0 - executed.0 - 1))
        };
        let members = self.settings.members.iter().enumerate();
        let changes = members
            .filter(|(_, node)| self.views.latest.get(node).is_some_and(|change| change.view == view))
            .fold(0, |bits, (slot, _)| bits | 1 << slot);
        Status {
            view,
            active: self.views.active,
            suspects: self.views.suspicions.own(),
            known: self.views.known_view(),
            decision: self.views.known.as_ref().map_or(Digest::ZERO, message::NewView::decision),
            executed,
            stable: self.log.stable(),
            changes,
            accepted: bits(&|slot| slot.accepted_in(view).is_some()),
            prepared: bits(&|slot| slot.prepared_in(view)),
        }
    }

    /// Sends `from` what it lacks.
    pub(super) fn status_of(
        &mut self,
        from: NodeId,
        status: &Status,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.note_suspicion(from, status.view, status.suspects, out);
        self.catch_up.may_answer(from, STATUS_COST)?;
        self.send_views(from, status, out);
        if self.views.active && status.active && self.views.view == status.view {
            self.send_votes(from, status, out);
        }
        self.send_committed(from, status, out);
        let ahead: Vec<(Sequence, Digest)> =
            self.checkpoints.own.range(status.stable.plus(1)..).map(|(n, digest)| (*n, *digest)).collect();
        for (sequence, digest) in ahead {
            let checkpoint = Message::Checkpoint(message::Checkpoint { sequence, digest });
            self.send_one_durably(from, crate::Message::Pbft(checkpoint), out);
        }
        Ok(())
    }

    /// Sends what `from` needs to come to this replica's view.
    fn send_views(&mut self, from: NodeId, status: &Status, out: &mut Outbox) {
        if let Some(known) = &self.views.known {
            let differs = status.known == known.view && !status.active && status.decision != known.decision();
            if status.known < known.view || differs {
                let known = Message::NewView(known.clone());
                self.send_one_durably(from, crate::Message::Pbft(known), out);
            }
        }
        if self.views.active {
            return;
        }
        let slot = self.settings.members.iter().position(|node| *node == self.me).unwrap_or_default();
        let has_mine = status.changes & (1 << slot) != 0;
        let together = status.view == self.views.view && !status.active;
        if let Some(own) = &self.views.own
            && (status.view < self.views.view || (together && !has_mine))
        {
            let own = Message::ViewChange(own.clone());
            self.send_one_durably(from, crate::Message::Pbft(own), out);
        }
    }

    /// Sends what this replica said in the present view about the places that it or `from` has not executed.
    fn send_votes(&mut self, from: NodeId, status: &Status, out: &mut Outbox) {
        let (view, leads) = (self.views.view, self.leads());
        let mut messages = Vec::new();
        let mut bytes = 0;
        let executed_by_both = status.executed.min(self.machine.sequence());
        let places = self.log.after(executed_by_both);
        for (sequence, slot) in places.take_while(|(n, _)| n.0 <= executed_by_both.0 + PLACES_TOLD) {
            let Some(digest) = slot.accepted_in(view) else { continue };
            // Of what it executed it says nothing more.
            let offset = sequence.0.checked_sub(status.executed.0).and_then(|places| places.checked_sub(1));
            let lacks = |bits: u64| offset.is_none_or(|offset| bits & (1 << offset) == 0);
            if leads
                && offset.is_some()
                && lacks(status.accepted)
                && sequence > self.decided_up_to()
                && bytes < BATCH_BYTES_MAX
            {
                let batch = slot.batch(digest).expect("what is accepted is held");
                bytes += batch.requests().iter().map(|request| request.operation.len()).sum::<usize>();
                messages.push(Message::PrePrepare(PrePrepare { view, sequence, batch }));
            }
            if !leads && lacks(status.prepared) {
                messages.push(Message::Prepare(Prepare { view, sequence, digest }));
            }
            if slot.commit_behind.is_some() {
                messages.push(Message::Commit(Commit { view, sequence, digest }));
            }
        }
        for message in messages {
            self.send_one_durably(from, crate::Message::Pbft(message), out);
        }
    }

    /// Sends the digests of what this replica executed after `status.executed`.
    fn send_committed(&self, from: NodeId, status: &Status, out: &mut Outbox) {
        let executed = self.machine.sequence();
        let first = status.executed.plus(1);
        let mut digests = Vec::new();
        for (sequence, slot) in self.log.after(status.executed).take(COMMITTED_MAX) {
            let Some(committed) = slot.committed else { break };
            if sequence != first.plus(digests.len() as u64) || sequence > executed {
                break;
            }
            digests.push(committed);
        }
        if !digests.is_empty() {
            out.send(from, crate::Message::Pbft(Message::Committed(Committed { first, digests })));
        }
    }

    /// A replica says what it executed.
    pub(super) fn committed(
        &mut self,
        from: NodeId,
        message: &Committed,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let enough = self.quorum.one_correct();
        for (index, digest) in message.digests.iter().enumerate() {
            let sequence = message.first.plus(index as u64);
            if !self.log.contains(sequence) || sequence <= self.machine.sequence() {
                continue;
            }
            let slot = self.log.slot(sequence);
            if *slot.claims.entry(from).or_insert(*digest) != *digest {
                return Err(Refusal::Contradiction);
            }
            if slot.committed.is_none() {
                slot.committed = Slot::tally(slot.claims.values().copied(), enough);
            }
        }
        self.ask_for_batches(out);
        Ok(())
    }
}
