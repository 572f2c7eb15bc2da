//! The guard of ByzID: the door, the trusted monitor, and the frames that the monitor may want sent again.
//!
//! Upon a frame from the network: the door opens it; the monitor says whether the replica may see it.
//! Upon a message from the replica: the monitor says whether it may leave. ORDER, STABLECHECKPOINT and NEWCONFIG are then
//!   sealed, go to every other member, and *come back to the replica* with the seal, like its own echo. The primary acts
//!   upon them only then, exactly as a backup does: what its guard blocked it never did.
//! Upon the monitor's wish: frames are sent again as they were, monitors are told things, the replica gets a notice.
//!
//! **Failing.** A guard without a monitor is one whose monitor crashed. Set to fail `open` it lets everything through,
//! unvouched; set to fail `closed` the node is cut off, so there is no guard either until the monitor is started again.
//! A monitor that was started again has forgotten; until it is in a configuration again the same holds.

mod outbound;
#[cfg(test)]
mod tests;

use crate::Message;
use crate::bundle::{Bundle, Gathering, Parcels};
use crate::byzid::message::{
    self, Claim, Control, Member, Message as ByzId, NewConfig, Reconfigure, Relay, Stable,
};
use crate::checkpoint::{CHUNKS_IN_FLIGHT_MAX, Manifest};
use crate::door::Door;
use crate::guard::{Alarm, Guard as GuardTrait, GuardEffect};
use crate::replica::{Destination, Event, Refusal, Timer};
use crate::request::{Busy, Request};
use crate::settings::Settings;
use bytes::Bytes;
use core::time::Duration;
use monitor::{
    Action, Admission, Heard, Incarnation, Monitor, Notice, Received, Severity, Span, Specification,
};
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use wire::{Digest, Encode, Keys, NodeId, Peer, Sequence, Time, View};

/// No timer is finer than this: one that is due in a nanosecond may run out before it on a clock that drifts, again and
/// again.
const TIMER_MIN: Duration = Duration::from_micros(10);

/// Manifests kept. A replica has a stable checkpoint and two tentative ones at most, and all of them may be asked for: by
/// one that needs the first, and by a traitor that wants it never to get there.
const MANIFESTS_MAX: usize = 4;

/// A transfer asks for the manifest, and for so many chunks before it has the first.
const _: () = assert!((CHUNKS_IN_FLIGHT_MAX as u64) < monitor::flood::BLOCKED_PER_CHECKPOINT);

/// The guard's only timer: the monitor's next deadline.
const MONITOR: Timer = Timer(0);

impl monitor::Request for Request {
    fn client(&self) -> u64 {
        self.client.0
    }
    fn timestamp(&self) -> u64 {
        self.timestamp.0
    }
    fn bytes(&self) -> usize {
        self.operation.len()
    }
}

/// What a guard is set to do while its monitor cannot vouch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Fail {
    /// Cut the node off.
    #[default]
    Closed,
    /// Let everything through, unvouched.
    Open,
}

