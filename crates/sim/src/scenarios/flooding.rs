//! Flooding attacks, section VII.B: "faulty replicas might continuously send 'meaningful but repeating' or 'meaningless'
//! messages". Three of them: a replica that floods the others, a replica that floods clients, a client that floods the
//! primary.
//!
//! The simulator's processors are infinitely fast, so what a flood costs its victims shows in frames, not in waits: how many
//! it got out, and how many clients were served meanwhile.

use super::stage::{Script, Stage, millis, waits};
use super::{Report, Seeds, fold};
use crate::byzantine::{Means, Strategy};
use crate::world::World;
use agree::checkpoint::{AskManifest, Transfer};
use agree::door::Door;
use agree::{Effect, Message, Request};
use bytes::Bytes;
use core::time::Duration;
use monitor::flood::PER_SECOND;
use std::rc::Rc;
use wire::{ClientId, Digest, Encode, NodeId, Peer, Time};

/// Messages that a brazen flooder sends every [`TICK_EVERY`](crate::byzantine::Traitor::TICK_EVERY): 300,000 a second.
const BRAZEN: u64 = 2_100;

/// Asks the others for a checkpoint that there is not, so often at every tick.
struct Ask(u64);

impl Strategy for Ask {
    fn tick(&mut self, means: &mut Means) {
        for _ in 0..self.0 {
            let to = means.somebody();
            let digest = Digest([7; 32]);
            means.send(to, Message::Transfer(Transfer::AskManifest(AskManifest { digest })));
        }
    }
}

/// Repeats its last reply to a client, so often at every tick.
struct Repeat {
    times: u64,
    last: Option<Effect>,
}

impl Strategy for Repeat {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if matches!(effect, Effect::Send { message: Message::Reply(_), .. }) {
            self.last = Some(effect.clone());
        }
        means.pass(effect);
    }

    fn tick(&mut self, means: &mut Means) {
        for _ in 0..self.times {
            if let Some(last) = &self.last {
                means.pass(last.clone());
            }
        }
    }
}

