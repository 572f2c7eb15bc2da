//! The messages of BitTorrent's table of peers (BEP 5 and 32): a query, a response or an error.

use super::bencode::{Value, pairs, value, values};
use crate::app::bytes::Reader;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of a node's name.
const ID_BYTES: usize = 20;

/// Who takes part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    /// Its name, if that was told.
    pub(super) id: Option<[u8; ID_BYTES]>,
    /// Its address in words.
    pub(super) address: String,
    pub(super) port: u16,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Query {
        kind: String,
        id: Vec<u8>,
        target: Option<Vec<u8>>,
        info_hash: Option<Vec<u8>>,
        token: Option<Vec<u8>>,
        implied_port: Option<u16>,
        port: Option<u16>,
    },
    Response {
        id: Vec<u8>,
        nodes: Vec<Node>,
        nodes6: Vec<Node>,
        values: Vec<Node>,
        token: Option<Vec<u8>>,
    },
    Error {
        number: u16,
        words: String,
    },
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Message {
    pub(super) number: Vec<u8>,
    pub(super) version: Option<Vec<u8>>,
    pub(super) content: Content,
}

impl Message {
    /// Reads a message, or nothing if it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Message> {
        let inside = value(&mut Reader::new(bytes), 0)?.dictionary()?;
        let (mut kind, mut query, mut number, mut version) = (None, None, None, None);
        let (mut arguments, mut response, mut error) = (None, None, None);
        for (key, value) in pairs(inside) {
            match key {
                b"y" => kind = Some(value.text()?),
                b"q" => query = Some(value.text()?),
                b"a" => arguments = Some(value.dictionary()?),
                b"r" => response = Some(read_response(value.dictionary()?)?),
                b"e" => error = Some(read_error(value.list()?)?),
                b"t" => number = Some(value.bytes()?),
                b"v" => version = Some(value.bytes()?.to_vec()),
                _ => {}
            }
        }
        // Arguments without a query are read all the same: what is wrong in them makes it no message.
        let arguments = match arguments {
            Some(inside) => Some(read_query(inside, query)?),
            None => None,
        };
        let content = match kind? {
            "q" if query.is_some() => arguments?,
            "r" => response?,
            "e" => error?,
            _ => return None,
        };
        Some(Message { number: number?.to_vec(), version, content })
    }
}

fn read_query(inside: &[u8], kind: Option<&str>) -> Option<Content> {
    let (mut sender, mut target, mut info_hash, mut token) = (None, None, None, None);
    let (mut implied_port, mut port) = (None, None);
    for (key, value) in pairs(inside) {
        match key {
            b"id" => sender = Some(value.bytes()?.to_vec()),
            b"target" => target = Some(value.bytes()?.to_vec()),
            b"info_hash" => info_hash = Some(value.bytes()?.to_vec()),
            b"token" => token = Some(value.bytes()?.to_vec()),
            b"implied_port" => implied_port = Some(value.number(u16::from(u8::MAX))?),
            b"port" => port = Some(value.number(u16::MAX)?),
            _ => {}
        }
    }
    let kind = kind.unwrap_or_default().to_owned();
    Some(Content::Query { kind, id: sender?, target, info_hash, token, implied_port, port })
}

fn read_response(inside: &[u8]) -> Option<Content> {
    let (mut sender, mut token) = (None, None);
    let (mut nodes, mut nodes6, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in pairs(inside) {
        match key {
            b"id" => sender = Some(value.bytes()?.to_vec()),
            b"nodes" => nodes = value.bytes()?.chunks_exact(ID_BYTES + 6).filter_map(node).collect(),
            b"nodes6" => nodes6 = value.bytes()?.chunks_exact(ID_BYTES + 18).filter_map(node).collect(),
            b"values" => {
                if let Value::List(list) = value {
                    for entry in values(list) {
                        peers.push(peer(&mut Reader::new(entry.bytes()?))?);
                    }
                }
            }
            b"token" => token = Some(value.bytes()?.to_vec()),
            _ => {}
        }
    }
    Some(Content::Response { id: sender?, nodes, nodes6, values: peers, token })
}

fn read_error(inside: &[u8]) -> Option<Content> {
    let (mut number, mut words) = (None, None);
    for value in values(inside) {
        match value {
            Value::Number(_) => number = Some(value.number(u16::MAX)?),
            Value::Text(_) => words = Some(value.text()?.to_owned()),
            Value::List(_) | Value::Dictionary(_) => {}
        }
    }
    Some(Content::Error { number: number?, words: words? })
}

fn node(bytes: &[u8]) -> Option<Node> {
    let mut reader = Reader::new(bytes);
    let id = reader.array()?;
    Some(Node { id: Some(id), ..peer(&mut reader)? })
}

/// An address of either kind, and a port.
fn peer(reader: &mut Reader<'_>) -> Option<Node> {
    let address = if reader.len() < 18 {
        Ipv4Addr::from(reader.array::<4>()?).to_string()
    } else {
        let pairs: Vec<String> = Ipv6Addr::from(reader.array::<16>()?)
            .segments()
            .iter()
            .map(|segment| format!("{segment:04x}"))
            .collect();
        pairs.join(":")
    };
    Some(Node { id: None, address, port: reader.be16()? })
}
