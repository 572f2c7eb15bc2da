//! The way into a configuration, for its primary and its backups alike.
//!
//! Upon NEWCONFIG(t, V, O) from the primary of t, or back from the own guard: what of it this replica lacks is fetched.
//! When all is here: what was executed beyond it, or otherwise, is rolled back to the last checkpoint before the first
//!   difference; the ORDERs of O are executed; the records go to disk. A backup then says JOINED(t), once they are there.
//!
//! Where things are fetched: a snapshot and batches, by digest, from the claimants; a backup's batches from the primary, as
//! ORDERs of t.

use super::message::{AskBatch, Fetch, Joined, NewConfig, Order, Stable};
use super::reconfigure::digest_at;
use super::record::Record;
use super::{Joining, Mode, Replica, Stored};
use crate::checkpoint::{self, Checkpoint};
use crate::replica::{Destination, Effect, Observation, Outbox, Position, Refusal};
use crate::service::Service;
use wire::{Encode, NodeId, Peer, Sequence};

/// Batches asked for at a time.
const ASK_BATCHES_MAX: usize = 16;

impl<S: Service> Replica<S> {
    /// The configuration that this replica prepares to enter.
    pub(super) fn plan_in_hand(&self) -> Option<&NewConfig> {
        match &self.mode {
            Mode::Candidate(candidacy) => candidacy.plan.as_deref(),
            Mode::Joining(joining) => Some(&joining.new),
            Mode::Normal | Mode::Stopped { .. } | Mode::Spare => None,
        }
    }

    /// The stable checkpoint from which to enter it.
    fn base_in_hand(&self) -> Option<&Stable> {
        match &self.mode {
            Mode::Candidate(candidacy) => candidacy.plan.as_ref().map(|plan| &plan.stable),
            Mode::Joining(joining) => Some(&joining.base),
            Mode::Normal | Mode::Stopped { .. } | Mode::Spare => None,
        }
    }

