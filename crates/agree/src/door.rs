//! The node's door to the network: everything that leaves is encoded and authenticated here, everything that comes in
//! is checked here before any protocol sees it.
//!
//! Upon a frame from a link:
//!   - it must decode, be of our version and within the limits, else MALFORMED or OVERSIZED;
//!   - its sender must be a node of the cluster or a client, else UNKNOWN-SENDER;
//!   - its body must decode to a message, and the proof must be the kind that the protocol asks for that message and be
//!     valid for the sender named, else WRONG-AUTHENTICATOR. A MAC or signature covers the whole frame, `vouched` as well.
//!     Where the link is the proof, the sender is whoever the link belongs to, and `vouched` is what the link says;
//!   - a client sends only REQUESTs in its own name, a client's station those of its sessions, else NOT-ALLOWED.
//!
//! Nothing is kept of what is refused but a count, by the peer at the other end of the link.

use crate::message::{Message, Proof};
use crate::protocol::Protocol;
use crate::replica::Refusal;
use bytes::Bytes;
use std::hash::{Hash, Hasher};
use wire::frame::{BODY_BYTES_MAX, Head};
use wire::{Authenticator, Decode, DecodeError, Encode, Frame, Keys, NodeId, Peer};

/// Encodes, authenticates and checks for one node.
#[derive(Clone)]
pub struct Door<K> {
    me: Peer,
    protocol: Protocol,
    nodes: Vec<NodeId>,
    keys: K,
    vouches: bool,
}

/// The state of a door is all but its keys, which never change.
impl<K> Hash for Door<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.me, self.protocol, &self.nodes, self.vouches).hash(state);
    }
}

/// A message that passed the door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Who really sent it.
    pub from: Peer,
    /// Whether the sender's monitor let it out.
    pub vouched: bool,
    /// What it says.
    pub message: Message,
}

impl<K: Keys> Door<K> {
    /// The door of `me`, a node or client of a cluster that consists of `nodes`, spares included.
    pub fn new(me: Peer, protocol: Protocol, nodes: Vec<NodeId>, keys: K) -> Self {
        Door { me, protocol, nodes, keys, vouches: false }
    }

    /// The same door in the hands of a monitor, which vouches for all that leaves through it.
    #[must_use]
    pub fn of_monitor(self) -> Self {
        Door { vouches: true, ..self }
    }

    /// The same door after its monitor is gone.
    #[must_use]
    pub fn without_monitor(self) -> Self {
        Door { vouches: false, ..self }
    }

    /// Whose door it is.
    pub fn me(&self) -> Peer {
        self.me
    }

    /// The keys that the door uses.
    pub fn keys(&self) -> &K {
        &self.keys
    }

    /// The nodes it knows.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// One frame that carries `message` to all of `to`: encoded once, with as many MACs as there are receivers.
    pub fn seal_for(&self, to: &[Peer], message: &Message) -> Frame {
        self.seal_as(self.me, to, message)
    }

    /// The same from `me`, who speaks by the same keys: a session of the station whose door this is.
    pub(crate) fn seal_as(&self, me: Peer, to: &[Peer], message: &Message) -> Frame {
        let body = message.to_bytes();
        let head = Head::new(me, self.vouches);
        debug_assert!(body.len() <= BODY_BYTES_MAX, "a message within its own limits fits a frame");
        let authenticator = match (message.proof(self.protocol), to) {
            (Proof::Link, _) => Authenticator::None,
            (Proof::Signature, _) => Authenticator::Signature(self.keys.sign(&head.signed_bytes(&body))),
            (Proof::Mac, [one]) => Authenticator::Mac(self.keys.mac(*one, &head.covering(&body).parts())),
            (Proof::Mac, many) => {
                let covered = head.covering(&body);
                let mac =
                    |peer: &Peer| peer.node().map(|node| (node, self.keys.mac(*peer, &covered.parts())));
                Authenticator::Vector(many.iter().filter_map(mac).collect())
            }
        };
        Frame { from: me, vouched: self.vouches, body, authenticator }
    }

    /// The message in a frame that came over the link to `link`, and who really sent it.
    pub fn open(&self, link: Peer, frame: Bytes) -> Result<Opened, Refusal> {
        let frame = Frame::from_bytes(frame).map_err(|error| refusal_of(&error))?;
        let message = Message::from_bytes(frame.body.clone()).map_err(|error| refusal_of(&error))?;
        let from = self.check(link, &frame, &message)?;
        match (from, &message) {
            (Peer::Client(client), Message::Request(request)) if request.client == client => {}
            (Peer::Client(station), Message::Bundle(bundle)) if bundle.is_requests_of(station) => {}
            (Peer::Client(_), _) => return Err(Refusal::NotAllowed),
            (Peer::Node(node), _) if self.nodes.contains(&node) => {}
            (Peer::Node(_), _) => return Err(Refusal::UnknownSender),
        }
        Ok(Opened { from, vouched: frame.vouched, message })
    }

    /// Who sent the frame, if its proof is the one that its message must have.
    fn check(&self, link: Peer, frame: &Frame, message: &Message) -> Result<Peer, Refusal> {
        let (head, body) = (frame.head(), &frame.body);
        let valid = match (message.proof(self.protocol), &frame.authenticator) {
            (Proof::Link, Authenticator::None) => frame.from == link,
            (Proof::Mac, Authenticator::Mac(tag)) => {
                self.keys.mac_is_valid(frame.from, &head.covering(body).parts(), tag)
            }
            (Proof::Mac, Authenticator::Vector(tags)) => {
                tags.iter().find(|(node, _)| Peer::Node(*node) == self.me).is_some_and(|(_, tag)| {
                    self.keys.mac_is_valid(frame.from, &head.covering(body).parts(), tag)
                })
            }
            (Proof::Signature, Authenticator::Signature(signature)) => {
                self.keys.signature_is_valid(frame.from, &head.signed_bytes(body), signature)
            }
            (Proof::Link | Proof::Mac | Proof::Signature, _) => false,
        };
        if valid { Ok(frame.from) } else { Err(Refusal::WrongAuthenticator) }
    }
}

/// How a decoding error is counted.
#[must_use]
pub fn refusal_of(error: &DecodeError) -> Refusal {
    match error {
        DecodeError::OverLimit { .. } => Refusal::Oversized,
        DecodeError::Truncated { .. }
        | DecodeError::TrailingBytes { .. }
        | DecodeError::UnknownTag { .. }
        | DecodeError::Inconsistent { .. } => Refusal::Malformed,
    }
}
