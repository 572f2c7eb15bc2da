//! WebSocket, which HTTP turns into once both sides agreed on it.
//!
//! Each frame is an exchange of its own, about its own direction alone; its payload is shown unmasked. A message in
//! several frames is put together: the last frame shows
//! all of it. A compressed message is shown as it was before, with what one direction said before as its dictionary.
//! Of a payload `PAYLOAD_BYTES_MAX` bytes are looked at; the rest is skipped, and told.
//!
//! Not here: recognising it. Nothing in its bytes says so; the HTTP parser switches to it.

mod keywords;
#[cfg(test)]
mod tests;

use super::bytes::Reader;
use super::{
    Broken, Context, Field, Input, Parser, Piece, Protocol, ProtocolId, Settings, Taken, Transaction,
    Transactions,
};
use crate::Direction;
use crate::eve::Object;
use crate::room::Room;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

/// Bytes of a payload, of a message in several frames and of what a compressed one stands for, that are looked at.
const PAYLOAD_BYTES_MAX: usize = 0xffff;
/// What a sender leaves out at the end of a compressed message.
const COMPRESSED_END: [u8; 4] = [0, 0, 0xff, 0xff];
/// Opcodes from here on are control frames, which may stand between the frames of a message.
const CONTROL_MIN: u8 = 8;

const EVENTS: &[&str] = &["skip_end_of_payload", "reassembly_limit_reached"];
const SKIPPED_END: u128 = 1;
const MESSAGE_TOO_LONG: u128 = 1 << 1;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Websocket,
    name: "websocket",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["websocket.header", "websocket.pdu", "websocket.data"],
    signatures: &[],
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(Websocket::default()),
};

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Websocket {
    transactions: Transactions<WebsocketTransaction>,
    sides: [Side; 2],
}

/// One direction.
#[derive(Clone, Default)]
struct Side {
    /// Bytes of a payload that are not looked at, still to come.
    skip: u64,
    /// What came of a message in several frames.
    message: Room,
    is_compressed: bool,
    inflater: Option<Box<InflateState>>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebsocketTransaction {
    direction: Direction,
    /// The upper four bits of the first byte.
    flags: u8,
    opcode: u8,
    mask: Option<u32>,
    payload: Vec<u8>,
    events: u128,
}

impl WebsocketTransaction {
    fn is_last(&self) -> bool {
        self.flags & 0x80 != 0
    }

    fn is_compressed(&self) -> bool {
        self.flags & 0x40 != 0
    }

