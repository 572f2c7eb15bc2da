//! What one looks at in a flow: a pure function of its packets.
//!
//! Upon the first packet: which technique it is. What no TCP sends is told at once; what can be answered waits.
//! Upon an answer that settles it (a reset, an ICMP error, a connection that ends), or when the wait is over: what came of it is told, once.
//! Upon the end of a connection: it is told if it looks like a login that failed.
//! Upon each 256th packet of datagrams to the server: so many came, so many were answered.
//!
//! Does not decide what any of it means: that takes more than one flow.

use super::login::{Shape, failed_login};
use super::observation::{Outcome, Seen, Technique};
use crate::app::table;
use crate::flow::{Flow, Layer};
use crate::frame::{Packet, Tcp, Transport};
use crate::stream::Session;
use crate::stream::session::State;
use crate::{Direction, Time};
use core::net::IpAddr;

/// Packets of datagrams that are told of together.
const VOLUME_PACKETS: u64 = 256;
/// Flags that say what a segment is for.
const FLAGS: u8 = Tcp::FIN | Tcp::SYN | Tcp::RST | Tcp::PSH | Tcp::ACK | Tcp::URG;
/// IP protocols that are in ordinary use and of no interest to who looks for scans: IGMP, tunnels, IPsec, routing and their like.
const ORDINARY_PROTOCOLS: &[u8] = &[
    0, 1, 2, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 88, 89, 94, 97, 103, 108, 112, 115, 132, 135, 136,
    137,
];

/// What workers have to know of the parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Watching {
    pub(crate) wait_nanoseconds: u64,
    pub(crate) login_seconds_max: u64,
}

/// What is remembered in a flow.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Watch {
    pub(crate) technique: Technique,
    is_bare: bool,
    /// What came of the attempt was told, or will not be.
    is_told: bool,
    /// The client went on without an answer that was seen: answers go another way.
    goes_on: bool,
    /// Its end was looked at.
    is_over: bool,
    ended_by: Option<Direction>,
    /// Logins that the server refused and that were not told yet.
    pub(crate) refusals: u32,
    was_refused: bool,
    /// Answers when packets were told of last.
    answers: u64,
}

/// What a step of a flow brings: few things at a time.
pub(crate) type Sights = [Option<Seen>; 2];

const NOTHING: Sights = [None; 2];

/// Whether an address is of one host: what goes to many needs no answer.
fn is_one_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_multicast() || address.is_broadcast() || address.is_unspecified())
        }
        IpAddr::V6(address) => !(address.is_multicast() || address.is_unspecified()),
    }
}

/// A packet of an unusual IP protocol, which has no flow.
pub(crate) fn unusual_protocol(packet: &Packet<'_>) -> Option<Seen> {
    let is_unusual = packet.ip.is_some()
        && !packet.is_fragment
        && !packet.hides_payload
        && !ORDINARY_PROTOCOLS.contains(&packet.protocol)
        && is_one_host(packet.destination);
    is_unusual.then_some(Seen::Tried {
        technique: Technique::Protocol,
        outcome: Outcome::Silent,
        is_bare: false,
    })
}

impl Watch {
    /// For a flow that begins with this packet.
    pub(crate) fn begin(packet: &Packet<'_>, protocol: u8) -> Self {
        let mut watch = Watch::default();
        if !is_one_host(packet.destination) {
            return watch;
        }
        match &packet.transport {
            Transport::Tcp(tcp) => {
                watch.technique = technique(tcp, packet.payload);
                let options = &tcp.options;
                watch.is_bare =
                    options.window_scale.is_none() && !options.sack_permitted && options.timestamps.is_none();
            }
            Transport::Udp(_) => watch.technique = Technique::Udp,
            // An error belongs to the flow that it is about, and is no attempt.
            Transport::Icmp4(icmp) if protocol == 1 && matches!(icmp.kind(), 8 | 13 | 17) => {
                watch.technique = Technique::Ping;
            }
            Transport::Icmp6(icmp) if icmp.kind() == 128 => watch.technique = Technique::Ping,
            _ => {}
        }
        watch
    }

