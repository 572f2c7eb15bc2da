//! IMAP is recognised, so that rules can be for it; what is said is not looked into.

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

/// Nothing is remembered.
#[derive(Clone, Default)]
struct Imap {
    nothing: Transactions<Nothing>,
}

impl Parser for Imap {
    type Transaction = Nothing;

    fn feed(
        &mut self,
        _direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
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
}
