//! POP3: commands and their replies.
//!
//! Upon a command: an exchange. Upon a reply: it belongs to the oldest exchange that has none, or makes one
//! of its own, as the server's welcome does. What follows a reply up to a line with a single dot belongs to
//! it; the lines of a list are kept, those of a mail are not. Upon the server's consent to `STLS`: what
//! follows is encrypted. Upon a hole: what looks like a command or a reply is taken up again.
//!
//! Not here: mails.

mod words;

use super::{
    Broken, Context, Field, Input, Looked, Next, Parser, Piece, Probe, Protocol, ProtocolId, Settings, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use words::{Command, Reply, SASL_DATA};

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Pop3,
    name: "pop3",
    keywords: &[],
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 5,
            look: is_command,
        },
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 5,
            look: is_reply,
        },
    ],
    begin: |_: &Settings| Protocol::boxed(Pop3::default()),
};

const PORTS: &[(u16, u16)] = &[(110, 110)];

/// The names of what can be odd, in the order of their bits.
const EVENTS: &[&str] = &[
    "too_many_transactions",
    "request_too_long",
    "incorrect_argument_count",
    "unknown_command",
    "response_too_long",
];

const TOO_MANY_TRANSACTIONS: u128 = 1 << 0;
const REQUEST_TOO_LONG: u128 = 1 << 1;
const INCORRECT_ARGUMENT_COUNT: u128 = 1 << 2;
const UNKNOWN_COMMAND: u128 = 1 << 3;
const RESPONSE_TOO_LONG: u128 = 1 << 4;

/// Exchanges at once at most; the flow is not followed beyond.
const EXCHANGES_MAX: usize = 256;
/// Bytes of a line at most; whoever says a longer one speaks something else.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Lines of a reply that are kept, and bytes of each.
const LINES_KEPT_MAX: usize = 64;
const LINE_BYTES_KEPT_MAX: usize = 512;
/// Bytes after which there is no doubt left what is spoken.
const DOUBT_BYTES_MAX: usize = 16;

/// A command and its reply.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pop3Transaction {
    command: Option<Command>,
    reply: Option<Reply>,
    lines: Vec<Vec<u8>>,
    is_over: bool,
    has_ended: [bool; 2],
    events: u128,
}

impl Transaction for Pop3Transaction {
    fn is_complete(&self, direction: Direction) -> bool {
        let said = match direction {
            Direction::ToServer => self.command.is_some(),
            Direction::ToClient => self.reply.is_some(),
        };
        said || self.is_over || self.has_ended.get(direction.index()).copied().unwrap_or(false)
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        if let Some(command) = &self.command {
            let mut request = Object::new();
            request.bytes("command", &command.word);
            request.byte_strings("args", command.arguments.iter().map(Vec::as_slice));
            record.object("request", request);
        }
        if let Some(reply) = &self.reply {
            let mut response = Object::new();
            response.flag("success", reply.is_ok);
            response.text("status", if reply.is_ok { "OK" } else { "ERR" });
            response.bytes("header", &reply.header);
            response.byte_strings("data", self.lines.iter().map(Vec::as_slice));
            record.object("response", response);
        }
    }
}

/// The lines of a reply that follow the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct LongReply {
    /// Whose it is.
    id: u64,
    /// Whether they are kept.
    is_kept: bool,
    /// A line has begun before.
    is_within_line: bool,
}

/// The state of a flow that speaks POP3.
#[derive(Clone, Default)]
struct Pop3 {
    exchanges: Transactions<Pop3Transaction>,
    long_reply: Option<LongReply>,
    /// What the client says next is no command, but what it knows.
    is_secret_next: bool,
    is_behind_a_hole: [bool; 2],
}

impl Parser for Pop3 {
    type Transaction = Pop3Transaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if let Some(is_behind) =
            self.is_behind_a_hole.get_mut(direction.index()).filter(|is_behind| **is_behind)
        {
            let look = if direction == Direction::ToServer { is_command } else { is_reply };
            if look(input.bytes) != Looked::Yes {
                return Ok(Taken::all(&input));
            }
            *is_behind = false;
        }
        let mut rest = input.bytes;
        while !rest.is_empty() {
            let taken = match (direction, self.long_reply) {
                (Direction::ToClient, Some(long)) => self.further_line(long, rest),
                _ => self.line(direction, rest, context)?,
            };
            let Some(after) = rest.get(taken..).filter(|_| taken > 0) else { break };
            rest = after;
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), 0))
    }

    fn gap(&mut self, direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        if let Some(is_behind) = self.is_behind_a_hole.get_mut(direction.index()) {
            *is_behind = true;
        }
        if direction == Direction::ToClient {
            self.long_reply = None;
        }
        Ok(())
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        for live in self.exchanges.iter_mut() {
            if let Some(has_ended) = live.transaction.has_ended.get_mut(direction.index()) {
                *has_ended = true;
            }
        }
    }

    fn transactions(&self) -> &Transactions<Pop3Transaction> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Pop3Transaction> {
        &mut self.exchanges
    }
}

