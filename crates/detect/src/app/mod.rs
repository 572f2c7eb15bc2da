//! Application layers: what is said above TCP and UDP.
//!
//! One folder for each protocol holds its parser, its keywords, its record and its tests; its `mod.rs` ends in one
//! [`Protocol`], the folder's front door, which stands in [`table::PROTOCOLS`]. What a parser is to do:
//!
//! Upon bytes in order ([`Parser::feed`]): take what makes whole messages and say how many bytes that were; what is left is shown again with
//! what follows. Put what was understood into transactions. A datagram comes in one call and is taken whole.
//! Upon a hole in the stream ([`Parser::gap`]): go on behind it, or say [`Broken`].
//! Upon the end ([`Parser::end`]): what is open is complete now.
//! After each of these the engine looks at all transactions ([`Transaction::ready`], [`Transaction::visit`], …), matches rules on what is new, and takes away those
//! that are complete both ways and were looked at.
//!
//! Not here: when bytes are in order (`stream`), which protocol it is (the engine asks [`Protocol::signatures`] and
//! [`Protocol::probes`]), and what rules want.

pub(crate) mod ber;
pub mod bittorrent_dht;
mod body;
pub(crate) mod bytes;
mod context;
pub mod dcerpc;
pub mod dhcp;
pub mod dnp3;
pub mod dns;
mod drive;
pub mod enip;
pub mod field;
pub mod file;
pub mod fingerprint;
mod flag;
pub mod ftp;
pub mod http;
pub mod http1;
pub mod http2;
pub mod ike;
pub mod imap;
mod keyword;
pub mod krb5;
pub mod ldap;
mod lines;
pub mod mdns;
pub(crate) mod mime;
pub mod modbus;
pub mod mqtt;
pub mod nfs;
pub mod nothing;
pub mod ntp;
pub mod pgsql;
pub mod pop3;
mod protocol;
pub mod quic;
pub mod rdp;
mod recent;
pub mod rfb;
pub mod sip;
pub mod smb;
pub mod smtp;
pub mod snmp;
pub mod ssh;
pub mod table;
pub mod telnet;
pub mod tftp;
pub mod tls;
mod transactions;
mod transfer;
#[cfg(test)]
pub(crate) mod trial;
pub mod websocket;

pub use body::{Body, BodyLimits};
pub use context::{Context, Ends, Expectation, Next, Settings};
pub use drive::{Driver, Questions};
pub use field::{Family, Field};
pub use keyword::{Buffer, Keyword, Letters, Number, Sides, Takes, Test, Verdict};
pub use protocol::{Looked, Probe, Protocol, ProtocolId, Signature, Transport};
pub(crate) use transactions::{AnyParser, AnyTransaction, Inspected, Inspection};
pub use transactions::{Live, Transactions};

use crate::Direction;
use crate::eve::Object;
use std::any::Any;

/// The parser gave up on this flow: what came is not this protocol, or beyond repair. What was understood before stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// What a parser is shown.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The bytes: what was left of the last call, and what is new.
    pub bytes: &'a [u8],
    /// Where the first of them stands in the stream, from 0.
    pub offset: u64,
    /// Nothing follows.
    pub last: bool,
}

/// What a parser took of its input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// How many bytes, from the front.
    pub bytes: usize,
    /// How many bytes there must be before it makes sense to be shown the rest again; 0 if one more may do.
    pub wanted: usize,
}

impl Taken {
    /// Everything.
    #[must_use]
    pub fn all(input: &Input<'_>) -> Self {
        Taken { bytes: input.bytes.len(), wanted: 0 }
    }

    /// So many bytes; the rest is the beginning of something that needs `wanted` bytes in all (0: not known).
    #[must_use]
    pub fn part(bytes: usize, wanted: usize) -> Self {
        Taken { bytes, wanted }
    }
}

/// Bytes that a parser may leave untaken: one that wants more in one piece has lost its way.
pub const UNTAKEN_BYTES_MAX: usize = 512 << 10;

