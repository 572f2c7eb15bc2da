//! The flows of one shard: from a frame to what rules are asked about.

use super::exchanges::ask_exchanges;
use super::found::What;
use super::holds::Scene;
use super::layers::{self, Fed};
use super::packets::{ask_packet, ask_stream};
use super::records;
use super::stages::Stage;
use super::worker::Desk;
use crate::app::{Expectation, ProtocolId};
use crate::behaviour::{Attempt, Observation, Waiting, Watch, watch};
use crate::flow::{End, Ending, Flow, FlowKey, FlowTable, Layer, Recognition, Secret};
use crate::frame::{Decoder, Packet, Tcp, Transport};
use crate::rule::RuleSet;
use crate::state::FlowVariables;
use crate::stream::{Event, Events, Session, Supply};
use crate::{Direction, Time};
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;
/// How long a flow may be silent: one whose other side was not heard, one of both sides, one that has ended.
const NEW_SECONDS: u64 = 30;
const NEW_TCP_SECONDS: u64 = 60;
const ESTABLISHED_SECONDS: u64 = 300;
const ESTABLISHED_TCP_SECONDS: u64 = 600;
const CLOSED_SECONDS: u64 = 60;
/// Announced flows of a shard at most; beyond that the oldest is forgotten.
const EXPECTATIONS_MAX: usize = 1024;
/// How long an announced flow is waited for.
const EXPECTATION_SECONDS: u64 = 300;
/// How often what is spoken may change in one call: STARTTLS in a tunnel in a tunnel.
const SWITCHES_MAX: usize = 8;

/// A flow that another one announced.
#[derive(Clone, Debug)]
struct Announced {
    protocol: ProtocolId,
    note: u64,
    name: Vec<u8>,
    until: Time,
}

/// Announced flows, by where they will be opened to. A mark shares them until they change.
type Announcements = Arc<BTreeMap<(IpAddr, u16), Announced>>;

/// The flows of one shard.
#[derive(Clone, Default)]
pub(super) struct Shard {
    pub(super) flows: FlowTable,
    decoder: Decoder,
    announced: Announcements,
    pub(super) waiting: Waiting,
    saved: Option<Announcements>,
}

impl Shard {
    pub(super) fn keep_secret(&mut self, secret: Secret) {
        self.flows.keep_secret(secret);
    }

    pub(super) fn frame(&mut self, set: &RuleSet, desk: &mut Desk, time: Time, link: u16, bytes: &[u8]) {
        // The decoder shows packets while it decodes; flows and the rest are the shard's other fields.
        let Shard { flows, decoder, announced, waiting, .. } = self;
        let mut tracker = Tracker { set, flows, announced, waiting };
        decoder.decode(time, link, bytes, &mut |packet| {
            desk.counters.packets += 1;
            desk.counters.invalid += u64::from(packet.is_invalid);
            tracker.packet(desk, packet, bytes.len() as u64);
            desk.place.packet += 1;
            desk.place.step = 0;
        });
    }

    pub(super) fn time_passes(&mut self, set: &RuleSet, desk: &mut Desk, now: Time) {
        let Shard { flows, announced, waiting, .. } = self;
        if announced.values().any(|announced| announced.until <= now) {
            Arc::make_mut(announced).retain(|_, announced| announced.until > now);
        }
        let mut tracker = Tracker { set, flows, announced, waiting };
        while let Some(attempt) = tracker.waiting.due(now) {
            tracker.judge(desk, attempt, now);
        }
        for place in tracker.flows.overdue(now, lives_until) {
            tracker.end(desk, place, now, Ending::Silent);
        }
    }

    pub(super) fn finish(&mut self, set: &RuleSet, desk: &mut Desk, now: Time) {
        let Shard { flows, announced, waiting, .. } = self;
        let mut tracker = Tracker { set, flows, announced, waiting };
        for place in tracker.flows.all() {
            tracker.end(desk, place, now, Ending::CaptureOver);
        }
    }

