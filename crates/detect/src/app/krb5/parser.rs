//! The state of a flow that carries Kerberos.

use super::message::{self, Read};
use super::transaction::Krb5Transaction;
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::{Broken, Context, Input, Parser, Taken, Transactions, Transport, UNTAKEN_BYTES_MAX};
use kerberos_parser::krb5::MessageType;

/// Bytes that a message over TCP may have.
const MESSAGE_BYTES_MAX: usize = UNTAKEN_BYTES_MAX - LENGTH_BYTES;
/// Bytes of the length before it.
const LENGTH_BYTES: usize = 4;

/// The state of a flow.
#[derive(Clone, Debug, Default)]
pub struct Krb5Parser {
    transactions: Transactions<Krb5Transaction>,
    /// The kind of the last request that was not answered.
    asked: Option<MessageType>,
}

impl Parser for Krb5Parser {
    type Transaction = Krb5Transaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            self.message(direction, input.bytes)?;
            return Ok(Taken::all(&input));
        }
        let mut reader = Reader::new(input.bytes);
        loop {
            let taken = input.bytes.len() - reader.len();
            if reader.is_empty() {
                return Ok(Taken::part(taken, 0));
            }
            let Some(length) = reader.be32() else {
                return Ok(Taken::part(taken, LENGTH_BYTES));
            };
            let length = length as usize;
            if length > MESSAGE_BYTES_MAX {
                return Err(Broken);
            }
            let Some(message) = reader.take(length) else {
                return Ok(Taken::part(taken, LENGTH_BYTES + length));
            };
            self.message(direction, message)?;
        }
    }

    fn transactions(&self) -> &Transactions<Krb5Transaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Krb5Transaction> {
        &mut self.transactions
    }
}

impl Krb5Parser {
    fn message(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let kind = match message::read(bytes) {
            Read::Message(mut transaction) => {
                let kind = transaction.kind;
                transaction.direction = direction;
                transaction.judge_encryption();
                if !is_request(kind) {
                    transaction.asked = self.asked;
                }
                self.transactions.open(*transaction);
                kind
            }
            Read::Kind(kind) => MessageType(kind),
            Read::Other => return Ok(()),
            Read::Malformed => {
                if let Some(transaction) = self.transactions.last_mut() {
                    transaction.note_malformed();
                }
                return Err(Broken);
            }
        };
        match kind {
            kind if is_request(kind) => self.asked = Some(kind),
            MessageType::KRB_AS_REP
            | MessageType::KRB_TGS_REP
            | MessageType::KRB_AP_REP
            | MessageType::KRB_ERROR => {
                self.asked = None;
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_request(kind: MessageType) -> bool {
    matches!(kind, MessageType::KRB_AS_REQ | MessageType::KRB_TGS_REQ | MessageType::KRB_AP_REQ)
}
