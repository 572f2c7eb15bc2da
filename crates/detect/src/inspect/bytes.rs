//! Numbers within a buffer: `isdataat`, `byte_test`, `byte_jump`, `byte_extract`, `byte_math`.

use super::chain::{Look, Operand, Values};

/// How a number is written in the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Big,
    Little,
    /// As DCERPC's header says.
    Dce,
    /// Digits, to this base; 0: `0x…` is hexadecimal, a leading 0 octal.
    Text(u32),
}

/// Where a number stands and how it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// Bytes that it takes.
    pub(crate) bytes: Operand,
    pub(crate) offset: Operand,
    pub(crate) relative: bool,
    pub(crate) form: Form,
    /// These bits of it, moved down.
    pub(crate) mask: Option<u64>,
}

/// Entropies are counted in parts of a bit: so many are one.
pub(crate) const ENTROPY_UNIT: f64 = 1e9;
/// Bytes that a number in binary may take.
pub(crate) const BINARY_BYTES_MAX: i64 = 8;
/// Bytes that a number in digits may take.
pub(crate) const TEXT_BYTES_MAX: i64 = 23;

impl Number {
    /// The number and where it ends.
    pub(crate) fn read(&self, look: Look<'_>, last: usize, values: &Values) -> Option<(u64, usize)> {
        let begin = self.begin(look, last, values)?;
        let length = usize::try_from(self.bytes.signed(values)).ok()?;
        if length as i64 > if matches!(self.form, Form::Text(_)) { TEXT_BYTES_MAX } else { BINARY_BYTES_MAX }
        {
            return None;
        }
        let field = look.bytes.get(begin..begin.checked_add(length)?)?;
        let (value, used) = match self.form {
            Form::Text(base) => digits(field, base)?,
            Form::Big => (big(field), length),
            Form::Little => (little(field), length),
            Form::Dce if look.little_endian => (little(field), length),
            Form::Dce => (big(field), length),
        };
        Some((self.masked(value), begin + used))
    }

    /// Where it begins, if that is in the buffer: behind the last match there must be something.
    fn begin(&self, look: Look<'_>, last: usize, values: &Values) -> Option<usize> {
        let base = if self.relative { i64::try_from(last).ok()? } else { 0 };
        let begin = usize::try_from(base.checked_add(self.offset.signed(values))?).ok()?;
        let needs_more = self.relative && self.bytes.signed(values) != 0;
        let is_there = if needs_more { begin < look.bytes.len() } else { begin <= look.bytes.len() };
        (is_there && !look.bytes.is_empty()).then_some(begin)
    }

    fn masked(&self, value: u64) -> u64 {
        match self.mask {
            Some(mask) => (value & mask) >> mask.trailing_zeros().min(63),
            None => value,
        }
    }
}

/// A field of at most 8 bytes; one without any is 0.
fn big(field: &[u8]) -> u64 {
    field.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn little(field: &[u8]) -> u64 {
    field.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A number in digits, as C's `strtoul` reads it: blanks and a sign before it, anything behind it. Also how many bytes were read.
fn digits(field: &[u8], base: u32) -> Option<(u64, usize)> {
    let blanks = field.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    let mut at = blanks;
    let negative = match field.get(at) {
        Some(b'-') => {
            at += 1;
            true
        }
        Some(b'+') => {
            at += 1;
            false
        }
        _ => false,
    };
    let is_hex = field.get(at) == Some(&b'0') && matches!(field.get(at + 1), Some(b'x' | b'X'));
    let base = match base {
        0 if is_hex => 16,
        0 if field.get(at) == Some(&b'0') => 8,
        0 => 10,
        base => base,
    };
    if base == 16 && is_hex && field.get(at + 2).is_some_and(u8::is_ascii_hexdigit) {
        at += 2;
    }
    let first = at;
    let mut value: u64 = 0;
    while let Some(digit) = field.get(at).and_then(|byte| char::from(*byte).to_digit(base)) {
        value = value.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
        at += 1;
    }
    if at == first {
        return None;
    }
    Some((if negative { value.wrapping_neg() } else { value }, at))
}

/// `isdataat`: whether the buffer reaches so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) at: Operand,
    pub(crate) relative: bool,
    pub(crate) negated: bool,
}

impl Reach {
    pub(crate) fn holds(&self, look: Look<'_>, last: usize, values: &Values) -> bool {
        let length = look.bytes.len() as u64;
        let at = self.at.unsigned(values);
        let reaches = if self.relative { (last as u64).saturating_add(at) <= length } else { at < length };
        reaches != self.negated
    }

    /// Whether its failing cannot change at another place of the last match: the number is fixed, and what is asked for is that there is more.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.at, Operand::Number(_)) && !(self.relative && self.negated)
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compare {
    Equal,
    Less,
    More,
    AtMost,
    AtLeast,
    And,
    Or,
}

/// `byte_test`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteTest {
    pub(crate) number: Number,
    pub(crate) compare: Compare,
    pub(crate) negated: bool,
    pub(crate) value: Operand,
}

impl ByteTest {
    pub(crate) fn holds(&self, look: Look<'_>, last: usize, values: &Values) -> bool {
        let Some((number, _)) = self.number.read(look, last, values) else { return false };
        let value = self.value.unsigned(values);
        let holds = match self.compare {
            Compare::Equal => number == value,
            Compare::Less => number < value,
            Compare::More => number > value,
            Compare::AtMost => number <= value,
            Compare::AtLeast => number >= value,
            Compare::And => number & value != 0,
            Compare::Or => number ^ value != 0,
        };
        holds != self.negated
    }
}

/// Where a jump is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JumpFrom {
    /// Behind the number.
    Here,
    /// The buffer's beginning.
    Beginning,
    /// The buffer's end.
    End,
}

