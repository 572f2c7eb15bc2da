//! Suspicion, claims, and the way into the next configuration.

use super::{Action, Control, ELSEWHERE_MAX, Elsewhere, Monitor, NewConfig, Notice, Received, Threshold};
use crate::claim::{self, Claim};
use crate::configuration::{Configuration, Member};
use crate::ids::{Digest, FIRST, Incarnation, Node, QUARANTINED, Sequence, Time, View};
use crate::log::Log;
use crate::queue::Request;
use crate::rule::Rule;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

impl<R: Request> Monitor<R> {
    /// Upon a word of another node's monitor. It is trusted: monitors do not lie.
    pub fn control_received(
        &mut self,
        now: Time,
        from: Node,
        control: &Control,
        actions: &mut Vec<Action>,
    ) -> Received {
        if self.guilty.is_some() || from == self.me {
            return Received::NotAllowed;
        }
        let member = self.slot_of(from).is_some();
        match control {
            Control::Beat { view, .. } => {
                if *view == self.configuration.view && from == self.configuration.primary() && self.member {
                    self.heard_at = now;
                    self.suspicion.dismiss(*view);
                }
            }
            Control::Suspect { target, promised } if member => {
                self.suspicion.heard(now, from, *target, *promised)
            }
            Control::Alert { view, proof } => self.alerted(now, from, *view, *proof),
            Control::Convicted { node } if *node != self.me => {
                self.known.entry(*node).and_modify(|known| *known = QUARANTINED);
            }
            Control::Rejoin { incarnation } => self.rejoining(now, from, *incarnation),
            Control::ReconRequest { target } => return self.asked_for_claim(now, from, *target, actions),
            Control::Suspect { .. } | Control::Convicted { .. } => return Received::NotAllowed,
        }
        self.consider(now, actions);
        Received::Deliver
    }

    /// The monitor of `from` raised an alert.
    fn alerted(&mut self, now: Time, from: Node, view: View, proof: bool) {
        if proof {
            self.known.insert(from, QUARANTINED);
        }
        if view != self.configuration.view || !self.member {
            return;
        }
        if from == self.configuration.primary() {
            // Its monitor wants it gone, and counts as one that does.
            self.suspicion.heard(now, from, view.next(), view);
            self.suspicion.give_up(view.next());
            self.repeat_at.get_or_insert(now);
        }
    }

    /// The monitor of `from` was started again: what it vouched for before is worth nothing any more.
    fn rejoining(&mut self, now: Time, from: Node, incarnation: Incarnation) {
        let known = self.known.entry(from).or_insert(FIRST);
        *known = (*known).max(incarnation);
        let listed = self.configuration.members.iter().find(|member| member.node == from);
        if from == self.configuration.primary()
            && listed.is_some_and(|member| member.incarnation < incarnation)
        {
            self.suspicion.give_up(self.configuration.view.next());
            self.repeat_at.get_or_insert(now);
        }
    }

    /// Wants at least `target` from now on; one led by a replica that was proven guilty, nobody wants.
    pub(super) fn suspect(&mut self, now: Time, target: View) {
        let guilty = |view| self.known.get(&self.configuration.leader_of(view)) == Some(&QUARANTINED);
        let n = self.configuration.members.len() as u64;
        let led_by_another = (target.0..target.0.saturating_add(n)).map(View).find(|view| !guilty(*view));
        let target = led_by_another.unwrap_or(target);
        if target > self.suspicion.target {
            self.suspicion.target = target;
            self.repeat_at = Some(now);
        }
    }

    /// Joins a suspicion that f+1 share, and asks for claims if it is this node's turn to lead.
    pub(super) fn consider(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.guilty.is_some() || self.slot_of(self.me).is_none() {
            return;
        }
        if !self.member && self.spec.open {
            // Its replica goes on unmonitored meanwhile, and what that orders nobody seals. Only those who remember may make
            // a configuration out of it.
            return;
        }
        if !self.member {
            self.suspect(now, self.suspicion.wanted_by_any());
        }
        let wanted = self.suspicion.wanted_by(self.spec.f + 1);
        self.suspect(now, wanted);
        let aim = self.suspicion.target.max(self.suspicion.promised);
        if wanted >= aim && aim > self.change_to {
            self.change_since = Some(now);
            self.change_to = aim;
        }
        let past = self.suspicion.promised.max(self.configuration.view);
        if let Some(target) = self.configuration.next_led_by(self.me, past)
            && target <= wanted
        {
            self.stand_for(now, target, actions);
        }
    }

