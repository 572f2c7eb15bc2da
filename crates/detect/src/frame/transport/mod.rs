//! Transport headers, one small file for each.

pub(crate) mod esp;
pub(crate) mod icmp4;
pub(crate) mod icmp6;
pub(crate) mod sctp;
pub(crate) mod tcp;
pub(crate) mod udp;

pub use icmp4::{Embedded, Icmp4};
pub use icmp6::Icmp6;
pub use tcp::{Tcp, TcpOptions};
pub use udp::Udp;

/// A transport header, as far as it was understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport<'a> {
    /// None: no IP, a fragment, or a header that cannot be read.
    None,
    /// TCP.
    Tcp(Tcp<'a>),
    /// UDP.
    Udp(Udp<'a>),
    /// ICMP of IPv4.
    Icmp4(Icmp4<'a>),
    /// ICMP of IPv6.
    Icmp6(Icmp6<'a>),
    /// SCTP: the common header.
    Sctp(&'a [u8; 12]),
    /// ESP: the parameter index and the sequence number.
    Esp(&'a [u8; 8]),
    /// GRE: flags, version and type.
    Gre(&'a [u8; 4]),
    /// A protocol that nothing is known about, IGMP for example, or one that is known to be in the wrong place.
    Other,
}

impl<'a> Transport<'a> {
    /// The TCP header, if it is one.
    #[must_use]
    pub fn tcp(&self) -> Option<&Tcp<'a>> {
        match self {
            Transport::Tcp(header) => Some(header),
            _ => None,
        }
    }

    /// The UDP header, if it is one.
    #[must_use]
    pub fn udp(&self) -> Option<&Udp<'a>> {
        match self {
            Transport::Udp(header) => Some(header),
            _ => None,
        }
    }

    /// Type and code, if it is ICMP.
    #[must_use]
    pub fn icmp(&self) -> Option<(u8, u8)> {
        match self {
            Transport::Icmp4(header) => Some((header.kind(), header.code())),
            Transport::Icmp6(header) => Some((header.kind(), header.code())),
            _ => None,
        }
    }

    /// The ICMP header of IPv4, if it is one.
    #[must_use]
    pub fn icmp4(&self) -> Option<&Icmp4<'a>> {
        match self {
            Transport::Icmp4(header) => Some(header),
            _ => None,
        }
    }

    /// The ICMP header of IPv6, if it is one.
    #[must_use]
    pub fn icmp6(&self) -> Option<&Icmp6<'a>> {
        match self {
            Transport::Icmp6(header) => Some(header),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
