//! Phase 2 at the leader: gives each batch a place, and keeps it moving until it is chosen.
//!
//! Upon a REQUEST(o, T, c), in this order:
//!   - the session table has answered it: the answer goes out again;
//!   - it, or a later one of the client, is at an open place or waits already: nothing;
//!   - `requests_waiting_max` requests wait, or two of the client: BUSY;
//!   - else it waits, and if there is room it is proposed at once.
//!
//! Upon room (fewer than `window` places open, and none too far after the stable checkpoint): first what was
//!   inherited from earlier ballots, in order, then the longest prefix of the waiting requests that fits a batch.
//!   ACCEPT goes to everybody, and the leader's own acceptance to its disk at the same time.
//! Upon ACCEPTED(v, N) from a member, or the own record being durable: f+1 of them make N chosen. It is executed when
//!   all before it are; that makes room.
//! Upon the retransmission timer: ACCEPT again, to those that owe an answer, for places that were open the last
//!   time too; the timer doubles, up to `view_timeout`, until something is chosen again.
//! Upon the heartbeat timer: HEARTBEAT(v, chosen) to everybody.
//!
//! Who was away does not hold up the others: a place is closed once it is chosen, and the absent one catches up
//! later.

use super::message::{Accept, Accepted, Heartbeat, Message};
use super::record::{Accepted as AcceptedRecord, Record};
use super::{HEARTBEAT, RETRANSMIT, Replica, Role};
use crate::Settings;
use crate::queue::{Added, OF_A_CLIENT_MAX, Queue};
use crate::replica::{Outbox, Position, Refusal};
use crate::request::{BATCH_BYTES_MAX, BATCH_REQUESTS_MAX, Batch, Busy, Request};
use crate::service::Service;
use crate::sessions::Standing;
use core::time::Duration;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{ClientId, Encode, NodeId, Peer, Sequence, Timestamp};

/// Places of which ACCEPT is sent again at one tick of the timer, at most.
const RETRANSMIT_PLACES_MAX: usize = 16;

/// What only the leader of a view knows.
#[derive(Clone, Hash, Debug)]
pub(super) struct Lead {
    /// The next place to propose at.
    next: Sequence,
    /// The places proposed at and not yet executed; `window` at most.
    open: BTreeMap<Sequence, Open>,
    /// What must be proposed before anything new.
    inherited: VecDeque<Batch>,
    queue: Queue,
    /// The newest request of each client among those inherited or open.
    ordered: BTreeMap<ClientId, Timestamp>,
    /// The retransmission timer, if it runs.
    wait: Option<Duration>,
    /// Whether something was chosen since the view timer ran out last.
    progress: bool,
}

/// A place proposed at and not yet executed.
#[derive(Clone, Hash, Debug)]
struct Open {
    accepted: BTreeSet<NodeId>,
    /// The leader's own acceptance.
    record: Position,
    /// Whether it was open at the last tick of the retransmission timer.
    old: bool,
}

impl Lead {
    /// A leader that proposes `inherited` from the place `next` on.
    pub(super) fn new(next: Sequence, inherited: VecDeque<Batch>, settings: &Settings) -> Self {
        let mut lead = Lead {
            next,
            open: BTreeMap::new(),
            inherited: VecDeque::new(),
            queue: Queue::new(settings.requests_waiting_max, OF_A_CLIENT_MAX),
            ordered: BTreeMap::new(),
            wait: None,
            progress: false,
        };
        inherited.iter().for_each(|batch| lead.order(batch));
        lead.inherited = inherited;
        lead
    }

    /// The requests of `batch` have a place, or will have one before any that waits.
    fn order(&mut self, batch: &Batch) {
        for request in batch.requests() {
            let newest = self.ordered.entry(request.client).or_insert(request.timestamp);
            *newest = request.timestamp.max(*newest);
        }
    }

