//! ICMP of IPv4, with the beginning of the datagram that an error is about.

use super::super::ip::protocol;
use super::super::{Event, Packet};
use super::Transport;
use core::net::Ipv4Addr;

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO: u8 = 8;
const ROUTER_ADVERTISEMENT: u8 = 9;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;
const INFORMATION: u8 = 15;
const INFORMATION_REPLY: u8 = 16;
const ADDRESS_MASK: u8 = 17;
const ADDRESS_MASK_REPLY: u8 = 18;

const UNREACHABLE_CODE_MAX: u8 = 15;
const REDIRECT_CODE_MAX: u8 = 3;
const TIME_EXCEEDED_CODE_MAX: u8 = 1;
/// Bytes of the three times in a time stamp message.
const TIMES_BYTES: usize = 12;
/// Bytes of an IPv4 header, whose options are not looked for in what an error carries.
const IP_BYTES: usize = 20;

/// The beginning of the datagram that an error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Embedded<'a> {
    ip: &'a [u8; IP_BYTES],
    /// TCP, UDP or ICMP if enough of it is there; else 0.
    pub protocol: u8,
    /// The source and the destination port, if they are there.
    pub ports: Option<(u16, u16)>,
}

impl Embedded<'_> {
    /// Who had sent it.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.ip[12], self.ip[13], self.ip[14], self.ip[15])
    }

    /// To whom.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.ip[16], self.ip[17], self.ip[18], self.ip[19])
    }
}

/// An ICMP message of IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Icmp4<'a> {
    message: &'a [u8],
    fixed: &'a [u8; 8],
    header: &'a [u8],
    /// What an error is about.
    pub embedded: Option<Embedded<'a>>,
}

impl<'a> Icmp4<'a> {
    /// The whole message.
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The header: 8 bytes, and what some types have more.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.header
    }

    /// The type.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.fixed[0]
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.fixed[1]
    }

    /// The identifier, if messages of this type have one.
    #[must_use]
    pub fn id(&self) -> Option<u16> {
        self.has_id().then(|| u16::from_be_bytes([self.fixed[4], self.fixed[5]]))
    }

    /// The sequence number, if messages of this type have one.
    #[must_use]
    pub fn sequence(&self) -> Option<u16> {
        self.has_id().then(|| u16::from_be_bytes([self.fixed[6], self.fixed[7]]))
    }

    /// The datagram of a flow that could not be delivered: the message belongs to that flow.
    #[must_use]
    pub fn undelivered(&self) -> Option<&Embedded<'a>> {
        let embedded = self.embedded.as_ref().filter(|_| self.kind() == UNREACHABLE)?;
        matches!(embedded.protocol, protocol::TCP | protocol::UDP).then_some(embedded)
    }

    fn has_id(&self) -> bool {
        matches!(
            self.kind(),
            ECHO_REPLY
                | ECHO
                | TIMESTAMP
                | TIMESTAMP_REPLY
                | INFORMATION
                | INFORMATION_REPLY
                | ADDRESS_MASK
                | ADDRESS_MASK_REPLY
        )
    }
}

/// Reads a message.
pub(crate) fn read<'a>(packet: &mut Packet<'a>, message: &'a [u8]) {
    let Some((fixed, rest)) = message.split_first_chunk::<8>() else {
        packet.wrong(Event::Icmp4TooSmall);
        return;
    };
    let (kind, code) = (fixed[0], fixed[1]);
    let code_max = match kind {
        UNREACHABLE => Some(UNREACHABLE_CODE_MAX),
        REDIRECT => Some(REDIRECT_CODE_MAX),
        TIME_EXCEEDED => Some(TIME_EXCEEDED_CODE_MAX),
        ROUTER_ADVERTISEMENT => None,
        ECHO_REPLY | SOURCE_QUENCH | ECHO | PARAMETER_PROBLEM | TIMESTAMP | TIMESTAMP_REPLY | INFORMATION
        | INFORMATION_REPLY | ADDRESS_MASK | ADDRESS_MASK_REPLY => Some(0),
        _ => {
            packet.odd(Event::Icmp4Type);
            None
        }
    };
    let is_code_known = code_max.is_none_or(|max| code <= max);
    if !is_code_known {
        packet.odd(Event::Icmp4Code);
    }
    let mut embedded = None;
    let mut more = 0;
    match kind {
        UNREACHABLE | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM if is_code_known && !rest.is_empty() => {
            embedded = read_embedded(packet, rest);
        }
        SOURCE_QUENCH if is_code_known => embedded = read_embedded(packet, rest),
        TIMESTAMP | TIMESTAMP_REPLY => more = TIMES_BYTES,
        ROUTER_ADVERTISEMENT => more = usize::from(fixed[4]) * usize::from(fixed[5]) * 4,
        _ => {}
    }
    if more > rest.len() {
        packet.odd(Event::Icmp4Truncated);
        more = 0;
    }
    let (header, payload) = message.split_at_checked(fixed.len() + more).unwrap_or((message, &[]));
    packet.transport = Transport::Icmp4(Icmp4 { message, fixed, header, embedded });
    packet.protocol = protocol::ICMP;
    packet.payload = payload;
    packet.has_flow = true;
}

fn read_embedded<'a>(packet: &mut Packet<'_>, bytes: &'a [u8]) -> Option<Embedded<'a>> {
    let Some((ip, rest)) = bytes.split_first_chunk::<IP_BYTES>() else {
        packet.wrong(Event::Icmp4Truncated);
        return None;
    };
    if ip[0] >> 4 != 4 {
        packet.wrong(Event::Icmp4EmbeddedVersion);
        return None;
    }
    let needed = match ip[9] {
        protocol::TCP => 4,
        protocol::UDP | protocol::ICMP => 8,
        _ => return Some(Embedded { ip, protocol: 0, ports: None }),
    };
    if rest.len() < needed {
        return Some(Embedded { ip, protocol: 0, ports: None });
    }
    let ports = match rest {
        [a, b, c, d, ..] if ip[9] != protocol::ICMP => {
            Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
        }
        _ => None,
    };
    Some(Embedded { ip, protocol: ip[9], ports })
}
