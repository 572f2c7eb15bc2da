//! A filter so small that it lies in vector registers: 64 places are asked about with a few dozen instructions, and
//! none of them reads memory.
//!
//! Three or four tables of 1,024 bits, or four of 2,048 for many grams of four bytes. A gram of two to four bytes has one
//! bit in each, whose number is ten or eleven bits of hashes that are linear over single bits: the exclusive or of each
//! byte's product with a matrix, which is one instruction for 64 bytes. With the most grams one place in a hundred passes
//! wrongly; of the wide tables, one in four hundred.
//!
//! It stands beside the words of a `Filter` and lets pass what they do, up to grams that only look alike. Only `simd`
//! asks it.

/// How many grams a sketch is good for, if they have `gram` bytes.
pub(crate) const fn grams_max(gram: usize) -> usize {
    if gram == GRAM_BYTES_MAX { 512 } else { 400 }
}

/// From so many on the fourth table is asked, too; and from so many the tables are wide.
const DEEP_GRAMS: usize = 64;
const WIDE_GRAMS: usize = 192;

pub(crate) const TABLES: usize = 4;
pub(crate) const HASHES: usize = 3;

/// How far a hash reaches.
pub(crate) const GRAM_BYTES_MAX: usize = 4;

/// For each hash, the matrix for each byte of a gram: row `i`, which makes bit `i` of the product, is its byte `7 - i`.
/// Drawn by lot until all rows together, and the ten of each table, were independent for grams of two, three and four
/// bytes.
pub(crate) const MATRICES: [[u64; GRAM_BYTES_MAX]; HASHES] = [
    [0x90e6_8948_f021_5324, 0xea39_49b9_a2ac_c316, 0x566a_d7d8_23d4_61f5, 0xd7a3_0d35_98c4_3022],
    [0x3aba_2d1c_a1e6_6429, 0x3670_f165_cbc9_3f73, 0x05f6_6eb6_a552_140d, 0xfa5f_9cca_ab86_cc29],
    [0xc4b0_674a_6529_6cc7, 0xcf70_0163_86d8_b36c, 0xd1d6_c29a_6709_7608, 0xaf48_d21f_5308_9fa5],
];

/// How many tables there are, and how long they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Three of 128 bytes.
    Shallow,
    /// Four of them.
    Deep,
    /// Four of 256 bytes.
    Wide,
}

/// The tables.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "no other processor asks a sketch"))]
pub(crate) struct Sketch {
    pub(crate) tables: [[u8; 256]; TABLES],
    pub(crate) kind: Kind,
}

impl Sketch {
    /// An empty sketch for so many grams of `gram` bytes.
    pub(crate) fn new(gram: usize, grams: usize) -> Sketch {
        // All rows of the matrices together are independent for grams of four bytes alone.
        let kind = match grams {
            WIDE_GRAMS.. if gram == GRAM_BYTES_MAX => Kind::Wide,
            DEEP_GRAMS.. => Kind::Deep,
            _ => Kind::Shallow,
        };
        Sketch { tables: [[0; 256]; TABLES], kind }
    }

    /// Lets the gram of `GRAM` bytes at the start of `folded` pass. For each table, one hash (of narrow ones its lower
    /// seven bits) says where a byte lies in it, and the lower three bits of another one which bit of it.
    pub(crate) fn add<const GRAM: usize>(&mut self, folded: u64) {
        let [first, second, third] = MATRICES.map(|matrices| {
            let products = matrices.iter().zip(folded.to_le_bytes()).take(GRAM);
            products.fold(0, |hash, (matrix, byte)| hash ^ product(*matrix, byte))
        });
        let counts = if self.kind == Kind::Wide { 255 } else { 127 };
        let places = [(first, second), (second, third), (third, first), (first ^ third, second)];
        for (table, (byte, bit)) in self.tables.iter_mut().zip(places) {
            table[usize::from(byte & counts)] |= 1 << (bit & 7);
        }
    }
}

/// A matrix of bits times a byte.
fn product(matrix: u64, byte: u8) -> u8 {
    let rows = matrix.to_be_bytes();
    (0..8).zip(rows).fold(0, |product, (bit, row)| product | (((row & byte).count_ones() as u8 & 1) << bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_linear() {
        for (one, other) in (0..=u8::MAX).zip((0..=u8::MAX).rev().map(|byte| byte.rotate_left(3))) {
            for matrix in MATRICES.as_flattened() {
                assert_eq!(product(*matrix, one) ^ product(*matrix, other), product(*matrix, one ^ other));
            }
        }
    }

    #[test]
    fn grams_have_bits_of_their_own() {
        for (grams, bits_expected) in [(191, 170..=191), (512, 430..=512)] {
            let mut sketch = Sketch::new(4, grams);
            for gram in 0..grams as u64 {
                sketch.add::<4>(gram.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32);
            }
            for table in sketch.tables {
                let bits: u32 = table.iter().map(|byte| byte.count_ones()).sum();
                assert!(bits_expected.contains(&bits), "{bits}");
            }
        }
    }
}
