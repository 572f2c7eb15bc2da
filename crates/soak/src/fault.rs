//! The faults: what each does to whom, for how long, and how it is taken back.
//!
//! Upon a fault: a victim is drawn, the fault is done, it lasts, it is taken back, and the cluster becomes whole again, before the next
//!   one. So never more than one node is faulty, but for `kill-all`, which takes all at once.
//! Its moment is that from which service is missed: when it was done; for `kill-all`, when the nodes were started again.

use crate::cluster::{Cluster, signal};
use crate::ground::Ground;
use crate::network::Network;
use crate::parts::Part;
use rustix::process::Signal;
use sim::random::Random;
use std::time::Duration;

/// The longest that a process is stopped.
const STOPPED_MAX: Duration = Duration::from_secs(15);

/// How long a node is away that is to come back by a snapshot, at most, while the others go on.
const AWAY_MAX: Duration = Duration::from_secs(20);

/// Checkpoints by which the others must be ahead of who was away, so that their logs do not reach back: two would do, but a node says
/// how far it is only now and then, and some hundred batches late.
const AWAY_CHECKPOINTS: u64 = 16;

/// Packets lost of a hundred.
const LOSS_PERCENT: u32 = 30;

/// Milliseconds that a packet takes longer.
const DELAY_MS: u32 = 100;

macro_rules! kinds {
    ($($kind:ident = $name:literal, $needs:expr;)*) => {
        /// What can happen.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub(crate) enum Kind { $(#[doc = concat!("`", $name, "`")] $kind,)* }

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Its name.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            fn needs(self) -> Needs {
                match self { $(Kind::$kind => $needs,)* }
            }
        }
    };
}

/// What the ground must have for a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Needs {
    Nothing,
    Parts,
    Network,
    Loss,
    Delay,
    Disk,
    /// And a replica that can be dead while its node runs.
    DiskAndParts,
}

kinds! {
    KillReplica = "kill-replica", Needs::Parts;
    KillMonitor = "kill-monitor", Needs::Parts;
    KillNode = "kill-node", Needs::Nothing;
    KillPrimary = "kill-primary", Needs::Nothing;
    KillPrimaryReplica = "kill-primary-replica", Needs::Parts;
    KillPrimaryMonitor = "kill-primary-monitor", Needs::Parts;
    StopReplica = "stop-replica", Needs::Parts;
    StopMonitor = "stop-monitor", Needs::Parts;
    StopNode = "stop-node", Needs::Nothing;
    StopPrimary = "stop-primary", Needs::Nothing;
    Restart = "restart", Needs::Nothing;
    Cut = "cut", Needs::Network;
    CutPrimary = "cut-primary", Needs::Network;
    Mute = "mute", Needs::Network;
    Deaf = "deaf", Needs::Network;
    Loss = "loss", Needs::Loss;
    LossPrimary = "loss-primary", Needs::Loss;
    SlowLink = "slow-link", Needs::Delay;
    DiskFull = "disk-full", Needs::Disk;
    ReadOnly = "read-only", Needs::DiskAndParts;
    KillAll = "kill-all", Needs::Nothing;
    Away = "away", Needs::Nothing;
}

/// What is there to do it with.
pub(crate) struct Means<'a> {
    /// The victims.
    pub(crate) cluster: &'a mut Cluster,
    /// Their network, if it is our own.
    pub(crate) network: Option<&'a Network>,
    /// Chance.
    pub(crate) random: &'a mut Random,
    /// Called at the moment from which service is missed.
    pub(crate) began: &'a mut dyn FnMut(),
}

/// Whom it happened to, and what is worth knowing of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The victim; nobody if it was everybody.
    pub(crate) node: Option<u16>,
    /// What else.
    pub(crate) note: String,
}

