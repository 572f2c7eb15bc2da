//! Multi-decree Paxos with a stable leader: 2f+1 replicas, of which f may crash and none lies.
//!
//! Sources: Lamport, "The Part-Time Parliament", TOCS'98, and "Paxos Made Simple", 2001, for the protocol and for why it is
//! safe; Ongaro, "Consensus: Bridging Theory and Practice", 2014, section 9.6, for asking before disturbing a leader.
//!
//! A **ballot** is a [`View`]; view `v` is led by member `v mod n`. In the order in which a request meets them:
//!
//! - `lead`, phase 2. Upon a REQUEST: the leader puts it into a batch at the next place N, writes ACCEPTED(v, N,
//!   batch) to its own log and sends ACCEPT(v, N, chosen, batch). At most `window` places are open at once; a batch
//!   never waits for a timer. Upon f+1 durable acceptances of N, its own among them or not: N is **chosen**; places
//!   are executed in order, and the leader replies.
//! - `follow`. Upon ACCEPT(v, N, …) with `v` not below the promise: write it, and once durable say ACCEPTED(v, N).
//!   Upon `chosen` in an ACCEPT or HEARTBEAT of `v`: execute up to there whatever was accepted in `v` or later.
//! - `execute` and `checkpoints`: the machine, the replies, and what is cut off when.
//! - `catch_up`: what a replica does that misses something chosen: by CATCH-UP and DECIDED from another's log, or
//!   by a snapshot.
//! - `suspect`: the leader is silent. Before anybody disturbs it, f+1 must agree that it is: CANVASS, SUPPORT.
//! - `elect`, phase 1: PREPARE(v), PROMISE(v, accepted) from f+1; the new leader proposes again, in its own
//!   ballot, what was accepted in the highest one, NULL where nothing was, and then what is new.
//! - `era`: another machine takes the seat of a member: what was promised and accepted before counts for nothing after it.
//! - `record`: what is on disk, and how a replica is built again from it.
//!
//! **What must be durable before what:** PROMISED(v) before PROMISE(v) leaves and before the candidate's own
//! PREPARE(v) does; ACCEPTED(v, N) before ACCEPTED(v, N) leaves or the leader counts itself. A reply waits for no
//! disk: f+1 have the batch by then.
//!
//! **Why it is safe:** a ballot has one leader, which proposes one batch per place and, since it never resumes a
//! ballot after a crash, never two. f+1 acceptances meet f+1 promises in one acceptor; that one reports what it
//! accepted, or that it executed it. So what a ballot chose, every later ballot proposes.
//!
//! **Why it goes on** while f+1 replicas are up and hear each other: who is up and suspects the leader canvasses,
//! again and again; one of those that are furthest ahead gets support from all; timeouts double until they outlast a
//! round trip and a disk; a leader that gets nothing chosen resigns, in case that others hear it but it does not
//! hear them.
//!
//! # What differs from the papers
//!
//! - Proposer, acceptor and learner are one replica. That a place is chosen is not a message of its own: the leader says
//!   in its next ACCEPT or HEARTBEAT up to where everything is, and others execute what they accepted.
//! - Phase 1 is for all places at once. PROMISE tells only what the candidate lacks, in pages, and how far its sender has
//!   executed: that is chosen, and needs no ballot any more.
//! - An acceptor that is asked to accept promises as well, so that one that missed PREPARE takes part.
//! - Ballots belong to members in turn, so two candidates never share one; none is resumed after a crash.
//! - A candidate canvasses first. The papers leave the choice of a leader open; this one costs liveness nothing while f+1
//!   hear each other, and safety does not rest on it.
//! - Whoever is too far behind is given a checkpoint, since the log before it is cut off.
//! - Links name their sender and carry no cryptography. Requests and replies have a MAC, and one reply is enough for a
//!   client, since nobody lies.
//!
//! Not here: leases (a read is ordered like a write), more or fewer members, defence against lies.

mod catch_up;
mod checkpoints;
mod elect;
mod era;
mod execute;
mod follow;
mod lead;
mod log;
pub mod message;
mod record;
mod relay;
mod suspect;
#[cfg(test)]
mod tests;

pub use record::RecoverError;

