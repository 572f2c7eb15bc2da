//! Says meaningless things, very often: garbage, questions nobody can answer, and the last thing it said, over and over.

use super::{Act, Means, Strategy};
use agree::checkpoint::{AskChunk, AskManifest, Transfer};
use agree::replica::Destination;
use agree::{Effect, Message};
use bytes::Bytes;
use wire::Digest;

/// Messages of one outburst at most.
const OUTBURST_MAX: u64 = 60;

/// The behaviour.
#[derive(Default)]
pub struct Flood {
    last: Option<Message>,
}

impl Strategy for Flood {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { message, .. } = &effect {
            self.last = Some(message.clone());
        }
        means.pass(effect);
    }

    fn tick(&mut self, means: &mut Means) {
        if means.random.chance(800) {
            return;
        }
        let victim = means.somebody();
        let kind = means.random.below(4);
        for _ in 0..means.random.below(OUTBURST_MAX) {
            let digest = Digest([means.random.below(256) as u8; 32]);
            match (kind, &self.last) {
                (0, _) => {
                    let bits = means.random.bits().to_le_bytes();
                    means.act(Act::Raw { to: victim, frame: Bytes::copy_from_slice(&bits) });
                }
                (1, _) => {
                    means.send(victim, Message::Transfer(Transfer::AskManifest(AskManifest { digest })));
                }
                (2, _) | (_, None) => {
                    let index = means.random.bits() as u32;
                    means.send(victim, Message::Transfer(Transfer::AskChunk(AskChunk { digest, index })));
                }
                (_, Some(last)) => {
                    let message = last.clone();
                    means.pass(Effect::Send { to: Destination::Peer(victim), message });
                }
            }
        }
    }
}