/// The monitor's numbers, from the cluster's settings.
#[must_use]
pub fn specification(settings: &Settings, fail: Fail) -> Specification {
    let span = |duration: Duration| Span(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    Specification {
        f: settings.f,
        checkpoint_interval: settings.checkpoint_interval,
        window: settings.window,
        log_orders_max: settings.log_batches_max(),
        requests_waiting_max: settings.requests_waiting_max,
        requests_waiting_bytes_max: REQUESTS_WAITING_BYTES_MAX,
        open: fail == Fail::Open,
        retransmit_after: span(settings.retransmit_after),
        heartbeat_every: span(settings.heartbeat_every),
        view_timeout: span(settings.view_timeout),
        view_timeout_max: span(settings.view_timeout_max),
        act_floor: span(settings.retransmit_after),
        act_ceiling: span(settings.view_timeout),
    }
}

/// Bytes of requests that wait at the primary at most.
pub const REQUESTS_WAITING_BYTES_MAX: usize = 64 << 20;

/// The guard beside a ByzID replica.
#[derive(Clone)]
pub struct Guard<K> {
    door: Door<K>,
    me: NodeId,
    monitor: Option<Monitor<Request>>,
    fail: Fail,
    others: Vec<NodeId>,
    /// The frames of the ORDERs of the present configuration that are past its stable checkpoint, so as many as the log holds
    /// at most, however many backups lack them. Who lacks more is told of the checkpoint.
    frames: BTreeMap<Sequence, Bytes>,
    new_config_frame: Option<Bytes>,
    /// That of the last STABLECHECKPOINT of the present configuration.
    stable_frame: Option<Bytes>,
    /// The manifests of the snapshots that the replica hands out, the latest last.
    manifests: VecDeque<(Digest, Manifest)>,
    /// The members of the first configuration, which needs no proof.
    genesis: Vec<Member>,
    armed: Option<Time>,
    parcels: Parcels,
}

/// The state of a guard is all but its keys, which never change.
impl<K> Hash for Guard<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.door, self.me, &self.monitor, self.fail, &self.others).hash(state);
        (&self.frames, &self.new_config_frame, &self.stable_frame).hash(state);
        (&self.manifests, &self.genesis, self.armed).hash(state);
        self.parcels.hash(state);
    }
}

impl<K: Keys> Guard<K> {
    /// The guard of a node whose monitor starts now. `incarnation` is [`monitor::FIRST`] if it never ran before.
    pub fn new(door: Door<K>, settings: &Settings, fail: Fail, incarnation: Incarnation, now: Time) -> Self {
        let me = door.me().node().expect("a guard stands beside a node");
        let members: Vec<u16> = settings.members.iter().map(|node| node.0).collect();
        let spares: Vec<u16> = settings.spares.iter().map(|node| node.0).collect();
        let spec = specification(settings, fail);
        let monitor = Monitor::new(spec, me.0, incarnation, &members, &spares, moment(now));
        Guard {
            door: door.of_monitor(),
            me,
            monitor: Some(monitor),
            fail,
            others: settings.members.iter().copied().filter(|node| *node != me).collect(),
            frames: BTreeMap::new(),
            new_config_frame: None,
            stable_frame: None,
            manifests: VecDeque::new(),
            genesis: settings
                .members
                .iter()
                .map(|node| Member { node: *node, incarnation: monitor::FIRST })
                .collect(),
            armed: None,
            parcels: Parcels::default(),
        }
    }

    /// The same node, after its monitor crashed while set to fail open: everything passes, unvouched.
    #[must_use]
    pub fn without_monitor(self, out: &mut Vec<GuardEffect>) -> Self {
        out.push(GuardEffect::Deliver(Event::Notice(Notice::Unmonitored)));
        Guard { monitor: None, door: self.door.without_monitor(), armed: None, ..self }
    }

    /// The monitor, if it runs.
    pub fn monitor(&self) -> Option<&Monitor<Request>> {
        self.monitor.as_ref()
    }

    /// What it is set to do while its monitor cannot vouch.
    pub fn fail(&self) -> Fail {
        self.fail
    }

    /// The replica beside this guard stopped, or runs again.
    pub fn replica_is_up(&mut self, now: Time, up: bool, out: &mut Vec<GuardEffect>) {
        let mut actions = Vec::new();
        if let Some(monitor) = &mut self.monitor {
            monitor.replica_is_up(moment(now), up, &mut actions);
        }
        self.perform(actions, out);
        self.rearm(now, out);
    }

    /// Whether nothing is vouched for at present, and the guard is set to let it through all the same.
    fn is_open(&self) -> bool {
        self.fail == Fail::Open && self.monitor.as_ref().is_none_or(Monitor::has_forgotten)
    }

