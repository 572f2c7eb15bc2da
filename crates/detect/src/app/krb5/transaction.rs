//! A message of Kerberos.

use super::{keywords, message};
use crate::Direction;
use crate::app::{Field, Piece, Transaction};
use crate::eve::Object;
use kerberos_parser::krb5::{EncryptionType, ErrorCode, MessageType};

const MALFORMED_DATA: u128 = 1;
const WEAK_ENCRYPTION: u128 = 2;

/// A message.
#[derive(Clone, Debug)]
pub struct Krb5Transaction {
    pub(super) direction: Direction,
    pub(super) kind: MessageType,
    /// The parts of the name of who asks.
    pub(super) client: Option<Vec<String>>,
    pub(super) realm: Option<String>,
    /// The parts of the name of what is asked for.
    pub(super) server: Option<Vec<String>>,
    pub(super) encryption: Option<EncryptionType>,
    pub(super) ticket_encryption: Option<EncryptionType>,
    pub(super) error: Option<ErrorCode>,
    /// What a reply or an error answers, if that was seen.
    pub(super) asked: Option<MessageType>,
    events: u128,
}

impl Krb5Transaction {
    pub(super) fn new(kind: MessageType) -> Self {
        Krb5Transaction {
            direction: Direction::ToServer,
            kind,
            client: None,
            realm: None,
            server: None,
            encryption: None,
            ticket_encryption: None,
            error: None,
            asked: None,
            events: 0,
        }
    }

    /// What comes after it is no ASN.1.
    pub(super) fn note_malformed(&mut self) {
        self.events |= MALFORMED_DATA;
    }

    /// Marks it if its encryption is weak.
    pub(super) fn judge_encryption(&mut self) {
        if self.encryption.is_some_and(message::is_weak) {
            self.events |= WEAK_ENCRYPTION;
        }
    }
}

impl Transaction for Krb5Transaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let name = match field {
            keywords::CLIENT_NAME => &self.client,
            keywords::SERVER_NAME => &self.server,
            _ => return,
        };
        if let Some(name) = name
            && direction == self.direction
        {
            for part in name.iter().filter(|part| !part.is_empty()) {
                show(Piece::whole(part.as_bytes()));
            }
        }
    }

    fn number(&self, field: Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        if direction != self.direction {
            return;
        }
        match (field, self.error) {
            (keywords::MESSAGE_TYPE, _) => show(u64::from(self.kind.0)),
            (keywords::ERROR_CODE, Some(error)) => show(u64::from(error.0.cast_unsigned())),
            _ => {}
        }
    }

    fn events(&self, direction: Direction) -> u128 {
        if direction == self.direction { self.events } else { 0 }
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}
