//! The Rust peers from the load's side: which versions they are, who leads, and the clients' start.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::failure::Failure;
use crate::family::Family;
use crate::load::{Broken, Shared, frames};
use crate::options::{Endpoints, Options, System};

const LEADER_SECONDS_MAX: u64 = 30;
const PROBE_PAUSE_MS: u64 = 50;
const LOCK: &str = include_str!("../Cargo.lock");

/// The version of a crate that this binary was built with.
pub(crate) fn version(krate: &str) -> Result<String, Failure> {
    let name = format!("name = \"{krate}\"\nversion = \"");
    LOCK.split_once(&name)
        .and_then(|(_, behind)| behind.split_once('"'))
        .map(|(version, _)| version.to_owned())
        .ok_or_else(|| Failure::Io { what: "Cargo.lock", why: format!("{krate} is not in it") })
}

/// Refuses what these peers cannot do.
pub(crate) fn check(options: &Options, system: System) -> Result<(), Failure> {
    match options.endpoints {
        Endpoints::Leader => Ok(()),
        Endpoints::All => Err(Failure::Unsupported {
            system: system.name(),
            wish: "--endpoints all".to_owned(),
            right: "--endpoints leader",
        }),
    }
}

/// Waits for a leader, then starts the clients.
pub(crate) async fn load(
    options: &Options,
    members: &[SocketAddr],
    family: &mut Family,
    recorder: &Shared,
    broken: &Rc<Broken>,
) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + Duration::from_secs(LEADER_SECONDS_MAX);
    while tokio::time::Instant::now() < end {
        family.check()?;
        if let Some(leader) = members.iter().find(|member| frames::leads(**member) == Some(true)) {
            return frames::start(options, *leader, recorder, broken).await;
        }
        tokio::time::sleep(Duration::from_millis(PROBE_PAUSE_MS)).await;
    }
    Err(Failure::NoLeader { seconds: LEADER_SECONDS_MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_lock_file() {
        for krate in ["raft", "omnipaxos"] {
            let version = version(krate).expect("a dependency");
            assert!(version.split('.').count() == 3, "{krate} {version}");
        }
        assert!(version("no-such-crate").is_err());
    }
}
