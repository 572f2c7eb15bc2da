//! Checkpoints, and what becomes of the log.
//!
//! At every K-th ORDER: a tentative checkpoint. A backup sends CHECKPOINT(N, d) to the primary once everything up to N is on
//!   disk, and again until it is stable.
//! Upon CHECKPOINT(N, d) from f backups that match the primary's own: STABLECHECKPOINT(N, d). It comes back sealed.
//! Upon STABLECHECKPOINT(N, d): if this replica has the state d at N, the snapshot goes to disk and the log up to N is
//!   dropped; else it fetches the snapshot, and takes it over.

use super::message::{Checkpoint as CheckpointMessage, Stable, StableCheckpoint};
use super::record::Image;
use super::{Mode, Replica};
use crate::checkpoint::{Checkpoint, Fetch, Step, Transfer};
use crate::replica::{Destination, Effect, Observation, Outbox, Refusal};
use crate::service::Service;
use wire::{Encode, NodeId, Peer, Sequence};

impl<S: Service> Replica<S> {
    /// After an ORDER was accepted: if it is a K-th, says so.
    pub(super) fn checkpoint_if_due(&mut self, out: &mut Outbox) {
        let at = self.machine.sequence();
        let Some(own) = self.checkpoints.get(&at).map(Checkpoint::digest) else { return };
        match self.ahead.clone() {
            // The others have agreed on it already.
            Some(ahead) if ahead.sequence == at && ahead.digest == own => self.make_stable(ahead, out),
            Some(ahead) if ahead.sequence == at => self.fetch_snapshot(out),
            Some(_) | None if self.primary() == self.me => self.declare_stable_if_proven(out),
            Some(_) | None => self.say_checkpoint(at, out),
        }
    }

    fn say_checkpoint(&mut self, at: Sequence, out: &mut Outbox) {
        let digest = self.checkpoints[&at].digest();
        let message = CheckpointMessage { view: self.view, sequence: at, digest };
        let to = Destination::Peer(Peer::Node(self.primary()));
        self.journal.hold(Effect::Send { to, message: message.into() }, out);
    }

    /// The last tentative checkpoint has not become stable since the timer was set: perhaps its CHECKPOINT was lost.
    pub(super) fn say_checkpoint_again(&mut self, out: &mut Outbox) {
        let last = self.checkpoints.keys().next_back().copied();
        if let Some(last) = last.filter(|last| *last > self.stable.sequence)
            && !self.leads()
        {
            self.say_checkpoint(last, out);
        }
    }

    pub(super) fn receive_checkpoint(
        &mut self,
        from: NodeId,
        checkpoint: &CheckpointMessage,
        out: &mut Outbox,
    ) {
        if checkpoint.view != self.view || !self.leads() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if checkpoint.sequence <= self.stable.sequence {
            // It does not know yet; the STABLECHECKPOINT was lost.
            return out.send(from, StableCheckpoint { view: self.view, stable: self.stable.clone() });
        }
        let Some(slot) = self.slot(from) else { return out.refuse(Peer::Node(from), Refusal::NotAllowed) };
        self.votes[slot] = Some((checkpoint.sequence, checkpoint.digest));
        self.declare_stable_if_proven(out);
    }

    /// As the primary: declares the latest checkpoint stable that f backups and this replica agree on.
    fn declare_stable_if_proven(&mut self, out: &mut Outbox) {
        let proven = self.checkpoints.values().rev().find(|own| {
            let vote = Some((own.sequence(), own.digest()));
            own.sequence() > self.stable.sequence.max(self.declared)
                && self.votes.iter().filter(|said| **said == vote).count() >= self.settings.f
        });
        if let Some(own) = proven {
            let stable = Stable { sequence: own.sequence(), digest: own.digest(), seal: None };
            self.declared = stable.sequence;
            let message = StableCheckpoint { view: self.view, stable };
            // This replica is one of the f+1 that vouch: what it vouches for is on its disk.
            self.journal.hold(Effect::Send { to: Destination::Members, message: message.into() }, out);
        }
    }

