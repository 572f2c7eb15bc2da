//! What a worker found: a rule that holds, as far as one flow can tell.

use crate::behaviour::Observation;
use crate::lists::Ask;
use crate::state::Subject;
use crate::{Direction, Time};
use core::net::IpAddr;

/// Where in the order of things something was found. The order is the same however work was shared out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// The number of the frame, from 1.
    pub(crate) frame: u64,
    /// Flows that end by time come before what the frame itself brings.
    pub(crate) by_frame: bool,
    /// For what ends by time: the shard.
    pub(crate) shard: u16,
    /// Within the frame.
    pub(crate) packet: u32,
    /// Within the packet.
    pub(crate) step: u32,
}

/// The flow that an alert is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertFlow {
    /// Its own number, the same on every machine.
    pub id: u64,
    /// When it began.
    pub began: Time,
    /// Packets to the server and to the client.
    pub packets: [u64; 2],
    /// Bytes to the server and to the client.
    pub bytes: [u64; 2],
    /// Who spoke first.
    pub client: (IpAddr, u16),
    /// Whom it spoke to.
    pub server: (IpAddr, u16),
}

/// Something found.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) place: Place,
    pub(crate) what: What,
}

impl Found {
    /// Where it stands in the order of all that is found.
    #[must_use]
    pub fn place(&self) -> impl Ord + use<> {
        self.place
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A rule holds.
    Match(Box<Match>),
    /// A flow has ended: what is remembered of it can go.
    FlowEnded(u64),
    /// Something that is written down.
    Record(Box<Noted>),
    /// Something about a flow that means something together with others.
    Observed(Box<Observation>),
}

/// A record, written in full but for whether its flow alerted, which only the judge knows.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) kind: &'static str,
    /// The line.
    pub(crate) line: String,
    /// Where to write whether this flow alerted.
    pub(crate) alerted: Option<(usize, u64)>,
}

/// A rule that holds.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) rule: u32,
    pub(crate) subject: Subject,
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    pub(crate) protocol: u8,
    /// For ICMP: type and code.
    pub(crate) icmp: Option<(u8, u8)>,
    pub(crate) direction: Direction,
    pub(crate) vlan: Vec<u16>,
    pub(crate) flow: Option<AlertFlow>,
    /// What is spoken, and the exchange's number and record.
    pub(crate) layer: Option<&'static str>,
    pub(crate) exchange: Option<(u64, String)>,
    /// Questions to lists that are answered in the order of frames.
    pub(crate) asked: Vec<(u32, Ask, Vec<u8>)>,
}
