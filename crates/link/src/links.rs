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
//! Bounded: connections ([`CONNECTIONS_MAX`]), those that have not said who they are ([`STRANGERS_MAX`]; one more is closed
//! at once), and what waits on each connection.
//!
//! Not here: what a frame says, and whether it is true.

use crate::channel::{Broken, Channel, Reading};
use crate::framing::BadLength;
use crate::hello::{BadHello, Hello};
use crate::pins::Pins;
use crate::secret::SecretIdentity;
use crate::tls;
use bytes::Bytes;
use core::fmt;
use core::time::Duration;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use rustls::{ClientConfig, ServerConfig};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use wire::frame::ASIDE;
use wire::{ClientId, Decode, Digest, Encode, NodeId, Peer, Reader};

/// Connections at most.
pub const CONNECTIONS_MAX: usize = 4096;

/// Connections that have not said who they are at most.
pub const STRANGERS_MAX: usize = 128;

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

/// What came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A frame, over the link to this peer.
    Frame(Peer, Bytes),
    /// An aside ([`wire::frame::ASIDE`]), over the link to this node or station.
    Aside(Peer, Bytes),
    /// The link to this peer stands.
    Up(Peer),
    /// The link to this peer is gone.
    Down(Peer),
    /// A source of somebody else's has news.
    Foreign(usize),
}

/// Why a connection was closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Closing {
    /// The other end closed it.
    Closed,
    /// The socket failed.
    Failed,
    /// TLS did not come about: not TLS at all, or a key that is not taken.
    Tls,
    /// It took too long to say who it is.
    Slow,
    /// What it said first was no hello of our version.
    NotOurs,
    /// It is of another cluster.
    OtherCluster,
    /// It is not whom it was meant to be, or nobody that may connect.
    WrongPeer,
    /// It announced a frame that cannot be.
    BadFrame,
    /// It spoke for somebody else.
    Impostor,
    /// There were too many.
    TooMany,
    /// The same peer connected anew.
    Replaced,
}

impl Closing {
    /// Its name, for counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Closing::Closed => "closed",
            Closing::Failed => "failed",
            Closing::Tls => "tls",
            Closing::Slow => "slow",
            Closing::NotOurs => "not-ours",
            Closing::OtherCluster => "other-cluster",
            Closing::WrongPeer => "wrong-peer",
            Closing::BadFrame => "bad-frame",
            Closing::Impostor => "impostor",
            Closing::TooMany => "too-many",
            Closing::Replaced => "replaced",
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no link to somebody whom we dial, as of the last try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The system could not reach it, or the connection broke.
    Socket(ErrorKind),
    /// TLS did not come about; the name of the refusal.
    Tls(&'static str),
    /// It was reached, and then the link was closed.
    Closed(Closing),
}

/// What happened so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections that came in.
    pub accepted: u64,
    /// Connections that were tried.
    pub dialled: u64,
    /// Connections that ended, by why.
    pub closed: BTreeMap<Closing, u64>,
    /// Those of them that ended over TLS, by the name of the refusal.
    pub refused: BTreeMap<&'static str, u64>,
    /// Frames that came in.
    pub frames_in: u64,
    /// Frames that went out.
    pub frames_out: u64,
    /// Frames to somebody to whom no link stands.
    pub frames_to_nobody: u64,
    /// Frames for which there was no room.
    pub frames_dropped: u64,
}

/// What protects the links.
#[derive(Clone)]
pub enum Protection {
    /// Nothing: whoever is on the network can read, change and pretend. For isolated networks and measurements.
    Plain,
    /// Mutual TLS 1.3 between pinned keys.
    Tls {
        /// Our own keys.
        secret: Arc<SecretIdentity>,
        /// Whom we know.
        pins: Arc<Pins>,
    },
}

/// How the links of somebody are made.
#[derive(Clone)]
pub struct Making {
    /// Who it is.
    pub me: Peer,
    /// Of which cluster.
    pub cluster: Digest,
    /// Where to listen, if it is to.
    pub listen: Option<SocketAddr>,
    /// Whom to dial, and where.
    pub dial: Vec<(NodeId, SocketAddr)>,
    /// Which nodes may connect.
    pub nodes: Vec<NodeId>,
    /// What protects them.
    pub protection: Protection,
}

