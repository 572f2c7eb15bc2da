//! Rules asked of packets and of raw streams.

use super::holds::{Scene, chain_holds, packet_holds, packet_parts_hold};
use super::stages::Stage;
use super::worker::Desk;
use crate::Direction;
use crate::flow::Flow;
use crate::frame::Packet;
use crate::inspect::{Look, Scratch};
use crate::plan::{Bare, Carrier, Payloads, Plan};
use crate::rule::Action;
use crate::rule::compiled::{Kind, Rule};
use crate::state::Change;

/// Asks all rules that a packet may concern. `in_stream`: its bytes are looked at as part of the stream.
#[inline]
pub(super) fn ask_packet(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: Option<&mut Flow>,
    packet: &Packet<'_>,
    in_stream: bool,
) {
    if flow.as_ref().is_some_and(|flow| flow.is_passed) {
        return;
    }
    let plan = base.set.plans.between(base.at_home);
    desk.of_exchanges.clear();
    let (side, carrier) = (base.direction.index(), Carrier::of(base.protocol));
    if plan.concerns_packets[side][carrier as usize] {
        ask_plan(desk, base, plan, flow, packet, in_stream);
    }
}

#[inline(never)]
fn ask_plan(
    desk: &mut Desk,
    base: &Scene<'_>,
    plan: &Plan,
    mut flow: Option<&mut Flow>,
    packet: &Packet<'_>,
    in_stream: bool,
) {
    let set = base.set;
    let (side, carrier) = (base.direction.index(), Carrier::of(base.protocol));
    let mut candidates = std::mem::take(&mut desk.candidates);
    candidates.clear();
    if !packet.events.is_empty() || !base.stream_events.is_empty() || base.layer_events != 0 {
        candidates.extend_from_slice(&plan.events);
    }
    let is_first_this_way = flow.as_ref().is_none_or(|flow| flow.packets[base.direction.index()] == 1);
    if is_first_this_way && packet.ip.is_some() {
        plan.addresses.find(base.source.0, base.destination.0, &mut candidates);
    }
    let tells_layer = flow.as_ref().is_some_and(|flow| {
        !flow.told_layer[base.direction.index()] && !matches!(flow.layer, crate::flow::Layer::Unknown)
    });
    if tells_layer {
        candidates.extend_from_slice(&plan.recognised);
        if let Some(flow) = flow.as_deref_mut() {
            flow.told_layer[base.direction.index()] = true;
        }
    }
    add_bare(&plan.bare[side][carrier as usize], base, &mut candidates);
    let payload = if packet.hides_payload || flow.as_ref().is_some_and(|flow| flow.is_encrypted) {
        &[][..]
    } else {
        packet.payload
    };
    if !payload.is_empty() {
        find(&plan.packets[side][carrier as usize], base, payload, &mut desk.scratch, &mut candidates);
        if carrier == Carrier::Tcp && !in_stream {
            find(&plan.streams[side], base, payload, &mut desk.scratch, &mut candidates);
            add_bare(&plan.stream_bare[side], base, &mut candidates);
        }
    }
    candidates.sort_unstable();
    candidates.dedup();
    for number in &candidates {
        let Some(rule) = set.rules.get(*number as usize) else { continue };
        if rule.kind == Kind::Transaction {
            desk.of_exchanges.push(*number);
            continue;
        }
        desk.asks(*number);
        let scene = Scene { flow: flow.as_deref(), ..*base };
        if rule_holds_of_packet(desk, rule, &scene, payload, in_stream)
            && take_effect(desk, *number, rule, base, flow.as_deref_mut())
        {
            break;
        }
    }
    desk.candidates = candidates;
}

fn rule_holds_of_packet(
    desk: &mut Desk,
    rule: &Rule,
    scene: &Scene<'_>,
    payload: &[u8],
    in_stream: bool,
) -> bool {
    desk.scratch.late.clear();
    if !packet_holds(rule, scene) {
        return false;
    }
    let set = scene.set;
    if !packet_parts_hold(rule, scene, &set.lists, &mut desk.scratch) {
        return false;
    }
    match &rule.payload {
        None => true,
        Some(asked) => {
            let looks =
                asked.packet || (asked.loose && (Carrier::of(scene.protocol) != Carrier::Tcp || !in_stream));
            looks
                && !payload.is_empty()
                && chain_holds(&asked.chain, &[], Look::whole(payload), &set.lists, &mut desk.scratch)
        }
    }
}

