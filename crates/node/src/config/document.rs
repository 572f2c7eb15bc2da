//! The file as it is written: its keys, and what each can hold by itself.

use super::cluster::Cluster;
use super::duration::Span;
use super::error::{ConfigError, Wrong};
use super::{ClientConfig, Config, FILE_BYTES_MAX, changes};
use crate::telling::Level;
use agree::roster::Edition;
use agree::{Protocol, Settings};
use core::fmt::Display;
use core::str::FromStr;
use link::secret::secret_in;
use link::{ClientNumber, Holder, PublicIdentity};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::Spanned;
use wire::NodeId;

/// Characters of a name at most.
const NAME_CHARACTERS_MAX: usize = 64;

/// A file, whoever it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Document {
    /// A node.
    Node(Box<Config>),
    /// A client.
    Client(Box<ClientConfig>),
}

/// What a cluster replicates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Keys and values.
    #[default]
    Kv,
    /// Nothing: what is measured of it is the protocol.
    Null,
}

/// What the links of a cluster are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// TLS between pinned keys.
    #[default]
    Tls,
    /// Bare TCP: whoever is on the network can read all and, where no MAC or signature is asked for, say all.
    Plain,
}

/// Whether the monitor and the replica of a node are apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Processes {
    /// Two processes, each with only its own rights.
    #[default]
    Separate,
    /// One process: whoever breaks the replica has the monitor.
    One,
}

/// What is on disk before it is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Everything that others rely on.
    #[default]
    Fsync,
    /// What the operating system has come to: a loss of power can take what a client was told.
    Async,
}

/// What a replica may do while its monitor is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// Nothing.
    #[default]
    Closed,
    /// Use its links unmonitored, and marked as such.
    Open,
}

/// How what a node tells is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// A line of words.
    #[default]
    Text,
    /// A line that is a JSON object: `time`, `level`, `node`, `part` and `message`.
    Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    cluster: ClusterPart,
    settings: Option<Spanned<SettingsPart>>,
    node: Option<NodePart>,
    client: Option<ClientPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterPart {
    pub(super) name: Parsed<Name>,
    pub(super) protocol: Spanned<Parsed<Protocol>>,
    pub(super) f: Spanned<usize>,
    #[serde(default)]
    pub(super) service: Service,
    #[serde(default)]
    pub(super) links: Links,
    pub(super) members: Vec<NodeLine>,
    #[serde(default)]
    pub(super) spares: Vec<NodeLine>,
    #[serde(default)]
    pub(super) clients: Vec<ClientLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeLine {
    pub(super) node: Spanned<u16>,
    pub(super) address: Spanned<Parsed<Address>>,
    pub(super) identity: Spanned<Parsed<PublicIdentity>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientLine {
    pub(super) client: Spanned<u32>,
    pub(super) name: Parsed<Name>,
    pub(super) identity: Spanned<Parsed<PublicIdentity>>,
    #[serde(default)]
    pub(super) operator: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsPart {
    pub(super) checkpoint_interval: Option<Spanned<u64>>,
    pub(super) window: Option<Spanned<u64>>,
    pub(super) batch_requests_max: Option<Spanned<usize>>,
    pub(super) batch_bytes_max: Option<Spanned<usize>>,
    pub(super) chunk_bytes: Option<Spanned<usize>>,
    pub(super) sessions_bytes_max: Option<Spanned<usize>>,
    pub(super) requests_waiting_max: Option<Spanned<usize>>,
    pub(super) retransmit_after: Option<Spanned<Parsed<Span>>>,
    pub(super) view_timeout: Option<Spanned<Parsed<Span>>>,
    pub(super) view_timeout_max: Option<Spanned<Parsed<Span>>>,
    pub(super) heartbeat_every: Option<Spanned<Parsed<Span>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodePart {
    number: Spanned<u16>,
    data: PathBuf,
    secret: PathBuf,
    seal: Option<Spanned<PathBuf>>,
    listen: Option<Parsed<Address>>,
    #[serde(default)]
    processes: Processes,
    monitor_user: Option<Spanned<Parsed<User>>>,
    replica_user: Option<Parsed<User>>,
    #[serde(default)]
    durability: Durability,
    fail: Option<Spanned<Fail>>,
    http: Option<Parsed<Address>>,
    #[serde(default)]
    log: Level,
    #[serde(default)]
    log_form: LogForm,
    #[serde(default)]
    admitted: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientPart {
    number: Spanned<u32>,
    secret: PathBuf,
}

/// A string that is read as a `T`.
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Parsed).map_err(D::Error::custom)
    }
}

/// What a cluster or a client is called.
pub(super) struct Name(pub(super) String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if !text.is_empty() && text.len() <= NAME_CHARACTERS_MAX && text.chars().all(is_plain) {
            return Ok(Name(text.to_string()));
        }
        Err(format!(
            "a name is 1 to {NAME_CHARACTERS_MAX} letters, digits, '-', '_' and '.', and this is none"
        ))
    }
}

/// A user of the operating system.
struct User(String);

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if (1..=32).contains(&text.len()) && !text.starts_with('-') && text.chars().all(is_plain) {
            return Ok(User(text.to_string()));
        }
        Err("a user is 1 to 32 letters, digits, '-' and '_', and this is none".to_string())
    }
}

