//! One group: what was counted of it, exactly as far as that matters.
//!
//! Promises that distinct members are counted exactly until the group is told, and up to [`TOLD_MEMBERS_MAX`] after that; then it says "at least". A group in which as many
//! members answered as would have to fail is ordinary, and is forgotten (the lower barrier of a sequential test).

use super::key::Measure;
use super::kind::Kind;
use super::observation::{Observation, Outcome};
use crate::Time;
use core::net::IpAddr;

/// Members that are kept of a group that was told.
pub(crate) const TOLD_MEMBERS_MAX: usize = 1_024;
/// Members that are kept of a group whose members decide nothing.
const SHOWN_MEMBERS_MAX: usize = 64;

/// A port or protocol, or a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Member {
    Number(u16),
    Host(IpAddr),
}

/// Distinct members, up to a number.
#[derive(Clone, Default, Debug)]
pub(crate) struct Members {
    sorted: Vec<Member>,
    /// There were more than are kept.
    pub(crate) are_more: bool,
}

impl Members {
    fn add(&mut self, member: Member, max: usize) {
        let Err(place) = self.sorted.binary_search(&member) else { return };
        if self.sorted.len() >= max {
            self.are_more = true;
        } else {
            self.sorted.insert(place, member);
        }
    }

    pub(crate) fn list(&self) -> &[Member] {
        &self.sorted
    }
}

/// How often each came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Outcomes {
    pub(crate) answered: u64,
    pub(crate) unused: u64,
    pub(crate) silent: u64,
    pub(crate) refused: u64,
    pub(crate) half_open: u64,
    pub(crate) broken_off: u64,
}

/// What was told of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) at: Time,
    /// How much of it was told.
    pub(crate) count: u64,
    /// It is told as a part of another one.
    pub(crate) is_part: bool,
}

/// One more of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// So many attempts that failed, and so many that did not.
    pub(crate) bad: u64,
    pub(crate) good: u64,
    /// How many attempts it stands for.
    pub(crate) attempts: u64,
    pub(crate) member: Option<Member>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) is_bare: bool,
}

/// Where a group stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// There may be too little of it, or not.
    Waits,
    /// So much of it was answered that it is not looked at any longer.
    IsOrdinary,
    /// It is worth telling.
    IsOverLimit,
    WasTold(Told),
}

/// A group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) since: Time,
    pub(crate) last: Time,
    bad: u64,
    good: u64,
    pub(crate) attempts: u64,
    bare: u64,
    pub(crate) outcomes: Outcomes,
    pub(crate) failed: Members,
    answered: Members,
    pub(crate) told: Option<Told>,
    /// Who did what to whom, last.
    pub(crate) source: (IpAddr, u16),
    pub(crate) target: (IpAddr, u16),
    pub(crate) protocol: u8,
}

impl Group {
    pub(crate) fn new(seen: &Observation) -> Self {
        Group {
            since: seen.time,
            last: seen.time,
            bad: 0,
            good: 0,
            attempts: 0,
            bare: 0,
            outcomes: Outcomes::default(),
            failed: Members::default(),
            answered: Members::default(),
            told: None,
            source: seen.source,
            target: seen.target,
            protocol: seen.protocol,
        }
    }

    /// One more; where it stands then.
    pub(crate) fn count(&mut self, seen: &Observation, step: &Step, measure: &Measure) -> Standing {
        self.add(seen, step, measure);
        match self.told {
            Some(told) => Standing::WasTold(told),
            None if self.is_over_limit(measure) => Standing::IsOverLimit,
            None if self.is_ordinary(measure) => Standing::IsOrdinary,
            None => Standing::Waits,
        }
    }

    fn add(&mut self, seen: &Observation, step: &Step, measure: &Measure) {
        self.last = self.last.max(seen.time);
        self.bad = self.bad.saturating_add(step.bad);
        self.good = self.good.saturating_add(step.good);
        self.bare += u64::from(step.is_bare && step.bad > 0);
        if step.bad > 0 {
            self.attempts = self.attempts.saturating_add(step.attempts);
            (self.source, self.target, self.protocol) = (seen.source, seen.target, seen.protocol);
        }
        match step.outcome {
            Some(Outcome::Answered) => self.outcomes.answered += 1,
            Some(Outcome::Unused) => self.outcomes.unused += 1,
            Some(Outcome::Silent) => self.outcomes.silent += 1,
            Some(Outcome::Refused) => self.outcomes.refused += 1,
            Some(Outcome::HalfOpen) => self.outcomes.half_open += 1,
            Some(Outcome::BrokenOff) => self.outcomes.broken_off += 1,
            None => {}
        }
        let Some(member) = step.member else { return };
        let max = match (self.told, measure.distinct) {
            (Some(_), _) => TOLD_MEMBERS_MAX,
            (None, true) => usize::try_from(measure.limit)
                .unwrap_or(usize::MAX)
                .saturating_mul(4)
                .min(4 * TOLD_MEMBERS_MAX),
            (None, false) => SHOWN_MEMBERS_MAX,
        };
        if step.bad > 0 {
            self.failed.add(member, max);
        } else if step.good > 0 && measure.distinct && self.told.is_none() {
            self.answered.add(member, max);
        }
    }

    fn is_over_limit(&self, measure: &Measure) -> bool {
        let (bad, good) = self.counted(measure);
        bad >= measure.limit
            && u128::from(bad) * 100 >= u128::from(measure.share) * u128::from(bad.saturating_add(good))
    }

    fn is_ordinary(&self, measure: &Measure) -> bool {
        measure.distinct && (self.counted(measure).1 >= measure.limit || self.failed.are_more)
    }

    fn counted(&self, measure: &Measure) -> (u64, u64) {
        if measure.distinct {
            (self.failed.list().len() as u64, self.answered.list().len() as u64)
        } else {
            (self.bad, self.good)
        }
    }

    /// Whether its connections do not look like those that a system makes for its programs.
    pub(crate) fn is_crafted(&self) -> bool {
        self.outcomes.unused == 0 && (self.outcomes.broken_off > 0 || self.bare.saturating_mul(2) >= self.bad)
    }

    /// How dear it is when there is no room: one of a single failure is not, one that was told is.
    pub(crate) fn rank(&self) -> usize {
        match (&self.told, self.failed.list().len()) {
            (Some(_), _) => 2,
            (None, 0 | 1) => 0,
            (None, _) => 1,
        }
    }
}
