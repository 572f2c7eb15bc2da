//! The files of a new cluster: a folder for each node and each client, made for their owner alone.
//!
//! ```text
//! DIR/node-0/node.toml        what it is told            DIR/client-1/client.toml
//! DIR/node-0/identity.secret  who it is                  DIR/client-1/identity.secret
//! DIR/node-0/seal.secret      the key of monitors, the same at each node, where there are monitors
//! DIR/node-0/data             its log, once it runs
//! ```
//!
//! What is written here is read by `node::config`; the tests of the binary let it.

use super::shape::Shape;
use core::fmt::Write as _;
use link::secret::SecretError;
use link::{PublicIdentity, SealKey, SecretIdentity, WallTime};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How far the port for metrics is from the port of a node; more than there are nodes.
pub(crate) const HTTP_PORTS_AFTER: u16 = 100;

/// What a new cluster is made of.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) plain: bool,
    pub(crate) service: &'static str,
    /// Whether monitor and replica are apart, where there are monitors.
    pub(crate) separate: bool,
    /// `fsync` or `async`.
    pub(crate) durability: &'static str,
    pub(crate) expires: WallTime,
}

/// Somebody who has been given a folder.
pub(crate) struct Made {
    /// Its number.
    pub(crate) number: usize,
    /// Where it is reached, if it is a node.
    pub(crate) address: Option<SocketAddr>,
    /// Who it is.
    pub(crate) identity: PublicIdentity,
    /// What it is told.
    pub(crate) file: PathBuf,
    secret: SecretIdentity,
}

/// A new cluster.
pub(crate) struct Cluster {
    /// Members first, then spares.
    pub(crate) nodes: Vec<Made>,
    pub(crate) clients: Vec<Made>,
}

/// Why a cluster could not be made.
pub(crate) enum Failed {
    /// Something is there already.
    Taken(PathBuf),
    /// A folder or file cannot be made.
    File(PathBuf, io::Error),
    /// A secret cannot be made.
    Secret(SecretError),
    /// A log cannot be made.
    Log(String),
}

impl Plan {
    /// Makes it in `folder`, which must not be there or be empty.
    pub(crate) fn make(&self, folder: &Path) -> Result<Cluster, Failed> {
        claim(folder)?;
        let nodes = (0..self.shape.members + self.shape.spares).map(|number| {
            self.draw(number, Some(self.address(number)), &folder.join(format!("node-{number}/node.toml")))
        });
        let clients = (1..=self.shape.clients)
            .map(|number| self.draw(number, None, &folder.join(format!("client-{number}/client.toml"))));
        let cluster = Cluster {
            nodes: nodes.collect::<Result<_, SecretError>>().map_err(Failed::Secret)?,
            clients: clients.collect::<Result<_, SecretError>>().map_err(Failed::Secret)?,
        };
        let shared = self.shared_text(&cluster);
        let seal =
            self.shape.protocol.monitored().then(SealKey::generate).transpose().map_err(Failed::Secret)?;
        for node in &cluster.nodes {
            let home = give(node, &format!("{}{}", self.node_text(node), shared))?;
            if let Some(seal) = &seal {
                seal.save(&home.join("seal.secret")).map_err(Failed::Secret)?;
            }
            // A log is made here and never by a node: one that finds none has lost its disk, and must not begin anew.
            node::run::create(&home.join("data")).map_err(Failed::Log)?;
        }
        for client in &cluster.clients {
            give(client, &format!("{}{}", self.client_text(client), shared))?;
        }
        Ok(cluster)
    }

    fn draw(&self, number: usize, address: Option<SocketAddr>, file: &Path) -> Result<Made, SecretError> {
        let secret = SecretIdentity::generate()?;
        let identity = secret.public(Some(self.expires));
        Ok(Made { number, address, identity, file: file.to_path_buf(), secret })
    }

    fn address(&self, number: usize) -> SocketAddr {
        // Whoever asked has been told when the ports do not suffice.
        SocketAddr::new(self.host, self.port.saturating_add(number as u16))
    }

