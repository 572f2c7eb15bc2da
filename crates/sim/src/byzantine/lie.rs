//! Lies to clients: wrong results, wrong places, wrong views, for the right request or for another one; half of what it owes; assents
//! to what nobody said.

use super::{Means, Strategy};
use agree::{Effect, Message};
use bytes::Bytes;
use wire::{Sequence, Timestamp, View};

/// The behaviour.
pub struct Lie;

impl Strategy for Lie {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        match effect {
            Effect::Send { to, message: Message::Reply(mut reply) } => {
                match means.random.below(6) {
                    0 => reply.sequence = next(reply.sequence),
                    1 => reply.view = later(reply.view, means),
                    2 => reply.timestamp = Timestamp(reply.timestamp.0.wrapping_add(1)),
                    3 => reply.result = Bytes::from_static(b"\x01a"),
                    4 => reply.result = Bytes::new(),
                    _ => {}
                }
                means.pass(Effect::Send { to, message: Message::Reply(reply) });
            }
            Effect::Send { to, message: Message::Replies(mut replies) } => {
                let place = means.random.index(replies.results.len());
                match means.random.below(7) {
                    0 => replies.sequence = next(replies.sequence),
                    1 => replies.view = later(replies.view, means),
                    2 => replies.results[place].timestamp.0 += 1,
                    3 => replies.results[place].result = Bytes::from_static(b"\x01a"),
                    4 => replies.results[place].result = Bytes::new(),
                    // Half of it, or something twice.
                    5 if place > 0 => replies.results.truncate(place),
                    5 => replies.results.push(replies.results[place].clone()),
                    _ => {}
                }
                means.pass(Effect::Send { to, message: Message::Replies(replies) });
            }
            Effect::Send { to, message: Message::Assent(mut assent) } => {
                match means.random.below(6) {
                    0 => assent.sequence = Sequence(assent.sequence.0.saturating_sub(1)),
                    1 => assent.view = later(assent.view, means),
                    2 => assent.digest.0[0] ^= 1,
                    3 => assent.count = means.random.below(3) as u32,
                    4 => assent.speaker = means.me,
                    _ => {}
                }
                means.pass(Effect::Send { to, message: Message::Assent(assent) });
            }
            other => means.pass(other),
        }
    }
}

fn next(sequence: Sequence) -> Sequence {
    Sequence(sequence.0.wrapping_add(1))
}

fn later(view: View, means: &mut Means) -> View {
    View(view.0.wrapping_add(means.random.between(1, 1000)))
}
