//! TCP reassembly by itself: segments in, bytes in order out.
//!
//! It is what a flow of the engine does, for those who want a stream without rules and parsers: to look at a capture, and to try reassembly with
//! segments that nobody honest sent (`fuzz/src/reassembly.rs`). It decides nothing of its own.

use super::{Events, Session, Supply};
use crate::frame::Tcp;
use crate::{Direction, Time};

/// One TCP conversation.
#[derive(Clone, Debug)]
pub struct Conversation(Session);

/// What comes next of one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordered<'a> {
    /// Bytes, and where the first of them stands.
    Bytes(&'a [u8], u64),
    /// So many bytes are lost.
    Gap(u64),
    /// Nothing yet.
    Nothing,
}

impl Conversation {
    /// A conversation that begins with this SYN, which its client sent.
    #[must_use]
    pub fn begin(syn: &Tcp<'_>, payload: &[u8], time: Time) -> Self {
        Conversation(Session::begin(syn, payload, time, &mut Events::default()).0)
    }

    /// A segment. True if its bytes became part of the stream.
    pub fn segment(
        &mut self,
        direction: Direction,
        tcp: &Tcp<'_>,
        payload: &[u8],
        time: Time,
        is_v4: bool,
    ) -> bool {
        self.0.segment(direction, tcp, payload, time, is_v4, &mut Events::default())
    }

    /// What comes next of what a side said. With `all` also what the other side did not acknowledge.
    #[must_use]
    pub fn next(&self, direction: Direction, all: bool) -> Ordered<'_> {
        match self.0.for_app(direction, all) {
            Supply::Bytes(bytes, at) => Ordered::Bytes(bytes, at),
            Supply::Gap(bytes) => Ordered::Gap(bytes),
            Supply::Nothing => Ordered::Nothing,
        }
    }

    /// So many bytes of what [`Conversation::next`] showed are not needed any more, or the gap is known.
    pub fn took(&mut self, direction: Direction, bytes: u64) {
        self.0.app_took(direction, bytes);
        self.0.raw_took(direction, bytes);
    }

    /// Whether both sides have finished the handshake, now or earlier.
    #[must_use]
    pub fn is_established(&self) -> bool {
        self.0.is_established()
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Bytes of memory that it holds beside itself.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }
}
