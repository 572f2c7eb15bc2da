//! MQTT over TCP.
//!
//! Upon a message that begins an exchange (CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE): it is open until its answer
//! comes, or complete at once where no answer is due
//! (quality of service 0). Upon an answer: it joins the exchange with its number; one that answers nothing is an
//! exchange of its own, and odd. An
//! exchange is looked at in the direction of its first message.
//! Upon a message longer than `MESSAGE_BYTES_MAX`: its header is an exchange, its bytes are skipped.
//! Upon what cannot be read: an exchange that only tells so, and the end of the matter.
//!
//! Not here: the order in which messages may come, beyond what the events say.

mod keywords;
mod message;
mod property;
mod record;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Ready, Settings,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::{Body, Fault, Header, Message, PUBACK, PUBCOMP};

/// Bytes of a message behind its header that are read at most.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Messages of one exchange at most; later steps of a publication are not kept, and told.
const MESSAGES_MAX: usize = 1024;
/// Exchanges that are open at most; beyond that the oldest counts as complete, and is told.
const OPEN_MAX: usize = 1000;

const EVENTS: &[&str] = &[
    "missing_connect",
    "missing_publish",
    "missing_subscribe",
    "missing_unsubscribe",
    "double_connect",
    "unintroduced_message",
    "invalid_qos_level",
    "missing_msg_id",
    "unassigned_msg_type",
    "too_many_transactions",
    "malformed_traffic",
    "too_many_messages",
];
const MISSING_CONNECT: u128 = 1;
const MISSING_PUBLISH: u128 = 1 << 1;
const MISSING_SUBSCRIBE: u128 = 1 << 2;
const MISSING_UNSUBSCRIBE: u128 = 1 << 3;
const DOUBLE_CONNECT: u128 = 1 << 4;
const UNINTRODUCED: u128 = 1 << 5;
const INVALID_QOS: u128 = 1 << 6;
const MISSING_ID: u128 = 1 << 7;
const UNASSIGNED: u128 = 1 << 8;
const TOO_MANY_EXCHANGES: u128 = 1 << 9;
const MALFORMED: u128 = 1 << 10;
const TOO_MANY_MESSAGES: u128 = 1 << 11;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Mqtt,
    name: "mqtt",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["mqtt.pdu", "mqtt.header", "mqtt.data"],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Mqtt::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(1883, 1883)], direction, least: 1, look }
}

fn look(bytes: &[u8]) -> Looked {
    match Header::read(bytes) {
        Ok(header) if header.kind == 0 || header.qos > 2 => Looked::No,
        Ok(_) => Looked::Yes,
        Err(Fault::Incomplete) => Looked::Unsure,
        Err(Fault::Malformed) => Looked::No,
    }
}

/// By what an exchange is known while it is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Key {
    Connect,
    Id(u16),
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Mqtt {
    transactions: Transactions<MqttTransaction>,
    version: u8,
    is_connected: bool,
    /// Bytes of a message that is too long, still to come, by direction.
    skip: [usize; 2],
}

/// Messages that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MqttTransaction {
    direction: Direction,
    key: Option<Key>,
    messages: Vec<Message>,
    /// The version that was agreed on when it began.
    version: u8,
    is_complete: bool,
    events: u128,
}

impl Mqtt {
    fn open(&mut self, direction: Direction, message: Option<Message>, key: Option<Key>, events: u128) {
        if self.transactions.len() >= OPEN_MAX
            && let Some(oldest) = self.transactions.iter_mut().find(|live| !live.transaction.is_complete)
        {
            oldest.transaction.is_complete = true;
            oldest.transaction.events |= TOO_MANY_EXCHANGES;
        }
        let is_complete = key.is_none();
        let messages = message.into_iter().collect();
        self.transactions.open(MqttTransaction {
            direction,
            key,
            messages,
            version: self.version,
            is_complete,
            events,
        });
    }

    fn waiting(&mut self, key: Key) -> Option<&mut MqttTransaction> {
        let open = |transaction: &MqttTransaction| !transaction.is_complete && transaction.key == Some(key);
        self.transactions.iter_mut().map(|live| &mut live.transaction).find(|transaction| open(transaction))
    }

    /// The last message of an exchange. One that answers nothing begins one.
    fn close(&mut self, direction: Direction, key: Key, message: Message, missing: u128) {
        if let Some(transaction) = self.waiting(key) {
            transaction.messages.push(message);
            transaction.is_complete = true;
        } else {
            let introduced = if key == Key::Connect { 0 } else { self.unintroduced() };
            self.open(direction, Some(message), None, missing | introduced);
        }
    }

    fn unintroduced(&self) -> u128 {
        if self.is_connected { 0 } else { UNINTRODUCED }
    }

