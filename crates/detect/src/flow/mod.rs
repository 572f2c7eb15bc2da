//! Flows: packets that belong together, and for how long.
//!
//! `key` says which packets do; `table` keeps them, forgets those that ended or were silent for long by the time of the frames, and has
//! a limit; what a flow is made of is here.

mod key;
mod table;

pub use key::Secret;
pub(crate) use key::{End, FlowKey};
pub(crate) use table::FlowTable;

use crate::app::{AnyParser, Ends, ProtocolId, Transport};
use crate::behaviour::Watch;
use crate::state::FlowVariables;
use crate::stream::Session;
use crate::{Direction, Time};
use core::net::IpAddr;

/// Names of what can be odd when it is found out what is spoken, as `app-layer-event` has them; in the order of their numbers.
const LAYER_EVENTS: &[&str] = &[
    "applayer_mismatch_protocol_both_directions",
    "applayer_detect_protocol_only_one_direction",
    "applayer_proto_detection_skipped",
    "applayer_no_tls_after_starttls",
    "applayer_unexpected_protocol",
];

/// The two sides speak differently.
pub(crate) const LAYER_MISMATCH: u8 = 0;
/// Only one side was understood.
pub(crate) const LAYER_ONE_SIDE: u8 = 1;
/// It could not be found out.
pub(crate) const LAYER_SKIPPED: u8 = 2;
/// TLS was agreed on, and something else was spoken.
pub(crate) const LAYER_NO_TLS: u8 = 3;
/// A change of protocol was agreed on, and another one was spoken than that.
pub(crate) const LAYER_UNEXPECTED: u8 = 4;

/// The number of the event that rules call so.
pub(crate) fn layer_event_named(name: &str) -> Option<u8> {
    LAYER_EVENTS.iter().position(|known| *known == name).map(|place| place as u8)
}

/// The name of the event of this number.
pub(crate) fn layer_event_name(number: u8) -> Option<&'static str> {
    LAYER_EVENTS.get(usize::from(number)).copied()
}

/// Why a flow ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// It was silent for too long.
    Silent,
    /// Another one needed its place.
    NoRoom,
    /// The same two ends began another one.
    BegunAnew,
    /// There is nothing more to read.
    CaptureOver,
}

/// What a flow speaks, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layer {
    /// Not yet.
    Unknown,
    /// This.
    Known(ProtocolId),
    /// Nothing that is understood.
    Failed,
}

/// What is known of one side's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recognition {
    /// Nothing was said, or not enough.
    Open,
    /// This.
    Is(ProtocolId),
    /// Nothing that is understood.
    Nothing,
}

/// A flow.
#[derive(Clone)]
pub(crate) struct Flow {
    pub(crate) key: FlowKey,
    /// Its own number, the same on every machine.
    pub(crate) id: u64,
    /// In the order in which the shard's flows began.
    pub(crate) sequence: u64,
    pub(crate) client: (IpAddr, u16),
    /// Which end of the key the client is.
    pub(crate) client_end: End,
    pub(crate) server: (IpAddr, u16),
    /// Whether the client is at home, and the server.
    pub(crate) at_home: [bool; 2],
    /// The IP protocol.
    pub(crate) protocol: u8,
    pub(crate) began: Time,
    pub(crate) last: Time,
    pub(crate) packets: [u64; 2],
    pub(crate) bytes: [u64; 2],
    /// All TCP flags that each side ever set.
    pub(crate) tcp_flags: [u8; 2],
    /// What each side's first ICMP message was: type and code.
    pub(crate) icmp: [Option<(u8, u8)>; 2],
    pub(crate) session: Option<Box<Session>>,
    pub(crate) layer: Layer,
    /// Who reads what is spoken.
    pub(crate) parser: Option<Box<dyn AnyParser>>,
    /// Exchanges of parsers that went since nothing was left to do for them.
    pub(crate) exchanges: u64,
    /// The parser gave up.
    pub(crate) is_broken: bool,
    /// A side will say nothing more, and the parser knows.
    pub(crate) ended: [bool; 2],
    /// Bytes of a side that the parser wants to see before it is shown them again.
    pub(crate) wanted: [u64; 2],
    pub(crate) recognition: [Recognition; 2],
    /// Odd things about what is spoken, which no packet was told of yet.
    pub(crate) layer_events: u8,
    /// What another flow said of this one.
    pub(crate) announced: Option<(u64, Vec<u8>)>,
    pub(crate) variables: FlowVariables,
    /// A rule said to let it pass.
    pub(crate) is_passed: bool,
    /// What follows is encrypted: rules do not look into its raw bytes.
    pub(crate) is_encrypted: bool,
    /// It will be with the next packet: that which tells so is itself looked into.
    pub(crate) becomes_encrypted: bool,
    /// Nobody looks at what follows, not even the parser.
    pub(crate) is_opaque: bool,
    /// `app-layer-protocol` rules were asked, for each direction.
    pub(crate) told_layer: [bool; 2],
    /// Something of its exchanges may have changed in a direction, and rules were not asked yet.
    pub(crate) changed: [bool; 2],
    /// So much of each stream was said before what is spoken was changed.
    pub(crate) switched_at: [u64; 2],
    /// A change that was agreed on and did not happen yet.
    pub(crate) change: Option<ProtocolChange>,
    /// Bytes of memory that it holds beside itself, as far as that is known.
    pub(crate) held: usize,
    /// Of these, what its exchanges hold: looked at again when they may have changed.
    pub(crate) held_by_exchanges: usize,
    /// Bytes that its parser was shown since no exchange was alive.
    pub(crate) shown: usize,
    /// What is remembered of it to tell scans and their like.
    pub(crate) watch: Watch,
}

