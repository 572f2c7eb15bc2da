//! What several flows share: `xbits`, `hostbits`, lists that rules change, `threshold`, `detection_filter`.
//!
//! It is decided in the order of frames, after the flows were looked at, by one who sees all matches.
//!
//! Every table has a limit; at the limit the entry that would end first goes, and is counted.

use crate::Time;
use crate::lists::{Ask, Lists};
use crate::state::{BitTest, Change, FlowVariables};
use core::net::IpAddr;
use std::collections::BTreeMap;

/// Entries of each table at most.
const ENTRIES_MAX: usize = 1 << 18;
/// Until when a bit of a host lives if nothing was said.
const FOREVER: Time = Time(u64::MAX);

/// Whom a bit or a count belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Track {
    Source,
    Destination,
    /// The pair, whichever way round.
    Pair,
    /// The pair, this way round.
    Both,
    Rule,
    Flow,
}

/// A bit that flows share, and what is asked of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shared {
    pub(crate) name: u32,
    pub(crate) ask: SharedAsk,
    pub(crate) track: Track,
    /// Seconds that it lives.
    pub(crate) expire: u64,
}

/// What is asked of a bit that flows share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SharedAsk {
    Set,
    Unset,
    Toggle,
    IsSet,
    IsNotSet,
}

/// A condition that is decided in the order of frames.
#[derive(Clone, Debug)]
pub(crate) enum Late {
    Shared(Shared),
    /// A bit of the flow that hangs on something decided here.
    Bit(BitTest),
    /// The same, changed by a match.
    Change(Change),
}

/// How alerts are thinned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ThresholdKind {
    /// The first `count` in `seconds`.
    Limit,
    /// Each `count`-th in `seconds`.
    Threshold,
    /// One, when there were `count` in `seconds`.
    Both,
    /// The `count`-th, then after `multiplier` times as many, and so on.
    Backoff { multiplier: u32 },
}

/// `threshold`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Threshold {
    pub(crate) kind: ThresholdKind,
    pub(crate) track: Track,
    pub(crate) count: u32,
    pub(crate) seconds: u64,
}

/// `detection_filter`: what comes after `count` in `seconds`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Filter {
    pub(crate) track: Track,
    pub(crate) count: u32,
    pub(crate) seconds: u64,
}

/// The packet that a match is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) time: Time,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// The flow's own number, the same on every machine.
    pub(crate) flow: u64,
}

impl Track {
    fn key(self, subject: &Subject) -> (Option<IpAddr>, Option<IpAddr>, u64) {
        match self {
            Track::Source => (Some(subject.source), None, 0),
            Track::Destination => (None, Some(subject.destination), 0),
            Track::Pair => {
                let (low, high) =
                    (subject.source.min(subject.destination), subject.source.max(subject.destination));
                (Some(low), Some(high), 0)
            }
            Track::Both => (Some(subject.source), Some(subject.destination), 0),
            Track::Rule => (None, None, 0),
            Track::Flow => (None, None, subject.flow),
        }
    }

    /// For bits, source and destination are the same thing: a host.
    fn host_key(self, subject: &Subject) -> (Option<IpAddr>, Option<IpAddr>, u64) {
        match self {
            Track::Source => (Some(subject.source), None, 0),
            Track::Destination => (Some(subject.destination), None, 0),
            other => other.key(subject),
        }
    }
}

type HostKey = (u32, (Option<IpAddr>, Option<IpAddr>, u64));

/// A count that is kept for a rule.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Time,
    count: u32,
    /// For a back-off: at which count the next alert comes.
    next: u64,
    ends: Time,
}

/// A table with a limit.
#[derive(Clone, Debug)]
struct Table<V> {
    entries: BTreeMap<HostKey, V>,
    /// By end: who goes first.
    ends: BTreeMap<(Time, HostKey), ()>,
    evicted: u64,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { entries: BTreeMap::new(), ends: BTreeMap::new(), evicted: 0 }
    }
}

impl<V: Copy> Table<V> {
    fn get(&self, key: &HostKey) -> Option<V> {
        self.entries.get(key).copied()
    }

    fn put(&mut self, key: HostKey, old_end: Option<Time>, end: Time, value: V) {
        if let Some(old) = old_end {
            self.ends.remove(&(old, key));
        } else if self.entries.len() >= ENTRIES_MAX
            && let Some(((_, first), ())) = self.ends.pop_first()
        {
            self.entries.remove(&first);
            self.evicted += 1;
        }
        self.entries.insert(key, value);
        self.ends.insert((end, key), ());
    }

