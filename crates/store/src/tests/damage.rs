//! Every byte of a small log flipped, every file cut at every length: refused, or the same as before.
//!
//! With one exception, which the head of the crate names: the last flush of a log that was not closed and has not been idle.

use super::{INLINE_BYTES_MAX, a_place, expected, made, open, options, record, settle, snapshot};
use crate::folder::{Folder, Name};
use crate::{OpenError, recover};
use agree::{Position, Recovered, Write};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files of a log, what was written to it, and how much of that was written before the last flush.
struct Small {
    files: BTreeMap<Name, Vec<u8>>,
    writes: Vec<Write>,
    before_last_flush: usize,
}

fn read_files(place: &Path) -> BTreeMap<Name, Vec<u8>> {
    let folder = Folder::new(place);
    let names = folder.names().expect("it can be listed");
    // Spares are of no interest; a segment that is just being retired is needed by nobody.
    let names = names.into_iter().filter(|name| !matches!(name, Name::Spare(_)));
    names.filter_map(|name| Some((name, fs::read(folder.path(name)).ok()?))).collect()
}

/// One that stands in the log, and one that gets a file.
const IMAGES: [&str; 2] = ["image", "the image"];

/// A log of several segments, with a snapshot.
fn small(closed: bool, image: &str) -> Small {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    let mut writes = Vec::new();
    let mut before_last_flush = 0;
    for burst in 0..7 {
        before_last_flush = writes.len();
        for index in 0..3 {
            let number = writes.len() + 1;
            writes.push(match (burst, index) {
                (3, 1) => snapshot(image, number as u64 - 4),
                _ => record(format!("record {number}").repeat(30)),
            });
        }
        log.append(writes[before_last_flush..].iter().cloned()).expect("the log is sound");
        settle(&mut log);
    }
    let files = if closed {
        drop(log);
        read_files(place.path())
    } else {
        read_files(place.path())
    };
    let in_files = files.keys().filter(|name| matches!(name, Name::Snapshot(_))).count();
    assert_eq!(in_files, usize::from(image.len() > INLINE_BYTES_MAX));
    assert!(files.len() >= 3 + in_files, "a lock, segments, maybe a snapshot: {:?}", files.keys());
    Small { files, writes, before_last_flush }
}

fn recovered(files: &BTreeMap<Name, Vec<u8>>) -> Result<Recovered, OpenError> {
    let place = a_place();
    let folder = Folder::new(place.path());
    for (name, bytes) in files {
        fs::write(folder.path(*name), bytes).expect("it can be written");
    }
    recover::open(place.path(), &options()).map(|opened| opened.found.recovered)
}

/// Opens `files` with one of them changed. Whether it was refused.
fn is_refused(small: &Small, closed: bool, name: Name, bytes: Vec<u8>, what: &str) -> bool {
    let mut files = small.files.clone();
    files.insert(name, bytes);
    match recovered(&files) {
        Err(OpenError::Rot(rot)) => {
            assert!(rot.to_string().contains("Wipe this node"), "{rot}");
            true
        }
        Err(OpenError::OtherFormat { .. }) => {
            assert_eq!(name, Name::Lock);
            true
        }
        Err(error) => panic!("{what} of {name:?}: {error}"),
        Ok(found) => {
            let least = if closed { small.writes.len() } else { small.before_last_flush };
            let last = found.last.0 as usize;
            assert!(last >= least, "{what} of {name:?}: {last} left of {}", small.writes.len());
            assert_eq!(found, expected(&small.writes[..last]), "{what} of {name:?}");
            false
        }
    }
}

fn flip_every_byte(closed: bool, image: &str) {
    let small = small(closed, image);
    let mut refused = 0;
    for (name, bytes) in &small.files {
        for at in 0..bytes.len() {
            // Where nothing is but zeros, one byte of a sector speaks for all.
            if bytes[at] == 0
                && at % 512 != 0
                && bytes[at / 512 * 512..].iter().take(512).all(|byte| *byte == 0)
            {
                continue;
            }
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            refused += u64::from(is_refused(&small, closed, *name, bytes, &format!("flipped byte {at}")));
        }
    }
    assert!(refused > 3000, "only {refused} flips were found out");
}

