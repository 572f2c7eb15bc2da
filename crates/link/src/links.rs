//! The links of a node or a client: who is at the other end of which connection, and frames to and from them.
//!
//! Upon the start: it listens, if it is to; it dials those that it is to dial.
//! Upon a connection, either way: each end says who it is ([`crate::hello`]). What does not within [`GREETING_MAX`], says that
//!   it is of another cluster, or not whom it was meant to be, is closed and counted.
//! Upon a second connection of the same peer: the newer one stands. (The older is dead, or the peer was started again.)
//! Upon a frame from a node: it came over the link to that node. Upon one from a client's station: it names a session of that
//!   station. A session is reached over the connection of its station.
//! Upon an aside from either: it is handed on as what it is; whose it is, is said by the link and by its MAC.
//! Upon a frame to send: it is put into the buffer of the link, or dropped and counted if there is no link or no room.
//! Upon the end of a connection: those that are dialled are dialled again, after [`REDIAL_MIN`], twice as long each time up to
//!   [`REDIAL_MAX`].
//!
//! Upon a new secret of our own: connections from now on are made by it. Those that stand are their peers' to end.
//! Upon another address of a node: it is dialled there.
//!
//! Bounded: connections ([`CONNECTIONS_MAX`]), those that have not said who they are ([`STRANGERS_MAX`]; one more crowds out the
//! oldest), those that are taken in within one turn ([`ACCEPTS_MAX`]; the rest waits for the next), and what waits on each connection.
//!
//! In order: `making`, how they are made; `accepting`, who is taken in and who makes room; `strangers`, how somebody becomes a
//! peer; `dialling`; `news`, what they have to say.
//!
//! Not here: what a frame says, and whether it is true.

mod accepting;
mod dialling;
mod making;
mod news;
mod strangers;

pub use making::{Making, Protection};
pub use news::{Arrival, Closing, Counters, Trouble};

use self::dialling::Dial;
use crate::channel::{Broken, Channel, Reading};
use crate::framing::BadLength;
use crate::listening::Listening;
use crate::tls;
use bytes::Bytes;
use core::time::Duration;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use rustls::ServerConfig;
use socket2::SockRef;
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use wire::auth::NODES_MAX;
use wire::frame::ASIDE;
use wire::{ClientId, Decode, NodeId, Peer, Reader};

/// Connections at most.
pub const CONNECTIONS_MAX: usize = 4096;

/// Connections that have not said who they are at most.
pub const STRANGERS_MAX: usize = 128;

/// Connections that are taken in within one turn at most, after everything that came over those that stand.
pub const ACCEPTS_MAX: usize = 16;

/// Connections that wait with the system until they are taken in at most, if it lets us. Whoever finds no place tries again only after a
/// second, so there is room for a flood of some turns.
const BACKLOG: i32 = 1024;

/// Stations at most: so that there is always room for nodes, those that we dial among them, and for whoever has not said yet that it
/// is one. (Who is taken in while others are crowded out needs a place before theirs are free.)
pub const STATIONS_MAX: usize = CONNECTIONS_MAX - STRANGERS_MAX - ACCEPTS_MAX - 2 * NODES_MAX;

/// Stations of one client at most, so that none takes the room of all.
pub const STATIONS_OF_ONE_MAX: usize = 256;

/// How long a connection may take to be made and to say who it is.
pub const GREETING_MAX: Duration = Duration::from_secs(2);

/// The first pause before somebody is dialled again.
pub const REDIAL_MIN: Duration = Duration::from_millis(20);

/// The longest pause before somebody is dialled again.
pub const REDIAL_MAX: Duration = Duration::from_millis(500);

/// Bytes read from a socket at once.
const READ_BYTES: usize = 256 << 10;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
/// The first token for sources that belong to somebody else.
const FOREIGN: usize = 2;
/// How many of those there may be.
const FOREIGN_MAX: usize = 8;
/// The token of connection 0.
const FIRST: usize = FOREIGN + FOREIGN_MAX;

/// How a connection came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// We dialled it, and this is who it must be.
    Dialled(NodeId),
    /// It came in, from this address.
    From(IpAddr),
}

#[derive(Debug)]
enum Phase {
    /// It has not said who it is.
    Greeting { since: Instant, origin: Origin, said: bool },
    /// It is this peer.
    Open(Peer),
}

#[derive(Debug)]
struct Connection {
    channel: Channel,
    phase: Phase,
    /// The socket may have more than was read.
    unread: bool,
    /// It is on the list of those with something to flush.
    dirty: bool,
}

/// The links.
pub struct Links {
    poll: Poll,
    /// Taken out while a turn goes through them.
    events: Option<Events>,
    making: Making,
    listening: Option<Listening>,
    /// What we answer by, over TLS.
    server: Option<Arc<ServerConfig>>,
    waker: Arc<Waker>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Ended in this turn: their places are free from the next one on, since events of this turn may still name them.
    ended: Vec<usize>,
    dials: Vec<Dial>,
    /// Those that have not said who they are, oldest first.
    strangers: Vec<usize>,
    nodes: HashMap<NodeId, usize>,
    stations: HashMap<ClientId, usize>,
    dirty: Vec<usize>,
    unread: Vec<usize>,
    /// Nothing is read for now.
    held: bool,
    scratch: Box<[u8]>,
    counters: Counters,
}

