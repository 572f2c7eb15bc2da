//! Text: its letters, its language and how its lines end.
//!
//! Letters are guessed from all bytes: ASCII, then Unicode's forms, then ISO 8859, then letters that only vendors have there. One byte that no text has makes it
//! no text at all.

use super::script::{self, Kind};
use super::view::View;
use std::borrow::Cow;

/// Bytes that letters are guessed from.
const ENCODING_BYTES_MAX: usize = 65_536;
/// Letters of a line beyond which it is very long.
const LINE_LETTERS_MAX: usize = 300;
/// Lines of a table that are looked at.
const TABLE_LINES_MAX: usize = 10;

/// How letters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Ascii,
    Utf7,
    Utf8Marked,
    Utf8,
    Utf16 { is_big: bool },
    Utf32 { is_big: bool },
    Latin,
    Extended,
}

impl Encoding {
    fn words(self) -> &'static str {
        match self {
            Encoding::Ascii => "ASCII",
            Encoding::Utf7 => "Unicode text, UTF-7",
            Encoding::Utf8Marked => "Unicode text, UTF-8 (with BOM)",
            Encoding::Utf8 => "Unicode text, UTF-8",
            Encoding::Utf16 { is_big: false } => "Unicode text, UTF-16, little-endian",
            Encoding::Utf16 { is_big: true } => "Unicode text, UTF-16, big-endian",
            Encoding::Utf32 { is_big: false } => "Unicode text, UTF-32, little-endian",
            Encoding::Utf32 { is_big: true } => "Unicode text, UTF-32, big-endian",
            Encoding::Latin => "ISO-8859",
            Encoding::Extended => "Non-ISO extended-ASCII",
        }
    }
}

/// In which texts a byte is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Plain,
    Latin,
    Extended,
    Never,
}

fn class(byte: u8) -> Class {
    match byte {
        0x07..=0x0d | 0x1b | 0x20..=0x7e | 0x85 => Class::Plain,
        0xa0..=0xff => Class::Latin,
        0x80..=0x9f => Class::Extended,
        _ => Class::Never,
    }
}

/// The bytes without the zeros behind them, as long as letters of two bytes stay whole.
fn without_zeros(view: View<'_>) -> &[u8] {
    let bytes = view.part(0, ENCODING_BYTES_MAX);
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let is_cut = bytes.len().is_multiple_of(2) && !length.is_multiple_of(2);
    &bytes[..length + usize::from(is_cut)]
}

/// How the letters are written, if it is text at all.
pub(super) fn encoding(view: View<'_>) -> Option<Encoding> {
    let bytes = without_zeros(view);
    let worst = bytes.iter().map(|byte| class(*byte)).max()?;
    if worst == Class::Plain {
        let is_utf7 = bytes.starts_with(b"+/v") && bytes.get(3).is_some_and(|byte| b"89+/".contains(byte));
        return Some(if is_utf7 { Encoding::Utf7 } else { Encoding::Ascii });
    }
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf")
        && is_utf8(rest)
    {
        return Some(Encoding::Utf8Marked);
    }
    if is_utf8(bytes) {
        return Some(Encoding::Utf8);
    }
    let wide = match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some(Encoding::Utf32 { is_big: false }),
        [0, 0, 0xfe, 0xff, ..] => Some(Encoding::Utf32 { is_big: true }),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16 { is_big: false }),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16 { is_big: true }),
        _ => None,
    };
    if let Some(wide) = wide
        && units(bytes, wide).all(|unit| unit != 0xfffe && (unit >= 128 || class(unit as u8) == Class::Plain))
    {
        return Some(wide);
    }
    match worst {
        Class::Never => None,
        Class::Extended => Some(Encoding::Extended),
        Class::Latin | Class::Plain => Some(Encoding::Latin),
    }
}

