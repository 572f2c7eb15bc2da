//! What can be had: the arithmetic of quorums, and the reasons that a wish is refused for.
//!
//! It is easily said that 3 nodes tolerate 1 liar by majority. It is true only if something among them is trusted, were it
//! but the one who counts; a wish that leaves that out is refused here.

use agree::Protocol;
use agree::protocol::F_MAX;
use core::fmt;
use wire::auth::NODES_MAX;

/// What somebody wants. What is not said is asked.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    /// Which protocol; if not said, every one.
    pub(crate) protocol: Option<Protocol>,
    /// How many nodes may be faulty; if not said, as many as `nodes` allow.
    pub(crate) f: Option<usize>,
    /// How many nodes there are; if not said, as many as `f` needs.
    pub(crate) nodes: Option<usize>,
}

/// A cluster that can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Plan {
    /// Which protocol.
    pub(crate) protocol: Protocol,
    /// How many nodes may be faulty.
    pub(crate) f: usize,
    /// How many nodes there are; at least as many as needed.
    pub(crate) nodes: usize,
}

/// What the protocols can do about a wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    /// The plans that fulfil it.
    pub(crate) plans: Vec<Plan>,
    /// The protocols that would need more nodes than there are.
    pub(crate) unable: Vec<Protocol>,
}

/// Why a wish cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Impossible {
    /// Neither `f` nor `nodes` was said.
    NothingAsked,
    /// `f` is 0.
    NobodyFaulty,
    /// `f` is over [`F_MAX`].
    TooManyFaulty(usize),
    /// More nodes than a cluster can have.
    TooManyNodes(usize),
    /// Too few nodes for `f`.
    TooFewNodes {
        /// For which protocol; if none was named, for any.
        protocol: Option<Protocol>,
        /// How many nodes may be faulty.
        f: usize,
        /// How many nodes there are.
        nodes: usize,
    },
}

/// How many nodes a protocol needs, as a formula.
pub(crate) fn formula(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::ByzId | Protocol::ByzIdW | Protocol::Paxos => "2f+1",
        Protocol::Pbft => "3f+1",
    }
}

impl Wish {
    /// What each protocol that was asked for can do about the wish; at least one of them can fulfil it.
    pub(crate) fn answer(&self) -> Result<Answer, Impossible> {
        if self.f.is_none() && self.nodes.is_none() {
            return Err(Impossible::NothingAsked);
        }
        match self.f {
            Some(0) => return Err(Impossible::NobodyFaulty),
            Some(f) if f > F_MAX => return Err(Impossible::TooManyFaulty(f)),
            Some(_) | None => {}
        }
        if let Some(nodes) = self.nodes.filter(|nodes| *nodes > NODES_MAX) {
            return Err(Impossible::TooManyNodes(nodes));
        }
        let mut answer = Answer { plans: Vec::new(), unable: Vec::new() };
        for protocol in Protocol::ALL {
            if self.protocol.is_some_and(|wanted| wanted != protocol) {
                continue;
            }
            match self.plan(protocol) {
                Some(plan) => answer.plans.push(plan),
                None => answer.unable.push(protocol),
            }
        }
        if answer.plans.is_empty() {
            let nodes = self.nodes.unwrap_or_default();
            return Err(Impossible::TooFewNodes { protocol: self.protocol, f: self.f.unwrap_or(1), nodes });
        }
        Ok(answer)
    }

    fn plan(&self, protocol: Protocol) -> Option<Plan> {
        let nodes_given = self.nodes.unwrap_or(NODES_MAX);
        let f = match self.f {
            Some(f) => f,
            None => (1..=F_MAX).rev().find(|f| protocol.replicas(*f) <= nodes_given)?,
        };
        let needed = protocol.replicas(f);
        (needed <= nodes_given).then(|| Plan { protocol, f, nodes: self.nodes.unwrap_or(needed) })
    }
}

impl Plan {
    /// How many nodes it needs.
    pub(crate) fn needed(&self) -> usize {
        self.protocol.replicas(self.f)
    }

    /// How many nodes there are beyond those.
    pub(crate) fn extra(&self) -> usize {
        self.nodes - self.needed()
    }

    /// How many of the faulty nodes may lie.
    pub(crate) fn liars(&self) -> usize {
        if self.protocol.tolerates_lies() { self.f } else { 0 }
    }
}

