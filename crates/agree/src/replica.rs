//! The one interface of every protocol: events in, effects out.
//!
//! A replica lives between a [`crate::door`] (the network, already decoded and authenticated), a disk and a set of
//! timers. None of them is here: what it wants from them it leaves as [`Effect`]s, what they did comes as [`Event`]s.
//!
//! **The contract of the disk.** Writes take effect in the order in which they were asked for and get consecutive
//! [`Position`]s from 1. `Durable(p)` says that every write up to `p` survives a loss of power. After a crash a replica
//! is built again from what [`Recovered`] says is left: a prefix of the writes that holds at least all that were ever
//! called durable. A snapshot, once durable, replaces the one before it and all records before its `keep_from`.

use crate::message::Message;
use crate::roster::Chain;
use bytes::Bytes;
use core::time::Duration;
use wire::{ClientId, Digest, NodeId, Peer, Sequence, Time, Timestamp, View};

/// The place of a write in the order of all writes of a replica. The first is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Position(pub u64);

/// A timer of a replica or guard: a small number that its owner gave a meaning. Setting one that runs restarts it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timer(pub u8);

/// Timers of one owner at most.
pub const TIMERS_MAX: usize = 16;

/// What happens to a replica.
#[derive(Clone, Debug)]
pub enum Event {
    /// It was started: for the first time, or again after a crash.
    Started,
    /// A message came from `from`, whose identity the door has checked.
    Message {
        /// The sender.
        from: Peer,
        /// What it says.
        message: Message,
    },
    /// A timer ran out.
    Timer(Timer),
    /// Every write up to this position survives a loss of power.
    Durable(Position),
    /// The monitor beside the replica has a word for it (ByzID).
    Notice(monitor::Notice),
}

/// Where a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Destination {
    /// To one node or client.
    Peer(Peer),
    /// To every other member of the present configuration.
    Members,
}

/// Something to be kept on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Write {
    /// One more record at the end of the log.
    Record(Bytes),
    /// The state at a checkpoint. Once durable it replaces the snapshot before it and every record before `keep_from`.
    Snapshot {
        /// What a replica is restored from.
        image: Bytes,
        /// The first record that is still needed.
        keep_from: Position,
    },
}

/// What a replica found on its disk when it was built again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// The last snapshot that became durable.
    pub snapshot: Option<Bytes>,
    /// The records that are left, in order, with their positions.
    pub records: Vec<(Position, Bytes)>,
    /// The position of the last write of all; the next one gets the one after it.
    pub last: Position,
}

/// Something worth knowing that a replica did: for checkers, metrics and people. No logic depends on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Observation {
    /// It executed a batch.
    Executed {
        /// In which view.
        view: View,
        /// At which place.
        sequence: Sequence,
        /// The digest of the batch.
        batch: Digest,
        /// The digest of the service's state after it.
        state: Digest,
        /// The requests that the service really applied (a repeated one is ordered again but not applied).
        applied: Vec<(ClientId, Timestamp)>,
    },
    /// It took back what it had executed after `to`: another configuration went on from there (ByzID).
    RolledBack {
        /// The last place that still holds.
        to: Sequence,
    },
    /// It took over a state whole: from its disk after a crash, or from another replica.
    Restored {
        /// The place of the last batch in it.
        sequence: Sequence,
        /// The digest of the service's state.
        state: Digest,
    },
    /// A checkpoint became stable.
    Stable {
        /// Its place.
        sequence: Sequence,
        /// Its digest.
        digest: Digest,
    },
    /// It entered a view.
    Entered {
        /// Which.
        view: View,
        /// Who leads it.
        primary: NodeId,
    },
}

/// Why a message was not acted upon. Each is counted, with the sender where it is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// It does not decode.
    Malformed,
    /// It, or a list in it, is over a limit.
    Oversized,
    /// The authenticator is missing, of the wrong kind, or wrong.
    WrongAuthenticator,
    /// The sender is no member, no spare and no client.
    UnknownSender,
    /// It belongs to a view or a place that is over.
    Stale,
    /// It is too far ahead to be kept.
    TooFarAhead,
    /// Its sender may not send this kind of message, or not now.
    NotAllowed,
    /// It contradicts what its sender said before, or what is known to be true.
    Contradiction,
    /// There was no room for it.
    NoRoom,
}

/// Something a replica wants done.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Send this.
    Send {
        /// To whom.
        to: Destination,
        /// What.
        message: Message,
    },
    /// Wake me after this long.
    SetTimer(Timer, Duration),
    /// Never mind.
    ClearTimer(Timer),
    /// Keep this on disk, after everything asked for before.
    Write(Write),
    /// Let it be known.
    Observe(Observation),
    /// Count a message that was not acted upon.
    Refuse {
        /// Who sent it, as far as known.
        from: Option<Peer>,
        /// Why.
        refusal: Refusal,
    },
}

/// Where effects are left, in the order in which they are to happen.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    effects: Vec<Effect>,
}

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Outbox::default()
    }

    /// Adds one effect.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Sends `message` to one node or client.
    pub fn send(&mut self, to: impl Into<Peer>, message: impl Into<Message>) {
        self.push(Effect::Send { to: Destination::Peer(to.into()), message: message.into() });
    }

    /// Sends `message` to every other member.
    pub fn send_members(&mut self, message: impl Into<Message>) {
        self.push(Effect::Send { to: Destination::Members, message: message.into() });
    }

    /// Starts or restarts `timer`.
    pub fn set_timer(&mut self, timer: Timer, after: Duration) {
        self.push(Effect::SetTimer(timer, after));
    }

    /// Stops `timer`.
    pub fn clear_timer(&mut self, timer: Timer) {
        self.push(Effect::ClearTimer(timer));
    }

    /// Lets something be known.
    pub fn observe(&mut self, observation: Observation) {
        self.push(Effect::Observe(observation));
    }

    /// Counts a message of `from` that was not acted upon.
    pub fn refuse(&mut self, from: impl Into<Option<Peer>>, refusal: Refusal) {
        self.push(Effect::Refuse { from: from.into(), refusal });
    }

    /// Takes out everything left so far, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.effects.drain(..)
    }

    /// Whether nothing was left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }
}

/// What a replica says of itself, for people and for checkers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The view it is in.
    pub view: View,
    /// Who leads it.
    pub primary: NodeId,
    /// Whether it takes part in ordering now, rather than changing view or catching up.
    pub normal: bool,
    /// The last batch executed.
    pub executed: Sequence,
    /// The last stable checkpoint.
    pub stable: Sequence,
    /// The digest of the service's state.
    pub state: Digest,
    /// The sessions of clients that are remembered.
    pub sessions: u64,
}

impl<R: Replica + ?Sized> Replica for Box<R> {
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox) {
        (**self).step(now, event, out);
    }

    fn status(&self) -> Status {
        (**self).status()
    }

    fn chain(&self) -> Option<&Chain> {
        (**self).chain()
    }
}

/// A replica of any protocol.
pub trait Replica {
    /// Takes one event at the moment `now` and leaves what is to be done in `out`.
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox);

    /// How it stands.
    fn status(&self) -> Status;

    /// The changes of the roster as far as it has executed them, if its service carries any.
    fn chain(&self) -> Option<&Chain> {
        None
    }
}
