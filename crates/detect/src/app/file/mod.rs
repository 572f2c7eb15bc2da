//! Files that protocols carry: name, size, type, content, digests.
//!
//! Upon a file that begins: the parser opens it in the [`Files`] of its transaction, appends what comes and closes it.
//! Before rules are asked: [`Files::prepare`] works out what they want of files: the type once `TYPE_BYTES_MIN` bytes are there or the
//! file is over, digests of all bytes, those beyond what is looked at among them.
//! Upon a rule: names are shown at once, content as [`Body`] shows it, and only what was not shown before; size and digests are judged when
//! the file is over.
//!
//! `keyword` is what rules can ask, `hashes` lists of digests, `digest` the digests of one file, `magic` its type, `record` what is written down.
//!
//! Not here: files are not kept; `filestore` holds of every file and stores none.

mod digest;
mod hashes;
mod keyword;
pub(crate) mod magic;
mod record;
#[cfg(test)]
mod tests;

pub use keyword::{DATA, KEYWORDS, MAGIC, NAME, Named, named};
pub use record::record;

use super::{Body, BodyLimits, Piece, Ready, Settings, Verdict};
use crate::app::Field;
use digest::Digests;
use std::fmt;
use std::sync::Arc;

/// How files are looked at where a protocol has no limits of its own: all of them, for the first time when 32 KiB are there, nothing twice.
pub const FILE_LIMITS: BodyLimits =
    BodyLimits { bytes_max: u64::MAX, first_bytes_min: 32 * 1024, overlap_bytes: 0 };
/// Files of one transaction at most; later ones are not looked at.
const FILES_MAX: usize = 32;
/// Bytes of a name at most; the rest is cut off.
const NAME_BYTES_MAX: usize = 1024;
/// Bytes that must be there for the type to be told, unless the file is over.
const TYPE_BYTES_MIN: u64 = 512;

/// What a condition on a file needs to be worked out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Nothing but what is known anyway.
    Nothing,
    /// The MD5.
    Md5,
    /// The SHA-1.
    Sha1,
    /// The SHA-256.
    Sha256,
}

/// A condition on a file.
#[derive(Clone)]
pub struct FileTest {
    needs: Needs,
    check: Arc<dyn Fn(&File) -> Verdict + Send + Sync>,
}

impl FileTest {
    /// A condition.
    pub fn new(needs: Needs, check: impl Fn(&File) -> Verdict + Send + Sync + 'static) -> Self {
        FileTest { needs, check: Arc::new(check) }
    }

    /// What it says of `file`.
    #[must_use]
    pub fn check(&self, file: &File) -> Verdict {
        (self.check)(file)
    }
}

impl fmt::Debug for FileTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileTest").field("needs", &self.needs).finish_non_exhaustive()
    }
}

/// The fields that show what is in files, bodies that are files among them.
pub(crate) const CONTENT: [Field; 3] = [DATA, MAGIC, super::http::field::REQUEST_BODY];

/// Notes what the conditions of the rules need.
pub(crate) fn wanted<'a>(settings: &mut Settings, tests: impl IntoIterator<Item = &'a FileTest>) {
    for test in tests {
        match test.needs {
            Needs::Nothing => {}
            Needs::Md5 => settings.md5 = true,
            Needs::Sha1 => settings.sha1 = true,
            Needs::Sha256 => settings.sha256 = true,
        }
    }
}

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
    /// Bytes of it were lost on the way, and zeros stand for them.
    pub has_gaps: bool,
    magic: Option<String>,
    digests: Digests,
}

impl File {
    /// What type of file it is, in `libmagic`'s words, once that is known and if somebody asks.
    #[must_use]
    pub fn magic(&self) -> Option<&str> {
        self.magic.as_deref()
    }

    /// Its MD5, once all of it came and if somebody asks.
    #[must_use]
    pub fn md5(&self) -> Option<&[u8; 16]> {
        self.digests.md5()
    }

    /// Its SHA-1, likewise.
    #[must_use]
    pub fn sha1(&self) -> Option<&[u8; 20]> {
        self.digests.sha1()
    }

