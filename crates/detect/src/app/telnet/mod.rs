//! Telnet: lines and commands between them, for rules that look into either.
//!
//! Upon a command (`IAC …`): the frame `telnet.ctl`. Upon a line: the frame `telnet.data`, with its end. What
//! the server asks before somebody is logged in ends in a colon and a space instead. Everything is a
//! `telnet.pdu` as well.
//!
//! Not here: what the commands mean, and exchanges, which the protocol has none of.

use super::nothing::Nothing;
use super::{
    Broken, Context, Input, Looked, Parser, Probe, Protocol, ProtocolId, Settings, Taken, Transactions,
    Transport,
};
use crate::Direction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Telnet,
    name: "telnet",
    keywords: &[],
    events: &[],
    frames: &["telnet.pdu", "telnet.ctl", "telnet.data"],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Telnet::default()),
};

const fn probe(direction: Direction) -> Probe {
    // Anything at all may be said: the port alone tells.
    Probe { transport: Transport::Tcp, ports: &[(23, 23)], direction, least: 2, look: |_| Looked::Yes }
}

/// Begins a command.
const COMMAND: u8 = 0xff;
/// Bytes of a line at most; one that is longer is taken in pieces.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// How far the log in is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Login {
    #[default]
    Idle,
    NameAsked,
    NameGiven,
    PasswordAsked,
    PasswordGiven,
    Done,
    Failed,
}

/// The state of a flow that speaks Telnet.
#[derive(Clone, Default)]
struct Telnet {
    nothing: Transactions<Nothing>,
    login: Login,
}

impl Parser for Telnet {
    type Transaction = Nothing;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while let Some(first) = rest.first() {
            let is_command = *first == COMMAND;
            let length = if is_command { command_length(rest) } else { self.line_length(direction, rest) };
            let Some((message, after)) = length.and_then(|length| rest.split_at_checked(length)) else {
                if rest.len() < LINE_BYTES_MAX {
                    break;
                }
                rest = &[];
                continue;
            };
            context.frame("telnet.pdu", direction, message);
            context.frame(if is_command { "telnet.ctl" } else { "telnet.data" }, direction, message);
            if !is_command {
                let was_refused = self.login == Login::Failed;
                self.said(direction, message);
                if self.login == Login::Failed && !was_refused {
                    context.refuses_login();
                }
            }
            rest = after;
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), 0))
    }

    fn gap(&mut self, _direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        Ok(())
    }

    fn transactions(&self) -> &Transactions<Nothing> {
        &self.nothing
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Nothing> {
        &mut self.nothing
    }
}

impl Telnet {
    /// Bytes of the line at the front, its end among them, if that is there.
    fn line_length(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let is_asked = matches!(self.login, Login::Idle | Login::Failed | Login::NameGiven);
        let end: &[u8] = if direction == Direction::ToClient && is_asked { b": " } else { b"\n" };
        bytes.windows(end.len()).position(|window| window == end).map(|place| place + end.len())
    }

    fn said(&mut self, direction: Direction, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.login = match (direction, self.login) {
            (Direction::ToClient, Login::Idle | Login::Failed) => Login::NameAsked,
            (Direction::ToServer, Login::NameAsked) => Login::NameGiven,
            (Direction::ToClient, Login::NameGiven) => Login::PasswordAsked,
            (Direction::ToServer, Login::PasswordAsked) => Login::PasswordGiven,
            (Direction::ToClient, Login::PasswordGiven) if line == b"Login incorrect" => Login::Failed,
            (Direction::ToClient, Login::PasswordGiven) if !line.is_empty() && line.is_ascii() => Login::Done,
            (_, login) => login,
        };
    }
}

/// Bytes of the command at the front, if they are there.
fn command_length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        251..=254 => Some(3),
        // Options, up to the command that ends them, which is the next.
        250 => {
            let options = bytes.get(3..)?;
            options.windows(2).position(|window| window == [COMMAND, 240]).map(|place| place + 3)
        }
        _ => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{ToClient, ToServer};
    use crate::app::trial::Trial;

    fn flow() -> Trial<Telnet> {
        Trial::new(Telnet::default(), Transport::Tcp, &["telnet.pdu", "telnet.ctl", "telnet.data"])
    }

    fn talk(flow: &mut Trial<Telnet>, say: fn(&mut Trial<Telnet>, Direction, &[u8])) {
        say(flow, ToClient, b"\xff\xfd\x18\xff\xfa\x18\x01\xff\xf0login: ");
        say(flow, ToServer, b"\xff\xfb\x18me\r\n");
        say(flow, ToClient, b"Password: ");
        say(flow, ToServer, b"secret\r\n");
        say(flow, ToClient, b"welcome\r\n$ \r\n");
        say(flow, ToServer, b"ls -l\r\n");
    }

    fn of(flow: &Trial<Telnet>, name: &str, way: Direction) -> Vec<Vec<u8>> {
        flow.frames
            .iter()
            .filter(|frame| frame.0 == name && frame.1 == way)
            .map(|frame| frame.2.clone())
            .collect()
    }

    #[test]
    fn lines_and_commands_are_frames() {
        let mut whole = flow();
        talk(&mut whole, |flow, way, bytes| {
            flow.say(way, bytes);
        });
        assert_eq!(
            of(&whole, "telnet.data", ToServer),
            [b"me\r\n".to_vec(), b"secret\r\n".to_vec(), b"ls -l\r\n".to_vec()]
        );
        assert_eq!(of(&whole, "telnet.ctl", ToClient).len(), 3);
        assert_eq!(of(&whole, "telnet.data", ToClient)[0], b"login: ");
        assert_eq!(whole.parser.login, Login::Done);
        let mut spelled = flow();
        talk(&mut spelled, |flow, way, bytes| {
            flow.spell(way, bytes);
        });
        assert_eq!(whole.frames, spelled.frames);
    }

    #[test]
    fn a_log_in_that_fails_begins_anew() {
        let mut flow = flow();
        for _ in 0..2 {
            flow.say(ToClient, b"login: ")
                .say(ToServer, b"me\n")
                .say(ToClient, b"Password: ")
                .say(ToServer, b"no\n");
            flow.say(ToClient, b"Login incorrect\n");
        }
        assert_eq!(flow.parser.login, Login::Failed);
    }

    #[test]
    fn a_line_without_end_is_let_go() {
        let mut flow = flow();
        flow.say(ToServer, &vec![b'x'; 100_000]).say(ToServer, b"ls\n");
        assert_eq!(of(&flow, "telnet.data", ToServer), [b"ls\n".to_vec()]);
    }

    #[test]
    fn truncated_commands_are_waited_for() {
        for bytes in [&b"\xff"[..], b"\xff\xfa", b"\xff\xfa\x18\x01", b"\xff\xfd"] {
            let mut flow = flow();
            flow.say(ToClient, bytes).end(ToClient);
            assert!(flow.frames.is_empty() && !flow.broken);
        }
    }
}
