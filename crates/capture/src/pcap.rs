//! The classical format: a head of 24 bytes, then records, each a head and a frame.
//!
//! The first four bytes tell the order of bytes and what the second number of a time counts:
//!   - `a1b2c3d4`: microseconds; `a1b23c4d`: nanoseconds;
//!   - `a1b2cd34`: microseconds, and the head of a record has eight bytes more (interface, protocol, kind), as one
//!     version of Kuznetzov's changes to libpcap wrote it. They are passed over.
//!
//! Versions before 2.3 have the two lengths of a record the other way round, and 2.3 has them either way, so that the
//! smaller one counts as what was captured.
//!
//! A fraction of a second that is a second or more is added as it is.

use crate::chunk::Entry;
use crate::order::ByteOrder;
use crate::step::{Decoder, Step};
use crate::{FRAME_BYTES_MAX, Fault, Link, Part};

/// The head of a file.
pub(crate) const HEAD_BYTES: usize = 24;

const NS_PER_S: u64 = 1_000_000_000;
const RECORD_HEAD_BYTES: usize = 16;
pub(crate) const RECORD_HEAD_MODIFIED_BYTES: usize = 24;

/// What the head of a file says of its records.
#[derive(Clone, Debug)]
pub(crate) struct Pcap {
    order: ByteOrder,
    tick_ns: u64,
    record_head_bytes: usize,
    lengths: Lengths,
    link: Link,
}

/// Which of the two lengths of a record stands first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

impl Pcap {
    /// What the first four bytes of a file say, if they say that it is one of these.
    pub(crate) fn knows(magic: [u8; 4]) -> bool {
        Pcap::variant(magic).is_some()
    }

    fn variant(magic: [u8; 4]) -> Option<(ByteOrder, u64, usize)> {
        let (order, number) = match magic {
            [0xa1, ..] => (ByteOrder::Big, u32::from_be_bytes(magic)),
            _ => (ByteOrder::Little, u32::from_le_bytes(magic)),
        };
        match number {
            0xa1b2_c3d4 => Some((order, 1_000, RECORD_HEAD_BYTES)),
            0xa1b2_3c4d => Some((order, 1, RECORD_HEAD_BYTES)),
            0xa1b2_cd34 => Some((order, 1_000, RECORD_HEAD_MODIFIED_BYTES)),
            _ => None,
        }
    }

    /// Reads the head of a file.
    pub(crate) fn decode(head: &[u8; HEAD_BYTES]) -> Result<Pcap, Fault> {
        let [a, b, c, d, ..] = *head;
        let Some((order, tick_ns, record_head_bytes)) = Pcap::variant([a, b, c, d]) else {
            return Err(Fault::NotACapture { found: vec![a, b, c, d] });
        };
        // The head is long enough for all of them.
        let major = order.u16(head, 4).unwrap_or_default();
        let minor = order.u16(head, 6).unwrap_or_default();
        let network = order.u32(head, 20).unwrap_or_default();
        let lengths = match (major, minor) {
            (2, 4) => Lengths::CapturedFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            // 543.0 is what the tcpdump of DG/UX wrote.
            (2, 0..=2) | (543, 0) => Lengths::WireFirst,
            _ => return Err(Fault::Version { major, minor, known: "2.4 (and 2.0 to 2.3) of pcap" }),
        };
        // The upper half tells of checksums behind frames, if anything.
        let link = Link((network & 0xffff) as u16);
        Ok(Pcap { order, tick_ns, record_head_bytes, lengths, link })
    }
}

impl Decoder for Pcap {
    #[inline]
    fn step(&mut self, rest: &[u8]) -> Result<Step, Fault> {
        let head_bytes = self.record_head_bytes;
        let Some(head) = rest.first_chunk::<RECORD_HEAD_BYTES>() else {
            return Ok(Step::Needs(head_bytes, Part::RecordHead));
        };
        let word = |at| self.order.u32(head, at).unwrap_or_default();
        let (first, second) = (word(8), word(12));
        let (captured, wire_len) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::WireFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        if captured as usize > FRAME_BYTES_MAX {
            return Err(Fault::FrameTooLong { bytes: captured });
        }
        let record_bytes = head_bytes + captured as usize;
        if rest.len() < record_bytes {
            let is_head_here = rest.len() >= head_bytes;
            let within = if is_head_here { Part::Record } else { Part::RecordHead };
            return Ok(Step::Needs(if is_head_here { record_bytes } else { head_bytes }, within));
        }
        let time_ns = u64::from(word(0)) * NS_PER_S + u64::from(word(4)) * self.tick_ns;
        let entry = Entry { time_ns, at: head_bytes as u32, bytes: captured, wire_len, link: self.link };
        Ok(Step::Frame(entry, record_bytes))
    }

    #[inline]
    fn passing_over(&self) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests;
