//! Files that protocols carry: name, size, content, hashes.
//!
//! A parser opens a file in the [`Files`] of its transaction, appends what comes and closes it; keywords for files look at it through the
//! transaction, whatever the protocol.

use super::{Body, BodyLimits, Keyword, Piece, Settings, Verdict};
use crate::app::Field;
use std::fmt;
use std::sync::Arc;

/// The keywords for files.
pub static KEYWORDS: &[Keyword] = &[];

/// Adds what the fields that are wanted need.
pub(crate) fn wanted(_settings: &mut Settings) {}

/// A condition on a file.
#[derive(Clone)]
pub struct FileTest(Arc<dyn Fn(&File) -> Verdict + Send + Sync>);

impl FileTest {
    /// A condition.
    pub fn new(check: impl Fn(&File) -> Verdict + Send + Sync + 'static) -> Self {
        FileTest(Arc::new(check))
    }

    /// What it says of `file`.
    #[must_use]
    pub fn check(&self, file: &File) -> Verdict {
        (self.0)(file)
    }
}

impl fmt::Debug for FileTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FileTest")
    }
}

/// How a file's bytes are looked at.
pub const FILE_LIMITS: BodyLimits =
    BodyLimits { bytes_max: 100 * 1024, first_bytes_min: 32 * 1024, overlap_bytes: 4 * 1024 };
/// Files of one transaction at most; later ones are not looked at.
const FILES_MAX: usize = 32;
/// Bytes of a name at most; the rest is cut off.
const NAME_BYTES_MAX: usize = 1024;

/// How a file ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It has not.
    Open,
    /// All of it came.
    Closed,
    /// A part is missing.
    Truncated,
}

/// A file.
#[derive(Clone, Debug)]
pub struct File {
    /// As the protocol names it.
    pub name: Vec<u8>,
    /// How it ended.
    pub ending: Ending,
    /// Its content.
    pub body: Body,
}

/// The files that one transaction carries in one direction.
#[derive(Clone, Debug, Default)]
pub struct Files {
    list: Vec<File>,
}

impl Files {
    /// Begins a file; its place, or nothing if there are too many.
    pub fn open(&mut self, name: &[u8], limits: BodyLimits) -> Option<usize> {
        if self.list.len() >= FILES_MAX {
            return None;
        }
        let name = name[..name.len().min(NAME_BYTES_MAX)].to_vec();
        self.list.push(File { name, ending: Ending::Open, body: Body::new(limits) });
        Some(self.list.len() - 1)
    }

    /// The file at `place` is announced to have so many bytes.
    pub fn expect(&mut self, place: usize, bytes: u64) {
        if let Some(file) = self.list.get_mut(place) {
            file.body.expect(bytes);
        }
    }

    /// Adds bytes to the file at `place`, while it is open.
    pub fn append(&mut self, place: usize, bytes: &[u8]) {
        if let Some(file) = self.list.get_mut(place).filter(|file| file.ending == Ending::Open) {
            file.body.append(bytes);
        }
    }

    /// Ends the file at `place`.
    pub fn close(&mut self, place: usize, ending: Ending) {
        if let Some(file) = self.list.get_mut(place).filter(|file| file.ending == Ending::Open) {
            file.ending = ending;
            file.body.finish();
        }
    }

    /// All of them, in the order in which they began.
    #[must_use]
    pub fn list(&self) -> &[File] {
        &self.list
    }

    /// Shows the values of a field of files: names, contents.
    pub fn visit(&self, _field: Field, _show: &mut dyn FnMut(Piece<'_>)) {}

    /// Their content was looked at.
    pub fn inspected(&mut self) {
        for file in &mut self.list {
            file.body.inspected();
        }
    }
}
