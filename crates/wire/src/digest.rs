//! BLAKE3 fingerprints.

use crate::encode::{Decode, DecodeError, Encode, Reader};
use core::fmt;

/// The BLAKE3 hash of some canonical encoding. Two values with the same digest are taken to be the same value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of nothing at all: the fingerprint of a state before any batch.
    pub const ZERO: Digest = Digest([0; 32]);

    /// The digest of `bytes`.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of the canonical encoding of `value`.
    #[must_use]
    pub fn of(value: &impl Encode) -> Digest {
        Digest::of_bytes(&value.to_bytes())
    }
}

impl fmt::Display for Digest {
    /// The first four bytes in hexadecimal: enough to tell two apart by eye.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Encode for Digest {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
    }
}

impl Decode for Digest {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        from.array().map(Digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_blake3() {
        let expected = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        let found: String = Digest::of_bytes(b"abc").0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }
}
