//! `varangian init`: makes a cluster: a folder with keys and configuration for each node and each client.
//!
//! Upon a wish that can be had, and a folder that is not there or empty: the folder is filled ([`files`]), what was made is told,
//!   and what to do with it. Secrets stay in their files.
//! Upon a wish that cannot be had ([`shape`]), or a folder with something in it: refused, with what would be right; nothing is
//!   made.

pub(crate) mod files;
pub(crate) mod shape;

use crate::Outcome;
use crate::say::{self, complain, say};
use agree::Protocol;
use clap::{Args, ValueEnum};
use core::fmt::Write as _;
use files::{Cluster, Failed, HTTP_PORTS_AFTER, Made, Plan};
use link::WallTime;
use serde_json::{Value, json};
use shape::{Asked, Shape};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How long new keys are taken.
const KEY_DAYS: u32 = 730;

/// Make a cluster: keys and configuration for every node and client.
#[derive(Args)]
#[command(after_help = "\
Each node and each client gets a folder of its own, with a secret that nobody else has; all of them know each other's public
keys. There is no certificate and no authority.

Examples:
  varangian init harbour --nodes 3 --protocol byzid
  varangian init harbour --nodes 4 --protocol byzid --f 1 --spares 1 --clients 3
  varangian init harbour --nodes 4 --protocol pbft --host 192.0.2.10 --port 7400

Exit codes: 0 it is made, 2 it is not.")]
pub(crate) struct Arguments {
    /// The folder to make; it must not be there, or be empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// How many nodes there are, spares included.
    #[arg(long, value_name = "N")]
    nodes: usize,

    /// The protocol: byzid, byzid-w, paxos or pbft.
    #[arg(long, value_name = "P")]
    protocol: Protocol,

    /// How many nodes may be faulty at once. Without it, as many as the nodes allow.
    #[arg(long, value_name = "F")]
    f: Option<usize>,

    /// How many of the nodes stand by (byzid, byzid-w). Without it, all that are no members.
    #[arg(long, value_name = "S")]
    spares: Option<usize>,

    /// How many clients there are.
    #[arg(long, value_name = "C", default_value_t = 1)]
    clients: usize,

    /// The address of all nodes; edit the files where they are on machines of their own.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,

    /// The port of node 0; each node has the next.
    #[arg(long, value_name = "PORT", default_value_t = 7400, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// What links are made of. Plain ones prove nothing and hide nothing: for benchmarks alone.
    #[arg(long, value_name = "LINKS", default_value = "tls")]
    links: Links,

    /// What is replicated: keys and values, or nothing, so that what is measured is the protocol.
    #[arg(long, value_name = "SERVICE", default_value = "kv")]
    service: Service,

    /// What the cluster is called. Without it, as the folder.
    #[arg(long, value_name = "NAME", value_parser = plain_name)]
    name: Option<String>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Kv,
    Null,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Links {
    Tls,
    Plain,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match make(arguments) {
        Err(refused) => {
            complain!("error: {refused}");
            Outcome::Refused
        }
        Ok((plan, cluster)) => {
            if plan.plain {
                complain!(
                    "warning: links = \"plain\" GIVES UP encryption and the proof of who is at the other end; for \
                     benchmarks and isolated networks alone"
                );
            }
            if arguments.json {
                say!("{}", as_json(&arguments.folder, &plan, &cluster));
            } else {
                say::answer(format_args!("{}", as_text(&arguments.folder, &plan, &cluster)));
            }
            Outcome::Fine
        }
    }
}

fn make(arguments: &Arguments) -> Result<(Plan, Cluster), String> {
    let Arguments { folder, nodes, protocol, f, spares, clients, host, port, .. } = arguments;
    let asked = Asked { protocol: *protocol, nodes: *nodes, f: *f, spares: *spares, clients: *clients };
    let shape = asked.shape()?;
    let port_max = u16::MAX - HTTP_PORTS_AFTER - *nodes as u16;
    if *port > port_max {
        return Err(format!(
            "there are no {nodes} ports for nodes and for metrics from {port} on; at most --port {port_max}"
        ));
    }
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => name_of(folder),
    };
    let expires = WallTime::from(SystemTime::now()).day_after(KEY_DAYS);
    let plan = Plan {
        name,
        shape,
        host: *host,
        port: *port,
        plain: arguments.links == Links::Plain,
        service: match arguments.service {
            Service::Kv => "kv",
            Service::Null => "null",
        },
        separate: true,
        durability: "fsync",
        expires,
    };
    match plan.make(folder) {
        Ok(cluster) => Ok((plan, cluster)),
        Err(Failed::Taken(folder)) => Err(format!(
            "{} has something in it, and keys are never written over; right would be a folder that is empty or not there",
            folder.display()
        )),
        Err(Failed::File(path, error)) => Err(unfinished(folder, &format!("{}: {error}", path.display()))),
        Err(Failed::Secret(error)) => Err(unfinished(folder, &error.to_string())),
        Err(Failed::Log(error)) => Err(unfinished(folder, &error)),
    }
}

