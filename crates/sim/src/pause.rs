//! How long ordering pauses when somebody is replaced: ByzID in a LAN with production settings, under load.
//!
//! A node fails at a moment that the seed chooses. *Ordering* pauses from one batch that a correct replica executes to the
//! next; *service* pauses from one result that a client believes to the next. The second is longer where clients must first
//! find the new primary: they ask everybody after [`RETRY_AFTER`](agree::client::RETRY_AFTER).

use crate::byzantine::{Means, Strategy};
use crate::fault::{Fault, FaultKind};
use crate::random::{Random, Stream};
use crate::scenarios::stage::{Script, Stage};
use crate::scenarios::{Seeds, fold};
use agree::byzid::message::Message as ByzId;
use agree::{Effect, Message};
use core::time::Duration;
use wire::{Digest, NodeId, Sequence, Time};

/// How one thing that happens to a cluster is paid for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    /// What happens.
    pub event: &'static str,
    /// How many faulty replicas the cluster masks.
    pub f: usize,
    /// The longest time in which no correct replica executed a batch: the median over all seeds, and the longest of all.
    pub ordering: (Duration, Duration),
    /// The longest time in which no client was told a result: the same two.
    pub service: (Duration, Duration),
    /// Configurations that the cluster went through, at most.
    pub reconfigurations: u64,
    /// Seeds in which a spare was a member in the end.
    pub spares_in: usize,
    /// Seeds.
    pub seeds: usize,
}

/// From a moment on it says what no correct replica says: its monitor has proof.
struct Guilty {
    from: Time,
}

impl Strategy for Guilty {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let effect = match effect {
            Effect::Send { to, message: Message::ByzId(ByzId::Order(mut order)) }
                if means.now >= self.from =>
            {
                order.sequence = Sequence(order.sequence.0 + 1);
                Effect::Send { to, message: order.into() }
            }
            Effect::Send { to, message: Message::ByzId(ByzId::Ack(mut ack)) } if means.now >= self.from => {
                ack.digest = Digest([0xff; 32]);
                Effect::Send { to, message: ack.into() }
            }
            other => other,
        };
        means.pass(effect);
    }
}

/// Whom it happens to, and what.
#[derive(Clone, Copy)]
enum What {
    Nothing,
    Crash(u8),
    Blackout(u8),
    Guilt(u8),
}

const EVENTS: [(&str, What, bool); 8] = [
    ("nothing", What::Nothing, false),
    ("a backup's replica crashes", What::Crash(2), false),
    ("a backup's node loses its power", What::Blackout(2), false),
    ("a backup is proven guilty, no spare", What::Guilt(2), false),
    ("a backup is proven guilty, a spare takes its slot", What::Guilt(2), true),
    ("the primary's replica crashes", What::Crash(0), false),
    ("the primary's node loses its power", What::Blackout(0), false),
    ("the primary is proven guilty", What::Guilt(0), false),
];

/// Measures all of it for each `f` of 1 and 2.
#[must_use]
pub fn pauses(seeds: &Seeds) -> Vec<Pause> {
    let rows = EVENTS.iter().flat_map(|event| (1..=2).map(move |f| (event, f)));
    rows.map(|((event, what, spare), f)| pause(event, *what, *spare, f, seeds)).collect()
}

fn pause(event: &'static str, what: What, spare: bool, f: usize, seeds: &Seeds) -> Pause {
    let stage = Stage {
        clients: 4,
        lasts: Duration::from_secs(3),
        think: Duration::from_millis(2),
        set: if spare { |settings| settings.spares = vec![NodeId(settings.n() as u16)] } else { |_| {} },
        ..Stage::new(f)
    };
    let runs = fold(seeds, |seed| {
        let random = &mut Random::new(seed, Stream::Plan).part(7);
        let from = Time::ZERO.after(random.duration(Duration::from_secs(1), Duration::from_secs(2)));
        let for_ever = |kind| vec![Fault { from, until: Time(u64::MAX), kind }];
        let (script, faults): (Vec<Script>, Vec<Fault>) = match what {
            What::Nothing => (Vec::new(), Vec::new()),
            What::Crash(node) => (Vec::new(), for_ever(FaultKind::Crash { node })),
            What::Blackout(node) => (Vec::new(), for_ever(FaultKind::Blackout { node })),
            What::Guilt(node) => (vec![(usize::from(node), Box::new(Guilty { from }))], Vec::new()),
        };
        let (mut last, mut count, mut longest, mut spare_in) = (Time::ZERO, 0, Duration::ZERO, false);
        let end = Time::ZERO.after(stage.lasts);
        let played = stage.play_with(seed, script, faults, |world| {
            let executed = world.around.stats.batches_executed;
            if executed > count && world.around.now <= end {
                longest = longest.max(world.around.now.since(last));
                (last, count) = (world.around.now, executed);
                let members = world.around.settings.n();
                spare_in =
                    spare_in || world.statuses()[members..].iter().flatten().any(|status| status.normal);
            }
        });
        assert!(played.outcome.violations.is_empty(), "seed {seed}: {:?}", played.outcome.violations);
        (longest, played.longest_pause(), played.outcome.stats.reconfigurations, spare_in)
    });
    let median_and_most = |mut all: Vec<Duration>| {
        all.sort_unstable();
        (all.get(all.len() / 2).copied().unwrap_or_default(), all.last().copied().unwrap_or_default())
    };
    Pause {
        event,
        f,
        ordering: median_and_most(runs.iter().map(|(_, run)| run.0).collect()),
        service: median_and_most(runs.iter().map(|(_, run)| run.1).collect()),
        reconfigurations: runs.iter().map(|(_, run)| run.2).max().unwrap_or(0),
        spares_in: runs.iter().filter(|(_, run)| run.3).count(),
        seeds: runs.len(),
    }
}
