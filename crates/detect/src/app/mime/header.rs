//! Header lines and the parameters in their values.
//!
//! Promises: the last parameter of a name counts; one that is cut into sections (RFC 2231: `name*0=`,
//! `name*1=` …) is joined. Quotes around a value are taken away, escapes within it are not. Names are
//! compared as they are written.

use std::borrow::Cow;

/// Sections of one parameter at most.
const SECTIONS_MAX: usize = 64;

/// The name and the value of a header line; nothing if it has no colon.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    Some((name, skip_spaces(value.get(1..)?)))
}

/// The value of the parameter `name` in the value of a header.
pub(super) fn parameter<'a>(header: &'a [u8], name: &[u8]) -> Option<Cow<'a, [u8]>> {
    if let Some((_, value)) = parameters(header).filter(|(key, _)| *key == name).last() {
        return Some(Cow::Borrowed(value));
    }
    let mut joined: Option<Vec<u8>> = None;
    for section in 0..SECTIONS_MAX {
        let suffix = format!("*{section}");
        let is_it = |key: &[u8]| key.strip_prefix(name).is_some_and(|rest| rest == suffix.as_bytes());
        let Some((_, value)) = parameters(header).filter(|(key, _)| is_it(key)).last() else { break };
        joined.get_or_insert_default().extend_from_slice(value);
    }
    joined.map(Cow::Owned)
}

/// The parameters behind the first semicolon.
fn parameters(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let semicolon = header.iter().position(|byte| *byte == b';');
    let mut rest = semicolon.and_then(|place| header.get(place + 1..)).unwrap_or_default();
    core::iter::from_fn(move || {
        let start = skip_spaces(rest);
        let equals = start.iter().position(|byte| *byte == b'=')?;
        let (name, value) = start.split_at_checked(equals)?;
        let value = value.get(1..)?;
        let (value, after) = quoted(value).unwrap_or_else(|| until_semicolon(value));
        let after = skip_spaces(after);
        rest = after.strip_prefix(b";").unwrap_or(after);
        Some((name, value))
    })
}

/// A value in quotes, and what follows it. One whose only closing quote is escaped ends there all the same.
fn quoted(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = value.strip_prefix(b"\"")?;
    let mut is_escaped = false;
    let mut end = None;
    for (place, byte) in inner.iter().enumerate() {
        if *byte == b'\\' {
            is_escaped = true;
        } else {
            if *byte == b'"' && !is_escaped {
                end = Some(place);
                break;
            }
            is_escaped = false;
        }
    }
    let end = end.or_else(|| inner.iter().position(|byte| *byte == b'"'))?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

fn until_semicolon(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
    let (value, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    let kept = value.iter().rposition(|byte| !is_space(*byte)).map_or(value.len(), |last| last + 1);
    (value.get(..kept).unwrap_or(value), rest)
}

fn skip_spaces(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
