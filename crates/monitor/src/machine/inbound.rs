//! What other nodes and clients send, before the replica sees it.

use super::{Action, Monitor, Received};
use crate::flood::Flow;
use crate::ids::{Digest, Node, Sequence, Time, View};
use crate::log::{Log, Logged};
use crate::queue::{Admission, Request};
use crate::rule::Rule;
use alloc::vec::Vec;

/// What every message of the protocol says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// When it came.
    pub now: Time,
    /// Who sent it: the link, or its authenticator, says so.
    pub from: Node,
    /// Whether the sender's monitor let it out. What no monitor let out is heard only if the cluster is set to `open`,
    /// and never when it is about configurations.
    pub vouched: bool,
    /// The configuration that it belongs to.
    pub view: View,
}

impl<R: Request> Monitor<R> {
    /// Upon REQUEST from a client.
    pub fn request_received(&mut self, now: Time, request: R) -> Admission {
        if !self.leads() || self.handing_over {
            return Admission::NotPrimary;
        }
        let admission = self.ordering.queue.add(request);
        self.watch(now);
        admission
    }

    /// Upon REQUEST from a client where nobody orders it: who does, if it may go on there. A client that does not reach the primary
    /// is served all the same, and nobody floods the primary by way of others.
    pub fn relay(&mut self, now: Time) -> Option<Node> {
        let primary = self.configuration.primary();
        (self.is_normal() && primary != self.me && self.relays.take(now) == Flow::Pass).then_some(primary)
    }

    /// Whether a message is of the configuration entered, or of the one on whose threshold the replica stands. What is
    /// older is dead on arrival.
    fn check_view(&self, heard: &Heard) -> Result<(), Received> {
        if !heard.vouched && !self.spec.open {
            return Err(Received::NotAllowed);
        }
        if defect!(MonitorStaleInbound) {
            return Ok(());
        }
        if heard.view < self.suspicion.promised || (self.member && heard.view < self.configuration.view) {
            return Err(Received::Stale);
        }
        let on_threshold = self.is_on_threshold_of(heard.view);
        if on_threshold || (self.member && heard.view == self.configuration.view) {
            Ok(())
        } else {
            Err(Received::Ahead)
        }
    }

    fn is_on_threshold_of(&self, view: View) -> bool {
        self.threshold.as_ref().is_some_and(|threshold| threshold.configuration.view == view)
    }

    /// The log of configuration `view`, which passed [`Monitor::check_view`].
    fn log_of(&mut self, view: View) -> &mut Log {
        match &mut self.threshold {
            Some(threshold) if threshold.configuration.view == view => &mut threshold.log,
            Some(_) | None => &mut self.log,
        }
    }

    /// Whether a message that only the primary sends came from it; that is a sign of life.
    fn check_from_primary(&mut self, heard: &Heard) -> Result<(), Received> {
        self.check_view(heard)?;
        let primary = match &self.threshold {
            Some(threshold) if threshold.configuration.view == heard.view => {
                threshold.configuration.primary()
            }
            Some(_) | None => self.configuration.primary(),
        };
        if heard.from != primary || heard.from == self.me {
            return Err(Received::NotAllowed);
        }
        self.heard_at = heard.now;
        self.suspicion.dismiss(self.configuration.view);
        Ok(())
    }

    /// The slot of the backup that sent a message which only the primary gets.
    fn check_from_backup(&self, heard: &Heard) -> Result<usize, Received> {
        self.check_view(heard)?;
        match self.configuration.slot(heard.from) {
            Some(slot) if self.leads() && heard.from != self.me => Ok(slot),
            Some(_) | None => Err(Received::NotAllowed),
        }
    }

    /// Upon ORDER(N, …, v) with `requests` requests, from the primary.
    pub fn order_received(&mut self, heard: Heard, at: Sequence, digest: Digest, requests: u64) -> Received {
        if let Err(received) = self.check_from_primary(&heard) {
            return received;
        }
        match self.log_of(heard.view).put(at, digest) {
            Logged::New => {
                self.following.replies_left = self.following.replies_left.saturating_add(requests);
            }
            // It was sent again: the replica may have lost it, or its ACK was lost.
            Logged::Same | Logged::Past => {}
            Logged::Different => return Received::Contradiction,
            Logged::Beyond => return Received::Ahead,
        }
        self.watch(heard.now);
        Received::Deliver
    }

    /// Upon ACK(N, d, v) from a backup.
    pub fn ack_received(&mut self, heard: Heard, at: Sequence, digest: Digest) -> Received {
        let slot = match self.check_from_backup(&heard) {
            Ok(slot) => slot,
            Err(received) => return received,
        };
        if at > self.ordering.last {
            return Received::NotAllowed;
        }
        // Up to the stable checkpoint the digests are gone; such an ACK only says how far behind the backup is.
        if self.log.get(at).is_some_and(|logged| logged != digest) {
            return Received::Contradiction;
        }
        self.caught_up_to(heard.now, slot, at);
        Received::Deliver
    }

    /// Upon JOINED(v) from a backup that has every ORDER up to `last`.
    pub fn joined_received(&mut self, heard: Heard, last: Sequence) -> Received {
        match self.check_from_backup(&heard) {
            Ok(slot) => self.caught_up_to(heard.now, slot, last.min(self.ordering.last)),
            Err(received) => return received,
        }
        Received::Deliver
    }

    fn caught_up_to(&mut self, now: Time, slot: usize, at: Sequence) {
        self.ordering.backups[slot].joined = true;
        self.ordering.acked(slot, at, self.spec.f);
        self.watch(now);
    }

    /// Upon CHECKPOINT(N, d) from a backup.
    pub fn checkpoint_received(&mut self, heard: Heard, at: Sequence, digest: Digest) -> Received {
        let slot = match self.check_from_backup(&heard) {
            Ok(slot) => slot,
            Err(received) => return received,
        };
        if at <= self.log.stable() {
            // The backup does not know that it is stable; the replica will tell it.
            return Received::Deliver;
        }
        if at > self.ordering.last {
            return Received::Ahead;
        }
        let needed =
            if defect!(MonitorCheckpointQuorum) { self.spec.f.saturating_sub(1) } else { self.spec.f };
        if self.ordering.checkpointed(slot, at, digest, needed) > self.spec.f {
            self.ordering.stable_due_since.get_or_insert(heard.now);
        }
        Received::Deliver
    }

    /// Upon STABLECHECKPOINT(N, d) from the primary.
    pub fn stable_received(&mut self, heard: Heard, at: Sequence, digest: Digest) -> Received {
        if let Err(received) = self.check_from_primary(&heard) {
            return received;
        }
        if self.log_of(heard.view).truncate(at, digest) {
            self.bucket.stable();
        }
        self.following.misled |= !heard.vouched;
        self.watch(heard.now);
        Received::Deliver
    }

    /// Upon a question or an answer of a state transfer: it proves itself by its digest, whoever sent it.
    pub fn transfer_received(&self, vouched: bool) -> Received {
        if vouched || self.spec.open { Received::Deliver } else { Received::NotAllowed }
    }

    /// The replica beside this monitor stopped, or runs again.
    ///
    /// A primary that is started again has lost the thread: what it ordered last may be on no disk. So it hands over as soon as it
    /// stops.
    pub fn replica_is_up(&mut self, now: Time, up: bool, actions: &mut Vec<Action>) {
        if !up && self.replica_up && self.leads() && !self.handing_over && !defect!(MonitorPresence) {
            self.violate(now, Rule::Presence, actions);
        }
        self.replica_up = up;
        self.watch(now);
    }
}
