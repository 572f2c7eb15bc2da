//! The network of a cluster on ground of its own: a namespace for each node, a cable from each to one bridge. Clients are at the
//! bridge.
//!
//! - **cut**: the cable of a node is pulled: nothing comes, nothing goes, and nobody is told.
//! - **mute**, **deaf**: what a node says is lost, or what it is told. The one who speaks is given a wrong address of the other's
//!   card, so frames go where nobody takes them.
//! - **loss**: a part of the packets of a node is lost, either way (`nft`). **delay**: they take longer (`tc netem`). Which of the
//!   two there is depends on the machine; what it has not is left out.

use crate::ground::{quietly, run};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

/// Where `ip` keeps the names of namespaces.
const NAMES: &str = "/run/netns";

/// The bridge, which is also the clients' card.
const BRIDGE: &str = "bridge0";

/// A card that nobody has.
const NOBODY: &str = "02:76:67:ff:ff:ff";

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    nodes: u16,
    /// The machine can lose packets at random.
    pub(crate) loses: bool,
    /// The machine can delay packets.
    pub(crate) delays: bool,
}

/// The address of the clients.
const CLIENTS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

fn ip(node: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(CLIENTS) + 9 + u32::from(node))
}

/// The address of a node.
pub(crate) fn address(node: u16) -> IpAddr {
    ip(node).into()
}

/// The namespace of a node, as a file.
pub(crate) fn name_of(node: u16) -> String {
    format!("{NAMES}/node-{node}")
}

impl Network {
    /// Makes it for so many nodes.
    pub(crate) fn make(nodes: u16) -> Result<Network, String> {
        // The names are in this mount namespace alone.
        std::fs::create_dir_all(NAMES).map_err(|error| format!("{NAMES}: {error}"))?;
        run(&format!("mount -t tmpfs soak {NAMES}"))?;
        run("ip link set lo up")?;
        run(&format!("ip link add {BRIDGE} type bridge"))?;
        run(&format!("ip addr add {CLIENTS}/24 dev {BRIDGE}"))?;
        run(&format!("ip link set {BRIDGE} up"))?;
        for node in 0..nodes {
            run(&format!("ip netns add node-{node}"))?;
            run(&format!("ip link add port-{node} type veth peer name eth0 netns node-{node}"))?;
            run(&format!("ip link set port-{node} master {BRIDGE} up"))?;
            run(&format!("ip -n node-{node} addr add {}/24 dev eth0", ip(node)))?;
            run(&format!("ip -n node-{node} link set lo up"))?;
            run(&format!("ip -n node-{node} link set eth0 up"))?;
        }
        let mut network = Network { nodes, loses: true, delays: true };
        network.loses = network.lose(0, 0).is_ok();
        network.delays = network.delay(0, 1).is_ok();
        network.heal(0);
        Ok(network)
    }

    /// Pulls the cable of a node.
    pub(crate) fn cut(&self, node: u16) -> Result<(), String> {
        run(&format!("ip link set port-{node} down"))
    }

    /// What the node says is lost.
    pub(crate) fn mute(&self, node: u16) -> Result<(), String> {
        let others = (0..self.nodes).filter(|other| *other != node).map(ip).chain([CLIENTS]);
        for other in others {
            run(&format!("ip -n node-{node} neigh replace {other} lladdr {NOBODY} dev eth0 nud permanent"))?;
        }
        Ok(())
    }

    /// What the node is told is lost.
    pub(crate) fn deafen(&self, node: u16) -> Result<(), String> {
        let to = ip(node);
        for other in (0..self.nodes).filter(|other| *other != node) {
            run(&format!("ip -n node-{other} neigh replace {to} lladdr {NOBODY} dev eth0 nud permanent"))?;
        }
        run(&format!("ip neigh replace {to} lladdr {NOBODY} dev {BRIDGE} nud permanent"))
    }

    /// So many of a hundred packets of the node are lost, either way.
    pub(crate) fn lose(&self, node: u16, percent: u32) -> Result<(), String> {
        let nft = format!("nsenter --net={} nft", name_of(node));
        run(&format!("{nft} add table inet soak"))?;
        for hook in ["input", "output"] {
            run(&format!("{nft} add chain inet soak {hook} {{ type filter hook {hook} priority 0; }}"))?;
            run(&format!("{nft} add rule inet soak {hook} numgen random mod 100 < {percent} drop"))?;
        }
        Ok(())
    }

    /// What the node says takes so many milliseconds longer.
    pub(crate) fn delay(&self, node: u16, ms: u32) -> Result<(), String> {
        run(&format!("tc -n node-{node} qdisc replace dev eth0 root netem delay {ms}ms"))
    }

    /// All is as it was at a node, whatever was done to it.
    pub(crate) fn heal(&self, node: u16) {
        // Much of this finds nothing to undo.
        let undo = |line: &str| {
            let mut words = line.split_whitespace();
            quietly(Command::new(words.next().unwrap_or_default()).args(words))
        };
        undo(&format!("ip link set port-{node} up"));
        for other in (0..self.nodes).filter(|other| *other != node) {
            undo(&format!("ip -n node-{node} neigh del {} dev eth0", ip(other)));
            undo(&format!("ip -n node-{other} neigh del {} dev eth0", ip(node)));
        }
        undo(&format!("ip -n node-{node} neigh del {CLIENTS} dev eth0"));
        undo(&format!("ip neigh del {} dev {BRIDGE}", ip(node)));
        undo(&format!("nsenter --net={} nft delete table inet soak", name_of(node)));
        undo(&format!("tc -n node-{node} qdisc del dev eth0 root"));
    }
}
