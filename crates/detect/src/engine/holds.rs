//! Whether a rule's conditions on a packet and its flow hold.

use crate::app::{AnyTransaction, Field, Piece, ProtocolId, Ready, Verdict};
use crate::app::{Family, file::Files};
use crate::flow::{Flow, Layer, Recognition};
use crate::frame::{self, Packet};
use crate::inspect::transform::Transform;
use crate::inspect::{Chain, Look, Scratch};
use crate::lists::Lists;
use crate::rule::RuleSet;
use crate::rule::compiled::{Absent, FlowWants, Head, Part, Rule, Stage, What};
use crate::state::{FlowTest, LayerOf, SizeOf};
use crate::stream::Events;
use crate::{Direction, Time};
use core::net::IpAddr;

/// Ports of the protocols that have some.
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// What a rule is asked about: a packet, or what goes one way in a flow.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) set: &'a RuleSet,
    /// Whether the source is at home, and the destination.
    pub(crate) at_home: [bool; 2],
    pub(crate) time: Time,
    pub(crate) direction: Direction,
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    /// The IP protocol.
    pub(crate) protocol: u8,
    pub(crate) packet: Option<&'a Packet<'a>>,
    pub(crate) flow: Option<&'a Flow>,
    /// What is spoken, as far as rules may know: for TCP once it is established.
    pub(crate) layer: Option<ProtocolId>,
    pub(crate) stream_events: Events,
    pub(crate) layer_events: u8,
    /// The first packet of its flow that goes this way.
    pub(crate) is_first: bool,
    /// The flow was established before the packet.
    pub(crate) is_established: bool,
}

pub(crate) fn head_holds(head: &Head, scene: &Scene<'_>) -> bool {
    if !head.layers.is_empty() {
        match scene.layer {
            Some(layer) if head.layers.contains(&layer) => {}
            _ => return false,
        }
    }
    if !head.protocols.has(scene.protocol) {
        return false;
    }
    if let Some(version) = head.version
        && scene.source.0.is_ipv4() != (version == 4)
    {
        return false;
    }
    if let Some(packet) = scene.packet {
        if packet.ip.is_none()
            && !head.broken
            && !(head.protocols.is_all() && head.from.is_any() && head.to.is_any())
        {
            return false;
        }
        if packet.is_invalid && !head.broken && !head.protocols.is_all() {
            return false;
        }
    }
    if head.flow_start && !scene.is_first {
        return false;
    }
    if !head.reputation.iter().all(|test| test.holds(scene.source.0, scene.destination.0)) {
        return false;
    }
    ends_hold(head, scene.source, scene.destination, scene)
        || (head.either && ends_hold(head, scene.destination, scene.source, scene))
}

fn ends_hold(head: &Head, source: (IpAddr, u16), destination: (IpAddr, u16), scene: &Scene<'_>) -> bool {
    let any_ports = head.from_ports.is_any() && head.to_ports.is_any();
    if !any_ports {
        let has_ports =
            WITH_PORTS.contains(&scene.protocol) && !scene.packet.is_some_and(|packet| packet.is_fragment);
        if !has_ports || !head.to_ports.contains(destination.1) || !head.from_ports.contains(source.1) {
            return false;
        }
    }
    head.to.contains(destination.0) && head.from.contains(source.0)
}

pub(crate) fn flow_holds(wants: &FlowWants, scene: &Scene<'_>) -> bool {
    if let Some(wanted) = wants.fragments
        && scene.packet.is_some_and(|packet| packet.is_reassembled) != wanted
    {
        return false;
    }
    if !wants.exists && wants.direction.is_none() {
        return true;
    }
    if scene.flow.is_none() {
        // Without a flow nothing is established and nobody is client or server.
        return wants.established != Some(true) && wants.direction.is_none();
    }
    wants.direction.is_none_or(|direction| direction == scene.direction)
        && wants.established.is_none_or(|wanted| wanted == scene.is_established)
}

/// Everything that is asked of a packet and its flow, but for strings and exchanges.
pub(crate) fn packet_holds(rule: &Rule, scene: &Scene<'_>) -> bool {
    head_holds(&rule.head, scene)
        && flow_holds(&rule.flow, scene)
        && rule.packet.iter().all(|test| scene.packet.is_some_and(|packet| test.holds(packet)))
        && rule.flow_tests.iter().all(|test| flow_test_holds(test, scene))
        && match scene.flow {
            Some(flow) => {
                rule.bits.iter().all(|test| flow.variables.holds(test))
                    && rule.ints.iter().all(|test| flow.variables.int_holds(test))
            }
            None => rule.bits.is_empty() && rule.ints.is_empty() && rule.changes.is_empty(),
        }
}

