//! What the replica sends, before anybody else sees it. Each check is one rule, under the paper's name.

use super::{Action, Monitor};
use crate::flood::Flow;
use crate::ids::{Digest, Node, Sequence, Time, View};
use crate::log::Logged;
use crate::queue::Request;
use crate::rule::Rule;
use alloc::vec::Vec;

/// What becomes of an ORDER that the replica sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// A new one: to every other member.
    New,
    /// One that went out before: to the node named alone.
    Again,
}

impl<R: Request> Monitor<R> {
    /// Whether what the replica sends about configuration `view` may pass at all.
    fn check_own_view(&self, view: View) -> Result<(), Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        if defect!(MonitorStaleOutbound) {
            return Ok(());
        }
        // Even a view ahead of the monitor's is only a crossing: the replica may be a NEWCONFIG further.
        if !self.is_normal() || view != self.configuration.view {
            return Err(Rule::StaleConfiguration);
        }
        Ok(())
    }

    /// Upon ORDER(N, batch, v) to `to`, or to all.
    #[allow(clippy::too_many_arguments, reason = "the fields of an ORDER")]
    pub fn order_sent(
        &mut self,
        now: Time,
        to: Option<Node>,
        view: View,
        at: Sequence,
        digest: Digest,
        requests: &[R],
        actions: &mut Vec<Action>,
    ) -> Result<Sent, Rule> {
        self.check_own_view(view)?;
        // A replica that was started again has lost the thread: it may give a place a second time.
        if to.is_none() && self.handing_over && !defect!(MonitorPresence) {
            return Err(Rule::StaleConfiguration);
        }
        let checked = match to {
            Some(_) => self.check_order_again(at, digest).map(|()| Sent::Again),
            None => self.check_new_order(at, requests).map(|()| Sent::New),
        };
        match checked {
            Ok(Sent::New) => {
                let logged = self.log.put(at, digest);
                debug_assert!(logged == Logged::New || cfg!(feature = "mutations"));
                self.ordering.ordered(now, requests.len().min(self.ordering.queue.len()));
                self.following.replies_left =
                    self.following.replies_left.saturating_add(requests.len() as u64);
                self.watch(now);
            }
            Ok(Sent::Again) => self.draw_answer(now)?,
            Err(rule) => return Err(self.violate(now, rule, actions)),
        }
        checked
    }

    fn check_new_order(&self, at: Sequence, requests: &[R]) -> Result<(), Rule> {
        if self.configuration.primary() != self.me && !defect!(MonitorFlooding) {
            return Err(Rule::Flooding);
        }
        if at != self.ordering.last.next() && !defect!(MonitorNoGap) {
            return Err(Rule::NoGap);
        }
        let fair = !requests.is_empty() && self.ordering.queue.starts_with(requests);
        if !fair && !defect!(MonitorFairness) {
            return Err(Rule::Fairness);
        }
        if !self.ordering.has_room(&self.spec, self.log.end()) && !defect!(MonitorWindow) {
            return Err(Rule::Window);
        }
        Ok(())
    }

    fn check_order_again(&self, at: Sequence, digest: Digest) -> Result<(), Rule> {
        if self.configuration.primary() != self.me {
            return Err(Rule::Flooding);
        }
        match self.log.get(at) {
            Some(logged) if logged == digest || defect!(MonitorConsistency) => Ok(()),
            // Another story about a place that all were told about.
            Some(_) => Err(Rule::Consistency),
            // The checkpoint moved while the answer was being made.
            None if at <= self.log.stable() => Err(Rule::StaleConfiguration),
            // What never went to all is no retransmission, but the first of several stories.
            None if defect!(MonitorRetransmission) => Ok(()),
            None => Err(Rule::Retransmission),
        }
    }

    /// Upon ACK(N, d, v) to the primary.
    pub fn ack_sent(
        &mut self,
        now: Time,
        view: View,
        at: Sequence,
        digest: Digest,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        self.check_own_view(view)?;
        let truth = match self.log.get(at) {
            Some(logged) => logged == digest && at <= self.log.contiguous(),
            None => at <= self.log.stable(),
        };
        if !truth && !defect!(MonitorTrueAck) {
            if at <= self.following.said {
                // Nothing new is said. A replica that stands at a stable checkpoint which this monitor forgot has only the
                // digest of the state for it.
                return Err(Rule::StaleConfiguration);
            }
            return Err(self.violate(now, Rule::TrueAck, actions));
        }
        if at <= self.following.said {
            self.draw_answer(now)?;
        }
        self.following.acked(now, at);
        self.watch(now);
        Ok(())
    }

    /// Upon REPLY(v, N, …) to a client, or what stands for `replies` of them.
    pub fn reply_sent(
        &mut self,
        now: Time,
        view: View,
        at: Sequence,
        replies: u64,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        self.check_own_view(view)?;
        // Who says that something stands for none has said something all the same.
        let replies = replies.max(1);
        let has =
            if self.configuration.primary() == self.me { self.ordering.last } else { self.following.said };
        if at > has && !defect!(MonitorTrueReply) {
            return Err(self.violate(now, Rule::TrueReply, actions));
        }
        if self.following.replies_left < replies && !defect!(MonitorReplyFlood) {
            // It is counted, and it is said all the same: what passes binds the replica.
            self.draw(now, actions)?;
        }
        self.following.replies_left = self.following.replies_left.saturating_sub(replies);
        self.following.said = self.following.said.max(at);
        self.is_here();
        Ok(())
    }

    /// Upon CHECKPOINT(N, d) to the primary.
    pub fn checkpoint_sent(
        &mut self,
        now: Time,
        view: View,
        at: Sequence,
        digest: Digest,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        self.check_own_view(view)?;
        let due =
            at.0 > 0 && at.0.is_multiple_of(self.spec.checkpoint_interval) && at <= self.log.contiguous();
        let is_right = |said| digest == said || self.following.misled;
        let same =
            self.following.checkpoint.is_none_or(|(last, said)| at > last || (at == last && is_right(said)));
        let older = self.following.checkpoint.is_some_and(|(last, _)| at < last);
        if !(due && (same || older)) && !defect!(MonitorTrueCheckpoint) {
            return Err(self.violate(now, Rule::TrueCheckpoint, actions));
        }
        // A replica that crashed between the disk's word and its ACK has what it never said it has. The ACK comes first.
        if older || at > self.following.said {
            return Err(Rule::StaleConfiguration);
        }
        if self.following.checkpoint.is_some_and(|(last, _)| at == last) {
            self.draw(now, actions)?;
        }
        self.following.checkpoint = Some((at, digest));
        // Who vouches for the state after N says that it has N. (It may not have ACKed it yet: a replica that was started again
        // finds on its disk what it had not said before.)
        self.following.said = self.following.said.max(at);
        Ok(())
    }

    /// Upon STABLECHECKPOINT(N, d) to the backups, or to one that asked for what is no longer kept.
    pub fn stable_sent(
        &mut self,
        now: Time,
        to: Option<Node>,
        view: View,
        at: Sequence,
        digest: Digest,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        self.check_own_view(view)?;
        if self.configuration.primary() != self.me {
            return Err(self.violate(now, Rule::Flooding, actions));
        }
        if at == self.log.stable() && digest == self.log.stable_digest() {
            return self.draw_answer(now);
        }
        if at < self.log.stable() {
            return Err(Rule::StaleConfiguration);
        }
        let proven = self.ordering.is_proven(at, &digest) && to.is_none();
        if !proven && !defect!(MonitorStableCheckpoint) {
            return Err(self.violate(now, Rule::StableCheckpoint, actions));
        }
        self.ordering.stable(at);
        self.following.said = self.following.said.max(at);
        self.is_here();
        self.log.truncate(at, digest);
        self.watch(now);
        Ok(())
    }

    /// Upon a batch that a candidate asked for by its digest.
    pub fn fetched_sent(&mut self, now: Time, at: Sequence, digest: Digest) -> Result<(), Rule> {
        let other = self.member && self.log.get(at).is_some_and(|logged| logged != digest);
        if other && !defect!(MonitorStateTransfer) {
            // The replica may be a configuration ahead of the monitor, or behind it: a JOINED waits for the disk, a
            // NEWCONFIG for the replica. Who asked asked by digest, and takes no other batch.
            return Err(Rule::StaleConfiguration);
        }
        self.draw_answer(now)
    }

    /// Upon a question of a state transfer, or anything else that nobody counts out.
    pub fn draw(&mut self, now: Time, actions: &mut Vec<Action>) -> Result<(), Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        match self.bucket.take(now) {
            Flow::Pass => Ok(()),
            _ if defect!(MonitorFlooding) => Ok(()),
            Flow::Block => Err(Rule::StaleConfiguration),
            Flow::Flood => Err(self.violate(now, Rule::Flooding, actions)),
        }
    }

    /// Upon an answer to another replica: a piece of a snapshot, a batch, what was said before. Too many are blocked.
    pub fn draw_answer(&mut self, now: Time) -> Result<(), Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        match self.answers.take(now) {
            Flow::Pass => Ok(()),
            _ if defect!(MonitorFlooding) => Ok(()),
            Flow::Block | Flow::Flood => Err(Rule::StaleConfiguration),
        }
    }

    /// The replica sent what its role never sends, or what does not agree with the monitor's log.
    pub fn forbidden(&mut self, now: Time, rule: Rule, actions: &mut Vec<Action>) -> Rule {
        self.violate(now, rule, actions)
    }
}
