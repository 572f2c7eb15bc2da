//! How the nodes of a cluster are, by their own word: each is asked over an ordinary link, by a client's key.
//!
//! Upon a link that stands: the node is asked ([`agree::aside`]); then all of them again, every [`ASK_EVERY`], until all have answered
//!   the same inquiry or the time is up. So no account is older than that, and an inquiry that was dropped is asked again.
//! Upon an account: it stands in the place of the node's earlier one, if its MAC is the node's.
//! Upon the end: who has no link, or gave no account, is [`Silence`], with the reason as far as it shows.
//!
//! No request is made, so no session of the cluster is used and no quorum needed.

use crate::error::OpenError;
use agree::account::Account;
use agree::aside::{self, BadAside};
use core::fmt;
use link::secret::random_number;
use link::{Arrival, Closing, Holder, Keyring, Links, Trouble};
use node::assemble;
use node::config::ClientConfig;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use wire::{ClientId, NodeId, Peer};

/// How often all are asked again while some have not answered.
pub const ASK_EVERY: Duration = Duration::from_millis(400);

/// Why there is no account of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Silence {
    /// Nothing listens there.
    Refused,
    /// The system could not reach it.
    Unreachable(ErrorKind),
    /// No sign of it came in time.
    TimedOut,
    /// It does not take our key.
    KeyNotKnown,
    /// It has another key than the one that we know; the name of the refusal.
    WrongKey(&'static str),
    /// TLS did not come about; the name of the refusal.
    NoTls(&'static str),
    /// It closed the link.
    Closed(Closing),
    /// The link stands, and it gave no account in time.
    Mute,
    /// What it answered is no account.
    Unreadable(BadAside),
}

impl Silence {
    /// Its name, for tables and JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Silence::Refused => "refused",
            Silence::Unreachable(_) => "unreachable",
            Silence::TimedOut => "timed-out",
            Silence::KeyNotKnown => "key-not-known",
            Silence::WrongKey(_) => "wrong-key",
            Silence::NoTls(_) => "no-tls",
            Silence::Closed(_) => "closed",
            Silence::Mute => "mute",
            Silence::Unreadable(_) => "unreadable",
        }
    }

    fn of(trouble: Option<Trouble>, refusal: Option<&'static str>) -> Silence {
        // What TLS had to say once says more than that the next connection broke.
        let trouble = refusal.map(Trouble::Tls).or(trouble);
        match trouble {
            None | Some(Trouble::Closed(Closing::Slow) | Trouble::Socket(ErrorKind::TimedOut)) => {
                Silence::TimedOut
            }
            Some(Trouble::Socket(ErrorKind::ConnectionRefused)) => Silence::Refused,
            Some(Trouble::Socket(kind)) => Silence::Unreachable(kind),
            Some(Trouble::Tls("refused-by-peer")) => Silence::KeyNotKnown,
            Some(Trouble::Tls(
                name @ ("unknown-key" | "expired-key" | "another-peer" | "wrong-proof" | "not-a-key"
                | "no-key"),
            )) => Silence::WrongKey(name),
            Some(Trouble::Tls(name)) => Silence::NoTls(name),
            Some(Trouble::Closed(closing)) => Silence::Closed(closing),
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Silence::Refused => f.write_str("nothing listens there: the node does not run, or elsewhere"),
            Silence::Unreachable(kind) => write!(f, "it cannot be reached: {kind}"),
            Silence::TimedOut => {
                f.write_str("no sign of it in time: its machine is off, cut off, or the node is stopped")
            }
            Silence::KeyNotKnown => {
                f.write_str("it does not take our key: this client was not admitted, or was removed, or its key is another now or has ended")
            }
            Silence::WrongKey(name) => {
                write!(f, "it does not have the key that we know as its own ({name}): our roster.changes is old, or it is another")
            }
            Silence::NoTls(name) => write!(f, "TLS did not come about ({name}): is its links = \"tls\" as ours?"),
            Silence::Closed(closing) => {
                write!(f, "it closed the link ({closing}): it may be of another cluster, or its links \"plain\"")
            }
            Silence::Mute => f.write_str(
                "the link stands, and it gave no account: it is stopped, of another version, or its replica takes nothing",
            ),
            Silence::Unreadable(error) => write!(f, "what it answered is no account: {error}"),
        }
    }
}

/// What asking a node came to.
pub type Answer = Result<Account, Silence>;

