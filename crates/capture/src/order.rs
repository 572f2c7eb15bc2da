//! Numbers out of bytes, in the order of the machine that wrote them.

/// Which byte of a number comes first in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The number at `at`, unless `bytes` end before it does.
    #[inline]
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if self == ByteOrder::Little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    }

    /// The number at `at`, unless `bytes` end before it does.
    #[inline]
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk()?;
        Some(if self == ByteOrder::Little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    /// The number at `at`, unless `bytes` end before it does.
    pub(crate) fn i64(self, bytes: &[u8], at: usize) -> Option<i64> {
        let eight = *bytes.get(at..)?.first_chunk()?;
        Some(if self == ByteOrder::Little { i64::from_le_bytes(eight) } else { i64::from_be_bytes(eight) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_read_the_same_bytes_differently_and_nothing_past_the_end() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(ByteOrder::Little.u16(&bytes, 6), Some(0x0807));
        assert_eq!(ByteOrder::Big.u16(&bytes, 6), Some(0x0708));
        assert_eq!(ByteOrder::Little.u32(&bytes, 1), Some(0x0504_0302));
        assert_eq!(ByteOrder::Big.u32(&bytes, 1), Some(0x0203_0405));
        assert_eq!(ByteOrder::Big.i64(&bytes, 0), Some(0x0102_0304_0506_0708));
        assert_eq!(ByteOrder::Little.i64(&[0xff; 8], 0), Some(-1));
        assert_eq!(ByteOrder::Big.u16(&bytes, 7), None);
        assert_eq!(ByteOrder::Big.u32(&bytes, 5), None);
        assert_eq!(ByteOrder::Big.i64(&bytes, usize::MAX), None);
    }
}
