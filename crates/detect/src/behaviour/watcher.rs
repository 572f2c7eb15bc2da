//! The watcher: what the observations of all flows mean together. It sees them in the order of frames.
//!
//! Upon an observation: the groups that it belongs to count it. One that reaches its limit within its window, and of which enough has failed, is told: state `began`.
//! From then on it is counted and not told, but once in [`Parameters::group_seconds`] (`goes_on`), and when it was silent for
//! [`Parameters::group_silence_seconds`] or the input ends (`over`), if anything came since it was told last.
//! Upon the fourth scan or sweep of one source ([`Parameters::network_groups`]): these and all that follow are one scan of the network.
//!
//! Time is that of the observation. A group that began in what is now the future begins anew.
//!
//! Not here: what a flow shows (`watch`), and what is kept when there is no room (`groups`).

use super::group::{Group, Member, Standing, Step, Told};
use super::groups::Groups;
use super::key::Key;
use super::observation::{Observation, Outcome, Seen, Technique};
use super::parameters::Parameters;
use super::record::{Report, State};
use crate::Time;

/// To these ports tools that show a path send datagrams which nobody is to answer.
const TRACEROUTE_PORTS: core::ops::RangeInclusive<u16> = 33_434..=33_633;
/// Ports below this are servers' own.
const SERVICE_PORTS_END: u16 = 1_024;

/// Who hears of groups.
pub(crate) type Tell<'a> = dyn FnMut(&Report<'_>) + 'a;

/// The watcher.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    parameters: Parameters,
    groups: Groups,
    observations: u64,
    exempt: u64,
    /// When something was seen last.
    now: Time,
}

impl Watcher {
    pub(crate) fn new(parameters: Parameters) -> Self {
        Watcher { parameters, groups: Groups::default(), observations: 0, exempt: 0, now: Time(0) }
    }

    /// Takes an observation.
    pub(crate) fn observe(&mut self, seen: &Observation, tell: &mut Tell<'_>) {
        self.observations += 1;
        self.now = seen.time;
        while let Some((key, group)) = self.groups.over(seen.time) {
            self.tell_rest(&key, &group, tell);
        }
        if self.parameters.exempts(seen.source.0) {
            self.exempt += 1;
            return;
        }
        match seen.seen {
            Seen::Tried { technique, outcome, is_bare } => {
                self.scans(seen, technique, outcome, is_bare, tell);
                self.floods(seen, technique, outcome, tell);
            }
            Seen::Volume { technique, packets, answers } => {
                let packets = u64::from(packets);
                self.volume(seen, technique, packets, u64::from(answers).min(packets), tell);
            }
            Seen::LoginRefused { service } => {
                let key = Key::Logins { source: seen.source.0, service, host: None };
                self.count(key, seen, &failed(Some(Member::Host(seen.target.0)), None), tell);
            }
            Seen::LoginShort { service } => {
                let host = seen.target.0;
                let key = Key::Logins { source: seen.source.0, service, host: Some(host) };
                self.count(key, seen, &failed(Some(Member::Host(host)), None), tell);
            }
        }
    }

    /// Nothing follows.
    pub(crate) fn finish(&mut self, tell: &mut Tell<'_>) {
        for (key, group) in self.groups.drain() {
            self.tell_rest(&key, &group, tell);
        }
    }

    /// Observations, those of exempt senders among them, and groups that went for want of room.
    pub(crate) fn counted(&self) -> (u64, u64, u64) {
        (self.observations, self.exempt, self.groups.evicted())
    }

