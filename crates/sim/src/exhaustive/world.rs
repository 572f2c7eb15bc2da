//! One state of the model, and what can happen in it.
//!
//! A state is: the nodes; the frames under way; what clients were told; what may still go wrong. States share the nodes that
//! did not change, so the next state costs one node.
//!
//! **The network** is a set of frames, each with the link that it came over: any may be delivered next. Two frames that are
//! alike to the last byte and under way to the same node count as one; a frame comes twice only on the budget.
//!
//! **Clients** are not nodes. A reply that a guard let out may reach its client at any time, in any order with the others;
//! so f+1 alike *can* be believed as soon as the last of them is out, whatever else the client is told before. Every
//! result that could be believed is taken as believed at once: that leaves out only the order in which replies arrive,
//! and can only show more. That they would be believed is asked of a real [`agree::Client`].

use super::lie::{Knowledge, WRONG};
use super::node::{Matter, Node, Owner};
use super::properties::Told;
use super::scope::{Budget, Prologue, Scope};
use super::tables::{Effect, Flying, FrameNumber, Local, NodeNumber, Tables};
use crate::keys::{KeyRing, SimKeys, Tally};
use agree::client::{Accepted, ClientEffect};
use agree::door::Door;
use agree::{Client, Message, Reply, Request, Timer};
use bytes::Bytes;
use core::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use wire::{ClientId, Decode, Digest, Encode, Frame, NodeId, Peer, Sequence, Timestamp, View};

/// What does not change from state to state.
pub struct Model {
    /// What is explored.
    pub scope: Scope,
    pub(super) matter: Matter,
    requests: Vec<Request>,
    doors: Vec<Door<SimKeys>>,
    others: Vec<NodeId>,
    tables: RefCell<Tables>,
}

/// A result that a client can believe.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Believed {
    /// Which client; it has one request.
    pub client: ClientId,
    /// The configuration of the replies.
    pub view: View,
    /// The result: the place of its command in the history.
    pub result: Bytes,
}

/// What clients were told and correct replicas called stable: it changes rarely, so states share it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Record {
    /// Replies that no client can believe yet, by who gave them.
    replies: BTreeSet<(NodeId, Bytes)>,
    /// What clients can believe.
    pub believed: BTreeSet<Believed>,
    /// The checkpoints that correct replicas called stable.
    pub stable: BTreeMap<Sequence, Digest>,
}

/// One state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    /// The nodes.
    pub nodes: Vec<NodeNumber>,
    /// Frames under way, in the order of their numbers.
    flying: Vec<FrameNumber>,
    /// What the world outside knows.
    pub record: Rc<Record>,
    /// What may still go wrong.
    pub budget: Budget,
    /// What the last action did that no state shows.
    pub told: Option<Rc<Told>>,
}

/// Something that can happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// A frame arrives; it may come again.
    Deliver {
        /// Which.
        frame: FrameNumber,
        /// Whether it comes once more later.
        again: bool,
    },
    /// A frame is lost.
    Lose(FrameNumber),
    /// A timer runs out.
    Fire(usize, Owner, Timer),
    /// The first write that waits is durable.
    Settle(usize),
    /// A replica crashes and is started again; so many of the writes that waited survive.
    Crash(usize, usize),
    /// A monitor crashes and is started again.
    RestartMonitor(usize),
    /// The traitor lets a message go as its replica meant it.
    Release(usize, usize),
    /// The traitor tells its n-th lie.
    Lie(usize, usize),
    /// The traitor falls silent for good.
    Mute(usize),
    /// A client sends its request to a node once more.
    Retry(usize, usize),
}

/// The number of the client that makes the request `index`.
fn client(index: usize) -> ClientId {
    ClientId(index as u64 + 1)
}

impl Model {
    /// The model of `scope`.
    #[must_use]
    pub fn new(scope: Scope) -> Model {
        let settings = Rc::new(scope.settings());
        let ring = KeyRing::new(1);
        let tally = Rc::new(Tally::default());
        let mut model = Model {
            matter: Matter {
                settings: Rc::clone(&settings),
                ring: ring.clone(),
                tally: Rc::clone(&tally),
                disks_at_once: scope.disks_at_once,
                lies: scope.lies.to_vec(),
            },
            requests: Vec::new(),
            doors: Vec::new(),
            others: settings.members.iter().copied().filter(|node| Some(node.0) != scope.traitor).collect(),
            tables: RefCell::default(),
            scope,
        };
        for index in 0..model.scope.requests {
            let peer = Peer::Client(client(index));
            let door = Door::new(peer, settings.protocol, settings.members.clone(), ring.of(peer, &tally));
            let (_, request) = model.asking(index, &door);
            model.requests.push(request);
            model.doors.push(door);
        }
        model
    }

