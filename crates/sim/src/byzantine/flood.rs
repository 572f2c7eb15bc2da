//! Says meaningless things, very often: garbage, questions nobody can answer, and the last thing it said, over and over. Now
//! and then so much and so often that nobody could take it for anything else.

use super::{Act, Means, Strategy};
use crate::random::Random;
use agree::checkpoint::{AskChunk, AskManifest, Transfer};
use agree::replica::Destination;
use agree::{Effect, Message};
use bytes::Bytes;
use wire::Digest;

/// Messages of one outburst at most.
const OUTBURST_MAX: u64 = 60;

/// Messages of one tick of a torrent.
const TORRENT: u64 = 250;

/// Messages of torrents in one run at most.
const TORRENTS_MAX: u64 = 12_000;

/// The behaviour.
pub struct Flood {
    /// The last thing that it said, and to whom.
    last: Option<(Destination, Message)>,
    /// What torrents consist of, if it sends any.
    torrent: Option<u64>,
    left: u64,
}

impl Flood {
    /// One that draws from `random` how bad it is.
    pub fn new(random: &mut Random) -> Self {
        let torrent = random.chance(400).then(|| random.between(1, 4));
        Flood { last: None, torrent, left: TORRENTS_MAX }
    }
}

impl Strategy for Flood {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect {
            self.last = Some((*to, message.clone()));
        }
        means.pass(effect);
    }

    fn tick(&mut self, means: &mut Means) {
        let (kind, count) = match self.torrent {
            Some(kind) if self.left > 0 => (kind, TORRENT.min(self.left)),
            _ if means.random.chance(800) => return,
            _ => (means.random.below(4), means.random.below(OUTBURST_MAX)),
        };
        if self.torrent.is_some() {
            self.left = self.left.saturating_sub(count);
        }
        let victim = means.somebody();
        for _ in 0..count {
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
                // To whoever heard it last, or to somebody else.
                (3, Some((to, message))) => means.pass(Effect::Send { to: *to, message: message.clone() }),
                (_, Some((_, message))) => {
                    means.pass(Effect::Send { to: Destination::Peer(victim), message: message.clone() });
                }
            }
        }
    }
}
