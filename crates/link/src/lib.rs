//! Who is at the other end: identities, the keys that follow from them, and TLS by them.
//!
//! - [`identity`]: two public keys and the day on which they end, as one line of text.
//! - [`secret`]: the secret halves, in files that nobody else can read.
//! - [`holder`]: whose key it is: a node's, or a client's in all its sessions.
//! - [`pins`]: whom we know, and what time it is. Replaced at run time when somebody is admitted or has a new key.
//! - [`keyring`]: [`wire::Keys`]: MACs, signatures and seals.
//! - [`mac`]: the MAC itself, and the derivation of keys.
//! - [`tls`]: mutual TLS 1.3 between pinned keys; no certificate and no authority.
//! - [`wall_time`]: moments of the calendar.
//!
//! Of the crates that this one rests on: `rustls` with `ring` speaks TLS; `ed25519-dalek` signs, since it keeps a checked key
//! ready and has the strict rule; `x25519-dalek`, since `ring` agrees only with keys that it forgets at once; `sha2`, which
//! `wire` has as well, hashes.
//!
//! **Architecture invariant:** no clock is read here. Whoever drives a keyring or a link says what time it is.

pub mod holder;
pub mod identity;
pub mod keyring;
pub mod mac;
pub mod pins;
pub mod secret;
pub mod tls;
pub mod wall_time;

pub use holder::{ClientNumber, Holder};
pub use identity::{Fingerprint, PublicIdentity};
pub use keyring::Keyring;
pub use pins::{Pins, Roster};
pub use secret::{SealKey, SecretIdentity};
pub use wall_time::WallTime;
