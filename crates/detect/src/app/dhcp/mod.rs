//! DHCP.
//!
//! Each datagram is an exchange of its own, about its own direction alone.
//!
//! Not here: options beyond those that keywords and records ask for.

use super::bytes::Reader;
use super::{
    Broken, Context, Family, Field, Input, Keyword, Looked, Parser, Piece, Probe, Protocol, ProtocolId,
    Settings, Sides, Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use core::net::Ipv4Addr;

/// Bytes before the options.
const HEADER_BYTES: usize = 240;
/// Options of one message that are kept at most.
const OPTIONS_MAX: usize = 256;

const OPTION_END: u8 = 255;
const CLIENT_ID: u8 = 61;
const LEASE: u8 = 51;
const RENEWAL: u8 = 58;
const REBINDING: u8 = 59;

const EVENTS: &[&str] = &["truncated_options", "malformed_options"];
const TRUNCATED: u128 = 1;

const LEASE_TIME: Field = Field::new(Family::Dhcp, 0);
const REBINDING_TIME: Field = Field::new(Family::Dhcp, 1);
const RENEWAL_TIME: Field = Field::new(Family::Dhcp, 2);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Dhcp];

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Dhcp,
    name: "dhcp",
    keywords: &[
        Keyword::number("dhcp.leasetime", LEASE_TIME, Sides::Both, PROTOCOLS, u64::MAX, &[]),
        Keyword::number("dhcp.rebinding_time", REBINDING_TIME, Sides::Both, PROTOCOLS, u64::MAX, &[]),
        Keyword::number("dhcp.renewal_time", RENEWAL_TIME, Sides::Both, PROTOCOLS, u64::MAX, &[]),
    ],
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Dhcp::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe {
        transport: Transport::Udp,
        ports: &[(67, 68)],
        direction,
        least: HEADER_BYTES,
        look: |_| Looked::Yes,
    }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Dhcp {
    transactions: Transactions<DhcpTransaction>,
}

