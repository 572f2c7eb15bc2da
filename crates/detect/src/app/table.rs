//! All protocols that are understood.

use super::{Protocol, ProtocolId, http1};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] = &[&http1::PROTOCOL];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}
