//! Whether the cluster serves, from moment to moment: one session that writes without end, and when each write was acknowledged.

use crate::load::{Tally, Teller};
use client::Connection;
use kv::Command;
use kv::history::Operation;
use node::clock::Clock;
use node::config::ClientConfig;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wire::Time;

/// The pause between two writes.
const PAUSE: Duration = Duration::from_millis(3);

/// How long a write may take before the probe turns to the next.
const PATIENCE: Duration = Duration::from_secs(60);

/// A write that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Write {
    begun: Time,
    acknowledged: Time,
}

/// What a probe saw of a stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// From its begin to the end of the first write that was begun after it.
    pub(crate) back: Duration,
    /// The longest time in which no write was acknowledged.
    pub(crate) pause: Duration,
}

/// The probe.
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    writes: Arc<Mutex<Vec<Write>>>,
    thread: Option<JoinHandle<Vec<Operation>>>,
    _connection: Connection,
}

impl Probe {
    /// Starts.
    pub(crate) fn start(config: &ClientConfig, clock: Clock) -> Result<Probe, String> {
        let connection = Connection::open(config).map_err(|error| error.to_string())?;
        let tally: Arc<Tally> = Arc::default();
        let mut teller = Teller::new(&connection, 0, clock, &tally, true)?;
        let (stop, writes): (Arc<AtomicBool>, Arc<Mutex<Vec<Write>>>) = Default::default();
        let (is_over, kept) = (Arc::clone(&stop), Arc::clone(&writes));
        let work = move || {
            let mut count = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                count += 1;
                let begun = clock.now();
                if teller.call(Command::put("probe", count.to_string()), PATIENCE).is_some() {
                    let write = Write { begun, acknowledged: clock.now() };
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(write);
                }
                thread::sleep(PAUSE);
            }
            teller.history()
        };
        let thread = thread::Builder::new().spawn(work).map_err(|error| error.to_string())?;
        Ok(Probe { stop, writes, thread: Some(thread), _connection: connection })
    }

    /// What it saw between two moments.
    pub(crate) fn saw(&self, from: Time, until: Time) -> Seen {
        seen(&self.writes.lock().unwrap_or_else(PoisonError::into_inner), from, until)
    }

    /// Ends it; what it was told.
    pub(crate) fn end(mut self) -> Result<Vec<Operation>, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .take()
            .map_or_else(|| Ok(Vec::new()), |thread| thread.join().map_err(|_| "the probe failed".into()))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn seen(writes: &[Write], from: Time, until: Time) -> Seen {
    let first = writes.iter().find(|write| write.begun >= from);
    let back = first.map_or(until, |write| write.acknowledged).since(from);
    let mut last = from;
    let mut pause = Duration::ZERO;
    for write in writes.iter().filter(|write| (from..=until).contains(&write.acknowledged)) {
        pause = pause.max(write.acknowledged.since(last));
        last = write.acknowledged;
    }
    Seen { back, pause: pause.max(until.since(last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(pairs: &[(u64, u64)]) -> Vec<Write> {
        pairs
            .iter()
            .map(|(begun, acknowledged)| Write { begun: Time(*begun), acknowledged: Time(*acknowledged) })
            .collect()
    }

    #[test]
    fn a_write_that_was_begun_before_the_fault_does_not_show_that_service_is_back() {
        let seen = seen(&writes(&[(10, 20), (90, 110), (115, 150), (155, 160)]), Time(100), Time(200));
        assert_eq!(seen.back, Duration::from_nanos(50));
        assert_eq!(seen.pause, Duration::from_nanos(40), "the last stretch counts, and so do all before it");
    }

    #[test]
    fn no_write_at_all_is_a_pause_as_long_as_the_whole() {
        let seen = seen(&writes(&[(10, 20)]), Time(100), Time(300));
        assert_eq!(seen, Seen { back: Duration::from_nanos(200), pause: Duration::from_nanos(200) });
    }
}
