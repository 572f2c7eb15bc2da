//! What clients do, and what they were told: everything that is needed to judge it afterwards.
//!
//! Upon a start: so many sessions, a thread each, over a few connections. Each puts, gets, deletes and swaps, on few keys, where
//!   they meet, and on many; every call is kept with the moments of its begin and its end.
//! Upon a call without an answer in time: its fate is unknown, and kept as that. Now and then one has little patience, so that there
//!   are some. Upon one that was refused: it did not happen; it is counted, with the reason.
//! Upon the end: the histories. Then every key is read back ([`read_back`]), which is part of the history too.

use bytes::Bytes;
use client::{CallError, Connection, Session};
use kv::history::Operation;
use kv::{Answer, Command, Outcome, Revision};
use node::clock::Clock;
use node::config::ClientConfig;
use sim::random::{Random, Stream};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wire::{ClientId, Decode, Encode};

/// How long a session waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an impatient one does, at most.
const IMPATIENCE: Duration = Duration::from_millis(150);

/// Keys on which sessions meet.
const FEW_KEYS: u64 = 8;

/// Keys on which they rarely do.
const MANY_KEYS: u64 = 2_000;

/// Bytes of a value now and then.
const LARGE_BYTES: usize = 4 << 10;

/// Sessions of one connection.
const SESSIONS_PER_CONNECTION: usize = 16;

/// Threads that read back.
const READERS: usize = 8;

/// What became of calls so far.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    /// They were answered.
    pub(crate) answered: AtomicU64,
    /// Nobody knows.
    pub(crate) unknown: AtomicU64,
    /// They did not happen.
    pub(crate) refused: AtomicU64,
    /// Why the first of those did not.
    pub(crate) reason: Mutex<Option<String>>,
}

/// One session that keeps what it was told.
pub(crate) struct Teller {
    session: Session,
    who: ClientId,
    clock: Clock,
    tally: Arc<Tally>,
    /// What was called, and what came of it; unless nobody wants to know.
    history: Option<Vec<Operation>>,
}

impl Teller {
    pub(crate) fn new(
        connection: &Connection,
        number: u16,
        clock: Clock,
        tally: &Arc<Tally>,
        keeps: bool,
    ) -> Result<Teller, String> {
        let session = connection.session().map_err(|error| error.to_string())?;
        let who = ClientId(connection.station().0 | u64::from(number));
        Ok(Teller { session, who, clock, tally: Arc::clone(tally), history: keeps.then(Vec::new) })
    }

    /// Has a command executed; what was answered.
    pub(crate) fn call(&mut self, command: Command, patience: Duration) -> Option<Answer> {
        let invoked = self.clock.now();
        let result = self.session.call(command.to_bytes(), Instant::now() + patience);
        let returned = self.clock.now();
        let told = match result {
            Ok(bytes) => match Answer::from_bytes(Bytes::copy_from_slice(&bytes)) {
                Ok(answer) => Some((returned, answer)),
                Err(error) => return self.refused(format!("an answer that is none: {error}")),
            },
            Err(error) if error.may_have_happened() => None,
            // Nothing was asked.
            Err(CallError::Unreachable) => {
                self.tally.unknown.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Err(error) => return self.refused(error.to_string()),
        };
        let count = if told.is_some() { &self.tally.answered } else { &self.tally.unknown };
        count.fetch_add(1, Ordering::Relaxed);
        let answer = told.as_ref().map(|(_, answer)| answer.clone());
        if let Some(history) = &mut self.history {
            history.push(Operation { client: self.who, command, invoked, told });
        }
        answer
    }

    fn refused(&mut self, why: String) -> Option<Answer> {
        self.tally.refused.fetch_add(1, Ordering::Relaxed);
        self.tally.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        None
    }

    /// What it was told.
    pub(crate) fn history(self) -> Vec<Operation> {
        self.history.unwrap_or_default()
    }
}

/// How clients load a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// So many sessions.
    pub(crate) sessions: u16,
    /// They think as long between two calls, at most.
    pub(crate) think: Duration,
    /// What they were told is kept.
    pub(crate) keeps: bool,
    /// What they do follows from this.
    pub(crate) seed: u64,
}

/// Sessions that run.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Vec<Operation>>>,
    /// What became of their calls.
    pub(crate) tally: Arc<Tally>,
    connections: Vec<Connection>,
}

