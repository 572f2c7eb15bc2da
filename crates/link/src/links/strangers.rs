//! Who is at the other end: from a socket that anybody may have opened to a link to a peer, and whether its key is still taken.

use super::{
    Arrival, CONNECTIONS_MAX, Closing, Connection, FIRST, GREETING_MAX, Links, Origin, Phase, Protection,
    STATIONS_MAX, STATIONS_OF_ONE_MAX,
};
use crate::channel::Channel;
use crate::hello::{BadHello, Hello};
use crate::holder::Holder;
use crate::tls;
use bytes::Bytes;
use mio::net::TcpStream;
use mio::{Interest, Token};
use std::time::Instant;
use wire::{ClientId, Encode, Peer};

impl Links {
    /// Takes a connection in, as somebody who has not said who it is.
    pub(super) fn admit(
        &mut self,
        stream: TcpStream,
        tls: Option<rustls::Connection>,
        origin: Origin,
        since: Instant,
    ) -> Option<usize> {
        let came_in = matches!(origin, Origin::From(_));
        let place = match self.free.pop() {
            Some(place) => place,
            None if self.connections.len() < CONNECTIONS_MAX => {
                self.connections.push(None);
                self.connections.len() - 1
            }
            None => {
                self.count(Closing::TooMany, came_in);
                return None;
            }
        };
        let mut channel = Channel::new(stream, tls);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut channel.stream, Token(FIRST + place), interest);
        if registered.is_err() {
            self.free.push(place);
            self.count(Closing::Failed, came_in);
            return None;
        }
        let phase = Phase::Greeting { since, origin, said: false };
        self.connections[place] = Some(Connection { channel, phase, unread: false, dirty: false });
        self.strangers.push(place);
        Some(place)
    }

    /// Says who we are.
    pub(super) fn greet(&mut self, place: usize) {
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

    /// When the next one has taken too long to say who it is.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        // They stand in the order in which they came.
        let (since, _) = self.stranger(*self.strangers.first()?)?;
        Some(since + GREETING_MAX)
    }

    /// Closes those that have taken too long to say who they are.
    pub(super) fn expire(&mut self, now: Instant, arrived: &mut Vec<Arrival>) {
        while self.next_expiry().is_some_and(|at| at <= now) {
            self.close(self.strangers[0], Closing::Slow, arrived);
        }
    }

    /// Since when the connection at `place` has not said who it is, and how it came about.
    pub(super) fn stranger(&self, place: usize) -> Option<(Instant, Origin)> {
        match self.connections[place].as_ref()?.phase {
            Phase::Greeting { since, origin, .. } => Some((since, origin)),
            Phase::Open(_) => None,
        }
    }

    /// The first word of a connection.
    pub(super) fn introduce(
        &mut self,
        place: usize,
        origin: Origin,
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
        let welcome = match (origin, hello.me) {
            (Origin::Dialled(meant), peer) => peer == Peer::Node(meant),
            (Origin::From(_), Peer::Node(node)) => {
                self.making.nodes.iter().any(|(one, _)| *one == node) && Peer::Node(node) != self.making.me
            }
            (Origin::From(_), Peer::Client(client)) => client == client.station(),
        };
        if !welcome || !self.has_the_key_of(place, hello.me) {
            return Err(Closing::WrongPeer);
        }
        if let Some(older) = self.place_of(hello.me) {
            self.close(older, Closing::Replaced, arrived);
        } else if !self.has_room_for(hello.me) {
            return Err(Closing::TooMany);
        }
        let Some(connection) = self.connections[place].as_mut() else { return Ok(()) };
        connection.phase = Phase::Open(hello.me);
        self.strangers.retain(|one| *one != place);
        match hello.me {
            Peer::Node(node) => _ = self.nodes.insert(node, place),
            Peer::Client(station) => _ = self.stations.insert(station, place),
        }
        if let Some(dial) = self.dial_of(place) {
            dial.stands();
        }
        arrived.push(Arrival::Up(hello.me));
        Ok(())
    }

    /// Whether one more may stay that is `peer`.
    fn has_room_for(&self, peer: Peer) -> bool {
        if peer.node().is_some() {
            return true;
        }
        let holder = Holder::of(peer);
        let is_same = |station: &&ClientId| Holder::of(Peer::Client(**station)) == holder;
        self.stations.len() < STATIONS_MAX
            && self.stations.keys().filter(is_same).count() < STATIONS_OF_ONE_MAX
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

    /// Closes the links to those whose keys are no longer taken: after the roster has changed, and as time passes.
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
}
