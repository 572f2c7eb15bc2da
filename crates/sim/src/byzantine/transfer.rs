//! Hands out a wrong state: chunks with other bytes, manifests that list other chunks, other batches, or no answer at all. Now
//! and then it hands out what nobody asked for.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use agree::checkpoint::{Chunk, Manifest, Transfer as Answer};
use agree::{Effect, Event, Message};
use bytes::Bytes;
use wire::Digest;

/// The behaviour.
pub struct Transfer;

impl Strategy for Transfer {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        if let Event::Message { message, .. } = &event
            && means.random.chance(20)
            && let Some(message) = forgery::handed_out(message)
        {
            let to = means.somebody();
            let lie = forgery::altered(&message, means).unwrap_or(message);
            means.send(to, lie);
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let (to, answer) = match effect {
            Effect::Send { to, message: Message::Transfer(answer) } => (to, answer),
            Effect::Send { to, message } if forgery::kind(&message) == Kind::Transfer => {
                let lie = forgery::altered(&message, means).filter(|_| means.random.chance(700));
                return means.pass(Effect::Send { to, message: lie.unwrap_or(message) });
            }
            effect => return means.pass(effect),
        };
        let lie = match (answer, means.random.below(4)) {
            (Answer::Chunk(_) | Answer::Manifest(_), 0) => return,
            (Answer::Chunk(chunk), 1 | 2) => {
                let mut bytes = chunk.bytes.to_vec();
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                Answer::Chunk(Chunk { bytes: Bytes::from(bytes), ..chunk })
            }
            (Answer::Manifest(manifest), 1 | 2) => {
                let chunks = manifest.chunks.iter().map(|_| Digest([1; 32])).collect();
                Answer::Manifest(Manifest { chunks, ..manifest })
            }
            (answer, _) => answer,
        };
        means.pass(Effect::Send { to, message: Message::Transfer(lie) });
    }
}
