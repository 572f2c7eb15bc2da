//! The canonical encoding: one value, one sequence of bytes, on every machine.
//!
//! Numbers are little-endian and of fixed width. A list is its length (`u32`) and its items; an option is a byte
//! 0 or 1 and the value; an enum is a tag byte and its fields. There is no padding and no default, so equal values
//! have equal bytes, and a digest or a MAC over the bytes is one over the value.
//!
//! Decoding bytes that a stranger sent:
//! - never panics and never reads past the end;
//! - never allocates more than the bytes present can fill: a list that announces more items than could fit in
//!   what is left is refused before anything is reserved;
//! - refuses what is not canonical (a bool of 2, an unknown tag) and what is left over at the end.

use bytes::Bytes;
use core::fmt;

/// A value that has a canonical encoding.
pub trait Encode {
    /// Appends the encoding of `self` to `to`.
    fn encode(&self, to: &mut Vec<u8>);

    /// The encoding of `self` alone.
    fn to_bytes(&self) -> Bytes {
        let mut to = Vec::with_capacity(128);
        self.encode(&mut to);
        Bytes::from(to)
    }
}

/// A value that can be read back from its canonical encoding.
pub trait Decode: Sized {
    /// Reads one value from the front of `from`.
    fn decode(from: &mut Reader) -> Result<Self, DecodeError>;

    /// Reads one value that must fill `bytes` to the end.
    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// Why bytes are not the encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end inside a value.
    Truncated {
        /// How many bytes the value still needs.
        wanted: usize,
        /// How many there are.
        left: usize,
    },
    /// The value ended and bytes are left.
    TrailingBytes {
        /// How many.
        left: usize,
    },
    /// A tag byte that names no variant.
    UnknownTag {
        /// The type being read.
        of: &'static str,
        /// The byte found.
        tag: u8,
    },
    /// A length or a number over the limit of its field.
    OverLimit {
        /// The field.
        field: &'static str,
        /// What the bytes say.
        found: u64,
        /// The greatest value allowed.
        limit: u64,
    },
    /// Fields that contradict each other.
    Inconsistent {
        /// What does not hold.
        what: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated { wanted, left } => {
                write!(f, "truncated: {wanted} more bytes wanted, {left} left")
            }
            DecodeError::TrailingBytes { left } => write!(f, "{left} bytes left over after the value"),
            DecodeError::UnknownTag { of, tag } => write!(f, "{tag} is no tag of {of}"),
            DecodeError::OverLimit { field, found, limit } => {
                write!(f, "{field} is {found}, the limit is {limit}")
            }
            DecodeError::Inconsistent { what } => write!(f, "inconsistent: {what}"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Reads values from the front of a buffer. Byte strings share the buffer, they are not copied.
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
    at: usize,
}

impl Reader {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Reader { bytes, at: 0 }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes read since `start`, which was a [`Reader::position`].
    ///
    /// This is how a digest is taken over a part of a message without encoding the part again.
    #[must_use]
    pub fn since(&self, start: usize) -> &[u8] {
        &self.bytes[start..self.at]
    }

    fn need(&self, count: usize) -> Result<(), DecodeError> {
        if self.left() < count {
            return Err(DecodeError::Truncated { wanted: count, left: self.left() });
        }
        Ok(())
    }

    /// Reads `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.need(N)?;
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        Ok(array)
    }

    /// Reads `count` bytes, sharing the buffer.
    pub fn take(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        self.need(count)?;
        let taken = self.bytes.slice(self.at..self.at + count);
        self.at += count;
        Ok(taken)
    }

    /// Reads a byte string of at most `limit` bytes; `field` names it in the error.
    pub fn byte_string(&mut self, field: &'static str, limit: usize) -> Result<Bytes, DecodeError> {
        let length = self.length(field, limit)?;
        self.take(length)
    }

    /// Reads a list of at most `limit` items; `field` names it in the error.
    ///
    /// Every item takes at least one byte, so a length over the bytes left is refused before memory is reserved.
    pub fn list<T: Decode>(&mut self, field: &'static str, limit: usize) -> Result<Vec<T>, DecodeError> {
        let length = self.length(field, limit)?;
        self.need(length)?;
        let mut items = Vec::with_capacity(length.min(LIST_RESERVE_ITEMS_MAX));
        for _ in 0..length {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    fn length(&mut self, field: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let length = u32::decode(self)?;
        match usize::try_from(length) {
            Ok(length) if length <= limit => Ok(length),
            _ => Err(DecodeError::OverLimit { field, found: u64::from(length), limit: limit as u64 }),
        }
    }

    /// Succeeds if nothing is left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes { left }),
        }
    }
}

/// Room reserved at once for a list, however long it says it is; it grows only as items really arrive.
const LIST_RESERVE_ITEMS_MAX: usize = 64;

/// Appends the length of a list or byte string.
///
/// # Panics
/// If it does not fit a `u32`: every list has a limit far below, so that is an error of the caller.
pub fn encode_length(length: usize, to: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("a list longer than its own limit is never built");
    length.encode(to);
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
        }

