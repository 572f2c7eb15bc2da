//! The open loop: operations begin at a steady rate, whether or not those before are done.
//!
//! Upon a session that is free: the operation that is due goes to it, with the moment at which it was due, from which it is measured;
//!   if none is due, the session waits here.
//! Upon a turn of the pacing thread: as many waiting sessions go on as operations are due. It sleeps until the next one is, which takes
//!   [`PACE_MIN`] and what the system adds to that at least: so much of what is measured may be this thread's.
//! Upon an operation that is due for longer than [`LATE_MAX`] while no session is free: it is never begun, and counted. So what is
//!   offered beyond what a cluster can do shows as that, and not as a queue that grows with the length of the run.

use core::future::poll_fn;
use core::task::{Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How late an operation may begin.
const LATE_MAX: Duration = Duration::from_secs(1);

/// The shortest sleep of the pacing thread.
const PACE_MIN: Duration = Duration::from_micros(50);

/// The longest, in which a load may be told to end.
const PACE_MAX: Duration = Duration::from_millis(5);

/// What lets operations through at a rate.
pub(super) struct Turnstile {
    state: Mutex<State>,
    every: Duration,
}

struct State {
    due: Instant,
    waiting: Vec<Waker>,
    not_begun: u64,
    is_closed: bool,
}

impl Turnstile {
    /// One that lets `a_second` through.
    pub(super) fn new(a_second: f64) -> Self {
        let state = State { due: Instant::now(), waiting: Vec::new(), not_begun: 0, is_closed: false };
        Turnstile { state: Mutex::new(state), every: Duration::from_secs_f64(1.0 / a_second) }
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for an operation that is due, and says since when it is; nothing once this is closed.
    pub(super) async fn next(&self) -> Option<Instant> {
        poll_fn(|context| {
            let now = Instant::now();
            self.change(|state| {
                if state.is_closed {
                    return Poll::Ready(None);
                }
                if state.due > now {
                    state.waiting.push(context.waker().clone());
                    return Poll::Pending;
                }
                let late = now - state.due;
                if late > LATE_MAX {
                    let missed = ((late - LATE_MAX).as_nanos() / self.every.as_nanos().max(1)) as u32;
                    state.due += self.every * missed;
                    state.not_begun += u64::from(missed);
                }
                let due = state.due;
                state.due += self.every;
                Poll::Ready(Some(due))
            })
        })
        .await
    }

    /// Lets sessions go on for what is due by now; how long nothing is due then, or nobody waits for it.
    pub(super) fn pace(&self) -> Duration {
        let now = Instant::now();
        let due = |state: &mut State| if state.due <= now { state.waiting.pop() } else { None };
        while let Some(waker) = self.change(due) {
            waker.wake();
        }
        let next = self.change(|state| state.due);
        next.saturating_duration_since(now).clamp(PACE_MIN, PACE_MAX)
    }

    /// Nothing is due any more; whoever waits hears it.
    pub(super) fn close(&self) {
        let waiting = self.change(|state| {
            state.is_closed = true;
            core::mem::take(&mut state.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Operations that were never begun, since the last time that this was asked.
    pub(super) fn take_not_begun(&self) -> u64 {
        self.change(|state| core::mem::take(&mut state.not_begun))
    }
}
