//! What a new configuration is built from: the claims in the RECONFIGURE messages.
//!
//! A **claim** is what one replica says it has: the stable checkpoint, and the ORDERs after it, as of the configuration
//! that it last entered. It is *vouched* if the replica's monitor has run since the start of that configuration and
//! found the claim to agree with its own log; else it is *sealed*: every ORDER in it carries the seal of the monitor
//! that once let it out, so nothing in it can be invented, but something can be left out.
//!
//! **A quorum** for configuration `t` is either
//!   - `f+1` vouched claims from different slots, or
//!   - claims from *all* `2f+1` slots, vouched or sealed, but for those whose replica was proven guilty.
//!
//! Why this is safe. A client that believes a result has heard from `f+1` slots, whose monitors let the replies out
//! only for ORDERs that had been delivered to the replica and ACKed by it. Any `f+1` of `2f+1` slots share one with
//! them; its vouched claim tells the ORDER, since a monitor vouches for no claim that leaves out what the replica ever
//! said it had. When monitors were restarted their word is gone, but one of the `f+1` replicas was correct and has the
//! ORDER on disk; only if nobody's claim is missing is that one surely among them. (A replica proven guilty was not it.)
//! So after a loss of power everywhere a liar that was not yet found out can keep the cluster waiting; it cannot make it
//! forget.
//!
//! **Stale claims.** A monitor that was restarted has forgotten what it vouched for, and its old claim may still be under
//! way. So every claim says which start of whose monitor its sender knows of, and a claim of an older start than
//! another claim of the same quorum knows of does not count. A restarted monitor takes part only in a
//! configuration that lists its present start, and it is listed only if every claim of the quorum knew of it. Every
//! later quorum then holds a claim that knows.

use crate::configuration::{Configuration, Member};
use crate::ids::{Digest, FIRST, Incarnation, Node, QUARANTINED, Sequence};
use alloc::vec::Vec;

/// What one replica says it has.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Claim {
    /// Whose claim it is.
    pub node: Node,
    /// The start of its monitor.
    pub incarnation: Incarnation,
    /// Whether its monitor vouches for it; if not, it is sealed.
    pub vouched: bool,
    /// The last configuration that the replica entered, with the members it has now.
    pub entered: Configuration,
    /// The stable checkpoint.
    pub stable: Sequence,
    /// Its digest.
    pub stable_digest: Digest,
    /// The ORDERs after it, in order, without gaps.
    pub orders: Vec<Digest>,
    /// The starts of the members' monitors that the claimant's monitor knows of.
    pub known: Vec<Member>,
}

impl Claim {
    /// The place of the last ORDER claimed.
    pub fn last(&self) -> Sequence {
        self.stable.plus(self.orders.len() as u64)
    }

    fn knows(&self, node: Node) -> Option<Incarnation> {
        self.known.iter().filter(|member| member.node == node).map(|member| member.incarnation).max()
    }
}

/// The claim from which a configuration built on `claims` goes on: the longest of those that entered the latest
/// configuration, in its latest [`Reign`](crate::Reign). Within one reign all ORDER the same, so the longest holds the others.
pub fn choose<'a>(claims: &[&'a Claim]) -> Option<&'a Claim> {
    claims.iter().copied().reduce(|best, claim| {
        let rank =
            |claim: &Claim| (claim.entered.view, claim.entered.reign().primary.incarnation, claim.last());
        if rank(claim) > rank(best) { claim } else { best }
    })
}

/// The claims that count: those whose monitor's start is not older than another claim knows of.
pub fn without_stale<'a>(claims: &[&'a Claim]) -> Vec<&'a Claim> {
    if defect!(MonitorStaleClaims) {
        return claims.to_vec();
    }
    let newest = |node| claims.iter().filter_map(|claim| claim.knows(node)).max();
    claims
        .iter()
        .copied()
        .filter(|claim| newest(claim.node).is_none_or(|newest| claim.incarnation >= newest))
        .collect()
}

