//! Vouched: what a monitor lets out is what a correct replica could have said. In the paper's words, behind its monitor a
//! replica that lies is one that crashed.
//!
//! Upon everything that passes a node's guard, in or out: it is written down (`gate`: what this node was told and what it
//! said; `truth`: what all monitors together let out).
//! Upon what leaves the guard of a *traitor*, vouched for: it must follow from what that node was told, and from what it said
//!   before. One file per role: `order` (the primary), `follow` (a backup, and any replica that answers), `change`
//!   (claims and configurations), `debt` (what is owed and late), `flow` (how much).
//! Upon a claim, or a configuration, at any node: it must agree with the truth.
//!
//! These are the rules of the paper once more, written against what can be seen on the wire and with what no monitor knows:
//! what the others said. They share no code with the monitor. A monitor without one of its rules may do no harm for long,
//! since the others and the protocol itself catch most of it; here the first lie that it lets out is found.
//!
//! Only for monitors that fail closed: one that fails open does not vouch.

mod change;
mod debt;
mod flow;
mod follow;
mod gate;
mod order;
#[cfg(test)]
mod tests;
mod truth;

use agree::byzid::message::Message as ByzId;
use agree::guard::GuardEffect;
use agree::{Event, Message, Settings};
use bytes::Bytes;
use gate::Gate;
use monitor::{Incarnation, Notice};
use std::rc::Rc;
use truth::{Reign, Truth};
use wire::{Decode, Frame, NodeId, Peer, Time, View};

/// What passed the guards of one run.
#[derive(Clone, Debug)]
pub struct Vouched {
    settings: Rc<Settings>,
    truth: Truth,
    gates: Vec<Gate>,
}

/// What was let out that should not have been, in words.
type Verdict = Result<(), String>;

impl Vouched {
    /// For a cluster set like this, with `nodes` nodes, of which these are in the hands of traitors.
    #[must_use]
    pub fn new(settings: Rc<Settings>, nodes: usize, traitors: &[usize]) -> Self {
        let gates = (0..nodes).map(|node| Gate::new(node, traitors.contains(&node))).collect();
        Vouched { truth: Truth::new(&settings), settings, gates }
    }

    /// The monitor of `node` starts: all that it knew is forgotten.
    pub fn monitor_started(&mut self, node: usize, incarnation: Incarnation) {
        let is_member = self.settings.members.contains(&NodeId(node as u16));
        let entered = (incarnation == monitor::FIRST && is_member).then_some(Reign::FIRST);
        self.gates[node].monitor_started(incarnation, entered);
    }

    /// The monitor of `node` crashed.
    pub fn monitor_crashed(&mut self, node: usize) {
        self.gates[node].up = false;
    }

    /// The replica of `node` stopped, or runs again.
    pub fn replica_is_up(&mut self, node: usize, up: bool) {
        self.gates[node].replica_is_up(up, &self.truth);
    }

    /// The processes of `node` stood still, and go on now: nothing is late yet.
    pub fn resumed(&mut self, now: Time, node: usize) {
        self.gates[node].debts.begin_anew(now);
    }

    /// All that one event made the guard of `node` let in and out. While the node `stands_still`, as far as its clock goes,
    /// nothing can be late there.
    #[inline]
    pub fn passed(&mut self, now: Time, node: usize, stands_still: bool, effects: &[GuardEffect]) -> Verdict {
        for effect in effects {
            match effect {
                GuardEffect::Deliver(Event::Message { from, message }) => {
                    self.let_in(node, *from, message)?
                }
                GuardEffect::Deliver(Event::Notice(Notice::Reconfigure { target, .. })) => {
                    self.gates[node].promise(View(target.0));
                }
                GuardEffect::Transmit { frame, .. } if self.gates[node].judged => {
                    self.let_out(now, node, frame, effects)?;
                }
                GuardEffect::Alarm(alarm) => self.gates[node].guilty |= alarm.proof,
                _ => {}
            }
        }
        let gate = &mut self.gates[node];
        if stands_still {
            gate.debts.begin_anew(now);
            return Ok(());
        }
        if gate.judged && gate.up { gate.settle_debts(now, &self.truth, &self.settings) } else { Ok(()) }
    }

