//! Lengths of time as people write them: `500ms`, `10s`, `2m`.

use core::time::Duration;

/// The length of time that `word` names.
pub(super) fn parse(word: &str) -> Result<Duration, String> {
    let digits = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let nanoseconds_per_unit: u64 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        _ => return Err(format!("'{word}' is no length of time; write it like 500ms, 10s or 2m")),
    };
    let number: u64 = number.parse().map_err(|_| format!("'{word}' has no number before its unit"))?;
    match number.checked_mul(nanoseconds_per_unit) {
        None => Err(format!("'{word}' is longer than time goes on")),
        Some(0) => Err("a run lasts longer than nothing".into()),
        Some(nanoseconds) => Ok(Duration::from_nanos(nanoseconds)),
    }
}

/// A word that [`parse`] reads back as `duration`.
pub(super) fn format(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds.is_multiple_of(1000) {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_and_written() {
        for (word, duration) in [("500ms", Duration::from_millis(500)), ("10s", Duration::from_secs(10))] {
            assert_eq!(parse(word), Ok(duration));
            assert_eq!(format(duration), word);
        }
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for word in ["", "10", "s", "0s", "1h", "-1s", "1.5s", "99999999999999m"] {
            assert!(parse(word).is_err(), "{word}");
        }
    }
}
