//! The system calls of the log, all of them, and the names of its files.
//!
//! Nothing here decides anything. Every call that changes something goes through here, so that a test can write down what
//! was done, in order, and work out every state in which a loss of power may have left the disk (`crate::tests`).
//!
//! Files are made with mode 0600, the directory with 0700: a log holds what clients sent.

use crate::error::DiskError;
use agree::Position;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[cfg(test)]
use crate::tests::tape::{Act, Tape};

/// The mode of every file.
const FILE_MODE: u32 = 0o600;

/// The name of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Name {
    /// A segment, by its number.
    Segment(u64),
    /// A file that may become a segment. The number only keeps spares apart.
    Spare(u64),
    /// The snapshot that was written at a position.
    Snapshot(Position),
    /// One that is being written.
    SnapshotDraft,
    /// Says that this is a log, and is locked while it is open.
    Lock,
}

impl Name {
    fn to_text(self) -> String {
        match self {
            Name::Segment(number) => format!("log-{number:016x}"),
            Name::Spare(number) => format!("spare-{number:016x}"),
            Name::Snapshot(position) => format!("snapshot-{:016x}", position.0),
            Name::SnapshotDraft => "snapshot-draft".into(),
            Name::Lock => "lock".into(),
        }
    }

    fn from_text(text: &str) -> Option<Name> {
        let number = |digits: &str| u64::from_str_radix(digits, 16).ok();
        let name = match text.split_once('-') {
            Some(("log", digits)) => Name::Segment(number(digits)?),
            Some(("spare", digits)) => Name::Spare(number(digits)?),
            Some(("snapshot", "draft")) => Name::SnapshotDraft,
            Some(("snapshot", digits)) => Name::Snapshot(Position(number(digits)?)),
            _ if text == "lock" => Name::Lock,
            _ => return None,
        };
        // One file, one name: "log-+1" is none of ours.
        (name.to_text() == text).then_some(name)
    }
}

/// The directory of a log.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    #[cfg(test)]
    tape: Tape,
}

/// A file of it.
#[derive(Debug)]
pub(crate) struct Open {
    file: File,
    path: PathBuf,
    #[cfg(test)]
    tape: (Tape, u64),
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Folder {
            path: path.to_path_buf(),
            #[cfg(test)]
            tape: Tape::of(path),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.path
    }

    pub(crate) fn path(&self, name: Name) -> PathBuf {
        self.path.join(name.to_text())
    }

    /// The names of all files that can be ours, in order.
    pub(crate) fn names(&self) -> Result<Vec<Name>, DiskError> {
        let failed = |error| DiskError::new("list", &self.path, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            names.extend(entry.map_err(failed)?.file_name().to_str().and_then(Name::from_text));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: Name) -> Result<bool, DiskError> {
        let path = self.path(name);
        path.try_exists().map_err(|error| DiskError::new("look for", path, error))
    }

    /// Makes a file anew.
    pub(crate) fn create(&self, name: Name) -> Result<Open, DiskError> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(|error| DiskError::new("create", &path, error))?;
        Ok(Open {
            file,
            path,
            #[cfg(test)]
            tape: self.tape.opened(name, true),
        })
    }

    /// Opens a file that is there.
    pub(crate) fn open(&self, name: Name) -> Result<Open, DiskError> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| DiskError::new("open", &path, error))?;
        Ok(Open {
            file,
            path,
            #[cfg(test)]
            tape: self.tape.opened(name, false),
        })
    }

    pub(crate) fn rename(&self, from: Name, to: Name) -> Result<(), DiskError> {
        let path = self.path(from);
        fs::rename(&path, self.path(to)).map_err(|error| DiskError::new("rename", path, error))?;
        #[cfg(test)]
        self.tape.act(Act::Rename { from, to });
        Ok(())
    }

    pub(crate) fn remove(&self, name: Name) -> Result<(), DiskError> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(|error| DiskError::new("remove", path, error))?;
        #[cfg(test)]
        self.tape.act(Act::Remove(name));
        Ok(())
    }

    /// Makes the names durable.
    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        sync_directory(&self.path)?;
        #[cfg(test)]
        self.tape.act(Act::SyncNames);
        Ok(())
    }

    /// Notes, for a test, what was called durable, and what of it a loss of power may not take back.
    #[cfg(test)]
    pub(crate) fn told(&self, durable: Position, synced: Position) {
        self.tape.act(Act::Told { durable, synced });
    }
}

/// Makes the names in `directory` durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), DiskError> {
    let synced = File::open(directory).and_then(|file| file.sync_all());
    synced.map_err(|error| DiskError::new("sync", directory, error))
}

impl Open {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn length(&self) -> Result<u64, DiskError> {
        let metadata = self.file.metadata().map_err(|error| DiskError::new("look at", &self.path, error))?;
        Ok(metadata.len())
    }

    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        #[cfg(test)]
        self.tape.0.act(Act::Write { handle: self.tape.1, offset, bytes: bytes.to_vec() });
        self.file.write_all_at(bytes, offset).map_err(|error| DiskError::new("write to", &self.path, error))
    }

    /// Makes the bytes durable.
    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(|error| DiskError::new("sync", &self.path, error))?;
        #[cfg(test)]
        self.tape.0.act(Act::Sync { handle: self.tape.1 });
        Ok(())
    }

    /// The whole file.
    pub(crate) fn read(&self) -> Result<Vec<u8>, DiskError> {
        let failed = |error| DiskError::new("read", &self.path, error);
        let length =
            usize::try_from(self.length()?).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
        let mut read = vec![0; length];
        self.file.read_exact_at(&mut read, 0).map_err(failed)?;
        Ok(read)
    }

    /// Takes the lock on this file; false if another process has it.
    pub(crate) fn lock(&self) -> Result<bool, DiskError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(DiskError::new("lock", &self.path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is_ours() {
        for name in [
            Name::Segment(3),
            Name::Spare(u64::MAX),
            Name::Snapshot(Position(9)),
            Name::SnapshotDraft,
            Name::Lock,
        ] {
            assert_eq!(Name::from_text(&name.to_text()), Some(name));
        }
        for text in
            ["", "log-", "log-3", "log-00000000000000zz", "log-+000000000000003", "lost+found", "notes.txt"]
        {
            assert_eq!(Name::from_text(text), None, "{text}");
        }
    }
}
