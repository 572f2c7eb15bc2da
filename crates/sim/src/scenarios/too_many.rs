//! More than `f` compromised, section VII.B: "If these compromises can go undetected by the IDSs, ByzID cannot defend against
//! such an attack."
//!
//! What is lost is shown, each loss with a seed; what still holds, because monitors are honest, is demanded in every seed:
//! no two correct replicas execute different batches at one place, none executes a request twice, or one that nobody made, or
//! against the order in which requests came, and no correct replica is convicted.

use super::stage::{Script, Stage};
use super::{Report, Seeds, fold};
use crate::byzantine::{Act, Means, Strategy};
use crate::checkers::{Checker, Violation};
use agree::byzid::message::{Message as ByzId, Order};
use agree::replica::Destination;
use agree::{Batch, Effect, Event, Message};
use bytes::Bytes;
use wire::Peer;

/// Gives clients the same wrong result as its accomplices.
struct SameLie;

impl Strategy for SameLie {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { to, message: Message::Reply(mut reply) } => {
                reply.result = Bytes::from_static(b"\x01lie");
                means.pass(Effect::Send { to, message: Message::Reply(reply) });
            }
            other => means.pass(other),
        }
    }
}

/// Says nothing at all.
struct Mute;

impl Strategy for Mute {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if !matches!(effect, Effect::Send { .. }) {
            means.pass(effect);
        }
    }
}

/// As the primary without a monitor: one story to f backups, with which it agrees itself, and an empty one to the others.
struct TwoStories;

impl Strategy for TwoStories {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to: Destination::Members, message: Message::ByzId(ByzId::Order(order)) } = effect
        else {
            return means.pass(effect);
        };
        for (index, peer) in means.peers(Destination::Members).into_iter().enumerate() {
            let other = Order { batch: Batch::new(Vec::new()), ..order.clone() };
            let told = if index < means.settings.f { order.clone() } else { other };
            means.send(peer, told.into());
        }
        // Its guard would hand an ORDER to all back to it; these went to one each.
        means.act(Act::Feed(Event::Message { from: Peer::Node(means.me), message: order.into() }));
    }
}

/// What must hold however many replicas lie, as long as monitors do not.
const KEPT: [Checker; 7] = [
    Checker::Order,
    Checker::Agreement,
    Checker::ExactlyOnce,
    Checker::Authentic,
    Checker::Fifo,
    Checker::Innocent,
    Checker::Assertion,
];

struct Case {
    who: &'static str,
    /// What it costs, and which checkers see that.
    lost: &'static str,
    seen_by: &'static [Checker],
    script: fn(f: usize) -> Vec<Script>,
    /// Whether the monitors are there.
    monitored: bool,
}

const CASES: &[Case] = &[
    Case {
        who: "f+1 replicas tell clients the same lie",
        lost: "clients believe results that the service never gave",
        seen_by: &[Checker::Linearizable],
        script: |f| (0..=f).map(|slot| -> Script { (slot + 1, Box::new(SameLie)) }).collect(),
        monitored: true,
    },
    Case {
        who: "f+1 replicas fall silent",
        lost: "nobody is served any more",
        seen_by: &[Checker::Live],
        script: |f| (0..=f).map(|slot| -> Script { (slot + 1, Box::new(Mute)) }).collect(),
        monitored: true,
    },
    Case {
        who: "the primary lies, and all monitors have crashed (fail open)",
        lost: "correct replicas execute different batches at one place",
        seen_by: &[Checker::Agreement, Checker::State, Checker::Durable, Checker::Linearizable],
        script: |_| vec![(0, Box::new(TwoStories))],
        monitored: false,
    },
];

pub(super) fn too_many(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    for case in CASES {
        for f in 1..=2 {
            let stage = Stage {
                monitored: case.monitored,
                lasts: core::time::Duration::from_secs(1),
                ..Stage::new(f)
            };
            let runs: Vec<(u64, Option<Violation>)> =
                fold(seeds, |seed| stage.play(seed, (case.script)(f)).outcome.violations.into_iter().next());
            let lost: Vec<(u64, &Violation)> = runs
                .iter()
                .filter_map(|(seed, violation)| Some((*seed, violation.as_ref()?)))
                .filter(|(_, violation)| case.seen_by.contains(&violation.checker))
                .collect();
            let Some((seed, violation)) = lost.first() else {
                report.demand(false, || {
                    format!("f = {f}, {}: nothing was lost in {} seeds", case.who, runs.len())
                });
                continue;
            };
            let held = if case.monitored {
                "; agreement, order, exactly-once, authenticity, fairness and the innocent's good name held in all"
            } else {
                ""
            };
            report.say(format!(
                "f = {f}, {}: LOST: {} (in {} of {} seeds, first with seed {seed}: {}){held}",
                case.who,
                case.lost,
                lost.len(),
                runs.len(),
                short(violation),
            ));
            for (seed, violation) in &runs {
                if let Some(violation) =
                    violation.as_ref().filter(|one| case.monitored && KEPT.contains(&one.checker))
                {
                    report.break_by(*seed, format!("f = {f}, {}: {violation}", case.who));
                }
            }
        }
    }
    report
}

/// The first words of a violation.
fn short(violation: &Violation) -> String {
    let text = violation.to_string();
    let end = text.char_indices().nth(100).map_or(text.len(), |(end, _)| end);
    text[..end].to_string()
}