    /// Its SHA-256, likewise.
    #[must_use]
    pub fn sha256(&self) -> Option<&[u8; 32]> {
        self.digests.sha256()
    }

    fn prepare(&mut self, settings: &Settings) {
        if self.magic.is_none() && settings.wants(MAGIC) {
            self.tell_type();
        }
        self.digests.begin(settings, self.body.window());
        if self.ending == Ending::Closed {
            self.digests.finish();
        }
        if settings.counts_files {
            self.body.only_count();
        }
    }

    /// The type is told of what is there: more may come, and would not change what was told.
    fn tell_type(&mut self) {
        let is_decided = self.ending != Ending::Open || self.body.total() >= TYPE_BYTES_MIN;
        if is_decided && self.body.total() > 0 && self.body.begins_at() == 0 {
            self.magic = Some(magic::describe(self.body.window()));
        }
    }

    fn show(&self, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
        match field {
            NAME => show(Piece::whole(&self.name)),
            MAGIC => {
                if let Some(magic) = &self.magic {
                    show(Piece::whole(magic.as_bytes()));
                }
            }
            DATA if !self.body.is_seen() => {
                if let Some(piece) = self.body.piece() {
                    show(piece);
                }
            }
            _ => {}
        }
    }
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
        if self.list.is_empty() {
            // Most carry one alone.
            self.list.reserve_exact(1);
        }
        self.list.push(File {
            name: name[..name.len().min(NAME_BYTES_MAX)].to_vec(),
            ending: Ending::Open,
            body: Body::new(limits),
            has_gaps: false,
            magic: None,
            digests: Digests::default(),
        });
        Some(self.list.len() - 1)
    }

    /// Bytes of memory that their contents hold.
    pub(crate) fn held_bytes(&self) -> usize {
        self.list.iter().map(|file| file.body.held_bytes()).sum()
    }

    /// The file at `place` is announced to have so many bytes.
    pub fn expect(&mut self, place: usize, bytes: u64) {
        if let Some(file) = self.list.get_mut(place) {
            file.body.expect(bytes);
        }
    }

    /// Adds bytes to the file at `place`, while it is open.
    pub fn append(&mut self, place: usize, bytes: &[u8]) {
        if let Some(file) = self.open_at(place) {
            let kept = file.body.append(bytes);
            file.digests.add(bytes, kept);
        }
    }

    /// Zeros are about to be added to the file at `place` for bytes that were lost.
    pub fn note_gap(&mut self, place: usize) {
        if let Some(file) = self.open_at(place) {
            file.has_gaps = true;
        }
    }

    /// Ends the file at `place`. One with gaps is not whole.
    pub fn close(&mut self, place: usize, ending: Ending) {
        if let Some(file) = self.open_at(place) {
            file.ending = if file.has_gaps { Ending::Truncated } else { ending };
            file.body.finish();
        }
    }

    fn open_at(&mut self, place: usize) -> Option<&mut File> {
        self.list.get_mut(place).filter(|file| file.ending == Ending::Open)
    }

    /// All of them, in the order in which they began.
    #[must_use]
    pub fn list(&self) -> &[File] {
        &self.list
    }

    /// Works out what is wanted of them. To be called before rules are asked.
    pub fn prepare(&mut self, settings: &Settings) {
        for file in &mut self.list {
            file.prepare(settings);
        }
    }

    /// How much there is of a field of files: never all, since another file may come as long as the transaction is open.
    #[must_use]
    pub fn ready(&self, field: Field) -> Ready {
        let has_some = self.list.iter().any(|file| match field {
            NAME => true,
            MAGIC => file.magic.is_some(),
            DATA => file.body.ready() != Ready::No && !file.body.is_seen(),
            _ => false,
        });
        if has_some { Ready::Part } else { Ready::No }
    }

    /// Shows the values of a field of files: names, types, or the content that was not shown before.
    pub fn visit(&self, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
        for file in &self.list {
            file.show(field, show);
        }
    }

    /// Their content was looked at.
    pub fn inspected(&mut self) {
        for file in &mut self.list {
            file.body.inspected();
        }
    }
}