    /// Asks everyone for their claims for `target`, which this node is to lead.
    pub(super) fn stand_for(&mut self, now: Time, target: View, actions: &mut Vec<Action>) {
        self.promise(now, target);
        self.claims = Some(BTreeMap::new());
        self.ask_for_claims(target, actions);
    }

    /// Asks the others, and the own replica: what is claimed, and known of other monitors, may have changed since.
    pub(super) fn ask_for_claims(&self, target: View, actions: &mut Vec<Action>) {
        // Who is guilty must be known to every claim before its slot goes to a spare.
        let guilty = self.known.iter().filter(|(_, known)| **known == QUARANTINED).map(|(node, _)| *node);
        actions.extend(guilty.map(|node| Action::Broadcast(Control::Convicted { node })));
        actions.push(Action::Broadcast(Control::ReconRequest { target }));
        actions.push(Action::Notice(Notice::Reconfigure {
            target,
            candidate: self.me,
            prove: !self.member || self.unsure,
        }));
    }

    /// From now on nothing of a configuration before `target` passes.
    fn promise(&mut self, now: Time, target: View) {
        assert!(target > self.suspicion.promised);
        self.suspicion.promised = target;
        self.suspicion.target = self.suspicion.target.max(target);
        if let Some(Threshold { configuration, log, last }) = self.threshold.take() {
            self.may_be_in(Elsewhere { configuration, log, said: last });
        }
        self.claims = None;
        self.claimed_to = None;
        self.change_since = Some(now);
        self.change_to = target;
        self.repeat_at = Some(now.after(self.spec.retransmit_after));
        self.watch(now);
    }

    /// Upon RECONREQUEST(t). A spare has nothing to claim, unless its monitor was started again: then only the replica
    /// knows whether it is still one.
    ///
    /// A claim for t is given to one candidate, and to one start of its monitor. If it could be given to the next start
    /// too, configuration t could come about twice: the candidate has forgotten what the first one began with.
    fn asked_for_claim(
        &mut self,
        now: Time,
        candidate: Node,
        target: View,
        actions: &mut Vec<Action>,
    ) -> Received {
        if self.slot_of(self.me).is_none() && self.incarnation == FIRST {
            return Received::NotAllowed;
        }
        let over = if self.member { target <= self.configuration.view } else { false };
        if over || target < self.suspicion.promised {
            return Received::Stale;
        }
        if self.member && self.configuration.leader_of(target) != candidate {
            return Received::NotAllowed;
        }
        if target > self.suspicion.promised {
            self.promise(now, target);
        } else if self.threshold.is_some() {
            // The NEWCONFIG is here already; the candidate asks again because its own words crossed.
            return Received::Stale;
        }
        let incarnation = self.known.get(&candidate).copied().unwrap_or(FIRST);
        let asked_by = Member { node: candidate, incarnation };
        if *self.claimed_to.get_or_insert(asked_by) != asked_by {
            return Received::Stale;
        }
        actions.push(Action::Notice(Notice::Reconfigure {
            target,
            candidate,
            prove: !self.member || self.unsure,
        }));
        Received::Deliver
    }

    /// The starts of the monitors that this one knows of: members and spares.
    fn known_starts(&self) -> Vec<Member> {
        self.known
            .iter()
            .map(|(node, incarnation)| Member { node: *node, incarnation: *incarnation })
            .collect()
    }

    /// A STABLECHECKPOINT with a monitor's seal: whenever it was declared, it is a fact, wherever the replica is.
    pub fn prove_stable(&mut self, at: Sequence, digest: Digest) {
        let threshold = self.threshold.iter_mut().map(|threshold| &mut threshold.log);
        let elsewhere = self.elsewhere.iter_mut().map(|place| &mut place.log);
        for log in threshold.chain(elsewhere).chain([&mut self.log]) {
            if at <= log.contiguous() {
                log.truncate(at, digest);
            }
        }
    }

