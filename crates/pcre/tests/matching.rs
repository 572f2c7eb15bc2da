//! What matches where: tables of patterns, texts, and the groups that are found.
//!
//! A line is a pattern, its flags as in `/…/flags`, a text, and what is to be found: nothing, or `start-end` of the whole and of each
//! group, `-` for one that took no part.

use pcre::{Flags, Outcome, Regex, Scratch};

fn flags(letters: &str) -> Flags {
    let has = |letter: char| letters.contains(letter);
    Flags {
        caseless: has('i'),
        multiline: has('m'),
        dot_all: has('s'),
        extended: has('x'),
        anchored: has('A'),
        dollar_end_only: has('E'),
        ungreedy: has('G'),
    }
}

/// What is found, as it stands in the tables.
fn found(pattern: &[u8], letters: &str, text: &[u8], start: usize) -> String {
    let expression = match Regex::new(pattern, flags(letters)) {
        Ok(expression) => expression,
        Err(error) => return error.to_string(),
    };
    let mut scratch = Scratch::new();
    match expression.find_at(text, start, &mut scratch) {
        Outcome::NoMatch => String::new(),
        Outcome::GaveUp => "gave up".into(),
        Outcome::Match => {
            let group = |group| scratch.group(group).map_or("-".into(), |(from, to)| format!("{from}-{to}"));
            (0..=expression.captures()).map(group).collect::<Vec<String>>().join(" ")
        }
    }
}

fn check(table: &[(&str, &str, &str, &str)]) {
    for (pattern, letters, text, expected) in table {
        let found = found(pattern.as_bytes(), letters, text.as_bytes(), 0);
        assert_eq!(found, *expected, "/{pattern}/{letters} in {text:?}");
    }
}

#[test]
fn the_match_that_begins_first_is_found_and_the_first_branch_wins() {
    check(&[
        ("abc", "", "xxabcabc", "2-5"),
        ("abc", "", "xxabd", ""),
        ("", "", "abc", "0-0"),
        ("a|ab", "", "ab", "0-1"),
        ("(a|ab)(c|bcd)", "", "abcd", "0-4 0-1 1-4"),
        ("(?:a|ab)$", "", "ab", "0-2"),
        ("|a", "", "a", "0-0"),
        ("x|y|", "", "ay", "0-0"),
        ("(a)|b", "", "b", "0-1 -"),
        ("((a)|(b))+", "", "ab", "0-2 1-2 0-1 1-2"),
        ("f(oo|u)b", "", "fufoob", "2-6 3-5"),
    ]);
}

#[test]
fn quantifiers_take_as_much_or_as_little_as_they_say() {
    check(&[
        ("a*", "", "aaab", "0-3"),
        ("a*?b", "", "aaab", "0-4"),
        ("a+?", "", "aaab", "0-1"),
        ("a??b", "", "ab", "0-2"),
        ("<.+>", "", "<a><b>", "0-6"),
        ("<.+?>", "", "<a><b>", "0-3"),
        ("a{2}", "", "aaa", "0-2"),
        ("a{2,}", "", "aaaa", "0-4"),
        ("a{2,3}", "", "aaaa", "0-3"),
        ("a{2,3}?", "", "aaaa", "0-2"),
        ("a{0}b", "", "ab", "1-2"),
        ("(ab){2,3}c", "", "abababab", ""),
        ("(ab){2,3}", "", "abababab", "0-6 4-6"),
        ("(?:ab){2,}?", "", "ababab", "0-4"),
        ("(a{1,2}){2}", "", "aaa", "0-3 2-3"),
        ("a++a", "", "aaa", ""),
        ("a++b", "", "aaab", "0-4"),
        ("a?+a", "", "a", ""),
        ("(?:a|ab)++c", "", "abc", ""),
        ("a{1,3}+a", "", "aaa", ""),
        ("a{1,3}+a", "", "aaaa", "0-4"),
        (".*b", "", "aabab", "0-5"),
        (".*?b", "", "aabab", "0-3"),
        ("a+", "G", "aaa", "0-1"),
        ("a+?", "G", "aaa", "0-3"),
        ("a{2,3}", "G", "aaa", "0-2"),
        ("a++", "G", "aaa", "0-3"),
    ]);
}

