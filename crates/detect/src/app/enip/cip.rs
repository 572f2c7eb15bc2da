//! Items that EtherNet/IP carries: who a device is, what it can do, and messages of CIP.
//!
//! A message of CIP may hold several others; those hold no further ones.

use crate::app::bytes::Reader;

/// Items of one message that are kept at most; later ones are read, and not looked at.
const ITEMS_MAX: usize = 256;
/// Messages within one message at most; one with more cannot be read.
const PACKETS_MAX: usize = 512;
/// Segments of paths and attributes of one message, with those within it, at most; one with more cannot be read.
const PARTS_MAX: usize = 16_384;

const IDENTITY: u16 = 0x0c;
pub(super) const CONNECTED: u16 = 0xb1;
const UNCONNECTED: u16 = 0xb2;
const SERVICES: u16 = 0x100;

const GET_ATTRIBUTES: u8 = 3;
const SET_ATTRIBUTES: u8 = 4;
const SEVERAL: u8 = 10;

/// Kinds of segments, as rules ask for them.
pub(super) const CLASS: u8 = 8;
pub(super) const INSTANCE: u8 = 9;
pub(super) const ATTRIBUTE: u8 = 12;

/// A part of the way to what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) kind: u8,
    pub(super) value: u32,
}

/// A message of CIP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cip {
    pub(super) service: u8,
    pub(super) is_response: bool,
    pub(super) path: Vec<Segment>,
    /// Attributes that are asked for or set.
    pub(super) attributes: Vec<u16>,
    pub(super) status: u8,
    pub(super) extended_status: Vec<u8>,
    /// The messages within it.
    pub(super) packets: Vec<Cip>,
    /// Where they stand from its beginning, and how long they are.
    pub(super) packet_places: Vec<(usize, usize)>,
}

/// Who a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) version: u16,
    pub(super) vendor: u16,
    pub(super) device: u16,
    pub(super) product: u16,
    pub(super) revision: [u8; 2],
    pub(super) status: u16,
    pub(super) serial: u32,
    pub(super) name: Vec<u8>,
    pub(super) state: u8,
}

/// What is in an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    Other,
    Cip { sequence: Option<u16>, start: usize, cip: Cip },
    Identity(Identity),
    Services { version: u16, capabilities: u16, name: [u8; 16] },
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: u16,
    pub(super) length: usize,
    /// Where it stands in the whole message.
    pub(super) start: usize,
    pub(super) payload: Payload,
}

/// The items behind their count; `start` is where the first one stands in the whole message.
pub(super) fn items(reader: &mut Reader<'_>, start: usize) -> Option<Vec<Item>> {
    let count = reader.le16()?;
    let whole = reader.len();
    let mut all = Vec::new();
    for _ in 0..count {
        let start = start + whole - reader.len();
        let kind = reader.le16()?;
        let length = usize::from(reader.le16()?);
        let payload = payload(kind, reader.take(length)?, start + 4)?;
        if all.len() < ITEMS_MAX {
            all.push(Item { kind, length, start, payload });
        }
    }
    Some(all)
}

fn payload(kind: u16, data: &[u8], start: usize) -> Option<Payload> {
    let mut reader = Reader::new(data);
    let mut room = PARTS_MAX;
    Some(match kind {
        IDENTITY => Payload::Identity(Identity::read(&mut reader)?),
        SERVICES => {
            Payload::Services { version: reader.le16()?, capabilities: reader.le16()?, name: reader.array()? }
        }
        CONNECTED => {
            let sequence = Some(reader.le16()?);
            Payload::Cip { sequence, start: start + 2, cip: Cip::read(&mut reader, true, &mut room)? }
        }
        UNCONNECTED => Payload::Cip { sequence: None, start, cip: Cip::read(&mut reader, true, &mut room)? },
        _ => Payload::Other,
    })
}

impl Identity {
    fn read(reader: &mut Reader<'_>) -> Option<Identity> {
        let version = reader.le16()?;
        reader.take(16)?; // A socket's address.
        let (vendor, device, product) = (reader.le16()?, reader.le16()?, reader.le16()?);
        let (revision, status, serial) = (reader.array()?, reader.le16()?, reader.le32()?);
        let name_bytes = usize::from(reader.u8()?);
        let name = reader.take(name_bytes)?.to_vec();
        Some(Identity {
            version,
            vendor,
            device,
            product,
            revision,
            status,
            serial,
            name,
            state: reader.u8()?,
        })
    }
}

impl Cip {
    fn read(reader: &mut Reader<'_>, may_hold_others: bool, room: &mut usize) -> Option<Cip> {
        let before = reader.len();
        let first = reader.u8()?;
        let mut cip = Cip { service: first & 0x7f, is_response: first & 0x80 != 0, ..Cip::default() };
        if cip.is_response {
            reader.u8()?;
            cip.status = reader.u8()?;
            let bytes = usize::from(reader.u8()?);
            cip.extended_status = reader.take(bytes)?.to_vec();
        } else {
            cip.path = path(reader, room)?;
            match cip.service {
                GET_ATTRIBUTES => {
                    let count = usize::from(reader.le16()?);
                    let list = reader.take(2 * count)?;
                    *room = room.checked_sub(count)?;
                    cip.attributes =
                        list.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                }
                // What is set stands behind the first attribute, in a form that its class has.
                SET_ATTRIBUTES if reader.le16()? > 0 => cip.attributes.push(reader.le16()?),
                _ => {}
            }
        }
        if may_hold_others && cip.service == SEVERAL {
            let place = before - reader.len();
            cip.read_packets(reader, place, room)?;
        }
        Some(cip)
    }

    fn read_packets(&mut self, reader: &mut Reader<'_>, place: usize, room: &mut usize) -> Option<()> {
        let start = *reader;
        let count = usize::from(reader.le16()?);
        if count > PACKETS_MAX {
            return None;
        }
        let offsets = reader.take(2 * count)?;
        for pair in offsets.chunks_exact(2) {
            let offset = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
            let mut packet = Reader::new(start.rest().get(offset..).filter(|rest| !rest.is_empty())?);
            let before = packet.len();
            self.packets.push(Cip::read(&mut packet, false, room)?);
            self.packet_places.push((place + offset, before - packet.len()));
        }
        Some(())
    }
}

/// The way to what is asked for.
fn path(reader: &mut Reader<'_>, room: &mut usize) -> Option<Vec<Segment>> {
    let pairs = usize::from(reader.u8()?);
    let mut reader = Reader::new(reader.take(2 * pairs)?);
    let mut segments = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8()?;
        // Others than logical segments are not understood.
        if kind >> 5 != 1 {
            return None;
        }
        let value = match kind & 3 {
            0 => u32::from(reader.u8()?),
            1 => {
                reader.u8()?;
                u32::from(reader.le16()?)
            }
            2 => {
                reader.u8()?;
                reader.le32()?
            }
            _ => return None,
        };
        *room = room.checked_sub(1)?;
        segments.push(Segment { kind: kind >> 2, value });
    }
    Some(segments)
}
