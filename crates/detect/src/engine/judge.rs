//! The judge: what flows share, decided in the order of frames.
//!
//! Upon a match: the conditions that are decided late, then `detection_filter`, then `threshold`; of one packet at most
//! [`ALERTS_OF_A_PACKET_MAX`] alerts are told, the most important first since rules are asked in that order.

use super::found::{AlertFlow, Found, Match, Noted, What};
use crate::Time;
use crate::behaviour::{Behaviour, Kind, Observation, Parameters, Watcher};
use crate::rule::{Action, Meta, RuleSet};
use crate::state::LateState;
use core::net::IpAddr;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Alerts of one packet at most, as Suricata has it; further ones are counted.
const ALERTS_OF_A_PACKET_MAX: u32 = 15;

/// An alert.
pub struct Alert<'a> {
    /// The number of the frame, from 1.
    pub frame: u64,
    /// When.
    pub time: Time,
    /// What the rule says.
    pub meta: &'a Meta,
    /// From where.
    pub source: (IpAddr, u16),
    /// To where.
    pub destination: (IpAddr, u16),
    /// The IP protocol.
    pub protocol: u8,
    /// For ICMP: type and code.
    pub icmp: Option<(u8, u8)>,
    /// VLAN tags, outermost first.
    pub vlan: &'a [u16],
    /// Which way it went, in its flow.
    pub direction: crate::Direction,
    /// The flow.
    pub flow: Option<&'a AlertFlow>,
    /// What is spoken.
    pub layer: Option<&'a str>,
    /// The exchange's number, and an object (JSON) of what was said in it, by the names that EVE has for it.
    pub exchange: Option<(u64, &'a str)>,
    /// If it is about the behaviour of a source rather than a rule.
    pub behaviour: Option<&'a Behaviour>,
}

/// What is told.
pub enum Told<'a> {
    /// An alert.
    Alert(&'a Alert<'a>),
    /// A record of something else: a line of EVE without its end.
    Record {
        /// The type of event.
        kind: &'static str,
        /// The line.
        line: &'a str,
    },
}

/// The judge.
#[derive(Clone)]
pub struct Judge {
    set: Arc<RuleSet>,
    state: LateState,
    /// Living flows that alerted, if their ends are written down. No more than there are flows.
    alerted: BTreeSet<u64>,
    /// Frame and packet that the count is of.
    packet: (u64, u32),
    count: u32,
    surplus: u64,
    /// Who counts what sources do, if anybody wants to know; and what is said of each kind.
    watcher: Option<Box<(Watcher, Vec<Meta>)>>,
}

impl Judge {
    /// A judge for this rule set.
    #[must_use]
    pub fn new(set: Arc<RuleSet>) -> Self {
        let state = LateState::new(set.lists.clone());
        Judge { set, state, alerted: BTreeSet::new(), packet: (0, 0), count: 0, surplus: 0, watcher: None }
    }

    /// Watches from now on what sources do. To be said before the first frame; workers have to be told too.
    pub fn watch(&mut self, parameters: Parameters) {
        self.watcher = Some(Box::new((Watcher::new(parameters), Kind::all().map(Kind::meta).collect())));
    }