#[test]
fn no_flipped_byte_of_a_closed_log_goes_unseen() {
    for image in IMAGES {
        flip_every_byte(true, image);
    }
}

#[test]
fn a_flipped_byte_of_a_log_that_was_not_closed_costs_the_last_flush_at_most() {
    for image in IMAGES {
        flip_every_byte(false, image);
    }
}

#[test]
fn no_file_that_was_cut_goes_unseen() {
    for image in IMAGES {
        no_file_that_was_cut(image);
    }
}

fn no_file_that_was_cut(image: &str) {
    let small = small(true, image);
    let needed_segments = small.files.keys().filter(|name| matches!(name, Name::Segment(_))).count();
    for (name, bytes) in &small.files {
        let lengths =
            (0..bytes.len()).filter(|length| bytes.len() < 600 || length % 7 == 0 || length % 512 == 0);
        for length in lengths {
            let refused =
                is_refused(&small, true, *name, bytes[..length].to_vec(), &format!("length {length}"));
            assert!(refused, "{name:?} was cut to {length} bytes");
        }
    }
    assert!(needed_segments > 1);
}

#[test]
fn no_file_that_is_gone_goes_unseen() {
    for image in IMAGES {
        no_file_that_is_gone(image);
    }
}

fn no_file_that_is_gone(image: &str) {
    let small = small(true, image);
    let newest =
        *small.files.keys().filter(|name| matches!(name, Name::Segment(_))).max().expect("there are some");
    for name in small.files.keys().filter(|name| **name != newest) {
        let mut files = small.files.clone();
        files.remove(name);
        let error = recovered(&files).expect_err("something durable is gone");
        assert!(matches!(error, OpenError::Rot(_) | OpenError::NoLog { .. }), "{name:?}: {error}");
    }
}

#[test]
fn a_file_that_nothing_named_is_not_taken_for_a_snapshot_that_was_lost() {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    log.append([record("one"), record("two"), snapshot("image", 1)]).expect("the log is sound");
    settle(&mut log);
    drop(log);
    let folder = Folder::new(place.path());
    // Opening puts everything down again behind a head that names the snapshot.
    drop(recover::open(place.path(), &options()).expect("it is sound"));
    crate::snapshot::write(&folder, Position(3), &Bytes::from_static(b"stale")).expect("there is room");
    let newest =
        folder.names().expect("it can be listed").into_iter().filter(|name| matches!(name, Name::Segment(_)));
    let newest = folder.path(newest.max().expect("there is one"));
    let mut bytes = fs::read(&newest).expect("it is there");
    bytes[crate::BLOCK_BYTES + 2] ^= 1;
    fs::write(&newest, bytes).expect("it can be written");
    let error = recover::open(place.path(), &options()).expect_err("the snapshot does not read back");
    assert!(matches!(error, OpenError::Rot(_)), "{error}");
}

#[test]
fn what_was_refused_was_not_changed() {
    let mut small = small(true, "the image");
    let name = *small.files.keys().find(|name| matches!(name, Name::Snapshot(_))).expect("there is one");
    small.files.get_mut(&name).expect("there is one")[40] ^= 1;
    let place = a_place();
    let folder = Folder::new(place.path());
    for (name, bytes) in &small.files {
        fs::write(folder.path(*name), bytes).expect("it can be written");
    }
    open(place.path()).expect_err("the snapshot is damaged");
    assert_eq!(read_files(place.path()), small.files);
}

#[test]
fn an_idle_log_writes_down_that_its_last_flush_was_whole() {
    let place = made();
    let (mut log, _) = open(place.path()).expect("it was made");
    log.append([record("the last one")]).expect("the log is sound");
    settle(&mut log);
    let damaged = || {
        let mut files = read_files(place.path());
        let segments = files.iter_mut().filter(|(name, _)| matches!(name, Name::Segment(_)));
        let (_, newest) = segments.last().expect("there is one");
        let at = newest.windows(8).position(|window| window == b"the last").expect("it was written");
        newest[at] ^= 1;
        recovered(&files)
    };
    // Sooner or later; until then it looks like a flush that was cut short.
    while damaged().is_ok_and(|found| found.last.0 == 0) {
        std::thread::yield_now();
    }
    assert!(matches!(damaged(), Err(OpenError::Rot(_))));
    drop(log);
}