#[test]
fn a_brace_that_is_no_quantifier_is_itself() {
    check(&[
        ("a{", "", "a{", "0-2"),
        ("a{}", "", "a{}", "0-3"),
        ("a{,3}", "", "a{,3}", "0-5"),
        ("a{1", "", "a{1", "0-3"),
        ("a{1,x}", "", "a{1,x}", "0-6"),
        ("a{ 1}", "", "a{ 1}", "0-5"),
        ("{a}", "", "{a}", "0-3"),
        ("a}b", "", "a}b", "0-3"),
        ("x{1,70000", "", "x{1,70000", "0-9"),
    ]);
}

#[test]
fn a_loop_over_nothing_ends() {
    check(&[
        ("(a*)*", "", "aab", "0-2 2-2"),
        ("(a*)+", "", "aab", "0-2 2-2"),
        ("(a|)*", "", "aab", "0-2 2-2"),
        ("(|a)*", "", "aa", "0-0 0-0"),
        ("(|a)+$", "", "aa", "0-2 2-2"),
        ("(?:)*x", "", "x", "0-1"),
        ("(a?){3}b", "", "ab", "0-2 1-1"),
        ("(a?){2,}?b", "", "aab", "0-3 1-2"),
        ("(?:a*?b*?)*?c", "", "abc", "0-3"),
        ("(|a){0,2}$", "", "a", "0-1 0-1"),
    ]);
}

#[test]
fn classes_hold_what_they_list() {
    check(&[
        ("[abc]+", "", "xcabx", "1-4"),
        ("[^abc]+", "", "axyb", "1-3"),
        ("[a-c]+", "", "dabcd", "1-4"),
        ("[]a]+", "", "a]b", "0-2"),
        ("[^]a]", "", "]ab", "2-3"),
        ("[a-]+", "", "-a-b", "0-3"),
        ("[-a]+", "", "-ab", "0-2"),
        ("[a-c-e]+", "", "b-ed", "0-3"),
        ("[--a]+", "", "+-9Aa", "1-5"),
        ("[\\w-]+", "", "a-b c", "0-3"),
        ("[a\\-z]+", "", "-zab", "0-3"),
        ("[\\d.]+", "", "a1.2b", "1-4"),
        ("[^\\d\\s]+", "", "1 ab 2", "2-4"),
        ("[\\x41-\\x43]+", "", "xABCD", "1-4"),
        ("[\\101]", "", "A", "0-1"),
        ("[\\b]", "", "\u{8}", "0-1"),
        ("[\\n\\r]+", "", "a\r\nb", "1-3"),
        ("[\\Q^]\\E]+", "", "a]^", "1-3"),
        ("[[:alpha:]_]+", "", "1a_B2", "1-4"),
        ("[[:^alpha:]]+", "", "a12b", "1-3"),
        ("[[:digit:]-]+", "", "a1-2", "1-4"),
        ("[[:xdigit:]]+", "", "xAf09g", "1-5"),
        ("[[:punct:]]+", "", "a.,!b", "1-4"),
        ("[[:alpha]+", "", "x:[al", "1-5"),
        ("[a-z&&b]+", "", "&ab", "0-3"),
        ("[\\h\\v]+", "", "a \t\n\rb", "1-5"),
        ("[.]", "", "a.", "1-2"),
        ("[$^]", "", "a^", "1-2"),
    ]);
}

