//! Puts a file in the place of another, in one step: whoever reads it finds the old one or the new one, whole.
//!
//! The new one is written beside it, flushed to the disk, and renamed; the folder is flushed as well, so that a loss of power does not undo it. One that is
//! the same already is left alone. A link leads to the file that is replaced; permissions stay as they were.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Placed {
    /// There is another file there now.
    Written,
    /// The same was there already.
    Unchanged,
}

/// Puts `bytes` where `path` says.
pub(super) fn place(path: &Path, bytes: &[u8]) -> Result<Placed, String> {
    put(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<Placed> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is a folder; the name of a file would be right",
        ));
    }
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = fs::metadata(&path).ok();
    if before.as_ref().is_some_and(|before| before.len() == bytes.len() as u64) && fs::read(&path)? == bytes {
        return Ok(Placed::Unchanged);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.{}.new", process::id()));
    let written = write(&beside, bytes, before.as_ref()).and_then(|()| fs::rename(&beside, &path));
    if let Err(error) = written {
        // What is left of it would only confuse.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    File::open(&folder)?.sync_all()?;
    Ok(Placed::Written)
}

fn write(path: &Path, bytes: &[u8], before: Option<&fs::Metadata>) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    if let Some(before) = before {
        file.set_permissions(before.permissions())?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_file_is_replaced_as_a_whole_with_its_permissions_and_through_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("deep/r.rules"), folder.path().join("link"));
        assert_eq!(place(&file, b"one"), Ok(Placed::Written));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("it is ours");
        symlink(&file, &link).expect("a link");
        assert_eq!(place(&link, b"two"), Ok(Placed::Written));
        assert_eq!(fs::read(&file).expect("the file"), b"two");
        assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o640);
        assert_eq!(place(&file, b"two"), Ok(Placed::Unchanged));
        let left: Vec<_> = fs::read_dir(folder.path().join("deep")).expect("the folder").collect();
        assert_eq!(left.len(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(place(folder.path(), b"one").is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}