    pub(super) fn receive_new_config(&mut self, from: NodeId, new: NewConfig, out: &mut Outbox) {
        if new.primary() != Some(from) || new.members.len() != self.n() {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        if new.view == self.view && matches!(self.mode, Mode::Normal) {
            // The primary does not know that this replica is in: JOINED was lost.
            return self.say_joined(out);
        }
        if new.view <= self.view {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        match &self.mode {
            // It came back from the own guard.
            Mode::Candidate(candidacy) if candidacy.sent && candidacy.target == new.view => {
                let base = new.stable.clone();
                return self.enter(new, base, out);
            }
            Mode::Joining(joining) if joining.new.view == new.view => return self.fetch_to_enter(out),
            Mode::Candidate(_) | Mode::Joining(_) | Mode::Normal | Mode::Stopped { .. } | Mode::Spare => {}
        }
        self.journal.drop_held();
        self.transfer = None;
        self.ahead = None;
        self.gathered_snapshot = None;
        self.gathered.clear();
        self.queue.clear();
        let accepted = self.machine.sequence();
        self.orders.retain(|sequence, _| *sequence <= accepted);
        let base = new.stable.clone();
        self.mode = Mode::Joining(Box::new(Joining { new, base }));
        self.fetch_to_enter(out);
        self.enter_if_complete(out);
    }

    /// Whether the snapshot of `base` is needed and not here.
    fn lacks_snapshot(&self, base: &Stable) -> bool {
        let has = |checkpoint: Option<&Checkpoint>| checkpoint.map(Checkpoint::digest) == Some(base.digest);
        let past = self.stable.sequence >= base.sequence;
        !past && !has(self.checkpoints.get(&base.sequence)) && !has(self.gathered_snapshot.as_ref())
    }

    /// The places after the snapshot whose batches are not here.
    fn lacks_batches(&self, new: &NewConfig, base: &Stable) -> Vec<Sequence> {
        let first = base.sequence.max(self.stable.sequence).next();
        (first.0..=new.last().0)
            .map(Sequence)
            .filter(|at| {
                let digest = digest_at(new, *at);
                let stored = self.orders.get(at).map(|stored| stored.batch.digest());
                let gathered = self.gathered.get(at).map(crate::Batch::digest);
                stored != digest && gathered != digest
            })
            .collect()
    }

    /// Asks for what is needed to enter the configuration in hand and is not here.
    pub(super) fn fetch_to_enter(&mut self, out: &mut Outbox) {
        let (Some(new), Some(base)) = (self.plan_in_hand().cloned(), self.base_in_hand().cloned()) else {
            return;
        };
        let leads = new.primary() == Some(self.me);
        if self.lacks_snapshot(&base) {
            if self.transfer.as_ref().is_none_or(|transfer| transfer.digest() != base.digest) {
                let first = new.primary().filter(|_| !leads);
                let sources = first.into_iter().chain(self.others()).collect();
                self.transfer = Some(checkpoint::Fetch::new(base.sequence, base.digest, sources));
            }
            return self.continue_transfer(out);
        }
        let lacks = self.lacks_batches(&new, &base);
        match (lacks.first(), new.primary()) {
            (Some(first), Some(primary)) if !leads => {
                out.send(primary, Fetch { view: new.view, first: *first });
            }
            (Some(_), _) => {
                for at in lacks.into_iter().take(ASK_BATCHES_MAX) {
                    let digest = digest_at(&new, at).expect("it is one of those listed");
                    for node in new.claimants.iter().filter(|node| **node != self.me) {
                        out.send(*node, AskBatch { target: new.view, sequence: at, digest });
                    }
                }
            }
            (None, _) => {}
        }
    }

    /// Upon an ORDER of the configuration that this replica is joining: one with which it starts, or a later one.
    pub(super) fn receive_order_to_enter(&mut self, from: NodeId, order: Order, out: &mut Outbox) {
        let Mode::Joining(joining) = &self.mode else { return };
        let new = &joining.new;
        if new.primary() != Some(from) {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        if order.sequence > new.last() {
            // It cannot be taken before what comes before it; the primary will send it again.
            return;
        }
        if digest_at(new, order.sequence) != Some(order.batch.digest()) {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if self.gathered.get(&order.sequence).map(crate::Batch::digest) != Some(order.batch.digest()) {
            self.gathered.insert(order.sequence, order.batch);
            self.enter_if_complete(out);
        }
    }

    /// Enters the configuration in hand, or as the candidate proposes it, once nothing is missing.
    pub(super) fn enter_if_complete(&mut self, out: &mut Outbox) {
        let (Some(new), Some(base)) = (self.plan_in_hand().cloned(), self.base_in_hand().cloned()) else {
            return;
        };
        if self.lacks_snapshot(&base) {
            return;
        }
        if !self.lacks_batches(&new, &base).is_empty() {
            // One page is here; the next one may be asked for.
            if self.gathered.len().is_multiple_of(ASK_BATCHES_MAX) {
                self.fetch_to_enter(out);
            }
            return;
        }
        match &mut self.mode {
            Mode::Candidate(candidacy) if candidacy.sent => {}
            Mode::Candidate(candidacy) => {
                candidacy.sent = true;
                out.send_members(Box::new(new));
            }
            Mode::Joining(_) => {
                self.enter(new, base, out);
                self.say_joined(out);
            }
            Mode::Normal | Mode::Stopped { .. } | Mode::Spare => {}
        }
    }

    fn say_joined(&mut self, out: &mut Outbox) {
        let joined = Joined { view: self.view, last: self.accepted() };
        let to = Destination::Peer(Peer::Node(self.primary()));
        if defect!(ByzIdJoinedBeforeDurable) {
            return out.push(Effect::Send { to, message: joined.into() });
        }
        self.journal.hold(Effect::Send { to, message: joined.into() }, out);
    }

    /// Makes the state the one with which `new` starts, or a later stable one of it, and takes part. Nothing is missing.
    fn enter(&mut self, new: NewConfig, base: Stable, out: &mut Outbox) {
        let moved = self.start_from_base(&base, out);
        self.roll_back_to_common(&new, out);
        self.keep_batches(&new, out);
        self.view = new.view;
        self.members = new.members.clone();
        self.new_config = Some(Box::new(new.clone()));
        if moved {
            self.write_snapshot(out);
        } else {
            self.journal.record(Record::NewConfig(Box::new(new.clone())).to_bytes(), out);
        }
        while self.machine.sequence() < new.last() {
            let at = self.machine.sequence().next();
            let batch = self.orders[&at].batch.clone();
            self.history.push_back(batch.digest());
            self.execute(at, &batch, new.view, out);
        }
        self.take_part(out);
    }

    fn take_part(&mut self, out: &mut Outbox) {
        self.mode = Mode::Normal;
        // Nobody enters a configuration without a monitor.
        self.unmonitored = false;
        self.transfer = None;
        self.gathered_snapshot = None;
        self.ordered = self.accepted();
        self.on_their_way.clear();
        self.orders_from = Some(Position(0));
        self.declared = self.stable.sequence;
        self.heard_of = self.accepted();
        self.asked_up_to = Sequence::ZERO;
        self.acked = vec![Sequence::ZERO; self.n()];
        self.votes = vec![None; self.n()];
        out.observe(Observation::Entered { view: self.view, primary: self.primary() });
    }

    /// Starts from the checkpoint `base`, if this replica is not past it; whether it was not.
    fn start_from_base(&mut self, base: &Stable, out: &mut Outbox) -> bool {
        if self.stable.sequence >= base.sequence {
            return false;
        }
        if self.checkpoints.get(&base.sequence).map(Checkpoint::digest) == Some(base.digest) {
            self.start_from_own(base.clone(), out);
        } else {
            let fetched = self.gathered_snapshot.take().expect("nothing is missing");
            assert_eq!(fetched.digest(), base.digest);
            self.become_checkpoint(&fetched, base.clone(), out);
        }
        true
    }

    /// Takes back what this replica executed after the last ORDER that it has in common with `new`.
    fn roll_back_to_common(&mut self, new: &NewConfig, out: &mut Outbox) {
        let mut common = self.stable.sequence;
        while common < self.machine.sequence()
            && digest_at(new, common.next()) == self.accepted_digest(common.next())
        {
            common = common.next();
        }
        if common == self.machine.sequence() || defect!(ByzIdNoRollback) {
            return;
        }
        let (at, checkpoint) =
            self.checkpoints.range(..=common).next_back().expect("the stable checkpoint is kept");
        let (at, snapshot) = (*at, checkpoint.snapshot().clone());
        if let Err(error) = self.machine.restore(&snapshot) {
            panic!("this replica took the snapshot itself: {error}");
        }
        self.checkpoints.retain(|sequence, _| *sequence <= at);
        self.history.truncate((at.0 - self.stable.sequence.0) as usize);
        out.observe(Observation::RolledBack { to: at });
    }

    /// Puts the batches with which `new` starts on disk, as far as they are not there.
    fn keep_batches(&mut self, new: &NewConfig, out: &mut Outbox) {
        let mut gathered = core::mem::take(&mut self.gathered);
        let last = new.last();
        self.orders.retain(|sequence, _| *sequence <= last);
        for at in (self.stable.sequence.next().0..=last.0).map(Sequence) {
            let digest = digest_at(new, at);
            let stored = self.orders.get(&at);
            if stored.is_some_and(|stored| Some(stored.batch.digest()) == digest && stored.position.is_some())
            {
                continue;
            }
            let own =
                stored.map(|stored| stored.batch.clone()).filter(|batch| Some(batch.digest()) == digest);
            let batch = own.or_else(|| gathered.remove(&at)).expect("nothing is missing");
            let record =
                Record::Order(Order { view: new.view, sequence: at, batch: batch.clone(), seal: None });
            let position = Some(self.journal.record(record.to_bytes(), out));
            self.orders.insert(at, Stored { batch, seal: None, position });
        }
    }
}
