//! Cutting what is said into lines, for protocols of lines that have a length.
//!
//! Promises: a line ends at its line feed; a carriage return before that belongs to the end. A line of
//! [`LINE_BYTES_MAX`] bytes or more is cut there, and the rest of it is passed over, however it comes.

/// Bytes of a line at most.
const LINE_BYTES_MAX: usize = 4096;

/// A line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    /// Its end, which a line that was cut does not have.
    pub(super) end: &'a [u8],
    pub(super) is_cut: bool,
    /// How many bytes of it are here.
    pub(super) taken: usize,
}

/// What is at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut<'a> {
    Line(Line<'a>),
    /// So many bytes of the rest of a line that was cut.
    Rest(usize),
    /// A line that has no end yet.
    Nothing,
}

/// Looks for a line. `is_skipping`: the rest of one that was cut is still to come.
pub(super) fn cut<'a>(bytes: &'a [u8], is_skipping: &mut bool) -> Cut<'a> {
    let feed = bytes.iter().position(|byte| *byte == b'\n');
    let whole = bytes.get(..feed.map_or(bytes.len(), |feed| feed + 1)).unwrap_or(bytes);
    if *is_skipping {
        *is_skipping = feed.is_none();
        return Cut::Rest(whole.len());
    }
    if let Some(text) = whole.get(..LINE_BYTES_MAX) {
        *is_skipping = feed.is_none();
        return Cut::Line(Line { text, end: &[], is_cut: true, taken: whole.len() });
    }
    if feed.is_none() {
        return Cut::Nothing;
    }
    let end = if whole.ends_with(b"\r\n") { 2 } else { 1 };
    let (text, end) = whole.split_at_checked(whole.len() - end).unwrap_or((whole, &[]));
    Cut::Line(Line { text, end, is_cut: false, taken: whole.len() })
}
