//! Addresses of web pages in the text of a mail.
//!
//! Promises: whatever begins with `http://` (of any case) up to a space, a tab, a quote or a bracket, without
//! the scheme. What stands in a line that comes in pieces is found as long as the line has [`LINE_BYTES_MAX`]
//! bytes.

/// Bytes of a line that are kept until it ends; a longer one is looked at in pieces.
const LINE_BYTES_MAX: usize = 8192;
/// Addresses of one mail at most; later ones are not kept.
const URLS_MAX: usize = 1024;
/// What they begin with.
const SCHEME: &[u8] = b"http://";

/// The addresses that were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Urls {
    pub(super) found: Vec<Vec<u8>>,
    line: Vec<u8>,
}

impl Urls {
    /// Looks at what follows in the text.
    pub(super) fn look(&mut self, text: &[u8]) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LINE_BYTES_MAX {
                self.finish();
            }
        }
    }

    /// Looks at a last line that has no end.
    pub(super) fn finish(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut rest = line.as_slice();
        while let Some(start) =
            rest.windows(SCHEME.len()).position(|window| window.eq_ignore_ascii_case(SCHEME))
        {
            let address = rest.get(start..).unwrap_or_default();
            let ends = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'<' | b'>' | b']' | b'\t');
            let end = address.iter().position(ends).unwrap_or(address.len());
            if self.found.len() < URLS_MAX {
                self.found.push(address.get(SCHEME.len()..end).unwrap_or_default().to_vec());
            }
            rest = address.get(end..).unwrap_or_default();
        }
        self.line = line;
        self.line.clear();
    }
}
