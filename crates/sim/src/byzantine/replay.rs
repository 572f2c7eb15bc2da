//! Says again, much later, what it once said itself, and passes on, as its own, what it once heard from others.

use super::{Means, Strategy};
use agree::replica::Destination;
use agree::{Effect, Event, Message};

/// Messages remembered at most.
const REMEMBERED_MAX: usize = 128;

/// Messages said again per tick at most.
const AGAIN_PER_TICK: u64 = 3;

/// The behaviour.
#[derive(Default)]
pub struct Replay {
    remembered: Vec<(Destination, Message)>,
}

impl Replay {
    fn remember(&mut self, to: Destination, message: &Message, means: &mut Means) {
        if self.remembered.len() < REMEMBERED_MAX {
            self.remembered.push((to, message.clone()));
        } else if means.random.chance(50) {
            // Mostly old ones stay: fresh repetitions are what the network does anyway.
            let place = means.random.index(REMEMBERED_MAX);
            self.remembered[place] = (to, message.clone());
        }
    }
}

impl Strategy for Replay {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        if let Event::Message { message, .. } = &event {
            self.remember(Destination::Members, message, means);
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect {
            self.remember(*to, message, means);
        }
        means.pass(effect);
    }

    fn tick(&mut self, means: &mut Means) {
        if self.remembered.is_empty() {
            return;
        }
        for _ in 0..means.random.below(AGAIN_PER_TICK + 1) {
            let (to, message) = self.remembered[means.random.index(self.remembered.len())].clone();
            means.pass(Effect::Send { to, message });
        }
    }
}
