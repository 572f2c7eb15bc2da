//! The newer format: blocks, each with its type and its length at both ends.
//!
//! Upon a section header: everything known is forgotten, the order of bytes too; what follows is a capture of its own.
//! Upon an interface description: it gets the next number of its section. Of its options, the two about time are read.
//! Upon an enhanced or an (obsolete) packet block: a frame of the interface that it names.
//! Upon a simple packet block: a frame of interface 0. It has no time, so it gets that of the frame before it in the
//!   file, since a time of 0 would tell everybody who measures by frames that decades have passed.
//! Upon any other block: it is passed over, however long it is, and never held in memory.
//!
//! What is not as the format says is a [`Fault`], and then nothing more is read: where the next block begins stands in
//! the one that is wrong. The length of a section is not looked at, since blocks tell where they end.

use crate::chunk::Entry;
use crate::clock::Clock;
use crate::order::ByteOrder;
use crate::step::{Decoder, Step};
use crate::{FRAME_BYTES_MAX, Fault, Link, Part};

/// The longest block of a type that is read. Those that hold no frame are far shorter. At it: the capture is refused
/// from there on.
pub const BLOCK_BYTES_MAX: u32 = 512 << 10;

/// The most interfaces that one section may describe. At it: the capture is refused from there on.
pub const INTERFACES_MAX: usize = 65_536;

/// A section header begins with this, in either order of bytes.
pub(crate) const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length.
const HEAD_BYTES: usize = 8;
/// The length once more.
const TAIL_BYTES: usize = 4;
/// A section header up to its order of bytes.
const SECTION_HEAD_BYTES: usize = 12;

const OPTIONS_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// What the blocks so far said of those to come.
#[derive(Clone, Debug)]
pub(crate) struct Pcapng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    last_time_ns: u64,
    /// The block that is being passed over must end with this length.
    owed_tail: Option<u32>,
}

/// What a section says of one of its interfaces.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    /// At most so much of each frame was kept; 0 is all of it.
    snap_bytes: u32,
    clock: Clock,
}

impl Pcapng {
    /// The state before the first block, which must be a section header.
    pub(crate) fn new() -> Pcapng {
        Pcapng { order: ByteOrder::Little, interfaces: Vec::new(), last_time_ns: 0, owed_tail: None }
    }

    fn begin_section(&mut self, order: &[u8]) -> Result<(), Fault> {
        self.order = match *order {
            [0x4d, 0x3c, 0x2b, 0x1a] => ByteOrder::Little,
            [0x1a, 0x2b, 0x3c, 0x4d] => ByteOrder::Big,
            _ => {
                let found = order.first_chunk().copied().unwrap_or_default();
                return Err(Fault::ByteOrder { found });
            }
        };
        self.interfaces.clear();
        Ok(())
    }

    fn check_version(&self, body: &[u8]) -> Result<(), Fault> {
        let major = self.order.u16(body, 12).unwrap_or_default();
        let minor = self.order.u16(body, 14).unwrap_or_default();
        // 1.2 is written by some, and means 1.0.
        if major == 1 && (minor == 0 || minor == 2) {
            Ok(())
        } else {
            Err(Fault::Version { major, minor, known: "1.0 of pcapng" })
        }
    }

    /// A block that holds nothing for us, of any length.
    fn pass_over(&mut self, kind: u32, bytes: u32) -> Result<Step, Fault> {
        check_length(kind, bytes, (HEAD_BYTES + TAIL_BYTES) as u32)?;
        self.owed_tail = Some(bytes);
        Ok(Step::Skip(u64::from(bytes) - TAIL_BYTES as u64))
    }

