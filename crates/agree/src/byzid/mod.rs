//! ByzID (Duan, Levitt, Meling, Peisert, Zhang): 2f+1 replicas mask f liars, because a trusted monitor stands beside each.
//!
//! Three message delays in the fault-free case:
//!
//! ```text
//!  client ──REQUEST──► primary ──ORDER──► backups ──REPLY──► client
//!                         │ └───────────────REPLY──────────────►│      f+1 alike: believed
//!                         ◄───────ACK────────┘
//! ```
//!
//! A room for each idea:
//! - [`order`](self): the primary gives batches their places;
//! - follow: every replica accepts ORDERs, executes, ACKs, replies;
//! - stable: checkpoints, log truncation, snapshots for those who were away;
//! - reconfigure: claims, the candidate, NEWCONFIG; enter: the way into a configuration;
//! - [`record`]: what is on disk, and how a replica is built from it again;
//! - [`guard`]: the door with the monitor, whose specification is the crate [`monitor`];
//! - [`message`]: what travels.
//!
//! **Speculation.** A replica executes an ORDER when it gets it, before others are known to have it. If a
//! configuration ends, an ORDER that fewer than f+1 nodes have may be left out of the next one; then the replica rolls back
//! to its last checkpoint before it. What a client believed was in f+1 nodes, and is never rolled back.
//!
//! **Where this differs from the paper, and why.**
//! 1. The primary acts upon its own ORDER, STABLECHECKPOINT and NEWCONFIG only when they come back from its guard,
//!    sealed. So a blocked message was never acted upon, and its disk holds the same proofs as a backup's.
//! 2. An ACK is for everything up to N. It is sent once the record is on disk, and replies leave only then.
//! 3. A client counts only replies of the same `v` and N together, since execution is speculative.
//! 4. RECONFIGURE and NEWCONFIG carry digests; the batches are fetched by digest. A message stays small whatever the load.
//! 5. The next primary is a member, not the spare: it has the state already. A spare takes the place of the accused
//!    afterwards, out of band.
//! 6. There are no NULL requests: claims are without gaps, since monitors let ACKs out only without gaps.
//! 7. A request that was executed before is ordered again when it is sent again, and executed by nobody: every replica
//!    just repeats its reply. So the primary's queue and its monitor's are always the same, and a client that lost
//!    replies gets f+1 fresh ones of one configuration.
//! 8. A batch is complete when f backups have ACKed it, not all: f+1 that have it are what a later configuration needs.
//!    The others are sent it again until they have it, or the stable checkpoint that covers it.

pub mod audit;
pub mod auditor;
pub mod guard;
pub mod message;
pub mod record;

mod enter;
mod follow;
mod order;
mod reconfigure;
mod stable;
#[cfg(test)]
mod tests;