    /// Bytes of pieces of datagrams that are kept.
    pub(super) fn fragments_bytes(&self) -> u64 {
        self.decoder.fragments_bytes()
    }

    pub(super) fn mark(&mut self) {
        self.flows.mark();
        self.decoder.mark();
        self.waiting.mark();
        self.saved = Some(Arc::clone(&self.announced));
    }

    pub(super) fn put_back(&mut self) {
        self.flows.put_back();
        self.decoder.put_back();
        self.waiting.put_back();
        if let Some(announced) = self.saved.take() {
            self.announced = announced;
        }
    }
}

fn lives_until(flow: &Flow) -> Time {
    let is_tcp = flow.protocol == 6;
    let seconds = match (&flow.session, flow.is_established()) {
        (Some(session), _) if session.is_done() => CLOSED_SECONDS,
        (Some(session), _) if session.is_established() => ESTABLISHED_TCP_SECONDS,
        _ if is_tcp => NEW_TCP_SECONDS,
        (_, true) => ESTABLISHED_SECONDS,
        (_, false) => NEW_SECONDS,
    };
    Time(flow.last.0.saturating_add(seconds * SECOND))
}

/// What follows flows, beside the decoder.
struct Tracker<'a> {
    set: &'a RuleSet,
    flows: &'a mut FlowTable,
    announced: &'a mut Announcements,
    waiting: &'a mut Waiting,
}

