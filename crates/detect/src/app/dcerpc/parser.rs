//! The state of a flow that carries DCERPC: reads units from a stream, matches answers with what they answer.

use super::interface::Interface;
use super::pdu::{self, Header, kind};
use super::stub::Stub;
use super::transaction::DcerpcTransaction;
use super::{datagram, keywords};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::{Broken, Context, Input, Parser, Taken, Transactions, Transport};
use std::sync::Arc;

/// Interfaces that are remembered; those of new contexts beyond are not.
const INTERFACES_MAX: usize = 64;

/// The state of a flow.
#[derive(Clone, Default, Debug)]
pub struct DcerpcParser {
    transactions: Transactions<DcerpcTransaction>,
    interfaces: Arc<Vec<Interface>>,
}

impl Parser for DcerpcParser {
    type Transaction = DcerpcTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        match context.ends.transport {
            Transport::Udp => {
                datagram::feed(&mut self.transactions, input.bytes)?;
                Ok(Taken::all(&input))
            }
            Transport::Tcp => self.feed_stream(direction, input, context),
        }
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        for live in self.transactions.iter_mut() {
            live.transaction.lose(direction);
        }
    }

    fn transactions(&self) -> &Transactions<DcerpcTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<DcerpcTransaction> {
        &mut self.transactions
    }
}

impl DcerpcParser {
    fn feed_stream(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        // A flow that was joined in its midst may begin within a unit.
        let mut taken = if input.offset == 0 { beginning(input.bytes) } else { 0 };
        loop {
            let rest = input.bytes.get(taken..).unwrap_or_default();
            let Some(header) = Header::read(&mut Reader::new(rest)) else {
                let wanted = if rest.is_empty() { 0 } else { pdu::HEADER_BYTES };
                return Ok(Taken::part(taken, wanted));
            };
            let length = usize::from(header.length);
            if header.major != 5 || header.minor > 1 || length < pdu::HEADER_BYTES {
                return Err(Broken);
            }
            let Some(unit) = rest.get(..length) else {
                return Ok(Taken::part(taken, length));
            };
            let body = unit.get(pdu::HEADER_BYTES..).unwrap_or_default();
            context.frame(keywords::FRAME_HEADER, direction, &unit[..pdu::HEADER_BYTES]);
            context.frame(keywords::FRAME_UNIT, direction, unit);
            if !body.is_empty() {
                context.frame(keywords::FRAME_DATA, direction, body);
            }
            self.unit(&header, body).ok_or(Broken)?;
            taken += length;
        }
    }

    /// Takes a unit; nothing if it is malformed. Kinds that no rule can ask for (authentication, cancelling) are passed over.
    fn unit(&mut self, header: &Header, body: &[u8]) -> Option<()> {
        match header.kind {
            kind::BIND | kind::ALTER_CONTEXT => self.bind(header, body),
            kind::BIND_ACK | kind::ALTER_CONTEXT_RESPONSE => self.bind_answer(header, body),
            kind::REQUEST => self.request(header, body),
            kind::RESPONSE => {
                self.response(header, body);
                Some(())
            }
            _ => Some(()),
        }
    }

    fn bind(&mut self, header: &Header, body: &[u8]) -> Option<()> {
        let asked = pdu::bind(&mut Reader::new(body), header, false)?;
        let interfaces = Arc::make_mut(&mut self.interfaces);
        for interface in asked {
            if let Some(known) = interfaces.iter_mut().find(|known| known.context == interface.context) {
                *known = interface;
            } else if interfaces.len() < INTERFACES_MAX {
                interfaces.push(interface);
            }
        }
        let mut transaction = self.opened(header);
        transaction.kinds[Direction::ToServer.index()] = header.kind;
        transaction.done[Direction::ToServer.index()] = true;
        transaction.stubs[Direction::ToServer.index()].fragments = 1;
        self.transactions.open(transaction);
        Some(())
    }

    fn bind_answer(&mut self, header: &Header, body: &[u8]) -> Option<()> {
        let answers = pdu::bind_answers(&mut Reader::new(body))?;
        for interface in Arc::make_mut(&mut self.interfaces) {
            if interface.call_id == header.call_id
                && let Some(answer) = answers.get(usize::from(interface.place))
            {
                interface.answer = Some(*answer);
            }
        }
        self.answer(header, |_| {});
        Some(())
    }

    fn request(&mut self, header: &Header, body: &[u8]) -> Option<()> {
        let mut reader = Reader::new(body);
        let (context, operation) = pdu::request(&mut reader, header.is_little())?;
        let side = Direction::ToServer.index();
        // A response that came before its request waits for it.
        let waiting = self.transactions.iter_mut().find(|live| {
            let transaction = &live.transaction;
            transaction.call_id == header.call_id
                && !transaction.done[side]
                && transaction.kinds[1] == kind::RESPONSE
        });
        let interfaces = Arc::clone(&self.interfaces);
        let mut fresh = None;
        let transaction = match waiting {
            Some(live) => &mut live.transaction,
            None => fresh.insert(self.opened(header)),
        };
        transaction.interfaces = interfaces;
        transaction.kinds[side] = header.kind;
        transaction.context = context;
        transaction.operation = Some(operation);
        transaction.stubs[side].append(reader.rest());
        transaction.stubs[side].fragments = 1;
        transaction.done[side] = true;
        if let Some(transaction) = fresh {
            self.transactions.open(transaction);
        }
        Some(())
    }

    /// A response's stub has the eight bytes before it too, as Suricata's has.
    fn response(&mut self, header: &Header, body: &[u8]) {
        self.answer(header, |stub| stub.append(body));
    }

    /// Completes the exchange that an answer belongs to: the first that waits for one of its kind, else a new one.
    fn answer(&mut self, header: &Header, fill: impl FnOnce(&mut Stub)) {
        let asked = match header.kind {
            kind::BIND_ACK => kind::BIND,
            kind::ALTER_CONTEXT_RESPONSE => kind::ALTER_CONTEXT,
            _ => kind::REQUEST,
        };
        let side = Direction::ToClient.index();
        let waiting = self.transactions.iter().find(|live| {
            let transaction = &live.transaction;
            transaction.call_id == header.call_id && !transaction.done[side] && transaction.kinds[0] == asked
        });
        let id = match waiting.map(|live| live.id) {
            Some(id) => id,
            None => {
                let fresh = self.opened(header);
                self.transactions.open(fresh)
            }
        };
        if let Some(transaction) = self.transactions.get_mut(id) {
            transaction.interfaces = Arc::clone(&self.interfaces);
            transaction.kinds[side] = header.kind;
            transaction.done[side] = true;
            transaction.stubs[side].fragments = 1;
            fill(&mut transaction.stubs[side]);
        }
    }

    fn opened(&self, header: &Header) -> DcerpcTransaction {
        let mut transaction = DcerpcTransaction::new(header.call_id);
        transaction.minor = header.minor;
        transaction.is_little = header.is_little();
        transaction.interfaces = Arc::clone(&self.interfaces);
        transaction
    }
}

/// Where the first unit begins: at the front, or, if the front is none, where its first two bytes are seen.
fn beginning(bytes: &[u8]) -> usize {
    match bytes {
        [5, 0 | 1, ..] | [] | [_] => 0,
        _ => bytes.windows(2).position(|pair| pair == [5, 0]).unwrap_or(0),
    }
}
