//! `varangian status`: how a cluster is, by the word of all its nodes.
//!
//! Upon a wish: every node is asked over an ordinary link by the client's key ([`client::accounts`]); what their accounts come to is
//!   [`agree::survey`]'s to say. Above the table stands one line that says the truth about the whole ([`headline`]).
//! Upon a healthy cluster: exit code 0; a degraded one: 1; one that does not serve: 2. So too for one node alone, by its own word.
//! Upon a configuration or key with which nobody can be asked: 2, and no answer.
//! Upon `--watch`, on a terminal: the answer is drawn again and again until it is interrupted.

mod headline;
mod record;
mod table;

use crate::Outcome;
use crate::say::{complain, say};
use agree::account::Account;
use agree::survey::{Health, Survey};
use clap::Args;
use client::accounts::{self, Answer};
use core::time::Duration;
use node::config::{ClientConfig, Cluster};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::thread;
use wire::NodeId;

/// What goes before an answer that is drawn over the one before: home, and all below is wiped.
const REDRAW: &str = "\x1b[H\x1b[J";

/// Ask all nodes of a cluster how they are.
#[derive(Args)]
#[command(after_help = "\
What f+1 nodes say alike is marked '='; the rest is each node's own word. What stands under 'monitor' is the word of the process
that holds the node's links; a replica that was broken into can lie only about its own figures. docs/operations.md says what each
line means and what to do.

Examples:
  varangian status --config harbour/client-1/client.toml
  varangian status --config harbour/client-1/client.toml --node 2
  varangian status --config harbour/client-1/client.toml --json | jq .health
  varangian status --config harbour/client-1/client.toml --watch 2

Exit codes: 0 healthy, 1 degraded, 2 not serving (or, without an answer, the configuration is wrong).")]
pub(crate) struct Arguments {
    /// The client's configuration.
    #[arg(long, value_name = "FILE", default_value = "client.toml")]
    config: PathBuf,

    /// Ask this node alone.
    #[arg(long, value_name = "N")]
    node: Option<u16>,

    /// Seconds to wait for answers.
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = super::seconds)]
    wait: Duration,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    /// Ask again every so many seconds, on a terminal.
    #[arg(long, value_name = "SECONDS", value_parser = super::seconds, conflicts_with = "json")]
    watch: Option<Duration>,
}

/// What was asked and what came of it.
struct Findings<'a> {
    cluster: &'a Cluster,
    /// The one node that was asked, if not all were.
    only: Option<NodeId>,
    answers: BTreeMap<NodeId, Answer>,
    survey: Survey,
}

impl Findings<'_> {
    /// Whether the cluster serves; of one node, whether it does its part.
    fn health(&self) -> Health {
        match self.only {
            None => self.survey.health,
            Some(node) => self.survey.health_of(node),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let refused = |wrong: &dyn core::fmt::Display| {
        complain!("error: {wrong}");
        Outcome::Refused
    };
    let config = match ClientConfig::load(&arguments.config) {
        Ok(config) => config,
        Err(wrong) => return refused(&wrong),
    };
    let only = arguments.node.map(NodeId);
    if let Some(node) = only.filter(|node| config.cluster.node(*node).is_none()) {
        let nodes: Vec<NodeId> = config.cluster.nodes().map(|entry| entry.node).collect();
        let there_are = agree::survey::listed(&nodes);
        return refused(&format!(
            "there is no node {} in {}; there are {there_are}",
            node.0, config.cluster.name
        ));
    }
    if arguments.watch.is_some() && !stdout().is_terminal() {
        return refused(&"--watch draws on a terminal; right would be --json, as often as you like");
    }
    loop {
        let findings = match find(&config, only, arguments.wait) {
            Ok(findings) => findings,
            Err(wrong) => return refused(&wrong),
        };
        if arguments.json {
            say!("{}", record::of(&findings));
        } else {
            let redraw = if arguments.watch.is_some() { REDRAW } else { "" };
            say!(
                "{redraw}{}\n\n{}",
                headline::of(&findings),
                table::of(&findings, node::assemble::wall_time())
            );
        }
        match arguments.watch {
            Some(pause) => thread::sleep(pause),
            None => return outcome(findings.health()),
        }
    }
}

fn outcome(health: Health) -> Outcome {
    match health {
        Health::Healthy => Outcome::Fine,
        Health::Degraded => Outcome::Violated,
        Health::NotServing => Outcome::NotServing,
    }
}

fn find(
    config: &ClientConfig,
    only: Option<NodeId>,
    wait: Duration,
) -> Result<Findings<'_>, client::OpenError> {
    let cluster = &config.cluster;
    let all = cluster.nodes().map(|entry| entry.node);
    let nodes: BTreeSet<NodeId> = all.filter(|node| only.is_none_or(|only| only == *node)).collect();
    let answers = accounts::ask(config, &nodes, wait)?;
    let given: BTreeMap<NodeId, Account> = answers
        .iter()
        .filter_map(|(node, answer)| answer.as_ref().ok().map(|account| (*node, account.clone())))
        .collect();
    let survey = Survey::of(&cluster.settings, &given);
    Ok(Findings { cluster, only, answers, survey })
}
