//! Which rules may hold at all: the rule set sorted by where, and by which string, each rule is found.
//!
//! A rule with a content is found by its fast pattern: `strings` looks for all of them at once, in the payload by port and by
//! protocol, in an exchange by buffer. One without is asked whenever its port, its protocol or its kind comes up. What is found is then
//! asked in full; so the plan decides how long it takes, never what holds.

mod addresses;
mod home;
mod recent;
mod strings;

pub(crate) use addresses::Addresses;
pub(crate) use home::Plans;
pub(crate) use recent::Recent;
use strings::Draft;
pub(crate) use strings::{Strings, find_all};

use crate::Direction;
use crate::app::table::PROTOCOLS;
use crate::app::{Field, ProtocolId};
use crate::frame::keywords::PacketTest;
use crate::inspect::transform::Transform;
use crate::rule::compile::directions;
use crate::rule::compiled::{BufferKey, Fast, Kind, Place, Rule, What};
use std::collections::{BTreeMap, BTreeSet};

/// A rule for more ports than these is asked on all of them.
const PORTS_OF_A_RULE_MAX: usize = 64;

/// The classes of transports that have rules of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Carrier {
    Tcp,
    Udp,
    Icmp,
    Other,
}

impl Carrier {
    pub(crate) const ALL: [Carrier; 4] = [Carrier::Tcp, Carrier::Udp, Carrier::Icmp, Carrier::Other];

    /// The class of an IP protocol.
    pub(crate) fn of(protocol: u8) -> Carrier {
        match protocol {
            6 => Carrier::Tcp,
            17 => Carrier::Udp,
            1 | 58 => Carrier::Icmp,
            _ => Carrier::Other,
        }
    }

    /// Those whose packets a rule may hold of.
    fn of_rule(rule: &Rule) -> impl Iterator<Item = Carrier> {
        let tests = rule.packet.iter().filter_map(PacketTest::protocols);
        let protocols = tests.fold(rule.head.protocols, |set, test| set.and(test));
        let single = protocols.single();
        Carrier::ALL.into_iter().filter(move |carrier| match single {
            // As nearly always.
            Some(protocol) => *carrier == Carrier::of(protocol),
            None => {
                (0..=u8::MAX).any(|protocol| Carrier::of(protocol) == *carrier && protocols.has(protocol))
            }
        })
    }
}

/// Rules that are asked without a string, by what must come up.
#[derive(Clone, Default, Debug)]
pub(crate) struct Bare {
    pub(crate) always: Vec<u32>,
    /// Rules on payloads of at most so many bytes.
    pub(crate) small: Vec<(u64, u32)>,
    pub(crate) by_source: BTreeMap<u16, Vec<u32>>,
    pub(crate) by_destination: BTreeMap<u16, Vec<u32>>,
    pub(crate) by_layer: BTreeMap<ProtocolId, Vec<u32>>,
}

impl Bare {
    pub(crate) fn is_empty(&self) -> bool {
        self.always.is_empty()
            && self.small.is_empty()
            && self.by_source.is_empty()
            && self.by_destination.is_empty()
            && self.by_layer.is_empty()
    }

    fn add(&mut self, rule: &Rule, number: u32) {
        let add = |list: &mut Vec<u32>| list.push(number);
        match found_by(rule) {
            FoundBy::Layers(layers) => {
                layers.iter().for_each(|layer| add(self.by_layer.entry(*layer).or_default()))
            }
            FoundBy::Destination(ports) => {
                ports.iter().for_each(|port| add(self.by_destination.entry(*port).or_default()))
            }
            FoundBy::Source(ports) => {
                ports.iter().for_each(|port| add(self.by_source.entry(*port).or_default()))
            }
            FoundBy::Anything => match PacketTest::payload_bytes_max_of(&rule.packet) {
                Some(bytes) => self.small.push((bytes, number)),
                None => add(&mut self.always),
            },
        }
    }
}

/// Strings to look for in payloads, by what must come up.
#[derive(Clone, Default, Debug)]
pub(crate) struct Payloads {
    always: Strings,
    by_source: BTreeMap<u16, Strings>,
    by_destination: BTreeMap<u16, Strings>,
    /// What is looked for always and between its usual ports among them: one set is quicker than three.
    by_layer: BTreeMap<ProtocolId, Strings>,
}

impl Payloads {
    pub(crate) fn is_empty(&self) -> bool {
        self.always.is_empty()
            && self.by_source.is_empty()
            && self.by_destination.is_empty()
            && self.by_layer.is_empty()
    }

