//! Base64 that comes in pieces, with anything between its characters.
//!
//! Promises: whatever is no character of the alphabet is passed over, as RFC 2045 wants it; from a group that
//! cannot be decoded on nothing is, since nobody knows where the next group begins. However the text is cut into
//! pieces, the same comes out.
//!
//! Own code: the field's decoders want their input whole and clean.

/// Four characters could not be decoded, here or before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Invalid;

/// What fills the last group.
const PADDING: u8 = b'=';

/// A decoder between two pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Base64 {
    group: [u8; 4],
    held: usize,
    is_stuck: bool,
}

impl Base64 {
    /// Decodes a piece onto the end of `out`, as far as it is valid.
    pub(super) fn decode(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Invalid> {
        if self.is_stuck && !piece.is_empty() {
            return Err(Invalid);
        }
        for byte in piece.iter().copied().filter(|byte| *byte == PADDING || sextet(*byte).is_some()) {
            if let Some(slot) = self.group.get_mut(self.held) {
                *slot = byte;
            }
            self.held += 1;
            if self.held == self.group.len() {
                self.held = 0;
                if group(self.group, out).is_none() {
                    self.is_stuck = true;
                    return Err(Invalid);
                }
            }
        }
        Ok(())
    }

    /// Decodes what is left of a last group that was not filled up.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let missing = if self.held == 0 { 0 } else { self.group.len() - self.held };
        // One that cannot be decoded says nothing.
        let _ = self.decode(&[PADDING; 3][..missing.min(3)], out);
    }
}

fn group([a, b, c, d]: [u8; 4], out: &mut Vec<u8>) -> Option<()> {
    let (a, b) = (sextet(a)?, sextet(b)?);
    if c == PADDING {
        out.push(a << 2 | b >> 4);
        return Some(());
    }
    let c = sextet(c)?;
    if d == PADDING {
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2]);
        return Some(());
    }
    let d = sextet(d)?;
    out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    Some(())
}

/// The six bits of a character.
fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