/// What is done, by which node, how often at every tick.
type Attack = (&'static str, usize, u64, fn(u64) -> Box<dyn Strategy>);

pub(super) fn replica(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    // Just under what the monitor lets a replica say for long.
    let just_under = PER_SECOND * crate::byzantine::Traitor::TICK_EVERY.as_nanos() as u64 / 1_000_000_000;
    let attacks: [Attack; 4] = [
        ("the primary asks the others nonsense", 0, BRAZEN, |times| Box::new(Ask(times))),
        ("a backup asks the others nonsense", 2, BRAZEN, |times| Box::new(Ask(times))),
        ("a backup repeats replies to clients", 2, BRAZEN, |times| Box::new(Repeat { times, last: None })),
        ("a backup asks nonsense, as often as it may", 2, just_under, |times| Box::new(Ask(times))),
    ];
    let stage = Stage::new(1);
    let calm = fold(seeds, |seed| stage.play(seed, Vec::new()));
    for (attack, node, times, strategy) in attacks {
        let runs = fold(seeds, |seed| {
            let script: Vec<Script> = vec![(node, strategy(times))];
            stage.play(seed, script)
        });
        let all = runs.len();
        let convicted = runs.iter().filter(|(_, run)| run.alarms("flooding") > 0).count();
        let out = runs.iter().map(|(_, run)| run.sent[node]).max().unwrap_or(0);
        let usual = calm.iter().map(|(_, run)| run.sent[node]).max().unwrap_or(0);
        let sum = |runs: &[(u64, super::stage::Played)]| {
            runs.iter().map(|(_, run)| run.per_second()).sum::<u64>() / runs.len().max(1) as u64
        };
        let pause = runs.iter().map(|(_, run)| run.longest_pause()).max().unwrap_or_default();
        for (seed, run) in &runs {
            if let Some(violation) = run.outcome.violations.first() {
                report.break_by(*seed, format!("{attack}: {violation}"));
            }
        }
        if times == BRAZEN {
            report.demand(convicted == all, || {
                format!("{attack}: convicted in {convicted} of {all} seeds only")
            });
        }
        let tried =
            times * (stage.lasts.as_nanos() / crate::byzantine::Traitor::TICK_EVERY.as_nanos()) as u64;
        report
            .demand(sum(&runs) * 10 > sum(&calm) * 8, || format!("{attack}: clients lose more than a fifth"));
        report.say(format!(
            "{attack}: wants to send {tried} messages in {} s; at most {out} frames of that node got out, where without the \
             attack it has {usual} to send; convicted of *flooding* in {convicted} of {all} seeds; {} results a second, {} without the \
             flood; nobody was served for at most {}",
            stage.lasts.as_secs(),
            sum(&runs),
            sum(&calm),
            millis(pause),
        ));
    }
    report
}

/// How often the client that floods sends: a million requests a second.
const REQUEST_EVERY: Duration = Duration::from_micros(50);
const REQUESTS_AT_ONCE: usize = 50;

/// The client that floods: its last request again and again, and requests with a wrong MAC.
struct FloodingClient {
    door: Door<crate::keys::SimKeys>,
    index: usize,
    next: Time,
    sent: u64,
}

impl FloodingClient {
    const ID: ClientId = ClientId(1);

    fn send(&mut self, world: &mut World) {
        while self.next <= world.around.now {
            self.next = self.next.after(REQUEST_EVERY);
            let history = world.around.checkers.history();
            let mine = history.iter().filter(|(client, _, _)| *client == FloodingClient::ID);
            let Some((client, timestamp, asked)) = mine.last() else { continue };
            let request = Request {
                client,
                timestamp,
                operation: asked.operation.clone(),
                speaker: None,
                signature: None,
            };
            let to = Peer::Node(NodeId(0));
            let right = self.door.seal_for(&[to], &Message::Request(request)).to_bytes();
            let mut wrong = right.to_vec();
            if let Some(byte) = wrong.last_mut() {
                *byte ^= 1;
            }
            let wrong = Bytes::from(wrong);
            for index in 0..REQUESTS_AT_ONCE {
                let frame = if index % 2 == 0 { right.clone() } else { wrong.clone() };
                world.around.transmit(self.index, to, frame);
                self.sent += 1;
            }
        }
    }
}

pub(super) fn client(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    let stage = Stage { lasts: Duration::from_secs(1), ..Stage::new(1) };
    let others = |run: &super::stage::Played| -> Vec<Duration> {
        run.results
            .iter()
            .filter(|(_, who, _)| *who != FloodingClient::ID)
            .map(|(_, _, wait)| *wait)
            .collect()
    };
    let runs = fold(seeds, |seed| {
        let calm = stage.play(seed, Vec::new());
        let mut flooder: Option<FloodingClient> = None;
        let run = stage.play_with(seed, Vec::new(), Vec::new(), |world| {
            let nodes = world.nodes().len();
            let me = Peer::Client(FloodingClient::ID);
            let now = world.around.now;
            let flooder = flooder.get_or_insert_with(|| FloodingClient {
                door: Door::new(
                    me,
                    agree::Protocol::ByzId,
                    world.around.settings.members.clone(),
                    world.around.ring.of(me, &Rc::default()),
                ),
                index: nodes,
                next: now,
                sent: 0,
            });
            if now < Time::ZERO.after(stage.lasts) {
                flooder.send(world);
            }
        });
        let sent = flooder.map_or(0, |flooder| flooder.sent);
        (calm, run, sent)
    });
    let (mut before, mut during, mut sent) = (Vec::new(), Vec::new(), 0);
    for (seed, (calm, run, frames)) in &runs {
        before.extend(others(calm));
        during.extend(others(run));
        sent += frames;
        if let Some(violation) =
            run.outcome.violations.iter().find(|one| one.checker != crate::Checker::Bounded)
        {
            report.break_by(*seed, format!("a client floods: {violation}"));
        }
    }
    report.demand(during.len() * 10 > before.len() * 8, || {
        format!("the other clients got {} results instead of {}", during.len(), before.len())
    });
    let (counts, (was, was_99, _), (is, is_99, _)) =
        ((before.len(), during.len()), waits(before), waits(during));
    report.say(format!(
        "one of {} clients sends {sent} requests, repeated and wrongly authenticated, in {} seconds: the others get {} results \
         instead of {}; half of them wait {} instead of {}, 99 of 100 at most {} instead of {}",
        stage.clients,
        runs.len() as u64 * stage.lasts.as_secs(),
        counts.1,
        counts.0,
        millis(is),
        millis(was),
        millis(is_99),
        millis(was_99),
    ));
    report
}