    /// The frame at the front of what is read, and how many bytes of its payload are not looked at. Nothing if it
    /// has not come.
    fn read(reader: &mut Reader<'_>, direction: Direction) -> Option<(Self, u64)> {
        let first = reader.u8()?;
        let second = reader.u8()?;
        let length = match second & 0x7f {
            126 => u64::from(reader.be16()?),
            127 => reader.be64()?,
            length => u64::from(length),
        };
        let mask: Option<[u8; 4]> = if second & 0x80 != 0 { Some(reader.array()?) } else { None };
        let looked_at = usize::try_from(length).unwrap_or(usize::MAX).min(PAYLOAD_BYTES_MAX);
        let mut payload = reader.take(looked_at)?.to_vec();
        if let Some(mask) = mask {
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        }
        let frame = WebsocketTransaction {
            direction,
            flags: first & 0xf0,
            opcode: first & 0x0f,
            mask: mask.map(u32::from_be_bytes),
            payload,
            events: 0,
        };
        Some((frame, length - looked_at as u64))
    }
}

impl Side {
    /// Puts messages together and undoes their compression.
    fn complete(&mut self, frame: &mut WebsocketTransaction) {
        let is_data = frame.opcode < CONTROL_MIN;
        let mut is_compressed = frame.is_compressed();
        if is_data && (!self.message.is_empty() || !frame.is_last()) {
            if self.message.is_empty() {
                self.is_compressed = is_compressed;
            }
            let room = PAYLOAD_BYTES_MAX - self.message.len().min(PAYLOAD_BYTES_MAX);
            if room > 0 && frame.payload.len() >= room {
                frame.events |= MESSAGE_TOO_LONG;
            }
            self.message.extend(frame.payload.iter().take(room));
        }
        if is_data && frame.is_last() && !self.message.is_empty() {
            is_compressed = self.is_compressed;
            frame.payload = std::mem::take(&mut self.message);
        }
        if frame.is_compressed() && self.inflater.is_none() {
            self.inflater = Some(InflateState::new_boxed(DataFormat::Raw));
        }
        if is_compressed && frame.is_last() {
            self.is_compressed = false;
            frame.payload.extend_from_slice(&COMPRESSED_END);
            if let Some(inflater) = &mut self.inflater {
                let plain = inflated(inflater, &frame.payload);
                if !plain.is_empty() {
                    frame.payload = plain;
                }
            }
        }
    }
}

/// What compressed bytes stand for, as far as it is looked at.
fn inflated(inflater: &mut InflateState, mut bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut chunk = [0u8; 4096];
    loop {
        let done = inflate(inflater, bytes, &mut chunk, MZFlush::None);
        bytes = bytes.get(done.bytes_consumed..).unwrap_or_default();
        let room = PAYLOAD_BYTES_MAX - plain.len().min(PAYLOAD_BYTES_MAX);
        plain.extend_from_slice(&chunk[..done.bytes_written.min(room)]);
        // All bytes are given to the inflater even beyond the limit, since they are the dictionary of the next
        // message; each turn takes or gives some.
        let is_stuck = done.bytes_consumed == 0 && done.bytes_written == 0;
        if done.status.is_err() || is_stuck || (bytes.is_empty() && done.bytes_written < chunk.len()) {
            return plain;
        }
    }
}

impl Parser for Websocket {
    type Transaction = WebsocketTransaction;

    fn unpacked_bytes(&self) -> usize {
        let windows = self.sides.iter().filter(|side| side.inflater.is_some()).count();
        windows * size_of::<InflateState>()
            + self.sides.iter().map(|side| side.message.capacity()).sum::<usize>()
    }

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let side = &mut self.sides[direction.index()];
        let mut reader = Reader::new(input.bytes);
        loop {
            let skipped = side.skip.min(reader.len() as u64);
            side.skip -= skipped;
            reader.take(skipped as usize);
            if reader.is_empty() {
                return Ok(Taken::all(&input));
            }
            let mut ahead = reader;
            let Some((mut frame, skip)) = WebsocketTransaction::read(&mut ahead, direction) else {
                return Ok(Taken::part(input.bytes.len() - reader.len(), 0));
            };
            let whole = reader.rest().get(..reader.len() - ahead.len()).unwrap_or_default();
            let (header, data) =
                whole.split_at_checked(whole.len() - frame.payload.len()).unwrap_or_default();
            context.frame("websocket.header", direction, header);
            context.frame("websocket.pdu", direction, whole);
            context.frame("websocket.data", direction, data);
            side.skip = skip;
            if skip > 0 {
                frame.events |= SKIPPED_END;
            }
            side.complete(&mut frame);
            self.transactions.open(frame);
            reader = ahead;
        }
    }

    fn transactions(&self) -> &Transactions<WebsocketTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<WebsocketTransaction> {
        &mut self.transactions
    }
}

impl Transaction for WebsocketTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if field == keywords::PAYLOAD {
            show(Piece::whole(&self.payload));
        }
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        match field {
            keywords::OPCODE => show(u64::from(self.opcode)),
            keywords::MASK => self.mask.into_iter().for_each(|mask| show(u64::from(mask))),
            _ => {}
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record.flag("fin", self.is_last());
        if let Some(mask) = self.mask {
            record.number("mask", u64::from(mask));
        }
        match keywords::OPCODES.iter().find(|(_, opcode)| *opcode == u64::from(self.opcode)) {
            Some((name, _)) => record.text("opcode", name),
            None => record.text("opcode", &format!("unknown-{}", self.opcode)),
        }
    }
}