    /// A client that has just asked, and its request.
    fn asking(&self, index: usize, door: &Door<SimKeys>) -> (Client, Request) {
        let mut asking = Client::new(client(index), &self.matter.settings, Timestamp(0));
        let mut effects = Vec::new();
        asking.submit(Bytes::from(vec![index as u8]), door.keys(), &mut effects);
        let request = effects.into_iter().find_map(|effect| match effect {
            ClientEffect::Send(_, Message::Request(request)) => Some(request),
            _ => None,
        });
        (asking, request.expect("a client that asks sends a request"))
    }

    /// Everything that was ever seen.
    pub fn tables(&self) -> Ref<'_, Tables> {
        self.tables.borrow()
    }

    /// The state in which the exploration begins.
    #[must_use]
    pub fn start(&self) -> World {
        let mut world = World {
            nodes: Vec::new(),
            flying: Vec::new(),
            record: Rc::default(),
            budget: self.scope.budget,
            told: None,
        };
        for id in &self.matter.settings.members {
            let (node, outcome) = Node::new(*id, self.scope.traitor == Some(id.0), &self.matter);
            let mut tables = self.tables.borrow_mut();
            let number = tables.enter_node(node, &self.matter, &self.knowledge());
            let effect = tables.outcome(number, outcome);
            drop(tables);
            world.nodes.push(number);
            world.came_of_it(self, world.nodes.len() - 1, &effect);
        }
        let mut asked = 0;
        for step in self.scope.prologue {
            match step {
                Prologue::Ask => {
                    world.ask(self, asked, self.leader(&world));
                    asked += 1;
                }
                Prologue::Quiet => self.quiet(&mut world),
                Prologue::Fire(node) => {
                    let index = usize::from(*node);
                    let timer = self.tables().node(world.nodes[index]).node.timers().next();
                    // The guard's comes first.
                    let (owner, timer) = timer.expect("the prologue knows where timers run");
                    world.at_node(self, index, Local::Fire(owner, timer), false);
                }
            }
        }
        for index in asked..self.requests.len() {
            world.ask(self, index, self.leader(&world));
        }
        world
    }

    /// Who leads the latest configuration that any node is in.
    fn leader(&self, world: &World) -> usize {
        let tables = self.tables();
        let standing = world.nodes.iter().filter_map(|node| tables.node(*node).status.as_ref());
        let newest = standing.max_by_key(|status| status.view);
        newest.map_or(0, |status| usize::from(status.primary.0))
    }

    fn quiet(&self, world: &mut World) {
        loop {
            let frame = world.flying.first().copied();
            let writing =
                world.nodes.iter().position(|node| self.tables().node(*node).node.disk().waiting() > 0);
            *world = match (frame, writing) {
                (Some(frame), _) => world.after(self, &Action::Deliver { frame, again: false }),
                (None, Some(node)) => world.after(self, &Action::Settle(node)),
                (None, None) => return,
            };
        }
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { requests: &self.requests, others: &self.others, interval: self.scope.interval }
    }

    /// Whether the client that made request `index` believes `reply` when `nodes` say it.
    fn believes(&self, index: usize, reply: &Reply, nodes: &[NodeId]) -> Option<Accepted> {
        let (mut client, _) = self.asking(index, &self.doors[index]);
        let mut effects = Vec::new();
        for node in nodes {
            client.receive(*node, Message::Reply(reply.clone()), &mut effects);
        }
        effects.into_iter().find_map(|effect| match effect {
            ClientEffect::Done(accepted) => Some(accepted),
            _ => None,
        })
    }
}

impl World {
    /// Everything that can happen next, always in the same order.
    #[must_use]
    pub fn actions(&self, model: &Model) -> Vec<Action> {
        let mut actions = Vec::new();
        self.actions_of_the_network(&mut actions);
        for index in 0..self.nodes.len() {
            self.actions_of_a_node(model, index, &mut actions);
        }
        if self.budget.retries > 0 {
            for index in 0..model.requests.len() {
                actions.extend((0..self.nodes.len()).map(|node| Action::Retry(index, node)));
            }
        }
        actions
    }

    fn actions_of_the_network(&self, actions: &mut Vec<Action>) {
        for frame in &self.flying {
            actions.push(Action::Deliver { frame: *frame, again: false });
            if self.budget.duplicates > 0 {
                actions.push(Action::Deliver { frame: *frame, again: true });
            }
            if self.budget.losses > 0 {
                actions.push(Action::Lose(*frame));
            }
        }
    }

