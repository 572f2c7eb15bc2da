//! Texts of strangers (rules that were downloaded, names in archives), as people may read them.
//!
//! Promises that nothing of them acts on a terminal: control characters, and those that turn the direction of writing or are invisible, are shown as escapes. What
//! might be long is cut, and of many lines the first are told and the rest is counted.
//!
//! Not here: JSON, which has escapes of its own.

use std::fmt::Write;

/// Characters of an excerpt at most; what follows is told as `…`.
const EXCERPT_CHARS_MAX: usize = 200;
/// Lines that are told of what may be many, unless its place says otherwise.
pub(crate) const LINES_TOLD_MAX: usize = 20;

/// The text without anything that acts.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if acts(char) {
            // Memory takes it.
            let _ = write!(plain, "{}", char.escape_default());
        } else {
            plain.push(char);
        }
    }
    plain
}

/// The same, and no longer than [`EXCERPT_CHARS_MAX`] characters of it.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((at, _)) => plain(text.get(..at).unwrap_or_default()) + "…",
        None => plain(text),
    }
}

/// The first `most` of `total` lines, and how many follow.
pub(crate) fn first(lines: impl IntoIterator<Item = String>, total: usize, most: usize) -> Vec<String> {
    let mut told: Vec<String> = lines.into_iter().take(most).collect();
    if total > told.len() {
        told.push(format!("… and {} more", total - told.len()));
    }
    told
}

/// Whether a character does something beside being seen.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_as_an_escape() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{9b}\u{202e}c"), "a\\u{1b}[2Jb\\r\\n\\u{9b}\\u{202e}c");
        assert_eq!(plain("Ä 雪 \"quoted\""), "Ä 雪 \"quoted\"");
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        assert_eq!(excerpt(&"ä".repeat(200)), "ä".repeat(200));
        assert_eq!(excerpt(&"ä".repeat(201)), "ä".repeat(200) + "…");
    }

    #[test]
    fn of_many_lines_the_first_are_told_and_the_rest_is_counted() {
        let lines = || (1..=3).map(|number| number.to_string());
        assert_eq!(first(lines(), 3, 3), ["1", "2", "3"]);
        assert_eq!(first(lines(), 3, 2), ["1", "2", "… and 1 more"]);
        assert_eq!(first(lines(), 9, 3), ["1", "2", "3", "… and 6 more"], "more than were kept");
        assert!(first([], 0, 2).is_empty());
    }
}
