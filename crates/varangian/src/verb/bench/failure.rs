//! A node dies under load: what becomes of the throughput (the paper's figure 9).
//!
//! Upon a run: a fresh cluster, load and its warm-up; then the clock of the run begins. At the wished moment the node is killed with
//!   SIGKILL, its parts with it. Operations are counted by the millisecond until the end.
//! The pause is the longest time without an operation that reaches past the failure; *before* is the rate until the failure,
//!   *after* the rate from the end of that pause on. A protocol may come back in jerks, so there is also the time until it is *half
//!   back*: the first [`STEP_MS`] in which half as much was done as before.

use super::arguments::Wish;
use super::load::timeline::Timeline;
use super::measure::{self, Turn};
use super::stop::Stop;
use super::trouble::Trouble;
use agree::Protocol;
use core::str::FromStr;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Milliseconds of a step of the figure.
const STEP_MS: usize = 100;

/// Who dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Victim {
    Backup,
    Primary,
}

/// Who dies, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub(super) victim: Victim,
    pub(super) at: Duration,
}

impl FromStr for Failure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "right would be backup@1.5 or primary@1.5".to_string();
        let (victim, at) = text.split_once('@').ok_or_else(wrong)?;
        let victim = match victim {
            "backup" => Victim::Backup,
            "primary" => Victim::Primary,
            _ => return Err(wrong()),
        };
        let at = at.parse().ok().filter(|at| (0.1..=3600.0).contains(at)).ok_or_else(wrong)?;
        Ok(Failure { victim, at: Duration::from_secs_f64(at) })
    }
}

impl Victim {
    fn name(self) -> &'static str {
        match self {
            Victim::Backup => "backup",
            Victim::Primary => "primary",
        }
    }
}

/// What one run with a failure came to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Outage {
    pub(super) system: String,
    pub(super) f: usize,
    pub(super) clients: usize,
    pub(super) request_bytes: usize,
    pub(super) reply_bytes: usize,
    pub(super) durability: String,
    /// Who died.
    pub(super) failure: String,
    /// When, from the beginning of the run.
    pub(super) at_seconds: f64,
    /// How long no operation was done.
    pub(super) pause_ms: usize,
    /// When that began.
    pub(super) pause_at_seconds: f64,
    /// How long after the failure half as much was done as before; nothing if that did not come.
    #[serde(default)]
    pub(super) half_back_ms: Option<usize>,
    /// Operations a second until the failure.
    pub(super) before_per_second: f64,
    /// Operations a second from the end of the pause on.
    pub(super) after_per_second: f64,
    pub(super) repetition: usize,
    /// By how much the view or configuration grew.
    #[serde(default)]
    pub(super) view_changes: Option<u64>,
    /// Milliseconds of a step.
    pub(super) step_ms: usize,
    /// Operations a second in each step.
    pub(super) over_time_per_second: Vec<f64>,
}

/// Runs once.
pub(super) fn run(
    wish: &Wish,
    failure: Failure,
    protocol: Protocol,
    turn: &Turn,
    stop: &Stop,
) -> Result<Outage, Trouble> {
    let mut cluster = measure::cluster(wish, protocol, turn.f, stop)?;
    let mut load = measure::load(wish, turn, &cluster)?;
    stop.wait_until(Instant::now() + wish.warmup)?;
    let configuration = cluster.configuration();
    let primary = cluster.primary().unwrap_or(0);
    let victim = match failure.victim {
        Victim::Primary => primary,
        // The one that would lead last.
        Victim::Backup => (primary + cluster.members() - 1) % cluster.members(),
    };
    load.clear(Some(wish.length));
    let begin = Instant::now();
    stop.wait_until(begin + failure.at)?;
    cluster.kill(victim);
    stop.wait_until(begin + wish.length)?;
    let counted = load.take();
    let changed =
        cluster.configuration().zip(configuration).map(|(after, before)| after.saturating_sub(before));
    cluster.check()?;
    let at_ms = failure.at.as_millis() as usize;
    let timeline = counted.timeline.filter(|timeline| timeline.rate_between(0, at_ms) > 0.0);
    let timeline = timeline.ok_or_else(|| {
        Trouble::NoAnswer(counted.why.unwrap_or_else(|| "nothing came back before the failure".to_string()))
    })?;
    let (pause_at_ms, pause_ms) = timeline.pause(at_ms);
    let back_ms = at_ms.max(pause_at_ms + pause_ms);
    Ok(Outage {
        system: protocol.name().to_string(),
        f: turn.f,
        clients: turn.clients,
        request_bytes: turn.payload.request_bytes,
        reply_bytes: turn.payload.reply_bytes,
        durability: wish.durability.name().to_string(),
        failure: failure.victim.name().to_string(),
        at_seconds: failure.at.as_secs_f64(),
        pause_ms,
        pause_at_seconds: pause_at_ms as f64 / 1e3,
        half_back_ms: half_back(&timeline, at_ms, wish.length),
        before_per_second: timeline.rate_between(0, at_ms).round(),
        after_per_second: timeline.rate_between(back_ms, usize::MAX).round(),
        repetition: turn.repetition,
        view_changes: changed,
        step_ms: STEP_MS,
        over_time_per_second: timeline.rates(STEP_MS),
    })
}

/// How long after the failure, in whole steps, half as much was done as before.
fn half_back(timeline: &Timeline, at_ms: usize, length: Duration) -> Option<usize> {
    let wanted = timeline.rate_between(0, at_ms) / 2.0;
    let steps = (length.as_millis() as usize).saturating_sub(at_ms) / STEP_MS;
    let is_back = |step: &usize| {
        let from = at_ms + step * STEP_MS;
        timeline.rate_between(from, from + STEP_MS) >= wanted
    };
    (0..steps).find(is_back).map(|step| step * STEP_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_back_is_not_the_first_jerk() {
        let begin = Instant::now();
        let length = Duration::from_secs(3);
        let mut timeline = Timeline::new(begin, length);
        // Ten each millisecond until 1 s; then nothing, a jerk at 1.6 s, and from 2 s on half as many.
        for millisecond in 0..3000 {
            let count = match millisecond {
                0..1000 => 10,
                1600..1620 => 3,
                2000.. => 5,
                _ => 0,
            };
            (0..count).for_each(|_| timeline.add(begin + Duration::from_millis(millisecond)));
        }
        assert_eq!(half_back(&timeline, 1000, length), Some(1000));
        assert_eq!(timeline.pause(1000), (1000, 600));
        assert_eq!(half_back(&timeline, 500, length), Some(0), "it was never away");
        assert_eq!(half_back(&timeline, 1000, Duration::from_millis(1900)), None);
    }

    #[test]
    fn a_failure_is_said_as_who_and_when() {
        let failure: Failure = "primary@1.5".parse().expect("it is one");
        assert_eq!(failure, Failure { victim: Victim::Primary, at: Duration::from_millis(1500) });
        for wrong in ["primary", "client@1", "backup@", "backup@-1", "backup@0", "backup@1e9", "backup@NaN"] {
            assert!(wrong.parse::<Failure>().is_err(), "{wrong}");
        }
    }
}
