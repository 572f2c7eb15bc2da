//! The set against a search that cannot be wrong, in every way that this processor has, on texts and patterns made to
//! be difficult.

use crate::simd::Path;
use crate::{PATTERN_BYTES_MAX, PATTERNS_MAX, Pattern, Scratch, Set, scan_together};

/// Marsaglia's xorshift: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit.max(1)
    }

    fn bytes(&mut self, length: usize, alphabet: &[u8]) -> Vec<u8> {
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

fn pattern(bytes: &[u8], nocase: bool) -> Pattern {
    Pattern { bytes: bytes.to_vec(), nocase }
}

/// Every occurrence, by comparing every pattern at every place.
fn naive(patterns: &[Pattern], text: &[u8]) -> Vec<(u32, usize)> {
    let mut found = Vec::new();
    for (index, pattern) in (0..).zip(patterns).filter(|(_, pattern)| !pattern.bytes.is_empty()) {
        for (at, there) in text.windows(pattern.bytes.len()).enumerate() {
            if there == pattern.bytes || pattern.nocase && there.eq_ignore_ascii_case(&pattern.bytes) {
                found.push((index, at + pattern.bytes.len()));
            }
        }
    }
    found.sort_unstable();
    found
}

fn scan(set: &Set, text: &[u8]) -> Vec<(u32, usize)> {
    let mut found = Vec::new();
    set.scan(text, &mut Scratch::default(), &mut |index, end| found.push((index, end)));
    found
}

/// Checks a set on texts, each way against the naive search and against the order of the others; and one of the same patterns as another kind of processor has it.
fn check(set: &Set, patterns: &[Pattern], texts: &[Vec<u8>]) {
    let plans = [false, true].map(|asks_sketches| Set::planned(patterns, asks_sketches));
    for text in texts {
        let expected = naive(patterns, text);
        for set in &plans {
            let mut found = scan(set, text);
            found.sort_unstable();
            assert_eq!(found, expected, "{patterns:?}, {text:?}");
        }
        let mut orders = Vec::new();
        for path in Path::all() {
            let mut set = set.clone();
            set.path = path;
            let order = scan(&set, text);
            let mut found = order.clone();
            found.sort_unstable();
            assert_eq!(found, expected, "{path:?}, {patterns:?}, {text:?}");
            orders.push(order);
        }
        assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "the order depends on the processor");
    }
}