/// Whether `claims`, which hold no stale one, are a quorum among the members of the latest configuration entered.
pub fn is_quorum(claims: &[&Claim], f: usize) -> bool {
    let Some(best) = choose(claims) else { return false };
    let of_another_primary = |claim: &&Claim| {
        claim.entered.view == best.entered.view && claim.entered.primary() != best.entered.primary()
    };
    if claims.iter().any(of_another_primary) {
        // Of two reigns of different nodes under one number nobody can tell which was later.
        return false;
    }
    let vouched = |member: &&Member| {
        claims
            .iter()
            .any(|claim| claim.node == member.node && (claim.vouched || defect!(MonitorSealedQuorum)))
    };
    let accounted_for = |member: &Member| {
        claims.iter().any(|claim| claim.node == member.node || claim.knows(member.node) == Some(QUARANTINED))
    };
    let members = &best.entered.members;
    let vouched_needed = if defect!(MonitorReconfigureQuorum) { f } else { f + 1 };
    members.iter().filter(vouched).count() >= vouched_needed || members.iter().all(accounted_for)
}

/// What a configuration starts from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// Its members.
    pub members: Vec<Member>,
    /// The stable checkpoint.
    pub stable: Sequence,
    /// Its digest.
    pub stable_digest: Digest,
    /// The ORDERs after it: the paper's O.
    pub orders: Vec<Digest>,
}

/// What a configuration built on the quorum `claims` starts from: the chosen claim, from the latest stable checkpoint
/// that any claim of the same configuration tells. The paper fills gaps with NULL requests; here there are none, since
/// every claim is without gaps.
pub fn start_of(claims: &[&Claim], spares: &[Node]) -> Option<Start> {
    let best = choose(claims)?;
    let same = claims.iter().filter(|claim| claim.entered.reign() == best.entered.reign());
    let base = same.max_by_key(|claim| claim.stable)?;
    let past = usize::try_from(base.stable.0.checked_sub(best.stable.0)?).ok()?;
    Some(Start {
        members: members_after(claims, &best.entered.members, spares),
        stable: base.stable,
        stable_digest: base.stable_digest,
        orders: best.orders.get(past..)?.to_vec(),
    })
}

