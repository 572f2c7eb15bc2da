//! The parts of a node, as its configuration wants them.

use crate::config::{self, Cluster, Config};
use crate::core::Keeping;
use crate::membership::{Ed25519, Membership};
use crate::telling::{Level, Say};
use agree::account::{MemberPart, MonitorPart};
use agree::between::LogStanding;
use agree::byzid::guard::Fail;
use agree::door::Door;
use agree::replica::{Position, Recovered};
use agree::roster::Governed;
use agree::service::RestoreError;
use agree::{Protocol, Replica, Service, Write, byzid, paxos, pbft};
use bytes::Bytes;
use link::{Holder, Keyring, Links, Making, Pins, Protection, SealKey, SecretIdentity, WallTime};
use mio::Waker;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use wire::{Digest, NodeId, Peer, Text, Time, View};

/// What is replicated.
#[derive(Clone, Debug)]
pub enum AnyService {
    /// Keys and values.
    Kv(Box<kv::Store>),
    /// Nothing, for measurements of the protocol.
    Null(kv::Null),
}

impl AnyService {
    /// The service that a cluster is for, in its first state.
    #[must_use]
    pub fn of(service: config::Service) -> AnyService {
        match service {
            config::Service::Kv => AnyService::Kv(Box::default()),
            config::Service::Null => AnyService::Null(kv::Null::default()),
        }
    }
}

impl Service for AnyService {
    fn apply(&mut self, command: &Bytes) -> Bytes {
        match self {
            AnyService::Kv(store) => store.apply(command),
            AnyService::Null(null) => null.apply(command),
        }
    }

    fn digest(&self) -> Digest {
        match self {
            AnyService::Kv(store) => store.digest(),
            AnyService::Null(null) => null.digest(),
        }
    }

    fn snapshot(&self) -> Bytes {
        match self {
            AnyService::Kv(store) => store.snapshot(),
            AnyService::Null(null) => null.snapshot(),
        }
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        match self {
            AnyService::Kv(store) => store.restore(snapshot),
            AnyService::Null(null) => null.restore(snapshot),
        }
    }
}

/// What time of the calendar it is.
#[must_use]
pub fn wall_time() -> WallTime {
    WallTime::from(SystemTime::now())
}

/// The present moment to the millisecond, as it stands in a log: `2026-01-02T03:04:05.678Z`.
#[must_use]
pub fn moment() -> String {
    let now = SystemTime::now();
    let millis = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
    format!("{}.{millis:03}Z", WallTime::from(now).to_string().trim_end_matches('Z'))
}

/// Whom a cluster knows, at this moment.
#[must_use]
pub fn pins(cluster: &Cluster) -> Arc<Pins> {
    Arc::new(Pins::new(cluster.roster(), wall_time()))
}

/// What goes by `pins`, and by the files at first.
#[must_use]
pub fn membership(cluster: &Cluster, pins: &Arc<Pins>) -> Membership {
    Membership::new(cluster, Arc::clone(pins))
}

/// What two ends of a link must have in common.
#[must_use]
pub fn digest_of(cluster: &Cluster) -> Digest {
    Digest::of_bytes(format!("varangian cluster {} {}", cluster.settings.protocol, cluster.name).as_bytes())
}

/// How the links of `me` in a cluster are made.
#[must_use]
pub fn making(cluster: &Cluster, me: Peer, secret: &SecretIdentity, pins: &Arc<Pins>) -> Making {
    // Of two nodes the one with the greater number dials, so that there is one connection between them.
    let is_dialled = |node: &NodeId| match me {
        Peer::Node(me) => *node < me,
        Peer::Client(_) => true,
    };
    let nodes: Vec<_> = cluster.nodes().map(|entry| (entry.node, entry.address)).collect();
    Making {
        me,
        cluster: digest_of(cluster),
        listen: None,
        dial: nodes.iter().copied().filter(|(node, _)| is_dialled(node)).collect(),
        nodes,
        protection: match cluster.links {
            config::Links::Plain => Protection::Plain,
            config::Links::Tls => {
                Protection::Tls { secret: Arc::new(secret.clone()), pins: Arc::clone(pins) }
            }
        },
    }
}

/// The links of a node, which listens where its configuration says.
pub fn links(config: &Config, secret: &SecretIdentity, pins: &Arc<Pins>) -> Result<Links, String> {
    let me = Peer::Node(config.node);
    let making = Making { listen: Some(config.listen), ..making(&config.cluster, me, secret, pins) };
    Links::new(making).map_err(|error| format!("cannot listen on {}: {error}", config.listen))
}

