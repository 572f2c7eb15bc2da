//! A notary without cryptography, and a roster for it.

use super::{Change, Entry, Holder, Notary, Roster, Signed};
use bytes::Bytes;
use wire::{Digest, NodeId, Signature};

/// Takes a signature that repeats the identity and the digest of what was signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct TestNotary;

impl Notary for TestNotary {
    fn keys(&self, identity: &[u8]) -> Option<([u8; 32], [u8; 32])> {
        let seed = *identity.strip_prefix(b"id:")?.first()?;
        Some(([seed; 32], [seed; 32]))
    }

    fn has_signed(&self, identity: &[u8], body: &[u8], signature: &Signature) -> bool {
        *signature == signature_of(identity, body)
    }
}

pub(crate) fn signature_of(identity: &[u8], body: &[u8]) -> Signature {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&Digest::of_bytes(identity).0);
    bytes[32..].copy_from_slice(&Digest::of_bytes(body).0);
    Signature(bytes)
}

pub(crate) fn identity(seed: u8) -> Bytes {
    Bytes::copy_from_slice(&[b'i', b'd', b':', seed])
}

pub(crate) fn entry(seed: u8, operator: bool) -> Entry {
    Entry { identities: vec![identity(seed)], address: Bytes::new(), name: Bytes::new(), operator }
}

/// Nodes 0 to 3, client 1 who is an operator, client 2 who is none.
pub(crate) fn roster() -> Roster {
    let nodes = (0..4_u8).map(|node| (Holder::Node(NodeId(u16::from(node))), entry(node, false)));
    let clients = [(Holder::Client(1), entry(11, true)), (Holder::Client(2), entry(12, false))];
    Roster::new(nodes.chain(clients))
}

/// `change`, signed by `client` with the key of `seed`.
pub(crate) fn signed(change: Change, operator: u32, seed: u8) -> Signed {
    let signature = signature_of(&identity(seed), &change.signed_bytes());
    Signed { change, operator, signature }
}
