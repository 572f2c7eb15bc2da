//! What rules can look into: one name for each thing that a transaction can be asked for.

/// Whom a field belongs to. Two protocols that answer the same keyword (`http.uri` of HTTP/1 and HTTP/2, `tls.sni` of TLS and QUIC) share a family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs)] // Each is the protocol of its name.
pub enum Family {
    Packet,
    Stream,
    File,
    Http,
    Http2,
    Tls,
    Quic,
    Dns,
    Mdns,
    Smtp,
    Email,
    Ftp,
    Ssh,
    Smb,
    Dcerpc,
    Krb5,
    Nfs,
    Rdp,
    Rfb,
    Telnet,
    Dhcp,
    Ntp,
    Snmp,
    Ike,
    Ldap,
    Mqtt,
    Modbus,
    Dnp3,
    Enip,
    Sip,
    Sdp,
    Pgsql,
    Websocket,
    Bittorrent,
    Tftp,
    Pop3,
    Imap,
}

/// The fields of a family at most.
const FIELDS_OF_A_FAMILY_MAX: u16 = 128;

/// A field: of a family, with a number that the family gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Field(u16);

impl Field {
    /// The family's field of this number.
    #[must_use]
    pub const fn new(family: Family, number: u8) -> Self {
        assert!((number as u16) < FIELDS_OF_A_FAMILY_MAX, "a family has 128 fields at most");
        Field(family as u16 * FIELDS_OF_A_FAMILY_MAX + number as u16)
    }

    /// Its number within the family.
    #[must_use]
    pub fn number(self) -> u8 {
        (self.0 % FIELDS_OF_A_FAMILY_MAX) as u8
    }

    /// Whether it belongs to `family`.
    #[must_use]
    pub fn is_of(self, family: Family) -> bool {
        self.0 / FIELDS_OF_A_FAMILY_MAX == family as u16
    }
}