/// Whether it is UTF-8 without bytes that no text has; the last letter may be cut off.
fn is_utf8(bytes: &[u8]) -> bool {
    if bytes.iter().any(|byte| *byte < 0x80 && class(*byte) == Class::Never) {
        return false;
    }
    match core::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// The numbers of letters that take two or four bytes, behind the mark at the beginning.
fn units(bytes: &[u8], encoding: Encoding) -> impl Iterator<Item = u32> {
    let (size, is_big) = match encoding {
        Encoding::Utf16 { is_big } => (2, is_big),
        Encoding::Utf32 { is_big } => (4, is_big),
        _ => (1, true),
    };
    bytes.chunks_exact(size).skip(1).map(move |unit| {
        let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        if is_big { unit.iter().fold(0, join) } else { unit.iter().rev().fold(0, join) }
    })
}

/// The text in bytes that its language can be told from.
fn plain(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Utf8Marked => Cow::Borrowed(bytes.get(3..).unwrap_or_default()),
        Encoding::Utf16 { .. } | Encoding::Utf32 { .. } => {
            let text: String =
                units(bytes, encoding).map(|unit| char::from_u32(unit).unwrap_or('\u{fffd}')).collect();
            Cow::Owned(text.into_bytes())
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// What is said of a text.
pub(super) fn describe(view: View<'_>, encoding: Encoding) -> String {
    let bytes = without_zeros(view);
    if is_table(bytes) {
        return format!("CSV {} text", encoding.words());
    }
    let text = plain(bytes, encoding);
    let mut words = String::new();
    match script::language(View(&text)) {
        Some((language, Kind::Whole)) => return language,
        None if matches!(encoding, Encoding::Utf32 { .. }) => return encoding.words().to_owned(),
        Some((language, kind)) => {
            words.push_str(&format!("{language}, {} text", encoding.words()));
            if kind == Kind::Executable {
                words.push_str(" executable");
            }
        }
        None => words.push_str(&format!("{} text", encoding.words())),
    }
    lines(&text, encoding, &mut words);
    words
}

/// At least three lines with as many commas each.
fn is_table(bytes: &[u8]) -> bool {
    let (mut fields, mut wanted, mut lines, mut is_quoted) = (0usize, 0usize, 0usize, false);
    for byte in bytes {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b',' => fields += 1,
            b'\n' => {
                lines += 1;
                if lines == TABLE_LINES_MAX {
                    return wanted != 0 && wanted == fields;
                }
                if wanted == 0 {
                    wanted = fields;
                }
                if fields == 0 || fields != wanted {
                    return false;
                }
                fields = 0;
            }
            _ => {}
        }
    }
    wanted != 0 && lines > 2
}

/// How lines end, and what else is odd about them.
fn lines(text: &[u8], encoding: Encoding, words: &mut String) {
    let (mut both, mut feeds, mut returns, mut next_lines) = (0usize, 0usize, 0usize, 0usize);
    let (mut has_escapes, mut has_backspace, mut longest) = (false, false, 0usize);
    let (mut after_return, mut length) = (false, 0usize);
    let is_unicode = !matches!(encoding, Encoding::Ascii | Encoding::Latin | Encoding::Extended);
    for byte in text {
        // The letters that follow in the same character do not count.
        if is_unicode && byte & 0xc0 == 0x80 {
            continue;
        }
        match byte {
            b'\n' if after_return => both += 1,
            b'\n' => feeds += 1,
            _ if after_return => returns += 1,
            _ => {}
        }
        let is_next_line = *byte == 0x85 && !is_unicode;
        next_lines += usize::from(is_next_line);
        has_escapes |= *byte == 0x1b;
        has_backspace |= *byte == 0x08;
        after_return = *byte == b'\r';
        length = if matches!(byte, b'\n' | b'\r') || is_next_line { 0 } else { length + 1 };
        if length > LINE_LETTERS_MAX {
            longest = longest.max(length);
        }
    }
    if longest > 0 {
        words.push_str(&format!(", with very long lines ({longest})"));
    }
    let kinds: Vec<&str> = [(both, "CRLF"), (returns, "CR"), (feeds, "LF"), (next_lines, "NEL")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, name)| *name)
        .collect();
    match kinds.as_slice() {
        [] => words.push_str(", with no line terminators"),
        ["LF"] => {}
        kinds => words.push_str(&format!(", with {} line terminators", kinds.join(", "))),
    }
    if has_escapes {
        words.push_str(", with escape sequences");
    }
    if has_backspace {
        words.push_str(", with overstriking");
    }
}
