//! What other nodes and clients send, before the replica sees it.
//!
//! `vouched` says whether the sender's monitor let the message out. What no monitor let out is heard only if the
//! cluster is set to `open`, and never when it is about configurations.

use super::{Action, Monitor, Received};
use crate::configuration::Replace;
use crate::ids::{Digest, Node, Sequence, Time, View};
use crate::log::{Log, Logged};
use crate::queue::{Admission, Request};
use alloc::vec::Vec;

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

    /// Whether a message of configuration `view` is of the one entered, or of the one on whose threshold the replica
    /// stands.
    fn check_view(&self, view: View, vouched: bool) -> Received {
        if !vouched && !self.spec.open {
            return Received::NotAllowed;
        }
        if defect!(MonitorStaleInbound) {
            return Received::Deliver;
        }
        if view < self.suspicion.promised || (self.member && view < self.configuration.view) {
            return Received::Stale;
        }
        let on_threshold =
            self.threshold.as_ref().is_some_and(|threshold| threshold.configuration.view == view);
        if on_threshold || (self.member && view == self.configuration.view) {
            Received::Deliver
        } else {
            Received::Ahead
        }
    }

    /// The log of configuration `view`, which passed [`Monitor::check_view`].
    fn log_of(&mut self, view: View) -> &mut Log {
        match &mut self.threshold {
            Some(threshold) if threshold.configuration.view == view => &mut threshold.log,
            Some(_) | None => &mut self.log,
        }
    }

    fn leader_of(&self, view: View) -> Node {
        match &self.threshold {
            Some(threshold) if threshold.configuration.view == view => threshold.configuration.primary(),
            Some(_) | None => self.configuration.primary(),
        }
    }

    /// Upon ORDER(N, …, v) with `requests` requests.
    #[allow(clippy::too_many_arguments, reason = "the fields of an ORDER")]
    pub fn order_received(
        &mut self,
        now: Time,
        from: Node,
        vouched: bool,
        view: View,
        at: Sequence,
        digest: Digest,
        requests: u64,
        replace: Option<&Replace>,
    ) -> Received {
        match self.check_view(view, vouched) {
            Received::Deliver => {}
            other => return other,
        }
        if from != self.leader_of(view) || from == self.me {
            return Received::NotAllowed;
        }
        self.heard_at = now;
        self.suspicion.dismiss(self.configuration.view);
        match self.log_of(view).put(at, digest) {
            Logged::New => {
                self.following.replies_left = self.following.replies_left.saturating_add(requests);
                debug_assert!(replace.is_none(), "replacements are not ordered yet");
            }
            // It was sent again: the replica may have to ACK, and to reply, again.
            Logged::Same | Logged::Past => {}
            Logged::Different => return Received::Contradiction,
            Logged::Beyond => return Received::Ahead,
        }
        self.watch(now);
        Received::Deliver
    }

    /// Upon ACK(N, d, v) from a backup.
    pub fn ack_received(
        &mut self,
        now: Time,
        from: Node,
        vouched: bool,
        view: View,
        at: Sequence,
        digest: Digest,
    ) -> Received {
        match self.check_view(view, vouched) {
            Received::Deliver => {}
            other => return other,
        }
        let Some(slot) = self.slot_of(from) else { return Received::NotAllowed };
        if !self.leads() || at > self.ordering.last {
            return Received::NotAllowed;
        }
        match self.log.get(at) {
            Some(logged) if logged != digest => return Received::Contradiction,
            // Below the stable checkpoint the digests are gone; such an ACK only says that the backup is behind.
            Some(_) | None => {}
        }
        self.ordering.backups[slot].joined = true;
        self.ordering.acked(slot, at, self.spec.window, self.spec.f);
        self.watch(now);
        Received::Deliver
    }

    /// Upon CHECKPOINT(N, d) from a backup.
    pub fn checkpoint_received(
        &mut self,
        now: Time,
        from: Node,
        vouched: bool,
        view: View,
        at: Sequence,
        digest: Digest,
    ) -> Received {
        match self.check_view(view, vouched) {
            Received::Deliver => {}
            other => return other,
        }
        let Some(slot) = self.slot_of(from) else { return Received::NotAllowed };
        if !self.leads() {
            return Received::NotAllowed;
        }
        if at <= self.log.stable() {
            return Received::Stale;
        }
        self.ordering.backups[slot].checkpoint = Some((at, digest));
        if self.ordering.checkpoint_votes(at, &digest) > self.spec.f
            && self.ordering.stable_due_since.is_none()
        {
            self.ordering.stable_due_since = Some(now);
        }
        Received::Deliver
    }

    /// Upon STABLECHECKPOINT(N, d) from the primary.
    pub fn stable_received(
        &mut self,
        now: Time,
        from: Node,
        vouched: bool,
        view: View,
        at: Sequence,
        digest: Digest,
    ) -> Received {
        match self.check_view(view, vouched) {
            Received::Deliver => {}
            other => return other,
        }
        if from != self.leader_of(view) {
            return Received::NotAllowed;
        }
        self.heard_at = now;
        self.log_of(view).truncate(at, digest);
        self.watch(now);
        Received::Deliver
    }

    /// Upon JOINED(v) from a backup.
    pub fn joined_received(
        &mut self,
        now: Time,
        from: Node,
        vouched: bool,
        view: View,
        last: Sequence,
    ) -> Received {
        match self.check_view(view, vouched) {
            Received::Deliver => {}
            other => return other,
        }
        let Some(slot) = self.slot_of(from) else { return Received::NotAllowed };
        if !self.leads() {
            return Received::NotAllowed;
        }
        self.ordering.backups[slot].joined = true;
        self.ordering.acked(slot, last.min(self.ordering.last), self.spec.window, self.spec.f);
        self.watch(now);
        Received::Deliver
    }

    /// Upon a question or an answer of a state transfer: any node may ask, and is answered by what rule allows.
    pub fn transfer_received(&mut self, vouched: bool) -> Received {
        if vouched || self.spec.open { Received::Deliver } else { Received::NotAllowed }
    }

    /// The replica beside this monitor stopped, or runs again.
    ///
    /// A primary that was started again has lost the thread: what it ordered last may be on no disk. It hands over.
    pub fn replica_is_up(&mut self, now: Time, up: bool, actions: &mut Vec<Action>) {
        if up && !self.replica_up && self.leads() {
            self.violate(now, crate::Rule::Presence, actions);
        }
        self.replica_up = up;
        self.watch(now);
    }
}
