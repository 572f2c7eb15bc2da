//! All protocols that are understood.

use super::{Protocol, ProtocolId};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] = &[&super::dns::PROTOCOL, &super::mdns::PROTOCOL];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}
