//! Simulated keys: as unforgeable as the simulation needs, and a hundred times cheaper than real ones.
//!
//! Every authenticator is a keyed 64-bit hash of what it is over, stretched to its size. The secret behind it is
//!   - of the pair (sender, receiver) for a MAC,
//!   - of the signer for a signature,
//!   - of the group of monitors for a seal.
//!
//! All secrets follow from one number that is private to this module, and a handle only makes what its holder may make:
//! a traitor that holds its own [`SimKeys`] signs in nobody else's name and seals nothing, because there is no method
//! with which to do it. Wrong bytes, a wrong sender or a wrong receiver do not verify.
//!
//! What is made and checked is counted, by holder: it is the cost that a protocol's description promises.

use crate::random::{Random, Stream, scramble};
use core::cell::Cell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use wire::{Keys, Peer, Signature, Tag};

/// How many authenticators were made and checked.
#[derive(Default, Debug)]
pub struct Tally {
    macs_made: Cell<u64>,
    macs_checked: Cell<u64>,
    signatures_made: Cell<u64>,
    signatures_checked: Cell<u64>,
    seals_made: Cell<u64>,
    seals_checked: Cell<u64>,
}

/// A [`Tally`] at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Counts {
    /// MACs made.
    pub macs_made: u64,
    /// MACs checked.
    pub macs_checked: u64,
    /// Signatures made.
    pub signatures_made: u64,
    /// Signatures checked.
    pub signatures_checked: u64,
    /// Seals made.
    pub seals_made: u64,
    /// Seals checked.
    pub seals_checked: u64,
}

impl Counts {
    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            macs_made: self.macs_made + other.macs_made,
            macs_checked: self.macs_checked + other.macs_checked,
            signatures_made: self.signatures_made + other.signatures_made,
            signatures_checked: self.signatures_checked + other.signatures_checked,
            seals_made: self.seals_made + other.seals_made,
            seals_checked: self.seals_checked + other.seals_checked,
        }
    }
}

impl Tally {
    /// How it stands.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            macs_made: self.macs_made.get(),
            macs_checked: self.macs_checked.get(),
            signatures_made: self.signatures_made.get(),
            signatures_checked: self.signatures_checked.get(),
            seals_made: self.seals_made.get(),
            seals_checked: self.seals_checked.get(),
        }
    }
}

/// Who hands out keys: the only one that knows the number from which all secrets follow.
#[derive(Clone, Debug)]
pub struct KeyRing {
    root: u64,
}

impl KeyRing {
    /// The keys of the run `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        KeyRing { root: Random::new(seed, Stream::Keys).bits() }
    }

    /// The keys of a replica's node or of a client: it cannot seal.
    #[must_use]
    pub fn of(&self, me: Peer, tally: &Rc<Tally>) -> SimKeys {
        SimKeys { root: self.root, me, seals: false, tally: Rc::clone(tally) }
    }

    /// The keys of the monitor at `me`.
    #[must_use]
    pub fn of_monitor(&self, me: Peer, tally: &Rc<Tally>) -> SimKeys {
        SimKeys { root: self.root, me, seals: true, tally: Rc::clone(tally) }
    }
}

/// The keys of one holder.
#[derive(Clone, Debug)]
pub struct SimKeys {
    root: u64,
    me: Peer,
    seals: bool,
    tally: Rc<Tally>,
}

/// What was counted is no part of what the keys are.
impl Hash for SimKeys {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.root, self.me, self.seals).hash(state);
    }
}

/// Domains, so that a MAC is never a signature of the same bytes.
const MAC: u64 = 0x006d_6163;
const SIGNATURE: u64 = 0x0073_6967;
const SEAL: u64 = 0x7365_616c;

