//! The wish to stop, which a signal brings.
//!
//! Upon SIGINT or SIGTERM: whoever waits here goes on with [`Trouble::Stopped`], and what was started is ended on the way out.
//!   There is no second way out: all that waits waits here, and looks every [`LOOK_EVERY`].

use super::trouble::Trouble;
use core::time::Duration;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

/// How often it is looked whether somebody wants us to stop.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Whether somebody wants us to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// One that signals bring.
    pub(super) fn upon_signals() -> io::Result<Stop> {
        let stop = Stop::default();
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    /// Goes on unless somebody wants us to stop.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        if self.0.load(Ordering::Relaxed) { Err(Trouble::Stopped) } else { Ok(()) }
    }

    /// Waits until `end`.
    pub(super) fn wait_until(&self, end: Instant) -> Result<(), Trouble> {
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Ok(());
            }
            thread::sleep(left.min(LOOK_EVERY));
        }
    }
}