/// `byte_jump`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteJump {
    pub(crate) number: Number,
    pub(crate) multiplier: u64,
    pub(crate) align: bool,
    pub(crate) from: JumpFrom,
    pub(crate) post_offset: i64,
    pub(crate) result: Option<u8>,
}

impl ByteJump {
    pub(crate) fn target(&self, look: Look<'_>, last: usize, values: &Values) -> Option<usize> {
        let (value, end) = self.number.read(look, last, values)?;
        let value = value.wrapping_mul(self.multiplier.max(1));
        let value = if self.align { value.checked_add(3)? & !3 } else { value };
        // A number with the highest bit set is one below zero: the jump goes back.
        let value = value as i64;
        let base = match self.from {
            JumpFrom::Here => i64::try_from(end).ok()?,
            JumpFrom::Beginning => 0,
            JumpFrom::End => i64::try_from(look.bytes.len()).ok()?,
        };
        // A jump back beyond the beginning ends at the beginning.
        let target = base.saturating_add(value).saturating_add(self.post_offset).max(0);
        usize::try_from(target).ok().filter(|target| *target <= look.bytes.len())
    }
}

/// `byte_extract`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extract {
    pub(crate) number: Number,
    pub(crate) multiplier: u64,
    /// To a multiple of this; 0 or 1: as it is.
    pub(crate) align: u64,
    pub(crate) result: u8,
}

impl Extract {
    pub(crate) fn value(&self, look: Look<'_>, last: usize) -> Option<(u64, usize)> {
        let (value, end) = self.number.read(look, last, &[0; super::chain::VARIABLES_MAX])?;
        let mut value = value.wrapping_mul(self.multiplier.max(1));
        if self.align > 1 && value % self.align != 0 {
            value = value.checked_add(self.align - value % self.align)?;
        }
        Some((value, end))
    }
}

/// What `byte_math` does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Divide,
    Left,
    Right,
}

/// `byte_math`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteMath {
    pub(crate) number: Number,
    pub(crate) operator: Operator,
    pub(crate) right: Operand,
    pub(crate) result: u8,
}

impl ByteMath {
    pub(crate) fn value(&self, look: Look<'_>, last: usize, values: &Values) -> Option<(u64, usize)> {
        let unmasked = Number { mask: None, ..self.number };
        let (left, end) = unmasked.read(look, last, values)?;
        let right = self.right.unsigned(values);
        let value = match self.operator {
            Operator::Plus => left.wrapping_add(right),
            Operator::Minus => left.wrapping_sub(right),
            Operator::Times => left.wrapping_mul(right),
            Operator::Divide => left.checked_div(right)?,
            Operator::Left if right < 64 => left << right,
            Operator::Left => 0,
            Operator::Right if right < 64 => left >> right,
            Operator::Right => 0,
        };
        Some((self.number.masked(value), end))
    }
}

/// Shannon's entropy of `bytes`, in billionths of a bit for each byte: so finely that only what a machine rounds otherwise gets lost.
pub(crate) fn entropy(bytes: &[u8]) -> u64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    (bits * ENTROPY_UNIT).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Values = [0; super::super::chain::VARIABLES_MAX];

    fn number(bytes: i64, form: Form) -> Number {
        Number {
            bytes: Operand::Number(bytes),
            offset: Operand::Number(0),
            relative: false,
            form,
            mask: None,
        }
    }

    #[test]
    fn numbers_are_read_in_every_form() {
        let read = |text: &[u8], bytes, form| number(bytes, form).read(Look::whole(text), 0, &NONE);
        assert_eq!(read(&[1, 2], 2, Form::Big), Some((258, 2)));
        assert_eq!(read(&[1, 2], 2, Form::Little), Some((513, 2)));
        assert_eq!(read(b" 12x", 4, Form::Text(10)), Some((12, 3)));
        assert_eq!(read(b"0x1F", 4, Form::Text(0)), Some((31, 4)));
        assert_eq!(read(b"017", 3, Form::Text(0)), Some((15, 3)));
        assert_eq!(read(b"abc", 3, Form::Text(10)), None);
        assert_eq!(read(&[1], 2, Form::Big), None);
    }

    #[test]
    fn a_mask_takes_bits_and_moves_them_down() {
        let masked = Number { mask: Some(0x0f00), ..number(2, Form::Big) };
        assert_eq!(masked.read(Look::whole(&[0x3a, 0xff]), 0, &NONE), Some((0x0a, 2)));
    }

    #[test]
    fn a_jump_beyond_the_buffer_is_none() {
        let jump = ByteJump {
            number: number(1, Form::Big),
            multiplier: 1,
            align: false,
            from: JumpFrom::Here,
            post_offset: 0,
            result: None,
        };
        assert_eq!(jump.target(Look::whole(&[2, 0, 0]), 0, &NONE), Some(3));
        assert_eq!(jump.target(Look::whole(&[3, 0, 0]), 0, &NONE), None);
        assert_eq!(ByteJump { post_offset: -3, ..jump }.target(Look::whole(&[1, 0, 0]), 0, &NONE), Some(0));
        assert_eq!(
            ByteJump { from: JumpFrom::End, post_offset: -4, ..jump }.target(
                Look::whole(&[2, 0, 0]),
                0,
                &NONE
            ),
            Some(1)
        );
    }

    #[test]
    fn entropy_is_that_of_the_textbook() {
        assert_eq!(entropy(b"aaaa"), 0);
        assert_eq!(entropy(b"abab"), 1_000_000_000);
        assert_eq!(entropy(&(0..=255).collect::<Vec<u8>>()), 8_000_000_000);
    }
}
