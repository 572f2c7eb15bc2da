//! The digests of a file, of all its bytes, made while they come.
//!
//! Which ones are wanted is known when the file is looked at first ([`Digests::begin`]). What came before is then still in its window; only what did not fit
//! there is kept here until then, [`BEYOND_BYTES_MAX`] at most. A file of which more came before its first look has no digests.
//!
//! Not here: whose digests they are compared with (`hashes`).

use crate::app::Settings;
use md5::Digest;

/// Bytes beyond the window that may wait for the first look.
const BEYOND_BYTES_MAX: usize = 1 << 20;

/// Where they stand.
#[derive(Clone, Debug, Default)]
pub(super) enum Digests {
    /// Nobody has looked yet.
    #[default]
    Unasked,
    /// The same, and these bytes did not fit into the window.
    Waiting(Vec<u8>),
    /// Nobody wants any, or they cannot be told.
    None,
    /// All that came is in them.
    Running(Box<Running>),
    /// All of the file is in them.
    Told(Box<Told>),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    md5: Option<md5::Md5>,
    sha1: Option<sha1::Sha1>,
    sha256: Option<sha2::Sha256>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    md5: Option<[u8; 16]>,
    sha1: Option<[u8; 20]>,
    sha256: Option<[u8; 32]>,
}

impl Running {
    fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
    }
}

impl Digests {
    /// More of the file came, of which the first `kept` bytes went into its window.
    pub(super) fn add(&mut self, bytes: &[u8], kept: usize) {
        let beyond = bytes.get(kept..).unwrap_or_default();
        match self {
            Digests::Running(running) => running.update(bytes),
            Digests::Unasked if !beyond.is_empty() => {
                *self = Digests::Waiting(Vec::new());
                self.add(bytes, kept);
            }
            Digests::Waiting(waiting) if waiting.len() + beyond.len() > BEYOND_BYTES_MAX => {
                *self = Digests::None
            }
            Digests::Waiting(waiting) => waiting.extend_from_slice(beyond),
            Digests::Unasked | Digests::None | Digests::Told(_) => {}
        }
    }

    /// The file is looked at, perhaps for the first time: `window` is then all that came and fitted.
    pub(super) fn begin(&mut self, settings: &Settings, window: &[u8]) {
        let beyond = match self {
            Digests::Unasked => Vec::new(),
            Digests::Waiting(waiting) => std::mem::take(waiting),
            Digests::None | Digests::Running(_) | Digests::Told(_) => return,
        };
        if !(settings.md5 || settings.sha1 || settings.sha256) {
            *self = Digests::None;
            return;
        }
        let mut running = Running {
            md5: settings.md5.then(md5::Md5::new),
            sha1: settings.sha1.then(sha1::Sha1::new),
            sha256: settings.sha256.then(sha2::Sha256::new),
        };
        running.update(window);
        running.update(&beyond);
        *self = Digests::Running(Box::new(running));
    }

    /// All of the file came.
    pub(super) fn finish(&mut self) {
        if let Digests::Running(running) = self {
            let Running { md5, sha1, sha256 } = std::mem::take(&mut **running);
            *self = Digests::Told(Box::new(Told {
                md5: md5.map(|digest| digest.finalize().into()),
                sha1: sha1.map(|digest| digest.finalize().into()),
                sha256: sha256.map(|digest| digest.finalize().into()),
            }));
        }
    }

    pub(super) fn md5(&self) -> Option<&[u8; 16]> {
        self.told()?.md5.as_ref()
    }

    pub(super) fn sha1(&self) -> Option<&[u8; 20]> {
        self.told()?.sha1.as_ref()
    }

    pub(super) fn sha256(&self) -> Option<&[u8; 32]> {
        self.told()?.sha256.as_ref()
    }

    fn told(&self) -> Option<&Told> {
        match self {
            Digests::Told(told) => Some(told),
            _ => None,
        }
    }
}
