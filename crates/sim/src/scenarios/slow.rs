//! The slow primary, section VII.B: a primary that "can deliberately delay the sending of ordering messages".
//!
//! The traitor knows the monitor's arithmetic and runs a copy of it: it holds each ORDER back until a moment before it would
//! be late, one after the other. How much that costs depends on what the monitor has learned to be usual before:
//!   - honest first: the bound is what an honest primary made it, and a slow drift does not train it;
//!   - slow from its first ORDER on: the monitor knows nothing yet, every delay up to the ceiling is usual, and the bound
//!     stays there. The ceiling is the view timeout, which is the operator's to choose.

use super::stage::{Script, Stage, millis};
use super::{Report, Seeds, fold};
use crate::byzantine::{Act, Means, Strategy};
use agree::byzid::guard::{Fail, specification};
use agree::byzid::message::Message as ByzId;
use agree::replica::Destination;
use agree::{Effect, Message, Protocol, Settings};
use core::time::Duration;
use monitor::patience::Patience;
use std::cell::RefCell;
use std::rc::Rc;
use wire::Time;

/// How much before it would be late an ORDER goes out.
const BEFORE: Duration = Duration::from_micros(200);

/// Delays every ORDER by almost as much as the monitor bears.
struct Slow {
    honest: u64,
    /// The patience of the monitor beside it.
    patience: Rc<RefCell<Patience>>,
    last: Time,
}

impl Strategy for Slow {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let is_new = matches!(
            effect,
            Effect::Send { to: Destination::Members, message: Message::ByzId(ByzId::Order(_)) }
        );
        if !is_new {
            return means.pass(effect);
        }
        let mut patience = self.patience.borrow_mut();
        self.last = self.last.max(means.now);
        patience.begin(monitor::Time(self.last.0));
        if self.honest > 0 {
            self.honest -= 1;
            patience.fulfil(monitor::Time(self.last.0));
            return means.pass(effect);
        }
        let due =
            patience.due().map_or(self.last, |due| Time(due.0.saturating_sub(BEFORE.as_nanos() as u64)));
        patience.fulfil(monitor::Time(due.0));
        self.last = due;
        means.act(Act::Later(self.last.since(means.now), Box::new(Act::Effect(effect))));
    }
}

fn patience() -> Patience {
    let spec = specification(&Settings::new(Protocol::ByzId, 1), Fail::Closed);
    Patience::new(spec.act_floor, spec.act_ceiling)
}

pub(super) fn slow_primary(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    let stage = Stage { lasts: Duration::from_secs(60), ..Stage::new(1) };
    let settings = Settings::new(Protocol::ByzId, 1);
    let cases = [
        ("an honest primary", None),
        ("slow after 1,000 honest batches", Some(1_000)),
        ("slow from its first ORDER on", Some(0)),
    ];
    for (who, honest) in cases {
        let runs = fold(seeds, |seed| {
            let patience = Rc::new(RefCell::new(patience()));
            let script: Vec<Script> = match honest {
                None => Vec::new(),
                Some(honest) => {
                    let slow = Slow { honest, patience: Rc::clone(&patience), last: Time::ZERO };
                    vec![(0, Box::new(slow))]
                }
            };
            let run = stage.play(seed, script);
            let bound = Duration::from_nanos(patience.borrow().bound().0);
            // The last third: what was honest at the beginning is over by then.
            let late = Time::ZERO.after(stage.lasts * 2 / 3);
            let waits = run.results.iter().filter(|(at, _, _)| *at >= late).map(|(_, _, wait)| *wait);
            let waits: Vec<Duration> = waits.collect();
            let count = waits.len() as u64 * 3 / stage.lasts.as_secs();
            let alarms: u64 = run.outcome.stats.alarms;
            (run.outcome.violations.into_iter().next(), count, super::stage::waits(waits), bound, alarms)
        });
        for (seed, (violation, ..)) in &runs {
            if let Some(violation) = violation {
                report.break_by(*seed, format!("{who}: {violation}"));
            }
        }
        let most = |of: fn(&(Duration, Duration, Duration)) -> Duration| {
            runs.iter().map(|(_, (_, _, waits, _, _))| of(waits)).max().unwrap_or_default()
        };
        let per_second = runs.iter().map(|(_, run)| run.1).min().unwrap_or(0);
        let bound = runs.iter().map(|(_, run)| run.3).max().unwrap_or_default();
        let alarms: u64 = runs.iter().map(|(_, run)| run.4).sum();
        match honest {
            None => report.say(format!(
                "{who}, {} clients: {per_second} results a second; half of them after {}, all after {}",
                stage.clients,
                millis(most(|waits| waits.0)),
                millis(most(|waits| waits.2)),
            )),
            Some(honest) => {
                report.say(format!(
                    "{who}, always just under its timer: {per_second} results a second; half of them after {}, all after {}; \
                     the bound is {} after {} s; {alarms} alarms in {} seeds",
                    millis(most(|waits| waits.0)),
                    millis(most(|waits| waits.2)),
                    millis(bound),
                    stage.lasts.as_secs(),
                    runs.len(),
                ));
                report.demand(per_second > 0, || format!("{who}: clients are not served"));
                // Else it was replaced, and what is measured is somebody else.
                report.demand(alarms == 0, || format!("{who}: it was not just under its timer"));
                let most = if honest == 0 { settings.view_timeout } else { settings.retransmit_after * 2 };
                report.demand(bound <= most, || format!("{who}: it trained the bound to {bound:?}"));
            }
        }
    }
    report
}
