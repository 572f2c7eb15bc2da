//! Many small messages between one client station and one node under one proof.
//!
//! A station is one process of a client: one connection to each node, and as many sessions as it likes, each a client of its
//! own to the protocol ([`wire::ClientId::station`]). A MAC for each message of each session would be most of what a request
//! costs, and prove no more, since all sessions of a station have the same key.
//!
//! Upon messages of one turn to sessions of one station: one frame, if there are several; if there is one, it goes as it is.
//! Upon a bundle from a station: its REQUESTs are taken one by one, in their order.
//!
//! Not here: replicas among each other. What they say in numbers is a batch already.

use crate::Message;
use crate::assent::REPLIES_BYTES_MAX;
use crate::door::Door;
use crate::guard::GuardEffect;
use crate::request::RESULT_BYTES_MAX;
use std::collections::BTreeMap;
use wire::frame::BODY_BYTES_MAX;
use wire::{ClientId, Decode, DecodeError, Encode, Keys, Peer, Reader};

/// Messages in a bundle at most.
pub const BUNDLE_MESSAGES_MAX: usize = 1024;

/// Bytes of operations or results after which a bundle is full. What one more message adds still fits a frame.
pub const BUNDLE_BYTES_MAX: usize = 512 << 10;

/// Bytes of a message beside its operation or results, at most.
const BESIDE_BYTES: usize = 128;

const _: () = assert!(
    BUNDLE_BYTES_MAX + REPLIES_BYTES_MAX + RESULT_BYTES_MAX + BUNDLE_MESSAGES_MAX * BESIDE_BYTES + 64
        <= BODY_BYTES_MAX,
    "the largest bundle fits a frame"
);

/// REQUESTs of the sessions of one station, or what a node answers them: two or more.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Bundle(Vec<Message>);

impl Bundle {
    /// The messages, in their order.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.0
    }

    /// Takes it apart.
    #[must_use]
    pub fn into_messages(self) -> Vec<Message> {
        self.0
    }

    /// Whether all that is in it is REQUESTs of sessions of `station`.
    #[must_use]
    pub fn is_requests_of(&self, station: ClientId) -> bool {
        let of_station = |message: &Message| match message {
            Message::Request(request) => request.client.station() == station,
            _ => false,
        };
        self.0.iter().all(of_station)
    }
}

impl Encode for Bundle {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
    }
}

impl Decode for Bundle {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let count = u32::decode(from)? as usize;
        if !(2..=BUNDLE_MESSAGES_MAX).contains(&count) {
            let limit = BUNDLE_MESSAGES_MAX as u64;
            return Err(DecodeError::OverLimit { field: "bundle", found: count as u64, limit });
        }
        let mut messages = Vec::with_capacity(count.min(from.left()));
        for _ in 0..count {
            messages.push(Message::decode_of_client(from)?);
        }
        Ok(Bundle(messages))
    }
}

/// Gathers what goes to one receiver and is to leave together.
#[derive(Clone, Hash, Debug, Default)]
pub struct Gathering {
    messages: Vec<Message>,
    bytes: usize,
}

impl Gathering {
    /// Adds a message between a client and a node; what is full by that comes out.
    pub fn add(&mut self, message: Message) -> Option<Message> {
        self.bytes += match &message {
            Message::Request(request) => request.operation.len(),
            Message::Reply(reply) => reply.result.len(),
            Message::Replies(replies) => replies.bytes(),
            _ => 0,
        };
        self.messages.push(message);
        let full = self.messages.len() == BUNDLE_MESSAGES_MAX || self.bytes >= BUNDLE_BYTES_MAX;
        if full { self.take() } else { None }
    }

    /// Whether nothing was gathered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// What was gathered: nothing, one message, or a bundle.
    pub fn take(&mut self) -> Option<Message> {
        self.bytes = 0;
        match self.messages.len() {
            0 | 1 => self.messages.pop(),
            _ => Some(Message::Bundle(Bundle(core::mem::take(&mut self.messages)))),
        }
    }
}

/// What a node has to say to clients, station by station, until it is flushed.
#[derive(Clone, Hash, Debug, Default)]
pub struct Parcels {
    stations: BTreeMap<ClientId, Gathering>,
}

impl Parcels {
    /// Puts a message to `client` with the others for its station.
    pub fn add<K: Keys>(
        &mut self,
        client: ClientId,
        message: Message,
        door: &Door<K>,
        out: &mut Vec<GuardEffect>,
    ) {
        let station = client.station();
        if let Some(full) = self.stations.entry(station).or_default().add(message) {
            transmit(station, full, door, out);
        }
    }

    /// Lets everything leave.
    pub fn flush<K: Keys>(&mut self, door: &Door<K>, out: &mut Vec<GuardEffect>) {
        for (station, mut gathering) in core::mem::take(&mut self.stations) {
            if let Some(message) = gathering.take() {
                transmit(station, message, door, out);
            }
        }
    }
}

