//! What a frame begins with: the `LINKTYPE` that a capture names.
//!
//! The values are those of the registry at tcpdump.org/linktypes.html. Any value is let through; those that somebody
//! here asks about have names.

use std::fmt;

/// Which kind of header a frame begins with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Link(pub u16);

impl Link {
    /// BSD loopback: four bytes of address family in the order of the machine that captured.
    pub const NULL: Link = Link(0);
    /// Ethernet.
    pub const ETHERNET: Link = Link(1);
    /// PPP, with or without a header as in HDLC.
    pub const PPP: Link = Link(9);
    /// IP without a link header, as files name it that took the number from a system instead of the registry.
    pub const RAW_BSD: Link = Link(12);
    /// The same, by the number that OpenBSD has for it.
    pub const RAW_OPENBSD: Link = Link(14);
    /// PPP in HDLC framing.
    pub const PPP_HDLC: Link = Link(50);
    /// A PPPoE session, from its header on.
    pub const PPP_ETHER: Link = Link(51);
    /// IP of either version without a link header.
    pub const RAW: Link = Link(101);
    /// Cisco's PPP in HDLC framing.
    pub const C_HDLC: Link = Link(104);
    /// Wireless LAN.
    pub const IEEE802_11: Link = Link(105);
    /// OpenBSD loopback: four bytes of address family in network order.
    pub const LOOP: Link = Link(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Link = Link(113);
    /// Wireless LAN behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Link = Link(127);
    /// Frames of a Juniper switch.
    pub const JUNIPER_ETHER: Link = Link(178);
    /// IPv4 without a link header.
    pub const IPV4: Link = Link(228);
    /// IPv6 without a link header.
    pub const IPV6: Link = Link(229);
    /// Packets from netfilter's log.
    pub const NFLOG: Link = Link(239);
    /// Linux "cooked" capture, second version.
    pub const LINUX_SLL2: Link = Link(276);
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Link::NULL => "NULL",
            Link::ETHERNET => "ETHERNET",
            Link::PPP => "PPP",
            Link::RAW_BSD | Link::RAW_OPENBSD | Link::RAW => "RAW",
            Link::PPP_HDLC => "PPP_HDLC",
            Link::PPP_ETHER => "PPP_ETHER",
            Link::C_HDLC => "C_HDLC",
            Link::IEEE802_11 => "IEEE802_11",
            Link::LOOP => "LOOP",
            Link::LINUX_SLL => "LINUX_SLL",
            Link::IEEE802_11_RADIOTAP => "IEEE802_11_RADIOTAP",
            Link::JUNIPER_ETHER => "JUNIPER_ETHER",
            Link::IPV4 => "IPV4",
            Link::IPV6 => "IPV6",
            Link::NFLOG => "NFLOG",
            Link::LINUX_SLL2 => "LINUX_SLL2",
            Link(other) => return write!(f, "link type {other}"),
        };
        write!(f, "{name} (link type {})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_type_is_told_by_name_and_number_and_a_nameless_one_by_number() {
        assert_eq!(Link::ETHERNET.to_string(), "ETHERNET (link type 1)");
        assert_eq!(Link(147).to_string(), "link type 147");
    }
}
