//! Who is a node or a client now, by the changes that operators signed: what the links and keys of a node or a client go by.
//!
//! Upon changes that somebody shows ([`Membership::show`]): each must be the next and signed by an operator whom the roster before it
//!   names ([`agree::roster::Chain`]). Then keys are taken by the new roster, links of keys that are out are closed, and nodes are
//!   dialled where they are now. Whoever shows them needs no trust: a replica that was hacked can hold changes back, and
//!   invent none.
//! Upon a change that no operator signed: it is refused by name and counted; nothing of what was shown is taken.

use crate::config::Cluster;
use crate::ending::Ending;
use agree::roster::{self, Chain, Edition, Entry, Notary, Refusal, Signed};
use bytes::Bytes;
use link::{Arrival, ClientNumber, Holder, Links, Pins, PublicIdentity, Roster};
use std::net::SocketAddr;
use std::str::from_utf8;
use std::sync::Arc;
use wire::{NodeId, Signature};

/// Tells identities and signatures by Ed25519.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ed25519;

fn identity(text: &[u8]) -> Option<PublicIdentity> {
    from_utf8(text).ok()?.parse().ok()
}

impl Notary for Ed25519 {
    fn keys(&self, text: &[u8]) -> Option<([u8; 32], [u8; 32])> {
        let identity = identity(text)?;
        Some((*identity.signing_key(), *identity.agreement_key()))
    }

    fn has_signed(&self, text: &[u8], body: &[u8], signature: &Signature) -> bool {
        identity(text).is_some_and(|identity| identity.has_signed(body, &signature.0))
    }
}

/// The roster of a cluster's files, as the state has it.
#[must_use]
pub fn first_roster(cluster: &Cluster) -> roster::Roster {
    let text = |identity: &PublicIdentity| vec![Bytes::from(identity.to_string())];
    let nodes = cluster.nodes().map(|node| {
        let address = Bytes::from(node.address.to_string());
        let identities = text(&node.identity);
        let entry = Entry { identities, address, name: Bytes::new(), operator: false };
        (roster::Holder::Node(node.node), entry)
    });
    let clients = cluster.clients.iter().map(|client| {
        let (identities, name) = (text(&client.identity), Bytes::from(client.name.clone()));
        let entry = Entry { identities, address: Bytes::new(), name, operator: client.operator };
        (roster::Holder::Client(client.client.0), entry)
    });
    roster::Roster::new(nodes.chain(clients))
}

/// A holder as links and keys name it.
#[must_use]
pub fn holder(holder: roster::Holder) -> Holder {
    match holder {
        roster::Holder::Node(node) => Holder::Node(node),
        roster::Holder::Client(client) => Holder::Client(ClientNumber(client)),
    }
}

/// The identities of an entry.
#[must_use]
pub fn identities(entry: &Entry) -> Vec<PublicIdentity> {
    entry.identities.iter().filter_map(|text| identity(text)).collect()
}

/// The roster as links and keys go by it.
#[must_use]
pub fn link_roster(roster: &roster::Roster) -> Roster {
    let holders = roster.iter().map(|(one, entry)| (holder(one), identities(entry)));
    Roster::of(holders).expect("a chain takes no change after which a key has two holders, or a holder none")
}

/// Where the nodes are.
pub fn addresses(roster: &roster::Roster) -> impl Iterator<Item = (NodeId, SocketAddr)> {
    roster.iter().filter_map(|(one, entry)| match one {
        roster::Holder::Node(node) => Some((node, from_utf8(&entry.address).ok()?.parse().ok()?)),
        roster::Holder::Client(_) => None,
    })
}

/// What a node or a client goes by.
#[derive(Clone, Debug)]
pub struct Membership {
    chain: Chain,
    pins: Arc<Pins>,
    refused: u64,
}

impl Membership {
    /// By the files at first.
    #[must_use]
    pub fn new(cluster: &Cluster, pins: Arc<Pins>) -> Membership {
        Membership { chain: cluster.chain.clone(), pins, refused: 0 }
    }

    /// All changes that it knows of.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The edition that it goes by.
    #[must_use]
    pub fn edition(&self) -> Edition {
        self.chain.edition()
    }

    /// Times that it was shown what no operator signed.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// When keys end, as `me` sees it.
    #[must_use]
    pub fn ending(&self, me: Holder) -> Ending {
        Ending::of(&self.pins.roster(), me, self.pins.now())
    }

    /// Somebody shows changes. Whether they change anything.
    pub fn show(
        &mut self,
        shown: &[Signed],
        links: &mut Links,
        arrived: &mut Vec<Arrival>,
    ) -> Result<bool, Refusal> {
        match self.chain.take(shown, &Ed25519) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(refusal) => {
                self.refused += 1;
                return Err(refusal);
            }
        }
        self.pins.replace(link_roster(self.chain.roster()));
        links.check_keys(arrived);
        for (node, address) in addresses(self.chain.roster()) {
            links.set_address(node, address, arrived);
        }
        Ok(true)
    }
}
