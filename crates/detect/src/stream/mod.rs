//! TCP: who talks, what was said in which order, and what of it can be believed.
//!
//! `machine` follows the handshake, the sequence numbers and the end, and says which segments are believed; `session` holds what they brought; `buffer`
//! puts bytes in order and decides which of two that claim the same place counts; `event` names what was odd.
//!
//! `conversation` shows all of this without an engine around it.
//!
//! Bytes count once the other side has acknowledged them: what a receiver never got is not looked at, whoever sent it. A conversation
//! whose beginning was not seen is not followed; its packets are looked at one by one.
//!
//! *Evasion, and what is done about it* (Ptacek and Newsham): two segments that claim the same bytes are settled as the
//! target would (`buffer::Policy`), and an event tells that they differed; a segment or an acknowledgement outside the window is not
//! believed; a reset counts only where the receiver would take it; time to live is not looked at, since a sensor does not know how far the
//! receiver is: what the receiver did not acknowledge never counts, which is the stronger test; checksums are not checked unless a rule asks.

pub(crate) mod buffer;
mod conversation;
pub(crate) mod event;
mod machine;
pub(crate) mod session;

pub use conversation::{Conversation, Ordered};
pub(crate) use event::{Event, Events, event_named, event_names};
pub(crate) use session::{Session, Supply};