#[test]
fn escapes_stand_for_bytes_and_classes() {
    check(&[
        ("\\d+\\D", "", "a12b", "1-4"),
        ("\\w+\\W", "", "-a_1-", "1-5"),
        ("\\s\\S", "", "a\u{b}b", "1-3"),
        ("\\h+\\H", "", "a \tb", "1-4"),
        ("\\v\\V", "", "a\u{c}b", "1-3"),
        ("\\x41\\x{42}\\x4", "", "AB\u{4}", "0-3"),
        ("\\101\\060\\0", "", "A0\u{0}", "0-3"),
        ("\\o{101}", "", "A", "0-1"),
        ("\\t\\n\\r\\f\\a\\e", "", "\t\n\r\u{c}\u{7}\u{1b}", "0-6"),
        ("\\cA\\c[", "", "\u{1}\u{1b}", "0-2"),
        ("\\.\\/\\;\\\"\\_\\-", "", "./;\"_-", "0-6"),
        ("\\\\", "", "\\", "0-1"),
        ("\\Qa.b*\\Ec*", "", "a.b*cc", "0-6"),
        ("\\Qa.b", "", "a.b", "0-3"),
        ("a\\Qb\\E+", "", "abbb", "0-4"),
        ("a\\E+", "", "aa", "0-2"),
        ("\\N+", "s", "a\nb", "0-1"),
        ("a\\Cb", "", "a\nb", "0-3"),
        ("\\18", "", "\u{1}8", "0-2"),
    ]);
    for high in [0x80u8, 0x85, 0xA0, 0xE4, 0xFF] {
        let pattern = format!("\\x{{{high:x}}}");
        assert_eq!(found(pattern.as_bytes(), "i", &[b'a', high], 0), "1-2");
        assert_eq!(
            found(&[high, b'+'], "i", &[b'a', high, high], 0),
            "1-3",
            "a byte of the pattern is itself"
        );
        assert_eq!(found(b"\\w", "i", &[high], 0), "", "there are no letters beyond ASCII");
    }
    assert_eq!(found(b"\\h", "", b"\xA0", 0), "0-1");
    assert_eq!(found(b"\\v", "", b"\x85", 0), "0-1");
}

#[test]
fn any_newline_is_one_and_is_not_split() {
    check(&[
        ("a\\Rb", "", "a\nb", "0-3"),
        ("a\\Rb", "", "a\r\nb", "0-4"),
        ("a\\Rb", "", "a\rb", "0-3"),
        ("a\\R\\nb", "", "a\r\nb", ""),
        ("a\\R+b", "", "a\r\n\n\u{b}b", "0-6"),
        ("a\\R{2}b", "", "a\r\nb", ""),
    ]);
}

#[test]
fn case_counts_unless_it_does_not() {
    check(&[
        ("abc", "i", "xABc", "1-4"),
        ("[a-c]+", "i", "xABc", "1-4"),
        ("[^a]", "i", "Ab", "1-2"),
        ("[[:upper:]]", "i", "a", "0-1"),
        ("\\x41", "i", "a", "0-1"),
        ("a(?i)b(?-i)c", "", "aBc", "0-3"),
        ("a(?i)b(?-i)c", "", "aBC", ""),
        ("a(?i:b)c", "", "aBc", "0-3"),
        ("(a(?i)b|c)d", "", "Cd", "0-2 0-1"),
        ("(a(?i)b|c)d", "", "CD", ""),
        ("(?i)a|b", "", "B", "0-1"),
        ("(ab)\\1", "i", "abAB", "0-4 0-2"),
        ("(ab)\\1", "", "abAB", ""),
        ("(?^:a)", "i", "A", ""),
        ("user-agent\\x3a", "i", "xx User-Agent: y", "3-14"),
    ]);
}

#[test]
fn places_are_where_they_should_be() {
    check(&[
        ("^a", "", "ba", ""),
        ("^b", "", "a\nb", ""),
        ("^b", "m", "a\nb", "2-3"),
        ("^", "m", "a\n", "0-0"),
        ("\\n^", "m", "a\n", ""),
        ("a$", "", "a\n", "0-1"),
        ("a$", "", "a\n\n", ""),
        ("a$", "E", "a\n", ""),
        ("a$", "E", "ba", "1-2"),
        ("a$", "m", "a\nb", "0-1"),
        ("a$", "mE", "a\nb", "0-1"),
        ("$\\n", "", "a\n", "1-2"),
        ("\\Aa", "m", "b\na", ""),
        ("a\\Z", "m", "a\nb", ""),
        ("a\\Z", "", "a\n", "0-1"),
        ("a\\z", "", "a\n", ""),
        ("\\bab\\b", "", "cab ab", "4-6"),
        ("\\Bb", "", "b ab", "3-4"),
        ("\\b", "", "", ""),
        ("\\B", "", "", "0-0"),
        ("[[:<:]]a[[:>:]]", "", "aa a", "3-4"),
        ("a.b", "", "a\nb", ""),
        ("a.b", "s", "a\nb", "0-3"),
        ("a.b", "", "a\rb", "0-3"),
        ("(?m)^b$(?-m)", "", "a\nb\nc", "2-3"),
        ("(?s).(?-s).", "", "\n\na", "1-3"),
        ("b", "A", "ab", ""),
        ("a|b", "A", "ba", "0-1"),
    ]);
}

