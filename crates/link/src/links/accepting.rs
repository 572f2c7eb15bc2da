//! Who is taken in, and who makes room.
//!
//! Upon connections that came in: at most [`ACCEPTS_MAX`] of them are taken in, after everything that came over the links that
//!   stand. The rest is taken up in the next turn, which does not wait.
//! Upon one more than [`STRANGERS_MAX`]: the oldest of those that have not said who they are is closed, and counted. Somebody with a
//!   right key says at once who it is; somebody who says nothing cannot keep it out.
//! Upon a flood from elsewhere: who came from where a node lives is not crowded out. Half of all places are divided among the nodes,
//!   and of those from one address the latest are kept, as many as its nodes have places. Whoever shares such an address with a
//!   node, or took a node over, has no more than that.
//! While nothing is read: nobody can say who it is, so nobody is crowded out. Who comes waits with the system.

use super::{ACCEPTS_MAX, Arrival, Closing, Links, Origin, STRANGERS_MAX};
use crate::listening::Came;
use crate::tls;
use mio::net::TcpStream;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;
use wire::auth::NODES_MAX;

/// Places that are kept for where nodes live: there is always somebody else to crowd out.
const KEPT_MAX: usize = STRANGERS_MAX / 2;
const _: () = assert!(NODES_MAX <= KEPT_MAX, "there is a place for each node");

impl Links {
    /// When those that wait to be taken in are next.
    pub(super) fn next_accept(&self) -> Option<Instant> {
        self.listening.as_ref().filter(|_| !self.held)?.due()
    }

    /// Takes in whoever has connected.
    pub(super) fn accept(&mut self, now: Instant, arrived: &mut Vec<Arrival>) {
        for _ in 0..ACCEPTS_MAX {
            if self.held && self.strangers.len() >= STRANGERS_MAX {
                return;
            }
            let Some(listening) = &mut self.listening else { return };
            match listening.next(now) {
                Came::Somebody(stream, from) => self.take_in(stream, from, now, arrived),
                Came::Gone => {}
                Came::Nobody => return,
            }
        }
        self.counters.accepts_put_off += 1;
    }

    fn take_in(&mut self, stream: TcpStream, from: SocketAddr, now: Instant, arrived: &mut Vec<Arrival>) {
        self.counters.accepted += 1;
        if self.strangers.len() >= STRANGERS_MAX {
            match self.most_dispensable() {
                Some(place) => self.close(place, Closing::CrowdedOut, arrived),
                None => return self.count(Closing::TooMany, true),
            }
        }
        let Ok(tls) = self.server.as_ref().map(tls::accept).transpose() else {
            return self.count(Closing::Tls, true);
        };
        let origin = Origin::From(from.ip().to_canonical());
        if let Some(place) = self.admit(stream, tls.map(rustls::Connection::Server), origin, now) {
            self.greet(place);
        }
    }

    /// The oldest of those that came in, have not said who they are, and are not kept. None that we dialled: somebody may be waiting.
    fn most_dispensable(&self) -> Option<usize> {
        let origin_of = |place: usize| self.stranger(place).map(|(_, origin)| origin);
        let dispensable = |index: &usize| match origin_of(self.strangers[*index]) {
            Some(Origin::From(address)) => {
                let of_same = |place: &&usize| origin_of(**place) == Some(Origin::From(address));
                let newer = self.strangers[index + 1..].iter().filter(of_same).count();
                newer >= self.kept_for(address)
            }
            Some(Origin::Dialled(_)) | None => false,
        };
        (0..self.strangers.len()).find(dispensable).map(|index| self.strangers[index])
    }

    /// How many from `address` are kept.
    fn kept_for(&self, address: IpAddr) -> usize {
        let nodes = &self.making.nodes;
        let living_there = nodes.iter().filter(|(_, home)| home.ip().to_canonical() == address).count();
        KEPT_MAX / nodes.len().max(1) * living_there
    }
}
