//! ICMP, of both versions of IP.

use super::super::{Packet, Transport};
use super::{PacketTest, integer};
use crate::Complaint;

/// `itype`: a condition on the type.
pub(super) fn kind(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u8::MAX))?;
    Ok(PacketTest::new(move |packet| match &packet.transport {
        Transport::Icmp4(icmp) => test.holds(icmp.kind().into()),
        Transport::Icmp6(icmp) => test.holds(icmp.kind().into()),
        _ => false,
    }))
}

/// `icode`: a condition on the code.
pub(super) fn code(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u8::MAX))?;
    Ok(PacketTest::new(move |packet| match &packet.transport {
        Transport::Icmp4(icmp) => test.holds(icmp.code().into()),
        Transport::Icmp6(icmp) => test.holds(icmp.code().into()),
        _ => false,
    }))
}

/// `icmp_id`: the identifier, of messages that have one.
pub(super) fn id(text: &str) -> Result<PacketTest, Complaint> {
    equals(text, |packet| match &packet.transport {
        Transport::Icmp4(icmp) => icmp.id(),
        Transport::Icmp6(icmp) => icmp.id(),
        _ => None,
    })
}

/// `icmp_seq`: the sequence number, of messages that have one.
pub(super) fn sequence(text: &str) -> Result<PacketTest, Complaint> {
    equals(text, |packet| match &packet.transport {
        Transport::Icmp4(icmp) => icmp.sequence(),
        Transport::Icmp6(icmp) => icmp.sequence(),
        _ => None,
    })
}

/// `icmpv6.mtu`: a condition on the size that a message says would pass.
pub(super) fn mtu(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u32::MAX))?;
    Ok(PacketTest::new(move |packet| {
        packet.transport.icmp6().and_then(|icmp| icmp.mtu()).is_some_and(|mtu| test.holds(mtu.into()))
    }))
}

fn equals(text: &str, value: fn(&Packet<'_>) -> Option<u16>) -> Result<PacketTest, Complaint> {
    let wanted = integer::quoted(text, u64::from(u16::MAX))?;
    Ok(PacketTest::new(move |packet| value(packet).is_some_and(|value| u64::from(value) == wanted)))
}
