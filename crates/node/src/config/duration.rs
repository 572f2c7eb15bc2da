//! Times as people write them: `50ms`.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

/// A time in a configuration: a whole number and a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span(pub(crate) Duration);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadSpan(String);

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadSpan(text.chars().take(40).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let nanoseconds: u64 = match unit.trim_start() {
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            _ => return Err(bad()),
        };
        let number: u64 = number.parse().map_err(|_| bad())?;
        number.checked_mul(nanoseconds).map(|all| Span(Duration::from_nanos(all))).ok_or_else(bad)
    }
}

impl fmt::Display for BadSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no time; right would be a whole number and us, ms, s or min, as in \"50ms\"",
            self.0.escape_debug()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, time) in [
            ("50ms", Duration::from_millis(50)),
            ("250 us", Duration::from_micros(250)),
            ("10s", Duration::from_secs(10)),
            ("2min", Duration::from_secs(120)),
        ] {
            assert_eq!(text.parse(), Ok(Span(time)));
        }
        for wrong in ["", "50", "ms", "-1s", "1.5s", "5 parsecs", "99999999999999999999s", "9999999999999min"]
        {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
