//! A backup, and any replica that answers: true ACK, true REPLY, true CHECKPOINT, true state transfer, and JOINED.

use super::gate::Gate;
use super::truth::Truth;
use agree::byzid::message::{Ack, Checkpoint, Fetched, Joined};
use agree::{Reply, Settings};
use wire::View;

impl Gate {
    /// Whether it was sent every ORDER of `view` up to `at`.
    fn has(
        &self,
        view: View,
        at: wire::Sequence,
        what: &dyn core::fmt::Debug,
        truth: &Truth,
    ) -> Result<(), String> {
        let has = self.contiguous(view, truth);
        if at <= has {
            return Ok(());
        }
        Err(format!("{} has the ORDERs of {view} up to {has} only, and says: {what:?}", self.id()))
    }

    /// An ACK leaves.
    pub(super) fn ack(&mut self, ack: &Ack, truth: &Truth) -> Result<(), String> {
        self.is_in(ack.view, ack)?;
        self.has(ack.view, ack.sequence, ack, truth)?;
        // Up to the stable checkpoint nobody keeps the digests.
        if ack.sequence > self.stable && truth.order(ack.view, ack.sequence) != Some(ack.digest) {
            return Err(format!("{} was sent another ORDER than it says: {ack:?}", self.id()));
        }
        if ack.sequence > self.said_in(ack.view) {
            self.debts.ack = None;
        }
        self.say(ack.view, ack.sequence);
        Ok(())
    }

    /// A REPLY leaves.
    pub(super) fn reply(&mut self, reply: &Reply, truth: &Truth) -> Result<(), String> {
        self.is_in(reply.view, reply)?;
        let has = match self.leads(truth) {
            Some(view) => self.contiguous(view, truth),
            None => {
                let begin = truth.beginning(reply.view).map_or(wire::Sequence::ZERO, |begin| begin.last);
                self.said_in(reply.view).max(begin)
            }
        };
        if reply.sequence > has {
            return Err(format!(
                "{} replies from {} and has not said that it has more than {has}",
                self.id(),
                reply.sequence
            ));
        }
        self.replies_owed = self.replies_owed.saturating_sub(1);
        self.say(reply.view, reply.sequence);
        Ok(())
    }

    /// A CHECKPOINT leaves.
    pub(super) fn checkpoint(
        &mut self,
        said: &Checkpoint,
        truth: &Truth,
        settings: &Settings,
    ) -> Result<(), String> {
        self.is_in(said.view, said)?;
        self.has(said.view, said.sequence, said, truth)?;
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
        let Some(begin) = truth.beginning(joined.view) else {
            return Err(format!("there is no such configuration, and {} says: {joined:?}", self.id()));
        };
        self.has(joined.view, joined.last, joined, truth)?;
        if self.entered != Some(joined.view) {
            if joined.last < begin.last {
                return Err(format!(
                    "{} begins with {}, and {} says: {joined:?}",
                    joined.view,
                    begin.last,
                    self.id()
                ));
            }
            self.enter(joined.view);
        }
        self.say(joined.view, joined.last);
        Ok(())
    }

    /// A batch leaves that a candidate asked for.
    pub(super) fn fetched(&mut self, fetched: &Fetched) -> Result<(), String> {
        let digest = fetched.batch.digest();
        let mut heard = self.orders.iter().filter(|((_, at), _)| *at == fetched.sequence).peekable();
        if heard.peek().is_some() && heard.all(|(_, heard)| *heard != digest) {
            return Err(format!(
                "{} was sent another batch for {} than it hands out",
                self.id(),
                fetched.sequence
            ));
        }
        Ok(())
    }
}
