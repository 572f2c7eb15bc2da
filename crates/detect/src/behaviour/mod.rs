//! Behaviour: what sources do that no signature describes, such as scans, sweeps, floods and brute force against logins.
//!
//! The work is parted as everything else is (`engine`): a worker looks at one flow and tells small facts of it (`watch`, `login`, with `waiting` for answers that do not
//! come), each an `observation`; the judge gets them of all flows in the order of frames, and the `watcher` counts them in `groups`. A `key` says what is
//! counted together and when that is worth telling, a `kind` how it is called, a `record` what is written.
//!
//! Upon a flow: about one or two observations, none for an ordinary packet. If nobody watches, none, and nothing is looked at.
//! Upon a group that reaches its limit: one alert, with a count; further ones are counted, and told when the group is over.
//!
//! What counts is failure. A source that is answered at most of its first contacts is no scanner, however many they are: that is how browsers, resolvers and
//! mail servers are told from scanners (Jung, Paxson, Berger, Balakrishnan: Fast Portscan Detection Using Sequential Hypothesis Testing, 2004).
//!
//! Not here: what is said in a connection, but that a server refused a login.

mod group;
mod groups;
mod key;
mod kind;
mod login;
mod observation;
mod parameters;
mod record;
mod waiting;
pub(crate) mod watch;
mod watcher;

pub use kind::{GENERATOR, Kind, SID_FIRST};
pub(crate) use observation::Observation;
pub use parameters::{EXEMPT_MAX, PARAMETERS, ParameterText, Parameters};
pub(crate) use record::Report;
pub use record::{Behaviour, State};
pub(crate) use waiting::{Attempt, Waiting};
pub(crate) use watch::{Watch, Watching};
pub(crate) use watcher::Watcher;

#[cfg(test)]
mod tests;