    /// Whether an answer is waited for.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.technique, Technique::Syn | Technique::Udp | Technique::Ping)
    }

    fn tried(&mut self, outcome: Outcome) -> Option<Seen> {
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        Some(Seen::Tried { technique: self.technique, outcome, is_bare: self.is_bare })
    }
}

fn technique(tcp: &Tcp<'_>, payload: &[u8]) -> Technique {
    const FIN_ACK: u8 = Tcp::FIN | Tcp::ACK;
    match tcp.flags() & FLAGS {
        0 => Technique::Null,
        Tcp::FIN => Technique::Fin,
        Tcp::ACK if payload.is_empty() => Technique::Ack,
        FIN_ACK if payload.is_empty() => Technique::Maimon,
        FLAGS => Technique::Xmas,
        flags if flags & (Tcp::SYN | Tcp::ACK | Tcp::RST | Tcp::FIN) == Tcp::SYN => Technique::Syn,
        flags if flags & (Tcp::SYN | Tcp::ACK | Tcp::RST | Tcp::FIN) == Tcp::FIN => Technique::Xmas,
        _ => Technique::Other,
    }
}

/// A packet of the flow has been taken in. `before`: how far the conversation was until then.
pub(crate) fn packet(
    watching: &Watching,
    flow: &mut Flow,
    packet: &Packet<'_>,
    direction: Direction,
    before: Option<State>,
) -> Sights {
    let is_open = |session: &Session| session.state() == State::Established;
    if before == Some(State::Established) && flow.session.as_deref().is_some_and(is_open) {
        // The middle of a conversation.
        return NOTHING;
    }
    let mut watch = flow.watch;
    let count = flow.packets;
    let sights = match watch.technique {
        Technique::Other | Technique::Protocol => return NOTHING,
        Technique::Fin | Technique::Null | Technique::Xmas => [watch.tried(Outcome::Silent), None],
        Technique::Ack | Technique::Maimon if count == [1, 0] => NOTHING,
        Technique::Ack | Technique::Maimon => {
            let is_reset = packet.transport.tcp().is_some_and(|tcp| tcp.has(Tcp::RST));
            let is_answer = count == [1, 1] && direction == Direction::ToClient && is_reset;
            let seen = if is_answer { watch.tried(Outcome::Refused) } else { None };
            // Anything else is the middle of a conversation.
            watch.technique = Technique::Other;
            [seen, None]
        }
        Technique::Udp | Technique::Ping => [datagram(&mut watch, packet, direction, count), None],
        Technique::Syn => segment(&mut watch, watching, flow, packet, direction, before),
    };
    flow.watch = watch;
    sights
}

fn datagram(watch: &mut Watch, packet: &Packet<'_>, direction: Direction, count: [u64; 2]) -> Option<Seen> {
    if direction == Direction::ToClient {
        let is_error = watch.technique == Technique::Udp && packet.transport.udp().is_none();
        return if is_error { watch.tried(Outcome::Refused) } else { None };
    }
    if !count[0].is_multiple_of(VOLUME_PACKETS) {
        return None;
    }
    let answers = count[1].saturating_sub(std::mem::replace(&mut watch.answers, count[1]));
    let answers = u32::try_from(answers).unwrap_or(u32::MAX);
    Some(Seen::Volume { technique: watch.technique, packets: VOLUME_PACKETS as u32, answers })
}