    /// `batch` was executed: from now on the session table knows its requests.
    pub(super) fn executed(&mut self, batch: &Batch) {
        for request in batch.requests() {
            if let Entry::Occupied(newest) = self.ordered.entry(request.client)
                && *newest.get() == request.timestamp
            {
                newest.remove();
            }
        }
    }

    /// Whether something waits and nothing was chosen since this was asked last.
    pub(super) fn is_stuck(&mut self) -> bool {
        let waits = !self.open.is_empty() || !self.inherited.is_empty() || !self.queue.is_empty();
        let progress = core::mem::take(&mut self.progress);
        waits && !progress
    }

    /// The next batch to propose, if there is one and room for it up to `limit`.
    fn take_next(&mut self, settings: &Settings, limit: Sequence) -> Option<Batch> {
        if self.open.len() as u64 >= settings.window || self.next > limit {
            return None;
        }
        let requests_max = settings.batch_requests_max.min(BATCH_REQUESTS_MAX);
        let bytes_max = settings.batch_bytes_max.min(BATCH_BYTES_MAX);
        self.inherited.pop_front().or_else(|| self.queue.take_batch(requests_max, bytes_max))
    }

    /// The places to send again: those that were open at the last tick too. The others will be, at the next one.
    fn overdue(&mut self) -> Vec<(Sequence, BTreeSet<NodeId>)> {
        let overdue = self.open.iter().filter(|(_, open)| open.old).take(RETRANSMIT_PLACES_MAX);
        let overdue = overdue.map(|(sequence, open)| (*sequence, open.accepted.clone())).collect();
        self.open.values_mut().for_each(|open| open.old = true);
        overdue
    }
}

impl<S: Service + Clone> Replica<S> {
    /// A client asks, here or, as somebody else passes on, elsewhere.
    pub(super) fn request(&mut self, request: Request, out: &mut Outbox) {
        let (client, timestamp) = (request.client, request.timestamp);
        // What was executed was chosen, so whoever executed it can answer, leader or not.
        match self.machine.standing(client, timestamp) {
            Standing::New => {}
            Standing::Outdated => return out.refuse(Peer::Client(client), Refusal::Stale),
            Standing::Answered { .. } | Standing::Forgotten | Standing::TooMany => {
                let reply = self.machine.reply_again(self.promised, self.me, client, timestamp);
                return reply.into_iter().for_each(|reply| self.send_reply(reply, out));
            }
        }
        let Role::Leading(lead) = &mut self.role else {
            return self.relay(request, out);
        };
        if lead.ordered.get(&client).is_some_and(|ordered| *ordered >= timestamp) {
            return;
        }
        match lead.queue.add(request) {
            Added::Duplicate => {}
            Added::Full => {
                out.refuse(Peer::Client(client), Refusal::NoRoom);
                out.send(client, Busy { client, timestamp });
            }
            Added::Queued => {}
        }
    }

    /// Proposes as much as there is room for.
    pub(super) fn propose(&mut self, out: &mut Outbox) {
        let limit = self.limit();
        while let Role::Leading(lead) = &mut self.role
            && let Some(batch) = lead.take_next(&self.settings, limit)
        {
            self.propose_next(batch, out);
        }
    }

    fn propose_next(&mut self, batch: Batch, out: &mut Outbox) {
        let (view, chosen) = (self.promised, self.executed());
        let Role::Leading(lead) = &mut self.role else { return };
        let sequence = lead.next;
        assert!(sequence > chosen, "nothing is proposed where something is chosen");
        lead.next = sequence.next();
        lead.order(&batch);
        let record = AcceptedRecord { view, sequence, batch: batch.clone() };
        // The others' disks need not wait for this one: should its record be lost, the ballot is over for it.
        out.send_members(Message::Accept(Accept { view, sequence, chosen, batch: batch.clone() }));
        let record = self.journal.record(Record::Accepted(record).to_bytes(), out);
        self.log.accept(sequence, view, batch, record);
        let mut accepted = BTreeSet::new();
        if defect!(PaxosReplyEarly) {
            accepted.extend(self.settings.members.iter().copied());
        }
        lead.open.insert(sequence, Open { accepted, record, old: false });
        if lead.wait.is_none() {
            lead.wait = Some(self.settings.retransmit_after);
            out.set_timer(RETRANSMIT, self.settings.retransmit_after);
        }
        if defect!(PaxosReplyEarly) {
            self.advance(out);
        }
    }

