//! The state of a flow that carries RDP.

use super::certificates::{self, Record};
use super::message::{self, Message, Packet};
use crate::Direction;
use crate::app::{Broken, Context, Field, Input, Parser, Piece, Taken, Transaction, Transactions};
use crate::eve::Object;

/// What was said.
#[derive(Clone, Debug)]
pub(super) enum Said {
    Message(Message),
    /// The serial numbers of the server's certificates.
    Certificates(Vec<String>),
}

/// Something that was said.
#[derive(Clone, Debug)]
pub struct RdpTransaction {
    pub(super) number: u64,
    pub(super) direction: Direction,
    pub(super) said: Said,
}

impl Transaction for RdpTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}

/// The state of a flow.
#[derive(Clone, Debug, Default)]
pub struct RdpParser {
    transactions: Transactions<RdpTransaction>,
    is_tls: bool,
    /// All that is looked at was seen.
    is_over: bool,
}

impl Parser for RdpParser {
    type Transaction = RdpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while let Some(first) = rest.first()
            && !self.is_over
        {
            let taken = input.bytes.len() - rest.len();
            self.is_tls |= *first == certificates::HANDSHAKE;
            rest = if self.is_tls {
                match certificates::record(rest) {
                    Record::Whole(serials, behind) => {
                        if let Some(serials) = serials.filter(|_| direction == Direction::ToClient) {
                            self.say(direction, Said::Certificates(serials));
                            self.is_over = true;
                        }
                        behind
                    }
                    Record::Part(wanted) => return Ok(Taken::part(taken, wanted)),
                    Record::None => return Err(Broken),
                }
            } else {
                match message::packet(rest) {
                    Packet::Whole(message, behind) => {
                        self.hear(direction, message);
                        behind
                    }
                    Packet::Part(wanted) => return Ok(Taken::part(taken, wanted)),
                    Packet::None => return Err(Broken),
                }
            };
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<RdpTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<RdpTransaction> {
        &mut self.transactions
    }
}

impl RdpParser {
    fn hear(&mut self, direction: Direction, message: Message) {
        let speaker = match message {
            Message::Request { .. } | Message::ClientSettings(_) => Direction::ToServer,
            Message::Confirm { .. } | Message::ServerSettings => Direction::ToClient,
            Message::Other => return,
        };
        if speaker == direction {
            self.is_over |= matches!(message, Message::ServerSettings);
            self.say(direction, Said::Message(message));
        }
    }

    fn say(&mut self, direction: Direction, said: Said) {
        let number = self.transactions.opened().saturating_add(1);
        self.transactions.open(RdpTransaction { number, direction, said });
    }
}
