//! Packets of T.123 and what they carry: X.224's connection setup, and the settings of both sides.

use super::client::{self, ClientData};
use crate::app::bytes::Reader;

/// The version of T.123, which is the first byte of each packet.
pub(super) const VERSION: u8 = 3;
/// Bytes of a packet's header.
const HEADER_BYTES: usize = 4;
const CONNECTION_CONFIRM: u8 = 0xd;
const CONNECTION_REQUEST: u8 = 0xe;
const DATA: [u8; 3] = [2, 0xf0, 0x80];
const NEGOTIATION_REQUEST: u8 = 1;
const NEGOTIATION_RESPONSE: u8 = 2;
const NEGOTIATION_FAILURE: u8 = 3;
const NEGOTIATION_BYTES: u16 = 8;
/// What a client's settings and a server's begin with.
const CLIENT_SETTINGS: [u8; 2] = [0x7f, 0x65];
const SERVER_SETTINGS: [u8; 2] = [0x7f, 0x66];
const COOKIE: &[u8] = b"Cookie: mstshash=";

/// What the server says to the first request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It agrees to speak this, and supports that.
    Agrees { flags: u8, protocol: u32 },
    /// It refuses, for this reason.
    Refuses { code: u32 },
}

/// What a packet says.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Request {
        cookie: Option<Vec<u8>>,
        flags: Option<u8>,
    },
    Confirm {
        answer: Option<Answer>,
    },
    ClientSettings(Box<ClientData>),
    ServerSettings,
    /// Something else.
    Other,
}

/// What bytes begin with.
pub(super) enum Packet<'a> {
    /// A packet and what is behind it.
    Whole(Message, &'a [u8]),
    /// A packet that needs so many bytes.
    Part(usize),
    /// Something else.
    None,
}

/// Reads a packet.
pub(super) fn packet(bytes: &[u8]) -> Packet<'_> {
    if bytes.first().is_some_and(|version| *version != VERSION) {
        return Packet::None;
    }
    let mut reader = Reader::new(bytes);
    let Some([_, _, high, low]) = reader.array::<HEADER_BYTES>() else {
        return Packet::Part(HEADER_BYTES);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let Some(body_bytes) = length.checked_sub(HEADER_BYTES) else {
        return Packet::None;
    };
    match reader.take(body_bytes) {
        Some(body) => Packet::Whole(message(body).unwrap_or(Message::Other), reader.rest()),
        None => Packet::Part(length),
    }
}

fn message(body: &[u8]) -> Option<Message> {
    if let Some(settings) = body.strip_prefix(&DATA) {
        return match settings {
            [first, second, ..] if [*first, *second] == SERVER_SETTINGS => Some(Message::ServerSettings),
            [first, second, rest @ ..] if [*first, *second] == CLIENT_SETTINGS => {
                client::settings(rest).map(|data| Message::ClientSettings(Box::new(data)))
            }
            _ => None,
        };
    }
    let mut reader = Reader::new(body);
    let length = reader.u8().filter(|length| *length != 0xff)?;
    let kind = reader.u8().filter(|kind| kind & 0xf <= 1)? >> 4;
    reader.be16().filter(|destination| *destination == 0)?;
    reader.skip(2)?;
    reader.u8().filter(|class_and_options| *class_and_options == 0)?;
    let rest = reader.take(usize::from(length).checked_sub(6)?)?;
    match kind {
        CONNECTION_REQUEST => Some(request(rest)),
        CONNECTION_CONFIRM => Some(Message::Confirm { answer: answer(rest) }),
        _ => None,
    }
}

fn request(bytes: &[u8]) -> Message {
    let (cookie, rest) = match cookie(bytes) {
        Some((cookie, rest)) => (Some(cookie.to_vec()), rest),
        None => (None, bytes),
    };
    let flags = negotiation(rest)
        .filter(|(kind, flags, protocols)| {
            *kind == NEGOTIATION_REQUEST && flags & !0xb == 0 && protocols & !0xf == 0
        })
        .map(|(_, flags, _)| flags);
    Message::Request { cookie, flags }
}

fn cookie(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(COOKIE)?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let (cookie, rest) = rest.split_at_checked(end)?;
    core::str::from_utf8(cookie).ok()?;
    Some((cookie, rest.get(2..)?))
}

fn answer(bytes: &[u8]) -> Option<Answer> {
    match negotiation(bytes)? {
        (NEGOTIATION_RESPONSE, flags, protocol)
            if flags & !0x1f == 0 && matches!(protocol, 0 | 1 | 2 | 4 | 8) =>
        {
            Some(Answer::Agrees { flags, protocol })
        }
        (NEGOTIATION_FAILURE, _, code @ 1..=6) => Some(Answer::Refuses { code }),
        _ => None,
    }
}

/// Kind, flags and number of a negotiation.
fn negotiation(bytes: &[u8]) -> Option<(u8, u8, u32)> {
    let mut reader = Reader::new(bytes);
    let (kind, flags) = (reader.u8()?, reader.u8()?);
    reader.le16().filter(|length| *length == NEGOTIATION_BYTES)?;
    Some((kind, flags, reader.le32()?))
}