    /// A member accepted.
    pub(super) fn accepted_by(&mut self, from: NodeId, accepted: &Accepted, out: &mut Outbox) {
        let Role::Leading(lead) = &mut self.role else {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        };
        if accepted.view != self.promised {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if accepted.sequence >= lead.next {
            return out.refuse(Peer::Node(from), Refusal::Contradiction);
        }
        // Of those that accept a place, all after the first f+1 come when it is closed.
        if let Some(open) = lead.open.get_mut(&accepted.sequence) {
            open.accepted.insert(from);
            self.advance(out);
        }
    }

    /// The leader counts itself where its own record is durable.
    pub(super) fn count_own(&mut self, out: &mut Outbox) {
        let durable = self.journal.durable_up_to();
        let Role::Leading(lead) = &mut self.role else { return };
        for open in lead.open.values_mut().filter(|open| open.record <= durable) {
            open.accepted.insert(self.me);
        }
        self.advance(out);
    }

    /// Executes what is chosen and next, and proposes into the room that this makes.
    fn advance(&mut self, out: &mut Outbox) {
        let quorum = if defect!(PaxosAcceptQuorum) { self.settings.f } else { self.settings.f + 1 };
        loop {
            let next = self.executed().next();
            let Role::Leading(lead) = &mut self.role else { return };
            let accepted = lead.open.get(&next).map_or(0, |open| open.accepted.len());
            if accepted < quorum {
                break;
            }
            lead.open.remove(&next);
            lead.progress = true;
            let entry =
                self.log.get(next).expect("what is open is in the log: nothing after `executed` is cut off");
            let batch = entry.batch.clone();
            self.execute(&batch, out);
        }
        self.propose(out);
    }

    /// The retransmission timer ran out.
    pub(super) fn retransmit(&mut self, out: &mut Outbox) {
        match &mut self.role {
            Role::Preparing(_) => self.prepare_again(out),
            Role::Leading(_) => self.accept_again(out),
            Role::Following | Role::Canvassing(_) => {}
        }
    }

    fn accept_again(&mut self, out: &mut Outbox) {
        let (view, chosen) = (self.promised, self.executed());
        let others = self.others_from(0);
        let Role::Leading(lead) = &mut self.role else { return };
        if lead.open.is_empty() {
            lead.wait = None;
            return;
        }
        let overdue = lead.overdue();
        let shortest = self.settings.retransmit_after;
        let doubled = lead.wait.map_or(shortest, |wait| (wait * 2).min(self.settings.view_timeout));
        let wait = if overdue.is_empty() { shortest } else { doubled };
        lead.wait = Some(wait);
        out.set_timer(RETRANSMIT, wait);
        for (sequence, accepted) in overdue {
            let Some(entry) = self.log.get(sequence) else { continue };
            for other in others.iter().filter(|other| !accepted.contains(other)) {
                let batch = entry.batch.clone();
                out.send(*other, Message::Accept(Accept { view, sequence, chosen, batch }));
            }
        }
    }

    /// Says that the leader is there.
    pub(super) fn beat(&mut self, out: &mut Outbox) {
        if let Role::Leading(_) = self.role {
            out.send_members(Message::Heartbeat(Heartbeat { view: self.promised, chosen: self.executed() }));
            out.set_timer(HEARTBEAT, self.settings.heartbeat_every);
        }
    }
}