impl Kind {
    /// Why it cannot happen here.
    pub(crate) fn missing(self, cluster: &Cluster, network: Option<&Network>) -> Option<&'static str> {
        let wish = cluster.wish();
        let is_there = match self.needs() {
            Needs::Nothing => true,
            Needs::Parts | Needs::DiskAndParts if !wish.protocol.monitored() => {
                return Some("a node of this protocol is one process");
            }
            Needs::Parts => true,
            Needs::Network => network.is_some(),
            Needs::Loss => {
                if network.is_some_and(|network| !network.loses) {
                    return Some("there is no `nft`, or the kernel has no random numbers for it");
                }
                network.is_some()
            }
            Needs::Delay => {
                if network.is_some_and(|network| !network.delays) {
                    return Some("the kernel has no `netem`");
                }
                network.is_some()
            }
            Needs::Disk | Needs::DiskAndParts => cluster.disk().is_some(),
        };
        match &wish.ground {
            Ground::Loopback(why) if !is_there => Some(why),
            Ground::Own if !is_there => Some("there is no disk for it"),
            Ground::Loopback(_) | Ground::Own => None,
        }
    }

    /// Lets it happen, from its begin to when it was taken back.
    pub(crate) fn happen(self, means: &mut Means) -> Result<Done, String> {
        let nodes = usize::from(means.cluster.count());
        let any = means.random.index(nodes) as u16;
        let primary = means.cluster.primary().unwrap_or(any);
        let short = means.random.duration(Duration::from_millis(500), Duration::from_secs(3));
        let long = means.random.duration(Duration::from_secs(1), STOPPED_MAX);
        match self {
            Kind::KillReplica => means.kill(any, Part::Replica),
            Kind::KillMonitor => means.kill(any, Part::Monitor),
            Kind::KillPrimaryReplica => means.kill(primary, Part::Replica),
            Kind::KillPrimaryMonitor => means.kill(primary, Part::Monitor),
            Kind::KillNode => means.kill_node(any, short),
            Kind::KillPrimary => means.kill_node(primary, short),
            Kind::StopReplica => means.stop(any, &[Part::Replica], long),
            Kind::StopMonitor => means.stop(any, &[Part::Monitor], long),
            Kind::StopNode => means.stop_node(any, long),
            Kind::StopPrimary => means.stop_node(primary, long),
            Kind::Restart => means.restart(any),
            Kind::Cut => means.network(any, short, Network::cut),
            Kind::CutPrimary => means.network(primary, long, Network::cut),
            Kind::Mute => means.network(any, short, Network::mute),
            Kind::Deaf => means.network(any, short, Network::deafen),
            Kind::Loss => means.network(any, short * 2, |network, node| network.lose(node, LOSS_PERCENT)),
            Kind::LossPrimary => {
                means.network(primary, short * 2, |network, node| network.lose(node, LOSS_PERCENT))
            }
            Kind::SlowLink => means.network(any, short * 2, |network, node| network.delay(node, DELAY_MS)),
            Kind::DiskFull => means.disk_full(short * 2),
            Kind::ReadOnly => means.read_only(short * 2),
            Kind::KillAll => means.kill_all(),
            Kind::Away => means.away(any),
        }
    }
}