    /// Adds the rules whose strings are in a payload between these ports in which this is spoken, perhaps several times each.
    pub(crate) fn find(
        &self,
        (source, destination): (u16, u16),
        layer: Option<ProtocolId>,
        bytes: &[u8],
        scratch: &mut pattern::Scratch,
        found: &mut Vec<u32>,
    ) {
        let of_layer = layer.and_then(|layer| Some((usual_ports(layer), self.by_layer.get(&layer)?)));
        let (usual, strings) = of_layer.unwrap_or((&[], &self.always));
        let of_source = self.by_source.get(&source).filter(|_| !usual.contains(&source));
        let of_destination = self.by_destination.get(&destination).filter(|_| !usual.contains(&destination));
        find_all([Some(strings), of_source, of_destination], bytes, scratch, found);
    }
}

/// The ports between which a protocol is mostly spoken.
fn usual_ports(layer: ProtocolId) -> &'static [u16] {
    match layer {
        ProtocolId::Http1 => &[80],
        ProtocolId::Tls => &[443],
        ProtocolId::Dns => &[53],
        ProtocolId::Smb => &[445],
        ProtocolId::Smtp => &[25],
        ProtocolId::Ftp => &[21],
        ProtocolId::Ssh => &[22],
        ProtocolId::Sip => &[5060],
        _ => &[],
    }
}

/// Strings to look for in one field, as it is or changed.
#[derive(Clone, Debug)]
pub(crate) struct FieldScan {
    pub(crate) field: Field,
    pub(crate) variants: Vec<Variant>,
}

/// What is looked for in a field as it is, or changed in one way.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// No other of the rule set has this number.
    pub(crate) number: u32,
    /// The buffer, which knows how the field is changed.
    pub(crate) buffer: u32,
    pub(crate) strings: Strings,
}

/// What is looked for in exchanges of one protocol in one direction.
#[derive(Clone, Default, Debug)]
pub(crate) struct LayerPlan {
    pub(crate) scans: Vec<FieldScan>,
    /// Rules that have no string there.
    pub(crate) bare: Vec<u32>,
}

/// Fields of one protocol and direction that are scanned at most: a bit each. Rules on further ones are asked of each exchange.
const SCANS_MAX: usize = 128;

/// The rule set, sorted.
#[derive(Clone, Default, Debug)]
pub(crate) struct Plan {
    /// Rules on broken packets and odd streams.
    pub(crate) events: Vec<u32>,
    /// Rules on addresses alone.
    pub(crate) addresses: Addresses,
    /// Rules on what is spoken.
    pub(crate) recognised: Vec<u32>,
    pub(crate) frames: BTreeMap<&'static str, Vec<u32>>,
    /// By direction and carrier: strings in packets.
    pub(crate) packets: [[Payloads; 4]; 2],
    /// By direction: strings in streams.
    pub(crate) streams: [Payloads; 2],
    /// By direction and carrier.
    pub(crate) bare: [[Bare; 4]; 2],
    /// By direction: rules on streams that have no string.
    pub(crate) stream_bare: [Bare; 2],
    pub(crate) layers: BTreeMap<ProtocolId, [LayerPlan; 2]>,
    /// By direction and carrier: whether any rule may concern packets.
    pub(crate) concerns_packets: [[bool; 4]; 2],
    /// By direction: whether any rule may concern raw bytes of streams.
    pub(crate) concerns_streams: [bool; 2],
}

/// Strings by protocol and direction, field, and buffer.
type LayerDrafts = BTreeMap<(ProtocolId, usize), BTreeMap<Field, BTreeMap<u32, Draft>>>;

#[derive(Default)]
struct PayloadDraft {
    always: Draft,
    by_source: BTreeMap<u16, Draft>,
    by_destination: BTreeMap<u16, Draft>,
    by_layer: BTreeMap<ProtocolId, Draft>,
}

impl PayloadDraft {
    fn add(&mut self, rule: &Rule, number: u32, fast: &Fast) {
        let add = |draft: &mut Draft| draft.add(fast, number);
        match found_by(rule) {
            FoundBy::Layers(layers) => {
                layers.iter().for_each(|layer| add(self.by_layer.entry(*layer).or_default()))
            }
            FoundBy::Destination(ports) => {
                ports.iter().for_each(|port| add(self.by_destination.entry(*port).or_default()));
            }
            FoundBy::Source(ports) => {
                ports.iter().for_each(|port| add(self.by_source.entry(*port).or_default()))
            }
            FoundBy::Anything => add(&mut self.always),
        }
    }

