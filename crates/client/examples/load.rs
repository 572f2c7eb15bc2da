//! How fast: `cargo run --release -p client --example load -- CLIENT.toml SESSIONS SECONDS [over-time]`.
//!
//! First one session puts, blocking, one value after the other; then all sessions put at once, async, on one thread of this process.
//! With `over-time` only the latter, and how many puts were done in each tenth of a second: to see what a node that is killed
//! meanwhile costs.

use client::{Connection, Kv};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};
use std::collections::VecDeque;
use std::error::Error;
use std::io::{Write, stdout};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::time::{Duration, Instant};

/// How long each blocking put and each warm-up may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A tenth of a second.
const TENTH: Duration = Duration::from_millis(100);

/// Tasks that can go on.
#[derive(Default)]
struct Ready {
    tasks: Mutex<VecDeque<usize>>,
    some: Condvar,
}

struct Task {
    number: usize,
    ready: Arc<Ready>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut tasks = self.ready.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push_back(self.number);
        if tasks.len() == 1 {
            self.ready.some.notify_one();
        }
    }
}

/// Runs all of them to their end on this thread.
fn run(mut tasks: Vec<Pin<Box<dyn Future<Output = ()>>>>) {
    let ready = Arc::new(Ready::default());
    let waker = |number| Waker::from(Arc::new(Task { number, ready: Arc::clone(&ready) }));
    let wakers: Vec<Waker> = (0..tasks.len()).map(waker).collect();
    wakers.iter().for_each(Waker::wake_by_ref);
    let mut left = tasks.len();
    while left > 0 {
        let mut due = ready.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while due.is_empty() {
            due = ready.some.wait(due).unwrap_or_else(PoisonError::into_inner);
        }
        let due = std::mem::take(&mut *due);
        for number in due {
            if tasks[number].as_mut().poll(&mut Context::from_waker(&wakers[number])).is_ready() {
                left -= 1;
            }
        }
    }
}

fn line(what: &str, mut took: Vec<Duration>, within: Duration) {
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    let rate = took.len() as f64 / within.as_secs_f64();
    let _ = writeln!(stdout(), "{what}: {rate:.0} puts/s, p50 {:?}, p99 {:?}", at(50), at(99));
}

/// How many puts were done in each tenth of a second, and the longest time without any.
fn over_time(mut done: Vec<Duration>, within: Duration) {
    done.sort_unstable();
    let tenths = within.as_millis().div_ceil(TENTH.as_millis()) as usize;
    let mut counts = vec![0_u32; tenths];
    for at in &done {
        if let Some(count) = counts.get_mut((at.as_millis() / TENTH.as_millis()) as usize) {
            *count += 1;
        }
    }
    let gaps = done.windows(2).map(|pair| (pair[1] - pair[0], pair[0]));
    let (longest, from) = gaps.max().unwrap_or_default();
    let _ = writeln!(
        stdout(),
        "puts in each 100 ms: {counts:?}\nlongest time without any: {longest:?}, from {from:?} on"
    );
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (config, sessions, seconds, is_over_time) = match &words[..] {
        [config, sessions, seconds] => (config, sessions, seconds, false),
        [config, sessions, seconds, word] if word == "over-time" => (config, sessions, seconds, true),
        _ => return Err("right would be: CLIENT.toml SESSIONS SECONDS [over-time]".into()),
    };
    let config = node::config::ClientConfig::load(config.as_ref())?;
    let (sessions, seconds): (usize, u64) = (sessions.parse()?, seconds.parse()?);
    let within = Duration::from_secs(seconds);
    let connection = Connection::open(&config)?;

    let mut kv = Kv::new(connection.session()?, PATIENCE);
    for _ in 0..100 {
        kv.put("warm", "up")?;
    }
    let (start, mut took) = (Instant::now(), Vec::new());
    while !is_over_time && start.elapsed() < within {
        let begin = Instant::now();
        kv.put("one", "12345678")?;
        took.push(begin.elapsed());
    }
    if !is_over_time {
        line("one session, blocking", took, within);
    }

    let (took, done) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let start = Instant::now() + Duration::from_millis(500);
    let mut tasks: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for number in 0..sessions {
        let mut kv = Kv::new(connection.session()?, PATIENCE);
        let (took, done) = (Arc::clone(&took), Arc::clone(&done));
        tasks.push(Box::pin(async move {
            loop {
                let begin = Instant::now();
                if begin >= start + within {
                    return;
                }
                if kv.put_async(format!("key {number}"), "12345678").await.is_err() {
                    return;
                }
                if begin >= start {
                    took.lock().unwrap_or_else(PoisonError::into_inner).push(begin.elapsed());
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push(start.elapsed());
            }
        }));
    }
    run(tasks);
    let took = std::mem::take(&mut *took.lock().unwrap_or_else(PoisonError::into_inner));
    line(&format!("{sessions} sessions, async"), took, within);
    if is_over_time {
        over_time(std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner)), within);
    }
    connection.close(Instant::now() + PATIENCE);
    Ok(())
}
