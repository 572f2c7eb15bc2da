//! The scopes, by name.
//!
//! [`DAILY`] is explored by the tests, to the last state: half a minute in all. [`WIDE`] is for an afternoon:
//! `cargo run --release -p sim --example exhaustive -- wide`, or one of them by its name. Some of these are larger than
//! [`super::STATES_MAX`]; then all states up to some depth are seen, and the report says that there are more.
//!
//! Numbers of states are in `docs/dev/exhaustive.md`, with the defects that each scope finds.

use super::lie::Lie;
use super::scope::{Budget, Prologue, Scope, Sometimes};
use agree::Protocol::{ByzId, Paxos, Pbft};

const NONE: Budget = Budget::NONE;
const ORDERS: &[Lie] = &[Lie::OrderOther, Lie::OrderOne, Lie::OrderGap];
const VOTES: &[Lie] = &[Lie::AckAhead, Lie::AckOther, Lie::ReplyWrong, Lie::ReplyAhead];
const CLAIMS: &[Lie] = &[Lie::ClaimShort, Lie::ClaimInvented, Lie::ClaimLater];
const CONFIGS: &[Lie] = &[Lie::ConfigShort, Lie::ConfigInvented, Lie::ConfigAlone];
const CHECKPOINTS: &[Lie] = &[Lie::CheckpointWrong, Lie::CheckpointAhead];
const STABLES: &[Lie] = &[Lie::StableWrong, Lie::StableAhead];

/// From configuration 0 into configuration 1, led by node 1, with nothing ordered before.
const INTO_VIEW_1: &[Prologue] = &[Prologue::Quiet, Prologue::Fire(1), Prologue::Fire(2), Prologue::Quiet];

/// Explored by the tests, completely.
pub const DAILY: &[Scope] = &[
    Scope {
        requests: 2,
        disks_at_once: false,
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable],
        ..Scope::of(ByzId, "quiet", "two requests up to a stable checkpoint; slow disks, no trouble")
    },
    Scope {
        requests: 2,
        timers_at: &[0],
        budget: Budget { losses: 1, guard_timers: 1, replica_timers: 1, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable],
        ..Scope::of(ByzId, "lossy", "two requests; one frame is lost, and the primary's timers run out")
    },
    Scope {
        budget: Budget { guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(ByzId, "change", "one request; two monitors lose patience at any moment, rightly or not")
    },
    Scope {
        prologue: INTO_VIEW_1,
        budget: Budget { guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::AcceptedAfterChange, Sometimes::Changed],
        ..Scope::of(ByzId, "second", "the same in configuration 1, on the way into configuration 2")
    },
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: ORDERS,
        budget: Budget { lies: 1, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Caught, Sometimes::Changed],
        ..Scope::of(ByzId, "orders", "a primary that orders otherwise, to one alone, or with a gap")
    },
    Scope {
        traitor: Some(2),
        lies: VOTES,
        budget: Budget { lies: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Caught, Sometimes::WrongReply],
        ..Scope::of(ByzId, "votes", "a backup that ACKs what it has not, and lies to the client, twice")
    },
    Scope {
        traitor: Some(2),
        lies: CLAIMS,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Caught, Sometimes::Changed],
        ..Scope::of(ByzId, "claims", "a backup that leaves out or invents in RECONFIGURE")
    },
    Scope {
        prologue: INTO_VIEW_1,
        traitor: Some(2),
        lies: CLAIMS,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::AcceptedAfterChange, Sometimes::Caught],
        ..Scope::of(
            ByzId,
            "claims-again",
            "the same in configuration 1: the next candidate is the traitor itself",
        )
    },
    Scope {
        traitor: Some(1),
        lies: CONFIGS,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "config",
            "a candidate that shortens or invents in NEWCONFIG, or needs nobody else",
        )
    },
    Scope {
        requests: 2,
        traitor: Some(2),
        lies: CHECKPOINTS,
        budget: Budget { lies: 2, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable, Sometimes::Caught],
        ..Scope::of(ByzId, "checkpoints", "a backup that lies in CHECKPOINT, twice")
    },
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: STABLES,
        budget: Budget { lies: 1, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable, Sometimes::Caught],
        ..Scope::of(ByzId, "stables", "a primary that declares stable what is not")
    },
    Scope {
        disks_at_once: false,
        crashes_at: &[0],
        budget: Budget { crashes: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "crash",
            "the primary's replica crashes, and loses what was not durable, or part of it",
        )
    },
    Scope {
        disks_at_once: false,
        crashes_at: &[0, 1],
        monitor_restarts_at: &[0],
        budget: Budget { crashes: 1, monitor_restarts: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "crash-both",
            "a replica crashes, and the primary's monitor: together, or one after the other",
        )
    },
    Scope {
        budget: Budget { guard_timers: 1, monitor_restarts: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(ByzId, "forget", "any monitor is started again, one loses patience")
    },
    Scope {
        traitor: Some(2),
        lies: CLAIMS,
        budget: Budget { lies: 1, guard_timers: 1, monitor_restarts: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed, Sometimes::Caught],
        ..Scope::of(ByzId, "forget-claims", "the same, with a backup that lies in RECONFIGURE")
    },
    Scope {
        requests: 2,
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable],
        ..Scope::of(Paxos, "paxos", "two requests, no trouble")
    },
    Scope {
        budget: Budget { replica_timers: 1, losses: 1, ..NONE },
        ..Scope::of(Paxos, "paxos-lossy", "one request; one frame is lost, one timer runs out anywhere")
    },
];

