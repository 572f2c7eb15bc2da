//! Why a configuration is refused: where it stands, what was found, and what would be right.

use core::fmt;
use core::ops::Range;
use link::secret::SecretError;
use link::{Fingerprint, Holder};
use std::io;
use std::path::{Path, PathBuf};

/// Why a configuration is refused.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What stands in it is wrong.
    Wrong {
        /// In which file.
        path: PathBuf,
        /// In which line, from 1; nothing if it is about the whole file.
        line: Option<usize>,
        /// What was found, and what would be right.
        what: String,
    },
    /// A secret cannot be had.
    Secret(SecretError),
    /// A part is to have the rights of a user that cannot be had.
    User(rights::Error),
    /// The secret is another's.
    AnotherSecret {
        /// Which file holds it.
        path: PathBuf,
        /// Whose it should be.
        holder: Holder,
        /// What the cluster knows of that holder.
        pinned: Fingerprint,
        /// What the file holds.
        found: Fingerprint,
    },
}

impl ConfigError {
    pub(crate) fn file(path: &Path, what: impl Into<String>) -> ConfigError {
        ConfigError::Wrong { path: path.to_path_buf(), line: None, what: what.into() }
    }
}

/// What is wrong, and where in the text it stands.
pub(crate) struct Wrong {
    pub(crate) at: Option<Range<usize>>,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn at(at: Range<usize>, what: impl Into<String>) -> Wrong {
        Wrong { at: Some(at), what: what.into() }
    }

    pub(crate) fn in_file(self, path: &Path, text: &str) -> ConfigError {
        let line = self.at.map(|at| {
            let before = text.as_bytes().get(..at.start).unwrap_or(text.as_bytes());
            before.iter().filter(|byte| **byte == b'\n').count() + 1
        });
        ConfigError::Wrong { path: path.to_path_buf(), line, what: self.what }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { path, error } => write!(f, "{}: {error}", path.display()),
            ConfigError::Wrong { path, line: Some(line), what } => {
                write!(f, "{}:{line}: {what}", path.display())
            }
            ConfigError::Wrong { path, line: None, what } => write!(f, "{}: {what}", path.display()),
            ConfigError::Secret(error) => error.fmt(f),
            ConfigError::User(error) => error.fmt(f),
            ConfigError::AnotherSecret { path, holder, pinned, found } => write!(
                f,
                "{}: it belongs to the identity {found}, and {holder} has {pinned}; one of the two files is another's",
                path.display()
            ),
        }
    }
}

impl core::error::Error for ConfigError {}
