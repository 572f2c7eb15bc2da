//! Says it has what it has not got yet: acknowledges before its disk has it, answers a request before it is ordered, and
//! declares a checkpoint stable as soon as the first backup vouches for it.

use super::{Act, Means, Strategy, forgery, requests_in};
use agree::replica::Destination;
use agree::{Effect, Event, Message, Reply};
use bytes::Bytes;
use wire::{Peer, Sequence};

/// The behaviour.
pub struct Early;

impl Strategy for Early {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        for request in requests_in(&event) {
            if means.random.chance(500) {
                let reply = Reply {
                    view: means.view,
                    primary: means.primary,
                    sequence: Sequence(means.random.between(1, 200)),
                    client: request.client,
                    timestamp: request.timestamp,
                    result: Bytes::new(),
                };
                means.send(Peer::Client(request.client), Message::Reply(reply));
            }
        }
        if let Event::Message { message, .. } = &event
            && let Some(message) = forgery::declared_stable(message)
            && means.random.chance(500)
        {
            means.pass(Effect::Send { to: Destination::Members, message });
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let writes = matches!(effect, Effect::Write(_));
        means.pass(effect);
        if writes {
            means.act(Act::ClaimDurable);
        }
    }
}
