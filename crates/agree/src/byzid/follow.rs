//! Every replica's side, the primary's too: accepts ORDERs in order, executes them, says so.
//!
//! Upon ORDER(N, m, v) of the present configuration: if N is the next, it is accepted; if it is further ahead it waits
//!   for those between; if it was accepted before, its ACK was lost and is sent again.
//! To accept: write the record; execute; every K-th, take a checkpoint. Once the record is on disk: ACK(N, D(m), v)
//!   to the primary, and to the clients whose requests are in the batch what [`crate::assent`] says: the speaker's REPLIES, the
//!   others' ASSENT, or REPLY; to a request that was executed before, REPLY.
//! Upon BEAT or an ORDER that shows a gap which does not close: FETCH the ORDERs from the primary, a page of them. Upon the
//!   whole page, if there still is a gap: the next one.

use super::message::{Ack, Fetch, Order};
use super::order::FETCH_ORDERS_MAX;
use super::record::Record;
use super::{Mode, Replica, Stored};
use crate::Message;
use crate::assent::Answers;
use crate::checkpoint::Checkpoint;
use crate::replica::{Destination, Effect, Observation, Outbox, Refusal};
use crate::service::Service;
use bytes::Bytes;
use wire::{ClientId, Encode, NodeId, Peer, Sequence, Timestamp, View};

/// What came out of the requests of a batch that were new, in its order.
type Executed = Vec<(ClientId, Timestamp, Bytes)>;

