//! Exhaustive small scope: every order of events of a small cluster with a little trouble, where the random simulator
//! beside it tries a few orders of large ones with much.
//!
//! The model drives the code of the product: [`agree::byzid`]'s replica behind its guard with the [`monitor`], [`agree`]'s
//! Paxos and PBFT behind theirs; frames are encoded, authenticated, decoded and checked; a replica that crashes is built
//! again from its disk; results are believed by a real [`agree::Client`]. What is modelled is what is outside of them.
//!
//! In the order in which one would read it:
//! - [`scope`], [`scopes`]: what there is and how much may go wrong; the scopes by name;
//! - [`properties`]: what must hold in every state, and what must be possible in some;
//! - [`world`]: a state, what can happen in it, and the state after;
//! - [`node`], [`disk`], [`chronicle`]: one node, without time and without a network;
//! - [`lie`]: what the traitor may say;
//! - [`tables`], [`fingerprint`]: how a state is a few numbers;
//! - [`mod@explore`]: visits every state, and tells the shortest story of a violation.
//!
//! **What is left out, and why it loses nothing.**
//! 1. *Order of replies at a client*: whatever f+1 guards let out alike can be believed, and is taken as believed at once
//!    ([`world`]).
//! 2. *Time*: only which timer runs out when, not how long it took ([`node`]). Nothing that travels carries a time.
//! 3. *What a node does* is worked out once for each of its states and each action, since it depends on nothing else
//!    ([`tables`]).
//!
//! **What is left out, and loses something.**
//! 1. A guard's timer runs out exactly at its monitor's deadline, never so late that two deadlines have passed.
//! 2. Two frames alike to the last byte, under way to one node at once, count as one.
//! 3. A crash and the restart after it are one step: what arrives in between is as good as lost, which is on the budget.
//! 4. Heartbeats, spares, `fail = "open"`, and more than one traitor are the random simulator's business; so is liveness.
//! 5. Once the traitor can lie no more, its replica's messages go out at once.
//! 6. Where a scope says that disks are at once, a replica says nothing later than it could.
//!
//! A check that cannot fail is no check: with the feature `mutations`, `tests/exhaustive_mutants.rs` breaks rules of the product
//! and wants each found by the scope named for it.

pub mod chronicle;
pub mod disk;
pub mod explore;
pub mod fingerprint;
pub mod lie;
pub mod node;
pub mod properties;
pub mod scope;
pub mod scopes;
pub mod tables;
pub mod world;

pub use explore::{Report, STATES_MAX, explore};
pub use scope::{Scope, Sometimes};
