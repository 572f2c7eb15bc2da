//! What cluster somebody wants: who in it is a member, a spare or a client, and whether that can be.
//!
//! The arithmetic of quorums is that of `varangian plan`; what is added here is that everybody must have a part.

use crate::verb::plan::wish::{Answer, Plan, Wish};
use agree::Protocol;
use link::pins::CLIENTS_MAX;
use wire::auth::NODES_MAX;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) protocol: Protocol,
    /// How many nodes there are, spares included.
    pub(super) nodes: usize,
    /// How many may be faulty; if not said, as many as can be.
    pub(super) f: Option<usize>,
    /// How many stand by; if not said, all that are no members.
    pub(super) spares: Option<usize>,
    pub(super) clients: usize,
}

/// A cluster that can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) protocol: Protocol,
    pub(crate) f: usize,
    pub(crate) members: usize,
    pub(crate) spares: usize,
    pub(crate) clients: usize,
}

impl Asked {
    /// The cluster that is asked for, or why there is none and what would be right.
    pub(super) fn shape(&self) -> Result<Shape, String> {
        let Asked { protocol, nodes, clients, .. } = *self;
        if clients > CLIENTS_MAX {
            return Err(format!(
                "{clients} clients are more than a cluster can have; at most --clients {CLIENTS_MAX}"
            ));
        }
        let plan = self.plan()?;
        let (members, extra) = (plan.needed(), nodes - plan.needed());
        let right = |nodes: usize, rest: &str| {
            format!("\n    --nodes {nodes} --protocol {protocol} --f {}{rest}", plan.f)
        };
        let spares = match self.spares {
            Some(spares) if spares > 0 && !protocol.monitored() => {
                return Err(format!("{protocol} has no spares\n  right would be:{}", right(members, "")));
            }
            None if protocol.monitored() => extra,
            Some(spares) => spares,
            None => 0,
        };
        if spares == extra {
            return Ok(Shape { protocol, f: plan.f, members, spares, clients });
        }
        let idle = extra - spares;
        let mut said = format!(
            "{idle} of {nodes} nodes would have no part: {protocol} for f = {} has {members} members",
            plan.f
        );
        said += "\n  right would be:";
        said += &right(members + spares, &spares_flag(spares));
        if protocol.monitored() {
            said += &right(nodes, &spares_flag(extra));
        }
        Err(said)
    }

    /// The plan for those that are not to stand by.
    fn plan(&self) -> Result<Plan, String> {
        let spares = self.spares.unwrap_or_default();
        // What a cluster cannot have at all is said of all its nodes.
        let nodes = if self.nodes > NODES_MAX { self.nodes } else { self.nodes.saturating_sub(spares) };
        let wish = Wish { protocol: Some(self.protocol), f: self.f, nodes: Some(nodes) };
        let Answer { plans, .. } = wish.answer().map_err(|impossible| match spares {
            0 => impossible.to_string(),
            _ => format!("{impossible}\n  spares count among the nodes: add {spares} to --nodes"),
        })?;
        plans.first().copied().ok_or_else(|| "there is no such plan".to_string())
    }
}

fn spares_flag(spares: usize) -> String {
    if spares == 0 { String::new() } else { format!(" --spares {spares}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(protocol: Protocol, nodes: usize) -> Asked {
        Asked { protocol, nodes, f: None, spares: None, clients: 1 }
    }

    fn parts(asked: Asked) -> (usize, usize, usize) {
        let shape = asked.shape().expect("it can be had");
        (shape.f, shape.members, shape.spares)
    }

    #[test]
    fn everybody_has_a_part() {
        assert_eq!(parts(asked(Protocol::ByzId, 3)), (1, 3, 0));
        assert_eq!(parts(asked(Protocol::ByzId, 6)), (2, 5, 1));
        assert_eq!(parts(Asked { f: Some(1), ..asked(Protocol::ByzId, 6) }), (1, 3, 3));
        assert_eq!(parts(Asked { spares: Some(1), ..asked(Protocol::ByzIdW, 4) }), (1, 3, 1));
        assert_eq!(parts(asked(Protocol::Pbft, 7)), (2, 7, 0));
        assert_eq!(parts(Asked { spares: Some(0), ..asked(Protocol::Paxos, 5) }), (2, 5, 0));
    }

    #[test]
    fn what_cannot_be_is_refused_and_put_right() {
        let byzid = asked(Protocol::ByzId, 6);
        for (asked, said) in [
            (asked(Protocol::Pbft, 3), "--nodes 4 --protocol pbft --f 1"),
            (asked(Protocol::Paxos, 4), "--nodes 3 --protocol paxos --f 1"),
            (Asked { spares: Some(1), ..asked(Protocol::Paxos, 4) }, "paxos has no spares"),
            (Asked { spares: Some(1), f: Some(1), ..byzid }, "--nodes 6 --protocol byzid --f 1 --spares 3"),
            (Asked { spares: Some(1), ..asked(Protocol::ByzId, 3) }, "add 1 to --nodes"),
            (Asked { spares: Some(9), ..byzid }, "add 9 to --nodes"),
            (Asked { f: Some(0), ..byzid }, "f = 0 masks nothing"),
            (Asked { f: Some(3), ..byzid }, "--nodes 7 --protocol byzid --f 3"),
            (asked(Protocol::ByzId, 65), "at most --nodes 64"),
            (asked(Protocol::ByzId, 0), "0 nodes"),
            (Asked { clients: 5000, ..byzid }, "at most --clients 4096"),
        ] {
            let refused = asked.shape().expect_err(said);
            assert!(refused.contains(said), "{refused}");
        }
    }
}
