//! A packet as the decoder understood it: everything by reference into the frame.
//!
//! A frame makes one packet, and one more for each packet inside a tunnel and for each datagram that its fragment
//! completed.

use super::event::{Event, EventSet};
use super::ip::Ip;
use super::link::Arp;
use super::transport::Transport;
use crate::Time;
use core::net::{IpAddr, Ipv4Addr};

/// VLAN tags that are kept of a packet.
pub const VLAN_LAYERS_MAX: usize = 3;

/// The VLAN tags of a packet, outermost first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Vlan {
    ids: [u16; VLAN_LAYERS_MAX],
    count: u8,
}

impl Vlan {
    /// Adds a tag inside those that are there. With three it is not kept.
    pub(crate) fn push(&mut self, id: u16) {
        if let Some(place) = self.ids.get_mut(usize::from(self.count)) {
            *place = id;
            self.count += 1;
        }
    }

    /// Whether there is room for one more.
    pub(crate) fn has_room(&self) -> bool {
        usize::from(self.count) < VLAN_LAYERS_MAX
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u8 {
        self.count
    }

    /// The identifiers of those that are there.
    #[must_use]
    pub fn ids(&self) -> &[u16] {
        self.ids.get(..usize::from(self.count)).unwrap_or(&[])
    }

    /// All three places; 0 where there is no tag.
    #[must_use]
    pub fn places(&self) -> [u16; VLAN_LAYERS_MAX] {
        self.ids
    }
}

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// When its frame came.
    pub time: Time,
    /// From where; 0.0.0.0 without IP.
    pub source: IpAddr,
    /// To where; 0.0.0.0 without IP.
    pub destination: IpAddr,
    /// From which port; 0 without ports.
    pub source_port: u16,
    /// To which port; 0 without ports.
    pub destination_port: u16,
    /// The IP protocol: the transport's, or the last header's that was understood; 0 without IP.
    pub protocol: u8,
    /// How many tunnels it is inside of.
    pub depth: u8,
    /// Its VLAN tags: those of its own tunnel layer.
    pub vlan: Vlan,
    /// Its IP header, if it has one that can be trusted.
    pub ip: Option<Ip<'a>>,
    /// Its transport header, if it has one that can be trusted.
    pub transport: Transport<'a>,
    /// What the transport carries. Empty for a fragment and for what has no transport that is understood.
    pub payload: &'a [u8],
    /// The innermost Ethernet header: destination, source, type.
    pub ethernet: Option<&'a [u8; 14]>,
    /// If it is ARP.
    pub arp: Option<Arp<'a>>,
    /// What was odd about it.
    pub events: EventSet,
    /// A header was so wrong that what follows was not read.
    pub is_invalid: bool,
    /// It is a fragment: without transport and ports.
    pub is_fragment: bool,
    /// It was put together from fragments.
    pub is_reassembled: bool,
    /// Its payload is shown as a packet of its own (it is a tunnel, or the last fragment), so content is not searched
    /// in this one.
    pub hides_payload: bool,
    /// It belongs to a flow.
    pub has_flow: bool,
    /// Headers that count towards the limit of layers, the tunnels' around it included.
    pub(crate) layers: u8,
    /// It came with the Van Jacobson type of PPP: its IP protocol may be 0 and means TCP.
    pub(crate) is_van_jacobson: bool,
}

impl<'a> Packet<'a> {
    /// One of which nothing is known yet.
    #[must_use]
    pub(crate) fn new(time: Time) -> Self {
        Packet {
            time,
            source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            source_port: 0,
            destination_port: 0,
            protocol: 0,
            depth: 0,
            vlan: Vlan::default(),
            ip: None,
            transport: Transport::None,
            payload: &[],
            ethernet: None,
            arp: None,
            events: EventSet::NONE,
            is_invalid: false,
            is_fragment: false,
            is_reassembled: false,
            hides_payload: false,
            has_flow: false,
            layers: 0,
            is_van_jacobson: false,
        }
    }

    /// Something is odd; what follows is read all the same.
    #[cold]
    pub(crate) fn odd(&mut self, event: Event) {
        self.events.add(event);
    }

    /// Something is so wrong that the packet cannot be trusted.
    #[cold]
    pub(crate) fn wrong(&mut self, event: Event) {
        self.events.add(event);
        self.is_invalid = true;
    }
}
