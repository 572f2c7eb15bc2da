//! Reads what BitTorrent writes: numbers (`i7e`), strings (`3:abc`), lists (`l…e`) and dictionaries (`d…e`), whose
//! keys stand in order.
//!
//! Home-made rather than one of the field's crates: it hands out pieces of the input, allocates nothing and never
//! recurses.

use crate::app::bytes::Reader;

/// Lists and dictionaries within one another at most.
const DEPTH_MAX: usize = 3;

/// A value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Number(&'a str),
    Text(&'a [u8]),
    /// What stands between the brackets.
    List(&'a [u8]),
    Dictionary(&'a [u8]),
}

/// A number's digits, which have one form only.
fn number<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    let text = core::str::from_utf8(reader.until(b'e')?).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_zero = digits == "0";
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    (is_number && (text == "0" || !is_zero && !digits.starts_with('0'))).then_some(text)
}

fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let digits = reader.take_some(|byte| byte.is_ascii_digit())?;
    if digits.len() > 1 && digits.first() == Some(&b'0') {
        return None;
    }
    let length = core::str::from_utf8(digits).ok()?.parse().ok()?;
    reader.tag(b":")?;
    reader.take(length)
}

/// Where a list or a dictionary stands.
#[derive(Clone, Copy, Default)]
struct Level<'a> {
    is_dictionary: bool,
    /// The key whose value comes next, and the last key.
    awaits_value: bool,
    key: Option<&'a [u8]>,
}

/// Passes over what stands between brackets, and the closing one: what stands between them.
fn inside<'a>(reader: &mut Reader<'a>, is_dictionary: bool, depth: usize) -> Option<&'a [u8]> {
    let whole = *reader;
    let mut levels = [Level::default(); DEPTH_MAX];
    let mut open = depth;
    *levels.get_mut(open)? = Level { is_dictionary, ..Level::default() };
    loop {
        let level = levels.get_mut(open)?;
        match *reader.rest().first()? {
            b'e' if !level.awaits_value => {
                let length = whole.len() - reader.len();
                reader.u8()?;
                if open == depth {
                    return whole.rest().get(..length);
                }
                open -= 1;
                continue;
            }
            b'0'..=b'9' => {
                let text = text(reader)?;
                if level.is_dictionary && !level.awaits_value {
                    if level.key.is_some_and(|last| last >= text) {
                        return None;
                    }
                    level.key = Some(text);
                    level.awaits_value = true;
                    continue;
                }
            }
            _ if level.is_dictionary && !level.awaits_value => return None,
            b'i' => {
                reader.u8()?;
                number(reader)?;
            }
            bracket @ (b'l' | b'd') => {
                reader.u8()?;
                level.awaits_value = false;
                open += 1;
                *levels.get_mut(open)? = Level { is_dictionary: bracket == b'd', ..Level::default() };
                continue;
            }
            _ => return None,
        }
        level.awaits_value = false;
    }
}

/// The value that stands here, `depth` brackets deep.
pub(super) fn value<'a>(reader: &mut Reader<'a>, depth: usize) -> Option<Value<'a>> {
    match *reader.rest().first()? {
        b'i' => {
            reader.u8()?;
            number(reader).map(Value::Number)
        }
        b'l' => {
            reader.u8()?;
            inside(reader, false, depth).map(Value::List)
        }
        b'd' => {
            reader.u8()?;
            inside(reader, true, depth).map(Value::Dictionary)
        }
        _ => text(reader).map(Value::Text),
    }
}

/// The values of a list that was read.
pub(super) fn values(inside: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let mut reader = Reader::new(inside);
    core::iter::from_fn(move || value(&mut reader, 0))
}

/// The keys and values of a dictionary that was read.
pub(super) fn pairs(inside: &[u8]) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    let mut reader = Reader::new(inside);
    core::iter::from_fn(move || Some((text(&mut reader)?, value(&mut reader, 0)?)))
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn dictionary(self) -> Option<&'a [u8]> {
        if let Value::Dictionary(inside) = self { Some(inside) } else { None }
    }

    pub(super) fn list(self) -> Option<&'a [u8]> {
        if let Value::List(inside) = self { Some(inside) } else { None }
    }

    /// A number that is not larger than this.
    pub(super) fn number(self, max: u16) -> Option<u16> {
        if let Value::Number(text) = self { text.parse().ok().filter(|value| *value <= max) } else { None }
    }
}
