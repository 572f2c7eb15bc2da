//! The timers of one owner.
//!
//! Protocols restart timers with almost every message. To keep the agenda short, a timer that is moved to a later
//! moment leaves its entry where it is; when the entry comes up early, it is entered anew for the right moment.

use agree::replica::TIMERS_MAX;
use wire::Time;

const NEVER: u64 = u64::MAX;

/// The timers of a guard or replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Timers {
    /// When each runs out.
    due: [u64; TIMERS_MAX],
    /// The moment of the entry in the agenda that stands for it.
    entered: [u64; TIMERS_MAX],
}

impl Default for Timers {
    fn default() -> Self {
        Timers { due: [NEVER; TIMERS_MAX], entered: [NEVER; TIMERS_MAX] }
    }
}

/// What an entry that came up means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    /// Nothing: the timer was stopped or another entry stands for it.
    Stale,
    /// It must be entered again for this moment.
    Later(Time),
    /// The timer ran out.
    Due,
}

impl Timers {
    /// Sets `timer` to run out at `at`; the moment to enter in the agenda, if one must be.
    pub fn set(&mut self, timer: u8, at: Time) -> Option<Time> {
        let timer = usize::from(timer);
        self.due[timer] = at.0;
        if self.entered[timer] <= at.0 {
            return None;
        }
        self.entered[timer] = at.0;
        Some(at)
    }

    /// Stops `timer`.
    pub fn clear(&mut self, timer: u8) {
        self.due[usize::from(timer)] = NEVER;
    }

    /// The entry for `timer` came up at `now`.
    pub fn came(&mut self, timer: u8, now: Time) -> Came {
        let timer = usize::from(timer);
        if self.entered[timer] != now.0 {
            return Came::Stale;
        }
        self.entered[timer] = NEVER;
        match self.due[timer] {
            NEVER => Came::Stale,
            due if due <= now.0 => {
                self.due[timer] = NEVER;
                Came::Due
            }
            due => {
                self.entered[timer] = due;
                Came::Later(Time(due))
            }
        }
    }

    /// The entry for `timer` came up at `now` while the process stood still: it keeps its due time, without an entry.
    pub fn missed(&mut self, timer: u8, now: Time) {
        let timer = usize::from(timer);
        if self.entered[timer] == now.0 {
            self.entered[timer] = NEVER;
        }
    }

    /// The process goes on at `now`: what must be entered for those timers that have no entry.
    pub fn resume(&mut self, now: Time) -> Vec<(u8, Time)> {
        let mut entries = Vec::new();
        for timer in 0..TIMERS_MAX {
            if self.due[timer] != NEVER && self.entered[timer] == NEVER {
                let at = self.due[timer].max(now.0);
                self.entered[timer] = at;
                entries.push((timer as u8, Time(at)));
            }
        }
        entries
    }

    /// Stops all of them: the process died.
    pub fn clear_all(&mut self) {
        *self = Timers::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_moved_back_is_entered_once() {
        let mut timers = Timers::default();
        assert_eq!(timers.set(3, Time(10)), Some(Time(10)));
        assert_eq!(timers.set(3, Time(20)), None);
        assert_eq!(timers.came(3, Time(10)), Came::Later(Time(20)));
        assert_eq!(timers.came(3, Time(20)), Came::Due);
        assert_eq!(timers.came(3, Time(20)), Came::Stale);
    }

    #[test]
    fn a_timer_moved_forward_runs_out_early_and_once() {
        let mut timers = Timers::default();
        timers.set(0, Time(20));
        assert_eq!(timers.set(0, Time(10)), Some(Time(10)));
        assert_eq!(timers.came(0, Time(10)), Came::Due);
        assert_eq!(timers.came(0, Time(20)), Came::Stale);
    }

    #[test]
    fn a_timer_that_ran_out_while_its_owner_stood_still_runs_out_on_resume() {
        let mut timers = Timers::default();
        timers.set(1, Time(10));
        timers.missed(1, Time(10));
        assert_eq!(timers.resume(Time(30)), [(1, Time(30))]);
        assert_eq!(timers.came(1, Time(30)), Came::Due);
    }

    #[test]
    fn a_stopped_timer_does_not_run_out() {
        let mut timers = Timers::default();
        timers.set(1, Time(10));
        timers.clear(1);
        assert_eq!(timers.came(1, Time(10)), Came::Stale);
    }
}
