//! Small questions about bytes of text, as HTTP's implementations answer them.

/// White space: the space, tabs, line ends, form feed.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Without white space at both ends.
pub(super) fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let Some((first, rest)) = bytes.split_first().filter(|(first, _)| is_space(**first)) {
        let _space = first;
        bytes = rest;
    }
    while let Some((last, rest)) = bytes.split_last().filter(|(last, _)| is_space(**last)) {
        let _space = last;
        bytes = rest;
    }
    bytes
}

/// Without the line's end, however often it ends.
pub(super) fn without_line_end(mut bytes: &[u8]) -> &[u8] {
    while let Some((b'\r' | b'\n', rest)) = bytes.split_last() {
        bytes = rest;
    }
    bytes
}

/// How long an empty line at the front is, if there is one; nothing as long as that is not known.
pub(super) fn empty_line(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [] | [b'\r'] => None,
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => Some(0),
    }
}

/// Cut where the first byte that is not `wanted` stands.
pub(super) fn split_while(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !wanted(*byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// Whether a byte may be part of a token (RFC 2616's idea of one).
pub(super) fn is_token(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e)
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
                | b'{'
                | b'}'
        )
}

/// Whether `bytes` are `word` (in small letters) but for case and NUL bytes, which some strew in.
pub(super) fn is_word(bytes: &[u8], word: &[u8]) -> bool {
    if bytes.len() == word.len() {
        return bytes.eq_ignore_ascii_case(word);
    }
    bytes.len() > word.len()
        && bytes.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).eq(word.iter().copied())
}

/// Whether `bytes` contain `word` (in small letters) but for case and NUL bytes.
pub(super) fn contains_word(bytes: &[u8], word: &[u8]) -> bool {
    let plain: Vec<u8> = bytes.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    memchr::memmem::find(&plain, word).is_some()
}

/// A run of decimal digits somewhere in `bytes`, and whether something else stood before or behind it. Too large a
/// number is none.
pub(super) fn digits(bytes: &[u8]) -> Option<(u64, Junk)> {
    let (_, rest) = split_while(bytes, |byte| matches!(byte, b' ' | b'\t'));
    let (before, rest) = split_while(rest, |byte| !byte.is_ascii_digit());
    let (number, rest) = split_while(rest, |byte| byte.is_ascii_digit());
    let (_, after) = split_while(rest, |byte| matches!(byte, b' ' | b'\t'));
    let value = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((value, Junk { before: !before.is_empty(), after: !after.is_empty() }))
}

/// What stood around a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Junk {
    pub(super) before: bool,
    pub(super) after: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_in_any_case_and_with_nul_bytes_in_it() {
        assert!(is_word(b"Content-Length", b"content-length"));
        assert!(is_word(b"Con\0tent-Length\0", b"content-length"));
        assert!(!is_word(b"Content-Lengt", b"content-length"));
        assert!(!is_word(b"Content-Lengthx", b"content-length"));
        assert!(contains_word(b"x-CHUN\0KED, y", b"chunked"));
    }

    #[test]
    fn a_number_is_found_among_other_things() {
        assert_eq!(digits(b" 12 "), Some((12, Junk { before: false, after: false })));
        assert_eq!(digits(b"x12;"), Some((12, Junk { before: true, after: true })));
        assert_eq!(digits(b"99999999999999999999"), None);
        assert_eq!(digits(b"none"), None);
    }

    #[test]
    fn trimming_leaves_what_is_between() {
        assert_eq!(trimmed(b" \t a b\r\n"), b"a b");
        assert_eq!(trimmed(b" \r\n"), b"");
        assert_eq!(without_line_end(b"a\r\n\n"), b"a");
    }
}