impl Tracker<'_> {
    fn packet(&mut self, desk: &mut Desk, packet: &Packet<'_>, bytes: u64) {
        if !packet.has_flow || packet.is_invalid {
            let at_home = self.set.plans.at_home(packet.source, packet.destination);
            records::note_packet(desk, packet, None);
            desk.enter(Stage::Matching);
            ask_packet(desk, &scene_of(self.set, packet, at_home), None, packet, false);
            desk.enter(Stage::Decode);
            if desk.watching.is_some() && !packet.has_flow {
                note_unusual_protocol(desk, packet);
            }
            return;
        }
        let (key, from) = key(packet);
        let place = self.place(desk, packet, &key, from);
        self.of_flow(desk, packet, place, from, bytes);
    }

    /// The place of the packet's flow, which begins if there is none. `from`: the end of the key that it comes from.
    fn place(&mut self, desk: &mut Desk, packet: &Packet<'_>, key: &FlowKey, from: End) -> u32 {
        if let Some(place) = self.flows.find(key) {
            if !self.begins_anew(packet, place, from) {
                return place;
            }
            self.end(desk, place, packet.time, Ending::BegunAnew);
        }
        self.begin(desk, packet, key, from)
    }

    /// A flow begins. Not inlined: what happens with every packet is to stay small, so that it stays in the processor's cache.
    #[inline(never)]
    fn begin(&mut self, desk: &mut Desk, packet: &Packet<'_>, key: &FlowKey, from: End) -> u32 {
        let (near, far, protocol) = ends(packet);
        if let Some(place) = self.flows.surplus(lives_until) {
            self.end(desk, place, packet.time, Ending::NoRoom);
        }
        desk.counters.flows += 1;
        let mut flow = Flow {
            key: *key,
            id: key.hash() ^ packet.time.0.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            sequence: 0,
            client: near,
            client_end: from,
            server: far,
            at_home: self.set.plans.at_home(near.0, far.0),
            protocol,
            began: packet.time,
            last: packet.time,
            packets: [0; 2],
            bytes: [0; 2],
            tcp_flags: [0; 2],
            icmp: [None; 2],
            session: None,
            layer: Layer::Unknown,
            parser: None,
            exchanges: 0,
            is_broken: false,
            ended: [false; 2],
            wanted: [0; 2],
            recognition: [Recognition::Open; 2],
            layer_events: 0,
            announced: None,
            variables: FlowVariables::default(),
            is_passed: false,
            is_encrypted: false,
            becomes_encrypted: false,
            is_opaque: false,
            told_layer: [false; 2],
            changed: [false; 2],
            switched_at: [0; 2],
            change: None,
            held: 0,
            held_by_exchanges: 0,
            shown: 0,
            watch: Watch::default(),
        };
        if desk.watching.is_some() {
            flow.watch = Watch::begin(packet, protocol);
        }
        let (due, id, waits) = (lives_until(&flow), flow.id, flow.watch.waits());
        let place = self.flows.add(flow, due);
        if waits && let Some(watching) = desk.watching {
            let until = Time(packet.time.0.saturating_add(watching.wait_nanoseconds));
            if let Some(surplus) = self.waiting.add(Attempt { until, place, flow: id }) {
                self.judge(desk, surplus, packet.time);
            }
        }
        place
    }

    /// An attempt has waited for its answer.
    fn judge(&mut self, desk: &mut Desk, attempt: Attempt, now: Time) {
        let is_alive = self.flows.get(attempt.place).is_some_and(|flow| flow.id == attempt.flow);
        if is_alive
            && let Some(flow) = self.flows.get_mut(attempt.place)
            && let Some(seen) = watch::waited(flow)
        {
            note_seen(desk, flow, now, [Some(seen), None]);
        }
    }

    /// A SYN on a conversation that is over begins another one, and one on packets whose beginning was not seen begins the first.
    fn begins_anew(&self, packet: &Packet<'_>, place: u32, from: End) -> bool {
        let Some(tcp) = packet.transport.tcp().filter(|tcp| is_first_syn(tcp)) else { return false };
        let Some(flow) = self.flows.get(place) else { return false };
        let direction = flow.direction(from);
        flow.session.as_ref().is_none_or(|session| session.gives_way_to(direction, tcp.sequence()))
    }

    fn of_flow(&mut self, desk: &mut Desk, packet: &Packet<'_>, place: u32, from: End, bytes: u64) {
        let Some(flow) = self.flows.get_mut(place) else { return };
        let direction = flow.direction(from);
        flow.last = flow.last.max(packet.time);
        flow.packets[direction.index()] += 1;
        flow.bytes[direction.index()] += bytes;
        // It may have been opened before it was announced: what counts is what was announced when it says something.
        if flow.layer == Layer::Unknown
            && self.announced.contains_key(&flow.server)
            && let Some(announced) = Arc::make_mut(self.announced).remove(&flow.server)
        {
            flow.announced = Some((announced.note, announced.name));
            flow.recognition = [Recognition::Is(announced.protocol); 2];
            layers::begin(self.set, flow, announced.protocol);
        }
        // What could not be delivered may be told by somebody between the flow's ends.
        let at_home = if is_icmp(packet) {
            self.set.plans.at_home(packet.source, packet.destination)
        } else {
            flow.at_home(direction)
        };
        let mut scene = scene_of(self.set, packet, at_home);
        scene.direction = direction;
        scene.is_first = flow.packets[direction.index()] == 1;
        scene.is_established = flow.is_established();
        let begins = flow.packets[0] + flow.packets[1] == 1;
        let mut fed = Fed::default();
        let mut in_stream = false;
        let mut spoken_counts = true;
        let before = desk.watching.and(flow.session.as_ref()).map(|session| session.state());
        if let Some(tcp) = packet.transport.tcp() {
            spoken_counts = false;
            flow.tcp_flags[direction.index()] |= tcp.flags();
            desk.enter(Stage::Reassembly);
            if begins && is_first_syn(tcp) {
                let (session, is_in_stream) =
                    Session::begin(tcp, packet.payload, packet.time, &mut scene.stream_events);
                flow.session = Some(Box::new(session));
                in_stream = is_in_stream;
            } else if let Some(session) = &mut flow.session {
                let is_v4 = packet.source.is_ipv4();
                // Events are added where they stand: what is copied just after it was written is waited for.
                let events = &mut scene.stream_events;
                in_stream = session.segment(direction, tcp, packet.payload, packet.time, is_v4, events);
                spoken_counts = session.is_established();
                if spoken_counts {
                    desk.enter(Stage::Layers);
                    feed_both(desk, &scene, flow, direction, false, &mut fed);
                    if flow.layer == Layer::Known(ProtocolId::Smb)
                        && let Some(session) = &mut flow.session
                    {
                        session.look_at_all();
                    }
                }
            } else {
                scene.stream_events = without_session(tcp);
            }
        } else if packet.transport.udp().is_some() {
            desk.enter(Stage::Layers);
            layers::feed_datagram(desk, &scene, flow, packet.payload, &mut fed);
            switches(desk, &scene, flow, &mut fed);
            let direction = flow.direction(from);
            scene.direction = direction;
        }
        scene.layer = flow.protocol_spoken().filter(|_| spoken_counts);
        scene.layer_events = std::mem::take(&mut flow.layer_events);
        desk.enter(Stage::Matching);
        if desk.writes_records() {
            if matches!(flow.protocol, 1 | 58) && flow.icmp[direction.index()].is_none() {
                flow.icmp[direction.index()] = packet.transport.icmp();
            }
            records::note_packet(desk, packet, Some(flow));
            records::note_conversation(desk, &scene, flow);
        }
        let is_udp = packet.transport.udp().is_some();
        let may_differ = fed.changed != [false; 2] || flow.changed != [false; 2];
        ask_packet(desk, &scene, Some(flow), packet, in_stream);
        if is_udp {
            ask_exchanges(desk, &scene, flow, Some(packet.payload));
            desk.of_exchanges.clear();
        } else {
            note_changes(flow, &fed);
            // What was said before it is encrypted is looked into now: nobody will later.
            let is_last_look = flow.becomes_encrypted && !flow.is_encrypted;
            ask_streams(desk, &scene, flow, is_last_look);
            let other = scene.direction.reversed();
            if is_last_look && let Some(session) = &mut flow.session {
                session.flush(other);
            }
            // Nor does the other side go on once the conversation is closed.
            if is_last_look || flow.session.as_ref().is_some_and(|session| session.is_closed()) {
                ask_streams(desk, &scene.towards(other), flow, false);
            }
        }
        desk.enter(Stage::Decode);
        flow.is_encrypted |= flow.becomes_encrypted;
        if may_differ {
            flow.weigh_exchanges();
        }
        flow.let_go();
        if let Some(watching) = desk.watching {
            let direction = flow.direction(from);
            let sights = watch::packet(&watching, flow, packet, direction, before);
            if flow.watch.refusals > 0 || sights.iter().any(Option::is_some) {
                note_seen(desk, flow, packet.time, sights);
            }
        }
        let held = flow.held_bytes();
        for expectation in fed.expected {
            self.announce(expectation, packet.time);
        }
        self.flows.holds(place, held);
        while let Some(place) = self.flows.crowded() {
            self.end(desk, place, packet.time, Ending::NoRoom);
        }
    }

    /// A flow will be opened to there.
    fn announce(&mut self, expectation: Expectation, now: Time) {
        let announced = Arc::make_mut(self.announced);
        if announced.len() >= EXPECTATIONS_MAX {
            let oldest = announced.iter().min_by_key(|(_, announced)| announced.until).map(|(to, _)| *to);
            if let Some(oldest) = oldest {
                announced.remove(&oldest);
            }
        }
        let until = Time(now.0.saturating_add(EXPECTATION_SECONDS * SECOND));
        announced.insert(
            expectation.to,
            Announced {
                protocol: expectation.protocol,
                note: expectation.note,
                name: expectation.name,
                until,
            },
        );
    }

    /// A flow is over: what is left of it is looked at.
    fn end(&mut self, desk: &mut Desk, place: u32, now: Time, ending: Ending) {
        let Some(mut flow) = self.flows.remove(place) else { return };
        let (source, destination) = flow.ends_of(Direction::ToServer);
        let scene = Scene {
            set: self.set,
            at_home: flow.at_home,
            time: now,
            direction: Direction::ToServer,
            source,
            destination,
            protocol: flow.protocol,
            packet: None,
            flow: None,
            layer: flow.protocol_spoken(),
            stream_events: Events::default(),
            layer_events: 0,
            is_first: false,
            is_established: flow.is_established(),
        };
        let mut fed = Fed::default();
        if flow.session.is_some() {
            // What the client said is looked at before the rest of what the server said is understood.
            flow.changed = [true; 2];
            desk.enter(Stage::Layers);
            feed_rest(desk, &scene, &mut flow, Direction::ToServer, &mut fed);
            if flow.layer == Layer::Unknown {
                feed_both(desk, &scene, &mut flow, Direction::ToClient, true, &mut fed);
            }
            desk.enter(Stage::Matching);
            ask_streams(desk, &Scene { layer: flow.protocol_spoken(), ..scene }, &mut flow, true);
            desk.enter(Stage::Layers);
            feed_both(desk, &scene, &mut flow, Direction::ToClient, true, &mut fed);
            desk.enter(Stage::Matching);
            let scene = Scene { layer: flow.protocol_spoken(), ..scene.towards(Direction::ToClient) };
            flow.changed = [true; 2];
            ask_streams(desk, &scene, &mut flow, true);
        } else if flow.parser.is_some() {
            desk.enter(Stage::Matching);
            for direction in [Direction::ToServer, Direction::ToClient] {
                layers::end(desk, &scene, &mut flow, direction, &mut fed);
            }
            for direction in [Direction::ToServer, Direction::ToClient] {
                desk.of_exchanges.clear();
                ask_exchanges(desk, &scene.towards(direction), &mut flow, None);
            }
        }
        if let Some(watching) = desk.watching {
            let sights = watch::ended(&watching, &mut flow, now);
            note_seen(desk, &mut flow, now, sights);
        }
        records::note_rest(desk, &scene, &mut flow);
        records::note_flow(desk, &flow, now, ending);
        desk.note(What::FlowEnded(flow.id));
        desk.enter(Stage::Decode);
        desk.place.packet += 1;
    }
}

