//! What one node was told and what it said, since its monitor started.

use super::debt::Debts;
use super::flow::Flow;
use super::truth::{Reign, Truth};
use agree::Message;
use agree::byzid::message::{Claim, Control, Message as ByzId, NewConfig, Order, StableCheckpoint};
use monitor::Incarnation;
use std::collections::{BTreeMap, VecDeque};
use wire::{ClientId, Digest, NodeId, Sequence, Time, Timestamp, View};

/// One node's guard, from outside.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    slot: usize,
    /// Whether what it lets out is judged: its replica is in the hands of a traitor.
    pub(super) judged: bool,
    pub(super) incarnation: Incarnation,
    pub(super) up: bool,
    pub(super) replica_up: bool,
    pub(super) guilty: bool,
    /// The configuration that it takes part in; none while its monitor has forgotten.
    pub(super) entered: Option<Reign>,
    /// The one that it was last invited to.
    pub(super) invited: Option<Reign>,
    /// It takes part in none before this one any more.
    pub(super) promised: View,
    /// The requests that came and were not ordered.
    pub(super) requests: VecDeque<(ClientId, Timestamp)>,
    /// The ORDERs that came, its own included.
    pub(super) orders: BTreeMap<(View, Sequence), Digest>,
    /// Up to where it said, in each configuration, that it has the ORDERs.
    pub(super) said: BTreeMap<View, Sequence>,
    /// Up to where the others said so in the configuration entered.
    pub(super) acked: BTreeMap<NodeId, Sequence>,
    /// The last CHECKPOINT of each backup.
    pub(super) vouchers: BTreeMap<NodeId, (Sequence, Digest)>,
    /// Checkpoints for which f backups have vouched at one time.
    pub(super) proven: Vec<(Sequence, Digest)>,
    /// Its own CHECKPOINTs in the configuration entered.
    pub(super) checkpoints: BTreeMap<Sequence, Digest>,
    /// The latest stable checkpoint that it was told of.
    pub(super) stable: Sequence,
    /// The claims that came, by the configuration that they are for.
    pub(super) claims: BTreeMap<View, BTreeMap<NodeId, Claim>>,
    /// Replies that it owes to clients, by the ORDERs that came.
    pub(super) replies_owed: u64,
    pub(super) flow: Flow,
    pub(super) debts: Debts,
}

impl Gate {
    pub(super) fn new(slot: usize, judged: bool) -> Self {
        Gate {
            slot,
            judged,
            incarnation: monitor::FIRST,
            up: false,
            replica_up: true,
            guilty: false,
            entered: None,
            invited: None,
            promised: View(0),
            requests: VecDeque::new(),
            orders: BTreeMap::new(),
            said: BTreeMap::new(),
            acked: BTreeMap::new(),
            vouchers: BTreeMap::new(),
            proven: Vec::new(),
            checkpoints: BTreeMap::new(),
            stable: Sequence::ZERO,
            claims: BTreeMap::new(),
            replies_owed: 0,
            flow: Flow::default(),
            debts: Debts::default(),
        }
    }

    /// All that its monitor knew is forgotten.
    pub(super) fn monitor_started(&mut self, incarnation: Incarnation, entered: Option<Reign>) {
        let (slot, judged, replica_up) = (self.slot, self.judged, self.replica_up);
        *self = Gate { incarnation, entered, up: true, replica_up, ..Gate::new(slot, judged) };
    }

    pub(super) fn id(&self) -> NodeId {
        NodeId(self.slot as u16)
    }

    /// The configuration in which what it says counts, if there is one at present.
    pub(super) fn normal(&self) -> Option<Reign> {
        self.entered.filter(|reign| self.promised <= reign.view && !self.guilty)
    }

    /// The same, if it leads it.
    pub(super) fn leads(&self, truth: &Truth) -> Option<Reign> {
        self.normal()
            .filter(|reign| truth.beginning(*reign).is_some_and(|begin| begin.primary(*reign) == self.id()))
    }

    pub(super) fn promise(&mut self, target: View) {
        self.promised = self.promised.max(target);
    }

    /// Up to where it has every ORDER of `reign`.
    pub(super) fn contiguous(&self, reign: Reign, truth: &Truth) -> Sequence {
        let Some(begin) = truth.beginning(reign) else { return Sequence::ZERO };
        let mut at = begin.last.max(self.stable);
        while self.orders.contains_key(&(reign.view, at.next())) {
            at = at.next();
        }
        at
    }

    pub(super) fn said_in(&self, view: View) -> Sequence {
        self.said.get(&view).copied().unwrap_or(Sequence::ZERO)
    }

    pub(super) fn say(&mut self, view: View, at: Sequence) {
        let said = self.said.entry(view).or_insert(at);
        *said = (*said).max(at);
    }

