//! Fragments, until their datagrams are whole.
//!
//! Upon a fragment: it joins the others of its datagram (the same two addresses in either direction, identification,
//! protocol and VLAN tags) as the receiver's policy says what counts where pieces overlap. With the last one there
//! and no hole left, the datagram is put together and forgotten.
//! Upon a fragment later than its datagram's deadline ([`WAIT_SECONDS`] behind the last one, by the time of the
//! frames): it begins a new one.
//! Upon a fragment that does not fit into the limits: the datagrams that began earliest are forgotten and counted,
//! until it does.
//! Upon a mark: from then on a datagram is copied before it changes for the first time, so that all can be put back.
//!
//! The limits are those of one decoder. The engine has one for each of 64 shards.
//!
//! Not here: how the datagram is read.

mod assembly;
mod policy;

pub use policy::{Network, Policies, Policy};

use super::{Event, Ip, Packet};
use crate::Time;
use assembly::Assembly;
use core::net::IpAddr;
use std::collections::BTreeMap;

/// Datagrams of which fragments are kept; beyond that the one that began earliest goes.
const DATAGRAMS_MAX: usize = 4096;
/// Fragments kept of all datagrams; beyond that the datagram that began earliest goes. The largest datagram in the smallest pieces has half as many.
const FRAGMENTS_MAX: usize = 16_384;
/// Bytes kept of all fragments; beyond that the datagram that began earliest goes.
const FRAGMENT_BYTES_MAX: usize = 2 << 20;
/// How long a datagram waits for its next fragment.
const WAIT_SECONDS: u64 = 60;
/// Datagrams that are looked at for their deadline at each new one, from the one that began earliest on.
const DEADLINES_LOOKED_AT: usize = 2;
/// The largest end of a fragment: of IPv4 the header counts, too.
const END_MAX_V4: u32 = 65_535 - 20;
const END_MAX_V6: u32 = 65_535;

/// A fragment as its header tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    /// Where its data begins in the datagram, in bytes.
    pub(crate) offset: u32,
    /// Whether more follow.
    pub(crate) has_more: bool,
    /// The datagram's identification.
    pub(crate) id: u32,
    /// What tells datagrams of the same identification apart: the protocol of IPv4.
    pub(crate) protocol: u8,
    /// What stands before the data and belongs into the datagram: the header of IPv4, of IPv6 all up to the fragment
    /// header.
    pub(crate) head: &'a [u8],
    /// In the head of IPv6: where it says what follows, and what follows in the datagram.
    pub(crate) next: Option<(usize, u8)>,
    /// The data.
    pub(crate) data: &'a [u8],
}

impl Fragment<'_> {
    fn end(&self) -> u32 {
        self.offset + u32::try_from(self.data.len()).unwrap_or(u32::MAX / 2)
    }
}

/// What became of fragments.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Fragments that came.
    pub fragments: u64,
    /// Datagrams that were put together.
    pub reassembled: u64,
    /// Datagrams that waited too long.
    pub expired: u64,
    /// Datagrams that were forgotten because there were too many, or too much of them.
    pub evicted: u64,
}

/// Whose fragments belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    low: IpAddr,
    high: IpAddr,
    id: u32,
    protocol: u8,
    vlan: [u16; 3],
}

/// A datagram that is not whole.
#[derive(Clone, Debug)]
struct Waiting {
    assembly: Assembly,
    /// The second at which it is forgotten.
    deadline: u64,
    /// The number under which it stands in the order of beginning.
    number: u64,
}

/// All datagrams that are not whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fragments {
    waiting: BTreeMap<Key, Waiting>,
    /// In the order in which they began.
    order: BTreeMap<u64, Key>,
    begun: u64,
    fragments: usize,
    bytes: usize,
    counters: Counters,
    saved: Option<Saved>,
}

/// What was there at the mark.
#[derive(Clone, Debug)]
struct Saved {
    /// Datagrams that changed since.
    waiting: BTreeMap<Key, Option<Waiting>>,
    begun: u64,
    counters: Counters,
}

impl Fragments {
    /// From here on everything can be put back.
    pub(crate) fn mark(&mut self) {
        self.saved = Some(Saved { waiting: BTreeMap::new(), begun: self.begun, counters: self.counters });
    }

    /// Puts everything back as it was at the mark.
    pub(crate) fn put_back(&mut self) {
        let Some(saved) = self.saved.take() else { return };
        for (key, waiting) in saved.waiting {
            self.forget(&key);
            let Some(waiting) = waiting else { continue };
            let size = waiting.assembly.size();
            self.fragments += size.fragments;
            self.bytes += size.bytes;
            self.order.insert(waiting.number, key);
            self.waiting.insert(key, waiting);
        }
        (self.begun, self.counters) = (saved.begun, saved.counters);
    }

