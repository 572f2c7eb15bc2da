//! Somebody who is no member and no client, and sends frames to the nodes all the same.
//!
//! It has listened: it repeats frames that it overheard, changes them, or makes up its own, with whatever authenticator
//! occurs to it. It cannot speak over the links of others: the other end of its link is a stranger.

use crate::random::Random;
use bytes::Bytes;
use wire::{Authenticator, ClientId, Decode, Encode, Frame, NodeId, Peer, Signature, Tag};

/// A frame, and the peer that the link it comes over belongs to.
pub fn frame(random: &mut Random, overheard: &[Bytes]) -> (Peer, Bytes) {
    let link = match random.below(3) {
        0 => Peer::Node(NodeId(999)),
        1 => Peer::Client(ClientId(0)),
        _ => Peer::Client(ClientId(1 << 40)),
    };
    let known =
        if overheard.is_empty() { None } else { Some(overheard[random.index(overheard.len())].clone()) };
    let frame = match (random.below(8), known) {
        (0, Some(known)) => known,
        (1, Some(known)) => {
            let mut bytes = known.to_vec();
            let place = random.index(bytes.len());
            bytes[place] ^= 1 << random.below(8);
            Bytes::from(bytes)
        }
        (2, Some(known)) => known.slice(..random.index(known.len())),
        (3..=5, Some(known)) => relabelled(random, known, link),
        (6, _) => {
            // Announces two gigabytes and brings none.
            Bytes::from_static(&[1, 0, 0, 0, 0, 255, 255, 255, 127])
        }
        _ => {
            let length = random.between(0, 200);
            Bytes::from((0..length).map(|_| random.bits() as u8).collect::<Vec<u8>>())
        }
    };
    (link, frame)
}

/// A genuine body under another name or with another proof.
fn relabelled(random: &mut Random, known: Bytes, link: Peer) -> Bytes {
    let Ok(mut frame) = Frame::from_bytes(known.clone()) else { return known };
    if random.chance(500) {
        frame.from = link;
    }
    let tag = Tag([random.bits() as u8; 16]);
    frame.authenticator = match random.below(4) {
        0 => Authenticator::None,
        1 => Authenticator::Mac(tag),
        2 => Authenticator::Vector((0..8).map(|node| (NodeId(node), tag)).collect()),
        _ => Authenticator::Signature(Signature([random.bits() as u8; 64])),
    };
    frame.vouched = random.chance(500);
    frame.to_bytes()
}
