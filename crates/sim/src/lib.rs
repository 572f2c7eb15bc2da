//! A deterministic world for clusters: one seed, one run, the same on every machine.
//!
//! The simulator drives whole clusters through exactly the code that production runs: replicas and guards of [`agree`],
//! frames that are encoded, authenticated, put on a link, decoded and checked. What is simulated is what is outside of
//! them: time, the network, disks, clocks, keys, clients, crashes, and the people who took over some of the nodes.
//!
//! In the order in which one would read it:
//! - [`run`](mod@run): settings and a seed in, an [`Outcome`] out; [`explain()`] tells the story as a diagram;
//! - [`plan`], [`fault`], [`mix`], [`tuning`]: what goes wrong and how everything is set, drawn from the seed beforehand;
//! - [`world`], [`node`], [`client`], [`surroundings`]: the parts wired together;
//! - [`agenda`], [`timers`], [`network`], [`disk`], [`clock`], [`keys`], [`random`]: what is simulated;
//! - [`byzantine`], [`outsider`]: those who mean harm;
//! - [`checkers`]: what must hold, whatever happens;
//! - [`shrink`](mod@shrink), [`campaign`], [`measure`], [`pause`]: what one does with runs;
//! - [`scenarios`]: the promises and attacks of the ByzID paper, by name.
//!
//! **Determinism.** Nothing here reads a clock, an address, a hash map's order or the number of threads. Everything
//! random comes from named streams of the seed ([`random`]). The fingerprint of an outcome covers every byte put on a
//! link and every moment at which something happened.
//!
//! **Architecture invariant:** no protocol knows of the simulator, and the simulator knows of protocols only how to build
//! a replica ([`engine`]) and how to lie in its language ([`byzantine::forgery`]).

pub mod agenda;
pub mod byzantine;
pub mod campaign;
pub mod checkers;
pub mod client;
pub mod clock;
pub mod crew;
pub mod disk;
mod draw;
pub mod engine;
pub mod exhaustive;
pub mod explain;
#[cfg(test)]
mod fake;
pub mod fault;
pub mod keys;
pub mod load;
pub mod measure;
pub mod mix;
pub mod network;
pub mod node;
pub mod only;
pub mod outsider;
pub mod pause;
pub mod plan;
pub mod random;
pub mod run;
pub mod scenarios;
pub mod service;
pub mod shrink;
pub mod stats;
pub mod surroundings;
pub mod timers;
pub mod trace;
pub mod tuning;
pub mod world;

pub use agree::byzid::guard::Fail;
pub use campaign::{Summary, run_many};
pub use checkers::{Checker, Violation};
pub use disk::Durability;
pub use mix::Mix;
pub use only::Only;
pub use run::{Outcome, RunSettings, explain, record, run};
pub use shrink::shrink;
