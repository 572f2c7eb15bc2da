//! One command with its replies, or replies that nobody asked for.

use super::commands::Command;
use super::keywords::{CODE, COMMAND, COMMAND_DATA, DYNAMIC_PORT, REPLY};
use crate::Direction;
use crate::app::{Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// Lines of replies that are kept of one exchange; later ones are not.
const REPLIES_MAX: usize = 1024;

/// What can be odd about an exchange, in the order of their bits.
pub(super) const EVENTS: &[&str] = &[
    "request_command_too_long",
    "response_command_too_long",
    "too_many_transactions",
    "file_before_port",
    "file_without_name",
];

/// What can be odd about an exchange, by the place of its name in [`EVENTS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    RequestTooLong,
    ResponseTooLong,
    TooManyTransactions,
    FileBeforePort,
    FileWithoutName,
}

/// A line of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Reply {
    /// Three digits, or nothing.
    code: Vec<u8>,
    text: Vec<u8>,
}

/// How a data connection is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DataPort {
    pub(super) port: u16,
    /// The server opens it, not the client.
    pub(super) is_active: bool,
}

/// One command with its replies, or replies that nobody asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FtpTransaction {
    /// Nothing if it is unknown, or there is none.
    pub(super) command: Option<Command>,
    /// The whole line, without spaces at its end.
    pub(super) line: Vec<u8>,
    pub(super) data_port: Option<DataPort>,
    /// It names another host than the client for the server to open a connection to.
    pub(super) bounces: bool,
    /// A last reply was given.
    pub(super) is_done: bool,
    pub(super) has_ended: [bool; 2],
    pub(super) is_reply_cut: bool,
    replies: Vec<Reply>,
    events: u128,
}

impl FtpTransaction {
    pub(super) fn of(command: Command, line: &[u8]) -> Self {
        FtpTransaction { command: Some(command), line: line.to_vec(), ..FtpTransaction::default() }
    }

    pub(super) fn set(&mut self, event: Event) {
        self.events |= 1 << event as u8;
    }

    /// Keeps a line of a reply; whether there was anything in it.
    pub(super) fn add_reply(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() || self.replies.len() >= REPLIES_MAX {
            return false;
        }
        let split = text
            .split_once(' ')
            .filter(|(code, _)| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()));
        let (code, text) = split.unwrap_or(("", text));
        self.replies.push(Reply { code: code.into(), text: text.into() });
        true
    }

    /// What stands behind the command and its space.
    fn command_data(&self) -> Option<&[u8]> {
        let start = self.command?.name().len() + 1;
        self.line.get(start..).filter(|data| !data.is_empty())
    }
}

impl Transaction for FtpTransaction {
    /// A command is not over before it was replied to: only then is it known where the data goes.
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_done || self.has_ended.get(direction.index()).copied().unwrap_or(false)
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        match field {
            _ if self.is_complete(direction) => Ready::Full,
            COMMAND | COMMAND_DATA => Ready::Full,
            CODE if !self.replies.is_empty() => Ready::Part,
            _ => Ready::No,
        }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let Some(command) = self.command else { return };
        match (field, direction) {
            (COMMAND, Direction::ToServer) => show(Piece::whole(command.name().as_bytes())),
            (COMMAND_DATA, Direction::ToServer) => {
                if let Some(data) = self.command_data() {
                    show(Piece::whole(data));
                }
            }
            (REPLY, Direction::ToClient) => {
                self.replies.iter().for_each(|reply| show(Piece::whole(&reply.text)))
            }
            (CODE, Direction::ToClient) => {
                self.replies.iter().for_each(|reply| show(Piece::whole(&reply.code)))
            }
            _ => {}
        }
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        if let (DYNAMIC_PORT, Some(_), Some(data)) = (field, self.command, self.data_port) {
            show(data.port.into());
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        if let Some(command) = self.command {
            record.text("command", command.name());
        }
        if let Some(data) = self.command_data() {
            record.bytes("command_data", data);
        }
        if let Some(data) = self.data_port {
            record.number("dynamic_port", data.port.into());
            record.text("mode", if data.is_active { "active" } else { "passive" });
        }
        let codes: Vec<&[u8]> =
            self.replies.iter().map(|reply| reply.code.as_slice()).filter(|code| !code.is_empty()).collect();
        if !codes.is_empty() {
            record.byte_strings("completion_code", codes);
        }
        if !self.replies.is_empty() {
            record.byte_strings("reply", self.replies.iter().map(|reply| reply.text.as_slice()));
            record.flag("reply_truncated", self.is_reply_cut);
        }
        record.text("reply_received", if self.is_done { "yes" } else { "no" });
    }
}
