//! Everything that travels between replicas and clients, as one type.

use crate::assent::{Assent, Replies};
use crate::bundle::Bundle;
use crate::checkpoint::Transfer;
use crate::protocol::Protocol;
use crate::request::{Busy, Reply, Request};
use crate::{byzid, paxos, pbft};
use wire::{Decode, DecodeError, Reader, codec_enum};

/// A message of any protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// A client asks.
    Request(Request),
    /// A replica answers.
    Reply(Reply),
    /// A replica refuses for want of room.
    Busy(Busy),
    /// A replica answers several sessions of a station at once.
    Replies(Replies),
    /// A replica would have answered the same as another.
    Assent(Assent),
    /// Several of those, under one proof.
    Bundle(Bundle),
    /// A snapshot changes hands.
    Transfer(Transfer),
    /// ByzID and ByzID-W.
    ByzId(byzid::message::Message),
    /// Paxos.
    Paxos(paxos::message::Message),
    /// PBFT.
    Pbft(pbft::message::Message),
}

codec_enum!(Message {
    0 => Request,
    1 => Reply,
    2 => Busy,
    3 => Transfer,
    4 => ByzId,
    5 => Paxos,
    6 => Pbft,
    7 => Bundle,
    8 => Replies,
    9 => Assent,
});

macro_rules! from {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for Message {
            fn from(message: $type) -> Self {
                Message::$variant(message)
            }
        }
    )*};
}

from!(
    Request => Request,
    Reply => Reply,
    Busy => Busy,
    Replies => Replies,
    Assent => Assent,
    Transfer => Transfer,
    byzid::message::Message => ByzId,
    paxos::message::Message => Paxos,
    pbft::message::Message => Pbft
);

/// By what a message proves its origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The link names the sender.
    Link,
    /// A MAC for each receiver.
    Mac,
    /// A signature.
    Signature,
}

impl Message {
    /// By what a message of `protocol` proves its origin. A message with any other proof is refused.
    #[must_use]
    pub fn proof(&self, protocol: Protocol) -> Proof {
        match self {
            Message::Request(_)
            | Message::Reply(_)
            | Message::Busy(_)
            | Message::Replies(_)
            | Message::Assent(_)
            | Message::Bundle(_) => Proof::Mac,
            Message::ByzId(message) if protocol == Protocol::ByzIdW && message.is_order() => Proof::Signature,
            Message::Transfer(_) | Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => match protocol
            {
                Protocol::ByzId | Protocol::Paxos => Proof::Link,
                Protocol::ByzIdW | Protocol::Pbft => Proof::Mac,
            },
        }
    }

    /// Reads a message between a client and a replica; no other is in a bundle.
    pub(crate) fn decode_of_client(from: &mut Reader) -> Result<Message, DecodeError> {
        match u8::decode(from)? {
            0 => Decode::decode(from).map(Message::Request),
            1 => Decode::decode(from).map(Message::Reply),
            2 => Decode::decode(from).map(Message::Busy),
            8 => Decode::decode(from).map(Message::Replies),
            9 => Decode::decode(from).map(Message::Assent),
            tag => Err(DecodeError::UnknownTag { of: "message in a bundle", tag }),
        }
    }

    /// A short name for diagrams and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Message::Request(_) => "REQUEST",
            Message::Reply(_) => "REPLY",
            Message::Busy(_) => "BUSY",
            Message::Replies(_) => "REPLIES",
            Message::Assent(_) => "ASSENT",
            Message::Bundle(_) => "BUNDLE",
            Message::Transfer(Transfer::AskManifest(_)) => "ASK-MANIFEST",
            Message::Transfer(Transfer::Manifest(_)) => "MANIFEST",
            Message::Transfer(Transfer::AskChunk(_)) => "ASK-CHUNK",
            Message::Transfer(Transfer::Chunk(_)) => "CHUNK",
            Message::ByzId(message) => message.name(),
            Message::Paxos(message) => message.name(),
            Message::Pbft(message) => message.name(),
        }
    }
}
