//! What happens to a client's request before it has a place.
//!
//! Upon REQUEST(o, T, c) from the client itself:
//!   - executed already: the reply again, if it was the client's last; else STALE;
//!   - known: it has a place, waits for one, or is watched: nothing. What clients say again must not cost a signature's check;
//!   - at a backup: more of its station than it looks at between two ticks ([`super::relay`]): NO-ROOM, and the client comes again;
//!   - the client's signature must be valid, else WRONG-AUTHENTICATOR;
//!   - at the primary of a view that has begun: it goes to the queue; BUSY if that is full, or an earlier one of the client
//!     waits there: so nobody is served more than once while another waits (`in_turn` counts on it);
//!   - elsewhere: it is watched, see [`super::watch`], and the primary is shown it, see [`super::relay`].
//!
//! Upon room in the window, at the primary (`propose`): the next batch of those not executed and without a place gets
//! the next place: the record, and behind it PRE-PREPARE(v, n, m). At most τ batches are not executed, and none is
//! beyond the high watermark.
//!
//! Upon the end of the view: what waited in the queue is watched, and the other way round at the next primary.

use super::Replica;
use super::message::{Message, PrePrepare};
use super::record::Record;
use super::relay::RELAYED_WAITING_MAX;
use super::watch::Watch;
use crate::Service;
use crate::queue::{Added, Queue};
use crate::replica::{Outbox, Refusal};
use crate::request::{BATCH_BYTES_MAX, BATCH_REQUESTS_MAX, Batch, Busy, Request};
use crate::sessions::Standing;
use crate::settings::Settings;
use std::collections::BTreeMap;
use wire::{ClientId, Keys, Peer, Sequence, Timestamp};

/// Requests of one client that wait at most: `in_turn` counts on it.
const OF_A_CLIENT_MAX: u8 = 1;

/// Requests that wait, and the places given to those that do not.
#[derive(Clone, Hash, Debug)]
pub(super) struct Order {
    /// At the primary: what waits for a place.
    pub(super) queue: Queue,
    /// Elsewhere: what waits to be executed.
    pub(super) watch: Watch,
    /// At the primary: the newest request of each client that has a place and is not executed.
    placed: BTreeMap<ClientId, Timestamp>,
    /// At the primary: the next place to give.
    pub(super) next: Sequence,
}

impl Order {
    pub(super) fn new(settings: &Settings) -> Self {
        Order {
            queue: Queue::new(settings.requests_waiting_max + RELAYED_WAITING_MAX, OF_A_CLIENT_MAX),
            watch: Watch::new(settings.requests_waiting_max),
            placed: BTreeMap::new(),
            next: Sequence(1),
        }
    }

    /// Notes that the requests of `batch` have a place.
    pub(super) fn place(&mut self, batch: &Batch) {
        for request in batch.requests() {
            let newest = self.placed.entry(request.client).or_default();
            *newest = (*newest).max(request.timestamp);
        }
    }

    /// Notes that the requests of `batch` were executed.
    pub(super) fn executed(&mut self, batch: &Batch) {
        for Request { client, timestamp, .. } in batch.requests() {
            self.watch.remove(*client, *timestamp);
            if self.placed.get(client).is_some_and(|newest| newest <= timestamp) {
                self.placed.remove(client);
            }
        }
    }

    /// At the primary: whether this request, or a later one of the client, has a place or waits for one.
    pub(super) fn covers(&self, client: ClientId, timestamp: Timestamp) -> bool {
        self.placed.get(&client).is_some_and(|newest| *newest >= timestamp)
            || self.queue.covers(client, timestamp)
    }

    /// Adds a request to the queue, if less than `max` wait there.
    pub(super) fn enqueue(&mut self, request: Request, max: usize) -> Added {
        if self.queue.len() >= max {
            return Added::Full;
        }
        self.queue.add(request)
    }

