//! The extension headers of IPv6: what is odd about them, and what stands behind them.
//!
//! The walk ends at a transport, at IPv4 inside, at a fragment that is not the whole datagram, at something unknown,
//! or where a header is cut off. A header that comes more often than it may is skipped. Not here: what options and
//! routes say.

use super::super::{Event, Packet};
use super::{FragmentHeader, protocol};

const OPTION_PAD_1: u8 = 0x00;
const OPTION_PAD_N: u8 = 0x01;
const OPTION_ROUTER_ALERT: u8 = 0x05;
const OPTION_JUMBO: u8 = 0xc2;
const OPTION_HOME_ADDRESS: u8 = 0xc9;
/// Destination options may come twice: before a routing header and before the transport.
const DESTINATIONS_MAX: u8 = 2;

/// Where the fragment header of a fragment stands: counted from behind the fixed header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place<'a> {
    /// Its first byte.
    pub(crate) at: usize,
    /// The first byte of the extension header before it, if there is one.
    pub(crate) previous: Option<usize>,
    /// What the fragment carries.
    pub(crate) data: &'a [u8],
}

/// What a walk found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Found<'a> {
    /// The fragment header, if there is one.
    pub(crate) fragment: Option<FragmentHeader>,
    /// Where it stands, if the packet is a fragment.
    pub(crate) place: Option<Place<'a>>,
    /// Bytes of the extension headers that were passed.
    pub(crate) length: usize,
    /// The last header that has a meaning: the transport's number if it was reached.
    pub(crate) protocol: u8,
    /// The transport, or IPv4, and its bytes.
    pub(crate) upper: Option<(u8, &'a [u8])>,
}

/// Whether this follows a fixed header as something to walk over: extension headers, and what is only looked at
/// behind them.
pub(crate) fn is_extension(next: u8) -> bool {
    matches!(
        next,
        protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::FRAGMENT
            | protocol::ESP
            | protocol::AUTHENTICATION
            | protocol::NONE
            | protocol::DESTINATION
            | protocol::MOBILITY
            | protocol::HOST_IDENTITY
            | protocol::SHIM6
    )
}

/// Which headers came already.
#[derive(Default)]
struct Seen {
    hop_by_hop: bool,
    routing: bool,
    authentication: bool,
    destinations: u8,
}

/// What to do about a header that the walk meets.
enum Step {
    /// It is as long as this; what follows stands behind it.
    Over(usize),
    /// The walk ends at a transport, or at IPv4.
    Upper,
    /// The walk ends here, with this oddity.
    End(Event),
}

/// What to do about a `kind` whose second byte is `units`.
fn step(kind: u8, units: u8) -> Step {
    match kind {
        protocol::TCP | protocol::UDP | protocol::ICMP6 | protocol::SCTP | protocol::ESP | protocol::IPV4 => {
            Step::Upper
        }
        protocol::HOP_BY_HOP
        | protocol::ROUTING
        | protocol::DESTINATION
        | protocol::MOBILITY
        | protocol::HOST_IDENTITY
        | protocol::SHIM6 => Step::Over(8 + usize::from(units) * 8),
        protocol::FRAGMENT => Step::Over(8),
        protocol::AUTHENTICATION => Step::Over(12 + usize::from(units).saturating_sub(1) * 4),
        protocol::ICMP => Step::End(Event::Ipv6WithIcmp4),
        _ => Step::End(Event::Ipv6NextUnknown),
    }
}

/// Whether the packet's protocol is this one when the walk ends at or behind it.
fn counts(kind: u8) -> bool {
    !matches!(kind, protocol::MOBILITY | protocol::HOST_IDENTITY | protocol::SHIM6 | protocol::ICMP)
}

/// Walks over the headers behind the fixed one, of which the first is a `next`.
pub(crate) fn walk<'a>(packet: &mut Packet<'a>, mut next: u8, payload: &'a [u8]) -> Found<'a> {
    let mut found = Found::default();
    let mut seen = Seen::default();
    let mut previous = None;
    loop {
        let rest = payload.get(found.length..).unwrap_or(&[]);
        if next == protocol::NONE {
            if !rest.is_empty() {
                packet.odd(Event::Ipv6DataAfterNone);
            }
            return found;
        }
        let [following, units, ..] = *rest else {
            packet.wrong(Event::Ipv6ExtensionTruncated);
            return found;
        };
        if counts(next) {
            found.protocol = next;
        }
        let length = match step(next, units) {
            Step::Over(length) => length,
            Step::Upper => {
                found.upper = Some((next, rest));
                return found;
            }
            Step::End(event) => {
                packet.odd(event);
                return found;
            }
        };
        let Some((header, behind)) = rest.split_at_checked(length) else {
            packet.wrong(Event::Ipv6ExtensionTruncated);
            return found;
        };
        if next != protocol::FRAGMENT {
            read_one(packet, &mut seen, next, header);
        } else if read_fragment(packet, &mut found, header) {
            if found.fragment.is_some_and(|fragment| fragment.has_more) && !behind.len().is_multiple_of(8) {
                packet.odd(Event::Fragment6Length);
            }
            found.place = Some(Place { at: found.length, previous, data: behind });
            return found;
        }
        previous = Some(found.length);
        found.length += length;
        next = following;
    }
}

