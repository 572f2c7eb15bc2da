//! What can go wrong with a log: what was found, and what would be right.
//!
//! Three kinds, since three things follow. An [`OpenError`] means that there is no log to go on with. A [`Failure`] of a
//! log that is open is for good: what was called durable is, and nothing after it ever will be. A [`DiskError`] is what
//! the system said, with what was being done.

use agree::Position;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The system refused something.
#[derive(Clone, Debug)]
pub struct DiskError {
    /// What was being done.
    pub doing: &'static str,
    /// To what.
    pub path: PathBuf,
    /// What the system said.
    pub error: Arc<io::Error>,
}

impl DiskError {
    pub(crate) fn new(doing: &'static str, path: impl Into<PathBuf>, error: io::Error) -> Self {
        DiskError { doing, path: path.into(), error: Arc::new(error) }
    }

    /// What an operator can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "the disk is full: free some space, then start the node again"
            }
            io::ErrorKind::FileTooLarge => {
                "a file may not grow further: raise the limit on file sizes (RLIMIT_FSIZE), then start the node again"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "the file system is read-only: see why (often an I/O error, in the kernel's log), mount it for writing, \
                 then start the node again"
            }
            io::ErrorKind::PermissionDenied => {
                "the directory and its files must belong to the user that the node runs as"
            }
            io::ErrorKind::NotFound => {
                "is its disk mounted? A node that is new gets its directory when it is made; one that had a log and \
                 lost it must not go on under its old name"
            }
            _ => {
                "see the kernel's log: the disk may be failing. What was called durable stays so; start the node again \
                 once the disk is sound"
            }
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}; {}", self.doing, self.path.display(), self.error, self.advice())
    }
}

impl Error for DiskError {}

/// Something was durable and does not read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rot {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// The first write that is lost, where that can be told.
    pub position: Option<Position>,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for Rot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: {}. ", self.file.display(), self.offset, self.what)?;
        match self.position {
            Some(position) => write!(f, "Write {} was durable and is lost", position.0)?,
            None => write!(f, "What was durable is lost")?,
        }
        write!(
            f,
            ", so this node must not go on with what is left. Nothing was changed. Wipe this node's directory, admit the \
             node again under a new name, and let it catch up from the others"
        )
    }
}

/// Why a log does not open.
#[derive(Clone, Debug)]
pub enum OpenError {
    /// The system refused something.
    Disk(DiskError),
    /// There is a directory, but no log was ever made in it.
    NoLog {
        /// Which.
        directory: PathBuf,
    },
    /// A log is to be made where something is.
    NotEmpty {
        /// Where.
        directory: PathBuf,
    },
    /// The log was written by a version that this one does not know.
    OtherFormat {
        /// What says so.
        file: PathBuf,
        /// What it says, as far as it is text.
        found: String,
    },
    /// Another process has it open.
    Locked {
        /// Which.
        directory: PathBuf,
    },
    /// `segment_bytes` is not possible.
    SegmentBytes {
        /// What was asked for.
        asked: u64,
        /// What is possible.
        least: u64,
        /// What is possible.
        most: u64,
    },
    /// What was durable does not read back.
    Rot(Rot),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Disk(error) => error.fmt(f),
            OpenError::NoLog { directory } => write!(
                f,
                "{} holds no log. Is its disk mounted? Making a node makes its log; a node that had one and lost it must \
                 not go on under its old name",
                directory.display()
            ),
            OpenError::NotEmpty { directory } => write!(
                f,
                "{} is not empty: a new log wants a directory of its own, empty or not there yet",
                directory.display()
            ),
            OpenError::OtherFormat { file, found } => write!(
                f,
                "{} says {found:?}, and this version reads {:?} alone",
                file.display(),
                crate::create::FORMAT
            ),
            OpenError::Locked { directory } => write!(
                f,
                "{} is in use by another process: two must not share a log. Is the node running already?",
                directory.display()
            ),
            OpenError::SegmentBytes { asked, least, most } => {
                write!(f, "segments of {asked} bytes are not possible: from {least} to {most} are")
            }
            OpenError::Rot(rot) => rot.fmt(f),
        }
    }
}

impl Error for OpenError {}

impl From<DiskError> for OpenError {
    fn from(error: DiskError) -> Self {
        OpenError::Disk(error)
    }
}

impl From<Rot> for OpenError {
    fn from(rot: Rot) -> Self {
        OpenError::Rot(rot)
    }
}

/// Why nothing becomes durable any more.
#[derive(Clone, Debug)]
pub enum Failure {
    /// A write or sync failed. It is never tried again: the system may have dropped what it could not write, and say
    /// "done" the second time.
    Disk(DiskError),
    /// A record is larger than a log takes.
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What would be right.
        most: usize,
    },
    /// The writer thread is gone, by a mistake of ours.
    WriterGone,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Disk(error) => error.fmt(f),
            Failure::TooLarge { bytes, most } => {
                write!(f, "a record of {bytes} bytes is too large: a log takes {most} at most")
            }
            Failure::WriterGone => {
                write!(f, "the thread that writes the log has stopped: start the node again")
            }
        }
    }
}

impl Error for Failure {}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::Disk(error)
    }
}
