//! Lies about checkpoints: another digest, another place, or nothing; or never says a word of any.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use crate::random::Random;
use agree::Effect;

/// The behaviour.
pub struct Checkpoints {
    silent: bool,
}

impl Checkpoints {
    /// One that draws from `random` whether it says anything at all.
    pub fn new(random: &mut Random) -> Self {
        Checkpoints { silent: random.chance(300) }
    }
}

impl Strategy for Checkpoints {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match &effect {
            Effect::Send { to, message } if forgery::kind(message) == Kind::Checkpoint => {
                match means.random.below(4) {
                    _ if self.silent => {}
                    0 => {}
                    1 => means.pass(effect),
                    _ => {
                        let lie = forgery::altered(message, means).unwrap_or_else(|| message.clone());
                        means.pass(Effect::Send { to: *to, message: lie });
                    }
                }
            }
            _ => means.pass(effect),
        }
    }
}
