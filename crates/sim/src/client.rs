//! A simulated station: each of its clients asks, waits for a result that can be believed, thinks, asks again.
//!
//! One that lies makes its authenticators wrong for some replicas, leaves some of them out, tells others that it should
//! not tell, asks again for what it was long told, and asks for two different things under one number, of some for this
//! and of others for that. (Clement et al., "Making Byzantine Fault Tolerant Systems Tolerate Byzantine Faults", 2009, call
//! the first the "big MAC" attack.)
//!
//! The station itself is [`agree::Station`], as in production; here is what is around it: its timer, what it gathers in a turn, its
//! clients' next operations.

use crate::agenda::Happening;
use crate::crew::{Crew, station};
use crate::keys::SimKeys;
use crate::load;
use crate::random::Random;
use crate::service::Operation;
use crate::surroundings::Surroundings;
use crate::timers::{Came, Timers};
use crate::trace::Traced;
use agree::bundle::Gathering;
use agree::client::RETRY;
use agree::door::Door;
use agree::replica::Refusal;
use agree::sessions::FORGOTTEN;
use agree::station::{Done, SessionNumber};
use agree::{Message, Request, Settings, Station};
use bytes::Bytes;
use core::time::Duration;
use std::collections::BTreeMap;
use wire::{ClientId, Decode, Encode, Frame, Keys, NodeId, Peer, Time, Timestamp};

/// Requests that a client makes after all faults are over, if it would otherwise make none: they show that the cluster
/// makes progress, not only that it settled what was open.
const REQUESTS_AFTER_HEAL: u64 = 2;

/// How clients go about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Habits {
    /// The longest that a client thinks.
    pub think: Duration,
    /// How long a station gathers what is to leave.
    pub turn: Duration,
    /// How many requests a client makes.
    pub operations: u64,
}

/// One client.
struct Client {
    id: ClientId,
    number: SessionNumber,
    random: Random,
    /// How many requests it may still make.
    left: u64,
    thinking: bool,
    waiting: bool,
    /// What it asks for next, whatever else it would, and the result with which it is content.
    wish: Option<(Operation, Bytes)>,
    /// The request by which it last asked for that.
    wished: Timestamp,
}

/// One station, and its clients.
pub struct SimStation {
    /// Which station.
    number: u8,
    /// Its index among all peers.
    index: usize,
    /// The index of its first client among all clients.
    first: usize,
    station: Station<SimKeys>,
    clients: Vec<Client>,
    habits: Habits,
    timers: Timers,
    /// Whether the end of a turn is in the agenda.
    gathering: bool,
    lying: bool,
    whims: Random,
    keys: SimKeys,
    settings: Settings,
    /// What it said some time ago, as it was sent.
    remembered: Option<Bytes>,
    /// The other things that its clients ask for under the numbers of their last requests.
    others: BTreeMap<ClientId, Request>,
}

impl SimStation {
    /// Station `number` of `crew`, in a world of so many nodes. Each of its clients draws from a part of `random`.
    #[must_use]
    pub fn new(
        number: usize,
        crew: Crew,
        nodes: usize,
        settings: &Settings,
        keys: SimKeys,
        random: &Random,
        habits: Habits,
    ) -> Self {
        let mut asks = Station::new(station(number), settings, keys.clone());
        let clients: Vec<Client> = crew
            .of_station(number)
            .map(|index| Client {
                id: crew.client(index),
                number: asks.open(Time::ZERO, Timestamp(0)).expect("a crew is small"),
                random: random.part(index as u64),
                left: habits.operations,
                thinking: false,
                waiting: false,
                wish: None,
                wished: Timestamp(0),
            })
            .collect();
        let first = crew.of_station(number).start;
        SimStation {
            number: number as u8,
            index: nodes + number,
            first,
            station: asks,
            clients,
            habits,
            timers: Timers::default(),
            gathering: false,
            lying: false,
            whims: random.part(first as u64).part(1),
            keys,
            settings: settings.clone(),
            remembered: None,
            others: BTreeMap::new(),
        }
    }

    /// It begins or ceases to lie.
    pub fn set_lying(&mut self, lying: bool) {
        self.lying = lying;
    }

