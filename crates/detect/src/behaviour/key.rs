//! What is counted together: the groups, what makes one worth telling, and of which kind it is.

use super::kind::Kind;
use super::observation::Technique;
use super::parameters::Parameters;
use core::net::IpAddr;

/// What is counted together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    /// One source, the ports of one host.
    Ports { source: IpAddr, host: IpAddr, technique: Technique },
    /// One source, the IP protocols of one host.
    Protocols { source: IpAddr, host: IpAddr },
    /// One source, one port, many hosts.
    Hosts { source: IpAddr, technique: Technique, port: u16 },
    /// The groups of one source.
    Network { source: IpAddr },
    /// Connections to one port that are not completed.
    HalfOpen { host: IpAddr, port: u16 },
    /// Connections to one port on which nothing is said.
    Unused { host: IpAddr, port: u16 },
    /// Connections of one source to one port.
    Connections { source: IpAddr, host: IpAddr, port: u16 },
    /// Datagrams to one host.
    Volume { host: IpAddr, technique: Technique },
    /// Logins of one source that failed; of one host, where the host does not say that they did.
    Logins { source: IpAddr, service: &'static str, host: Option<IpAddr> },
}

/// What a member of a group is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MembersAre {
    Ports,
    Hosts,
    Protocols,
    Sources,
}

/// When a group is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Measure {
    /// So many.
    pub(crate) limit: u64,
    /// Distinct members are counted, not attempts.
    pub(crate) distinct: bool,
    /// In so many nanoseconds from the first.
    pub(crate) window: u64,
    /// So many in a hundred must have failed; 0 if it does not matter.
    pub(crate) share: u64,
    /// What did not fail begins no group.
    pub(crate) begins_by_failure: bool,
}

impl Key {
    /// When a group of this key is told.
    pub(crate) fn measure(&self, parameters: &Parameters) -> Measure {
        let p = parameters;
        let scan = |limit| Measure {
            limit,
            distinct: true,
            window: nanoseconds(p.scan_window_seconds),
            share: p.failed_share_percent,
            begins_by_failure: true,
        };
        let flood = |limit, share, begins_by_failure| Measure {
            limit,
            distinct: false,
            window: nanoseconds(p.flood_window_seconds),
            share,
            begins_by_failure,
        };
        let login = |limit| Measure {
            limit,
            distinct: false,
            window: nanoseconds(p.login_window_seconds),
            share: 0,
            begins_by_failure: true,
        };
        match self {
            Key::Ports { technique: Technique::Fin | Technique::Null | Technique::Xmas, .. } => {
                scan(p.stealth_ports)
            }
            Key::Ports { .. } => scan(p.scan_ports),
            Key::Protocols { .. } => scan(p.protocols),
            Key::Hosts { .. } => {
                Measure { window: nanoseconds(p.sweep_window_seconds), ..scan(p.sweep_hosts) }
            }
            Key::Network { .. } => Measure {
                limit: p.network_groups + 1,
                distinct: false,
                window: nanoseconds(p.group_silence_seconds.max(p.scan_window_seconds)),
                share: 0,
                begins_by_failure: true,
            },
            Key::HalfOpen { .. } => flood(p.syn_flood_half_open, p.failed_share_percent, true),
            Key::Unused { .. } => flood(p.connection_flood_silent, p.failed_share_percent, true),
            Key::Connections { .. } => flood(p.connection_flood_from_one, 0, false),
            Key::Volume { technique: Technique::Ping, .. } => flood(p.icmp_flood_packets, 0, false),
            Key::Volume { .. } => flood(p.udp_flood_packets, p.udp_unanswered_percent, true),
            Key::Logins { host: None, .. } => login(p.login_failures),
            Key::Logins { host: Some(_), .. } => login(p.login_connections),
        }
    }

    /// What members are.
    pub(crate) fn members_are(&self) -> MembersAre {
        match self {
            Key::Ports { .. } => MembersAre::Ports,
            Key::Protocols { .. } => MembersAre::Protocols,
            Key::Hosts { .. } | Key::Network { .. } | Key::Logins { .. } => MembersAre::Hosts,
            Key::HalfOpen { .. } | Key::Unused { .. } | Key::Connections { .. } | Key::Volume { .. } => {
                MembersAre::Sources
            }
        }
    }

    /// Of which kind it is. `is_crafted`: the source's connections do not look like those that a system makes for its programs.
    pub(crate) fn kind(&self, is_crafted: bool) -> Kind {
        match self {
            Key::Ports { technique, .. } => match technique {
                Technique::Fin => Kind::FinScan,
                Technique::Null => Kind::NullScan,
                Technique::Xmas => Kind::XmasScan,
                Technique::Ack => Kind::AckScan,
                Technique::Maimon => Kind::MaimonScan,
                Technique::Udp => Kind::UdpScan,
                _ if is_crafted => Kind::SynScan,
                _ => Kind::ConnectScan,
            },
            Key::Protocols { .. } => Kind::ProtocolScan,
            Key::Hosts { technique, .. } => match technique {
                Technique::Ping => Kind::PingSweep,
                Technique::Udp => Kind::UdpSweep,
                _ => Kind::TcpSweep,
            },
            Key::Network { .. } => Kind::NetworkScan,
            Key::HalfOpen { .. } => Kind::SynFlood,
            Key::Unused { .. } | Key::Connections { .. } => Kind::ConnectionFlood,
            Key::Volume { technique: Technique::Ping, .. } => Kind::IcmpFlood,
            Key::Volume { .. } => Kind::UdpFlood,
            Key::Logins { .. } => Kind::BruteForce,
        }
    }

    /// The source whose groups are told together when they are many.
    pub(crate) fn scans_from(&self) -> Option<IpAddr> {
        match self {
            Key::Ports { source, .. } | Key::Protocols { source, .. } | Key::Hosts { source, .. } => {
                Some(*source)
            }
            _ => None,
        }
    }
}

fn nanoseconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000_000_000)
}
