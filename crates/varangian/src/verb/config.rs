//! `varangian config check`: reads configurations as nodes and clients do.
//!
//! Upon each file: what is wrong with it, or with the secrets that it names, with file, line and what would be right; what it
//!   gives up, and which keys end soon.
//! Upon several files: whether they speak of the same cluster.
//!
//! Nothing is started, written or connected to.

use crate::Outcome;
use crate::say::{complain, say};
use clap::{Args, Subcommand};
use link::WallTime;
use node::config::{Cluster, ConfigError, Document};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Check configurations.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian config check /etc/varangian/node.toml
  varangian config check harbour/*/*.toml")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Check(Check),
}

/// Read configurations as nodes and clients do, and say what is wrong with them.
#[derive(Args)]
#[command(after_help = "\
The secrets that a file names are read as well: they must be there, be nobody else's to read, and fit the identity. Several
files must speak of the same cluster.

Examples:
  varangian config check /etc/varangian/node.toml
  varangian config check harbour/*/*.toml
  varangian config check --json harbour/node-0/node.toml

Exit codes: 0 all of them are right, 2 one is not.")]
struct Check {
    /// Files of nodes and clients.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What was found in a file.
struct Finding {
    file: PathBuf,
    /// Whose file it is and what cluster it speaks of, or what is wrong.
    read: Result<(String, Cluster), String>,
    warnings: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let What::Check(check) = &arguments.what;
    let now = WallTime::from(SystemTime::now());
    let mut findings: Vec<Finding> = check.files.iter().map(|file| examine(file, now)).collect();
    compare(&mut findings);
    for Finding { file, read, warnings } in &findings {
        for warning in warnings {
            complain!("warning: {}: {warning}", file.display());
        }
        if let Err(wrong) = read {
            complain!("error: {wrong}");
        }
    }
    if check.json {
        say!("{}", json!({ "files": findings.iter().map(as_json).collect::<Vec<_>>() }));
    } else {
        for Finding { file, read, .. } in &findings {
            if let Ok((whose, cluster)) = read {
                let settings = &cluster.settings;
                let (name, protocol, f) = (&cluster.name, settings.protocol, settings.f);
                say!("{}: right: {whose} of '{name}', {protocol}, f = {f}", file.display());
            }
        }
    }
    match findings.iter().all(|finding| finding.read.is_ok()) {
        true => Outcome::Fine,
        false => Outcome::Refused,
    }
}

fn examine(file: &Path, now: WallTime) -> Finding {
    let mut warnings = Vec::new();
    let read = read(file, now, &mut warnings).map_err(|error| error.to_string());
    Finding { file: file.to_path_buf(), read, warnings }
}

fn read(file: &Path, now: WallTime, warnings: &mut Vec<String>) -> Result<(String, Cluster), ConfigError> {
    match Document::load(file)? {
        Document::Node(config) => {
            config.check()?;
            *warnings = config.warnings(now);
            Ok((format!("node {}", config.node.0), config.cluster))
        }
        Document::Client(config) => {
            config.secret()?;
            *warnings = config.warnings(now);
            Ok((config.client.to_string(), config.cluster))
        }
    }
}

/// All that could be read must speak of the cluster that the first one speaks of. A client knows no settings but the nodes'
/// protocol and `f`; nodes know all of them.
fn compare(findings: &mut [Finding]) {
    let readable =
        |finding: &Finding| finding.read.as_ref().ok().cloned().map(|read| (finding.file.clone(), read));
    let Some((first, (_, cluster))) = findings.iter().find_map(readable) else { return };
    let node = findings.iter().filter_map(readable).find(|(_, (whose, _))| whose.starts_with("node"));
    for finding in findings {
        let Ok((whose, other)) = &finding.read else { continue };
        let differ = |what: &str, from: &Path| {
            let file = finding.file.display();
            format!("{file}: its {what} differ from {}; they must be the same", from.display())
        };
        if let Some(what) = cluster.difference(other) {
            finding.read = Err(differ(what, &first));
        } else if let Some((from, (_, node))) = node.as_ref().filter(|_| whose.starts_with("node"))
            && node.settings != other.settings
        {
            finding.read = Err(differ("[settings]", from));
        }
    }
}

fn as_json(finding: &Finding) -> Value {
    let (whose, cluster, error) = match &finding.read {
        Ok((whose, cluster)) => (Some(whose), Some(&cluster.name), None),
        Err(wrong) => (None, None, Some(wrong)),
    };
    json!({
        "file": finding.file.display().to_string(),
        "right": finding.read.is_ok(),
        "whose": whose,
        "cluster": cluster,
        "error": error,
        "warnings": finding.warnings,
    })
}