/// A packet, as if its source were the client and nothing were known of its flow.
fn scene_of<'a>(set: &'a RuleSet, packet: &'a Packet<'a>, at_home: [bool; 2]) -> Scene<'a> {
    Scene {
        set,
        at_home,
        time: packet.time,
        direction: Direction::ToServer,
        source: (packet.source, packet.source_port),
        destination: (packet.destination, packet.destination_port),
        protocol: packet.protocol,
        packet: Some(packet),
        flow: None,
        layer: None,
        stream_events: Events::default(),
        layer_events: 0,
        is_first: false,
        is_established: false,
    }
}

/// Whether a segment begins a conversation.
fn is_first_syn(tcp: &Tcp<'_>) -> bool {
    tcp.flags() & (Tcp::SYN | Tcp::ACK | Tcp::RST | Tcp::FIN) == Tcp::SYN
}

/// What is odd about a segment of a conversation whose beginning was not seen.
fn without_session(tcp: &Tcp<'_>) -> Events {
    let mut events = Events::default();
    if tcp.has(Tcp::RST) {
        events.add(Event::ResetWithoutSession);
    } else if tcp.has(Tcp::FIN) {
        events.add(Event::FinWithoutSession);
    }
    if !tcp.has(Tcp::ACK) && tcp.acknowledged() != 0 {
        events.add(Event::BrokenAck);
    }
    events
}

