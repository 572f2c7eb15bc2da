//! Replicas that lie: the honest one, in the hands of somebody else.
//!
//! A [`Traitor`] runs the honest replica and lets one or more [`Strategy`]s change what goes in and what comes out. Each
//! strategy is one behaviour in one file; combined, they pass on to each other what they leave of a message.
//!
//! **What a traitor can do** is what a real one could: it has its own node's keys and no others, it talks over its own
//! links, it may know the protocol and everything it was told. Behind a monitor it has not even links: what it sends,
//! the monitor sees first. It never gets a look at other nodes' state or at the future.
//!
//! | file | behaviour |
//! | --- | --- |
//! | [`silent`] | says nothing, to anybody, for a while or for ever |
//! | [`withhold`] | says nothing to some |
//! | [`delay`] | says everything, just before others lose patience |
//! | [`reorder`] | says things in another order |
//! | [`replay`] | says again, much later, what it once said or heard |
//! | [`equivocate`] | says one thing to some and another to others |
//! | [`forge`] | says things in the name of others; invents requests |
//! | [`flood`] | says meaningless things, very often |
//! | [`lie`] | in replies, and in what it assents to |
//! | [`hush`] | does not answer clients |
//! | [`checkpoints`] | lies about checkpoints |
//! | [`views`] | lies when views change |
//! | [`stale`] | speaks of views that are over, or not yet begun |
//! | [`gap`] | leaves out places |
//! | [`rush`] | orders everything at once, and waits for nobody |
//! | [`early`] | says it has what it has not got yet |
//! | [`transfer`] | hands out a wrong state |
//! | [`oversized`] | sends more than fits |
//! | [`twins`] | runs two replicas under one name, each for half of the world |
//! | [`collude`] | does what one client wants, and forgets the others |
//! | [`favour`] | tells one replica everything and the others little, and forgets it when views change |
//!
//! Where a lie needs to know the protocol's messages it asks [`forgery`], which has one file per protocol.

pub mod checkpoints;
pub mod collude;
pub mod delay;
pub mod early;
pub mod equivocate;
pub mod favour;
pub mod flood;
pub mod forge;
pub mod forgery;
pub mod gap;
pub mod hush;
pub mod lie;
pub mod oversized;
pub mod reorder;
pub mod replay;
pub mod rush;
pub mod silent;
pub mod stale;
pub mod transfer;
pub mod twins;
pub mod views;
pub mod withhold;

use crate::engine::Engine;
use crate::keys::SimKeys;
use crate::random::Random;
use agree::replica::{Destination, Recovered, Status};
use agree::{Effect, Event, Message, Outbox, Replica, Request, Settings};
use bytes::Bytes;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use twins::Twin;
use wire::{NodeId, Peer, Time, View};

/// Something a traitor wants done.
#[derive(Clone, Debug)]
pub enum Act {
    /// What its replica wanted, changed or not.
    Effect(Effect),
    /// What its replica's twin wanted.
    OfTwin(Effect),
    /// Make its own replica believe that this happened.
    Feed(Event),
    /// Make its own replica believe that all its writes are durable.
    ClaimDurable,
    /// Put these bytes on the link to `to`; only where no monitor owns the links.
    Raw {
        /// The other end of the link.
        to: Peer,
        /// The bytes.
        frame: Bytes,
    },
    /// Do this after a while.
    Later(Duration, Box<Act>),
}

/// What a strategy knows and can do.
pub struct Means<'a> {
    /// The time on the node's clock.
    pub now: Time,
    /// Which node it is.
    pub me: NodeId,
    /// The view that its honest replica is in.
    pub view: View,
    /// Who leads that.
    pub primary: NodeId,
    /// How the cluster is set.
    pub settings: &'a Settings,
    /// Its own keys, and no others.
    pub keys: &'a SimKeys,
    /// Its whims.
    pub random: &'a mut Random,
    acts: &'a mut Vec<Act>,
}

impl Means<'_> {
    /// Does `act`.
    pub fn act(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// Lets an effect happen as it is.
    pub fn pass(&mut self, effect: Effect) {
        self.act(Act::Effect(effect));
    }

    /// Sends `message` to one peer.
    pub fn send(&mut self, to: Peer, message: Message) {
        self.pass(Effect::Send { to: Destination::Peer(to), message });
    }

    /// The peers behind a destination, one by one.
    #[must_use]
    pub fn peers(&self, to: Destination) -> Vec<Peer> {
        match to {
            Destination::Peer(peer) => vec![peer],
            Destination::Members => {
                let others = self.settings.members.iter().filter(|node| **node != self.me);
                others.map(|node| Peer::Node(*node)).collect()
            }
        }
    }

    /// Another node, any.
    pub fn somebody(&mut self) -> Peer {
        let others = self.peers(Destination::Members);
        others[self.random.index(others.len())]
    }
}

