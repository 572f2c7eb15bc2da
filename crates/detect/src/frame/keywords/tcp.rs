//! The header of TCP.

use super::super::Tcp;
use super::{PacketTest, integer};
use crate::Complaint;

/// Letters of `flags` at most.
const FLAG_LETTERS_MAX: usize = 15;

/// Flags that begin or end a connection, and flags that are rare. A rule that names one of a group is looked at only
/// for segments that have one of it, so that `!S` means "FIN or RST, without SYN".
const FLAG_GROUPS: [u8; 2] = [Tcp::SYN | Tcp::FIN | Tcp::RST, Tcp::URG | Tcp::ECE | Tcp::CWR];

/// How flags are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    /// These and no others.
    Exactly,
    /// These, and perhaps others.
    AtLeast,
    /// One of these.
    Any,
    /// Not all of these.
    NotAll,
}

/// `flags`: which flags are set, and after a comma which do not matter. `+`, `*` or `!` may stand anywhere among the first.
pub(super) fn flags(text: &str) -> Result<PacketTest, Complaint> {
    let complaint =
        || Complaint::new(format!("'{text}': flags are letters of FSRPAUCE12 or 0, with one of + * !"));
    let (set, ignored) = match text.split_once(',') {
        Some((set, ignored)) => (set.trim(), Some(ignored.trim())),
        None => (text.trim(), None),
    };
    let mut compare = None;
    let mut wanted = 0;
    let mut has_letter = false;
    // Blanks may stand behind the first modifier alone.
    let set = match set.split_at_checked(1) {
        Some((modifier @ ("+" | "*" | "!"), rest)) => {
            compare = compare_of(modifier.bytes().next());
            rest.trim_start()
        }
        _ => set,
    };
    if set.is_empty() || set.len() > FLAG_LETTERS_MAX {
        return Err(complaint());
    }
    for letter in set.bytes() {
        match (letter, flag(letter), compare_of(Some(letter))) {
            (b'0', ..) => (wanted, has_letter) = (0, true),
            (_, Some(flag), _) => (wanted, has_letter) = (wanted | flag, true),
            (_, _, Some(modifier)) if compare.is_none() => compare = Some(modifier),
            _ => return Err(complaint()),
        }
    }
    if !has_letter {
        return Err(complaint());
    }
    let mut mask = u8::MAX;
    if let Some(ignored) = ignored {
        if ignored.is_empty() || ignored.len() > FLAG_LETTERS_MAX {
            return Err(complaint());
        }
        for letter in ignored.bytes() {
            mask &= !flag(letter).ok_or_else(complaint)?;
        }
    }
    let compare = compare.unwrap_or(Compare::Exactly);
    Ok(PacketTest::new(move |packet| {
        packet.transport.tcp().is_some_and(|tcp| compare_flags(compare, tcp.flags(), wanted, mask))
    }))
}

fn compare_flags(compare: Compare, flags: u8, wanted: u8, mask: u8) -> bool {
    if FLAG_GROUPS.iter().any(|group| wanted & group != 0 && flags & group == 0) {
        return false;
    }
    if wanted == 0 && flags != 0 {
        return compare == Compare::NotAll;
    }
    let flags = flags & mask;
    match compare {
        Compare::Exactly => flags == wanted,
        Compare::AtLeast => flags & wanted == wanted,
        Compare::Any => flags & wanted != 0,
        Compare::NotAll => flags & wanted != wanted,
    }
}

fn compare_of(letter: Option<u8>) -> Option<Compare> {
    match letter? {
        b'+' => Some(Compare::AtLeast),
        b'*' => Some(Compare::Any),
        b'!' => Some(Compare::NotAll),
        _ => None,
    }
}

fn flag(letter: u8) -> Option<u8> {
    Some(match letter {
        b'F' => Tcp::FIN,
        b'S' => Tcp::SYN,
        b'R' => Tcp::RST,
        b'P' => Tcp::PSH,
        b'A' => Tcp::ACK,
        b'U' => Tcp::URG,
        b'C' | b'1' => Tcp::CWR,
        b'E' | b'2' => Tcp::ECE,
        _ => return None,
    })
}

/// `seq`: the sequence number.
pub(super) fn sequence(text: &str) -> Result<PacketTest, Complaint> {
    let wanted = integer::decimal(text, u64::from(u32::MAX))?;
    Ok(PacketTest::new(move |packet| {
        packet.transport.tcp().is_some_and(|tcp| u64::from(tcp.sequence()) == wanted)
    }))
}

/// `ack`: the number acknowledged.
pub(super) fn acknowledged(text: &str) -> Result<PacketTest, Complaint> {
    let wanted = integer::decimal(text, u64::from(u32::MAX))?;
    Ok(PacketTest::new(move |packet| {
        packet.transport.tcp().is_some_and(|tcp| u64::from(tcp.acknowledged()) == wanted)
    }))
}

/// `window`: the window as it stands there, `!` before it for any other.
pub(super) fn window(text: &str) -> Result<PacketTest, Complaint> {
    let text = text.trim();
    let (number, is_negated) = text.strip_prefix('!').map_or((text, false), |rest| (rest, true));
    let wanted = integer::decimal(number, u64::from(u16::MAX))?;
    Ok(PacketTest::new(move |packet| {
        packet.transport.tcp().is_some_and(|tcp| (u64::from(tcp.window()) == wanted) != is_negated)
    }))
}

/// `tcp.mss`: a condition on the maximum segment size, if the option is there.
pub(super) fn segment_size(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u16::MAX))?;
    Ok(PacketTest::new(move |packet| {
        let size = packet.transport.tcp().and_then(|tcp| tcp.options.segment_size);
        size.is_some_and(|size| test.holds(size.into()))
    }))
}

/// `tcp.wscale`: a condition on the window scale, if the option is there.
pub(super) fn window_scale(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u8::MAX))?;
    Ok(PacketTest::new(move |packet| {
        let scale = packet.transport.tcp().and_then(|tcp| tcp.options.window_scale);
        scale.is_some_and(|scale| test.holds(scale.into()))
    }))
}