/// The members of the configuration built on `claims`: each with the newest start of its monitor that *every* claim knows
/// of. The slot of a replica that every claim knows to be guilty goes to the first spare that is free.
///
/// If one claim's knowledge were enough, the slot could vote twice: the rest of the quorum, which does not know, could
/// count a claim that the guilty one gave before it was found out, for a later configuration without the spare.
fn members_after(claims: &[&Claim], members: &[Member], spares: &[Node]) -> Vec<Member> {
    let suspect = |node: Node| claims.iter().any(|claim| claim.knows(node) == Some(QUARANTINED));
    let is_member = |node: Node| members.iter().any(|member| member.node == node);
    let mut free = spares.iter().copied().filter(|spare| !suspect(*spare) && !is_member(*spare));
    let start = |node: Node, before: Incarnation| {
        claims.iter().map(|claim| claim.knows(node).unwrap_or(before)).min().unwrap_or(before)
    };
    let successor = |member: &Member| {
        let incarnation = start(member.node, member.incarnation);
        let spare = if incarnation == QUARANTINED { free.next() } else { None };
        match spare {
            Some(node) => Member { node, incarnation: start(node, FIRST) },
            None => Member { node: member.node, incarnation },
        }
    };
    members.iter().map(successor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::View;
    use alloc::vec;

    fn members(starts: [Incarnation; 3]) -> Vec<Member> {
        starts
            .iter()
            .enumerate()
            .map(|(node, start)| Member { node: node as Node, incarnation: *start })
            .collect()
    }

    fn claim(node: Node, vouched: bool, view: u64, orders: usize) -> Claim {
        Claim {
            node,
            incarnation: 0,
            vouched,
            entered: Configuration { view: View(view), members: members([0, 0, 0]) },
            stable: Sequence(0),
            stable_digest: [0; 32],
            orders: vec![[1; 32]; orders],
            known: members([0, 0, 0]),
        }
    }

    #[test]
    fn the_longest_log_of_the_latest_configuration_is_chosen() {
        let (old, short, long) = (claim(0, true, 1, 9), claim(1, true, 2, 3), claim(2, true, 2, 4));
        assert_eq!(choose(&[&old, &short, &long]).map(|claim| claim.node), Some(2));
    }

    #[test]
    fn of_a_number_given_twice_the_later_reign_is_chosen() {
        let (mut first, mut second) = (claim(0, false, 1, 9), claim(2, false, 1, 2));
        first.entered.members = members([4, 4, 4]);
        second.entered.members = members([4, 5, 4]);
        assert_eq!(choose(&[&first, &second]).map(|claim| claim.node), Some(2));
        assert_eq!(start_of(&[&first, &second], &[]).map(|start| start.orders.len()), Some(2));
        first.entered.members[1].node = 7;
        let third = claim(1, false, 0, 0);
        assert!(
            !is_quorum(&[&first, &second, &third], 1),
            "led by different nodes: who knows which was later"
        );
    }

    #[test]
    fn f_plus_one_vouched_claims_are_a_quorum_and_fewer_are_not() {
        assert!(!is_quorum(&[&claim(0, true, 1, 0)], 1));
        assert!(is_quorum(&[&claim(0, true, 1, 0), &claim(2, true, 1, 0)], 1));
        assert!(!is_quorum(&[&claim(0, true, 1, 0), &claim(0, true, 1, 0)], 1));
    }

    #[test]
    fn sealed_claims_count_only_if_nobody_is_missing() {
        let (a, b, c) = (claim(0, false, 1, 0), claim(1, false, 1, 0), claim(2, true, 1, 0));
        assert!(!is_quorum(&[&a, &c], 1));
        assert!(is_quorum(&[&a, &b, &c], 1));
    }

    #[test]
    fn nobody_waits_for_the_claim_of_a_replica_that_was_proven_guilty() {
        let (mut a, b) = (claim(0, false, 1, 0), claim(1, false, 1, 0));
        assert!(!is_quorum(&[&a, &b], 1));
        a.known = members([0, 0, QUARANTINED]);
        assert!(is_quorum(&[&a, &b], 1));
    }

    #[test]
    fn a_claim_from_before_a_restart_that_another_knows_of_does_not_count() {
        let stale = claim(0, true, 1, 5);
        let mut knows = claim(1, true, 1, 0);
        knows.known = members([77, 0, 0]);
        let left: Vec<Node> = without_stale(&[&stale, &knows]).iter().map(|claim| claim.node).collect();
        assert_eq!(left, [1]);
    }

    #[test]
    fn a_restarted_monitor_is_listed_only_if_the_whole_quorum_knows_of_it() {
        let (mut a, mut b) = (claim(1, true, 1, 0), claim(2, true, 1, 0));
        a.known = members([77, 0, 0]);
        assert_eq!(members_after(&[&a, &b], &members([0, 0, 0]), &[]), members([0, 0, 0]));
        b.known = members([77, 0, 0]);
        assert_eq!(members_after(&[&a, &b], &members([0, 0, 0]), &[]), members([77, 0, 0]));
    }

    #[test]
    fn the_slot_of_a_guilty_replica_goes_to_the_first_spare_that_is_free() {
        let (mut a, mut b) = (claim(1, true, 1, 0), claim(2, true, 1, 0));
        a.known = members([QUARANTINED, 0, 0]);
        a.known.push(Member { node: 7, incarnation: QUARANTINED });
        let not_yet = members_after(&[&a, &b], &members([0, 0, 0]), &[7, 2, 8]);
        assert_eq!(not_yet, members([0, 0, 0]), "not before all know");
        b.known = members([QUARANTINED, 0, 0]);
        let after = members_after(&[&a, &b], &members([0, 0, 0]), &[7, 2, 8]);
        assert_eq!(after.iter().map(|member| member.node).collect::<Vec<_>>(), [8, 1, 2]);
    }
}
