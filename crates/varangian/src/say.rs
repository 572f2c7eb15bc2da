//! What the binary says, to whoever still listens.
//!
//! Upon text for standard output that nobody reads any more (`varangian demo | head`): end at once and quietly, with the
//!   exit code [`READER_GONE`].
//! Upon text for standard output that cannot be written for another reason, a full disk for one: say so, exit code 2. An
//!   answer that did not arrive was not given.
//! Upon text for standard error that cannot be written: go on. It was only about the answer.
//!
//! `print!` and `eprint!` panic in all three cases, so they are not to be used in this crate; clippy sees to it.

use core::fmt::Arguments;
use std::io::{Error, ErrorKind, Write, stderr, stdout};
use std::process::exit;

/// What a shell sees of a Unix tool that a broken pipe ended: 128 and the number of `SIGPIPE`. The signal itself never
/// comes, since Rust's runtime has it ignored.
const READER_GONE: i32 = 128 + 13;

/// An answer could not be given.
const NOT_WRITTEN: i32 = 2;

/// Prints a line of the answer.
macro_rules! say {
    ($($words:tt)*) => { $crate::say::answer(format_args!("{}\n", format_args!($($words)*))) };
}

/// Prints a line about the answer.
macro_rules! complain {
    ($($words:tt)*) => { $crate::say::remark(format_args!("{}\n", format_args!($($words)*))) };
}

pub(crate) use {complain, say};

/// Writes to standard output.
pub(crate) fn answer(words: Arguments<'_>) {
    let mut out = stdout().lock();
    if let Err(error) = out.write_fmt(words).and_then(|()| out.flush()) {
        give_up(&error);
    }
}

/// Writes bytes to standard output, as they are.
pub(crate) fn answer_bytes(bytes: &[u8]) {
    let mut out = stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        give_up(&error);
    }
}

/// Writes to standard error.
pub(crate) fn remark(words: Arguments<'_>) {
    let _ = stderr().lock().write_fmt(words);
}

fn give_up(error: &Error) -> ! {
    if error.kind() == ErrorKind::BrokenPipe {
        exit(READER_GONE);
    }
    remark(format_args!("error: cannot write to standard output: {error}\n"));
    exit(NOT_WRITTEN)
}
