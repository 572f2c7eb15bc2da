//! `varangian replace`: another machine takes the seat of a node: a new key, perhaps a new address, an empty log.
//!
//! Upon a wish: if too few nodes would be left until the new machine has caught up, it is refused, with what is missing. Else the folder
//!   for the new machine is begun with a secret; the roster is changed, and with that the old key is out everywhere; the folder
//!   is finished: a log that is empty, starts of its monitor that are later than any before, the edition that put it there.
//! Upon a folder that was begun before: it is gone on with.

use super::operator::{Operator, expiry, seconds};
use super::{Failed, folder, outcome, wrong};
use crate::Outcome;
use crate::say::{complain, say};
use agree::Protocol;
use agree::roster::{Edition, Holder, What};
use clap::Args;
use core::fmt::Write as _;
use core::time::Duration;
use node::config::{Config, changes};
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use wire::NodeId;

/// Put another machine into the seat of a node.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian replace --config harbour/client-1/client.toml --node 2 --address 192.0.2.19:7400 \\
      --like harbour/node-0/node.toml --out node-2-new

The old machine's key is out as soon as this is done. Bring the folder to the new machine and start `varangian node` there.

Exit codes: 0 done, 1 the cluster refused it, 2 it cannot be done like this, 3 no answer in time; it can be started again.")]
pub(crate) struct Arguments {
    /// The configuration of a client that is an operator.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Which node.
    #[arg(long, value_name = "N")]
    node: u16,

    /// Where the new machine is reached. Without it, where the old one was.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<SocketAddr>,

    /// The configuration of any node, for the settings and the key of monitors.
    #[arg(long, value_name = "FILE")]
    like: PathBuf,

    /// Where the new machine answers for metrics and health.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,

    /// The folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Do it even if too few nodes would be left for a while.
    #[arg(long)]
    force: bool,

    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
}

/// A seat, and who is to take it.
pub(super) struct Seat<'a> {
    pub(super) node: u16,
    pub(super) address: Option<SocketAddr>,
    pub(super) like: &'a Path,
    pub(super) http: Option<SocketAddr>,
    pub(super) out: &'a Path,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let Arguments { node, address, like, http, out, .. } = arguments;
    let seat = Seat { node: *node, address: *address, like, http: *http, out };
    outcome(replace(&arguments.config, &seat, arguments.force, arguments.timeout))
}

pub(super) fn replace(config: &Path, seat: &Seat<'_>, force: bool, timeout: Duration) -> Result<(), Failed> {
    let like = Config::load(seat.like).map_err(wrong)?;
    let mut operator = Operator::open(config, timeout)?;
    if like.cluster.chain.cluster() != operator.chain.cluster() {
        return Err(wrong(format!("{} is of another cluster", seat.like.display())));
    }
    let node = NodeId(seat.node);
    let holder = Holder::Node(node);
    let identities = operator.identities(holder)?;
    let secret = folder::begin(seat.out)?;
    let is_done = identities.iter().any(|identity| identity.has_keys_of(&secret.public(None)));
    if !is_done {
        if let Err(why) = check_quorum(&operator, node) {
            match force {
                true => complain!("warning: {why}"),
                false => return Err(wrong(format!("{why}; --force does it all the same"))),
            }
        }
        let present = operator.nodes().into_iter().find(|(other, _)| *other == node);
        let present = present.map(|(_, address)| address);
        let address = seat.address.or(present).ok_or_else(|| wrong("the node has no address"))?;
        let identity = secret.public(Some(expiry())).to_string().into();
        operator.change(holder, What::Replaced { identity, address: address.to_string().into() })?;
    }
    let edition = operator.chain.seats().of(node);
    let file = finish(&operator, seat, &like, edition)?;
    say!("node {} is another machine with edition {edition}: {}", seat.node, file.display());
    Ok(())
}

/// Whether the cluster goes on if `node` does not take part for a while; why not.
fn check_quorum(operator: &Operator, node: NodeId) -> Result<(), String> {
    let settings = &operator.config.cluster.settings;
    if !settings.members.contains(&node) {
        return Ok(());
    }
    let away = operator.unreachable();
    let is_left = |member: &&NodeId| **member != node && !away.contains(member);
    let left = settings.members.iter().filter(is_left).count();
    let needed = match settings.protocol {
        Protocol::Pbft => 2 * settings.f + 1,
        Protocol::Paxos | Protocol::ByzId | Protocol::ByzIdW => settings.f + 1,
    };
    if left >= needed {
        return Ok(());
    }
    let others: Vec<String> =
        away.iter().filter(|other| **other != node).map(|other| format!("node {}", other.0)).collect();
    let who = if others.is_empty() { String::new() } else { format!("{} unreachable; ", others.join(", ")) };
    let n = settings.n();
    Err(format!("{who}with node {} replaced only {left} of {n} would be left, {needed} are needed", node.0))
}

/// Writes what is not in the folder yet.
fn finish(operator: &Operator, seat: &Seat<'_>, like: &Config, edition: Edition) -> Result<PathBuf, Failed> {
    let out = seat.out;
    changes::save(out, &operator.chain).map_err(wrong)?;
    let mut said = format!(
        "number = {}\nadmitted = {edition}\ndata = \"data\"\nsecret = \"{}\"\n",
        seat.node,
        folder::SECRET
    );
    if let Some(seal) = like.seal().map_err(wrong)? {
        let path = out.join("seal.secret");
        if !path.exists() {
            seal.save(&path).map_err(wrong)?;
        }
        said += "seal = \"seal.secret\"\n";
    }
    if let Some(http) = seat.http {
        let _ = writeln!(said, "http = \"{http}\"");
    }
    // Under another name until it is whole, so that what was broken off is begun anew.
    let (data, draft) = (out.join("data"), out.join("data.new"));
    if !data.exists() {
        match fs::remove_dir_all(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(wrong(format!("{}: {error}", draft.display())));
            }
            Ok(()) | Err(_) => {}
        }
        node::run::create_admitted(&draft, edition).map_err(wrong)?;
        let named = fs::rename(&draft, &data).and_then(|()| File::open(out)?.sync_all());
        named.map_err(|error| wrong(format!("{}: {error}", data.display())))?;
    }
    let text = fs::read_to_string(seat.like).map_err(wrong)?;
    let dropped = ["number", "admitted", "data", "secret", "seal", "http", "listen"];
    let file = out.join("node.toml");
    folder::write(&file, &folder::with_section(&text, "node", &said, &dropped))?;
    Config::load(&file).and_then(|config| config.secret()).map_err(wrong)?;
    Ok(file)
}
