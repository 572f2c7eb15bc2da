//! ICMP of IPv6.

use super::super::ip::{Ip, protocol};
use super::super::{Event, Packet};
use super::Transport;

const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;
const ECHO: u8 = 128;
const ECHO_REPLY: u8 = 129;
const LISTENER_QUERY: u8 = 130;
const LISTENER_DONE: u8 = 132;
/// Bytes of the header of messages that are no errors and no echoes: the rest counts as payload.
const SHORT_HEADER_BYTES: usize = 4;

/// An ICMP message of IPv6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Icmp6<'a> {
    message: &'a [u8],
    fixed: &'a [u8; 8],
}

impl<'a> Icmp6<'a> {
    /// The whole message.
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The header.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8; 8] {
        self.fixed
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

    /// The identifier of an echo; 0 if its code is not 0.
    #[must_use]
    pub fn id(&self) -> Option<u16> {
        self.echo(u16::from_be_bytes([self.fixed[4], self.fixed[5]]))
    }

    /// The sequence number of an echo; 0 if its code is not 0.
    #[must_use]
    pub fn sequence(&self) -> Option<u16> {
        self.echo(u16::from_be_bytes([self.fixed[6], self.fixed[7]]))
    }

    /// The size that would pass, of a message that something was too big.
    #[must_use]
    pub fn mtu(&self) -> Option<u32> {
        let word = u32::from_be_bytes([self.fixed[4], self.fixed[5], self.fixed[6], self.fixed[7]]);
        (self.kind() == TOO_BIG).then_some(word)
    }

    fn echo(&self, value: u16) -> Option<u16> {
        matches!(self.kind(), ECHO | ECHO_REPLY).then_some(if self.code() == 0 { value } else { 0 })
    }
}

/// Reads a message.
pub(crate) fn read<'a>(packet: &mut Packet<'a>, message: &'a [u8]) {
    let Some((fixed, rest)) = message.split_first_chunk::<8>() else {
        packet.wrong(Event::Icmp6TooSmall);
        return;
    };
    let (kind, code) = (fixed[0], fixed[1]);
    let is_code_known = match kind {
        UNREACHABLE => code <= 6,
        TIME_EXCEEDED => code <= 1,
        PARAMETER_PROBLEM => code <= 2,
        // Renumbering: command, result, and 255 to reset.
        138 => code <= 2 || code == 255,
        // Node information.
        139 | 140 => code <= 2,
        // RPL: plain, and with security.
        155 => code <= 3 || (128..=132).contains(&code),
        // Experimental mobility, and multicast routers: any code.
        150..=153 => true,
        TOO_BIG | ECHO..=137 | 141..=149 | 154 | 156..=159 => code == 0,
        _ => {
            packet.odd(unknown_type(kind));
            true
        }
    };
    if !is_code_known {
        packet.odd(Event::Icmp6Code);
    }
    if (LISTENER_QUERY..=LISTENER_DONE).contains(&kind)
        && let Some(Ip::V6(ip)) = &packet.ip
        && ip.hop_limit() != 1
    {
        packet.odd(Event::Icmp6ListenerHopLimit);
    }
    let is_error = (UNREACHABLE..=PARAMETER_PROBLEM).contains(&kind);
    if is_error && is_code_known {
        check_embedded(packet, rest);
    }
    packet.transport = Transport::Icmp6(Icmp6 { message, fixed });
    packet.protocol = protocol::ICMP6;
    packet.payload = if is_code_known && (is_error || matches!(kind, ECHO | ECHO_REPLY)) {
        rest
    } else {
        short_payload(message, rest)
    };
    packet.has_flow = true;
}

/// The payload of a message with the short header: it begins behind 4 bytes, and is as long as if it began behind 12.
fn short_payload<'a>(message: &'a [u8], rest: &[u8]) -> &'a [u8] {
    let length = rest.len().saturating_sub(SHORT_HEADER_BYTES);
    message.get(SHORT_HEADER_BYTES..SHORT_HEADER_BYTES + length).unwrap_or(&[])
}

fn unknown_type(kind: u8) -> Event {
    match kind {
        5..=99 | 102..=126 | 160..=199 | 202.. => Event::Icmp6TypeUnassigned,
        100 | 101 | 200 | 201 => Event::Icmp6TypeExperimental,
        _ => Event::Icmp6Type,
    }
}

/// Whether an error carries the beginning of a datagram.
fn check_embedded(packet: &mut Packet<'_>, bytes: &[u8]) {
    match bytes.first() {
        Some(first) if bytes.len() >= 40 => {
            if first >> 4 != 6 {
                packet.wrong(Event::Icmp6EmbeddedVersion);
            }
        }
        _ => packet.wrong(Event::Icmp6Truncated),
    }
}
