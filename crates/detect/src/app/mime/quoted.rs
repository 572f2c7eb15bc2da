//! Quoted-printable that comes in pieces of lines.
//!
//! Promises: `=XX` (capital letters) is a byte, `=` at the end of a line is nothing, line ends stay as they
//! are. The end of an empty line is held back until the next piece, since the line end before a boundary
//! belongs to the boundary.

/// A decoder between two pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Quoted {
    /// The beginning of an escape, `=` or `=X`.
    escape: Vec<u8>,
    /// The end of an empty line.
    held: Vec<u8>,
    /// Some of the line came with pieces before.
    is_within_line: bool,
}

impl Quoted {
    /// Decodes a piece onto the end of `out`: `line`, and `end`, which is empty if the line goes on. Whether
    /// all of it was valid.
    pub(super) fn decode(&mut self, line: &[u8], end: &[u8], out: &mut Vec<u8>) -> bool {
        out.append(&mut self.held);
        let mut is_valid = true;
        let mut is_soft = false;
        let mut rest = line;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            if self.escape.is_empty() {
                if *first == b'=' {
                    self.escape.push(*first);
                } else {
                    out.push(*first);
                }
                continue;
            }
            self.escape.push(*first);
            if let [_, high, low] = *self.escape.as_slice() {
                match (hex(high), hex(low)) {
                    (Some(high), Some(low)) => out.push(high << 4 | low),
                    _ => is_valid = false,
                }
                self.escape.clear();
            }
        }
        if !end.is_empty() {
            match self.escape.len() {
                0 => {}
                1 => is_soft = true,
                _ => is_valid = false,
            }
            self.escape.clear();
        }
        let is_empty = line.is_empty() && !self.is_within_line;
        self.is_within_line = end.is_empty() && !is_empty;
        if is_empty && !is_soft {
            self.held.extend_from_slice(end);
        } else if !is_soft {
            out.extend_from_slice(end);
        }
        is_valid
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
