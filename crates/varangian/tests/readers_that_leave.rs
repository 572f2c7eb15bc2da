//! `varangian … | head` through the real binary: it ends as other tools do, whatever becomes of its reader.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, pipe};
use std::process::{Command, Stdio};

/// 128 and the number of SIGPIPE, which is what a shell says of a tool that a broken pipe ended.
const READER_GONE: Option<i32> = Some(141);

const VERBS: [&str; 6] = [
    "demo",
    "plan --f 1",
    "plan --f 1 --protocol pbft --json",
    "sim --protocol paxos --seeds 1 --duration 500ms",
    "sim --protocol paxos --seeds 1 --duration 500ms --json",
    "sim --protocol paxos --replay 1 --duration 500ms --explain",
];

fn varangian(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varangian"));
    command.args(arguments.split_whitespace()).stderr(Stdio::piped());
    command
}

/// `| true`: nobody reads at all.
#[test]
fn without_a_reader_every_verb_ends_quietly() {
    for arguments in VERBS {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let output = varangian(arguments).stdout(writer).output().expect("the binary runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), errors.as_str()), (READER_GONE, ""), "{arguments}");
    }
}

/// `| head -1`: the reader leaves after a line, with more to come than a pipe holds.
#[test]
fn a_reader_that_leaves_early_is_no_reason_to_panic() {
    let mut child = varangian("sim --protocol paxos --replay 3 --duration 2s --explain=5000")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it is text");
    let output = child.wait_with_output().expect("it ends");
    assert!(line.starts_with("varangian sim --protocol paxos"), "{line}");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (READER_GONE, &[][..]));
}

/// A wish that is refused is refused, whether somebody reads why or not.
#[test]
fn an_error_that_nobody_reads_changes_no_exit_code() {
    for arguments in
        ["plan --nodes 3 --f 1 --protocol pbft", "sim --protocol paxos --from 18446744073709551615"]
    {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let status =
            varangian(arguments).stdout(Stdio::null()).stderr(writer).status().expect("the binary runs");
        assert_eq!(status.code(), Some(2), "{arguments}");
    }
}

/// An answer that did not arrive was not given.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_and_is_no_success() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = varangian("plan --f 1").stdout(full).output().expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.starts_with("error: cannot write to standard output"), "{errors}");
}