    fn remove(&mut self, key: &HostKey, end: Time) {
        self.entries.remove(key);
        self.ends.remove(&(end, *key));
    }

    /// Forgets what has ended.
    fn expire(&mut self, now: Time) {
        while let Some(((end, key), ())) = self.ends.first_key_value().map(|(key, ())| (*key, ())) {
            if end > now {
                break;
            }
            self.ends.remove(&(end, key));
            self.entries.remove(&key);
        }
    }
}

/// Everything that flows share.
#[derive(Clone, Default, Debug)]
pub(crate) struct LateState {
    bits: Table<Time>,
    counts: Table<Count>,
    filters: Table<Count>,
    /// Bits of flows that hang on something decided here.
    flows: BTreeMap<u64, FlowVariables>,
    pub(crate) lists: Lists,
}

impl LateState {
    /// Nothing is remembered yet but what lists hold at first.
    pub(crate) fn new(lists: Lists) -> Self {
        LateState { lists, ..LateState::default() }
    }

    /// Whether all conditions hold; what they change is changed only if so.
    pub(crate) fn decide(
        &mut self,
        conditions: &[Late],
        asked: &[(u32, Ask, Vec<u8>)],
        subject: &Subject,
    ) -> bool {
        self.bits.expire(subject.time);
        for condition in conditions {
            let holds = match condition {
                Late::Shared(shared) => match shared.ask {
                    SharedAsk::IsSet => self.bit(shared, subject).is_some(),
                    SharedAsk::IsNotSet => self.bit(shared, subject).is_none(),
                    SharedAsk::Set | SharedAsk::Unset | SharedAsk::Toggle => true,
                },
                Late::Bit(test) => match self.flows.get(&subject.flow) {
                    Some(flow) => flow.holds(test),
                    None => FlowVariables::default().holds(test),
                },
                Late::Change(_) => true,
            };
            if !holds {
                return false;
            }
        }
        for (list, ask, bytes) in asked {
            if !self.lists.ask_late(*list, ask, bytes) {
                return false;
            }
        }
        for condition in conditions {
            match condition {
                Late::Shared(shared) => self.change(shared, subject),
                Late::Change(change) => self.change_flow(*change, subject.flow),
                Late::Bit(_) => {}
            }
        }
        true
    }

    /// Forgets a flow that has ended.
    pub(crate) fn flow_ended(&mut self, flow: u64) {
        self.flows.remove(&flow);
    }

    fn change_flow(&mut self, change: Change, flow: u64) {
        if self.flows.len() >= ENTRIES_MAX && !self.flows.contains_key(&flow) {
            self.flows.pop_first();
        }
        self.flows.entry(flow).or_default().apply(change);
    }

    fn bit(&self, shared: &Shared, subject: &Subject) -> Option<Time> {
        self.bits.get(&(shared.name, shared.track.host_key(subject)))
    }

    fn change(&mut self, shared: &Shared, subject: &Subject) {
        let key = (shared.name, shared.track.host_key(subject));
        let old = self.bits.get(&key);
        let is_on = match shared.ask {
            SharedAsk::Set => true,
            SharedAsk::Unset => false,
            SharedAsk::Toggle => old.is_none(),
            SharedAsk::IsSet | SharedAsk::IsNotSet => return,
        };
        if is_on {
            let end = match shared.expire {
                0 => FOREVER,
                seconds => Time(subject.time.0.saturating_add(seconds.saturating_mul(1_000_000_000))),
            };
            self.bits.put(key, old, end, end);
        } else if let Some(end) = old {
            self.bits.remove(&key, end);
        }
    }

    /// Whether `detection_filter` lets this match through.
    pub(crate) fn passes(&mut self, rule: u32, filter: &Filter, subject: &Subject) -> bool {
        self.filters.expire(subject.time);
        let key = (rule, filter.track.key(subject));
        let old = self.filters.get(&key);
        let count = counted(old, filter.seconds, subject.time);
        self.filters.put(key, old.map(|old| old.ends), count.ends, count);
        count.count > filter.count
    }

