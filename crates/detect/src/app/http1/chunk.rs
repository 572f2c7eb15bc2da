//! The length of a chunk: hexadecimal digits on a line, and what people put around them.

use super::text::split_while;
use memchr::memchr;

/// The largest chunk.
const CHUNK_BYTES_MAX: u64 = i32::MAX as u64;

/// What stands where a length should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Length {
    /// Not a whole line yet.
    More,
    /// An empty line: the length may be on the next one.
    Blank { taken: usize },
    /// A length; and whether something was behind a semicolon.
    Known { bytes: u64, extension: bool, taken: usize },
    /// One that is too large.
    TooLarge { taken: usize },
    /// No length.
    Invalid,
}

fn is_control(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0x0b | 0x0c)
}

/// Reads the line at the front.
pub(super) fn length(input: &[u8]) -> Length {
    let Some(end) = memchr(b'\n', input) else {
        let (_, rest) = split_while(input, is_control);
        let invalid = rest.first().is_some_and(|first| !first.is_ascii_hexdigit());
        return if invalid { Length::Invalid } else { Length::More };
    };
    let taken = end + 1;
    let line = input.get(..taken).unwrap_or_default();
    let (_, rest) = split_while(line, is_control);
    if rest.is_empty() {
        return Length::Blank { taken };
    }
    let (digits, rest) = split_while(rest, |byte| byte.is_ascii_hexdigit());
    let Some(bytes) = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok())
    else {
        return Length::Invalid;
    };
    if bytes > CHUNK_BYTES_MAX {
        return Length::TooLarge { taken };
    }
    Length::Known { bytes, extension: rest.contains(&b';'), taken }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_whatever_is_around_it() {
        let known = |bytes, extension, taken| Length::Known { bytes, extension, taken };
        assert_eq!(length(b"1a\r\nx"), known(26, false, 4));
        assert_eq!(length(b" \t0005 \r\n"), known(5, false, 9));
        assert_eq!(length(b"5;name=value\n"), known(5, true, 13));
        assert_eq!(length(b"0x5\r\n"), known(0, false, 5));
        assert_eq!(length(b"\r\n5\r\n"), Length::Blank { taken: 2 });
        assert_eq!(length(b"5\r"), Length::More);
        assert_eq!(length(b""), Length::More);
        assert_eq!(length(b"xyz"), Length::Invalid);
        assert_eq!(length(b"-5\r\n"), Length::Invalid);
        assert_eq!(length(b"ffffffffffffffffff\r\n"), Length::Invalid);
        assert_eq!(length(b"80000000\r\n"), Length::TooLarge { taken: 10 });
    }
}