    /// Upon RECONFIGURE(t, …) from the replica: completes its claim with what the monitor answers for.
    ///
    /// A claim passes only if it tells all that the replica ever said it had, as it was sent: from the stable checkpoint
    /// without a gap at least up to `said`. A monitor that has forgotten does not vouch.
    #[allow(clippy::too_many_arguments, reason = "the fields of a RECONFIGURE")]
    pub fn reconfigure_sent(
        &mut self,
        now: Time,
        target: View,
        entered: Configuration,
        stable: Sequence,
        stable_digest: Digest,
        orders: Vec<Digest>,
        actions: &mut Vec<Action>,
    ) -> Result<Claim, Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        if target != self.suspicion.promised || (self.member && target <= self.configuration.view) {
            return Err(Rule::StaleConfiguration);
        }
        let start = |node: &Node| self.known.get(node).copied().unwrap_or(FIRST);
        if self.claimed_to.as_ref().is_some_and(|member| start(&member.node) != member.incarnation) {
            return Err(Rule::StaleConfiguration);
        }
        self.draw(now, actions)?;
        let mut claim = Claim {
            node: self.me,
            incarnation: self.incarnation,
            vouched: self.member,
            entered,
            stable,
            stable_digest,
            orders,
            known: self.known_starts(),
        };
        if !self.member {
            return Ok(claim);
        }
        let here = complete(&mut claim, &self.configuration, &self.log, self.following.said);
        let elsewhere = self
            .elsewhere
            .iter()
            .any(|place| complete(&mut claim, &place.configuration, &place.log, place.said));
        if here || elsewhere || defect!(MonitorTrueReconfigure) {
            return Ok(claim);
        }
        let judged = claim.entered == self.configuration
            || self.elsewhere.iter().any(|place| place.configuration == claim.entered);
        if !judged && self.unsure {
            // What it had when this monitor had forgotten; as then, only seals can tell.
            claim.vouched = false;
            return Ok(claim);
        }
        if !judged && self.elsewhere.len() == ELSEWHERE_MAX {
            return Err(Rule::StaleConfiguration);
        }
        Err(self.violate(now, Rule::TrueReconfigure, actions))
    }

    /// Upon RECONFIGURE(t, claim) from `from`, or from this node's own replica.
    pub fn reconfigure_received(&mut self, target: View, claim: Claim) -> Received {
        if target != self.suspicion.promised {
            return Received::Stale;
        }
        let Some(claims) = &mut self.claims else { return Received::NotAllowed };
        if claim.orders.len() as u64 > self.spec.log_orders_max {
            return Received::Ahead;
        }
        if claim.entered.view >= target {
            // This configuration would not be a later one: a candidate that has forgotten aimed too low.
            self.suspicion.target = self.suspicion.target.max(claim.entered.view.next());
        }
        for member in &claim.known {
            if let Some(known) = self.known.get_mut(&member.node) {
                *known = (*known).max(member.incarnation);
            }
        }
        claims.insert(claim.node, claim);
        Received::Deliver
    }

    /// Upon NEWCONFIG(t, …) from the replica: it must be what follows from the claims that it names.
    pub fn new_config_sent(
        &mut self,
        now: Time,
        new: &NewConfig,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        let target = new.configuration.view;
        if target != self.suspicion.promised || self.claims.is_none() {
            return Err(Rule::StaleConfiguration);
        }
        match self.check_new_config(new) {
            Ok(true) => {}
            Ok(false) if defect!(MonitorTrueNewConfig) => {}
            Ok(false) => return Err(self.violate(now, Rule::TrueNewConfig, actions)),
            // A claim that it builds on was replaced or found stale while it was being made.
            Err(rule) => return Err(rule),
        }
        let log = self.log_to_start(new);
        let last = new.stable.plus(new.orders.len() as u64);
        self.enter(now, new.configuration.clone(), log, last, actions);
        Ok(())
    }

    /// Whether `new` follows from its claims; an error if they are no quorum (any more).
    fn check_new_config(&self, new: &NewConfig) -> Result<bool, Rule> {
        let claims = self.claims.as_ref().ok_or(Rule::StaleConfiguration)?;
        let used: Option<Vec<&Claim>> = new.claimants.iter().map(|node| claims.get(node)).collect();
        let used = used.ok_or(Rule::StaleConfiguration)?;
        if claim::without_stale(&used).len() < used.len() || !claim::is_quorum(&used, self.spec.f) {
            return Err(Rule::StaleConfiguration);
        }
        let start = claim::start_of(&used, &self.spares).ok_or(Rule::StaleConfiguration)?;
        let best = claim::choose(&used).ok_or(Rule::StaleConfiguration)?;
        let mine = start.members.iter().find(|member| member.node == self.me);
        if best.entered.view >= new.configuration.view
            || mine.is_none_or(|member| member.incarnation != self.incarnation)
        {
            return Err(Rule::StaleConfiguration);
        }
        Ok(new.stable == start.stable
            && new.stable_digest == start.stable_digest
            && new.orders == start.orders
            && new.configuration.members == start.members)
    }

    /// The log with which `new` starts.
    ///
    /// A stable checkpoint that this monitor saw proven stays proven, even if no claim of the quorum told it: the replica, once it
    /// entered, goes on from there, and claims from there, whether or not it came to say JOINED.
    fn log_to_start(&self, new: &NewConfig) -> Log {
        let mut log = Log::new(new.stable, new.stable_digest, &new.orders, self.spec.log_orders_max);
        log.truncate(self.log.stable(), self.log.stable_digest());
        log
    }

    /// Upon NEWCONFIG(t, …) from the node that leads t.
    pub fn new_config_received(&mut self, now: Time, from: Node, vouched: bool, new: &NewConfig) -> Received {
        let view = new.configuration.view;
        if self.guilty.is_some() || !vouched || new.configuration.primary() != from {
            return Received::NotAllowed;
        }
        if view < self.suspicion.promised || (self.member && view < self.configuration.view) {
            return Received::Stale;
        }
        if self.member && view == self.configuration.view {
            // JOINED was lost; the replica says it again.
            return Received::Deliver;
        }
        let listed = new.configuration.members.iter().find(|member| member.node == self.me);
        let mine = listed.is_some_and(|member| member.incarnation == self.incarnation);
        if !mine && !defect!(MonitorForgottenJoins) {
            return Received::NotAllowed;
        }
        if self.threshold.as_ref().is_some_and(|threshold| threshold.configuration.view == view) {
            return Received::Deliver;
        }
        if view > self.suspicion.promised {
            self.promise(now, view);
        }
        self.claims = None;
        self.heard_at = now;
        self.change_since = Some(now);
        self.threshold = Some(Threshold {
            configuration: new.configuration.clone(),
            log: self.log_to_start(new),
            last: new.stable.plus(new.orders.len() as u64),
        });
        Received::Deliver
    }

    /// Upon JOINED(v) from the replica: it has everything that the configuration starts with.
    ///
    /// It counts like an ACK up to `at`, so it is one: what the replica was not sent it cannot have.
    pub fn joined_sent(
        &mut self,
        now: Time,
        view: View,
        at: Sequence,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        if self.guilty.is_some() {
            return Err(Rule::Flooding);
        }
        let log = match &self.threshold {
            Some(threshold) if threshold.configuration.view == view => Some(&threshold.log),
            Some(_) | None => (self.member && view == self.configuration.view).then_some(&self.log),
        };
        if log.is_some_and(|log| at > log.contiguous()) && !defect!(MonitorTrueAck) {
            return Err(self.violate(now, Rule::TrueAck, actions));
        }
        match self.threshold.take() {
            Some(threshold) if threshold.configuration.view == view => {
                if at < threshold.last && !defect!(MonitorTrueAck) {
                    return Err(self.violate(now, Rule::TrueAck, actions));
                }
                self.enter(now, threshold.configuration, threshold.log, at, actions);
                Ok(())
            }
            other => {
                self.threshold = other;
                if self.is_normal() && view == self.configuration.view {
                    self.following.said = self.following.said.max(at);
                    self.draw(now, actions)
                } else {
                    Err(Rule::StaleConfiguration)
                }
            }
        }
    }
}