    fn scans(
        &mut self,
        seen: &Observation,
        technique: Technique,
        outcome: Outcome,
        is_bare: bool,
        tell: &mut Tell<'_>,
    ) {
        let (source, host, port) = (seen.source.0, seen.target.0, seen.target.1);
        let has_failed = outcome.has_failed();
        let step = |member| Step {
            bad: u64::from(has_failed),
            // A connection that nobody uses speaks for nothing.
            good: u64::from(outcome == Outcome::Answered),
            attempts: 1,
            member: Some(member),
            outcome: Some(outcome),
            is_bare,
        };
        let (of_ports, of_hosts) = match technique {
            Technique::Udp if is_no_attempt(seen) => return,
            Technique::Syn | Technique::Udp | Technique::Fin | Technique::Null | Technique::Xmas => {
                (true, true)
            }
            Technique::Ack | Technique::Maimon => (true, false),
            Technique::Ping => (false, true),
            Technique::Protocol => {
                let member = Member::Number(u16::from(seen.protocol));
                self.count(Key::Protocols { source, host }, seen, &step(member), tell);
                return;
            }
            Technique::Other => return,
        };
        if of_ports {
            self.count(Key::Ports { source, host, technique }, seen, &step(Member::Number(port)), tell);
        }
        if of_hosts {
            let port = if technique == Technique::Ping { 0 } else { port };
            self.count(Key::Hosts { source, technique, port }, seen, &step(Member::Host(host)), tell);
        }
    }

    fn floods(&mut self, seen: &Observation, technique: Technique, outcome: Outcome, tell: &mut Tell<'_>) {
        let (source, host, port) = (seen.source.0, seen.target.0, seen.target.1);
        match technique {
            Technique::Udp | Technique::Ping => {
                let answers = u64::from(!outcome.has_failed());
                self.volume(seen, technique, 1, answers, tell);
                return;
            }
            Technique::Syn => {}
            _ => return,
        }
        let member = Some(Member::Host(source));
        let flood = |bad: bool| Step {
            bad: u64::from(bad),
            good: u64::from(!bad),
            attempts: 1,
            member,
            outcome: Some(outcome),
            is_bare: false,
        };
        match outcome {
            // Who is told that there is nothing has not tied up anything.
            Outcome::Refused => return,
            Outcome::Silent | Outcome::HalfOpen | Outcome::BrokenOff => {
                self.count(Key::HalfOpen { host, port }, seen, &flood(true), tell);
                return;
            }
            Outcome::Answered | Outcome::Unused => {
                self.count(Key::HalfOpen { host, port }, seen, &flood(false), tell);
            }
        }
        self.count(Key::Unused { host, port }, seen, &flood(outcome == Outcome::Unused), tell);
        self.count(Key::Connections { source, host, port }, seen, &flood(true), tell);
    }

    fn volume(
        &mut self,
        seen: &Observation,
        technique: Technique,
        packets: u64,
        answers: u64,
        tell: &mut Tell<'_>,
    ) {
        let key = Key::Volume { host: seen.target.0, technique };
        // An answer to a ping makes the flood no smaller.
        let bad = if technique == Technique::Ping { packets } else { packets - answers };
        let member = Some(Member::Host(seen.source.0));
        let step = Step { bad, good: packets - bad, attempts: bad, member, outcome: None, is_bare: false };
        self.count(key, seen, &step, tell);
    }

    /// Counts one more of a group.
    fn count(&mut self, key: Key, seen: &Observation, step: &Step, tell: &mut Tell<'_>) {
        let measure = key.measure(&self.parameters);
        let is_alive =
            |group: &Group| group.told.is_some() || is_within(group.since, seen.time, measure.window);
        let known = self
            .groups
            .count(&key, measure.window, |group| is_alive(group).then(|| group.count(seen, step, &measure)));
        let standing = match known {
            Some(standing) => standing,
            None => {
                if step.bad == 0 && measure.begins_by_failure {
                    return;
                }
                let mut group = Group::new(seen);
                let standing = group.count(seen, step, &measure);
                let until = Time(seen.time.0.saturating_add(measure.window));
                if let Some((gone, group)) = self.groups.add(key, group, until) {
                    self.tell_rest(&gone, &group, tell);
                }
                standing
            }
        };
        match standing {
            Standing::Waits => {}
            Standing::IsOrdinary => {
                self.groups.remove(&key);
            }
            Standing::IsOverLimit => self.begin(key, seen, tell),
            Standing::WasTold(told) => self.go_on(key, seen, step, told, tell),
        }
    }

