//! `eve.json`: written beside its place, and put there in one step once the run is complete.
//!
//! Upon a run that is complete, a capture that ended too early included: what lay there is replaced.
//! Upon anything else (a disk that is full, SIGINT, SIGTERM): what lay there stays, and whoever reads the error knows which file has the lines that were
//!   written until then. The next run begins that file anew.
//! Upon a second run into the same folder at the same time: an error, before anything is written.
//!
//! An `eve.json` that is no ordinary file (a pipe, a device) is written into as it is: there is nothing to keep.
//! Not here: flushing to the disk. After a loss of power, whoever wants the alerts replays the capture again.

use crate::say::complain;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError as Busy};
use std::thread;
use std::time::Duration;

/// What the file is called, and what it is called until it is complete.
const NAME: &str = "eve.json";
const PARTIAL_NAME: &str = "eve.json.partial";

/// How often, and how long each time, whoever interrupts waits for a line that is being written.
const INTERRUPTION_WAITS_MAX: u32 = 50;
const INTERRUPTION_WAIT: Duration = Duration::from_millis(10);
/// What shells make of a program that a signal ended: this and the signal's number.
const ENDED_BY_SIGNAL: i32 = 128;

/// Makes the folder, if it is not there.
pub(super) fn folder(path: &Path) -> Result<(), String> {
    if path.exists() && !path.is_dir() {
        return Err(format!("{}: is a file: a folder would be right, for {NAME} in it", path.display()));
    }
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The file while it is written.
pub(super) struct EveFile {
    places: Places,
    /// Nothing before it is there, and once it is complete.
    writer: Arc<Mutex<Option<BufWriter<File>>>>,
    /// As long as the folder is open and locked, nobody else writes there.
    _lock: Option<File>,
}

/// Where it is to be, and where it is until then.
#[derive(Clone)]
struct Places {
    end: PathBuf,
    until: PathBuf,
}

impl Places {
    /// What is to be said of the files when the run does not come to its end.
    fn left(&self) -> String {
        let Places { end, until } = self;
        if end == until {
            return format!("{} has what was written until then", end.display());
        }
        let stays = if end.exists() { "stays as it was" } else { "was not written" };
        format!("{} has what was written until then; {} {stays}", until.display(), end.display())
    }
}

impl EveFile {
    /// Begins the file in a folder that is there.
    pub(super) fn create(folder: &Path) -> Result<EveFile, String> {
        let lock = lock(folder)?;
        let end = folder.join(NAME);
        // A link leads to the file that is replaced.
        let end = fs::canonicalize(&end).unwrap_or(end);
        if end.is_dir() {
            return Err(format!("{}: is a folder, where a file is to be written", end.display()));
        }
        let is_ordinary = fs::metadata(&end).map_or(true, |data| data.is_file());
        let until = if is_ordinary { end.with_file_name(PARTIAL_NAME) } else { end.clone() };
        let places = Places { end, until };
        let writer = Arc::new(Mutex::new(None));
        watch_for_signals(&places, &writer).map_err(|error| format!("cannot wait for signals: {error}"))?;
        // Whoever sees the file can rely on what a signal does.
        let mut begun = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let file = File::create(&places.until);
        *begun = Some(BufWriter::new(file.map_err(|error| format!("{}: {error}", places.until.display()))?));
        drop(begun);
        Ok(EveFile { places, writer, _lock: lock })
    }

    /// Writes a line.
    pub(super) fn line(&self, line: &str) -> Result<(), String> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        let written = writer.write_all(line.as_bytes()).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|error| self.failed(&error))
    }

    /// Puts the file in its place: it is complete.
    pub(super) fn finish(self) -> Result<(), String> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Places { end, until } = &self.places;
        let flushed = writer.as_mut().map_or(Ok(()), Write::flush);
        let placed = flushed.and_then(|()| if end == until { Ok(()) } else { fs::rename(until, end) });
        *writer = None;
        placed.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("{}: {error}; {}", self.places.until.display(), self.places.left())
    }
}

/// Refuses a folder into which another run writes. Where folders cannot be locked (some network file systems) nobody is kept out.
fn lock(folder: &Path) -> Result<Option<File>, String> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::Error(_)) => Ok(None),
        Err(TryLockError::WouldBlock) => {
            Err(format!("{}: another replay is writing its {NAME} there", folder.display()))
        }
    }
}

/// From now on a signal ends the process with what was written and a word about it; a second one ends it at once.
fn watch_for_signals(places: &Places, writer: &Arc<Mutex<Option<BufWriter<File>>>>) -> io::Result<()> {
    let (which, has_come) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (mut news, sender) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, ENDED_BY_SIGNAL + signal, Arc::clone(&has_come))?;
        flag::register(signal, Arc::clone(&has_come))?;
        flag::register_usize(signal, Arc::clone(&which), usize::try_from(signal).unwrap_or_default())?;
        low_level::pipe::register(signal, sender.try_clone()?)?;
    }
    let (places, writer) = (places.clone(), Arc::clone(writer));
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if news.read_exact(&mut [0]).is_ok() {
            let signal = i32::try_from(which.load(Ordering::Relaxed)).unwrap_or_default();
            end(&places, &writer, ENDED_BY_SIGNAL + signal);
        }
    })?;
    Ok(())
}

/// Ends the process, with whole lines in the file unless somebody is stuck in the midst of one.
fn end(places: &Places, writer: &Mutex<Option<BufWriter<File>>>, code: i32) -> ! {
    let mut held = None;
    for _ in 0..INTERRUPTION_WAITS_MAX {
        held = match writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(Busy::Poisoned(writer)) => Some(writer.into_inner()),
            Err(Busy::WouldBlock) => None,
        };
        if held.is_some() {
            break;
        }
        thread::sleep(INTERRUPTION_WAIT);
    }
    if let Some(writer) = &mut held {
        // Not begun, or complete: there is nothing to say.
        let Some(writer) = writer.as_mut() else { exit(code) };
        let _ = writer.flush();
    }
    // Below the bar that shows how far it is.
    let line = if io::stderr().is_terminal() { "\n" } else { "" };
    complain!("{line}error: interrupted; {}", places.left());
    exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_there_stays_until_the_new_one_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let (end, until) = (folder.path().join(NAME), folder.path().join(PARTIAL_NAME));
        fs::write(&end, "old\n").expect("a file");
        let file = EveFile::create(folder.path()).expect("a file");
        file.line("new").expect("there is room");
        assert_eq!(fs::read_to_string(&end).expect("the file"), "old\n");
        file.finish().expect("there is room");
        assert_eq!(fs::read_to_string(&end).expect("the file"), "new\n");
        assert!(!until.exists());
        // One that is given up leaves its own beside it, and the next begins anew.
        drop(EveFile::create(folder.path()).expect("a file"));
        assert!(until.exists());
        EveFile::create(folder.path()).expect("a file").finish().expect("there is room");
        assert_eq!(fs::read_to_string(&end).expect("the file"), "");
    }

    #[test]
    fn two_runs_do_not_write_into_one_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = EveFile::create(folder.path()).expect("a file");
        let told = EveFile::create(folder.path()).err().expect("it is refused");
        assert!(told.contains("another replay"), "{told}");
        first.finish().expect("there is room");
        assert!(EveFile::create(folder.path()).is_ok());
    }

    #[test]
    fn a_file_is_no_folder() {
        let place = tempfile::NamedTempFile::new().expect("a file");
        assert!(folder(place.path()).is_err_and(|told| told.contains("is a file: a folder would be right")));
    }
}
