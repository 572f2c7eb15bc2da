//! Strings that HPACK sends in Huffman's code (RFC 7541, appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, shorter ones before longer ones. So the lengths
//! alone say it all. What is no code ends the string: what came before counts, as it does for those who are lenient.
//!
//! Not here: whether the padding is as it should be.

/// The length of each byte's code.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/// The longest code.
const LENGTH_MAX: usize = 30;

/// The codes of one length.
#[derive(Clone, Copy)]
struct Row {
    /// The first of them.
    first: u32,
    /// How many there are.
    count: u32,
    /// Where their symbols begin.
    at: usize,
}

struct Code {
    rows: [Row; LENGTH_MAX + 1],
    symbols: [u8; 256],
}

const CODE: Code = code();

const fn code() -> Code {
    let mut code = Code { rows: [Row { first: 0, count: 0, at: 0 }; LENGTH_MAX + 1], symbols: [0; 256] };
    let (mut next, mut at, mut length) = (0u32, 0, 1);
    while length <= LENGTH_MAX {
        next <<= 1;
        code.rows[length] = Row { first: next, count: 0, at };
        let mut symbol = 0;
        while symbol < 256 {
            if LENGTHS[symbol] as usize == length {
                code.symbols[at] = symbol as u8;
                code.rows[length].count += 1;
                next += 1;
                at += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    code
}

/// What `coded` stands for, as far as it is code.
pub(super) fn decode(coded: &[u8]) -> Vec<u8> {
    static TABLE: Code = CODE;
    let mut out = Vec::with_capacity(coded.len() + coded.len() / 2);
    let (mut bits, mut length) = (0u32, 0usize);
    for byte in coded {
        for place in (0..8).rev() {
            bits = bits << 1 | u32::from(byte >> place & 1);
            length += 1;
            let Some(row) = TABLE.rows.get(length) else { return out };
            if let Some(place) = bits.checked_sub(row.first).filter(|place| *place < row.count) {
                out.push(TABLE.symbols.get(row.at + place as usize).copied().unwrap_or_default());
                (bits, length) = (0, 0);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_gives_as_examples_is_decoded() {
        let host = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&host), b"www.example.com");
        assert_eq!(decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]), b"no-cache");
        assert_eq!(decode(&[0x64, 0x02]), b"302");
    }

    #[test]
    fn what_is_no_code_ends_the_string() {
        assert_eq!(decode(&[0x64, 0x02, 0xff, 0xff, 0xff, 0xff, 0x64]), b"302");
        assert_eq!(decode(&[]), b"");
    }

    #[test]
    fn every_byte_has_a_code() {
        let all: u32 = CODE.rows.iter().map(|row| row.count).sum();
        assert_eq!(all, 256);
    }
}