    /// A group has reached its limit.
    fn begin(&mut self, key: Key, seen: &Observation, tell: &mut Tell<'_>) {
        let Some(group) = self.groups.get_mut(&key) else { return };
        let kind = key.kind(group.is_crafted());
        let attempts = group.attempts;
        group.told = Some(Told { kind, at: seen.time, count: attempts, is_part: false });
        self.keep(&key, seen.time);
        if let Some(source) = key.scans_from() {
            let network = Key::Network { source };
            let part = Step { attempts, ..failed(Some(Member::Host(seen.target.0)), None) };
            self.count(network, seen, &part, tell);
            let is_part = self.groups.get_mut(&network).is_some_and(|network| network.told.is_some());
            if is_part {
                self.is_part_now(&key);
                return;
            }
        }
        if let Some(group) = self.groups.get_mut(&key) {
            tell(&Report { kind, state: State::Began, key: &key, group, time: seen.time });
        }
    }

    fn is_part_now(&mut self, key: &Key) {
        if let Some(told) = self.groups.get_mut(key).and_then(|group| group.told.as_mut()) {
            told.is_part = true;
        }
    }

    /// One more of a group that was told.
    fn go_on(&mut self, key: Key, seen: &Observation, step: &Step, told: Told, tell: &mut Tell<'_>) {
        let again = self.parameters.group_seconds.saturating_mul(1_000_000_000);
        let is_due = !is_within(told.at, seen.time, again);
        if told.is_part {
            self.keep(&key, seen.time);
            if let Some(source) = key.scans_from()
                && let Some(network) = self.groups.get_mut(&Key::Network { source })
                && step.bad > 0
            {
                network.attempts = network.attempts.saturating_add(step.attempts);
                network.last = network.last.max(seen.time);
                self.keep(&Key::Network { source }, seen.time);
            }
            return;
        }
        if let Some(group) = self.groups.get_mut(&key)
            && is_due
            && group.attempts > told.count
        {
            let kind = told.kind;
            tell(&Report { kind, state: State::GoesOn, key: &key, group, time: seen.time });
            group.told = Some(Told { at: seen.time, count: group.attempts, ..told });
        }
        if step.bad > 0 {
            self.keep(&key, seen.time);
        }
    }

    /// A group that was told lives on until it is silent.
    fn keep(&mut self, key: &Key, now: Time) {
        let silence = self.parameters.group_silence_seconds.saturating_mul(1_000_000_000);
        self.groups.touched(key, Time(now.0.saturating_add(silence)));
    }

    /// A group is gone: what came since it was told last.
    fn tell_rest(&self, key: &Key, group: &Group, tell: &mut Tell<'_>) {
        if let Some(told) = group.told
            && !told.is_part
            && group.attempts > told.count
        {
            tell(&Report { kind: told.kind, state: State::Over, key, group, time: self.now.max(group.last) });
        }
    }
}

fn failed(member: Option<Member>, outcome: Option<Outcome>) -> Step {
    Step { bad: 1, good: 0, attempts: 1, member, outcome, is_bare: false }
}

/// Datagrams that need no answer: what servers send to clients (late answers begin flows of their own), and what shows a path.
fn is_no_attempt(seen: &Observation) -> bool {
    let is_answer = seen.source.1 < SERVICE_PORTS_END && seen.target.1 >= SERVICE_PORTS_END;
    is_answer || TRACEROUTE_PORTS.contains(&seen.target.1)
}

/// Whether `now` lies less than `window` after `since`, and not before it by more than that.
fn is_within(since: Time, now: Time, window: u64) -> bool {
    now.since(since) < window && since.since(now) < window
}