    fn actions_of_a_node(&self, model: &Model, index: usize, actions: &mut Vec<Action>) {
        let scope = &model.scope;
        let tables = model.tables();
        let known = tables.node(self.nodes[index]);
        let node = &known.node;
        let mut budget = self.budget;
        if scope.timers_at.contains(&node.id().0) {
            let due = node.timers().filter(|(owner, _)| *budget.timers(*owner) > 0);
            actions.extend(due.map(|(owner, timer)| Action::Fire(index, owner, timer)));
        }
        if node.disk().waiting() > 0 {
            actions.push(Action::Settle(index));
        }
        if self.budget.crashes > 0 && scope.crashes_at.contains(&node.id().0) && node.replica().is_some() {
            actions.extend((0..=node.disk().waiting()).map(|keep| Action::Crash(index, keep)));
        }
        if self.budget.monitor_restarts > 0 && scope.monitor_restarts_at.contains(&node.id().0) {
            actions.push(Action::RestartMonitor(index));
        }
        if !node.is_traitor() || node.replica().is_none() {
            return;
        }
        let kept = node.templates().iter().enumerate().filter(|(_, template)| !template.released);
        actions.extend(kept.map(|(template, _)| Action::Release(index, template)));
        if self.budget.lies > 0 {
            actions.extend((0..known.lies.len()).map(|lie| Action::Lie(index, lie)));
        }
        if self.budget.silence > 0 {
            actions.push(Action::Mute(index));
        }
    }

    /// The state after `action`, which is one of [`World::actions`].
    #[must_use]
    pub fn after(&self, model: &Model, action: &Action) -> World {
        let mut world = self.clone();
        let keeps = world.budget.lies > 0;
        match *action {
            Action::Deliver { frame, again } => {
                if again {
                    world.budget.duplicates -= 1;
                } else {
                    world.land(frame);
                }
                let to = model.tables().frame(frame).to;
                let index = world.index(model, to);
                world.at_node(model, index, Local::Receive(frame), keeps);
            }
            Action::Lose(frame) => {
                world.budget.losses -= 1;
                world.land(frame);
            }
            Action::Fire(index, owner, timer) => {
                *world.budget.timers(owner) -= 1;
                world.at_node(model, index, Local::Fire(owner, timer), keeps);
            }
            Action::Settle(index) => world.at_node(model, index, Local::Settle, keeps),
            Action::Crash(index, keep) => {
                world.budget.crashes -= 1;
                world.at_node(model, index, Local::Crash(keep), keeps);
            }
            Action::RestartMonitor(index) => {
                world.budget.monitor_restarts -= 1;
                world.at_node(model, index, Local::RestartMonitor, keeps);
            }
            Action::Release(index, template) => {
                world.at_node(model, index, Local::Release(template), keeps);
            }
            Action::Lie(index, lie) => {
                world.budget.lies -= 1;
                world.at_node(model, index, Local::Lie(lie), world.budget.lies > 0);
            }
            Action::Mute(index) => {
                world.budget.silence -= 1;
                world.at_node(model, index, Local::Mute, keeps);
            }
            Action::Retry(index, node) => {
                world.budget.retries -= 1;
                world.ask(model, index, node);
            }
        }
        world
    }

    fn index(&self, model: &Model, id: NodeId) -> usize {
        let members = &model.matter.settings.members;
        members.iter().position(|member| *member == id).expect("frames fly only to nodes that there are")
    }

    fn at_node(&mut self, model: &Model, index: usize, local: Local, keeps: bool) {
        let (matter, known) = (&model.matter, model.knowledge());
        let effect = model.tables.borrow_mut().effect(self.nodes[index], local, keeps, matter, &known);
        self.nodes[index] = effect.node;
        self.came_of_it(model, index, &effect);
    }

    fn came_of_it(&mut self, model: &Model, index: usize, effect: &Effect) {
        let id = model.matter.settings.members[index];
        for frame in &effect.frames {
            self.fly(*frame);
        }
        for (client, frame) in &effect.replies {
            self.reply(model, id, *client, frame.clone());
        }
        for (sequence, digest) in &effect.stable {
            match self.record.stable.get(sequence) {
                Some(known) if known == digest => {}
                Some(_) => self.told = Some(Rc::new(Told::TwoStables { node: id, sequence: *sequence })),
                None => {
                    Rc::make_mut(&mut self.record).stable.insert(*sequence, *digest);
                }
            }
        }
        if let Some(reason) = effect.stopped.clone() {
            self.told = Some(Rc::new(Told::Stopped { node: id, reason }));
        }
    }