    fn receive_frame(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        let opened = match self.door.open(link, frame) {
            Ok(opened) => opened,
            Err(refusal) => return out.push(GuardEffect::Refuse { from: link, refusal }),
        };
        let refusal = match (opened.from, opened.message) {
            (Peer::Client(_), Message::Request(request)) => {
                let refusal = self.receive_request(now, &request, out);
                if refusal.is_none() {
                    let message = Message::Request(request);
                    out.push(GuardEffect::Deliver(Event::Message { from: opened.from, message }));
                }
                refusal
            }
            (Peer::Client(_), Message::Bundle(bundle)) => {
                return self.receive_bundle(now, opened.from, bundle, out);
            }
            (Peer::Node(from), Message::ByzId(ByzId::Relay(relay))) => {
                return self.receive_relay(now, from, opened.vouched, relay.request, out);
            }
            (Peer::Node(from), Message::ByzId(message)) => {
                self.receive_protocol(now, from, opened.vouched, message, out)
            }
            (Peer::Node(from), Message::Transfer(transfer)) => match &self.monitor {
                Some(monitor) if !self.is_open() => match monitor.transfer_received(opened.vouched) {
                    Received::Deliver => deliver(from, Message::Transfer(transfer), out),
                    received => refusal_of(received),
                },
                _ => deliver(from, Message::Transfer(transfer), out),
            },
            (Peer::Client(_) | Peer::Node(_), _) => Some(Refusal::NotAllowed),
        };
        if let Some(refusal) = refusal {
            out.push(GuardEffect::Refuse { from: opened.from, refusal });
        }
    }

    fn receive_request(
        &mut self,
        now: Time,
        request: &Request,
        out: &mut Vec<GuardEffect>,
    ) -> Option<Refusal> {
        let admission = self.admit(now, request);
        match admission {
            Admission::Queued | Admission::Duplicate => {}
            Admission::NotPrimary => {
                let primary = self.monitor.as_mut().and_then(|monitor| monitor.relay(moment(now)));
                if let Some(primary) = primary {
                    let relay = Message::from(Relay { request: request.clone() });
                    self.transmit(&[Peer::Node(NodeId(primary))], &relay, out);
                }
            }
            Admission::Full => {
                let busy = Busy { client: request.client, timestamp: request.timestamp };
                self.parcels.add(busy.client, Message::Busy(busy), &self.door, out);
            }
        }
        refusal_of_admission(admission)
    }

    /// What becomes of a REQUEST, whoever showed it. Where nothing is vouched for, nobody looks at what order they come in; and a
    /// node without its monitor that does not fail open is cut off, and hears nothing.
    fn admit(&mut self, now: Time, request: &Request) -> Admission {
        let open = self.is_open();
        match &mut self.monitor {
            _ if open => Admission::Queued,
            Some(monitor) => monitor.request_received(moment(now), request.clone()),
            None => Admission::NotPrimary,
        }
    }

    /// A REQUEST that a client showed to another node's monitor. It makes one step only; a client that finds no room here hears so
    /// when it comes itself.
    fn receive_relay(
        &mut self,
        now: Time,
        from: NodeId,
        vouched: bool,
        request: Request,
        out: &mut Vec<GuardEffect>,
    ) {
        let admission = if vouched { self.admit(now, &request) } else { Admission::NotPrimary };
        out.push(match refusal_of_admission(admission) {
            None => {
                let from = Peer::Client(request.client);
                GuardEffect::Deliver(Event::Message { from, message: Message::Request(request) })
            }
            Some(refusal) => GuardEffect::Refuse { from: Peer::Node(from), refusal },
        });
    }

    /// Each REQUEST in a bundle is shown to the monitor for itself; those that pass go on together.
    fn receive_bundle(&mut self, now: Time, from: Peer, bundle: Bundle, out: &mut Vec<GuardEffect>) {
        let mut passed = Gathering::default();
        for message in bundle.into_messages() {
            let Message::Request(request) = message else { continue };
            match self.receive_request(now, &request, out) {
                None => {
                    if let Some(message) = passed.add(Message::Request(request)) {
                        out.push(GuardEffect::Deliver(Event::Message { from, message }));
                    }
                }
                Some(refusal) => {
                    let from = Peer::Client(request.client);
                    out.push(GuardEffect::Refuse { from, refusal });
                }
            }
        }
        if let Some(message) = passed.take() {
            let from = match &message {
                Message::Request(request) => Peer::Client(request.client),
                _ => from,
            };
            out.push(GuardEffect::Deliver(Event::Message { from, message }));
        }
    }