fn unfinished(folder: &Path, error: &str) -> String {
    let is_there = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    match is_there {
        true => format!("{error}\n  {} is unfinished: remove it", folder.display()),
        false => error.to_string(),
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_.".contains(letter)
}

/// What can be a name in a configuration.
fn plain_name(name: &str) -> Result<String, String> {
    if (1..=64).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(name.to_string());
    }
    Err("a name is 1 to 64 letters, digits, '-', '_' and '.'".to_string())
}

/// A name from that of the folder, as far as it can be one.
fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().filter(|letter| is_plain(*letter)).take(64).collect();
    plain_name(&name).unwrap_or_else(|_| "varangian".to_string())
}

fn as_json(folder: &Path, plan: &Plan, cluster: &Cluster) -> Value {
    let one = |made: &Made| {
        json!({
            "number": made.number,
            "address": made.address.map(|address| address.to_string()),
            "fingerprint": made.identity.fingerprint().to_string(),
            "identity": made.identity.to_string(),
            "config": made.file.display().to_string(),
        })
    };
    let (members, spares) = cluster.nodes.split_at(plan.shape.members);
    json!({
        "folder": folder.display().to_string(),
        "name": plan.name,
        "protocol": plan.shape.protocol.name(),
        "f": plan.shape.f,
        "links": if plan.plain { "plain" } else { "tls" },
        "keys_end": plan.expires.to_string(),
        "members": members.iter().map(one).collect::<Vec<_>>(),
        "spares": spares.iter().map(one).collect::<Vec<_>>(),
        "clients": cluster.clients.iter().map(one).collect::<Vec<_>>(),
    })
}

fn as_text(folder: &Path, plan: &Plan, cluster: &Cluster) -> String {
    let Shape { protocol, f, members, .. } = plan.shape;
    let mut text = format!("made the cluster '{}': {protocol}, f = {f}\n\n", plan.name);
    for (index, node) in cluster.nodes.iter().enumerate() {
        let part = if index < members { "node" } else { "spare" };
        let address = node.address.map(|address| address.to_string()).unwrap_or_default();
        line(&mut text, part, &address, node);
    }
    for client in &cluster.clients {
        line(&mut text, "client", "", client);
    }
    let folder = folder.display();
    let _ = write!(
        text,
        "\n\
         Keys end on {}. Next:\n  \
         1. See that it is right:  varangian config check {folder}/*/*.toml\n  \
         2. Where nodes are on machines of their own: put their addresses into [cluster] of every file.\n  \
         3. Bring each folder to its machine on a way that nobody else reads, and delete it here: who has a folder can\n     \
         speak in its holder's name, and who has them all is the cluster.\n",
        plan.expires
    );
    text
}

fn line(text: &mut String, part: &str, address: &str, made: &Made) {
    let _ = writeln!(
        text,
        "  {part:<6} {:<4} {address:<21} {}  {}",
        made.number,
        made.identity.fingerprint(),
        made.file.display()
    );
}
