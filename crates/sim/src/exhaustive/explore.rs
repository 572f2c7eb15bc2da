//! Visits every state of a scope, the nearest first.
//!
//! Breadth first, so the first violation found has the shortest story. Only the states of one depth are kept whole; of
//! all others the fingerprint, and by which action they were first reached from which. The story of a violation is
//! found by going back along these and then acting it out again from the start.
//!
//! The order is fixed, the fingerprints too: the same scope has the same numbers everywhere.

use super::fingerprint::fingerprint;
use super::properties::{broken, shows};
use super::scope::{Scope, Sometimes};
use super::world::{Action, Model, World};
use core::fmt;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// States of one exploration at most, unless its caller says otherwise: some ten minutes and a few gigabytes.
pub const STATES_MAX: usize = 20_000_000;

/// A promise that was broken, and how it came to that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Which, and how.
    pub broken: String,
    /// What happened, step by step.
    pub story: Vec<String>,
}

/// What came of an exploration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The scope's name.
    pub scope: &'static str,
    /// Different states.
    pub states: usize,
    /// Steps from a state to one of them.
    pub steps: u64,
    /// The most steps from the start that a state is away.
    pub depth: usize,
    /// Whether that is all there is.
    pub complete: bool,
    /// The first promise that was broken; then the exploration ended.
    pub found: Option<Found>,
    /// What was seen to be possible.
    pub seen: Vec<Sometimes>,
}

impl Report {
    /// What the scope says should be possible, and was not seen.
    #[must_use]
    pub fn never_seen(&self, scope: &Scope) -> Vec<Sometimes> {
        scope.sometimes.iter().copied().filter(|what| !self.seen.contains(what)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = if self.complete { "all" } else { "the first" };
        write!(
            f,
            "{}: {all} {} states, {} steps, depth {}",
            self.scope, self.states, self.steps, self.depth
        )?;
        write!(f, "; seen: {:?}", self.seen)?;
        if let Some(found) = &self.found {
            write!(f, "\n  BROKEN {}", found.broken)?;
            for (number, step) in found.story.iter().enumerate() {
                write!(f, "\n  {:3}  {step}", number + 1)?;
            }
        }
        Ok(())
    }
}

/// A fingerprint is as good a hash as any.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// How a state was first reached: from which, and by the how-manieth of its actions.
#[derive(Clone, Copy)]
struct Way {
    from: u32,
    action: u16,
}

/// An exploration under way.
struct Explorer<'a> {
    model: &'a Model,
    visited: HashSet<u128, BuildHasherDefault<AsItIs>>,
    ways: Vec<Way>,
    report: Report,
}

/// Explores `scope`, up to `states_max` states.
#[must_use]
pub fn explore(scope: &Scope, states_max: usize) -> Report {
    let model = Model::new(scope.clone());
    let report = Report {
        scope: scope.name,
        states: 0,
        steps: 0,
        depth: 0,
        complete: false,
        found: None,
        seen: Vec::new(),
    };
    let mut explorer = Explorer { model: &model, visited: HashSet::default(), ways: Vec::new(), report };
    explorer.run(states_max);
    explorer.report.states = explorer.ways.len();
    explorer.report
}

impl Explorer<'_> {
    fn run(&mut self, states_max: usize) {
        let start = self.model.start();
        self.visited.insert(fingerprint(&start));
        self.ways.push(Way { from: 0, action: 0 });
        if self.judge(&start, 0) {
            return;
        }
        let mut layer = vec![(0_u32, start)];
        while !layer.is_empty() {
            let mut next = Vec::new();
            // Taken out one by one, so that what was explored makes room for what comes of it.
            for (from, world) in layer {
                for (number, action) in world.actions(self.model).iter().enumerate() {
                    self.report.steps += 1;
                    let after = world.after(self.model, action);
                    if !self.visited.insert(fingerprint(&after)) {
                        continue;
                    }
                    let index = u32::try_from(self.ways.len()).expect("far fewer states fit into memory");
                    let action = u16::try_from(number).expect("a state has few actions");
                    self.ways.push(Way { from, action });
                    if self.judge(&after, index) || self.ways.len() >= states_max {
                        return;
                    }
                    next.push((index, after));
                }
            }
            self.report.depth += usize::from(!next.is_empty());
            layer = next;
        }
        self.report.complete = true;
    }

    /// Looks at a new state; whether it breaks a promise.
    fn judge(&mut self, world: &World, index: u32) -> bool {
        for what in Sometimes::ALL {
            if !self.report.seen.contains(&what) && shows(self.model, world, what) {
                self.report.seen.push(what);
            }
        }
        let Some(broken) = broken(self.model, world) else { return false };
        self.report.found = Some(Found { broken, story: self.story(index) });
        true
    }

    /// How the state `index` came about.
    fn story(&self, index: u32) -> Vec<String> {
        let mut numbers = Vec::new();
        let mut at = index;
        while at != 0 {
            let way = self.ways[at as usize];
            numbers.push(usize::from(way.action));
            at = way.from;
        }
        let mut world = self.model.start();
        let mut story = Vec::new();
        for number in numbers.into_iter().rev() {
            let actions: Vec<Action> = world.actions(self.model);
            story.push(world.describe(self.model, &actions[number]));
            world = world.after(self.model, &actions[number]);
        }
        story
    }
}
