//! What is owed and late: timely action, ACK in time, STABLECHECKPOINT in time, presence.
//!
//! A monitor whose replica owes something does not wait longer than its patience; then it says ALERT. How long its
//! patience is at a moment is its own business: at most the view timeout for what is usual, and as much to spare. Here some is
//! added for clocks that drift.

use super::gate::Gate;
use super::truth::{Reign, Truth};
use agree::Settings;
use core::time::Duration;
use wire::{Digest, Sequence, Time};

/// Since when what is owed.
#[derive(Clone, Debug, Default)]
pub(super) struct Debts {
    /// An ORDER, by a primary for whom requests wait and who has room.
    pub(super) act: Option<Time>,
    /// An ACK, by a backup.
    pub(super) ack: Option<Time>,
    /// A STABLECHECKPOINT, by a primary to whom f+1 backups have vouched for it.
    pub(super) stable: Option<Time>,
    /// A word of the monitor, now: the primary's replica was started again.
    presence: bool,
    /// The monitor of the primary said ALERT: somebody else is to lead.
    handing_over: bool,
}

impl Debts {
    /// Its monitor said ALERT: what was late is known to be. It says so without an alarm too, where a primary goes that broke no rule.
    pub(super) fn alerted(&mut self, now: Time) {
        self.handing_over = true;
        self.begin_anew(now);
    }

    /// Nothing is late yet.
    pub(super) fn begin_anew(&mut self, now: Time) {
        self.presence = false;
        for since in [&mut self.act, &mut self.ack, &mut self.stable] {
            *since = since.map(|_| now);
        }
    }
}

fn owe(since: &mut Option<Time>, owed: bool, now: Time) {
    *since = if owed { Some(since.unwrap_or(now)) } else { None };
}

impl Gate {
    pub(super) fn replica_is_up(&mut self, up: bool, truth: &Truth) {
        if up && !self.replica_up && self.judged && self.up {
            self.debts.presence = self.leads(truth).is_some() && !self.debts.handing_over;
        }
        self.replica_up = up;
    }

    /// Looks what is owed, since when, and whether that is too long.
    pub(super) fn settle_debts(
        &mut self,
        now: Time,
        truth: &Truth,
        settings: &Settings,
    ) -> Result<(), String> {
        if core::mem::take(&mut self.debts.presence) {
            return Err(format!("{} leads and was started again, and its monitor says nothing", self.id()));
        }
        let leads = self.leads(truth).filter(|_| !self.debts.handing_over);
        self.remember_proven(settings);
        let stable = self.stable;
        // What fell due stays due until something becomes stable.
        let is_due = |checkpoint: &(Sequence, Digest)| {
            checkpoint.0 > stable && self.vouchers_of(*checkpoint) > settings.f
        };
        let due = leads.is_some() && (self.debts.stable.is_some() || self.vouchers.values().any(is_due));
        owe(&mut self.debts.stable, due, now);
        let act =
            leads.is_some_and(|reign| !self.requests.is_empty() && self.has_room(reign, truth, settings));
        owe(&mut self.debts.act, act, now);
        let follows = self.normal().filter(|_| self.replica_up && self.leads(truth).is_none());
        let ack = follows.is_some_and(|reign| {
            let said = self
                .said_in(reign.view)
                .max(truth.beginning(reign).map_or(Sequence::ZERO, |begin| begin.last));
            said < self.contiguous(reign, truth) && said >= self.stable
        });
        owe(&mut self.debts.ack, ack, now);
        let patience = settings.view_timeout * 12 / 5 + Duration::from_millis(20);
        let debts = [
            ("an ORDER for a request that waits", self.debts.act),
            ("an ACK", self.debts.ack),
            ("a STABLECHECKPOINT", self.debts.stable),
        ];
        for (what, since) in debts {
            if let Some(since) = since
                && since.after(patience) < now
            {
                let millis = now.since(since).as_millis();
                return Err(format!(
                    "{} owes {what} for {millis} ms, and its monitor says nothing",
                    self.id()
                ));
            }
        }
        Ok(())
    }

    /// Whether its window and its log have room.
    fn has_room(&self, reign: Reign, truth: &Truth, settings: &Settings) -> bool {
        let Some(begin) = truth.beginning(reign) else { return false };
        let last = self.contiguous(reign, truth);
        let log_end = self.stable.max(begin.stable).plus(settings.log_batches_max());
        let complete = self.held_by_f(settings).max(begin.last);
        last < complete.plus(settings.window) && last < log_end
    }

    /// How many backups vouch for it at present.
    fn vouchers_of(&self, checkpoint: (Sequence, Digest)) -> usize {
        self.vouchers.values().filter(|other| **other == checkpoint).count()
    }

    /// Remembers what f backups vouch for: they may go on to the next before the primary has declared it.
    fn remember_proven(&mut self, settings: &Settings) {
        for checkpoint in self.vouchers.values().copied().collect::<Vec<_>>() {
            if self.vouchers_of(checkpoint) >= settings.f && !self.proven.contains(&checkpoint) {
                self.proven.push(checkpoint);
            }
        }
    }
}
