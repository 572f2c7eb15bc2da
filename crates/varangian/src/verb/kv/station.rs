//! Which station a process is, so that a thousand calls in a row are not a thousand sessions that the cluster must remember.
//!
//! In the folder `stations` beside the client's configuration lie files, each named after a number that was drawn once.
//!
//! Upon a process: it locks the first file that nobody has locked and takes its number; without one, it draws a number and makes a
//!   file. The lock ends with the process, whatever ends it. The timestamps of a session begin with the calendar, so nobody
//!   mistakes it for the process before.
//! Upon a file that was last taken later than it is now: the clock was set back, and what we would say would be older than what the
//!   cluster has heard of that number, so nobody would answer. Then the number is left alone until the clock has caught up.
//! Upon a folder that cannot be written, or [`STATIONS_MAX`] files that are all locked: nothing; then the number is drawn and not kept.

use link::secret::random_number;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::SystemTime;
use wire::ClientId;

/// Numbers that are kept at most.
const STATIONS_MAX: usize = 256;

/// A number that is ours until this is dropped.
pub(crate) struct Station {
    number: u32,
    lock: File,
}

impl Station {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

/// Takes a number for the client whose configuration is `config`.
pub(crate) fn take(config: &Path) -> Option<Station> {
    let folder = config.parent()?.join("stations");
    let _ = DirBuilder::new().mode(0o700).create(&folder);
    let entries = fs::read_dir(&folder).ok()?;
    let name_of = |entry: fs::DirEntry| entry.file_name().into_string().ok()?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = entries.flatten().filter_map(name_of).collect();
    numbers.retain(|number| *number <= ClientId::STATION_MAX);
    numbers.sort_unstable();
    let kept = numbers.iter().find_map(|number| lock(&folder, *number));
    if kept.is_some() || numbers.len() >= STATIONS_MAX {
        return kept;
    }
    let drawn = random_number().ok()? & u64::from(ClientId::STATION_MAX);
    lock(&folder, drawn as u32)
}

fn lock(folder: &Path, number: u32) -> Option<Station> {
    let path = folder.join(number.to_string());
    let lock = File::options().create(true).append(true).open(path).ok()?;
    lock.try_lock().ok()?;
    let now = SystemTime::now();
    if lock.metadata().and_then(|file| file.modified()).ok()? > now {
        return None;
    }
    lock.set_modified(now).ok()?;
    Some(Station { number, lock })
}

impl Drop for Station {
    fn drop(&mut self) {
        // One that cannot be written says when it was taken, which is as good unless it asked for more than the clock told.
        let _ = self.lock.set_modified(SystemTime::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_process_s_at_a_time_and_then_the_next_one_s() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("client.toml");
        let first = take(&config).expect("the folder can be written");
        let second = take(&config).expect("the folder can be written");
        assert_ne!(first.number(), second.number());
        let both = [first.number(), second.number()];
        drop((first, second));
        let third = take(&config).expect("the folder can be written");
        assert!(both.contains(&third.number()));
    }

    #[test]
    fn a_number_that_was_taken_later_than_now_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("client.toml");
        let first = take(&config).expect("the folder can be written").number();
        let file = File::options().append(true).open(folder.path().join("stations").join(first.to_string()));
        let later = SystemTime::now() + core::time::Duration::from_secs(600);
        file.and_then(|file| file.set_modified(later)).expect("it is ours");
        let second = take(&config).expect("another number is drawn").number();
        assert_ne!(first, second);
        assert_eq!(take(&config).expect("it is free again").number(), second);
    }

    #[test]
    fn without_a_folder_there_is_none() {
        assert!(take(Path::new("/nowhere/at/all/client.toml")).is_none());
    }
}
