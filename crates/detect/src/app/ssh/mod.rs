//! SSH: what both sides say before they encrypt.
//!
//! A flow is one exchange. Upon a first line: protocol and software of that side. Upon an offer to exchange
//! keys: its fingerprint, if anybody wants it. Upon the word that what follows is encrypted, from both sides:
//! the exchange is over, and nothing more need be shown. A record that nobody wants is counted, not kept.
//!
//! Not here: what is encrypted.

mod keywords;
mod record;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Next, Parser, Piece, Protocol, ProtocolId, Ready, Settings, Signature,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use keywords::{HASSH, HASSH_STRING, PROTO, SOFTWARE};
use record::{HEAD_BYTES, Head, KEX_INIT, NEW_KEYS};

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Ssh,
    name: "ssh",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["ssh.record.hdr", "ssh.record.data", "ssh.record.pdu"],
    signatures: &[greeting(Direction::ToServer), greeting(Direction::ToClient)],
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(Ssh::default()),
};

const fn greeting(direction: Direction) -> Signature {
    Signature {
        transport: Transport::Tcp,
        direction,
        bytes: b"SSH-",
        nocase: true,
        from: 0,
        until: 4,
        confirm: None,
    }
}

/// The names of what can be odd, in the order of their bits.
const EVENTS: &[&str] = &["invalid_banner", "long_banner", "invalid_record", "long_kex_record"];

const INVALID_BANNER: u128 = 1 << 0;
const LONG_BANNER: u128 = 1 << 1;
const INVALID_RECORD: u128 = 1 << 2;
const LONG_KEX_RECORD: u128 = 1 << 3;

/// Bytes of a first line that are in order.
const BANNER_BYTES_EXPECTED: usize = 256;
/// Bytes of a first line that count, if it is longer.
const BANNER_BYTES_MAX: usize = 4096;
/// Bytes of a record that is waited for as a whole; of a longer one only the head is looked at.
const RECORD_BYTES_MAX: usize = 65_535;

/// How far a side is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Progress {
    #[default]
    Start,
    /// The end of a first line that is too long is looked for.
    LongLine,
    Records,
    Encrypted,
}

/// What one side said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Side {
    progress: Progress,
    protocol: Vec<u8>,
    software: Vec<u8>,
    hassh: String,
    hassh_string: Vec<u8>,
}

/// All that was said in a flow before it was encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SshTransaction {
    sides: [Side; 2],
    has_ended: [bool; 2],
    events: u128,
}

impl SshTransaction {
    fn side(&self, direction: Direction) -> &Side {
        let [client, server] = &self.sides;
        if direction == Direction::ToServer { client } else { server }
    }

    fn side_mut(&mut self, direction: Direction) -> &mut Side {
        let [client, server] = &mut self.sides;
        if direction == Direction::ToServer { client } else { server }
    }

    fn is_encrypted(&self) -> bool {
        self.sides.iter().all(|side| side.progress == Progress::Encrypted)
    }

    /// Protocol and software, once they were said.
    fn banner(&self, direction: Direction) -> Option<(&[u8], &[u8])> {
        let side = self.side(direction);
        (side.progress >= Progress::Records).then_some((&side.protocol, &side.software))
    }
}

