//! The matchers, each behind the same small trait: build, what it holds, and how often anything was found in a text.
//!
//! All report every occurrence of every pattern. Those that know no case of single patterns are given all patterns
//! without case, and what they find is compared once more where case matters.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use daachorse::DoubleArrayAhoCorasick;
use pattern::{Pattern, Scratch, Set};

/// Something that finds patterns.
pub(crate) trait Matcher {
    /// What it holds in memory, as it says itself.
    fn memory_bytes(&self) -> usize;
    /// How many occurrences there are.
    fn count(&mut self, text: &[u8]) -> u64;
}

/// Builds a matcher, or says why not.
pub(crate) type Build = fn(&[Pattern]) -> Result<Box<dyn Matcher>, String>;

/// Every matcher that this build has, ours first.
pub(crate) const ALL: &[(&str, Build)] = &[
    ("pattern", pattern_best),
    ("pattern, AVX2", pattern_avx2),
    ("pattern, portable", pattern_portable),
    #[cfg(feature = "hyperscan")]
    ("Hyperscan", crate::hyperscan::build),
    ("aho-corasick, NFA", aho_corasick_nfa),
    ("aho-corasick, DFA", aho_corasick_dfa),
    ("daachorse", daachorse),
];

struct Ours(Set, Scratch);

impl Matcher for Ours {
    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }

    fn count(&mut self, text: &[u8]) -> u64 {
        let mut count = 0;
        self.0.scan(text, &mut self.1, &mut |_, _| count += 1);
        count
    }
}

fn pattern_best(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    Ok(Box::new(Ours(Set::new(patterns), Scratch::default())))
}

fn pattern_avx2(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    Ok(Box::new(Ours(Set::new(patterns).slower_by(1), Scratch::default()))))
}

fn pattern_portable(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    Ok(Box::new(Ours(Set::new(patterns).slower_by(2), Scratch::default()))))
}

/// Patterns that are equal but for their case, and all patterns that each of them stands for.
struct Folded {
    folded: Vec<Vec<u8>>,
    /// For each of them, the patterns for which case matters, and how many there are for which it does not.
    cases: Vec<(Vec<Vec<u8>>, u64)>,
}

impl Folded {
    fn new(patterns: &[Pattern]) -> Folded {
        let mut groups: BTreeMap<Vec<u8>, (Vec<Vec<u8>>, u64)> = BTreeMap::new();
        for pattern in patterns {
            let (exact, any) = groups.entry(pattern.bytes.to_ascii_lowercase()).or_default();
            if pattern.nocase {
                *any += 1;
            } else {
                exact.push(pattern.bytes.clone());
            }
        }
        let (folded, cases) = groups.into_iter().unzip();
        Folded { folded, cases }
    }

    /// How many patterns stand at this place, where the folded one was found.
    fn count(&self, group: usize, there: &[u8]) -> u64 {
        let (exact, any) = &self.cases[group];
        any + exact.iter().filter(|bytes| *bytes == there).count() as u64
    }
}

struct AhoCorasickOf(AhoCorasick, Folded);

impl Matcher for AhoCorasickOf {
    fn memory_bytes(&self) -> usize {
        self.0.memory_usage()
    }

    fn count(&mut self, text: &[u8]) -> u64 {
        let found = self.0.find_overlapping_iter(text);
        found.map(|one| self.1.count(one.pattern().as_usize(), &text[one.span()])).sum()
    }
}

fn aho_corasick(patterns: &[Pattern], kind: AhoCorasickKind) -> Result<Box<dyn Matcher>, String> {
    let folded = Folded::new(patterns);
    let built = AhoCorasick::builder()
        .kind(Some(kind))
        .match_kind(MatchKind::Standard)
        .ascii_case_insensitive(true)
        .build(&folded.folded)
        .map_err(|error| error.to_string())?;
    Ok(Box::new(AhoCorasickOf(built, folded)))
}

fn aho_corasick_nfa(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    aho_corasick(patterns, AhoCorasickKind::ContiguousNFA)
}

fn aho_corasick_dfa(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    aho_corasick(patterns, AhoCorasickKind::DFA)
}

/// It knows no case at all, so it reads a copy of the text in small letters.
struct Daachorse(DoubleArrayAhoCorasick<u32>, Folded, Vec<u8>);

impl Matcher for Daachorse {
    fn memory_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    fn count(&mut self, text: &[u8]) -> u64 {
        self.2.clear();
        self.2.extend_from_slice(text);
        self.2.make_ascii_lowercase();
        let found = self.0.find_overlapping_iter(&self.2);
        found.map(|one| self.1.count(one.value() as usize, &text[one.start()..one.end()])).sum()
    }
}

fn daachorse(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    let folded = Folded::new(patterns);
    let built = DoubleArrayAhoCorasick::with_values(folded.folded.iter().zip(0..))
        .map_err(|error| error.to_string())?;
    Ok(Box::new(Daachorse(built, folded, Vec::new())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_find_the_same() {
        let words: [(&[u8], bool); 7] = [
            (b"GET", false),
            (b"get", true),
            (b"Get", false),
            (b"index.html", true),
            (b"\0\xff\0", false),
            (b"e", true),
            (b"html", false),
        ];
        let patterns = words.map(|(bytes, nocase)| Pattern { bytes: bytes.to_vec(), nocase });
        let text = b"GET /index.html get /INDEX.html Get \0\xff\0\xff\0 e";
        for (name, build) in ALL {
            let mut matcher = build(&patterns).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(matcher.count(text), 1 + 3 + 1 + 2 + 2 + 6 + 2, "{name}");
            assert_eq!(matcher.count(b""), 0, "{name}");
            assert!(matcher.memory_bytes() > 0, "{name}");
        }
    }
}
