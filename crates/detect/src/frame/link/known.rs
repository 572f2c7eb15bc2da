//! Which links are understood, and a count of frames whose link is not.
//!
//! A frame of another link is a packet that could not be read: nothing in it is looked at. That is told, with the types that were met: a capture of which
//! nothing could be read must not look like one in which nothing was found. Of more than [`TYPES_MAX`] types the frames are counted, and the numbers are not kept.

use super::link_type;

/// Link types whose numbers are kept.
const TYPES_MAX: usize = 4;

/// The links that are understood: what pcap calls them, and what they are.
pub const KNOWN_LINKS: &[(u16, &str)] = &[
    (link_type::NULL, "BSD loopback"),
    (link_type::ETHERNET, "Ethernet"),
    (link_type::PPP, "PPP"),
    (link_type::RAW, "raw IP"),
    (link_type::RAW_OPENBSD, "raw IP of OpenBSD"),
    (link_type::RAW_ANY, "raw IP"),
    (link_type::CISCO_HDLC, "Cisco HDLC"),
    (link_type::LOOP, "OpenBSD loopback"),
    (link_type::COOKED, "Linux cooked"),
    (link_type::IPV4, "IPv4"),
    (link_type::IPV6, "IPv6"),
    (link_type::COOKED_2, "Linux cooked, version 2"),
    (link_type::GRE_OVER_IP, "GRE over IP"),
];

/// Frames whose link is not understood, by its type.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct UnknownLinks {
    /// Types in ascending order, and how many frames; no frames: the place is free.
    types: [(u16, u64); TYPES_MAX],
    /// Frames of further types.
    others: u64,
}

impl UnknownLinks {
    /// Counts a frame of this link, if that is not understood.
    #[inline]
    pub(crate) fn count(&mut self, link: u16) {
        if link != link_type::ETHERNET && !KNOWN_LINKS.iter().any(|known| known.0 == link) {
            self.add(link, 1);
        }
    }

    fn add(&mut self, link: u16, frames: u64) {
        let place = self.types.iter().position(|(known, count)| *count > 0 && *known == link);
        let place = place.or_else(|| self.types.iter().position(|(_, count)| *count == 0));
        match place.and_then(|place| self.types.get_mut(place)) {
            Some(slot) => *slot = (link, slot.1.saturating_add(frames)),
            None => self.others = self.others.saturating_add(frames),
        }
        self.types.sort_unstable_by_key(|(known, count)| (*count == 0, *known));
    }

    /// What two workers counted.
    #[must_use]
    pub fn plus(mut self, other: UnknownLinks) -> Self {
        for (link, frames) in other.types.into_iter().filter(|(_, frames)| *frames > 0) {
            self.add(link, frames);
        }
        self.others = self.others.saturating_add(other.others);
        self
    }

    /// How many frames.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.types.iter().fold(self.others, |sum, (_, frames)| sum.saturating_add(*frames))
    }

    /// What to tell of a capture of so many frames; nothing, if all links were understood.
    #[must_use]
    pub fn words(&self, frames: u64) -> Option<String> {
        if self.frames() == 0 {
            return None;
        }
        let met = self.types.iter().filter(|(_, frames)| *frames > 0);
        let mut met: Vec<String> = met.map(|(link, frames)| format!("type {link}: {frames}")).collect();
        if self.others > 0 {
            met.push(format!("further types: {}", self.others));
        }
        let known: Vec<String> = KNOWN_LINKS.iter().map(|(link, name)| format!("{link} ({name})")).collect();
        Some(format!(
            "{} of {frames} frames could not be read, since nobody here knows their link ({}); known link types are {}",
            self.frames(),
            met.join(", "),
            known.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_links_that_are_not_understood_are_counted_by_type() {
        let mut one = UnknownLinks::default();
        for link in KNOWN_LINKS {
            one.count(link.0);
        }
        assert_eq!((one.words(13), one.frames()), (None, 0));
        [147, 105, 147].into_iter().for_each(|link| one.count(link));
        let mut other = UnknownLinks::default();
        [195, 105, 2, 3, 4].into_iter().for_each(|link| other.count(link));
        let all = one.plus(other);
        assert_eq!((all.frames(), one.plus(other).frames()), (8, other.plus(one).frames()));
        let words = one.words(20).unwrap_or_default();
        assert!(words.starts_with("3 of 20 frames could not be read"), "{words}");
        assert!(words.contains("(type 105: 1, type 147: 2)") && words.contains("1 (Ethernet)"), "{words}");
        assert!(all.words(20).is_some_and(|words| words.contains("further types: 2")));
    }
}
