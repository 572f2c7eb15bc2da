//! Cutting what is said into lines.
//!
//! Promises: a line ends at its line feed; a carriage return before that belongs to the end. A line of
//! [`LINE_BYTES_MAX`] bytes or more is cut there, and the rest of it is passed over.

/// Bytes of a line at most.
pub(super) const LINE_BYTES_MAX: usize = 4096;

/// What is at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut<'a> {
    /// A line, without its end, and its end.
    Line(&'a [u8], &'a [u8]),
    /// A line that is too long: its beginning, how many bytes of it are there, and whether its end is among them.
    Long(&'a [u8], usize, bool),
    /// The end of a line that was too long, with what is before it: bytes to be passed over.
    Rest(usize),
    /// A line that has no end yet.
    Nothing,
}

/// Looks for a line. `is_skipping`: the beginning of it was too long already.
pub(super) fn cut(bytes: &[u8], is_skipping: bool) -> Cut<'_> {
    let Some(feed) = bytes.iter().position(|byte| *byte == b'\n') else {
        return match bytes.get(..LINE_BYTES_MAX) {
            Some(start) if !is_skipping => Cut::Long(start, bytes.len(), false),
            _ => Cut::Nothing,
        };
    };
    let whole = bytes.get(..=feed).unwrap_or_default();
    if is_skipping {
        return Cut::Rest(whole.len());
    }
    if let Some(start) = whole.get(..LINE_BYTES_MAX) {
        return Cut::Long(start, whole.len(), true);
    }
    let end = if whole.ends_with(b"\r\n") { 2 } else { 1 };
    let (line, end) = whole.split_at_checked(whole.len() - end).unwrap_or((whole, &[]));
    Cut::Line(line, end)
}