impl<S: Service> Replica<S> {
    pub(super) fn receive_order(&mut self, from: NodeId, order: Order, out: &mut Outbox) {
        let joining = match &self.mode {
            Mode::Normal => false,
            Mode::Joining(joining) if joining.new.view == order.view => true,
            Mode::Joining(_) | Mode::Stopped { .. } | Mode::Candidate(_) | Mode::Spare => {
                return out.refuse(Peer::Node(from), Refusal::Stale);
            }
        };
        if !joining && (order.view != self.view || from != self.primary()) {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if joining {
            return self.receive_order_to_enter(from, order, out);
        }
        if from == self.me {
            self.came_back(order.sequence);
        }
        self.heard_of = self.heard_of.max(order.sequence);
        if order.sequence <= self.accepted() {
            return self.acknowledge_again(from, &order, out);
        }
        if !self.keep_ahead(order) {
            return out.refuse(Peer::Node(from), Refusal::TooFarAhead);
        }
        self.accept_what_is_next(out);
    }

    /// Keeps an ORDER that cannot be accepted yet; whether there is room for it.
    pub(super) fn keep_ahead(&mut self, order: Order) -> bool {
        if !self.is_within_reach(order.sequence) {
            return false;
        }
        let stored = Stored { batch: order.batch, seal: order.seal, position: None };
        self.orders.entry(order.sequence).or_insert(stored);
        true
    }

    /// Whether there is room for an ORDER: in the log, or in the one that goes on from the stable checkpoint ahead.
    pub(super) fn is_within_reach(&self, at: Sequence) -> bool {
        let after = |start: Sequence| at > start && at <= start.plus(self.settings.log_batches_max());
        after(self.stable.sequence) || self.ahead.as_ref().is_some_and(|ahead| after(ahead.sequence))
    }

    /// The last place that the log has room for: a replica that misses STABLECHECKPOINTs does not let its log grow.
    pub(super) fn log_end(&self) -> Sequence {
        self.stable.sequence.plus(self.settings.log_batches_max())
    }

    fn acknowledge_again(&mut self, from: NodeId, order: &Order, out: &mut Outbox) {
        let agrees = self.accepted_digest(order.sequence).is_none_or(|digest| digest == order.batch.digest());
        if !agrees {
            return out.refuse(Peer::Node(from), Refusal::Contradiction);
        }
        self.say_again(from, out);
    }

    /// The primary lacks an ACK: says once more what is here. Not while the disk has something to take, since an ACK waits
    /// for that already; a disk that stalls would else pile up one for each time that the primary asks.
    pub(super) fn say_again(&mut self, from: NodeId, out: &mut Outbox) {
        if from != self.me && self.journal.pending() == 0 {
            self.acknowledge(self.accepted(), out);
        }
    }

    /// Says to the primary, once it is on disk, that everything up to `at` is here.
    fn acknowledge(&mut self, at: Sequence, out: &mut Outbox) {
        let digest = self.accepted_digest(at).unwrap_or(self.stable.digest);
        let ack = Ack { view: self.view, sequence: at, digest };
        let to = Destination::Peer(Peer::Node(self.primary()));
        self.hold_unless(defect!(ByzIdAckBeforeDurable), Effect::Send { to, message: ack.into() }, out);
    }

    fn hold_unless(&mut self, at_once: bool, effect: Effect, out: &mut Outbox) {
        if at_once {
            out.push(effect);
        } else {
            self.journal.hold(effect, out);
        }
    }

    /// Accepts ORDERs as long as the next one is here and the disk keeps up. What a disk that stalls has not taken is held
    /// back in memory, so it must be little; the ORDERs wait, and come again.
    pub(super) fn accept_what_is_next(&mut self, out: &mut Outbox) {
        if !matches!(self.mode, Mode::Normal) {
            return;
        }
        let before = self.machine.sequence();
        let pending_max = 2 * self.settings.window;
        while self.journal.pending() < pending_max
            && self.orders.contains_key(&self.machine.sequence().next())
        {
            self.accept_next(out);
        }
        let at = self.machine.sequence();
        if at > before {
            self.order(out);
        }
        let page_is_here = before < self.asked_up_to && self.asked_up_to <= at;
        if page_is_here && self.heard_of > at && !self.orders.contains_key(&at.next()) {
            self.fetch_page(out);
        }
    }

    fn accept_next(&mut self, out: &mut Outbox) {
        let sequence = self.machine.sequence().next();
        let view = self.view;
        let stored = self.orders.get_mut(&sequence).expect("the caller saw it");
        let batch = stored.batch.clone();
        let record = Record::Order(Order { view, sequence, batch: batch.clone(), seal: stored.seal });
        stored.position = Some(self.journal.record(record.to_bytes(), out));
        self.history.push_back(batch.digest());
        let executed = self.execute(sequence, &batch, view, out);
        if self.primary() == self.me {
            // The primary sends no ACK; its replies say the same.
            self.ordered = self.ordered.max(sequence);
        } else {
            self.acknowledge(sequence, out);
        }
        self.reply(sequence, &batch, executed, out);
        self.checkpoint_if_due(out);
    }

    /// Executes the batch at `sequence`.
    pub(super) fn execute(
        &mut self,
        sequence: Sequence,
        batch: &crate::Batch,
        view: View,
        out: &mut Outbox,
    ) -> Executed {
        let executed = self.machine.execute(sequence, batch);
        out.observe(Observation::Executed {
            view,
            sequence,
            batch: batch.digest(),
            state: self.machine.digest(),
            applied: executed.iter().map(|(client, timestamp, _)| (*client, *timestamp)).collect(),
        });
        if sequence.0.is_multiple_of(self.settings.checkpoint_interval) {
            self.checkpoints.insert(
                sequence,
                Checkpoint::new(sequence, self.machine.snapshot(), self.settings.chunk_bytes),
            );
        }
        executed
    }

    /// Answers every client in the batch, once the batch is on disk: to a request executed before, the same reply.
    fn reply(&mut self, at: Sequence, batch: &crate::Batch, executed: Executed, out: &mut Outbox) {
        let (view, primary) = (self.view, self.primary());
        let mut answers = Answers::new(self.me, view, primary, at);
        let mut executed = executed.into_iter().peekable();
        for request in batch.requests() {
            let (client, timestamp) = (request.client, request.timestamp);
            match executed.next_if(|new| (new.0, new.1) == (client, timestamp)) {
                Some((_, _, result)) => answers.add(request, result),
                None => {
                    let reply = self.machine.reply_again(view, primary, client, timestamp);
                    reply.into_iter().for_each(|reply| self.say_to(client, reply.into(), out));
                }
            }
        }
        for (client, message) in answers.messages() {
            self.say_to(client, message, out);
        }
    }

    fn say_to(&mut self, client: ClientId, message: Message, out: &mut Outbox) {
        let to = Destination::Peer(Peer::Client(client));
        self.hold_unless(defect!(ByzIdReplyBeforeDurable), Effect::Send { to, message }, out);
    }

    pub(super) fn receive_beat(&mut self, from: NodeId, view: View, last: Sequence, out: &mut Outbox) {
        if view != self.view || from != self.primary() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        self.heard_of = self.heard_of.max(last);
    }

    /// Asks the primary for ORDERs that it sent and that have not come since the timer last ran out.
    pub(super) fn fetch_what_is_missing(&mut self, out: &mut Outbox) {
        let at = self.accepted();
        let lacks = self.heard_of > at && self.stood_at == at && self.transfer.is_none();
        if lacks && !self.leads() {
            self.fetch_page(out);
        }
    }

    fn fetch_page(&mut self, out: &mut Outbox) {
        let at = self.accepted();
        self.asked_up_to = at.plus(FETCH_ORDERS_MAX as u64);
        out.send(self.primary(), Fetch { view: self.view, first: at.next() });
    }
}
