//! How the faults of a plan are drawn: which sorts, when, and with what details.

use crate::fault::{Fault, FaultKind};
use crate::mix::Mix;
use crate::network::{Flap, PeerSet};
use crate::random::Random;
use core::time::Duration;
use wire::Time;

/// A kind of fault before its details are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sort {
    Loss,
    Delay,
    Duplication,
    Reordering,
    Partition,
    OneWay,
    MutePrimary,
    Deposed,
    Flapping,
    Crash,
    CrashPrimary,
    CrashMidWrite,
    Blackout,
    PowerLoss,
    SlowDisk,
    ClockDrift,
    Pause,
    MonitorCrash,
    Outsider,
    Corruption,
    LyingClient,
}

/// How many plans in a thousand let a machine be replaced.
const REPLACED_PERMILLE: u64 = 250;

pub(crate) fn kinds(mix: Mix) -> Vec<Sort> {
    let groups: [(Mix, &[Sort]); 6] = [
        (
            Mix::NETWORK,
            &[
                Sort::Loss,
                Sort::Delay,
                Sort::Duplication,
                Sort::Reordering,
                Sort::Partition,
                Sort::Partition,
                Sort::OneWay,
                Sort::OneWay,
                Sort::MutePrimary,
                Sort::MutePrimary,
                Sort::Deposed,
                Sort::Deposed,
                Sort::Deposed,
                Sort::Deposed,
                Sort::Flapping,
            ],
        ),
        (
            Mix::CRASH,
            &[
                Sort::Crash,
                Sort::CrashPrimary,
                Sort::CrashPrimary,
                Sort::CrashMidWrite,
                Sort::CrashMidWrite,
                Sort::Blackout,
                Sort::PowerLoss,
                Sort::SlowDisk,
            ],
        ),
        (Mix::TIME, &[Sort::ClockDrift, Sort::Pause]),
        (Mix::MONITOR, &[Sort::MonitorCrash, Sort::MonitorCrash]),
        (Mix::BYZANTINE, &[Sort::LyingClient]),
        (Mix::OUTSIDER, &[Sort::Outsider, Sort::Corruption]),
    ];
    groups
        .into_iter()
        .filter(|(group, _)| mix.has(*group))
        .flat_map(|(_, sorts)| sorts.iter().copied())
        .collect()
}

/// Leaves out most sorts of fault in most plans, so that the few that are left meet often. (Groce et al., "Swarm
/// Testing", 2012: what all features together never do, some of them without the others do at once.)
pub(crate) fn swarm(sorts: Vec<Sort>, random: &mut Random) -> Vec<Sort> {
    if sorts.is_empty() || random.chance(250) {
        return sorts;
    }
    let kept = random.between(1, 5);
    (0..kept).map(|_| random.pick(&sorts)).collect()
}

/// What the details of a fault depend on.
pub(crate) struct World {
    pub(crate) n: usize,
    pub(crate) stations: usize,
    pub(crate) hit: Vec<u8>,
    pub(crate) traitors: PeerSet,
    pub(crate) heal: Time,
    /// When faults begin.
    pub(crate) season: (Duration, Duration),
    /// How long replicas wait before they turn to another primary.
    pub(crate) patience: Duration,
    /// Whether nodes crash.
    pub(crate) crashes: bool,
}

/// When faults begin: at any time, or all of them within a short while. Many things that go wrong at once find what the
/// same things do not find one after the other.
pub(crate) fn season(heal: Time, random: &mut Random) -> (Duration, Duration) {
    let heal = Duration::from_nanos(heal.0);
    let (first, last) = (heal / 12, heal * 11 / 12);
    if random.chance(500) {
        return (first, last);
    }
    let opens = random.duration(first, heal * 2 / 3);
    (opens, opens + random.duration(heal / 40, heal / 5))
}