    fn describe(&mut self, body: &[u8]) -> Result<(), Fault> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(Fault::TooManyInterfaces);
        }
        let link = Link(self.order.u16(body, 8).unwrap_or_default());
        let snap_bytes = self.order.u32(body, 12).unwrap_or_default();
        let clock = self.clock(body.get(16..).unwrap_or_default())?;
        self.interfaces.push(Interface { link, snap_bytes, clock });
        Ok(())
    }

    /// The clock of an interface, from its options.
    fn clock(&self, mut options: &[u8]) -> Result<Clock, Fault> {
        let mut clock = Clock::MICROSECONDS;
        while let (Some(code), Some(bytes)) = (self.order.u16(options, 0), self.order.u16(options, 2)) {
            if code == OPTIONS_END {
                break;
            }
            let room = options.len() - 4;
            let Some(value) = options.get(4..4 + usize::from(bytes)) else {
                return Err(Fault::BeyondBlock { bytes: u32::from(bytes), room });
            };
            clock = match (code, value) {
                (OPTION_RESOLUTION, &[resolution]) => clock.with_resolution(resolution),
                (OPTION_RESOLUTION, _) => return Err(Fault::OptionLength { code, bytes, right: 1 }),
                (OPTION_OFFSET, value) => match self.order.i64(value, 0) {
                    Some(offset_s) if bytes == 8 => clock.with_offset(offset_s),
                    _ => return Err(Fault::OptionLength { code, bytes, right: 8 }),
                },
                _ => clock,
            };
            options = options.get(4 + usize::from(bytes).next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(clock)
    }

    /// Enhanced and obsolete packet blocks differ in how the interface is written, and in nothing else that matters.
    fn packet(&self, body: &[u8], interface: Option<u32>) -> Result<Entry, Fault> {
        const AT: usize = 28;
        let word = |at| self.order.u32(body, at).unwrap_or_default();
        let number = interface.unwrap_or_default();
        let known = self.interfaces.len();
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Err(Fault::UnknownInterface { interface: number, known });
        };
        let ticks = u64::from(word(12)) << 32 | u64::from(word(16));
        let bytes = word(20);
        check_frame(bytes, body.len().saturating_sub(AT))?;
        let time_ns = interface.clock.time_ns(ticks);
        Ok(Entry { time_ns, at: AT as u32, bytes, wire_len: word(24), link: interface.link })
    }

    fn simple_packet(&self, body: &[u8]) -> Result<Entry, Fault> {
        const AT: usize = 12;
        let Some(interface) = self.interfaces.first() else {
            return Err(Fault::UnknownInterface { interface: 0, known: 0 });
        };
        let wire_len = self.order.u32(body, 8).unwrap_or_default();
        let bytes = if interface.snap_bytes == 0 { wire_len } else { wire_len.min(interface.snap_bytes) };
        check_frame(bytes, body.len().saturating_sub(AT))?;
        Ok(Entry { time_ns: self.last_time_ns, at: AT as u32, bytes, wire_len, link: interface.link })
    }
}

impl Decoder for Pcapng {
    #[inline]
    fn step(&mut self, rest: &[u8]) -> Result<Step, Fault> {
        if let Some(first) = self.owed_tail {
            let Some(last) = self.order.u32(rest, 0) else { return Ok(Step::Needs(TAIL_BYTES, Part::Block)) };
            check_end(first, last)?;
            self.owed_tail = None;
            return Ok(Step::Skip(TAIL_BYTES as u64));
        }
        let (Some(kind), Some(mut bytes)) = (self.order.u32(rest, 0), self.order.u32(rest, 4)) else {
            return Ok(Step::Needs(HEAD_BYTES, Part::BlockHead));
        };
        if kind == SECTION {
            let Some(order) = rest.get(8..SECTION_HEAD_BYTES) else {
                return Ok(Step::Needs(SECTION_HEAD_BYTES, Part::BlockHead));
            };
            self.begin_section(order)?;
            bytes = self.order.u32(rest, 4).unwrap_or_default();
        }
        let Some(bytes_min) = bytes_min(kind) else { return self.pass_over(kind, bytes) };
        check_length(kind, bytes, bytes_min)?;
        if bytes > BLOCK_BYTES_MAX {
            return Err(Fault::BlockTooLong { kind, bytes });
        }
        let Some(block) = rest.get(..bytes as usize) else {
            return Ok(Step::Needs(bytes as usize, Part::Block));
        };
        check_end(bytes, self.order.u32(block, block.len() - TAIL_BYTES).unwrap_or_default())?;
        let Some(body) = block.get(..block.len() - TAIL_BYTES) else {
            return Ok(Step::Skip(u64::from(bytes)));
        };
        let entry = match kind {
            ENHANCED_PACKET => self.packet(body, self.order.u32(body, 8))?,
            PACKET => self.packet(body, self.order.u16(body, 8).map(u32::from))?,
            SIMPLE_PACKET => self.simple_packet(body)?,
            INTERFACE => {
                self.describe(body)?;
                return Ok(Step::Skip(u64::from(bytes)));
            }
            _ => {
                self.check_version(body)?;
                return Ok(Step::Skip(u64::from(bytes)));
            }
        };
        self.last_time_ns = entry.time_ns;
        Ok(Step::Frame(entry, bytes as usize))
    }

    #[inline]
    fn passing_over(&self) -> Option<u32> {
        self.owed_tail
    }
}

/// How short a block of a type can be; none for a type that is passed over.
fn bytes_min(kind: u32) -> Option<u32> {
    match kind {
        SECTION => Some(28),
        INTERFACE => Some(20),
        PACKET | ENHANCED_PACKET => Some(32),
        SIMPLE_PACKET => Some(16),
        _ => None,
    }
}

fn check_length(kind: u32, bytes: u32, bytes_min: u32) -> Result<(), Fault> {
    if bytes < bytes_min {
        return Err(Fault::BlockTooShort { kind, bytes, bytes_min });
    }
    if !bytes.is_multiple_of(4) {
        return Err(Fault::BlockUneven { kind, bytes });
    }
    Ok(())
}

fn check_end(first: u32, last: u32) -> Result<(), Fault> {
    if first == last { Ok(()) } else { Err(Fault::BlockEnd { first, last }) }
}

fn check_frame(bytes: u32, room: usize) -> Result<(), Fault> {
    if bytes as usize > FRAME_BYTES_MAX {
        return Err(Fault::FrameTooLong { bytes });
    }
    if bytes as usize > room { Err(Fault::BeyondBlock { bytes, room }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
