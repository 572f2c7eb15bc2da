//! A log is made once, when its node is made; opening never makes one.
//!
//! Otherwise a node whose disk is not mounted would find an empty directory, take itself for new, and vote a second time on
//! what it has voted on before.
//!
//! Making: the directory (0700); an empty first segment, synced; the file that says which format this is, synced; the names in
//! the directory; the name of the directory. Without the last file there is no log, so a crash on the way leaves none.

use crate::entry::BLOCK_BYTES;
use crate::error::{DiskError, OpenError};
use crate::folder::{Folder, Name, sync_directory};
use crate::segment::{Head, draw_tag};
use agree::Position;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// What the lock file says.
pub(crate) const FORMAT: &str = "varangian log 1\n";

/// The mode of the directory.
const DIRECTORY_MODE: u32 = 0o700;

/// Makes an empty log in `directory`, which must be empty or not be there; the directory above it must.
///
/// # Errors
/// If something is there already, or the system refuses.
pub fn create(directory: &Path) -> Result<(), OpenError> {
    let failed = |error| DiskError::new("make", directory, error);
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_dir(directory).map_err(failed)?.next().is_some() {
                return Err(OpenError::NotEmpty { directory: directory.to_path_buf() });
            }
            fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE)).map_err(failed)?;
        }
        Err(error) => return Err(failed(error).into()),
    }
    let folder = Folder::new(directory);
    let file_bytes = BLOCK_BYTES as u64;
    let head =
        Head { number: 1, previous: 0, tag: draw_tag(), first: Position(1), file_bytes, snapshot: None };
    let segment = folder.create(Name::Segment(1))?;
    segment.write(0, &head.to_block())?;
    segment.sync()?;
    let lock = folder.create(Name::Lock)?;
    lock.write(0, FORMAT.as_bytes())?;
    lock.sync()?;
    folder.sync()?;
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty());
    sync_directory(above.unwrap_or(Path::new(".")))?;
    Ok(())
}
