//! The keywords of EtherNet/IP and CIP.
//!
//! Command, status and protocol version are those of the direction that is looked at; everything else is asked of
//! the exchange, both ways.

use super::EnipTransaction;
use super::cip::{ATTRIBUTE, CLASS, Cip, INSTANCE, Identity, Payload};
use super::message::{COMMANDS, Content, Message, STATUS};
use crate::app::{Family, Field, Keyword, Piece, ProtocolId, Sides, Test, Verdict};
use crate::{Complaint, Direction};

pub(super) const COMMAND: Field = Field::new(Family::Enip, 0);
pub(super) const HEADER_STATUS: Field = Field::new(Family::Enip, 1);
pub(super) const VERSION: Field = Field::new(Family::Enip, 2);
pub(super) const CAPABILITIES: Field = Field::new(Family::Enip, 3);
pub(super) const VENDOR: Field = Field::new(Family::Enip, 4);
pub(super) const DEVICE: Field = Field::new(Family::Enip, 5);
pub(super) const PRODUCT: Field = Field::new(Family::Enip, 6);
pub(super) const REVISION: Field = Field::new(Family::Enip, 7);
pub(super) const IDENTITY_STATUS: Field = Field::new(Family::Enip, 8);
pub(super) const SERIAL: Field = Field::new(Family::Enip, 9);
pub(super) const STATE: Field = Field::new(Family::Enip, 10);
pub(super) const CIP_CLASS: Field = Field::new(Family::Enip, 11);
pub(super) const CIP_INSTANCE: Field = Field::new(Family::Enip, 12);
pub(super) const CIP_ATTRIBUTE: Field = Field::new(Family::Enip, 13);
pub(super) const CIP_STATUS: Field = Field::new(Family::Enip, 14);
pub(super) const CIP_EXTENDED_STATUS: Field = Field::new(Family::Enip, 15);
pub(super) const PRODUCT_NAME: Field = Field::new(Family::Enip, 16);
pub(super) const SERVICE_NAME: Field = Field::new(Family::Enip, 17);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Enip];
const BYTE: u64 = u8::MAX as u64;
const TWO_BYTES: u64 = u16::MAX as u64;
const FOUR_BYTES: u64 = u32::MAX as u64;

pub(super) const KEYWORDS: &[Keyword] = &[
    counted("enip_command", COMMAND, TWO_BYTES, COMMANDS),
    counted("enip.command", COMMAND, TWO_BYTES, COMMANDS),
    counted("enip.status", HEADER_STATUS, FOUR_BYTES, STATUS),
    counted("enip.protocol_version", VERSION, TWO_BYTES, &[]),
    counted("enip.capabilities", CAPABILITIES, TWO_BYTES, &[]),
    counted("enip.vendor_id", VENDOR, TWO_BYTES, &[]),
    counted("enip.device_type", DEVICE, TWO_BYTES, &[]),
    counted("enip.product_code", PRODUCT, TWO_BYTES, &[]),
    counted("enip.revision", REVISION, TWO_BYTES, &[]),
    counted("enip.identity_status", IDENTITY_STATUS, TWO_BYTES, &[]),
    counted("enip.serial", SERIAL, FOUR_BYTES, &[]),
    counted("enip.state", STATE, BYTE, &[]),
    counted("enip.cip_class", CIP_CLASS, FOUR_BYTES, &[]),
    counted("enip.cip_instance", CIP_INSTANCE, FOUR_BYTES, &[]),
    counted("enip.cip_attribute", CIP_ATTRIBUTE, FOUR_BYTES, &[]),
    counted("enip.cip_status", CIP_STATUS, BYTE, &[]),
    counted("enip.cip_extendedstatus", CIP_EXTENDED_STATUS, TWO_BYTES, &[]),
    Keyword::buffer("enip.product_name", PRODUCT_NAME, Sides::Both, PROTOCOLS),
    Keyword::buffer("enip.service_name", SERVICE_NAME, Sides::Both, PROTOCOLS),
    Keyword::test("cip_service", service),
    Keyword::test("enip.cip_service", service),
];

const fn counted(
    name: &'static str,
    field: Field,
    max: u64,
    names: &'static [(&'static str, u64)],
) -> Keyword {
    Keyword::number(name, field, Sides::Both, PROTOCOLS, max, names)
}

/// The message of a direction.
fn of(exchange: &EnipTransaction, direction: Direction) -> Option<&Message> {
    match direction {
        Direction::ToServer => exchange.request.as_ref(),
        Direction::ToClient => exchange.response.as_ref(),
    }
}

/// The first message of CIP in it.
fn cip(message: Option<&Message>) -> Option<&Cip> {
    let Content::Cip(items) = &message?.content else { return None };
    items.iter().find_map(|item| match &item.payload {
        Payload::Cip { cip, .. } => Some(cip),
        _ => None,
    })
}

/// Calls `with` for a message of CIP and those within it.
fn each(cip: Option<&Cip>, with: &mut dyn FnMut(&Cip)) {
    if let Some(cip) = cip {
        with(cip);
        cip.packets.iter().for_each(with);
    }
}

/// What is asked of services: `service`, `service,class`, `service,class,attribute`.
#[derive(Clone, Copy)]
struct Asked {
    service: u8,
    class: Option<u32>,
    attribute: Option<u32>,
}

