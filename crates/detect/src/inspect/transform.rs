//! Transformations: what is done to a buffer before anybody looks into it.

use crate::Complaint;
use md5::Digest;
use std::sync::Arc;

/// Bytes that decompressing may make.
const INFLATED_BYTES_MAX: usize = 64 << 10;
/// Bytes of a key for `xor`.
const KEY_BYTES_MAX: usize = 255;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Transform {
    Lowercase,
    Uppercase,
    UrlDecode,
    DotPrefix,
    Xor(Box<[u8]>),
    Md5,
    Sha1,
    Sha256,
    StripWhitespace,
    CompressWhitespace,
    StripPseudoHeaders,
    HeaderLowercase,
    /// The registered name in a host name.
    Domain,
    /// The last label.
    Tld,
    Base64 {
        mode: Base64Mode,
        offset: usize,
        bytes: usize,
    },
    /// The first group of an expression.
    Expression(Arc<pcre::Regex>),
    Gunzip {
        bytes_max: usize,
    },
    Zlib {
        bytes_max: usize,
    },
}

/// How strict base64 is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base64Mode {
    /// What is no letter of the alphabet is skipped.
    Skip,
    /// It ends what is decoded.
    Stop,
    /// It spoils all.
    Strict,
}

impl Transform {
    /// The transformation of this name; nothing if there is none.
    pub(crate) fn parse(name: &str, value: &str) -> Option<Result<Transform, Complaint>> {
        let plain = |transform| {
            if value.is_empty() {
                Ok(transform)
            } else {
                Err(Complaint::new(format!("'{name}' takes no value")))
            }
        };
        Some(match name {
            "to_lowercase" => plain(Transform::Lowercase),
            "to_uppercase" => plain(Transform::Uppercase),
            "url_decode" => plain(Transform::UrlDecode),
            "dotprefix" => plain(Transform::DotPrefix),
            "to_md5" => plain(Transform::Md5),
            "to_sha1" => plain(Transform::Sha1),
            "to_sha256" => plain(Transform::Sha256),
            "strip_whitespace" => plain(Transform::StripWhitespace),
            "compress_whitespace" => plain(Transform::CompressWhitespace),
            "strip_pseudo_headers" => plain(Transform::StripPseudoHeaders),
            "header_lowercase" => plain(Transform::HeaderLowercase),
            "domain" => plain(Transform::Domain),
            "tld" => plain(Transform::Tld),
            "xor" => xor(value),
            "from_base64" => from_base64(value),
            "pcrexform" => expression(value),
            "gunzip" => inflated_max(value).map(|bytes_max| Transform::Gunzip { bytes_max }),
            "zlib_deflate" => inflated_max(value).map(|bytes_max| Transform::Zlib { bytes_max }),
            _ => return None,
        })
    }

