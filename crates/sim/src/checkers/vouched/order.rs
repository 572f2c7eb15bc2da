//! The primary: consistency, retransmission, no gap, fairness, window, STABLECHECKPOINT.

use super::gate::Gate;
use super::truth::Truth;
use agree::Settings;
use agree::byzid::message::{Order, StableCheckpoint};
use wire::Sequence;

impl Gate {
    /// An ORDER leaves, to so many receivers at once.
    pub(super) fn order(
        &mut self,
        order: &Order,
        receivers: usize,
        truth: &mut Truth,
        settings: &Settings,
    ) -> Result<(), String> {
        let (me, at) = (self.id(), order.sequence);
        let reign = self.in_view(order.view, order)?;
        if self.leads(truth).is_none() {
            return Err(format!("{me} does not lead {reign}, and orders {at}"));
        }
        match truth.order(reign, at) {
            Some(told) if told == order.batch.digest() => return Ok(()),
            Some(told) => {
                return Err(format!(
                    "{me} ordered {told} at {at} of {reign}, and now tells {:?}",
                    order.batch
                ));
            }
            None => {}
        }
        if receivers != settings.n() - 1 {
            return Err(format!("{me} tells {at} of {reign} to {receivers} and not to all others"));
        }
        let begin = truth.beginning(reign).map_or(Sequence::ZERO, |begin| begin.last);
        if at != begin.next() && truth.order(reign, at.previous()).is_none() {
            return Err(format!("{me} orders {at} of {reign} and has left out the one before"));
        }
        for request in order.batch.requests() {
            let asked = (request.client, request.timestamp);
            match self.requests.pop_front() {
                Some(next) if next == asked => {}
                next => {
                    return Err(format!(
                        "{me} orders {}{} at {at} of {reign}, and the one that came next is {next:?}",
                        asked.0, asked.1
                    ));
                }
            }
        }
        if order.batch.requests().is_empty() {
            return Err(format!("{me} orders nothing at {at} of {reign}"));
        }
        let held = self.held_by_f(settings).max(begin);
        if at > held.plus(settings.window) {
            return Err(format!(
                "{me} orders {at} of {reign}, f backups have the ORDERs up to {held}, and the window is {}",
                settings.window
            ));
        }
        self.debts.act = None;
        truth.ordered(reign, at, order.batch.digest())
    }

    /// Up to where f backups have every ORDER.
    pub(super) fn held_by_f(&self, settings: &Settings) -> Sequence {
        let mut acked: Vec<Sequence> = self.acked.values().copied().collect();
        acked.sort_unstable_by(|one, other| other.cmp(one));
        acked.get(settings.f - 1).copied().unwrap_or(Sequence::ZERO)
    }

    /// A STABLECHECKPOINT leaves.
    pub(super) fn stable(
        &mut self,
        said: &StableCheckpoint,
        truth: &Truth,
        settings: &Settings,
    ) -> Result<(), String> {
        self.in_view(said.view, said)?;
        let checkpoint = (said.stable.sequence, said.stable.digest);
        let known = truth.stables.contains(&checkpoint) && said.stable.sequence <= self.stable;
        if !known && !self.proven.contains(&checkpoint) {
            return Err(format!(
                "{} declares stable what {} backups have not vouched for: {:?}",
                self.id(),
                settings.f,
                said.stable
            ));
        }
        self.say(said.view, said.stable.sequence);
        self.debts.stable = None;
        Ok(())
    }
}
