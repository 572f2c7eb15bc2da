//! What rules can ask of a packet's headers: one line for each keyword, and what reads its text.
//!
//! Text that Suricata refuses is refused, with what would be right. Not here: buffers (`tcp.hdr`), see
//! `frame::buffers`; what a whole rule must have beside (`ip_proto` goes with `ip` alone, one `dsize` a rule).

mod checksum;
mod event;
mod icmp;
mod integer;
mod ip;
mod payload;
mod protocol;
mod tcp;
mod vlan;

pub use protocol::ProtocolSet;

use super::Packet;
use crate::Complaint;
use std::fmt;
use std::sync::Arc;

/// A keyword and what reads the text behind its colon; the text is empty if there is none.
#[derive(Clone, Copy)]
pub struct PacketKeyword {
    /// As rules write it.
    pub name: &'static str,
    /// Makes a test of the text.
    pub parse: fn(&str) -> Result<PacketTest, Complaint>,
}

impl PacketKeyword {
    /// Whether it asks for the very packet: a string beside it is then looked for in that packet, not in the stream.
    #[must_use]
    pub fn needs_packet(&self) -> bool {
        !self.name.ends_with("-csum")
            && !matches!(self.name, "decode-event" | "engine-event" | "geoip" | "ip_proto" | "l3_proto")
    }
}

/// A condition on a packet.
#[derive(Clone)]
pub struct PacketTest {
    holds: Arc<dyn Fn(&Packet<'_>) -> bool + Send + Sync>,
    payload_bytes_max: Option<u64>,
    protocols: Option<ProtocolSet>,
}

impl PacketTest {
    /// The condition that `holds` tells.
    pub fn new(holds: impl Fn(&Packet<'_>) -> bool + Send + Sync + 'static) -> Self {
        PacketTest { holds: Arc::new(holds), payload_bytes_max: None, protocols: None }
    }

    /// The same condition, which never holds of a packet with more payload.
    #[must_use]
    pub fn with_payload_of_at_most(self, bytes: Option<u64>) -> Self {
        PacketTest { payload_bytes_max: bytes, ..self }
    }

    /// The most payload that a packet may have of which all of these hold, if there is a bound.
    #[must_use]
    pub fn payload_bytes_max_of(tests: &[PacketTest]) -> Option<u64> {
        tests.iter().filter_map(|test| test.payload_bytes_max).min()
    }

    /// The same condition, which never holds of a packet of another IP protocol.
    #[must_use]
    pub fn with_protocols(self, protocols: ProtocolSet) -> Self {
        PacketTest { protocols: Some(protocols), ..self }
    }

    /// The IP protocols of packets of which it may hold, if not all are.
    #[must_use]
    pub fn protocols(&self) -> Option<&ProtocolSet> {
        self.protocols.as_ref()
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, packet: &Packet<'_>) -> bool {
        (self.holds)(packet)
    }
}

impl fmt::Debug for PacketTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PacketTest")
    }
}

/// All of them, in alphabetical order.
pub static KEYWORDS: &[PacketKeyword] = &[
    PacketKeyword { name: "ack", parse: tcp::acknowledged },
    PacketKeyword { name: "decode-event", parse: event::decode_event },
    PacketKeyword { name: "dsize", parse: payload::size },
    PacketKeyword { name: "engine-event", parse: event::engine_event },
    PacketKeyword { name: "flags", parse: tcp::flags },
    PacketKeyword { name: "fragbits", parse: ip::fragment_bits },
    PacketKeyword { name: "fragoffset", parse: ip::fragment_offset },
    PacketKeyword { name: "geoip", parse: ip::country },
    PacketKeyword { name: "icmp_id", parse: icmp::id },
    PacketKeyword { name: "icmp_seq", parse: icmp::sequence },
    PacketKeyword { name: "icmpv4-csum", parse: checksum::icmp4 },
    PacketKeyword { name: "icmpv6-csum", parse: checksum::icmp6 },
    PacketKeyword { name: "icmpv6.mtu", parse: icmp::mtu },
    PacketKeyword { name: "icode", parse: icmp::code },
    PacketKeyword { name: "id", parse: ip::id },
    PacketKeyword { name: "ip_proto", parse: protocol::parse },
    PacketKeyword { name: "ipopts", parse: ip::options },
    PacketKeyword { name: "ipv4-csum", parse: checksum::ipv4 },
    PacketKeyword { name: "itype", parse: icmp::kind },
    PacketKeyword { name: "l3_proto", parse: ip::version },
    PacketKeyword { name: "rpc", parse: payload::rpc },
    PacketKeyword { name: "sameip", parse: ip::same },
    PacketKeyword { name: "seq", parse: tcp::sequence },
    PacketKeyword { name: "tcp.ack", parse: tcp::acknowledged },
    PacketKeyword { name: "tcp.flags", parse: tcp::flags },
    PacketKeyword { name: "tcp.mss", parse: tcp::segment_size },
    PacketKeyword { name: "tcp.seq", parse: tcp::sequence },
    PacketKeyword { name: "tcp.window", parse: tcp::window },
    PacketKeyword { name: "tcp.wscale", parse: tcp::window_scale },
    PacketKeyword { name: "tcpv4-csum", parse: checksum::tcp4 },
    PacketKeyword { name: "tcpv6-csum", parse: checksum::tcp6 },
    PacketKeyword { name: "tos", parse: ip::tos },
    PacketKeyword { name: "ttl", parse: ip::ttl },
    PacketKeyword { name: "udpv4-csum", parse: checksum::udp4 },
    PacketKeyword { name: "udpv6-csum", parse: checksum::udp6 },
    PacketKeyword { name: "vlan.id", parse: vlan::id },
    PacketKeyword { name: "vlan.layers", parse: vlan::layers },
    PacketKeyword { name: "window", parse: tcp::window },
];

/// The keyword of this name.
#[must_use]
pub fn keyword(name: &str) -> Option<&'static PacketKeyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

#[cfg(test)]
mod tests;