/// Where somebody is reached.
pub(super) struct Address(pub(super) SocketAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => Ok(Address(address)),
            Ok(_) => {
                Err("port 0 is none that can be reached; right would be one from 1 to 65535".to_string())
            }
            Err(_) => {
                Err("this is no address; right would be numbers and a port, as in \"192.0.2.10:7400\" or \
                           \"[2001:db8::1]:7400\" (names are not looked up)"
                    .to_string())
            }
        }
    }
}

impl Document {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Document, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { path: path.to_path_buf(), error };
        let text = File::open(path).and_then(read).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(ConfigError::file(
                path,
                format!("it has more than {FILE_BYTES_MAX} bytes; that is the most"),
            ));
        }
        let text = String::from_utf8(text).map_err(|_| ConfigError::file(path, "this is no UTF-8 text"))?;
        let in_file = |wrong: Wrong| wrong.in_file(path, &text);
        let (mut cluster, rest) = Document::begin(&text).map_err(in_file)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut chain = cluster.chain.clone();
        changes::load(folder, &mut chain)?;
        cluster.adopt(chain);
        rest.read(cluster, folder).map_err(in_file)
    }

    /// Reads what stands in a file of `folder`, by itself.
    #[cfg(test)]
    pub(super) fn read(text: &str, folder: &Path) -> Result<Document, Wrong> {
        let (cluster, rest) = Document::begin(text)?;
        rest.read(cluster, folder)
    }

    /// Reads the cluster, and whom the file is for.
    fn begin(text: &str) -> Result<(Cluster, Part), Wrong> {
        // First of all, since the errors of the parser quote what they speak of.
        if let Some(at) = secret_in(text) {
            return Err(Wrong::at(
                at..at,
                "a SECRET stands here: right would be the path of a file that holds it; whoever has read this one can speak \
                 in its holder's name, so make a new secret",
            ));
        }
        let root: Root = toml::from_str(text).map_err(|error| Wrong {
            at: error.span(),
            what: error.message().trim_end().replace('\n', ", "),
        })?;
        let wrong = |what: &str| Wrong { at: None, what: what.to_string() };
        match (root.node, root.client) {
            (Some(node), None) => {
                let settings = root.settings.map(Spanned::into_inner).unwrap_or_default();
                Ok((Cluster::of(root.cluster, settings)?, Part::Node(Box::new(node))))
            }
            (None, Some(client)) => {
                if let Some(settings) = root.settings {
                    return Err(Wrong::at(
                        settings.span(),
                        "settings are the nodes' business; a client's file has none",
                    ));
                }
                Ok((Cluster::of(root.cluster, SettingsPart::default())?, Part::Client(client)))
            }
            (Some(_), Some(_)) => Err(wrong("it has [node] and [client]; a file is for one of them")),
            (None, None) => Err(wrong("it has neither [node] nor [client]; it must say whom it is for")),
        }
    }
}

/// Whom a file is for.
enum Part {
    Node(Box<NodePart>),
    Client(ClientPart),
}

impl Part {
    fn read(self, cluster: Cluster, folder: &Path) -> Result<Document, Wrong> {
        match self {
            Part::Node(node) => node.read(cluster, folder).map(|config| Document::Node(Box::new(config))),
            Part::Client(client) => {
                client.read(cluster, folder).map(|config| Document::Client(Box::new(config)))
            }
        }
    }
}

/// At most one byte more than is allowed, so that it shows.
fn read(file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    Ok(text)
}

