//! One coding, taken at its word: what does not fit is an error, and nothing else is tried.

use super::{Coding, Decoder, Failure, Receiver};

/// Why nothing more comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// The data is none of its kind.
    Corrupt,
    /// The receiver had enough.
    Refused,
}

/// The decoder of one body.
#[derive(Clone)]
pub(crate) struct Single(Decoder);

impl Single {
    /// For a body of this coding.
    pub(crate) fn new(coding: Coding) -> Self {
        Single(Decoder::new(coding))
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }

    /// Decodes what came.
    pub(crate) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Trouble> {
        self.0.write(input, receive).map_err(|failure| match failure {
            Failure::Corrupt { .. } => Trouble::Corrupt,
            Failure::Refused => Trouble::Refused,
        })
    }
}