impl Asked {
    fn holds(self, cip: &Cip) -> bool {
        if cip.service == self.service {
            let has = |kind: u8, value: u32| {
                cip.path.iter().any(|segment| segment.kind == kind && segment.value == value)
            };
            let Some(class) = self.class else { return true };
            return has(CLASS, class)
                && self.attribute.is_none_or(|attribute| {
                    has(ATTRIBUTE, attribute)
                        || cip.attributes.iter().any(|named| u32::from(*named) == attribute)
                });
        }
        cip.packets.iter().any(|packet| self.holds(packet))
    }
}

fn service(text: &str) -> Result<Test, Complaint> {
    let wrong =
        || Complaint::new(format!("'{text}' is no service, service and class, or these and an attribute"));
    let mut words = text.split(',').map(str::trim);
    let service: u8 = words
        .next()
        .and_then(|word| word.parse().ok())
        .filter(|service| *service < 0x80)
        .ok_or_else(wrong)?;
    let class = words.next().map(|word| word.parse().map_err(|_| wrong())).transpose()?;
    // An attribute behind `!` is read, and not asked for.
    let attribute = match words.next() {
        None => None,
        Some(word) => {
            let value = word.trim_start_matches('!').parse().map_err(|_| wrong())?;
            (!word.starts_with('!')).then_some(value)
        }
    };
    if words.next().is_some() {
        return Err(wrong());
    }
    let asked = Asked { service, class, attribute };
    Ok(Test::new(Sides::Both, PROTOCOLS, move |exchange: &EnipTransaction, direction| {
        if cip(of(exchange, direction)).is_some_and(|cip| asked.holds(cip)) {
            Verdict::Holds
        } else {
            Verdict::Open
        }
    }))
}

fn identity(exchange: &EnipTransaction) -> Option<&Identity> {
    match &exchange.response.as_ref()?.content {
        Content::Identities(items) => match &items.first()?.payload {
            Payload::Identity(identity) => Some(identity),
            _ => None,
        },
        _ => None,
    }
}

/// Capabilities and name of what a device can do.
fn services(exchange: &EnipTransaction) -> Option<(u16, &[u8; 16])> {
    match &exchange.response.as_ref()?.content {
        Content::Services(items) => match &items.first()?.payload {
            Payload::Services { capabilities, name, .. } => Some((*capabilities, name)),
            _ => None,
        },
        _ => None,
    }
}

fn version(message: &Message, direction: Direction) -> Option<u16> {
    match (&message.content, direction) {
        (Content::Session { version, .. }, _) => Some(*version),
        (Content::Services(items) | Content::Identities(items), Direction::ToClient) => {
            match &items.first()?.payload {
                Payload::Services { version, .. } => Some(*version),
                Payload::Identity(identity) => Some(identity.version),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Shows the values of a field.
pub(super) fn visit(exchange: &EnipTransaction, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    match field {
        PRODUCT_NAME => {
            identity(exchange).into_iter().for_each(|identity| show(Piece::whole(&identity.name)))
        }
        SERVICE_NAME => services(exchange).into_iter().for_each(|(_, name)| show(Piece::whole(name))),
        _ => {}
    }
}

/// Shows the values of a numeric field.
pub(super) fn number_of_identity(exchange: &EnipTransaction, field: Field) -> Option<u64> {
    let identity = identity(exchange)?;
    Some(match field {
        VENDOR => u64::from(identity.vendor),
        DEVICE => u64::from(identity.device),
        PRODUCT => u64::from(identity.product),
        REVISION => u64::from(u16::from_be_bytes(identity.revision)),
        IDENTITY_STATUS => u64::from(identity.status),
        SERIAL => u64::from(identity.serial),
        STATE => u64::from(identity.state),
        _ => return None,
    })
}

/// Shows the values of a numeric field.
pub(super) fn number(
    exchange: &EnipTransaction,
    field: Field,
    direction: Direction,
    show: &mut dyn FnMut(u64),
) {
    let asked = cip(exchange.request.as_ref()).filter(|cip| !cip.is_response);
    let answered = cip(exchange.response.as_ref()).filter(|cip| cip.is_response);
    let message = of(exchange, direction);
    let mut segments = |kind: u8| {
        each(asked, &mut |cip| {
            let meant = cip.path.iter().filter(|segment| !cip.is_response && segment.kind == kind);
            meant.for_each(|segment| show(u64::from(segment.value)));
        });
    };
    match field {
        COMMAND => message.iter().for_each(|message| show(u64::from(message.header.command))),
        HEADER_STATUS => message.iter().for_each(|message| show(u64::from(message.header.status))),
        VERSION => {
            let version = message.and_then(|message| version(message, direction));
            version.iter().for_each(|version| show(u64::from(*version)));
        }
        CAPABILITIES => {
            services(exchange).iter().for_each(|(capabilities, _)| show(u64::from(*capabilities)))
        }
        CIP_CLASS => segments(CLASS),
        CIP_INSTANCE => segments(INSTANCE),
        CIP_ATTRIBUTE => {
            segments(ATTRIBUTE);
            each(asked, &mut |cip| cip.attributes.iter().for_each(|attribute| show(u64::from(*attribute))));
        }
        CIP_STATUS => each(answered, &mut |cip| {
            if cip.is_response {
                show(u64::from(cip.status));
            }
        }),
        CIP_EXTENDED_STATUS => each(answered, &mut |cip| {
            if let [low, high] = cip.extended_status[..] {
                show(u64::from(u16::from_le_bytes([low, high])));
            }
        }),
        field => number_of_identity(exchange, field).into_iter().for_each(show),
    }
}
