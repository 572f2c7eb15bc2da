//! The trusted monitor: the specification of ByzID as a small timed state machine (Algorithm 1, completed).
//!
//! It stands between one replica and the network and owns the node's links. It is shown every message before it
//! passes, in either direction, and says whether it may. It never writes a message of the protocol itself and never
//! changes one; what it sends on its own account is [`Control`], from monitor to monitor, which no replica can send.
//!
//! What it enforces, and where:
//! - [`rule`]: the rules by the paper's names, and what breaking one costs;
//! - [`queue`]: *fairness*: the requests in the order in which they came;
//! - [`ordering`]: the primary: *consistency*, *no gap*, *fairness*, *timely action*, window, retransmission,
//!   STABLECHECKPOINT;
//! - [`following`]: the backups: *ACK in time*, and that nothing is said to be had which was not sent;
//! - [`flood`]: how much of the rest a replica may send;
//! - [`suspicion`]: when the primary is given up, by whom, and who takes over;
//! - [`claim`]: what a new configuration may be built from;
//! - [`baseline`], [`patience`]: what is usual, and what is late;
//! - [`machine`]: the parts put together.
//!
//! A monitor may crash; it may not lie. One that was started again has forgotten: it vouches for nothing, and takes part
//! only in a configuration that was made after its start and names that start.
//!
//! **Architecture invariant:** `no_std`, no dependencies, no clock, no I/O, no cryptography. Requests and messages
//! are opaque to it; the guard around it does the parsing, and keeps the frames that it asks to have sent again. Every
//! container is bounded by a constant or a number of the [`Specification`], whatever a peer sends.

#![no_std]

extern crate alloc;

macro_rules! defect {
    ($name:ident) => {{
        #[cfg(feature = "mutations")]
        let active = mutation::is_active(mutation::Defect::$name);
        #[cfg(not(feature = "mutations"))]
        let active = false;
        active
    }};
}

pub mod baseline;
pub mod claim;
pub mod configuration;
pub mod flood;
pub mod following;
pub mod ids;
pub mod log;
pub mod machine;
pub mod ordering;
pub mod patience;
pub mod queue;
pub mod rule;
pub mod suspicion;

pub use claim::Claim;
pub use configuration::{Configuration, Member, Reign};
pub use ids::{Digest, FIRST, Incarnation, Node, QUARANTINED, Sequence, Span, Time, View};
pub use machine::{Action, Control, Heard, Monitor, NewConfig, Notice, Received, Sent, Standing};
pub use queue::{Admission, Request};
pub use rule::{Rule, Severity};

/// The numbers by which a monitor is set: the same at every node of a cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Specification {
    /// How many replicas may be faulty.
    pub f: usize,
    /// The paper's `K`.
    pub checkpoint_interval: u64,
    /// The paper's `τ`.
    pub window: u64,
    /// ORDERs kept past the stable checkpoint at most.
    pub log_orders_max: u64,
    /// Requests that wait at the primary at most.
    pub requests_waiting_max: usize,
    /// Their bytes at most.
    pub requests_waiting_bytes_max: usize,
    /// Whether messages that no monitor let out are heard (`fail = "open"`), or dropped (`"closed"`).
    pub open: bool,
    /// After how long an ORDER without ACK is sent again.
    pub retransmit_after: Span,
    /// How often a primary says that it is there.
    pub heartbeat_every: Span,
    /// How long a primary may be silent. Doubles with every configuration that fails.
    pub view_timeout: Span,
    /// The longest that `view_timeout` grows to.
    pub view_timeout_max: Span,
    /// The least that a replica is given to act: ORDER a request, ACK an ORDER.
    pub act_floor: Span,
    /// The most that a replica is given to act.
    pub act_ceiling: Span,
}