/// Asks all rules that raw bytes of a stream may concern.
pub(super) fn ask_stream(desk: &mut Desk, base: &Scene<'_>, flow: &mut Flow, bytes: &[u8]) {
    let set = base.set;
    let side = base.direction.index();
    let mut candidates = std::mem::take(&mut desk.candidates);
    candidates.clear();
    let plan = set.plans.between(base.at_home);
    find(&plan.streams[side], base, bytes, &mut desk.scratch, &mut candidates);
    add_bare(&plan.stream_bare[side], base, &mut candidates);
    candidates.sort_unstable();
    candidates.dedup();
    for number in &candidates {
        let Some(rule) = set.rules.get(*number as usize) else { continue };
        if rule.kind == Kind::Transaction {
            desk.of_exchanges.push(*number);
            continue;
        }
        desk.asks(*number);
        desk.scratch.late.clear();
        let scene = Scene { flow: Some(&*flow), ..*base };
        let look = Look { bytes, start: 0, little_endian: false };
        let holds = packet_holds(rule, &scene)
            && packet_parts_hold(rule, &scene, &set.lists, &mut desk.scratch)
            && rule.payload.as_ref().is_some_and(|asked| {
                asked.stream && chain_holds(&asked.chain, &[], look, &set.lists, &mut desk.scratch)
            });
        if holds && take_effect(desk, *number, rule, base, Some(flow)) {
            break;
        }
    }
    desk.candidates = candidates;
}

/// Asks the rules on structures within a stream.
pub(super) fn ask_frame(desk: &mut Desk, base: &Scene<'_>, flow: &mut Flow, name: &str, bytes: &[u8]) {
    let set = base.set;
    let plan = set.plans.between(base.at_home);
    let Some(rules) = plan.frames.get(name) else { return };
    let stage = desk.enter(Stage::Matching);
    for number in rules {
        let Some(rule) = set.rules.get(*number as usize) else { continue };
        desk.asks(*number);
        desk.scratch.late.clear();
        let scene = Scene { layer: flow.protocol_spoken(), flow: Some(&*flow), ..*base };
        let holds = packet_holds(rule, &scene)
            && rule.frames.iter().all(|part| {
                part.name == name
                    && chain_holds(
                        &part.chain,
                        &part.transforms,
                        Look::whole(bytes),
                        &set.lists,
                        &mut desk.scratch,
                    )
            });
        if holds {
            take_effect(desk, *number, rule, base, Some(flow));
        }
    }
    desk.enter(stage);
}

/// A rule holds: what it changes is changed, and it is noted down. True if nothing after it counts.
pub(super) fn take_effect(
    desk: &mut Desk,
    number: u32,
    rule: &Rule,
    base: &Scene<'_>,
    mut flow: Option<&mut Flow>,
) -> bool {
    if let Some(flow) = flow.as_deref_mut() {
        apply(&rule.changes, flow);
    }
    if rule.meta.action == Action::Pass {
        desk.passes(base.set, number);
        if let Some(flow) = flow
            && rule.kind != Kind::Packet
        {
            flow.is_passed = true;
        }
        return true;
    }
    desk.holds(number, &Scene { flow: flow.as_deref(), ..*base });
    false
}

pub(super) fn apply(changes: &[Change], flow: &mut Flow) {
    for change in changes {
        flow.variables.apply(*change);
    }
}

fn add_bare(bare: &Bare, base: &Scene<'_>, candidates: &mut Vec<u32>) {
    candidates.extend_from_slice(&bare.always);
    let bytes = base.packet.map_or(0, |packet| packet.payload.len() as u64);
    candidates.extend(bare.small.iter().filter(|(most, _)| bytes <= *most).map(|(_, number)| *number));
    if bare.by_source.is_empty() && bare.by_destination.is_empty() && bare.by_layer.is_empty() {
        return;
    }
    if !bare.by_source.is_empty()
        && let Some(rules) = bare.by_source.get(&base.source.1)
    {
        candidates.extend_from_slice(rules);
    }
    if !bare.by_destination.is_empty()
        && let Some(rules) = bare.by_destination.get(&base.destination.1)
    {
        candidates.extend_from_slice(rules);
    }
    if let Some(rules) = base.layer.and_then(|layer| bare.by_layer.get(&layer)) {
        candidates.extend_from_slice(rules);
    }
}

fn find(
    payloads: &Payloads,
    base: &Scene<'_>,
    bytes: &[u8],
    scratch: &mut Scratch,
    candidates: &mut Vec<u32>,
) {
    let ports = (base.source.1, base.destination.1);
    payloads.find(ports, base.layer, bytes, &mut scratch.strings, candidates);
}

impl Scene<'_> {
    /// The same, looked at the other way.
    pub(super) fn towards(&self, direction: Direction) -> Self {
        if direction == self.direction {
            *self
        } else {
            let [source, destination] = self.at_home;
            Scene {
                direction,
                source: self.destination,
                destination: self.source,
                at_home: [destination, source],
                ..*self
            }
        }
    }
}
