//! Dates in rules and records: days and seconds of the calendar, UTC, without a clock.

use crate::Complaint;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// A condition on a date, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DateTest {
    /// This second.
    At(i64),
    /// Then or before.
    Until(i64),
    /// Then or after.
    From(i64),
    /// From the one to the other.
    Between(i64, i64),
}

impl DateTest {
    /// Reads `2015-10-21`, `<2015`, `>2015-10-21T01:02`, `2015<>2016`; or seconds since 1970.
    pub(super) fn parse(text: &str) -> Result<Self, Complaint> {
        let text = text.trim();
        if let Some((from, until)) = text.split_once("<>") {
            let (from, until) = (seconds(from)?, seconds(until)?);
            if until <= from {
                return Err(Complaint::new(format!(
                    "'{text}': the first date of a range must be the earlier one"
                )));
            }
            return Ok(DateTest::Between(from, until));
        }
        if let Some(date) = text.strip_prefix('<') {
            return Ok(DateTest::Until(seconds(date)?));
        }
        if let Some(date) = text.strip_prefix('>') {
            return Ok(DateTest::From(seconds(date)?));
        }
        Ok(DateTest::At(seconds(text)?))
    }

    /// Whether the second `date` is one of those meant.
    pub(super) fn holds(self, date: i64) -> bool {
        match self {
            DateTest::At(wanted) => date == wanted,
            DateTest::Until(last) => date <= last,
            DateTest::From(first) => date >= first,
            DateTest::Between(first, last) => (first..=last).contains(&date),
        }
    }
}

/// Seconds since 1970 of a date. Four digits alone are a year, any other digits alone are seconds.
fn seconds(text: &str) -> Result<i64, Complaint> {
    let text = text.trim();
    let refuse = || {
        Complaint::new(format!(
            "'{text}' is no date: 2015, 2015-10, 2015-10-21 or 2015-10-21T12:34:56 would be"
        ))
    };
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits && text.len() != 4 {
        return text.parse().map_err(|_| refuse());
    }
    let (date, clock) = match text.split_once(['T', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let days = parts(date, '-', &[0..=9999, 1..=12, 1..=31], &[1970, 1, 1]).ok_or_else(refuse)?;
    let clock = match clock {
        None => [0; 3],
        Some(_) if date.split('-').count() < 3 => return Err(refuse()),
        Some(clock) => parts(clock.trim(), ':', &[0..=23, 0..=59, 0..=60], &[0, 0, 0]).ok_or_else(refuse)?,
    };
    Ok(days_since_1970(days[0], days[1], days[2]) * SECONDS_OF_A_DAY
        + clock[0] * 3600
        + clock[1] * 60
        + clock[2])
}

/// Up to three numbers; those that are not said have their usual value.
fn parts(
    text: &str,
    between: char,
    allowed: &[core::ops::RangeInclusive<i64>; 3],
    usual: &[i64; 3],
) -> Option<[i64; 3]> {
    let mut numbers = *usual;
    let mut count = 0;
    for (place, word) in text.split(between).enumerate() {
        let is_number = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { word.parse().ok()? } else { return None };
        allowed.get(place).filter(|allowed| allowed.contains(&number))?;
        numbers[place] = number;
        count += 1;
    }
    (count > 0).then_some(numbers)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, in 400-year cycles that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// A second as records write it: `2015-10-21T12:34:56`.
pub(super) fn spelled(second: i64) -> String {
    let days = second.div_euclid(SECONDS_OF_A_DAY) + 719_468;
    let clock = second.rem_euclid(SECONDS_OF_A_DAY);
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_length_are_read() {
        assert_eq!(seconds("1970"), Ok(0));
        assert_eq!(seconds("2015-10"), Ok(1_443_657_600));
        assert_eq!(seconds("2015-10-22"), Ok(1_445_472_000));
        assert_eq!(seconds("2015-10-22 23:59"), Ok(1_445_558_340));
        assert_eq!(seconds("2015-10-22T23:59:59"), Ok(1_445_558_399));
        assert_eq!(seconds(" 1445852105 "), Ok(1_445_852_105));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "x",
            "2015-13",
            "2015-10-32",
            "2015-10T10",
            "2015-10-10-10",
            "2015-10-22T24",
            "-1",
            "2015-",
            "99999999999999999999",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert!(DateTest::parse("2016<>2015").is_err());
        assert!(DateTest::parse("<2015<>2016").is_err());
    }

    #[test]
    fn a_condition_includes_its_ends() {
        let between = DateTest::parse("2015-10-22<>2015-10-23").expect("a range");
        assert_eq!(between, DateTest::Between(1_445_472_000, 1_445_558_400));
        assert!(between.holds(1_445_472_000) && between.holds(1_445_558_400));
        assert!(!between.holds(1_445_558_401));
        assert!(DateTest::parse("<2015").expect("a date").holds(1_420_070_400));
        assert!(!DateTest::parse(">2015").expect("a date").holds(1_420_070_399));
    }

    #[test]
    fn a_second_is_spelled_as_it_is_read() {
        for text in
            ["1969-12-31T00:00:00", "2038-12-31T00:10:03", "2000-02-29T23:59:59", "1900-03-01T00:00:00"]
        {
            assert_eq!(seconds(text).map(spelled), Ok(text.to_string()));
        }
    }
}
