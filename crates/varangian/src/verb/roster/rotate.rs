//! `varangian rotate-keys`: a node or a client changes its key, and is understood all the while.
//!
//! In this order, each step only if it is not done already:
//!   1. a new secret is made, beside the one in force;
//!   2. the roster names the new key as well: whoever knows that takes either;
//!   3. it is waited until every node that can be reached takes the new one;
//!   4. the new secret takes the place of the old one, which is kept for what others still prove by it; a node hears of it by SIGHUP;
//!   5. it is waited until the node speaks by it, and then for as long as clients may take to hear of it;
//!   6. the roster names the old key no more; links that were made by it are closed.

use super::operator::{Operator, expiry, seconds};
use super::{Failed, outcome, wrong};
use crate::Outcome;
use crate::say::{complain, say};
use agree::roster::{Holder, What};
use clap::Args;
use core::time::Duration;
use link::knock::Knock;
use link::{PublicIdentity, SecretIdentity};
use node::config::{Config, changes, old_secret_file};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;

/// Give a node or a client a new key.
#[derive(Args)]
#[command(after_help = "\
Run it on the machine of the node. If the node answers for its health, it is told by itself (SIGHUP); else say its process with --pid.

Examples:
  varangian rotate-keys --config harbour/client-1/client.toml --node-config harbour/node-1/node.toml
  varangian rotate-keys --config harbour/client-1/client.toml --client

Exit codes: 0 done, 1 the cluster refused it, 2 it cannot be done like this, 3 no answer in time; it can be started again.")]
pub(crate) struct Arguments {
    /// The configuration of a client that is an operator.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The configuration of the node that gets a new key.
    #[arg(long, value_name = "FILE", required_unless_present = "client")]
    node_config: Option<PathBuf>,

    /// The client of --config itself gets a new key.
    #[arg(long, conflicts_with = "node_config")]
    client: bool,

    /// The process of the node, to be told.
    #[arg(long, value_name = "PID", conflicts_with = "client")]
    pid: Option<u32>,

    /// Seconds that clients have to hear of the new key before the old one is out.
    #[arg(long, value_name = "SECONDS", default_value = "6", value_parser = seconds)]
    grace: Duration,

    /// Seconds to wait for an answer, or for a step.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    outcome(match &arguments.node_config {
        Some(path) => rotate_node(arguments, path),
        None => rotate_client(arguments),
    })
}

/// The files of a secret that is being changed.
struct Files {
    secret: PathBuf,
    next: PathBuf,
}

impl Files {
    fn of(secret: &Path) -> Files {
        let mut next = secret.as_os_str().to_os_string();
        next.push(".next");
        Files { secret: secret.to_path_buf(), next: PathBuf::from(next) }
    }

    /// The new secret: one that was begun with, or one that is made now; and whether it is in force already.
    fn new_secret(&self, operator: &mut Operator, holder: Holder) -> Result<(SecretIdentity, bool), Failed> {
        if self.next.exists() {
            return Ok((SecretIdentity::load(&self.next).map_err(wrong)?, false));
        }
        let present = SecretIdentity::load(&self.secret).map_err(wrong)?;
        if let [old, new] = &operator.identities(holder)?[..] {
            let public = present.public(None);
            if new.has_keys_of(&public) {
                return Ok((present, true));
            }
            if !old.has_keys_of(&public) {
                return Err(wrong(format!("{} holds neither key of {holder}", self.secret.display())));
            }
            complain!("somebody added a key whose secret is not here: it is retired");
            operator.change(holder, What::KeyRetired { identity: new.to_string().into() })?;
        }
        let secret = SecretIdentity::generate().map_err(wrong)?;
        secret.save(&self.next).map_err(wrong)?;
        Ok((secret, false))
    }

