//! A folder for what is made on the way, which goes with its owner.

use super::trouble::Trouble;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that nobody else has.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one in `parent`.
    pub(super) fn new(parent: &Path) -> Result<Folder, Trouble> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("varangian-bench-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Folder(path)),
            Err(error) => Err(Trouble::File(path, error)),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

/// Whether what is in a folder is in memory alone. What cannot be asked is taken to be on a disk.
pub(super) fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the way of nobody: the next one has another name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
