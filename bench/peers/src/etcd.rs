//! etcd: its own server from the machine's package, three real members or more, each with its own directory.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use crate::failure::Failure;
use crate::family::{Family, free_addresses};
use crate::load::{Broken, Shared, grpc};
use crate::options::{Durability, Endpoints, Options};

/// etcd grows by every version of every value until it is compacted; this is the most that its documentation advises.
const BACKEND_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;
/// Three processes that find each other: a second or two as a rule.
const LEADER_SECONDS_MAX: u64 = 30;
const STATUS_PAUSE_MS: u64 = 50;

/// Its version, if it is here.
pub(crate) fn version() -> Result<String, Failure> {
    let missing = |why: String| Failure::Missing { system: "etcd", why };
    let output = Command::new("etcd")
        .arg("--version")
        .output()
        .map_err(|error| missing(format!("etcd: {error}; on Debian: apt-get install etcd-server")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("etcd Version: "))
        .map(str::to_owned)
        .ok_or_else(|| missing(format!("etcd --version said {text:?}")))
}

/// Refuses what etcd cannot do.
pub(crate) fn check(options: &Options) -> Result<(), Failure> {
    // A put answers with a header, and with the value before it if one asks.
    if options.reply_bytes > grpc::HEADER_BYTES && options.reply_bytes != options.request_bytes {
        return Err(Failure::Unsupported {
            system: "etcd",
            wish: format!("replies of {} bytes to puts of {}", options.reply_bytes, options.request_bytes),
            right: "--reply-bytes 0 to 32 (a put's own header), or the same as --request-bytes (the value before)",
        });
    }
    Ok(())
}

/// Starts the members in `dir`; where clients reach them.
pub(crate) fn start(options: &Options, dir: &Path, family: &mut Family) -> Result<Vec<SocketAddr>, Failure> {
    let count = options.members() as usize;
    let addresses = free_addresses(2 * count).map_err(Failure::io("free ports"))?;
    let (clients, peers) = addresses.split_at(count);
    let cluster: Vec<String> =
        peers.iter().enumerate().map(|(index, peer)| format!("m{index}=http://{peer}")).collect();
    for (index, (client, peer)) in clients.iter().zip(peers).enumerate() {
        let data = dir.join(format!("m{index}"));
        let mut arguments: Vec<OsString> = [
            "--name".to_owned(),
            format!("m{index}"),
            "--listen-client-urls".to_owned(),
            format!("http://{client}"),
            "--advertise-client-urls".to_owned(),
            format!("http://{client}"),
            "--listen-peer-urls".to_owned(),
            format!("http://{peer}"),
            "--initial-advertise-peer-urls".to_owned(),
            format!("http://{peer}"),
            "--initial-cluster".to_owned(),
            cluster.join(","),
            "--initial-cluster-state".to_owned(),
            "new".to_owned(),
            "--quota-backend-bytes".to_owned(),
            BACKEND_BYTES_MAX.to_string(),
            "--logger".to_owned(),
            "zap".to_owned(),
            "--log-level".to_owned(),
            "warn".to_owned(),
        ]
        .into_iter()
        .map(OsString::from)
        .collect();
        if options.durability != Durability::Fsync {
            arguments.push("--unsafe-no-fsync".into());
        }
        arguments.extend(["--data-dir".into(), data.into_os_string()]);
        family.start("etcd".as_ref(), &arguments, dir.join(format!("m{index}.log")))?;
    }
    Ok(clients.to_vec())
}

/// Waits for a leader that all members know, then starts the clients.
pub(crate) async fn load(
    options: &Options,
    members: &[SocketAddr],
    family: &mut Family,
    recorder: &Shared,
    broken: &Rc<Broken>,
) -> Result<(), Failure> {
    let leader = leader(members, family).await?;
    let targets = match options.endpoints {
        Endpoints::Leader => vec![leader],
        Endpoints::All => members.to_vec(),
    };
    grpc::start(options, &targets, recorder, broken).await
}

async fn leader(members: &[SocketAddr], family: &mut Family) -> Result<SocketAddr, Failure> {
    let end = tokio::time::Instant::now() + Duration::from_secs(LEADER_SECONDS_MAX);
    while tokio::time::Instant::now() < end {
        family.check()?;
        let mut found = None;
        let mut answers = 0;
        for member in members {
            if let Some(status) = grpc::status(*member).await {
                answers += 1;
                if status.leads() {
                    found = Some(*member);
                }
            }
        }
        if let (Some(leader), true) = (found, answers == members.len()) {
            return Ok(leader);
        }
        tokio::time::sleep(Duration::from_millis(STATUS_PAUSE_MS)).await;
    }
    Err(Failure::NoLeader { seconds: LEADER_SECONDS_MAX })
}