impl World {
    /// One thing that goes wrong; nothing if there is nobody to whom it may happen.
    pub(crate) fn fault(&self, kinds: &[Sort], random: &mut Random) -> Vec<Fault> {
        let sort = random.pick(kinds);
        let heal = Duration::from_nanos(self.heal.0);
        let from = Time::ZERO.after(random.duration(self.season.0, self.season.1));
        // Half of them are short: what is over before anybody noticed is the harder case.
        let longest = if random.chance(500) { heal / 3 } else { heal / 40 };
        let lasts = random.duration(Duration::from_millis(1), longest);
        if sort == Sort::Deposed {
            return self.deposed(from, random);
        }
        let Some(kind) = self.kind(sort, random) else { return Vec::new() };
        // All power at once: nothing can happen meanwhile, so it is short.
        let lasts = if kind == FaultKind::PowerLoss { lasts / 20 } else { lasts };
        vec![self.between(from, lasts, kind)]
    }

    /// Now and then, another machine takes the seat of one of `nodes`.
    pub(crate) fn replaced(&self, nodes: &[u8], random: &mut Random) -> Option<Fault> {
        if nodes.is_empty() || !self.crashes || !random.chance(REPLACED_PERMILLE) {
            return None;
        }
        let from = Time::ZERO.after(random.duration(self.season.0, self.season.1));
        let lasts = random.duration(Duration::from_millis(5), Duration::from_millis(600));
        let (node, dead) = (random.pick(nodes), random.chance(500));
        Some(self.between(from, lasts, FaultKind::Replaced { node, dead }))
    }

    fn between(&self, from: Time, lasts: Duration, kind: FaultKind) -> Fault {
        Fault { from, until: from.after(lasts).min(self.heal), kind }
    }

    /// A primary that is away for about as long as the others' patience lasts, and then reaches some of them and not the
    /// rest: it is deposed, does not know, and finds somebody who listens.
    fn deposed(&self, from: Time, random: &mut Random) -> Vec<Fault> {
        let away = self.patience * random.between(900, 1_600) as u32 / 1_000;
        let half = self.patience * random.between(2, 6) as u32;
        let faults = match random.below(4) {
            0 => self.cut_off(from, away, half, random),
            _ => self.stood_still(from, away, half, random),
        };
        faults.into_iter().filter(|fault| fault.from < fault.until).collect()
    }

    /// Whoever leads is cut off and does not notice.
    fn cut_off(&self, from: Time, away: Duration, half: Duration, random: &mut Random) -> Vec<Fault> {
        let nodes = (1u64 << self.n) - 1;
        let by = random.bits() & nodes;
        let deaf = random.chance(700);
        vec![
            self.between(from, away, FaultKind::MutePrimary { by: nodes, deaf: true }),
            self.between(from, half, FaultKind::MutePrimary { by, deaf }),
        ]
    }

    /// Whoever leads stands still and goes on as if nothing had been; the only one that hears it is a bad listener.
    fn stood_still(&self, from: Time, away: Duration, half: Duration, random: &mut Random) -> Vec<Fault> {
        let nodes = (1u64 << self.n) - 1;
        if self.hit.is_empty() {
            return Vec::new();
        }
        // The first leader is mostly who leads still, and does not listen to itself.
        let others: Vec<u8> = self.hit.iter().copied().filter(|node| *node != 0).collect();
        let listener = random.pick(if others.is_empty() { &self.hit } else { &others });
        let of = self.hit.iter().fold(0, |of, node| of | 1 << node);
        let by = nodes & !(1 << listener);
        let mut faults = vec![
            self.between(from, away, FaultKind::PausePrimary { of }),
            self.between(from, half, FaultKind::MutePrimary { by, deaf: true }),
        ];
        self.listen_badly(listener, from, half, &mut faults, random);
        faults
    }

    /// A bad listener crashes while it writes, and comes back with what its disk has: it may have forgotten whom it follows
    /// by now. Mostly it hears the others, one of whom leads meanwhile, now and then only.
    fn listen_badly(
        &self,
        listener: u8,
        from: Time,
        half: Duration,
        faults: &mut Vec<Fault>,
        random: &mut Random,
    ) {
        if random.chance(700) {
            for other in (0..self.n as u8).filter(|other| *other != listener) {
                let period = random.duration(Duration::from_millis(2), Duration::from_millis(60));
                let flap = Flap { one: listener, other, period };
                faults.push(self.between(from, half, FaultKind::Flapping(flap)));
            }
        }
        if self.crashes {
            let then = from.after(self.patience * 8 / 10);
            faults.push(self.between(then, self.patience * 2, FaultKind::CrashMidWrite { node: listener }));
        }
    }