#[test]
fn what_stands_before_the_start_is_seen() {
    assert_eq!(found(b"^b", "", b"ab", 1), "");
    assert_eq!(found(b"^b", "m", b"a\nb", 2), "2-3");
    assert_eq!(found(b"\\bb", "", b"ab", 1), "");
    assert_eq!(found(b"(?<=a)b", "", b"ab", 1), "1-2");
    assert_eq!(found(b"(?<!a)b", "", b"ab", 1), "");
    assert_eq!(found(b"\\Gb", "", b"ab", 1), "1-2");
    assert_eq!(found(b"\\Gb", "", b"aab", 1), "");
    assert_eq!(found(b"b", "A", b"ab", 1), "1-2");
    assert_eq!(found(b".*b", "s", b"abab", 1), "1-4");
    assert_eq!(found(b"", "", b"ab", 2), "2-2");
    assert_eq!(found(b"", "", b"ab", 3), "", "there is no such place");
}

#[test]
fn an_extended_pattern_may_be_spaced_and_commented() {
    check(&[
        (" a b # c\n c", "x", "abc", "0-3"),
        ("a\\ b[ ]c", "x", "a b c", "0-5"),
        ("a + # twice\n b", "x", "aab", "0-3"),
        ("a{2} +a", "x", "aa", ""),
        ("(?x: a b ) c", "", "ab c", "0-4"),
        ("(?xx)[a b]+", "", " ab", "1-3"),
        ("(?x)[a b]+", "", " ab", "0-3"),
        ("a(?#comment)b", "", "ab", "0-2"),
        ("a(?#comment)+", "", "aa", "0-2"),
        ("a # b", "", "a # b", "0-5"),
    ]);
}

#[test]
fn groups_are_numbered_named_and_referred_to() {
    check(&[
        ("(a)(b(c))", "", "abc", "0-3 0-1 1-3 2-3"),
        ("(?:a)(b)", "", "ab", "0-2 1-2"),
        ("(?<x>a)(?P<y>b)(?'z'c)", "", "abc", "0-3 0-1 1-2 2-3"),
        ("(?n)(a)(?<x>b)", "", "ab", "0-2 1-2"),
        ("(a+)-\\1", "", "aa-aaa", "0-5 0-2"),
        ("(a)?\\1b", "", "b", ""),
        ("(?:(a)|b)\\1", "", "ba", ""),
        ("\\1(a)", "", "aa", ""),
        ("(?:\\1b|(a))+", "", "aab", "0-3 0-1"),
        ("(a\\1?){3}", "", "aaaa", "0-4 3-4"),
        ("(?<n>a)\\k<n>\\k'n'\\k{n}\\g{n}(?P=n)", "", "aaaaaa", "0-6 0-1"),
        ("(a)(b)\\g2\\g{-1}\\g{1}", "", "abbba", "0-5 0-1 1-2"),
        ("\\k<n>?(?<n>a)", "", "a", "0-1 0-1"),
        (
            "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10",
            "",
            "abcdefghijj",
            "0-11 0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10",
        ),
        ("(a)\\11", "", "a\t", "0-2 0-1"),
        ("(?|(a)|(b))\\1", "", "bb", "0-2 0-1"),
        ("(?|(a)(b)|(c))(d)", "", "cd", "0-2 0-1 - 1-2"),
        ("(?:(a)|b)*", "", "ab", "0-2 0-1"),
        ("((a)|b)*c", "", "abd", ""),
    ]);
    let named = Regex::new("(?<one>a)(b)(?P<three>c)", Flags::default()).expect("it is valid");
    assert_eq!(named.names().collect::<Vec<_>>(), [(&b"one"[..], 1), (b"three", 3)]);
    assert_eq!(named.captures(), 3);
}

