//! The rule language: Suricata's, from text to what the engine runs.
//!
//! In the order in which a rule passes: `syntax` takes a file apart into rules and options, and knows lines and columns; `variables`,
//! `address` and `port` read the head; `compile` turns options into conditions and refuses by name what the engine lacks; `order` says which rule is asked first;
//! `load` does this for whole files and counts.
//!
//! **A rule is matched in full or refused**, never in part: an option that nothing reads is a refusal. One that could not be right in any edition is wrong, and
//! told with line and column.

mod address;
mod classes;
pub(crate) mod compile;
pub(crate) mod compiled;
mod config;
mod load;
mod order;
mod port;
mod references;
mod reputation;
pub(crate) mod syntax;
mod variables;

pub use address::AddressSet;
pub use classes::Classes;
pub use compile::{HEAD, RULE, ReadFile, Refusal};
pub use compiled::{Action, Meta, Target};
pub use config::Described;
pub use load::{Place, Refused, Repeated, Report, RuleFile, RuleSet};
pub use port::PortSet;
pub use references::References;
pub use reputation::Reputation;
pub use syntax::{Arrow, Line, Problem, Source, SourceOption};
pub use variables::Variables;
