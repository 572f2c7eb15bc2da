//! Checksums: `ipv4-csum:invalid` and the like.

use super::super::Checksum;
use super::PacketTest;
use crate::Complaint;

fn parse(which: Checksum, text: &str) -> Result<PacketTest, Complaint> {
    let text = text.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let word = bare.unwrap_or(text);
    if !word.eq_ignore_ascii_case("valid") && !word.eq_ignore_ascii_case("invalid") {
        return Err(Complaint::new(format!("'{text}': a checksum is valid or invalid")));
    }
    // In quotes either word means invalid: rules were written against that.
    let wanted = bare.is_none() && word.eq_ignore_ascii_case("valid");
    Ok(PacketTest::new(move |packet| which.is_valid(packet) == Some(wanted)))
}

pub(super) fn ipv4(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Ipv4, text)
}

pub(super) fn tcp4(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Tcp4, text)
}

pub(super) fn tcp6(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Tcp6, text)
}

pub(super) fn udp4(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Udp4, text)
}

pub(super) fn udp6(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Udp6, text)
}

pub(super) fn icmp4(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Icmp4, text)
}

pub(super) fn icmp6(text: &str) -> Result<PacketTest, Complaint> {
    parse(Checksum::Icmp6, text)
}
