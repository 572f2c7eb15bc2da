//! What all events have in common: when, where, and who with whom.

use super::{Object, community_id, icmp_ends, timestamp};
use crate::Time;
use core::net::IpAddr;

/// What the beginning of an event tells.
pub(crate) struct Head<'a> {
    pub(crate) time: Time,
    /// The flow's own number.
    pub(crate) flow: Option<u64>,
    /// The number of the frame, if one brought it about.
    pub(crate) frame: Option<u64>,
    pub(crate) kind: &'a str,
    pub(crate) vlan: &'a [u16],
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    /// The IP protocol.
    pub(crate) protocol: u8,
    /// For ICMP: type and code.
    pub(crate) icmp: Option<(u8, u8)>,
    /// Frames were read, rather than a flow summed up.
    pub(crate) is_of_packets: bool,
}

/// The beginning of an event.
pub(crate) fn head(head: &Head<'_>) -> Object {
    let mut record = Object::new();
    record.text("timestamp", &timestamp(head.time));
    if let Some(flow) = head.flow {
        // 53 bits, so that every reader of JSON keeps them.
        record.number("flow_id", flow >> 11);
    }
    if let Some(frame) = head.frame {
        record.number("pcap_cnt", frame);
    }
    record.text("event_type", head.kind);
    if !head.vlan.is_empty() {
        record.numbers("vlan", head.vlan.iter().map(|id| u64::from(*id)));
    }
    record.text("src_ip", &head.source.0.to_string());
    let has_ports = has_ports(head.protocol);
    if has_ports {
        record.number("src_port", u64::from(head.source.1));
    }
    record.text("dest_ip", &head.destination.0.to_string());
    if has_ports {
        record.number("dest_port", u64::from(head.destination.1));
    }
    record.text("proto", &protocol_name(head.protocol));
    if let Some((kind, code)) = head.icmp {
        record.number("icmp_type", u64::from(kind));
        record.number("icmp_code", u64::from(code));
    }
    record.number("ip_v", if head.source.0.is_ipv4() { 4 } else { 6 });
    if head.is_of_packets {
        record.text("pkt_src", "wire/pcap");
    }
    record.text("community_id", &community(head));
    record
}

fn community(head: &Head<'_>) -> String {
    let (mut source, mut destination) = (head.source, head.destination);
    let mut is_one_way = false;
    if let Some((kind, code)) = head.icmp {
        (source.1, destination.1, is_one_way) = icmp_ends(head.protocol, kind, code);
    }
    community_id(source, destination, head.protocol, is_one_way)
}

pub(super) fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 132)
}

fn protocol_name(protocol: u8) -> String {
    match protocol {
        1 => "ICMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        41 => "IPV6".to_owned(),
        47 => "GRE".to_owned(),
        50 => "ESP".to_owned(),
        51 => "AH".to_owned(),
        58 => "IPV6-ICMP".to_owned(),
        132 => "SCTP".to_owned(),
        other => format!("{other:03}"),
    }
}