use crate::Message;
use crate::checkpoint::{Checkpoint, Fetch};
use crate::journal::Journal;
use crate::machine::Machine;
use crate::queue::{OF_A_CLIENT_MAX, Queue};
use crate::replica::{
    Event, Observation, Outbox, Position, Recovered, Refusal, Replica as ReplicaTrait, Status, Timer,
};
use crate::request::Batch;
use crate::roster::{Chain, Edition};
use crate::service::Service;
use crate::settings::Settings;
use message::{Claim, Member, Message as ByzId, NewConfig, Stable};
use monitor::Notice;
use record::{Begun, Record, RecoverError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{Digest, Encode, NodeId, Peer, Sequence, Tag, Time, View};

/// The replica's only timer: something is outstanding, and may have to be asked for or said again.
const RETRY: Timer = Timer(0);

/// An ORDER that the replica has: accepted if its place is not past what was executed, else waiting for those before it.
#[derive(Clone, Hash, Debug)]
struct Stored {
    batch: Batch,
    seal: Option<Tag>,
    /// Where its record is, once it was accepted.
    position: Option<Position>,
}

/// What the replica is doing.
#[derive(Clone, Hash, Debug)]
enum Mode {
    /// It takes part in its configuration.
    Normal,
    /// It is no member, and waits for a configuration that needs it.
    Spare,
    /// It was stopped and gave its claim; the next configuration is to come.
    Stopped { target: View },
    /// It gathers claims, to lead the next configuration.
    Candidate(Box<Candidacy>),
    /// It has the NEWCONFIG and fetches what it lacks.
    Joining(Box<Joining>),
}

/// The way of a backup into a configuration.
#[derive(Clone, Hash, Debug)]
struct Joining {
    new: NewConfig,
    /// The stable checkpoint to start from: that of the NEWCONFIG, or a later one of the same configuration.
    base: Stable,
}

/// What a candidate has gathered.
#[derive(Clone, Hash, Debug)]
struct Candidacy {
    target: View,
    claims: BTreeMap<NodeId, Claim>,
    /// Claimants that could not produce what they claim.
    excluded: BTreeSet<NodeId>,
    /// The configuration to be, once the claims are a quorum.
    plan: Option<Box<NewConfig>>,
    /// Retries since the plan was made or brought something new.
    idle: u32,
    sent: bool,
}

/// A ByzID replica.
#[derive(Clone, Hash, Debug)]
pub struct Replica<S> {
    me: NodeId,
    settings: Settings,
    machine: Machine<S>,
    journal: Journal,
    mode: Mode,
    view: View,
    members: Vec<Member>,
    /// The NEWCONFIG of the configuration entered; none in the first one.
    new_config: Option<Box<NewConfig>>,
    /// The last stable checkpoint that this replica has.
    stable: Stable,
    /// The digests of the ORDERs accepted after it. Invariant: it ends where the machine stands.
    history: VecDeque<Digest>,
    orders: BTreeMap<Sequence, Stored>,
    /// The stable checkpoint, and those taken since.
    checkpoints: BTreeMap<Sequence, Checkpoint>,
    /// A stable checkpoint of others that this replica has not reached.
    ahead: Option<Stable>,
    transfer: Option<Fetch>,
    /// The snapshot fetched for a configuration to be entered.
    gathered_snapshot: Option<Checkpoint>,
    /// The batches fetched for it.
    gathered: BTreeMap<Sequence, Batch>,
    queue: Queue,
    /// As the primary: it orders once everything up to here is on disk. Never in the configuration in which it was started
    /// again: what it ordered last may be on no disk, and it must not give the same place twice.
    orders_from: Option<Position>,
    /// As the primary: the last ORDER sent. It comes back from the guard, or was blocked.
    ordered: Sequence,
    /// As the primary: the ORDERs handed to the guard that have not come back yet, at most a window of them. If the monitor
    /// crashes before they do, nobody here knows whether others were told, so they are said again as they are.
    on_their_way: VecDeque<(Sequence, Batch)>,
    /// As the primary: up to where each member has ACKed, by slot.
    acked: Vec<Sequence>,
    /// As the primary: the last checkpoint that it declared stable.
    declared: Sequence,
    /// CHECKPOINTs of the backups, by slot.
    votes: Vec<Option<(Sequence, Digest)>>,
    /// No monitor stands beside it: it sends again itself what was lost.
    unmonitored: bool,
    /// The last place that the primary is known to have ordered.
    heard_of: Sequence,
    /// Where the machine stood when the retry timer last ran out.
    stood_at: Sequence,
    /// The last of the ORDERs asked for by the last FETCH.
    asked_up_to: Sequence,
    retrying: bool,
}

impl<S: Service> Replica<S> {
    /// The replica of `me`, as what is left on its disk makes it: on the first start, nothing.
    pub fn recover(
        me: NodeId,
        settings: Settings,
        service: S,
        recovered: Recovered,
    ) -> Result<Self, RecoverError> {
        settings.check().map_err(RecoverError::Settings)?;
        let members: Vec<Member> =
            settings.members.iter().map(|node| Member { node: *node, incarnation: monitor::FIRST }).collect();
        let replica = Replica {
            me,
            machine: Machine::new(service, settings.sessions_bytes_max),
            journal: Journal::new(recovered.last),
            mode: if settings.members.contains(&me) { Mode::Normal } else { Mode::Spare },
            view: View(0),
            acked: vec![Sequence::ZERO; members.len()],
            votes: vec![None; members.len()],
            members,
            new_config: None,
            stable: Stable::genesis(),
            history: VecDeque::new(),
            orders: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            ahead: None,
            transfer: None,
            gathered_snapshot: None,
            gathered: BTreeMap::new(),
            queue: Queue::new(settings.requests_waiting_max, OF_A_CLIENT_MAX),
            orders_from: (recovered.last == Position(0)).then_some(Position(1)),
            ordered: Sequence::ZERO,
            on_their_way: VecDeque::new(),
            declared: Sequence::ZERO,
            unmonitored: false,
            heard_of: Sequence::ZERO,
            stood_at: Sequence::ZERO,
            asked_up_to: Sequence::ZERO,
            retrying: false,
            settings,
        };
        replica.replay(recovered)
    }

    /// The same replica on a machine that the change of this edition put into its seat. It never begins the first configuration:
    /// what is on its disk is not all that was ever said from here. Its monitor has a later start than any before, so it
    /// vouches for nothing until a configuration names that; and what a configuration starts from, this replica then has.
    #[must_use]
    pub fn seated(mut self, seat: Edition) -> Self {
        if seat > Edition(0) {
            self.orders_from = None;
        }
        self
    }

    /// On its very first start it writes that it was started: whoever finds a record on its disk is not new.
    fn start(&mut self, out: &mut Outbox) {
        let (sequence, state) = (self.machine.sequence(), self.machine.digest());
        out.observe(Observation::Restored { sequence, state });
        if self.orders_from.is_some() {
            self.journal.record(Record::Begun(Begun { node: self.me }).to_bytes(), out);
        }
    }

    /// Whether as the primary it may order.
    fn may_order(&self) -> bool {
        self.leads() && self.orders_from.is_some_and(|from| from <= self.journal.durable_up_to())
    }

    /// The service as this replica has it now.
    #[must_use]
    pub fn service(&self) -> &S {
        self.machine.service()
    }

    fn n(&self) -> usize {
        self.members.len()
    }

    fn primary(&self) -> NodeId {
        self.members[(self.view.0 % self.n() as u64) as usize].node
    }

    fn leads(&self) -> bool {
        matches!(self.mode, Mode::Normal) && self.primary() == self.me
    }

    fn slot(&self, node: NodeId) -> Option<usize> {
        self.members.iter().position(|member| member.node == node)
    }

    fn others(&self) -> Vec<NodeId> {
        self.members.iter().map(|member| member.node).filter(|node| *node != self.me).collect()
    }

    /// The last ORDER accepted.
    fn accepted(&self) -> Sequence {
        debug_assert_eq!(self.machine.sequence(), self.stable.sequence.plus(self.history.len() as u64));
        self.machine.sequence()
    }

    /// The digest of the ORDER accepted at a place after the stable checkpoint.
    fn accepted_digest(&self, at: Sequence) -> Option<Digest> {
        let index = at.0.checked_sub(self.stable.sequence.0 + 1)?;
        self.history.get(usize::try_from(index).ok()?).copied()
    }

    fn receive(&mut self, from: Peer, message: Message, out: &mut Outbox) {
        match (from, message) {
            (Peer::Client(_), Message::Request(request)) => {
                self.receive_request(request, out);
                self.order(out);
            }
            (Peer::Client(_), Message::Bundle(bundle)) => {
                for message in bundle.into_messages() {
                    if let Message::Request(request) = message {
                        self.receive_request(request, out);
                    }
                }
                self.order(out);
            }
            (Peer::Node(node), Message::Transfer(transfer)) => self.receive_transfer(node, transfer, out),
            (Peer::Node(node), Message::ByzId(message)) => self.receive_protocol(node, message, out),
            (_, _) => out.refuse(from, Refusal::NotAllowed),
        }
    }

    fn receive_protocol(&mut self, from: NodeId, message: ByzId, out: &mut Outbox) {
        match message {
            ByzId::Order(order) => self.receive_order(from, order, out),
            ByzId::Ack(ack) => self.receive_ack(from, &ack, out),
            ByzId::Checkpoint(checkpoint) => self.receive_checkpoint(from, &checkpoint, out),
            ByzId::StableCheckpoint(checkpoint) => self.receive_stable(from, &checkpoint, out),
            ByzId::Fetch(fetch) => self.receive_fetch(from, &fetch, out),
            ByzId::AskBatch(ask) => self.receive_ask_batch(from, &ask, out),
            ByzId::Fetched(fetched) => self.receive_fetched(from, fetched, out),
            ByzId::Reconfigure(reconfigure) => self.receive_reconfigure(from, *reconfigure, out),
            ByzId::NewConfig(new) => self.receive_new_config(from, *new, out),
            ByzId::Joined(joined) => self.receive_joined(from, &joined, out),
            // What its guard hands on is the client's REQUEST.
            ByzId::Relay(_) => out.refuse(Peer::Node(from), Refusal::NotAllowed),
            ByzId::Control(control) => {
                if let monitor::Control::Beat { view, last } = control.0 {
                    self.receive_beat(from, View(view.0), Sequence(last.0), out);
                }
            }
        }
    }

    fn receive_notice(&mut self, notice: Notice, out: &mut Outbox) {
        match notice {
            Notice::Unmonitored => {
                self.unmonitored = true;
                self.send_what_did_not_come_back(out);
            }
            Notice::Reconfigure { target, candidate, prove } => {
                self.reconfigure(View(target.0), NodeId(candidate), prove, out);
            }
        }
    }

    /// Runs the retry timer while something is outstanding that nobody else would remember.
    fn keep_retrying(&mut self, out: &mut Outbox) {
        let outstanding = match &self.mode {
            Mode::Normal => {
                self.transfer.is_some()
                    || self.ahead.is_some()
                    || self.heard_of > self.accepted()
                    || self.unmonitored
                    || self.checkpoints.keys().next_back().is_some_and(|last| *last > self.stable.sequence)
            }
            Mode::Candidate(candidacy) => candidacy.plan.is_some(),
            Mode::Joining(_) => true,
            Mode::Stopped { .. } | Mode::Spare => false,
        };
        if outstanding && !self.retrying {
            self.retrying = true;
            out.set_timer(RETRY, self.settings.retransmit_after);
        }
    }

    fn retry(&mut self, out: &mut Outbox) {
        self.retrying = false;
        if let Some(fetch) = &mut self.transfer {
            fetch.next_source();
            self.hear_of_a_later_checkpoint(out);
        }
        match &self.mode {
            Mode::Normal => {
                self.say_checkpoint_again(out);
                self.order_again(out);
                self.fetch_what_is_missing(out);
            }
            Mode::Candidate(_) => self.retry_candidacy(out),
            Mode::Joining(_) => self.fetch_to_enter(out),
            Mode::Stopped { .. } | Mode::Spare => {}
        }
        self.continue_transfer(out);
        self.stood_at = self.machine.sequence();
    }
}

impl<S: Service> ReplicaTrait for Replica<S> {
    fn step(&mut self, _: Time, event: Event, out: &mut Outbox) {
        match event {
            Event::Started => self.start(out),
            Event::Message { from, message } => self.receive(from, message, out),
            Event::Timer(_) => self.retry(out),
            Event::Durable(position) => {
                self.journal.durable(position, out);
                self.accept_what_is_next(out);
                self.order(out);
            }
            Event::Notice(notice) => self.receive_notice(notice, out),
        }
        self.keep_retrying(out);
    }

    fn status(&self) -> Status {
        Status {
            view: self.view,
            primary: self.primary(),
            normal: matches!(self.mode, Mode::Normal),
            executed: self.machine.sequence(),
            stable: self.stable.sequence,
            state: self.machine.digest(),
            sessions: self.machine.sessions() as u64,
        }
    }

    fn chain(&self) -> Option<&Chain> {
        self.machine.service().chain()
    }
}