/// The state of one flow's protocol.
///
/// It is cloned when the engine keeps a snapshot, so it shares nothing that changes.
pub trait Parser: Clone + Send + Sync + 'static {
    /// What the protocol's exchanges are made of.
    type Transaction: Transaction;
    /// Whether the stream's raw bytes are looked at as soon as an exchange is complete, rather than when enough have come.
    const LOOKS_AT_ONCE: bool = true;

    /// Takes bytes. All that is not taken is shown again; a parser that can never take its input says [`Broken`].
    ///
    /// # Errors
    ///
    /// This flow speaks something else, or cannot be followed any longer.
    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken>;

    /// `bytes` bytes of the stream were lost, after all that was shown; what was shown and not taken is lost too.
    ///
    /// # Errors
    ///
    /// The parser cannot go on behind a hole.
    fn gap(&mut self, _direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        Err(Broken)
    }

    /// Nothing will follow in this direction.
    fn end(&mut self, _direction: Direction, _context: &mut Context<'_>) {}

    /// Bytes that it holds, beside those of its exchanges, more than what it was shown accounts for: windows of what is compressed.
    fn unpacked_bytes(&self) -> usize {
        0
    }

    /// The exchanges that are open or not yet looked at.
    fn transactions(&self) -> &Transactions<Self::Transaction>;

    /// The same, to change.
    fn transactions_mut(&mut self) -> &mut Transactions<Self::Transaction>;
}

/// How much of a field there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ready {
    /// Nothing to look at yet, but there may be.
    No,
    /// Some, and more may come: a match counts, no match does not.
    Part,
    /// All there will ever be, which may be nothing.
    Full,
}

/// A piece of a field's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they begin in the whole: 0 for all that is no stream.
    pub start: u64,
    /// Whether the whole ends with them.
    pub last: bool,
    /// Numbers in it are little-endian: DCERPC said so.
    pub little_endian: bool,
}

impl<'a> Piece<'a> {
    /// A field that is there in full.
    #[must_use]
    pub fn whole(bytes: &'a [u8]) -> Self {
        Piece { bytes, start: 0, last: true, little_endian: false }
    }
}

/// One exchange, or one message where a protocol has no exchanges.
///
/// What `visit`, `number` and `events` tell may depend on the direction that is looked at: a header list is the request's to the server and the
/// response's to the client.
pub trait Transaction: Any + Clone + Send + Sync {
    /// Whether nothing will be added in this direction.
    fn is_complete(&self, direction: Direction) -> bool;

    /// Whether it is looked at in this direction at all: a message that only goes one way is not.
    fn concerns(&self, _direction: Direction) -> bool {
        true
    }

    /// Whether a field is none that this exchange can have: then not even its absence can be asked for.
    fn lacks(&self, _field: Field, _direction: Direction) -> bool {
        false
    }

    /// How much there is of a field. By default everything comes at once, when the direction is complete.
    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::No }
    }

    /// Shows all values of a field of bytes: none, one, or several (each DNS question is one). A field of another family shows nothing.
    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>));

    /// Shows all values of a numeric field.
    fn number(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(u64)) {}

    /// What was odd about it: bit `n` is the `n`-th of [`Protocol::events`].
    fn events(&self, _direction: Direction) -> u128 {
        0
    }

    /// The files that were carried this way.
    fn files(&self, _direction: Direction) -> Option<&file::Files> {
        None
    }

    /// The same, to move its window on.
    fn files_mut(&mut self, _direction: Direction) -> Option<&mut file::Files> {
        None
    }

    /// Bytes that it holds more than what was shown of it accounts for: what came out of compression, and windows of what is compressed.
    fn unpacked_bytes(&self) -> usize {
        0
    }

    /// Rules were matched on all that is ready in this direction: streaming fields may move their window on.
    fn inspected(&mut self, _direction: Direction) {}

    /// Whether all that is written down of it is there: by default once it is complete both ways.
    fn is_told(&self) -> bool {
        self.is_complete(Direction::ToServer) && self.is_complete(Direction::ToClient)
    }

    /// Writes what the exchange was about: the object that EVE has under the protocol's name.
    fn record(&self, record: &mut Object);

    /// Writes what EVE has beside that object, each under its own name: the mail that SMTP carried.
    fn record_beside(&self, _record: &mut Object) {}
}
