//! The timers of one owner: a replica's or a guard's.

use agree::Timer;
use agree::replica::TIMERS_MAX;
use core::time::Duration;
use wire::Time;

/// When each timer runs out.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    due: [Option<Time>; TIMERS_MAX],
}

impl Timers {
    /// Starts or restarts `timer`.
    pub fn set(&mut self, timer: Timer, now: Time, after: Duration) {
        self.due[usize::from(timer.0)] = Some(now.after(after));
    }

    /// Stops `timer`.
    pub fn clear(&mut self, timer: Timer) {
        self.due[usize::from(timer.0)] = None;
    }

    /// When the next one runs out.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.due.iter().flatten().min().copied()
    }

    /// One that has run out at `now`, stopped: the one that did first.
    pub fn take_due(&mut self, now: Time) -> Option<Timer> {
        let at = self.next().filter(|at| *at <= now)?;
        let index = self.due.iter().position(|due| *due == Some(at))?;
        self.due[index] = None;
        Some(Timer(index as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_run_out_in_order_once_and_not_before_their_time() {
        let mut timers = Timers::default();
        let start = Time(100);
        timers.set(Timer(3), start, Duration::from_nanos(50));
        timers.set(Timer(1), start, Duration::from_nanos(20));
        timers.set(Timer(2), start, Duration::from_nanos(30));
        timers.clear(Timer(2));
        assert_eq!(timers.next(), Some(Time(120)));
        assert_eq!(timers.take_due(Time(119)), None);
        assert_eq!(timers.take_due(Time(200)), Some(Timer(1)));
        assert_eq!(timers.take_due(Time(200)), Some(Timer(3)));
        assert_eq!(timers.take_due(Time(200)), None);
    }
}
