//! Uploads: the parts of a `multipart/form-data` body that are files.
//!
//! Promises: every part with a file name is a file with its content, however the body is cut into pieces. What is
//! kept between two pieces is a line of a part's header, or what may be the beginning of the next boundary:
//! [`KEPT_BYTES_MAX`] at most.
//!
//! Not here: parts without a file name, whose content is seen in the request's body alone.

use super::event::{Event, Events};
use super::parameter::parameter;
use crate::app::file::{Ending, Files};
use crate::app::http::REQUEST_BODY_LIMITS;
use memchr::{memchr, memmem};

/// The longest boundary; a body with a longer one is not taken apart.
const BOUNDARY_BYTES_MAX: usize = 255;
/// Bytes that are kept between two pieces at most; a longer line of a part's header is skipped.
const KEPT_BYTES_MAX: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Before a line that begins with the boundary.
    Boundary,
    /// In the header of a part.
    Header,
    /// At the first byte of a part's content.
    First,
    /// In a part's content.
    Content,
    /// In a line between the parts that does not begin with the boundary: its end is looked for.
    OtherLine,
    /// Behind a boundary: the end of its line is looked for.
    BoundaryLine,
    /// In a line of a header that is too long: its end is looked for.
    LongLine,
}

/// A body that is taken apart.
#[derive(Clone, Debug)]
pub(super) struct Multipart {
    /// `--` and the boundary.
    boundary: Vec<u8>,
    kept: Vec<u8>,
    state: State,
    name: Vec<u8>,
    file: Option<usize>,
}

impl Multipart {
    /// For a body of this `Content-Type`, if it names a boundary.
    pub(super) fn new(content_type: &[u8]) -> Option<Self> {
        let named = parameter(content_type, b"boundary").filter(|named| named.len() <= BOUNDARY_BYTES_MAX)?;
        let mut boundary = b"--".to_vec();
        boundary.extend(named.iter().filter(|byte| **byte != b'\\'));
        let state = State::Boundary;
        Some(Multipart { boundary, kept: Vec::new(), state, name: Vec::new(), file: None })
    }

    /// Takes a piece of the body.
    pub(super) fn write(&mut self, piece: &[u8], files: &mut Files, events: &mut Events) {
        let mut kept = std::mem::take(&mut self.kept);
        let taken;
        let rest = if kept.is_empty() {
            taken = self.step_through(piece, files, events);
            piece
        } else {
            kept.extend_from_slice(piece);
            taken = self.step_through(&kept, files, events);
            &kept
        };
        self.kept = rest.get(taken..).unwrap_or_default().to_vec();
    }

    /// The body is over: a file that is open misses its end.
    pub(super) fn finish(&mut self, files: &mut Files) {
        if let Some(place) = self.file.take() {
            let kept = std::mem::take(&mut self.kept);
            files.append(place, &kept);
            files.close(place, Ending::Truncated);
        }
    }

