//! Phase 1: how a replica becomes the leader of a view, and learns what it must propose there.
//!
//! Upon enough SUPPORT for `v` (or, in view 0, upon the first start): the candidate promises `v` itself, and once
//!   that is durable sends PREPARE(v, executed).
//! Upon PREPARE(v, after) from the leader of `v`, `v` not below the promise: promise `v`, and once that is durable
//!   send PROMISE(v, after, executed, …) with what was accepted after `after`, as much as one message takes. If the
//!   log was cut off after `after`: TRUNCATED.
//! Upon PROMISE(v, …): what the sender executed is chosen, so execute it; of what it accepted beyond, keep for each
//!   place what was accepted in the highest ballot. If the page was not the last: PREPARE(v, last of the page) to
//!   the sender. Pages fit together: an acceptor that promised `v` accepts nothing below it in between.
//! Upon f others having told everything: lead ([`super::lead`]) with what was kept, NULL in the gaps.
//! Upon TRUNCATED: the candidate is too far behind to lead. It gives up and fetches the snapshot.
//! Upon SUPERSEDED or a higher ballot: it gives up. Upon the retransmission timer: PREPARE to those that owe an
//!   answer.

use super::lead::Lead;
use super::message::{Message, Prepare, Promise, Proposal};
use super::record::{Promised, Record};
use super::{RETRANSMIT, Replica, Role, VIEW};
use crate::replica::{Destination, Effect, Observation, Outbox, Refusal};
use crate::request::Batch;
use crate::service::Service;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use wire::{Encode, NodeId, Peer, Sequence, View};

/// The last place there is.
const LAST: Sequence = Sequence(u64::MAX);

/// A candidate's knowledge.
#[derive(Clone, Hash, Debug)]
pub(super) struct Campaign {
    /// For each place, what was accepted in the highest ballot, and which. Bounded: an acceptor's log is.
    accepted: BTreeMap<Sequence, (View, Batch)>,
    /// How far each other member has told what it accepted.
    told: BTreeMap<NodeId, Told>,
    wait: Duration,
}

/// How far an acceptor has told what it accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Told {
    /// Up to here.
    Until(Sequence),
    /// Everything.
    All,
}

impl Campaign {
    /// Keeps what was accepted in the highest ballot.
    fn adopt(&mut self, proposal: Proposal) {
        let Proposal { sequence, view, batch } = proposal;
        let known = self.accepted.get(&sequence).map(|(known, _)| *known);
        let better = match known {
            None => true,
            Some(known) if defect!(PaxosLowestBallot) => view < known,
            Some(known) => view > known,
        };
        if better {
            self.accepted.insert(sequence, (view, batch));
        }
    }

    /// The other members that told everything.
    fn complete(&self) -> usize {
        self.told.values().filter(|told| **told == Told::All).count()
    }

    /// What must be proposed from the place after `executed` on.
    fn inherited(mut self, executed: Sequence) -> VecDeque<Batch> {
        if defect!(PaxosAcceptedForgotten) {
            return VecDeque::new();
        }
        let last = self.accepted.keys().next_back().map_or(executed, |last| *last);
        (executed.0 + 1..=last.0)
            .map(|place| self.accepted.remove(&Sequence(place)).map_or_else(Batch::null, |(_, batch)| batch))
            .collect()
    }
}

impl<S: Service + Clone> Replica<S> {
    /// Raises the promise to `view` and follows whoever leads it.
    pub(super) fn enter(&mut self, view: View, out: &mut Outbox) {
        assert!(view > self.promised, "a promise is only ever raised");
        self.seen = self.seen.max(view);
        self.promise(view, out);
        self.role = Role::Following;
        self.heard(out);
    }

    fn promise(&mut self, view: View, out: &mut Outbox) {
        self.promised = view;
        let record = Record::Promised(Promised { view }).to_bytes();
        self.journal.record(record, out);
        out.observe(Observation::Entered { view, primary: self.leader(view) });
    }

    /// Begins phase 1 of `view`.
    pub(super) fn campaign(&mut self, view: View, out: &mut Outbox) {
        assert_eq!(self.leader(view), self.me);
        if view > self.promised {
            self.enter(view, out);
        } else {
            assert!(
                self.blank || defect!(PaxosBallotResumed),
                "only the first ballot was promised from birth"
            );
            self.promise(view, out);
        }
        let after = self.executed();
        let own = self.log.after(after).map(|(place, entry)| (place, (entry.view, entry.batch.clone())));
        let told = self.others_from(0).into_iter().map(|node| (node, Told::Until(after))).collect();
        let wait = self.settings.retransmit_after;
        self.role = Role::Preparing(Campaign { accepted: own.collect(), told, wait });
        self.send_durable(Destination::Members, Message::Prepare(Prepare { view, after }), out);
        out.set_timer(RETRANSMIT, wait);
        self.lead_if_promised(out);
    }

