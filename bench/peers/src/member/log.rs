//! The log of a member: TiKV's `raft-engine`, an append-only log of entries with a few keys beside them.
//!
//! Upon `append` and `put`: it is noted, nothing is written.
//! Upon `persist`: all that was noted is written in one go, and synced if some of it must survive a loss of power.
//! Upon `retire`: entries that nobody needs go; a thread of its own purges their files every second, as TiKV does it.
//!
//! With durability `memory` none of this happens.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protobuf::Message;
use raft::eraftpb::Entry;
use raft_engine::{Command, Config, Engine, LogBatch, MessageExt, ReadableSize};

use crate::options::Durability;

/// There is one log in each engine.
const REGION: u64 = 1;
/// Room in a file before the next one.
const FILE_MIB: u64 = 64;
/// The engine purges when it holds more; purged files are used again, already allocated.
const PURGE_MIB: u64 = 256;
const PURGE_PAUSE: Duration = Duration::from_secs(1);

/// Entries of raft-rs, which other protocols wrap theirs in.
#[derive(Clone)]
struct Entries;

impl MessageExt for Entries {
    type Entry = Entry;

    fn index(entry: &Entry) -> u64 {
        entry.index
    }
}

/// The log of a member.
pub(crate) struct Log {
    engine: Option<Arc<Engine>>,
    noted: LogBatch,
    must_sync: bool,
    sync: bool,
}

impl Log {
    /// A new log in `dir`.
    pub(crate) fn open(dir: &Path, durability: Durability) -> io::Result<Self> {
        let engine = match durability {
            Durability::Memory => None,
            Durability::Fsync | Durability::Async => Some(Arc::new(engine(dir)?)),
        };
        if let Some(engine) = engine.clone() {
            std::thread::spawn(move || {
                loop {
                    std::thread::sleep(PURGE_PAUSE);
                    if let Err(error) = engine.purge_expired_files() {
                        eprintln!("purge: {error}");
                    }
                }
            });
        }
        Ok(Self {
            engine,
            noted: LogBatch::default(),
            must_sync: false,
            sync: durability == Durability::Fsync,
        })
    }

    /// Notes entries; those from the first one's index on that were there before are overwritten.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if self.engine.is_none() || entries.is_empty() {
            return Ok(());
        }
        self.must_sync = true;
        self.noted.add_entries::<Entries>(REGION, entries).map_err(io::Error::other)
    }

    /// Notes that everything before goes, keys included.
    pub(crate) fn clear(&mut self) {
        if self.engine.is_some() {
            self.must_sync = true;
            self.noted.add_command(REGION, Command::Clean);
        }
    }

    /// Notes the value of a key; `must_sync` unless it may be forgotten.
    pub(crate) fn put(&mut self, key: &[u8], value: Vec<u8>, must_sync: bool) -> io::Result<()> {
        if self.engine.is_none() {
            return Ok(());
        }
        self.must_sync |= must_sync;
        self.noted.put(REGION, key.to_vec(), value).map_err(io::Error::other)
    }

    /// The same for a protobuf message.
    pub(crate) fn put_message(
        &mut self,
        key: &[u8],
        value: &impl Message,
        must_sync: bool,
    ) -> io::Result<()> {
        if self.engine.is_none() {
            return Ok(());
        }
        self.put(key, value.write_to_bytes().map_err(io::Error::other)?, must_sync)
    }

    /// Writes what was noted. What may be forgotten waits for what may not.
    pub(crate) fn persist(&mut self) -> io::Result<()> {
        let (Some(engine), true) = (&self.engine, self.must_sync) else { return Ok(()) };
        self.must_sync = false;
        engine.write(&mut self.noted, self.sync).map(|_| ()).map_err(io::Error::other)
    }

    /// Entries before `index` may go.
    pub(crate) fn retire(&mut self, index: u64) {
        if let Some(engine) = &self.engine {
            engine.compact_to(REGION, index);
        }
    }
}

fn engine(dir: &Path) -> io::Result<Engine> {
    Engine::open(Config {
        dir: dir.join("log").to_string_lossy().into_owned(),
        // Requests are as good as random: compression would only cost.
        batch_compression_threshold: ReadableSize(0),
        target_file_size: ReadableSize::mb(FILE_MIB),
        purge_threshold: ReadableSize::mb(PURGE_MIB),
        prefill_for_recycle: true,
        prefill_limit: Some(ReadableSize::mb(PURGE_MIB)),
        ..Config::default()
    })
    .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(indices: std::ops::Range<u64>) -> Vec<Entry> {
        indices.map(|index| Entry { index, data: b"data"[..].into(), ..Entry::default() }).collect()
    }

    #[test]
    fn what_follows_a_snapshot_need_not_follow_on_what_was_there() {
        let dir = std::env::temp_dir().join(format!("varangian-peers-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary directory");
        let mut log = Log::open(&dir, Durability::Fsync).expect("an empty directory");
        log.append(&entries(1..4)).expect("a log");
        log.persist().expect("a log");
        log.clear();
        log.append(&entries(10..12)).expect("a log");
        log.persist().expect("a log");
        // A whole entry may be overwritten, as a new leader does it.
        log.append(&entries(11..15)).expect("a log");
        log.persist().expect("a log");
        let engine = log.engine.as_ref().expect("not in memory");
        assert_eq!((engine.first_index(REGION), engine.last_index(REGION)), (Some(10), Some(14)));
        std::fs::remove_dir_all(&dir).expect("it is ours");
    }

    #[test]
    fn what_may_be_forgotten_waits_for_what_may_not() {
        let dir = std::env::temp_dir().join(format!("varangian-peers-put-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary directory");
        let mut log = Log::open(&dir, Durability::Async).expect("an empty directory");
        log.put(b"decided", vec![1], false).expect("a log");
        log.persist().expect("a log");
        assert_eq!(log.engine.as_ref().expect("not in memory").get(REGION, b"decided"), None);
        log.put(b"promise", vec![2], true).expect("a log");
        log.persist().expect("a log");
        assert_eq!(log.engine.as_ref().expect("not in memory").get(REGION, b"decided"), Some(vec![1]));
        std::fs::remove_dir_all(&dir).expect("it is ours");
    }
}