impl Links {
    /// Listens and prepares to dial.
    pub fn new(making: Making) -> io::Result<Links> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let listening = match making.listen {
            None => None,
            Some(address) => {
                let mut listener = TcpListener::bind(address)?;
                SockRef::from(&listener).listen(BACKLOG)?;
                poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
                Some(Listening::new(listener))
            }
        };
        let server = match &making.protection {
            Protection::Plain => None,
            Protection::Tls { secret, pins } => Some(tls::server_config(secret, Arc::clone(pins))),
        };
        Ok(Links {
            dials: Dial::all(&making, Instant::now()),
            poll,
            events: Some(Events::with_capacity(1024)),
            making,
            listening,
            server,
            waker,
            connections: Vec::new(),
            free: Vec::new(),
            ended: Vec::new(),
            strangers: Vec::new(),
            nodes: HashMap::new(),
            stations: HashMap::new(),
            dirty: Vec::new(),
            unread: Vec::new(),
            held: false,
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
            counters: Counters::default(),
        })
    }

    /// Where it really listens.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.listening.as_ref().and_then(Listening::address)
    }

    /// Ends a turn that waits, from another thread.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Where a source of the caller's own is registered, so that one turn waits for everything; `number` comes back in
    /// [`Arrival::Foreign`].
    #[must_use]
    pub fn foreign(&self, number: usize) -> (&Registry, Token) {
        assert!(number < FOREIGN_MAX, "there is room for {FOREIGN_MAX} sources of the caller's");
        (self.poll.registry(), Token(FOREIGN + number))
    }

    /// Whether nothing is to be read from now on: whoever takes what comes has no room. What peers send waits with them, and what
    /// is sent to them goes out.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether a link to `peer` stands.
    #[must_use]
    pub fn is_up(&self, peer: Peer) -> bool {
        self.place_of(peer).is_some()
    }

    fn place_of(&self, peer: Peer) -> Option<usize> {
        match peer {
            Peer::Node(node) => self.nodes.get(&node).copied(),
            Peer::Client(client) => self.stations.get(&client.station()).copied(),
        }
    }

    /// Waits until something comes, at most for `timeout`, and adds it to `arrived`.
    pub fn turn(&mut self, timeout: Option<Duration>, arrived: &mut Vec<Arrival>) -> io::Result<()> {
        self.free.append(&mut self.ended);
        self.flush(arrived);
        let now = Instant::now();
        self.dial(now);
        let mut wait = self.next_chore().map(|at| at.saturating_duration_since(now));
        if let Some(timeout) = timeout {
            wait = Some(wait.map_or(timeout, |wait| wait.min(timeout)));
        }
        if !self.unread.is_empty() && !self.held {
            wait = Some(Duration::ZERO);
        }
        let mut events = self.events.take().expect("they are put back after each turn");
        match self.poll.poll(&mut events, wait) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                self.events = Some(events);
                return Err(error);
            }
        }
        if !self.held {
            for place in std::mem::take(&mut self.unread) {
                self.read(place, arrived);
            }
        }
        for event in &events {
            match event.token() {
                LISTENER => {
                    if let Some(listening) = &mut self.listening {
                        listening.told(now);
                    }
                }
                WAKER => {}
                Token(token) if token < FIRST => arrived.push(Arrival::Foreign(token - FOREIGN)),
                Token(token) => {
                    let place = token - FIRST;
                    if event.is_writable() {
                        self.writable(place, arrived);
                    }
                    if event.is_readable() || event.is_error() || event.is_read_closed() {
                        self.read(place, arrived);
                    }
                }
            }
        }
        self.events = Some(events);
        let now = Instant::now();
        self.expire(now, arrived);
        // Last: who has said who it is by now is nobody whom others could crowd out.
        self.accept(now, arrived);
        Ok(())
    }

    /// Sends a frame over the link to `to`, if there is one and it has room. It leaves with the next flush.
    pub fn send(&mut self, to: Peer, frame: &[u8]) {
        let Some(place) = self.place_of(to) else {
            self.counters.frames_to_nobody += 1;
            return;
        };
        let Some(connection) = self.connections[place].as_mut() else { return };
        if connection.channel.queue(frame) {
            self.counters.frames_out += 1;
        } else {
            self.counters.frames_dropped += 1;
        }
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(place);
        }
    }

    /// Lets everything go out that was sent, as far as sockets take it.
    pub fn flush(&mut self, arrived: &mut Vec<Arrival>) {
        for place in std::mem::take(&mut self.dirty) {
            let Some(connection) = self.connections[place].as_mut() else { continue };
            connection.dirty = false;
            if let Err(broken) = connection.channel.flush() {
                let closing = self.broken(place, &broken);
                self.close(place, closing, arrived);
            }
        }
    }

    /// The next thing that is due without anything coming.
    fn next_chore(&self) -> Option<Instant> {
        [self.next_dial(), self.next_expiry(), self.next_accept()].into_iter().flatten().min()
    }

    fn writable(&mut self, place: usize, arrived: &mut Vec<Arrival>) {
        // A connection that we made is writable once it stands.
        self.greet(place);
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else { return };
        if let Err(broken) = connection.channel.flush() {
            let closing = self.broken(place, &broken);
            self.close(place, closing, arrived);
        }
    }

    fn read(&mut self, place: usize, arrived: &mut Vec<Arrival>) {
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_mut) else { return };
        if self.held {
            // The system tells of it once only.
            if !connection.unread {
                connection.unread = true;
                self.unread.push(place);
            }
            return;
        }
        connection.unread = false;
        let read = connection.channel.read(&mut self.scratch);
        // A handshake answers what it reads.
        if connection.channel.tls().is_some() && connection.channel.has_output() && !connection.dirty {
            connection.dirty = true;
            self.dirty.push(place);
        }
        let frames = self.take_frames(place, arrived);
        let closing = match (frames, read) {
            (Err(closing), _) => Some(closing),
            (Ok(()), Err(broken)) => Some(self.broken(place, &broken)),
            (Ok(()), Ok(Reading::Closed)) => Some(Closing::Closed),
            (Ok(()), Ok(Reading::Drained)) => None,
            (Ok(()), Ok(Reading::More)) => {
                if let Some(connection) = self.connections[place].as_mut().filter(|one| !one.unread) {
                    connection.unread = true;
                    self.unread.push(place);
                }
                None
            }
        };
        if let Some(closing) = closing {
            self.close(place, closing, arrived);
        }
    }

    fn take_frames(&mut self, place: usize, arrived: &mut Vec<Arrival>) -> Result<(), Closing> {
        while let Some(connection) = self.connections[place].as_mut() {
            let frame = match connection.channel.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(BadLength(_)) if matches!(connection.phase, Phase::Greeting { .. }) => {
                    return Err(Closing::NotOurs);
                }
                Err(BadLength(_)) => return Err(Closing::BadFrame),
            };
            match connection.phase {
                Phase::Greeting { origin, .. } => self.introduce(place, origin, frame, arrived)?,
                Phase::Open(peer) if frame.first() == Some(&ASIDE) => {
                    arrived.push(Arrival::Aside(peer, frame));
                }
                Phase::Open(Peer::Node(node)) => {
                    self.counters.frames_in += 1;
                    arrived.push(Arrival::Frame(Peer::Node(node), frame));
                }
                Phase::Open(Peer::Client(station)) => {
                    self.counters.frames_in += 1;
                    let client = client_of(&frame).filter(|client| client.station() == station);
                    let client = client.ok_or(Closing::Impostor)?;
                    arrived.push(Arrival::Frame(Peer::Client(client), frame));
                }
            }
        }
        Ok(())
    }

    fn close(&mut self, place: usize, closing: Closing, arrived: &mut Vec<Arrival>) {
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else { return };
        let _ = self.poll.registry().deregister(&mut connection.channel.stream);
        let came_in = self.dial_of(place).is_none();
        self.count(closing, came_in);
        self.ended.push(place);
        match connection.phase {
            Phase::Greeting { .. } => self.strangers.retain(|one| *one != place),
            Phase::Open(peer) => {
                match peer {
                    Peer::Node(node) => _ = self.nodes.remove(&node),
                    Peer::Client(station) => _ = self.stations.remove(&station),
                }
                arrived.push(Arrival::Down(peer));
            }
        }
        if let Some(dial) = self.dial_of(place) {
            dial.ended(closing, Instant::now());
        }
    }

    /// Why a broken connection is closed; what it was broken by is noted, and what TLS has to say of it counted.
    fn broken(&mut self, place: usize, broken: &Broken) -> Closing {
        let (closing, trouble) = match broken {
            Broken::Socket(kind) => (Closing::Failed, Trouble::Socket(*kind)),
            Broken::Tls(error) => {
                let name = tls::Refusal::of(error).name();
                *self.counters.refused.entry(name).or_default() += 1;
                (Closing::Tls, Trouble::Tls(name))
            }
        };
        if let Some(dial) = self.dial_of(place) {
            dial.broke(trouble);
        }
        closing
    }

    fn count(&mut self, closing: Closing, came_in: bool) {
        *self.counters.closed.entry(closing).or_default() += 1;
        self.counters.turned_away += u64::from(came_in && closing.is_refusal());
    }
}

/// Which client a frame says that it is from.
fn client_of(frame: &Bytes) -> Option<ClientId> {
    let mut reader = Reader::new(frame.slice(1..));
    Peer::decode(&mut reader).ok().and_then(Peer::client)
}