#[test]
fn what_is_atomic_is_not_reconsidered() {
    check(&[
        ("(?>a+)b", "", "aaab", "0-4"),
        ("(?>a+)ab", "", "aaab", ""),
        ("(?>a|ab)c", "", "abc", ""),
        ("(?>ab|a)c", "", "abc", "0-3"),
        ("(?>(a+))b", "", "aab", "0-3 0-2"),
        ("(?:(?>a(b)?)|ac)c", "", "ac", "0-2 -"),
        ("((?>a(b)?)c|abd)", "", "abd", "0-3 0-3 -"),
        ("(?>a*?)b", "", "aab", "2-3"),
    ]);
}

#[test]
fn look_arounds_look_and_take_nothing() {
    check(&[
        ("a(?=b)", "", "acab", "2-3"),
        ("a(?!b)", "", "abac", "2-3"),
        ("(?=.*\\d)[a-z]+", "", "ab1", "0-2"),
        ("(?=(a+))a*b\\1", "", "baaabac", "3-6 3-4"),
        ("(?!(a)b)a", "", "abaa", "2-3 -"),
        ("(?!(a)b|(c))c?d", "", "abd", "2-3 - -"),
        ("(?<=ab)c", "", "acabc", "4-5"),
        ("(?<!ab)c", "", "abcc", "3-4"),
        ("(?<=a|bc)d", "", "cdbcd", "4-5"),
        ("(?<=^|,)x", "", "yx,x", "3-4"),
        ("(?<=(a)b)c", "", "abc", "2-3 0-1"),
        ("(?<=a{3})b", "", "aabaaab", "6-7"),
        ("(?<=\\bfoo)bar", "", "xfoobar foobar", "11-14"),
        ("(?<=(?=abc)ab)c", "", "abc", "2-3"),
        ("(?<=(a)\\1)b", "", "aab", "2-3 0-1"),
        ("(?<=a\\C)b", "", "a\nb", "2-3"),
        ("(?<!^)a", "", "aa", "1-2"),
        ("(?<=x(?<!ax))b", "", "axbxb", "4-5"),
        ("(?=a)*b", "", "b", "0-1"),
        ("(?=(a))?ab", "", "ab", "0-2 0-1"),
        ("(?=a){0}b", "", "b", "0-1"),
        ("(?!)", "", "a", ""),
        ("(?=)a", "", "a", "0-1"),
        ("^(?:(?!END).)*$", "", "no end", "0-6"),
        ("^(?:(?!END).)*$", "", "the END", ""),
    ]);
}

#[test]
fn conditions_choose() {
    check(&[
        ("(a)?(?(1)b|c)", "", "ab", "0-2 0-1"),
        ("(a)?(?(1)b|c)", "", "xc", "1-2 -"),
        ("(?<n>a)?(?(<n>)b|c)", "", "ab", "0-2 0-1"),
        ("(?<n>a)?(?('n')b|c)", "", "c", "0-1 -"),
        ("(?<n>a)?(?(n)b|c)", "", "ab", "0-2 0-1"),
        ("(a)?(?(-1)b|c)", "", "ab", "0-2 0-1"),
        ("(\\()?[^()]+(?(1)\\))", "", "(ab)", "0-4 0-1"),
        ("^(\\()?[^()]+(?(1)\\))$", "", "(ab", ""),
        ("(?(?=\\d)\\d{2}|[a-z])", "", "12", "0-2"),
        ("(?(?=\\d)\\d{2}|[a-z])", "", "1a", "1-2"),
        ("(?(?!\\d)a|b)", "", "1a", "1-2"),
        ("(?(?<=x)a|b)", "", "ba xa", "0-1"),
        ("(?(?<=x)a|c)", "", "ba xa", "4-5"),
        ("(?(?=(a))ab|c)", "", "ab", "0-2 0-1"),
        ("(?(DEFINE)(a.))x(?1)", "", "xab", "0-3 -"),
    ]);
}

