//! BitTorrent's table of peers (DHT) over UDP.
//!
//! Upon a datagram: what begins as a message does is an exchange of its own, looked at in its own direction; what
//! cannot be read is one that only tells so. Other datagrams are passed over.
//!
//! Not here: which response belongs to which query, what peers say to one another.

mod bencode;
mod message;
mod record;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Parser, Piece, Protocol, ProtocolId, Settings, Signature, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::Message;

const EVENTS: &[&str] = &["malformed_packet"];
const MALFORMED: u128 = 1;

/// How messages begin.
const BEGINNINGS: [&[u8]; 4] = [b"d1:ad", b"d1:rd", b"d2:ip", b"d1:el"];

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::BittorrentDht,
    name: "bittorrent-dht",
    keywords: &[],
    events: EVENTS,
    frames: &[],
    signatures: &[signature(Direction::ToServer), signature(Direction::ToClient)],
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(BittorrentDht::default()),
};

/// A query that names its sender first.
const fn signature(direction: Direction) -> Signature {
    Signature {
        transport: Transport::Udp,
        direction,
        bytes: b"d1:ad2:id20:",
        nocase: false,
        from: 0,
        until: 12,
        confirm: None,
    }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct BittorrentDht {
    transactions: Transactions<BittorrentDhtTransaction>,
}

/// A message, or none: what came could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BittorrentDhtTransaction {
    direction: Direction,
    message: Option<Message>,
}

impl Parser for BittorrentDht {
    type Transaction = BittorrentDhtTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let begins = |beginning: &&[u8]| input.bytes.len() > 5 && input.bytes.starts_with(beginning);
        if BEGINNINGS.iter().any(begins) {
            let message = Message::read(input.bytes);
            self.transactions.open(BittorrentDhtTransaction { direction, message });
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<BittorrentDhtTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<BittorrentDhtTransaction> {
        &mut self.transactions
    }
}

impl Transaction for BittorrentDhtTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn events(&self, _direction: Direction) -> u128 {
        if self.message.is_some() { 0 } else { MALFORMED }
    }

    fn record(&self, record: &mut Object) {
        record::write(self.message.as_ref(), record);
    }
}