    fn receive_protocol(
        &mut self,
        now: Time,
        from: NodeId,
        vouched: bool,
        message: ByzId,
        out: &mut Vec<GuardEffect>,
    ) -> Option<Refusal> {
        let open = self.is_open();
        let mut actions = Vec::new();
        let received = match &mut self.monitor {
            // Nobody checks: what is for replicas passes, what is for monitors has nobody to hear it.
            None if is_for_monitor(&message) => Received::NotAllowed,
            None => Received::Deliver,
            Some(monitor) => {
                let received =
                    show(monitor, &self.door, &self.genesis, now, from, vouched, &message, &mut actions);
                if open && !is_for_monitor(&message) { Received::Deliver } else { received }
            }
        };
        let refusal = match received {
            Received::Deliver if is_for_replica(&message) => deliver(from, Message::ByzId(message), out),
            Received::Deliver => None,
            other => refusal_of(other),
        };
        self.perform(actions, out);
        refusal
    }

    /// Does what the monitor wants done.
    fn perform(&mut self, actions: Vec<Action>, out: &mut Vec<GuardEffect>) {
        for action in actions {
            match action {
                Action::Broadcast(control) => {
                    let message = Message::from(Control(control));
                    self.transmit(&self.other_nodes(), &message, out);
                }
                Action::ResendOrder(to, sequence) => {
                    transmit_again(to, self.frames.get(&Sequence(sequence.0)), out);
                }
                Action::ResendNewConfig(to) => transmit_again(to, self.new_config_frame.as_ref(), out),
                Action::ResendStable(to) => transmit_again(to, self.stable_frame.as_ref(), out),
                Action::Notice(notice) => out.push(GuardEffect::Deliver(Event::Notice(notice))),
                Action::Alarm(rule) => {
                    let view = self.monitor.as_ref().map_or(0, |monitor| monitor.configuration().view.0);
                    out.push(GuardEffect::Alarm(Alarm {
                        node: self.me,
                        view: View(view),
                        rule: rule.name(),
                        proof: rule.severity() == Severity::Proof,
                    }));
                }
                Action::Entered => self.entered(),
            }
        }
    }

    /// The monitor entered a configuration: the frames of the one before are dead.
    fn entered(&mut self) {
        self.frames.clear();
        self.new_config_frame = None;
        self.stable_frame = None;
        let Some(monitor) = &self.monitor else { return };
        let members = monitor.configuration().members.iter().map(|member| NodeId(member.node));
        self.others = members.filter(|node| *node != self.me).collect();
    }

    /// Every node that the door knows but this one: members and spares.
    fn other_nodes(&self) -> Vec<Peer> {
        self.door.nodes().iter().filter(|node| **node != self.me).map(|node| Peer::Node(*node)).collect()
    }

    fn transmit(&self, to: &[Peer], message: &Message, out: &mut Vec<GuardEffect>) -> Bytes {
        let frame = self.door.seal_for(to, message).to_bytes();
        for peer in to {
            out.push(GuardEffect::Transmit { to: *peer, frame: frame.clone() });
        }
        frame
    }

    /// Sets the timer to the monitor's next deadline, if that is earlier than what it is set to.
    fn rearm(&mut self, now: Time, out: &mut Vec<GuardEffect>) {
        let Some(monitor) = &self.monitor else { return };
        let deadline = Time(monitor.deadline().0);
        if deadline != Time(u64::MAX) && self.armed.is_none_or(|armed| deadline < armed) {
            self.armed = Some(deadline);
            out.push(GuardEffect::SetTimer(MONITOR, deadline.since(now).max(TIMER_MIN)));
        }
    }
}

impl<K: Keys> GuardTrait for Guard<K> {
    fn start(&mut self, now: Time, out: &mut Vec<GuardEffect>) {
        self.rearm(now, out);
    }

    fn receive(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        self.receive_frame(now, link, frame, out);
        self.rearm(now, out);
    }

