//! Where rules come from: an address on a web server, or a file. Bytes are believed when their checksum is right.
//!
//! Which checksum: that of `--sha256`; else what lies beside the source, `SOURCE.sha256` before `SOURCE.md5`, if there is one. That there is none is told, and no
//! error. A checksum that lies beside the rules shows damage; it shows no malice of whoever may write there.

use super::http::{Answer, Client, is_https, is_url};
use crate::excerpt::excerpt;
use ruleset::Checksums;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Bytes of a source at most, as they come: a hundred times the largest set that is published today.
pub(super) const SOURCE_BYTES_MAX: u64 = 128 << 20;
/// Bytes of a file of checksums at most.
const SUMS_BYTES_MAX: u64 = 1 << 20;
/// What is looked for beside a source, in this order.
const BESIDE: [&str; 2] = ["sha256", "md5"];

/// What came, and by what it is believed.
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    /// Where the checksum came from; none if there was none.
    pub(super) believed: Option<String>,
}

/// Hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;

/// What `--sha256` says. Only a SHA-256 will do: who wants to be sure of who made the rules must not get the word of an MD5.
pub(super) fn sha256(digits: &str) -> Result<Checksums, String> {
    let digits = digits.trim();
    if digits.len() != SHA256_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let is_md5 = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let what = if is_md5 { "an MD5, which is no proof" } else { "no SHA-256" };
        return Err(format!(
            "--sha256: `{}` is {what}; {SHA256_DIGITS} hexadecimal digits would be right",
            excerpt(digits)
        ));
    }
    Checksums::parse("--sha256", digits).map_err(|error| error.to_string())
}

/// Gets one source, and checks it.
pub(super) fn fetch(source: &str, sha256: Option<&Checksums>, client: &Client) -> Result<Fetched, String> {
    let bytes = get(source, SOURCE_BYTES_MAX, client)?.ok_or_else(|| {
        format!("{source}: there is no such {}", if is_url(source) { "file on that server" } else { "file" })
    })?;
    let name = name(source);
    let (sums, from) = match sha256 {
        Some(sums) => (sums.clone(), "--sha256".to_owned()),
        None => match beside(source, client)? {
            Some(found) => found,
            None => return Ok(Fetched { bytes, believed: None }),
        },
    };
    sums.verify(name, &bytes).map_err(|mismatch| format!("{source}: {mismatch} (by {from})"))?;
    Ok(Fetched { bytes, believed: Some(from) })
}

/// What is to be said of a source that has no checksum.
pub(super) fn unproven(source: &str) -> String {
    let how = if !is_url(source) {
        "no checksum lies beside it"
    } else if is_https(source) {
        "no checksum was published beside it; that it is whole and from that server is HTTPS's word"
    } else {
        "no checksum was published beside it, and by HTTP nobody knows who sent it: HTTPS or --sha256 would tell"
    };
    format!("{source}: {how}")
}

fn beside(source: &str, client: &Client) -> Result<Option<(Checksums, String)>, String> {
    // What stands behind a `?` is a question to the server, and no name that something could lie beside.
    if is_url(source) && source.contains(['?', '#']) {
        return Ok(None);
    }
    for kind in BESIDE {
        let place = format!("{source}.{kind}");
        if let Some(text) = get(&place, SUMS_BYTES_MAX, client)? {
            let sums = Checksums::parse(&place, &String::from_utf8_lossy(&text))
                .map_err(|error| error.to_string())?;
            return Ok(Some((sums, place)));
        }
    }
    Ok(None)
}

fn get(source: &str, bytes_max: u64, client: &Client) -> Result<Option<Vec<u8>>, String> {
    if is_url(source) {
        let scheme = source.split("://").next().unwrap_or_default().to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(format!("{source}: {scheme} is not spoken; https, http and files are"));
        }
        return Ok(match client.get(source, bytes_max)? {
            Answer::Bytes(bytes) => Some(bytes),
            Answer::Nothing => None,
        });
    }
    let file = match fs::File::open(Path::new(source)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{source}: {error}")),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| format!("{source}: {error}"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!(
            "{source}: longer than {} MiB, which is the most that is taken",
            bytes_max >> 20
        ));
    }
    Ok(Some(bytes))
}

/// The name under which something was fetched, without the folders and the server before it.
pub(super) fn name(source: &str) -> &str {
    let path = if is_url(source) { source.split(['?', '#']).next().unwrap_or(source) } else { source };
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_digits_of_a_sha256_are_one() {
        assert!(sha256(&"0a".repeat(32)).is_ok() && sha256(&"0A".repeat(32)).is_ok());
        for (wrong, words) in
            [("0a".repeat(16), "is an MD5"), ("0g".repeat(32), "no SHA-256"), ("0a".repeat(31), "no SHA-256")]
        {
            let told = sha256(&wrong).expect_err("it is refused");
            assert!(told.contains(words) && told.contains("64 hexadecimal digits would be right"), "{told}");
        }
        assert!(sha256(&format!("{}  name", "0a".repeat(32))).is_err());
    }

    #[test]
    fn the_name_of_a_source_is_what_stands_behind_its_folders() {
        assert_eq!(name("https://example.org/open/r.tar.gz"), "r.tar.gz");
        assert_eq!(name("https://example.org/r.rules?key=a/b"), "r.rules");
        assert_eq!(name("/etc/rules/local.rules"), "local.rules");
        assert_eq!(name("local.rules"), "local.rules");
    }
}
