//! A cursor over bytes that may end too early: every read says what it read, or nothing if there is not enough.
//!
//! Not here: what text means, bits and ASN.1.

/// Reads from the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the front of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How much was not read yet.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether all was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(front)
    }

    /// The next `count` bytes, or as many as there are.
    pub(crate) fn take_at_most(&mut self, count: usize) -> &'a [u8] {
        let (front, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        front
    }

    /// Passes over `count` bytes.
    pub(crate) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    /// The bytes before the next `end`, which is passed over too.
    pub(crate) fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let place = self.rest.iter().position(|byte| *byte == end)?;
        let front = self.take(place)?;
        self.skip(1)?;
        Some(front)
    }

    /// The longest beginning of such bytes, which may be empty.
    pub(crate) fn take_while(&mut self, is_one: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is_one(*byte)).unwrap_or(self.rest.len());
        self.take_at_most(end)
    }

    /// The longest beginning of such bytes, one at least.
    pub(crate) fn take_some(&mut self, is_one: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        Some(self.take_while(is_one)).filter(|front| !front.is_empty())
    }

    /// Passes over these bytes, if they stand here.
    pub(crate) fn tag(&mut self, tag: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(tag)?;
        Some(())
    }

    /// Bytes behind a length of two bytes, the high one first.
    pub(crate) fn piece(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.be16()?;
        let piece = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(piece)
    }

    /// The next bytes, as many as the array has.
    pub(crate) fn array<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        self.take(COUNT)?.try_into().ok()
    }

    /// A byte.
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, the low one first.
    pub(crate) fn le16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, the low one first.
    pub(crate) fn le32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, the low one first.
    pub(crate) fn le64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Two bytes, the high one first.
    pub(crate) fn be16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, the high one first.
    pub(crate) fn be32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes, the high one first.
    pub(crate) fn be64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Two bytes in the order that the message uses.
    pub(crate) fn u16(&mut self, little: bool) -> Option<u16> {
        if little { self.le16() } else { self.be16() }
    }

    /// Four bytes in the order that the message uses.
    pub(crate) fn u32(&mut self, little: bool) -> Option<u32> {
        if little { self.le32() } else { self.be32() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_read_and_nothing_is_passed_over() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.be32(), None);
        assert_eq!(reader.le16(), Some(0x0201));
        assert_eq!(reader.until(9), None);
        assert_eq!(reader.rest(), &[3]);
        assert_eq!(reader.take_at_most(5), &[3]);
        assert!(reader.is_empty());
    }

    #[test]
    fn letters_and_pieces_are_read_or_left() {
        let mut reader = Reader::new(&[0, 4, b'a', b'b']);
        assert_eq!(reader.piece(), None);
        assert_eq!(reader.tag(b"x"), None);
        assert_eq!(reader.tag(&[0, 4]), Some(()));
        assert_eq!(reader.take_while(|byte| byte == b'a'), b"a");
        assert_eq!(reader.take_some(|byte| byte == b'a'), None);
        assert_eq!(reader.rest(), b"b");
    }
}