/// Notes what was seen of a flow, logins that were refused first.
fn note_seen(desk: &mut Desk, flow: &mut Flow, time: Time, sights: watch::Sights) {
    let of = |flow: &Flow, seen| {
        let (source, target, protocol) = (flow.client, flow.server, flow.protocol);
        What::Observed(Box::new(Observation { time, source, target, protocol, seen }))
    };
    while let Some(seen) = watch::refusal(flow) {
        desk.note(of(flow, seen));
    }
    for seen in sights.into_iter().flatten() {
        desk.note(of(flow, seen));
    }
}

/// Notes an IP protocol that hardly anybody uses.
fn note_unusual_protocol(desk: &mut Desk, packet: &Packet<'_>) {
    if let Some(seen) = watch::unusual_protocol(packet) {
        let (source, target) = ((packet.source, 0), (packet.destination, 0));
        let (time, protocol) = (packet.time, packet.protocol);
        desk.note(What::Observed(Box::new(Observation { time, source, target, protocol, seen })));
    }
}

/// The key of the flow that a packet belongs to, and which end of it the packet comes from.
fn key(packet: &Packet<'_>) -> (FlowKey, End) {
    if is_icmp(packet) {
        let (near, far, protocol) = ends_of_icmp(packet);
        return FlowKey::between(packet, (&near.0, near.1), (&far.0, far.1), protocol);
    }
    let near = (&packet.source, packet.source_port);
    FlowKey::between(packet, near, (&packet.destination, packet.destination_port), packet.protocol)
}

