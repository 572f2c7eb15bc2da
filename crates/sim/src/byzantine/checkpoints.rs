//! Lies about checkpoints: another digest, another place, or nothing.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use agree::Effect;

/// The behaviour.
pub struct Checkpoints;

impl Strategy for Checkpoints {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match &effect {
            Effect::Send { to, message } if forgery::kind(message) == Kind::Checkpoint => {
                match means.random.below(4) {
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
