//! PBFT: `3f+1` replicas of which `f` may lie, and nobody else is trusted.
//!
//! Sources: Castro & Liskov, "Practical Byzantine Fault Tolerance", OSDI'99, for the normal case; the same, "Practical
//! Byzantine Fault Tolerance and Proactive Recovery", TOCS'02, for the view change, which needs no signed PREPAREs.
//!
//! In the order in which things happen, and where:
//!   - `order`: upon REQUEST(o, T, c): the primary gives it a place in a batch, PRE-PREPARE(v, n, m); a backup that
//!     hears of a request watches that it is executed in time, and passes it on to the primary (`relay`);
//!   - `agree`: upon PRE-PREPARE: PREPARE(v, n, d); upon `2f+1` that accepted d: COMMIT(v, n, d); upon `2f+1` of
//!     those the batch is committed;
//!   - `execute`: committed batches are executed in order and the clients answered;
//!   - `stable`: every K batches CHECKPOINT(n, d); upon `2f+1` the log before n is cut;
//!   - `suspect`: upon a request or a batch that does not move in time: the replica suspects the view; `in_turn`: what is no
//!     reason for that, since a long queue is served in order;
//!   - `view_change`: upon `f+1` that suspect it: VIEW-CHANGE(v+1, h, C, P and Q), signed;
//!   - `decide`, `new_view`: upon `2f+1` of those: NEW-VIEW(v+1, V, O), checked by everybody against V;
//!   - `catch_up`, `batches`, `transfer`: what was lost on the way is sent again to those who lack it;
//!   - `era`: another machine takes the seat of a member: what was voted for before counts for nothing after it;
//!   - `record`, `compact`, `recover`: what is on disk before anything is said, and how a replica comes back from it.
//!
//! # Why it is safe
//!
//! *In a view*: a batch prepares at n with `2f+1` that accepted it; two such sets share a correct replica, which accepts
//! one batch per (v, n). It remembers over a loss of power: the record is durable before PREPARE or COMMIT leaves.
//!
//! *Across views*: let d be committed at n in v: `f+1` correct replicas sent COMMIT after d prepared there. Claim: every
//! valid NEW-VIEW(w), w > v, that starts below n decides d at n. By induction over w: any `2f+1` VIEW-CHANGEs include one
//! of those `f+1`, r. If r's stable checkpoint is not below n, r counts neither for A1 nor for B. Else r still reports
//! that d prepared in v or later: it replaces that only by what prepares later, which a view between v and w made d,
//! and drops it only upon a NEW-VIEW between v and w that decides otherwise, of which there is none. So B fails, and A1
//! leaves only d, or another digest in a view after v; and that one no correct replica accepted, so A2 fails for it.
//! The argument needs that nothing is accepted in w at or below its start, nor anything but what it decided up to the
//! end of its order; `agree` sees to that.
//!
//! *Checkpoints*: a checkpoint that `f+1` say they took is one that a correct replica took.
//!
//! # Why it is live
//!
//! Once messages arrive, correct replicas gather in the highest view that one of them knows to have begun, or turn to the
//! next together: whoever sees `f+1` ahead follows, and the timer of a view that has not begun runs only when `2f+1`
//! want it. A view in which a request waits for ever is left: its client shows it to all, so either `f+1` correct replicas wait
//! for it, and suspect the view together, or `f+1` have executed it, and the others hear that from them.
//! The `2f+1` VIEW-CHANGEs of correct replicas always decide: let w be the last view of which any of them
//! knows the NEW-VIEW. All of them get it, and get the batches that it decided, which some correct replica has. Then
//! what they report as prepared is either from w, where `f+1` correct ones accepted it, or what w decided, which all
//! of them accepted; so A holds with A2, or B. A primary that gave w several beginnings is no exception, since replicas
//! that differ show each other theirs (`new_view`).
//!
//! # What differs from the papers
//!
//! - Every message carries a MAC for each receiver, as in the paper; the door makes and checks them ([`crate::door`]), so
//!   nothing in this folder sees one. A MAC convinces nobody but its receiver: what must convince others is signed.
//! - P and Q are one entry per place, not many (see `log`).
//! - VIEW-CHANGE and NEW-VIEW are signed, so there are no VIEW-CHANGE-ACKs, and NEW-VIEW carries the VIEW-CHANGEs.
//! - Requests are signed by clients: a request is valid for all replicas or for none, whoever shows it to them. (With MACs
//!   a client can make one that the primary takes and backups refuse: Clement et al., NSDI'09.)
//! - A backup passes a request on to the primary as soon as it hears of it, not only when the client asks again; the one
//!   that has waited longest again and again, and never more than so many at a time (`relay`).
//! - A replica follows to the highest view that `f+1` others want or a higher one, not to the smallest wanted.
//! - `2f+1` COMMITs commit a batch also at a replica at which it has not prepared, and `f+1` COMMITTEDs at one in any
//!   view: each proves that a correct replica knows it to be committed.
//! - A replica whose timer ran out does not turn alone: `f+1` must suspect the view (`suspect`). In the papers it does, and the view
//!   has lost it for good, also if it only stood still for a while.
//! - A request that is not executed in time is no reason to turn while others are served in turn (`in_turn`): the papers' timer
//!   runs for it alone, and then load alone changes views.
//! - No tentative execution, no read-only requests, no proactive recovery.
//!
//! **Bounds.** Slots exist between the watermarks only; each keeps one vote of each kind per replica. Of VIEW-CHANGEs
//! the last of each replica is kept, of NEW-VIEWs the last. What is answered per peer and tick is counted. While too many
//! writes wait for the disk, messages are refused.