/// The requests that an event brings.
pub fn requests_in(event: &Event) -> Vec<Request> {
    let messages = match event {
        Event::Message { message: Message::Bundle(bundle), .. } => bundle.messages(),
        Event::Message { message, .. } => core::slice::from_ref(message),
        _ => &[],
    };
    let request = |message: &Message| match message {
        Message::Request(request) => Some(request.clone()),
        _ => None,
    };
    messages.iter().filter_map(request).collect()
}

/// One behaviour.
pub trait Strategy {
    /// Something happens to the honest replica. Gives back what that shall see of it.
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        let _ = means;
        Some(event)
    }

    /// The honest replica wants something done. Only what is passed on happens.
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        means.pass(effect);
    }

    /// A little time has passed.
    fn tick(&mut self, means: &mut Means) {
        let _ = means;
    }
}

macro_rules! behaviours {
    ($($variant:ident = $name:literal: $build:expr;)*) => {
        /// The behaviours by name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Behaviour { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl Behaviour {
            /// All of them.
            pub const ALL: &[Behaviour] = &[$(Behaviour::$variant,)*];

            /// The one with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Behaviour> {
                Behaviour::ALL.iter().copied().find(|behaviour| behaviour.name() == name)
            }

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Behaviour::$variant => $name,)* }
            }

            fn build(self, random: &mut Random) -> Option<Box<dyn Strategy>> {
                match self { $(Behaviour::$variant => $build(random),)* }
            }
        }
    };
}

fn boxed(strategy: impl Strategy + 'static) -> Option<Box<dyn Strategy>> {
    Some(Box::new(strategy))
}

behaviours! {
    Silent = "silent": |random: &mut Random| boxed(silent::Silent::new(random));
    Withhold = "withhold": |random: &mut Random| boxed(withhold::Withhold::new(random));
    Delay = "delay": |random: &mut Random| boxed(delay::Delay::new(random));
    Reorder = "reorder": |_: &mut Random| boxed(reorder::Reorder::default());
    Replay = "replay": |_: &mut Random| boxed(replay::Replay::default());
    Equivocate = "equivocate": |random: &mut Random| boxed(equivocate::Equivocate::new(random));
    Forge = "forge": |_: &mut Random| boxed(forge::Forge::default());
    Flood = "flood": |random: &mut Random| boxed(flood::Flood::new(random));
    Lie = "lie": |_: &mut Random| boxed(lie::Lie);
    Hush = "hush": |random: &mut Random| boxed(hush::Hush::new(random));
    Checkpoints = "checkpoints": |random: &mut Random| boxed(checkpoints::Checkpoints::new(random));
    Views = "views": |_: &mut Random| boxed(views::Views);
    Stale = "stale": |_: &mut Random| boxed(stale::Stale);
    Gap = "gap": |_: &mut Random| boxed(gap::Gap);
    Rush = "rush": |_: &mut Random| boxed(rush::Rush::default());
    Early = "early": |_: &mut Random| boxed(early::Early);
    Transfer = "transfer": |_: &mut Random| boxed(transfer::Transfer);
    Oversized = "oversized": |_: &mut Random| boxed(oversized::Oversized);
    // Two replicas are not a filter: the traitor itself runs the second one.
    Twins = "twins": |_: &mut Random| None;
    Collude = "collude": |random: &mut Random| boxed(collude::Collude::new(random));
    Favour = "favour": |_: &mut Random| boxed(favour::Favour::default());
}

/// Acts put off at most. What is more is forgotten.
const PUT_OFF_MAX: usize = 4_096;

/// Whoever runs a replica that lies.
pub struct Traitor {
    me: NodeId,
    settings: Rc<Settings>,
    behaviours: Vec<Behaviour>,
    strategies: Vec<Box<dyn Strategy>>,
    random: Random,
    keys: Option<SimKeys>,
    twin: Option<Twin>,
    put_off: Vec<Option<Act>>,
    free: Vec<u32>,
    status: Option<Status>,
    dead: bool,
}

impl Traitor {
    /// The thing put off that always comes again: the strategies' tick.
    pub const TICK: u32 = u32::MAX;

    /// How often strategies may do something unasked.
    pub const TICK_EVERY: Duration = Duration::from_millis(7);

    /// A traitor at `me` with these behaviours.
    #[must_use]
    pub fn new(me: NodeId, settings: Rc<Settings>, behaviours: &[Behaviour], mut random: Random) -> Self {
        Traitor {
            me,
            settings,
            behaviours: behaviours.to_vec(),
            strategies: behaviours.iter().filter_map(|behaviour| behaviour.build(&mut random)).collect(),
            random,
            keys: None,
            twin: None,
            put_off: Vec::new(),
            free: Vec::new(),
            status: None,
            dead: false,
        }
    }

    /// A traitor at `me` that follows a script of its own, instead of the behaviours that have a name.
    #[must_use]
    pub fn with_script(
        me: NodeId,
        settings: Rc<Settings>,
        script: Vec<Box<dyn Strategy>>,
        random: Random,
    ) -> Self {
        Traitor { strategies: script, ..Traitor::new(me, settings, &[], random) }
    }