    /// The new secret takes the place of the old one, which is kept as `old`: what others prove to this holder they prove by that, until
    /// it is retired.
    fn switch(&self, old: &Path) -> std::io::Result<()> {
        if !old.exists() {
            fs::hard_link(&self.secret, old)?;
        }
        fs::rename(&self.next, &self.secret)?;
        let folder = self.secret.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Has the roster name the key of `secret` as well, and waits until the other nodes that can be reached take it.
fn add(
    operator: &mut Operator,
    holder: Holder,
    secret: &SecretIdentity,
    timeout: Duration,
) -> Result<PublicIdentity, Failed> {
    let public = secret.public(Some(expiry()));
    let known = operator.identities(holder)?.into_iter().find(|identity| identity.has_keys_of(&public));
    let public = match known {
        Some(known) => known,
        None => {
            operator.change(holder, What::KeyAdded { identity: public.to_string().into() })?;
            public
        }
    };
    operator.wait("all nodes that can be reached take the new key", timeout, |operator| {
        let mut others = operator.nodes().into_iter().filter(|(node, _)| Holder::Node(*node) != holder);
        others.all(|(node, _)| operator.takes(node, secret) != Knock::Refused)
    })?;
    Ok(public)
}

/// Has the roster name no key of `holder` but `new`.
fn retire(operator: &mut Operator, holder: Holder, new: &PublicIdentity) -> Result<(), Failed> {
    for identity in operator.identities(holder)? {
        if !identity.has_keys_of(new) {
            operator.change(holder, What::KeyRetired { identity: identity.to_string().into() })?;
        }
    }
    say!("{holder} has the key {}", new.fingerprint());
    Ok(())
}

fn rotate_node(arguments: &Arguments, path: &Path) -> Result<(), Failed> {
    let config = Config::load(path).map_err(wrong)?;
    let mut operator = Operator::open(&arguments.config, arguments.timeout)?;
    let (node, holder) = (config.node, Holder::Node(config.node));
    let files = Files::of(&config.secret_file);
    let old = old_secret_file(&config.secret_file);
    let (secret, in_force) = files.new_secret(&mut operator, holder)?;
    let public = add(&mut operator, holder, &secret, arguments.timeout)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    changes::save(folder, &operator.chain).map_err(wrong)?;
    if !in_force {
        files.switch(&old).map_err(wrong)?;
    }
    tell(arguments.pid, config.http);
    operator.wait("the node speaks by the new key", arguments.timeout, |operator| {
        operator.speaks_by(node, &public)
    })?;
    sleep(arguments.grace);
    retire(&mut operator, holder, &public)?;
    changes::save(folder, &operator.chain).map_err(wrong)?;
    forget(&old)
}

/// The old secret is of no use any more.
fn forget(old: &Path) -> Result<(), Failed> {
    if old.exists() {
        fs::remove_file(old).map_err(wrong)?;
    }
    Ok(())
}

fn rotate_client(arguments: &Arguments) -> Result<(), Failed> {
    let mut operator = Operator::open(&arguments.config, arguments.timeout)?;
    let holder = Holder::Client(operator.config.client.0);
    let files = Files::of(&operator.config.secret_file);
    let old = old_secret_file(&operator.config.secret_file);
    let (secret, in_force) = files.new_secret(&mut operator, holder)?;
    let public = add(&mut operator, holder, &secret, arguments.timeout)?;
    if !in_force {
        files.switch(&old).map_err(wrong)?;
    }
    complain!("processes of this client that run have the old key: start them anew within the grace");
    sleep(arguments.grace);
    // By the new key: the links of the old one are about to be closed.
    drop(operator);
    let mut operator = Operator::open(&arguments.config, arguments.timeout)?;
    retire(&mut operator, holder, &public)?;
    forget(&old)
}

/// Tells the node that its files have changed.
fn tell(pid: Option<u32>, http: Option<SocketAddr>) {
    let Some(pid) = pid.or_else(|| pid_at(http?)) else {
        return complain!("now tell the node: kill -HUP with the number of its process");
    };
    let told = Command::new("kill").args(["-HUP", &pid.to_string()]).status();
    if !told.is_ok_and(|status| status.success()) {
        complain!("process {pid} could not be told; right would be: kill -HUP {pid}");
    }
}

/// The process of the node that answers at `http`.
fn pid_at(http: SocketAddr) -> Option<u32> {
    let mut stream = TcpStream::connect_timeout(&http, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    status["pid"].as_u64()?.try_into().ok()
}