    /// Sends PREPARE again to those that owe an answer.
    pub(super) fn prepare_again(&mut self, out: &mut Outbox) {
        let Role::Preparing(campaign) = &mut self.role else { return };
        campaign.wait = (campaign.wait * 2).min(self.settings.view_timeout);
        out.set_timer(RETRANSMIT, campaign.wait);
        let told: Vec<(NodeId, Told)> = campaign.told.iter().map(|(node, told)| (*node, *told)).collect();
        for (node, told) in told {
            match told {
                Told::Until(after) => self.ask_promise(node, after, out),
                Told::All => {}
            }
        }
    }

    /// The candidate's own promise must be durable first, as it must before the first PREPARE.
    fn ask_promise(&mut self, node: NodeId, after: Sequence, out: &mut Outbox) {
        let prepare = Message::Prepare(Prepare { view: self.promised, after });
        self.send_durable(Destination::Peer(Peer::Node(node)), prepare, out);
    }

    /// A candidate asks for a promise.
    pub(super) fn prepare(&mut self, from: NodeId, prepare: &Prepare, out: &mut Outbox) {
        if self.leader(prepare.view) != from {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        if prepare.view < self.promised {
            return self.refuse_superseded(from, out);
        }
        if prepare.view > self.promised {
            self.enter(prepare.view, out);
        }
        if prepare.after < self.log.low() {
            return self.tell_truncated(from, out);
        }
        let (accepted, complete) = self.log.page(prepare.after, LAST);
        let promise = Message::Promise(Promise {
            view: prepare.view,
            after: prepare.after,
            executed: self.executed(),
            accepted,
            complete,
        });
        if defect!(PaxosPromiseNotDurable) {
            return out.push(Effect::Send { to: Destination::Peer(from.into()), message: promise.into() });
        }
        self.send_durable(Destination::Peer(from.into()), promise, out);
    }

    /// An acceptor promised, and tells a page of what it accepted.
    pub(super) fn promised_by(&mut self, from: NodeId, promise: Promise, out: &mut Outbox) {
        let told = match &self.role {
            Role::Preparing(campaign) if promise.view == self.promised => campaign.told.get(&from).copied(),
            Role::Preparing(_) | Role::Following | Role::Canvassing(_) | Role::Leading(_) => None,
        };
        // A page that comes twice, or late, was dealt with.
        if told != Some(Told::Until(promise.after)) {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        let last = promise.accepted.last().map(|proposal| proposal.sequence);
        let told = match (promise.complete, last) {
            (true, _) => Told::All,
            (false, Some(last)) => Told::Until(last),
            (false, None) => return out.refuse(Peer::Node(from), Refusal::Contradiction),
        };
        if let Err(refusal) = self.take_page(promise, told, out) {
            return out.refuse(Peer::Node(from), refusal);
        }
        let Role::Preparing(campaign) = &mut self.role else { return };
        campaign.told.insert(from, told);
        match told {
            Told::Until(after) => self.ask_promise(from, after, out),
            Told::All => self.lead_if_promised(out),
        }
    }

    /// Executes what is chosen of a page and adopts the rest. A page refused is as if it had not come: it is asked
    /// for again.
    fn take_page(&mut self, promise: Promise, told: Told, out: &mut Outbox) -> Result<(), Refusal> {
        let furthest = promise.executed.plus(self.settings.log_batches_max());
        let mut previous = promise.after;
        for proposal in &promise.accepted {
            if proposal.sequence <= previous || proposal.view > promise.view {
                return Err(Refusal::Contradiction);
            }
            if proposal.sequence > furthest {
                return Err(Refusal::TooFarAhead);
            }
            previous = proposal.sequence;
        }
        for proposal in promise.accepted {
            if proposal.sequence <= promise.executed {
                self.learn(proposal.sequence, proposal.batch, out);
            } else if let Role::Preparing(campaign) = &mut self.role {
                campaign.adopt(proposal);
            }
        }
        // What could not be executed for want of room must be asked for again: a leader has executed whatever any
        // of its f+1 had.
        let chosen = match told {
            Told::All => promise.executed,
            Told::Until(last) => last.min(promise.executed),
        };
        if self.executed() < chosen { Err(Refusal::NoRoom) } else { Ok(()) }
    }

    /// Leads, if f others have promised and told everything. The own promise was durable before they were asked.
    fn lead_if_promised(&mut self, out: &mut Outbox) {
        let needed = if defect!(PaxosPromiseQuorum) { self.settings.f - 1 } else { self.settings.f };
        let Role::Preparing(campaign) = &self.role else { return };
        if campaign.complete() < needed {
            return;
        }
        let inherited = campaign.clone().inherited(self.executed());
        self.catch_up = None;
        self.role = Role::Leading(Box::new(Lead::new(self.executed().next(), inherited, &self.settings)));
        out.set_timer(VIEW, self.timeout);
        self.beat(out);
        self.propose(out);
    }
}