/// A change of protocol that was agreed on: what follows is still to be recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ProtocolChange {
    /// What was spoken: the flow counts as this until something else is recognised.
    pub(crate) from: ProtocolId,
    /// What was agreed on, if anything certain.
    pub(crate) to: Option<ProtocolId>,
}

/// What an exchange is taken to hold at most of what its parser was shown: bodies and files are looked into through a window.
const HELD_BYTES_OF_AN_EXCHANGE: usize = 128 << 10;

impl Flow {
    /// Whether it is established: TCP by its handshake, everything else when both sides were heard.
    pub(crate) fn is_established(&self) -> bool {
        match (&self.session, self.protocol) {
            (Some(session), _) => session.is_established(),
            (None, 6) => false,
            (None, _) => self.packets.iter().all(|count| *count > 0),
        }
    }

    /// Gives back what is not needed once a conversation is closed and was looked at: the flow itself stays for a while, for what comes late.
    pub(crate) fn let_go(&mut self) {
        let Some(session) = self.session.as_mut().filter(|session| session.is_closed()) else {
            return;
        };
        session.let_go();
        if self.ended == [true; 2] && self.parser.as_ref().is_some_and(|parser| parser.live() == 0) {
            self.exchanges += self.parser.take().map_or(0, |parser| parser.opened());
            self.held_by_exchanges = 0;
        }
    }

    /// Which way a packet from this end goes.
    pub(crate) fn direction(&self, from: End) -> Direction {
        if from == self.client_end { Direction::ToServer } else { Direction::ToClient }
    }

    /// Bytes of memory that it holds beside itself now: its streams, and what its parser may have kept. An estimate.
    pub(crate) fn held_bytes(&self) -> usize {
        self.session.as_ref().map_or(0, |session| session.held_bytes()) + self.held_by_exchanges
    }

    /// Its exchanges may have changed: what they hold is looked at again.
    pub(crate) fn weigh_exchanges(&mut self) {
        self.held_by_exchanges = self.parser.as_ref().map_or(0, |parser| {
            let live = parser.live();
            let shown = self.shown.min(live * HELD_BYTES_OF_AN_EXCHANGE);
            live * parser.exchange_bytes() + shown + parser.unpacked_bytes()
        });
    }

    /// Source and destination of what goes this way: whether they are at home.
    pub(crate) fn at_home(&self, direction: Direction) -> [bool; 2] {
        let [client, server] = self.at_home;
        match direction {
            Direction::ToServer => [client, server],
            Direction::ToClient => [server, client],
        }
    }

    /// The ends, for parsers.
    pub(crate) fn ends(&self) -> Ends {
        let transport =
            if self.session.is_some() || self.protocol == 6 { Transport::Tcp } else { Transport::Udp };
        Ends { client: self.client, server: self.server, transport }
    }

    /// Source and destination of what goes this way.
    pub(crate) fn ends_of(&self, direction: Direction) -> ((IpAddr, u16), (IpAddr, u16)) {
        match direction {
            Direction::ToServer => (self.client, self.server),
            Direction::ToClient => (self.server, self.client),
        }
    }

    /// What it speaks.
    pub(crate) fn protocol_spoken(&self) -> Option<ProtocolId> {
        match self.layer {
            Layer::Known(protocol) => Some(protocol),
            Layer::Unknown => self.change.map(|change| change.from),
            Layer::Failed => None,
        }
    }

    /// The ends were mistaken for each other.
    pub(crate) fn reverse(&mut self) {
        std::mem::swap(&mut self.client, &mut self.server);
        self.client_end = self.client_end.other();
        self.at_home.swap(0, 1);
        self.packets.swap(0, 1);
        self.bytes.swap(0, 1);
        self.tcp_flags.swap(0, 1);
        self.icmp.swap(0, 1);
        self.recognition.swap(0, 1);
        self.told_layer.swap(0, 1);
        self.changed.swap(0, 1);
        self.ended.swap(0, 1);
        self.wanted.swap(0, 1);
        if let Some(session) = &mut self.session {
            session.reverse();
        }
    }
}