fn transmit<K: Keys>(station: ClientId, message: Message, door: &Door<K>, out: &mut Vec<GuardEffect>) {
    // One message alone is for its session, as if there were no stations.
    let to = match &message {
        Message::Reply(reply) => Peer::Client(reply.client),
        Message::Busy(busy) => Peer::Client(busy.client),
        _ => Peer::Client(station),
    };
    let frame = door.seal_for(&[to], &message).to_bytes();
    out.push(GuardEffect::Transmit { to, frame });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Busy, Request};
    use crate::testing::ToyKeys;
    use crate::{Protocol, Reply};
    use bytes::Bytes;
    use wire::{Frame, NodeId, Sequence, Timestamp, View};

    const STATION: ClientId = ClientId(7 << ClientId::SESSION_BITS);

    fn request(session: u64) -> Message {
        let client = ClientId(STATION.0 + session);
        let operation = Bytes::from_static(b"put");
        Message::Request(Request {
            client,
            timestamp: Timestamp(1),
            operation,
            speaker: None,
            signature: None,
        })
    }

    fn reply(session: u64) -> Message {
        Message::Reply(Reply {
            view: View(1),
            primary: NodeId(0),
            sequence: Sequence(9),
            client: ClientId(STATION.0 + session),
            timestamp: Timestamp(1),
            result: Bytes::from_static(b"done"),
        })
    }

    fn bundle(messages: Vec<Message>) -> Option<Message> {
        let mut gathering = Gathering::default();
        assert!(messages.into_iter().all(|message| gathering.add(message).is_none()));
        gathering.take()
    }

    fn door(me: Peer) -> Door<ToyKeys> {
        Door::new(me, Protocol::ByzId, vec![NodeId(0), NodeId(1)], ToyKeys(me))
    }

    const P0: Peer = Peer::Node(NodeId(0));

    #[test]
    fn what_is_gathered_comes_out_in_order_one_alone_as_it_is() {
        assert_eq!(bundle(Vec::new()), None);
        assert_eq!(bundle(vec![request(1)]), Some(request(1)));
        let Some(Message::Bundle(three)) = bundle(vec![request(2), request(1), request(3)]) else {
            panic!("three make a bundle")
        };
        assert_eq!(three.messages(), [request(2), request(1), request(3)]);
        let bytes = Message::Bundle(three.clone()).to_bytes();
        assert_eq!(Message::from_bytes(bytes), Ok(Message::Bundle(three)));
    }

    #[test]
    fn a_full_bundle_leaves_at_once() {
        let mut gathering = Gathering::default();
        let full = (0..BUNDLE_MESSAGES_MAX as u64).find_map(|session| gathering.add(request(session)));
        assert!(
            matches!(full, Some(Message::Bundle(bundle)) if bundle.messages().len() == BUNDLE_MESSAGES_MAX)
        );
        assert_eq!(gathering.take(), None);
        let large = Message::Request(Request {
            client: STATION,
            timestamp: Timestamp(1),
            operation: Bytes::from(vec![0; crate::request::OPERATION_BYTES_MAX]),
            speaker: None,
            signature: None,
        });
        let full = (0..BUNDLE_MESSAGES_MAX).find_map(|_| gathering.add(large.clone())).expect("it gets full");
        assert!(full.to_bytes().len() <= BODY_BYTES_MAX);
    }

    #[test]
    fn only_messages_of_clients_are_in_a_bundle_and_never_a_bundle() {
        let inner = bundle(vec![request(1), request(2)]).expect("two make a bundle");
        for message in [
            inner,
            crate::byzid::message::Message::Control(crate::byzid::message::Control(
                monitor::Control::ReconRequest { target: monitor::View(1) },
            ))
            .into(),
        ] {
            let bytes = Message::Bundle(Bundle(vec![request(1), message])).to_bytes();
            assert!(Message::from_bytes(bytes).is_err());
        }
        for few in [Vec::new(), vec![request(1)]] {
            assert!(Message::from_bytes(Message::Bundle(Bundle(few)).to_bytes()).is_err());
        }
    }

    #[test]
    fn a_node_takes_a_stations_own_requests_and_nothing_else() {
        let open = |messages: Vec<Message>| {
            let station = Peer::Client(STATION);
            let sealed = door(station).seal_for(&[P0], &bundle(messages).expect("several"));
            door(P0).open(station, sealed.to_bytes()).is_ok()
        };
        assert!(open(vec![request(1), request(2)]));
        assert!(!open(vec![request(1), request(1 << ClientId::SESSION_BITS)]), "of another station");
        assert!(!open(vec![request(1), reply(1)]), "a client does not answer");
    }

    #[test]
    fn each_station_hears_of_its_own_sessions_alone() {
        let (mut parcels, mut out) = (Parcels::default(), Vec::new());
        let (own, other) = (ClientId(STATION.0 + 1), ClientId(5));
        let node = door(P0);
        let busy = |client| Message::Busy(Busy { client, timestamp: Timestamp(2) });
        for (client, message) in [(own, reply(1)), (other, busy(other)), (own, reply(2))] {
            parcels.add(client, message, &node, &mut out);
        }
        assert!(out.is_empty(), "it waits for the flush");
        parcels.flush(&node, &mut out);
        let mut said = Vec::new();
        for effect in out.drain(..) {
            let GuardEffect::Transmit { to, frame } = effect else { panic!("nothing else is wanted") };
            let frame = Frame::from_bytes(frame).expect("it was sealed");
            said.push((to, Message::from_bytes(frame.body).expect("it was encoded")));
        }
        let two = bundle(vec![reply(1), reply(2)]).expect("two make a bundle");
        assert_eq!(said, [(Peer::Client(other), busy(other)), (Peer::Client(STATION), two)]);
        parcels.flush(&node, &mut out);
        assert!(out.is_empty(), "once is enough");
    }
}
