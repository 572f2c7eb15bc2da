//! What is in captures, and how fast it was read: `frames [--list] FILE...`. With `--list`, a line for each frame: its
//! time, its link, how many bytes were kept of it, how many it had, and a sum over its bytes.

use capture::{Chunk, Error, Reader};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let is_list = words.first().is_some_and(|word| word == "--list");
    if is_list {
        words.remove(0);
    }
    let mut code = ExitCode::SUCCESS;
    for path in &words {
        if let Err(error) = tell(path, is_list) {
            eprintln!("{path}: {error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn tell(path: &str, is_list: bool) -> Result<(), Error> {
    let began = Instant::now();
    let mut reader = Reader::open(path)?;
    let mut chunk = Chunk::new();
    let (mut frames, mut bytes, mut sum) = (0, 0, 0);
    let end = loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        frames += chunk.len();
        bytes += chunk.bytes();
        for frame in chunk.frames() {
            // The first byte, so that each frame was looked at.
            sum = frame.bytes.first().map_or(sum, |byte| sum + u64::from(*byte));
            if is_list {
                let all: u64 = frame.bytes.iter().map(|byte| u64::from(*byte)).sum();
                println!("{} {} {} {} {all}", frame.time_ns, frame.link.0, frame.bytes.len(), frame.wire_len);
            }
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    if !is_list {
        let speed = reader.bytes_read() as f64 / seconds / 1e9;
        println!(
            "{path}: {frames} frames, {bytes} bytes in {seconds:.4} s, {speed:.2} GB/s (first bytes: {sum})"
        );
    }
    end
}
