//! Another machine takes the seat of a member, and has forgotten what the one before promised and accepted.
//!
//! A ballot belongs to an **era** ([`crate::roster::seats`]): the edition of the roster with which its machines took their seats.
//! Upon executing, at E, the change that begins an era: what was accepted after E is forgotten, the promise is raised to the
//!   era's first ballot, and the state is written as a checkpoint, all before anything is said in the new era. Whoever led says
//!   once more, in its old ballot, that E is chosen, and is a candidate in the new era at once: nobody else leads.
//! Upon a message of a later era: this replica is behind. It takes part in nothing of it, but learns that something is
//!   chosen, and catches up. Whoever led or wanted to lead in an era that is over, follows.
//! Upon anything, at a replica whose state does not name its own seat: likewise. It is the newcomer, and has not caught up, or
//!   another machine has taken its place; then it never takes part again.
//!
//! **Why it is safe.** Let e be executed at E. Within the era that ends there the acceptors are the old machines, with
//! all that they ever promised, so whatever they choose up to E, e at E among it, is what every ballot of that era proposes
//! there. No place after E is ever executed in it: all execute in order, and leave the era with E. So a reply to a client rests
//! on nothing after E, and all of that may be forgotten, by everybody. In the new era nobody has promised or accepted
//! anything before it executed E: the newcomer starts as the others do, and forgets nothing. That a promise is never
//! taken for one of another era is the numbering of the ballots; that the machine that was replaced does not vote in
//! the new era is its own seat, which the state denies it.
//!
//! **Why not let the newcomer vote once it has executed everything up to E and a window.** The places would be known, but not the
//! promises. Members a, c and r; r promises b' to c, which has not executed E for want of one batch; r is replaced;
//! its successor catches up by a, and accepts v from a in b < b' at the next place: chosen, by a and the successor.
//! c leads b' by its own promise and that of the old r, of neither of which anybody who is up knows more, and has another batch
//! chosen at that place, by a and itself. No window is long enough for that.

use super::message::{Accept, Canvass, Heartbeat, Message, Prepare, Superseded};
use super::{Chosen, Replica, Role, VIEW};
use crate::replica::{Observation, Outbox};
use crate::roster::Edition;
use crate::roster::seats::era_of;
use crate::service::Service;
use wire::{Sequence, View};

impl<S: Service + Clone> Replica<S> {
    /// The era that the state is in.
    pub(super) fn era(&self) -> Edition {
        if defect!(PaxosEraIgnored) {
            return Edition(0);
        }
        self.machine.service().seats().era
    }

    /// The first ballot of it.
    pub(super) fn first_view(&self) -> View {
        if defect!(PaxosEraIgnored) {
            return View(0);
        }
        self.machine.service().seats().first_view()
    }

    /// Whether this machine is the one that sits here by the state that it has.
    pub(super) fn takes_part(&self) -> bool {
        self.machine.service().seats().of(self.me) == self.seat || defect!(PaxosEraIgnored)
    }

    /// Whether this machine is out: another one sits here.
    fn is_replaced(&self) -> bool {
        self.machine.service().seats().of(self.me) > self.seat
    }

    /// Whether `message` is for one that stands where this replica stands.
    pub(super) fn takes_part_with(&self, message: &Message) -> bool {
        match message {
            // Executed batches are the same in every era.
            Message::CatchUp(_) | Message::Decided(_) | Message::Truncated(_) => true,
            _ => self.takes_part() && message.view().is_none_or(|view| era_of(view) <= self.era()),
        }
    }

    /// Learns from a message that is not for this replica that something is chosen.
    pub(super) fn follow_from_afar(&mut self, message: &Message, out: &mut Outbox) {
        let (view, through) = match message {
            Message::Accept(Accept { view, chosen, .. }) => (*view, *chosen),
            Message::Heartbeat(Heartbeat { view, chosen }) => (*view, *chosen),
            Message::Prepare(Prepare { view, after }) => (*view, *after),
            Message::Canvass(Canvass { view, executed }) => (*view, *executed),
            Message::Superseded(Superseded { view }) => (*view, Sequence::ZERO),
            _ => return,
        };
        if self.is_replaced() || view < self.first_view() {
            return;
        }
        match self.role {
            Role::Following => {}
            Role::Canvassing(_) | Role::Preparing(_) | Role::Leading(_) => {
                self.role = Role::Following;
                out.set_timer(VIEW, self.timeout);
            }
        }
        // A later era began with a place that is not executed here.
        let least = if era_of(view) > self.era() { self.executed().next() } else { self.executed() };
        self.chosen =
            Chosen { through: self.chosen.through.max(through).max(least), by: self.chosen.by.max(view) };
        self.execute_chosen(out);
    }

    /// The batch just executed began an era.
    pub(super) fn begin_era(&mut self, out: &mut Outbox) {
        let led = matches!(self.role, Role::Leading(_));
        let over = self.promised;
        self.leave_era(out);
        self.take_checkpoint(out);
        if led {
            // Whoever has it in that ballot executes it at once. The batch is chosen, so the disk is not waited for.
            out.send_members(Message::Heartbeat(Heartbeat { view: over, chosen: self.executed() }));
        }
        if led && self.takes_part() {
            self.campaign(self.next_ballot(), out);
        }
    }

    /// The state is that of a later era than the ballots: nothing that was said in them counts.
    pub(super) fn leave_era(&mut self, out: &mut Outbox) {
        let view = self.first_view();
        let executed = self.executed();
        self.log.forget_after(executed);
        self.role = Role::Following;
        self.suspects = false;
        self.promised = view.max(self.promised);
        self.seen = self.promised;
        if self.chosen.by < view {
            self.chosen = Chosen { through: executed, by: view };
        }
        out.set_timer(VIEW, self.timeout);
        out.observe(Observation::Entered { view: self.promised, primary: self.leader(self.promised) });
    }
}
