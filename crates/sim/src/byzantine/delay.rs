//! Says everything, just before others lose patience: a primary that is as slow as it can be without being replaced.

use super::{Act, Means, Strategy};
use crate::random::Random;
use agree::Effect;

/// The behaviour.
pub struct Delay {
    /// How much of the others' patience it uses up, in thousandths.
    permille: u32,
    /// Whether it measures by the view timeout rather than by the retransmission timeout.
    by_view: bool,
}

impl Delay {
    /// One that draws from `random` how far it goes.
    pub fn new(random: &mut Random) -> Self {
        Delay { permille: random.between(500, 1050) as u32, by_view: random.chance(500) }
    }
}

impl Strategy for Delay {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { .. } => {
                let patience =
                    if self.by_view { means.settings.view_timeout } else { means.settings.retransmit_after };
                means.act(Act::Later(patience * self.permille / 1000, Box::new(Act::Effect(effect))));
            }
            effect => means.pass(effect),
        }
    }
}
