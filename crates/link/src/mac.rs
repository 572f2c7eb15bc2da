//! The MAC, and the derivation of keys: BLAKE3 in its modes for both.
//!
//! Upon a message in parts: they are hashed under the key one after the other; the first 16 bytes are the [`Tag`].
//! Upon a tag to check: it is made again and compared in constant time.
//!
//! `examples/cryptography.rs` has the figures and the other candidate, HMAC-SHA256; `docs/adr/0016` says why this one.
//!
//! Not here: who shares a key with whom. That is [`crate::keyring`].

use blake3::Hasher;
use core::fmt;
use subtle::ConstantTimeEq;
use wire::Tag;
use zeroize::Zeroizing;

/// A key ready to make MACs with. Zeroed on drop.
#[derive(Clone)]
pub struct MacKey(Zeroizing<[u8; 32]>);

/// A secret shows nothing of itself.
impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

impl MacKey {
    /// The key that is `secret`.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> MacKey {
        MacKey(Zeroizing::new(*secret))
    }

    /// The MAC over `parts`, one after the other.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut hasher = Hasher::new_keyed(&self.0);
        parts.iter().for_each(|part| {
            hasher.update(part);
        });
        let mut tag = [0; 16];
        tag.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Tag(tag)
    }

    /// Whether `tag` is the MAC over `parts`. Takes as long whether it is or not.
    #[must_use]
    pub fn accepts(&self, parts: &[&[u8]], tag: &Tag) -> bool {
        self.tag(parts).0.ct_eq(&tag.0).into()
    }
}

/// A key derived from `secret` for one use, and for `about` whom it is: parts whose lengths that use fixes.
#[must_use]
pub fn derive(use_for: &'static str, secret: &[u8; 32], about: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut hasher = Hasher::new_derive_key(use_for);
    hasher.update(secret);
    about.iter().for_each(|part| {
        hasher.update(part);
    });
    Zeroizing::new(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Keys and MACs are a promise to nodes of other builds.
    #[test]
    fn macs_and_derived_keys_do_not_change_unnoticed() {
        let key = MacKey::new(b"whats the Elvish word for friend");
        // BLAKE3's own vectors, of the first bytes 0, 1, 2, … of length 3.
        assert_eq!(hex(&key.tag(&[&[0], &[1, 2]]).0), "39e67b76b5a007d4921969779fe666da");
        let derived = derive("BLAKE3 2019-12-27 16:29:52 test vectors context", &[7; 32], &[b"a", b"b"]);
        let mut joined = [7; 34];
        joined[32..].copy_from_slice(b"ab");
        let expected = blake3::derive_key("BLAKE3 2019-12-27 16:29:52 test vectors context", &joined);
        assert_eq!(*derived, expected);
    }

    #[test]
    fn a_key_is_for_one_use_one_secret_and_those_whom_it_is_about() {
        let key = derive("one use", &[7; 32], &[b"a", b"b"]);
        assert_ne!(key, derive("another use", &[7; 32], &[b"a", b"b"]));
        assert_ne!(key, derive("one use", &[8; 32], &[b"a", b"b"]));
        assert_ne!(key, derive("one use", &[7; 32], &[b"a", b"c"]));
    }

    /// Every length around the edges of a block and of a chunk, split anywhere, is what it is in one piece.
    #[test]
    fn it_makes_no_difference_where_a_message_is_split() {
        let key = MacKey::new(&[7; 32]);
        let message: Vec<u8> = (0..2_100).map(|at| at as u8).collect();
        for length in [0, 1, 63, 64, 65, 128, 1_023, 1_024, 1_025, 2_048, 2_100] {
            let whole = key.tag(&[&message[..length]]);
            for split in 0..=length {
                let (head, tail) = message[..length].split_at(split);
                assert_eq!(key.tag(&[head, b"", tail]), whole, "{length} bytes split at {split}");
            }
        }
    }

    #[test]
    fn one_bit_of_key_message_or_tag_is_enough_to_be_refused() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag(&[b"head", b"body"]);
        assert!(key.accepts(&[b"head", b"body"], &tag));
        assert!(!key.accepts(&[b"head", b"bodz"], &tag));
        let mut other = [7; 32];
        other[31] ^= 1;
        assert!(!MacKey::new(&other).accepts(&[b"head", b"body"], &tag));
        for bit in 0..128 {
            let mut tag = tag;
            tag.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.accepts(&[b"head", b"body"], &tag), "bit {bit}");
        }
    }
}
