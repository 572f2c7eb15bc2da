//! The parts of a request's URI.
//!
//! It is taken apart as it stands, whatever it is: nothing is refused. Only where it begins with a scheme can there
//! be a user, a host and a port.

use super::decode;
use super::text::split_while;
use memchr::{memchr, memmem};

/// The longest name of a host.
const HOST_BYTES_MAX: usize = 255;
/// The longest part of it between dots.
const LABEL_BYTES_MAX: usize = 63;

/// Parts of a URI, as they stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) host: Option<&'a [u8]>,
    pub(super) port: Option<&'a [u8]>,
    pub(super) path: Option<&'a [u8]>,
    pub(super) query: Option<&'a [u8]>,
    pub(super) fragment: Option<&'a [u8]>,
}

/// Takes a URI apart.
pub(super) fn split(uri: &[u8]) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest = uri;
    if let Some(colon) = memchr(b':', uri).filter(|_| uri.first() != Some(&b'/')) {
        rest = without_user(uri.get(colon + 1..).unwrap_or_default());
        if let Some((host, after)) = host(rest) {
            parts.host = Some(host);
            rest = after;
            if let Some((port, after)) = port(rest) {
                parts.port = Some(port);
                rest = after;
            }
        }
    }
    let (path, after) = split_while(rest, |byte| !matches!(byte, b'#' | b'?'));
    parts.path = Some(path).filter(|path| !path.is_empty());
    rest = after;
    if let Some(after) = rest.strip_prefix(b"?") {
        let (query, after) = split_while(after, |byte| byte != b'#');
        parts.query = Some(query);
        rest = after;
    }
    parts.fragment = rest.strip_prefix(b"#");
    parts
}

/// What stands behind `//user:password@`, if that is there.
fn without_user(rest: &[u8]) -> &[u8] {
    let Some(authority) = rest.strip_prefix(b"//").filter(|after| after.first() != Some(&b'/')) else {
        return rest;
    };
    match memchr(b'@', authority) {
        Some(at) => authority.get(at + 1..).unwrap_or_default(),
        None => rest,
    }
}

fn host(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let input = input.strip_prefix(b"//").unwrap_or(input);
    let (_, input) = split_while(input, |byte| byte == b' ');
    let bracketed = input.strip_prefix(b"[").and_then(|inner| {
        let (address, after) = split_while(inner, |byte| !matches!(byte, b'/' | b'?' | b'#' | b']'));
        let bracket = usize::from(after.first() == Some(&b']'));
        (!address.is_empty()).then_some(1 + address.len() + bracket)
    });
    let length = bracketed
        .unwrap_or_else(|| split_while(input, |byte| !matches!(byte, b'/' | b'?' | b'#' | b':')).0.len());
    let (mut host, after) = input.split_at_checked(length).filter(|(host, _)| !host.is_empty())?;
    while let Some(shorter) = host.strip_suffix(b" ") {
        host = shorter;
    }
    Some((host, after))
}

fn port(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, digits) = split_while(input.strip_prefix(b":")?, |byte| byte == b' ');
    let (port, after) = split_while(digits, |byte| !matches!(byte, b'/' | b'?' | b'#'));
    let (port, _) = split_while(port, |byte| byte != b' ');
    (!port.is_empty()).then_some((port, after))
}

/// A port's number; 0 is none.
pub(super) fn port_number(port: &[u8]) -> Option<u16> {
    if !port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(port).ok()?.parse().ok().filter(|number| *number != 0)
}

/// A host and perhaps a port, as the `Host` header and `CONNECT` have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HostPort<'a> {
    pub(super) host: &'a [u8],
    pub(super) port: Option<Option<u16>>,
    pub(super) is_valid: bool,
}

/// Reads a host and perhaps a port; nothing if there is no host.
pub(super) fn host_port(input: &[u8]) -> Option<HostPort<'_>> {
    if input.first() == Some(&b'/') && !input.starts_with(b"//") {
        return None;
    }
    let (host, rest) = host(input)?;
    let named = is_valid_host(host);
    Some(match port(rest) {
        Some((digits, _)) => {
            let number = port_number(digits);
            HostPort { host, port: Some(number), is_valid: named && number.is_some() }
        }
        None => HostPort { host, port: None, is_valid: named && rest.is_empty() },
    })
}

/// Whether a name of a host is one, generously: underscores are let through.
pub(super) fn is_valid_host(host: &[u8]) -> bool {
    if host.is_empty() || host.len() > HOST_BYTES_MAX {
        return false;
    }
    if let Some(address) = host.strip_prefix(b"[") {
        let (address, after) = split_while(address, |byte| !matches!(byte, b'/' | b'?' | b'#' | b']'));
        if !address.is_empty() && after.first() == Some(&b']') {
            let text = std::str::from_utf8(address).ok();
            return text.is_some_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok());
        }
    }
    if host.first() == Some(&b'.') || memmem::find(host, b"..").is_some() {
        return false;
    }
    let is_letter = |byte: &u8| matches!(byte, b'_' | b'-') || char::from(*byte).is_alphanumeric();
    host.split(|byte| *byte == b'.')
        .all(|label| label.len() <= LABEL_BYTES_MAX && label.iter().all(is_letter))
}

/// A host as it is compared: decoded, in small letters, without dots at its end.
pub(super) fn plain_host(host: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(host.len());
    decode::part(host, &mut plain);
    plain.make_ascii_lowercase();
    while plain.last() == Some(&b'.') {
        plain.pop();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_taken_apart() {
        let parts = split(b"http://user:pw@Example.COM:8080/a/b?q=1&r#f");
        assert_eq!(parts.host, Some(&b"Example.COM"[..]));
        assert_eq!(parts.port, Some(&b"8080"[..]));
        assert_eq!(parts.path, Some(&b"/a/b"[..]));
        assert_eq!(parts.query, Some(&b"q=1&r"[..]));
        assert_eq!(parts.fragment, Some(&b"f"[..]));
    }

    #[test]
    fn a_path_with_a_colon_is_a_path() {
        let parts = split(b"/a:b/c?");
        assert_eq!((parts.host, parts.path, parts.query), (None, Some(&b"/a:b/c"[..]), Some(&b""[..])));
    }

    #[test]
    fn a_host_may_be_an_address_in_brackets() {
        let parts = split(b"http://[::1]:80/x");
        assert_eq!((parts.host, parts.port), (Some(&b"[::1]"[..]), Some(&b"80"[..])));
        assert!(host_port(b"[::1]:80").is_some_and(|found| found.is_valid));
        assert!(host_port(b"[::1").is_some_and(|found| !found.is_valid));
    }

    #[test]
    fn a_host_that_is_none_is_not_valid() {
        for host in ["", ".a", "a..b", "a b", "a%b"] {
            assert!(!is_valid_host(host.as_bytes()), "{host}");
        }
        assert!(is_valid_host(b"a_b-c.example"));
        assert_eq!(host_port(b"a:0").map(|found| found.is_valid), Some(false));
        assert_eq!(host_port(b"a:80x").map(|found| found.port), Some(Some(None)));
        assert_eq!(host_port(b""), None);
        assert_eq!(plain_host(b"WWW.%45xample.com.."), b"www.example.com");
    }
}
