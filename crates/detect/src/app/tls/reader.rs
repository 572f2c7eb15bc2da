//! Reads numbers and pieces from the front of bytes; says nothing instead of reading beyond the end.

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug)]
pub(in crate::app) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the front of `bytes`.
    pub(in crate::app) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    pub(in crate::app) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub(in crate::app) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    /// One byte.
    pub(in crate::app) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    pub(in crate::app) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Three bytes.
    pub(in crate::app) fn u24(&mut self) -> Option<u32> {
        self.array::<3>().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    /// Four bytes.
    pub(in crate::app) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Bytes behind a length of one byte.
    pub(in crate::app) fn short_piece(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u8()?;
        let piece = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(piece)
    }

    /// Bytes behind a length of two bytes.
    pub(in crate::app) fn piece(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let piece = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(piece)
    }
}