    /// Whether its clients wait for nothing and want nothing.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let wants =
            |client: &Client| client.waiting || client.thinking || client.left > 0 || client.wish.is_some();
        !self.clients.iter().any(wants)
    }

    /// Its clients begin to think about their first requests.
    pub fn start(&mut self, world: &mut Surroundings) {
        for place in 0..self.clients.len() {
            self.think(place, world);
        }
    }

    fn think(&mut self, place: usize, world: &mut Surroundings) {
        let client = &mut self.clients[place];
        if (client.left == 0 && client.wish.is_none()) || client.waiting || client.thinking {
            return;
        }
        client.thinking = true;
        let at = world.now.after(load::think(&mut client.random, self.habits.think));
        world.agenda.enter(at, Happening::Thought { client: (self.first + place) as u8 });
    }

    /// All faults are over: each client makes at least a few more requests.
    pub fn healed(&mut self, world: &mut Surroundings) {
        for place in 0..self.clients.len() {
            let client = &mut self.clients[place];
            client.left = client.left.max(REQUESTS_AFTER_HEAL);
            self.think(place, world);
        }
    }

    /// Its first client asks for `operation` until the result is `content`.
    pub fn wish(&mut self, operation: Operation, content: Bytes, world: &mut Surroundings) {
        self.clients[0].wish = Some((operation, content));
        self.think(0, world);
    }

    /// Whether it has what it wished for.
    #[must_use]
    pub fn is_content(&self) -> bool {
        self.clients[0].wish.is_none()
    }

    /// Its clients stop after what they have outstanding.
    pub fn stop(&mut self) {
        self.clients.iter_mut().for_each(|client| client.left = 0);
    }

    /// The client with this index among all has thought long enough.
    pub fn thought(&mut self, index: usize, world: &mut Surroundings) {
        let client = &mut self.clients[index - self.first];
        client.thinking = false;
        if client.waiting {
            return;
        }
        let operation = match &client.wish {
            Some((operation, _)) => operation.to_bytes(),
            None if client.left == 0 => return,
            None => {
                client.left -= 1;
                load::operation(&mut client.random).to_bytes()
            }
        };
        client.waiting = true;
        let timestamp = self.station.submit(world.now, client.number, operation.clone());
        if client.wish.is_some() {
            client.wished = timestamp;
        }
        let id = client.id;
        world.traced(|| Traced::Invoked { client: id, timestamp, operation: operation.clone() });
        world.checkers.invoked(world.now, id, timestamp, operation);
        self.gather(world);
    }

    /// A frame arrived over the link to `link`.
    pub fn receive(&mut self, link: Peer, frame: Bytes, world: &mut Surroundings) {
        let mut done = Vec::new();
        let taken = match link {
            Peer::Node(node) => self.station.received(world.now, node, frame, &mut done),
            Peer::Client(_) => Err(Refusal::NotAllowed),
        };
        if let Err(refusal) = taken {
            world.refused(self.index, Some(link), refusal);
        }
        for done in done {
            self.done(&done, world);
        }
        if self.station.has_to_say() {
            self.gather(world);
        } else {
            self.set_timer(world);
        }
    }

    /// Its retry timer may have run out.
    pub fn retry(&mut self, world: &mut Surroundings) {
        match self.timers.came(RETRY.0, world.now) {
            Came::Stale => {}
            Came::Later(at) => world.agenda.enter(at, Happening::Retry { station: self.number }),
            Came::Due => {
                self.station.passed(world.now);
                self.gather(world);
            }
        }
    }

    fn set_timer(&mut self, world: &mut Surroundings) {
        match self.station.deadline() {
            Some(deadline) => {
                if let Some(at) = self.timers.set(RETRY.0, deadline) {
                    world.agenda.enter(at, Happening::Retry { station: self.number });
                }
            }
            None => self.timers.clear(RETRY.0),
        }
    }

    /// Something is to leave: at the end of the turn.
    fn gather(&mut self, world: &mut Surroundings) {
        self.set_timer(world);
        if self.habits.turn == Duration::ZERO {
            self.turn(world);
        } else if !core::mem::replace(&mut self.gathering, true) {
            let at = world.now.after(self.habits.turn);
            world.agenda.enter(at, Happening::Turn { station: self.number });
        }
    }

    /// What was gathered leaves.
    pub fn turn(&mut self, world: &mut Surroundings) {
        self.gathering = false;
        let mut frames = Vec::new();
        self.station.flush(&mut frames);
        for (node, frame) in frames {
            let to = Peer::Node(node);
            if self.lying {
                self.lie(to, frame, world);
            } else {
                world.transmit(self.index, to, frame);
            }
        }
    }

    fn lie(&mut self, to: Peer, frame: Bytes, world: &mut Surroundings) {
        let index = self.index;
        let anybody = Peer::Node(NodeId(self.whims.index(world.network.directory().nodes) as u16));
        match self.whims.below(8) {
            0 => {}
            1 => {
                // The last bytes are the authenticator's.
                let mut bytes = frame.to_vec();
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                world.transmit(index, to, Bytes::from(bytes));
            }
            2 => world.transmit(index, anybody, frame.clone()),
            3 => {
                if let Some(old) = &self.remembered {
                    world.transmit(index, anybody, old.clone());
                }
                world.transmit(index, to, frame.clone());
            }
            4 => self.say_other_than(&frame, to, world),
            5 => {
                self.say_other_than(&frame, anybody, world);
                world.transmit(index, to, frame.clone());
            }
            _ => world.transmit(index, to, frame.clone()),
        }
        if self.whims.chance(100) {
            self.remembered = Some(frame);
        }
    }

    /// Asks for other things than in `frame` under the same numbers.
    fn say_other_than(&mut self, frame: &Bytes, to: Peer, world: &mut Surroundings) {
        let said = Frame::from_bytes(frame.clone()).and_then(|frame| Message::from_bytes(frame.body));
        let messages = match said.expect("it was just made") {
            Message::Bundle(bundle) => bundle.into_messages(),
            message => vec![message],
        };
        let mut gathering = Gathering::default();
        for message in messages {
            let Message::Request(request) = message else { continue };
            let other = self.other_than(&request, world);
            // What fits a bundle once fits it with other operations, which are all short.
            let _ = gathering.add(Message::Request(other));
        }
        let Some(message) = gathering.take() else { return };
        let me = match &message {
            Message::Request(request) => request.client,
            _ => station(usize::from(self.number)),
        };
        let door = Door::new(Peer::Client(me), self.settings.protocol, Vec::new(), self.keys.clone());
        world.transmit(self.index, to, door.seal_for(&[to], &message).to_bytes());
    }

    /// A genuine request for something else under the same number, or the same; always alike for one number.
    fn other_than(&mut self, request: &Request, world: &mut Surroundings) -> Request {
        let (client, timestamp) = (request.client, request.timestamp);
        if let Some(other) = self.others.get(&client).filter(|other| other.timestamp == timestamp) {
            return other.clone();
        }
        let operation = load::operation(&mut self.whims).to_bytes();
        let mut other = Request { operation: operation.clone(), ..request.clone() };
        if other.signature.is_some() {
            other.signature = Some(Box::new(self.keys.sign(&other.signed_bytes())));
        }
        world.stats.second_thoughts += 1;
        world.traced(|| Traced::Note(format!("{client} asks for something else as its {timestamp}")));
        world.checkers.invoked_also(client, timestamp, operation);
        self.others.insert(client, other.clone());
        other
    }

    fn done(&mut self, done: &Done, world: &mut Surroundings) {
        let place = usize::from(done.session.number()) - 1;
        let client = &mut self.clients[place];
        client.waiting = false;
        let id = client.id;
        world.stats.forgotten += u64::from(done.accepted.result == FORGOTTEN);
        world.traced(|| Traced::Accepted { client: id, accepted: done.accepted.clone() });
        world.checkers.accepted(world.now, id, &done.accepted);
        let is_answered = done.accepted.timestamp == client.wished;
        if is_answered && client.wish.as_ref().is_some_and(|(_, content)| done.accepted.result == *content) {
            client.wish = None;
        }
        self.think(place, world);
    }
}
