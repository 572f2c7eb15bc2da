//! Fairness attacks, section VII.B: "a faulty primary might collude with a client to help the latter gain unjust advantages".
//!
//! The primary is a traitor that (a) lets a friend's requests overtake those of others, (b) turns batches around, or (c)
//! orders requests that nobody made. With monitors none of it may reach a correct replica, and whoever tries is put out.
//! Without monitors the same attack must succeed: else nothing would have been shown.

use super::stage::{Script, Stage, millis};
use super::{Report, Seeds, fold};
use crate::byzantine::{Act, Means, Strategy, forge, forgery};
use crate::checkers::Checker;
use agree::{Batch, Effect, Event, Message, byzid::message::Message as ByzId};
use core::time::Duration;
use std::collections::BTreeSet;
use wire::{ClientId, Timestamp};

/// Keeps the requests of others back for a moment, so that the friend's come first.
struct Prefer {
    friend: ClientId,
    held: Vec<Event>,
    let_go: BTreeSet<(ClientId, Timestamp)>,
}

impl Strategy for Prefer {
    fn incoming(&mut self, event: Event, _: &mut Means) -> Option<Event> {
        let Event::Message { message: Message::Request(request), .. } = &event else { return Some(event) };
        if request.client == self.friend || self.let_go.remove(&(request.client, request.timestamp)) {
            return Some(event);
        }
        self.held.push(event);
        None
    }

    fn tick(&mut self, means: &mut Means) {
        for event in self.held.drain(..) {
            if let Event::Message { message: Message::Request(request), .. } = &event {
                self.let_go.insert((request.client, request.timestamp));
            }
            means.act(Act::Feed(event));
        }
    }
}

/// Turns batches around.
struct TurnAround;

impl Strategy for TurnAround {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to, message: Message::ByzId(ByzId::Order(mut order)) } = effect else {
            return means.pass(effect);
        };
        let requests = order.batch.requests().iter().rev().cloned().collect();
        order.batch = Batch::new(requests);
        means.pass(Effect::Send { to, message: order.into() });
    }
}

/// Orders requests that nobody made.
struct Invent;

impl Strategy for Invent {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect
            && means.random.chance(100)
        {
            let request = forge::invented(means);
            if let Some(message) = forgery::with_request(message, request, means) {
                return means.pass(Effect::Send { to: *to, message });
            }
        }
        means.pass(effect);
    }
}

/// What the primary does, in words and in deed.
type Attack = (&'static str, fn() -> Box<dyn Strategy>);

fn attacks() -> [Attack; 3] {
    [
        ("lets a friend's requests overtake others", || {
            Box::new(Prefer { friend: ClientId(1), held: Vec::new(), let_go: BTreeSet::new() })
        }),
        ("turns batches around", || Box::new(TurnAround)),
        ("orders requests that nobody made", || Box::new(Invent)),
    ]
}

pub(super) fn unfair_primary(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    for (attack, strategy) in attacks() {
        for f in 1..=2 {
            // One batch at a time, so that requests pile up and there is something to turn around.
            let lasts = Duration::from_secs(1);
            let stage = Stage { lasts, set: |settings| settings.window = 1, ..Stage::new(f) };
            let script = || -> Vec<Script> { vec![(0, strategy())] };
            let runs = fold(seeds, |seed| stage.play(seed, script()));
            let convicted = runs.iter().filter(|(_, run)| run.alarms("fairness") > 0).count();
            let pause = runs.iter().map(|(_, run)| run.longest_pause()).max().unwrap_or_default();
            for (seed, run) in &runs {
                if let Some(violation) = run.outcome.violations.first() {
                    report.break_by(*seed, format!("f = {f}, a primary that {attack}: {violation}"));
                }
            }
            let all = runs.len();
            report.demand(convicted == all, || {
                format!("f = {f}: a primary that {attack} was convicted in {convicted} of {all} seeds only")
            });
            report.demand(pause < Duration::from_secs(1), || {
                format!("f = {f}: nobody was served for {pause:?}")
            });
            let bare = Stage { monitored: false, ..stage };
            let succeeds = fold(seeds, |seed| {
                let violations = bare.play(seed, script()).outcome.violations;
                violations.into_iter().find(|violation| {
                    matches!(violation.checker, Checker::Fifo | Checker::Authentic | Checker::Agreement)
                })
            });
            let first = succeeds.iter().find_map(|(seed, violation)| Some((*seed, violation.clone()?)));
            let count = succeeds.iter().filter(|(_, violation)| violation.is_some()).count();
            report.demand(first.is_some(), || {
                format!("f = {f}: a primary that {attack} gets nowhere even without monitors, so nothing was shown")
            });
            let Some((seed, violation)) = first else { continue };
            report.say(format!(
                "f = {f}, a primary that {attack}: convicted of breaking *fairness* in {convicted} of {all} seeds, executed by \
                 a correct replica in none; nobody was served for at most {} while it was replaced. Without monitors the same \
                 attack succeeds in {count} of {all}, first with seed {seed} ({})",
                millis(pause),
                violation.checker.name(),
            ));
        }
    }
    report
}
