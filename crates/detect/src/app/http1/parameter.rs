//! Parameters behind a header's value: `form-data; name="a"; filename="b"`.
//!
//! A value in quotes may hold semicolons; a parameter may come in sections (`filename*0=…; filename*1=…`, RFC 2231).
//! Escapes are left as they are.

use super::text::split_while;
use memchr::memchr;

/// Sections of one parameter at most.
const SECTIONS_MAX: usize = 64;

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The parameters in turn: name and value.
fn parameters(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = memchr(b';', value).and_then(|at| value.get(at + 1..)).unwrap_or_default();
    std::iter::from_fn(move || {
        let (_, from) = split_while(rest, is_blank);
        let equals = memchr(b'=', from)?;
        let (name, after) = from.split_at(equals);
        let after = after.get(1..)?;
        let (value, after) = quoted(after).unwrap_or_else(|| unquoted(after));
        let (_, after) = split_while(after, is_blank);
        rest = after.strip_prefix(b";").unwrap_or(after);
        Some((name, value))
    })
}

/// A value in quotes, which an escaped quote does not end.
fn quoted(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = input.strip_prefix(b"\"")?;
    let mut escaped = false;
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            b'\\' => escaped = true,
            b'"' if !escaped => return Some((inner.get(..at)?, inner.get(at + 1..)?)),
            _ => escaped = false,
        }
    }
    let end = memchr(b'"', inner)?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

fn unquoted(input: &[u8]) -> (&[u8], &[u8]) {
    let (mut value, after) = split_while(input, |byte| byte != b';');
    while let Some((last, shorter)) = value.split_last()
        && is_blank(*last)
    {
        value = shorter;
    }
    (value, after)
}

/// The value of the parameter `name` behind `value`: the last one of that name, else its sections put together.
pub(super) fn parameter(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    if let Some((_, found)) = parameters(value).filter(|(other, _)| *other == name).last() {
        return Some(found.to_vec());
    }
    let mut whole = None;
    for section in 0..SECTIONS_MAX {
        let wanted = [name, format!("*{section}").as_bytes()].concat();
        let Some((_, part)) = parameters(value).filter(|(other, _)| *other == wanted).last() else { break };
        whole.get_or_insert_with(Vec::new).extend_from_slice(part);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filename(value: &str) -> Option<String> {
        parameter(value.as_bytes(), b"filename").map(|found| String::from_utf8_lossy(&found).into_owned())
    }

    #[test]
    fn a_parameter_is_found_behind_others_that_look_like_it() {
        assert_eq!(filename("attachment; filename=a.txt").as_deref(), Some("a.txt"));
        assert_eq!(filename("attachment; filename=\"a;b.txt\"; x=1").as_deref(), Some("a;b.txt"));
        assert_eq!(filename("x; y=\"filename=no\"; filename=yes ;").as_deref(), Some("yes"));
        assert_eq!(filename("attachment; filename=\"a\\\"b\"").as_deref(), Some("a\\\"b"));
        assert_eq!(filename("filename=first"), None);
        assert_eq!(filename(""), None);
    }

    #[test]
    fn a_parameter_may_come_in_sections() {
        assert_eq!(filename("a; filename*0=one; filename*1=\".two\"").as_deref(), Some("one.two"));
        assert_eq!(filename("a; filename*1=one"), None);
    }
}