fn flow_test_holds(test: &FlowTest, scene: &Scene<'_>) -> bool {
    match test {
        FlowTest::StreamEvent(event) => return scene.stream_events.has(*event),
        FlowTest::LayerEvent(event) => return scene.layer_events >> event & 1 == 1,
        _ => {}
    }
    let Some(flow) = scene.flow else { return false };
    match test {
        FlowTest::Age(test) => test.holds(scene.time.seconds().saturating_sub(flow.began.seconds())),
        FlowTest::Packets(Some(direction), test) => test.holds(flow.packets[direction.index()]),
        FlowTest::Packets(None, test) => test.holds(flow.packets[0] + flow.packets[1]),
        FlowTest::PacketsOfEither(test) => flow.packets.iter().any(|count| test.holds(*count)),
        FlowTest::Bytes(Some(direction), test) => test.holds(flow.bytes[direction.index()]),
        FlowTest::Bytes(None, test) => test.holds(flow.bytes[0] + flow.bytes[1]),
        FlowTest::BytesOfEither(test) => flow.bytes.iter().any(|count| test.holds(*count)),
        FlowTest::StreamSize(side, test) => {
            let Some(session) = &flow.session else { return false };
            let (client, server) = (session.sent(Direction::ToServer), session.sent(Direction::ToClient));
            match side {
                SizeOf::Client => test.holds(client),
                SizeOf::Server => test.holds(server),
                SizeOf::Both => test.holds(client) && test.holds(server),
                SizeOf::Either => test.holds(client) || test.holds(server),
            }
        }
        FlowTest::Layer { protocols, unknown, failed, negated, of } => {
            layer_holds(flow, protocols, *unknown, *failed, *of).is_some_and(|holds| holds != *negated)
        }
        FlowTest::StreamEvent(_) | FlowTest::LayerEvent(_) => false,
    }
}

/// Whether what is spoken is one of these; nothing while it is not known.
fn layer_holds(
    flow: &Flow,
    protocols: &[ProtocolId],
    unknown: bool,
    failed: bool,
    of: LayerOf,
) -> Option<bool> {
    let side = match of {
        LayerOf::Flow => None,
        LayerOf::ToServer => Some(flow.recognition[0]),
        LayerOf::ToClient => Some(flow.recognition[1]),
    };
    match (side, flow.layer) {
        (Some(Recognition::Is(protocol)), _) => Some(protocols.contains(&protocol)),
        (Some(Recognition::Nothing), _) => Some(failed),
        (Some(Recognition::Open), _) => unknown.then_some(true),
        (None, Layer::Failed) => Some(failed),
        (None, _) => match flow.protocol_spoken() {
            Some(protocol) => Some(protocols.contains(&protocol)),
            None => unknown.then_some(true),
        },
    }
}

/// The transformations done one after the other, then `show`.
pub(crate) fn transformed(
    transforms: &[Transform],
    bytes: &[u8],
    scratch: &mut pcre::Scratch,
    show: &mut dyn FnMut(&[u8], &mut pcre::Scratch),
) {
    let Some((first, rest)) = transforms.split_first() else {
        show(bytes, scratch);
        return;
    };
    let changed =
        rest.iter().fold(first.apply(bytes, scratch), |changed, next| next.apply(&changed, scratch));
    show(&changed, scratch);
}

/// Whether a chain holds in bytes that are changed first.
pub(crate) fn chain_holds(
    chain: &Chain,
    transforms: &[Transform],
    look: Look<'_>,
    lists: &Lists,
    scratch: &mut Scratch,
) -> bool {
    let late = scratch.late.len();
    let holds = if transforms.is_empty() {
        chain.holds(look, lists, scratch)
    } else {
        let mut changed = Vec::new();
        transformed(transforms, look.bytes, &mut scratch.pcre, &mut |bytes, _| {
            changed.extend_from_slice(bytes)
        });
        chain.holds(Look { bytes: &changed, ..look }, lists, scratch)
    };
    if !holds {
        scratch.late.truncate(late);
    }
    holds
}

