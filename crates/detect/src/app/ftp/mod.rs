//! FTP: commands, replies, and the data connections that they announce.
//!
//! Upon a command that is known: an exchange, and what it says. Upon a line of a reply: it belongs to the
//! oldest exchange that is not done, or to the newest if all are, or makes one of its own; unless it is
//! preliminary (`1xx`) the exchange is done. Upon the reply to `PORT`, `EPRT`, `PASV` or `EPSV`: it is known
//! where the next data connection goes. Upon `RETR` or `STOR`: that connection is announced, with the file's
//! name. Upon `AUTH TLS` and the server's consent: what follows is encrypted.
//!
//! Not here: lines without a known command, which nobody asks for.

mod commands;
mod data;
mod keywords;
#[cfg(test)]
mod tests;
mod transaction;

pub use data::{FtpData, PROTOCOL as DATA_PROTOCOL};
pub use transaction::FtpTransaction;

use super::lines::{Cut, Line, cut};
use super::{
    Broken, Context, Expectation, Input, Looked, Next, Parser, Probe, Protocol, ProtocolId, Settings,
    Signature, Taken, Transactions, Transport,
};
use crate::Direction;
use commands::Command;
use data::Transfer;
use transaction::{DataPort, EVENTS, Event};

/// What a wrong password is replied to with.
const LOGIN_REFUSED: &[u8] = b"530 ";

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Ftp,
    name: "ftp",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[],
    signatures: &[
        beginning(Direction::ToClient, b"220 (", true),
        beginning(Direction::ToServer, b"FEAT", true),
        beginning(Direction::ToServer, b"USER ", false),
        beginning(Direction::ToServer, b"PASS ", true),
        beginning(Direction::ToServer, b"PORT ", true),
    ],
    probes: &[Probe {
        transport: Transport::Tcp,
        ports: &[(21, 21)],
        direction: Direction::ToClient,
        least: 5,
        look: is_welcome,
    }],
    begin: |_: &Settings| Protocol::boxed(Ftp::default()),
};

const fn beginning(direction: Direction, bytes: &'static [u8], nocase: bool) -> Signature {
    Signature {
        transport: Transport::Tcp,
        direction,
        bytes,
        nocase,
        from: 0,
        until: bytes.len() as u16,
        confirm: None,
    }
}

/// Exchanges at once at most; the flow is not followed beyond.
const EXCHANGES_MAX: usize = 1024;
/// Bytes before the name of a file: the command and a space.
const NAME_START: usize = 5;
/// Bytes of a file's name at most.
const NAME_BYTES_MAX: usize = 4095;

/// The state of a flow that speaks FTP.
#[derive(Clone, Default)]
struct Ftp {
    exchanges: Transactions<FtpTransaction>,
    /// The last command that was said, if it is known.
    command: Option<Command>,
    wants_tls: bool,
    /// The last line that named a port to connect to.
    port_line: Vec<u8>,
    /// Where the next data connection goes.
    data_port: Option<DataPort>,
    /// The rest of a line that was too long is passed over, in each direction.
    is_skipping: [bool; 2],
}

impl Parser for Ftp {
    type Transaction = FtpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while !rest.is_empty() {
            let taken = match cut(rest, &mut self.is_skipping[direction.index()]) {
                Cut::Nothing => break,
                Cut::Rest(bytes) => bytes,
                Cut::Line(line) => {
                    match direction {
                        Direction::ToServer => self.request(&line, context)?,
                        Direction::ToClient => self.reply(&line, context)?,
                    }
                    line.taken
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), 0))
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        for live in self.exchanges.iter_mut() {
            if let Some(has_ended) = live.transaction.has_ended.get_mut(direction.index()) {
                *has_ended = true;
            }
        }
    }

    fn transactions(&self) -> &Transactions<FtpTransaction> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<FtpTransaction> {
        &mut self.exchanges
    }
}

impl Ftp {
    fn request(&mut self, line: &Line<'_>, context: &mut Context<'_>) -> Result<(), Broken> {
        self.wants_tls = line.text.get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH TLS"));
        self.command = if self.wants_tls { None } else { Command::find(line.text) };
        let Some(command) = self.command else { return Ok(()) };
        let text = line.text.trim_ascii_end();
        let mut exchange = FtpTransaction::of(command, text);
        if line.is_cut {
            exchange.set(Event::RequestTooLong);
        }
        match command {
            Command::PORT | Command::EPRT => {
                self.port_line = text.to_vec();
                let named = commands::active_address(text);
                exchange.bounces =
                    command == Command::PORT && named.is_some_and(|named| named != context.ends.client.0);
            }
            Command::RETR => self.transfer(Transfer::Fetch, &mut exchange, context),
            Command::STOR => self.transfer(Transfer::Store, &mut exchange, context),
            _ => {}
        }
        self.open(exchange).map(|_| ())
    }