mod agree;
mod batches;
mod catch_up;
mod compact;
mod decide;
mod era;
mod execute;
mod in_turn;
mod log;
pub mod message;
mod new_view;
mod order;
mod quorum;
mod record;
mod recover;
mod relay;
mod stable;
mod suspect;
mod transfer;
mod view_change;
mod watch;

#[cfg(test)]
mod tests;

pub use recover::RecoverError;
pub(crate) use recover::fits;

use crate::journal::Journal;
use crate::machine::Machine;
use crate::replica::{Destination, Effect, Event, Observation, Outbox, Position, Refusal, Status, Timer};
use crate::roster::{Chain, Edition};
use crate::settings::Settings;
use crate::{Message as AnyMessage, Service};
use catch_up::CatchUp;
use log::Log;
use message::Message;
use order::Order;
use quorum::Quorum;
use relay::Relays;
use stable::Checkpoints;
use std::hash::{Hash, Hasher};
use view_change::Views;
use wire::{Keys, NodeId, Peer, Time, View};

/// The timer after which a replica says where it stands.
const TICK: Timer = Timer(0);

/// Writes that may wait for the disk for every batch of the window: twice what one needs in the normal case.
const WRITES_PENDING_PER_BATCH: u64 = 6;

/// Writes that may wait for the disk beside those.
const WRITES_PENDING: u64 = 16;

/// The timer after which a replica turns to the next view.
const PATIENCE: Timer = Timer(1);

/// The timer after which a replica suspects its view for the sake of one that has left it.
const COMPANY: Timer = Timer(2);

/// A replica of PBFT.
#[derive(Clone)]
pub struct Replica<S, K> {
    me: NodeId,
    settings: Settings,
    quorum: Quorum,
    keys: K,
    machine: Machine<S>,
    journal: Journal,
    log: Log,
    checkpoints: Checkpoints,
    views: Views,
    order: Order,
    relays: Relays,
    catch_up: CatchUp,
    /// The first record that the last snapshot on disk needs.
    kept_from: Position,
    /// The era that this replica takes part in; its state may be at the end of it.
    era: Edition,
    /// The edition of the roster that put this machine here.
    seat: Edition,
}

/// The state of a replica is all but its keys, which never change.
impl<S: Hash, K> Hash for Replica<S, K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.me.hash(state);
        self.machine.hash(state);
        self.journal.hash(state);
        self.log.hash(state);
        self.checkpoints.hash(state);
        self.views.hash(state);
        self.order.hash(state);
        self.relays.hash(state);
        self.catch_up.hash(state);
        self.kept_from.hash(state);
        self.era.hash(state);
        self.seat.hash(state);
    }
}