fn segment(
    watch: &mut Watch,
    watching: &Watching,
    flow: &Flow,
    packet: &Packet<'_>,
    direction: Direction,
    before: Option<State>,
) -> Sights {
    let (Some(before), Some(session)) = (before, &flow.session) else { return NOTHING };
    let now = session.state();
    let Some(tcp) = packet.transport.tcp() else {
        // An ICMP error about it.
        let is_open = before <= State::SynReceived;
        return if is_open { [watch.tried(Outcome::Refused), None] } else { NOTHING };
    };
    let is_from_client = direction == Direction::ToServer;
    match before {
        State::SynSent if now == State::Closed && !is_from_client => [watch.tried(Outcome::Refused), None],
        State::SynSent => {
            watch.goes_on |= is_from_client && !tcp.has(Tcp::SYN) && !tcp.has(Tcp::RST);
            NOTHING
        }
        State::SynReceived if now == State::Closed => {
            let outcome = if is_from_client { Outcome::BrokenOff } else { Outcome::HalfOpen };
            [watch.tried(outcome), None]
        }
        State::SynReceived | State::Closed => NOTHING,
        // Complete, or one side is done.
        _ => {
            if now > State::Established {
                watch.ended_by.get_or_insert(direction);
            }
            if now == State::Closed { over(watch, watching, flow) } else { NOTHING }
        }
    }
}

/// A connection that was complete is over.
fn over(watch: &mut Watch, watching: &Watching, flow: &Flow) -> Sights {
    if std::mem::replace(&mut watch.is_over, true) {
        return NOTHING;
    }
    let Some(session) = &flow.session else { return NOTHING };
    let bytes = [Direction::ToServer, Direction::ToClient].map(|side| session.said_bytes(side));
    let outcome = if bytes[0] == 0 { Outcome::Unused } else { Outcome::Answered };
    let shape = Shape {
        port: flow.server.1,
        spoken: flow.protocol_spoken(),
        bytes,
        nanoseconds: flow.last.since(flow.began),
        ended_by: watch.ended_by,
    };
    let service = failed_login(&shape, watching.login_seconds_max)
        .filter(|_| !watch.was_refused && watch.refusals == 0);
    [watch.tried(outcome), service.map(|service| Seen::LoginShort { service })]
}

/// The flow has waited long enough for an answer.
pub(crate) fn waited(flow: &mut Flow) -> Option<Seen> {
    let mut watch = flow.watch;
    let outcome = match (watch.technique, &flow.session) {
        (Technique::Syn, Some(session)) => match session.state() {
            State::SynSent if watch.goes_on => Outcome::Answered,
            State::SynSent => Outcome::Silent,
            State::SynReceived => Outcome::HalfOpen,
            _ => {
                if session.said_bytes(Direction::ToServer) == 0 {
                    Outcome::Unused
                } else {
                    Outcome::Answered
                }
            }
        },
        _ if flow.packets[1] > 0 => Outcome::Answered,
        _ => Outcome::Silent,
    };
    let seen = watch.tried(outcome);
    flow.watch = watch;
    seen
}

/// The flow has ended. What was not answered yet is told only if there was time for an answer.
pub(crate) fn ended(watching: &Watching, flow: &mut Flow, now: Time) -> Sights {
    let is_half_over =
        flow.session.as_ref().is_some_and(|session| session.is_ending() && session.state() != State::Closed);
    if flow.watch.technique == Technique::Syn && is_half_over {
        let mut watch = flow.watch;
        let sights = over(&mut watch, watching, flow);
        flow.watch = watch;
        return sights;
    }
    let has_waited = flow.watch.waits() && now.since(flow.began) >= watching.wait_nanoseconds;
    [if has_waited { waited(flow) } else { None }, None]
}

/// A login that the server refused and that was not told yet, if there is one.
pub(crate) fn refusal(flow: &mut Flow) -> Option<Seen> {
    if flow.watch.refusals == 0 {
        return None;
    }
    flow.watch.refusals -= 1;
    flow.watch.was_refused = true;
    let Layer::Known(protocol) = flow.layer else { return None };
    table::protocol(protocol).map(|protocol| Seen::LoginRefused { service: protocol.name })
}