    /// Announces the data connection of a file.
    fn transfer(&mut self, transfer: Transfer, exchange: &mut FtpTransaction, context: &mut Context<'_>) {
        let name = exchange.line.get(NAME_START..).unwrap_or_default();
        let name = name.get(..NAME_BYTES_MAX).unwrap_or(name);
        let (Some(data), false) = (self.data_port, name.is_empty()) else {
            let (no_port, no_name) = (self.data_port.is_none(), name.is_empty());
            if no_port {
                exchange.set(Event::FileBeforePort);
            }
            if no_name {
                exchange.set(Event::FileWithoutName);
            }
            return;
        };
        // Whoever opens the data connection is its client: in active mode that is the server of this flow.
        let goes_to_opener = data.is_active == (transfer == Transfer::Store);
        let direction = if goes_to_opener { Direction::ToClient } else { Direction::ToServer };
        let opened_to = if data.is_active { context.ends.client.0 } else { context.ends.server.0 };
        context.expect(Expectation {
            to: (opened_to, data.port),
            protocol: ProtocolId::FtpData,
            note: data::note(transfer, direction),
            name: name.to_vec(),
        });
        self.data_port = None;
    }

    fn open(&mut self, exchange: FtpTransaction) -> Result<u64, Broken> {
        if self.exchanges.len() >= EXCHANGES_MAX {
            if let Some(oldest) = self.exchanges.iter_mut().find(|live| !live.transaction.is_done) {
                oldest.transaction.is_done = true;
                oldest.transaction.set(Event::TooManyTransactions);
            }
            return Err(Broken);
        }
        Ok(self.exchanges.open(exchange))
    }

    fn reply(&mut self, line: &Line<'_>, context: &mut Context<'_>) -> Result<(), Broken> {
        let open = self.exchanges.iter().find(|live| !live.transaction.is_done).map(|live| live.id);
        let id = match open.or_else(|| self.exchanges.iter().next_back().map(|live| live.id)) {
            Some(id) => id,
            None => self.open(FtpTransaction::default())?,
        };
        if self.wants_tls && line.text.starts_with(b"234 ") {
            context.then(Next::Switch(ProtocolId::Tls));
        }
        if self.command == Some(Command::PASS) && line.text.starts_with(LOGIN_REFUSED) {
            context.refuses_login();
        }
        let (data_port, is_port_line_bad) = self.negotiated(line.text);
        self.data_port = data_port.or(self.data_port);
        let command_is_known = self.command.is_some();
        let Some(exchange) = self.exchanges.get_mut(id) else { return Ok(()) };
        if !command_is_known {
            exchange.command = None;
        }
        exchange.data_port = data_port.or(exchange.data_port);
        if !is_port_line_bad && exchange.add_reply(line.text) && line.is_cut {
            exchange.is_reply_cut = true;
            exchange.set(Event::ResponseTooLong);
        }
        if is_port_line_bad || !is_preliminary(line.text) {
            exchange.is_done = true;
        }
        Ok(())
    }

    /// Where the next data connection goes, if this reply settles it; and whether what was asked for makes no
    /// sense.
    fn negotiated(&self, reply: &[u8]) -> (Option<DataPort>, bool) {
        let data = |port: Option<u16>, is_active| port.map(|port| DataPort { port, is_active });
        match self.command {
            Some(Command::PORT) => {
                let port = commands::active(&self.port_line);
                (data(port, true), port.is_none())
            }
            Some(Command::EPRT) => {
                let port = commands::extended_active(&self.port_line);
                (data(port, true), port.is_none())
            }
            Some(Command::PASV) if reply.starts_with(b"227 ") => {
                (data(commands::passive(reply), false), false)
            }
            Some(Command::EPSV) if reply.starts_with(b"229 ") => {
                (data(commands::extended_passive(reply), false), false)
            }
            _ => (None, false),
        }
    }
}

/// Whether another reply to the same command follows.
fn is_preliminary(line: &[u8]) -> bool {
    matches!(line, [b'1', b'0'..=b'9', b'0'..=b'9', space, ..] if space.is_ascii_whitespace() || *space == 0x0b)
}

/// Whether a server welcomes its client, where FTP is expected.
fn is_welcome(bytes: &[u8]) -> Looked {
    if !(bytes.starts_with(b"220 ") || bytes.starts_with(b"220-")) {
        Looked::No
    } else if bytes.contains(&b'\n') {
        Looked::Yes
    } else {
        Looked::Unsure
    }
}
