//! Whoever changes the roster: its connection, the roster as the cluster has it, and what it can see of the nodes.
//!
//! Upon a look: the changes that are new are asked for, checked, and kept beside the client's configuration.
//! Upon a change: it is made for the edition after the one that was seen, signed, and asked for. If somebody else was faster, the cluster
//!   refuses it by name. If the answer is lost, a look tells whether it was made.

use super::{Failed, wrong};
use crate::say::complain;
use crate::verb::kv::station::{self, Station};
use agree::roster::{Answer, Chain, Change, Command, Holder, Signed, What};
use client::{CallError, Connection, Session};
use core::time::Duration;
use link::knock::{Knock, knock};
use link::{Pins, WallTime};
use link::{PublicIdentity, Roster, SecretIdentity, tls};
use node::config::{ClientConfig, Links, changes};
use node::membership::{self, Ed25519};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Instant;
use wire::{Decode, Encode, NodeId, Signature};

/// How long a knock may take at each step.
const KNOCK_MAX: Duration = Duration::from_secs(2);

/// How often it is looked again at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How long new keys are taken.
const KEY_DAYS: u32 = 730;

/// A client that may change the roster.
pub(super) struct Operator {
    pub(super) config: ClientConfig,
    pub(super) path: PathBuf,
    secret: SecretIdentity,
    session: Session,
    _connection: Connection,
    _station: Option<Station>,
    pub(super) chain: Chain,
    timeout: Duration,
}

impl Operator {
    /// The client whose configuration is at `path`, after a first look.
    pub(super) fn open(path: &Path, timeout: Duration) -> Result<Operator, Failed> {
        let config = ClientConfig::load(path).map_err(wrong)?;
        let secret = config.secret().map_err(wrong)?;
        let station = station::take(path);
        let connection = match &station {
            Some(station) => Connection::open_as(&config, station.number()),
            None => Connection::open(&config),
        };
        let connection = connection.map_err(wrong)?;
        let session = connection.session().map_err(wrong)?;
        let chain = config.cluster.chain.clone();
        let (path, _connection, _station) = (path.to_path_buf(), connection, station);
        let mut operator = Operator { config, path, secret, session, _connection, _station, chain, timeout };
        operator.look()?;
        Ok(operator)
    }

    fn ask(&mut self, command: &Command) -> Result<Answer, CallError> {
        let result = self.session.call(command.to_bytes(), Instant::now() + self.timeout)?;
        // A service that carries no roster answers with something of its own.
        Ok(Answer::from_bytes(result).unwrap_or(Answer::Refused(agree::roster::Refusal::Nonsense)))
    }

    /// Asks what is new.
    pub(super) fn look(&mut self) -> Result<(), Failed> {
        loop {
            let answer = self.ask(&Command::Look(self.chain.edition()));
            let page = match answer {
                Ok(Answer::Chain(page)) => page,
                Ok(Answer::Done(_) | Answer::Refused(_)) => {
                    return Err(Failed::Refused("this cluster knows no changes of its roster".to_string()));
                }
                Err(error) => return Err(Failed::Unanswered(error.to_string())),
            };
            if page.cluster != self.chain.cluster() {
                return Err(wrong(
                    "the cluster began with another roster than these files; right would be [cluster] as it was first made",
                ));
            }
            self.chain.take(&page.changes, &Ed25519).map_err(wrong)?;
            if !page.changes.is_empty() {
                changes::save(self.folder(), &self.chain).map_err(wrong)?;
            }
            if self.chain.edition() >= page.edition {
                return Ok(());
            }
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Changes the roster.
    pub(super) fn change(&mut self, holder: Holder, what: What) -> Result<(), Failed> {
        let change =
            Change { cluster: self.chain.cluster(), edition: self.chain.edition().next(), holder, what };
        let signature = Signature(self.secret.sign(&change.signed_bytes()));
        let signed = Signed { change: change.clone(), operator: self.config.client.0, signature };
        match self.ask(&Command::Change(Box::new(signed))) {
            Ok(Answer::Done(_)) => {}
            Ok(Answer::Refused(refusal)) => return Err(Failed::Refused(refusal.to_string())),
            Ok(Answer::Chain(_)) => return Err(wrong("the cluster answered something else than was asked")),
            // It may have been made all the same.
            Err(error) => {
                self.look()?;
                if !self.chain.holds(&change) {
                    return Err(Failed::Unanswered(error.to_string()));
                }
            }
        }
        self.look()?;
        complain!("{change}");
        Ok(())
    }

    /// The identities of `holder` that are taken now.
    pub(super) fn identities(&self, holder: Holder) -> Result<Vec<PublicIdentity>, Failed> {
        let entry = self.chain.roster().get(holder).ok_or_else(|| {
            wrong(format!("there is no {holder} in the cluster; `varangian config check` shows who there is"))
        })?;
        Ok(membership::identities(entry))
    }

    /// All nodes, and where they are.
    pub(super) fn nodes(&self) -> Vec<(NodeId, std::net::SocketAddr)> {
        membership::addresses(self.chain.roster()).collect()
    }

    /// Knocks at `node` as whoever has `secret`, if `taken` are the identities that are taken for its own.
    fn knock_for(&self, node: NodeId, secret: &SecretIdentity, taken: Option<&PublicIdentity>) -> Knock {
        if self.config.cluster.links == Links::Plain {
            return Knock::Taken;
        }
        let Some((_, address)) = self.nodes().into_iter().find(|(other, _)| *other == node) else {
            return Knock::Unreachable;
        };
        let roster = membership::link_roster(self.chain.roster());
        let roster = match taken {
            None => roster,
            Some(identity) => Roster::of([(node.into(), vec![identity.clone()])]).unwrap_or(roster),
        };
        let pins = Arc::new(Pins::new(roster, now()));
        knock(address, &tls::client_config(secret, pins, node), KNOCK_MAX)
    }

    /// Whether `node` takes whoever has `secret`.
    pub(super) fn takes(&self, node: NodeId, secret: &SecretIdentity) -> Knock {
        self.knock_for(node, secret, None)
    }

    /// Whether `node` speaks by `identity`.
    pub(super) fn speaks_by(&self, node: NodeId, identity: &PublicIdentity) -> bool {
        self.knock_for(node, &self.secret, Some(identity)) == Knock::Taken
    }

    /// The nodes that do not answer.
    pub(super) fn unreachable(&self) -> Vec<NodeId> {
        let nodes = self.nodes().into_iter().map(|(node, _)| node);
        nodes.filter(|node| self.takes(*node, &self.secret) == Knock::Unreachable).collect()
    }

    /// Waits until `is_so`, and has the cluster order something meanwhile, so that nodes that are behind come along.
    pub(super) fn wait(
        &mut self,
        what: &str,
        longest: Duration,
        mut is_so: impl FnMut(&Operator) -> bool,
    ) -> Result<(), Failed> {
        let end = Instant::now() + longest;
        while !is_so(self) {
            if Instant::now() >= end {
                return Err(Failed::Unanswered(format!(
                    "it does not come that {what}; this can be started again"
                )));
            }
            self.look()?;
            sleep(LOOK_AGAIN);
        }
        complain!("{what}");
        Ok(())
    }
}

fn now() -> WallTime {
    node::assemble::wall_time()
}

/// When a key that is made now ends.
pub(super) fn expiry() -> WallTime {
    now().day_after(KEY_DAYS)
}

/// A number of seconds, none as well: a pause may be left out.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    crate::verb::seconds_from(0.0, text)
}
