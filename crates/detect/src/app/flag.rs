//! Conditions on bits that have names: `mqtt.flags:dup,!retain`.

use crate::{Complaint, NumberTest};

/// Reads a condition on one byte: a number as everywhere, or names of bits, each of which must be set, or not set
/// with `!` before it. A name that is the
/// beginning of another one stands behind it in `names`.
///
/// # Errors
///
/// What is wrong with the text.
pub(crate) fn flags(text: &str, names: &[(&str, u64)]) -> Result<NumberTest, Complaint> {
    if let Ok(test) = NumberTest::parse(text, u64::from(u8::MAX), &[]) {
        return Ok(test);
    }
    let (mut mask, mut wanted) = (0, 0);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let is_set = !rest.starts_with('!');
        let named = rest.trim_start_matches('!');
        let Some((name, bit)) = names.iter().find(|(name, _)| named.starts_with(name)) else {
            return Err(Complaint::new(format!("'{text}': '{rest}' is no flag")));
        };
        if mask & bit != 0 {
            return Err(Complaint::new(format!("'{text}' names '{name}' twice")));
        }
        mask |= bit;
        if is_set {
            wanted |= bit;
        }
        rest = named[name.len()..].trim_start_matches([' ', ',']);
    }
    if mask == 0 {
        return Err(Complaint::new("no flag is named"));
    }
    Ok(NumberTest::Masked(mask, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[(&str, u64)] = &[("late_riser", 4), ("late", 2), ("early", 1)];

    #[test]
    fn flags_are_named_or_numbered() {
        assert_eq!(flags("late, !early", NAMES), Ok(NumberTest::Masked(3, 2)));
        assert_eq!(flags("late_riser", NAMES), Ok(NumberTest::Masked(4, 4)));
        assert_eq!(flags("!2", NAMES), Ok(NumberTest::NotEqual(2)));
        for text in ["", "late,late", "soon", "late x"] {
            assert!(flags(text, NAMES).is_err(), "{text}");
        }
    }
}
