//! Says things in another order: collects what it has to say and then says the last first.

use super::{Means, Strategy};
use agree::Effect;

/// Things collected at most.
const HELD_MAX: usize = 256;

/// The behaviour.
#[derive(Default)]
pub struct Reorder {
    held: Vec<Effect>,
}

impl Strategy for Reorder {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { .. } if self.held.len() < HELD_MAX && means.random.chance(700) => {
                self.held.push(effect)
            }
            effect => means.pass(effect),
        }
    }

    fn tick(&mut self, means: &mut Means) {
        for effect in self.held.drain(..).rev() {
            means.pass(effect);
        }
    }
}