use self::catch_up::CatchUp;
use self::checkpoints::Checkpoints;
use self::elect::Campaign;
use self::lead::Lead;
use self::log::Log;
use self::message::{Message, Superseded};
use self::suspect::Canvassing;
use crate::journal::Journal;
use crate::machine::Machine;
use crate::replica::{Destination, Effect, Event, Observation, Outbox, Refusal, Status, Timer};
use crate::roster::{Chain, Edition};
use crate::service::Service;
use crate::{Message as AnyMessage, Settings};
use core::time::Duration;
use wire::{NodeId, Peer, Sequence, Time, View};

/// How long the leader may be silent; at the leader: how long nothing may be chosen.
const VIEW: Timer = Timer(0);
/// When to ask the others again whether they are for a new leader.
const CANVASS: Timer = Timer(1);
/// When to send PREPARE or ACCEPT again.
const RETRANSMIT: Timer = Timer(2);
/// When the leader says that it is there.
const HEARTBEAT: Timer = Timer(3);
/// When to ask (again) for what was missed.
const CATCH_UP: Timer = Timer(4);

/// The last ballot there is. One that claims to be past it is refused, so that counting on from any ballot is safe.
const VIEW_MAX: View = View(u64::MAX >> 1);

/// A replica of Paxos.
#[derive(Clone, Hash, Debug)]
pub struct Replica<S> {
    me: NodeId,
    settings: Settings,
    journal: Journal,
    machine: Machine<S>,
    log: Log,
    checkpoints: Checkpoints,
    /// Nothing below this ballot is accepted any more: the view that the replica is in.
    promised: View,
    /// The highest ballot ever heard of.
    seen: View,
    chosen: Chosen,
    role: Role,
    /// Whether the leader of the view was silent for too long.
    suspects: bool,
    /// How long that is at present.
    timeout: Duration,
    catch_up: Option<CatchUp>,
    /// Requests passed on since the last HEARTBEAT.
    relayed: u32,
    /// Whether the disk was empty when the replica was built.
    blank: bool,
    /// The edition of the roster that put this machine here.
    seat: Edition,
}

/// Every place up to `through` is chosen, in a ballot not above `by`. So whatever was accepted there in `by` or a
/// later ballot is what was chosen; what was accepted in an earlier ballot may not be.
#[derive(Clone, Copy, Hash, Default, Debug)]
struct Chosen {
    through: Sequence,
    by: View,
}

/// What a replica does at present, beside accepting.
#[derive(Clone, Hash, Debug)]
enum Role {
    /// Accepts and executes.
    Following,
    /// Asks who is for a new leader.
    Canvassing(Canvassing),
    /// Collects promises for the view that it promised itself.
    Preparing(Campaign),
    /// Leads the view.
    Leading(Box<Lead>),
}

impl<S: Service + Clone> crate::Replica for Replica<S> {
    fn step(&mut self, _: Time, event: Event, out: &mut Outbox) {
        match event {
            Event::Started => self.start(out),
            Event::Message { from, message } => self.receive(from, message, out),
            Event::Timer(timer) => self.timeout(timer, out),
            Event::Durable(position) => self.durable(position, out),
            // There is no monitor in Paxos.
            Event::Notice(_) => {}
        }
        assert!(self.chosen.through >= self.executed(), "only what is chosen is executed");
        assert!(self.log.low() <= self.executed(), "only what was executed is cut off");
    }

    fn status(&self) -> Status {
        let normal = match self.role {
            Role::Following => self.takes_part() && !self.suspects && self.catch_up.is_none(),
            Role::Canvassing(_) | Role::Preparing(_) => false,
            Role::Leading(_) => true,
        };
        Status {
            view: self.promised,
            primary: self.leader(self.promised),
            normal,
            executed: self.executed(),
            stable: self.checkpoints.stable(),
            state: self.machine.digest(),
            sessions: self.machine.sessions() as u64,
        }
    }

    fn chain(&self) -> Option<&Chain> {
        self.machine.service().chain()
    }
}

impl<S: Service + Clone> Replica<S> {
    /// The service as this replica has it now.
    #[must_use]
    pub fn service(&self) -> &S {
        self.machine.service()
    }

    /// On an empty disk the leader of view 0 begins it. Whoever led before a crash knows that nobody leads now.
    fn start(&mut self, out: &mut Outbox) {
        if !self.blank {
            out.observe(Observation::Restored { sequence: self.executed(), state: self.machine.digest() });
        }
        out.set_timer(VIEW, self.timeout);
        if self.leader(self.promised) != self.me || !self.takes_part() {
            return;
        }
        if (self.blank && self.seat == Edition(0)) || defect!(PaxosBallotResumed) {
            self.campaign(self.promised, out);
        } else {
            self.suspect(out);
        }
    }

