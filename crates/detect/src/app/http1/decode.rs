//! Decoding of URIs: `%XX`, `%uXXXX`, backslashes, doubled slashes, UTF-8 to one byte a letter, and dot segments.
//!
//! What is decoded is decoded once. In a path `\` is `/`, slashes in a row are one, `.` and `..` are walked; a letter
//! of UTF-8, even an overlong one, is the byte that looks like it. In a query only `%XX` and `%uXXXX` are decoded.
//! What is no valid escape stays as it is.

use super::best_fit::{REPLACEMENT, best_fit};
use memchr::memchr2;

/// A path as a server would walk it, appended to `out`.
pub(super) fn path(input: &[u8], out: &mut Vec<u8>) {
    if is_plain_path(input) {
        out.extend_from_slice(input);
        return;
    }
    let mut decoded = Vec::with_capacity(input.len());
    escapes(input, &mut |byte| {
        let byte = if byte == b'\\' { b'/' } else { byte };
        if byte != b'/' || decoded.last() != Some(&b'/') {
            decoded.push(byte);
        }
    });
    let letters = if decoded.is_ascii() { decoded } else { one_byte_letters(&decoded) };
    walk_dots(&letters, out);
}

/// A query or another part of a URI, appended to `out`.
pub(super) fn part(input: &[u8], out: &mut Vec<u8>) {
    escapes(input, &mut |byte| out.push(byte));
}

/// Whether decoding leaves a path as it is, as nearly all are.
fn is_plain_path(input: &[u8]) -> bool {
    let mut last = 0;
    input.iter().all(|byte| {
        let odd = matches!(*byte, b'%' | b'\\' | 0x80..)
            || (last == b'/' && matches!(*byte, b'/' | b'.'))
            || (last == 0 && *byte == b'.');
        last = *byte;
        !odd
    })
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn pair(input: &[u8], at: usize) -> Option<u8> {
    Some(hex(*input.get(at)?)? * 16 + hex(*input.get(at + 1)?)?)
}

/// The byte that an escape at the front of `input` stands for, and its length.
fn escape(input: &[u8]) -> Option<(u8, usize)> {
    if !matches!(input.get(1), Some(b'u' | b'U')) {
        return Some((pair(input, 1)?, 3));
    }
    let (high, low) = (pair(input, 2)?, pair(input, 4)?);
    let byte = if high == 0 { low } else { best_fit(u32::from(high) << 8 | u32::from(low)) };
    Some((byte, 6))
}

fn escapes(input: &[u8], push: &mut dyn FnMut(u8)) {
    let mut rest = input;
    while let Some(first) = rest.first() {
        let (byte, length) = match first {
            b'%' => escape(rest).unwrap_or((b'%', 1)),
            byte => (*byte, 1),
        };
        push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// How many bytes a letter of UTF-8 takes that begins like this, and the bits that its first byte has of it.
fn letter_begins(byte: u8) -> Option<(usize, u32)> {
    match byte {
        0xc0..=0xdf => Some((2, u32::from(byte & 0x1f))),
        0xe0..=0xef => Some((3, u32::from(byte & 0x0f))),
        0xf0..=0xf4 => Some((4, u32::from(byte & 0x07))),
        _ => None,
    }
}

/// Letters of UTF-8, overlong ones among them, become one byte each; what is no UTF-8 becomes a question mark.
fn one_byte_letters(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first < 0x80 {
            out.push(*first);
            continue;
        }
        let Some((length, mut letter)) = letter_begins(*first) else {
            out.push(REPLACEMENT);
            continue;
        };
        let mut missing = length - 1;
        while missing > 0 {
            match rest.split_first() {
                Some((next, tail)) if is_continuation(*first, *next, length - missing) => {
                    letter = letter << 6 | u32::from(next & 0x3f);
                    rest = tail;
                    missing -= 1;
                }
                Some(_) => {
                    out.push(REPLACEMENT);
                    break;
                }
                // The end is in the middle of a letter: a mark for each byte of it but the first.
                None => {
                    out.extend(std::iter::repeat_n(REPLACEMENT, length - missing - 1));
                    break;
                }
            }
        }
        if missing == 0 {
            out.push(u8::try_from(letter).unwrap_or_else(|_| best_fit(letter)));
        }
    }
    out
}

/// Whether `next` goes on a letter that began with `first`, as its byte at `place`: no surrogates, nothing beyond the
/// last letter.
fn is_continuation(first: u8, next: u8, place: usize) -> bool {
    match (first, place) {
        (0xed, 1) => matches!(next, 0x80..=0x9f),
        (0xf4, 1) => matches!(next, 0x80..=0x8f),
        _ => matches!(next, 0x80..=0xbf),
    }
}

/// Takes `.` and `..` out of a path (RFC 3986, section 5.2.4).
fn walk_dots(input: &[u8], out: &mut Vec<u8>) {
    let floor = out.len();
    let mut rest = input;
    // Dots before the first slash lead nowhere.
    while let Some(after) = rest.strip_prefix(b"./").or_else(|| rest.strip_prefix(b"../")) {
        rest = after;
    }
    if matches!(rest, b"." | b"..") {
        return;
    }
    while !rest.is_empty() {
        let from = usize::from(rest.first() == Some(&b'/'));
        let tail = rest.get(from..).unwrap_or_default();
        let end = from + memchr2(b'/', b'/', tail).unwrap_or(tail.len());
        let (segment, after) = rest.split_at(end);
        let is_walked = matches!(segment, b"/." | b"/..");
        match segment {
            b"/." => {}
            b"/.." => while out.len() > floor && out.pop() != Some(b'/') {},
            segment => out.extend_from_slice(segment),
        }
        if is_walked && after == b"/" {
            // What was walked takes the last slash with it.
            return;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        path(input, &mut out);
        out
    }

    #[test]
    fn a_path_is_decoded_once_and_walked() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"/plain/path.html", b"/plain/path.html"),
            (b"/a/b/../c", b"/a/c"),
            (b"/a/./b", b"/a/b"),
            (b"/a//b///c", b"/a/b/c"),
            (b"\\a\\b", b"/a/b"),
            (b"/%61%2fb", b"/a/b"),
            (b"/%2561", b"/%61"),
            (b"/%u0061%u2044b", b"/a/b"),
            (b"/%zz%1", b"/%zz%1"),
            (b"/a%00b", b"/a\0b"),
            (b"/../../x", b"/x"),
            (b"../x", b"x"),
            (b".", b""),
            (b"/a/..", b""),
            (b"/a/b/.", b"/a/b"),
            (b"/a/", b"/a/"),
            (b"/a/b/../", b"/a"),
            (b"/a/./", b"/a"),
            (b"/../", b""),
            (b"/A+B", b"/A+B"),
        ];
        for (input, expected) in cases {
            assert_eq!(walked(input), *expected, "{}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn letters_of_utf8_become_bytes_that_look_like_them() {
        assert_eq!(walked(b"/\xc4\x87x"), b"/cx");
        assert_eq!(walked(b"/%c0%afx"), b"/\x2fx", "an overlong slash is not compressed away");
        assert_eq!(walked(b"/\xff\xfe"), b"/??");
        assert_eq!(walked(b"/\xf0\x90\x28\xbc"), b"/?(?");
        assert_eq!(walked(b"/\xe2\x82"), b"/?");
    }

    #[test]
    fn a_query_keeps_its_slashes_and_pluses() {
        let mut out = Vec::new();
        part(b"a=%2e%2e//+%u0041\\", &mut out);
        assert_eq!(out, b"a=..//+A\\");
    }
}
