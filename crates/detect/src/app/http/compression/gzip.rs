//! Gzip (RFC 1952): its header, then bare deflate.
//!
//! Promises: only the first three bytes of the header have to be right; names, comments, extra fields and sums of any
//! value are skipped, since browsers do so. The sum and the length at the end, and further members behind it, are
//! ignored.

use super::deflate::Deflate;
use super::{Failure, Receiver};
use memchr::memchr;

/// What a header begins with: two bytes that name gzip, one that names deflate.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// Bytes of a header without anything optional.
const HEADER_BYTES: usize = 10;
const HAS_SUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;

#[derive(Clone)]
enum State {
    /// The fixed header, of which these bytes are there.
    Fixed(Vec<u8>),
    /// The two bytes of the extra field's length, of which this one may be there.
    ExtraLength(Option<u8>),
    Extra(usize),
    Name,
    Comment,
    /// So many bytes of the header's sum are to come.
    Sum(usize),
    Data,
}

#[derive(Clone)]
pub(super) struct Gzip {
    state: State,
    flags: u8,
    /// Bytes of the header so far.
    header_bytes: usize,
    data: Deflate,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Gzip { state: State::Fixed(Vec::new()), flags: 0, header_bytes: 0, data: Deflate::bare() }
    }

    pub(super) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        let mut at = 0;
        while !matches!(self.state, State::Data) {
            let rest = input.get(at..).unwrap_or_default();
            match self.header(rest) {
                None => return Err(Failure::Corrupt { done: 0 }),
                Some(taken) => {
                    at += taken;
                    self.header_bytes += taken;
                }
            }
            if at >= input.len() {
                return Ok(());
            }
        }
        let rest = input.get(at..).unwrap_or_default();
        self.data.write(rest, receive).map_err(|failure| match failure {
            Failure::Corrupt { done } => Failure::Corrupt { done: self.header_bytes + done },
            Failure::Refused => Failure::Refused,
        })
    }

    /// Takes the next part of the header; nothing if it is none.
    fn header(&mut self, rest: &[u8]) -> Option<usize> {
        let flags = self.flags;
        let (next, taken) = match &mut self.state {
            State::Fixed(seen) => {
                let taken = rest.len().min(HEADER_BYTES.saturating_sub(seen.len()));
                seen.extend_from_slice(rest.get(..taken)?);
                let known = seen.len().min(MAGIC.len());
                if seen.get(..known) != MAGIC.get(..known) {
                    return None;
                }
                if seen.len() < HEADER_BYTES {
                    return Some(taken);
                }
                self.flags = *seen.get(3)?;
                let extra = self.flags & HAS_EXTRA != 0;
                (if extra { State::ExtraLength(None) } else { State::Name }, taken)
            }
            State::ExtraLength(None) => (State::ExtraLength(rest.first().copied()), rest.len().min(1)),
            State::ExtraLength(Some(low)) => match rest.first() {
                Some(high) => (State::Extra(usize::from(u16::from_le_bytes([*low, *high]))), 1),
                None => return Some(0),
            },
            State::Extra(left) => {
                let taken = rest.len().min(*left);
                *left -= taken;
                if *left > 0 {
                    return Some(taken);
                }
                (State::Name, taken)
            }
            State::Name if flags & HAS_NAME == 0 => (State::Comment, 0),
            State::Name => match memchr(0, rest) {
                Some(end) => (State::Comment, end + 1),
                None => return Some(rest.len()),
            },
            State::Comment if flags & HAS_COMMENT == 0 => (State::Sum(0), 0),
            State::Comment => match memchr(0, rest) {
                Some(end) => (State::Sum(0), end + 1),
                None => return Some(rest.len()),
            },
            State::Sum(_) if flags & HAS_SUM == 0 => (State::Data, 0),
            State::Sum(seen) => {
                let taken = rest.len().min(2_usize.saturating_sub(*seen));
                *seen += taken;
                if *seen < 2 {
                    return Some(taken);
                }
                (State::Data, taken)
            }
            State::Data => return Some(0),
        };
        self.state = next;
        Some(taken)
    }
}