    fn receive(&mut self, from: Peer, message: AnyMessage, out: &mut Outbox) {
        match (from, message) {
            (Peer::Client(client), AnyMessage::Request(request)) if client == request.client => {
                self.request(request, out);
                self.propose(out);
            }
            (Peer::Client(station), AnyMessage::Bundle(bundle)) if bundle.is_requests_of(station) => {
                for message in bundle.into_messages() {
                    if let AnyMessage::Request(request) = message {
                        self.request(request, out);
                    }
                }
                self.propose(out);
            }
            (Peer::Node(node), _) if node != self.me && !self.settings.members.contains(&node) => {
                out.refuse(from, Refusal::UnknownSender);
            }
            (Peer::Node(node), AnyMessage::Request(request)) if node != self.me => {
                self.take_relayed(node, request, out);
            }
            (Peer::Node(node), AnyMessage::Transfer(transfer)) if node != self.me => {
                self.transfer(node, transfer, out);
            }
            (Peer::Node(node), AnyMessage::Paxos(message)) if node != self.me => {
                self.receive_paxos(node, message, out);
            }
            (_, _) => out.refuse(from, Refusal::NotAllowed),
        }
    }

    fn receive_paxos(&mut self, from: NodeId, message: Message, out: &mut Outbox) {
        if message.view().is_some_and(|view| view > VIEW_MAX) {
            return out.refuse(Peer::Node(from), Refusal::TooFarAhead);
        }
        if !self.takes_part_with(&message) {
            return self.follow_from_afar(&message, out);
        }
        match message {
            Message::Canvass(canvass) => self.canvassed(from, &canvass, out),
            Message::Support(support) => self.supported(from, &support, out),
            Message::Prepare(prepare) => self.prepare(from, &prepare, out),
            Message::Promise(promise) => self.promised_by(from, promise, out),
            Message::Accept(accept) => self.accept(from, accept, out),
            Message::Accepted(accepted) => self.accepted_by(from, &accepted, out),
            Message::Heartbeat(heartbeat) => self.heartbeat(from, &heartbeat, out),
            Message::Superseded(superseded) => self.superseded(from, &superseded, out),
            Message::CatchUp(ask) => self.tell_decided(from, &ask, out),
            Message::Decided(decided) => self.decided(from, decided, out),
            Message::Truncated(truncated) => self.truncated(from, &truncated, out),
        }
    }

    /// A timer that comes to a role that has no use for it any more means nothing.
    fn timeout(&mut self, timer: Timer, out: &mut Outbox) {
        match timer {
            VIEW => self.view_timeout(out),
            CANVASS => self.canvass_timeout(out),
            RETRANSMIT => self.retransmit(out),
            HEARTBEAT => self.beat(out),
            CATCH_UP => self.catch_up_timeout(out),
            Timer(_) => {}
        }
    }
}

impl<S: Service + Clone> Replica<S> {
    /// Who leads `view`.
    fn leader(&self, view: View) -> NodeId {
        let members = &self.settings.members;
        members[(view.0 % members.len() as u64) as usize]
    }

    /// The other members, in the order of their slots, the first one after slot `first` being the first.
    fn others_from(&self, first: usize) -> Vec<NodeId> {
        let members = &self.settings.members;
        let turned = members.iter().cycle().skip(first % members.len()).take(members.len());
        turned.copied().filter(|node| *node != self.me).collect()
    }

    /// The slot of a member.
    fn slot(&self, node: NodeId) -> usize {
        let slot = self.settings.members.iter().position(|member| *member == node);
        slot.expect("only members are asked about: others are refused before, and this node was checked")
    }

    /// Lets `message` leave once everything written so far is durable.
    fn send_durable(&mut self, to: Destination, message: Message, out: &mut Outbox) {
        self.journal.hold(Effect::Send { to, message: message.into() }, out);
    }

    /// Tells the sender of something below the promise that its ballot is over.
    fn refuse_superseded(&self, from: NodeId, out: &mut Outbox) {
        out.refuse(Peer::Node(from), Refusal::Stale);
        out.send(from, Message::Superseded(Superseded { view: self.promised }));
    }
}