    fn finish(mut self) -> Payloads {
        for (layer, draft) in &mut self.by_layer {
            draft.include(&self.always);
            for port in usual_ports(*layer) {
                let of_port = [self.by_source.get(port), self.by_destination.get(port)];
                of_port.into_iter().flatten().for_each(|of_port| draft.include(of_port));
            }
        }
        Payloads {
            always: Strings::new(self.always),
            by_source: self.by_source.into_iter().map(|(port, draft)| (port, Strings::new(draft))).collect(),
            by_destination: self
                .by_destination
                .into_iter()
                .map(|(port, draft)| (port, Strings::new(draft)))
                .collect(),
            by_layer: self.by_layer.into_iter().map(|(layer, draft)| (layer, Strings::new(draft))).collect(),
        }
    }
}

impl Plan {
    /// A plan of the rules whose numbers it is for.
    fn new(rules: &[Rule], buffers: &[(BufferKey, Vec<Transform>)], is_for: impl Fn(usize) -> bool) -> Self {
        let mut plan = Plan::default();
        let mut packets: [[PayloadDraft; 4]; 2] = Default::default();
        let mut streams: [PayloadDraft; 2] = Default::default();
        let mut layers = LayerDrafts::new();
        let mut addresses = Vec::new();
        for (number, rule) in rules.iter().enumerate().filter(|(number, _)| is_for(*number)) {
            let number = number as u32;
            match rule.kind {
                Kind::Events => plan.events.push(number),
                Kind::Addresses => addresses.push(number),
                Kind::Recognised => plan.recognised.push(number),
                Kind::Frames => {
                    for frame in &rule.frames {
                        plan.frames.entry(frame.name).or_default().push(number);
                    }
                }
                Kind::Packet => plan.add_packet_rule(rule, number, &mut packets, &mut streams),
                Kind::Transaction => {
                    plan.add_layer_rule(rule, number, buffers, &mut packets, &mut streams, &mut layers)
                }
            }
        }
        plan.addresses = Addresses::new(rules, &addresses);
        plan.packets = packets.map(|by_carrier| by_carrier.map(PayloadDraft::finish));
        plan.streams = streams.map(PayloadDraft::finish);
        for ((protocol, side), fields) in layers {
            let scans = fields.into_iter().map(|(field, variants)| FieldScan {
                field,
                variants: variants
                    .into_iter()
                    .map(|(buffer, draft)| Variant { number: 0, buffer, strings: Strings::new(draft) })
                    .collect(),
            });
            plan.layers.entry(protocol).or_default()[side].scans = scans.collect();
        }
        plan.note_concerns();
        plan
    }

    /// Gives each of its variants a number.
    fn number(&mut self, numbers: &mut impl Iterator<Item = u32>) {
        let scans = self.layers.values_mut().flatten().flat_map(|layer| &mut layer.scans);
        for (variant, number) in scans.flat_map(|scan| &mut scan.variants).zip(numbers) {
            variant.number = number;
        }
    }

    /// Most of the time there is a rule for everything; a set of few rules, or none, lets most packets pass at once.
    fn note_concerns(&mut self) {
        let of_any = !self.events.is_empty() || !self.recognised.is_empty() || !self.addresses.is_empty();
        for side in [0, 1] {
            let of_streams = !self.streams[side].is_empty() || !self.stream_bare[side].is_empty();
            self.concerns_streams[side] = of_streams;
            for carrier in Carrier::ALL {
                let place = carrier as usize;
                // Bytes of a segment that are no part of its stream are looked at as a packet's.
                self.concerns_packets[side][place] = of_any
                    || (carrier == Carrier::Tcp && of_streams)
                    || !self.bare[side][place].is_empty()
                    || !self.packets[side][place].is_empty();
            }
        }
    }

    fn add_packet_rule(
        &mut self,
        rule: &Rule,
        number: u32,
        packets: &mut [[PayloadDraft; 4]; 2],
        streams: &mut [PayloadDraft; 2],
    ) {
        for direction in directions_of(rule) {
            let side = direction.index();
            match (&rule.fast, &rule.payload) {
                (Some(fast), Some(payload)) => {
                    for carrier in Carrier::of_rule(rule) {
                        if carrier != Carrier::Tcp || payload.packet {
                            packets[side][carrier as usize].add(rule, number, fast);
                        }
                        if carrier == Carrier::Tcp && payload.stream {
                            streams[side].add(rule, number, fast);
                        }
                    }
                }
                _ => self.add_bare(rule, number, direction),
            }
        }
    }

