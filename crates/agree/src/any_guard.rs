//! The guard of any protocol, chosen when a node starts: [`Plain`], or that of ByzID with its monitor.
//!
//! An enum and no trait object: what is a value can be copied and compared, which a model checker needs.

use crate::Message;
use crate::byzid::guard::{Fail, Guard as Monitored};
use crate::door::Door;
use crate::guard::{Guard, GuardEffect, Plain};
use crate::replica::{Destination, Timer};
use crate::request::Request;
use crate::settings::Settings;
use bytes::Bytes;
use monitor::{Incarnation, Monitor};
use wire::{Keys, Peer, Time};

/// A guard of any protocol.
#[derive(Clone, Hash)]
pub enum AnyGuard<K> {
    /// Checks and lets through.
    Plain(Box<Plain<K>>),
    /// Holds the monitor.
    ByzId(Box<Monitored<K>>),
}

impl<K: Keys> AnyGuard<K> {
    /// The guard of the node whose `door` this is; with a monitor, in its `incarnation`, if the protocol has one.
    pub fn new(door: Door<K>, settings: &Settings, fail: Fail, incarnation: Incarnation, now: Time) -> Self {
        if settings.protocol.monitored() {
            return AnyGuard::ByzId(Box::new(Monitored::new(door, settings, fail, incarnation, now)));
        }
        AnyGuard::Plain(Box::new(Plain::new(door, &settings.members)))
    }

    /// The monitor, where there is one and it runs.
    pub fn monitor(&self) -> Option<&Monitor<Request>> {
        match self {
            AnyGuard::Plain(_) => None,
            AnyGuard::ByzId(guard) => guard.monitor(),
        }
    }

    /// Whether what its replica says goes out vouched for. A monitor that was started again has to be in a configuration first.
    pub fn vouches(&self) -> bool {
        match self {
            AnyGuard::Plain(_) => true,
            AnyGuard::ByzId(guard) => guard.monitor().is_some_and(|monitor| !monitor.has_forgotten()),
        }
    }

    /// What is left of it after its monitor crashed while set to fail open.
    #[must_use]
    pub fn without_monitor(self, out: &mut Vec<GuardEffect>) -> Self {
        match self {
            AnyGuard::Plain(guard) => AnyGuard::Plain(guard),
            AnyGuard::ByzId(guard) => AnyGuard::ByzId(Box::new(guard.without_monitor(out))),
        }
    }

    /// The replica beside it stopped, or runs again.
    pub fn replica_is_up(&mut self, now: Time, up: bool, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(_) => {}
            AnyGuard::ByzId(guard) => guard.replica_is_up(now, up, out),
        }
    }
}

impl<K: Keys> Guard for AnyGuard<K> {
    fn start(&mut self, now: Time, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.start(now, out),
            AnyGuard::ByzId(guard) => guard.start(now, out),
        }
    }

    fn receive(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.receive(now, link, frame, out),
            AnyGuard::ByzId(guard) => guard.receive(now, link, frame, out),
        }
    }

    fn send(&mut self, now: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.send(now, to, message, out),
            AnyGuard::ByzId(guard) => guard.send(now, to, message, out),
        }
    }

    fn flush(&mut self, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.flush(out),
            AnyGuard::ByzId(guard) => guard.flush(out),
        }
    }

    fn timeout(&mut self, now: Time, timer: Timer, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.timeout(now, timer, out),
            AnyGuard::ByzId(guard) => guard.timeout(now, timer, out),
        }
    }
}
