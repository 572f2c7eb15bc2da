//! What a protocol is to the engine: its name, how to recognise it, and how to begin.

use super::{AnyParser, Keyword, Settings};
use crate::Direction;

/// A protocol that is understood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // Each is the protocol of its name.
pub enum ProtocolId {
    Http1,
    Http2,
    Tls,
    Quic,
    Dns,
    Mdns,
    Doh2,
    Smtp,
    Ftp,
    FtpData,
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
    Pgsql,
    Websocket,
    BittorrentDht,
    Tftp,
    Pop3,
    Imap,
}

/// What carries it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
}

/// The front door of a protocol's folder.
pub struct Protocol {
    /// Which.
    pub id: ProtocolId,
    /// As rules and EVE name it.
    pub name: &'static str,
    /// Its keywords.
    pub keywords: &'static [Keyword],
    /// The names of its `app-layer-event`s, without the protocol's own name before them, in the order of their bits.
    pub events: &'static [&'static str],
    /// The names of the structures within its stream that `frame` rules can look into: `http1.request`.
    pub frames: &'static [&'static str],
    /// Bytes at its beginning that only it has, on any port.
    pub signatures: &'static [Signature],
    /// Functions that look whether it is this one, on the ports where it is expected.
    pub probes: &'static [Probe],
    /// A parser for a new flow.
    pub(crate) begin: fn(&Settings) -> Box<dyn AnyParser>,
}

/// Bytes near the beginning of what one side says, by which a protocol is known on any port.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What must carry it.
    pub transport: Transport,
    /// Who says it.
    pub direction: Direction,
    /// The bytes.
    pub bytes: &'static [u8],
    /// Whether letters may be of either case.
    pub nocase: bool,
    /// Where it begins at the earliest.
    pub from: u16,
    /// Where it ends at the latest.
    pub until: u16,
    /// A closer look at all that was said so far, where the bytes alone are too weak.
    pub confirm: Option<fn(&[u8]) -> Looked>,
}

/// A function that looks whether it is this protocol.
#[derive(Clone, Copy)]
pub struct Probe {
    /// What must carry it.
    pub transport: Transport,
    /// The server's ports, both ends included; (0, 65535) for all.
    pub ports: &'static [(u16, u16)],
    /// Whose bytes it judges.
    pub direction: Direction,
    /// Bytes that it needs at least.
    pub least: usize,
    /// Looks at all that was said in that direction so far.
    pub look: fn(&[u8]) -> Looked,
}

/// What such a function says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looked {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// More is needed.
    Unsure,
    /// It is, but the other way round: these are the server's words, and the flow's ends were mistaken for each other.
    Reversed,
}

impl Protocol {
    /// The value for [`Protocol::begin`]: a parser of type `P`, made by `new`.
    pub(crate) fn boxed<P: super::Parser>(parser: P) -> Box<dyn AnyParser> {
        Box::new(parser)
    }
}
