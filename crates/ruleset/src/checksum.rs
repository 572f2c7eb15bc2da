//! Whether bytes are those that were published.
//!
//! A file of checksums has one on each line, in hexadecimal, MD5 (as Emerging Threats ships) or SHA-256 by its length:
//!   - alone, for whatever it was fetched with;
//!   - before a name, as `md5sum` and `sha256sum` write them (`DIGITS  NAME`, `DIGITS *NAME`);
//!   - behind it, as the BSDs do (`SHA256 (NAME) = DIGITS`).
//!
//! MD5 shows that a download was damaged. It does not show that nobody meant to: who can write the rules can write the
//! checksum, and with MD5 can even leave it as it is.

use crate::source::error;
use crate::{Error, Fault, glob};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt;

/// The most checksums that one file may have. At it: the file is refused.
pub const CHECKSUMS_MAX: usize = 10_000;

/// The checksums in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checksums(Vec<(Option<String>, Sum)>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sum {
    Md5([u8; 16]),
    Sha256([u8; 32]),
}

/// Why bytes are not taken for those that were published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// The checksums are of other files.
    NotListed {
        /// What was looked for.
        name: String,
    },
    /// They differ.
    Differs {
        /// What was looked for.
        name: String,
        /// Which kind of checksum says so.
        kind: &'static str,
        /// What it is.
        found: String,
        /// What was published.
        right: String,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::NotListed { name } => write!(f, "{name}: no checksum was published for it"),
            Mismatch::Differs { name, kind, found, right } => {
                write!(
                    f,
                    "{name}: its {kind} is {found}, and {right} was published: it was damaged, or is another version"
                )
            }
        }
    }
}

impl std::error::Error for Mismatch {}

impl Checksums {
    /// Reads a file of checksums; `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// The first line that is none, and a file without any.
    pub fn parse(file: &str, text: &str) -> Result<Checksums, Error> {
        let mut sums = Vec::new();
        for (index, line) in crate::without_mark(text).lines().enumerate() {
            let said = line.trim();
            if said.is_empty() || said.starts_with('#') {
                continue;
            }
            let at = line.len() - line.trim_start().len();
            if sums.len() >= CHECKSUMS_MAX {
                return Err(error(file, index + 1, line, at, Fault::TooManyChecksums));
            }
            let found = || Fault::NoChecksum { found: said.chars().take(80).collect() };
            sums.push(parse_line(said).ok_or_else(|| error(file, index + 1, line, at, found()))?);
        }
        if sums.is_empty() { Err(error(file, 1, "", 0, Fault::NoChecksums)) } else { Ok(Checksums(sums)) }
    }

    /// Whether `bytes`, which were fetched as `name`, are what was published. Folders before a name do not count. Every
    /// checksum of that name must be right; one without a name is for whatever has none of its own.
    ///
    /// # Errors
    ///
    /// When one differs, or when there is none.
    pub fn verify(&self, name: &str, bytes: &[u8]) -> Result<(), Mismatch> {
        let base = glob::base(name);
        let mut of_it: Vec<Sum> = self.of(|named| named.is_some_and(|named| glob::base(named) == base));
        if of_it.is_empty() {
            of_it = self.of(|named| named.is_none());
        }
        if of_it.is_empty() {
            return Err(Mismatch::NotListed { name: name.to_string() });
        }
        of_it.into_iter().try_for_each(|right| right.check(name, bytes))
    }

    fn of(&self, is_of: impl Fn(Option<&str>) -> bool) -> Vec<Sum> {
        self.0.iter().filter(|(name, _)| is_of(name.as_deref())).map(|(_, sum)| *sum).collect()
    }
}

fn parse_line(line: &str) -> Option<(Option<String>, Sum)> {
    if let Some(sum) = Sum::parse(line) {
        return Some((None, sum));
    }
    if let Some((digits, name)) = line.split_once(char::is_whitespace)
        && let Some(sum) = Sum::parse(digits)
    {
        let name = name.trim_start();
        return Some((Some(name.strip_prefix('*').unwrap_or(name).to_string()), sum));
    }
    let (head, digits) = line.rsplit_once('=')?;
    let name = head.trim_end().strip_suffix(')')?.split_once('(')?.1;
    Some((Some(name.to_string()), Sum::parse(digits.trim())?))
}

