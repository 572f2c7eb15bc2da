//! What a node or a client is told: one TOML file for each.
//!
//! ```toml
//! [cluster]                      # the same at every node and client
//! name = "harbour"
//! protocol = "byzid"             # byzid, byzid-w, paxos or pbft
//! f = 1                          # how many may be faulty
//! service = "kv"                 # what is replicated: kv, or null for measurements; kv if left out
//! links = "tls"                  # or "plain", which gives up everything that a key proves; tls if left out
//!
//! [[cluster.members]]            # as many as the protocol has for f, in the order of their slots
//! node = 0
//! address = "192.0.2.10:7400"    # numbers, not a name: a name server is one machine to break
//! identity = "varangian2:…"
//!
//! [[cluster.spares]]             # nodes that stand by (byzid, byzid-w); the same keys as a member
//!
//! [[cluster.clients]]
//! client = 1
//! name = "sensor-a"
//! identity = "varangian2:…"
//! operator = true                # whether it may change the roster; false if left out
//!
//! [settings]                     # the same at every node; each may be left out, and then is as `agree::Settings::new` has it
//! checkpoint_interval = 128      # batches
//! window = 8                     # batches
//! batch_requests_max = 256
//! batch_bytes_max = 262144
//! chunk_bytes = 131072           # never changes in the life of a cluster
//! sessions_bytes_max = 67108864  # likewise
//! requests_waiting_max = 16384
//! retransmit_after = "50ms"      # us, ms, s or min
//! view_timeout = "500ms"
//! view_timeout_max = "10s"
//! heartbeat_every = "100ms"
//!
//! [node]                         # this node
//! number = 0
//! data = "data"                  # paths are relative to the file
//! secret = "identity.secret"
//! seal = "seal.secret"           # the key of monitors: byzid and byzid-w alone
//! listen = "0.0.0.0:7400"        # its address in [cluster] if left out
//! processes = "separate"         # or "one"
//! monitor_user = "vg-monitor"    # whose rights its processes get, if it is started by root
//! replica_user = "vg-replica"
//! durability = "fsync"           # or "async"
//! fail = "closed"                # or "open": what the replica may do while its monitor is down (byzid, byzid-w)
//! http = "127.0.0.1:7500"        # metrics and health; none if left out
//! log = "info"                   # error, warning or info: what is slighter is not told
//! log_form = "text"              # or json: an object a line
//! admitted = 3                   # the edition of the roster that put this machine here; 0, the first, if left out
//!
//! [client]                       # in a client's file, in the place of [node] and [settings]
//! number = 1
//! secret = "identity.secret"
//! ```
//!
//! Upon a file ([`Config::load`], [`ClientConfig::load`], [`Document::load`] for either): it must be at most
//!   [`FILE_BYTES_MAX`] of TOML with these keys and no others; each value must be possible by itself; then all of them together:
//!   [`Settings::check`], one holder for each key, one node for each address, this node among the nodes. What is wrong is told
//!   with file, line and what would be right ([`ConfigError`]). A secret that has strayed into the file is never quoted.
//! Beside the file there may be [`changes`] of the roster since it was made; who is there is told by both. The file itself stays as
//! it was made: the state of every replica begins with the first roster.
//!
//! Upon [`Config::secret`] and [`Config::seal`]: the files that the configuration names, with the secret that fits the identity.
//!
//! What may be, and is still no good idea, is told by [`Config::warnings`].

pub mod changes;
mod cluster;
mod document;
mod duration;
mod error;
mod warning;

pub use cluster::{ClientEntry, Cluster, NodeEntry};
pub use document::{Document, Durability, Fail, Links, LogForm, Processes, Service};
pub use error::ConfigError;

use crate::telling::Level;
use agree::Settings;
use agree::roster::Edition;
use link::{ClientNumber, Holder, SealKey, SecretIdentity};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use wire::NodeId;

/// Bytes of a configuration at most.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

/// What a node is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The cluster that it belongs to.
    pub cluster: Cluster,
    /// Which node it is.
    pub node: NodeId,
    /// Where it keeps its log.
    pub data: PathBuf,
    /// The file with its secret identity.
    pub secret_file: PathBuf,
    /// The file with the key of seals, where there are monitors.
    pub seal_file: Option<PathBuf>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether monitor and replica are apart.
    pub processes: Processes,
    /// Whose rights the monitor gets.
    pub monitor_user: Option<String>,
    /// Whose rights the replica gets.
    pub replica_user: Option<String>,
    /// What is on disk before it is said.
    pub durability: Durability,
    /// What the replica may do while its monitor is down.
    pub fail: Fail,
    /// Where it answers for metrics and health.
    pub http: Option<SocketAddr>,
    /// How much it tells.
    pub log: Level,
    /// How it tells it.
    pub log_form: LogForm,
    /// The edition of the roster that put this machine here.
    pub admitted: Edition,
}