impl Transaction for SshTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_encrypted() || self.has_ended.get(direction.index()).copied().unwrap_or(false)
    }

    fn is_told(&self) -> bool {
        self.is_encrypted()
            || self.has_ended == [true; 2]
            || self.sides.iter().all(|side| side.progress >= Progress::Records && !side.hassh.is_empty())
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        let side = self.side(direction);
        let is_there = match field {
            PROTO | SOFTWARE => side.progress >= Progress::Records,
            HASSH | HASSH_STRING => !side.hassh.is_empty() || side.progress == Progress::Encrypted,
            _ => false,
        };
        if is_there || self.is_complete(direction) { Ready::Full } else { Ready::No }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let side = self.side(direction);
        let bytes = match field {
            PROTO => side.protocol.as_slice(),
            SOFTWARE => side.software.as_slice(),
            HASSH => side.hassh.as_bytes(),
            HASSH_STRING => side.hassh_string.as_slice(),
            _ => &[],
        };
        if !bytes.is_empty() {
            show(Piece::whole(bytes));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        for (key, direction) in [("client", Direction::ToServer), ("server", Direction::ToClient)] {
            let side = self.side(direction);
            if side.protocol.is_empty() {
                continue;
            }
            let mut object = Object::new();
            let limited =
                |bytes: &[u8]| bytes.iter().copied().take(BANNER_BYTES_EXPECTED).collect::<Vec<u8>>();
            object.bytes("proto_version", &limited(&side.protocol));
            if !side.software.is_empty() {
                object.bytes("software_version", &limited(&side.software));
            }
            if !side.hassh.is_empty() {
                let mut hassh = Object::new();
                hassh.text("hash", &side.hassh);
                hassh.bytes("string", &side.hassh_string);
                object.object("hassh", hassh);
            }
            record.object(key, object);
        }
    }
}

/// The state of a flow that speaks SSH.
#[derive(Clone, Default)]
struct Ssh {
    exchanges: Transactions<SshTransaction>,
    /// The only one, alive or not.
    id: Option<u64>,
    progress: [Progress; 2],
    /// Bytes of a record that are passed over, in each direction.
    left: [u32; 2],
}

impl Parser for Ssh {
    type Transaction = SshTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        self.id.get_or_insert_with(|| self.exchanges.open(SshTransaction::default()));
        let mut rest = input.bytes;
        if self.progress(direction) < Progress::Records {
            match self.greeting(direction, rest, input.last)? {
                Some(after) => rest = after,
                None if self.progress(direction) == Progress::LongLine => return Ok(Taken::all(&input)),
                None => return Ok(Taken::part(0, 0)),
            }
        }
        let mut wanted = 0;
        while !rest.is_empty() {
            match self.record(direction, rest, context)? {
                Step::Took(after) => rest = after,
                Step::Wants(bytes) => {
                    wanted = bytes;
                    break;
                }
            }
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), wanted))
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        if let Some(has_ended) =
            self.exchange().and_then(|exchange| exchange.has_ended.get_mut(direction.index()))
        {
            *has_ended = true;
        }
    }

    fn transactions(&self) -> &Transactions<SshTransaction> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<SshTransaction> {
        &mut self.exchanges
    }
}

/// What came of a look at a record.
enum Step<'a> {
    /// It was taken, as far as it is there; this follows.
    Took(&'a [u8]),
    /// It needs to have so many bytes.
    Wants(usize),
}

impl Ssh {
    fn exchange(&mut self) -> Option<&mut SshTransaction> {
        self.id.and_then(|id| self.exchanges.get_mut(id))
    }

    fn set(&mut self, event: u128) {
        if let Some(exchange) = self.exchange() {
            exchange.events |= event;
        }
    }

    fn progress(&self, direction: Direction) -> Progress {
        self.progress.get(direction.index()).copied().unwrap_or_default()
    }

    fn advance(&mut self, direction: Direction, progress: Progress) {
        if let Some(known) = self.progress.get_mut(direction.index()) {
            *known = progress;
        }
        if let Some(exchange) = self.exchange() {
            exchange.side_mut(direction).progress = progress;
        }
    }

