//! Says things in the name of others, with the only keys it has, its own: as another node, as a client. Invents requests
//! that no client made, and orders them when it is the primary.

use super::{Act, Means, Strategy, forgery};
use agree::{Effect, Event, Message, Request};
use bytes::Bytes;
use wire::frame::Head;
use wire::{Authenticator, ClientId, Encode, Frame, Keys, Peer, Timestamp};

/// Messages heard that it may put into others' mouths, at most.
const HEARD_MAX: usize = 32;

/// The behaviour.
#[derive(Default)]
pub struct Forge {
    heard: Vec<(Peer, Message)>,
}

/// A request that no client made. The signature, where there is one, is the traitor's own.
pub fn invented(means: &mut Means) -> Request {
    let mut request = Request {
        client: ClientId(means.random.between(1, 4)),
        timestamp: Timestamp(means.random.pick(&[1, 7, 1_000_000])),
        operation: Bytes::from_static(&[4, 0]),
        speaker: None,
        signature: None,
    };
    if means.settings.protocol.requests_are_signed() {
        request.signature = Some(Box::new(means.keys.sign(&request.signed_bytes())));
    }
    request
}

impl Strategy for Forge {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        if let Event::Message { from, message } = &event
            && *from != Peer::Node(means.me)
        {
            if self.heard.len() == HEARD_MAX {
                self.heard.remove(0);
            }
            self.heard.push((*from, message.clone()));
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect
            && means.random.chance(100)
        {
            let request = invented(means);
            if let Some(message) = forgery::with_request(message, request, means) {
                return means.pass(Effect::Send { to: *to, message });
            }
        }
        means.pass(effect);
    }

    fn tick(&mut self, means: &mut Means) {
        if self.heard.is_empty() || means.random.chance(600) {
            return;
        }
        // What somebody said, changed, in the name of that somebody.
        let (speaker, message) = self.heard[means.random.index(self.heard.len())].clone();
        let message = forgery::altered(&message, means).unwrap_or(message);
        let to = means.somebody();
        let body = message.to_bytes();
        let head = Head::new(speaker, true);
        let authenticator = match means.random.below(4) {
            0 => Authenticator::None,
            1 => Authenticator::Mac(means.keys.mac(to, &head.covering(&body).parts())),
            2 => Authenticator::Signature(means.keys.sign(&head.signed_bytes(&body))),
            _ => {
                let tags = to.node().map(|node| (node, means.keys.mac(to, &head.covering(&body).parts())));
                Authenticator::Vector(tags.into_iter().collect())
            }
        };
        let frame = Frame { from: speaker, vouched: true, body, authenticator }.to_bytes();
        means.act(Act::Raw { to, frame });
        // And a request that nobody made, in its own name and in the client's.
        let request = invented(means);
        let client = Peer::Client(request.client);
        let message = Message::Request(request);
        let body = message.to_bytes();
        let authenticator =
            Authenticator::Mac(means.keys.mac(to, &Head::new(client, false).covering(&body).parts()));
        let frame = Frame { from: client, vouched: false, body, authenticator }.to_bytes();
        means.act(Act::Raw { to, frame });
        means.send(to, message);
    }
}
