//! The header of IPv6, and what it leads to.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::fragment::Fragment;
use super::super::{Event, Packet, Transport, transport, tunnel};
use super::{Ip, protocol, v4, v6_extension};
use core::net::{IpAddr, Ipv6Addr};

/// Bytes of the header without extension headers.
const FIXED_BYTES: usize = 40;
/// Where in it stands what follows.
const NEXT_AT: usize = 6;

/// What a fragment header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FragmentHeader {
    /// Where the fragment begins, in bytes.
    pub offset: u16,
    /// Whether more fragments follow.
    pub has_more: bool,
    /// The identification of the datagram.
    pub id: u32,
    /// What follows, in the datagram.
    pub next: u8,
}

/// An IPv6 header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ipv6<'a> {
    fixed: &'a [u8; 40],
    bytes: &'a [u8],
    fragment: Option<FragmentHeader>,
}

impl<'a> Ipv6<'a> {
    /// The 40 bytes that every header has.
    #[must_use]
    pub fn fixed(&self) -> &'a [u8; 40] {
        self.fixed
    }

    /// The header with its extension headers, as far as they were understood.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The fragment header, if there is one.
    #[must_use]
    pub fn fragment(&self) -> Option<FragmentHeader> {
        self.fragment
    }

    /// Bytes behind the fixed header.
    #[must_use]
    pub fn payload_length(&self) -> u16 {
        u16::from_be_bytes([self.fixed[4], self.fixed[5]])
    }

    /// What follows the fixed header.
    #[must_use]
    pub fn next(&self) -> u8 {
        self.fixed[6]
    }

    /// Hop limit.
    #[must_use]
    pub fn hop_limit(&self) -> u8 {
        self.fixed[7]
    }

    /// The source address.
    #[must_use]
    pub fn source(&self) -> Ipv6Addr {
        address(self.fixed, 8)
    }

    /// The destination address.
    #[must_use]
    pub fn destination(&self) -> Ipv6Addr {
        address(self.fixed, 24)
    }
}

fn address(fixed: &[u8; 40], at: usize) -> Ipv6Addr {
    let bytes = fixed.get(at..).and_then(|bytes| bytes.first_chunk::<16>()).copied().unwrap_or_default();
    Ipv6Addr::from(bytes)
}

/// Reads a datagram.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    Run::layer(packet)?;
    let (header, payload) = read_header(packet, bytes)?;
    packet.ip = Some(Ip::V6(header));
    packet.protocol = header.next();
    match header.next() {
        protocol::TCP => transport::tcp::read(packet, payload),
        protocol::UDP => transport::udp::read(run, packet, payload),
        protocol::ICMP6 => transport::icmp6::read(packet, payload),
        protocol::SCTP => transport::sctp::read(packet, payload),
        protocol::IPV4 => read_ipv4(run, packet, payload),
        protocol::IPV6 => read_ipv6(run, packet, payload),
        protocol::GRE => tunnel::gre::read(run, packet, payload),
        protocol::ICMP => {
            packet.odd(Event::Ipv6WithIcmp4);
            packet.protocol = 0;
            packet.transport = Transport::Other;
        }
        next if v6_extension::is_extension(next) => read_extensions(run, packet, header, bytes, payload),
        _ => {
            packet.odd(Event::Ipv6NextUnknown);
            packet.transport = Transport::Other;
        }
    }
    Ok(())
}

/// Walks over extension headers and reads what is behind them.
fn read_extensions<'a>(
    run: &mut Run<'_>,
    packet: &mut Packet<'a>,
    mut header: Ipv6<'a>,
    bytes: &'a [u8],
    payload: &'a [u8],
) {
    let found = v6_extension::walk(packet, header.next(), payload);
    header.fragment = found.fragment;
    header.bytes = bytes.get(..header.fixed.len() + found.length).unwrap_or(header.bytes);
    packet.ip = Some(Ip::V6(header));
    packet.protocol = found.protocol;
    match found.upper {
        Some((protocol::TCP, rest)) => transport::tcp::read(packet, rest),
        Some((protocol::UDP, rest)) => transport::udp::read(run, packet, rest),
        Some((protocol::ICMP6, rest)) => transport::icmp6::read(packet, rest),
        Some((protocol::SCTP, rest)) => transport::sctp::read(packet, rest),
        Some((protocol::ESP, rest)) => transport::esp::read(packet, rest),
        Some((_, rest)) => read_ipv4(run, packet, rest),
        None if found.place.is_none() => packet.transport = Transport::Other,
        None => {}
    }
    if let (Some(fragment), Some(place)) = (found.fragment, found.place) {
        read_fragment(run, packet, bytes, fragment, place);
    }
}

fn read_header<'a>(packet: &mut Packet<'a>, bytes: &'a [u8]) -> Result<(Ipv6<'a>, &'a [u8]), Unread> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<40>() else {
        packet.wrong(Event::Ipv6TooSmall);
        return Err(Unread);
    };
    if fixed[0] >> 4 != 6 {
        packet.wrong(Event::Ipv6Version);
        return Err(Unread);
    }
    let header = Ipv6 { fixed, bytes: fixed, fragment: None };
    let Some(payload) = rest.get(..usize::from(header.payload_length())) else {
        packet.wrong(Event::Ipv6Truncated);
        return Err(Unread);
    };
    packet.source = IpAddr::V6(header.source());
    packet.destination = IpAddr::V6(header.destination());
    Ok((header, payload))
}

fn read_ipv4(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) {
    match payload.first() {
        Some(first) if payload.len() >= 20 => {
            if first >> 4 == 4 {
                let _ = run.tunnel(packet, payload, v4::read);
                packet.has_flow = true;
            } else {
                packet.wrong(Event::Ipv4InIpv6Version);
            }
        }
        _ => packet.wrong(Event::Ipv4InIpv6TooSmall),
    }
}

fn read_ipv6(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) {
    match payload.first() {
        Some(first) if payload.len() >= 40 => {
            if first >> 4 == 6 {
                let _ = run.tunnel(packet, payload, read);
                packet.has_flow = true;
            } else {
                packet.wrong(Event::Ipv6InIpv6Version);
            }
        }
        _ => packet.wrong(Event::Ipv6InIpv6TooSmall),
    }
}

fn read_fragment<'a>(
    run: &mut Run<'_>,
    packet: &mut Packet<'a>,
    bytes: &'a [u8],
    header: FragmentHeader,
    place: v6_extension::Place<'a>,
) {
    packet.is_fragment = true;
    let Some(head) = bytes.get(..FIXED_BYTES + place.at) else { return };
    // In the datagram, what the fragment header says follows is what the header before it says.
    let next_at = place.previous.map_or(NEXT_AT, |previous| FIXED_BYTES + previous);
    let fragment = Fragment {
        offset: u32::from(header.offset),
        has_more: header.has_more,
        id: header.id,
        protocol: protocol::FRAGMENT,
        head,
        next: Some((next_at, header.next)),
        data: place.data,
    };
    if run.may_reassemble()
        && let Some(datagram) = run.fragments.take(run.time, &run.settings.policies, packet, &fragment)
    {
        run.reassembled(packet, &datagram, read);
    }
}
