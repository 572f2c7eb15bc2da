//! Rules asked of exchanges.
//!
//! Upon something new in a direction: for each exchange, strings are looked for in the fields that have become ready, which finds candidates;
//! rules without a string are candidates when an exchange is looked at first, and those whose decision was open stay so.
//! Upon a candidate: the packet and the flow are asked once, then its parts, each until it holds. A part that does not hold and never will ends it; one that may yet
//! leaves it open. A rule holds once of an exchange and direction; one on files holds again when the exchange brings another one later.
//! Upon an exchange that is complete and was looked at, both ways: it is forgotten.

use super::holds::{
    Scene, chain_holds, packet_holds, packet_parts_hold, part_holds, ready, transformed, visit,
};
use super::packets::apply;
use super::records::{self, Exchange};
use super::worker::{About, Desk};
use crate::Direction;
use crate::app::{AnyTransaction, Inspected, ProtocolId, Ready, Verdict};
use crate::flow::{Flow, Layer};
use crate::inspect::Look;
use crate::plan::{LayerPlan, Variant};
use crate::rule::compiled::{Rule, What};
use crate::rule::{Action, RuleSet};

/// The bit of what already holds that stands for the payload.
const PAYLOAD: u64 = 1 << 63;
/// The bit for the packet and the flow.
const PACKET: u64 = 1 << 62;
/// Rules of one exchange and direction whose decision is open at most; further ones are asked again only when their string is found again.
const OPEN_MAX: usize = 4096;

/// Asks all rules that the exchanges of a flow may concern in the scene's direction. `payload`: the bytes that came.
pub(super) fn ask_exchanges(desk: &mut Desk, base: &Scene<'_>, flow: &mut Flow, payload: Option<&[u8]>) {
    let Layer::Known(protocol) = flow.layer else { return };
    if flow.is_passed {
        if desk.writes_records() {
            records::pass_over(desk, base, flow);
        }
        return;
    }
    if flow.parser.as_ref().is_none_or(|parser| parser.live() == 0) {
        return;
    }
    let set = base.set;
    let sides = set.plans.between(base.at_home).layers.get(&protocol);
    let plan = sides.map(|sides| &sides[base.direction.index()]);
    // The parser is taken out while rules are asked, since they also change the flow.
    let Some(mut parser) = flow.parser.take() else { return };
    // Rules see what is spoken as it is.
    let base = &Scene { layer: Some(protocol), ..*base };
    let mut place = 0;
    while let Some((id, transaction, inspection)) = parser.at_mut(place) {
        let [to_server, to_client] = &mut inspection.sides;
        let (inspected, other) = match base.direction {
            Direction::ToServer => (to_server, to_client),
            Direction::ToClient => (to_client, to_server),
        };
        if !inspected.done {
            let concerns = transaction.concerns(base.direction);
            let is_complete = transaction.is_complete(base.direction);
            if concerns {
                if let Some(files) = transaction.files_mut(base.direction) {
                    files.prepare(&set.settings);
                }
                if plan.is_some() || !desk.of_exchanges.is_empty() || inspected.has_rules() {
                    let transaction = &mut *transaction;
                    let mut one = One { desk, set, base, flow, protocol, id, transaction, payload };
                    one.ask(plan, inspected);
                    let handed_over = one.hand_over(inspected);
                    if !handed_over.is_empty() {
                        other.open.extend(handed_over);
                        other.open.sort_unstable();
                    }
                }
                transaction.inspected(base.direction);
                if let Some(files) = transaction.files_mut(base.direction) {
                    files.inspected();
                }
            }
            inspected.begun = true;
            if is_complete || !concerns {
                inspected.done = true;
                inspected.open = Vec::new();
                inspected.matched = Vec::new();
            }
        }
        if !other.done && !transaction.concerns(base.direction.reversed()) {
            other.done = true;
        }
        let is_done = inspected.done && other.done;
        if desk.writes_records() {
            let mut exchange = Exchange { protocol, id, transaction, inspection };
            records::note_exchange(desk, base, flow, &mut exchange, is_done);
        }
        if is_done {
            parser.remove(place);
        } else {
            place += 1;
        }
    }
    flow.parser = Some(parser);
}

