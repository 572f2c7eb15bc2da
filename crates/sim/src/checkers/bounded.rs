//! Bounded: nothing a correct replica keeps or does grows without limit, whatever others send it.
//!
//! Upon each event: the effects that it leaves are at most `effects_max`, the records on its disk at most `records_max`.
//! At times: no link holds more than its limit.

use agree::Settings;

/// What is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Effects of one event at most.
    pub effects_max: usize,
    /// Records on a disk at most.
    pub records_max: usize,
}

impl Limits {
    /// What a replica with these settings may need: a new view repeats the whole log to everybody, and the log is what
    /// the checkpoints leave; a few records for each batch, and a few for each view.
    #[must_use]
    pub fn of(settings: &Settings) -> Limits {
        let nodes = settings.n() + settings.spares.len();
        let log = usize::try_from(settings.log_batches_max()).unwrap_or(usize::MAX / 64);
        Limits {
            effects_max: 64 + 4 * nodes * log + settings.requests_waiting_max,
            records_max: 256 + 16 * log,
        }
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Bounded {
    limits: Limits,
    effects_most: usize,
    records_most: usize,
}

impl Bounded {
    /// With these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Bounded { limits, effects_most: 0, records_most: 0 }
    }

    /// One event of `node` left so many effects, and its disk holds so many records.
    #[inline]
    pub fn stepped(&mut self, node: usize, effects: usize, records: usize) -> Result<(), String> {
        self.effects_most = self.effects_most.max(effects);
        self.records_most = self.records_most.max(records);
        if effects > self.limits.effects_max {
            return Err(format!(
                "one event of p{node} left {effects} effects, the limit is {}",
                self.limits.effects_max
            ));
        }
        if records > self.limits.records_max {
            return Err(format!(
                "the disk of p{node} holds {records} records, the limit is {}",
                self.limits.records_max
            ));
        }
        Ok(())
    }

    /// A link is so full.
    pub fn link_filled(&self, frames: u64) -> Result<(), String> {
        if frames > 0 {
            return Err(format!("{frames} frames of correct nodes found their link full"));
        }
        Ok(())
    }

    /// The most effects and the most records seen.
    #[must_use]
    pub fn most(&self) -> (usize, usize) {
        (self.effects_most, self.records_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_its_limit_is_found() {
        let mut bounded = Bounded::new(Limits { effects_max: 10, records_max: 20 });
        assert!(bounded.stepped(0, 10, 20).is_ok());
        assert!(bounded.stepped(0, 11, 0).is_err());
        assert!(bounded.stepped(0, 0, 21).is_err());
        assert!(bounded.link_filled(1).is_err());
        assert_eq!(bounded.most(), (11, 21));
    }
}
