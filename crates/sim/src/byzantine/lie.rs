//! Lies to clients: wrong results, wrong places, wrong views, for the right request or for another one.

use super::{Means, Strategy};
use agree::{Effect, Message};
use bytes::Bytes;
use wire::{Sequence, Timestamp, View};

/// The behaviour.
pub struct Lie;

impl Strategy for Lie {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to, message: Message::Reply(mut reply) } = effect else {
            return means.pass(effect);
        };
        match means.random.below(6) {
            0 => reply.sequence = Sequence(reply.sequence.0.wrapping_add(1)),
            1 => reply.view = View(reply.view.0.wrapping_add(means.random.between(1, 1000))),
            2 => reply.timestamp = Timestamp(reply.timestamp.0.wrapping_add(1)),
            3 => reply.result = Bytes::from_static(b"\x01a"),
            4 => reply.result = Bytes::new(),
            _ => {}
        }
        means.pass(Effect::Send { to, message: Message::Reply(reply) });
    }
}
