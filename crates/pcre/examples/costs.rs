//! What six thousand expressions cost on this machine, beside the crate `regex`: to load, in memory, and to look for.
//! The figures of `docs/adr/0019-regular-expressions-of-our-own.md` are from here, where it does not say otherwise.
//!
//!     cargo run --release -p pcre --example costs

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    reason = "it measures and prints; it is no logic"
)]

use core::time::Duration;
use pcre::{Flags, Outcome, Regex, Scratch};
use regex::bytes::{Regex as Other, RegexBuilder};
use std::time::Instant;

const EXPRESSIONS: usize = 6_000;

/// What rules are like, without what `regex` does not have. `@` stands for a word that differs from one to the next.
const SHAPES: [(&str, &str); 12] = [
    (r"^/@/[a-z0-9]{8,16}\.php$", "i"),
    (r"\x2f@\.(?:exe|dll|scr)\b", "i"),
    (r"^User-Agent\x3a[^\r\n]+@", "im"),
    (r"id=\d+&@=[^&]*?(?:select|union)", "i"),
    (r"^(?:GET|POST) /@\?[a-z]=[A-Za-z0-9+/]{20,}={0,2} HTTP/1\.[01]\r\n", "s"),
    (r"@\s*\(\s*[\x22\x27][^\x22\x27]{50,}", ""),
    (r"<script[^>]*>.*?@.*?</script>", "is"),
    (r"[?&](?:a|b|c|@)=[0-9a-f]{32}(?:&|$)", ""),
    (r"^@\x00{2}.{4}\xff[\x00-\x1f]", "s"),
    (r"(?:[a-z]+\.)+@\.(?:com|net|org|info|biz)$", "i"),
    (r"var\s+(\w+)\s*=\s*@", "i"),
    (r"^[^\r\n]*@[^\r\n]*\r\n", "m"),
];

fn expressions() -> Vec<(String, Flags)> {
    let shape = |number: usize| {
        let (pattern, letters) = SHAPES[number % SHAPES.len()];
        let flags = Flags {
            caseless: letters.contains('i'),
            multiline: letters.contains('m'),
            dot_all: letters.contains('s'),
            ..Flags::default()
        };
        (pattern.replace('@', &format!("w{number}x")), flags)
    };
    (0..EXPRESSIONS).map(shape).collect()
}

fn text() -> Vec<u8> {
    let page = b"GET /index.php?id=17&page=about HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Test/1.0 (X11)\r\n\r\n\
        <html><script>var a = f('b'); var c = w22x; var d = w34x;</script><a href=\"/images/logo.gif?v=3\">w7 and w8</a></html>\n";
    page.repeat(8)
}

/// The memory that the process has in use. It does not shrink, so that only the first to ask for more is charged.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<usize>().ok());
    4096 * pages.unwrap_or(0)
}

fn line(name: &str, load: Duration, loaded: usize, search: Duration, searched: usize, found: usize) {
    let each = |bytes: usize| bytes as f64 / EXPRESSIONS as f64 / 1000.0;
    let microseconds = search.as_secs_f64() * 1e6 / EXPRESSIONS as f64;
    println!(
        "{name:>8} {:>10.0} ms {:>10.2} kB {:>10.2} kB {microseconds:>10.2} µs {found:>10}",
        load.as_secs_f64() * 1e3,
        each(loaded),
        each(searched),
    );
}

fn ours(expressions: &[(String, Flags)], text: &[u8]) {
    let (before, start) = (resident_bytes(), Instant::now());
    let compiled: Vec<Regex> = expressions
        .iter()
        .map(|(pattern, flags)| Regex::new(pattern, *flags).expect("it is valid"))
        .collect();
    let (load, loaded) = (start.elapsed(), resident_bytes() - before);
    let mut scratch = Scratch::new();
    let start = Instant::now();
    let matches = |expression: &&Regex| expression.find_at(text, 0, &mut scratch) == Outcome::Match;
    let found = compiled.iter().filter(matches).count();
    line("pcre", load, loaded, start.elapsed(), resident_bytes() - before, found);
    let counted: usize = compiled.iter().map(Regex::memory_bytes).sum();
    println!("         (of which it knows itself: {:.2} kB)", counted as f64 / EXPRESSIONS as f64 / 1000.0);
}

fn theirs(expressions: &[(String, Flags)], text: &[u8]) {
    let build = |(pattern, flags): &(String, Flags)| {
        let mut builder = RegexBuilder::new(pattern);
        builder.unicode(false).case_insensitive(flags.caseless).multi_line(flags.multiline);
        builder.dot_matches_new_line(flags.dot_all).build().expect("it is valid")
    };
    let (before, start) = (resident_bytes(), Instant::now());
    let compiled: Vec<Other> = expressions.iter().map(build).collect();
    let (load, loaded) = (start.elapsed(), resident_bytes() - before);
    let start = Instant::now();
    let found = compiled.iter().filter(|expression| expression.is_match(text)).count();
    line("regex", load, loaded, start.elapsed(), resident_bytes() - before, found);
}

fn main() {
    let (expressions, text) = (expressions(), text());
    println!("{EXPRESSIONS} expressions, a text of {} bytes; for each expression:", text.len());
    println!("            all loaded        loaded    searched once   a search   found");
    ours(&expressions, &text);
    theirs(&expressions, &text);
}