    fn fly(&mut self, frame: FrameNumber) {
        if let Err(place) = self.flying.binary_search(&frame) {
            self.flying.insert(place, frame);
        }
    }

    fn land(&mut self, frame: FrameNumber) {
        let place = self.flying.binary_search(&frame).expect("only what is under way arrives");
        self.flying.remove(place);
    }

    fn ask(&mut self, model: &Model, index: usize, node: usize) {
        let message = Message::Request(model.requests[index].clone());
        let to = model.matter.settings.members[node];
        let frame = model.doors[index].seal_for(&[Peer::Node(to)], &message).to_bytes();
        let link = Peer::Client(client(index));
        let number = model.tables.borrow_mut().enter_frame(Flying { to, link, frame });
        self.fly(number);
    }

    /// A guard let a reply out.
    fn reply(&mut self, model: &Model, from: NodeId, to: ClientId, frame: Bytes) {
        let Some(index) = (0..model.requests.len()).find(|index| client(*index) == to) else { return };
        let Ok(opened) = model.doors[index].open(Peer::Node(from), frame) else { return };
        let Message::Reply(reply) = opened.message else { return };
        let known = |believed: &Believed| {
            believed.client == to && believed.view <= reply.view && believed.result == reply.result
        };
        if opened.from != Peer::Node(from) || self.record.believed.iter().any(known) {
            return;
        }
        let bytes = reply.to_bytes();
        let record = Rc::make_mut(&mut self.record);
        record.replies.insert((from, bytes.clone()));
        let alike = |(_, other): &&(NodeId, Bytes)| *other == bytes;
        let nodes: Vec<NodeId> = record.replies.iter().filter(alike).map(|(node, _)| *node).collect();
        if let Some(accepted) = model.believes(index, &reply, &nodes) {
            let Accepted { view, result, .. } = accepted;
            record.replies.retain(|(_, other)| *other != bytes);
            record.believed.insert(Believed { client: to, view, result });
        }
    }

    /// Whether a client has been given replies that differ in what came out.
    #[must_use]
    pub fn has_wrong_replies(&self) -> bool {
        self.record.replies.iter().any(|(_, reply)| reply.ends_with(WRONG))
    }

    /// `action` in words, for the story of a violation.
    #[must_use]
    pub fn describe(&self, model: &Model, action: &Action) -> String {
        let tables = model.tables();
        let frame = |frame: FrameNumber| {
            let Flying { to, link, frame } = tables.frame(frame);
            let said = said(frame).map_or("?".into(), |message| short(&message));
            format!("{link} → {to}: {said}")
        };
        let known = |index: usize| tables.node(self.nodes[index]);
        let id = |index: usize| model.matter.settings.members[index];
        match *action {
            Action::Deliver { frame: which, again: false } => format!("delivered  {}", frame(which)),
            Action::Deliver { frame: which, again: true } => {
                format!("delivered, to come again  {}", frame(which))
            }
            Action::Lose(which) => format!("lost  {}", frame(which)),
            Action::Fire(node, owner, timer) => {
                format!("time  {}'s {owner:?} timer {} runs out", id(node), timer.0)
            }
            Action::Settle(node) => format!("disk  {}'s first waiting write is durable", id(node)),
            Action::Crash(node, keep) => {
                let waiting = known(node).node.disk().waiting();
                format!("crash  {}'s replica, {keep} of {waiting} waiting writes survive", id(node))
            }
            Action::RestartMonitor(node) => format!("crash  {}'s monitor", id(node)),
            Action::Release(node, template) => {
                let template = &known(node).node.templates()[template];
                format!("traitor  says as it should, to {:?}: {}", template.to, short(&template.message))
            }
            Action::Lie(node, lie) => {
                let (lie, (to, message)) = &known(node).lies[lie];
                format!("traitor  lies ({lie:?}), to {to:?}: {}", short(message))
            }
            Action::Mute(node) => format!("traitor  {} falls silent", id(node)),
            Action::Retry(index, node) => format!("client  {} asks {} again", client(index), id(node)),
        }
    }

    /// Frames under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.flying.len()
    }
}

fn said(frame: &Bytes) -> Option<Message> {
    Message::from_bytes(Frame::from_bytes(frame.clone()).ok()?.body).ok()
}

/// A message on one line.
fn short(message: &Message) -> String {
    let text = match message {
        Message::ByzId(message) => format!("{message:?}"),
        other => format!("{other:?}"),
    };
    text.chars().take(SHORT_CHARS_MAX).collect()
}

/// Characters of a message in a story at most.
const SHORT_CHARS_MAX: usize = 240;
