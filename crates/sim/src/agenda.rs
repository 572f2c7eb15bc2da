//! What will happen, in the order in which it will.
//!
//! A heap of small keys (time, order of entry, place in a store) beside a store of what happens; two things at the same
//! moment happen in the order in which they were entered. So the order is total and depends on nothing outside.

use bytes::Bytes;
use core::cmp::Reverse;
use std::collections::BinaryHeap;
use wire::{NodeId, Peer, Time};

/// Things that may be under way at once at most. Over it something multiplies without end, and the run stops.
pub const HAPPENINGS_MAX: usize = 1 << 20;

/// Whose timer it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Owner {
    /// The guard's.
    Guard,
    /// The replica's.
    Replica,
    /// Those of the second copy that a traitor runs under the same name.
    Twin,
}

/// Something that will happen. Nodes, clients and faults are named by their index.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A frame arrives.
    Frame {
        /// The index of the peer it arrives at.
        to: u8,
        /// Who is at the other end of the link.
        link: Peer,
        /// The frame.
        frame: Bytes,
    },
    /// A frame that does not arrive: the machine that it came from, or was for, is gone.
    Lost {
        /// The index of the peer it was for.
        to: u8,
        /// Who was at the other end of the link.
        link: Peer,
    },
    /// A timer may have run out.
    Timer {
        /// At which node.
        node: u8,
        /// Whose.
        owner: Owner,
        /// Which.
        timer: u8,
    },
    /// A disk has finished a flush.
    Flushed {
        /// At which node.
        node: u8,
        /// Which life of the node's process asked for it.
        life: u32,
    },
    /// A traitor does what it put off.
    Treason {
        /// Which node.
        node: u8,
        /// Which of the things put off.
        index: u32,
    },
    /// Sessions of a station may want to send their requests again.
    Retry {
        /// Which station.
        station: u8,
    },
    /// What a station has gathered leaves.
    Turn {
        /// Which station.
        station: u8,
    },
    /// A client has thought long enough.
    Thought {
        /// Which client.
        client: u8,
    },
    /// A fault of the plan begins.
    FaultBegins {
        /// Which.
        fault: u16,
    },
    /// A fault of the plan ends.
    FaultEnds {
        /// Which.
        fault: u16,
    },
    /// An outsider strikes.
    Outsider {
        /// During which fault.
        fault: u16,
    },
    /// Time to look whether a node writes, and to crash it if it does.
    Lurk {
        /// During which fault.
        fault: u16,
    },
    /// A node that crashed mid-write is up again.
    Recover {
        /// Which node.
        node: u8,
    },
    /// All faults are over.
    Heal,
    /// Time to look whether everything has come to rest.
    Probe,
}

/// What will happen.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    store: Vec<Option<Happening>>,
    free: Vec<u32>,
    entered: u64,
}

/// Bits of a key that say where in the store the happening is.
const PLACE_BITS: u32 = 24;

impl Agenda {
    /// Enters `happening` at `at`.
    pub fn enter(&mut self, at: Time, happening: Happening) {
        let place = match self.free.pop() {
            Some(place) => {
                self.store[place as usize] = Some(happening);
                place
            }
            None => {
                assert!(self.store.len() < HAPPENINGS_MAX, "more is under way than a run may have");
                self.store.push(Some(happening));
                self.store.len() as u32 - 1
            }
        };
        self.entered += 1;
        self.heap.push(Reverse((at.0, self.entered << PLACE_BITS | u64::from(place))));
    }

    /// Every frame between the node `node` and others is lost.
    pub fn lose_frames_of(&mut self, node: NodeId) {
        for happening in self.store.iter_mut().flatten() {
            if let Happening::Frame { to, link, .. } = happening
                && (u16::from(*to) == node.0 || *link == Peer::Node(node))
            {
                *happening = Happening::Lost { to: *to, link: *link };
            }
        }
    }

    /// Takes out what happens next.
    pub fn take_next(&mut self) -> Option<(Time, Happening)> {
        let Reverse((at, key)) = self.heap.pop()?;
        let place = (key & ((1 << PLACE_BITS) - 1)) as u32;
        self.free.push(place);
        let happening = self.store[place as usize].take().expect("a key in the heap has its happening");
        Some((Time(at), happening))
    }

    /// How much is under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_order_of_time_then_of_entry() {
        let mut agenda = Agenda::default();
        for (at, client) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            agenda.enter(Time(at), Happening::Retry { station: client });
        }
        let mut order = Vec::new();
        while let Some((at, Happening::Retry { station: client })) = agenda.take_next() {
            order.push((at.0, client));
        }
        assert_eq!(order, [(3, 1), (3, 3), (5, 0), (5, 2)]);
        assert!(agenda.is_empty());
    }
}