    fn save(&mut self, key: &Key) {
        if let Some(saved) = &mut self.saved
            && !saved.waiting.contains_key(key)
        {
            saved.waiting.insert(*key, self.waiting.get(key).cloned());
        }
    }

    /// Bytes that are kept.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.bytes as u64
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes a fragment; the packet is told what is odd about it. Returns the datagram if it is whole now.
    pub(crate) fn take(
        &mut self,
        time: Time,
        policies: &Policies,
        packet: &mut Packet<'_>,
        fragment: &Fragment<'_>,
    ) -> Option<Vec<u8>> {
        self.counters.fragments += 1;
        let is_v4 = matches!(packet.ip, Some(Ip::V4(_)));
        let (end_max, too_large, overlap) = if is_v4 {
            (END_MAX_V4, Event::Fragment4TooLarge, Event::Fragment4Overlap)
        } else {
            (END_MAX_V6, Event::Fragment6TooLarge, Event::Fragment6Overlap)
        };
        if fragment.end() > end_max {
            packet.odd(too_large);
            return None;
        }
        let key = Key {
            low: packet.source.min(packet.destination),
            high: packet.source.max(packet.destination),
            id: fragment.id,
            protocol: fragment.protocol,
            vlan: packet.vlan.places(),
        };
        self.expire(time, &key);
        self.make_room(&key, fragment.data.len() + fragment.head.len());
        let policy = policies.of(packet.destination);
        self.save(&key);
        let waiting = self.begin(key, policy);
        waiting.deadline = time.seconds().saturating_add(WAIT_SECONDS);
        let before = waiting.assembly.size();
        let is_overlap = waiting.assembly.add(fragment);
        let after = waiting.assembly.size();
        let outcome = waiting.assembly.finish(is_v4);
        self.fragments = (self.fragments + after.fragments).saturating_sub(before.fragments);
        self.bytes = (self.bytes + after.bytes).saturating_sub(before.bytes);
        if is_overlap {
            packet.odd(overlap);
        }
        match outcome {
            assembly::Outcome::Waits => None,
            assembly::Outcome::Broken => {
                self.forget(&key);
                None
            }
            assembly::Outcome::Whole(datagram) => {
                self.forget(&key);
                self.counters.reassembled += 1;
                Some(datagram)
            }
        }
    }

    /// Forgets what waited too long: the datagram of this key, and some of those that began earliest.
    fn expire(&mut self, time: Time, key: &Key) {
        let now = time.seconds();
        let is_late = |waiting: &Waiting| waiting.deadline <= now;
        if self.waiting.get(key).is_some_and(is_late) {
            self.forget(key);
            self.counters.expired += 1;
        }
        for _ in 0..DEADLINES_LOOKED_AT {
            let Some((_, first)) = self.order.first_key_value() else { return };
            let first = *first;
            if !self.waiting.get(&first).is_some_and(is_late) {
                return;
            }
            self.forget(&first);
            self.counters.expired += 1;
        }
    }

    /// Makes room for one more fragment with so many bytes, by forgetting others than that of this key as long as
    /// there are.
    fn make_room(&mut self, key: &Key, bytes: usize) {
        let is_new = usize::from(!self.waiting.contains_key(key));
        while self.waiting.len() + is_new > DATAGRAMS_MAX
            || self.fragments >= FRAGMENTS_MAX
            || self.bytes + bytes > FRAGMENT_BYTES_MAX
        {
            let Some((_, first)) = self.order.first_key_value() else { return };
            let first = *first;
            self.forget(&first);
            self.counters.evicted += 1;
        }
    }

    fn begin(&mut self, key: Key, policy: Policy) -> &mut Waiting {
        let Fragments { waiting, order, begun, .. } = self;
        waiting.entry(key).or_insert_with(|| {
            *begun += 1;
            order.insert(*begun, key);
            Waiting { assembly: Assembly::new(policy), deadline: 0, number: *begun }
        })
    }

    fn forget(&mut self, key: &Key) {
        self.save(key);
        let Some(gone) = self.waiting.remove(key) else { return };
        self.order.remove(&gone.number);
        let size = gone.assembly.size();
        self.fragments = self.fragments.saturating_sub(size.fragments);
        self.bytes = self.bytes.saturating_sub(size.bytes);
    }
}

#[cfg(test)]
mod tests;
