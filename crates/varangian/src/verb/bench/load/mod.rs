//! The load on a cluster: sessions of the client library in this process, each with one operation at a time.
//!
//! Upon the opening: one connection for each station, and the sessions spread over them. In the closed loop each session asks, waits
//!   for its result and asks again; with a rate that is offered, it asks when something is due ([`turnstile`]).
//! Upon a result: how long it took goes into the station's [`histogram`], and when it came into its [`timeline`] if there is one.
//! Upon [`Load::clear`] and [`Load::take`]: what was counted in between is what is measured.
//! Upon a session that cannot ask any more: it is counted, whenever that was, and asks no more.
//! Upon an operation that is under way for [`OVERDUE_MIN`] or longer when it is counted: it counts with the time that it has taken so far,
//!   so that who gets nothing is not left out.
//! Upon the end: operations under way come to theirs, or have [`ENDING_MAX`].
//!
//! Stations keep their numbers from one load to the next, so that a cluster sees the same sessions again.

pub(super) mod histogram;
mod task;
pub(super) mod timeline;
mod turnstile;

use super::trouble::Trouble;
use client::{Connection, Session};
use core::time::Duration;
use histogram::Histogram;
use node::config::ClientConfig;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;
use timeline::Timeline;
use turnstile::Turnstile;
use wire::Bytes;

/// How long operations may take to end after the last was begun.
const ENDING_MAX: Duration = Duration::from_secs(2);

/// How long an operation must be under way to count before it is done.
const OVERDUE_MIN: Duration = Duration::from_secs(2);

/// Sessions that one connection serves before another is opened.
const SESSIONS_OF_A_STATION: usize = 512;

/// Connections at most: each has a thread.
const STATIONS_MAX: usize = 4;

/// What load there is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Sessions.
    pub(super) clients: usize,
    /// Connections; if not said, as many as sessions ask for.
    pub(super) stations: Option<usize>,
    /// Bytes of each request.
    pub(super) request_bytes: usize,
    /// Bytes of each reply.
    pub(super) reply_bytes: usize,
    /// Operations a second that are due; without it each session asks as soon as it can.
    pub(super) offered: Option<f64>,
}

impl Wish {
    fn stations(&self) -> usize {
        let wished = self.stations.unwrap_or(self.clients.div_ceil(SESSIONS_OF_A_STATION).min(STATIONS_MAX));
        wished.clamp(1, self.clients)
    }
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// How long operations took.
    pub(super) latency: Histogram,
    /// When they were done, if that was asked for.
    pub(super) timeline: Option<Timeline>,
    /// Sessions that could not ask any more.
    pub(super) failed: u64,
    /// What one of them heard.
    pub(super) why: Option<String>,
    /// Times that the cluster had no room for a request.
    pub(super) busy: u64,
    /// Times that a request was sent again for want of a result.
    pub(super) retried: u64,
    /// Operations that were offered and never begun.
    pub(super) not_begun: u64,
    /// Operations that were under way for long.
    pub(super) overdue: u64,
}

impl Counted {
    fn merge(&mut self, other: Counted) {
        self.latency.merge(&other.latency);
        match (&mut self.timeline, other.timeline) {
            (Some(all), Some(one)) => all.merge(&one),
            (none, one) => *none = one,
        }
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
        self.busy += other.busy;
        self.retried += other.retried;
        self.not_begun += other.not_begun;
        self.overdue += other.overdue;
    }
}

/// Since when a session waits for an operation.
#[derive(Clone)]
struct Waiting {
    /// When the load began.
    origin: Instant,
    /// Nanoseconds from then on; 0 while it does not wait.
    since: Arc<AtomicU64>,
}