/// Explored when somebody asks.
pub const WIDE: &[Scope] = &[
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: ORDERS,
        budget: Budget { lies: 2, silence: 1, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Caught, Sometimes::Changed],
        ..Scope::of(ByzId, "wide-orders", "a primary that lies twice in ORDER and may fall silent")
    },
    Scope {
        traitor: Some(2),
        lies: VOTES,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Caught, Sometimes::WrongReply, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "wide-votes",
            "a backup that lies in ACK and REPLY on the way into configuration 1",
        )
    },
    Scope {
        requests: 2,
        traitor: Some(2),
        lies: &[Lie::ReplyAhead, Lie::AckAhead],
        timers_at: &[1, 2],
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Caught, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "wide-replies",
            "a backup that vouches for the second of two requests without having it",
        )
    },
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: STABLES,
        budget: Budget { lies: 2, ..NONE },
        sometimes: &[Sometimes::AllAccepted, Sometimes::Stable, Sometimes::Caught],
        ..Scope::of(ByzId, "wide-stables", "a primary that declares stable what is not, twice")
    },
    Scope {
        disks_at_once: false,
        crashes_at: &[0],
        budget: Budget { crashes: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(ByzId, "wide-crash-twice", "the first primary's replica crashes twice")
    },
    Scope {
        disks_at_once: false,
        timers_at: &[1, 2],
        crashes_at: &[1],
        budget: Budget { crashes: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(
            ByzId,
            "wide-crash-candidate",
            "the replica that leads, or is to lead, configuration 1 crashes",
        )
    },
    Scope {
        disks_at_once: false,
        budget: Budget { crashes: 1, guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(ByzId, "wide-crash-any", "any replica crashes, any two monitors lose patience")
    },
    Scope {
        budget: Budget { guard_timers: 2, monitor_restarts: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed, Sometimes::AcceptedAfterChange],
        ..Scope::of(ByzId, "wide-forget", "any monitor is started again, any two lose patience")
    },
    Scope {
        traitor: Some(2),
        lies: CLAIMS,
        monitor_restarts_at: &[2],
        budget: Budget { lies: 1, guard_timers: 2, monitor_restarts: 1, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed, Sometimes::AcceptedAfterChange],
        ..Scope::of(
            ByzId,
            "wide-forget-claims",
            "the traitor's own monitor forgets, and it lies in RECONFIGURE",
        )
    },
    Scope {
        requests: 2,
        budget: Budget { replica_timers: 1, losses: 1, ..NONE },
        sometimes: &[Sometimes::AllAccepted],
        ..Scope::of(Paxos, "wide-paxos-lossy", "two requests; one frame is lost, one timer runs out")
    },
    Scope {
        budget: Budget { replica_timers: 2, ..NONE },
        sometimes: &[Sometimes::AcceptedAfterChange, Sometimes::Changed],
        ..Scope::of(Paxos, "wide-paxos-change", "one request; two timers run out: a new leader")
    },
    Scope {
        disks_at_once: false,
        budget: Budget { replica_timers: 1, crashes: 1, ..NONE },
        sometimes: &[Sometimes::AcceptedAfterChange, Sometimes::Changed],
        ..Scope::of(Paxos, "wide-paxos-crash", "one request, a crash, a timer")
    },
    Scope {
        sometimes: &[],
        ..Scope::of(Pbft, "wide-pbft", "one request: as far as it goes, which is not to the end")
    },
];

/// The scope called `name`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scope> {
    DAILY.iter().chain(WIDE).find(|scope| scope.name == name)
}
