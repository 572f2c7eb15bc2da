//! Says nothing to some. Whom it leaves out changes now and then, so that first one and then another falls behind.

use super::{Means, Strategy};
use crate::random::Random;
use agree::Effect;
use core::time::Duration;
use wire::{Peer, Time};

/// The behaviour.
pub struct Withhold {
    /// One bit per peer: nodes from bit 0, clients from bit 32.
    left_out: u64,
    changes_at: Time,
}

impl Withhold {
    /// One that draws from `random` whom it leaves out first.
    pub fn new(random: &mut Random) -> Self {
        Withhold { left_out: random.bits() & random.bits(), changes_at: Time::ZERO }
    }

    fn leaves_out(&self, peer: Peer) -> bool {
        let bit = match peer {
            Peer::Node(node) => u64::from(node.0) % 32,
            Peer::Client(client) => 32 + client.0 % 32,
        };
        self.left_out >> bit & 1 == 1
    }
}

impl Strategy for Withhold {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { to, message } => {
                for peer in means.peers(to) {
                    if !self.leaves_out(peer) {
                        means.send(peer, message.clone());
                    }
                }
            }
            effect => means.pass(effect),
        }
    }

    fn tick(&mut self, means: &mut Means) {
        if means.now >= self.changes_at {
            self.left_out = means.random.bits() & means.random.bits();
            let longest = means.settings.view_timeout * 4;
            self.changes_at = means.now.after(means.random.duration(Duration::from_millis(50), longest));
        }
    }
}
