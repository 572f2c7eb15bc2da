//! Does what one client wants, and forgets the others: orders only its requests, twice if it can, answers it before
//! anything is ordered, and tells the other clients that it is busy.

use super::{Means, Strategy, forgery, requests_in};
use crate::random::Random;
use agree::request::Busy;
use agree::{Effect, Event, Message, Request};
use wire::{ClientId, Peer};

/// The behaviour.
pub struct Collude {
    friend: ClientId,
    last: Option<Request>,
}

impl Collude {
    /// One that draws from `random` which client it helps.
    pub fn new(random: &mut Random) -> Self {
        Collude { friend: ClientId(random.pick(&[1, 2, 3, 1 | 1 << ClientId::SESSION_BITS])), last: None }
    }
}

impl Strategy for Collude {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        let (mut strangers, all) = (0, requests_in(&event));
        for request in &all {
            if request.client == self.friend {
                self.last = Some(request.clone());
            } else if means.random.chance(800) {
                let busy = Busy { client: request.client, timestamp: request.timestamp };
                means.send(Peer::Client(request.client), Message::Busy(busy));
                strangers += 1;
            }
        }
        if strangers > 0 && strangers == all.len() {
            return None;
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let (Effect::Send { to, message }, Some(last)) = (&effect, &self.last)
            && means.random.chance(200)
            && let Some(message) = forgery::with_request(message, last.clone(), means)
        {
            return means.pass(Effect::Send { to: *to, message });
        }
        means.pass(effect);
    }
}
