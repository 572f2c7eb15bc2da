//! How fast the log is on this disk, and what opening costs.
//!
//!     cargo run --release -p store --example log_speed -- DIRECTORY           # appending, beside raw fdatasync
//!     cargo run --release -p store --example log_speed -- DIRECTORY only raw  # what has "raw" in its name
//!     cargo run --release -p store --example log_speed -- DIRECTORY open 10   # opening a log of 10 GB
//!
//! Everything is measured in turns within one run, so that a noisy neighbour hits all of it; medians of the turns.

use agree::{Position, Write};
use bytes::Bytes;
use std::env;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use store::{Durability, Log, Options};

/// One measurement takes so long.
const TURN: Duration = Duration::from_millis(700);

/// Each is taken so many times.
const TURNS: usize = 5;

const RECORD_BYTES: usize = 200;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let directory = PathBuf::from(arguments.first().expect("usage: log_speed DIRECTORY [open GIGABYTES]"));
    fs::create_dir_all(&directory).expect("the directory can be made");
    match arguments.get(1).map(String::as_str) {
        Some("open") => {
            opening(&directory, arguments.get(2).and_then(|number| number.parse().ok()).unwrap_or(10))
        }
        Some("only") => appending(&directory, arguments.get(2).map_or("", String::as_str)),
        _ => appending(&directory, ""),
    }
}

/// What can be measured for one turn; the result is a number of something a second.
type Measure<'a> = (&'a str, Box<dyn Fn() -> f64 + 'a>);

fn appending(directory: &Path, only: &str) {
    let log = |name: &str, burst, durability| {
        let place = directory.join(name);
        move || one_log(&place, burst, durability, None)
    };
    let measures: Vec<Measure<'_>> = vec![
        ("raw fdatasync, zeros written before", Box::new(|| raw(directory, Ready::Zeros))),
        ("raw fdatasync, fallocated", Box::new(|| raw(directory, Ready::Allocated))),
        ("raw fdatasync, growing file", Box::new(|| raw(directory, Ready::Growing))),
        ("one by one", Box::new(log("one", 1, Durability::Fsync))),
        ("bursts of 64", Box::new(log("b64", 64, Durability::Fsync))),
        ("bursts of 1,000", Box::new(log("b1000", 1000, Durability::Fsync))),
        ("one by one, async", Box::new(log("a1", 1, Durability::Async))),
        ("bursts of 1,000, async", Box::new(log("a1000", 1000, Durability::Async))),
        ("three logs, one by one", Box::new(|| three_logs(directory, 1))),
        ("three logs, bursts of 64", Box::new(|| three_logs(directory, 64))),
        ("three logs, bursts of 1,000", Box::new(|| three_logs(directory, 1000))),
        (
            "bursts of 64, a snapshot of 64 KiB every 128 bursts",
            Box::new(|| one_log(&directory.join("s64"), 64, Durability::Fsync, Some(64 << 10))),
        ),
        (
            "bursts of 64, a snapshot of 1 MiB every 128 bursts",
            Box::new(|| one_log(&directory.join("s1m"), 64, Durability::Fsync, Some(1 << 20))),
        ),
    ];
    let measures: Vec<_> = measures.into_iter().filter(|(name, _)| name.contains(only)).collect();
    let mut rates = vec![Vec::new(); measures.len()];
    for _ in 0..TURNS {
        for ((_, measure), rates) in measures.iter().zip(&mut rates) {
            rates.push(measure());
        }
    }
    println!("{:<55} {:>12} {:>12} {:>12}", "a second", "least", "median", "most");
    for ((name, _), rates) in measures.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        println!("{name:<55} {:>12.0} {:>12.0} {:>12.0}", rates[0], rates[TURNS / 2], rates[TURNS - 1]);
    }
}

/// What a file is before it is written to.
#[derive(Clone, Copy)]
enum Ready {
    Zeros,
    Allocated,
    Growing,
}

