//! Disks that are really full, file systems that are really read-only, and limits on the size of files.
//!
//! What needs a file system of its own needs root; without, it says that it was skipped.

use agree::{Position, Write};
use bytes::Bytes;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::{Failure, Log, OpenError, Options};

fn options() -> Options {
    Options { segment_bytes: 64 << 10, ..Options::default() }
}

/// How a caller keeps what it has.
#[derive(Clone, Copy)]
enum Way {
    Append,
    Write,
}

/// One test at a time: while another program is being started a copy of this process has all files open, another test's log among them,
/// which nobody may open then.
static STARTING: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file system in memory.
struct Mounted {
    place: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Mounted {
    fn new(size: &str) -> Option<Mounted> {
        let alone = alone();
        let place = tempfile::tempdir().expect("a temporary directory");
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"], place.path());
        if !mounted {
            println!("SKIPPED: a file system can only be mounted by root");
        }
        mounted.then_some(Mounted { place, _alone: alone })
    }

    fn directory(&self) -> PathBuf {
        self.place.path().join("log")
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(place).output();
    status.is_ok_and(|output| output.status.success())
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.place.path()).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()) || std::thread::panicking(),
            "it can be unmounted"
        );
    }
}

/// Keeps more and more until the log breaks: what was durable last, and why it broke.
fn keep_until_broken(directory: &Path, way: Way, options: Options) -> (Position, Failure) {
    let (news, hear) = std::sync::mpsc::channel();
    let (mut log, _) = Log::open(directory, options, move || {
        let _ = news.send(());
    })
    .expect("there is room yet");
    let mut durable = log.durable().expect("it was sound");
    let broken = |log: &mut Log, failure| {
        for way in [Log::append, Log::write] {
            way(log, [Write::Record(Bytes::new())]).expect_err("a log that broke takes nothing more");
        }
        log.durable().expect_err("nor does it call anything durable");
        failure
    };
    loop {
        let record = Write::Record(Bytes::from(vec![b'x'; 5000]));
        let written = match way {
            Way::Append => log.append([record]),
            Way::Write => log.write([record]),
        };
        if log.durable().is_ok_and(|now| now == durable) {
            hear.recv().expect("it always has news: a position or a failure");
        }
        match log.durable() {
            Ok(position) => durable = position,
            Err(failure) => return (durable, broken(&mut log, failure)),
        }
        written.expect("it was sound");
    }
}

fn must_hold(directory: &Path, durable: Position) {
    let (_log, found) = Log::open(directory, options(), || ()).expect("there is room again");
    assert!(found.recovered.last >= durable, "{durable:?} was durable, {:?} is there", found.recovered.last);
    assert_eq!(found.recovered.records.len() as u64, found.recovered.last.0);
}

#[test]
fn a_full_disk_breaks_the_log_and_loses_nothing_that_was_durable() {
    let Some(mounted) = Mounted::new("1m") else { return };
    let directory = mounted.directory();
    store::create(&directory).expect("there is room");
    let (durable, failure) = keep_until_broken(&directory, Way::Append, options());
    assert!(failure.to_string().contains("the disk is full"), "{failure}");
    assert!(durable >= Position(50), "a megabyte holds more than {durable:?}");
    let error = Log::open(&directory, options(), || ());
    if let Err(error) = error {
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
    assert!(mount(&["-o", "remount,size=4m"], mounted.place.path()), "the disk grows");
    must_hold(&directory, durable);
}

#[test]
fn a_read_only_file_system_is_said_to_be_one() {
    let Some(mounted) = Mounted::new("1m") else { return };
    let directory = mounted.directory();
    store::create(&directory).expect("there is room");
    assert!(mount(&["-o", "remount,ro"], mounted.place.path()), "root may do that");
    let error = Log::open(&directory, options(), || ()).expect_err("nothing can be written");
    assert!(matches!(&error, OpenError::Disk(_)) && error.to_string().contains("read-only"), "{error}");
}

const DIRECTORY: &str = "STORE_TEST_LIMITED_DIRECTORY";

/// Runs the test `name` again, in a process that may write 64 KiB into a file and no more, and has it keep things in a log that
/// has spares of `options` already. What it says was durable is there afterwards.
///
/// A shell sets the limit and ignores the signal that would kill; both are handed down to the program that it becomes.
fn under_a_limit(name: &str, way: Way, options: Options) {
    if let Some(directory) = env::var_os(DIRECTORY) {
        let (durable, failure) = keep_until_broken(Path::new(&directory), way, options);
        println!("durable {} then {failure}", durable.0);
        return;
    }
    let _alone = alone();
    let place = tempfile::tempdir().expect("a temporary directory");
    let directory = place.path().join("log");
    store::create(&directory).expect("there is room");
    let (mut log, _) = Log::open(&directory, options, || ()).expect("there is room");
    log.append([Write::Record(Bytes::from(vec![b'y'; 10_000]))]).expect("the log is sound");
    drop(log);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""])
        .arg(env::current_exe().expect("it runs"))
        .args(["--exact", name, "--nocapture"])
        .env(DIRECTORY, &directory)
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("RLIMIT_FSIZE"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let durable = said.split("durable ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    must_hold(&directory, Position(durable.expect("it said so")));
}

#[test]
fn a_segment_that_cannot_be_made_breaks_the_log_and_loses_nothing_that_was_durable() {
    // There are spares of 64 KiB, which may be written to; another one may not be made.
    let name = "a_segment_that_cannot_be_made_breaks_the_log_and_loses_nothing_that_was_durable";
    under_a_limit(name, Way::Append, options());
}

#[test]
fn a_flush_that_fails_on_the_callers_thread_breaks_the_log_and_loses_nothing_that_was_durable() {
    // The spares are larger than what may be written.
    let name = "a_flush_that_fails_on_the_callers_thread_breaks_the_log_and_loses_nothing_that_was_durable";
    under_a_limit(name, Way::Write, Options { segment_bytes: 1 << 20, ..Options::default() });
}
