//! The changes of the roster since the files were first made, as a file beside the configuration: `roster.changes`.
//!
//! One change a line, in Base64, the oldest first; each signed by an operator. So nobody need trust the file: a line that no operator
//! signed is an error, and whoever has the first roster can check all of it. The node learns the same from its log; the file
//! is for one that has no log yet, or was away while everybody it knew changed keys.
//!
//! Upon a new one: it takes the place of the old one whole, or not at all.

use super::ConfigError;
use crate::membership::Ed25519;
use agree::roster::chain::CHANGES_MAX;
use agree::roster::{Chain, Signed};
use base64ct::{Base64, Encoding};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::{Decode, Encode};

/// What the file is called.
pub const NAME: &str = "roster.changes";

/// Bytes of a line at most.
const LINE_BYTES_MAX: usize = 1024;

/// Where the changes beside the configuration `path` are.
#[must_use]
pub fn beside(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(NAME)
}

/// Takes into `chain` what stands in the file beside the configuration; nothing if there is none.
pub(super) fn load(folder: &Path, chain: &mut Chain) -> Result<(), ConfigError> {
    let path = folder.join(NAME);
    match File::open(&path) {
        Ok(file) => take(file, &path, chain),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ConfigError::Unreadable { path, error }),
    }
}

/// Reads the changes in a file that somebody has opened.
pub fn read(file: File, path: &Path) -> Result<Vec<Signed>, ConfigError> {
    let limit = (CHANGES_MAX * LINE_BYTES_MAX) as u64;
    let mut text = String::new();
    let unreadable = |error| ConfigError::Unreadable { path: path.to_path_buf(), error };
    file.take(limit + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > limit {
        return Err(ConfigError::file(path, format!("it has more than {limit} bytes; that is the most")));
    }
    let wrong = |index: usize| ConfigError::Wrong {
        path: path.to_path_buf(),
        line: Some(index + 1),
        what: "this is no change of a roster; right would be the file as `varangian` wrote it".to_string(),
    };
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            let bytes = Base64::decode_vec(line.trim()).map_err(|_| wrong(index))?;
            Signed::from_bytes(bytes.into()).map_err(|_| wrong(index))
        })
        .collect()
}

fn take(file: File, path: &Path, chain: &mut Chain) -> Result<(), ConfigError> {
    let changes = read(file, path)?;
    let taken = chain.take(&changes, &Ed25519);
    taken.map(|_| ()).map_err(|refusal| ConfigError::file(path, format!("a change in it: {refusal}")))
}

/// Writes the changes of `chain` beside a configuration in `folder`.
pub fn save(folder: &Path, chain: &Chain) -> io::Result<()> {
    let mut text = String::new();
    for signed in chain.after(agree::roster::Edition(0)) {
        text.push_str(&Base64::encode_string(&signed.to_bytes()));
        text.push('\n');
    }
    let (path, new) = (folder.join(NAME), folder.join(format!("{NAME}.new")));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()
}
