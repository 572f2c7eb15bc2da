//! The words of POP3: commands with their arguments, and replies.

use super::{INCORRECT_ARGUMENT_COUNT, REQUEST_TOO_LONG, RESPONSE_TOO_LONG, UNKNOWN_COMMAND};

/// Bytes of a command and its arguments, the end of the line among them, that are in order.
const COMMAND_BYTES_EXPECTED: usize = 256;
/// The same of the first line of a reply.
const REPLY_BYTES_EXPECTED: usize = 512;

/// What stands for what a client says to prove who it is.
pub(super) const SASL_DATA: &[u8] = b"<SASL DATA>";

/// A command that was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Command {
    pub(super) word: Vec<u8>,
    pub(super) arguments: Vec<Vec<u8>>,
}

impl Command {
    /// The command of a line, without its end, and what is odd about it; nothing if no command begins like
    /// that.
    pub(super) fn parse(line: &[u8]) -> Option<(Command, u128)> {
        let mut words = line.splitn(2, |byte| *byte == b' ');
        let word =
            words.next().filter(|word| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric))?;
        let rest = words.next().unwrap_or_default();
        let arguments: Vec<Vec<u8>> = rest
            .split(|byte| *byte == b' ')
            .filter(|argument| !argument.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let mut odd = match arguments_expected(word) {
            None => UNKNOWN_COMMAND,
            Some((least, most)) if arguments.len() < least || arguments.len() > most => {
                INCORRECT_ARGUMENT_COUNT
            }
            Some(_) => 0,
        };
        if word.len() + 1 + rest.len() + 2 > COMMAND_BYTES_EXPECTED {
            odd |= REQUEST_TOO_LONG;
        }
        Some((Command { word: word.to_vec(), arguments }, odd))
    }

    /// Whether its reply says whether a login went well.
    pub(super) fn ends_login(&self) -> bool {
        matches!(self.word.as_slice(), b"PASS" | b"APOP" | SASL_DATA)
    }

    /// Whether more lines follow its reply, if it goes well.
    pub(super) fn has_long_reply(&self) -> bool {
        match self.word.as_slice() {
            b"RETR" | b"TOP" | b"CAPA" => true,
            b"LIST" | b"UIDL" => self.arguments.is_empty(),
            _ => false,
        }
    }
}

/// How many arguments a command has, at least and at most; nothing if it is unknown.
fn arguments_expected(word: &[u8]) -> Option<(usize, usize)> {
    Some(match word {
        b"STAT" | b"NOOP" | b"RSET" | b"QUIT" | b"CAPA" | b"STLS" => (0, 0),
        b"SASL" => (1, usize::MAX),
        b"LIST" | b"UIDL" => (0, 1),
        b"RETR" | b"DELE" | b"USER" | b"PASS" => (1, 1),
        b"AUTH" => (1, 2),
        b"TOP" | b"APOP" => (2, 2),
        _ => return None,
    })
}

/// The first line of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    pub(super) is_ok: bool,
    pub(super) header: Vec<u8>,
}

impl Reply {
    /// The reply of a line, without its end, and what is odd about it; nothing if no reply begins like that.
    pub(super) fn parse(line: &[u8]) -> Option<(Reply, u128)> {
        let (is_ok, status, rest) = if let Some(rest) = line.strip_prefix(b"+OK") {
            (true, 3, rest)
        } else if let Some(rest) = line.strip_prefix(b"-ERR") {
            (false, 4, rest)
        } else if line == b"+" || line.starts_with(b"+ ") {
            // The server asks for more.
            (true, 1, line.get(1..)?)
        } else {
            return None;
        };
        if !(rest.is_empty() || rest.starts_with(b" ")) {
            return None;
        }
        let header = rest.get(1..).unwrap_or_default();
        let odd = if status + 1 + header.len() + 2 > REPLY_BYTES_EXPECTED { RESPONSE_TOO_LONG } else { 0 };
        Some((Reply { is_ok, header: header.to_vec() }, odd))
    }
}
