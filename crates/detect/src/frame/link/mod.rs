//! Link headers, one small file for each, and what an EtherType leads to.

mod arp;
mod chdlc;
mod cooked;
mod ethernet;
mod known;
mod mpls;
mod nsh;
mod null;
mod ppp;
mod pppoe;
mod raw;
mod tag;
mod vlan;

pub use arp::Arp;
pub(crate) use arp::read as read_arp;
pub(crate) use ethernet::read as read_ethernet;
pub use known::{KNOWN_LINKS, UnknownLinks};
pub(crate) use ppp::read as read_ppp;
pub(crate) use vlan::read as read_vlan;

use super::decoder::{Outcome, Run};
use super::ip;
use super::{Event, Packet};

/// EtherTypes, as far as somebody knows them.
pub(crate) mod ether_type {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const BRIDGE: u16 = 0x6558;
    pub(crate) const VLAN: u16 = 0x8100;
    pub(crate) const IPV6: u16 = 0x86dd;
    pub(crate) const PPP: u16 = 0x880b;
    pub(crate) const MPLS: u16 = 0x8847;
    pub(crate) const MPLS_MULTICAST: u16 = 0x8848;
    pub(crate) const PPPOE_DISCOVERY: u16 = 0x8863;
    pub(crate) const PPPOE_SESSION: u16 = 0x8864;
    pub(crate) const PROVIDER_VLAN: u16 = 0x88a8;
    pub(crate) const ERSPAN: u16 = 0x88be;
    pub(crate) const PROVIDER_BACKBONE: u16 = 0x88e7;
    pub(crate) const FABRIC_PATH: u16 = 0x8903;
    pub(crate) const VNTAG: u16 = 0x8926;
    pub(crate) const ETAG: u16 = 0x893f;
    pub(crate) const NSH: u16 = 0x894f;
    pub(crate) const QINQ: u16 = 0x9100;
}

/// What pcap calls the links that are understood. [`KNOWN_LINKS`] has them all.
pub(crate) mod link_type {
    pub(crate) const NULL: u16 = 0;
    pub(crate) const ETHERNET: u16 = 1;
    pub(crate) const PPP: u16 = 9;
    pub(crate) const RAW: u16 = 12;
    pub(crate) const RAW_OPENBSD: u16 = 14;
    pub(crate) const RAW_ANY: u16 = 101;
    pub(crate) const CISCO_HDLC: u16 = 104;
    pub(crate) const LOOP: u16 = 108;
    pub(crate) const COOKED: u16 = 113;
    pub(crate) const IPV4: u16 = 228;
    pub(crate) const IPV6: u16 = 229;
    pub(crate) const COOKED_2: u16 = 276;
    pub(crate) const GRE_OVER_IP: u16 = 778;
}

/// Reads a frame from its link header on. A link that is not understood leaves the packet empty, and it could not be read.
pub(crate) fn read<'a>(run: &mut Run<'_>, link: u16, packet: &mut Packet<'a>, frame: &'a [u8]) {
    // What could not be read stands in the packet's events: the packet of the frame is shown in any case.
    let _ = match link {
        link_type::ETHERNET => ethernet::read(run, packet, frame),
        link_type::RAW
        | link_type::RAW_OPENBSD
        | link_type::RAW_ANY
        | link_type::IPV4
        | link_type::IPV6
        | link_type::GRE_OVER_IP => raw::read(run, packet, frame),
        link_type::COOKED => cooked::read(run, packet, frame),
        link_type::COOKED_2 => cooked::read_2(run, packet, frame),
        link_type::NULL => null::read(run, packet, frame),
        link_type::LOOP => null::read_loop(run, packet, frame),
        link_type::PPP => ppp::read(run, packet, frame),
        link_type::CISCO_HDLC => chdlc::read(run, packet, frame),
        _ => {
            packet.is_invalid = true;
            Ok(())
        }
    };
}

/// An EtherType that nothing is known about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UnknownType;

/// Reads what this EtherType says follows.
#[inline]
pub(crate) fn read_type<'a>(
    run: &mut Run<'_>,
    packet: &mut Packet<'a>,
    ether_type: u16,
    bytes: &'a [u8],
) -> Result<(), UnknownType> {
    // What could not be read stands in the packet's events.
    let _: Outcome = match ether_type {
        ether_type::IPV4 => ip::v4::read(run, packet, ip::cut(bytes)),
        ether_type::IPV6 => ip::v6::read(run, packet, ip::cut(bytes)),
        ether_type::PPPOE_SESSION => pppoe::read_session(run, packet, bytes),
        ether_type::PPPOE_DISCOVERY => pppoe::read_discovery(packet, bytes),
        ether_type::VLAN | ether_type::PROVIDER_VLAN | ether_type::QINQ => {
            if packet.vlan.has_room() {
                vlan::read(run, packet, bytes)
            } else {
                packet.odd(Event::VlanLayers);
                Ok(())
            }
        }
        ether_type::PROVIDER_BACKBONE => vlan::read_provider(run, packet, bytes),
        ether_type::ARP => arp::read(run, packet, bytes),
        ether_type::MPLS | ether_type::MPLS_MULTICAST => mpls::read(run, packet, bytes),
        ether_type::FABRIC_PATH => ethernet::read_fabric(run, packet, bytes),
        ether_type::ETAG => tag::read_etag(run, packet, bytes),
        ether_type::VNTAG => tag::read_vntag(run, packet, bytes),
        ether_type::NSH => nsh::read(run, packet, bytes),
        _ => {
            packet.odd(Event::EthernetTypeUnknown);
            return Err(UnknownType);
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests;