/// The replica of a node, as its disk remembers it. Only a protocol without monitors asks it to have keys.
pub fn replica(
    config: &Config,
    keys: Option<Keyring>,
    recovered: Recovered,
) -> Result<Box<dyn Replica>, String> {
    let (me, settings) = (config.node, config.settings());
    let service =
        Governed::new(AnyService::of(config.cluster.service), config.cluster.chain.first().clone(), Ed25519);
    let seat = config.admitted;
    let failed = |error: &dyn core::fmt::Display| format!("the replica cannot begin: {error}");
    Ok(match settings.protocol {
        Protocol::ByzId | Protocol::ByzIdW => Box::new(
            byzid::Replica::recover(me, settings, service, recovered)
                .map_err(|error| failed(&error))?
                .seated(seat),
        ),
        Protocol::Paxos => Box::new(
            paxos::Replica::recover(me, settings, service, recovered)
                .map_err(|error| failed(&error))?
                .seated(seat),
        ),
        Protocol::Pbft => {
            let keys = keys.ok_or_else(|| failed(&"pbft signs, and there are no keys"))?;
            Box::new(
                pbft::Replica::recover(me, settings, service, keys, recovered)
                    .map_err(|error| failed(&error))?
                    .seated(seat),
            )
        }
    })
}

/// The guard of any protocol, with real keys.
pub type AnyGuard = agree::any_guard::AnyGuard<Keyring>;

/// The guard of a node, whose monitor starts for the `incarnation`th time.
#[must_use]
pub fn guard(config: &Config, keys: Keyring, incarnation: u64, now: Time) -> AnyGuard {
    let settings = config.settings();
    let nodes = settings.members.iter().chain(&settings.spares).copied().collect();
    let door = Door::new(Peer::Node(config.node), settings.protocol, nodes, keys);
    let fail = match config.fail {
        config::Fail::Closed => Fail::Closed,
        config::Fail::Open => Fail::Open,
    };
    AnyGuard::new(door, &settings, fail, incarnation, now)
}

/// What the monitor of a guard says, where there is one.
#[must_use]
pub fn monitor_part(guard: &AnyGuard) -> Option<MonitorPart> {
    let AnyGuard::ByzId(guard) = guard else { return None };
    let monitor = guard.monitor()?;
    let (configuration, suspicion) = (monitor.configuration(), monitor.suspicion());
    let members = configuration.members.iter();
    Some(MonitorPart {
        incarnation: monitor.incarnation(),
        standing: monitor.standing().into(),
        view: View(configuration.view.0),
        members: members
            .map(|member| MemberPart { node: NodeId(member.node), incarnation: member.incarnation })
            .collect(),
        wants: View(suspicion.target.0),
        promised: View(suspicion.promised.0),
        fails_open: guard.fail() == Fail::Open,
        guilty: monitor.guilty().map(|rule| Text::cut(rule.name())),
    })
}

/// The keys of a node's two halves.
pub fn keyring(
    config: &Config,
    secret: &SecretIdentity,
    seal: Option<&SealKey>,
    pins: &Arc<Pins>,
) -> Result<Keyring, String> {
    let old = config.old_secret().map_err(|error| error.to_string())?;
    Ok(keyring_of(Holder::Node(config.node), secret, old.as_ref(), seal, pins))
}

/// The keys of `me`, which speaks by `secret` and is still spoken to by `old`, if it changes keys.
#[must_use]
pub fn keyring_of(
    me: Holder,
    secret: &SecretIdentity,
    old: Option<&SecretIdentity>,
    seal: Option<&SealKey>,
    pins: &Arc<Pins>,
) -> Keyring {
    let keys = Keyring::new(me, old.unwrap_or(secret), seal, Arc::clone(pins));
    if old.is_some() {
        keys.switch_to(secret);
    }
    keys
}

/// The log of a node in `directory`, and what is in it. `waker` ends the turn of whoever waits for news of it; `say` hears if a
/// crash cut something short.
pub fn log(
    config: &Config,
    directory: &Path,
    waker: Arc<Waker>,
    say: Say<'_>,
) -> Result<(store::Log, Recovered), String> {
    let options = store::Options {
        durability: match config.durability {
            config::Durability::Fsync => store::Durability::Fsync,
            config::Durability::Async => store::Durability::Async,
        },
        ..store::Options::default()
    };
    let opened = store::Log::open(directory, options, move || {
        // Who is not woken finds out by itself at its next turn.
        let _ = waker.wake();
    });
    let (log, found) = opened.map_err(|error| error.to_string())?;
    if let Some(torn) = &found.torn {
        say(Level::Warning, &torn.to_string());
    }
    Ok((log, found.recovered))
}

impl Keeping for store::Log {
    fn write(&mut self, writes: &mut Vec<Write>) -> Result<(), String> {
        store::Log::write(self, writes.drain(..)).map(|_| ()).map_err(|failure| failure.to_string())
    }

    fn durable(&mut self) -> Result<Position, String> {
        store::Log::durable(self).map_err(|failure| failure.to_string())
    }

    fn standing(&self) -> LogStanding {
        let (writes, counts) = (self.last().0, self.counts());
        let durable = store::Log::durable(self).map_or(0, |position| position.0);
        LogStanding {
            writes,
            unsynced: writes.saturating_sub(durable),
            segments: counts.segments,
            bytes: counts.bytes,
        }
    }
}
