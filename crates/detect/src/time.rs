//! Time as frames tell it.

/// Nanoseconds since 1970 (UTC), by the clock that stamped the frames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Microseconds within the second.
    #[must_use]
    pub fn micros(self) -> u32 {
        u32::try_from(self.0 % 1_000_000_000 / 1_000).unwrap_or(0)
    }

    /// How long after `earlier`, in nanoseconds; nothing if it is not after.
    #[must_use]
    pub fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
