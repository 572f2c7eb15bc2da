//! Real processes that are killed: what one printed as durable is there afterwards.
//!
//! This program starts itself again with a directory in [`DIRECTORY`]; then it appends for ever and prints up to where
//! everything is durable. After a random time it is killed (SIGKILL). What was printed, and what is found, must agree.

use agree::{Position, Write};
use bytes::Bytes;
use std::env;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use store::{Log, Options};

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";

fn options() -> Options {
    // "image 50" stands in the log, "image 100" in a file.
    Options { segment_bytes: 64 << 10, inline_bytes_max: 8, ..Options::default() }
}

fn write_at(position: u64) -> Write {
    if position.is_multiple_of(50) {
        let image = Bytes::from(format!("image {position}"));
        return Write::Snapshot { image, keep_from: Position(position - 20) };
    }
    let mut record = format!("record {position} ").into_bytes();
    record.resize(20 + (position * 37 % 500) as usize, b'x');
    Write::Record(Bytes::from(record))
}

/// What the child does.
fn append_for_ever(directory: &Path) -> ! {
    let (news, hear) = std::sync::mpsc::channel();
    let (mut log, found) = Log::open(directory, options(), move || {
        let _ = news.send(());
    })
    .expect("it can be opened");
    let mut next = found.recovered.last.0 + 1;
    let mut out = std::io::stdout();
    loop {
        let burst = 1 + next % 7;
        log.append((next..next + burst).map(write_at)).expect("the log is sound");
        next += burst;
        hear.recv().expect("the log is open");
        writeln!(out, "durable {}", log.durable().expect("the log is sound").0).expect("the parent listens");
    }
}

fn check(directory: &Path, promised: u64) -> u64 {
    let (_log, found) =
        Log::open(directory, options(), || ()).expect("what a killed process leaves can be opened");
    let last = found.recovered.last.0;
    assert!(last >= promised, "{promised} was printed as durable, {last} is there");
    let snapshot = last / 50 * 50;
    let image = (snapshot > 0).then(|| Bytes::from(format!("image {snapshot}")));
    assert_eq!(found.recovered.snapshot, image);
    let first = if snapshot > 0 { snapshot - 20 } else { 1 };
    let records = (first..=last).filter_map(|position| match write_at(position) {
        Write::Record(record) => Some((Position(position), record)),
        Write::Snapshot { .. } => None,
    });
    assert!(
        found.recovered.records == records.collect::<Vec<_>>(),
        "records {first} to {last} are as they were written"
    );
    last
}

#[test]
fn what_a_killed_process_called_durable_is_there() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        append_for_ever(Path::new(&directory));
    }
    let place = tempfile::tempdir().expect("a temporary directory");
    store::create(place.path()).expect("an empty directory");
    let mut last = 0;
    for round in 0..12_u64 {
        let mut child = Command::new(env::current_exe().expect("it runs"))
            .args(["--exact", "what_a_killed_process_called_durable_is_there", "--nocapture"])
            .env(DIRECTORY, place.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts again");
        let mut promised = last;
        let lines_heard = 1 + round * round * 7;
        let mut lines =
            BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let durable = |line: String| line.strip_prefix("durable ").and_then(|number| number.parse().ok());
        for number in lines.by_ref().filter_map(durable).take(lines_heard as usize) {
            promised = number;
        }
        child.kill().expect("it runs");
        // What it printed before it died counts as well; the last line may be half a number.
        let mut rest: Vec<u64> = lines.filter_map(durable).collect();
        rest.pop();
        promised = rest.last().copied().unwrap_or(promised).max(promised);
        child.wait().expect("it ran");
        assert!(promised > last, "nothing became durable in round {round}");
        last = check(place.path(), promised);
    }
}
