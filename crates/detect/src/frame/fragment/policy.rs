//! What counts where fragments overlap: receivers differ, and so do the policies (Novak, "Target-Based Fragmentation
//! Reassembly").
//!
//! A policy compares a new fragment with old ones, one after the other, and cuts bytes off the front of one or the
//! other. What it leaves overlapping is settled by the order in which pieces are laid down, see `assembly`.

use core::net::IpAddr;

/// How a receiver puts fragments together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// What came first counts, unless a new fragment begins before an old one.
    Bsd,
    /// Of two with the same offset the later counts.
    BsdRight,
    /// What came first counts.
    First,
    /// What came last counts.
    Last,
    /// As BSD, but of two with the same offset the later counts if it is as long.
    Linux,
    /// What came first counts, unless a new fragment covers an old one at both ends.
    Windows,
    /// As Windows, but an old one is covered if the new begins before it and reaches its end.
    Solaris,
}

/// Where a piece lies in the datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// Its first byte.
    pub(super) start: u32,
    /// Behind its last byte.
    pub(super) end: u32,
    /// Bytes at its front that do not count.
    pub(super) cut: u32,
}

impl Span {
    pub(super) fn new(start: u32, end: u32) -> Self {
        Span { start, end, cut: 0 }
    }

    /// Nothing of it counts.
    pub(super) fn is_empty(self) -> bool {
        self.cut >= self.end.saturating_sub(self.start)
    }

    /// The first byte that counts.
    fn front(self) -> u32 {
        self.start.saturating_add(self.cut)
    }

    /// Takes away what lies before `place`.
    fn cut_to(&mut self, place: u32) {
        self.cut = place.saturating_sub(self.start);
    }

    fn cut_all(&mut self) {
        self.cut = self.end.saturating_sub(self.start);
    }
}

/// What follows from comparing a new fragment with an old one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Decision {
    /// It is to be compared with the next.
    GoOn,
    /// It is kept, as it was cut.
    Insert,
    /// It does not count.
    Drop,
}

impl Policy {
    /// Compares `new` with `old`; `next` is the piece behind `old`.
    pub(super) fn decide(self, new: &mut Span, old: &mut Span, next: Option<&mut Span>) -> Decision {
        match self {
            Policy::Bsd => bsd(new, old, next),
            Policy::BsdRight => Decision::GoOn,
            Policy::First => first(new, old),
            Policy::Last => last(new, old),
            Policy::Linux => linux(new, old),
            Policy::Windows => windows(new, old),
            Policy::Solaris => solaris(new, old),
        }
    }
}

fn bsd(new: &mut Span, old: &mut Span, next: Option<&mut Span>) -> Decision {
    if new.start >= old.end {
        return Decision::GoOn;
    }
    if old.start <= new.start {
        if old.end > new.end {
            return Decision::Drop;
        }
        new.cut_to(old.end);
    } else if new.end > old.front() {
        old.cut_to(new.end);
    }
    if let Some(next) = next
        && new.end > next.start
    {
        next.cut_to(new.end);
    }
    Decision::Insert
}

fn linux(new: &mut Span, old: &mut Span) -> Decision {
    if old.front() < new.front() && old.end > new.front() {
        new.cut += old.end - new.start;
    }
    if new.front() < old.front() && new.end > old.front() {
        old.cut_to(new.end);
        return Decision::Insert;
    }
    if new.front() <= old.front() && new.end >= old.end {
        old.cut_all();
        return Decision::Insert;
    }
    Decision::GoOn
}

fn windows(new: &mut Span, old: &mut Span) -> Decision {
    if new.start >= old.start && new.end <= old.end {
        return Decision::Drop;
    }
    if new.start < old.start && new.end > old.end {
        old.cut_all();
        return Decision::Insert;
    }
    let overlaps_end = new.front() > old.front() && new.front() < old.end;
    let begins_alike = new.start == old.start && new.end > old.end;
    if overlaps_end || begins_alike {
        new.cut += old.end - new.start;
        return Decision::Insert;
    }
    Decision::GoOn
}

fn solaris(new: &mut Span, old: &mut Span) -> Decision {
    if new.start >= old.end {
        return Decision::GoOn;
    }
    if new.start >= old.start {
        new.cut_to(old.end);
    } else if new.end >= old.end {
        old.cut_all();
    }
    Decision::Insert
}

fn first(new: &mut Span, old: &mut Span) -> Decision {
    if new.start >= old.start && new.end <= old.end {
        return Decision::Drop;
    }
    if new.start < old.start {
        return Decision::Insert;
    }
    if new.start < old.end {
        new.cut_to(old.end);
        return Decision::Insert;
    }
    Decision::GoOn
}

fn last(new: &mut Span, old: &mut Span) -> Decision {
    if new.start > old.start {
        return Decision::GoOn;
    }
    if new.end > old.start {
        old.cut_to(new.end);
    }
    Decision::Insert
}

/// Addresses with the same first bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// All addresses that have the first `bits` bits of `address`.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Self {
        Network { address, bits }
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (ours, theirs, width) = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => (ours.to_bits(), theirs.to_bits(), 128),
            _ => return false,
        };
        let rest = u32::from(width - self.bits.min(width));
        (ours ^ theirs).checked_shr(rest).unwrap_or(0) == 0
    }
}

/// Which receiver follows which policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policies {
    /// Receivers by their networks; the narrowest that has an address counts.
    pub networks: Vec<(Network, Policy)>,
    /// All others.
    pub others: Policy,
}

impl Default for Policies {
    /// IPv4 as Windows does, IPv6 as BSD does.
    fn default() -> Self {
        let all_v4 = Network::new(IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), 0);
        Policies { networks: vec![(all_v4, Policy::Windows)], others: Policy::Bsd }
    }
}

impl Policies {
    /// The same policy for all.
    #[must_use]
    pub fn all(policy: Policy) -> Self {
        Policies { networks: Vec::new(), others: policy }
    }

    /// The policy of the receiver at `address`.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Policy {
        self.networks
            .iter()
            .filter(|(network, _)| network.contains(address))
            .max_by_key(|(network, _)| network.bits)
            .map_or(self.others, |(_, policy)| *policy)
    }
}
