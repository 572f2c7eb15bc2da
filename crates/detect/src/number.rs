//! Conditions on a number, as all keywords for numbers write them.
//!
//! `5`, `=5`, `!5`, `!=5`, `<5`, `>5`, `<=5`, `>=5`, `3-7` and `3<>7` (between, the ends left out for `<>` and `-` as Suricata has it),
//! `!3-7`, `&0xf0` (any of the bits), `!&1`, `&0xf0=0x10`, `&0xf0!=0x10`. Numbers are decimal or `0x`…; units `kb`, `mb`, `gb` where a keyword allows
//! them; a keyword may give names to numbers.

use crate::Complaint;

/// A condition on a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberTest {
    /// The same.
    Equal(u64),
    /// Another one.
    NotEqual(u64),
    /// Smaller.
    Less(u64),
    /// Smaller or the same.
    AtMost(u64),
    /// Larger.
    More(u64),
    /// Larger or the same.
    AtLeast(u64),
    /// Strictly between the two.
    Between(u64, u64),
    /// Not strictly between the two.
    NotBetween(u64, u64),
    /// Any of these bits.
    AnyBit(u64),
    /// None of these bits.
    NoBit(u64),
    /// These bits (the first) have this value.
    Masked(u64, u64),
    /// These bits (the first) have another value.
    NotMasked(u64, u64),
}

impl NumberTest {
    /// Reads a condition; `max` is the largest number that the keyword knows, `names` are words that stand for numbers.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str, max: u64, names: &[(&str, u64)]) -> Result<NumberTest, Complaint> {
        let text = text.trim();
        let number = |word: &str| number(word, max, names);
        if let Some((range, negated)) = between(text, names) {
            let (low, high) = (number(range.0)?, number(range.1)?);
            if low >= high {
                return Err(Complaint::new(format!(
                    "'{text}': the first number of a range must be the smaller one"
                )));
            }
            return Ok(if negated {
                NumberTest::NotBetween(low, high)
            } else {
                NumberTest::Between(low, high)
            });
        }
        let test = if let Some(rest) = text.strip_prefix('&') {
            return bits(rest, false, &number);
        } else if let Some(rest) = text.strip_prefix("!&") {
            return bits(rest, true, &number);
        } else if let Some(rest) = text.strip_prefix("!=").or_else(|| text.strip_prefix('!')) {
            NumberTest::NotEqual(number(rest)?)
        } else if let Some(rest) = text.strip_prefix("<=") {
            NumberTest::AtMost(number(rest)?)
        } else if let Some(rest) = text.strip_prefix(">=") {
            NumberTest::AtLeast(number(rest)?)
        } else if let Some(rest) = text.strip_prefix('<') {
            NumberTest::Less(number(rest)?)
        } else if let Some(rest) = text.strip_prefix('>') {
            NumberTest::More(number(rest)?)
        } else {
            NumberTest::Equal(number(text.strip_prefix('=').unwrap_or(text))?)
        };
        Ok(test)
    }

    /// The bound from above that the text names, if it names one: what a buffer of such a size has room for.
    pub(crate) fn most_for_contents(self) -> Option<u64> {
        match self {
            NumberTest::Equal(most) | NumberTest::Less(most) | NumberTest::Between(_, most) => Some(most),
            _ => None,
        }
    }

    /// Whether `value` is one of those meant.
    #[must_use]
    pub fn holds(self, value: u64) -> bool {
        match self {
            NumberTest::Equal(wanted) => value == wanted,
            NumberTest::NotEqual(unwanted) => value != unwanted,
            NumberTest::Less(bound) => value < bound,
            NumberTest::AtMost(bound) => value <= bound,
            NumberTest::More(bound) => value > bound,
            NumberTest::AtLeast(bound) => value >= bound,
            NumberTest::Between(low, high) => value > low && value < high,
            NumberTest::NotBetween(low, high) => value <= low || value >= high,
            NumberTest::AnyBit(mask) => value & mask != 0,
            NumberTest::NoBit(mask) => value & mask == 0,
            NumberTest::Masked(mask, wanted) => value & mask == wanted,
            NumberTest::NotMasked(mask, unwanted) => value & mask != unwanted,
        }
    }
}

