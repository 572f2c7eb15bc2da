//! SMTP: commands, replies, and the mails between them.
//!
//! An exchange begins with the first command and is over when a mail was sent, when the server agreed to
//! begin anew (`RSET`) or to encrypt (`STARTTLS`); the next command begins another, but for `RSET` and
//! `QUIT`, which belong to the one before as long as that is there. Upon a command: remembered until its
//! reply comes. Upon a reply: it belongs to the oldest command that has none. Upon `DATA`, and the server's
//! consent (or at once, if the server lets commands be sent ahead): what follows is a mail, until a line with
//! a single dot. Upon `BDAT`: so many bytes are passed over.
//!
//! Not here: what a mail is made of (`mime`), and what is said under encryption.

mod keywords;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod transaction;

pub use transaction::SmtpTransaction;

use super::file::Ending;
use super::{
    BodyLimits, Broken, Context, Input, Looked, Parser, Probe, Protocol, ProtocolId, Settings, Signature,
    Taken, Transactions, Transport,
};
use crate::Direction;
use std::collections::VecDeque;
use transaction::{EVENTS, Event};

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Smtp,
    name: "smtp",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["smtp.command_line", "smtp.data", "smtp.response_line"],
    signatures: &[greeting(b"EHLO"), greeting(b"HELO")],
    probes: &[
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 5,
            look: is_welcome,
        },
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 4,
            look: is_farewell,
        },
    ],
    begin: |_: &Settings| Protocol::boxed(Smtp::default()),
};

const PORTS: &[(u16, u16)] = &[(25, 25), (465, 465)];

const fn greeting(bytes: &'static [u8]) -> Signature {
    Signature {
        transport: Transport::Tcp,
        direction: Direction::ToServer,
        bytes,
        nocase: true,
        from: 0,
        until: 4,
        confirm: None,
    }
}

/// How attachments are looked at.
const ATTACHMENT_LIMITS: BodyLimits =
    BodyLimits { bytes_max: 100_000, first_bytes_min: 32_768, overlap_bytes: 4096 };
/// Exchanges of a flow at most; it is not followed beyond.
const EXCHANGES_MAX: u64 = 256;
/// Commands without a reply at most; the flow is not followed beyond.
const COMMANDS_WAITING_MAX: usize = 65_535;
/// Bytes of a mail that are kept for rules that look into it as a whole, if there are any.
const DATA_FRAME_BYTES_MAX: usize = 256 * 1024;

/// A command that waits for its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Command {
    StartTls,
    Data,
    Bdat,
    /// The end of a mail, which is replied to like a command.
    DataEnd,
    Rset,
    #[default]
    Other,
}

/// The state of a flow that speaks SMTP.
#[derive(Clone, Default)]
struct Smtp {
    exchanges: Transactions<SmtpTransaction>,
    /// The exchange that was begun last, alive or not.
    current: Option<u64>,
    helo: Option<Vec<u8>>,
    waiting: VecDeque<Command>,
    command: Command,
    /// What the client says is no command: a mail, or encrypted.
    is_data: bool,
    is_welcomed: bool,
    is_multiline: bool,
    may_pipeline: bool,
    /// The rest of a line that was too long is passed over, in each direction.
    is_skipping: [bool; 2],
    /// What was left of the last input is in the middle of a line of a mail.
    is_within_line: bool,
    chunk_bytes: u64,
    chunk_bytes_seen: u64,
    /// The mail so far, if somebody wants to look into it as a whole.
    data_frame: Option<Vec<u8>>,
}

impl Smtp {
    fn current_mut(&mut self) -> Option<&mut SmtpTransaction> {
        self.current.and_then(|id| self.exchanges.get_mut(id))
    }

    fn current(&self) -> Option<&SmtpTransaction> {
        self.current.and_then(|id| self.exchanges.get(id))
    }

    fn set(&mut self, event: Event) {
        if let Some(exchange) = self.current_mut() {
            exchange.set(event);
        }
    }

    fn complete(&mut self) {
        if let Some(exchange) = self.current_mut() {
            exchange.is_done = true;
        }
    }
}

impl Parser for Smtp {
    type Transaction = SmtpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        match direction {
            Direction::ToServer => self.requests(input, context),
            Direction::ToClient => self.replies(input, context),
        }
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        if let Some(exchange) = self.current_mut()
            && direction == Direction::ToServer
        {
            exchange.mail_end(Ending::Truncated);
        }
        for live in self.exchanges.iter_mut() {
            if let Some(has_ended) = live.transaction.has_ended.get_mut(direction.index()) {
                *has_ended = true;
            }
        }
    }

    fn transactions(&self) -> &Transactions<SmtpTransaction> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<SmtpTransaction> {
        &mut self.exchanges
    }
}

/// Whether a server welcomes its client as one for mail does: with the name of a domain.
fn is_welcome(bytes: &[u8]) -> Looked {
    let Some(domain) = bytes.strip_prefix(b"220 ").or_else(|| bytes.strip_prefix(b"220-")) else {
        return Looked::No;
    };
    if !begins_with_domain(domain) {
        Looked::No
    } else if domain.contains(&b'\n') {
        Looked::Yes
    } else {
        Looked::Unsure
    }
}

/// Whether two or more labels stand there, with dots between them.
fn begins_with_domain(bytes: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'.';
    let length = bytes.iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len());
    let domain = bytes.get(..length).unwrap_or_default();
    let is_label =
        |label: &[u8]| label.first().is_some_and(u8::is_ascii_alphabetic) && !label.ends_with(b"-");
    domain.split(|byte| *byte == b'.').take(2).filter(|label| is_label(label)).count() == 2
}

/// Whether a client leaves at once.
fn is_farewell(bytes: &[u8]) -> Looked {
    match bytes.get(..4) {
        Some(word) if word.eq_ignore_ascii_case(b"quit") => Looked::Yes,
        Some(_) => Looked::No,
        None => Looked::Unsure,
    }
}