    /// Takes a first line: what follows it, or nothing if it is not complete.
    fn greeting<'a>(
        &mut self,
        direction: Direction,
        bytes: &'a [u8],
        is_last: bool,
    ) -> Result<Option<&'a [u8]>, Broken> {
        let is_long_line = self.progress(direction) == Progress::LongLine;
        let found = record::line(bytes);
        if is_long_line {
            if found.is_some() {
                self.advance(direction, Progress::Records);
            }
            return Ok(found.map(|(_, rest)| rest));
        }
        // A carriage return at the end belongs to the line only if no line feed follows.
        let begun = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let (line, rest) = found.map_or((begun, None), |(line, rest)| (line, Some(rest)));
        if line.len() >= BANNER_BYTES_EXPECTED {
            self.set(LONG_BANNER);
        }
        // Of a short one that has no end it is not known whether it is all.
        let counts = line.len() >= if is_last { BANNER_BYTES_EXPECTED } else { BANNER_BYTES_MAX };
        if rest.is_none() && !counts {
            return Ok(None);
        }
        let line = line.get(..BANNER_BYTES_MAX).unwrap_or(line);
        let Some((protocol, software)) = record::banner(line) else {
            self.set(INVALID_BANNER);
            return Err(Broken);
        };
        if let Some(exchange) = self.exchange() {
            let side = exchange.side_mut(direction);
            side.protocol = protocol.to_vec();
            side.software = software.to_vec();
        }
        self.advance(direction, if rest.is_some() { Progress::Records } else { Progress::LongLine });
        Ok(rest)
    }

    fn record<'a>(
        &mut self,
        direction: Direction,
        bytes: &'a [u8],
        context: &mut Context<'_>,
    ) -> Result<Step<'a>, Broken> {
        if let Some(left) = self.left.get_mut(direction.index()).filter(|left| **left > 0) {
            let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
            *left = left.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
            return Ok(Step::Took(bytes.get(passed..).unwrap_or_default()));
        }
        let head = match Head::parse(bytes) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(Step::Wants(HEAD_BYTES)),
            Err(record::Invalid) => {
                self.set(INVALID_RECORD);
                return Err(Broken);
            }
        };
        let behind = bytes.get(HEAD_BYTES..).unwrap_or_default();
        let length = usize::try_from(head.rest_bytes).unwrap_or(usize::MAX);
        let wants_hassh = head.message == KEX_INIT
            && [HASSH, HASSH_STRING].iter().any(|field| context.settings.wants(*field));
        let wants_all =
            wants_hassh || ["ssh.record.data", "ssh.record.pdu"].iter().any(|name| context.wants_frame(name));
        let Some((body, rest)) = behind.split_at_checked(length) else {
            return Ok(self.beginning(direction, bytes, head, wants_hassh, wants_all, context));
        };
        context.frame("ssh.record.hdr", direction, bytes.get(..HEAD_BYTES).unwrap_or_default());
        context.frame("ssh.record.data", direction, body);
        context.frame("ssh.record.pdu", direction, bytes.get(..HEAD_BYTES + length).unwrap_or_default());
        if wants_hassh {
            self.offer(direction, body);
        }
        self.said(direction, head, context);
        Ok(Step::Took(rest))
    }

    /// A record of which only the beginning is there.
    fn beginning<'a>(
        &mut self,
        direction: Direction,
        bytes: &'a [u8],
        head: Head,
        wants_hassh: bool,
        wants_all: bool,
        context: &mut Context<'_>,
    ) -> Step<'a> {
        let length = usize::try_from(head.rest_bytes).unwrap_or(usize::MAX);
        if wants_all && length < RECORD_BYTES_MAX {
            return Step::Wants(HEAD_BYTES + length);
        }
        if wants_hassh {
            self.set(LONG_KEX_RECORD);
        }
        context.frame("ssh.record.hdr", direction, bytes.get(..HEAD_BYTES).unwrap_or_default());
        self.said(direction, head, context);
        let here = u32::try_from(bytes.len().saturating_sub(HEAD_BYTES)).unwrap_or(u32::MAX);
        if let Some(left) = self.left.get_mut(direction.index()) {
            *left = head.rest_bytes.saturating_sub(here);
        }
        Step::Took(&[])
    }

    fn offer(&mut self, direction: Direction, body: &[u8]) {
        let Some((text, digest)) = record::hassh(body, direction == Direction::ToClient) else { return };
        if let Some(exchange) = self.exchange() {
            let side = exchange.side_mut(direction);
            // The first offer tells who it is.
            if side.hassh.is_empty() {
                side.hassh_string = text;
                side.hassh = digest;
            }
        }
    }

    fn said(&mut self, direction: Direction, head: Head, context: &mut Context<'_>) {
        if head.message != NEW_KEYS {
            return;
        }
        self.advance(direction, Progress::Encrypted);
        if self.progress == [Progress::Encrypted; 2] {
            context.then(Next::Opaque);
        }
    }
}