#[test]
fn groups_can_be_called() {
    check(&[
        ("(a|b)x(?1)", "", "axb", "0-3 0-1"),
        ("(?<n>a|b)x(?&n)(?P>n)\\g<n>\\g'1'", "", "axbaba", "0-6 0-1"),
        ("(a)(?-1)(?+1)(b)", "", "aabb", "0-4 0-1 3-4"),
        ("\\((?:[^()]|(?R))*\\)", "", "x(a(b)c)", "1-8"),
        ("^(.|(.)(?1)\\2)$", "", "abcba", "0-5 0-5 0-1"),
        ("^(.|(.)(?1)\\2)$", "", "abcda", ""),
        ("(?1)(a+)", "", "aaa", "0-3 2-3"),
        ("(a(?1)?b)", "", "aabbb", "0-4 0-4"),
        ("(?(R)a|(?R)b)", "", "ab", "0-2"),
        ("((?(R1)a|b(?1)))", "", "ba", "0-2 0-2"),
        ("(a+)(?1)b", "", "aaab", "0-4 0-2"),
    ]);
}

#[test]
fn the_beginning_of_the_match_can_be_moved() {
    check(&[
        ("foo\\Kbar", "", "foobar", "3-6"),
        ("(foo\\K)?bar", "", "foobar", "3-6 0-3"),
        ("(?:a\\K)*b", "", "aab", "2-3"),
        ("a\\Kb|ac", "", "ac", "0-2"),
        // Called from a look-ahead it may move behind the end; then there is nothing in the match.
        ("(?=(?1))a|(ab\\K)", "", "ab", "1-1 -"),
    ]);
}

#[test]
fn one_scratch_serves_any_expression() {
    let two = Regex::new("(a)(b)", Flags::default()).expect("it is valid");
    let none = Regex::new("c", Flags::default()).expect("it is valid");
    let mut scratch = Scratch::new();
    assert_eq!(scratch.group(0), None);
    assert_eq!(two.find_at(b"xab", 0, &mut scratch), Outcome::Match);
    assert_eq!((scratch.group(1), scratch.group(2), scratch.group(3)), (Some((1, 2)), Some((2, 3)), None));
    assert_eq!(none.find_at(b"xab", 0, &mut scratch), Outcome::NoMatch);
    assert_eq!((scratch.group(0), scratch.group(1)), (None, None));
    assert_eq!(none.find_at(b"xc", 0, &mut scratch), Outcome::Match);
    assert_eq!((scratch.group(0), scratch.group(1)), (Some((1, 2)), None));
}

#[test]
fn the_literal_is_the_longest_that_must_be_there() {
    let literal = |pattern: &str, letters: &str| {
        let expression =
            Regex::new(pattern, flags(letters)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        expression.literal().map(|literal| (literal.bytes.escape_ascii().to_string(), literal.nocase))
    };
    let some = |bytes: &str, nocase| Some((bytes.to_string(), nocase));
    assert_eq!(literal("ab.*cde", ""), some("cde", false));
    assert_eq!(literal("^GET (?:a|b)/x", ""), some("GET ", false));
    assert_eq!(literal("a(bc)d", ""), some("abcd", false));
    assert_eq!(literal("AbC", "i"), some("abc", true));
    assert_eq!(literal("ab(?i)c", ""), some("abc", true));
    assert_eq!(literal("a{3}b?", ""), some("aaa", false));
    assert_eq!(literal("fo+bar", ""), some("obar", false));
    assert_eq!(literal("xy(?=abc)", ""), some("xy", false), "what is looked at is not matched");
    assert_eq!(literal("a(?=x)b", ""), some("ab", false));
    assert_eq!(literal("(?:abc)?x", ""), some("x", false));
    assert_eq!(literal("(?:abc)+", ""), some("abc", false));
    assert_eq!(literal("[Aa][bB]", ""), some("ab", true));
    assert_eq!(literal("[Ab][aB]", ""), None);
    assert_eq!(literal("abc|abd", ""), None);
    assert_eq!(literal("\\d+", ""), None);
    assert_eq!(literal("(?!abc)", ""), None);
    assert_eq!(literal("", ""), None);
}
