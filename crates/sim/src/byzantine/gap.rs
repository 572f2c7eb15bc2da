//! Leaves out places: as primary it never sends some of the orders that it gives numbers, or moves them further on.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use agree::Effect;

/// The behaviour.
pub struct Gap;

impl Strategy for Gap {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect
            && forgery::kind(message) == Kind::Order
            && means.random.chance(150)
        {
            if means.random.chance(500)
                && let Some(message) = forgery::moved_on(message, means)
            {
                means.pass(Effect::Send { to: *to, message });
            }
            return;
        }
        means.pass(effect);
    }
}