/// Asks those `nodes` of the cluster how they are, as the client that `config` speaks of, and waits for `wait` at most.
pub fn ask(
    config: &ClientConfig,
    nodes: &BTreeSet<NodeId>,
    wait: Duration,
) -> Result<BTreeMap<NodeId, Answer>, OpenError> {
    let end = Instant::now() + wait;
    let secret = config.secret().map_err(OpenError::Secret)?;
    // Two processes of one client that draw the same number would push each other out: one in 16 million.
    let drawn = draw()? & u64::from(ClientId::STATION_MAX);
    let me = config.client.session(drawn as u32, 0);
    let pins = assemble::pins(&config.cluster);
    let mut making = assemble::making(&config.cluster, Peer::Client(me), &secret, &pins);
    making.dial.retain(|(node, _)| nodes.contains(node));
    let links = Links::new(making).map_err(OpenError::System)?;
    let (holder, old) = (Holder::Client(config.client), config.old_secret().map_err(OpenError::Secret)?);
    let keys = assemble::keyring_of(holder, &secret, old.as_ref(), None, &pins);
    let mut asking = Asking { me, keys, links, number: draw()?, answers: BTreeMap::new() };
    let mut again = Instant::now() + ASK_EVERY;
    while !asking.all_have_answered(nodes) {
        let now = Instant::now();
        if now >= end {
            break;
        }
        if now >= again {
            again = now + ASK_EVERY;
            asking.number = draw()?;
            nodes.iter().for_each(|node| asking.ask(*node));
        }
        asking.turn(end.min(again) - now).map_err(OpenError::System)?;
    }
    Ok(nodes.iter().map(|node| (*node, asking.answer_of(*node))).collect())
}

fn draw() -> Result<u64, OpenError> {
    random_number().map_err(OpenError::Randomness)
}

struct Asking {
    me: ClientId,
    keys: Keyring,
    links: Links,
    /// The number of the inquiry that counts.
    number: u64,
    /// The latest of each node, with the number of the inquiry that it answers.
    answers: BTreeMap<NodeId, (u64, Result<Account, BadAside>)>,
}

impl Asking {
    fn all_have_answered(&self, nodes: &BTreeSet<NodeId>) -> bool {
        nodes
            .iter()
            .all(|node| matches!(self.answers.get(node), Some((number, Ok(_))) if *number == self.number))
    }

    fn ask(&mut self, node: NodeId) {
        let inquiry = aside::ask(&self.keys, self.me, node, self.number);
        self.links.send(Peer::Node(node), &inquiry);
    }

    fn turn(&mut self, wait: Duration) -> std::io::Result<()> {
        let mut arrived = Vec::new();
        self.links.turn(Some(wait), &mut arrived)?;
        for arrival in arrived {
            match arrival {
                Arrival::Up(Peer::Node(node)) => self.ask(node),
                Arrival::Aside(Peer::Node(node), bytes) => {
                    match aside::answered(&self.keys, node, self.number, bytes) {
                        // It is late, and the next one is on its way.
                        Err(BadAside::AnotherNumber) => {}
                        answer => _ = self.answers.insert(node, (self.number, answer)),
                    }
                }
                Arrival::Down(Peer::Node(node)) => _ = self.answers.remove(&node),
                Arrival::Frame(..)
                | Arrival::Aside(..)
                | Arrival::Up(_)
                | Arrival::Down(_)
                | Arrival::Foreign(_) => {}
            }
        }
        self.links.flush(&mut Vec::new());
        Ok(())
    }

    fn answer_of(&mut self, node: NodeId) -> Answer {
        match self.answers.remove(&node) {
            Some((_, Ok(account))) => Ok(account),
            Some((_, Err(bad))) => Err(Silence::Unreadable(bad)),
            None if self.links.is_up(Peer::Node(node)) => Err(Silence::Mute),
            None => Err(Silence::of(self.links.trouble(node), self.links.refusal(node))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_by_what_it_means_for_whoever_asks() {
        let of = |trouble| Silence::of(Some(trouble), None);
        assert_eq!(of(Trouble::Socket(ErrorKind::ConnectionRefused)), Silence::Refused);
        assert_eq!(of(Trouble::Tls("refused-by-peer")), Silence::KeyNotKnown);
        assert_eq!(of(Trouble::Tls("another-peer")), Silence::WrongKey("another-peer"));
        assert_eq!(of(Trouble::Tls("not-tls")), Silence::NoTls("not-tls"));
        assert_eq!(of(Trouble::Closed(Closing::Slow)), Silence::TimedOut);
        assert_eq!(Silence::of(None, None), Silence::TimedOut);
        let broken = Some(Trouble::Socket(ErrorKind::ConnectionReset));
        assert_eq!(Silence::of(broken, Some("refused-by-peer")), Silence::KeyNotKnown);
    }
}
