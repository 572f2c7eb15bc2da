//! Agreement: replicas that execute the same commands in the same order while some of them crash or lie.
//!
//! Everything here is sans-IO. A [`Replica`] is a value: it is handed an [`Event`] (a message, a timer that ran out,
//! a write that became durable) and the present [`wire::Time`], and leaves [`Effect`]s in an [`Outbox`] (send this,
//! write that, wake me then). The simulator and the node run exactly this code.
//!
//! In the order in which a request meets them:
//! - [`guard`], [`door`]: what stands between a replica and its network, and lets only checked messages through;
//! - [`between`]: what passes between a guard and its replica when they are two processes;
//! - [`bundle`]: what travels together between a client's process and a node;
//! - [`assent`]: how many replicas answer a station at the cost of one;
//! - [`client`]: sends the request, retransmits it, accepts a result that enough replicas vouch for; [`station`]: all clients
//!   of one process;
//! - [`request`]: what travels between the two: [`Request`], [`Batch`], [`Reply`];
//! - [`paxos`], [`pbft`], [`byzid`]: the protocols, a room each, behind [`replica`];
//! - [`machine`]: executes batches in order on a [`Service`], exactly once per request;
//! - [`checkpoint`]: what a replica fingerprints, keeps and hands to one that was away;
//! - [`roster`]: who is a node or a client, as agreed state.
//!
//! Beside the way of a request: [`settings`], the numbers of a cluster; [`capture`], what passed on links, for an audit;
//! [`aside`], how a client asks a node how it is; [`account`], what the node says of itself; [`survey`], what the accounts of all nodes come to.
//!
//! **Architecture invariant:** no clock, no randomness, no thread, no socket, no file, no async in this crate.

macro_rules! defect {
    ($name:ident) => {{
        #[cfg(feature = "mutations")]
        let active = mutation::is_active(mutation::Defect::$name);
        #[cfg(not(feature = "mutations"))]
        let active = false;
        active
    }};
}

pub mod account;
pub mod any_guard;
pub mod aside;
pub mod assent;
pub mod between;
pub mod bundle;
pub mod byzid;
pub mod capture;
pub mod checkpoint;
pub mod client;
pub mod door;
pub mod guard;
mod hearing;
pub mod journal;
pub mod machine;
pub mod message;
pub mod paxos;
pub mod pbft;
pub mod protocol;
pub mod queue;
pub mod replica;
pub mod request;
pub mod roster;
pub mod service;
pub mod sessions;
pub mod settings;
pub mod station;
pub mod survey;
#[cfg(test)]
#[allow(dead_code, reason = "each protocol's tests use their own part of it")]
mod testing;

pub use client::Client;
pub use message::Message;
pub use protocol::Protocol;
pub use replica::{
    Destination, Effect, Event, Observation, Outbox, Position, Recovered, Replica, Timer, Write,
};
pub use request::{Batch, Reply, Request};
pub use service::Service;
pub use settings::Settings;
pub use station::Station;
