//! Lies when views change: leaves out what it has, claims what it has not, asks for a change that nobody needs.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use agree::Effect;

/// The behaviour.
pub struct Views;

impl Strategy for Views {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match &effect {
            Effect::Send { to, message } if forgery::kind(message) == Kind::ViewChange => {
                for peer in means.peers(*to) {
                    let version = match means.random.below(4) {
                        0 => None,
                        1 => Some(message.clone()),
                        _ => forgery::altered(message, means),
                    };
                    if let Some(message) = version {
                        means.send(peer, message);
                    }
                }
            }
            _ => means.pass(effect),
        }
    }

    fn tick(&mut self, means: &mut Means) {
        if means.random.chance(20)
            && let Some(message) = forgery::needless_view_change(means)
        {
            means.pass(Effect::Send { to: agree::replica::Destination::Members, message });
        }
    }
}