impl Pop3 {
    /// Takes a command or the first line of a reply: how many bytes, none if it is not complete.
    fn line(
        &mut self,
        direction: Direction,
        rest: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, Broken> {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else {
            return if rest.len() > LINE_BYTES_MAX { Err(Broken) } else { Ok(0) };
        };
        let line = rest.get(..end).unwrap_or_default();
        match direction {
            Direction::ToServer => self.command(line)?,
            Direction::ToClient => self.reply(line, context)?,
        }
        Ok(end + 2)
    }

    fn command(&mut self, line: &[u8]) -> Result<(), Broken> {
        let (command, events) = if std::mem::take(&mut self.is_secret_next) {
            (Command { word: SASL_DATA.to_vec(), arguments: Vec::new() }, 0)
        } else {
            Command::parse(line).ok_or(Broken)?
        };
        self.open(Pop3Transaction { command: Some(command), events, ..Pop3Transaction::default() })
            .map(|_| ())
    }

    fn open(&mut self, exchange: Pop3Transaction) -> Result<u64, Broken> {
        if self.exchanges.len() > EXCHANGES_MAX {
            for live in self.exchanges.iter_mut().filter(|live| !live.transaction.is_over) {
                live.transaction.is_over = true;
                live.transaction.events |= TOO_MANY_TRANSACTIONS;
            }
            return Err(Broken);
        }
        Ok(self.exchanges.open(exchange))
    }

    fn reply(&mut self, line: &[u8], context: &mut Context<'_>) -> Result<(), Broken> {
        let (reply, events) = Reply::parse(line).ok_or(Broken)?;
        let waiting = self.exchanges.iter().find(|live| live.transaction.reply.is_none()).map(|live| live.id);
        let id = match waiting {
            Some(id) => id,
            None => self.open(Pop3Transaction::default())?,
        };
        let Some(exchange) = self.exchanges.get_mut(id) else { return Ok(()) };
        let is_login = exchange.command.as_ref().is_some_and(Command::ends_login);
        if is_login && !reply.is_ok {
            context.refuses_login();
        }
        if let Some(command) = exchange.command.as_ref().filter(|_| reply.is_ok) {
            match command.word.as_slice() {
                b"STLS" => context.then(Next::Switch(ProtocolId::Tls)),
                b"AUTH" => self.is_secret_next = true,
                word if command.has_long_reply() => {
                    let is_kept = !matches!(word, b"RETR" | b"TOP");
                    self.long_reply = Some(LongReply { id, is_kept, is_within_line: false });
                }
                _ => {}
            }
        }
        exchange.events |= events;
        exchange.reply = Some(reply);
        exchange.is_over = true;
        Ok(())
    }

    /// Takes a further line of a reply, or what is there of it: how many bytes, none if more is needed.
    fn further_line(&mut self, long: LongReply, rest: &[u8]) -> usize {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let whole = rest.get(..end.map_or(rest.len(), |end| end + 1)).unwrap_or_default();
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if end.is_none() && rest.len() < LINE_BYTES_KEPT_MAX {
            // It may be the last, or one that is kept.
            return 0;
        }
        if end.is_some() && line == b"." && !long.is_within_line {
            self.long_reply = None;
        } else {
            self.long_reply = Some(LongReply { is_within_line: end.is_none(), ..long });
            if long.is_kept
                && !long.is_within_line
                && let Some(exchange) = self.exchanges.get_mut(long.id)
                && exchange.lines.len() < LINES_KEPT_MAX
            {
                let line = line.strip_prefix(b".").unwrap_or(line);
                exchange.lines.push(line.iter().copied().take(LINE_BYTES_KEPT_MAX).collect());
            }
        }
        whole.len()
    }
}

/// Whether a line that is complete begins like a command.
fn is_command(bytes: &[u8]) -> Looked {
    looked(bytes, |line| Command::parse(line).is_some())
}

/// Whether a line that is complete begins like a reply.
fn is_reply(bytes: &[u8]) -> Looked {
    looked(bytes, |line| Reply::parse(line).is_some())
}

fn looked(bytes: &[u8], is_it: impl Fn(&[u8]) -> bool) -> Looked {
    match bytes.windows(2).position(|window| window == b"\r\n").and_then(|end| bytes.get(..end)) {
        Some(line) if is_it(line) => Looked::Yes,
        None if bytes.len() < DOUBT_BYTES_MAX => Looked::Unsure,
        Some(_) | None => Looked::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{ToClient, ToServer};
    use crate::app::trial::Trial;

    fn flow() -> Trial<Pop3> {
        Trial::new(Pop3::default(), Transport::Tcp, &[])
    }

    fn talk(flow: &mut Trial<Pop3>, say: fn(&mut Trial<Pop3>, Direction, &[u8])) {
        say(flow, ToClient, b"+OK ready\r\n");
        say(flow, ToServer, b"USER me\r\nLIST\r\n");
        say(flow, ToClient, b"+OK\r\n+OK 2 mails\r\n1 10\r\n2 20\r\n.\r\n");
        say(flow, ToServer, b"RETR 1\r\n");
        say(flow, ToClient, b"+OK 10 octets\r\n+OK in a mail\r\n..\r\n.\r\n");
        say(flow, ToServer, b"QUIT\r\n");
        say(flow, ToClient, b"-ERR no\r\n");
    }

    #[test]
    fn a_command_and_its_reply_are_an_exchange() {
        let mut whole = flow();
        talk(&mut whole, |flow, way, bytes| {
            flow.say(way, bytes);
        });
        assert_eq!(
            whole.records(),
            [
                r#"{"response":{"success":true,"status":"OK","header":"ready","data":[]}}"#,
                concat!(
                    r#"{"request":{"command":"USER","args":["me"]},"response":{"success":true,"status":"OK","#,
                    r#""header":"","data":[]}}"#,
                ),
                concat!(
                    r#"{"request":{"command":"LIST","args":[]},"response":{"success":true,"status":"OK","#,
                    r#""header":"2 mails","data":["1 10","2 20"]}}"#,
                ),
                concat!(
                    r#"{"request":{"command":"RETR","args":["1"]},"response":{"success":true,"status":"OK","#,
                    r#""header":"10 octets","data":[]}}"#,
                ),
                concat!(
                    r#"{"request":{"command":"QUIT","args":[]},"response":{"success":false,"status":"ERR","#,
                    r#""header":"no","data":[]}}"#,
                ),
            ]
        );
        let mut spelled = flow();
        talk(&mut spelled, |flow, way, bytes| {
            flow.spell(way, bytes);
        });
        assert!(whole.transactions().eq(spelled.transactions()));
        assert!(whole.events(EVENTS).is_empty());
    }

    #[test]
    fn what_is_odd_is_told() {
        let events = |to_server: &[u8], to_client: &[u8]| {
            let mut flow = flow();
            flow.say(ToServer, to_server).say(ToClient, to_client);
            flow.events(EVENTS)
        };
        assert_eq!(events(b"FOO\r\n", b""), ["unknown_command"]);
        assert_eq!(events(b"USER\r\n", b""), ["incorrect_argument_count"]);
        assert_eq!(events(&[&b"USER "[..], &[b'x'; 300], b"\r\n"].concat(), b""), ["request_too_long"]);
        assert_eq!(
            events(b"NOOP\r\n", &[&b"+OK "[..], &[b'x'; 600], b"\r\n"].concat()),
            ["response_too_long"]
        );
        let mut many = flow();
        many.say(ToServer, &b"NOOP\r\n".repeat(300));
        assert!(many.broken);
        assert_eq!(many.events(EVENTS), ["too_many_transactions"]);
    }

    #[test]
    fn a_password_that_is_refused_is_told_and_other_errors_are_not() {
        let mut flow = flow();
        flow.say(ToClient, b"+OK ready\r\n").say(ToServer, b"USER me\r\n").say(ToClient, b"-ERR nobody\r\n");
        assert_eq!(flow.refused_logins, 0);
        flow.say(ToServer, b"PASS wrong\r\n").say(ToClient, b"-ERR no\r\n");
        assert_eq!(flow.refused_logins, 1);
        flow.say(ToServer, b"PASS right\r\n").say(ToClient, b"+OK welcome\r\n");
        assert_eq!(flow.refused_logins, 1);
    }

    #[test]
    fn a_secret_is_no_command_and_encryption_is_handed_on() {
        let mut flow = flow();
        flow.say(ToServer, b"AUTH PLAIN\r\n").say(ToClient, b"+ \r\n").say(ToServer, b"AGE9PQ==\r\nSTLS\r\n");
        flow.say(ToClient, b"+OK\r\n+OK\r\n");
        assert!(!flow.broken && flow.events(EVENTS).is_empty());
        assert_eq!(flow.next, Some(Next::Switch(ProtocolId::Tls)));
    }

    #[test]
    fn behind_a_hole_what_looks_right_is_taken_up() {
        let mut flow = flow();
        flow.say(ToServer, b"RETR 1\r\n")
            .say(ToClient, b"+OK\r\nmail")
            .gap(ToClient, 10)
            .say(ToClient, b"more mail\r\n");
        flow.say(ToServer, b"QUIT\r\n").say(ToClient, b"+OK bye\r\n");
        assert_eq!(flow.transactions().filter(|exchange| exchange.reply.is_some()).count(), 2);
    }

    #[test]
    fn what_is_something_else_is_given_up() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b" x\r\n", &[b'x'; 20_000]] {
            let mut flow = flow();
            flow.say(ToClient, bytes);
            assert!(flow.broken);
        }
        assert_eq!((is_command(b"USER me\r\n"), is_reply(b"+OK hi\r\n")), (Looked::Yes, Looked::Yes));
        assert_eq!((is_command(b"+OK\r\n"), is_reply(b"* OK hello\r\n")), (Looked::No, Looked::No));
        assert_eq!(is_reply(b"+OK h"), Looked::Unsure);
    }
}