impl<S: Service + Clone, K: Keys> crate::Replica for Replica<S, K> {
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox) {
        match event {
            Event::Started => self.started(out),
            Event::Message { from, .. } if self.disk_is_behind() => out.refuse(from, Refusal::NoRoom),
            Event::Message { from, message } => {
                if let Err(refusal) = self.receive(from, message, out) {
                    out.refuse(from, refusal);
                }
            }
            Event::Timer(TICK) => self.tick(out),
            Event::Timer(PATIENCE) => self.patience_is_over(now, out),
            Event::Timer(COMPANY) => self.company_is_due(out),
            Event::Timer(_) => {}
            Event::Durable(position) => {
                self.journal.durable(position, out);
                self.count_own_commits();
            }
            // There is no monitor in PBFT.
            Event::Notice(_) => {}
        }
        self.execute_committed(out);
        self.propose(out);
        self.attend(now, out);
        self.attend_to_company(out);
    }

    fn status(&self) -> Status {
        Status {
            view: self.views.view,
            primary: self.primary(),
            normal: self.takes_part() && self.views.active && self.catch_up.fetch.is_none(),
            executed: self.machine.sequence(),
            stable: self.log.stable(),
            state: self.machine.digest(),
            sessions: self.machine.sessions() as u64,
        }
    }

    fn chain(&self) -> Option<&Chain> {
        self.machine.service().chain()
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// The service as this replica has it now.
    #[must_use]
    pub fn service(&self) -> &S {
        self.machine.service()
    }

    fn started(&mut self, out: &mut Outbox) {
        if self.machine.sequence().0 > 0 {
            let (sequence, state) = (self.machine.sequence(), self.machine.digest());
            out.observe(Observation::Restored { sequence, state });
        }
        if self.views.active {
            out.observe(Observation::Entered { view: self.views.view, primary: self.primary() });
        }
        // A NULL batch that NEW-VIEW decided needs no record of its own: it is accepted again here.
        self.adopt_decided(out);
        self.tick(out);
    }

    fn receive(&mut self, from: Peer, message: AnyMessage, out: &mut Outbox) -> Result<(), Refusal> {
        match (from, message) {
            (Peer::Client(client), AnyMessage::Request(request)) if client == request.client => {
                self.request(request, out)
            }
            (Peer::Client(station), AnyMessage::Bundle(bundle)) if bundle.is_requests_of(station) => {
                for message in bundle.into_messages() {
                    if let AnyMessage::Request(request) = message {
                        let client = request.client;
                        if let Err(refusal) = self.request(request, out) {
                            out.refuse(Peer::Client(client), refusal);
                        }
                    }
                }
                Ok(())
            }
            (Peer::Node(node), _) if node == self.me || !self.settings.members.contains(&node) => {
                Err(Refusal::UnknownSender)
            }
            (Peer::Node(node), AnyMessage::Request(request)) => self.relayed(node, request),
            (Peer::Node(node), AnyMessage::Pbft(message)) => self.receive_pbft(node, message, out),
            (Peer::Node(node), AnyMessage::Transfer(transfer)) => self.transfer(node, transfer, out),
            (Peer::Node(_) | Peer::Client(_), _) => Err(Refusal::NotAllowed),
        }
    }

    fn receive_pbft(&mut self, from: NodeId, message: Message, out: &mut Outbox) -> Result<(), Refusal> {
        self.check_era(&message)?;
        match message {
            Message::PrePrepare(message) => self.pre_prepare(from, message, out),
            Message::Prepare(message) => self.prepare(from, &message, out),
            Message::Commit(message) => self.commit(from, &message),
            Message::Checkpoint(message) => self.checkpoint(from, &message, out),
            Message::ViewChange(message) => self.view_change(from, message, out),
            Message::NewView(message) => self.new_view(message, out),
            Message::Status(message) => self.status_of(from, &message, out),
            Message::Committed(message) => self.committed(from, &message, out),
            Message::AskBatch(message) => self.ask_batch(from, &message, out),
            Message::FoundBatch(message) => self.found_batch(message, out),
        }
    }

    /// Whether so much waits for the disk that nothing more may be taken on. What is refused meanwhile is sent again
    /// by those who see that it is missing; what was taken on without a limit would have to be kept without one.
    fn disk_is_behind(&self) -> bool {
        self.journal.pending() > WRITES_PENDING + WRITES_PENDING_PER_BATCH * self.settings.window
    }

    /// Who leads `view`.
    fn primary_of(&self, view: View) -> NodeId {
        let slot = view.0 % self.settings.n() as u64;
        self.settings.members[usize::try_from(slot).expect("less than the number of members")]
    }

    /// Who leads the view that the replica is in, or wants to enter.
    fn primary(&self) -> NodeId {
        self.primary_of(self.views.view)
    }

    /// Whether it is this replica that leads.
    fn leads(&self) -> bool {
        self.primary() == self.me
    }

    /// Sends `message` to all other members once everything written so far is durable.
    fn send_durably(&mut self, message: Message, out: &mut Outbox) {
        let message = AnyMessage::Pbft(message);
        self.journal.hold(Effect::Send { to: Destination::Members, message }, out);
    }

    /// Sends `message` to `to` once everything written so far is durable.
    fn send_one_durably(&mut self, to: impl Into<Peer>, message: impl Into<AnyMessage>, out: &mut Outbox) {
        let (to, message) = (Destination::Peer(to.into()), message.into());
        self.journal.hold(Effect::Send { to, message }, out);
    }
}
