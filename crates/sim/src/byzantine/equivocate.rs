//! Says one thing to some and another to others: of everything that goes to all, a part of them gets another version.

use super::{Means, Strategy, forgery};
use crate::random::Random;
use agree::Effect;

/// The behaviour.
pub struct Equivocate {
    /// How often, in thousandths.
    permille: u64,
}

impl Equivocate {
    /// One that draws from `random` how often it does.
    pub fn new(random: &mut Random) -> Self {
        Equivocate { permille: random.pick(&[100, 500, 1000]) }
    }
}

impl Strategy for Equivocate {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to, message } = effect else { return means.pass(effect) };
        if !means.random.chance(self.permille) {
            return means.pass(Effect::Send { to, message });
        }
        let Some(other) = forgery::altered(&message, means) else {
            return means.pass(Effect::Send { to, message });
        };
        let split = means.random.bits();
        for (index, peer) in means.peers(to).into_iter().enumerate() {
            let version = if split >> (index % 64) & 1 == 1 { &message } else { &other };
            means.send(peer, version.clone());
            if split.rotate_left(17) >> (index % 64) & 3 == 3 {
                // And to this one, both.
                means.send(peer, message.clone());
            }
        }
    }
}
