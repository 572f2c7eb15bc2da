//! Another machine takes the seat of a member, and has forgotten what the one before accepted, and committed to.
//!
//! A view belongs to an **era** ([`crate::roster::seats`]): the edition of the roster with which its machines took their seats.
//! Upon executing, at E, the change that begins an era: the replica is **closing**. It executes nothing after E and fingerprints its
//!   state there, and else goes on as it did: those who lack something of what leads to E still need its votes.
//! Upon that checkpoint being stable (`begin_era`): the log after E and all that was said in views of before are forgotten, the state is
//!   on disk, and the era begins in its first view, without NEW-VIEW, as view 0 began.
//! Upon a state taken over from after E: likewise; whoever took that checkpoint has begun the era.
//! Upon a message of another era: STALE or TOO-FAR-AHEAD. Whoever is behind hears of checkpoints, and takes one over.
//! Upon anything, at a replica that does not sit here in its era (the newcomer that has not caught up, and later the machine that
//!   was replaced): it votes for nothing.
//!
//! **Why it is safe.** Up to E nothing changes: the old machines decide, with all that they ever said. Nobody executes what
//! they decide after E, so no client was told of it, and whatever was said about it may be forgotten, by everybody. The votes
//! of the new era are about places after E alone, under views that no vote of before was given under, by replicas that have
//! executed up to E: the newcomer starts as they do. A VIEW-CHANGE of the era tells of no place up to E, since its stable
//! checkpoint is E or a later one.
//!
//! **Why it goes on.** Who is closing still takes part in the era that ends, so that all who can get to E do. The checkpoint
//! is stable when `f+1` correct replicas are there; from then on every other one hears of it from them, whatever they do next.

use super::Replica;
use super::catch_up::CatchUp;
use super::log::Log;
use super::message::Message;
use super::relay::Relays;
use super::view_change::Views;
use crate::Service;
use crate::replica::{Observation, Outbox, Refusal};
use crate::roster::seats::{era_of, first_view_of};
use core::cmp::Ordering;
use wire::{Keys, Sequence, View};

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Whether the state is at the end of the era, or past it.
    pub(super) fn is_closing(&self) -> bool {
        self.machine.service().seats().era > self.era
    }

    /// Whether this machine sits here in the era.
    pub(super) fn takes_part(&self) -> bool {
        let seat = self.machine.service().seats().of(self.me);
        let is_out = seat > self.seat && seat <= self.era;
        self.seat <= self.era && !is_out
    }

    /// Whether an era that this replica knows of ends at `sequence`.
    pub(super) fn ends_an_era(&self, sequence: Sequence) -> bool {
        self.machine.service().seats().since == sequence
    }

    /// Whether `message` may be acted upon by one that stands where this replica stands.
    pub(super) fn check_era(&self, message: &Message) -> Result<(), Refusal> {
        let view = match message {
            Message::PrePrepare(message) => message.view,
            Message::Prepare(message) => message.view,
            Message::Commit(message) => message.view,
            Message::ViewChange(message) => message.view,
            Message::NewView(message) => message.view,
            Message::Checkpoint(_)
            | Message::Status(_)
            | Message::Committed(_)
            | Message::AskBatch(_)
            | Message::FoundBatch(_) => return Ok(()),
        };
        match era_of(view).cmp(&self.era) {
            Ordering::Less => Err(Refusal::Stale),
            Ordering::Greater => Err(Refusal::TooFarAhead),
            Ordering::Equal if self.takes_part() => Ok(()),
            Ordering::Equal => Err(Refusal::NotAllowed),
        }
    }

    /// Begins the era that the state is in, if it has not begun and what is known suffices for it. Whether it did.
    pub(super) fn begin_era(&mut self, out: &mut Outbox) -> bool {
        let seats = self.machine.service().seats();
        let (era, since) = (seats.era, seats.since);
        let is_certain = self.log.stable() >= since || self.checkpoints.transferred > since;
        if !self.is_closing() || !is_certain {
            return false;
        }
        let start = self.log.stable().max(since);
        self.checkpoints.own.retain(|sequence, _| *sequence >= start);
        self.era = era;
        self.log = Log::new(start, self.settings.log_batches_max());
        self.views = Views::new(first_view_of(era), None, None);
        self.catch_up = CatchUp::default();
        self.relays = Relays::default();
        self.watch_the_queue();
        if self.leads() {
            self.queue_the_watched();
        }
        self.order.next = self.machine.sequence().next();
        self.write_snapshot(out);
        let view: View = self.views.view;
        out.observe(Observation::Entered { view, primary: self.primary_of(view) });
        true
    }
}
