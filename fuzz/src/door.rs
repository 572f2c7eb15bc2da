//! Frames at a node's door.
//!
//! For any bytes over any link, in every protocol:
//!   - no panic;
//!   - what passes comes from a node of the cluster, or is a client's REQUEST in its own name;
//!   - what passes has the proof that its message must have: over a link that proves nothing, a frame whose
//!     authenticator was not made with the keys of the sender it names does not pass;
//!   - what was honestly sealed passes, and says what was sealed.

use agree::door::Door;
use agree::message::Proof;
use agree::{Message, Protocol};
use wire::{
    Authenticator, Bytes, ClientId, Decode, Digest, Encode, Frame, Keys, NodeId, Peer, Signature, Tag,
};

const ME: NodeId = NodeId(0);
const NODES: [NodeId; 4] = [NodeId(0), NodeId(1), NodeId(2), NodeId(3)];

/// Checks the promises for `data`, and returns how many frames passed a door.
///
/// The first byte chooses the protocol, the second the link, the third what is done with the rest: taken for a frame as it
/// is, or sealed by the peer at the other end as the body of a frame, and then perhaps damaged.
pub fn check(data: &[u8]) -> usize {
    let [protocol, link, mode, rest @ ..] = data else { return 0 };
    let protocol = Protocol::ALL[usize::from(*protocol) % Protocol::ALL.len()];
    let link = peer(*link);
    match mode % 4 {
        0 => usize::from(raw(protocol, link, Bytes::copy_from_slice(rest))),
        1 => usize::from(sealed(protocol, link, rest)),
        2 => usize::from(wrapped(protocol, link, rest)),
        _ => {
            forged(protocol, link, rest);
            0
        }
    }
}

/// Bytes as they come.
fn raw(protocol: Protocol, link: Peer, bytes: Bytes) -> bool {
    let Ok(opened) = door(ME.into(), protocol).open(link, bytes.clone()) else { return false };
    let frame = Frame::from_bytes(bytes).expect("what passed was a frame");
    assert_eq!(opened.message.to_bytes(), frame.body);
    assert_eq!(opened.from, frame.from);
    match opened.from {
        Peer::Node(node) => assert!(NODES.contains(&node), "a stranger passed"),
        Peer::Client(client) => {
            assert!(matches!(&opened.message, Message::Request(request) if request.client == client));
        }
    }
    match opened.message.proof(protocol) {
        Proof::Link => assert_eq!(opened.from, link, "the link names the sender"),
        Proof::Mac | Proof::Signature => assert_ne!(frame.authenticator, Authenticator::None),
    }
    true
}

/// A body without a proof, or with a proof of the wrong kind.
fn wrapped(protocol: Protocol, link: Peer, rest: &[u8]) -> bool {
    let frame = Frame {
        from: link,
        vouched: rest.len().is_multiple_of(2),
        body: Bytes::copy_from_slice(rest),
        authenticator: Authenticator::None,
    };
    raw(protocol, link, frame.to_bytes())
}

/// A message that the peer at the other end of the link sealed honestly.
fn sealed(protocol: Protocol, link: Peer, body: &[u8]) -> bool {
    let Ok(message) = Message::from_bytes(Bytes::copy_from_slice(body)) else { return false };
    let sender = door(link, protocol);
    let frame = sender.seal_for(&[ME.into()], &message).to_bytes();
    let may_speak = match link {
        Peer::Node(node) => NODES.contains(&node),
        Peer::Client(client) => matches!(&message, Message::Request(request) if request.client == client),
    };
    let opened = door(ME.into(), protocol).open(link, frame.clone());
    assert_eq!(opened.is_ok(), may_speak, "what is honestly sealed passes, and nothing else");
    if let Ok(opened) = &opened {
        assert_eq!((opened.from, &opened.message), (link, &message));
    }
    raw(protocol, link, frame)
}

/// A message sealed by the peer at the other end, one byte of which was then changed on the way: any, since a MAC for one
/// receiver and a signature cover all of a frame.
fn forged(protocol: Protocol, link: Peer, rest: &[u8]) {
    let [low, high, change, body @ ..] = rest else { return };
    let Ok(message) = Message::from_bytes(Bytes::copy_from_slice(body)) else { return };
    if *change == 0 || message.proof(protocol) == Proof::Link {
        return;
    }
    let mut frame = door(link, protocol).seal_for(&[ME.into()], &message).to_bytes().to_vec();
    let at = usize::from(u16::from_le_bytes([*low, *high])) % frame.len();
    frame[at] ^= change;
    let opened = door(ME.into(), protocol).open(link, Bytes::from(frame));
    assert!(opened.is_err(), "a frame that was changed on the way passed");
}

/// Members, one node that is none, and clients.
fn peer(byte: u8) -> Peer {
    match byte % 8 {
        node @ 0..=4 => Peer::Node(NodeId(u16::from(node))),
        client => Peer::Client(ClientId(u64::from(client))),
    }
}

fn door(me: Peer, protocol: Protocol) -> Door<Hashes> {
    Door::new(me, protocol, NODES.to_vec(), Hashes { me })
}

/// Keys for tests: a proof is a hash over everything it must depend on. Anybody could make one, but not by chance.
struct Hashes {
    me: Peer,
}

impl Hashes {
    fn tag(label: &[u8], from: Option<Peer>, to: Option<Peer>, body: &[u8]) -> Tag {
        let mut bytes = label.to_vec();
        from.encode(&mut bytes);
        to.encode(&mut bytes);
        bytes.extend_from_slice(body);
        let mut tag = [0; 16];
        tag.copy_from_slice(&Digest::of_bytes(&bytes).0[..16]);
        Tag(tag)
    }

    fn signature(signer: Peer, body: &[u8]) -> Signature {
        let mut signature = [0; 64];
        signature[..16].copy_from_slice(&Hashes::tag(b"signature", Some(signer), None, body).0);
        Signature(signature)
    }
}

impl Keys for Hashes {
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
        Hashes::tag(b"mac", Some(self.me), Some(to), &parts.concat())
    }
    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool {
        *tag == Hashes::tag(b"mac", Some(from), Some(self.me), &parts.concat())
    }
    fn sign(&self, body: &[u8]) -> Signature {
        Hashes::signature(self.me, body)
    }
    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool {
        *signature == Hashes::signature(signer, body)
    }
    fn seal(&self, body: &[u8]) -> Tag {
        Hashes::tag(b"seal", None, None, body)
    }
    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool {
        *tag == self.seal(body)
    }
}
