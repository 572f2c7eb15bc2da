//! The kinds of behaviour that are told, and how each is called.
//!
//! Alerts carry the generator [`GENERATOR`] and a signature id from [`SID_FIRST`] on, one for each kind. Suricata's own generators are below 900,
//! so that neither number is ever one of its.

use crate::rule::{Action, Meta, Target};

/// The generator of all alerts of behaviour.
pub const GENERATOR: u32 = 900;
/// The signature id of the first kind. All of 9,000,001 to 9,000,099 are kept for kinds.
pub const SID_FIRST: u32 = 9_000_001;

/// What a source, or many of them, are doing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs)] // Each is what its row in `KINDS` says.
pub enum Kind {
    SynScan,
    ConnectScan,
    FinScan,
    NullScan,
    XmasScan,
    AckScan,
    MaimonScan,
    UdpScan,
    ProtocolScan,
    TcpSweep,
    UdpSweep,
    PingSweep,
    NetworkScan,
    SynFlood,
    ConnectionFlood,
    UdpFlood,
    IcmpFlood,
    BruteForce,
}

/// Kind, name, message, category, severity.
type Row = (Kind, &'static str, &'static str, &'static str, u32);

const SCAN: &str = "Detection of a Network Scan";
const FLOOD: &str = "Attempted Denial of Service";
const LOGIN: &str = "Attempted User Privilege Gain";

/// All kinds, in the order of their signature ids, which never changes: new ones come at the end.
const KINDS: &[Row] = &[
    (Kind::SynScan, "syn_scan", "VARANGIAN BEHAVIOUR port scan (SYN)", SCAN, 3),
    (Kind::ConnectScan, "connect_scan", "VARANGIAN BEHAVIOUR port scan (connect)", SCAN, 3),
    (Kind::FinScan, "fin_scan", "VARANGIAN BEHAVIOUR port scan (FIN)", SCAN, 2),
    (Kind::NullScan, "null_scan", "VARANGIAN BEHAVIOUR port scan (NULL)", SCAN, 2),
    (Kind::XmasScan, "xmas_scan", "VARANGIAN BEHAVIOUR port scan (XMAS)", SCAN, 2),
    (Kind::AckScan, "ack_scan", "VARANGIAN BEHAVIOUR port scan (ACK)", SCAN, 3),
    (Kind::MaimonScan, "maimon_scan", "VARANGIAN BEHAVIOUR port scan (FIN and ACK)", SCAN, 3),
    (Kind::UdpScan, "udp_scan", "VARANGIAN BEHAVIOUR port scan (UDP)", SCAN, 3),
    (Kind::ProtocolScan, "protocol_scan", "VARANGIAN BEHAVIOUR scan of IP protocols", SCAN, 3),
    (Kind::TcpSweep, "tcp_sweep", "VARANGIAN BEHAVIOUR sweep of hosts (TCP)", SCAN, 3),
    (Kind::UdpSweep, "udp_sweep", "VARANGIAN BEHAVIOUR sweep of hosts (UDP)", SCAN, 3),
    (Kind::PingSweep, "ping_sweep", "VARANGIAN BEHAVIOUR sweep of hosts (ICMP)", SCAN, 3),
    (Kind::NetworkScan, "network_scan", "VARANGIAN BEHAVIOUR scan of a network", SCAN, 2),
    (Kind::SynFlood, "syn_flood", "VARANGIAN BEHAVIOUR flood of half-open connections", FLOOD, 2),
    (Kind::ConnectionFlood, "connection_flood", "VARANGIAN BEHAVIOUR flood of connections", FLOOD, 2),
    (Kind::UdpFlood, "udp_flood", "VARANGIAN BEHAVIOUR flood of UDP", FLOOD, 2),
    (Kind::IcmpFlood, "icmp_flood", "VARANGIAN BEHAVIOUR flood of ICMP", FLOOD, 2),
    (Kind::BruteForce, "brute_force", "VARANGIAN BEHAVIOUR brute force against logins", LOGIN, 1),
];

impl Kind {
    /// All kinds, in the order of their signature ids.
    pub fn all() -> impl Iterator<Item = Kind> {
        KINDS.iter().map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        &KINDS[self as usize]
    }

    /// As records have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The signature id of its alerts.
    #[must_use]
    pub fn sid(self) -> u32 {
        SID_FIRST + self as u32
    }

    /// What its alerts say, as if a rule had said it.
    pub(crate) fn meta(self) -> Meta {
        let (_, _, message, category, severity) = *self.row();
        Meta {
            action: Action::Alert,
            sid: self.sid(),
            gid: GENERATOR,
            rev: 1,
            msg: message.to_owned(),
            class: category.to_owned(),
            priority: severity,
            metadata: Vec::new(),
            references: Vec::new(),
            target: Some(Target::Destination),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_at_the_place_of_its_number_and_is_documented() {
        let page = include_str!("../../../../docs/behaviour.md");
        for (place, row) in KINDS.iter().enumerate() {
            assert_eq!(row.0 as usize, place);
            let line = format!("| {} | `{}` |", row.0.sid(), row.1);
            assert!(page.contains(&line), "docs/behaviour.md should have a line that begins with\n{line}");
        }
        assert_eq!(KINDS.len(), Kind::BruteForce as usize + 1);
    }
}
