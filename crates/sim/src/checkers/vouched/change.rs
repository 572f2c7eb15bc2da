//! Claims and configurations: true RECONFIGURE, true NEWCONFIG, and the quorums that a configuration needs.

use super::gate::Gate;
use super::truth::{Reign, Truth};
use agree::Settings;
use agree::byzid::message::{Claim, NewConfig, Reconfigure};
use monitor::{Incarnation, QUARANTINED};
use wire::{NodeId, Sequence, View};

/// Whether what `from` claims was really let out by monitors, whoever vouches for it or has sealed it.
pub(super) fn claim_is_true(from: NodeId, said: &Reconfigure, truth: &Truth) -> Result<(), String> {
    let claim = &said.claim;
    if !truth.stables.contains(&(claim.stable.sequence, claim.stable.digest)) {
        return Err(format!("{from} claims {:?}, which nobody ever declared", claim.stable));
    }
    let reign = reign(claim);
    let mut at = claim.stable.sequence;
    for digest in &claim.orders {
        at = at.next();
        let told = truth.order(reign, at);
        if told != Some(*digest) {
            return Err(format!("{from} claims {digest} at {at} of {reign}; it was {told:?}"));
        }
    }
    Ok(())
}

fn reign(claim: &Claim) -> Reign {
    Reign::of(claim.entered, &claim.members)
}

fn last(claim: &Claim) -> Sequence {
    claim.stable.sequence.plus(claim.orders.len() as u64)
}

fn knows(claim: &Claim, node: NodeId) -> Option<Incarnation> {
    claim.known.iter().filter(|member| member.node == node).map(|member| member.incarnation).max()
}

/// Whether a NEWCONFIG follows from the claims that the candidate got.
pub(super) fn new_config(gate: &Gate, new: &NewConfig, settings: &Settings) -> Result<(), String> {
    let (me, view) = (gate.id(), new.view);
    let got = gate.claims.get(&view);
    let mut used: Vec<(NodeId, &Claim)> = Vec::new();
    for node in &new.claimants {
        match got.and_then(|claims| claims.get(node)) {
            Some(claim) => used.push((*node, claim)),
            None => return Err(format!("{me} builds {view} on a claim of {node} that never came")),
        }
    }
    for (node, claim) in &used {
        if let Some((by, newer)) = used
            .iter()
            .filter_map(|(by, other)| knows(other, *node).map(|start| (by, start)))
            .find(|(_, start)| *start > claim.incarnation)
        {
            return Err(format!(
                "{me} builds {view} on a claim from start {} of the monitor of {node}; {by} knows of {newer}",
                claim.incarnation
            ));
        }
    }
    let best = used.iter().map(|(_, claim)| *claim).max_by_key(|claim| (reign(claim), last(claim)));
    let Some(best) = best else { return Err(format!("{me} builds {view} on nothing")) };
    is_quorum(me, view, &used, best, settings.f)?;
    let of_best = used.iter().map(|(_, claim)| *claim).filter(|claim| reign(claim) == reign(best));
    let base = of_best.max_by_key(|claim| claim.stable.sequence).unwrap_or(best);
    let past = (base.stable.sequence.0 - best.stable.sequence.0) as usize;
    let starts_right = new.stable.sequence == base.stable.sequence
        && new.stable.digest == base.stable.digest
        && best.orders.get(past..) == Some(&new.orders[..]);
    if !starts_right {
        return Err(format!("{me} begins {view} with other ORDERs than follow from the claims it names"));
    }
    for member in &new.members {
        let is_known =
            |claim: &Claim| knows(claim, member.node).is_none_or(|start| start >= member.incarnation);
        if !used.iter().all(|(_, claim)| is_known(claim)) {
            return Err(format!(
                "{me} lists start {} of {} in {view}, of which not every claim knows",
                member.incarnation, member.node
            ));
        }
    }
    Ok(())
}

/// f+1 members whose monitors vouch, or all members but those proven guilty.
fn is_quorum(
    me: NodeId,
    view: View,
    used: &[(NodeId, &Claim)],
    best: &Claim,
    f: usize,
) -> Result<(), String> {
    let claim_of = |node: NodeId| used.iter().find(|(of, _)| *of == node).map(|(_, claim)| *claim);
    let vouched =
        best.members.iter().filter(|member| claim_of(member.node).is_some_and(|claim| claim.vouched));
    let vouched = vouched.count();
    let is_missing = |node: NodeId| {
        claim_of(node).is_none() && !used.iter().any(|(_, claim)| knows(claim, node) == Some(QUARANTINED))
    };
    let missing = best.members.iter().filter(|member| is_missing(member.node)).count();
    if vouched > f || missing == 0 {
        return Ok(());
    }
    Err(format!("{me} builds {view} on {vouched} vouched claims, and {missing} are missing"))
}

impl Gate {
    /// A RECONFIGURE leaves. What it claims is judged where it arrives; here, what it leaves out.
    pub(super) fn claim(&mut self, said: &Reconfigure) -> Result<(), String> {
        let claim = &said.claim;
        self.promise(said.target);
        if !claim.vouched {
            return Ok(());
        }
        if self.entered.is_none() {
            return Err(format!("the monitor of {} has forgotten, and vouches for a claim", self.id()));
        }
        let spoken = self.said.last_key_value().map(|(view, at)| (*view, *at));
        match spoken {
            // It is behind a stable checkpoint. Others tell that, so what this one has is never chosen, and it tells nothing.
            Some((_, at)) if claim.orders.is_empty() && self.stable > at => Ok(()),
            Some((view, at)) if (claim.entered, last(claim)) < (view, at) => Err(format!(
                "{} said that it has {at} in {view}, and claims {} in {} only",
                self.id(),
                last(claim),
                claim.entered
            )),
            _ => Ok(()),
        }
    }
}
