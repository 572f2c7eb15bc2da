//! Sets of bytes: what `[a-f]`, `\d` or `.` may be.
//!
//! Not here: how a class is written (`parse::class`). There are no characters beyond a byte, and only the letters of ASCII have
//! two cases, as in PCRE2 without UTF and with the tables of the C locale.

/// A set of bytes: one bit for each.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct ByteSet([u64; 4]);

/// The letters in the word of the bytes 64 to 127.
const UPPER_BITS: u64 = 0x07FF_FFFE;
const LOWER_BITS: u64 = UPPER_BITS << 32;

impl ByteSet {
    pub(crate) const EMPTY: Self = Self([0; 4]);
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes from `low` to `high`, both included.
    pub(crate) const fn range(low: u8, high: u8) -> Self {
        let mut words = [0; 4];
        let mut byte = low as usize;
        while byte <= high as usize {
            words[byte >> 6] |= 1 << (byte & 63);
            byte += 1;
        }
        Self(words)
    }

    pub(crate) const fn of(byte: u8) -> Self {
        Self::range(byte, byte)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    pub(crate) const fn not(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([!a, !b, !c, !d])
    }

    /// With the other case of each letter.
    pub(crate) const fn fold(self) -> Self {
        let [a, letters, c, d] = self.0;
        Self([a, letters | (letters & UPPER_BITS) << 32 | (letters & LOWER_BITS) >> 32, c, d])
    }

    #[inline]
    pub(crate) const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] >> (byte & 63) & 1 != 0
    }

    pub(crate) fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }

    /// The byte, if it is the only one.
    pub(crate) fn only(self) -> Option<u8> {
        if self.len() == 1 { self.bytes().next() } else { None }
    }

    /// The small letter, if nothing but its two cases is in the set.
    pub(crate) fn only_letter(self) -> Option<u8> {
        let [a, letters, c, d] = self.0;
        let low = (letters & LOWER_BITS) >> 32;
        let two = low.count_ones() == 1 && letters == (low | low << 32) && (a | c | d) == 0;
        if two { self.bytes().nth(1) } else { None }
    }
}

pub(crate) const DIGIT: ByteSet = ByteSet::range(b'0', b'9');
pub(crate) const UPPER: ByteSet = ByteSet::range(b'A', b'Z');
pub(crate) const LOWER: ByteSet = ByteSet::range(b'a', b'z');
pub(crate) const ALPHA: ByteSet = UPPER.or(LOWER);
pub(crate) const ALNUM: ByteSet = ALPHA.or(DIGIT);
/// What `\w` is: what names are made of.
pub(crate) const WORD: ByteSet = ALNUM.or(ByteSet::of(b'_'));
/// What `\s` is, the vertical tab included.
pub(crate) const SPACE: ByteSet = ByteSet::range(0x09, 0x0D).or(ByteSet::of(b' '));
/// What `\h` is.
pub(crate) const HORIZONTAL: ByteSet = ByteSet::of(0x09).or(ByteSet::of(b' ')).or(ByteSet::of(0xA0));
/// What `\v` is.
pub(crate) const VERTICAL: ByteSet = ByteSet::range(0x0A, 0x0D).or(ByteSet::of(0x85));
/// What `\N` is, and `.` where it does not match everything.
pub(crate) const NOT_NEWLINE: ByteSet = ByteSet::of(b'\n').not();
const GRAPH: ByteSet = ByteSet::range(0x21, 0x7E);

/// The class that `[:name:]` stands for.
pub(crate) fn posix(name: &[u8]) -> Option<ByteSet> {
    Some(match name {
        b"alpha" => ALPHA,
        b"lower" => LOWER,
        b"upper" => UPPER,
        b"alnum" => ALNUM,
        b"ascii" => ByteSet::range(0, 0x7F),
        b"blank" => ByteSet::of(b'\t').or(ByteSet::of(b' ')),
        b"cntrl" => ByteSet::range(0, 0x1F).or(ByteSet::of(0x7F)),
        b"digit" => DIGIT,
        b"graph" => GRAPH,
        b"print" => GRAPH.or(ByteSet::of(b' ')),
        b"punct" => GRAPH.and(ALNUM.not()),
        b"space" => SPACE,
        b"word" => WORD,
        b"xdigit" => DIGIT.or(ByteSet::range(b'a', b'f')).or(ByteSet::range(b'A', b'F')),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_ends_and_nothing_beyond() {
        for (low, high) in [(0, 0), (0, 255), (63, 64), (127, 128), (200, 255), (b'a', b'z')] {
            let set = ByteSet::range(low, high);
            for byte in 0..=255 {
                assert_eq!(set.contains(byte), (low..=high).contains(&byte), "{low} {high} {byte}");
                assert_eq!(set.not().contains(byte), !set.contains(byte));
            }
            assert_eq!(set.len(), u32::from(high - low) + 1);
        }
        assert_eq!(ByteSet::range(5, 4), ByteSet::EMPTY);
    }

    #[test]
    fn folding_adds_the_other_case_of_letters_alone() {
        for byte in 0..=255u8 {
            let folded = ByteSet::of(byte).fold();
            let both = [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
            for other in 0..=255 {
                assert_eq!(folded.contains(other), both.contains(&other), "{byte} {other}");
            }
            let letter = byte.is_ascii_alphabetic().then(|| byte.to_ascii_lowercase());
            assert_eq!(folded.only_letter(), letter);
            assert_eq!(ByteSet::of(byte).only_letter(), None);
            assert_eq!(ByteSet::of(byte).only(), Some(byte));
        }
        assert_eq!(ByteSet::of(b'a').or(ByteSet::of(b'B')).only_letter(), None);
        assert_eq!(ByteSet::of(b'a').or(ByteSet::of(b'b')).fold().only_letter(), None);
    }

    #[test]
    fn the_named_classes_are_those_of_the_c_locale() {
        type Is = fn(&u8) -> bool;
        let classes: [(&[u8], Is); 12] = [
            (b"alpha", u8::is_ascii_alphabetic),
            (b"lower", u8::is_ascii_lowercase),
            (b"upper", u8::is_ascii_uppercase),
            (b"alnum", u8::is_ascii_alphanumeric),
            (b"ascii", u8::is_ascii),
            (b"cntrl", u8::is_ascii_control),
            (b"digit", u8::is_ascii_digit),
            (b"graph", u8::is_ascii_graphic),
            (b"punct", u8::is_ascii_punctuation),
            (b"xdigit", u8::is_ascii_hexdigit),
            (b"blank", |byte| matches!(byte, b' ' | b'\t')),
            (b"space", |byte| matches!(byte, b' ' | 9..=13)),
        ];
        for (name, is) in classes {
            let set = posix(name).expect("it is known");
            assert!((0..=255).all(|byte| set.contains(byte) == is(&byte)), "{}", name.escape_ascii());
        }
        assert_eq!(posix(b"alphabet"), None);
    }
}