    fn send(&mut self, now: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        self.send_message(now, to, message, out);
        self.rearm(now, out);
    }

    fn flush(&mut self, out: &mut Vec<GuardEffect>) {
        // Of a replica that was proven guilty nothing passes any more, not even what it had said earlier in the same turn.
        if self.monitor.as_ref().is_some_and(|monitor| monitor.guilty().is_some()) {
            self.parcels = Parcels::default();
        }
        self.parcels.flush(&self.door, out);
    }

    fn timeout(&mut self, now: Time, timer: Timer, out: &mut Vec<GuardEffect>) {
        debug_assert_eq!(timer, MONITOR);
        self.armed = None;
        let mut actions = Vec::new();
        if let Some(monitor) = &mut self.monitor
            && Time(monitor.deadline().0) <= now
        {
            monitor.tick(moment(now), &mut actions);
        }
        self.perform(actions, out);
        self.rearm(now, out);
    }
}

fn moment(now: Time) -> monitor::Time {
    monitor::Time(now.0)
}

fn transmit_again(to: monitor::Node, frame: Option<&Bytes>, out: &mut Vec<GuardEffect>) {
    if let Some(frame) = frame {
        out.push(GuardEffect::Transmit { to: Peer::Node(NodeId(to)), frame: frame.clone() });
    }
}

fn deliver(from: NodeId, message: Message, out: &mut Vec<GuardEffect>) -> Option<Refusal> {
    out.push(GuardEffect::Deliver(Event::Message { from: Peer::Node(from), message }));
    None
}

fn refusal_of(received: Received) -> Option<Refusal> {
    match received {
        Received::Deliver => None,
        Received::Stale => Some(Refusal::Stale),
        Received::Ahead => Some(Refusal::TooFarAhead),
        Received::NotAllowed => Some(Refusal::NotAllowed),
        Received::Contradiction => Some(Refusal::Contradiction),
    }
}

/// What is said to whoever showed a REQUEST, unless it goes to the replica.
fn refusal_of_admission(admission: Admission) -> Option<Refusal> {
    match admission {
        Admission::Queued => None,
        Admission::Duplicate => Some(Refusal::Stale),
        Admission::NotPrimary => Some(Refusal::NotAllowed),
        Admission::Full => Some(Refusal::NoRoom),
    }
}

/// Whether a message means something to a monitor alone, so that nobody without one hears it, or says it.
fn is_for_monitor(message: &ByzId) -> bool {
    matches!(message, ByzId::Control(_) | ByzId::Relay(_) | ByzId::Reconfigure(_) | ByzId::NewConfig(_))
}

/// Whether a message that passed is the replica's business, and not the monitor's alone.
fn is_for_replica(message: &ByzId) -> bool {
    match message {
        ByzId::Control(control) => matches!(control.0, monitor::Control::Beat { .. }),
        _ => true,
    }
}

