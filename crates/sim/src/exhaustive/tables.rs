//! Everything that was ever seen of nodes and frames, once each, by number.
//!
//! A state of the model is a handful of numbers into these tables, since the same node in the same state turns up in
//! thousands of states of the whole. What a node does upon an action depends on nothing but the node and the action, so it is
//! worked out once and remembered: the code of the product runs a few thousand times, not a few million.

use super::lie::{Knowledge, Lie, Said};
use super::node::{Matter, Node, Outcome, Owner};
use agree::replica::Status;
use agree::{Observation, Replica as _, Timer};
use bytes::Bytes;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use wire::{ClientId, Digest, NodeId, Peer, Sequence};

/// The number of a node in one of its states.
pub type NodeNumber = u32;

/// The number of a frame on its way to one node.
pub type FrameNumber = u32;

/// A frame on its way to a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Flying {
    /// To whom.
    pub to: NodeId,
    /// The link that it came over.
    pub link: Peer,
    /// The frame.
    pub frame: Bytes,
}

/// What one node can do or have happen to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Local {
    /// A frame arrives.
    Receive(FrameNumber),
    /// A timer runs out.
    Fire(Owner, Timer),
    /// The first write that waits is durable.
    Settle,
    /// The replica crashes and is started again; so many of the writes that waited survive.
    Crash(usize),
    /// The monitor crashes and is started again.
    RestartMonitor,
    /// The traitor lets a message go as its replica meant it.
    Release(usize),
    /// The traitor tells its n-th lie.
    Lie(usize),
    /// The traitor falls silent for good.
    Mute,
}

/// What comes of it.
#[derive(Debug)]
pub struct Effect {
    /// The node as it is then.
    pub node: NodeNumber,
    /// Frames for nodes.
    pub frames: Vec<FrameNumber>,
    /// Frames for clients.
    pub replies: Vec<(ClientId, Bytes)>,
    /// Checkpoints that it called stable, if it is correct.
    pub stable: Vec<(Sequence, Digest)>,
    /// Why it stopped itself, if it did and is correct.
    pub stopped: Option<String>,
}

/// A node in one of its states, and what is often asked of it.
pub struct Known {
    /// The node.
    pub node: Rc<Node>,
    /// How its replica stands; nothing of one that fell silent.
    pub status: Option<Status>,
    /// Every command that it executed.
    pub history: Vec<u8>,
    /// The rule of whose breach it was proven guilty.
    pub guilty: Option<monitor::Rule>,
    /// What its traitor could say that is no truth.
    pub lies: Vec<(Lie, Said)>,
}

/// The tables.
#[derive(Default)]
pub struct Tables {
    nodes: Vec<Known>,
    node_numbers: HashMap<u128, NodeNumber>,
    frames: Vec<Flying>,
    frame_numbers: HashMap<Flying, FrameNumber>,
    effects: HashMap<(NodeNumber, Local, bool), Rc<Effect>>,
}

impl Tables {
    /// The node of this number.
    #[must_use]
    pub fn node(&self, number: NodeNumber) -> &Known {
        &self.nodes[number as usize]
    }

    /// The frame of this number.
    #[must_use]
    pub fn frame(&self, number: FrameNumber) -> &Flying {
        &self.frames[number as usize]
    }