/// Writes a block and syncs it, one after the other.
fn raw(directory: &Path, ready: Ready) -> f64 {
    let path = directory.join("raw");
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .expect("it can be made");
    let bytes = 32 << 20;
    match ready {
        Ready::Zeros => {
            (0..bytes >> 20).for_each(|at| file.write_all_at(&[0; 1 << 20], at << 20).expect("there is room"))
        }
        Ready::Allocated => {
            let allocated =
                std::process::Command::new("fallocate").args(["-l", &bytes.to_string()]).arg(&path).status();
            assert!(allocated.is_ok_and(|status| status.success()), "fallocate(1) is there");
        }
        Ready::Growing => {}
    }
    file.sync_all().expect("it can be synced");
    let (begun, mut count) = (Instant::now(), 0_u64);
    while begun.elapsed() < TURN {
        file.write_all_at(&[7; 4096], count * 4096 % bytes).expect("there is room");
        file.sync_data().expect("it can be synced");
        count += 1;
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    drop(file);
    fs::remove_file(path).expect("it is there");
    rate
}

/// Records a second, by a caller that hands over a burst and waits until it is durable.
fn one_log(directory: &Path, burst: usize, durability: Durability, image_bytes: Option<usize>) -> f64 {
    store::create(directory).expect("nothing is there");
    let caller = thread::current();
    let options = Options { durability, ..Options::default() };
    let (mut log, _) = Log::open(directory, options, move || caller.unpark()).expect("it was made");
    let record = Bytes::from(vec![7; RECORD_BYTES]);
    let image = Bytes::from(vec![9; image_bytes.unwrap_or(0)]);
    let (mut begun, mut count, mut bursts) = (Instant::now(), 0_u64, 0);
    let mut warm = false;
    loop {
        let mut last =
            log.write((0..burst).map(|_| Write::Record(record.clone()))).expect("the log is sound");
        bursts += 1;
        if bursts % 128 == 0 && image_bytes.is_some() {
            let write = Write::Snapshot { image: image.clone(), keep_from: Position(last.0 + 1) };
            last = log.append([write]).expect("the log is sound");
        }
        while log.durable().expect("the log is sound") < last {
            thread::park();
        }
        count += burst as u64;
        if !warm && begun.elapsed() > TURN / 7 {
            (warm, begun, count) = (true, Instant::now(), 0);
        } else if warm && begun.elapsed() > TURN {
            break;
        }
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    drop(log);
    fs::remove_dir_all(directory).expect("it is there");
    rate
}

/// The sum of three logs with a thread each.
fn three_logs(directory: &Path, burst: usize) -> f64 {
    thread::scope(|scope| {
        let logs = [0, 1, 2].map(|index| {
            let place = directory.join(format!("three{index}"));
            scope.spawn(move || one_log(&place, burst, Durability::Fsync, None))
        });
        logs.map(|log| log.join().expect("it ran")).iter().sum()
    })
}

/// Fills a log, and opens it with and without a snapshot that makes most of it unneeded.
fn opening(directory: &Path, gigabytes: u64) {
    let place = directory.join("open");
    store::create(&place).expect("nothing is there");
    let options = Options { durability: Durability::Async, ..Options::default() };
    let open = |what: &str| {
        let begun = Instant::now();
        let (log, found) = Log::open(&place, options.clone(), || ()).expect("it can be opened");
        println!(
            "{what}: {:.3} s; {} records of {} segments ({} MB read)",
            begun.elapsed().as_secs_f64(),
            found.recovered.records.len(),
            found.segments_read,
            found.bytes_read >> 20
        );
        log
    };
    let record = Bytes::from(vec![7; RECORD_BYTES]);
    let fill = |log: &mut Log, megabytes: u64| {
        let bursts = (megabytes << 20) / (1000 * RECORD_BYTES as u64);
        (0..bursts).fold(Position(0), |_, _| {
            log.append((0..1000).map(|_| Write::Record(record.clone()))).expect("there is room")
        })
    };
    for megabytes in [16, 100, 1000] {
        let mut log = open("an empty log");
        let last = fill(&mut log, megabytes);
        drop(log);
        let mut log = open(&format!("{megabytes} MB of live records"));
        let keep_from = Position(last.0 + 1);
        log.append([Write::Snapshot { image: Bytes::from_static(b"image"), keep_from }])
            .expect("there is room");
    }
    let mut log = open("an empty log");
    let last = fill(&mut log, gigabytes << 10);
    wait_for(&log, last);
    // The names of all segments, as they are left by a crash before any of them was retired.
    let copy = directory.join("crashed");
    link_all(&place, &copy);
    let write = Write::Snapshot { image: Bytes::from(vec![9; 1 << 20]), keep_from: Position(last.0 - 1000) };
    let last = log.append([write]).expect("there is room");
    wait_for(&log, last);
    drop(log);
    link_all(&place, &copy);
    let files = fs::read_dir(&copy).expect("it can be listed").count();
    println!(
        "{files} files, {gigabytes} GB, all but the last 1,000 records before the snapshot's keep_from:"
    );
    let begun = Instant::now();
    let (log, found) = Log::open(&copy, options, || ()).expect("it can be opened");
    println!(
        "opened in {:.3} s; {} records of {} segments ({} MB read)",
        begun.elapsed().as_secs_f64(),
        found.recovered.records.len(),
        found.segments_read,
        found.bytes_read >> 20
    );
    drop(log);
    fs::remove_dir_all(copy).expect("it is there");
    fs::remove_dir_all(place).expect("it is there");
}

fn wait_for(log: &Log, position: Position) {
    while log.durable().expect("the log is sound") < position {
        thread::yield_now();
    }
}

/// Gives the files of `from` the same names in `to` as well, where they are not taken.
fn link_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it can be listed").flatten() {
        let link = to.join(entry.file_name());
        if !link.exists() {
            fs::hard_link(entry.path(), link).expect("it can be linked");
        }
    }
}
