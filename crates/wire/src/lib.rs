//! What travels between nodes and clients, and nothing about what it means.
//!
//! - [`ids`]: the names of things: [`NodeId`], [`ClientId`], [`View`], [`Sequence`], [`Time`].
//! - [`encode`]: the canonical encoding. One value has exactly one encoding; what does not decode is
//!   refused with the reason, and nothing is allocated on the word of the sender alone.
//! - [`digest`]: BLAKE3, the fingerprint by which replicas compare what they have.
//! - [`auth`]: who said it: MACs, vectors of MACs, signatures, seals, behind the trait [`auth::Keys`].
//! - [`frame`]: a message on a link: version, sender, body, authenticator.
//! - [`text`]: text with a limit.
//!
//! **Architecture invariant:** this crate is at the bottom. It knows no protocol, no clock, no socket, no
//! randomness, and depends on no other crate of the project.

pub mod auth;
pub mod digest;
pub mod encode;
pub mod frame;
pub mod ids;
pub mod text;

pub use auth::{Authenticator, Keys, Signature, Tag};
pub use bytes::Bytes;
pub use digest::Digest;
pub use encode::{Decode, DecodeError, Encode, Reader};
pub use frame::Frame;
pub use ids::{ClientId, NodeId, Peer, Sequence, Time, Timestamp, View};
pub use text::Text;