    /// How many states of nodes, frames and actions of nodes there are.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize, usize) {
        (self.nodes.len(), self.frames.len(), self.effects.len())
    }

    /// The number of `node`.
    pub fn enter_node(&mut self, node: Node, matter: &Matter, known: &Knowledge) -> NodeNumber {
        if let Some(number) = self.node_numbers.get(&node.fingerprint()) {
            return *number;
        }
        let number = NodeNumber::try_from(self.nodes.len()).expect("far fewer nodes fit into memory");
        self.node_numbers.insert(node.fingerprint(), number);
        let history = node.replica().and_then(|replica| replica.service());
        self.nodes.push(Known {
            status: node.replica().map(|replica| replica.status()),
            history: history.map_or_else(Vec::new, |service| service.commands().to_vec()),
            guilty: node.guard().monitor().and_then(|monitor| monitor.guilty()),
            lies: node.lies(matter, known),
            node: Rc::new(node),
        });
        number
    }

    /// The number of `frame`.
    pub fn enter_frame(&mut self, frame: Flying) -> FrameNumber {
        let next = FrameNumber::try_from(self.frames.len()).expect("far fewer frames fit into memory");
        let number = *self.frame_numbers.entry(frame.clone()).or_insert(next);
        if number == next {
            self.frames.push(frame);
        }
        number
    }

    /// What comes of it when `local` happens at `node`. `keeps` says whether what the traitor wants to lie about is kept.
    pub fn effect(
        &mut self,
        node: NodeNumber,
        local: Local,
        keeps: bool,
        matter: &Matter,
        known: &Knowledge,
    ) -> Rc<Effect> {
        // Only a traitor keeps anything.
        let keeps = keeps && self.node(node).node.is_traitor();
        if let Some(effect) = self.effects.get(&(node, local, keeps)) {
            return Rc::clone(effect);
        }
        let effect = Rc::new(self.work_out(node, local, keeps, matter, known));
        self.effects.insert((node, local, keeps), Rc::clone(&effect));
        effect
    }

    fn work_out(
        &mut self,
        number: NodeNumber,
        local: Local,
        keeps: bool,
        matter: &Matter,
        known: &Knowledge,
    ) -> Effect {
        let before = Rc::clone(&self.node(number).node);
        let acted = crate::run::quietly(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let mut node = Node::clone(&before);
                let outcome = self.act(&mut node, number, local, keeps, matter);
                (node, outcome)
            }))
        });
        match acted {
            Ok((node, outcome)) => {
                let node = self.enter_node(node, matter, known);
                self.outcome(node, outcome)
            }
            Err(_) => {
                let mut node = Node::clone(&before);
                // A traitor that was fed what nobody sends may stop itself: then it is silent.
                let stopped = (!before.is_traitor()).then(crate::run::last_panic);
                node.mute();
                let node = self.enter_node(node, matter, known);
                Effect { stopped, ..self.outcome(node, Outcome::default()) }
            }
        }
    }

    fn act(
        &self,
        node: &mut Node,
        number: NodeNumber,
        local: Local,
        keeps: bool,
        matter: &Matter,
    ) -> Outcome {
        match local {
            Local::Receive(frame) => {
                let Flying { link, frame, .. } = self.frame(frame);
                node.receive(matter, keeps, *link, frame.clone())
            }
            Local::Fire(owner, timer) => node.fire(matter, keeps, owner, timer),
            Local::Settle => node.settle(matter, keeps),
            Local::Crash(keep) => node.crash(matter, keeps, keep),
            Local::RestartMonitor => node.restart_monitor(matter, keeps),
            Local::Release(template) => node.release(matter, keeps, template),
            Local::Lie(lie) => {
                let (_, said) = &self.node(number).lies[lie];
                node.lie(matter, keeps, said.clone())
            }
            Local::Mute => {
                node.mute();
                Outcome::default()
            }
        }
    }

    /// Enters what came out of the node of this number.
    pub fn outcome(&mut self, node: NodeNumber, outcome: Outcome) -> Effect {
        let (from, traitor) = (self.node(node).node.id(), self.node(node).node.is_traitor());
        let mut effect =
            Effect { node, frames: Vec::new(), replies: Vec::new(), stable: Vec::new(), stopped: None };
        for (to, frame) in outcome.frames {
            match to {
                Peer::Node(to) => {
                    effect.frames.push(self.enter_frame(Flying { to, link: Peer::Node(from), frame }));
                }
                Peer::Client(client) => effect.replies.push((client, frame)),
            }
        }
        if !traitor {
            effect.stable.extend(outcome.observed.iter().filter_map(|observation| match observation {
                Observation::Stable { sequence, digest } => Some((*sequence, *digest)),
                _ => None,
            }));
        }
        effect
    }
}
