//! QUIC: the beginning of a connection, whose packets can be opened by everybody who sees the first of them.
//!
//! Upon a datagram: its packets are read one after the other (`header`).
//!   - Initial: its protection is taken off (`crypt`), its frames are read (`frames`), and the pieces of the
//!     handshake are put together (`handshake`) until there is a hello (`hello`). Google's first versions are in
//!     clear and have a handshake of their own.
//!   - any other with a long head: its version is told.
//!   - Retry of a server: the client begins anew, with other keys; once.
//!
//! Each of these is a transaction ([`Packet`]), and so is a packet that cannot be opened or understood; there the
//! datagram's rest is left alone. After the hello of a side its packets are not looked into; after both hellos the
//! flow is opaque.
//!
//! Not here: anything behind the hellos, which is encrypted with keys that only the two ends have.

mod crypt;
mod field;
mod frames;
mod handshake;
mod header;
mod hello;
mod keywords;
mod packet;
mod record;
#[cfg(test)]
mod tests;

pub use packet::Packet;

use super::fingerprint::{hash_of, ja4};
use super::{
    Broken, Context, Input, Looked, Next, Parser, Probe, Protocol, ProtocolId, Settings, Taken, Transactions,
    Transport,
};
use crate::Direction;
use crypt::Keys;
use frames::Frame;
use handshake::Handshake;
use header::{Header, Kind};
use hello::Hello;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Quic,
    name: "quic",
    keywords: keywords::KEYWORDS,
    events: &["failed_decrypt", "error_on_data", "error_on_header", "crypto_frag_too_long"],
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Quic::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Udp, ports: &[(80, 80), (443, 443)], direction, least: 1, look }
}

fn look(bytes: &[u8]) -> Looked {
    if Header::read(bytes).is_some() { Looked::Yes } else { Looked::No }
}

/// What can be odd about a packet.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Event {
    /// It was not made with the connection's keys.
    FailedDecrypt = 0,
    /// Its content makes no sense.
    ErrorOnData = 1,
    /// The handshake reaches too far.
    HandshakeTooLong = 3,
}

/// The state of a flow that speaks QUIC.
#[derive(Clone, Default)]
pub struct Quic {
    transactions: Transactions<Packet>,
    keys: Option<Keys>,
    handshakes: [Handshake; 2],
    greeted: [bool; 2],
    was_retried: bool,
}

impl Quic {
    fn datagram(&mut self, from: Direction, datagram: &[u8], context: &mut Context<'_>) {
        let mut rest = datagram;
        while !rest.is_empty() {
            let Some(header) = Header::read(rest) else {
                return;
            };
            if self.greeted[from.index()] || header.kind == Kind::Short {
                return;
            }
            let (packet, behind) = rest.split_at(header.bytes + header.content);
            if self.packet(from, packet, &header, context).is_none() {
                return;
            }
            rest = behind;
        }
    }

    /// Reads one packet; nothing if what is behind it is to be left alone.
    fn packet(
        &mut self,
        from: Direction,
        bytes: &[u8],
        header: &Header<'_>,
        context: &mut Context<'_>,
    ) -> Option<()> {
        self.renew_keys(from, header);
        let mut packet = described(from, header);
        if header.kind != Kind::Initial {
            self.transactions.open(packet);
            return Some(());
        }
        let opened = match self.keys.as_mut() {
            Some(keys) if header.content > 0 => match keys.open(from, bytes, header) {
                Ok(opened) => Some(opened),
                Err(crypt::Foreign) => return self.give_up(packet, Event::FailedDecrypt),
            },
            _ => None,
        };
        let content = opened.as_deref().unwrap_or_else(|| bytes.get(header.bytes..).unwrap_or_default());
        let Some(read) = frames::read(content) else {
            // What came of the handshake before is lost with it.
            self.handshakes[from.index()] = Handshake::default();
            return self.give_up(packet, Event::ErrorOnData);
        };
        let mut pieces = Vec::new();
        for frame in &read {
            match frame {
                Frame::Crypto(offset, piece) => pieces.push((*offset, *piece)),
                Frame::Stream(tags) => {
                    tags.iter().for_each(|tags| describe_tags(&mut packet, header.version, tags))
                }
            }
        }
        let Ok(progress) = self.handshakes[from.index()].take(&pieces) else {
            return self.give_up(packet, Event::ErrorOnData);
        };
        if progress.is_too_long {
            packet.raise(Event::HandshakeTooLong);
        }
        if let Some(hello) = progress.hello {
            describe_hello(&mut packet, *hello, context);
            self.greeted[from.index()] = true;
            if self.greeted == [true, true] {
                self.keys = None;
                context.then(Next::Opaque);
            }
        }
        self.transactions.open(packet);
        Some(())
    }

    fn renew_keys(&mut self, from: Direction, header: &Header<'_>) {
        if self.keys.is_none() && header.kind == Kind::Initial {
            self.keys = Keys::of(header.version, header.destination);
        } else if from == Direction::ToClient
            && self.keys.is_some()
            && header.kind == Kind::Retry
            && !self.was_retried
        {
            self.greeted[Direction::ToServer.index()] = false;
            self.keys = None;
            self.was_retried = true;
        }
    }

    fn give_up(&mut self, mut packet: Packet, event: Event) -> Option<()> {
        packet.raise(event);
        packet.server_name = None;
        packet.user_agent = None;
        packet.cyu.clear();
        self.transactions.open(packet);
        None
    }
}

fn described(from: Direction, header: &Header<'_>) -> Packet {
    Packet {
        from,
        is_long: header.is_long,
        is_short: header.kind == Kind::Short,
        version: header.version,
        version_bytes: header.version_bytes.to_vec(),
        server_name: None,
        user_agent: None,
        cyu: Vec::new(),
        ja3: None,
        ja4: None,
        extensions: Vec::new(),
        events: 0,
    }
}

/// What a message of Google's handshake tells.
fn describe_tags(packet: &mut Packet, version: u32, tags: &[frames::Tag<'_>]) {
    for (tag, value) in tags {
        match *tag {
            frames::SERVER_NAME => packet.server_name = Some(value.to_vec()),
            frames::USER_AGENT => packet.user_agent = Some(value.to_vec()),
            _ => {}
        }
        if packet.server_name.is_some() && packet.user_agent.is_some() {
            break;
        }
    }
    if let Some(version) = header::cyu_version(version) {
        let names: Vec<String> = tags.iter().map(|(tag, _)| frames::name(*tag)).collect();
        let text = format!("{version},{}", names.join("-"));
        let hash = hash_of(&text);
        packet.cyu.push((text, hash));
    }
}

/// What a hello tells.
fn describe_hello(packet: &mut Packet, hello: Hello, context: &Context<'_>) {
    let pair = hello.ja3.text().zip(hello.ja3.hash());
    packet.ja3 = pair.map(|(text, hash)| (text.to_string(), hash.to_string()));
    if packet.from == Direction::ToServer && context.settings.wants(super::tls::field::JA4) {
        packet.ja4 = Some(ja4(&hello.offer, true));
    }
    if let Some(name) = hello.server_name() {
        packet.server_name = Some(name.to_vec());
    }
    if context.settings.records {
        packet.extensions = hello.extensions;
    }
}

impl Parser for Quic {
    type Transaction = Packet;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        self.datagram(direction, input.bytes, context);
        Ok(Taken::all(&input))
    }

    fn gap(&mut self, _direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn transactions(&self) -> &Transactions<Packet> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Packet> {
        &mut self.transactions
    }
}
