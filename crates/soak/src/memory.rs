//! How much memory each process of a cluster holds, second by second.
//!
//! Upon each second: what every process holds is written down, by node, part and process; one that was started again is another.
//! Upon the end: how each process began and ended, and how fast it grew over the later half of its life.

use crate::cluster::Pids;
use crate::parts::{Part, memory_of, part_of};
use rustix::process::Pid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

/// A life shorter than that says nothing about growth.
const LIFE_MIN: usize = 20;

/// Growth over the later half of a life that is noise: pages that an allocator keeps. Of an hour's life that is 8 MiB an hour.
const NOISE_BYTES: f64 = (4 << 20) as f64;

type Lives = BTreeMap<(u16, Part, i32), Vec<u64>>;

/// Somebody who looks.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Lives>,
}

impl Watch {
    /// Starts to look at the nodes of these supervisors.
    pub(crate) fn start(pids: Pids) -> Result<Watch, String> {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let work = move || {
            let mut lives = Lives::new();
            let mut next = Instant::now();
            while !is_over.load(Ordering::Relaxed) {
                if Instant::now() >= next {
                    next += EVERY;
                    look(&pids, &mut lives);
                }
                thread::sleep(Duration::from_millis(50));
            }
            lives
        };
        let thread = thread::Builder::new().spawn(work).map_err(|error| error.to_string())?;
        Ok(Watch { stop, thread })
    }

    /// Stops; what each process held.
    pub(crate) fn end(self) -> Result<Memory, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map(Memory).map_err(|_| "who looks at memory failed".to_string())
    }
}

fn look(pids: &Pids, lives: &mut Lives) {
    let supervisors = pids.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (node, supervisor) in supervisors.into_iter().enumerate() {
        let Some(supervisor) = supervisor.and_then(|pid| Pid::from_raw(pid as i32)) else { continue };
        for part in [Part::Supervisor, Part::Monitor, Part::Replica] {
            let Some(pid) = part_of(supervisor, part) else { continue };
            if let Some(bytes) = memory_of(pid).filter(|bytes| *bytes > 0) {
                lives.entry((node as u16, part, pid.as_raw_nonzero().get())).or_default().push(bytes);
            }
        }
    }
}

/// What processes held.
pub(crate) struct Memory(Lives);

fn mean(samples: &[u64]) -> f64 {
    samples.iter().sum::<u64>() as f64 / samples.len().max(1) as f64
}

fn megabytes(bytes: f64) -> f64 {
    (bytes / f64::from(1 << 20) * 10.0).round() / 10.0
}

/// How a life went, in bytes: its begin, its end, its most, and by how much the line through its later half rises.
struct Growth {
    begin: f64,
    end: f64,
    most: f64,
    later: f64,
}

fn growth(samples: &[u64]) -> Growth {
    let quarter = (samples.len() / 4).max(1);
    let half = &samples[samples.len() / 2..];
    Growth {
        begin: mean(&samples[..1]),
        end: mean(&samples[samples.len() - quarter..]),
        most: samples.iter().max().map_or(0.0, |most| *most as f64),
        later: slope(half) * half.len() as f64,
    }
}

/// By how much the line of least squares rises from one sample to the next.
fn slope(samples: &[u64]) -> f64 {
    let middle = (samples.len() as f64 - 1.0) / 2.0;
    let level = mean(samples);
    let (mut together, mut alone) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let aside = at as f64 - middle;
        together += aside * (*sample as f64 - level);
        alone += aside * aside;
    }
    if alone > 0.0 { together / alone } else { 0.0 }
}

impl Memory {
    /// The longest life of each part of each node, in words.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.longest()
            .into_iter()
            .map(|((node, part), samples)| {
                let Growth { begin, end, most, later } = growth(samples);
                format!(
                    "memory of node {node}, {}: {} MB at first, {} MB at last, {} MB at most, {:+} MB over the later half of {} s",
                    part.name(),
                    megabytes(begin),
                    megabytes(end),
                    megabytes(most),
                    megabytes(later),
                    samples.len()
                )
            })
            .collect()
    }

    /// The most that any process of a part held.
    pub(crate) fn most(&self) -> String {
        let mut most: BTreeMap<Part, u64> = BTreeMap::new();
        for ((_, part, _), samples) in &self.0 {
            let of_part = most.entry(*part).or_default();
            *of_part = samples.iter().copied().max().unwrap_or(0).max(*of_part);
        }
        let each: Vec<String> = most
            .iter()
            .map(|(part, bytes)| format!("{} {} MB", part.name(), megabytes(*bytes as f64)))
            .collect();
        format!("memory, the most that any process held: {}", each.join(", "))
    }

    fn longest(&self) -> BTreeMap<(u16, Part), &Vec<u64>> {
        let mut longest: BTreeMap<(u16, Part), &Vec<u64>> = BTreeMap::new();
        for ((node, part, _), samples) in &self.0 {
            let kept = longest.entry((*node, *part)).or_insert(samples);
            if samples.len() > kept.len() {
                *kept = samples;
            }
        }
        longest
    }

    /// Those that still grew when it ended.
    pub(crate) fn growing(&self) -> Vec<String> {
        self.longest()
            .into_iter()
            .filter(|(_, samples)| samples.len() >= LIFE_MIN && growth(samples).later > NOISE_BYTES)
            .map(|((node, part), samples)| {
                let later = megabytes(growth(samples).later);
                format!(
                    "the {} of node {node} grew by {later} MB over the later half of {} s",
                    part.name(),
                    samples.len()
                )
            })
            .collect()
    }

    /// All samples, for programs.
    pub(crate) fn as_json(&self) -> Value {
        let life = |((node, part, pid), samples): (&(u16, Part, i32), &Vec<u64>)| json!({ "node": node, "part": part.name(), "pid": pid, "bytes_each_second": samples });
        self.0.iter().map(life).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(samples: impl Iterator<Item = u64>) -> Memory {
        Memory(Lives::from([((0, Part::Replica, 7), samples.collect())]))
    }

    #[test]
    fn who_grows_to_a_size_and_stays_there_is_flat() {
        let filling = (0..100).map(|second| (20 + second.min(50)) << 20);
        assert_eq!(memory(filling).growing(), Vec::<String>::new());
    }

    #[test]
    fn who_still_grows_at_the_end_is_named() {
        let leaking = (0..100).map(|second| (20 + second) << 20);
        let named = memory(leaking).growing();
        assert!(named.len() == 1 && named[0].contains("replica of node 0"), "{named:?}");
    }

    #[test]
    fn a_slow_leak_shows_in_an_hour_through_what_comes_and_goes() {
        let life = |an_hour: u64| {
            (0..3_600_u64)
                .map(move |second| (200 << 20) + second % 7 * 300_000 + (an_hour << 20) * second / 3_600)
        };
        assert_eq!(memory(life(6)).growing(), Vec::<String>::new());
        assert_eq!(memory(life(10)).growing().len(), 1);
    }

    #[test]
    fn a_life_of_one_sample_is_told() {
        assert_eq!(memory([5 << 20].into_iter()).lines().len(), 1);
    }
}
