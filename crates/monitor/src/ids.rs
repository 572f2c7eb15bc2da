//! The monitor's own words for the few things it speaks of. It has no dependencies, so they are its own.

/// A node of the cluster.
pub type Node = u16;

/// A hash that nobody makes twice.
pub type Digest = [u8; 32];

/// Which start of a node's monitor this is. It grows with every start: the edge takes it from its clock, and one that
/// did not grow is refused by the nodes that know the greater. A monitor that was never restarted has [`FIRST`].
pub type Incarnation = u64;

/// The incarnation of a monitor that has run since the cluster began.
pub const FIRST: Incarnation = 0;

/// The incarnation of a node whose replica was proven guilty: greater than any real one, so that nothing it says counts
/// again.
pub const QUARANTINED: Incarnation = Incarnation::MAX;

/// A moment, in nanoseconds since some start that only the caller knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span(pub u64);

/// The configuration number, the paper's `v`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct View(pub u64);

/// The place of an ORDER, the paper's `N`. The first is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sequence(pub u64);

impl Time {
    /// This moment plus `span`.
    #[must_use]
    pub fn after(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }

    /// How long `earlier` is before this moment; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// `count` times as long, but no longer than `max`.
    #[must_use]
    pub fn times(self, count: u64, max: Span) -> Span {
        Span(self.0.saturating_mul(count).min(max.0))
    }
}

impl View {
    /// The configuration after this one.
    #[must_use]
    pub fn next(self) -> View {
        View(self.0.saturating_add(1))
    }
}

impl Sequence {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }

    /// This place plus `count`.
    #[must_use]
    pub fn plus(self, count: u64) -> Sequence {
        Sequence(self.0.saturating_add(count))
    }
}
