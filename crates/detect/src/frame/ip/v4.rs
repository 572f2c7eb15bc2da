//! The header of IPv4, and what it leads to.
//!
//! Bytes behind the datagram's own length are the link's padding and are left out. A fragment is handed to those that
//! wait for the rest; it has no transport of its own. Not here: the options, and putting fragments together.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::fragment::Fragment;
use super::super::{Event, Packet, Transport, transport, tunnel};
use super::v4_options::{self, OptionSet};
use super::{Ip, protocol, v6};
use core::net::{IpAddr, Ipv4Addr};

/// An IPv4 header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv4<'a> {
    fixed: &'a [u8; 20],
    bytes: &'a [u8],
    options: OptionSet,
}

impl<'a> Ipv4<'a> {
    /// The 20 bytes that every header has.
    #[must_use]
    pub fn fixed(&self) -> &'a [u8; 20] {
        self.fixed
    }

    /// The header with its options.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Which options it has.
    #[must_use]
    pub fn options(&self) -> OptionSet {
        self.options
    }

    /// Type of service.
    #[must_use]
    pub fn tos(&self) -> u8 {
        self.fixed[1]
    }

    /// Bytes of the datagram, header included.
    #[must_use]
    pub fn total_length(&self) -> u16 {
        u16::from_be_bytes([self.fixed[2], self.fixed[3]])
    }

    /// The identification of the datagram.
    #[must_use]
    pub fn id(&self) -> u16 {
        u16::from_be_bytes([self.fixed[4], self.fixed[5]])
    }

    /// The three bits before the fragment's offset: 1 more fragments, 2 do not fragment, 4 reserved.
    #[must_use]
    pub fn fragment_bits(&self) -> u8 {
        self.fixed[6] >> 5
    }

    /// Whether more fragments follow.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.fixed[6] & 0x20 != 0
    }

    /// Where the fragment begins, in units of 8 bytes.
    #[must_use]
    pub fn fragment_offset(&self) -> u16 {
        u16::from_be_bytes([self.fixed[6], self.fixed[7]]) & 0x1fff
    }

    /// Time to live.
    #[must_use]
    pub fn ttl(&self) -> u8 {
        self.fixed[8]
    }

    /// What follows, as the header says.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.fixed[9]
    }

    /// The source address.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        let bytes = self.fixed;
        Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15])
    }

    /// The destination address.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        let bytes = self.fixed;
        Ipv4Addr::new(bytes[16], bytes[17], bytes[18], bytes[19])
    }
}

/// Reads a datagram.
#[inline]
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    Run::layer(packet)?;
    let (header, payload) = read_header(packet, bytes)?;
    packet.ip = Some(Ip::V4(header));
    packet.protocol = header.protocol();
    if header.has_more() || header.fragment_offset() > 0 {
        read_fragment(run, packet, header, payload);
        return Ok(());
    }
    match packet.protocol {
        protocol::TCP => transport::tcp::read(packet, payload),
        protocol::UDP => transport::udp::read(run, packet, payload),
        other => read_other(run, packet, other, payload),
    }
    Ok(())
}

fn read_other<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, protocol: u8, payload: &'a [u8]) {
    match protocol {
        protocol::ICMP => transport::icmp4::read(packet, payload),
        protocol::GRE => tunnel::gre::read(run, packet, payload),
        protocol::SCTP => transport::sctp::read(packet, payload),
        protocol::ESP => transport::esp::read(packet, payload),
        protocol::IPV6 => {
            let _ = run.tunnel(packet, payload, v6::read);
            packet.has_flow = true;
        }
        protocol::IPV4 => {
            let _ = run.tunnel(packet, payload, read);
            packet.has_flow = true;
        }
        protocol::HOP_BY_HOP if packet.is_van_jacobson => transport::tcp::read(packet, payload),
        protocol::ICMP6 => {
            packet.wrong(Event::Ipv4WithIcmp6);
            packet.transport = Transport::Other;
        }
        _ => packet.transport = Transport::Other,
    }
}

#[inline]
fn read_header<'a>(packet: &mut Packet<'a>, bytes: &'a [u8]) -> Result<(Ipv4<'a>, &'a [u8]), Unread> {
    let Some(fixed) = bytes.first_chunk::<20>() else {
        packet.wrong(Event::Ipv4TooSmall);
        return Err(Unread);
    };
    let header_bytes = usize::from(fixed[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
    let fault = if fixed[0] >> 4 != 4 {
        Event::Ipv4Version
    } else if header_bytes < fixed.len() {
        Event::Ipv4HeaderTooSmall
    } else if total < header_bytes {
        Event::Ipv4LengthBelowHeader
    } else if let Some((header, payload)) =
        bytes.get(..total).and_then(|datagram| datagram.split_at_checked(header_bytes))
    {
        let mut ip = Ipv4 { fixed, bytes: header, options: OptionSet::default() };
        packet.source = IpAddr::V4(ip.source());
        packet.destination = IpAddr::V4(ip.destination());
        if let Some((_, options)) = header.split_first_chunk::<20>()
            && !options.is_empty()
        {
            ip.options = v4_options::read(packet, options)?;
        }
        return Ok((ip, payload));
    } else {
        Event::Ipv4Truncated
    };
    packet.wrong(fault);
    Err(Unread)
}

#[cold]
fn read_fragment<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, header: Ipv4<'a>, payload: &'a [u8]) {
    packet.is_fragment = true;
    let fragment = Fragment {
        offset: u32::from(header.fragment_offset()) * 8,
        has_more: header.has_more(),
        id: u32::from(header.id()),
        protocol: header.protocol(),
        head: header.bytes(),
        next: None,
        data: payload,
    };
    if run.may_reassemble()
        && let Some(datagram) = run.fragments.take(run.time, &run.settings.policies, packet, &fragment)
    {
        run.reassembled(packet, &datagram, read);
    }
}
