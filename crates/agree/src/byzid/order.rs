//! The primary's side: gives batches their places and keeps them moving.
//!
//! Upon REQUEST(o, T, c): it waits in FIFO order; a full queue, or one with two requests of the client, refuses it (BUSY).
//! Whenever fewer than τ ORDERs are outstanding and the log has room: ORDER(N, batch, v) with the longest prefix of the
//!   queue that fits a batch. It comes back from the guard and is accepted like a backup's.
//! Upon ACK(N) from f backups: the ORDERs up to N are complete, since f+1 replicas have them; the window moves. Nobody waits
//!   for the others: how far one of them may fall behind before it needs a checkpoint is bounded by the log.
//! Upon FETCH(N) from a backup: the ORDERs from N on again, or the stable checkpoint that covers them.
//!
//! Sending ORDERs again that were not ACKed is the monitor's business, so that no primary can forget to; the replica does it
//! only while it has no monitor ([`Replica::order_again`]).

use super::Replica;
use super::message::{Ack, Fetch, Joined, Order, StableCheckpoint};
use crate::queue::Added;
use crate::replica::{Outbox, Refusal};
use crate::request::{Busy, Request};
use crate::service::Service;
use wire::{NodeId, Peer, Sequence};

/// ORDERs sent again upon one FETCH at most.
pub(super) const FETCH_ORDERS_MAX: usize = 16;

impl<S: Service> Replica<S> {
    pub(super) fn receive_request(&mut self, request: Request, out: &mut Outbox) {
        let from = Peer::Client(request.client);
        if !self.leads() {
            return out.refuse(from, Refusal::NotAllowed);
        }
        let busy = Busy { client: request.client, timestamp: request.timestamp };
        match self.queue.add(request) {
            Added::Queued => {}
            Added::Duplicate => out.refuse(from, Refusal::Stale),
            Added::Full => {
                out.refuse(from, Refusal::NoRoom);
                out.send(busy.client, crate::Message::Busy(busy));
            }
        }
    }

    /// Sends ORDERs as long as the window and the log have room and requests wait.
    pub(super) fn order(&mut self, out: &mut Outbox) {
        if !self.may_order() {
            return;
        }
        let log_end = self.log_end();
        let window_end = self.complete().plus(self.settings.window);
        while self.ordered < log_end.min(window_end) {
            let settings = &self.settings;
            let Some(batch) = self.queue.take_batch(settings.batch_requests_max, settings.batch_bytes_max)
            else {
                return;
            };
            self.ordered = self.ordered.next();
            self.on_their_way.push_back((self.ordered, batch.clone()));
            out.send_members(Order { view: self.view, sequence: self.ordered, batch, seal: None });
        }
        debug_assert!(self.on_their_way.len() as u64 <= self.settings.window);
    }

    /// An ORDER of this replica came back: it and those before it were let out.
    pub(super) fn came_back(&mut self, sequence: Sequence) {
        while self.on_their_way.front().is_some_and(|(at, _)| *at <= sequence) {
            self.on_their_way.pop_front();
        }
    }

    /// The monitor is gone. It may have stopped some ORDERs just before (when it was about to hand over): without them there
    /// would be a gap for ever.
    pub(super) fn send_what_did_not_come_back(&mut self, out: &mut Outbox) {
        if !self.leads() {
            return;
        }
        for (sequence, batch) in &self.on_their_way {
            let batch = batch.clone();
            out.send_members(Order { view: self.view, sequence: *sequence, batch, seal: None });
        }
    }

    /// The last ORDER that f backups have.
    pub(super) fn complete(&self) -> Sequence {
        let backups = self.members.iter().zip(&self.acked).filter(|(member, _)| member.node != self.me);
        let mut acked: Vec<Sequence> = backups.map(|(_, acked)| *acked).collect();
        acked.sort_unstable_by(|one, other| other.cmp(one));
        let by_f = acked.get(self.settings.f - 1).copied().unwrap_or(Sequence::ZERO);
        // A configuration starts with its ORDERs complete: whoever enters it has them.
        let start = self.new_config.as_ref().map_or(Sequence::ZERO, |new| new.last());
        by_f.max(start)
    }

    pub(super) fn receive_ack(&mut self, from: NodeId, ack: &Ack, out: &mut Outbox) {
        if ack.view != self.view || !self.leads() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if self.accepted_digest(ack.sequence).is_some_and(|digest| digest != ack.digest) {
            return out.refuse(Peer::Node(from), Refusal::Contradiction);
        }
        self.has_up_to(from, ack.sequence, out);
    }

    pub(super) fn receive_joined(&mut self, from: NodeId, joined: &Joined, out: &mut Outbox) {
        if joined.view != self.view || !self.leads() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        // What this replica has not got back from its guard, the other cannot have been sent when it said so.
        self.has_up_to(from, joined.last.min(self.accepted()), out);
    }

    fn has_up_to(&mut self, from: NodeId, sequence: Sequence, out: &mut Outbox) {
        let Some(slot) = self.slot(from) else { return out.refuse(Peer::Node(from), Refusal::NotAllowed) };
        self.acked[slot] = self.acked[slot].max(sequence.min(self.ordered));
        self.order(out);
    }

    /// Step 4 of the paper without a monitor: the ORDERs that a backup has not ACKed, again, until it has. Of those that the
    /// log no longer holds, the stable checkpoint that covers them: it may be that only the backup's ACK was lost, and that
    /// nobody would ever say it again.
    pub(super) fn order_again(&mut self, out: &mut Outbox) {
        if !self.unmonitored || !self.leads() {
            return;
        }
        for (member, acked) in self.members.iter().zip(&self.acked) {
            if *acked < self.stable.sequence && member.node != self.me {
                out.send(member.node, StableCheckpoint { view: self.view, stable: self.stable.clone() });
            }
            let lacks = self.orders.range(acked.next()..).filter(|(sequence, _)| **sequence <= self.ordered);
            for (sequence, stored) in lacks.take(FETCH_ORDERS_MAX).filter(|_| member.node != self.me) {
                let batch = stored.batch.clone();
                out.send(member.node, Order { view: self.view, sequence: *sequence, batch, seal: None });
            }
        }
    }

    pub(super) fn receive_fetch(&mut self, from: NodeId, fetch: &Fetch, out: &mut Outbox) {
        if fetch.view != self.view || !self.leads() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        let mut first = fetch.first;
        if first <= self.stable.sequence {
            out.send(from, StableCheckpoint { view: self.view, stable: self.stable.clone() });
            first = self.stable.sequence.next();
        }
        let accepted = self.accepted();
        let asked = self.orders.range(first..).take_while(|(sequence, _)| **sequence <= accepted);
        for (sequence, stored) in asked.take(FETCH_ORDERS_MAX) {
            let batch = stored.batch.clone();
            out.send(from, Order { view: self.view, sequence: *sequence, batch, seal: None });
        }
    }
}
