//! What does not change from state to state, and the state in which it begins.

use super::lie::Knowledge;
use super::node::{Matter, Node};
use super::scope::{Prologue, Scope};
use super::tables::{Local, Tables};
use super::world::{Action, World};
use crate::keys::{KeyRing, SimKeys, Tally};
use agree::client::{Accepted, ClientEffect};
use agree::door::Door;
use agree::{Client, Message, Reply, Request};
use bytes::Bytes;
use core::cell::{Ref, RefCell};
use std::rc::Rc;
use wire::{ClientId, NodeId, Peer, Timestamp};

/// What does not change from state to state.
pub struct Model {
    /// What is explored.
    pub scope: Scope,
    pub(super) matter: Matter,
    pub(super) requests: Vec<Request>,
    pub(super) doors: Vec<Door<SimKeys>>,
    others: Vec<NodeId>,
    pub(super) tables: RefCell<Tables>,
}

/// The number of the client that makes the request `index`.
pub(super) fn client(index: usize) -> ClientId {
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
        let mut world = World::before(self.scope.budget);
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
            let frame = world.first_frame();
            let writing =
                world.nodes.iter().position(|node| self.tables().node(*node).node.disk().waiting() > 0);
            *world = match (frame, writing) {
                (Some(frame), _) => world.after(self, &Action::Deliver { frame, again: false }),
                (None, Some(node)) => world.after(self, &Action::Settle(node)),
                (None, None) => return,
            };
        }
    }

    /// What a liar knows.
    pub(super) fn knowledge(&self) -> Knowledge<'_> {
        Knowledge { requests: &self.requests, others: &self.others, interval: self.scope.interval }
    }

    /// Whether the client that made request `index` believes `reply` when `nodes` say it.
    pub(super) fn believes(&self, index: usize, reply: &Reply, nodes: &[NodeId]) -> Option<Accepted> {
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
