//! `varangian admit`: a client that was not there, or a node that comes back wiped, is let in. `varangian remove`: a client goes.
//!
//! Upon a client: its folder is written, with a new secret; then the roster is changed; then the folder is told of that. Upon a node: as
//!   [`super::replace`], at the address that it has.
//! Upon a removal: no node takes the client's key any more, and links that it has are closed.

use super::operator::{Operator, seconds};
use super::{Failed, folder, outcome, replace, wrong};
use crate::Outcome;
use crate::say::say;
use agree::roster::{Edition, Holder, What};
use clap::Args;
use core::time::Duration;
use node::config::{ClientConfig, changes};
use std::fs;
use std::path::PathBuf;

/// Let a new client in, or a node that was wiped.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian admit --config harbour/client-1/client.toml --client 7 --name sensor-g --out sensor-g
  varangian admit --config harbour/client-1/client.toml --node 2 --like harbour/node-0/node.toml --out node-2-new

Exit codes: 0 done, 1 the cluster refused it, 2 it cannot be done like this, 3 no answer in time; it can be started again.")]
pub(crate) struct Arguments {
    /// The configuration of a client that is an operator.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The number of the client to be.
    #[arg(long, value_name = "N", required_unless_present = "node", conflicts_with = "node")]
    client: Option<u32>,

    /// What people call it.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// It may change the roster, too.
    #[arg(long)]
    operator: bool,

    /// The node that comes back.
    #[arg(long, value_name = "N", requires = "like")]
    node: Option<u16>,

    /// The configuration of any node, for the settings and the key of monitors.
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,

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

/// Take a client's rights.
#[derive(Args)]
#[command(after_help = "\
Example:
  varangian remove --config harbour/client-1/client.toml --client 7

Exit codes: 0 done, 1 the cluster refused it, 2 it cannot be done like this, 3 no answer in time; it can be started again.")]
pub(crate) struct RemoveArguments {
    /// The configuration of a client that is an operator.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The number of the client that goes.
    #[arg(long, value_name = "N")]
    client: u32,

    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    outcome(match (arguments.client, arguments.node, &arguments.like) {
        (Some(client), _, _) => admit_client(arguments, client),
        (None, Some(node), Some(like)) => {
            let seat = replace::Seat { node, address: None, like, out: &arguments.out, http: None };
            replace::replace(&arguments.config, &seat, arguments.force, arguments.timeout)
        }
        (None, _, _) => Err(wrong("whom to admit? right would be --client N or --node N --like FILE")),
    })
}

pub(crate) fn remove(arguments: &RemoveArguments) -> Outcome {
    let removed = Operator::open(&arguments.config, arguments.timeout).and_then(|mut operator| {
        let holder = Holder::Client(arguments.client);
        operator.identities(holder)?;
        operator.change(holder, What::Removed)
    });
    outcome(removed)
}

fn admit_client(arguments: &Arguments, number: u32) -> Result<(), Failed> {
    let mut operator = Operator::open(&arguments.config, arguments.timeout)?;
    let secret = folder::begin(&arguments.out)?;
    let holder = Holder::Client(number);
    let name = arguments.name.clone().unwrap_or_else(|| format!("client-{number}"));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !(1..=64).contains(&name.len()) || !name.chars().all(is_plain) {
        return Err(wrong("a name is 1 to 64 letters, digits, '-', '_' and '.'"));
    }
    let is_there = operator
        .identities(holder)
        .is_ok_and(|identities| identities.iter().any(|identity| identity.has_keys_of(&secret.public(None))));
    if !is_there {
        let identity = secret.public(Some(super::operator::expiry())).to_string().into();
        let what = What::Admitted { identity, name: name.clone().into(), operator: arguments.operator };
        operator.change(holder, what)?;
    }
    let text = fs::read_to_string(&operator.path).map_err(wrong)?;
    let said = format!("number = {number}\nsecret = \"{}\"\n", folder::SECRET);
    let file = arguments.out.join("client.toml");
    changes::save(&arguments.out, &operator.chain).map_err(wrong)?;
    folder::write(&file, &folder::with_section(&text, "client", &said, &["number", "secret"]))?;
    let made = ClientConfig::load(&file).and_then(|config| config.secret().map(|_| config)).map_err(wrong)?;
    let edition: Edition = made.cluster.chain.edition();
    say!("client {number} '{name}' is admitted with edition {edition}: {}", file.display());
    Ok(())
}