    pub(super) fn receive_stable(&mut self, from: NodeId, checkpoint: &StableCheckpoint, out: &mut Outbox) {
        if let Mode::Joining(joining) = &mut self.mode
            && joining.new.view == checkpoint.view
            && joining.new.primary() == Some(from)
        {
            if checkpoint.stable.sequence > joining.base.sequence {
                joining.base = checkpoint.stable.clone();
                self.transfer = None;
                self.fetch_to_enter(out);
                self.enter_if_complete(out);
            }
            return;
        }
        if !matches!(self.mode, Mode::Normal) || checkpoint.view != self.view || from != self.primary() {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if checkpoint.stable.sequence <= self.stable.sequence {
            // It is said again only to one whose ACK the primary lacks.
            return self.say_again(from, out);
        }
        self.heard_of = self.heard_of.max(checkpoint.stable.sequence);
        let has = self.checkpoints.get(&checkpoint.stable.sequence).map(Checkpoint::digest);
        if has == Some(checkpoint.stable.digest) {
            self.make_stable(checkpoint.stable.clone(), out);
            self.order(out);
        } else {
            self.fall_behind(checkpoint.stable.clone(), out);
        }
    }

    /// Others have a stable checkpoint that this replica does not have. It may still get there by itself: the ORDERs that
    /// lead to it may be under way. If it is not there when the timer runs out, it fetches the snapshot.
    fn fall_behind(&mut self, stable: Stable, out: &mut Outbox) {
        let wrong = self.machine.sequence() >= stable.sequence;
        if self.ahead.as_ref().is_none_or(|ahead| ahead.sequence < stable.sequence) {
            self.ahead = Some(stable);
            let mut orders = core::mem::take(&mut self.orders);
            orders.retain(|sequence, _| self.is_within_reach(*sequence));
            self.orders = orders;
        }
        // A replica that is past the place and has another state there is wrong, and will not get right by waiting. One that
        // fetches an older checkpoint may not get that any more.
        if wrong || self.transfer.is_some() {
            self.fetch_snapshot(out);
        }
    }

    /// Fetches the snapshot of the stable checkpoint ahead, from the primary.
    fn fetch_snapshot(&mut self, out: &mut Outbox) {
        let Some(ahead) = &self.ahead else { return };
        if self.transfer.as_ref().is_some_and(|fetch| fetch.digest() == ahead.digest) {
            return;
        }
        self.transfer = Some(Fetch::new(ahead.sequence, ahead.digest, vec![self.primary()]));
        self.continue_transfer(out);
    }

    /// Drops what the stable checkpoint covers, and puts the snapshot on disk in its place.
    fn make_stable(&mut self, stable: Stable, out: &mut Outbox) {
        self.start_from_own(stable, out);
        self.write_snapshot(out);
    }

    /// Drops what the stable checkpoint covers; the state there is this replica's own.
    pub(super) fn start_from_own(&mut self, stable: Stable, out: &mut Outbox) {
        assert!(stable.sequence > self.stable.sequence && stable.sequence <= self.machine.sequence());
        let past = (stable.sequence.0 - self.stable.sequence.0) as usize;
        self.history.drain(..past.min(self.history.len()));
        self.orders = self.orders.split_off(&stable.sequence.next());
        self.checkpoints = self.checkpoints.split_off(&stable.sequence);
        out.observe(Observation::Stable { sequence: stable.sequence, digest: stable.digest });
        self.stable = stable;
        if self.ahead.as_ref().is_some_and(|ahead| ahead.sequence <= self.stable.sequence) {
            self.ahead = None;
        }
    }

    /// Puts the stable checkpoint on disk, with what is needed to go on from it.
    pub(super) fn write_snapshot(&mut self, out: &mut Outbox) {
        let checkpoint = &self.checkpoints[&self.stable.sequence];
        assert_eq!(checkpoint.digest(), self.stable.digest, "what is stable is what this replica has");
        let image = Image {
            stable: self.stable.clone(),
            new_config: self.new_config.clone(),
            snapshot: checkpoint.snapshot().clone(),
        };
        let oldest = self.orders.values().filter_map(|stored| stored.position).min();
        let keep_from = oldest.filter(|_| !defect!(ByzIdRecordsDropped)).unwrap_or(self.journal.next());
        self.journal.snapshot(image.to_bytes(), keep_from, out);
    }

    pub(super) fn receive_transfer(&mut self, from: NodeId, transfer: Transfer, out: &mut Outbox) {
        match transfer {
            Transfer::AskManifest(_) | Transfer::AskChunk(_) => {
                if let Some(answer) = self.checkpoints.values().find_map(|own| own.serve(&transfer)) {
                    out.send(from, crate::Message::Transfer(answer));
                }
            }
            Transfer::Manifest(_) | Transfer::Chunk(_) => self.receive_answer(from, transfer, out),
        }
    }

    fn receive_answer(&mut self, from: NodeId, answer: Transfer, out: &mut Outbox) {
        let Some(fetch) = &mut self.transfer else { return out.refuse(Peer::Node(from), Refusal::Stale) };
        match fetch.receive(from, answer) {
            Step::Wait => {}
            Step::Ask(asks) => {
                if let Mode::Candidate(candidacy) = &mut self.mode {
                    // A piece of what a claimant claims is here: it makes its claim good. There are so many pieces and no more.
                    candidacy.idle = 0;
                }
                self.ask(asks, out);
            }
            Step::Blame { liar, ask } => {
                out.refuse(Peer::Node(liar), Refusal::Contradiction);
                self.ask(ask, out);
            }
            Step::Done(checkpoint) => {
                self.transfer = None;
                self.take_over(checkpoint, out);
            }
        }
    }

    fn ask(&mut self, asks: Vec<Transfer>, out: &mut Outbox) {
        if let Some(fetch) = &self.transfer {
            for ask in asks {
                out.send(fetch.source(), crate::Message::Transfer(ask));
            }
        }
    }

    /// The checkpoint that is being fetched may be gone by now: the primary's answer to a FETCH tells the present one.
    pub(super) fn hear_of_a_later_checkpoint(&mut self, out: &mut Outbox) {
        let (view, primary) = match &self.mode {
            Mode::Normal => (self.view, self.primary()),
            Mode::Joining(joining) => (joining.new.view, joining.new.primary().unwrap_or(self.me)),
            Mode::Stopped { .. } | Mode::Candidate(_) | Mode::Spare => return,
        };
        if primary != self.me {
            out.send(primary, super::message::Fetch { view, first: self.machine.sequence().next() });
        }
    }

    /// Begins a transfer that is wanted, or asks again for what has not come.
    pub(super) fn continue_transfer(&mut self, out: &mut Outbox) {
        if self.transfer.is_none()
            && matches!(self.mode, Mode::Normal)
            && self.stood_at == self.machine.sequence()
        {
            self.fetch_snapshot(out);
            return;
        }
        if let Some(fetch) = &mut self.transfer {
            let asks = fetch.ask();
            self.ask(asks, out);
        }
    }

    /// A snapshot is here whole, and its digest is right.
    fn take_over(&mut self, checkpoint: Checkpoint, out: &mut Outbox) {
        match (&self.mode, self.ahead.clone()) {
            (Mode::Normal, Some(stable)) if stable.digest == checkpoint.digest() => {
                self.become_checkpoint(&checkpoint, stable, out);
                self.write_snapshot(out);
                let ack = super::message::Ack {
                    view: self.view,
                    sequence: self.stable.sequence,
                    digest: self.stable.digest,
                };
                let to = Destination::Peer(Peer::Node(self.primary()));
                self.journal.hold(Effect::Send { to, message: ack.into() }, out);
                self.accept_what_is_next(out);
            }
            (Mode::Candidate(_) | Mode::Joining(_), _) => {
                self.gathered_snapshot = Some(checkpoint);
                self.fetch_to_enter(out);
                self.enter_if_complete(out);
            }
            (Mode::Normal | Mode::Stopped { .. } | Mode::Spare, _) => {}
        }
    }

    /// Takes over the state of `checkpoint`, which is stable.
    pub(super) fn become_checkpoint(&mut self, checkpoint: &Checkpoint, stable: Stable, out: &mut Outbox) {
        if let Err(error) = self.machine.restore(checkpoint.snapshot()) {
            panic!("f+1 replicas vouched for this snapshot: {error}");
        }
        self.history.clear();
        self.orders = self.orders.split_off(&stable.sequence.next());
        self.checkpoints.clear();
        self.checkpoints.insert(checkpoint.sequence(), checkpoint.clone());
        self.ahead = None;
        self.stable = stable;
        out.observe(Observation::Restored { sequence: self.stable.sequence, state: self.machine.digest() });
        out.observe(Observation::Stable { sequence: self.stable.sequence, digest: self.stable.digest });
    }
}
