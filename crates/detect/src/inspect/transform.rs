//! Transformations: what is done to a buffer before anybody looks into it.
//!
//! A buffer without a byte stays as it is. One that cannot be decoded or has no match stays as it is too; one that cannot be unpacked, or has no domain, becomes
//! empty: then what must not be there is not there.
//!
//! Not here: `luaxform`, since there is no Lua.

use super::{base64, inflate};
use crate::Complaint;
use md5::Digest;
use std::sync::Arc;

/// Bytes that unpacking makes if the rule does not say how many.
const INFLATED_BYTES: usize = 1024;
/// Bytes that a rule may let it make.
const INFLATED_BYTES_MAX: u64 = 16 << 20;
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
    /// What it was registered under.
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

    /// Whether such a content can ever be found in what comes out.
    pub(crate) fn may_show(&self, content: &[u8]) -> bool {
        match self {
            Transform::Lowercase => !content.iter().any(u8::is_ascii_uppercase),
            Transform::Uppercase => !content.iter().any(u8::is_ascii_lowercase),
            Transform::StripWhitespace => !content.iter().copied().any(is_blank),
            Transform::CompressWhitespace => {
                !content.windows(2).any(|pair| pair.iter().copied().all(is_blank))
            }
            _ => true,
        }
    }

    /// What comes out.
    pub(crate) fn apply(&self, bytes: &[u8], scratch: &mut pcre::Scratch) -> Vec<u8> {
        if bytes.is_empty() {
            return Vec::new();
        }
        match self {
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
            Transform::Domain => {
                psl::domain(bytes).map_or_else(Vec::new, |domain| domain.as_bytes().to_vec())
            }
            Transform::Tld => {
                psl::domain(bytes).map_or_else(Vec::new, |domain| domain.suffix().as_bytes().to_vec())
            }
            Transform::Base64 { mode, offset, bytes: count } => {
                let part = bytes.get(*offset..).filter(|part| !part.is_empty());
                let part = part.and_then(|part| match *count {
                    0 => Some(part),
                    count if count < part.len() => part.get(..count),
                    _ => None,
                });
                let decoded = part.and_then(|part| match mode {
                    Base64Mode::Skip => base64::without_others(part),
                    Base64Mode::Stop => base64::until_other(part),
                    Base64Mode::Strict => base64::strictly(part),
                });
                decoded.unwrap_or_else(|| bytes.to_vec())
            }
            Transform::Expression(regex) => {
                let found = match regex.find_at(bytes, 0, scratch) {
                    pcre::Outcome::Match => scratch.group(1).and_then(|(begin, end)| bytes.get(begin..end)),
                    pcre::Outcome::NoMatch | pcre::Outcome::GaveUp => None,
                };
                found.unwrap_or(bytes).to_vec()
            }
            Transform::Gunzip { bytes_max } => inflate::gzip(bytes, *bytes_max),
            Transform::Zlib { bytes_max } => inflate::zlib(bytes, *bytes_max),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn xor(value: &str) -> Result<Transform, Complaint> {
    let value = value.trim_matches('"');
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
    let (mut mode, mut offset, mut bytes) = (None, None, None);
    for part in value.split(',').map(str::trim).filter(|_| !value.is_empty()) {
        let wrong = || {
            Complaint::new(format!(
                "'from_base64:{part}': expected, once each, 'mode rfc2045|rfc4648|strict', 'offset N' or 'bytes N'"
            ))
        };
        let (key, word) = part.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let number = || {
            word.trim()
                .parse()
                .ok()
                .filter(|number: &usize| *number <= usize::from(u16::MAX))
                .ok_or_else(wrong)
        };
        let is_first = match (key, word.trim()) {
            ("mode", "rfc2045") => mode.replace(Base64Mode::Skip).is_none(),
            ("mode", "rfc4648") => mode.replace(Base64Mode::Stop).is_none(),
            ("mode", "strict") => mode.replace(Base64Mode::Strict).is_none(),
            ("offset", _) => offset.replace(number()?).is_none(),
            ("bytes", _) => bytes.replace(number()?).is_none(),
            _ => return Err(wrong()),
        };
        if !is_first {
            return Err(wrong());
        }
    }
    let (offset, bytes) = (offset.unwrap_or(0), bytes.unwrap_or(0));
    Ok(Transform::Base64 { mode: mode.unwrap_or(Base64Mode::Stop), offset, bytes })
}

fn expression(value: &str) -> Result<Transform, Complaint> {
    let pattern = value.trim_matches('"').replace("\\\"", "\"").replace("\\;", ";");
    let regex = pcre::Regex::new(pattern.as_bytes(), pcre::Flags::default())
        .map_err(|error| crate::rule::compile::expression_complaint("pcrexform", &error))?;
    if regex.captures() != 1 {
        return Err(Complaint::new(
            "pcrexform: expected exactly one group '(…)', which is what is looked into",
        ));
    }
    Ok(Transform::Expression(Arc::new(regex)))
}

fn inflated_max(value: &str) -> Result<usize, Complaint> {
    if value.is_empty() {
        return Ok(INFLATED_BYTES);
    }
    let wrong = || Complaint::new(format!("'{value}': expected 'max-size' and a number of bytes"));
    let number = value.strip_prefix("max-size ").ok_or_else(wrong)?;
    match crate::NumberTest::parse(number, INFLATED_BYTES_MAX, &[])? {
        crate::NumberTest::Equal(bytes) if bytes > 0 => usize::try_from(bytes).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// `%` and two digits are a byte, `+` is a blank. A `%` that no two digits follow stays, with what follows it as it is.
fn url_decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        let (made, taken) = match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, 3),
            // The byte at which it shows that this is none belongs to it.
            (b'%', first, _) => {
                let length = if first.is_some() { 3 } else { 2 };
                out.extend_from_slice(bytes.get(at..).map_or(&[], |rest| &rest[..rest.len().min(length)]));
                at += length;
                continue;
            }
            (b'+', ..) => (b' ', 1),
            (byte, ..) => (*byte, 1),
        };
        out.push(made);
        at += taken;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Transform {
        let parsed = Transform::parse(name, value).unwrap_or_else(|| panic!("there is no {name}"));
        parsed.unwrap_or_else(|complaint| panic!("{name}:{value}: {complaint:?}"))
    }

    fn apply(name: &str, value: &str, bytes: &[u8]) -> Vec<u8> {
        read(name, value).apply(bytes, &mut pcre::Scratch::default())
    }

    fn text(name: &str, value: &str, bytes: &[u8]) -> String {
        String::from_utf8_lossy(&apply(name, value, bytes)).into_owned()
    }

    #[test]
    fn each_transformation_does_what_its_name_says() {
        assert_eq!(text("to_lowercase", "", b"AbC"), "abc");
        assert_eq!(text("to_uppercase", "", b"AbC"), "ABC");
        assert_eq!(text("dotprefix", "", b"a.b"), ".a.b");
        assert_eq!(apply("xor", "\"01fF\"", &[0, 0, 0]), [1, 0xff, 1]);
        assert_eq!(text("strip_whitespace", "", b" a\t b\r\n\x0b\x0cc"), "abc");
        assert_eq!(text("compress_whitespace", "", b"a  \t b\r\n c"), "a b\rc");
        assert_eq!(text("strip_pseudo_headers", "", b":method: x\r\nHost: y\r\n:z"), "Host: y\r\n");
        assert_eq!(text("header_lowercase", "", b"HoSt: Y:Z\r\nAb: C"), "host: Y:Z\r\nab: C");
        assert_eq!(text("pcrexform", "\"a(.)c\"", b"xabcx"), "b");
        assert_eq!(apply("to_md5", "", b"abc").len(), 16);
        assert_eq!(apply("to_sha1", "", b"abc").len(), 20);
        assert_eq!(apply("to_sha256", "", b"abc").len(), 32);
    }

    #[test]
    fn a_percent_sign_that_no_two_digits_follow_stays_with_what_follows_it() {
        let decoded = |bytes: &[u8]| text("url_decode", "", bytes);
        assert_eq!(decoded(b"a%20b+c%4A"), "a b cJ");
        assert_eq!(decoded(b"%zz%4"), "%zz%4");
        assert_eq!(decoded(b"%+%a+%%41"), "%+%a+%%41");
        assert_eq!(decoded(b"100%"), "100%");
    }

    #[test]
    fn names_are_cut_where_the_public_says_that_they_begin() {
        let both = |host: &[u8]| (text("domain", "", host), text("tld", "", host));
        let pair = |domain: &str, tld: &str| (domain.to_owned(), tld.to_owned());
        assert_eq!(both(b"a.b.example.com"), pair("example.com", "com"));
        assert_eq!(both(b"a.example.co.uk"), pair("example.co.uk", "co.uk"));
        assert_eq!(both(b"com"), pair("", ""));
        assert_eq!(both(b"host.nosuchname"), pair("host.nosuchname", "nosuchname"));
    }

    #[test]
    fn base64_is_read_in_the_mode_that_is_said_and_what_is_none_stays() {
        assert_eq!(text("from_base64", "", b"YWJj"), "abc");
        assert_eq!(text("from_base64", "mode rfc2045", b"YW Jj"), "abc");
        assert_eq!(text("from_base64", "mode strict", b"YW Jj"), "YW Jj");
        assert_eq!(text("from_base64", "offset 1, bytes 4", b"xYWJjZGVm"), "abc");
        assert_eq!(text("from_base64", "bytes 12", b"VGhpcyBpcyBTdXJpY2F0YQ=="), "This is S");
        assert_eq!(text("from_base64", "mode rfc2045, bytes 15", b"SGVs bG8 gV29y bGQ="), "Hello Wor");
        for value in ["bytes 4", "bytes 9", "offset 4", "offset 9"] {
            assert_eq!(text("from_base64", value, b"YWJj"), "YWJj", "{value}");
        }
        assert_eq!(text("from_base64", "", b"!abc"), "!abc");
    }

    #[test]
    fn what_has_no_match_stays() {
        assert_eq!(text("pcrexform", "\"a(.)c\"", b"xyz"), "xyz");
    }

    #[test]
    fn what_is_packed_is_made_larger_up_to_a_limit_and_what_is_not_becomes_empty() {
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&[b'a'; 100_000], 6);
        assert_eq!(apply("zlib_deflate", "", &packed).len(), INFLATED_BYTES);
        assert_eq!(apply("zlib_deflate", "max-size 10kb", &packed).len(), 10 * 1024);
        assert_eq!(text("gunzip", "", b"no"), "");
    }

    #[test]
    fn nothing_stays_nothing() {
        for name in ["dotprefix", "to_md5", "to_sha256", "from_base64", "gunzip", "domain"] {
            assert_eq!(text(name, "", b""), "", "{name}");
        }
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused() {
        for (name, value) in [
            ("xor", "0"),
            ("xor", ""),
            ("xor", "\"0a 0b\""),
            ("xor", "0x0a"),
            ("to_md5", "x"),
            ("from_base64", "mode x"),
            ("from_base64", "offset 70000"),
            ("from_base64", "bytes"),
            ("from_base64", "mode strict, mode rfc2045"),
            ("pcrexform", "\"ab\""),
            ("pcrexform", "\"(a)(b)\""),
            ("gunzip", "max-size 0"),
            ("gunzip", "max-size 17MiB"),
            ("gunzip", "size 1"),
            ("gunzip", "max-size >1"),
        ] {
            assert!(Transform::parse(name, value).is_some_and(|parsed| parsed.is_err()), "{name}:{value}");
        }
        assert!(Transform::parse("luaxform", "x.lua").is_none());
    }

    #[test]
    fn a_content_that_can_never_be_there_is_known() {
        assert!(read("to_lowercase", "").may_show(b"abc 1") && !read("to_lowercase", "").may_show(b"aBc"));
        assert!(!read("to_uppercase", "").may_show(b"aBC"));
        assert!(!read("strip_whitespace", "").may_show(b"a b"));
        assert!(read("compress_whitespace", "").may_show(b"a b c"));
        assert!(!read("compress_whitespace", "").may_show(b"a \tb"));
    }
}