    /// Decides what was found, all of it in order, and tells `tell` of each alert.
    pub fn decide(&mut self, found: &[Found], tell: &mut dyn FnMut(&Alert<'_>)) {
        self.decide_all(found, &mut |told| {
            if let Told::Alert(alert) = told {
                tell(alert);
            }
        });
    }

    /// The same, and tells of everything that is written down beside alerts as well.
    pub fn decide_all(&mut self, found: &[Found], tell: &mut dyn FnMut(&Told<'_>)) {
        for one in found {
            match &one.what {
                What::FlowEnded(flow) => {
                    self.state.flow_ended(*flow);
                    self.alerted.remove(flow);
                }
                What::Record(noted) => self.tell_record(noted, tell),
                What::Observed(seen) => {
                    self.watched(one.place.frame, Some(seen), &mut |alert| tell(&Told::Alert(alert)))
                }
                What::Match(found) => {
                    let packet = (
                        one.place.frame << 1 | u64::from(one.place.by_frame),
                        one.place.packet | u32::from(one.place.shard) << 24,
                    );
                    self.decide_match(one.place.frame, packet, found, tell);
                }
            }
        }
    }

    fn tell_record(&self, noted: &Noted, tell: &mut dyn FnMut(&Told<'_>)) {
        let (kind, line) = (noted.kind, noted.line.as_str());
        let parts = noted.alerted.and_then(|(place, flow)| Some((line.split_at_checked(place)?, flow)));
        let Some(((before, after), flow)) = parts else {
            tell(&Told::Record { kind, line });
            return;
        };
        let line = format!("{before}{}{after}", self.alerted.contains(&flow));
        tell(&Told::Record { kind, line: &line });
    }

    /// Nothing follows: what is known of groups and was not told yet is told. `number`: one more than the last frame's.
    pub fn finish(&mut self, number: u64, tell: &mut dyn FnMut(&Alert<'_>)) {
        self.watched(number, None, tell);
    }

    /// Hands an observation to the watcher, or tells it that nothing follows.
    fn watched(&mut self, frame: u64, seen: Option<&Observation>, tell: &mut dyn FnMut(&Alert<'_>)) {
        let Some((watcher, metas)) = self.watcher.as_deref_mut() else { return };
        let mut report = |report: &crate::behaviour::Report<'_>| {
            let Some(meta) = metas.get(report.kind as usize) else { return };
            let (source, destination) = report.ends();
            tell(&Alert {
                frame,
                time: report.time,
                meta,
                source,
                destination,
                protocol: report.group.protocol,
                icmp: None,
                vlan: &[],
                direction: crate::Direction::ToServer,
                flow: None,
                layer: None,
                exchange: None,
                behaviour: Some(&report.behaviour()),
            });
        };
        match seen {
            Some(seen) => watcher.observe(seen, &mut report),
            None => watcher.finish(&mut report),
        }
    }

    fn decide_match(
        &mut self,
        frame: u64,
        packet: (u64, u32),
        found: &Match,
        tell: &mut dyn FnMut(&Told<'_>),
    ) {
        let Some(rule) = self.set.rules.get(found.rule as usize) else { return };
        let has_late = !rule.late.is_empty() || !found.asked.is_empty();
        if has_late && !self.state.decide(&rule.late, &found.asked, &found.subject) {
            return;
        }
        if rule.is_silent || matches!(rule.meta.action, Action::Pass | Action::Config) {
            return;
        }
        if let Some(filter) = &rule.filter
            && !self.state.passes(found.rule, filter, &found.subject)
        {
            return;
        }
        if let Some(threshold) = &rule.threshold
            && !self.state.says(found.rule, threshold, &found.subject)
        {
            return;
        }
        if self.packet != packet {
            (self.packet, self.count) = (packet, 0);
        }
        self.count += 1;
        if self.count > ALERTS_OF_A_PACKET_MAX {
            self.surplus += 1;
            return;
        }
        if self.set.settings.kinds.has_records()
            && let Some(flow) = &found.flow
        {
            self.alerted.insert(flow.id);
        }
        tell(&Told::Alert(&Alert {
            frame,
            time: found.subject.time,
            meta: &rule.meta,
            source: found.source,
            destination: found.destination,
            protocol: found.protocol,
            icmp: found.icmp,
            vlan: &found.vlan,
            direction: found.direction,
            flow: found.flow.as_ref(),
            layer: found.layer,
            exchange: found.exchange.as_ref().map(|exchange| (exchange.0, exchange.1.as_str())),
            behaviour: None,
        }));
    }

    /// Alerts that were not told since a packet had too many.
    #[must_use]
    pub fn surplus(&self) -> u64 {
        self.surplus
    }

    /// What the watcher counted: observations, those of exempt senders among them, and groups that went for want of room.
    #[must_use]
    pub fn watched_so_far(&self) -> (u64, u64, u64) {
        self.watcher.as_ref().map_or((0, 0, 0), |watcher| watcher.0.counted())
    }

    /// Entries of tables that went since a table was full.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.state.evicted() + self.state.lists.refused()
    }
}