    /// Some that are not heard by some. Half the time it is one node that only the traitors hear, if there are any: they
    /// know what it believes, and can make use of it. Mostly it is the node after the first of them: see
    /// [`crate::byzantine::favour`].
    fn one_way(&self, random: &mut Random) -> FaultKind {
        let everybody = (1u64 << (self.n + self.stations)) - 1;
        let nodes = (1u64 << self.n) - 1;
        let (from, to) = (random.bits() & everybody, random.bits() & everybody);
        if self.traitors == 0 || random.chance(500) {
            return FaultKind::OneWay { from, to };
        }
        let first = self.traitors.trailing_zeros() as usize;
        let node = if random.chance(700) { (first + 1) % self.n } else { random.index(self.n) };
        FaultKind::OneWay { from: 1 << node, to: (nodes | to) & !self.traitors }
    }

    /// A cut between two sides, half the time with somebody whom both hear: the traitors, who can then tell each side
    /// what they like, or anybody.
    fn partition(&self, random: &mut Random) -> FaultKind {
        let everybody = (1u64 << (self.n + self.stations)) - 1;
        let nodes = (1u64 << self.n) - 1;
        let mut side = random.bits() & everybody;
        if random.chance(500) {
            return FaultKind::Partition { side, bridge: 0 };
        }
        if random.chance(500) {
            side = side & !nodes | 1 << random.index(self.n);
        }
        let between = if self.traitors != 0 { self.traitors } else { 1 << random.index(self.n) };
        // Clients are anywhere.
        let bridge = between | random.bits() & everybody & !nodes;
        FaultKind::Partition { side, bridge }
    }

    fn kind(&self, sort: Sort, random: &mut Random) -> Option<FaultKind> {
        let millis = Duration::from_millis;
        let peers = self.n + self.stations;
        let everybody = (1u64 << peers) - 1;
        let hit = if self.hit.is_empty() { None } else { Some(random.pick(&self.hit)) };
        let kind = match sort {
            Sort::Loss => FaultKind::Loss { permille: random.pick(&[10, 50, 200, 500]) },
            Sort::Delay => FaultKind::Delay { extra: random.duration(millis(1), millis(120)) },
            Sort::Duplication => FaultKind::Duplication { permille: random.pick(&[20, 200, 600]) },
            Sort::Reordering => FaultKind::Reordering,
            Sort::Corruption => FaultKind::Corruption { permille: random.pick(&[5, 50, 200]) },
            Sort::Partition => self.partition(random),
            Sort::OneWay => self.one_way(random),
            Sort::MutePrimary => {
                FaultKind::MutePrimary { by: random.bits() & everybody, deaf: random.chance(300) }
            }
            // Several faults at once: see `deposed`.
            Sort::Deposed => return None,
            Sort::Flapping => {
                let one = random.index(self.n) as u8;
                let other = random.index(peers) as u8;
                FaultKind::Flapping(Flap { one, other, period: random.duration(millis(2), millis(150)) })
            }
            Sort::Crash => FaultKind::Crash { node: hit? },
            Sort::CrashPrimary => {
                FaultKind::CrashPrimary { of: self.hit.iter().fold(0, |of, node| of | 1 << node) }
            }
            Sort::CrashMidWrite => FaultKind::CrashMidWrite { node: hit? },
            Sort::Blackout => FaultKind::Blackout { node: hit? },
            Sort::PowerLoss => FaultKind::PowerLoss,
            Sort::SlowDisk => FaultKind::SlowDisk { node: hit?, slowness: random.pick(&[10, 50, 200]) },
            Sort::ClockDrift => {
                let node = random.index(self.n) as u8;
                FaultKind::ClockDrift { node, permille: random.between(0, 100) as i64 - 50 }
            }
            Sort::Pause => FaultKind::Pause { node: hit? },
            Sort::MonitorCrash => FaultKind::MonitorCrash { node: hit? },
            Sort::LyingClient => FaultKind::LyingClient { client: random.index(self.stations) as u8 },
            Sort::Outsider => FaultKind::Outsider { every: random.duration(millis(1), millis(20)) },
        };
        Some(kind)
    }
}
