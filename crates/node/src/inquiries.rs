//! Clients that ask how the node is, over their ordinary links.
//!
//! Upon an aside from a client's station that is an inquiry with that client's MAC: it waits for the end of the turn; then all that
//!   wait are answered with one account.
//! Upon one more than [`INQUIRIES_A_SECOND_MAX`] of one client within a second, or an aside that is no inquiry, or a node's: it is
//!   dropped and counted. Who asks asks again.
//!
//! Not here: what the account says. That is [`crate::report`].

use agree::account::Account;
use agree::aside;
use bytes::Bytes;
use core::time::Duration;
use link::{ClientNumber, Keyring, Links};
use std::collections::BTreeMap;
use wire::{ClientId, NodeId, Peer, Time};

/// Inquiries that one client, in all its stations, has answered within a second at most.
pub const INQUIRIES_A_SECOND_MAX: u32 = 16;

/// For how long inquiries are counted together.
const PERIOD: Duration = Duration::from_secs(1);

/// What was asked and not answered yet.
pub struct Inquiries {
    me: NodeId,
    keys: Keyring,
    waiting: Vec<(ClientId, u64)>,
    /// How often each client has asked in this period. The roster bounds it.
    asked: BTreeMap<ClientNumber, u32>,
    since: Time,
    refused: u64,
}

impl Inquiries {
    /// Nobody has asked `me` yet, whose keys are `keys`.
    #[must_use]
    pub fn new(me: NodeId, keys: Keyring) -> Inquiries {
        let (waiting, asked) = (Vec::new(), BTreeMap::new());
        Inquiries { me, keys, waiting, asked, since: Time::ZERO, refused: 0 }
    }

    /// An aside came over the link to `from`.
    pub fn hear(&mut self, now: Time, from: Peer, bytes: Bytes) {
        if now.since(self.since) >= PERIOD {
            self.since = now;
            self.asked.clear();
        }
        let inquiry = match from {
            Peer::Client(station) => {
                aside::asked(&self.keys, station, bytes).ok().map(|number| (station, number))
            }
            Peer::Node(_) => None,
        };
        let Some((station, number)) = inquiry else {
            self.refused += 1;
            return;
        };
        // Whoever has its MAC right is in the roster.
        let times = self.asked.entry(ClientNumber::of(station)).or_default();
        if *times >= INQUIRIES_A_SECOND_MAX {
            self.refused += 1;
            return;
        }
        *times += 1;
        self.waiting.push((station, number));
    }

    /// Whether somebody waits for an answer.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Asides that were not answered.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Answers all who wait; it leaves with the next flush.
    pub fn answer(&mut self, account: &Account, links: &mut Links) {
        for (station, number) in self.waiting.drain(..) {
            let answer = aside::answer(&self.keys, self.me, station, number, account.clone());
            links.send(Peer::Client(station), &answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::{Holder, Pins, Roster, SecretIdentity, WallTime};
    use std::sync::Arc;

    const NODE: NodeId = NodeId(2);

    fn secret(seed: u8) -> SecretIdentity {
        SecretIdentity::from_bytes(&[seed; 32], &[seed; 32])
    }

    /// The keys of node 2, client 1 and client 9; the last is in no roster.
    fn keys() -> [Keyring; 3] {
        let clients = [1, 9].map(|number| (Holder::Client(ClientNumber(number)), secret(number as u8)));
        let holders = [(Holder::Node(NODE), secret(2)), clients[0].clone()];
        let known = holders.iter().map(|(holder, secret)| (*holder, secret.public(None)));
        let pins = Arc::new(Pins::new(Roster::new(known).expect("it is one"), WallTime(0)));
        [&holders[0], &holders[1], &clients[1]]
            .map(|(holder, secret)| Keyring::new(*holder, secret, None, Arc::clone(&pins)))
    }

    #[test]
    fn who_asks_too_often_is_not_answered_and_who_comes_later_is() {
        let [node, client, stranger] = keys();
        let mut inquiries = Inquiries::new(NODE, node);
        let station = ClientNumber(1).session(3, 0);
        let ask = |number| aside::ask(&client, station, NODE, number);
        for number in 0..100 {
            inquiries.hear(Time(5), station.into(), ask(number));
        }
        assert_eq!(inquiries.waiting.len(), INQUIRIES_A_SECOND_MAX as usize);
        assert_eq!(inquiries.refused(), 100 - u64::from(INQUIRIES_A_SECOND_MAX));
        inquiries.waiting.clear();
        let refused = inquiries.refused();
        let unknown = ClientNumber(9).session(0, 0);
        inquiries.hear(Time(2_000_000_000), unknown.into(), aside::ask(&stranger, unknown, NODE, 1));
        inquiries.hear(Time(2_000_000_000), NodeId(0).into(), ask(1));
        inquiries.hear(Time(2_000_000_000), station.into(), Bytes::from_static(b"?"));
        assert!(!inquiries.is_waiting());
        assert_eq!(inquiries.refused(), refused + 3);
        inquiries.hear(Time(2_000_000_000), station.into(), ask(101));
        assert_eq!(inquiries.waiting, [(station, 101)]);
    }
}
