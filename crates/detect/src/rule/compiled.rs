//! A rule as the engine runs it.

use super::reputation::ReputationTest;
use super::{AddressSet, PortSet};
use crate::app::file::FileTest;
use crate::app::{Field, ProtocolId, Sides, Test};
use crate::frame::keywords::{PacketTest, ProtocolSet};
use crate::inspect::Chain;
use crate::state::{BitTest, Change, Filter, FlowTest, IntTest, Late, Threshold};
use crate::{Direction, NumberTest};
use std::sync::Arc;

/// What an alert's reader is told of a rule.
#[derive(Clone, Debug)]
pub struct Meta {
    /// `alert`, `drop`, …
    pub action: Action,
    /// Signature id.
    pub sid: u32,
    /// Generator id, 1 unless said otherwise.
    pub gid: u32,
    /// Revision.
    pub rev: u32,
    /// Message.
    pub msg: String,
    /// The class's description.
    pub class: String,
    /// 1 is the most severe.
    pub priority: u32,
    /// `metadata`, in order.
    pub metadata: Vec<(String, String)>,
    /// `reference`, in order: each as its readers find it, the system's beginning and what the rule says.
    pub references: Vec<String>,
    /// `target`.
    pub target: Option<Target>,
}

/// Which end is the victim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The packet's source.
    Source,
    /// The packet's destination.
    Destination,
}

/// What a rule wants done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// Let it pass and say nothing; nothing after it is said either.
    Pass,
    /// Throw the packet away, and say so.
    Drop,
    /// The same, and tell the ends.
    Reject,
    /// Say so.
    Alert,
    /// Change what is written down, say nothing.
    Config,
}

/// Which packets a rule is for.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// IP protocols, a bit each: none set means that it need not be IP.
    pub(crate) protocols: ProtocolSet,
    /// Only IPv4 (4) or IPv6 (6).
    pub(crate) version: Option<u8>,
    /// One of these is spoken; empty: whatever.
    pub(crate) layers: Vec<ProtocolId>,
    pub(crate) from: Arc<AddressSet>,
    pub(crate) from_ports: Arc<PortSet>,
    pub(crate) to: Arc<AddressSet>,
    pub(crate) to_ports: Arc<PortSet>,
    /// Either way round.
    pub(crate) either: bool,
    /// Whole packets only (`tcp-pkt`), or the stream only (`tcp-stream`).
    pub(crate) view: Option<View>,
    /// Only a flow's first packet.
    pub(crate) flow_start: bool,
    /// `pkthdr`: also packets that are broken.
    pub(crate) broken: bool,
    /// What is known of the ends.
    pub(crate) reputation: Vec<ReputationTest>,
}

/// What a TCP rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    Packets,
    Stream,
}

/// What `flow` wants.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct FlowWants {
    pub(crate) direction: Option<Direction>,
    pub(crate) established: Option<bool>,
    /// Only bytes of a reassembled stream (true), or only bytes of packets (false).
    pub(crate) stream: Option<bool>,
    /// Only (true) or no (false) packets that came in fragments.
    pub(crate) fragments: Option<bool>,
    /// `flow` was written at all: there must be one.
    pub(crate) exists: bool,
}

/// A buffer and what is done to it first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct BufferKey {
    pub(crate) field: Field,
    /// Name and value of each transformation.
    pub(crate) transforms: Vec<(String, String)>,
}

/// A condition on a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) sides: Sides,
    pub(crate) protocols: &'static [ProtocolId],
    pub(crate) what: What,
}

/// What is asked of a transaction.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// One of the buffer's values holds.
    Buffer {
        buffer: u32,
        chain: Chain,
        absent: Absent,
    },
    /// One of the field's numbers holds.
    Number {
        field: Field,
        test: NumberTest,
    },
    Test(Test),
    /// One file for which all hold.
    Files(Vec<FileTest>),
    /// It is so far.
    Reached(Stage),
    /// Event `bit` of `protocol` happened.
    Event {
        protocol: ProtocolId,
        bit: u8,
    },
}

/// How far an exchange is, in a direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Begun,
    /// This field can be looked at.
    Has(Field),
    Complete,
}

/// What becomes of a buffer that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Absent {
    /// The condition fails.
    Fails,
    /// It holds, and only then.
    Only,
    /// It holds, or what is there holds.
    Or,
}

/// Which of a packet's bytes a chain looks into.
#[derive(Clone, Debug)]
pub(crate) struct PacketPart {
    pub(crate) field: Field,
    pub(crate) transforms: Vec<crate::inspect::transform::Transform>,
    pub(crate) chain: Chain,
}

/// A structure within a stream.
#[derive(Clone, Debug)]
pub(crate) struct FramePart {
    pub(crate) name: &'static str,
    pub(crate) transforms: Vec<crate::inspect::transform::Transform>,
    pub(crate) chain: Chain,
}

/// When a rule is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Of each packet, broken ones included: it asks for what was odd.
    Events,
    /// Of the first packet of a flow in each direction.
    Addresses,
    /// When it is known what a flow speaks.
    Recognised,
    /// Of each packet.
    Packet,
    /// Of structures within a stream.
    Frames,
    /// Of each exchange.
    Transaction,
}

/// A rule as the engine runs it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) meta: Meta,
    pub(crate) kind: Kind,
    pub(crate) head: Head,
    pub(crate) flow: FlowWants,
    pub(crate) packet: Vec<PacketTest>,
    pub(crate) packet_parts: Vec<PacketPart>,
    /// What is asked of the payload.
    pub(crate) payload: Option<Payload>,
    pub(crate) frames: Vec<FramePart>,
    pub(crate) parts: Vec<Part>,
    pub(crate) flow_tests: Vec<FlowTest>,
    pub(crate) bits: Vec<BitTest>,
    pub(crate) ints: Vec<IntTest>,
    /// Decided in the order of frames.
    pub(crate) late: Vec<Late>,
    /// What a match changes.
    pub(crate) changes: Vec<Change>,
    pub(crate) threshold: Option<Threshold>,
    pub(crate) filter: Option<Filter>,
    pub(crate) is_silent: bool,
    /// One exchange, both ways.
    pub(crate) exchange: bool,
    pub(crate) fast: Option<Fast>,
    /// Lists that a chain asks and that rules change: their answers come late.
    pub(crate) has_late_lists: bool,
}

/// What is asked of a payload.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) chain: Chain,
    /// It may be in the reassembled stream.
    pub(crate) stream: bool,
    /// It may be in a packet whose bytes are looked at as part of a stream, too.
    pub(crate) packet: bool,
    /// It may be in a packet whose bytes are no part of a stream.
    pub(crate) loose: bool,
}

/// The string by which candidates are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fast {
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
    pub(crate) nocase: bool,
    /// Where it ends at the latest, counted from the beginning, if the rule says that.
    pub(crate) reach: Option<usize>,
}

/// Where it is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Payload,
    /// Part number so and so.
    Part(usize),
}