    /// It takes part in `reign` from now on.
    pub(super) fn enter(&mut self, reign: Reign) {
        self.promise(reign.view);
        self.entered = Some(reign);
        self.requests.clear();
        self.acked.clear();
        self.vouchers.clear();
        self.proven.clear();
        self.checkpoints.clear();
        self.replies_owed = 0;
        self.orders.retain(|(of, _), _| *of >= reign.view);
        self.claims.clear();
        self.debts = Debts::default();
    }

    /// What older configurations are about is dead when it comes.
    fn is_not_stale(&self, view: View, what: &dyn core::fmt::Debug) -> Result<(), String> {
        let over = view < self.promised || self.entered.is_some_and(|entered| view < entered.view);
        if over {
            Err(format!("{} was let hear of {view}, which is over for it: {what:?}", self.id()))
        } else {
            Ok(())
        }
    }

    pub(super) fn hear_order(&mut self, echo: bool, order: &Order) -> Result<(), String> {
        if !echo {
            self.is_not_stale(order.view, order)?;
        }
        let before = self.orders.insert((order.view, order.sequence), order.batch.digest());
        if before.is_none() {
            self.replies_owed += order.batch.requests().len() as u64;
        }
        Ok(())
    }

    pub(super) fn hear_stable(&mut self, echo: bool, said: &StableCheckpoint) -> Result<(), String> {
        if !echo {
            self.is_not_stale(said.view, said)?;
        }
        self.know_stable(said.stable.sequence);
        Ok(())
    }

    pub(super) fn know_stable(&mut self, at: Sequence) {
        self.stable = self.stable.max(at);
    }

    pub(super) fn hear_new_config(&mut self, new: &NewConfig) -> Result<(), String> {
        let me = self.id();
        let listed = new.members.iter().find(|member| member.node == me).map(|member| member.incarnation);
        if listed != Some(self.incarnation) {
            return Err(format!(
                "{me} was let into {}, which lists start {listed:?} of its monitor; this is start {}",
                new.view, self.incarnation
            ));
        }
        self.promise(new.view);
        self.invited = Some(Reign::of(new.view, &new.members));
        self.know_stable(new.stable.sequence);
        Ok(())
    }

    /// Everything that only a primary is told.
    pub(super) fn hear(&mut self, from: NodeId, message: &ByzId) -> Result<(), String> {
        match message {
            ByzId::Ack(ack) => {
                self.is_not_stale(ack.view, ack)?;
                let acked = self.acked.entry(from).or_insert(ack.sequence);
                *acked = (*acked).max(ack.sequence);
            }
            ByzId::Joined(joined) => {
                self.is_not_stale(joined.view, joined)?;
                let acked = self.acked.entry(from).or_insert(joined.last);
                *acked = (*acked).max(joined.last);
            }
            ByzId::Checkpoint(said) => {
                self.is_not_stale(said.view, said)?;
                if said.sequence > self.stable {
                    self.vouchers.insert(from, (said.sequence, said.digest));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Its monitor speaks for itself.
    pub(super) fn hear_own_monitor(&mut self, now: Time, Control(control): &Control) {
        match control {
            monitor::Control::Alert { view, .. } => {
                if self.entered.is_some_and(|reign| reign.view == View(view.0)) {
                    self.debts.alerted(now);
                }
            }
            monitor::Control::Suspect { promised, .. } => self.promise(View(promised.0)),
            monitor::Control::ReconRequest { target } => self.promise(View(target.0)),
            monitor::Control::Beat { .. }
            | monitor::Control::Convicted { .. }
            | monitor::Control::Rejoin { .. } => {}
        }
    }

    /// Whether nobody counts out how many messages like this one there may be.
    pub(super) fn is_extra(&self, message: &Message) -> bool {
        match message {
            Message::Reply(_) => self.replies_owed == 0,
            Message::Replies(said) => self.replies_owed < said.results.len() as u64,
            Message::Assent(said) => self.replies_owed < u64::from(said.count.max(1)),
            Message::ByzId(ByzId::Order(order)) => self.orders.contains_key(&(order.view, order.sequence)),
            Message::ByzId(ByzId::Ack(ack)) => ack.sequence <= self.said_in(ack.view),
            Message::ByzId(ByzId::Checkpoint(said)) => self.checkpoints.contains_key(&said.sequence),
            _ => true,
        }
    }

    /// The configuration with this number, if it may speak of it.
    pub(super) fn in_view(&self, view: View, what: &dyn core::fmt::Debug) -> Result<Reign, String> {
        let Some(reign) = self.normal().filter(|reign| reign.view == view) else {
            let entered = self.entered.map_or("none".to_string(), |entered| entered.to_string());
            let (me, promised) = (self.id(), self.promised);
            return Err(format!(
                "{me} takes part in {entered}, has promised {promised}, and is let out: {what:?}"
            ));
        };
        Ok(reign)
    }
}