    /// The guard of `node` let `message` in.
    #[inline]
    fn let_in(&mut self, node: usize, from: Peer, message: &Message) -> Verdict {
        let gate = &mut self.gates[node];
        let echo = from == Peer::Node(gate.id());
        match message {
            Message::Request(request) if gate.judged => {
                gate.requests.push_back((request.client, request.timestamp));
                Ok(())
            }
            Message::Bundle(bundle) => {
                bundle.messages().iter().try_for_each(|inner| self.let_in(node, from, inner))
            }
            Message::ByzId(ByzId::Order(order)) => {
                if echo {
                    let reign = Reign { view: order.view, start: gate.incarnation };
                    self.truth.ordered(reign, order.sequence, order.batch.digest())?;
                }
                if gate.judged { gate.hear_order(echo, order) } else { Ok(()) }
            }
            Message::ByzId(ByzId::StableCheckpoint(said)) => {
                if echo {
                    self.truth.stables.insert((said.stable.sequence, said.stable.digest));
                }
                if gate.judged { gate.hear_stable(echo, said) } else { Ok(()) }
            }
            Message::ByzId(ByzId::NewConfig(new)) => {
                if echo {
                    let verdict = change::new_config(gate, new, &self.settings);
                    self.truth.begun(new)?;
                    gate.know_stable(new.stable.sequence);
                    gate.enter(Reign::of(new.view, &new.members));
                    return verdict;
                }
                gate.hear_new_config(new)
            }
            Message::ByzId(ByzId::Reconfigure(said)) => {
                let Some(from) = from.node() else { return Ok(()) };
                change::claim_is_true(from, said, &self.truth)?;
                gate.claims.entry(said.target).or_default().insert(from, said.claim.clone());
                Ok(())
            }
            Message::ByzId(message) if gate.judged => match from.node() {
                Some(from) => gate.hear(from, message),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The guard of the traitor at `node` let `frame` out, as one of `effects`.
    fn let_out(&mut self, now: Time, node: usize, frame: &Bytes, effects: &[GuardEffect]) -> Verdict {
        let Ok(Frame { vouched: true, body, .. }) = Frame::from_bytes(frame.clone()) else { return Ok(()) };
        match Message::from_bytes(body) {
            Ok(Message::Bundle(bundle)) => {
                let mut messages = bundle.messages().iter();
                messages.try_for_each(|message| self.let_message_out(now, node, message, frame, effects))
            }
            Ok(message) => self.let_message_out(now, node, &message, frame, effects),
            Err(_) => Ok(()),
        }
    }

    /// The same of a message in it.
    fn let_message_out(
        &mut self,
        now: Time,
        node: usize,
        message: &Message,
        frame: &Bytes,
        effects: &[GuardEffect],
    ) -> Verdict {
        let gate = &mut self.gates[node];
        if let Message::ByzId(ByzId::Control(control)) = message {
            gate.hear_own_monitor(now, control);
            return Ok(());
        }
        // What its monitor says by itself.
        if matches!(message, Message::Busy(_) | Message::ByzId(ByzId::Relay(_))) {
            return Ok(());
        }
        if gate.guilty {
            return Err(format!("{} was proven guilty, and is still let out: {message:?}", gate.id()));
        }
        gate.flow.passed(now, gate.is_extra(message))?;
        match message {
            Message::Reply(said) => gate.reply(said.view, said.sequence, 1, &self.truth),
            Message::Replies(said) => {
                gate.reply(said.view, said.sequence, said.results.len() as u64, &self.truth)
            }
            Message::Assent(said) => gate.reply(said.view, said.sequence, u64::from(said.count), &self.truth),
            Message::ByzId(ByzId::Order(order)) => {
                let same = |effect: &&GuardEffect| matches!(effect, GuardEffect::Transmit { frame: other, .. } if other == frame);
                let receivers = effects.iter().filter(same).count();
                gate.order(order, receivers, &mut self.truth, &self.settings)
            }
            Message::ByzId(ByzId::StableCheckpoint(said)) => gate.stable(said, &self.truth, &self.settings),
            Message::ByzId(ByzId::Ack(ack)) => gate.ack(ack, &self.truth),
            Message::ByzId(ByzId::Checkpoint(said)) => gate.checkpoint(said, &self.truth, &self.settings),
            Message::ByzId(ByzId::Joined(joined)) => gate.joined(joined, &self.truth),
            Message::ByzId(ByzId::Reconfigure(said)) => gate.claim(said),
            Message::ByzId(ByzId::Fetched(fetched)) => gate.fetched(fetched),
            _ => Ok(()),
        }
    }
}
