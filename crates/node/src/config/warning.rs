//! What may be, and what it costs: said aloud whenever a file that asks for it is used or checked.

use super::cluster::Cluster;
use super::document::{Durability, Fail, Links, Processes};
use super::{ClientConfig, Config};
use crate::ending::WARNED_DAYS;
use link::WallTime;

impl Config {
    /// What is given up by what this file asks for, and which keys end soon or have.
    #[must_use]
    pub fn warnings(&self, now: WallTime) -> Vec<String> {
        let mut warnings = self.cluster.warnings(now);
        let protocol = self.cluster.settings.protocol;
        if self.durability == Durability::Async {
            warnings.push(
                "durability = \"async\" GIVES UP what a client was told if all nodes lose power at once"
                    .to_string(),
            );
        }
        if self.fail == Fail::Open {
            warnings.push(
                "fail = \"open\" GIVES UP masking a traitor while its monitor is down: it then says what it likes; and coming \
                 back by itself after all monitors were started again at once"
                    .to_string(),
            );
        }
        if self.processes == Processes::One && protocol.monitored() {
            warnings.push(
                "processes = \"one\" GIVES UP the wall between monitor and replica: whoever breaks into one has both"
                    .to_string(),
            );
        }
        if let Some(http) = self.http.filter(|http| !http.ip().is_loopback()) {
            warnings.push(format!("http = \"{http}\" shows metrics and health to everybody on that network"));
        }
        warnings
    }
}

impl ClientConfig {
    /// What is given up by what this file asks for, and which keys end soon or have.
    #[must_use]
    pub fn warnings(&self, now: WallTime) -> Vec<String> {
        self.cluster.warnings(now)
    }
}

impl Cluster {
    fn warnings(&self, now: WallTime) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.links == Links::Plain {
            let who = match self.settings.protocol.monitored() {
                true => "whoever reaches the network can read everything and SPEAK IN THE NAME OF ANY NODE",
                false => "whoever reaches the network can read everything and cut every link",
            };
            warnings.push(format!(
                "links = \"plain\" GIVES UP encryption and the proof of who is at the other end: {who}; for benchmarks \
                 and isolated networks alone"
            ));
        }
        let soon = now.day_after(WARNED_DAYS);
        let roster = self.roster();
        let identities = roster.iter().flat_map(|(holder, all)| all.iter().map(move |one| (holder, one)));
        for (holder, identity) in identities {
            match identity.expires() {
                Some(end) if identity.is_expired(now) => {
                    warnings.push(format!("the key of {holder} ended at {end}; nobody takes it any more"));
                }
                Some(end) if end <= soon => warnings.push(format!("the key of {holder} ends at {end}")),
                Some(_) | None => {}
            }
        }
        warnings
    }
}