    /// Its replica was started.
    pub fn started(
        &mut self,
        engine: Engine,
        me: NodeId,
        settings: &Rc<Settings>,
        keys: SimKeys,
        from: Recovered,
    ) {
        if self.behaviours.contains(&Behaviour::Twins) {
            self.twin = Twin::start(engine, me, settings, keys.clone(), from, &mut self.random);
        }
        self.keys = Some(keys);
        self.dead = false;
    }

    /// Its replica was started outside of a simulated world, where it has no twin. `keys` prove nothing there.
    pub fn started_alone(&mut self, keys: SimKeys) {
        self.keys = Some(keys);
        self.dead = false;
    }

    /// Something happens to its replica.
    pub fn step(&mut self, replica: &mut dyn Replica, now: Time, event: Event) -> Vec<Act> {
        self.status = Some(replica.status());
        let mut acts = Vec::new();
        let Some(event) = self.incoming(now, event, &mut acts) else { return acts };
        if let Some(twin) = &mut self.twin
            && twin.takes(&event)
        {
            acts.extend(self.step_twin(now, event.clone()));
            if !matches!(event, Event::Started) {
                return acts;
            }
        }
        let mut outbox = Outbox::new();
        run(&mut self.dead, replica, now, event, &mut outbox);
        for effect in outbox.drain() {
            match (&self.twin, effect) {
                (Some(twin), Effect::Send { to, message }) => {
                    for (peer, message) in twin.of_first(&self.settings, self.me, to, message) {
                        self.outgoing(now, Effect::Send { to: Destination::Peer(peer), message }, &mut acts);
                    }
                }
                (_, effect) => self.outgoing(now, effect, &mut acts),
            }
        }
        acts
    }

    /// Something happens to the twin of its replica.
    pub fn step_twin(&mut self, now: Time, event: Event) -> Vec<Act> {
        let Some(twin) = &mut self.twin else { return Vec::new() };
        let effects = twin.step(now, event, &self.settings, self.me);
        let mut acts = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { .. } => self.outgoing(now, effect, &mut acts),
                effect => acts.push(Act::OfTwin(effect)),
            }
        }
        acts
    }

    /// Something put off is due.
    pub fn due(&mut self, index: u32, now: Time, status: Option<Status>) -> Vec<Act> {
        self.status = status;
        let mut acts = Vec::new();
        if index != Traitor::TICK {
            self.free.push(index);
            acts.extend(self.put_off[index as usize].take());
            return acts;
        }
        for strategy in 0..self.strategies.len() {
            self.with(strategy, now, &mut acts, |strategy, means| strategy.tick(means));
        }
        acts
    }

    /// Puts `act` off, and says by which index it is to be called for.
    pub fn put_off(&mut self, act: Act) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            self.put_off[index as usize] = Some(act);
            return Some(index);
        }
        if self.put_off.len() >= PUT_OFF_MAX {
            return None;
        }
        self.put_off.push(Some(act));
        Some(self.put_off.len() as u32 - 1)
    }

    fn with<T>(
        &mut self,
        strategy: usize,
        now: Time,
        acts: &mut Vec<Act>,
        call: impl FnOnce(&mut dyn Strategy, &mut Means) -> T,
    ) -> Option<T> {
        let keys = self.keys.as_ref()?;
        let (view, primary) = match &self.status {
            Some(status) => (status.view, status.primary),
            None => (View(0), self.settings.members[0]),
        };
        let random = &mut self.random;
        let mut means =
            Means { now, me: self.me, view, primary, settings: &self.settings, keys, random, acts };
        Some(call(self.strategies[strategy].as_mut(), &mut means))
    }

    fn incoming(&mut self, now: Time, event: Event, acts: &mut Vec<Act>) -> Option<Event> {
        let mut event = event;
        for strategy in 0..self.strategies.len() {
            event = self.with(strategy, now, acts, |strategy, means| strategy.incoming(event, means))??;
        }
        Some(event)
    }

    /// Lets an effect run through all strategies, one after the other.
    fn outgoing(&mut self, now: Time, effect: Effect, acts: &mut Vec<Act>) {
        let mut stage = vec![Act::Effect(effect)];
        for strategy in 0..self.strategies.len() {
            let mut next = Vec::new();
            for act in stage {
                match act {
                    Act::Effect(effect) => {
                        self.with(strategy, now, &mut next, |strategy, means| {
                            strategy.outgoing(effect, means)
                        });
                    }
                    other => next.push(other),
                }
            }
            stage = next;
        }
        acts.append(&mut stage);
    }
}

/// Steps a replica that may have been fed what no honest world would feed it. If that makes it stop, it stays silent,
/// which a traitor may.
fn run(dead: &mut bool, replica: &mut dyn Replica, now: Time, event: Event, outbox: &mut Outbox) {
    if *dead {
        return;
    }
    let quiet = crate::run::quietly(|| catch_unwind(AssertUnwindSafe(|| replica.step(now, event, outbox))));
    if quiet.is_err() {
        *dead = true;
        outbox.drain().for_each(drop);
    }
}