        impl Decode for $type {
            fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
                from.array().map(<$type>::from_le_bytes)
            }
        }
    )*};
}

integer!(u8, u16, u32, u64);

impl Encode for bool {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

impl Decode for bool {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(DecodeError::UnknownTag { of: "bool", tag }),
        }
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        from.array()
    }
}

impl Encode for Bytes {
    fn encode(&self, to: &mut Vec<u8>) {
        encode_length(self.len(), to);
        to.extend_from_slice(self);
    }
}

impl<T: Encode> Encode for [T] {
    fn encode(&self, to: &mut Vec<u8>) {
        encode_length(self.len(), to);
        for item in self {
            item.encode(to);
        }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self[..].encode(to);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            None => to.push(0),
            Some(value) => {
                to.push(1);
                value.encode(to);
            }
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(None),
            1 => T::decode(from).map(Some),
            tag => Err(DecodeError::UnknownTag { of: "Option", tag }),
        }
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        (**self).encode(to);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        T::decode(from).map(Box::new)
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
        self.1.encode(to);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok((A::decode(from)?, B::decode(from)?))
    }
}

/// Implements [`Encode`] and [`Decode`] for a struct, field by field in the order given. The decoding of a field is
/// `Decode::decode` unless `= expression` says otherwise, with the reader bound to the name given in `|…|`.
#[macro_export]
macro_rules! codec_struct {
    ($name:ident |$reader:ident| { $($field:ident $(= $decode:expr)?),* $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                $($crate::Encode::encode(&self.$field, to);)*
            }
        }

        impl $crate::Decode for $name {
            fn decode($reader: &mut $crate::Reader) -> Result<Self, $crate::DecodeError> {
                Ok($name { $($field: $crate::codec_struct!(@field $reader $($decode)?)),* })
            }
        }
    };
    (@field $reader:ident) => { $crate::Decode::decode($reader)? };
    (@field $reader:ident $decode:expr) => { $decode? };
}

/// Implements [`Encode`] and [`Decode`] for an enum whose variants hold one value each: a tag byte, then the value.
#[macro_export]
macro_rules! codec_enum {
    ($name:ident { $($tag:literal => $variant:ident),* $(,)? }) => {
        impl $crate::Encode for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                match self {
                    $($name::$variant(value) => {
                        to.push($tag);
                        $crate::Encode::encode(value, to);
                    })*
                }
            }
        }

        impl $crate::Decode for $name {
            fn decode(from: &mut $crate::Reader) -> Result<Self, $crate::DecodeError> {
                match <u8 as $crate::Decode>::decode(from)? {
                    $($tag => $crate::Decode::decode(from).map($name::$variant),)*
                    tag => Err($crate::DecodeError::UnknownTag { of: stringify!($name), tag }),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_and_of_fixed_width() {
        assert_eq!(&0x0102_0304_u32.to_bytes()[..], [4, 3, 2, 1]);
        assert_eq!(&1_u64.to_bytes()[..], [1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_value_cut_short_is_refused_at_every_length() {
        let bytes = (7_u64, Some(9_u32)).to_bytes();
        for length in 0..bytes.len() {
            let cut = bytes.slice(..length);
            assert!(matches!(<(u64, Option<u32>)>::from_bytes(cut), Err(DecodeError::Truncated { .. })));
        }
    }

    #[test]
    fn left_over_bytes_are_refused() {
        let result = u16::from_bytes(Bytes::from_static(&[1, 2, 3]));
        assert_eq!(result, Err(DecodeError::TrailingBytes { left: 1 }));
    }

    #[test]
    fn a_list_cannot_make_us_reserve_more_than_it_brings() {
        let mut reader = Reader::new(Bytes::from_static(&[255, 255, 0, 0, 1]));
        let result = reader.list::<u8>("items", 1 << 20);
        assert_eq!(result, Err(DecodeError::Truncated { wanted: 65535, left: 1 }));
    }

    #[test]
    fn a_list_over_its_limit_is_refused_by_name() {
        let mut reader = Reader::new(Bytes::from_static(&[3, 0, 0, 0, 1, 2, 3]));
        let result = reader.list::<u8>("items", 2);
        assert_eq!(result, Err(DecodeError::OverLimit { field: "items", found: 3, limit: 2 }));
    }

    #[test]
    fn a_bool_has_one_encoding_per_value() {
        assert_eq!(
            bool::from_bytes(Bytes::from_static(&[2])),
            Err(DecodeError::UnknownTag { of: "bool", tag: 2 })
        );
    }

    #[test]
    fn byte_strings_share_the_buffer() {
        let frame = Bytes::from_static(&[2, 0, 0, 0, 8, 9]);
        let mut reader = Reader::new(frame.clone());
        let string = reader.byte_string("payload", 16).expect("it is well formed");
        assert_eq!(string.as_ptr(), frame[4..].as_ptr());
    }
}