fn is_icmp(packet: &Packet<'_>) -> bool {
    matches!(packet.transport, Transport::Icmp4(_) | Transport::Icmp6(_))
}

/// The two ends of the flow that a packet belongs to, as the packet goes, and its protocol.
fn ends(packet: &Packet<'_>) -> ((IpAddr, u16), (IpAddr, u16), u8) {
    if is_icmp(packet) {
        return ends_of_icmp(packet);
    }
    ((packet.source, packet.source_port), (packet.destination, packet.destination_port), packet.protocol)
}

#[inline(never)]
fn ends_of_icmp(packet: &Packet<'_>) -> ((IpAddr, u16), (IpAddr, u16), u8) {
    let (kind, answers) = match &packet.transport {
        Transport::Icmp4(icmp) => {
            if let Some(embedded) = icmp.undelivered()
                && let Some((from, to)) = embedded.ports
            {
                // It comes back to who had sent what could not be delivered.
                let (sender, receiver) =
                    ((embedded.source().into(), from), (embedded.destination().into(), to));
                return (receiver, sender, embedded.protocol);
            }
            (icmp.kind(), counterpart(icmp.kind()))
        }
        Transport::Icmp6(icmp) => {
            let answers = match icmp.kind() {
                128 => 129,
                129 => 128,
                kind => kind,
            };
            (icmp.kind(), answers)
        }
        _ => (0, 0),
    };
    ((packet.source, u16::from(kind)), (packet.destination, u16::from(answers)), packet.protocol)
}

/// The type of the ICMP message that answers one of this type.
fn counterpart(kind: u8) -> u8 {
    match kind {
        0 => 8,
        8 => 0,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        9 => 10,
        10 => 9,
        kind => kind,
    }
}

/// Feeds what both sides have: first what a segment that goes `direction` has acknowledged.
fn feed_both(
    desk: &mut Desk,
    scene: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    all: bool,
    fed: &mut Fed,
) {
    let other = direction.reversed();
    // A segment acknowledges what the other side said; its own side's turn comes with the answer, if one is to be expected.
    let sides = [other, direction];
    let feeds_own = all || flow.session.as_deref().is_some_and(Session::is_ending);
    let fed_sides = if feeds_own { &sides[..] } else { &sides[..1] };
    let has_news = |session: &Session| fed_sides.iter().any(|side| session.offers(*side));
    if all || flow.session.as_deref().is_none_or(has_news) {
        feed_in_turn(desk, scene, flow, fed_sides, all, fed);
    }
    for side in sides {
        if all || flow.session.as_ref().is_some_and(|session| session.is_over(side)) {
            layers::end(desk, scene, flow, side, fed);
        }
    }
}

/// Feeds what these sides have, one after the other, until what is spoken does not change any more.
fn feed_in_turn(
    desk: &mut Desk,
    scene: &Scene<'_>,
    flow: &mut Flow,
    sides: &[Direction],
    all: bool,
    fed: &mut Fed,
) {
    for _ in 0..SWITCHES_MAX {
        let was_unknown = flow.layer == Layer::Unknown;
        for side in sides.iter().copied() {
            layers::feed_stream(desk, scene, flow, side, all, fed);
            switches(desk, scene, flow, fed);
        }
        // The side that was fed first may have waited for the other one to tell what is spoken.
        if was_unknown
            && flow.layer != Layer::Unknown
            && let Some(first) = sides.first().copied()
        {
            layers::feed_stream(desk, scene, flow, first, all, fed);
        }
        if !switches(desk, scene, flow, fed) {
            break;
        }
    }
}

