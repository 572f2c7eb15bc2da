//! Words that have no business in the source of a logic crate.

use std::fs;
use std::path::{Path, PathBuf};

/// What is looked for outside comments. A word counts only where no letter, digit or `_` stands before it.
const FORBIDDEN: &[&str] = &[
    "async fn",
    "async move",
    "async {",
    ".await",
    "rand::",
    "getrandom",
    "tokio",
    "Instant::now",
    "SystemTime",
    "OffsetDateTime::now",
    "std::time",
    "std::thread",
    "thread_local!",
    "std::fs",
    "std::net",
    "std::os",
    "std::env",
    "std::process",
    "std::io",
    "println!",
    "print!",
    "HashMap",
    "HashSet",
    "RandomState",
];

/// Every Rust file in `folder` and below.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The line numbers, from 1, and words of everything forbidden in `code`.
pub(crate) fn forbidden(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in without_comments(code).lines().enumerate() {
        for word in FORBIDDEN {
            if has_word(line, word) {
                found.push((index + 1, *word));
            }
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part_of_a_name =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        // `.await` is one thing, a field `.awaited` another.
        if word.starts_with('.') {
            return !is_part_of_a_name(line[at + word.len()..].chars().next());
        }
        !is_part_of_a_name(before)
    })
}

/// `code` without what follows `//` on a line. A `//` inside a string is taken for a comment too.
pub(crate) fn without_comments(code: &str) -> String {
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A check that cannot fail is no check.
#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str = "\
//! A comment may speak of async fn and std::thread.
use std::time::Duration;
pub async fn run() -> u64 {
    let operand = operand::new(); // so may this: rand::random()
    let chance: u64 = rand::random();
    std::thread::sleep(pause.await);
    chance
}
";

    #[test]
    fn bad_code_is_found_line_by_line() {
        assert_eq!(
            forbidden(BAD),
            [(2, "std::time"), (3, "async fn"), (5, "rand::"), (6, ".await"), (6, "std::thread")]
        );
    }

    #[test]
    fn good_code_passes() {
        assert_eq!(forbidden("use core::time::Duration;\nuse std::collections::BTreeMap;\n"), []);
    }
}
