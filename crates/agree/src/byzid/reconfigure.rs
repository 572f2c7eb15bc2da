//! The way out of a configuration: claims, and the candidate for the next one.
//!
//! Upon the monitor's notice to reconfigure: stop; send RECONFIGURE(t, claim) to the candidate, which may be this replica.
//! As the candidate, upon claims that are a quorum: plan the configuration as [`monitor::claim::start_of`] says, fetch
//!   the snapshot and the batches that are missing, send NEWCONFIG(t, V, O). It comes back sealed; then enter.
//! A claimant that cannot produce what it claims is left out, if the rest is a quorum without it: what it claims alone
//!   was believed by nobody.

use super::message::{AskBatch, Claim, Fetched, Member, NewConfig, Reconfigure, Seals};
use super::{Candidacy, Mode, Replica};
use crate::replica::{Outbox, Refusal};
use crate::service::Service;
use crate::settings::Settings;
use monitor::claim;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Digest, NodeId, Peer, Sequence, View};

/// Retries without anything new before a claimant is left out.
const IDLE_MAX: u32 = 4;

impl<S: Service> Replica<S> {
    pub(super) fn reconfigure(&mut self, target: View, candidate: NodeId, prove: bool, out: &mut Outbox) {
        let asked_again = match &self.mode {
            Mode::Candidate(candidacy) => candidacy.target == target,
            Mode::Stopped { target: stopped } => *stopped == target,
            Mode::Normal | Mode::Joining(_) | Mode::Spare => false,
        };
        if !asked_again {
            self.stop(target, candidate);
        }
        let reconfigure = self.claim_for(target, prove);
        out.send(candidate, Box::new(reconfigure));
    }

    fn stop(&mut self, target: View, candidate: NodeId) {
        // What was held back was to be said in the configuration that is over.
        self.journal.drop_held();
        self.transfer = None;
        self.ahead = None;
        self.gathered_snapshot = None;
        self.gathered.clear();
        self.queue.clear();
        self.on_their_way.clear();
        let accepted = self.machine.sequence();
        self.orders.retain(|sequence, _| *sequence <= accepted);
        self.mode = if candidate == self.me {
            Mode::Candidate(Box::new(Candidacy {
                target,
                claims: BTreeMap::new(),
                excluded: BTreeSet::new(),
                plan: None,
                idle: 0,
                sent: false,
            }))
        } else {
            Mode::Stopped { target }
        };
    }

    fn claim_for(&self, target: View, prove: bool) -> Reconfigure {
        let claim = Claim {
            entered: self.view,
            members: self.members.clone(),
            stable: self.stable.clone(),
            orders: self.history.iter().copied().collect(),
            vouched: false,
            incarnation: 0,
            known: Vec::new(),
        };
        let started = self.new_config.as_ref().map_or(Sequence::ZERO, |new| new.last());
        let seals = prove.then(|| Seals {
            new_config: self.new_config.clone(),
            orders: self
                .orders
                .range(started.max(self.stable.sequence).next()..)
                .map_while(|(_, stored)| stored.seal)
                .collect(),
        });
        Reconfigure { target, claim, seals }
    }

    pub(super) fn receive_reconfigure(&mut self, from: NodeId, reconfigure: Reconfigure, out: &mut Outbox) {
        match &mut self.mode {
            Mode::Candidate(candidacy) if candidacy.target == reconfigure.target => {
                let before = candidacy.claims.insert(from, reconfigure.claim.clone());
                if before.as_ref() != Some(&reconfigure.claim) && !candidacy.sent {
                    let idle = if before.is_some() { candidacy.idle } else { 0 };
                    self.plan(out);
                    if let Mode::Candidate(candidacy) = &mut self.mode {
                        // Who changes its claim buys no time with it.
                        candidacy.idle = idle;
                    }
                }
            }
            Mode::Candidate(_) | Mode::Normal | Mode::Stopped { .. } | Mode::Joining(_) | Mode::Spare => {
                out.refuse(Peer::Node(from), Refusal::Stale);
            }
        }
    }

    /// Plans the configuration, if the claims are a quorum; or anew, now that there is one more.
    fn plan(&mut self, out: &mut Outbox) {
        let Mode::Candidate(candidacy) = &mut self.mode else { return };
        candidacy.plan = plan_from(candidacy, &self.settings).map(Box::new);
        candidacy.idle = 0;
        if candidacy.plan.is_some() {
            self.fetch_to_enter(out);
            self.enter_if_complete(out);
        }
    }

    /// The timer ran out on a plan: asks others, and after a while does without the claim that nobody can make good.
    pub(super) fn retry_candidacy(&mut self, out: &mut Outbox) {
        let Mode::Candidate(candidacy) = &mut self.mode else { return };
        if candidacy.sent {
            // It did not come back: a claim had changed on the way. Once more, from the claims as they are now.
            candidacy.sent = false;
            return self.plan(out);
        }
        candidacy.idle += 1;
        if candidacy.idle > IDLE_MAX
            && let Some(plan) = candidacy.plan.take()
        {
            let claims: Vec<_> = plan
                .claimants
                .iter()
                .filter_map(|node| Some(candidacy.claims.get(node)?.to_monitor(*node)))
                .collect();
            let best = claim::choose(&claims.iter().collect::<Vec<_>>()).map(|claim| NodeId(claim.node));
            candidacy.excluded.extend(best.filter(|best| *best != self.me));
            self.transfer = None;
            self.gathered.clear();
            return self.plan(out);
        }
        self.fetch_to_enter(out);
    }