/// One exchange that is being looked at.
struct One<'a, 'd> {
    desk: &'d mut Desk,
    set: &'a RuleSet,
    base: &'a Scene<'a>,
    flow: &'d mut Flow,
    protocol: ProtocolId,
    id: u64,
    transaction: &'d mut dyn AnyTransaction,
    payload: Option<&'a [u8]>,
}

impl One<'_, '_> {
    #[inline(never)]
    fn ask(&mut self, plan: Option<&LayerPlan>, inspected: &mut Inspected) {
        let mut candidates = std::mem::take(&mut self.desk.candidates);
        candidates.clear();
        self.reopen_for_new_files(inspected);
        if let Some(plan) = plan {
            self.scan(plan, inspected, &mut candidates);
            if !inspected.begun {
                candidates.extend_from_slice(&plan.bare);
            }
        }
        candidates.extend_from_slice(&self.desk.of_exchanges);
        candidates.extend(inspected.open.iter().map(|open| open.0));
        candidates.sort_unstable();
        candidates.dedup();
        let before = std::mem::take(&mut inspected.open);
        for number in &candidates {
            if inspected.matched.binary_search(number).is_ok() {
                continue;
            }
            let Some(rule) = self.set.rules.get(*number as usize) else { continue };
            let held = before.binary_search_by_key(number, |open| open.0).ok().map_or(0, |at| before[at].1);
            // What answers a request is asked only after the request held.
            if rule.exchange && self.base.direction == Direction::ToClient && held == 0 && asks_request(rule)
            {
                continue;
            }
            self.desk.asks(*number);
            match self.rule(rule, held) {
                (Verdict::Holds, _)
                    if rule.exchange && self.base.direction == Direction::ToServer && asks_response(rule) =>
                {
                    inspected.open.push((*number, u64::MAX));
                }
                (Verdict::Holds, _) => {
                    if let Err(at) = inspected.matched.binary_search(number) {
                        inspected.matched.insert(at, *number);
                    }
                    if self.take_effect(*number, rule) {
                        break;
                    }
                }
                (Verdict::Open, held) if inspected.open.len() < OPEN_MAX => {
                    inspected.open.push((*number, if rule.has_late_lists { held & PACKET } else { held }));
                }
                _ => {}
            }
        }
        self.desk.candidates = candidates;
    }

    /// A rule on files that held of one is asked of the files once more when another begins.
    fn reopen_for_new_files(&self, inspected: &mut Inspected) {
        let files = self.transaction.files(self.base.direction).map_or(0, |files| files.list().len());
        let has_new = inspected.begun && files > inspected.files;
        inspected.files = files;
        if !has_new {
            return;
        }
        let set = self.set;
        inspected.matched.retain(|number| {
            let rule = set.rules.get(*number as usize);
            let of_files =
                rule.and_then(|rule| rule.parts.iter().position(|part| matches!(part.what, What::Files(_))));
            if let Some(at) = of_files {
                inspected.open.push((*number, !(1u64 << at.min(61))));
            }
            of_files.is_none()
        });
        inspected.open.sort_unstable();
    }

    /// Rules of exchanges whose request held: the response's side goes on with them.
    fn hand_over(&mut self, inspected: &mut Inspected) -> Vec<(u32, u64)> {
        if self.base.direction == Direction::ToClient {
            return Vec::new();
        }
        let is_handed = |open: &(u32, u64)| open.1 == u64::MAX;
        let handed: Vec<(u32, u64)> =
            inspected.open.iter().filter(|open| is_handed(open)).map(|open| (open.0, PACKET)).collect();
        if !handed.is_empty() {
            inspected.open.retain(|open| !is_handed(open));
            for open in &handed {
                if let Err(at) = inspected.matched.binary_search(&open.0) {
                    inspected.matched.insert(at, open.0);
                }
            }
        }
        handed
    }