impl Load {
    /// Starts.
    pub(crate) fn start(config: &ClientConfig, clock: Clock, manner: Manner) -> Result<Load, String> {
        let mut load = Load {
            stop: Arc::default(),
            workers: Vec::new(),
            tally: Arc::default(),
            connections: Vec::new(),
        };
        for number in 0..manner.sessions {
            if usize::from(number).is_multiple_of(SESSIONS_PER_CONNECTION) {
                load.connections.push(Connection::open(config).map_err(|error| error.to_string())?);
            }
            let connection = load.connections.last().ok_or("no session, no connection")?;
            let teller = Teller::new(connection, number, clock, &load.tally, manner.keeps)?;
            let random = Random::new(manner.seed, Stream::Clients).part(u64::from(number));
            let (stop, think) = (Arc::clone(&load.stop), manner.think);
            let mut worker = Worker { teller, random, number, count: 0, known: HashMap::new() };
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    worker.once();
                    let pause = worker.random.duration(Duration::ZERO, think);
                    if pause > Duration::ZERO {
                        thread::sleep(pause);
                    }
                }
                worker.teller.history()
            };
            load.workers.push(thread::Builder::new().spawn(work).map_err(|error| error.to_string())?);
        }
        Ok(load)
    }

    /// Calls that were answered so far.
    pub(crate) fn answered(&self) -> u64 {
        self.tally.answered.load(Ordering::Relaxed)
    }

    /// Lets each session end its call; what all were told.
    pub(crate) fn end(mut self) -> Result<Vec<Operation>, String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut history = Vec::new();
        for worker in self.workers.drain(..) {
            history.append(&mut worker.join().map_err(|_| "a session failed".to_string())?);
        }
        Ok(history)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct Worker {
    teller: Teller,
    random: Random,
    number: u16,
    count: u64,
    /// When the keys on which sessions meet were last changed, as far as this one knows.
    known: HashMap<Bytes, Revision>,
}

impl Worker {
    fn once(&mut self) {
        self.count += 1;
        let patience = match self.random.chance(20) {
            true => self.random.duration(Duration::from_millis(1), IMPATIENCE),
            false => PATIENCE,
        };
        let is_met = self.random.chance(300);
        let key = if is_met { few(self.random.below(FEW_KEYS)) } else { many(self.random.below(MANY_KEYS)) };
        let command = match self.random.below(100) {
            0..50 => Command::put(key.clone(), self.value()),
            50..75 => Command::get(key.clone()),
            75..95 => {
                let expected = self.known.get(&key).copied().unwrap_or(Revision::ZERO);
                Command::cas(key.clone(), expected, self.value())
            }
            _ => Command::delete(key.clone()),
        };
        let Some(answer) = self.teller.call(command, patience) else { return };
        if is_met {
            let revision = match answer.outcome {
                Outcome::Written(_) => answer.revision,
                Outcome::Found(item) => item.map_or(Revision::ZERO, |item| item.revision),
                Outcome::Deleted(_) => Revision::ZERO,
                Outcome::Listing(_) | Outcome::Changes(_) | Outcome::Refused(_) => {
                    // Somebody was there before: find out.
                    let answer = self.teller.call(Command::get(key.clone()), PATIENCE);
                    match answer.map(|answer| answer.outcome) {
                        Some(Outcome::Found(Some(item))) => item.revision,
                        _ => Revision::ZERO,
                    }
                }
            };
            self.known.insert(key, revision);
        }
    }

    /// One that nobody else ever writes.
    fn value(&mut self) -> Bytes {
        let mut text = format!("{}.{}", self.number, self.count);
        if self.random.chance(20) {
            text.extend(std::iter::repeat_n('.', LARGE_BYTES));
        }
        text.into()
    }
}

fn few(index: u64) -> Bytes {
    format!("few/{index}").into()
}

fn many(index: u64) -> Bytes {
    format!("many/{index}").into()
}

/// Reads every key once more; what was told.
pub(crate) fn read_back(config: &ClientConfig, clock: Clock) -> Result<Vec<Operation>, String> {
    let connection = Connection::open(config).map_err(|error| error.to_string())?;
    let tally = Arc::default();
    let keys: Vec<Bytes> = (0..FEW_KEYS).map(few).chain((0..MANY_KEYS).map(many)).collect();
    let mut history = Vec::new();
    let mut readers = Vec::new();
    for (number, keys) in keys.chunks(keys.len().div_ceil(READERS)).enumerate() {
        let mut teller = Teller::new(&connection, number as u16, clock, &tally, true)?;
        let keys = keys.to_vec();
        readers.push(thread::spawn(move || {
            let told = keys.into_iter().filter_map(|key| teller.call(Command::get(key), PATIENCE)).count();
            (told, teller.history())
        }));
    }
    let mut told = 0;
    for reader in readers {
        let (count, mut read) = reader.join().map_err(|_| "a reader failed".to_string())?;
        told += count;
        history.append(&mut read);
    }
    match told == keys.len() {
        true => Ok(history),
        false => Err(format!("of {} keys only {told} could be read back", keys.len())),
    }
}