/// The two ends of a range and whether it is negated, if the text is one. A name may contain `-`.
fn between<'a>(text: &'a str, names: &[(&str, u64)]) -> Option<((&'a str, &'a str), bool)> {
    if names.iter().any(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return None;
    }
    let (body, negated) = match text.strip_prefix('!') {
        Some(rest) if !rest.starts_with(['&', '=']) => (rest, true),
        _ => (text, false),
    };
    let ends = body.split_once("<>").or_else(|| body.split_once('-'))?;
    let starts_with_digit = ends.0.trim().starts_with(|first: char| first.is_ascii_digit());
    starts_with_digit.then_some(((ends.0.trim(), ends.1.trim()), negated))
}

fn bits(
    rest: &str,
    negated: bool,
    number: &dyn Fn(&str) -> Result<u64, Complaint>,
) -> Result<NumberTest, Complaint> {
    if let Some((mask, value)) = rest.split_once("!=") {
        let (mask, value) = (number(mask)?, number(value)?);
        return Ok(if negated {
            NumberTest::Masked(mask, value)
        } else {
            NumberTest::NotMasked(mask, value)
        });
    }
    if let Some((mask, value)) = rest.split_once('=') {
        let (mask, value) = (number(mask)?, number(value)?);
        return Ok(if negated {
            NumberTest::NotMasked(mask, value)
        } else {
            NumberTest::Masked(mask, value)
        });
    }
    let mask = number(rest)?;
    Ok(if negated { NumberTest::NoBit(mask) } else { NumberTest::AnyBit(mask) })
}

fn number(word: &str, max: u64, names: &[(&str, u64)]) -> Result<u64, Complaint> {
    let word = word.trim();
    if let Some((_, value)) = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        return Ok(*value);
    }
    let lower = word.to_ascii_lowercase();
    let (digits, unit) =
        [("kib", 1024), ("mib", 1 << 20), ("gib", 1 << 30), ("kb", 1024), ("mb", 1 << 20), ("gb", 1 << 30)]
            .iter()
            .find_map(|(suffix, unit)| lower.strip_suffix(suffix).map(|digits| (digits, *unit)))
            .unwrap_or((&lower, 1u64));
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.trim().parse().ok(),
    };
    match parsed.and_then(|value: u64| value.checked_mul(unit)) {
        Some(value) if value <= max => Ok(value),
        Some(value) => Err(Complaint::new(format!("{value} is too large: at most {max}"))),
        None => Err(Complaint::new(format!("'{word}' is no number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> NumberTest {
        NumberTest::parse(text, u64::MAX, &[("publish", 3), ("sub-ack", 9)])
            .unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn every_form_of_a_condition_is_read() {
        assert_eq!(parse("5"), NumberTest::Equal(5));
        assert_eq!(parse(" =0x10 "), NumberTest::Equal(16));
        assert_eq!(parse("!5"), NumberTest::NotEqual(5));
        assert_eq!(parse("< 5"), NumberTest::Less(5));
        assert_eq!(parse("<=5"), NumberTest::AtMost(5));
        assert_eq!(parse(">5"), NumberTest::More(5));
        assert_eq!(parse(">=5"), NumberTest::AtLeast(5));
        assert_eq!(parse("3<>7"), NumberTest::Between(3, 7));
        assert_eq!(parse("3-7"), NumberTest::Between(3, 7));
        assert_eq!(parse("!3-7"), NumberTest::NotBetween(3, 7));
        assert_eq!(parse("&6"), NumberTest::AnyBit(6));
        assert_eq!(parse("!&6"), NumberTest::NoBit(6));
        assert_eq!(parse("&6=2"), NumberTest::Masked(6, 2));
        assert_eq!(parse("&6!=2"), NumberTest::NotMasked(6, 2));
        assert_eq!(parse("PUBLISH"), NumberTest::Equal(3));
        assert_eq!(parse("sub-ack"), NumberTest::Equal(9));
        assert_eq!(parse("10kb"), NumberTest::Equal(10_240));
    }

    #[test]
    fn a_condition_that_makes_no_sense_is_refused() {
        for text in ["", "x", "7-3", "5-5", "<", "0xzz", "-1", "1 2"] {
            assert!(NumberTest::parse(text, u64::MAX, &[]).is_err(), "{text}");
        }
        assert!(NumberTest::parse("256", 255, &[]).is_err());
    }

    #[test]
    fn a_range_leaves_its_ends_out() {
        assert!(!parse("3<>7").holds(3));
        assert!(parse("3<>7").holds(4));
        assert!(!parse("3<>7").holds(7));
        assert!(parse("!3-7").holds(3));
    }
}
