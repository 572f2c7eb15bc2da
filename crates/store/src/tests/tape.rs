//! Every system call written down, and the states in which a loss of power may leave the disk.
//!
//! A [`Tape`] that is laid on a directory notes what [`crate::folder`] does there, in order. A [`Platter`] plays it back and
//! knows at every step what is durable and what is not. When the power fails
//!   - each sector that was written and not synced since is old, new, zero or garbage, each for itself;
//!   - each name that was changed and not synced since is changed or not, each for itself, in any combination that is possible;
//!   - a file that grew and was not synced has its old length, its new one, or any in between.
//!
//! When only the process dies everything is there, but what was not durable still is not; and after a sync that failed the
//! system may hold it for written ([`Platter::forget_to_write`]), so that a later sync of it does nothing.

use crate::entry::BLOCK_BYTES;
use crate::folder::{Folder, Name};
use agree::Position;
use sim::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// One thing that was done.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Opened {
        name: Name,
        anew: bool,
        handle: u64,
    },
    Write {
        handle: u64,
        offset: u64,
        bytes: Vec<u8>,
    },
    Sync {
        handle: u64,
    },
    Rename {
        from: Name,
        to: Name,
    },
    Remove(Name),
    SyncNames,
    /// Not done, but said: what was called durable, and what of it no loss of power may take back.
    Told {
        durable: Position,
        synced: Position,
    },
}

/// What a disk keeps or loses as one.
const SECTOR_BYTES: usize = 512;

type Acts = Arc<Mutex<Vec<Act>>>;

/// Where acts are noted; nowhere if nobody laid one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Option<Acts>);

static LAID: Mutex<BTreeMap<PathBuf, Acts>> = Mutex::new(BTreeMap::new());

impl Tape {
    /// Lays a tape on `directory`, in place of the one before.
    pub(crate) fn lay(directory: &Path) -> Tape {
        let acts = Acts::default();
        LAID.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(directory.to_path_buf(), Arc::clone(&acts));
        Tape(Some(acts))
    }

    /// The one that lies on `directory`.
    pub(crate) fn of(directory: &Path) -> Tape {
        Tape(LAID.lock().unwrap_or_else(PoisonError::into_inner).get(directory).cloned())
    }

    pub(crate) fn act(&self, act: Act) {
        if let Some(acts) = &self.0 {
            acts.lock().unwrap_or_else(PoisonError::into_inner).push(act);
        }
    }

    pub(crate) fn opened(&self, name: Name, anew: bool) -> (Tape, u64) {
        let Some(acts) = &self.0 else { return (Tape(None), 0) };
        let mut acts = acts.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = acts.len() as u64;
        acts.push(Act::Opened { name, anew, handle });
        (self.clone(), handle)
    }

    /// What was noted so far.
    pub(crate) fn acts(&self) -> Vec<Act> {
        self.0.iter().flat_map(|acts| acts.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }
}

/// The bytes of a file: as they are seen, as they are durable, and the sectors in which the two may differ.
#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
    /// Dirty ones that the system takes for written.
    forgotten: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
enum Renaming {
    Made(Name, usize),
    Renamed(Name, Name),
    Removed(Name),
}

/// A disk and the system's memory of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platter {
    files: Vec<Content>,
    seen: BTreeMap<Name, usize>,
    durable: BTreeMap<Name, usize>,
    unsynced: Vec<Renaming>,
    handles: BTreeMap<u64, usize>,
    /// The last word on what is durable, whoever dies.
    pub(crate) promised_power: Position,
    /// The same, if only the process dies.
    pub(crate) promised_process: Position,
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<Name, usize>) {
        match self {
            Renaming::Made(name, file) => {
                names.insert(*name, *file);
            }
            Renaming::Renamed(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(*to, file);
                }
            }
            Renaming::Removed(name) => {
                names.remove(name);
            }
        }
    }
}