impl NodePart {
    fn read(self, cluster: Cluster, folder: &Path) -> Result<Config, Wrong> {
        let protocol = cluster.settings.protocol;
        let node = NodeId(*self.number.get_ref());
        let Some(address) = cluster.node(node).map(|entry| entry.address) else {
            let nodes: Vec<String> = cluster.nodes().map(|entry| entry.node.0.to_string()).collect();
            let what = format!("there is no node {} in the cluster; there are {}", node.0, nodes.join(", "));
            return Err(Wrong::at(self.number.span(), what));
        };
        if protocol.monitored() && self.seal.is_none() {
            let what = format!(
                "{protocol} has monitors; right would be a line in [node] such as seal = \"seal.secret\""
            );
            return Err(Wrong::at(self.number.span(), what));
        }
        let of_monitors = [
            ("seal", self.seal.as_ref().map(Spanned::span)),
            ("fail", self.fail.as_ref().map(Spanned::span)),
            ("monitor_user", self.monitor_user.as_ref().map(Spanned::span)),
        ];
        for (key, at) in of_monitors {
            if let Some(at) = at.filter(|_| !protocol.monitored()) {
                return Err(Wrong::at(
                    at,
                    format!("{protocol} has no monitors; {key} has no meaning here, leave it out"),
                ));
            }
        }
        Ok(Config {
            cluster,
            node,
            data: folder.join(self.data),
            secret_file: folder.join(self.secret),
            seal_file: self.seal.map(|seal| folder.join(seal.into_inner())),
            listen: self.listen.map_or(address, |listen| listen.0.0),
            processes: self.processes,
            monitor_user: self.monitor_user.map(|user| user.into_inner().0.0),
            replica_user: self.replica_user.map(|user| user.0.0),
            durability: self.durability,
            fail: self.fail.map(Spanned::into_inner).unwrap_or_default(),
            http: self.http.map(|address| address.0.0),
            log: self.log,
            log_form: self.log_form,
            admitted: Edition(self.admitted),
        })
    }
}

impl ClientPart {
    fn read(self, cluster: Cluster, folder: &Path) -> Result<ClientConfig, Wrong> {
        let client = ClientNumber(*self.number.get_ref());
        if cluster.roster().get(Holder::Client(client)).is_none() {
            let what = format!("there is no {client} in [[cluster.clients]]");
            return Err(Wrong::at(self.number.span(), what));
        }
        Ok(ClientConfig { cluster, client, secret_file: folder.join(self.secret) })
    }
}

impl SettingsPart {
    /// Puts what is said in the place of what is usual.
    pub(super) fn apply(&self, to: &mut Settings) {
        let time = |said: &Option<Spanned<Parsed<Span>>>| said.as_ref().map(|said| said.get_ref().0.0);
        let set = |what: &mut usize, said: &Option<Spanned<usize>>| {
            if let Some(said) = said {
                *what = *said.get_ref();
            }
        };
        set(&mut to.batch_requests_max, &self.batch_requests_max);
        set(&mut to.batch_bytes_max, &self.batch_bytes_max);
        set(&mut to.chunk_bytes, &self.chunk_bytes);
        set(&mut to.sessions_bytes_max, &self.sessions_bytes_max);
        set(&mut to.requests_waiting_max, &self.requests_waiting_max);
        let count =
            |said: &Option<Spanned<u64>>, usual: u64| said.as_ref().map_or(usual, |said| *said.get_ref());
        to.checkpoint_interval = count(&self.checkpoint_interval, to.checkpoint_interval);
        to.window = count(&self.window, to.window);
        to.retransmit_after = time(&self.retransmit_after).unwrap_or(to.retransmit_after);
        to.view_timeout = time(&self.view_timeout).unwrap_or(to.view_timeout);
        to.view_timeout_max = time(&self.view_timeout_max).unwrap_or(to.view_timeout_max);
        to.heartbeat_every = time(&self.heartbeat_every).unwrap_or(to.heartbeat_every);
    }

    /// Where the setting stands that `what` is about, if it says which.
    pub(super) fn place(&self, what: &str) -> Option<core::ops::Range<usize>> {
        let places = [
            ("checkpoint_interval", self.checkpoint_interval.as_ref().map(Spanned::span)),
            ("window", self.window.as_ref().map(Spanned::span)),
            ("batch_requests_max", self.batch_requests_max.as_ref().map(Spanned::span)),
            ("batch_bytes_max", self.batch_bytes_max.as_ref().map(Spanned::span)),
            ("chunk_bytes", self.chunk_bytes.as_ref().map(Spanned::span)),
            ("sessions_bytes_max", self.sessions_bytes_max.as_ref().map(Spanned::span)),
            ("requests_waiting_max", self.requests_waiting_max.as_ref().map(Spanned::span)),
            ("retransmit_after", self.retransmit_after.as_ref().map(Spanned::span)),
            ("view_timeout_max", self.view_timeout_max.as_ref().map(Spanned::span)),
            ("view_timeout", self.view_timeout.as_ref().map(Spanned::span)),
            ("heartbeat_every", self.heartbeat_every.as_ref().map(Spanned::span)),
        ];
        places.into_iter().filter(|(name, _)| what.contains(name)).find_map(|(_, place)| place)
    }
}