/// A text of `length` in which patterns stand: at its start, at its end and between, some in the other case, some cut off.
fn planted(numbers: &mut Numbers, patterns: &[Pattern], length: usize, alphabet: &[u8]) -> Vec<u8> {
    let mut text = numbers.bytes(length, alphabet);
    for round in 0..2 + length / 24 {
        let mut bytes = patterns[numbers.below(patterns.len())].bytes.clone();
        if numbers.below(3) == 0 {
            for byte in &mut bytes {
                *byte =
                    if numbers.below(2) == 0 { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            }
        }
        if numbers.below(8) == 0 {
            bytes.pop();
        }
        bytes.truncate(length);
        let last = length - bytes.len();
        let at = [0, last, numbers.below(last + 1)][round.min(2)];
        text[at..at + bytes.len()].copy_from_slice(&bytes);
    }
    text
}

const ALPHABETS: [&[u8]; 5] =
    [b"ab", b"abAB", b"\0\xff", b"etaoinETAOIN/.= ", b"@`[{\x00 \x20A\x41aZz\xc1\xe1"];

/// Which lanes a set has: wide, fours, triples, pairs, singles, tiny, runs.
fn lanes(set: &Set) -> [bool; 7] {
    let Set { wide, fours, triples, pairs, singles, tiny, runs, .. } = set;
    [
        wide.is_some(),
        fours.is_some(),
        triples.is_some(),
        pairs.is_some(),
        singles.is_some(),
        tiny.is_some(),
        runs.is_some(),
    ]
}

#[test]
fn whatever_stands_in_a_text_is_found_and_nothing_else() {
    let mut numbers = Numbers(0x5eed_0001);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let mut seen = [false; 7];
    for round in 0..400 {
        let alphabet = ALPHABETS.get(round % 7).copied().unwrap_or(&every_byte);
        let count = [1, 2, 5, 9, 30, 120, 700][numbers.below(7)];
        let (shortest, spread) =
            [(1, 3), (1, 6), (3, 4), (4, 8), (1, 24), (7, 30), (11, 40), (200, 56)][numbers.below(8)];
        let patterns: Vec<Pattern> = (0..count)
            .map(|_| {
                let length = shortest + numbers.below(spread);
                Pattern { bytes: numbers.bytes(length, alphabet), nocase: numbers.below(2) == 0 }
            })
            .collect();
        let lengths =
            [0, 1, 2, 3, 5, 20, 63, 64, 65, 71, 72, 73, numbers.below(200), 256 + numbers.below(900)];
        let texts: Vec<Vec<u8>> =
            lengths.iter().map(|length| planted(&mut numbers, &patterns, *length, alphabet)).collect();
        let set = Set::new(&patterns);
        check(&set, &patterns, &texts);
        seen.iter_mut().zip(lanes(&set)).for_each(|(seen, has)| *seen |= has);
    }
    assert_eq!(seen, [true; 7], "a lane was never tried");
}

#[test]
fn every_length_of_text_and_every_place_in_it_is_covered() {
    let mut numbers = Numbers(0x5eed_0002);
    let words: Vec<Pattern> = [
        "x",
        "GET",
        "POST",
        "evil",
        "shell",
        "script",
        "/etc/passwd",
        "cmd.exe",
        "User-Agent: bad",
        "<iframe src=http://",
    ]
    .iter()
    .map(|word| pattern(word.as_bytes(), word.len() % 2 == 0))
    .collect();
    for count in 1..=words.len() {
        let patterns = &words[words.len() - count..];
        let set = Set::new(patterns);
        for length in 0..=64 {
            let mut texts = vec![planted(&mut numbers, patterns, length, b"abcdefgh ")];
            for pattern in patterns.iter().filter(|pattern| pattern.bytes.len() <= length) {
                for at in 0..=length - pattern.bytes.len() {
                    let mut text = vec![b'.'; length];
                    text[at..at + pattern.bytes.len()].copy_from_slice(&pattern.bytes);
                    texts.push(text);
                }
            }
            check(&set, patterns, &texts);
        }
    }
}

#[test]
fn prefixes_suffixes_and_overlaps_are_all_reported() {
    let whole = b"abracadabra-abracadabra-ABRACADABRA";
    let mut patterns = Vec::new();
    for start in 0..whole.len() {
        for end in start + 1..=whole.len() {
            patterns.push(pattern(&whole[start..end], (start + end) % 3 == 0));
        }
    }
    let mut text = whole.repeat(3);
    text.extend_from_slice(b"abr");
    check(&Set::new(&patterns), &patterns, &[text, b"abracadabr".to_vec()]);
}

#[test]
fn runs_of_one_byte_match_at_every_place() {
    for byte in [0, b'A', b'a', b' ', 0xff] {
        let patterns: Vec<Pattern> =
            (1..=40).map(|length| pattern(&vec![byte; length], length % 2 == 0)).collect();
        let texts: Vec<Vec<u8>> = [1, 10, 64, 300].iter().map(|length| vec![byte; *length]).collect();
        check(&Set::new(&patterns), &patterns, &texts);
        check(&Set::new(&patterns[10..]), &patterns[10..], &texts);
    }
}

#[test]
fn runs_that_change_their_case_or_only_fold_alike_are_told_apart() {
    let bytes: [&[u8]; 8] = [b"aaa", b"AAAA", b"@@@", b"````", b"\0\0\0", b"   ", b"aaaa", b"AAA"];
    for nocase in [[false; 8], [true; 8], [true, false, true, false, true, false, true, false]] {
        let patterns: Vec<Pattern> =
            bytes.iter().zip(nocase).map(|(bytes, nocase)| pattern(bytes, nocase)).collect();
        let mut texts: Vec<Vec<u8>> =
            [&b"aaaAAAAaa"[..], b"@@@```@@@@````", b"\0\0\0\0   \0\0", b"aAaAaAa", b"xaaax", b"AAA"]
                .map(<[u8]>::to_vec)
                .to_vec();
        // Across the ends of blocks and steps.
        for before in [61, 62, 63, 64, 253, 254, 255, 4_094, 4_095, 4_096] {
            let mut text = vec![b'.'; before];
            text.extend_from_slice(b"aaaaAAAA\0\0\0\0\0");
            texts.push(text);
        }
        check(&Set::new(&patterns), &patterns, &texts);
    }
}

#[test]
fn patterns_that_are_a_run_but_for_a_byte_are_found_at_its_ends() {
    let mut patterns = Vec::new();
    for length in [3, 4, 5, 7, 9, 11, 12, 14, 20, 40] {
        for odd in [0, length / 2, length - 1] {
            let mut bytes = vec![b'a'; length];
            bytes[odd] = b'b';
            patterns.push(pattern(&bytes, odd == 0));
        }
    }
    let mut texts = Vec::new();
    for length in [8, 16, 17, 40, 250, 4_090] {
        let run = vec![b'a'; length];
        texts.push([&run[..], b"b", &run, b"bb", &run, b"A", &run].concat());
    }
    check(&Set::new(&patterns), &patterns, &texts);
    // With others of the same grams, so that windows inside of the run are taken, too.
    for index in 0..200_u32 {
        patterns.push(pattern(format!("aaaaaaaab{index}").as_bytes(), false));
        patterns.push(pattern(format!("{index}baaaaaaaa").as_bytes(), false));
    }
    check(&Set::new(&patterns), &patterns, &texts);
}

#[test]
fn equal_patterns_are_each_reported() {
    let patterns = [
        pattern(b"Content-Type", false),
        pattern(b"content-type", true),
        pattern(b"CONTENT-TYPE", true),
        pattern(b"Content-Type", false),
        pattern(b"1234", true),
        pattern(b"1234", false),
        pattern(b"e", true),
        pattern(b"E", true),
        pattern(b"e", false),
    ];
    let set = Set::new(&patterns);
    assert_eq!(set.len(), patterns.len());
    check(&set, &patterns, &[b"Content-Type: 1234, content-Type e".to_vec()]);
}

#[test]
fn each_single_byte_is_a_pattern_like_others() {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for nocase in [false, true] {
        let patterns: Vec<Pattern> = every_byte.iter().map(|byte| pattern(&[*byte], nocase)).collect();
        let mut text = every_byte.clone();
        text.extend(every_byte.iter().rev());
        check(&Set::new(&patterns), &patterns, &[text.clone()]);
        for few in patterns.chunks(5) {
            check(&Set::new(few), few, &[text.clone(), text[..1].to_vec()]);
        }
    }
}

#[test]
fn many_patterns_of_each_length_keep_to_their_lanes() {
    let mut numbers = Numbers(0x5eed_0009);
    let all: Vec<u8> = (b'a'..=b'z').chain(b'A'..=b'J').chain([0, 255, b'/']).collect();
    // Lengths, how many of each, and the lanes that must come of it without sketches and with them, each by the first letter of its name.
    let cases: [(&[usize], usize, [&str; 2]); 18] = [
        (&[4], 2_000, ["w"; 2]),
        (&[4, 9], 500, ["w", "wf"]),
        (&[4, 9], 200, ["wf", "f"]),
        (&[4, 9, 20], 200, ["wf", "wf"]),
        (&[5, 6], 700, ["w"; 2]),
        (&[3, 4, 5], 20, ["t"; 2]),
        (&[3, 4, 5], 250, ["wft", "ft"]),
        (&[1, 2], 20, ["ps"; 2]),
        (&[2, 12], 500, ["wp", "fp"]),
        (&[7, 12], 30, ["w", "f"]),
        (&[5, 12, 13], 14, ["wT", "f"]),
        (&[3, 5, 12], 40, ["wt", "ft"]),
        (&[4, 20], 150, ["wf", "f"]),
        (&[8, 20], 256, ["w", "f"]),
        (&[8, 20], 257, ["w", "wf"]),
        (&[12, 20], 257, ["w"; 2]),
        (&[2, 5], 8, ["T"; 2]),
        (&[2, 20], 16, ["T"; 2]),
    ];
    for (lengths, count, expected) in cases {
        let patterns: Vec<Pattern> = (0..lengths.len() * count)
            .map(|index| pattern(&numbers.bytes(lengths[index % lengths.len()], &all), index % 3 == 0))
            .collect();
        let sets = [false, true].map(|asks_sketches| Set::planned(&patterns, asks_sketches));
        let names = sets.each_ref().map(|set| {
            let names = "wftpsTr".chars().zip(lanes(set));
            names.filter(|(_, has)| *has).map(|(name, _)| name).collect::<String>()
        });
        assert_eq!(names, expected, "{lengths:?} {count}");
        let texts: Vec<Vec<u8>> = (0..4).map(|_| planted(&mut numbers, &patterns, 700, &all)).collect();
        check(&Set::new(&patterns), &patterns, &texts);
    }
}

#[test]
fn what_cannot_be_looked_for_is_left_out_and_counted() {
    let longest = vec![b'q'; PATTERN_BYTES_MAX];
    let patterns =
        [pattern(b"", false), pattern(&longest, true), pattern(&vec![b'q'; PATTERN_BYTES_MAX + 1], false)];
    let set = Set::new(&patterns);
    assert_eq!((set.len(), set.left_out()), (1, 2));
    assert_eq!(scan(&set, &longest.to_ascii_uppercase()), [(1, PATTERN_BYTES_MAX)]);
    let nothing = Set::new(&[]);
    assert!(nothing.is_empty() && scan(&nothing, b"text").is_empty());
}

#[test]
fn a_full_set_finds_its_last_pattern_and_no_more() {
    let patterns: Vec<Pattern> =
        (0..PATTERNS_MAX + 1).map(|number| pattern(format!("/{number:06}/x").as_bytes(), false)).collect();
    let set = Set::new(&patterns);
    assert_eq!((set.len(), set.left_out()), (PATTERNS_MAX, 1));
    assert_eq!(scan(&set, b"GET /199999/x /200000/x"), [(199_999, 13)]);
    assert!(set.memory_bytes() < 70 * PATTERNS_MAX, "{}", set.memory_bytes());
}

#[test]
fn a_tiny_set_is_tiny() {
    for word in ["a", "GET", "evil", "passwd", "cmd.exe?", "a longer pattern than these"] {
        let set = Set::new(&[pattern(word.as_bytes(), true)]);
        assert!(set.memory_bytes() < 1_400, "{word}: {}", set.memory_bytes());
    }
}

#[test]
fn a_common_start_or_end_makes_no_long_list() {
    let patterns: Vec<Pattern> = (0..3_000)
        .map(|number: u32| {
            let own = number.wrapping_mul(0x9E37_79B1);
            pattern(format!("/wp-content/plugins/{own:08x}/readme.txt").as_bytes(), false)
        })
        .collect();
    let set = Set::new(&patterns);
    assert!(set.candidates_max() <= 32, "{}", set.candidates_max());
}

#[test]
fn sets_that_are_asked_together_find_what_each_finds_alone() {
    let sets = [
        Set::new(&[pattern(b"abc", true), pattern(b"needle in the hay", false)]),
        Set::new(&[]),
        Set::new(&[pattern(b"AB", false), pattern(b"x", false), pattern(b"\0\0\0\0", false)]),
    ];
    let mut numbers = Numbers(27);
    let mut scratch = Scratch::default();
    for length in [0, 1, 5, 63, 64, 300, 4_096, 4_099, 10_000] {
        let text = numbers.bytes(length, b"abcABCx\0\0\0");
        let mut together = [Vec::new(), Vec::new(), Vec::new()];
        scan_together(&sets.each_ref(), &text, &mut scratch, &mut |set, index, end| {
            together[set].push((index, end));
        });
        for (set, together) in sets.iter().zip(&together) {
            assert_eq!(&scan(set, &text), together);
        }
        assert!(length < 300 || !together[0].is_empty() && !together[2].is_empty());
    }
}