    /// The view is over, or begins: no request has a place.
    pub(super) fn forget_places(&mut self) {
        self.placed.clear();
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// A client asks.
    pub(super) fn request(&mut self, request: Request, out: &mut Outbox) -> Result<(), Refusal> {
        let (client, timestamp) = (request.client, request.timestamp);
        match self.machine.standing(client, timestamp) {
            Standing::Answered { .. } | Standing::Forgotten | Standing::TooMany => {
                if let Some(reply) =
                    self.machine.reply_again(self.views.view, self.primary(), client, timestamp)
                {
                    out.send(client, crate::Message::Reply(reply));
                }
                return Ok(());
            }
            Standing::Outdated => return Err(Refusal::Stale),
            Standing::New => {}
        }
        if !self.takes_part() {
            return Err(Refusal::NotAllowed);
        }
        if !(self.leads() && self.views.active) {
            return self.watch(request, out);
        }
        if self.order.covers(client, timestamp) {
            return Ok(());
        }
        if !self.is_signed(&request) {
            return Err(Refusal::WrongAuthenticator);
        }
        match self.order.enqueue(request, self.settings.requests_waiting_max) {
            Added::Queued | Added::Duplicate => Ok(()),
            Added::Full => {
                out.send(client, crate::Message::Busy(Busy { client, timestamp }));
                Err(Refusal::NoRoom)
            }
        }
    }

    /// Waits for a request to be executed, and shows it to the primary if it is new here.
    fn watch(&mut self, request: Request, out: &mut Outbox) -> Result<(), Refusal> {
        if self.order.watch.covers(request.client, request.timestamp) {
            return Ok(());
        }
        if !self.relays.may_look_at(request.client) {
            return Err(Refusal::NoRoom);
        }
        if !self.is_signed(&request) {
            return Err(Refusal::WrongAuthenticator);
        }
        if !self.order.watch.add(request.clone()) {
            return Err(Refusal::NoRoom);
        }
        self.relay(request, out);
        Ok(())
    }

    /// Whether the client that `request` names did sign it.
    pub(super) fn is_signed(&self, request: &Request) -> bool {
        if defect!(PbftRequestUnsigned) {
            return true;
        }
        request.signature.as_deref().is_some_and(|signature| {
            self.keys.signature_is_valid(Peer::Client(request.client), &request.signed_bytes(), signature)
        })
    }

    /// Gives places to what waits, as long as the window has room.
    pub(super) fn propose(&mut self, out: &mut Outbox) {
        self.order.next = self.order.next.max(self.machine.sequence().next());
        while self.may_propose() {
            let Some(batch) = self.next_batch() else { return };
            if batch.requests().is_empty() {
                continue;
            }
            let (view, sequence) = (self.views.view, self.order.next);
            self.order.next = sequence.next();
            self.order.place(&batch);
            self.accept(sequence, batch.clone(), out);
            self.send_durably(Message::PrePrepare(PrePrepare { view, sequence, batch }), out);
        }
    }

    fn may_propose(&self) -> bool {
        let next = self.order.next;
        // The places given and not executed, once `next` is given too.
        let open = next.0.saturating_sub(self.machine.sequence().0);
        let has_room = open <= self.settings.window && self.log.contains(next);
        self.leads() && self.views.active && has_room && self.takes_part() && !self.is_closing()
    }

    /// The next batch of requests that still need a place; it may turn out empty.
    fn next_batch(&mut self) -> Option<Batch> {
        let requests_max = self.settings.batch_requests_max.min(BATCH_REQUESTS_MAX);
        let bytes_max = self.settings.batch_bytes_max.min(BATCH_BYTES_MAX);
        let batch = self.order.queue.take_batch(requests_max, bytes_max)?;
        let needs_place = |request: &&Request| {
            self.machine.standing(request.client, request.timestamp) == Standing::New
                && self.order.placed.get(&request.client).is_none_or(|newest| *newest < request.timestamp)
        };
        let requests: Vec<Request> = batch.requests().iter().filter(needs_place).cloned().collect();
        Some(if requests.len() == batch.requests().len() { batch } else { Batch::new(requests) })
    }

    /// Records that this replica accepts `batch` at `sequence` in the present view.
    pub(super) fn accept(&mut self, sequence: Sequence, batch: Batch, out: &mut Outbox) {
        let (view, digest) = (self.views.view, batch.digest());
        let slot = self.log.slot(sequence);
        // The defect: a PREPARE goes out that a loss of power makes the replica forget.
        if self.me == self.settings.members[(view.0 % self.settings.n() as u64) as usize]
            || !defect!(PbftPrepareForgotten)
        {
            let record = Record::Accepted(PrePrepare { view, sequence, batch: batch.clone() });
            slot.recorded(self.journal.record(record.encoded(), out));
        }
        slot.batches.insert(digest, batch);
        slot.accept(view, digest);
    }

    /// The replica does not lead any more: what waited for a place is watched.
    pub(super) fn watch_the_queue(&mut self) {
        self.order.forget_places();
        for request in self.order.queue.iter() {
            // No room means that the client will have to send it again.
            let _ = self.order.watch.add(request.clone());
        }
        self.order.queue.clear();
    }

    /// The replica leads now: what it watched waits for a place.
    pub(super) fn queue_the_watched(&mut self) {
        for request in self.order.watch.take() {
            // The queue is as long as the list was, and empty before.
            let _ = self.order.queue.add(request);
        }
    }
}