    fn add_bare(&mut self, rule: &Rule, number: u32, direction: Direction) {
        let side = direction.index();
        if rule.payload.as_ref().is_some_and(|payload| payload.stream)
            && Carrier::of_rule(rule).any(|carrier| carrier == Carrier::Tcp)
        {
            self.stream_bare[side].add(rule, number);
        }
        for carrier in Carrier::of_rule(rule) {
            let only_stream = rule.payload.as_ref().is_some_and(|payload| !payload.packet);
            if carrier != Carrier::Tcp || !only_stream {
                self.bare[side][carrier as usize].add(rule, number);
            }
        }
    }

    fn add_layer_rule(
        &mut self,
        rule: &Rule,
        number: u32,
        buffers: &[(BufferKey, Vec<Transform>)],
        packets: &mut [[PayloadDraft; 4]; 2],
        streams: &mut [PayloadDraft; 2],
        layers: &mut LayerDrafts,
    ) {
        for direction in directions_of(rule) {
            let side = direction.index();
            match &rule.fast {
                Some(fast) if fast.place == Place::Payload => {
                    for carrier in Carrier::of_rule(rule) {
                        if matches!(carrier, Carrier::Tcp | Carrier::Udp) {
                            packets[side][carrier as usize].add(rule, number, fast);
                        }
                    }
                    streams[side].add(rule, number, fast);
                }
                fast => {
                    let scanned = fast.as_ref().and_then(|fast| match fast.place {
                        Place::Part(place) => {
                            match rule.parts.get(place).map(|part| (&part.what, part.sides)) {
                                // The other half of an exchange is found by its own side's parts, or not by a string.
                                Some((What::Buffer { buffer, .. }, sides)) if sides.include(direction) => {
                                    Some((*buffer, fast))
                                }
                                _ => None,
                            }
                        }
                        Place::Payload => None,
                    });
                    for protocol in protocols_of(rule) {
                        match scanned {
                            Some((buffer, fast)) => {
                                let field = buffers[buffer as usize].0.field;
                                let fields = layers.entry((protocol, side)).or_default();
                                if fields.len() < SCANS_MAX || fields.contains_key(&field) {
                                    let draft = fields.entry(field).or_default().entry(buffer).or_default();
                                    draft.add(fast, number);
                                    continue;
                                }
                                self.layers.entry(protocol).or_default()[side].bare.push(number);
                            }
                            None => self.layers.entry(protocol).or_default()[side].bare.push(number),
                        }
                    }
                }
            }
        }
    }
}

/// The directions in which a rule is asked.
pub(crate) fn directions_of(rule: &Rule) -> Vec<Direction> {
    match rule.kind {
        Kind::Transaction if rule.exchange => vec![Direction::ToServer, Direction::ToClient],
        Kind::Transaction => directions(&rule.flow, &rule.parts),
        _ => directions(&rule.flow, &[]),
    }
}

/// What must come up for a rule to be asked.
enum FoundBy<'a> {
    Layers(&'a [ProtocolId]),
    Destination(Vec<u16>),
    Source(Vec<u16>),
    Anything,
}

fn found_by(rule: &Rule) -> FoundBy<'_> {
    if !rule.head.layers.is_empty() {
        return FoundBy::Layers(&rule.head.layers);
    }
    if rule.head.either {
        return FoundBy::Anything;
    }
    if let Some(ports) = rule.head.to_ports.few(PORTS_OF_A_RULE_MAX) {
        return FoundBy::Destination(ports);
    }
    match rule.head.from_ports.few(PORTS_OF_A_RULE_MAX) {
        Some(ports) => FoundBy::Source(ports),
        None => FoundBy::Anything,
    }
}

/// The protocols whose exchanges a rule may be about.
fn protocols_of(rule: &Rule) -> Vec<ProtocolId> {
    let mut protocols: BTreeSet<ProtocolId> = match rule.head.layers.as_slice() {
        [] => PROTOCOLS.iter().map(|protocol| protocol.id).collect(),
        layers => layers.iter().copied().collect(),
    };
    for part in rule.parts.iter().filter(|part| !part.protocols.is_empty()) {
        protocols.retain(|protocol| part.protocols.contains(protocol));
    }
    protocols.into_iter().collect()
}
