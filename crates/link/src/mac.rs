//! The MAC, and the derivation of keys: HMAC-SHA256 with its two first blocks computed once per key.
//!
//! Upon a key: the block of the inner and of the outer hash that holds it is compressed, and only what comes out is kept.
//! Upon a message in parts: they are hashed one after the other from the inner state, the result from the outer one; of the 32
//!   bytes the first 16 are the [`Tag`] (RFC 2104 lets them be cut to half).
//! Upon a tag to check: it is made again and compared in constant time.
//!
//! **Why by hand.** A node makes and checks some hundred thousand MACs a second over about a hundred bytes each, three
//! compressions; hashers made for streams spend as long again on their own buffers. What is here is padding and nothing else;
//! the compression is `sha2`'s, with the processor's instructions where it has them. The vectors of RFC 4231 and RFC 5869 are
//! in the tests. `examples/costs.rs` has the figures and the other candidate, BLAKE3.
//!
//! Not here: who shares a key with whom. That is [`crate::keyring`].

use core::fmt;
use sha2::block_api::compress256;
use subtle::ConstantTimeEq;
use wire::Tag;
use zeroize::{Zeroize, Zeroizing};

const BLOCK_BYTES: usize = 64;

/// What SHA-256 begins with (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A key ready to make MACs with. Zeroed on drop.
#[derive(Clone)]
pub struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Drop for MacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

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
        MacKey::of_bytes(secret)
    }

    /// The key that is `secret`, of at most a block's length.
    fn of_bytes(secret: &[u8]) -> MacKey {
        let padded = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK_BYTES]);
            block.iter_mut().zip(secret).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, core::slice::from_ref(&*block));
            state
        };
        MacKey { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// The MAC over `parts`, one after the other.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        let state = self.authenticate(parts);
        let mut tag = [0; 16];
        tag.copy_from_slice(&bytes_of(&state)[..16]);
        Tag(tag)
    }

    /// Whether `tag` is the MAC over `parts`. Takes as long whether it is or not.
    #[must_use]
    pub fn accepts(&self, parts: &[&[u8]], tag: &Tag) -> bool {
        self.tag(parts).0.ct_eq(&tag.0).into()
    }

    fn authenticate(&self, parts: &[&[u8]]) -> [u32; 8] {
        let inner = hash_from(self.inner, parts);
        // The outer hash is over one block: 32 bytes, the bit that ends them, and their length with the key's block.
        let mut block = [0; BLOCK_BYTES];
        block[..32].copy_from_slice(&bytes_of(&inner));
        block[32] = 0x80;
        block[56..].copy_from_slice(&bits(BLOCK_BYTES + 32));
        let mut state = self.outer;
        compress256(&mut state, &[block]);
        state
    }
}

/// HKDF-SHA256 (RFC 5869) for one key of 32 bytes: extracted from `secret` with `salt`, of at most a block's length, and
/// expanded for the use that `info` names.
#[must_use]
pub fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    debug_assert!(salt.len() <= BLOCK_BYTES);
    let extracted = Zeroizing::new(bytes_of(&MacKey::of_bytes(salt).authenticate(&[secret])));
    let parts: Vec<&[u8]> = info.iter().copied().chain([&[1_u8][..]]).collect();
    Zeroizing::new(bytes_of(&MacKey::new(&extracted).authenticate(&parts)))
}

/// SHA-256 over a block that was hashed before, and `parts`.
fn hash_from(mut state: [u32; 8], parts: &[&[u8]]) -> [u32; 8] {
    let mut block = [0; BLOCK_BYTES];
    let mut filled = 0;
    let mut total = BLOCK_BYTES;
    for part in parts {
        let mut rest = *part;
        total += rest.len();
        if filled > 0 {
            let (head, tail) = rest.split_at(rest.len().min(BLOCK_BYTES - filled));
            block[filled..filled + head.len()].copy_from_slice(head);
            filled += head.len();
            rest = tail;
            if filled < BLOCK_BYTES {
                continue;
            }
            compress256(&mut state, core::slice::from_ref(&block));
        }
        let (whole, tail) = rest.as_chunks::<BLOCK_BYTES>();
        compress256(&mut state, whole);
        block[..tail.len()].copy_from_slice(tail);
        filled = tail.len();
    }
    block[filled] = 0x80;
    block[filled + 1..].fill(0);
    if filled + 1 > BLOCK_BYTES - 8 {
        compress256(&mut state, core::slice::from_ref(&block));
        block.fill(0);
    }
    block[BLOCK_BYTES - 8..].copy_from_slice(&bits(total));
    compress256(&mut state, core::slice::from_ref(&block));
    state
}

fn bits(bytes: usize) -> [u8; 8] {
    (bytes as u64 * 8).to_be_bytes()
}

fn bytes_of(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (four, word) in bytes.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::hmac;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_vectors_of_rfc_4231_hold() {
        let first = MacKey::of_bytes(&[0x0b; 20]).authenticate(&[b"Hi There"]);
        assert_eq!(
            hex(&bytes_of(&first)),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        let second = MacKey::of_bytes(b"Jefe").authenticate(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(
            hex(&bytes_of(&second)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_first_vector_of_rfc_5869_holds() {
        let salt: Vec<u8> = (0..13).collect();
        let info: Vec<u8> = (0xf0..0xfa).collect();
        let key = derive(&salt, &[0x0b; 22], &[&info[..3], &info[3..]]);
        assert_eq!(hex(&*key), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    }

    /// Every length around the edges of a block, split at every place, as another implementation has it.
    #[test]
    fn padding_is_right_at_every_length_and_split() {
        let secret = [7; 32];
        let key = MacKey::new(&secret);
        let other = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let message: Vec<u8> = (0..200).collect();
        for length in 0..message.len() {
            let message = &message[..length];
            let expected = hmac::sign(&other, message);
            for split in 0..=length {
                let (head, tail) = message.split_at(split);
                let tag = key.tag(&[head, b"", tail]);
                assert_eq!(tag.0[..], expected.as_ref()[..16], "{length} bytes split at {split}");
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
