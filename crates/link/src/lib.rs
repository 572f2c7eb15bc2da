//! Links: who is at the other end, the keys that follow from it, and frames to and from them.
//!
//! - [`identity`]: two public keys and the day on which they end, as one line of text.
//! - [`secret`]: the secret halves, in files that nobody else can read.
//! - [`holder`]: whose key it is: a node's, or a client's in all its sessions.
//! - [`pins`]: whom we know, and what time it is. Replaced at run time when somebody is admitted or has a new key.
//! - [`keyring`]: [`wire::Keys`]: MACs, signatures and seals.
//! - [`mac`]: the MAC itself, and the derivation of keys.
//! - [`tls`]: mutual TLS 1.3 between pinned keys; no certificate and no authority.
//! - [`wall_time`]: moments of the calendar.
//! - [`knock`]: whether a node takes a key.
//! - [`links`]: all the links of a node or a client, behind one call that waits; [`framing`], [`hello`]: what travels beside the frames;
//!   [`listening`]: who waits at a listener.
//!
//! Of the crates that this one rests on: `rustls` with `ring` speaks TLS; `ed25519-dalek` signs, since it keeps a checked key
//! ready and has the strict rule; `x25519-dalek`, since `ring` agrees only with keys that it forgets at once; `blake3`, which
//! `wire` has as well, hashes and makes MACs.
//!
//! **Architecture invariant:** what time of the calendar it is, is said by whoever drives a keyring or a link; only `links` reads a
//! clock, for pauses and deadlines.

mod channel;
pub mod framing;
pub mod hello;
pub mod holder;
pub mod identity;
pub mod keyring;
pub mod knock;
pub mod links;
pub mod listening;
pub mod mac;
pub mod pins;
pub mod secret;
pub mod tls;
pub mod wall_time;

pub use holder::{ClientNumber, Holder};
pub use identity::{Fingerprint, PublicIdentity};
pub use keyring::Keyring;
pub use links::{Arrival, Closing, Counters, Links, Making, Protection, Trouble};
pub use pins::{Pins, Roster};
pub use secret::{SealKey, SecretIdentity};
pub use wall_time::WallTime;
