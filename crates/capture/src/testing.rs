//! For tests: captures built by hand, and everything that a reader says of one.

use crate::order::ByteOrder;
use crate::{Chunk, Error, Frame, Link, Reader};
use std::io::Read;

/// A frame, kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    pub(crate) time_ns: u64,
    pub(crate) link: Link,
    pub(crate) wire_len: u32,
    pub(crate) bytes: Vec<u8>,
}

impl From<Frame<'_>> for Told {
    fn from(frame: Frame<'_>) -> Told {
        let Frame { time_ns, link, wire_len, bytes } = frame;
        Told { time_ns, link, wire_len, bytes: bytes.to_vec() }
    }
}

/// All frames, and how it ended.
pub(crate) fn read_all(source: impl Read) -> (Vec<Told>, Option<Error>) {
    let mut frames = Vec::new();
    let mut reader = match Reader::new(source) {
        Ok(reader) => reader,
        Err(error) => return (frames, Some(error)),
    };
    let mut chunk = Chunk::new();
    loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) => {
                assert_eq!(chunk.frames().len(), chunk.len());
                assert_eq!(chunk.bytes(), chunk.frames().map(|frame| frame.bytes.len() as u64).sum::<u64>());
                frames.extend(chunk.frames().map(Told::from));
            }
            Ok(false) => {
                assert!(chunk.is_empty());
                return (frames, None);
            }
            Err(error) => {
                assert!(chunk.is_empty());
                assert!(!reader.next_chunk(&mut chunk).expect("an error is told once"));
                return (frames, Some(error));
            }
        }
    }
}

/// A source that gives a few bytes at a time.
pub(crate) struct Trickle<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) piece_bytes: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        let most = self.piece_bytes.min(space.len());
        self.bytes.read(space.get_mut(..most).unwrap_or_default())
    }
}

/// Bytes in one order.
pub(crate) struct Bytes {
    order: ByteOrder,
    pub(crate) bytes: Vec<u8>,
}

impl Bytes {
    pub(crate) fn new(order: ByteOrder) -> Bytes {
        Bytes { order, bytes: Vec::new() }
    }

    pub(crate) fn u16(mut self, number: u16) -> Bytes {
        let two = if self.order == ByteOrder::Little { number.to_le_bytes() } else { number.to_be_bytes() };
        self.bytes.extend(two);
        self
    }

    pub(crate) fn u32(mut self, number: u32) -> Bytes {
        let four = if self.order == ByteOrder::Little { number.to_le_bytes() } else { number.to_be_bytes() };
        self.bytes.extend(four);
        self
    }

    pub(crate) fn i64(mut self, number: i64) -> Bytes {
        let eight = if self.order == ByteOrder::Little { number.to_le_bytes() } else { number.to_be_bytes() };
        self.bytes.extend(eight);
        self
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Bytes {
        self.bytes.extend(bytes);
        self
    }

    /// Fills up to a multiple of four.
    pub(crate) fn padded(mut self) -> Bytes {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// The head of a pcap file.
    pub(crate) fn pcap_head(self, magic: u32, (major, minor): (u16, u16), network: u32) -> Bytes {
        self.u32(magic).u16(major).u16(minor).u32(0).u32(0).u32(65_535).u32(network)
    }

    /// A record of pcap.
    pub(crate) fn record(self, (seconds, fraction): (u32, u32), lengths: (u32, u32), frame: &[u8]) -> Bytes {
        self.u32(seconds).u32(fraction).u32(lengths.0).u32(lengths.1).raw(frame)
    }

    /// A block of pcapng around `body`, which is filled up to a multiple of four.
    pub(crate) fn block(self, kind: u32, body: Bytes) -> Bytes {
        let body = body.padded();
        let bytes = body.bytes.len() as u32 + 12;
        self.u32(kind).u32(bytes).raw(&body.bytes).u32(bytes)
    }

    pub(crate) fn section(self) -> Bytes {
        let body = Bytes::new(self.order).u32(0x1a2b_3c4d).u16(1).u16(0).i64(-1);
        self.block(0x0a0d_0d0a, body)
    }

    pub(crate) fn interface(self, link: u16, snap_bytes: u32, options: Bytes) -> Bytes {
        let body = Bytes::new(self.order).u16(link).u16(0).u32(snap_bytes).raw(&options.bytes);
        self.block(1, body)
    }

    /// An option without its padding's being counted.
    pub(crate) fn option(self, code: u16, value: &[u8]) -> Bytes {
        self.u16(code).u16(value.len() as u16).raw(value).padded()
    }

    pub(crate) fn enhanced(self, interface: u32, ticks: u64, wire_len: u32, frame: &[u8]) -> Bytes {
        let body = Bytes::new(self.order).u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        let body = body.u32(frame.len() as u32).u32(wire_len).raw(frame).padded();
        // A comment, since most writers add something.
        let order = self.order;
        let options = Bytes::new(order).option(1, b"hi").u32(0);
        self.block(6, body.raw(&options.bytes))
    }
}
