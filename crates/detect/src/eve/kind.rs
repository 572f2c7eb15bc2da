//! What can be written down, by the names that EVE has for types of events.
//!
//! Which protocol's exchanges are of which type, and under which name they stand, is here too: HTTP/2 stands under `http`, and DNS over it is `dns`.

use crate::app::ProtocolId;

/// The names, in the order of their bits.
const NAMES: &[&str] = &[
    "alert",
    "anomaly",
    "bittorrent_dht",
    "dcerpc",
    "dhcp",
    "dnp3",
    "dns",
    "enip",
    "fileinfo",
    "flow",
    "ftp",
    "ftp_data",
    "http",
    "ike",
    "krb5",
    "ldap",
    "mdns",
    "modbus",
    "mqtt",
    "nfs",
    "pgsql",
    "pop3",
    "quic",
    "rdp",
    "rfb",
    "sip",
    "smb",
    "smtp",
    "snmp",
    "ssh",
    "tftp",
    "tls",
    "websocket",
];

/// A set of types of events.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Kinds(u64);

impl Kinds {
    /// Alerts, and nothing else.
    pub const ALERT: Kinds = Kinds(1);

    /// All there are.
    #[must_use]
    pub fn all() -> Self {
        Kinds((1 << NAMES.len()) - 1)
    }

    /// The names of all there are.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        NAMES
    }

    /// Adds the type of this name, or all of them for `all`. False if there is none.
    #[must_use]
    pub fn add(&mut self, name: &str) -> bool {
        let added = if name == "all" { Kinds::all() } else { Kinds::of(name) };
        self.0 |= added.0;
        added.0 != 0
    }

    /// Whether the type of this name is in it.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.0 & Kinds::of(name).0 != 0
    }

    /// Whether something beside alerts is in it.
    #[must_use]
    pub fn has_records(self) -> bool {
        self.0 & !Kinds::ALERT.0 != 0
    }

    /// Whether something is in it for which exchanges have to be understood in full.
    #[must_use]
    pub fn has_exchanges(self) -> bool {
        let others = Kinds::ALERT.0 | Kinds::of("anomaly").0 | Kinds::of("flow").0;
        self.0 & !others != 0
    }

    fn of(name: &str) -> Self {
        NAMES.iter().position(|known| *known == name).map_or(Kinds(0), |place| Kinds(1 << place))
    }
}

/// How a protocol's exchanges are written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    /// The type of event.
    pub(crate) kind: &'static str,
    /// The name under which what was said stands.
    pub(crate) key: &'static str,
    /// Its source and destination are those of the packet, not those of the flow.
    pub(crate) by_packet: bool,
}

/// How exchanges of this protocol are written down; nothing if they are not.
pub(crate) fn written(protocol: ProtocolId) -> Option<Written> {
    let by_flow = |kind| Some(Written { kind, key: kind, by_packet: false });
    let by_packet = |kind| Some(Written { kind, key: kind, by_packet: true });
    match protocol {
        ProtocolId::Http1 | ProtocolId::Http2 => by_flow("http"),
        ProtocolId::Doh2 => Some(Written { kind: "dns", key: "http", by_packet: false }),
        ProtocolId::Tls => by_flow("tls"),
        ProtocolId::Dns => by_flow("dns"),
        ProtocolId::Smtp => by_flow("smtp"),
        ProtocolId::Ftp => by_flow("ftp"),
        ProtocolId::FtpData => by_flow("ftp_data"),
        ProtocolId::Ssh => by_flow("ssh"),
        ProtocolId::Smb => by_flow("smb"),
        ProtocolId::Dcerpc => by_flow("dcerpc"),
        ProtocolId::Ldap => by_flow("ldap"),
        ProtocolId::Mqtt => by_flow("mqtt"),
        ProtocolId::Modbus => by_flow("modbus"),
        ProtocolId::Dnp3 => by_flow("dnp3"),
        ProtocolId::Enip => by_flow("enip"),
        ProtocolId::Pgsql => by_flow("pgsql"),
        ProtocolId::Pop3 => by_flow("pop3"),
        ProtocolId::Quic => by_packet("quic"),
        ProtocolId::Mdns => by_packet("mdns"),
        ProtocolId::Krb5 => by_packet("krb5"),
        ProtocolId::Nfs => by_packet("nfs"),
        ProtocolId::Rdp => by_packet("rdp"),
        ProtocolId::Rfb => by_packet("rfb"),
        ProtocolId::Dhcp => by_packet("dhcp"),
        ProtocolId::Snmp => by_packet("snmp"),
        ProtocolId::Ike => by_packet("ike"),
        ProtocolId::Sip => by_packet("sip"),
        ProtocolId::Websocket => by_packet("websocket"),
        ProtocolId::BittorrentDht => by_packet("bittorrent_dht"),
        ProtocolId::Tftp => by_packet("tftp"),
        ProtocolId::Telnet | ProtocolId::Ntp | ProtocolId::Imap => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::table::PROTOCOLS;

    #[test]
    fn every_protocol_that_is_written_down_has_a_type_of_its_name() {
        for protocol in PROTOCOLS {
            if let Some(written) = written(protocol.id) {
                assert!(NAMES.contains(&written.kind), "{}", protocol.name);
            }
        }
    }

    #[test]
    fn names_make_a_set_and_a_wrong_one_is_told() {
        let mut kinds = Kinds::default();
        assert!(kinds.add("alert") && !kinds.has_records());
        assert!(kinds.add("flow") && kinds.has_records() && !kinds.has_exchanges());
        assert!(kinds.add("dns") && kinds.has_exchanges() && kinds.has("dns") && !kinds.has("tls"));
        assert!(!kinds.add("stats") && kinds.add("all") && kinds == Kinds::all() && kinds.has("websocket"));
        assert!(NAMES.is_sorted() && NAMES.len() < 64);
    }
}