    pub(super) fn receive_ask_batch(&mut self, from: NodeId, ask: &AskBatch, out: &mut Outbox) {
        match self.orders.get(&ask.sequence) {
            Some(stored) if stored.batch.digest() == ask.digest => {
                let batch = stored.batch.clone();
                out.send(from, Fetched { target: ask.target, sequence: ask.sequence, batch });
            }
            Some(_) | None => out.refuse(Peer::Node(from), Refusal::Stale),
        }
    }

    pub(super) fn receive_fetched(&mut self, from: NodeId, fetched: Fetched, out: &mut Outbox) {
        let wanted = self.plan_in_hand().and_then(|plan| digest_at(plan, fetched.sequence));
        if wanted != Some(fetched.batch.digest()) {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if self.gathered.get(&fetched.sequence).map(crate::Batch::digest) == wanted {
            // Said again, it is no progress: neither is the next page asked for, nor is anybody given more time.
            return;
        }
        self.gathered.insert(fetched.sequence, fetched.batch);
        if let Mode::Candidate(candidacy) = &mut self.mode {
            candidacy.idle = 0;
        }
        self.enter_if_complete(out);
    }
}

/// The digest of the ORDER with which a configuration starts at a place.
pub(super) fn digest_at(new: &NewConfig, at: Sequence) -> Option<Digest> {
    let index = at.0.checked_sub(new.stable.sequence.0 + 1)?;
    new.orders.get(usize::try_from(index).ok()?).copied()
}

/// The configuration that follows from the claims gathered, if they are a quorum and enough of the claimants could take
/// part in it.
fn plan_from(candidacy: &Candidacy, settings: &Settings) -> Option<NewConfig> {
    let claims: Vec<monitor::Claim> = candidacy
        .claims
        .iter()
        .filter(|(node, _)| !candidacy.excluded.contains(node))
        .map(|(node, claim)| claim.to_monitor(*node))
        .collect();
    let all = claim::without_stale(&claims.iter().collect::<Vec<_>>());
    // A monitor that has forgotten may not know which starts of the others' take part, and would have them listed with older ones,
    // which cannot. If f+1 others vouch, its claim is not needed.
    let vouched = all.iter().copied().filter(|claim| claim.vouched).collect();
    [all, vouched].iter().find_map(|quorum| plan_of(quorum, candidacy, settings))
}

/// The same, from these claims and no others.
fn plan_of(quorum: &[&monitor::Claim], candidacy: &Candidacy, settings: &Settings) -> Option<NewConfig> {
    if !claim::is_quorum(quorum, settings.f) {
        return None;
    }
    let spares: Vec<u16> = settings.spares.iter().map(|node| node.0).collect();
    let start = claim::start_of(quorum, &spares)?;
    let takes_part = |claim: &&&monitor::Claim| {
        start
            .members
            .iter()
            .any(|member| member.node == claim.node && member.incarnation == claim.incarnation)
    };
    if quorum.iter().filter(takes_part).count() <= settings.f {
        return None;
    }
    let stable = candidacy
        .claims
        .values()
        .map(|claim| &claim.stable)
        .find(|stable| stable.sequence.0 == start.stable.0 && stable.digest.0 == start.stable_digest)?;
    Some(NewConfig {
        view: candidacy.target,
        members: start.members.iter().map(Member::from_monitor).collect(),
        claimants: quorum.iter().map(|claim| NodeId(claim.node)).collect(),
        stable: stable.clone(),
        orders: start.orders.into_iter().map(Digest).collect(),
        seal: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::message::Stable;
    use super::*;
    use crate::Protocol;

    fn claim(incarnation: u64, vouched: bool, known: [u64; 3]) -> Claim {
        let starts = |starts: [u64; 3]| {
            let member = |(node, incarnation)| Member { node: NodeId(node), incarnation };
            (0..).zip(starts).map(member).collect::<Vec<_>>()
        };
        let stable = Stable { sequence: Sequence::ZERO, digest: Digest([0; 32]), seal: None };
        let members = starts([2, 2, 2]);
        Claim {
            entered: View(28),
            members,
            stable,
            orders: Vec::new(),
            vouched,
            incarnation,
            known: starts(known),
        }
    }

    /// All monitors have been started again in their time; now that of node 0 has, and its claim comes before those of the others
    /// are complete: it lists them by their first starts.
    #[test]
    fn a_monitor_that_knows_only_itself_does_not_keep_the_others_out() {
        let settings = Settings::new(Protocol::ByzId, 1);
        let claims = BTreeMap::from([
            (NodeId(0), claim(3, false, [3, 0, 0])),
            (NodeId(1), claim(2, true, [3, 2, 2])),
            (NodeId(2), claim(2, true, [3, 2, 2])),
        ]);
        let candidacy = Candidacy {
            target: View(31),
            claims,
            excluded: BTreeSet::new(),
            plan: None,
            idle: 0,
            sent: false,
        };
        let plan = plan_from(&candidacy, &settings).expect("two that vouch are a quorum");
        assert_eq!(plan.claimants, [NodeId(1), NodeId(2)]);
        assert_eq!(plan.members.iter().map(|member| member.incarnation).collect::<Vec<_>>(), [3, 2, 2]);
    }
}
