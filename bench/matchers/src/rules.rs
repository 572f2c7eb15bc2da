//! Literals out of a rule file: the longest `content` of each enabled rule, grouped by the buffer that it is looked for in.
//!
//! As much of the rule language as that takes: a rule on a line, options between its brackets, sticky buffers before their
//! contents and the older modifiers behind them. A negated content is none. Not here: whether a rule makes sense.

use std::collections::BTreeMap;

use pattern::{PATTERN_BYTES_MAX, Pattern};

/// What a content is looked for in where no buffer is named.
const PAYLOAD: &str = "payload";

/// Buffers that are not named with a dot.
const STICKY: &[&str] = &["file_data", "dns_query", "tls_sni", "ja3_hash", "base64_data"];

/// Modifiers that name the buffer of the content before them.
const MODIFIERS: &[&str] = &[
    "http_uri",
    "http_raw_uri",
    "http_header",
    "http_raw_header",
    "http_method",
    "http_cookie",
    "http_user_agent",
    "http_host",
    "http_client_body",
    "http_server_body",
    "http_stat_code",
    "http_content_type",
];

/// Keywords with a dot in their name that are no buffers.
const NO_BUFFERS: &[&str] = &["tcp.hdr", "udp.hdr", "ipv4.hdr", "ipv6.hdr", "icmpv6.hdr"];

struct Content {
    bytes: Vec<u8>,
    nocase: bool,
    buffer: String,
}

/// The distinct literals of each buffer, in order.
pub(crate) fn literals(text: &str) -> BTreeMap<String, Vec<Pattern>> {
    let mut buffers: BTreeMap<String, Vec<Pattern>> = BTreeMap::new();
    for rule in text.lines().filter(|line| line.starts_with("alert ")) {
        let Some((_, options)) = rule.split_once('(') else { continue };
        if let Some(content) = longest(options) {
            let Content { bytes, nocase, buffer } = content;
            buffers.entry(buffer).or_default().push(Pattern { bytes, nocase });
        }
    }
    for patterns in buffers.values_mut() {
        patterns.sort();
        patterns.dedup();
    }
    buffers
}

/// The longest content of a rule, the first among equals.
fn longest(options: &str) -> Option<Content> {
    let mut contents: Vec<Content> = Vec::new();
    let mut buffer = PAYLOAD.to_string();
    let mut is_last_negated = false;
    for option in split(options) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        match name.trim() {
            "content" => {
                let value = value.trim();
                is_last_negated = value.starts_with('!');
                let bytes = decode(value.trim_start_matches('!').trim().trim_matches('"'));
                if !is_last_negated && (1..=PATTERN_BYTES_MAX).contains(&bytes.len()) {
                    contents.push(Content { bytes, nocase: false, buffer: buffer.clone() });
                }
            }
            "nocase" if !is_last_negated => {
                if let Some(content) = contents.last_mut() {
                    content.nocase = true;
                }
            }
            "pkt_data" => buffer = PAYLOAD.into(),
            name if MODIFIERS.contains(&name) && !is_last_negated => {
                if let Some(content) = contents.last_mut() {
                    content.buffer = name.replacen('_', ".", 1);
                }
            }
            name if value.is_empty() && is_buffer(name) => buffer = name.replacen('_', ".", 1),
            _ => {}
        }
    }
    let longest = contents.iter().map(|content| content.bytes.len()).max()?;
    contents.into_iter().find(|content| content.bytes.len() == longest)
}

fn is_buffer(name: &str) -> bool {
    STICKY.contains(&name) || name.contains('.') && !NO_BUFFERS.contains(&name)
}

/// The options between brackets: what stands between semicolons that are neither quoted nor escaped.
fn split(options: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in options.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.push(options[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// The bytes of a content: characters, escaped ones, and hexadecimal numbers between bars.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in text.split('|').enumerate() {
        if index % 2 == 1 {
            let digits: Vec<u8> =
                part.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
            bytes.extend(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
            continue;
        }
        let mut is_escaped = false;
        for byte in part.bytes() {
            if byte == b'\\' && !is_escaped {
                is_escaped = true;
            } else {
                bytes.push(byte);
                is_escaped = false;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_content_stands_in_its_buffer() {
        let rules = r#"
# alert tcp any any -> any any (content:"disabled"; sid:1;)
alert http any any -> any any (msg:"a; b"; content:"short"; http.uri; content:"/long|2f 41|er\;"; nocase; sid:2;)
alert tcp any any -> any any (content:!"absent and long"; content:"here"; nocase; sid:3;)
alert http any any -> any any (content:"old style"; http_header; content:"x"; sid:4;)
"#;
        let literals = literals(rules);
        let found: Vec<(&str, &[u8], bool)> = literals
            .iter()
            .flat_map(|(buffer, patterns)| {
                patterns.iter().map(|pattern| (buffer.as_str(), &*pattern.bytes, pattern.nocase))
            })
            .collect();
        let expected: [(&str, &[u8], bool); 3] = [
            ("http.header", b"old style", false),
            ("http.uri", b"/long/Aer;", true),
            ("payload", b"here", true),
        ];
        assert_eq!(found, expected);
    }
}
