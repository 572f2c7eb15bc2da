//! Exhaustive small scope.
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
