//! Attempts of a shard that wait for their answer, oldest first.
//!
//! Upon an attempt: it waits. With [`WAITING_MAX`] waiting already the oldest is judged at once, as if its time were over; that is counted.
//! Upon time passing: those whose time is over are judged.
//! Upon a mark: what is taken and what is added from then on is remembered, so that all can be put back at a cost that follows what changed.

use crate::Time;
use std::collections::VecDeque;

/// Attempts that wait in one shard at most: with 64 shards and three seconds, 170,000 a second.
pub(crate) const WAITING_MAX: usize = 8_192;

/// An attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Attempt {
    /// Until when it waits.
    pub(crate) until: Time,
    /// The place of its flow, and the flow's own number: another flow may have that place by then.
    pub(crate) place: u32,
    pub(crate) flow: u64,
}

/// Attempts that wait.
#[derive(Clone, Default, Debug)]
pub(crate) struct Waiting {
    queue: VecDeque<Attempt>,
    early: u64,
    /// What was taken since the mark, and how many that came since are there.
    mark: Option<(Vec<Attempt>, usize, u64)>,
}

impl Waiting {
    /// One more waits. If that is one too many: the oldest.
    pub(crate) fn add(&mut self, attempt: Attempt) -> Option<Attempt> {
        let surplus = if self.queue.len() >= WAITING_MAX { self.take() } else { None };
        self.early += u64::from(surplus.is_some());
        self.queue.push_back(attempt);
        if let Some((_, added, _)) = &mut self.mark {
            *added += 1;
        }
        surplus
    }

    /// The next whose time is over. They are looked at in the order in which they came; one whose frame was stamped late holds up those after it.
    pub(crate) fn due(&mut self, now: Time) -> Option<Attempt> {
        self.queue.front().filter(|attempt| attempt.until <= now)?;
        self.take()
    }

    /// Attempts that were judged early for want of room.
    pub(crate) fn early(&self) -> u64 {
        self.early
    }

    pub(crate) fn mark(&mut self) {
        self.mark = Some((Vec::new(), 0, self.early));
    }

    pub(crate) fn put_back(&mut self) {
        let Some((taken, added, early)) = self.mark.take() else { return };
        self.queue.truncate(self.queue.len() - added.min(self.queue.len()));
        for attempt in taken.into_iter().rev() {
            self.queue.push_front(attempt);
        }
        self.early = early;
    }

    fn take(&mut self) -> Option<Attempt> {
        let attempt = self.queue.pop_front()?;
        if let Some((taken, added, _)) = &mut self.mark {
            // Those that were there at the mark stand before those that came since.
            if self.queue.len() >= *added {
                taken.push(attempt);
            } else {
                *added -= 1;
            }
        }
        Some(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(second: u64) -> Attempt {
        Attempt { until: Time(second), place: second as u32, flow: second }
    }

    #[test]
    fn with_too_many_waiting_the_oldest_is_judged_at_once() {
        let mut waiting = Waiting::default();
        for second in 0..WAITING_MAX as u64 {
            assert_eq!(waiting.add(attempt(second)), None);
        }
        assert_eq!(waiting.add(attempt(9_999)), Some(attempt(0)));
        assert_eq!((waiting.early(), waiting.queue.len()), (1, WAITING_MAX));
    }

    #[test]
    fn what_was_taken_and_added_since_the_mark_is_put_back() {
        let mut waiting = Waiting::default();
        for second in 1..=5 {
            waiting.add(attempt(second));
        }
        assert_eq!(waiting.due(Time(1)), Some(attempt(1)));
        let before = waiting.queue.clone();
        waiting.mark();
        waiting.add(attempt(6));
        waiting.add(attempt(7));
        let taken: Vec<Attempt> = std::iter::from_fn(|| waiting.due(Time(6))).collect();
        assert_eq!(taken, [2, 3, 4, 5, 6].map(attempt));
        waiting.add(attempt(8));
        waiting.put_back();
        assert_eq!(waiting.queue, before);
    }
}
