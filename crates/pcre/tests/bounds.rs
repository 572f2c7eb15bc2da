//! Whatever the pattern and the text are, a search ends, and early enough.

use pcre::{Flags, NESTING_MAX, Outcome, Regex, STEPS_MAX, STEPS_PER_BYTE, Scratch};

fn compiled(pattern: &str, dot_all: bool) -> Regex {
    let flags = Flags { dot_all, ..Flags::default() };
    Regex::new(pattern, flags).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// What came of a search, and its steps.
fn search(pattern: &str, text: &[u8]) -> (Outcome, u64) {
    let mut scratch = Scratch::new();
    let outcome = compiled(pattern, true).find_at(text, 0, &mut scratch);
    assert!(scratch.steps() <= STEPS_MAX + STEPS_PER_BYTE * text.len() as u64, "/{pattern}/");
    (outcome, scratch.steps())
}

#[test]
fn what_would_take_for_ever_gives_up() {
    let text = [b"a".repeat(40), b"!".to_vec()].concat();
    let patterns = [
        "(a+)+$",
        "(a|aa)+$",
        "(a*)*b?$",
        "(?:a?){40}[ac]{41}",
        "(?=(a+)+b)",
        "(?!(a|aa)+b)a",
        "(?>(a|aa)+b)",
        "(a+)\\1*\\1*\\1*\\1*\\1*\\1*b",
        "(?:(?:a+)+)+[^a!]",
    ];
    for pattern in patterns {
        // What follows a class that is not in the text is known at once; so there is no literal here that is missing.
        let pattern = pattern.replace('b', "[b-c]");
        assert_eq!(search(&pattern, &text).0, Outcome::GaveUp, "/{pattern}/");
    }
}

#[test]
fn a_search_that_gave_up_says_that_it_took_all_its_steps() {
    let text = b"a".repeat(100);
    let (outcome, steps) = search("(a+)+[b-c]", &text);
    assert_eq!((outcome, steps), (Outcome::GaveUp, STEPS_MAX + STEPS_PER_BYTE * 100));
}

#[test]
fn a_call_that_calls_itself_gives_up() {
    for pattern in ["(?R)", "a*(?R)", "(?1)(a?(?1))", "((?1)|a)", "(?=(?R))a"] {
        assert_eq!(search(pattern, b"aaaa").0, Outcome::GaveUp, "/{pattern}/");
    }
}

#[test]
fn ways_back_that_do_not_fit_end_the_search() {
    let text = b"ab".repeat(300_000);
    assert_eq!(search("^(?:a|b|ab)*[c-d]", &text).0, Outcome::GaveUp);
    assert_eq!(search("^((a|b)|ab)*$", &text).0, Outcome::GaveUp);
    // It could not go back anywhere, and so keeps nothing.
    assert_eq!(search("^(?:a|b)*$", &text).0, Outcome::Match);
    assert_eq!(search("^(?:ab|cd)*$", &text).0, Outcome::Match);
}

#[test]
fn ordinary_expressions_pass_over_a_long_text() {
    let text = b"GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n".repeat(20_000);
    let length = text.len() as u64;
    let patterns = [
        ("^POST [^\\r\\n]+\\x00", 1),
        ("^(?:GET|POST) /[a-z.]{4,20}needle", 10),
        ("\\r\\nCookie\\x3a [^\\r\\n]*?id=\\d+", length / 16 + 10),
        ("[^\\r\\n]*?[\\x60\\x24]", length),
        (".*?\\x60", length / 8),
        ("^(?:[^\\r\\n]*\\r\\n)*?X-Y", length / 8),
        ("(?:[a-z]+\\.){3}[a-z]+", 3 * length),
        ("[A-Z]{5}", length),
    ];
    for (pattern, steps_max) in patterns {
        let (outcome, steps) = search(pattern, &text);
        assert_eq!(outcome, Outcome::NoMatch, "/{pattern}/");
        assert!(steps <= steps_max, "/{pattern}/ took {steps} steps and not {steps_max}");
    }
}

#[test]
fn a_text_without_the_literal_is_passed_over() {
    let text = b"ab".repeat(50_000);
    let (outcome, steps) = search("(?:a|b|ab)+needle", &text);
    assert_eq!(outcome, Outcome::NoMatch);
    assert!(steps <= 100_000 / 16 + 2, "{steps}");
    // Of many places only those are tried that are at the right distance from it.
    let text = [&text[..], b"needle", &text[..]].concat();
    let (outcome, steps) = search(".{7}needle[c-d]", &text);
    assert_eq!(outcome, Outcome::NoMatch);
    assert!(steps <= 3 * 100_000 / 16 + 20, "{steps}");
}

#[test]
fn the_deepest_pattern_does_not_exhaust_the_stack() {
    for (open, close) in
        [("(", ")"), ("(?:a|", ")*"), ("(?=", ")"), ("(?>x|", "x)?"), ("(?(?=a)", ")"), ("(?<!", ")")]
    {
        let pattern = format!("{}a{}", open.repeat(NESTING_MAX), close.repeat(NESTING_MAX));
        let (outcome, _) = search(&pattern, &b"a".repeat(50));
        assert_ne!(outcome, Outcome::GaveUp, "{open}…{close}");
    }
}

#[test]
fn an_expression_is_small() {
    for (pattern, bytes_max) in [
        ("abc", 300),
        ("^GET /[a-z0-9]{8,16}\\.php\\?id=\\d+&[^\\r\\n]+\\r\\n", 700),
        ("(?:one|two|three|four|five|six|seven|eight|nine|ten)\\.(?:com|net|org)", 1_500),
        ("(?:[a-z]{1,65535}){65535}", 500),
    ] {
        let bytes = compiled(pattern, false).memory_bytes();
        assert!(bytes <= bytes_max, "/{pattern}/ takes {bytes} bytes");
    }
}
