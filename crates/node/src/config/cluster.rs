//! Who is in the cluster: what all its nodes and clients are told alike.

use super::ConfigError;
use super::document::{ClientLine, ClusterPart, Links, NodeLine, Service, SettingsPart};
use super::error::Wrong;
use crate::membership;
use agree::Settings;
use agree::protocol::F_MAX;
use agree::roster::{Chain, Entry};
use core::ops::Range;
use link::pins::BadRoster;
use link::{ClientNumber, Holder, PublicIdentity, Roster, SecretIdentity};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use wire::NodeId;

/// The cluster as every node and client knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cluster {
    /// What it is called.
    pub name: String,
    /// What it replicates.
    pub service: Service,
    /// What its links are made of.
    pub links: Links,
    /// The numbers of its protocol. A client knows only the protocol, `f` and who there is; the rest is as usual.
    pub settings: Settings,
    /// The members, in the order of their slots.
    pub members: Vec<NodeEntry>,
    /// The nodes that stand by.
    pub spares: Vec<NodeEntry>,
    /// The clients.
    pub clients: Vec<ClientEntry>,
    /// The first roster, and its changes as far as the files tell of them. Members, spares and clients are as after those.
    pub chain: Chain,
}

/// A node as others know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeEntry {
    /// Which node.
    pub node: NodeId,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Who it is.
    pub identity: PublicIdentity,
}

/// A client as others know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientEntry {
    /// Which client.
    pub client: ClientNumber,
    /// What people call it.
    pub name: String,
    /// Who it is.
    pub identity: PublicIdentity,
    /// Whether it may change the roster.
    pub operator: bool,
}

impl Cluster {
    /// Members and spares.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeEntry> {
        self.members.iter().chain(&self.spares)
    }

    /// The node of this number.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<&NodeEntry> {
        self.nodes().find(|entry| entry.node == node)
    }

    /// All identities, to go by.
    #[must_use]
    pub fn roster(&self) -> Roster {
        membership::link_roster(self.chain.roster())
    }

    /// A cluster whose roster has never changed.
    #[must_use]
    pub fn governed(mut self) -> Cluster {
        self.chain = Chain::new(membership::first_roster(&self));
        self
    }

    /// Takes over who is there by `chain`.
    pub(super) fn adopt(&mut self, chain: Chain) {
        let roster = chain.roster();
        let addresses: BTreeMap<NodeId, SocketAddr> = membership::addresses(roster).collect();
        let first =
            |holder| roster.get(holder).and_then(|entry| membership::identities(entry).into_iter().next());
        for node in self.members.iter_mut().chain(&mut self.spares) {
            node.address = addresses.get(&node.node).copied().unwrap_or(node.address);
            if let Some(identity) = first(agree::roster::Holder::Node(node.node)) {
                node.identity = identity;
            }
        }
        let client = |(holder, entry): (agree::roster::Holder, &Entry)| match holder {
            agree::roster::Holder::Node(_) => None,
            agree::roster::Holder::Client(number) => Some(ClientEntry {
                client: ClientNumber(number),
                name: String::from_utf8_lossy(&entry.name).into_owned(),
                identity: first(holder)?,
                operator: entry.operator,
            }),
        };
        self.clients = roster.iter().filter_map(client).collect();
        self.chain = chain;
    }

    fn identities(&self) -> impl Iterator<Item = (Holder, PublicIdentity)> {
        let nodes = self.nodes().map(|entry| (entry.node.into(), entry.identity.clone()));
        nodes.chain(self.clients.iter().map(|entry| (entry.client.into(), entry.identity.clone())))
    }

    /// The secret of `holder` in a file: the one whose public half is known here.
    pub(super) fn secret_of(&self, holder: Holder, path: &Path) -> Result<SecretIdentity, ConfigError> {
        let secret = SecretIdentity::load(path).map_err(ConfigError::Secret)?;
        let (found, roster) = (secret.public(None), self.roster());
        let is_ours = roster.all(holder).iter().any(|pinned| pinned.has_keys_of(&found));
        match roster.get(holder) {
            Some(pinned) if !is_ours => Err(ConfigError::AnotherSecret {
                path: path.to_path_buf(),
                holder,
                pinned: pinned.fingerprint(),
                found: found.fingerprint(),
            }),
            Some(_) | None => Ok(secret),
        }
    }

    /// What differs first, where two files speak of different clusters.
    #[must_use]
    pub fn difference(&self, other: &Cluster) -> Option<&'static str> {
        let differences = [
            ("names", self.name != other.name),
            ("protocols", self.settings.protocol != other.settings.protocol),
            ("numbers f", self.settings.f != other.settings.f),
            ("service", self.service != other.service),
            ("links", self.links != other.links),
            ("members", self.members != other.members),
            ("spares", self.spares != other.spares),
            ("clients", self.clients != other.clients),
        ];
        differences.into_iter().find(|(_, differ)| *differ).map(|(what, _)| what)
    }

    pub(super) fn of(part: ClusterPart, said: SettingsPart) -> Result<Cluster, Wrong> {
        let (protocol, f) = (part.protocol.get_ref().0, *part.f.get_ref());
        if !(1..=F_MAX).contains(&f) {
            return Err(Wrong::at(part.f.span(), format!("f is {f}; it is from 1 to {F_MAX}")));
        }
        let places = Places::of(&part);
        let mut settings = Settings::new(protocol, f);
        said.apply(&mut settings);
        settings.members = part.members.iter().map(|line| NodeId(*line.node.get_ref())).collect();
        settings.spares = part.spares.iter().map(|line| NodeId(*line.node.get_ref())).collect();
        let cluster = Cluster {
            name: part.name.0.0,
            service: part.service,
            links: part.links,
            settings,
            members: part.members.into_iter().map(node_entry).collect(),
            spares: part.spares.into_iter().map(node_entry).collect(),
            clients: part.clients.into_iter().map(client_entry).collect(),
            chain: Chain::new(agree::roster::Roster::default()),
        };
        // What stands twice first: it has a line to point at.
        Roster::new(cluster.identities()).map_err(|wrong| {
            let at = places.of_roster(&wrong).unwrap_or_else(|| part.protocol.span());
            Wrong::at(at, wrong.to_string())
        })?;
        let mut addresses = BTreeMap::new();
        for (entry, place) in cluster.nodes().zip(&places.addresses) {
            if let Some(other) = addresses.insert(entry.address, entry.node) {
                let what = format!(
                    "nodes {} and {} have the same address; each needs its own",
                    other.0, entry.node.0
                );
                return Err(Wrong::at(place.clone(), what));
            }
        }
        cluster.settings.check().map_err(|wrong| {
            let at = said.place(&wrong.0).unwrap_or_else(|| part.protocol.span());
            Wrong::at(at, wrong.0)
        })?;
        Ok(cluster.governed())
    }
}

