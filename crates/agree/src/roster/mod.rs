//! Who is a node or a client, and by which keys: agreed state like any other, so that it changes while the cluster runs.
//!
//! A cluster begins with the roster of its files, **edition** 0. Each [`Change`] makes the next edition; it is signed by an
//! *operator*, a client whom the roster names as one, and put in order like any request. In order:
//! - [`change`]: what a change says, and what is signed;
//! - [`entries`]: the roster, and what becomes of it by a change;
//! - [`chain`]: all changes so far, each with its signature: whoever has the first roster can check it, and needs no trust in
//!   who shows it;
//! - [`governed`]: the service that carries a chain beside the service proper;
//! - [`seats`]: which change put each node into its seat, for the protocols.
//!
//! Logic has no cryptography: whether something is an identity, and has signed, says a [`Notary`].
//!
//! Not here: who acts on it (links, keyrings). How many nodes there are, and which of them are members, never changes.

pub mod chain;
pub mod change;
pub mod entries;
pub mod governed;
pub mod seats;

pub use chain::Chain;
pub use change::{Change, Edition, Holder, Signed, What};
pub use entries::{Entry, Refusal, Roster};
pub use governed::{Answer, Command, Governed};
pub use seats::Seats;

use wire::Signature;

/// Who can tell identities and signatures. Pure: the same answer at every node, now and later.
pub trait Notary {
    /// The two keys of this identity, the one that signs and the one that agrees; nothing if it is none.
    fn keys(&self, identity: &[u8]) -> Option<([u8; 32], [u8; 32])>;

    /// Whether `identity` has signed `body`.
    fn has_signed(&self, identity: &[u8], body: &[u8], signature: &Signature) -> bool;
}

#[cfg(test)]
pub(crate) mod testing;
