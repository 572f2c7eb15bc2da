//! The headers of IP.

use super::super::Ip;
use super::super::ip::OptionSet;
use super::{PacketTest, integer};
use crate::Complaint;

/// `ttl`: a condition on the time to live or the hop limit.
pub(super) fn ttl(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u8::MAX))?;
    Ok(PacketTest::new(move |packet| packet.ip.as_ref().is_some_and(|ip| test.holds(ip.ttl().into()))))
}

/// `id`: the identification of IPv4.
pub(super) fn id(text: &str) -> Result<PacketTest, Complaint> {
    let wanted = integer::quoted(text, u64::from(u16::MAX))?;
    Ok(PacketTest::new(
        move |packet| matches!(&packet.ip, Some(Ip::V4(header)) if u64::from(header.id()) == wanted),
    ))
}

/// `tos`: the type of service of IPv4, `8`, `x8` or `!8`.
pub(super) fn tos(text: &str) -> Result<PacketTest, Complaint> {
    let (word, is_negated) = negation(text);
    let complaint = || Complaint::new(format!("'{text}': a type of service is a number from 0 to 255"));
    let wanted = match word.strip_prefix(['x', 'X']) {
        Some(hex) if (1..=2).contains(&hex.len()) && hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u8::from_str_radix(hex, 16).map_err(|_error| complaint())?
        }
        Some(_) => return Err(complaint()),
        None => {
            let value = integer::decimal(word, u64::from(u8::MAX))?;
            u8::try_from(value).map_err(|_error| complaint())?
        }
    };
    Ok(PacketTest::new(
        move |packet| matches!(&packet.ip, Some(Ip::V4(header)) if (header.tos() == wanted) != is_negated),
    ))
}

fn negation(text: &str) -> (&str, bool) {
    let text = text.trim();
    text.strip_prefix('!').map_or((text, false), |rest| (rest.trim_start(), true))
}

/// `ipopts`: whether an option of IPv4 is there.
pub(super) fn options(text: &str) -> Result<PacketTest, Complaint> {
    let name = text.trim();
    let wanted = match name.to_ascii_lowercase().as_str() {
        "rr" => OptionSet::RECORD_ROUTE,
        "lsrr" => OptionSet::LOOSE_ROUTE,
        "eol" => OptionSet::END,
        "nop" => OptionSet::NOTHING,
        "ts" => OptionSet::TIMESTAMP,
        "sec" => OptionSet::SECURITY,
        "esec" => OptionSet::EXTENDED_SECURITY,
        "ssrr" => OptionSet::STRICT_ROUTE,
        "satid" => OptionSet::STREAM_ID,
        "any" => return Ok(PacketTest::new(has_all_options)),
        _ => return Err(Complaint::new(format!("'{name}' is no option of IP"))),
    };
    Ok(PacketTest::new(
        move |packet| matches!(&packet.ip, Some(Ip::V4(header)) if header.options().has(wanted)),
    ))
}

/// What `ipopts:any` asks for: all options at once, which no header has room for. So it never holds.
fn has_all_options(_packet: &super::Packet<'_>) -> bool {
    false
}

/// `fragbits`: more fragments, do not fragment, reserved; exactly these, with `+` these and more, with `*` any, with
/// `!` not all.
pub(super) fn fragment_bits(text: &str) -> Result<PacketTest, Complaint> {
    let (modifier, rest) = match text.trim().split_at_checked(1) {
        Some((modifier @ ("+" | "*" | "!"), rest)) => {
            (modifier.as_bytes().first().copied(), rest.trim_start())
        }
        _ => (None, text.trim()),
    };
    let mut wanted = 0;
    // What stands behind the letters is not looked at.
    for letter in rest.bytes() {
        wanted |= match letter {
            b'M' => 1,
            b'D' => 2,
            b'R' => 4,
            _ => break,
        };
    }
    if wanted == 0 {
        return Err(Complaint::new(format!("'{text}': fragment bits are M, D and R")));
    }
    Ok(PacketTest::new(move |packet| {
        let Some(Ip::V4(header)) = &packet.ip else { return false };
        let bits = header.fragment_bits();
        match modifier {
            Some(b'+') => bits & wanted == wanted && bits != wanted,
            Some(b'*') => bits & wanted != 0,
            Some(_) => bits & wanted != wanted,
            None => bits == wanted,
        }
    }))
}

/// `fragoffset`: where a fragment begins: in units of 8 bytes for IPv4, in bytes for IPv6.
pub(super) fn fragment_offset(text: &str) -> Result<PacketTest, Complaint> {
    let text = text.trim();
    let (order, rest) = match text.strip_prefix('<') {
        Some(rest) => (core::cmp::Ordering::Less, rest),
        None => match text.strip_prefix('>') {
            Some(rest) => (core::cmp::Ordering::Greater, rest),
            None => (core::cmp::Ordering::Equal, text),
        },
    };
    let rest = rest.trim_start();
    // What stands behind the digits is not looked at.
    let digits = rest.split(|byte: char| !byte.is_ascii_digit()).next().unwrap_or("");
    let wanted = integer::decimal(digits, u64::from(u16::MAX))?;
    Ok(PacketTest::new(move |packet| {
        let offset = match &packet.ip {
            Some(Ip::V4(header)) => header.fragment_offset(),
            Some(Ip::V6(header)) => match header.fragment() {
                Some(fragment) => fragment.offset,
                None => return false,
            },
            None => return false,
        };
        u64::from(offset).cmp(&wanted) == order
    }))
}

/// `sameip`: the two addresses are the same.
pub(super) fn same(text: &str) -> Result<PacketTest, Complaint> {
    if text.trim().is_empty() {
        Ok(PacketTest::new(|packet| packet.source == packet.destination))
    } else {
        Err(Complaint::new("'sameip' takes nothing"))
    }
}

/// `l3_proto`: the version of IP.
pub(super) fn version(text: &str) -> Result<PacketTest, Complaint> {
    match text.trim().to_ascii_lowercase().as_str() {
        "ipv4" | "ip4" => Ok(PacketTest::new(|packet| matches!(packet.ip, Some(Ip::V4(_))))),
        "ipv6" | "ip6" => Ok(PacketTest::new(|packet| matches!(packet.ip, Some(Ip::V6(_))))),
        other => Err(Complaint::new(format!("'{other}': the version of IP is ipv4 or ipv6"))),
    }
}

/// `geoip` needs a database of countries, which there is not.
pub(super) fn country(_text: &str) -> Result<PacketTest, Complaint> {
    Err(Complaint::lacking("'geoip' is not supported: there is no database of countries"))
}