fn read_one(packet: &mut Packet<'_>, seen: &mut Seen, kind: u8, header: &[u8]) {
    match kind {
        protocol::HOP_BY_HOP => {
            if core::mem::replace(&mut seen.hop_by_hop, true) {
                packet.odd(Event::Ipv6HopByHopTwice);
            } else {
                read_options(packet, header, Event::Ipv6HopByHopUnknown, Event::Ipv6HopByHopPadding);
            }
        }
        protocol::DESTINATION => {
            if seen.destinations == DESTINATIONS_MAX {
                packet.odd(Event::Ipv6DestinationTwice);
            } else {
                seen.destinations += 1;
                read_options(packet, header, Event::Ipv6DestinationUnknown, Event::Ipv6DestinationPadding);
            }
        }
        protocol::ROUTING => {
            if core::mem::replace(&mut seen.routing, true) {
                packet.odd(Event::Ipv6RoutingTwice);
            } else if header.get(2) == Some(&0) {
                packet.odd(Event::Ipv6RoutingTypeZero);
            }
        }
        protocol::AUTHENTICATION => {
            if header.get(2..4) != Some(&[0, 0]) {
                packet.odd(Event::Ipv6AuthenticationReserved);
            }
            if core::mem::replace(&mut seen.authentication, true) {
                packet.odd(Event::Ipv6AuthenticationTwice);
            }
        }
        _ => {}
    }
}

/// Reads a fragment header. True if the packet is a fragment, and not the whole datagram behind a useless header.
fn read_fragment(packet: &mut Packet<'_>, found: &mut Found<'_>, header: &[u8]) -> bool {
    let [next, reserved, high, low, id @ ..] = header else { return false };
    if *reserved != 0 {
        packet.odd(Event::Ipv6FragmentReserved);
    }
    if found.fragment.is_some() {
        packet.odd(Event::Ipv6FragmentTwice);
        return false;
    }
    let word = u16::from_be_bytes([*high, *low]);
    let id = id.first_chunk::<4>().map_or(0, |id| u32::from_be_bytes(*id));
    let fragment = FragmentHeader { offset: word & 0xfff8, has_more: word & 1 != 0, id, next: *next };
    found.fragment = Some(fragment);
    if fragment.offset == 0 && !fragment.has_more {
        packet.odd(Event::Ipv6FragmentUseless);
        return false;
    }
    true
}

/// Reads the options of a hop-by-hop or destination header.
fn read_options(packet: &mut Packet<'_>, header: &[u8], unknown: Event, only_padding: Event) {
    let mut rest = header.get(2..).unwrap_or(&[]);
    let (mut has_padding, mut has_other) = (false, false);
    while let Some((&kind, after)) = rest.split_first() {
        if kind == OPTION_PAD_1 {
            has_padding = true;
            rest = after;
            continue;
        }
        // A length may reach one byte behind the header: that much is let pass.
        let Some(&length) = after.first().filter(|length| usize::from(**length) <= after.len()) else {
            packet.wrong(Event::Ipv6OptionLength);
            break;
        };
        let needed = match kind {
            OPTION_ROUTER_ALERT => 2,
            OPTION_JUMBO => 4,
            OPTION_HOME_ADDRESS => 16,
            _ => 0,
        };
        if length < needed {
            packet.wrong(Event::Ipv6OptionLength);
            break;
        }
        match kind {
            OPTION_PAD_N => {
                has_padding = true;
                if length == 0 {
                    packet.odd(Event::Ipv6PaddingEmpty);
                }
            }
            // A jumbo length beside padding counts as padding alone.
            OPTION_JUMBO => {}
            OPTION_ROUTER_ALERT | OPTION_HOME_ADDRESS => has_other = true,
            _ => {
                packet.odd(unknown);
                has_other = true;
            }
        }
        rest = after.get(1 + usize::from(length)..).unwrap_or(&[]);
    }
    if has_padding && !has_other {
        packet.odd(only_padding);
    }
}
