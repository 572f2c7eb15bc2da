//! All protocols that are understood.

use super::{Protocol, ProtocolId, dcerpc, krb5, nfs, rdp, rfb, smb};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] =
    &[&dcerpc::PROTOCOL, &krb5::PROTOCOL, &nfs::PROTOCOL, &rdp::PROTOCOL, &rfb::PROTOCOL, &smb::PROTOCOL];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}
