//! JA3 and JA3S: version, cipher suites and extensions (and of clients curves and their formats) as decimal
//! numbers, and the MD5 of that text.

use super::{hex, is_grease};
use md5::{Digest, Md5};
use std::fmt::Write;

/// Bytes of a text at most; a hello of the largest size stays below it, several broken ones in a row are cut off
/// here.
const TEXT_BYTES_MAX: usize = 512 * 1024;

/// Room for the text of an ordinary hello.
const TEXT_BYTES_USUAL: usize = 320;

/// A fingerprint that is being made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ja3 {
    text: String,
    hash: Option<String>,
}

impl Ja3 {
    /// The version that the hello names: the first one said counts.
    pub fn version(&mut self, version: u16) {
        if self.text.is_empty() {
            self.text.reserve(TEXT_BYTES_USUAL);
            self.number(version);
        }
    }

    /// The next list of numbers, without what means nothing.
    pub fn list(&mut self, numbers: &[u16]) {
        self.every_one_of(numbers.iter().copied().filter(|number| !is_grease(*number)));
    }

    /// The next list of numbers, as it is.
    pub fn every_one_of(&mut self, numbers: impl IntoIterator<Item = u16>) {
        self.text.push(',');
        for (index, number) in numbers.into_iter().enumerate() {
            if self.text.len() >= TEXT_BYTES_MAX {
                return;
            }
            if index > 0 {
                self.text.push('-');
            }
            self.number(number);
        }
    }

    fn number(&mut self, number: u16) {
        // A text takes all that is written into it.
        let _always = write!(self.text, "{number}");
    }

    /// The hello was read to its end: what other hellos say adds nothing.
    pub fn finish(&mut self) {
        if self.hash.is_none() {
            self.hash = Some(hash_of(&self.text));
        }
    }

    /// Whether the hello was read to its end.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.hash.is_some()
    }

    /// The text, if anything was said.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        (!self.text.is_empty()).then_some(self.text.as_str())
    }

    /// The hash, if the hello was read to its end.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }
}

/// The MD5 of a text, as hexadecimal digits.
#[must_use]
pub fn hash_of(text: &str) -> String {
    hex(Md5::digest(text.as_bytes()).as_slice())
}
