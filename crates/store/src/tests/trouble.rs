//! What an operator may run into: each a clear error, none a wrong answer.

use super::{made, open, options, record, settle, snapshot};
use crate::entry::{self, BLOCK_BYTES, RECORD_BYTES_MAX};
use crate::folder::{Folder, Name};
use crate::log::{HERE_BYTES_MAX, MARK_AFTER, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
use crate::segment::Head;
use crate::{Failure, Log, OpenError, Options, PENDING_BYTES_MAX};
use agree::Position;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

#[test]
fn two_do_not_share_a_directory() {
    let place = made();
    let (log, _) = open(place.path()).expect("it was made");
    let error = open(place.path()).expect_err("it is open already");
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(log);
    open(place.path()).expect("it is not open any more");
}

#[test]
fn opening_never_makes_a_log() {
    let place = super::a_place();
    let error = open(place.path()).expect_err("nothing was made");
    assert!(matches!(error, OpenError::NoLog { .. }), "{error}");
    let error = open(&place.path().join("missing")).expect_err("nothing is there");
    assert!(error.to_string().contains("is its disk mounted"), "{error}");
    assert!(!place.path().join("missing").exists());
}

#[test]
fn a_log_is_not_made_where_something_is() {
    let place = made();
    let error = crate::create(place.path()).expect_err("a log is there");
    assert!(matches!(error, OpenError::NotEmpty { .. }), "{error}");
}

#[test]
fn only_its_owner_can_read_a_log() {
    let place = super::a_place();
    let directory = place.path().join("log");
    crate::create(&directory).expect("nothing is there");
    let (mut log, _) = open(&directory).expect("it was made");
    log.append([record("secret"), snapshot("secret", 1)]).expect("the log is sound");
    drop(log);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for entry in fs::read_dir(&directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn another_format_is_refused_by_name() {
    let place = made();
    fs::write(place.path().join("lock"), "varangian log 2\n").expect("it can be written");
    let error = open(place.path()).expect_err("it is of another version");
    assert!(error.to_string().contains("varangian log 2"), "{error}");
}

#[test]
fn impossible_segments_are_refused() {
    let place = made();
    for segment_bytes in [0, SEGMENT_BYTES_MIN - 1, SEGMENT_BYTES_MAX + 1] {
        let error =
            Log::open(place.path(), Options { segment_bytes, ..options() }, || ()).expect_err("impossible");
        assert!(matches!(error, OpenError::SegmentBytes { .. }), "{error}");
    }
}

#[test]
fn a_record_that_is_too_large_is_refused_and_what_came_before_it_is_kept() {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    let error = log.append([record("small"), record(vec![0; RECORD_BYTES_MAX + 1]), record("never")]);
    assert!(matches!(error, Err(Failure::TooLarge { .. })));
    settle(&mut log);
    assert_eq!(log.durable().expect("the log is sound"), Position(1));
    drop(log);
    assert_eq!(open(place.path()).expect("it is there").1.recovered.last, Position(1));
}

#[test]
fn a_log_that_broke_stays_broken_and_calls_nothing_more_durable() {
    let place = super::a_place();
    let directory = place.path().join("log");
    crate::create(&directory).expect("nothing is there");
    let (told, hear) = mpsc::channel();
    let (mut log, _) = Log::open(&directory, options(), move || {
        let _ = told.send(());
    })
    .expect("it was made");
    log.append([record("kept")]).expect("the log is sound");
    hear.recv().expect("it is durable");
    fs::rename(&directory, place.path().join("elsewhere")).expect("it can be renamed");
    let position = log.append([snapshot("the image", 1), record("lost")]).expect("nobody knows yet");
    hear.recv().expect("the failure is told too");
    let failure = log.durable().expect_err("a snapshot cannot be written");
    assert!(matches!(failure, Failure::Disk(_)), "{failure}");
    fs::rename(place.path().join("elsewhere"), &directory).expect("it can be renamed");
    log.append([record("too late")]).expect_err("it is broken for good");
    log.durable().expect_err("it is broken for good");
    drop(log);
    let found = open(&directory).expect("it is there").1;
    assert!(found.recovered.last < position, "{:?}", found.recovered.last);
    assert!(found.recovered.last >= Position(1));
}

#[test]
fn what_waits_is_bounded_and_nothing_is_lost_when_the_caller_has_to_wait() {
    let place = made();
    let (mut log, _) = Log::open(place.path(), Options { segment_bytes: 16 << 20, ..options() }, || ())
        .expect("it was made");
    let big = vec![7; PENDING_BYTES_MAX / 4];
    let last = log.append((0..9).map(|_| record(big.clone()))).expect("the log is sound");
    assert!(log.counts().waits_for_room >= 1, "{:?}", log.counts());
    settle(&mut log);
    assert_eq!(log.durable().expect("the log is sound"), last);
}

#[test]
fn what_is_quick_to_write_is_durable_at_once_and_marked_when_the_log_is_idle() {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    // The writer tidies first, and is busy then.
    while log.counts().flushes_here < 9 {
        let here = log.counts().flushes_here;
        let last = log.write([record("small")]).expect("the log is sound");
        if log.counts().flushes_here > here {
            assert_eq!(log.durable().expect("the log is sound"), last);
        }
        settle(&mut log);
    }
    let here = log.counts().flushes_here;
    log.write([record(vec![0; HERE_BYTES_MAX])]).expect("the log is sound");
    log.write([snapshot("image", 1)]).expect("the log is sound");
    settle(&mut log);
    assert_eq!(log.counts().flushes_here, here, "much, or an image, is the writer's");
    while log.counts().flushes_here == here {
        log.write([record("last")]).expect("the log is sound");
        settle(&mut log);
    }
    let last = log.last();
    let begun = Instant::now();
    while marked(place.path()) != Some(last) {
        assert!(begun.elapsed() < MARK_AFTER * 60, "an idle log says on disk that its last flush was whole");
        std::thread::sleep(MARK_AFTER / 20);
    }
}

/// Up to where the newest segment's marks call everything durable.
fn marked(directory: &Path) -> Option<Position> {
    let folder = Folder::new(directory);
    let newest = folder.names().expect("it can be listed").into_iter().rev().find(is_segment)?;
    let bytes = fs::read(folder.path(newest)).expect("it is there");
    let head = Head::from_bytes(&bytes)?;
    entry::marked_beyond(&bytes, head.tag, BLOCK_BYTES)
}

fn is_segment(name: &Name) -> bool {
    matches!(name, Name::Segment(_))
}

#[test]
fn a_record_larger_than_a_segment_is_kept() {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    let large = record(vec![9; 100_000]);
    let writes = [record("before"), large.clone(), record("after"), large];
    log.append(writes.clone()).expect("the log is sound");
    drop(log);
    // Twice: what opening wrote anew reads as well.
    for _ in 0..2 {
        assert_eq!(open(place.path()).expect("it is there").1.recovered, super::expected(&writes));
    }
}

#[test]
fn segments_and_snapshots_that_nothing_needs_go_and_restarts_leave_no_more() {
    // Entries and files take turns; what is left at last is one or the other.
    assert_eq!(files_of_snapshots_left(8), 1);
    assert_eq!(files_of_snapshots_left(7), 0);
}

fn files_of_snapshots_left(rounds: usize) -> usize {
    let place = made();
    let wakes = Arc::new(AtomicU64::new(0));
    for life in 0..30 {
        let of_log = Arc::clone(&wakes);
        let wake = move || {
            of_log.fetch_add(1, Ordering::Relaxed);
        };
        let (mut log, _) = Log::open(place.path(), options(), wake).expect("it is there");
        for round in 0..rounds {
            let last = log.append((0..20).map(|_| record(vec![1; 200]))).expect("the log is sound");
            let image = format!("{life} {round}").repeat([1, 9][round % 2]);
            log.append([snapshot(image, last.0 - 10)]).expect("the log is sound");
            settle(&mut log);
        }
    }
    drop(open(place.path()).expect("it is there"));
    let names = Folder::new(place.path()).names().expect("it can be listed");
    assert!(names.len() <= 10, "{names:?}");
    assert!(wakes.load(Ordering::Relaxed) > 0);
    names.iter().filter(|name| matches!(name, Name::Snapshot(_))).count()
}
