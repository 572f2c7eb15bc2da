//! How long a monitor waits for what its replica owes: what is usual, and something to spare.
//!
//! Each delay beyond the bound of [`Baseline`] is paid from what there is to spare; that fills up again by a sixteenth of the time
//! that passes, up to the ceiling. So a disk that stalls now and then for less than the ceiling costs nobody his role, while a
//! traitor gains by it no more than a sixteenth of the time: over any stretch `t`, its delays beyond the bound are at most
//! the ceiling and `t` / 16 together.
//!
//! Upon something owed ([`Patience::begin`]): the time runs, unless it does already. Upon it being done ([`Patience::fulfil`]): the
//!   delay is learned, or paid for. Upon [`Patience::due`]: it is late; nothing is left to spare ([`Patience::run_out`]).

use crate::baseline::Baseline;
use crate::ids::{Span, Time};

/// What there is to spare fills up by one part in so many of the time that passes.
pub const FILLS_IN: u64 = 16;

/// The patience with one replica in one role.
#[derive(Clone, Hash, Debug)]
pub struct Patience {
    usual: Baseline,
    spare_max: Span,
    /// What there was to spare at a moment.
    spare: (Span, Time),
    since: Option<Time>,
}

impl Patience {
    /// A bound that stays between `floor` and `ceiling`, and as much as `ceiling` to spare.
    #[must_use]
    pub fn new(floor: Span, ceiling: Span) -> Self {
        Patience {
            usual: Baseline::new(floor, ceiling),
            spare_max: ceiling,
            spare: (ceiling, Time(0)),
            since: None,
        }
    }

    /// What is late now, but for what there is to spare.
    #[must_use]
    pub fn bound(&self) -> Span {
        self.usual.bound()
    }

    /// When what is owed is late, if anything is.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.since.map(|since| since.after(self.bound()).after(self.spare_at(since)))
    }

    /// Something is owed.
    pub fn begin(&mut self, now: Time) {
        self.since.get_or_insert(now);
    }

    /// Nothing is owed after all.
    pub fn forgive(&mut self) {
        self.since = None;
    }

    /// What was owed is done.
    pub fn fulfil(&mut self, now: Time) {
        let Some(since) = self.since.take() else { return };
        let delay = now.since(since);
        let beyond = delay.0.saturating_sub(self.bound().0);
        if beyond > 0 {
            self.spare = (Span(self.spare_at(now).0.saturating_sub(beyond)), now);
        }
        self.usual.learn(delay);
    }

    /// What was owed is late, and still owed.
    pub fn run_out(&mut self, now: Time) {
        self.spare = (Span(0), now);
        self.since = Some(now);
    }

    fn spare_at(&self, now: Time) -> Span {
        let (spare, at) = self.spare;
        Span(spare.0.saturating_add(now.since(at).0 / FILLS_IN).min(self.spare_max.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::SAMPLES_MIN;

    const FLOOR: Span = Span(1_000);
    const CEILING: Span = Span(100_000);

    /// One whose replica has long been quick, at the moment when something is owed again.
    fn owed_at(now: u64) -> Patience {
        let mut patience = Patience::new(FLOOR, CEILING);
        for _ in 0..=SAMPLES_MIN {
            patience.begin(Time(now));
            patience.fulfil(Time(now + 1));
        }
        patience.begin(Time(now));
        patience
    }

    #[test]
    fn a_stall_now_and_then_is_borne_and_one_after_the_other_is_not() {
        let mut patience = owed_at(1_000_000);
        assert_eq!(patience.due(), Some(Time(1_000_000 + FLOOR.0 + CEILING.0)));
        patience.fulfil(Time(1_090_000));
        patience.begin(Time(1_090_000));
        let left = patience.due().expect("something is owed").since(Time(1_090_000));
        assert!(left < Span(20_000), "{left:?}: the first one is not paid for yet");
        patience.forgive();
        patience.begin(Time(4_000_000));
        assert_eq!(patience.due(), Some(Time(4_000_000 + FLOOR.0 + CEILING.0)), "now it is");
    }

    #[test]
    fn whoever_is_as_slow_as_it_may_be_gains_a_sixteenth_of_the_time() {
        let mut patience = owed_at(0);
        let (mut now, mut beyond) = (0, 0);
        while now < 1_000 * CEILING.0 {
            let due = patience.due().expect("something is owed").0 - 1;
            beyond += due - now - FLOOR.0.min(due - now);
            now = due;
            patience.fulfil(Time(now));
            patience.begin(Time(now));
        }
        assert_eq!(patience.bound(), FLOOR, "nothing of it was learned");
        assert!(beyond <= CEILING.0 + now / FILLS_IN, "{beyond} of {now}");
    }

    #[test]
    fn who_was_late_has_nothing_to_spare_and_may_be_late_again() {
        let mut patience = owed_at(0);
        let due = patience.due().expect("something is owed");
        patience.run_out(due);
        assert_eq!(patience.due(), Some(due.after(FLOOR)));
        patience.forgive();
        assert_eq!(patience.due(), None);
    }
}