/// Whether a claim tells all up to `said` as the log has it. A claim that starts from a stable checkpoint before the log's
/// is made to start from the log's: what lies between is no longer in the log, and must not rest on the replica's word. (A
/// replica that was started again may have lost the snapshot of a checkpoint that the monitor knows to be stable.)
fn complete(claim: &mut Claim, configuration: &Configuration, log: &Log, said: Sequence) -> bool {
    if claim.entered != *configuration || claim.last() < said {
        return false;
    }
    let Some(behind) = log.stable().0.checked_sub(claim.stable.0) else { return false };
    if claim.last() < log.stable() {
        // It is behind the stable checkpoint; f+1 others are not, and one of them is in every quorum. So what this claim says
        // is never chosen, and it says no more than the stable checkpoint from which the replica goes on.
        claim.orders.clear();
        return true;
    }
    let behind = usize::try_from(behind).unwrap_or(usize::MAX).min(claim.orders.len());
    let told = &claim.orders[behind..];
    if behind == 0 && claim.stable_digest != log.stable_digest() {
        return false;
    }
    if log.orders_up_to(claim.last()).is_none_or(|orders| orders != told) {
        return false;
    }
    claim.orders.drain(..behind);
    claim.stable = log.stable();
    claim.stable_digest = log.stable_digest();
    true
}
