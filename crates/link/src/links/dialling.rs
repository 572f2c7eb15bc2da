//! Whom we dial: when, where, by which key, and why there is no link.

use super::{Arrival, Closing, Links, Making, Origin, Protection, REDIAL_MAX, REDIAL_MIN, Trouble};
use crate::secret::SecretIdentity;
use crate::tls;
use mio::net::TcpStream;
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::NodeId;

#[derive(Debug)]
pub(super) struct Dial {
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

impl Dial {
    /// All that `making` names, due at `now`.
    pub(super) fn all(making: &Making, now: Instant) -> Vec<Dial> {
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
        dials.collect()
    }

    /// The link stands.
    pub(super) fn stands(&mut self) {
        self.pause = REDIAL_MIN;
        self.refused = None;
        self.trouble = None;
    }

    /// The connection broke.
    pub(super) fn broke(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
        if let Trouble::Tls(name) = trouble {
            self.refused = Some(name);
        }
    }

    /// The connection is no more.
    pub(super) fn ended(&mut self, closing: Closing, now: Instant) {
        self.connection = None;
        // What a broken connection was broken by is noted already.
        if !matches!(closing, Closing::Failed | Closing::Tls) {
            self.trouble = Some(Trouble::Closed(closing));
        }
        self.again(now);
    }

    /// It is dialled again after a pause.
    fn again(&mut self, now: Instant) {
        self.at = now + self.pause;
        self.pause = (self.pause * 2).min(REDIAL_MAX);
    }
}

impl Links {
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

    /// What was dialled to make the connection at `place`.
    pub(super) fn dial_of(&mut self, place: usize) -> Option<&mut Dial> {
        self.dials.iter_mut().find(|dial| dial.connection == Some(place))
    }

    /// When the next one is due.
    pub(super) fn next_dial(&self) -> Option<Instant> {
        self.dials.iter().filter(|dial| dial.connection.is_none()).map(|dial| dial.at).min()
    }

    /// Dials whoever is due.
    pub(super) fn dial(&mut self, now: Instant) {
        for index in 0..self.dials.len() {
            let dial = &self.dials[index];
            if dial.connection.is_some() || dial.at > now {
                continue;
            }
            let (node, address) = (dial.node, dial.address);
            let tls = dial.client.as_ref().map(tls::connect).transpose();
            self.counters.dialled += 1;
            let (place, trouble) = match (TcpStream::connect(address), tls) {
                (Ok(stream), Ok(tls)) => (
                    self.admit(stream, tls.map(rustls::Connection::Client), Origin::Dialled(node), now),
                    None,
                ),
                (Err(error), _) => (None, Some(Trouble::Socket(error.kind()))),
                (_, Err(_)) => (None, None),
            };
            let dial = &mut self.dials[index];
            dial.connection = place;
            dial.trouble = trouble.or(dial.trouble);
            if place.is_none() {
                dial.again(now);
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

    /// A node lives elsewhere.
    pub fn set_address(&mut self, node: NodeId, address: SocketAddr, arrived: &mut Vec<Arrival>) {
        if let Some(home) = self.making.nodes.iter_mut().find(|home| home.0 == node) {
            home.1 = address;
        }
        let Some(dial) = self.dials.iter_mut().find(|dial| dial.node == node) else { return };
        if dial.address == address {
            return;
        }
        (dial.address, dial.pause, dial.at) = (address, REDIAL_MIN, Instant::now());
        if let Some(place) = dial.connection {
            self.close(place, Closing::Replaced, arrived);
        }
    }
}
