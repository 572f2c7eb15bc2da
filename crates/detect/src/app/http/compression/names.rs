//! What a `Content-Encoding` names.
//!
//! A value that is one well-known name means that. Anything else is taken apart at commas and spaces; what contains
//! `gzip` or `deflate` counts as that, as it does for browsers. At most [`LAYERS_MAX`] are taken off.

use super::Coding;
use memchr::memmem;

/// Codings that are taken off one body at most.
const LAYERS_MAX: usize = 2;

/// The codings, in the order in which they are named, and what was odd about them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Named {
    /// What is to be taken off, the last first.
    pub(crate) codings: Vec<Coding>,
    /// More than are taken off.
    pub(crate) too_many: bool,
    /// A name that nobody knows, or one that is more than the name.
    pub(crate) abnormal: bool,
}

/// Reads the value of a `Content-Encoding`. `identity` is a name for none only where `response` says so.
pub(crate) fn named(value: &[u8], response: bool) -> Named {
    let plain: Vec<u8> = value.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    let one = |coding| Named { codings: vec![coding], ..Named::default() };
    match plain.as_slice() {
        b"gzip" | b"x-gzip" => one(Coding::Gzip),
        b"deflate" | b"x-deflate" => one(Coding::Deflate),
        b"br" => one(Coding::Brotli),
        b"lzma" => one(Coding::Lzma),
        b"inflate" | b"none" => Named::default(),
        _ => several(value, response),
    }
}

fn several(value: &[u8], response: bool) -> Named {
    let mut named = Named::default();
    let words = value.split(|byte| matches!(byte, b',' | b' ')).filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        if place >= LAYERS_MAX {
            named.too_many = true;
            break;
        }
        let lower = word.to_ascii_lowercase();
        if memmem::find(&lower, b"gzip").is_some() {
            named.abnormal |= word != b"gzip" && word != b"x-gzip";
            named.codings.push(Coding::Gzip);
        } else if memmem::find(&lower, b"deflate").is_some() {
            named.abnormal |= word != b"deflate" && word != b"x-deflate";
            named.codings.push(Coding::Deflate);
        } else if word == b"lzma" {
            named.codings.push(Coding::Lzma);
        } else {
            let none = word == b"inflate" || word == b"none" || (response && word == b"identity");
            named.abnormal |= !none;
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_is_known_in_any_case() {
        assert_eq!(named(b"GZip", true).codings, [Coding::Gzip]);
        assert_eq!(named(b"x-deflate", true).codings, [Coding::Deflate]);
        assert_eq!(named(b"g\0zip", true).codings, [Coding::Gzip]);
        assert_eq!(named(b"none", true), Named::default());
    }

    #[test]
    fn several_names_are_layers_and_two_is_the_most() {
        let three = named(b"gzip, deflate,gzip", true);
        assert_eq!(three.codings, [Coding::Gzip, Coding::Deflate]);
        assert!(three.too_many && !three.abnormal);
        let odd = named(b"x gzipped", true);
        assert_eq!(odd.codings, [Coding::Gzip]);
        assert!(odd.abnormal);
    }

    #[test]
    fn identity_is_a_name_for_none_in_responses_alone() {
        assert!(!named(b"identity", true).abnormal);
        assert!(named(b"identity", false).abnormal);
    }
}
