//! Where the attacks take place: a LAN, production settings, clients that ask without pause, and nothing that goes wrong but
//! what the attacker does.

use crate::byzantine::Strategy;
use crate::disk::Speed;
use crate::fault::{Fault, FaultKind};
use crate::mix::Mix;
use crate::network::Latency;
use crate::plan::Plan;
use crate::random::{Random, Stream};
use crate::run::{Outcome, finish_watched};
use crate::world::{Making, World};
use agree::byzid::guard::Fail;
use agree::{Protocol, Settings};
use core::time::Duration;
use wire::{ClientId, Time};

/// Who takes over which node, to do what.
pub(crate) type Script = (usize, Box<dyn Strategy>);

/// How the stage is set.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) f: usize,
    pub(crate) clients: usize,
    /// How many of them are of one station.
    pub(crate) sessions: usize,
    pub(crate) lasts: Duration,
    /// The longest that a client thinks.
    pub(crate) think: Duration,
    /// Whether there are monitors: without, they all crash at the start, and the cluster is set to fail open.
    pub(crate) monitored: bool,
    /// What is changed of the settings that a cluster has in production.
    pub(crate) set: fn(&mut Settings),
}

impl Stage {
    pub(crate) fn new(f: usize) -> Self {
        Stage {
            f,
            clients: 8,
            sessions: 1,
            lasts: Duration::from_secs(4),
            think: Duration::ZERO,
            monitored: true,
            set: |_| {},
        }
    }

    /// The world of `seed`, with the nodes in `scripts` taken over.
    fn world(&self, seed: u64, scripts: Vec<Script>, faults: Vec<Fault>) -> World {
        let mut plan = Plan::generate(Protocol::ByzId, self.f, self.lasts, Mix::NONE, seed);
        let micros = Duration::from_micros;
        let tuning = &mut plan.tuning;
        tuning.settings = Settings::new(Protocol::ByzId, self.f);
        (self.set)(&mut tuning.settings);
        tuning.clients = self.clients;
        tuning.sessions = self.sessions;
        tuning.turn = Duration::ZERO;
        tuning.think = self.think;
        tuning.latency = Latency { least: micros(50), spread: micros(100) };
        tuning.disk = Speed { least: micros(100), spread: micros(100) };
        plan.clocks.clear();
        plan.heal = Time::ZERO.after(self.lasts);
        plan.rest = plan.heal;
        plan.faults = faults;
        if !self.monitored {
            let crash =
                |node| Fault { from: Time(1), until: Time(u64::MAX), kind: FaultKind::MonitorCrash { node } };
            plan.faults.extend((0..plan.tuning.settings.n() as u8).map(crash));
        }
        let fail = if self.monitored { Fail::Closed } else { Fail::Open };
        let mut world = World::new(plan, seed, Making { fail, ..Making::default() });
        let whims = Random::new(seed, Stream::Traitors);
        let mut by_node: Vec<(usize, Vec<Box<dyn Strategy>>)> = Vec::new();
        for (node, strategy) in scripts {
            match by_node.iter_mut().find(|(other, _)| *other == node) {
                Some((_, script)) => script.push(strategy),
                None => by_node.push((node, vec![strategy])),
            }
        }
        for (node, script) in by_node {
            world.hand_over(node, script, whims.part(node as u64));
        }
        world
    }

    /// Plays it.
    pub(crate) fn play(&self, seed: u64, scripts: Vec<Script>) -> Played {
        self.play_with(seed, scripts, Vec::new(), |_| {})
    }

    /// Plays it, and calls `look` after each thing that happened.
    pub(crate) fn play_with(
        &self,
        seed: u64,
        scripts: Vec<Script>,
        faults: Vec<Fault>,
        look: impl FnMut(&mut World),
    ) -> Played {
        let (outcome, world) = finish_watched(self.world(seed, scripts, faults), seed, look);
        let history = world.around.checkers.history();
        let end = Time::ZERO.after(self.lasts);
        let mut results: Vec<(Time, ClientId, Duration)> = history
            .iter()
            .filter_map(|(client, _, asked)| {
                let told = asked.told.as_ref().filter(|told| told.at <= end)?;
                Some((told.at, client, told.at.since(asked.invoked)))
            })
            .collect();
        results.sort_unstable_by_key(|(at, client, _)| (*at, *client));
        Played { outcome, results, sent: world.around.sent.clone(), lasts: self.lasts }
    }
}

/// What came of it.
pub(crate) struct Played {
    pub(crate) outcome: Outcome,
    /// When who was told what it had asked for so long ago, up to the end of the play.
    pub(crate) results: Vec<(Time, ClientId, Duration)>,
    /// Frames that each peer put on a link.
    pub(crate) sent: Vec<u64>,
    lasts: Duration,
}

impl Played {
    /// Results a second.
    pub(crate) fn per_second(&self) -> u64 {
        (self.results.len() as f64 / self.lasts.as_secs_f64()) as u64
    }

    /// The longest time in which nobody was told anything.
    pub(crate) fn longest_pause(&self) -> Duration {
        let mut last = Time::ZERO;
        let mut longest = Duration::ZERO;
        for (at, _, _) in &self.results {
            longest = longest.max(at.since(last));
            last = *at;
        }
        longest.max(Time::ZERO.after(self.lasts).since(last))
    }

    /// How often a monitor raised an alarm over `rule`.
    pub(crate) fn alarms(&self, rule: &str) -> u64 {
        self.outcome.stats.alarms_by_rule.get(rule).copied().unwrap_or(0)
    }
}

/// The median of so many waits, the one that 99 of 100 did not exceed, and the longest.
pub(crate) fn waits(mut waits: Vec<Duration>) -> (Duration, Duration, Duration) {
    waits.sort_unstable();
    let at = |permille: usize| {
        let index = (waits.len() * permille / 1000).min(waits.len().saturating_sub(1));
        waits.get(index).copied().unwrap_or_default()
    };
    (at(500), at(990), at(1000))
}

/// `1.25 ms`.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