/// Shows the monitor a message from another node.
#[allow(clippy::too_many_arguments, reason = "the monitor is borrowed apart from the rest of its guard")]
fn show<K: Keys>(
    monitor: &mut Monitor<Request>,
    door: &Door<K>,
    genesis: &[Member],
    now: Time,
    from: NodeId,
    vouched: bool,
    message: &ByzId,
    actions: &mut Vec<Action>,
) -> Received {
    let heard = |view: View| Heard { now: moment(now), from: from.0, vouched, view: monitor::View(view.0) };
    let at = |sequence: Sequence| monitor::Sequence(sequence.0);
    match message {
        ByzId::Order(order) => monitor.order_received(
            heard(order.view),
            at(order.sequence),
            order.batch.digest().0,
            order.batch.requests().len() as u64,
        ),
        ByzId::Ack(ack) => monitor.ack_received(heard(ack.view), at(ack.sequence), ack.digest.0),
        ByzId::Joined(joined) => monitor.joined_received(heard(joined.view), at(joined.last)),
        ByzId::Checkpoint(checkpoint) => {
            monitor.checkpoint_received(heard(checkpoint.view), at(checkpoint.sequence), checkpoint.digest.0)
        }
        ByzId::StableCheckpoint(checkpoint) => {
            let stable = &checkpoint.stable;
            monitor.stable_received(heard(checkpoint.view), at(stable.sequence), stable.digest.0)
        }
        ByzId::Fetch(_) | ByzId::AskBatch(_) | ByzId::Fetched(_) => monitor.transfer_received(vouched),
        ByzId::Reconfigure(reconfigure) if vouched && is_proven(door, genesis, reconfigure) => monitor
            .reconfigure_received(monitor::View(reconfigure.target.0), reconfigure.claim.to_monitor(from)),
        ByzId::Reconfigure(_) => Received::NotAllowed,
        ByzId::NewConfig(new) => {
            let sealed = new.seal.is_some_and(|seal| door.keys().seal_is_valid(&new.sealed_bytes(), &seal));
            if !sealed || new.members.is_empty() {
                return Received::NotAllowed;
            }
            monitor.new_config_received(moment(now), from.0, vouched, &new.to_monitor())
        }
        ByzId::Control(control) if vouched => {
            monitor.control_received(moment(now), from.0, &control.0, actions)
        }
        // A relay is a client's REQUEST, and treated as one.
        ByzId::Control(_) | ByzId::Relay(_) => Received::NotAllowed,
    }
}

/// Whether a claim is vouched for by its sender's monitor, or else proven by seals: the NEWCONFIG of the configuration
/// entered, every ORDER after it, and the stable checkpoint.
fn is_proven<K: Keys>(door: &Door<K>, genesis: &[Member], reconfigure: &Reconfigure) -> bool {
    let claim = &reconfigure.claim;
    if !stable_is_proven(door, &claim.stable) || claim.members.is_empty() {
        return false;
    }
    match (&reconfigure.seals, claim.vouched) {
        (_, true) => true,
        (None, false) => false,
        (Some(seals), false) => seals_prove(door, genesis, claim, seals),
    }
}

/// Whether a checkpoint is the state before any batch, or sealed.
fn stable_is_proven<K: Keys>(door: &Door<K>, stable: &Stable) -> bool {
    if defect!(ByzIdSealsUnchecked) {
        return true;
    }
    match &stable.seal {
        None => *stable == Stable::genesis(),
        Some(seal) => door.keys().seal_is_valid(&stable.sealed_bytes(), seal),
    }
}

fn seals_prove<K: Keys>(door: &Door<K>, genesis: &[Member], claim: &Claim, seals: &message::Seals) -> bool {
    if defect!(ByzIdSealsUnchecked) {
        return true;
    }
    let (view, members, stable, started_with): (View, &[Member], Sequence, &[Digest]) = match &seals
        .new_config
    {
        // The first configuration needs no proof: it is in every node's settings.
        None => (View(0), genesis, Sequence::ZERO, &[]),
        Some(new) if new.seal.is_some_and(|seal| door.keys().seal_is_valid(&new.sealed_bytes(), &seal)) => {
            (new.view, &new.members, new.stable.sequence, &new.orders)
        }
        Some(_) => return false,
    };
    if claim.entered != view || members != claim.members {
        return false;
    }
    let start = members[(view.0 % members.len() as u64) as usize].incarnation;
    let started_last = stable.plus(started_with.len() as u64);
    let mut sealed = seals.orders.iter();
    let mut at = claim.stable.sequence;
    claim.orders.iter().all(|digest| {
        at = at.next();
        if at <= started_last {
            let index = at.0.checked_sub(stable.0 + 1).and_then(|index| usize::try_from(index).ok());
            return index.and_then(|index| started_with.get(index)) == Some(digest);
        }
        sealed.next().is_some_and(|seal| {
            door.keys().seal_is_valid(&message::Order::sealed_bytes(view, start, at, *digest), seal)
        })
    })
}

/// The sealed form of a NEWCONFIG that passed the monitor.
fn sealed_new_config<K: Keys>(door: &Door<K>, new: NewConfig) -> NewConfig {
    let seal = door.keys().seal(&new.sealed_bytes());
    NewConfig { seal: Some(seal), ..new }
}
