//! SNMP, versions 1, 2c and 3.
//!
//! Each datagram is an exchange of its own, about its own direction alone. One that cannot be read is told to the
//! exchange before it, if that is still there.
//! Of version 3 the user's name is shown; what is encrypted is not.
//!
//! Not here: the values of variables, beyond whether they can be any.

mod message;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Family, Field, Input, Keyword, Looked, Parser, Piece, Probe, Protocol, ProtocolId,
    Settings, Sides, Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::{Message, Security};

const EVENTS: &[&str] = &["malformed_data", "unknown_security_model", "version_mismatch"];
const MALFORMED: u128 = 1;
const UNKNOWN_SECURITY: u128 = 1 << 1;
const VERSION_MISMATCH: u128 = 1 << 2;

const COMMUNITY: Field = Field::new(Family::Snmp, 0);
const USER: Field = Field::new(Family::Snmp, 1);
const VERSION: Field = Field::new(Family::Snmp, 2);
const PDU_TYPE: Field = Field::new(Family::Snmp, 3);
const TRAP_TYPE: Field = Field::new(Family::Snmp, 4);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Snmp];
const NUMBER_MAX: u64 = u32::MAX as u64;

const TRAPS: &[(&str, u64)] = &[
    ("coldstart", 0),
    ("warmstart", 1),
    ("linkdown", 2),
    ("linkup", 3),
    ("authenticationfailure", 4),
    ("egpneighborloss", 5),
    ("enterprisespecific", 6),
];
/// The same, as records name them.
const TRAP_NAMES: [&str; 7] = [
    "coldStart",
    "warmStart",
    "linkDown",
    "linkUp",
    "authenticationFailure",
    "egpNeighborLoss",
    "enterpriseSpecific",
];
const ERROR_NAMES: [&str; 6] = ["NoError", "TooBig", "NoSuchName", "BadValue", "ReadOnly", "GenErr"];
const PDU_NAMES: [&str; 9] = [
    "get_request",
    "get_next_request",
    "response",
    "set_request",
    "trap_v1",
    "get_bulk_request",
    "inform_request",
    "trap_v2",
    "report",
];

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Snmp,
    name: "snmp",
    keywords: &[
        Keyword::buffer("snmp.community", COMMUNITY, Sides::Both, PROTOCOLS),
        Keyword::buffer("snmp.usm", USER, Sides::Both, PROTOCOLS),
        Keyword::number("snmp.version", VERSION, Sides::Both, PROTOCOLS, NUMBER_MAX, &[]),
        Keyword::number("snmp.pdu_type", PDU_TYPE, Sides::Both, PROTOCOLS, NUMBER_MAX, &[]),
        Keyword::number("snmp.trap_type", TRAP_TYPE, Sides::Both, PROTOCOLS, 255, TRAPS),
    ],
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Snmp::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Udp, ports: &[(161, 162)], direction, least: 4, look }
}

fn look(bytes: &[u8]) -> Looked {
    if message::envelope_version(bytes).is_some() { Looked::Yes } else { Looked::No }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Snmp {
    transactions: Transactions<SnmpTransaction>,
    /// Of the flow's first message: 1, 2 or 3; 0 if none was understood.
    version: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SnmpTransaction {
    direction: Direction,
    /// The flow's version.
    version: u32,
    message: Message,
    events: u128,
}

impl Parser for Snmp {
    type Transaction = SnmpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if self.version == 0 {
            self.version = message::envelope_version(input.bytes).unwrap_or(0);
        }
        match Message::read(input.bytes, context.settings.records) {
            Some(message) => {
                let mut events = if message.version == self.version { 0 } else { VERSION_MISMATCH };
                if message.security == Security::Unknown {
                    events |= UNKNOWN_SECURITY;
                }
                self.transactions.open(SnmpTransaction { direction, version: self.version, message, events });
            }
            None => {
                if let Some(last) = self.transactions.last_mut() {
                    last.events |= MALFORMED;
                }
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<SnmpTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<SnmpTransaction> {
        &mut self.transactions
    }
}

impl Transaction for SnmpTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        match (field, &self.message.security) {
            (COMMUNITY, Security::Community(name)) | (USER, Security::User(name)) => show(Piece::whole(name)),
            _ => {}
        }
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        let number = match field {
            VERSION => Some(self.version),
            PDU_TYPE => self.message.pdu.as_ref().map(|pdu| pdu.kind),
            TRAP_TYPE => {
                self.message.pdu.as_ref().and_then(|pdu| pdu.trap.as_ref()).map(|trap| u32::from(trap.kind))
            }
            _ => None,
        };
        number.into_iter().for_each(|number| show(u64::from(number)));
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record.number("version", u64::from(self.version));
        let Some(pdu) = &self.message.pdu else {
            record.text("pdu_type", "encrypted");
            return;
        };
        match PDU_NAMES.get(pdu.kind as usize) {
            Some(name) => record.text("pdu_type", name),
            None => record.text("pdu_type", &format!("Unknown(0x{:x})", pdu.kind)),
        }
        if pdu.error != 0 {
            let other = || format!("ErrorStatus({})", pdu.error);
            record.text(
                "error",
                &ERROR_NAMES.get(pdu.error as usize).map_or_else(other, |name| (*name).to_owned()),
            );
        }
        if let Some(trap) = &pdu.trap {
            let other = || format!("TrapType({})", trap.kind);
            let name = TRAP_NAMES.get(usize::from(trap.kind)).map_or_else(other, |name| (*name).to_owned());
            record.text("trap_type", &name);
            record.text("trap_oid", &trap.enterprise);
            record.text("trap_address", &trap.address.to_string());
        }
        if !pdu.variables.is_empty() {
            record.texts("vars", pdu.variables.iter().map(String::as_str));
        }
        match &self.message.security {
            Security::Community(name) => record.bytes("community", name),
            Security::User(name) => record.bytes("usm", name),
            Security::Unknown => {}
        }
    }
}