    /// What comes out; nothing if it cannot be done, and then nobody finds anything.
    pub(crate) fn apply(&self, bytes: &[u8], scratch: &mut pcre::Scratch) -> Option<Vec<u8>> {
        Some(match self {
            Transform::Lowercase => bytes.to_ascii_lowercase(),
            Transform::Uppercase => bytes.to_ascii_uppercase(),
            Transform::UrlDecode => url_decode(bytes),
            Transform::DotPrefix => [b".", bytes].concat(),
            Transform::Xor(key) => {
                bytes.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
            }
            Transform::Md5 => md5::Md5::digest(bytes).to_vec(),
            Transform::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
            Transform::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Transform::StripWhitespace => bytes.iter().copied().filter(|byte| !is_blank(*byte)).collect(),
            Transform::CompressWhitespace => compressed(bytes),
            Transform::StripPseudoHeaders => without_pseudo_headers(bytes),
            Transform::HeaderLowercase => names_lowered(bytes),
            Transform::Domain => domain(bytes)?.to_vec(),
            Transform::Tld => {
                let dot = memchr::memrchr(b'.', bytes)?;
                bytes[dot + 1..].to_vec()
            }
            Transform::Base64 { mode, offset, bytes: count } => {
                let part = bytes.get(*offset..)?;
                let part = if *count == 0 { part } else { part.get(..*count).unwrap_or(part) };
                return Some(base64(part, *mode, 0)).filter(|decoded| !decoded.is_empty());
            }
            Transform::Expression(regex) => match regex.find_at(bytes, 0, scratch) {
                pcre::Outcome::Match => {
                    let (begin, end) = scratch.group(1)?;
                    bytes.get(begin..end)?.to_vec()
                }
                pcre::Outcome::NoMatch | pcre::Outcome::GaveUp => return None,
            },
            Transform::Gunzip { bytes_max } => inflate(gzip_body(bytes)?, false, *bytes_max)?,
            Transform::Zlib { bytes_max } => inflate(bytes, true, *bytes_max)?,
        })
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn xor(value: &str) -> Result<Transform, Complaint> {
    let value = value.trim_matches('"').replace(' ', "");
    let digits: Option<Vec<u8>> =
        value.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits
        .filter(|digits| digits.len() % 2 == 0 && !digits.is_empty() && digits.len() <= 2 * KEY_BYTES_MAX);
    let Some(digits) = digits else {
        return Err(Complaint::new(format!(
            "'xor:{value}': expected a key of 1 to {KEY_BYTES_MAX} bytes in hexadecimal"
        )));
    };
    Ok(Transform::Xor(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
}

fn from_base64(value: &str) -> Result<Transform, Complaint> {
    let (mut mode, mut offset, mut bytes) = (Base64Mode::Stop, 0, 0);
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = || {
            Complaint::new(format!(
                "'from_base64:{part}': expected 'mode rfc2045|rfc4648|strict', 'offset N' or 'bytes N'"
            ))
        };
        let (key, word) = part.split_once(char::is_whitespace).ok_or_else(wrong)?;
        match (key, word.trim()) {
            ("mode", "rfc2045") => mode = Base64Mode::Skip,
            ("mode", "rfc4648") => mode = Base64Mode::Stop,
            ("mode", "strict") => mode = Base64Mode::Strict,
            ("offset", number) => {
                offset = number.parse().ok().filter(|number| *number <= 65_535).ok_or_else(wrong)?
            }
            ("bytes", number) => {
                bytes =
                    number.parse().ok().filter(|number| *number > 0 && *number <= 65_535).ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        }
    }
    Ok(Transform::Base64 { mode, offset, bytes })
}

fn expression(value: &str) -> Result<Transform, Complaint> {
    let pattern = value.trim_matches('"').replace("\\\"", "\"").replace("\\;", ";");
    let regex = pcre::Regex::new(pattern.as_bytes(), pcre::Flags::default())
        .map_err(|error| Complaint::new(format!("pcrexform: {error}")))?;
    if regex.captures() != 1 {
        return Err(Complaint::new(
            "pcrexform: expected exactly one group '(…)', which is what is looked into",
        ));
    }
    Ok(Transform::Expression(Arc::new(regex)))
}

fn inflated_max(value: &str) -> Result<usize, Complaint> {
    if value.is_empty() {
        return Ok(INFLATED_BYTES_MAX);
    }
    let number = value.trim().strip_prefix("max-size").unwrap_or(value).trim();
    let test = crate::NumberTest::parse(number, 10 << 20, &[])?;
    match test {
        crate::NumberTest::Equal(bytes) => Ok(bytes as usize),
        _ => Err(Complaint::new(format!("'{value}': expected 'max-size' and a number of bytes"))),
    }
}

fn url_decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut after_blank = false;
    for byte in bytes {
        let blank = is_blank(*byte);
        if !(blank && after_blank) {
            out.push(*byte);
        }
        after_blank = blank;
    }
    out
}

fn without_pseudo_headers(bytes: &[u8]) -> Vec<u8> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.first() != Some(&b':'))
        .flatten()
        .copied()
        .collect()
}

fn names_lowered(bytes: &[u8]) -> Vec<u8> {
    let mut in_name = true;
    bytes
        .iter()
        .map(|byte| {
            match byte {
                b':' => in_name = false,
                b'\n' => in_name = true,
                _ => {}
            }
            if in_name { byte.to_ascii_lowercase() } else { *byte }
        })
        .collect()
}

/// The last two labels, or three where the second last is one under which names are registered.
fn domain(host: &[u8]) -> Option<&[u8]> {
    const SECOND: &[&[u8]] = &[
        b"co", b"com", b"net", b"org", b"gov", b"edu", b"ac", b"or", b"ne", b"go", b"gob", b"nom", b"ltd",
        b"plc", b"me",
    ];
    let labels: Vec<&[u8]> = host.split(|byte| *byte == b'.').collect();
    if labels.len() < 2 || labels.iter().any(|label| label.is_empty()) {
        return None;
    }
    let last = labels[labels.len() - 1];
    let before = labels[labels.len() - 2];
    let count = if labels.len() > 2 && last.len() == 2 && SECOND.contains(&before) { 3 } else { 2 };
    let length: usize = labels[labels.len() - count..].iter().map(|label| label.len() + 1).sum::<usize>() - 1;
    host.get(host.len() - length..)
}

/// What a gzip file holds, its head taken off.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    let flags = match bytes {
        [0x1f, 0x8b, 8, flags, ..] => *flags,
        _ => return None,
    };
    let mut at = 10;
    if flags & 4 != 0 {
        let length = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(length);
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    bytes.get(at..)
}

