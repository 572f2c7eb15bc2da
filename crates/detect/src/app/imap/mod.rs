//! IMAP is recognised, so that rules can be for it; of what is said only logins are looked at, and whether they are refused.
//!
//! A line that is spread over segments is not put together: what is missed is that one login failed.

use super::nothing::Nothing;
use super::{
    Broken, Context, Input, Parser, Protocol, ProtocolId, Settings, Signature, Taken, Transactions, Transport,
};
use crate::Direction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Imap,
    name: "imap",
    keywords: &[],
    events: &[],
    frames: &[],
    signatures: &[
        reply(b"* OK "),
        reply(b"* NO "),
        reply(b"* BAD "),
        reply(b"* LIST "),
        reply(b"* ESEARCH "),
        reply(b"* STATUS "),
        reply(b"* FLAGS "),
        // Behind a tag of six letters at most.
        beginning(Direction::ToServer, b" CAPABILITY", 17),
    ],
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(Imap::default()),
};

const fn reply(bytes: &'static [u8]) -> Signature {
    beginning(Direction::ToClient, bytes, bytes.len() as u16)
}

const fn beginning(direction: Direction, bytes: &'static [u8], until: u16) -> Signature {
    Signature { transport: Transport::Tcp, direction, bytes, nocase: true, from: 0, until, confirm: None }
}

/// Bytes of a tag at most.
const TAG_BYTES_MAX: usize = 32;

/// The tag of a login that was not answered yet is remembered.
#[derive(Clone, Default)]
struct Imap {
    nothing: Transactions<Nothing>,
    login: Vec<u8>,
}

impl Imap {
    fn line(&mut self, direction: Direction, line: &[u8], context: &mut Context<'_>) {
        let mut words = line.split(|byte| byte.is_ascii_whitespace());
        let (Some(tag), Some(word)) = (words.next(), words.next()) else { return };
        match direction {
            Direction::ToServer => {
                let is_login =
                    word.eq_ignore_ascii_case(b"LOGIN") || word.eq_ignore_ascii_case(b"AUTHENTICATE");
                if is_login && tag.len() <= TAG_BYTES_MAX {
                    self.login = tag.to_vec();
                }
            }
            Direction::ToClient if !self.login.is_empty() && tag == self.login => {
                self.login.clear();
                if word.eq_ignore_ascii_case(b"NO") {
                    context.refuses_login();
                }
            }
            Direction::ToClient => {}
        }
    }
}

impl Parser for Imap {
    type Transaction = Nothing;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        for line in input.bytes.split(|byte| *byte == b'\n') {
            self.line(direction, line, context);
        }
        Ok(Taken::all(&input))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::trial::Trial;

    #[test]
    fn everything_is_taken_and_nothing_comes_of_it() {
        let mut flow = Trial::new(Imap::default(), Transport::Tcp, &[]);
        flow.say(Direction::ToClient, b"* OK ready\r\n")
            .gap(Direction::ToClient, 9)
            .say(Direction::ToServer, b"a CAPABILITY\r\n");
        assert!(!flow.broken);
        assert_eq!(flow.transactions().count(), 0);
    }

    #[test]
    fn a_login_that_is_refused_is_told_and_another_answer_is_not() {
        let mut flow = Trial::new(Imap::default(), Transport::Tcp, &[]);
        flow.say(Direction::ToServer, b"a1 LOGIN me secret\r\n")
            .say(Direction::ToClient, b"* CAPABILITY\r\na1 NO wrong\r\n");
        assert_eq!(flow.refused_logins, 1);
        flow.say(Direction::ToServer, b"a2 login me secret\r\n")
            .say(Direction::ToClient, b"a2 OK welcome\r\n");
        flow.say(Direction::ToServer, b"a3 SELECT x\r\n")
            .say(Direction::ToClient, b"a3 NO there is none\r\n");
        assert_eq!(flow.refused_logins, 1);
    }
}