/// Shows a field's values: those of the exchange itself, or of the files that it carries.
pub(crate) fn visit(
    transaction: &dyn AnyTransaction,
    field: Field,
    direction: Direction,
    show: &mut dyn FnMut(Piece<'_>),
) {
    let mut count = 0usize;
    transaction.visit(field, direction, &mut |piece| {
        count += 1;
        show(piece);
    });
    if count == 0
        && field.is_of(Family::File)
        && let Some(files) = transaction.files(direction)
    {
        files.visit(field, show);
    }
}

/// How much there is of a field of an exchange, or of the files that it carries.
pub(crate) fn ready(transaction: &dyn AnyTransaction, field: Field, direction: Direction) -> Ready {
    if transaction.is_complete(direction) {
        return Ready::Full;
    }
    match transaction.files(direction).filter(|_| field.is_of(Family::File)) {
        Some(files) => files.ready(field),
        None => transaction.ready(field, direction),
    }
}

/// What a part of a rule says of an exchange.
pub(crate) fn part_holds(
    part: &Part,
    transaction: &dyn AnyTransaction,
    protocol: ProtocolId,
    direction: Direction,
    set: &RuleSet,
    scratch: &mut Scratch,
) -> Verdict {
    let is_complete = transaction.is_complete(direction);
    let open = if is_complete { Verdict::Fails } else { Verdict::Open };
    match &part.what {
        What::Buffer { buffer, chain, absent } => {
            let Some((key, transforms)) = set.buffers.get(*buffer as usize) else { return Verdict::Fails };
            if *absent != Absent::Fails && transaction.lacks(key.field, direction) {
                return open;
            }
            let ready = ready(transaction, key.field, direction);
            if ready == Ready::No {
                return Verdict::Open;
            }
            let (mut count, mut holds) = (0usize, false);
            visit(transaction, key.field, direction, &mut |piece| {
                count += 1;
                if !holds && *absent != Absent::Only {
                    let look =
                        Look { bytes: piece.bytes, start: piece.start, little_endian: piece.little_endian };
                    holds = chain_holds(chain, transforms, look, &set.lists, scratch);
                }
            });
            match (holds, count, absent, ready) {
                (true, ..) => Verdict::Holds,
                (false, 0, Absent::Only | Absent::Or, Ready::Full) => Verdict::Holds,
                (false, _, _, Ready::Full) => Verdict::Fails,
                _ => Verdict::Open,
            }
        }
        What::Number { field, test } => {
            let ready = ready(transaction, *field, direction);
            if ready == Ready::No {
                return Verdict::Open;
            }
            let mut holds = false;
            transaction.number(*field, direction, &mut |value| holds |= test.holds(value));
            match (holds, ready) {
                (true, _) => Verdict::Holds,
                (false, Ready::Full) => Verdict::Fails,
                (false, _) => Verdict::Open,
            }
        }
        What::Test(test) => match test.check(transaction.as_any(), direction) {
            Verdict::Open => open,
            verdict => verdict,
        },
        What::Reached(Stage::Begun) => Verdict::Holds,
        What::Reached(Stage::Has(field)) => {
            if ready(transaction, *field, direction) == Ready::No {
                open
            } else {
                Verdict::Holds
            }
        }
        What::Reached(Stage::Complete) => {
            if is_complete {
                Verdict::Holds
            } else {
                Verdict::Open
            }
        }
        What::Files(tests) => files_hold(tests, transaction.files(direction), open),
        What::Event { protocol: wanted, bit } => {
            let is_of_it =
                *wanted == protocol || (*wanted, protocol) == (ProtocolId::Http2, ProtocolId::Doh2);
            if is_of_it && transaction.events(direction) >> bit & 1 == 1 { Verdict::Holds } else { open }
        }
    }
}

/// Whether what is asked of the packet's own bytes holds.
pub(crate) fn packet_parts_hold(
    rule: &Rule,
    scene: &Scene<'_>,
    lists: &Lists,
    scratch: &mut Scratch,
) -> bool {
    rule.packet_parts.iter().all(|part| {
        // Where something goes is known without a packet, too.
        let end = match part.field {
            frame::buffers::IP_SOURCE => Some(scene.source.0),
            frame::buffers::IP_DESTINATION => Some(scene.destination.0),
            _ => None,
        };
        match (end, scene.packet) {
            (Some(IpAddr::V4(address)), _) => {
                chain_holds(&part.chain, &part.transforms, Look::whole(&address.octets()), lists, scratch)
            }
            (Some(IpAddr::V6(address)), _) => {
                chain_holds(&part.chain, &part.transforms, Look::whole(&address.octets()), lists, scratch)
            }
            (None, Some(packet)) => frame::bytes(packet, part.field).is_some_and(|bytes| {
                chain_holds(&part.chain, &part.transforms, Look::whole(bytes), lists, scratch)
            }),
            (None, None) => false,
        }
    })
}

/// One file for which all tests hold.
fn files_hold(tests: &[crate::app::file::FileTest], files: Option<&Files>, open: Verdict) -> Verdict {
    let mut best = open;
    for file in files.map(Files::list).unwrap_or_default() {
        let mut all = Verdict::Holds;
        for test in tests {
            match test.check(file) {
                Verdict::Holds => {}
                Verdict::Open if all == Verdict::Holds => all = Verdict::Open,
                Verdict::Open => {}
                Verdict::Fails => {
                    all = Verdict::Fails;
                    break;
                }
            }
        }
        if all == Verdict::Holds {
            return Verdict::Holds;
        }
        if all == Verdict::Open {
            best = open;
        }
    }
    best
}