impl Means<'_> {
    fn kill(&mut self, node: u16, part: Part) -> Result<Done, String> {
        let pid = self.cluster.part(node, part)?;
        (self.began)();
        signal(pid, Signal::KILL)?;
        self.cluster.pause(Duration::from_millis(500));
        Ok(Done { node: Some(node), note: String::new() })
    }

    fn kill_node(&mut self, node: u16, down: Duration) -> Result<Done, String> {
        (self.began)();
        self.cluster.kill_node(node);
        self.cluster.pause(down);
        self.cluster.start_node(node)?;
        Ok(done(node, &format!("down for {:.1} s", down.as_secs_f64())))
    }

    fn stop_node(&mut self, node: u16, how_long: Duration) -> Result<Done, String> {
        match self.cluster.wish().protocol.monitored() {
            true => self.stop(node, &[Part::Supervisor, Part::Monitor, Part::Replica], how_long),
            false => self.stop(node, &[Part::Supervisor], how_long),
        }
    }

    fn stop(&mut self, node: u16, parts: &[Part], how_long: Duration) -> Result<Done, String> {
        let pids =
            parts.iter().map(|part| self.cluster.part(node, *part)).collect::<Result<Vec<_>, String>>()?;
        (self.began)();
        for pid in &pids {
            signal(*pid, Signal::STOP)?;
        }
        self.cluster.pause(how_long);
        for pid in &pids {
            // A monitor may have lost patience with its replica meanwhile, and its supervisor have killed it.
            let _ = signal(*pid, Signal::CONT);
        }
        Ok(done(node, &format!("stopped for {:.1} s", how_long.as_secs_f64())))
    }

    fn restart(&mut self, node: u16) -> Result<Done, String> {
        (self.began)();
        self.cluster.stop_node(node)?;
        self.cluster.start_node(node)?;
        Ok(done(node, ""))
    }

    fn network(
        &mut self,
        node: u16,
        how_long: Duration,
        break_it: impl FnOnce(&Network, u16) -> Result<(), String>,
    ) -> Result<Done, String> {
        let network = self.network.ok_or("there is no network of our own")?;
        (self.began)();
        let broken = break_it(network, node);
        self.cluster.pause(how_long);
        network.heal(node);
        broken?;
        Ok(done(node, &format!("for {:.1} s", how_long.as_secs_f64())))
    }

    fn disk_full(&mut self, how_long: Duration) -> Result<Done, String> {
        let node = self.cluster.count() - 1;
        (self.began)();
        let disk = self.cluster.disk().ok_or("there is no disk of our own")?;
        let filled = disk.fill();
        self.cluster.pause(how_long);
        disk.free()?;
        filled?;
        // A node that is one process has ended by itself; where there is a service manager that starts it again.
        if self.cluster.has_ended(node) {
            self.cluster.start_node(node)?;
        }
        let said = self.cluster.complaints_of_node(node, "No space left");
        Ok(done(
            node,
            &format!("for {:.1} s; its replica complained {said} times so far", how_long.as_secs_f64()),
        ))
    }

    /// As an error of the disk would make it: while nobody writes, which takes a replica that is dead.
    fn read_only(&mut self, how_long: Duration) -> Result<Done, String> {
        let node = self.cluster.count() - 1;
        let supervisor = self.cluster.pid(node)?;
        let victim = self.cluster.part(node, Part::Replica)?;
        (self.began)();
        signal(supervisor, Signal::STOP)?;
        signal(victim, Signal::KILL)?;
        self.cluster.pause(Duration::from_millis(200));
        let disk = self.cluster.disk().ok_or("there is no disk of our own")?;
        let set = disk.set_read_only(true);
        signal(supervisor, Signal::CONT)?;
        self.cluster.pause(how_long);
        disk.set_read_only(false)?;
        set?;
        let said = self.cluster.complaints_of_node(node, "Read-only file system");
        Ok(done(
            node,
            &format!("for {:.1} s; its replica complained {said} times so far", how_long.as_secs_f64()),
        ))
    }

    fn kill_all(&mut self) -> Result<Done, String> {
        for node in self.cluster.all() {
            self.cluster.kill_node(node);
        }
        (self.began)();
        self.cluster.start()?;
        Ok(Done { node: None, note: "all nodes at once; counted from their start".to_string() })
    }

    /// A node is away until the others have cut the log that it would need, and must come back by a snapshot.
    fn away(&mut self, node: u16) -> Result<Done, String> {
        let number = |cluster: &Cluster, of: u16, name: &str| {
            cluster.status_of_node(of).and_then(|status| status[name].as_u64()).unwrap_or(0)
        };
        let wish = self.cluster.wish();
        let needed = AWAY_CHECKPOINTS * agree::Settings::new(wish.protocol, wish.f).checkpoint_interval;
        let other = (node + 1) % self.cluster.count();
        let executed = number(self.cluster, node, "executed");
        (self.began)();
        self.cluster.kill_node(node);
        let mut left = AWAY_MAX;
        let step = Duration::from_millis(200);
        let mut behind = 0;
        while behind < needed && left > step {
            self.cluster.pause(step);
            left -= step;
            behind = number(self.cluster, other, "stable").saturating_sub(executed);
        }
        self.cluster.start_node(node)?;
        self.cluster.wait_whole(&[node], AWAY_MAX)?;
        let restores = number(self.cluster, node, "restores");
        if behind < needed {
            return Ok(done(node, &format!("only {behind} batches behind: too slow a load for a snapshot")));
        }
        // The first is that of its own disk.
        if restores < 2 {
            let status = self.cluster.status_of_node(node).unwrap_or_default();
            return Err(format!(
                "node {node} was {behind} batches behind and took no snapshot over: {status}"
            ));
        }
        Ok(done(node, &format!("{behind} batches behind, back by snapshot ({restores} states taken over)")))
    }
}

fn done(node: u16, note: &str) -> Done {
    Done { node: Some(node), note: note.to_string() }
}
