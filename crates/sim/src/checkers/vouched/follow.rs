//! A backup, and any replica that answers: true ACK, true REPLY, true CHECKPOINT, true state transfer, and JOINED.

use super::gate::Gate;
use super::truth::{Reign, Truth};
use agree::Settings;
use agree::byzid::message::{Ack, Checkpoint, Fetched, Joined};
use wire::{Sequence, View};

impl Gate {
    /// Whether it was sent every ORDER of `reign` up to `at`.
    fn has(
        &self,
        reign: Reign,
        at: Sequence,
        what: &dyn core::fmt::Debug,
        truth: &Truth,
    ) -> Result<(), String> {
        let has = self.contiguous(reign, truth);
        if at <= has {
            return Ok(());
        }
        Err(format!("{} has the ORDERs of {reign} up to {has} only, and says: {what:?}", self.id()))
    }

    /// An ACK leaves.
    pub(super) fn ack(&mut self, ack: &Ack, truth: &Truth) -> Result<(), String> {
        let reign = self.in_view(ack.view, ack)?;
        self.has(reign, ack.sequence, ack, truth)?;
        // Up to the stable checkpoint nobody keeps the digests.
        if ack.sequence > self.stable && truth.order(reign, ack.sequence) != Some(ack.digest) {
            return Err(format!("{} was sent another ORDER than it says: {ack:?}", self.id()));
        }
        if ack.sequence > self.said_in(ack.view) {
            self.debts.ack = None;
        }
        self.say(ack.view, ack.sequence);
        Ok(())
    }

    /// A REPLY leaves, or what stands for `replies` of them.
    pub(super) fn reply(
        &mut self,
        view: View,
        sequence: Sequence,
        replies: u64,
        truth: &Truth,
    ) -> Result<(), String> {
        let reign = self.in_view(view, &format_args!("a reply from {sequence}"))?;
        let has = match self.leads(truth) {
            Some(reign) => self.contiguous(reign, truth),
            None => {
                let begin = truth.beginning(reign).map_or(Sequence::ZERO, |begin| begin.last);
                self.said_in(view).max(begin)
            }
        };
        if sequence > has {
            return Err(format!(
                "{} replies from {} and has not said that it has more than {has}",
                self.id(),
                sequence
            ));
        }
        self.replies_owed = self.replies_owed.saturating_sub(replies.max(1));
        self.say(view, sequence);
        Ok(())
    }

    /// A CHECKPOINT leaves.
    pub(super) fn checkpoint(
        &mut self,
        said: &Checkpoint,
        truth: &Truth,
        settings: &Settings,
    ) -> Result<(), String> {
        let reign = self.in_view(said.view, said)?;
        self.has(reign, said.sequence, said, truth)?;
        if !said.sequence.0.is_multiple_of(settings.checkpoint_interval) {
            return Err(format!("{} vouches where no checkpoint is due: {said:?}", self.id()));
        }
        match self.checkpoints.insert(said.sequence, said.digest) {
            Some(before) if before != said.digest => {
                Err(format!("{} vouched for {before}, and now says: {said:?}", self.id()))
            }
            _ => {
                self.say(said.view, said.sequence);
                Ok(())
            }
        }
    }

    /// A JOINED leaves: with it the node takes part.
    pub(super) fn joined(&mut self, joined: &Joined, truth: &Truth) -> Result<(), String> {
        if joined.view < self.promised {
            return Err(format!("{} has promised {}, and says: {joined:?}", self.id(), self.promised));
        }
        let known = [self.entered, self.invited].into_iter().flatten();
        let reign = known.into_iter().find(|reign| reign.view == joined.view);
        let Some((reign, begin)) = reign.and_then(|reign| Some((reign, truth.beginning(reign)?))) else {
            return Err(format!("{} was invited to no such configuration, and says: {joined:?}", self.id()));
        };
        self.has(reign, joined.last, joined, truth)?;
        if self.entered != Some(reign) {
            if joined.last < begin.last {
                return Err(format!(
                    "{reign} begins with {}, and {} says: {joined:?}",
                    begin.last,
                    self.id()
                ));
            }
            self.enter(reign);
        }
        self.say(joined.view, joined.last);
        Ok(())
    }

    /// A batch leaves that a candidate asked for. Up to the stable checkpoint nobody keeps what was ordered.
    pub(super) fn fetched(&mut self, fetched: &Fetched) -> Result<(), String> {
        let at = fetched.sequence;
        let told = self.entered.and_then(|reign| self.orders.get(&(reign.view, at)));
        match told {
            Some(told) if at > self.stable && *told != fetched.batch.digest() => {
                Err(format!("{} was sent {told} for {at}, and hands out {:?}", self.id(), fetched.batch))
            }
            _ => Ok(()),
        }
    }
}
