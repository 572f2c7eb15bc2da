//! How much a node is let out of what nobody counts out: flooding.
//!
//! Both buckets of a monitor together let out a burst each and so many a second each. In a quarter of a second that is
//! less than [`EXTRA_MAX`], whatever the clock of the node does.

use core::time::Duration;
use wire::Time;

/// How long messages are counted together.
const WINDOW: Duration = Duration::from_millis(250);

/// Messages that may be let out in that time.
const EXTRA_MAX: u64 = 3_300;

/// What was let out of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    since: Time,
    count: u64,
}

impl Flow {
    /// A message is let out.
    pub(super) fn passed(&mut self, now: Time, is_extra: bool) -> Result<(), String> {
        if now.since(self.since) >= WINDOW {
            *self = Flow { since: now, count: 0 };
        }
        self.count += u64::from(is_extra);
        if self.count > EXTRA_MAX {
            return Err(format!("{} messages that nobody needs were let out in {WINDOW:?}", self.count));
        }
        Ok(())
    }
}
