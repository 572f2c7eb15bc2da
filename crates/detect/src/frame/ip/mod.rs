//! IP headers, of both versions.

pub mod v4;
pub mod v6;

mod v4_options;
mod v6_extension;

pub use v4::Ipv4;
pub use v4_options::OptionSet;
pub use v6::{FragmentHeader, Ipv6};

/// Bytes of a datagram at most.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 65_535;

/// IP protocols that somebody knows.
pub mod protocol {
    #![allow(missing_docs)] // Each is the number of its name.
    pub const HOP_BY_HOP: u8 = 0;
    pub const ICMP: u8 = 1;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const AUTHENTICATION: u8 = 51;
    pub const ICMP6: u8 = 58;
    pub const NONE: u8 = 59;
    pub const DESTINATION: u8 = 60;
    pub const SCTP: u8 = 132;
    pub const MOBILITY: u8 = 135;
    pub const HOST_IDENTITY: u8 = 139;
    pub const SHIM6: u8 = 140;
}

/// An IP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ip<'a> {
    /// Of version 4.
    V4(Ipv4<'a>),
    /// Of version 6.
    V6(Ipv6<'a>),
}

impl<'a> Ip<'a> {
    /// Time to live, or hop limit.
    #[must_use]
    pub fn ttl(&self) -> u8 {
        match self {
            Ip::V4(header) => header.ttl(),
            Ip::V6(header) => header.hop_limit(),
        }
    }

    /// The header with all that belongs to it: options, or extension headers.
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        match self {
            Ip::V4(header) => header.bytes(),
            Ip::V6(header) => header.bytes(),
        }
    }

    /// The bytes of the source address: 4 or 16.
    #[must_use]
    pub fn source_bytes(&self) -> &'a [u8] {
        match self {
            Ip::V4(header) => &header.fixed()[12..16],
            Ip::V6(header) => &header.fixed()[8..24],
        }
    }

    /// The bytes of the destination address: 4 or 16.
    #[must_use]
    pub fn destination_bytes(&self) -> &'a [u8] {
        match self {
            Ip::V4(header) => &header.fixed()[16..20],
            Ip::V6(header) => &header.fixed()[24..40],
        }
    }

    /// The header, if it is of version 4.
    #[must_use]
    pub fn v4(&self) -> Option<&Ipv4<'a>> {
        match self {
            Ip::V4(header) => Some(header),
            Ip::V6(_) => None,
        }
    }

    /// The header, if it is of version 6.
    #[must_use]
    pub fn v6(&self) -> Option<&Ipv6<'a>> {
        match self {
            Ip::V4(_) => None,
            Ip::V6(header) => Some(header),
        }
    }
}

/// As much of `bytes` as a datagram can have: what a link pads or adds beyond that is none of it.
#[inline]
pub(crate) fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..DATAGRAM_BYTES_MAX).unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
