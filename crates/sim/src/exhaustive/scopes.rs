//! The scopes.
use super::lie::Lie;
use super::scope::{Budget, Prologue, Scope, Sometimes};
use agree::Protocol;

const NONE: Budget = Scope::of(Protocol::ByzId, "", "").budget;
const ORDERS: &[Lie] = &[Lie::OrderOther, Lie::OrderOne, Lie::OrderGap];
const VOTES: &[Lie] = &[Lie::AckAhead, Lie::AckOther, Lie::ReplyWrong, Lie::ReplyAhead];
const CLAIMS: &[Lie] = &[Lie::ClaimShort, Lie::ClaimInvented, Lie::ClaimLater];
const CONFIGS: &[Lie] = &[Lie::ConfigShort, Lie::ConfigInvented, Lie::ConfigAlone];
const CHECKPOINTS: &[Lie] = &[Lie::CheckpointWrong, Lie::CheckpointAhead];
const STABLES: &[Lie] = &[Lie::StableWrong, Lie::StableAhead];

/// All.
pub const ALL: &[Scope] = &[
    Scope {
        requests: 2,
        disks_at_once: false,
        sometimes: &[Sometimes::AllAccepted],
        ..Scope::of(Protocol::ByzId, "quiet", "two requests, no trouble")
    },
    Scope {
        budget: Budget { guard_timers: 2, ..NONE },
        sometimes: &[Sometimes::Accepted, Sometimes::Changed],
        ..Scope::of(Protocol::ByzId, "change", "one request, two timeouts")
    },
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: ORDERS,
        budget: Budget { lies: 2, silence: 1, ..NONE },
        ..Scope::of(Protocol::ByzId, "orders", "")
    },
    Scope {
        requests: 1,
        traitor: Some(2),
        lies: VOTES,
        budget: Budget { lies: 2, guard_timers: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "votes", "")
    },
    Scope {
        traitor: Some(2),
        lies: CLAIMS,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "claims", "")
    },
    Scope {
        traitor: Some(1),
        lies: CONFIGS,
        budget: Budget { lies: 1, guard_timers: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "config", "")
    },
    Scope {
        disks_at_once: false,
        budget: Budget { crashes: 1, guard_timers: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "crash", "")
    },
    Scope {
        traitor: Some(2),
        lies: CLAIMS,
        budget: Budget { lies: 1, guard_timers: 1, monitor_restarts: 1, ..NONE },
        ..Scope::of(Protocol::ByzId, "forget", "")
    },
    Scope {
        requests: 2,
        traitor: Some(2),
        lies: CHECKPOINTS,
        budget: Budget { lies: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "checkpoints", "")
    },
    Scope {
        requests: 2,
        traitor: Some(0),
        lies: STABLES,
        budget: Budget { lies: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "stables", "")
    },
    Scope {
        prologue: &[Prologue::Quiet, Prologue::Fire(1), Prologue::Fire(2), Prologue::Quiet],
        budget: Budget { guard_timers: 2, ..NONE },
        ..Scope::of(Protocol::ByzId, "second", "")
    },
    Scope {
        requests: 2,
        budget: Budget { replica_timers: 1, losses: 1, ..NONE },
        ..Scope::of(Protocol::Paxos, "paxos", "")
    },
    Scope {
        ..Scope::of(Protocol::Pbft, "pbft", "")
    },
];