fn inflate(bytes: &[u8], has_zlib_head: bool, bytes_max: usize) -> Option<Vec<u8>> {
    use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER;
    use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF
        | if has_zlib_head { TINFL_FLAG_PARSE_ZLIB_HEADER } else { 0 };
    let mut out = vec![0; bytes_max];
    let mut state = Box::<miniz_oxide::inflate::core::DecompressorOxide>::default();
    let (_, _, written) = miniz_oxide::inflate::core::decompress(&mut state, bytes, &mut out, 0, flags);
    out.truncate(written);
    (written > 0).then_some(out)
}

/// What base64 stands for, as far as it can be read; `bytes_max` bytes at most come out, 0 for all.
pub(crate) fn base64_lenient(text: &[u8], bytes_max: usize) -> Vec<u8> {
    base64(text, Base64Mode::Stop, bytes_max)
}

fn base64(text: &[u8], mode: Base64Mode, bytes_max: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0u32, 0u32, 0usize);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                if mode == Base64Mode::Strict { continue } else { break }
            }
            _ if mode == Base64Mode::Skip => continue,
            _ if mode == Base64Mode::Strict => return Vec::new(),
            _ => break,
        };
        if padding > 0 {
            return Vec::new();
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    if mode == Base64Mode::Strict && !(count + padding as u32).is_multiple_of(4) {
        return Vec::new();
    }
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    if bytes_max > 0 {
        out.truncate(bytes_max);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(name: &str, value: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let transform =
            Transform::parse(name, value).and_then(Result::ok).unwrap_or_else(|| panic!("{name}:{value}"));
        transform.apply(bytes, &mut pcre::Scratch::default())
    }

    #[test]
    fn each_transformation_does_what_its_name_says() {
        let text = |name, value, bytes: &[u8]| {
            String::from_utf8(apply(name, value, bytes).unwrap_or_default()).unwrap_or_default()
        };
        assert_eq!(text("to_lowercase", "", b"AbC"), "abc");
        assert_eq!(text("to_uppercase", "", b"AbC"), "ABC");
        assert_eq!(text("url_decode", "", b"a%20b+c%zz%4"), "a b c%zz%4");
        assert_eq!(text("dotprefix", "", b"a.b"), ".a.b");
        assert_eq!(apply("xor", "\"01ff\"", &[0, 0, 0]), Some(vec![1, 0xff, 1]));
        assert_eq!(text("strip_whitespace", "", b" a\t b\r\n"), "ab");
        assert_eq!(text("compress_whitespace", "", b"a  \t b"), "a b");
        assert_eq!(text("strip_pseudo_headers", "", b":method: x\r\nHost: y\r\n"), "Host: y\r\n");
        assert_eq!(text("header_lowercase", "", b"HoSt: Y\r\nAb: C"), "host: Y\r\nab: C");
        assert_eq!(text("domain", "", b"a.b.example.com"), "example.com");
        assert_eq!(text("domain", "", b"a.example.co.uk"), "example.co.uk");
        assert_eq!(text("tld", "", b"a.example.org"), "org");
        assert_eq!(text("from_base64", "", b"YWJj"), "abc");
        assert_eq!(text("from_base64", "mode rfc2045", b"YW Jj"), "abc");
        assert_eq!(text("from_base64", "offset 1, bytes 4", b"xYWJjZGVm"), "abc");
        assert_eq!(text("pcrexform", "\"a(.)c\"", b"xabcx"), "b");
        assert_eq!(apply("to_md5", "", b"").map(|digest| digest.len()), Some(16));
        assert_eq!(apply("to_sha256", "", b"").map(|digest| digest.len()), Some(32));
    }

    #[test]
    fn what_is_compressed_is_made_larger_up_to_a_limit() {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&[b'a'; 100_000], 6);
        assert_eq!(apply("zlib_deflate", "", &packed).map(|bytes| bytes.len()), Some(INFLATED_BYTES_MAX));
        let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
        gzip.extend(miniz_oxide::deflate::compress_to_vec(b"hello", 6));
        assert_eq!(apply("gunzip", "", &gzip), Some(b"hello".to_vec()));
        assert_eq!(apply("gunzip", "", b"no"), None);
    }

    #[test]
    fn strict_base64_is_all_or_nothing() {
        assert_eq!(apply("from_base64", "mode strict", b"YWI="), Some(b"ab".to_vec()));
        assert_eq!(apply("from_base64", "mode strict", b"YWI"), None);
        assert_eq!(apply("from_base64", "mode strict", b"YW!I"), None);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused() {
        for (name, value) in
            [("xor", "0"), ("xor", ""), ("to_md5", "x"), ("from_base64", "mode x"), ("pcrexform", "\"ab\"")]
        {
            assert!(Transform::parse(name, value).is_some_and(|parsed| parsed.is_err()), "{name}:{value}");
        }
        assert!(Transform::parse("content", "").is_none());
    }
}
