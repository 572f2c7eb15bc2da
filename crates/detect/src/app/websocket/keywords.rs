//! The keywords of WebSocket.

use super::WebsocketTransaction;
use crate::Complaint;
use crate::app::{Family, Field, Keyword, ProtocolId, Sides, Test, Verdict, flag};

pub(super) const PAYLOAD: Field = Field::new(Family::Websocket, 0);
pub(super) const OPCODE: Field = Field::new(Family::Websocket, 1);
pub(super) const MASK: Field = Field::new(Family::Websocket, 2);

pub(super) const OPCODES: &[(&str, u64)] =
    &[("continuation", 0), ("text", 1), ("binary", 2), ("close", 8), ("ping", 9), ("pong", 10)];

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Websocket];

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword::buffer("websocket.payload", PAYLOAD, Sides::Both, PROTOCOLS),
    Keyword::number("websocket.opcode", OPCODE, Sides::Both, PROTOCOLS, 255, OPCODES),
    Keyword::number("websocket.mask", MASK, Sides::Both, PROTOCOLS, u32::MAX as u64, &[]),
    Keyword::test("websocket.flags", flags),
];

fn flags(text: &str) -> Result<Test, Complaint> {
    let test = flag::flags(text, &[("fin", 0x80), ("comp", 0x40)])?;
    Ok(Test::new(Sides::Both, PROTOCOLS, move |frame: &WebsocketTransaction, _| {
        if test.holds(u64::from(frame.flags)) { Verdict::Holds } else { Verdict::Fails }
    }))
}