impl fmt::Display for Impossible {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Impossible::NothingAsked => {
                write!(
                    to,
                    "there is nothing to plan: say how many nodes may be faulty (--f 1), how many there \
                     are (--nodes 4), or both"
                )
            }
            Impossible::NobodyFaulty => {
                write!(
                    to,
                    "f = 0 masks nothing, and one node alone does that; the least that is worth a cluster \
                     is --f 1"
                )
            }
            Impossible::TooManyFaulty(f) => {
                write!(to, "f = {f} is more than this build allows; at most --f {F_MAX}")
            }
            Impossible::TooManyNodes(nodes) => {
                write!(to, "{nodes} nodes are more than a cluster can have; at most --nodes {NODES_MAX}")
            }
            Impossible::TooFewNodes { protocol: None, f, nodes } => {
                write!(
                    to,
                    "no protocol masks {} with {}\n  any of them needs 2f+1 = {} nodes",
                    count(*f, "faulty node"),
                    count(*nodes, "node"),
                    Protocol::ByzId.replicas(*f)
                )
            }
            Impossible::TooFewNodes { protocol: Some(protocol), f, nodes } => {
                too_few_nodes(*protocol, *f, *nodes, to)
            }
        }
    }
}

/// What was wrong, and every way to make it right: more nodes, a lesser wish, another protocol and its price.
fn too_few_nodes(protocol: Protocol, f: usize, nodes: usize, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    let faulty = if protocol.tolerates_lies() { "liar" } else { "crashed node" };
    let trust = match protocol {
        Protocol::Pbft => ", since it trusts nobody",
        Protocol::ByzId | Protocol::ByzIdW | Protocol::Paxos => "",
    };
    let needed = protocol.replicas(f);
    write!(to, "{} cannot mask {} by {protocol}", count(nodes, "node"), count(f, faulty))?;
    write!(to, ": it needs {} = {needed}{trust}\n  right would be:", formula(protocol))?;
    write!(to, "\n    --nodes {needed} --protocol {protocol} --f {f}")?;
    if let Some(less) = (1..f).rev().find(|less| protocol.replicas(*less) <= nodes) {
        write!(to, "\n    --nodes {nodes} --protocol {protocol} --f {less}")?;
    }
    if protocol == Protocol::Pbft && Protocol::ByzId.replicas(f) <= nodes {
        write!(
            to,
            "\n    --nodes {nodes} --protocol byzid --f {f}   with an honest monitor beside each replica"
        )?;
        write!(to, "\n    --nodes {nodes} --protocol paxos --f {f}   if nodes crash but never lie")?;
    }
    Ok(())
}

fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(
        protocol: Option<Protocol>,
        f: Option<usize>,
        nodes: Option<usize>,
    ) -> Result<Answer, Impossible> {
        Wish { protocol, f, nodes }.answer()
    }

    #[test]
    fn the_nodes_follow_from_f() {
        let plans = answer(None, Some(2), None).expect("it can be had").plans;
        let needed: Vec<(&str, usize)> =
            plans.iter().map(|plan| (plan.protocol.name(), plan.needed())).collect();
        assert_eq!(needed, [("byzid", 5), ("byzid-w", 5), ("paxos", 5), ("pbft", 7)]);
    }

    #[test]
    fn f_follows_from_the_nodes() {
        for (nodes, f) in [(4, 1), (6, 1), (7, 2), (10, 3)] {
            let plans = answer(Some(Protocol::Pbft), None, Some(nodes)).expect("it can be had").plans;
            assert_eq!(plans, [Plan { protocol: Protocol::Pbft, f, nodes }]);
        }
    }

    #[test]
    fn three_nodes_mask_a_liar_only_with_something_trusted() {
        let refused = Impossible::TooFewNodes { protocol: Some(Protocol::Pbft), f: 1, nodes: 3 };
        assert_eq!(answer(Some(Protocol::Pbft), Some(1), Some(3)), Err(refused));
        let answer = answer(None, Some(1), Some(3)).expect("some can");
        assert_eq!(answer.unable, [Protocol::Pbft]);
        assert!(answer.plans.iter().all(|plan| plan.liars() == 0 || plan.protocol.monitored()));
    }

    #[test]
    fn every_plan_has_enough_nodes_and_every_refusal_has_too_few() {
        for protocol in Protocol::ALL {
            for f in 1..=F_MAX {
                for nodes in 0..=NODES_MAX {
                    let possible = answer(Some(protocol), Some(f), Some(nodes)).is_ok();
                    assert_eq!(possible, nodes >= protocol.replicas(f), "{protocol} f={f} nodes={nodes}");
                }
            }
        }
    }
}
