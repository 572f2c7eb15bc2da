//! What a timestamp of pcapng counts, and since when.
//!
//! An interface says both: `if_tsresol` (a power of ten or of two; microseconds if it says nothing) and `if_tsoffset`
//! (seconds to be added). The result is nanoseconds since the epoch, rounded down. What lies before the epoch is 0, and
//! what does not fit is the largest number (in the year 2554).

const NS_PER_S: u64 = 1_000_000_000;

/// How an interface's timestamps become nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Clock {
    scale: Scale,
    offset_s: i64,
}

/// What one tick is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scale {
    /// So many nanoseconds.
    Times(u64),
    /// One part of a nanosecond of so many.
    Over(u64),
    /// One part of a second of 2 to this power.
    Binary(u32),
    /// So short that no number of ticks makes a nanosecond.
    Nothing,
}

impl Clock {
    /// The clock of an interface that does not say.
    pub(crate) const MICROSECONDS: Clock = Clock { scale: Scale::Times(1_000), offset_s: 0 };

    /// The same clock with another resolution: `if_tsresol` as it stands in the file.
    pub(crate) fn with_resolution(self, resolution: u8) -> Clock {
        let exponent = u32::from(resolution & 0x7f);
        let scale = if resolution & 0x80 != 0 {
            Scale::Binary(exponent)
        } else if exponent <= 9 {
            Scale::Times(10_u64.pow(9 - exponent))
        } else {
            10_u64.checked_pow(exponent - 9).map_or(Scale::Nothing, Scale::Over)
        };
        Clock { scale, ..self }
    }

    /// The same clock with another beginning: `if_tsoffset`.
    pub(crate) fn with_offset(self, offset_s: i64) -> Clock {
        Clock { offset_s, ..self }
    }

    /// Nanoseconds since the epoch.
    pub(crate) fn time_ns(self, ticks: u64) -> u64 {
        let ns = match self.scale {
            Scale::Times(ns) => u128::from(ticks) * u128::from(ns),
            Scale::Over(parts) => u128::from(ticks / parts),
            // 94 bits at most, shifted by 127 at most.
            Scale::Binary(power) => (u128::from(ticks) * u128::from(NS_PER_S)) >> power,
            Scale::Nothing => 0,
        };
        let offset_ns = u128::from(self.offset_s.unsigned_abs()) * u128::from(NS_PER_S);
        let ns = if self.offset_s < 0 { ns.saturating_sub(offset_ns) } else { ns.saturating_add(offset_ns) };
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_ns(resolution: u8, ticks: u64) -> u64 {
        Clock::MICROSECONDS.with_resolution(resolution).time_ns(ticks)
    }

    #[test]
    fn powers_of_ten_are_multiplied_or_divided() {
        assert_eq!(Clock::MICROSECONDS.time_ns(1_700_000_000_123_456), 1_700_000_000_123_456_000);
        assert_eq!(time_ns(0, 5), 5_000_000_000);
        assert_eq!(time_ns(3, 5), 5_000_000);
        assert_eq!(time_ns(6, 5), 5_000);
        assert_eq!(time_ns(9, 5), 5);
        assert_eq!(time_ns(12, 5_999), 5);
        assert_eq!(time_ns(28, u64::MAX), 1);
        assert_eq!(time_ns(29, u64::MAX), 0);
        assert_eq!(time_ns(127, u64::MAX), 0);
    }

    #[test]
    fn powers_of_two_are_parts_of_a_second() {
        assert_eq!(time_ns(0x80, 3), 3_000_000_000);
        assert_eq!(time_ns(0x80 | 1, 3), 1_500_000_000);
        assert_eq!(time_ns(0x80 | 32, 1 << 31), 500_000_000);
        assert_eq!(time_ns(0xff, u64::MAX), 0);
    }

    #[test]
    fn what_does_not_fit_is_the_nearest_that_does() {
        assert_eq!(time_ns(0, u64::MAX), u64::MAX);
        let clock = Clock::MICROSECONDS;
        assert_eq!(clock.with_offset(10).time_ns(1), 10_000_001_000);
        assert_eq!(clock.with_offset(-1).time_ns(1_500_000), 500_000_000);
        assert_eq!(clock.with_offset(-1).time_ns(999_999), 0);
        assert_eq!(clock.with_offset(i64::MIN).time_ns(u64::MAX), 0);
        assert_eq!(clock.with_offset(i64::MAX).time_ns(u64::MAX), u64::MAX);
    }
}
