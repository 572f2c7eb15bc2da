//! Conditions on a number as header keywords take them: [`NumberTest`], and no text that Suricata refuses.
//!
//! Beyond what [`NumberTest::parse`] refuses: conditions that always or never hold (`<0`, `>=0`, a range with nothing
//! in it, a mask without a value), and signs.

use crate::{Complaint, NumberTest};

/// Reads a condition on a number of at most `max`.
pub(super) fn parse(text: &str, max: u64) -> Result<NumberTest, Complaint> {
    if text.contains('+') {
        return Err(Complaint::new(format!("'{text}': a number has no sign")));
    }
    let test = NumberTest::parse(text, max, &[])?;
    let makes_sense = match test {
        NumberTest::Less(bound) => bound > 0,
        NumberTest::AtLeast(bound) => bound > 0,
        NumberTest::More(bound) => bound < max,
        NumberTest::AtMost(bound) => bound < max,
        NumberTest::Between(low, high) | NumberTest::NotBetween(low, high) => high - low > 1,
        NumberTest::Masked(mask, value) | NumberTest::NotMasked(mask, value) => value & mask == value,
        NumberTest::AnyBit(_) | NumberTest::NoBit(_) => false,
        NumberTest::Equal(_) | NumberTest::NotEqual(_) => true,
    };
    if makes_sense {
        Ok(test)
    } else {
        Err(Complaint::new(format!("'{text}': no number, or every number, would do")))
    }
}

/// Reads a plain decimal number of at most `max`.
pub(super) fn decimal(text: &str, max: u64) -> Result<u64, Complaint> {
    let text = text.trim();
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(value) if is_decimal && value <= max => Ok(value),
        _ => Err(Complaint::new(format!("'{text}' is no number from 0 to {max}"))),
    }
}

/// Reads a plain decimal number that may stand in quotes.
pub(super) fn quoted(text: &str, max: u64) -> Result<u64, Complaint> {
    let text = text.trim();
    match text.strip_prefix('"') {
        Some(rest) => match rest.strip_suffix('"') {
            Some(inner) => decimal(inner, max),
            None => Err(Complaint::new(format!("'{text}': the closing quote is missing"))),
        },
        None => decimal(text, max),
    }
}