impl Platter {
    pub(crate) fn play(&mut self, act: &Act) {
        match act {
            Act::Opened { name, anew, handle } => {
                let file = if *anew {
                    self.files.push(Content::default());
                    self.rename(Renaming::Made(*name, self.files.len() - 1));
                    self.files.len() - 1
                } else {
                    self.seen[name]
                };
                self.handles.insert(*handle, file);
            }
            Act::Write { handle, offset, bytes } => {
                let file = &mut self.files[self.handles[handle]];
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                file.seen.resize(file.seen.len().max(end), 0);
                file.seen[start..end].copy_from_slice(bytes);
                // The system writes whole blocks: their other sectors are written again, and are in danger.
                let blocks = start / BLOCK_BYTES * BLOCK_BYTES..end.next_multiple_of(BLOCK_BYTES);
                for sector in
                    blocks.start / SECTOR_BYTES..blocks.end.min(file.seen.len()).div_ceil(SECTOR_BYTES)
                {
                    file.dirty.insert(sector);
                    file.forgotten.remove(&sector);
                }
            }
            Act::Sync { handle } => self.files[self.handles[handle]].sync(),
            Act::Rename { from, to } => self.rename(Renaming::Renamed(*from, *to)),
            Act::Remove(name) => self.rename(Renaming::Removed(*name)),
            Act::SyncNames => {
                self.durable = self.seen.clone();
                self.unsynced.clear();
            }
            Act::Told { durable, synced } => {
                self.promised_process = self.promised_process.max(*durable);
                self.promised_power = self.promised_power.max(*synced);
            }
        }
    }

    fn rename(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.seen);
        self.unsynced.push(renaming);
    }

    /// What a loss of power may leave. Everything of it is durable.
    pub(crate) fn lose_power(&self, random: &mut Random) -> Platter {
        let mut names = self.durable.clone();
        let odds = [0, 300, 700, 1000][random.index(4)];
        self.unsynced.iter().filter(|_| random.chance(odds)).for_each(|renaming| renaming.apply(&mut names));
        let temper = Temper::draw(random);
        let files = self.files.iter().map(|file| file.lose_power(temper, random)).collect();
        Platter {
            files,
            seen: names.clone(),
            durable: names,
            unsynced: Vec::new(),
            handles: BTreeMap::new(),
            promised_power: self.promised_power,
            promised_process: self.promised_power,
        }
    }

    /// From now on the system takes for written what is not: a sync of it failed.
    pub(crate) fn forget_to_write(&mut self) {
        for file in &mut self.files {
            file.forgotten.append(&mut file.dirty);
        }
    }

    /// Puts into `directory` what can be seen.
    pub(crate) fn lay_out(&self, directory: &Path) {
        let folder = Folder::new(directory);
        for (name, file) in &self.seen {
            fs::write(folder.path(*name), &self.files[*file].seen)
                .expect("a temporary directory can be written to");
        }
    }
}

/// How the power fails: the odds, in a thousand, of each fate of a sector.
#[derive(Clone, Copy)]
struct Temper {
    new: u64,
    zero: u64,
    garbage: u64,
}

impl Temper {
    fn draw(random: &mut Random) -> Temper {
        let tempers =
            [(0, 0, 0), (500, 0, 0), (950, 0, 0), (900, 50, 50), (400, 200, 200), (0, 0, 1000), (1000, 0, 0)];
        let (new, zero, garbage) = random.pick(&tempers);
        Temper { new, zero, garbage }
    }
}

impl Content {
    fn sync(&mut self) {
        self.durable.resize(self.seen.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let bytes = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(self.seen.len());
            self.durable[bytes.clone()].copy_from_slice(&self.seen[bytes]);
        }
    }

    fn lose_power(&self, temper: Temper, random: &mut Random) -> Content {
        let mut left = self.durable.clone();
        if self.seen.len() > left.len() {
            left.resize(left.len() + random.index(self.seen.len() - left.len() + 1), 0);
        }
        for sector in self.dirty.union(&self.forgotten) {
            let bytes = sector * SECTOR_BYTES..((sector + 1) * SECTOR_BYTES).min(left.len());
            let fate = random.below(1000);
            if bytes.is_empty() {
            } else if fate < temper.new && !self.forgotten.contains(sector) {
                left[bytes.clone()].copy_from_slice(&self.seen[bytes]);
            } else if fate < temper.new + temper.zero {
                left[bytes].fill(0);
            } else if fate < temper.new + temper.zero + temper.garbage {
                left[bytes].fill_with(|| random.bits() as u8);
            }
        }
        Content { seen: left.clone(), durable: left, ..Content::default() }
    }
}