    /// Whether `threshold` lets this alert through.
    pub(crate) fn says(&mut self, rule: u32, threshold: &Threshold, subject: &Subject) -> bool {
        self.counts.expire(subject.time);
        let key = (rule, threshold.track.key(subject));
        let old = self.counts.get(&key);
        let mut count = match threshold.kind {
            // A back-off counts as long as the flow lives.
            ThresholdKind::Backoff { .. } => {
                let before = old.unwrap_or(Count {
                    since: subject.time,
                    count: 0,
                    next: u64::from(threshold.count),
                    ends: FOREVER,
                });
                Count { count: before.count.saturating_add(1), ..before }
            }
            _ => counted(old, threshold.seconds, subject.time),
        };
        let says = match threshold.kind {
            ThresholdKind::Limit => count.count <= threshold.count,
            ThresholdKind::Threshold => {
                let is_nth = count.count >= threshold.count;
                if is_nth {
                    count.count = 0;
                }
                is_nth
            }
            ThresholdKind::Both => count.count == threshold.count,
            ThresholdKind::Backoff { multiplier } => {
                let is_next = u64::from(count.count) == count.next;
                if is_next {
                    count.next = count.next.saturating_mul(u64::from(multiplier));
                }
                is_next
            }
        };
        self.counts.put(key, old.map(|old| old.ends), count.ends, count);
        says
    }

    /// Entries that went since a table was full.
    pub(crate) fn evicted(&self) -> u64 {
        self.bits.evicted + self.counts.evicted + self.filters.evicted
    }
}

/// One more, in the window that is open or in a new one.
fn counted(old: Option<Count>, seconds: u64, now: Time) -> Count {
    let length = seconds.saturating_mul(1_000_000_000);
    match old {
        Some(old) if now.since(old.since) < length => Count { count: old.count.saturating_add(1), ..old },
        _ => Count { since: now, count: 1, next: 0, ends: Time(now.0.saturating_add(length)) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(seconds: u64, last: u8) -> Subject {
        Subject {
            time: Time(seconds * 1_000_000_000),
            source: IpAddr::from([10, 0, 0, last]),
            destination: IpAddr::from([10, 0, 0, 200]),
            flow: 1,
        }
    }

    #[test]
    fn a_limit_lets_the_first_through_in_each_window_and_for_each_host() {
        let mut state = LateState::default();
        let limit = Threshold { kind: ThresholdKind::Limit, track: Track::Source, count: 2, seconds: 60 };
        let says: Vec<bool> = [0, 1, 2, 59, 60, 61].map(|at| state.says(1, &limit, &subject(at, 1))).into();
        assert_eq!(says, [true, true, false, false, true, true]);
        assert!(state.says(1, &limit, &subject(61, 2)));
        assert!(state.says(2, &limit, &subject(61, 1)));
    }

    #[test]
    fn a_threshold_lets_each_nth_through() {
        let mut state = LateState::default();
        let threshold =
            Threshold { kind: ThresholdKind::Threshold, track: Track::Source, count: 3, seconds: 60 };
        let says: Vec<bool> = (0..7).map(|at| state.says(1, &threshold, &subject(at, 1))).collect();
        assert_eq!(says, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn both_lets_one_through_in_each_window() {
        let mut state = LateState::default();
        let both = Threshold { kind: ThresholdKind::Both, track: Track::Rule, count: 2, seconds: 10 };
        let says: Vec<bool> = [0, 1, 2, 3, 12, 13].map(|at| state.says(1, &both, &subject(at, 1))).into();
        assert_eq!(says, [false, true, false, false, false, true]);
    }

    #[test]
    fn a_back_off_gets_rarer() {
        let mut state = LateState::default();
        let kind = ThresholdKind::Backoff { multiplier: 10 };
        let backoff = Threshold { kind, track: Track::Flow, count: 1, seconds: 0 };
        let said: Vec<u64> = (1..=200).filter(|at| state.says(1, &backoff, &subject(*at, 1))).collect();
        assert_eq!(said, [1, 10, 100]);
    }

    #[test]
    fn a_filter_lets_what_comes_after_the_count_through() {
        let mut state = LateState::default();
        let filter = Filter { track: Track::Destination, count: 2, seconds: 10 };
        let passes: Vec<bool> = [0, 1, 2, 3, 30].map(|at| state.passes(1, &filter, &subject(at, 1))).into();
        assert_eq!(passes, [false, false, true, true, false]);
    }

    #[test]
    fn a_bit_of_a_host_ends_in_time() {
        let mut state = LateState::default();
        let bit = |ask| Late::Shared(Shared { name: 1, ask, track: Track::Source, expire: 5 });
        assert!(!state.decide(&[bit(SharedAsk::IsSet)], &[], &subject(0, 1)));
        assert!(state.decide(&[bit(SharedAsk::Set)], &[], &subject(0, 1)));
        assert!(state.decide(&[bit(SharedAsk::IsSet)], &[], &subject(4, 1)));
        assert!(!state.decide(&[bit(SharedAsk::IsSet)], &[], &subject(4, 2)));
        assert!(!state.decide(&[bit(SharedAsk::IsSet)], &[], &subject(5, 1)));
    }
}
