//! How often the monitor of a node was started.
//!
//! A monitor that was started again has forgotten, and must not be taken for the one before. So the number of its start is on disk
//! before it begins, and never comes twice: a file that is missing or damaged is an error, not a beginning.

use agree::roster::Edition;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name of the file in the node's data.
const NAME: &str = "monitor.starts";

/// Nobody else's business.
const MODE: u32 = 0o600;

fn file(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// Starts of the monitor of one machine at most. The machines that follow one another in the seat of a node count from further on.
const STARTS_OF_A_MACHINE_BITS: u32 = 32;

/// The first start of a machine that the change `admitted` of the roster put into its seat: later than any of those before it.
fn first_of(admitted: Edition) -> u64 {
    admitted.0 << STARTS_OF_A_MACHINE_BITS
}

/// Makes the file of a machine on which the node's monitor never ran. It must not be there.
pub fn create(data: &Path, admitted: Edition) -> io::Result<()> {
    let path = file(data);
    let mut file = File::options().write(true).create_new(true).mode(MODE).open(&path)?;
    file.write_all(format!("{}\n", first_of(admitted)).as_bytes())?;
    file.sync_all()?;
    File::open(data)?.sync_all()
}

/// The number of the start that begins now.
pub fn next(data: &Path) -> io::Result<u64> {
    let path = file(data);
    let text = fs::read_to_string(&path)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no number", path.display()));
    let starts: u64 = text.trim_end().parse().map_err(|_| wrong())?;
    let next = starts.checked_add(1).ok_or_else(wrong)?;
    let new = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(MODE).open(&new)?;
    file.write_all(format!("{next}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(data)?.sync_all()?;
    Ok(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_starts_have_one_number_and_a_missing_file_is_no_beginning() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(next(folder.path()).is_err());
        create(folder.path(), Edition(3)).expect("it is new");
        assert!(create(folder.path(), Edition(3)).is_err(), "it is made once");
        for start in (3 << 32)..(3 << 32) + 3 {
            assert_eq!(next(folder.path()).expect("it is there"), start);
        }
        fs::write(file(folder.path()), "x").expect("it can be written");
        assert!(next(folder.path()).is_err());
    }
}