impl Waiting {
    fn begin(&self, at: Instant) {
        let since = at.saturating_duration_since(self.origin).as_nanos().max(1);
        self.since.store(since as u64, Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// How long it has waited at `now`, if it does.
    fn age(&self, now: Instant) -> Option<Duration> {
        let since = Some(self.since.load(Ordering::Relaxed)).filter(|since| *since > 0)?;
        Some(now.saturating_duration_since(self.origin).saturating_sub(Duration::from_nanos(since)))
    }
}

/// One connection and what is counted at it.
struct Place {
    connection: Connection,
    counted: Arc<Mutex<Counted>>,
    turnstile: Option<Arc<Turnstile>>,
}

impl Place {
    /// What was counted since the last time that this was asked.
    fn take(&self, timeline: Option<Timeline>) -> Counted {
        let tally = self.connection.tally();
        let not_begun = self.turnstile.as_ref().map_or(0, |turnstile| turnstile.take_not_begun());
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        // Who fell silent stays so, and is counted in whatever is measured after.
        let fresh =
            Counted { timeline, failed: counted.failed, why: counted.why.clone(), ..Counted::default() };
        let mut taken = core::mem::replace(&mut *counted, fresh);
        taken.not_begun = not_begun;
        // Their counters never begin anew.
        (taken.busy, taken.retried) = (tally.busy, tally.retried);
        taken
    }
}

/// A load that runs until it is dropped.
pub(super) struct Load {
    places: Vec<Place>,
    stop: Arc<AtomicBool>,
    pacer: Option<JoinHandle<()>>,
    waiting: Vec<Waiting>,
    /// Counters of the connections at the last clear.
    before: (u64, u64),
}

impl Load {
    /// Begins it.
    pub(super) fn begin(config: &ClientConfig, wish: &Wish) -> Result<Load, Trouble> {
        let stop = Arc::new(AtomicBool::new(false));
        let stations = wish.stations();
        let mut places = Vec::new();
        for station in 0..stations {
            let connection = Connection::open_as(config, station as u32)
                .map_err(|error| Trouble::Load(format!("no connection: {error}")))?;
            let every = |rate: f64| Arc::new(Turnstile::new(rate / stations as f64));
            places.push(Place { connection, counted: Arc::default(), turnstile: wish.offered.map(every) });
        }
        let operation = kv::Null::command(wish.request_bytes, wish.reply_bytes);
        let origin = Instant::now();
        let mut all_waiting = Vec::with_capacity(wish.clients);
        for client in 0..wish.clients {
            let place = &places[client % stations];
            let session = place.connection.session();
            let waiting = Waiting { origin, since: Arc::default() };
            all_waiting.push(waiting.clone());
            let asking = Asking {
                session: session.map_err(|error| Trouble::Load(format!("no session: {error}")))?,
                operation: operation.clone(),
                counted: Arc::clone(&place.counted),
                turnstile: place.turnstile.clone(),
                stop: Arc::clone(&stop),
                waiting,
            };
            task::begin(asking.run());
        }
        let pacer = match wish.offered {
            Some(_) => Some(pacer(&places, &stop)?),
            None => None,
        };
        Ok(Load { places, stop, pacer, waiting: all_waiting, before: (0, 0) })
    }

    /// Forgets what was counted, and begins a timeline of `length` if it is wanted.
    pub(super) fn clear(&mut self, length: Option<Duration>) {
        let begin = Instant::now();
        let mut all = Counted::default();
        for place in &self.places {
            all.merge(place.take(length.map(|length| Timeline::new(begin, length))));
        }
        self.before = (all.busy, all.retried);
    }

    /// What was counted since the last clear.
    pub(super) fn take(&mut self) -> Counted {
        let mut all = Counted::default();
        for place in &self.places {
            all.merge(place.take(None));
        }
        let now = (all.busy, all.retried);
        (all.busy, all.retried) = (now.0 - self.before.0, now.1 - self.before.1);
        self.before = now;
        let at = Instant::now();
        let ages = self.waiting.iter().filter_map(|waiting| waiting.age(at));
        for age in ages.filter(|age| *age >= OVERDUE_MIN) {
            all.latency.add(age);
            all.overdue += 1;
        }
        all
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for turnstile in self.places.iter().filter_map(|place| place.turnstile.as_ref()) {
            turnstile.close();
        }
        if let Some(pacer) = self.pacer.take() {
            let _ = pacer.join();
        }
        let deadline = Instant::now() + ENDING_MAX;
        for place in self.places.drain(..) {
            place.connection.close(deadline);
        }
    }
}

/// The thread that lets operations through when they are due.
fn pacer(places: &[Place], stop: &Arc<AtomicBool>) -> Result<JoinHandle<()>, Trouble> {
    let turnstiles: Vec<Arc<Turnstile>> = places.iter().filter_map(|place| place.turnstile.clone()).collect();
    let stop = Arc::clone(stop);
    let pace = move || {
        while !stop.load(Ordering::Relaxed) {
            if let Some(pause) = turnstiles.iter().map(|turnstile| turnstile.pace()).min() {
                thread::sleep(pause);
            }
        }
    };
    let thread = thread::Builder::new().name("pacer".to_string()).spawn(pace);
    thread.map_err(|error| Trouble::Load(format!("no thread: {error}")))
}

/// One session.
struct Asking {
    session: Session,
    operation: Bytes,
    counted: Arc<Mutex<Counted>>,
    turnstile: Option<Arc<Turnstile>>,
    stop: Arc<AtomicBool>,
    waiting: Waiting,
}

impl Asking {
    async fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let begin = match &self.turnstile {
                None => Instant::now(),
                Some(turnstile) => match turnstile.next().await {
                    Some(due) => due,
                    None => return,
                },
            };
            self.waiting.begin(begin);
            let outcome = self.session.call_async(self.operation.clone()).await;
            self.waiting.end();
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            match outcome {
                Ok(_) => {
                    let end = Instant::now();
                    counted.latency.add(end.saturating_duration_since(begin));
                    if let Some(timeline) = &mut counted.timeline {
                        timeline.add(end);
                    }
                }
                Err(error) => {
                    counted.failed += 1;
                    counted.why = Some(error.to_string());
                    return;
                }
            }
        }
    }
}