    fn node_text(&self, node: &Made) -> String {
        let number = node.number;
        let http = SocketAddr::new(
            Ipv4Addr::LOCALHOST.into(),
            self.port.saturating_add(HTTP_PORTS_AFTER).saturating_add(number as u16),
        );
        let mut text = format!(
            "# Node {number} of the cluster '{}'. `varangian config check` reads this file as the node does.\n\n\
             [node]\nnumber = {number}\ndata = \"data\"\nsecret = \"identity.secret\"\n",
            self.name
        );
        if self.shape.protocol.monitored() {
            text += "seal = \"seal.secret\"       # the key of monitors; the same at every node\n";
            text += match self.separate {
                true => {
                    "processes = \"separate\"     # or \"one\": then whoever breaks the replica has the monitor\n"
                }
                false => "processes = \"one\"          # whoever breaks the replica has the monitor\n",
            };
            text += "fail = \"closed\"            # or \"open\": a replica whose monitor is down goes on unmonitored\n";
        }
        let _ = write!(
            text,
            "durability = \"{}\"       # fsync; or async: what a client was told may be gone after a loss of power\n\
             http = \"{http}\"   # metrics and health\n\
             log = \"info\"               # or warn, or error: what is slighter is not told\n\
             log_form = \"text\"          # or json\n\n",
            self.durability
        );
        text
    }

    fn client_text(&self, client: &Made) -> String {
        let number = client.number;
        format!(
            "# Client {number} of the cluster '{}'.\n\n[client]\nnumber = {number}\nsecret = \"identity.secret\"\n\n",
            self.name
        )
    }

    /// What all are told alike.
    fn shared_text(&self, cluster: &Cluster) -> String {
        let Shape { protocol, f, members, .. } = self.shape;
        let mut text = format!(
            "# The same at every node and client from here on.\n\
             [cluster]\nname = \"{}\"\nprotocol = \"{protocol}\"\nf = {f}\nservice = \"{}\"\n",
            self.name, self.service
        );
        text += match self.plain {
            false => "links = \"tls\"\n",
            true => {
                "# No encryption, and no proof of who is at the other end: for benchmarks and isolated networks alone.\n\
                 links = \"plain\"\n"
            }
        };
        for (index, node) in cluster.nodes.iter().enumerate() {
            let part = if index < members { "members" } else { "spares" };
            if let Some(address) = node.address {
                let _ = write!(
                    text,
                    "\n[[cluster.{part}]]\nnode = {}\naddress = \"{address}\"\nidentity = \"{}\"\n",
                    node.number, node.identity
                );
            }
        }
        for client in &cluster.clients {
            let _ = write!(
                text,
                "\n[[cluster.clients]]\nclient = {0}\nname = \"client-{0}\"\nidentity = \"{1}\"\n",
                client.number, client.identity
            );
            if client.number == 1 {
                text += "operator = true             # it may change who is a node or a client\n";
            }
        }
        text
    }
}

/// Makes `folder` for its owner alone, or takes it if it is empty.
fn claim(folder: &Path) -> Result<(), Failed> {
    let failed = |error| Failed::File(folder.to_path_buf(), error);
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed),
            Some(_) => Err(Failed::Taken(folder.to_path_buf())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_folder(folder),
        Err(error) => Err(failed(error)),
    }
}

fn make_folder(folder: &Path) -> Result<(), Failed> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failed::File(folder.to_path_buf(), error))
}

/// Gives somebody a folder with a secret and what it is told.
fn give(to: &Made, text: &str) -> Result<PathBuf, Failed> {
    let home = to.file.parent().unwrap_or(Path::new("")).to_path_buf();
    make_folder(&home)?;
    to.secret.save(&home.join("identity.secret")).map_err(Failed::Secret)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&to.file)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Failed::File(to.file.clone(), error))?;
    Ok(home)
}