/// What a client is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConfig {
    /// The cluster that it talks to.
    pub cluster: Cluster,
    /// Which client it is.
    pub client: ClientNumber,
    /// The file with its secret identity.
    pub secret_file: PathBuf,
}

impl Config {
    /// Reads a node's file.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        match Document::load(path)? {
            Document::Node(config) => Ok(*config),
            Document::Client(_) => {
                Err(ConfigError::file(path, "this is a client's file; a node's has [node]"))
            }
        }
    }

    /// Whether `new` tells this node the same but for what changes of the roster bring.
    #[must_use]
    pub fn differs_in_the_roster_alone(&self, new: &Config) -> bool {
        let old = &self.cluster;
        if old.chain.cluster() != new.cluster.chain.cluster() {
            return false;
        }
        let (members, spares, clients) = (old.members.clone(), old.spares.clone(), old.clients.clone());
        let chain = old.chain.clone();
        let as_before = Cluster { members, spares, clients, chain, ..new.cluster.clone() };
        *self == Config { cluster: as_before, listen: self.listen, ..new.clone() }
    }

    /// Reads the file at `path`, and the changes of the roster beside it, anew for a node that runs by this configuration: the new
    /// one, or why the old stays in force.
    pub fn read_anew(&self, path: &Path) -> Result<Config, String> {
        match Config::load(path) {
            Ok(new) if self.differs_in_the_roster_alone(&new) => Ok(new),
            Ok(_) => {
                Err("more than identities has changed; right would be to start the node anew".to_string())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// The numbers by which replicas are set.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.cluster.settings.clone()
    }

    /// The node's secret identity: the one whose public half the cluster knows.
    pub fn secret(&self) -> Result<SecretIdentity, ConfigError> {
        self.cluster.secret_of(self.node.into(), &self.secret_file)
    }

    /// The secret before the present one, while the node changes keys: it lies beside, with `.old` at the end of its name.
    pub fn old_secret(&self) -> Result<Option<SecretIdentity>, ConfigError> {
        old_secret(&self.secret_file)
    }

    /// Whether all that a node needs before it begins is there and right; what is not, no other start mends. Users are looked for
    /// only where they would be become.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.secret()?;
        self.seal()?;
        let users = [&self.monitor_user, &self.replica_user];
        for name in users.into_iter().flatten().filter(|_| rights::is_root()) {
            rights::User::find(name).map_err(ConfigError::User)?;
        }
        Ok(())
    }

    /// The key of seals, where there are monitors.
    pub fn seal(&self) -> Result<Option<SealKey>, ConfigError> {
        self.seal_file.as_deref().map(SealKey::load).transpose().map_err(ConfigError::Secret)
    }
}

impl ClientConfig {
    /// Reads a client's file.
    pub fn load(path: &Path) -> Result<ClientConfig, ConfigError> {
        match Document::load(path)? {
            Document::Client(config) => Ok(*config),
            Document::Node(_) => {
                Err(ConfigError::file(path, "this is a node's file; a client's has [client]"))
            }
        }
    }

    /// The client's secret identity: the one whose public half the cluster knows.
    pub fn secret(&self) -> Result<SecretIdentity, ConfigError> {
        self.cluster.secret_of(Holder::Client(self.client), &self.secret_file)
    }

    /// The secret before the present one, while the client changes keys.
    pub fn old_secret(&self) -> Result<Option<SecretIdentity>, ConfigError> {
        old_secret(&self.secret_file)
    }
}

/// Where the secret before that in `file` is kept.
#[must_use]
pub fn old_secret_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(".old");
    PathBuf::from(name)
}

fn old_secret(file: &Path) -> Result<Option<SecretIdentity>, ConfigError> {
    let old = old_secret_file(file);
    match old.exists() {
        true => SecretIdentity::load(&old).map(Some).map_err(ConfigError::Secret),
        false => Ok(None),
    }
}

#[cfg(test)]
mod tests;