#[derive(Debug)]
enum Phase {
    /// It has not said who it is. If it was dialled: who it must be.
    Greeting { since: Instant, meant: Option<NodeId>, said: bool },
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

#[derive(Debug)]
struct Dial {
    node: NodeId,
    address: SocketAddr,
    /// What we call by, over TLS.
    client: Option<Arc<ClientConfig>>,
    connection: Option<usize>,
    at: Instant,
    pause: Duration,
    /// What TLS had to say when it was dialled last.
    refused: Option<&'static str>,
    trouble: Option<Trouble>,
}

/// The links.
pub struct Links {
    poll: Poll,
    /// Taken out while a turn goes through them.
    events: Option<Events>,
    making: Making,
    listener: Option<TcpListener>,
    /// What we answer by, over TLS.
    server: Option<Arc<ServerConfig>>,
    waker: Arc<Waker>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Ended in this turn: their places are free from the next one on, since events of this turn may still name them.
    ended: Vec<usize>,
    dials: Vec<Dial>,
    strangers: usize,
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
        let listener = match making.listen {
            None => None,
            Some(address) => {
                let mut listener = TcpListener::bind(address)?;
                poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
                Some(listener)
            }
        };
        let server = match &making.protection {
            Protection::Plain => None,
            Protection::Tls { secret, pins } => Some(tls::server_config(secret, Arc::clone(pins))),
        };
        let now = Instant::now();
        let dials = making.dial.iter().map(|(node, address)| Dial {
            node: *node,
            address: *address,
            client: match &making.protection {
                Protection::Plain => None,
                Protection::Tls { secret, pins } => Some(tls::client_config(secret, Arc::clone(pins), *node)),
            },
            connection: None,
            at: now,
            pause: REDIAL_MIN,
            refused: None,
            trouble: None,
        });
        Ok(Links {
            dials: dials.collect(),
            poll,
            events: Some(Events::with_capacity(1024)),
            making,
            listener,
            server,
            waker,
            connections: Vec::new(),
            free: Vec::new(),
            ended: Vec::new(),
            strangers: 0,
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
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
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

    /// Why TLS with a node that we dial did not come about when it was last tried; nothing if it did since, or was never tried.
    #[must_use]
    pub fn refusal(&self, node: NodeId) -> Option<&'static str> {
        self.dials.iter().find(|dial| dial.node == node).and_then(|dial| dial.refused)
    }

    /// Why no link to a node that we dial stands; nothing if one does, or the first try still goes on.
    #[must_use]
    pub fn trouble(&self, node: NodeId) -> Option<Trouble> {
        self.dials.iter().find(|dial| dial.node == node).and_then(|dial| dial.trouble)
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
                LISTENER => self.accept(),
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
        self.expire(Instant::now(), arrived);
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
        let dial = self.dials.iter().filter(|dial| dial.connection.is_none()).map(|dial| dial.at).min();
        let greeting = match self.strangers {
            0 => None,
            _ => self
                .connections
                .iter()
                .flatten()
                .filter_map(|connection| match connection.phase {
                    Phase::Greeting { since, .. } => Some(since + GREETING_MAX),
                    Phase::Open(_) => None,
                })
                .min(),
        };
        [dial, greeting].into_iter().flatten().min()
    }

    fn expire(&mut self, now: Instant, arrived: &mut Vec<Arrival>) {
        if self.strangers == 0 {
            return;
        }
        for place in 0..self.connections.len() {
            let slow = self.connections[place].as_ref().is_some_and(|connection| {
                matches!(connection.phase, Phase::Greeting { since, .. } if now >= since + GREETING_MAX)
            });
            if slow {
                self.close(place, Closing::Slow, arrived);
            }
        }
    }

    fn dial(&mut self, now: Instant) {
        for index in 0..self.dials.len() {
            let dial = &self.dials[index];
            if dial.connection.is_some() || dial.at > now {
                continue;
            }
            let (node, address) = (dial.node, dial.address);
            let tls = dial.client.as_ref().map(tls::connect).transpose();
            self.counters.dialled += 1;
            let (place, trouble) = match (TcpStream::connect(address), tls) {
                (Ok(stream), Ok(tls)) => {
                    (self.admit(stream, tls.map(rustls::Connection::Client), Some(node), now), None)
                }
                (Err(error), _) => (None, Some(Trouble::Socket(error.kind()))),
                (_, Err(_)) => (None, None),
            };
            let dial = &mut self.dials[index];
            dial.connection = place;
            dial.trouble = trouble.or(dial.trouble);
            if place.is_none() {
                dial.at = now + dial.pause;
                dial.pause = (dial.pause * 2).min(REDIAL_MAX);
            }
        }
    }

    fn accept(&mut self) {
        loop {
            let Some(listener) = &self.listener else { return };
            match listener.accept() {
                Ok((stream, _)) => {
                    self.counters.accepted += 1;
                    if self.strangers >= STRANGERS_MAX {
                        self.count(Closing::TooMany);
                        continue;
                    }
                    let Ok(tls) = self.server.as_ref().map(tls::accept).transpose() else {
                        self.count(Closing::Tls);
                        continue;
                    };
                    if let Some(place) =
                        self.admit(stream, tls.map(rustls::Connection::Server), None, Instant::now())
                    {
                        self.greet(place);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The other end has given up already, or this process has no descriptor left: the next one may do.
                Err(_) => return,
            }
        }
    }

    /// Takes a connection in, as somebody who has not said who it is.
    fn admit(
        &mut self,
        stream: TcpStream,
        tls: Option<rustls::Connection>,
        meant: Option<NodeId>,
        since: Instant,
    ) -> Option<usize> {
        let place = match self.free.pop() {
            Some(place) => place,
            None if self.connections.len() < CONNECTIONS_MAX => {
                self.connections.push(None);
                self.connections.len() - 1
            }
            None => {
                self.count(Closing::TooMany);
                return None;
            }
        };
        let mut channel = Channel::new(stream, tls);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut channel.stream, Token(FIRST + place), interest);
        if registered.is_err() {
            self.free.push(place);
            self.count(Closing::Failed);
            return None;
        }
        let phase = Phase::Greeting { since, meant, said: false };
        self.connections[place] = Some(Connection { channel, phase, unread: false, dirty: false });
        self.strangers += 1;
        Some(place)
    }

    /// Says who we are.
    fn greet(&mut self, place: usize) {
        let hello = Hello { cluster: self.making.cluster, me: self.making.me };
        let Some(connection) = self.connections[place].as_mut() else { return };
        if let Phase::Greeting { said, .. } = &mut connection.phase {
            if *said {
                return;
            }
            *said = true;
            connection.channel.queue(&hello.to_bytes());
            if !connection.dirty {
                connection.dirty = true;
                self.dirty.push(place);
            }
        }
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
                Phase::Greeting { meant, .. } => self.introduce(place, meant, frame, arrived)?,
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

    /// The first word of a connection.
    fn introduce(
        &mut self,
        place: usize,
        meant: Option<NodeId>,
        word: Bytes,
        arrived: &mut Vec<Arrival>,
    ) -> Result<(), Closing> {
        let hello = match Hello::read(word) {
            Ok(hello) => hello,
            Err(BadHello::Malformed(_) | BadHello::NotOurs | BadHello::Version(_)) => {
                return Err(Closing::NotOurs);
            }
        };
        if hello.cluster != self.making.cluster {
            return Err(Closing::OtherCluster);
        }
        let welcome = match (meant, hello.me) {
            (Some(meant), peer) => peer == Peer::Node(meant),
            (None, Peer::Node(node)) => {
                self.making.nodes.contains(&node) && Peer::Node(node) != self.making.me
            }
            (None, Peer::Client(client)) => client == client.station(),
        };
        if !welcome || !self.has_the_key_of(place, hello.me) {
            return Err(Closing::WrongPeer);
        }
        if let Some(older) = self.place_of(hello.me) {
            self.close(older, Closing::Replaced, arrived);
        }
        let Some(connection) = self.connections[place].as_mut() else { return Ok(()) };
        connection.phase = Phase::Open(hello.me);
        self.strangers -= 1;
        match hello.me {
            Peer::Node(node) => _ = self.nodes.insert(node, place),
            Peer::Client(station) => _ = self.stations.insert(station, place),
        }
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.connection == Some(place)) {
            dial.pause = REDIAL_MIN;
            dial.refused = None;
            dial.trouble = None;
        }
        arrived.push(Arrival::Up(hello.me));
        Ok(())
    }

    /// Whether the key at the other end of a connection is that of `peer`; over a plain link there is none to ask.
    fn has_the_key_of(&self, place: usize, peer: Peer) -> bool {
        match &self.making.protection {
            Protection::Plain => true,
            Protection::Tls { pins, .. } => {
                let connection = self.connections[place].as_ref().and_then(|one| one.channel.tls());
                let holder = connection.and_then(|tls| tls::holder_of(tls, pins));
                holder.is_some_and(|holder| holder.speaks_for(peer))
            }
        }
    }

    /// From now on connections are made by `secret`.
    pub fn switch_to(&mut self, secret: &SecretIdentity) {
        let Protection::Tls { secret: own, pins } = &mut self.making.protection else { return };
        *own = Arc::new(secret.clone());
        self.server = Some(tls::server_config(secret, Arc::clone(pins)));
        for dial in &mut self.dials {
            dial.client = Some(tls::client_config(secret, Arc::clone(pins), dial.node));
        }
    }

    /// A node is reached elsewhere.
    pub fn set_address(&mut self, node: NodeId, address: SocketAddr, arrived: &mut Vec<Arrival>) {
        let Some(dial) = self.dials.iter_mut().find(|dial| dial.node == node) else { return };
        if dial.address == address {
            return;
        }
        (dial.address, dial.pause, dial.at) = (address, REDIAL_MIN, Instant::now());
        if let Some(place) = dial.connection {
            self.close(place, Closing::Replaced, arrived);
        }
    }

    /// Closes the links to those whose keys are no longer taken: after the roster has changed, and when a day has passed.
    pub fn check_keys(&mut self, arrived: &mut Vec<Arrival>) {
        for place in 0..self.connections.len() {
            let peer = self.connections[place].as_ref().and_then(|connection| match connection.phase {
                Phase::Open(peer) => Some(peer),
                Phase::Greeting { .. } => None,
            });
            if peer.is_some_and(|peer| !self.has_the_key_of(place, peer)) {
                self.close(place, Closing::WrongPeer, arrived);
            }
        }
    }

    fn close(&mut self, place: usize, closing: Closing, arrived: &mut Vec<Arrival>) {
        let Some(mut connection) = self.connections.get_mut(place).and_then(Option::take) else { return };
        let _ = self.poll.registry().deregister(&mut connection.channel.stream);
        self.count(closing);
        self.ended.push(place);
        match connection.phase {
            Phase::Greeting { .. } => self.strangers -= 1,
            Phase::Open(peer) => {
                match peer {
                    Peer::Node(node) => _ = self.nodes.remove(&node),
                    Peer::Client(station) => _ = self.stations.remove(&station),
                }
                arrived.push(Arrival::Down(peer));
            }
        }
        let now = Instant::now();
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.connection == Some(place)) {
            dial.connection = None;
            // What a broken connection was broken by is noted already.
            if !matches!(closing, Closing::Failed | Closing::Tls) {
                dial.trouble = Some(Trouble::Closed(closing));
            }
            dial.at = now + dial.pause;
            dial.pause = (dial.pause * 2).min(REDIAL_MAX);
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
        if let Some(dial) = self.dials.iter_mut().find(|dial| dial.connection == Some(place)) {
            dial.trouble = Some(trouble);
            if let Trouble::Tls(name) = trouble {
                dial.refused = Some(name);
            }
        }
        closing
    }

    fn count(&mut self, closing: Closing) {
        *self.counters.closed.entry(closing).or_default() += 1;
    }
}

/// Which client a frame says that it is from.
fn client_of(frame: &Bytes) -> Option<ClientId> {
    let mut reader = Reader::new(frame.slice(1..));
    Peer::decode(&mut reader).ok().and_then(Peer::client)
}
