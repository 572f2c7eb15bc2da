//! Moments of the calendar, to the second: when a key ends, and what time it is.
//!
//! Upon a date (`2028-11-21`): the beginning of that day, UTC.
//! Upon a timestamp (`2028-11-21T14:00:00+02:00`, RFC 3339): that moment; fractions of a second are cut off.
//! Upon anything else: refused, with an example.
//!
//! Nothing here reads a clock. `wire::Time` is another thing: it counts from a start that only a driver knows.

use core::fmt;
use core::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the beginning of 1970, UTC, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WallTime(pub u64);

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// A moment that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadWallTime(String);

impl fmt::Display for BadWallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no moment from 1970 to 9999; right would be a date such as 2028-11-21, or 2028-11-21T14:00:00Z",
            self.0.escape_debug()
        )
    }
}

impl core::error::Error for BadWallTime {}

impl From<SystemTime> for WallTime {
    fn from(time: SystemTime) -> Self {
        WallTime(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl WallTime {
    /// The beginning of the day on which it is that many days later.
    #[must_use]
    pub fn day_after(self, days: u32) -> WallTime {
        WallTime((self.0 / DAY_SECONDS + u64::from(days)) * DAY_SECONDS)
    }
}

/// Days of the month of a year in the Gregorian calendar.
fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to the first day of `year`.
fn days_before(year: u64) -> u64 {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

impl FromStr for WallTime {
    type Err = BadWallTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| BadWallTime(text.chars().take(40).collect()))
    }
}

fn read(text: &str) -> Option<WallTime> {
    let (date, time) = match text.split_at_checked(10)? {
        (date, "") => (date, None),
        (date, rest) => (date, Some(rest.strip_prefix(['T', 't', ' '])?)),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let days = days_before(year) + (1..month).map(|month| days_in(year, month)).sum::<u64>() + day - 1;
    let seconds = days * DAY_SECONDS;
    match time {
        None => Some(WallTime(seconds)),
        Some(time) => {
            let (time, ahead) = zone(time)?;
            let time = match time.split_once('.') {
                None => time,
                Some((time, fraction)) => is_digits(fraction).then_some(time)?,
            };
            let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
            if hour > 23 || minute > 59 || second > 60 {
                return None;
            }
            let local = seconds + hour * 3600 + minute * 60 + second;
            u64::try_from(i64::try_from(local).ok()? - ahead).ok().map(WallTime)
        }
    }
}

/// What stands before the zone, and how many seconds the zone is ahead of UTC.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let (time, zone) = time.split_at_checked(time.len().checked_sub(6)?)?;
    let [hours, minutes] = numbers(zone.get(1..)?, ':', [2, 2])?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let ahead = (hours * 3600 + minutes * 60) as i64;
    match zone.as_bytes()[0] {
        b'+' => Some((time, ahead)),
        b'-' => Some((time, -ahead)),
        _ => None,
    }
}

/// `N` numbers of the widths given with `between` between them, and nothing else.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut pieces = text.split(between);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let piece = pieces.next().filter(|piece| piece.len() == width && is_digits(piece))?;
        *number = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(numbers)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// As it is read: a date alone if it is the beginning of a day.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut days, rest) = (self.0 / DAY_SECONDS, self.0 % DAY_SECONDS);
        // 400 years have the same number of days wherever they begin, so that no time makes a long search.
        let mut year = 1970 + days / 146_097 * 400;
        days %= 146_097;
        while days >= 365 + u64::from(is_leap(year)) {
            days -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let mut month = 1;
        while days >= days_in(year, month) {
            days -= days_in(year, month);
            month += 1;
        }
        write!(f, "{year:04}-{month:02}-{:02}", days + 1)?;
        match rest {
            0 => Ok(()),
            _ => write!(f, "T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        text.parse().ok().map(|WallTime(seconds)| seconds)
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2000-02-29"), Some(951_782_400));
        assert_eq!(seconds("2000-03-01T00:00:01Z"), Some(951_868_801));
        assert_eq!(seconds("2028-11-21"), Some(1_858_377_600));
        assert_eq!(seconds("2028-11-21T14:00:00+02:00"), Some(1_858_377_600 + 12 * 3600));
        assert_eq!(seconds("2028-11-21 14:00:00.5-00:30"), Some(1_858_377_600 + 14 * 3600 + 1800));
        assert_eq!(seconds("9999-12-31"), Some(253_402_214_400));
    }

    #[test]
    fn every_day_is_read_as_it_is_written() {
        for day in 0..60_000 {
            for second in [0, 1, 86_399] {
                let time = WallTime(day * DAY_SECONDS + second);
                assert_eq!(time.to_string().parse(), Ok(time));
            }
        }
    }

    #[test]
    fn no_moment_is_refused_with_an_example() {
        for wrong in [
            "",
            "2028",
            "2027-02-29",
            "2028-13-01",
            "2028-00-01",
            "2028-01-00",
            "1969-12-31",
            "2028-1-01",
            "2028-11-21T",
            "2028-11-21T14:00",
            "2028-11-21T14:00:00",
            "2028-11-21T25:00:00Z",
            "2028-11-21T14:00:00.Z",
            "2028-11-21T14:00:00+2:00",
            "1970-01-01T00:00:00+01:00",
            "+028-11-21",
            "2028-11-2é",
            "éééééé",
        ] {
            let error = wrong.parse::<WallTime>().expect_err(wrong).to_string();
            assert!(error.contains("right would be a date such as 2028-11-21"), "{error}");
        }
    }

    #[test]
    fn two_years_ahead_is_the_beginning_of_a_day() {
        let now = WallTime(1_858_377_600 + 4711);
        assert_eq!(now.day_after(1).to_string(), "2028-11-22");
    }

    #[test]
    fn no_moment_is_too_late_to_be_shown() {
        assert!(WallTime(u64::MAX).to_string().len() < 40);
    }
}
