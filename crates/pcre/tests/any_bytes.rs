//! What must hold for any pattern and any text, for a fixed number of seeded inputs.
//!
//! The promises are those of the fuzz target `pcre`, and are written down there; the comparison with the crate `regex` is one of them.

#[path = "../../../fuzz/src/pcre.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod promises;

/// How many patterns are compiled by both, and how many by ours alone, which is much quicker.
const COMPARED: u64 = 10_000;
const INPUTS: u64 = 200_000;
const BYTES_MAX: u64 = 120;

/// Xorshift: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, from: &[u8], length: u64) -> Vec<u8> {
        let count = from.len() as u64;
        (0..length).map(|_| from[(self.next() % count) as usize]).collect()
    }
}

/// The letters that the texts are of which the patterns speak.
const TEXT: &[u8] = b"aaabbbcA0_ .\n";

#[test]
fn regex_finds_the_same_where_it_means_the_same() {
    let mut chance = Chance(0x5EED);
    let mut matched = 0;
    for _ in 0..COMPARED {
        // Flags, start, and then bytes for the pattern, of which it takes as many as it wants; the rest is the text.
        let mut data = vec![(chance.next() & 0xFF) as u8, (chance.next() % 4) as u8];
        let (made_of, text) = (chance.next() % BYTES_MAX, chance.next() % 40);
        data.extend((0..made_of).map(|_| (chance.next() & 0xFF) as u8));
        data.extend(chance.bytes(TEXT, text));
        matched += promises::check(&data);
    }
    assert!(matched > COMPARED as usize / 4, "hardly anything matched: {matched}");
}

/// What patterns are written in, the more telling parts more often.
const PATTERN: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"a",
    b"b",
    b".",
    b"\\",
    b"(",
    b")",
    b"(?:",
    b"(?=",
    b"(?!",
    b"(?<=",
    b"(?<!",
    b"(?>",
    b"(?|",
    b"(?<n>",
    b"(?(1)",
    b"(?1)",
    b"(?R)",
    b"(?i)",
    b"(?x)",
    b"(?#",
    b"\\1",
    b"\\g{-1}",
    b"\\k<n>",
    b"\\b",
    b"\\K",
    b"\\R",
    b"\\Q",
    b"\\E",
    b"[",
    b"]",
    b"^",
    b"-",
    b"[:alpha:]",
    b"|",
    b"|",
    b"*",
    b"+",
    b"?",
    b"{2}",
    b"{1,3}",
    b"{,",
    b"{2,}",
    b"$",
    b"\\A",
    b"\\z",
    b"\\G",
    b"\\x",
    b"\\d",
    b"\\w",
    b")",
    b")",
    b")",
    b"\n",
    b"#",
];

#[test]
fn whatever_a_pattern_says_it_is_refused_or_searched_for_within_bounds() {
    let mut chance = Chance(0xF00D);
    let mut matched = 0;
    for _ in 0..INPUTS {
        let pieces = chance.next() % 12;
        let pattern: Vec<u8> = (0..pieces)
            .flat_map(|_| PATTERN[(chance.next() % PATTERN.len() as u64) as usize].iter().copied())
            .collect();
        let mut data = vec![(chance.next() & 0xFF) as u8, 0x80 | (chance.next() % 4) as u8];
        data.push(u8::try_from(pattern.len()).unwrap_or(u8::MAX));
        data.extend(pattern);
        let text = chance.next() % 30;
        data.extend(chance.bytes(TEXT, text));
        matched += promises::check(&data);
    }
    assert!(matched > INPUTS as usize / 20, "hardly anything matched: {matched}");
}