    fn step_through(&mut self, input: &[u8], files: &mut Files, events: &mut Events) -> usize {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            if rest.is_empty() {
                return at;
            }
            let taken = match self.state {
                State::Boundary => self.boundary(rest),
                State::OtherLine => Some(self.pass_line(rest, State::Boundary)),
                State::BoundaryLine => Some(self.pass_line(rest, State::Header)),
                State::LongLine => self.long_line(rest),
                State::Header => self.header_line(rest, files, events),
                State::First => self.first(rest, files, events),
                State::Content => self.content(rest, files),
            };
            match taken {
                Some(taken) => at += taken,
                None => return at,
            }
        }
    }

    /// Whether the boundary stands at the front; nothing as long as it may.
    fn is_boundary(&self, rest: &[u8]) -> Option<bool> {
        let known = rest.len().min(self.boundary.len());
        if rest.get(..known) != self.boundary.get(..known) {
            return Some(false);
        }
        (known == self.boundary.len()).then_some(true)
    }

    /// Whether a line begins with the boundary.
    fn boundary(&mut self, rest: &[u8]) -> Option<usize> {
        self.state = if self.is_boundary(rest)? { State::BoundaryLine } else { State::OtherLine };
        Some(0)
    }

    fn pass_line(&mut self, rest: &[u8], then: State) -> usize {
        let Some(end) = memchr(b'\n', rest) else { return rest.len() };
        self.state = then;
        end + 1
    }

    /// A line of a header that no browser would send is skipped.
    fn long_line(&mut self, rest: &[u8]) -> Option<usize> {
        if let Some(end) = memmem::find(rest, b"\r\n") {
            self.state = State::Header;
            return Some(end + 2);
        }
        let taken = rest.len() - usize::from(rest.ends_with(b"\r"));
        (taken > 0).then_some(taken)
    }

    fn header_line(&mut self, rest: &[u8], files: &mut Files, events: &mut Events) -> Option<usize> {
        let end = memmem::find(rest.get(..KEPT_BYTES_MAX).unwrap_or(rest), b"\r\n");
        if end.is_none() && rest.len() >= KEPT_BYTES_MAX {
            self.state = State::LongLine;
            return Some(0);
        }
        let end = end?;
        let line = rest.get(..end).unwrap_or_default();
        if line.is_empty() || line == b"\r" {
            self.state = State::First;
            return Some(end + 2);
        }
        let Some(colon) = memchr(b':', line) else {
            events.set(Event::MultipartInvalidHeader);
            return Some(end + 2);
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii_start();
        events.set_if(value.is_empty(), Event::MultipartInvalidHeader);
        if name.eq_ignore_ascii_case(b"content-disposition")
            && let Some(filename) = parameter(value, b"filename").filter(|filename| !filename.is_empty())
        {
            self.name = filename.iter().copied().filter(|byte| *byte != b'\\').collect();
            self.file = files.open(&self.name, REQUEST_BODY_LIMITS);
        }
        Some(end + 2)
    }

    /// Whether the part is empty: the next boundary stands where its content should begin.
    fn first(&mut self, rest: &[u8], files: &mut Files, events: &mut Events) -> Option<usize> {
        if !self.is_boundary(rest)? {
            self.state = State::Content;
            return Some(0);
        }
        events.set_if(!self.name.is_empty(), Event::MultipartNoFiledata);
        self.close(files);
        Some(0)
    }

    fn content(&mut self, rest: &[u8], files: &mut Files) -> Option<usize> {
        let delimiter = [b"\r\n", self.boundary.as_slice()].concat();
        if let Some(end) = memmem::find(rest, &delimiter) {
            self.append(rest.get(..end), files);
            self.close(files);
            return Some(end + 2);
        }
        let held = held_back(rest, &delimiter);
        let taken = rest.len() - held;
        self.append(rest.get(..taken), files);
        (taken > 0).then_some(taken)
    }

    fn append(&mut self, bytes: Option<&[u8]>, files: &mut Files) {
        if let (Some(place), Some(bytes)) = (self.file, bytes) {
            files.append(place, bytes);
        }
    }

    fn close(&mut self, files: &mut Files) {
        if let Some(place) = self.file.take() {
            files.close(place, Ending::Closed);
        }
        self.name.clear();
        self.state = State::Boundary;
    }
}

/// How many bytes at the end of `rest` may be the beginning of `delimiter`.
fn held_back(rest: &[u8], delimiter: &[u8]) -> usize {
    let longest = rest.len().min(delimiter.len().saturating_sub(1));
    (1..=longest)
        .rev()
        .find(|length| rest.ends_with(delimiter.get(..*length).unwrap_or_default()))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n\
        --xyz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"one.txt\"\r\nContent-Type: text/plain\r\n\r\n\
        first\r\n--xy\r\nfile\r\n--xyz\r\ncontent-disposition: form-data; filename=two\r\n\r\n--xyz--\r\n";

    type Found = Vec<(Vec<u8>, Vec<u8>, Ending)>;

    fn taken_apart(size: usize) -> (Found, Events) {
        let mut multipart = Multipart::new(b"multipart/form-data; boundary=xyz").expect("a boundary");
        let (mut files, mut events) = (Files::default(), Events::default());
        for piece in BODY.chunks(size) {
            multipart.write(piece, &mut files, &mut events);
        }
        multipart.finish(&mut files);
        let list = files.list().iter();
        (list.map(|file| (file.name.clone(), file.body.window().to_vec(), file.ending)).collect(), events)
    }

    #[test]
    fn files_are_found_however_the_body_is_cut() {
        let expected = vec![
            (b"one.txt".to_vec(), b"first\r\n--xy\r\nfile".to_vec(), Ending::Closed),
            (b"two".to_vec(), Vec::new(), Ending::Closed),
        ];
        for size in 1..BODY.len() {
            let (files, events) = taken_apart(size);
            assert_eq!(files, expected, "in pieces of {size}");
            assert!(events.has(Event::MultipartNoFiledata) && !events.has(Event::MultipartInvalidHeader));
        }
    }

    #[test]
    fn a_file_without_an_end_is_truncated() {
        let mut multipart = Multipart::new(b"multipart/form-data; boundary=\"q\"").expect("a boundary");
        let (mut files, mut events) = (Files::default(), Events::default());
        multipart.write(
            b"--q\r\nnonsense\r\nContent-Disposition: x; filename=n\r\n\r\nabc\r",
            &mut files,
            &mut events,
        );
        multipart.finish(&mut files);
        assert_eq!(files.list()[0].ending, Ending::Truncated);
        assert_eq!(files.list()[0].body.window(), b"abc\r");
        assert!(events.has(Event::MultipartInvalidHeader));
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let mut multipart = Multipart::new(b"a; boundary=b").expect("a boundary");
        let (mut files, mut events) = (Files::default(), Events::default());
        for _ in 0..100 {
            multipart.write(&[b'x'; 1000], &mut files, &mut events);
        }
        assert!(multipart.kept.len() <= KEPT_BYTES_MAX);
        assert!(Multipart::new(b"text/plain").is_none());
    }
}