impl Sum {
    fn parse(digits: &str) -> Option<Sum> {
        let nibbles: Option<Vec<u8>> = digits
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let (pairs, _) = nibbles.as_deref()?.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        match digits.len() {
            32 => Some(Sum::Md5(bytes.try_into().ok()?)),
            64 => Some(Sum::Sha256(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    fn check(self, name: &str, bytes: &[u8]) -> Result<(), Mismatch> {
        let (kind, found, right) = match self {
            Sum::Md5(right) => ("MD5", Md5::digest(bytes).to_vec(), right.to_vec()),
            Sum::Sha256(right) => ("SHA-256", Sha256::digest(bytes).to_vec(), right.to_vec()),
        };
        if found == right {
            return Ok(());
        }
        Err(Mismatch::Differs { name: name.to_string(), kind, found: hex(&found), right: hex(&right) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `abc`, from RFC 1321 and FIPS 180.
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";

    fn parse(text: &str) -> Checksums {
        Checksums::parse("sums", text).expect("there are checksums")
    }

    #[test]
    fn one_without_a_name_is_for_what_was_fetched() {
        for sum in [format!("{MD5}\n"), format!("  {SHA256}  \n"), format!("# now\n\n{MD5}\r\n")] {
            assert_eq!(parse(&sum).verify("emerging.rules.tar.gz", b"abc"), Ok(()));
            let told = parse(&sum).verify("some.gz", b"abd").expect_err("it differs").to_string();
            assert!(told.starts_with("some.gz: its ") && told.ends_with("is another version"), "{told}");
        }
        let told = parse(MD5).verify("x", b"").expect_err("it differs").to_string();
        assert!(
            told.contains(&format!("MD5 is d41d8cd98f00b204e9800998ecf8427e, and {MD5} was published")),
            "{told}"
        );
    }

    #[test]
    fn one_with_a_name_is_for_that_file_wherever_it_lies() {
        let md5 = Sum::Md5([0; 16]);
        assert_eq!(parse_line("00000000000000000000000000000000 *a b"), Some((Some("a b".into()), md5)));
        let sums = parse(&format!(
            "{MD5}  rules/a.rules\nSHA256 (b (1).rules) = {SHA256}\n{} *c.rules",
            "0".repeat(64)
        ));
        assert_eq!(sums.verify("a.rules", b"abc"), Ok(()));
        assert_eq!(sums.verify("tmp/a.rules", b"abc"), Ok(()));
        assert_eq!(sums.verify("b (1).rules", b"abc"), Ok(()));
        assert!(matches!(sums.verify("c.rules", b"abc"), Err(Mismatch::Differs { kind: "SHA-256", .. })));
        let told = sums.verify("d.rules", b"abc").expect_err("it is not there").to_string();
        assert_eq!(told, "d.rules: no checksum was published for it");
    }

    #[test]
    fn every_checksum_of_a_file_must_be_right() {
        let sums = parse(&format!("{MD5} a\n{} a", "0".repeat(64)));
        assert!(sums.verify("a", b"abc").is_err());
    }

    #[test]
    fn what_is_no_checksum_is_told_with_its_line() {
        let wrong = |text: &str| Checksums::parse("sums", text).expect_err("it is none").to_string();
        assert_eq!(wrong(" \n"), "sums:1:1: there is no checksum in this file");
        let told = wrong(&format!("{MD5}\n <html>"));
        assert!(told.starts_with("sums:2:2: `<html>` is no checksum; 32 (MD5)"), "{told}");
        assert!(wrong(&MD5[1..]).contains("is no checksum"));
        assert!(wrong(&format!("g{}", &MD5[1..])).contains("is no checksum"));
        assert!(
            wrong(&format!("{MD5}\n").repeat(CHECKSUMS_MAX + 1))
                .starts_with("sums:10001:1: more checksums than")
        );
    }
}
