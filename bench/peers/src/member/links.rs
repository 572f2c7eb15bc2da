//! The connections of a member: non-blocking, in one thread, by `mio`.
//!
//! Upon the start: listen, then connect to every other member; of the two connections between a pair, each sends on the one
//! that it opened.
//! Upon bytes: whole frames are handed on, from clients and from members.
//! Upon `flush`: everything that was put for somebody leaves in one write; what the kernel does not take waits.
//! Upon a client's connection breaking: it is forgotten. Upon a member's: the process ends, and with it the run. A benchmark
//! with a broken link would measure something else.
//!
//! Limits: `OUT_BYTES_MAX` waits for a connection, then it counts as broken.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::frame;

/// So much may wait for a connection.
const OUT_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// What one system call reads.
const READ_BYTES: usize = 256 * 1024;
/// The others are being started at the same time.
const CONNECT_SECONDS_MAX: u64 = 20;
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
const EVENTS_MAX: usize = 256;
const LISTENER: Token = Token(usize::MAX);

/// A whole frame, and whose.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// From a client, on this connection.
    Client { connection: u32, frame: Bytes },
    /// From a member.
    Member { frame: Bytes },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Has not said hello yet.
    Unknown,
    Client,
    Member,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    peer: Peer,
    arrived: BytesMut,
    out: Vec<u8>,
    sent: usize,
    /// The kernel takes no more for now; an event will come.
    full: bool,
}

/// All connections of a member.
#[derive(Debug)]
pub(crate) struct Links {
    poll: Poll,
    events: Events,
    listener: TcpListener,
    /// By token; `None` where one was that broke.
    connections: Vec<Option<Connection>>,
    /// Those with something to send.
    dirty: Vec<usize>,
    room: Box<[u8]>,
}

impl Links {
    /// Listens at the address of member `id` and connects to all others; tokens 0 to n-1 are the members'.
    pub(crate) fn open(id: u32, addresses: &[SocketAddr]) -> io::Result<Self> {
        let own = id as usize - 1;
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(addresses[own])?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let mut links = Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            listener,
            connections: Vec::new(),
            dirty: Vec::new(),
            room: vec![0; READ_BYTES].into(),
        };
        for (index, address) in addresses.iter().enumerate() {
            if index == own {
                links.connections.push(None);
                continue;
            }
            let mut stream = connect(*address)?;
            stream.write_all(&id.to_le_bytes())?;
            stream.set_nonblocking(true)?;
            links.add(TcpStream::from_std(stream), Peer::Member)?;
        }
        Ok(links)
    }

    fn add(&mut self, mut stream: TcpStream, peer: Peer) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let token = Token(self.connections.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.connections.push(Some(Connection {
            stream,
            peer,
            arrived: BytesMut::new(),
            out: Vec::new(),
            sent: 0,
            full: false,
        }));
        Ok(())
    }

    /// Waits at most so long for something to happen, and hands on every frame that is there by then.
    pub(crate) fn wait(&mut self, at_most: Duration, hand_on: &mut impl FnMut(Incoming)) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(at_most)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let ready: Vec<(Token, bool, bool)> = self
            .events
            .iter()
            .map(|event| (event.token(), event.is_readable(), event.is_writable()))
            .collect();
        for (token, readable, writable) in ready {
            if token == LISTENER {
                self.accept()?;
                continue;
            }
            if writable
                && let Some(Some(connection)) = self.connections.get_mut(token.0)
                && connection.full
            {
                connection.full = false;
                self.dirty.push(token.0);
            }
            if readable {
                self.read(token.0, hand_on)?;
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.add(stream, Peer::Unknown)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads all that is there: an event comes only once for it.
    fn read(&mut self, index: usize, hand_on: &mut impl FnMut(Incoming)) -> io::Result<()> {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        let broken = loop {
            match connection.stream.read(&mut self.room) {
                Ok(0) => break Some("closed".to_owned()),
                Ok(count) => {
                    connection.arrived.extend_from_slice(&self.room[..count]);
                    if let Err(error) = frames(connection, index, hand_on) {
                        break Some(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break None,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error.to_string()),
            }
        };
        match broken {
            None => Ok(()),
            Some(why) => self.close(index, why),
        }
    }

    /// Forgets a client; a member is more than we can do without.
    fn close(&mut self, index: usize, why: String) -> io::Result<()> {
        match self.connections.get_mut(index).and_then(Option::take) {
            Some(connection) if connection.peer == Peer::Member => {
                Err(io::Error::other(format!("a member's link broke: {why}")))
            }
            _ => Ok(()),
        }
    }

    /// Where to put frames for `index` (a member's id less one, or a client's connection); nowhere if it is gone.
    pub(crate) fn out(&mut self, index: usize) -> Option<&mut Vec<u8>> {
        let connection = self.connections.get_mut(index)?.as_mut()?;
        if connection.out.is_empty() {
            self.dirty.push(index);
        }
        Some(&mut connection.out)
    }

    /// Hands the kernel what it takes.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        for index in std::mem::take(&mut self.dirty) {
            let Some(Some(connection)) = self.connections.get_mut(index) else { continue };
            if let Err(why) = send(connection) {
                self.close(index, why)?;
            }
        }
        Ok(())
    }
}

/// Hands on the whole frames in what arrived.
fn frames(
    connection: &mut Connection,
    index: usize,
    hand_on: &mut impl FnMut(Incoming),
) -> Result<(), String> {
    if connection.peer == Peer::Unknown {
        let Some(hello) = connection.arrived.first_chunk::<4>() else { return Ok(()) };
        connection.peer =
            if u32::from_le_bytes(*hello) == frame::HELLO_CLIENT { Peer::Client } else { Peer::Member };
        let _ = connection.arrived.split_to(4);
    }
    let number = u32::try_from(index).map_err(|_| "too many connections")?;
    while let Some(frame) = frame::take(&mut connection.arrived).map_err(|error| error.to_string())? {
        hand_on(match connection.peer {
            Peer::Member => Incoming::Member { frame },
            Peer::Client | Peer::Unknown => Incoming::Client { connection: number, frame },
        });
    }
    Ok(())
}

fn send(connection: &mut Connection) -> Result<(), String> {
    while !connection.full && connection.sent < connection.out.len() {
        match connection.stream.write(&connection.out[connection.sent..]) {
            Ok(count) => connection.sent += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.full = true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if connection.sent == connection.out.len() {
        connection.out.clear();
        connection.sent = 0;
    } else if connection.out.len() - connection.sent > OUT_BYTES_MAX {
        return Err(format!("more than {OUT_BYTES_MAX} bytes wait for it"));
    }
    Ok(())
}

fn connect(address: SocketAddr) -> io::Result<std::net::TcpStream> {
    let end = Instant::now() + Duration::from_secs(CONNECT_SECONDS_MAX);
    loop {
        match std::net::TcpStream::connect(address) {
            Err(_) if Instant::now() < end => std::thread::sleep(CONNECT_PAUSE),
            outcome => return outcome,
        }
    }
}