/// Feeds all that is left of one side.
fn feed_rest(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow, side: Direction, fed: &mut Fed) {
    for _ in 0..SWITCHES_MAX {
        layers::feed_stream(desk, scene, flow, side, true, fed);
        if !switches(desk, scene, flow, fed) {
            break;
        }
    }
    layers::end(desk, scene, flow, side, fed);
}

fn note_changes(flow: &mut Flow, fed: &Fed) {
    for (noted, changed) in flow.changed.iter_mut().zip(fed.changed) {
        *noted |= changed;
    }
}

/// If what is spoken changes: what was understood so far is looked at, then the other protocol begins. True if it changed.
fn switches(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow, fed: &mut Fed) -> bool {
    let Some(next) = fed.switch.take() else { return false };
    let stage = desk.enter(Stage::Matching);
    for direction in [Direction::ToServer, Direction::ToClient] {
        desk.of_exchanges.clear();
        ask_exchanges(desk, &scene.towards(direction), flow, None);
    }
    records::note_rest(desk, scene, flow);
    desk.enter(stage);
    layers::switch(scene.set, flow, next);
    true
}

/// Asks rules of raw bytes and of exchanges, the way that the packet goes: what the other side said is looked at when that side goes on, with what was
/// understood until then.
#[inline]
fn ask_streams(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow, all: bool) {
    let has_raw = |session: &Session| all || session.has_raw(scene.direction);
    if flow.changed[scene.direction.index()]
        || !desk.of_exchanges.is_empty()
        || flow.session.as_deref().is_some_and(has_raw)
    {
        ask_of_streams(desk, scene, flow, all);
    }
}

#[inline(never)]
fn ask_of_streams(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow, all: bool) {
    let direction = scene.direction;
    let has_rules = scene.set.plans.between(scene.at_home).concerns_streams[direction.index()];
    let looks = has_rules && !flow.is_passed && !flow.is_encrypted;
    // The bytes belong to the session, and the session to the flow that rules change: they are taken out meanwhile.
    let mut last = None;
    // Each turn looks at bytes or a gap: no stream has more than this.
    for _ in 0..u16::MAX {
        let Some(session) = &mut flow.session else { break };
        match session.raw(direction, all) {
            Supply::Nothing => break,
            Supply::Gap(bytes) => session.raw_took(direction, bytes),
            Supply::Bytes(bytes, from) => {
                let count = bytes.len();
                last = Some((from, count));
                if looks {
                    let chunk = session.take_out(direction, from, count);
                    ask_stream(desk, scene, flow, chunk.bytes());
                    if let Some(session) = &mut flow.session {
                        session.give_back(direction, chunk);
                    }
                }
                if let Some(session) = &mut flow.session {
                    session.raw_took(direction, count as u64);
                }
            }
        }
    }
    if std::mem::take(&mut flow.changed[direction.index()]) || !desk.of_exchanges.is_empty() {
        let session = flow.session.as_mut();
        let chunk =
            session.zip(last).map(|(session, (from, count))| session.take_out(direction, from, count));
        let bytes = match (&chunk, scene.packet) {
            (Some(chunk), _) => Some(chunk.bytes()),
            (None, Some(packet)) => Some(packet.payload),
            _ => None,
        };
        ask_exchanges(desk, scene, flow, bytes);
        if let (Some(session), Some(chunk)) = (&mut flow.session, chunk) {
            session.give_back(direction, chunk);
        }
    }
    if let Some(session) = &mut flow.session {
        session.looked(direction);
    }
    desk.of_exchanges.clear();
}
