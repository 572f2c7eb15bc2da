//! TFTP: what is asked for.
//!
//! Upon a datagram to the server: an exchange with the name of the file and the mode; one that has none ends
//! the matter, as data is sent from other ports. Upon an answer: nothing.
//!
//! Not here: files.

use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Settings, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Tftp,
    name: "tftp",
    keywords: &[],
    events: &[],
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Tftp::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Udp, ports: &[(69, 69)], direction, least: 4, look: begins_with_zero }
}

/// Ways in which files can be sent.
const MODES: &[&[u8]] = &[b"netascii", b"mail", b"octet"];

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TftpTransaction {
    operation: u8,
    file: Vec<u8>,
    mode: Vec<u8>,
}

impl TftpTransaction {
    /// What is asked for in these bytes.
    fn parse(bytes: &[u8]) -> Option<TftpTransaction> {
        let [0, operation @ 1..=5, rest @ ..] = bytes else { return None };
        let mut texts = rest.split(|byte| *byte == 0);
        let (file, mode) = (texts.next()?, texts.next()?.to_ascii_lowercase());
        // The mode has an end, too.
        texts.next()?;
        let is_text = core::str::from_utf8(file).is_ok();
        (is_text && MODES.contains(&mode.as_slice())).then(|| TftpTransaction {
            operation: *operation,
            file: file.to_vec(),
            mode,
        })
    }
}

impl Transaction for TftpTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn record(&self, record: &mut Object) {
        let packet = match self.operation {
            1 => "read",
            2 => "write",
            _ => "error",
        };
        record.text("packet", packet);
        record.bytes("file", &self.file);
        record.bytes("mode", &self.mode);
    }
}

/// The state of a flow that speaks TFTP.
#[derive(Clone, Default)]
struct Tftp {
    requests: Transactions<TftpTransaction>,
}

impl Parser for Tftp {
    type Transaction = TftpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if direction == Direction::ToServer && !input.bytes.is_empty() {
            self.requests.open(TftpTransaction::parse(input.bytes).ok_or(Broken)?);
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<TftpTransaction> {
        &self.requests
    }

    fn transactions_mut(&mut self) -> &mut Transactions<TftpTransaction> {
        &mut self.requests
    }
}

fn begins_with_zero(bytes: &[u8]) -> Looked {
    if bytes.len() >= 4 && bytes.starts_with(&[0]) { Looked::Yes } else { Looked::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::trial::Trial;

    #[test]
    fn a_request_tells_the_file_and_the_mode() {
        let mut flow = Trial::new(Tftp::default(), Transport::Udp, &[]);
        flow.say(Direction::ToServer, b"\0\x01rfc.txt\0OCTET\0")
            .say(Direction::ToClient, b"\0\x03\0\x01data");
        assert_eq!(flow.records(), [r#"{"packet":"read","file":"rfc.txt","mode":"octet"}"#]);
        assert_eq!(begins_with_zero(b"\0\x01rfc"), Looked::Yes);
        assert_eq!(begins_with_zero(b"GET /"), Looked::No);
    }

    #[test]
    fn what_is_no_request_ends_the_matter() {
        for bytes in [
            &b"\0\x01file\0fast\0"[..],
            b"\0\x09file\0octet\0",
            b"\0\x01file\0octet",
            b"\0\x01file",
            b"\0\x01\xff\0octet\0",
            b"\0",
        ] {
            let mut flow = Trial::new(Tftp::default(), Transport::Udp, &[]);
            flow.say(Direction::ToServer, bytes);
            assert!(flow.broken, "{bytes:?}");
        }
    }
}
