//! What a decoder finds at the beginning of some bytes.
//!
//! Decoders work on bytes alone and know nothing of where those come from. The reader hands them what it has, and does
//! as they say.

use crate::chunk::Entry;
use crate::{Fault, Part};

/// What comes next in a capture.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A frame; its place counts from the beginning of its record. The record has so many bytes.
    Frame(Entry, usize),
    /// So many bytes without a frame. They need not be there yet.
    Skip(u64),
    /// Too little is there to tell: so many bytes are needed of something.
    Needs(usize, Part),
}

/// What is known of a capture's form: the head of a file, or what its blocks said so far.
pub(crate) trait Decoder {
    /// What stands at the beginning of `rest`.
    fn step(&mut self, rest: &[u8]) -> Result<Step, Fault>;

    /// How long the record is that is being passed over, if one is. A capture must not end then.
    fn passing_over(&self) -> Option<u32>;
}