    /// Looks for strings in the fields that have become ready.
    fn scan(&mut self, plan: &LayerPlan, inspected: &mut Inspected, candidates: &mut Vec<u32>) {
        for (bit, scan) in plan.scans.iter().enumerate() {
            if inspected.scanned >> bit & 1 == 1 {
                continue;
            }
            let ready = ready(self.transaction, scan.field, self.base.direction);
            if ready == Ready::No {
                continue;
            }
            let set = self.set;
            let Desk { scratch, recent, .. } = &mut *self.desk;
            let crate::inspect::Scratch { pcre, strings: blocks, .. } = scratch;
            visit(self.transaction, scan.field, self.base.direction, &mut |piece| {
                for Variant { number, buffer, strings } in &scan.variants {
                    recent.found_or(*number, piece.bytes, candidates, |candidates| {
                        let transforms = set.buffers.get(*buffer as usize).map_or(&[][..], |(_, all)| all);
                        transformed(transforms, piece.bytes, pcre, &mut |bytes, _| {
                            strings.find(bytes, blocks, candidates);
                        });
                    });
                }
            });
            if ready == Ready::Full {
                inspected.scanned |= 1 << bit;
            }
        }
    }

    /// What a rule says, and what of it already holds.
    fn rule(&mut self, rule: &Rule, mut held: u64) -> (Verdict, u64) {
        self.desk.scratch.late.clear();
        if held & PACKET == 0 {
            let scene = Scene { flow: Some(&*self.flow), ..*self.base };
            if !packet_holds(rule, &scene)
                || !packet_parts_hold(rule, &scene, &self.set.lists, &mut self.desk.scratch)
            {
                return (Verdict::Fails, held);
            }
            held |= PACKET;
        }
        let mut is_open = false;
        for (at, part) in rule.parts.iter().enumerate() {
            let bit = 1u64 << at.min(61);
            if held & bit != 0 {
                continue;
            }
            if !part.sides.include(self.base.direction) {
                // The other half of an exchange.
                continue;
            }
            if !part.protocols.is_empty() && !part.protocols.contains(&self.protocol) {
                return (Verdict::Fails, held);
            }
            match part_holds(
                part,
                self.transaction,
                self.protocol,
                self.base.direction,
                self.set,
                &mut self.desk.scratch,
            ) {
                Verdict::Holds => held |= bit,
                Verdict::Open => is_open = true,
                Verdict::Fails => return (Verdict::Fails, held),
            }
        }
        if let Some(asked) = &rule.payload
            && held & PAYLOAD == 0
        {
            let holds = self.payload.is_some_and(|bytes| {
                let look = Look { bytes, start: 0, little_endian: false };
                chain_holds(&asked.chain, &[], look, &self.set.lists, &mut self.desk.scratch)
            });
            if holds {
                held |= PAYLOAD;
            } else {
                is_open = true;
            }
        }
        (if is_open { Verdict::Open } else { Verdict::Holds }, held)
    }

    /// A rule holds. True if nothing after it counts.
    fn take_effect(&mut self, number: u32, rule: &Rule) -> bool {
        apply(&rule.changes, self.flow);
        if rule.meta.action == Action::Pass {
            self.desk.passes(self.set, number);
            self.flow.is_passed = true;
            return true;
        }
        let about = About { id: self.id, transaction: &*self.transaction };
        let scene = Scene { flow: Some(&*self.flow), ..*self.base };
        self.desk.holds_of(number, &scene, &about, self.protocol);
        false
    }
}

fn asks_request(rule: &Rule) -> bool {
    rule.parts.iter().any(|part| !part.sides.include(Direction::ToClient))
}

fn asks_response(rule: &Rule) -> bool {
    rule.parts.iter().any(|part| !part.sides.include(Direction::ToServer))
}