/// What an option says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Seconds(u32),
    Bytes(Vec<u8>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DhcpTransaction {
    direction: Direction,
    opcode: u8,
    id: u32,
    client_hardware: Vec<u8>,
    /// The client's, the one that it is given, the next server's and the relay's.
    addresses: [Ipv4Addr; 4],
    options: Vec<(u8, Value)>,
    events: u128,
}

impl DhcpTransaction {
    fn read(bytes: &[u8], direction: Direction) -> Option<Self> {
        let (header, options) = bytes.split_at_checked(HEADER_BYTES)?;
        let mut reader = Reader::new(header);
        let opcode = reader.u8()?;
        reader.u8()?; // The kind of hardware.
        let hardware_bytes = usize::from(reader.u8()?).min(16);
        reader.u8()?; // Hops.
        let id = reader.be32()?;
        reader.take(4)?; // Seconds and flags.
        let mut addresses = [Ipv4Addr::UNSPECIFIED; 4];
        for address in &mut addresses {
            *address = reader.array::<4>()?.into();
        }
        let client_hardware = reader.take(16)?.get(..hardware_bytes)?.to_vec();
        let mut message = DhcpTransaction {
            direction,
            opcode,
            id,
            client_hardware,
            addresses,
            options: Vec::new(),
            events: 0,
        };
        if message.read_options(&mut Reader::new(options)).is_none() {
            message.events |= TRUNCATED;
        }
        Some(message)
    }

    /// Reads options until the one that ends them; nothing if that never comes.
    fn read_options(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        loop {
            let code = reader.u8()?;
            if code == OPTION_END {
                return Some(());
            }
            let length = reader.u8()?;
            let value = match code {
                LEASE | RENEWAL | REBINDING => Value::Seconds(reader.be32()?),
                CLIENT_ID if length <= 1 => return None,
                CLIENT_ID => {
                    reader.u8()?;
                    Value::Bytes(reader.take(usize::from(length) - 1)?.to_vec())
                }
                _ => Value::Bytes(reader.take(usize::from(length))?.to_vec()),
            };
            if self.options.len() < OPTIONS_MAX {
                self.options.push((code, value));
            }
        }
    }
}

impl Parser for Dhcp {
    type Transaction = DhcpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if let Some(message) = DhcpTransaction::read(input.bytes, direction) {
            self.transactions.open(message);
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<DhcpTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<DhcpTransaction> {
        &mut self.transactions
    }
}

impl Transaction for DhcpTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        let wanted = match field {
            LEASE_TIME => LEASE,
            REBINDING_TIME => REBINDING,
            RENEWAL_TIME => RENEWAL,
            _ => return,
        };
        // The first one counts.
        if let Some((_, Value::Seconds(seconds))) = self.options.iter().find(|(code, _)| *code == wanted) {
            show(u64::from(*seconds));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        let is_reply = self.opcode == 2;
        let kind = match self.opcode {
            1 => "request",
            2 => "reply",
            _ => "<unknown>",
        };
        record.text("type", kind);
        record.number("id", u64::from(self.id));
        record.text("client_mac", &hexadecimal(&self.client_hardware));
        let [client, assigned, next_server, relay] = self.addresses;
        record.text("assigned_ip", &assigned.to_string());
        record.text("client_ip", &client.to_string());
        if is_reply {
            record.text("relay_ip", &relay.to_string());
            record.text("next_server_ip", &next_server.to_string());
        }
        for (code, value) in &self.options {
            match value {
                Value::Seconds(seconds) => match *code {
                    LEASE => record.number("lease_time", u64::from(*seconds)),
                    REBINDING => record.number("rebinding_time", u64::from(*seconds)),
                    _ => record.number("renewal_time", u64::from(*seconds)),
                },
                Value::Bytes(bytes) => write_option(*code, bytes, record),
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// An address, or what stands in its place.
fn address(bytes: &[u8]) -> String {
    <[u8; 4]>::try_from(bytes)
        .map_or_else(|_| hexadecimal(bytes), |octets| Ipv4Addr::from(octets).to_string())
}

fn write_option(code: u8, bytes: &[u8], record: &mut Object) {
    let addresses = || bytes.chunks_exact(4).map(address).collect::<Vec<_>>();
    match code {
        CLIENT_ID => record.text("client_id", &hexadecimal(bytes)),
        1 => record.text("subnet_mask", &address(bytes)),
        3 => record.texts("routers", addresses().iter().map(String::as_str)),
        6 => record.texts("dns_servers", addresses().iter().map(String::as_str)),
        12 if !bytes.is_empty() => record.bytes("hostname", bytes),
        50 => record.text("requested_ip", &address(bytes)),
        53 => {
            let kinds = ["discover", "offer", "request", "decline", "ack", "nak", "release", "inform"];
            if let Some(kind) = bytes.first() {
                let name = usize::from(*kind).checked_sub(1).and_then(|place| kinds.get(place));
                record.text("dhcp_type", name.copied().unwrap_or("unknown"));
            }
        }
        55 => {
            let name = |parameter: &u8| {
                Some(match parameter {
                    1 => "subnet_mask",
                    3 => "router",
                    6 => "dns_server",
                    15 => "domain",
                    35 => "arp_timeout",
                    42 => "ntp_server",
                    66 => "tftp_server_name",
                    150 => "tftp_server_ip",
                    _ => return None,
                })
            };
            record.texts("params", bytes.iter().filter_map(name));
        }
        60 if !bytes.is_empty() => record.bytes("vendor_class_identifier", bytes),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{ToClient, ToServer};
    use crate::app::trial::Trial;

    fn message(opcode: u8, options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&[opcode, 1, 6, 0, 0, 0, 0, 9]);
        bytes[16..20].copy_from_slice(&[192, 0, 2, 7]);
        bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        [bytes, options.to_vec()].concat()
    }

    const OPTIONS: &[u8] = &[
        53, 1, 5, 51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 59, 4, 0, 0, 12, 78, 61, 3, 1, 0xaa, 0xbb, 6, 4,
        192, 0, 2, 1, 55, 2, 1, 15, 255,
    ];

    #[test]
    fn times_are_shown() {
        let mut trial = Trial::new(Dhcp::default(), Transport::Udp, &[]);
        trial.say(ToClient, &message(2, OPTIONS));
        assert_eq!(trial.numbers(LEASE_TIME, ToClient), [3600]);
        assert_eq!(trial.numbers(RENEWAL_TIME, ToClient), [1800]);
        assert_eq!(trial.numbers(REBINDING_TIME, ToClient), [3150]);
        assert!(trial.numbers(LEASE_TIME, ToServer).is_empty());
        assert!(trial.events(EVENTS).is_empty());
        assert_eq!(
            trial.records(),
            [concat!(
                r#"{"type":"reply","id":9,"client_mac":"02:00:00:00:00:01","assigned_ip":"192.0.2.7","client_ip":"0.0.0.0","#,
                r#""relay_ip":"0.0.0.0","next_server_ip":"0.0.0.0","dhcp_type":"ack","lease_time":3600,"renewal_time":1800,"#,
                r#""rebinding_time":3150,"client_id":"aa:bb","dns_servers":["192.0.2.1"],"params":["subnet_mask","domain"]}"#
            )]
        );
    }

    #[test]
    fn options_that_do_not_end_are_told() {
        for length in 0..OPTIONS.len() {
            let mut trial = Trial::new(Dhcp::default(), Transport::Udp, &[]);
            trial.say(ToServer, &message(1, &OPTIONS[..length]));
            assert_eq!(trial.events(EVENTS), ["truncated_options"], "{length}");
        }
        let mut trial = Trial::new(Dhcp::default(), Transport::Udp, &[]);
        trial.say(ToServer, &message(1, &[61, 1, 255]));
        assert_eq!(trial.events(EVENTS), ["truncated_options"]);
    }

    #[test]
    fn what_is_too_short_is_no_message() {
        let mut trial = Trial::new(Dhcp::default(), Transport::Udp, &[]);
        trial.say(ToServer, &message(1, &[])[..HEADER_BYTES - 1]);
        assert_eq!(trial.transactions().count(), 0);
        assert!(!trial.broken);
    }
}
