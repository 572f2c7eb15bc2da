//! Says nothing, to anybody, for a while or for ever. To others it looks like a crash that comes and goes.

use super::{Means, Strategy};
use crate::random::Random;
use agree::Effect;
use core::time::Duration;
use wire::Time;

/// The behaviour.
pub struct Silent {
    for_ever: bool,
    silent: bool,
    turns_at: Time,
}

impl Silent {
    /// One that draws from `random` whether it is for ever.
    pub fn new(random: &mut Random) -> Self {
        Silent { for_ever: random.chance(300), silent: random.chance(500), turns_at: Time::ZERO }
    }
}

impl Strategy for Silent {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { .. } if self.silent => {}
            effect => means.pass(effect),
        }
    }

    fn tick(&mut self, means: &mut Means) {
        if means.now < self.turns_at {
            return;
        }
        self.silent = self.for_ever || !self.silent;
        let least = Duration::from_millis(20);
        self.turns_at = means.now.after(means.random.duration(least, means.settings.view_timeout * 3));
    }
}
