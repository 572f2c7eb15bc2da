//! PPP: an optional HDLC header, a protocol of one or two bytes, and IP if the protocol says so.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};

const IPV4_BYTES_MIN: usize = 20;
const IPV6_BYTES_MIN: usize = 40;

/// What a PPP protocol number means to the decoder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Ipv4,
    Ipv6,
    /// IPv4 in which the IP protocol may have made room for a connection number (Van Jacobson, RFC 1144).
    VanJacobson,
    /// How the link is set up: nothing to look into.
    Control,
    /// Known, not understood.
    Unsupported,
    /// No protocol at all.
    Unknown,
}

/// What a protocol number of two bytes means.
pub(crate) fn kind(protocol: u16) -> Kind {
    match protocol {
        0x0021 => Kind::Ipv4,
        0x0057 => Kind::Ipv6,
        0x002f => Kind::VanJacobson,
        // Compressed datagrams; the control protocols of IPv4, IPv6, compression and discovery; LCP, PAP, quality,
        // call-back, CHAP.
        0x00fd | 0x8021 | 0x8057 | 0x80fd | 0x8207 | 0xc021 | 0xc023 | 0xc025 | 0xc029 | 0xc223 => {
            Kind::Control
        }
        // OSI, Xerox, DECnet, AppleTalk, IPX, compressed TCP, bridges, streams, VINES, hello, Luxcom, Sigma; MPLS;
        // their control protocols.
        0x0023 | 0x0025 | 0x0027 | 0x0029 | 0x002b | 0x002d | 0x0031 | 0x0033 | 0x0035 | 0x0201 | 0x0231
        | 0x0233 | 0x0281 | 0x0283 | 0x8023 | 0x8025 | 0x8027 | 0x8029 | 0x802b | 0x8033 | 0x8035
        | 0x8281 => Kind::Unsupported,
        _ => Kind::Unknown,
    }
}

/// Reads a PPP frame.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let has_hdlc = frame.first() == Some(&0xff);
    let bytes = if has_hdlc { frame.get(2..).unwrap_or(&[]) } else { frame };
    let Some((&first, rest)) = bytes.split_first() else {
        packet.wrong(Event::PppTooSmall);
        return Err(Unread);
    };
    if first & 1 != 0 {
        Run::layer(packet)?;
        return read_short(run, packet, first, rest);
    }
    let Some((&second, rest)) = rest.split_first() else {
        packet.wrong(Event::PppTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let kind = kind(u16::from_be_bytes([first, second]));
    match kind {
        Kind::Control => Ok(()),
        Kind::Unsupported => {
            packet.odd(Event::PppUnsupported);
            Ok(())
        }
        Kind::Unknown => {
            packet.wrong(Event::PppType);
            Ok(())
        }
        Kind::Ipv4 | Kind::Ipv6 | Kind::VanJacobson => {
            if rest.len() > ip::DATAGRAM_BYTES_MAX {
                return Err(Unread);
            }
            check_length(packet, kind, rest)?;
            read_ip(run, packet, kind, rest)
        }
    }
}

/// A protocol of one byte: only the three that carry IP are known in this form.
fn read_short<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, protocol: u8, rest: &'a [u8]) -> Outcome {
    let kind = kind(u16::from(protocol));
    match kind {
        Kind::Ipv4 if rest.len() < IPV4_BYTES_MIN => {
            packet.wrong(Event::PppCompressedTooSmall);
            Err(Unread)
        }
        Kind::Ipv4 | Kind::Ipv6 => {
            check_length(packet, kind, rest)?;
            read_ip(run, packet, kind, ip::cut(rest))
        }
        Kind::VanJacobson => {
            check_length(packet, kind, rest)?;
            if rest.len() > ip::DATAGRAM_BYTES_MAX {
                return Err(Unread);
            }
            packet.is_van_jacobson = rest.first().is_some_and(|first| first >> 4 == 4);
            read_ip(run, packet, kind, rest)
        }
        _ => {
            packet.odd(Event::PppUnsupported);
            Ok(())
        }
    }
}

/// Whether the header that `kind` says is there in full.
pub(crate) fn check_length(packet: &mut Packet<'_>, kind: Kind, bytes: &[u8]) -> Outcome {
    let (needed, event) = match kind {
        Kind::Ipv6 => (IPV6_BYTES_MIN, Event::PppIpv6TooSmall),
        Kind::VanJacobson => (IPV4_BYTES_MIN, Event::PppCompressedTooSmall),
        _ => (IPV4_BYTES_MIN, Event::PppIpv4TooSmall),
    };
    if bytes.len() < needed {
        packet.wrong(event);
        return Err(Unread);
    }
    Ok(())
}

/// Reads the IP that `kind` says is there.
pub(crate) fn read_ip<'a>(
    run: &mut Run<'_>,
    packet: &mut Packet<'a>,
    kind: Kind,
    bytes: &'a [u8],
) -> Outcome {
    match kind {
        Kind::Ipv6 => ip::v6::read(run, packet, bytes),
        Kind::VanJacobson if bytes.first().is_none_or(|first| first >> 4 != 4) => Err(Unread),
        _ => ip::v4::read(run, packet, bytes),
    }
}
