//! Text that travels: UTF-8 with a limit that is part of its type.
//!
//! Upon a text that is too long: it is cut, between letters, when it is made; one that arrives too long does not decode.
//! Upon being shown: what steers a terminal is escaped, since a liar may have written it.

use crate::encode::{Decode, DecodeError, Encode, Reader, encode_length};
use core::fmt::{self, Write as _};
use core::ops::Deref;

/// A text of at most `BYTES_MAX` bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<const BYTES_MAX: usize>(String);

impl<const BYTES_MAX: usize> Text<BYTES_MAX> {
    /// As much of `text` as there is room for.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        Text(text[..text.floor_char_boundary(BYTES_MAX)].to_string())
    }

    /// The text alone.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const BYTES_MAX: usize> Deref for Text<BYTES_MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const BYTES_MAX: usize> fmt::Display for Text<BYTES_MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|letter| match letter.is_control() {
            true => write!(f, "{}", letter.escape_default()),
            false => f.write_char(letter),
        })
    }
}

impl<const BYTES_MAX: usize> fmt::Debug for Text<BYTES_MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<const BYTES_MAX: usize> Encode for Text<BYTES_MAX> {
    fn encode(&self, to: &mut Vec<u8>) {
        encode_length(self.len(), to);
        to.extend_from_slice(self.as_bytes());
    }
}

impl<const BYTES_MAX: usize> Decode for Text<BYTES_MAX> {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let bytes = from.byte_string("text", BYTES_MAX)?;
        let text = String::from_utf8(bytes.to_vec());
        text.map(Text).map_err(|_| DecodeError::Inconsistent { what: "a text that is no UTF-8" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_text_that_is_too_long_is_cut_between_letters() {
        assert_eq!(&*Text::<2>::cut("näher"), "n", "half a letter is none");
        assert_eq!(&*Text::<6>::cut("näher"), "näher");
    }

    #[test]
    fn what_is_no_text_or_too_long_does_not_decode() {
        let text = Text::<6>::cut("näher");
        assert_eq!(Text::<6>::from_bytes(text.to_bytes()), Ok(text.clone()));
        assert!(matches!(Text::<5>::from_bytes(text.to_bytes()), Err(DecodeError::OverLimit { .. })));
        let wrong = Bytes::from_static(&[1, 0, 0, 0, 255]);
        assert!(matches!(Text::<6>::from_bytes(wrong), Err(DecodeError::Inconsistent { .. })));
    }
}