/// Where in the file things stand.
struct Places {
    holders: Vec<(Holder, Range<usize>)>,
    identities: Vec<(Holder, Range<usize>)>,
    addresses: Vec<Range<usize>>,
}

impl Places {
    fn of(part: &ClusterPart) -> Places {
        let mut places = Places { holders: Vec::new(), identities: Vec::new(), addresses: Vec::new() };
        for line in part.members.iter().chain(&part.spares) {
            let holder = Holder::Node(NodeId(*line.node.get_ref()));
            places.holders.push((holder, line.node.span()));
            places.identities.push((holder, line.identity.span()));
            places.addresses.push(line.address.span());
        }
        for line in &part.clients {
            let holder = Holder::Client(ClientNumber(*line.client.get_ref()));
            places.holders.push((holder, line.client.span()));
            places.identities.push((holder, line.identity.span()));
        }
        places
    }

    /// The last line that has to do with it: what stands before was there first.
    fn of_roster(&self, wrong: &BadRoster) -> Option<Range<usize>> {
        let last = |places: &[(Holder, Range<usize>)], holder: &Holder| {
            places.iter().rev().find(|(other, _)| other == holder).map(|(_, place)| place.clone())
        };
        match wrong {
            BadRoster::NamedTwice(holder) | BadRoster::Keys(holder, _) => last(&self.holders, holder),
            BadRoster::SharedKey(_, holder) => last(&self.identities, holder),
            BadRoster::TooManyNodes | BadRoster::TooManyClients => {
                self.holders.last().map(|(_, place)| place.clone())
            }
        }
    }
}

fn node_entry(line: NodeLine) -> NodeEntry {
    NodeEntry {
        node: NodeId(line.node.into_inner()),
        address: line.address.into_inner().0.0,
        identity: line.identity.into_inner().0,
    }
}

fn client_entry(line: ClientLine) -> ClientEntry {
    ClientEntry {
        client: ClientNumber(line.client.into_inner()),
        name: line.name.0.0,
        identity: line.identity.into_inner().0,
        operator: line.operator,
    }
}
