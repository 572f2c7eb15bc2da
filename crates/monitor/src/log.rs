//! The ORDERs that the monitor let through, as digests, from the stable checkpoint on.

use crate::ids::{Digest, Sequence};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// What became of a digest put into the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Logged {
    /// It is there now.
    New,
    /// It was there already.
    Same,
    /// Another one is there.
    Different,
    /// The place is over: the stable checkpoint covers it.
    Past,
    /// The place is beyond the log's end.
    Beyond,
}

/// The log of ORDERs past the stable checkpoint. It holds `capacity` places, however many a peer sends.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Log {
    stable: Sequence,
    stable_digest: Digest,
    orders: VecDeque<Option<Digest>>,
    capacity: u64,
    contiguous: Sequence,
}

impl Log {
    /// The log of a configuration that starts from this stable checkpoint and these ORDERs right after it.
    pub fn new(stable: Sequence, stable_digest: Digest, orders: &[Digest], capacity: u64) -> Self {
        Log {
            stable,
            stable_digest,
            orders: orders.iter().copied().map(Some).collect(),
            capacity,
            contiguous: stable.plus(orders.len() as u64),
        }
    }

    /// The place of the stable checkpoint.
    pub fn stable(&self) -> Sequence {
        self.stable
    }

    /// Its digest.
    pub fn stable_digest(&self) -> Digest {
        self.stable_digest
    }

    /// The last place up to which no ORDER is missing.
    pub fn contiguous(&self) -> Sequence {
        self.contiguous
    }

    /// The last place that the log has room for.
    pub fn end(&self) -> Sequence {
        self.stable.plus(self.capacity)
    }

    fn index(&self, at: Sequence) -> Option<usize> {
        at.0.checked_sub(self.stable.0)?.checked_sub(1).and_then(|index| usize::try_from(index).ok())
    }

    /// The digest at a place.
    pub fn get(&self, at: Sequence) -> Option<Digest> {
        self.orders.get(self.index(at)?).copied().flatten()
    }

    /// Puts `digest` at a place that has none.
    pub fn put(&mut self, at: Sequence, digest: Digest) -> Logged {
        let Some(index) = self.index(at) else { return Logged::Past };
        if at > self.end() {
            return Logged::Beyond;
        }
        if self.orders.len() <= index {
            self.orders.resize(index + 1, None);
        }
        match self.orders[index] {
            Some(there) if there == digest => return Logged::Same,
            Some(_) => return Logged::Different,
            None => self.orders[index] = Some(digest),
        }
        while self.get(self.contiguous.next()).is_some() {
            self.contiguous = self.contiguous.next();
        }
        Logged::New
    }

    /// A checkpoint became stable: the ORDERs up to it are no longer needed. Whether it is later than the last.
    pub fn truncate(&mut self, stable: Sequence, digest: Digest) -> bool {
        if stable <= self.stable {
            return false;
        }
        let past = usize::try_from(stable.0 - self.stable.0).unwrap_or(usize::MAX).min(self.orders.len());
        self.orders.drain(..past);
        self.stable = stable;
        self.stable_digest = digest;
        self.contiguous = self.contiguous.max(stable);
        while self.get(self.contiguous.next()).is_some() {
            self.contiguous = self.contiguous.next();
        }
        true
    }

    /// The digests after the stable checkpoint up to `last`, which must not be past [`Log::contiguous`].
    pub fn orders_up_to(&self, last: Sequence) -> Option<Vec<Digest>> {
        let count = usize::try_from(last.0.checked_sub(self.stable.0)?).ok()?;
        (last <= self.contiguous).then(|| self.orders.iter().take(count).copied().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        [byte; 32]
    }

    #[test]
    fn a_place_keeps_its_first_digest() {
        let mut log = Log::new(Sequence(0), digest(0), &[], 8);
        assert_eq!(log.put(Sequence(1), digest(1)), Logged::New);
        assert_eq!(log.put(Sequence(1), digest(1)), Logged::Same);
        assert_eq!(log.put(Sequence(1), digest(2)), Logged::Different);
        assert_eq!(log.get(Sequence(1)), Some(digest(1)));
    }

    #[test]
    fn the_log_never_holds_more_than_its_capacity() {
        let mut log = Log::new(Sequence(10), digest(0), &[], 8);
        assert_eq!(log.put(Sequence(18), digest(1)), Logged::New);
        assert_eq!(log.put(Sequence(19), digest(1)), Logged::Beyond);
        assert_eq!(log.put(Sequence(u64::MAX), digest(1)), Logged::Beyond);
        assert_eq!(log.put(Sequence(10), digest(1)), Logged::Past);
    }

    #[test]
    fn contiguous_stops_at_the_first_gap() {
        let mut log = Log::new(Sequence(0), digest(0), &[], 8);
        log.put(Sequence(1), digest(1));
        log.put(Sequence(3), digest(3));
        assert_eq!(log.contiguous(), Sequence(1));
        log.put(Sequence(2), digest(2));
        assert_eq!(log.contiguous(), Sequence(3));
        log.truncate(Sequence(2), digest(9));
        assert_eq!((log.contiguous(), log.get(Sequence(3))), (Sequence(3), Some(digest(3))));
        log.truncate(Sequence(7), digest(9));
        assert_eq!(log.contiguous(), Sequence(7));
    }
}