/// A keyed 64-bit hash: folded multiplication over words of eight bytes, as in wyhash.
#[inline]
#[must_use]
pub fn keyed(secret: u64, body: &[u8]) -> u64 {
    let mut hash = secret ^ (body.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut words = body.chunks_exact(8);
    for word in &mut words {
        let word = u64::from_le_bytes(word.try_into().expect("a chunk of eight"));
        hash = fold(hash ^ word, 0xa076_1d64_78bd_642f);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = fold(hash ^ u64::from_le_bytes(word), 0xe703_7ed1_a0b4_28db);
    }
    scramble(hash)
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A number that only this peer has, and with a station all its sessions.
fn code(peer: Peer) -> u64 {
    match peer {
        Peer::Node(node) => u64::from(node.0),
        Peer::Client(client) => scramble(client.station().0 | 1 << 63),
    }
}

fn tag(hash: u64) -> Tag {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&hash.to_le_bytes());
    bytes[8..].copy_from_slice(&scramble(hash).to_le_bytes());
    Tag(bytes)
}

fn signature(hash: u64) -> Signature {
    let mut bytes = [0; 64];
    let mut word = hash;
    for eight in bytes.chunks_exact_mut(8) {
        eight.copy_from_slice(&word.to_le_bytes());
        word = scramble(word);
    }
    Signature(bytes)
}

fn count(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

impl SimKeys {
    /// Each part is hashed with the hash of those before it as the secret.
    fn mac_between(&self, from: Peer, to: Peer, parts: &[&[u8]]) -> Tag {
        let secret = scramble(self.root ^ MAC ^ scramble(code(from))) ^ code(to);
        tag(parts.iter().fold(secret, |secret, part| keyed(secret, part)))
    }

    fn signature_of(&self, signer: Peer, body: &[u8]) -> Signature {
        signature(keyed(scramble(self.root ^ SIGNATURE ^ scramble(code(signer))), body))
    }

    fn seal_of_monitors(&self, body: &[u8]) -> Tag {
        tag(keyed(scramble(self.root ^ SEAL), body))
    }
}

impl Keys for SimKeys {
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
        count(&self.tally.macs_made);
        self.mac_between(self.me, to, parts)
    }

    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool {
        count(&self.tally.macs_checked);
        self.mac_between(from, self.me, parts) == *tag
    }

    fn sign(&self, body: &[u8]) -> Signature {
        count(&self.tally.signatures_made);
        self.signature_of(self.me, body)
    }

    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool {
        count(&self.tally.signatures_checked);
        self.signature_of(signer, body) == *signature
    }

    /// Whoever holds no monitor's key gets bytes that no one will take for a seal.
    fn seal(&self, body: &[u8]) -> Tag {
        count(&self.tally.seals_made);
        if self.seals { self.seal_of_monitors(body) } else { Tag([0; 16]) }
    }

    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool {
        count(&self.tally.seals_checked);
        self.seal_of_monitors(body) == *tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{ClientId, NodeId};

    fn peer(node: u16) -> Peer {
        Peer::Node(NodeId(node))
    }

    fn keys(me: Peer) -> SimKeys {
        KeyRing::new(1).of(me, &Rc::new(Tally::default()))
    }

    #[test]
    fn a_mac_convinces_its_receiver_and_nobody_else() {
        let tag = keys(peer(1)).mac(peer(2), &[b"head", b"body"]);
        assert!(keys(peer(2)).mac_is_valid(peer(1), &[b"head", b"body"], &tag));
        assert!(!keys(peer(2)).mac_is_valid(peer(1), &[b"head", b"bodY"], &tag));
        assert!(!keys(peer(2)).mac_is_valid(peer(1), &[b"heaD", b"body"], &tag));
        assert!(!keys(peer(2)).mac_is_valid(peer(3), &[b"head", b"body"], &tag));
        assert!(!keys(peer(3)).mac_is_valid(peer(1), &[b"head", b"body"], &tag));
        assert!(!keys(peer(1)).mac_is_valid(peer(2), &[b"head", b"body"], &tag), "not even reflected");
    }

    #[test]
    fn a_signature_convinces_everybody_of_its_signer() {
        let client = Peer::Client(ClientId(1));
        let signature = keys(client).sign(b"body");
        assert!(keys(peer(2)).signature_is_valid(client, b"body", &signature));
        assert!(!keys(peer(2)).signature_is_valid(peer(1), b"body", &signature), "c1 is not p1");
        assert!(!keys(peer(2)).signature_is_valid(client, b"", &signature));
    }

    #[test]
    fn only_a_monitor_seals() {
        let tally = Rc::new(Tally::default());
        let seal = KeyRing::new(1).of_monitor(peer(1), &tally).seal(b"body");
        assert!(keys(peer(2)).seal_is_valid(b"body", &seal));
        let forged = keys(peer(2)).seal(b"body");
        assert!(!keys(peer(1)).seal_is_valid(b"body", &forged));
        assert_eq!(tally.counts(), Counts { seals_made: 1, ..Counts::default() });
    }
}