    /// A message that is answered if its quality of service asks for it.
    fn begin(&mut self, direction: Direction, id: Option<u16>, message: Message) {
        let mut events = self.unintroduced();
        let mut stays_open = true;
        let mut key = None;
        match (message.header.qos, id) {
            (0, _) => stays_open = false,
            (1 | 2, Some(id)) => key = Some(Key::Id(id)),
            (1 | 2, None) => events |= MISSING_ID,
            _ => events |= INVALID_QOS,
        }
        self.open(direction, Some(message), key, events);
        if stays_open && let Some(last) = self.transactions.last_mut() {
            last.is_complete = false;
        }
    }

    fn take(&mut self, direction: Direction, message: Message) {
        let kind = message.header.kind;
        match &message.body {
            Body::Connect(connect) => {
                self.version = connect.version;
                let events = if self.is_connected { DOUBLE_CONNECT } else { 0 };
                self.open(direction, Some(message), Some(Key::Connect), events);
            }
            Body::ConnectAnswer { .. } => {
                self.is_connected |= self.waiting(Key::Connect).is_some();
                self.close(direction, Key::Connect, message, MISSING_CONNECT);
            }
            Body::Publish(publish) => {
                let id = publish.id;
                self.begin(direction, id, message);
            }
            Body::Subscribe { id, .. } | Body::Unsubscribe { id, .. } => {
                let id = Some(*id);
                self.begin(direction, id, message);
            }
            Body::PublishStep { id, .. } if kind == PUBACK || kind == PUBCOMP => {
                let key = Key::Id(*id);
                self.close(direction, key, message, MISSING_PUBLISH);
            }
            Body::PublishStep { id, .. } => {
                let key = Key::Id(*id);
                let missing = MISSING_PUBLISH | self.unintroduced();
                match self.waiting(key) {
                    Some(transaction) if transaction.messages.len() < MESSAGES_MAX => {
                        transaction.messages.push(message)
                    }
                    Some(transaction) => transaction.events |= TOO_MANY_MESSAGES,
                    None => self.open(direction, Some(message), None, missing),
                }
            }
            Body::SubscribeAnswer { id, .. } => {
                let key = Key::Id(*id);
                self.close(direction, key, message, MISSING_SUBSCRIBE);
            }
            Body::UnsubscribeAnswer { id, .. } => {
                let key = Key::Id(*id);
                self.close(direction, key, message, MISSING_UNSUBSCRIBE);
            }
            Body::Unassigned => self.open(direction, Some(message), None, UNASSIGNED),
            Body::Skipped => self.open(Direction::ToClient, Some(message), None, 0),
            Body::Ping | Body::Disconnect { .. } | Body::Authenticate { .. } => {
                let events = self.unintroduced();
                self.open(direction, Some(message), None, events);
            }
        }
    }

    fn malformed(&mut self, direction: Direction) -> Broken {
        self.open(direction, None, None, MALFORMED);
        Broken
    }
}

impl Parser for Mqtt {
    type Transaction = MqttTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let side = direction.index();
        let skipped = self.skip[side].min(input.bytes.len());
        self.skip[side] -= skipped;
        let mut taken = skipped;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let header = match Header::read(rest) {
                Ok(header) => header,
                Err(Fault::Incomplete) => return Ok(Taken::part(taken, 0)),
                Err(Fault::Malformed) => return Err(self.malformed(direction)),
            };
            let whole = header.bytes + header.length;
            if header.length > MESSAGE_BYTES_MAX {
                let present = whole.min(rest.len());
                self.take(direction, Message { header, body: Body::Skipped });
                self.skip[side] = whole - present;
                taken += present;
                continue;
            }
            let Some(body) = rest.get(header.bytes..whole) else { return Ok(Taken::part(taken, whole)) };
            match Message::read(header, body, self.version) {
                Ok(message) => {
                    context.frame("mqtt.pdu", direction, rest.get(..whole).unwrap_or_default());
                    // Header and data are looked for at the front of what came, even if messages stand before this
                    // one, and as if the header had two
                    // bytes: rules are written for that.
                    context.frame("mqtt.header", direction, input.bytes.get(..2).unwrap_or_default());
                    context.frame(
                        "mqtt.data",
                        direction,
                        input.bytes.get(2..header.length + 2).unwrap_or_default(),
                    );
                    if message.refuses_login() {
                        context.refuses_login();
                    }
                    self.take(direction, message);
                    taken += whole;
                }
                // All its bytes are here: it says less than it should.
                Err(Fault::Incomplete | Fault::Malformed) => return Err(self.malformed(direction)),
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<MqttTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<MqttTransaction> {
        &mut self.transactions
    }
}

impl Transaction for MqttTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_complete || direction != self.direction
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::Part }
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        keywords::visit(self, field, show);
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        keywords::number(self, field, show);
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record::write(&self.messages, record);
    }
}
