//! Says one thing to some and another to others: of everything that goes to all, a part of them gets another version; or all
//! get the same, and one of them another version after it.

use super::{Means, Strategy, forgery};
use crate::random::Random;
use agree::Effect;
use agree::replica::Destination;

/// The behaviour.
pub struct Equivocate {
    /// How often, in thousandths.
    permille: u64,
    /// Whether all hear the truth first.
    afterwards: bool,
}

impl Equivocate {
    /// One that draws from `random` how often it does, and when.
    pub fn new(random: &mut Random) -> Self {
        Equivocate { permille: random.pick(&[100, 500, 1000]), afterwards: random.chance(400) }
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
        if self.afterwards {
            means.pass(Effect::Send { to, message });
            let to = match to {
                Destination::Peer(peer) => peer,
                Destination::Members => means.somebody(),
            };
            return means.send(to, other);
        }
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
