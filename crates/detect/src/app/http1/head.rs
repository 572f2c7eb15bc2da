//! The head of a message: its first line and its headers.
//!
//! All bytes of the head are kept once, as they came; a header is two places in them. Only what was put together (a
//! header over several lines, several headers of one name) and what was made for rules (normalised forms) stands in a
//! second buffer. So a head costs three pieces of memory, however many headers it has.
//!
//! Headers of one name are one header, their values joined by a comma and a space, as servers take them; of a
//! repeated `Content-Length` the first counts.

use super::connection::FIELD_BYTES_MAX;
use super::event::{Event, Events};
use super::header::{Header, Oddities, Reader, Side, Value};
use super::text::{digits, is_word};

/// Headers of different names at most; with more the parser gives up.
const HEADERS_MAX: usize = 1024;
/// Repetitions of headers that are joined; later ones are dropped.
const REPETITIONS_MAX: u32 = 64;
/// Bytes of a head at most, trailers included; with more the parser gives up.
const HEAD_BYTES_MAX: usize = 1024 * 1024;

/// A place in one of the two buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    start: u32,
    length: u32,
    made: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: Place,
    value: Place,
    repeated: bool,
}

/// What makes a header's name invalid.
const INVALID_NAMES: &[Event] = &[
    Event::RequestSpaceAfterName,
    Event::ResponseSpaceAfterName,
    Event::RequestHeaderInvalid,
    Event::ResponseNameNotToken,
];

/// Bytes that most heads have at most: so much room is made at once.
const HEAD_BYTES_USUAL: usize = 640;
/// Bytes that most need for what is made.
const MADE_BYTES_USUAL: usize = 256;
/// Headers that most heads have at most.
const HEADERS_USUAL: usize = 16;

/// Too much of something: the parser gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooMuch;

/// What reading a header block came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// Bytes that were taken.
    pub(super) taken: usize,
    /// The empty line was there.
    pub(super) over: bool,
}

/// The head of a message.
#[derive(Clone, Debug)]
pub(super) struct Head {
    side: Side,
    /// As it came: the first line, then the header block.
    text: Vec<u8>,
    /// What was put together or made.
    made: Vec<u8>,
    line: Place,
    block_start: usize,
    entries: Vec<Entry>,
    repetitions: u32,
    /// Headers were added since somebody asked.
    changed: bool,
    pub(super) header: Option<Place>,
    pub(super) names: Option<Place>,
    pub(super) start: Option<Place>,
}

impl Head {
    pub(super) fn new(side: Side) -> Self {
        Head {
            side,
            text: Vec::new(),
            made: Vec::new(),
            line: Place::default(),
            block_start: 0,
            entries: Vec::new(),
            repetitions: 0,
            changed: false,
            header: None,
            names: None,
            start: None,
        }
    }

    /// Forgets everything, as before another response after `100 Continue`.
    pub(super) fn clear(&mut self) {
        *self = Head::new(self.side);
    }

    /// The first line, of which `line` is the text.
    pub(super) fn set_line(&mut self, line: &[u8]) {
        self.text.clear();
        self.text.reserve(line.len() + HEAD_BYTES_USUAL);
        self.text.extend_from_slice(line);
        self.block_start = self.text.len();
        self.line = place(0, self.text.len(), false);
    }

    pub(super) fn line(&self) -> &[u8] {
        self.at(self.line)
    }

    /// The header block as it came, trailers included.
    pub(super) fn raw(&self) -> &[u8] {
        self.text.get(self.block_start..).unwrap_or_default()
    }

    /// The place in the first line of `part`, which starts at `start`.
    pub(super) fn in_line(&self, start: usize, part: &[u8]) -> Place {
        place(start, part.len(), false)
    }

    /// Keeps something that was made.
    pub(super) fn keep(&mut self, make: impl FnOnce(&mut Vec<u8>)) -> Place {
        if self.made.is_empty() {
            self.made.reserve(MADE_BYTES_USUAL);
        }
        let start = self.made.len();
        make(&mut self.made);
        place(start, self.made.len().saturating_sub(start), true)
    }

    /// Keeps a copy of what was made before, and what is made behind it.
    pub(super) fn keep_behind(&mut self, before: Option<Place>, make: impl FnOnce(&mut Vec<u8>)) -> Place {
        let start = self.made.len();
        if let Some(before) = before.filter(|before| before.made) {
            let from = before.start as usize;
            self.made.extend_from_within(from..(from + before.length as usize).min(start));
        }
        make(&mut self.made);
        place(start, self.made.len().saturating_sub(start), true)
    }

    /// How many bytes the head has.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.made.len()
    }

    /// The bytes at a place.
    pub(super) fn at(&self, place: Place) -> &[u8] {
        let buffer = if place.made { &self.made } else { &self.text };
        let start = place.start as usize;
        buffer.get(start..start + place.length as usize).unwrap_or_default()
    }

    /// Whether nothing is there.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether headers were added since this was asked last.
    pub(super) fn has_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// All headers: name and value.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|entry| (self.at(entry.name), self.at(entry.value)))
    }

    /// The value of the header of this name (in small letters).
    pub(super) fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.find(name).map(|(value, _)| value)
    }

    /// The same, and whether there was more than one.
    pub(super) fn find(&self, name: &[u8]) -> Option<(&[u8], bool)> {
        let entry = self.entries.iter().find(|entry| is_word(self.at(entry.name), name))?;
        Some((self.at(entry.value), entry.repeated))
    }

    /// Reads headers from the front of `input`. What was taken is kept.
    pub(super) fn read(
        &mut self,
        input: &[u8],
        complete: bool,
        events: &mut Events,
    ) -> Result<Block, TooMuch> {
        let mut reader = Reader { side: self.side, complete, behind_newline: false };
        let mut block = Block { taken: 0, over: false };
        let text_start = self.text.len();
        loop {
            let rest = input.get(block.taken..).unwrap_or_default();
            // Whether something is too long is not a question of how much of it came at once.
            let rest = rest.get(..FIELD_BYTES_MAX).unwrap_or(rest);
            reader.behind_newline = block.taken == 0 && self.raw().is_empty() && self.line().ends_with(b"\n");
            match reader.block_end(rest) {
                Ok(Some(length)) => {
                    block = Block { taken: block.taken + length, over: true };
                    break;
                }
                Ok(None) => {}
                Err(_) => break,
            }
            let Ok(header) = reader.header(rest) else { break };
            self.add(&header, input, text_start, events)?;
            block.taken += header.end;
        }
        if text_start + block.taken > HEAD_BYTES_MAX {
            return Err(TooMuch);
        }
        self.text.extend_from_slice(input.get(..block.taken).unwrap_or_default());
        Ok(block)
    }

    /// Adds a header that stands in `input`, which will stand at `text_start` of what is kept.
    fn add(
        &mut self,
        header: &Header<'_>,
        input: &[u8],
        text_start: usize,
        events: &mut Events,
    ) -> Result<(), TooMuch> {
        note_oddities(self.side, header.odd, events);
        self.changed = true;
        let value = match &header.value {
            Value::Plain(value) => value,
            Value::Folded(value) => value.as_slice(),
        };
        let same = |entry: &Entry| self.name_of(entry, input, text_start).eq_ignore_ascii_case(header.name);
        if let Some(found) = self.entries.iter().position(same) {
            self.join(found, header.name, value, (input, text_start), events);
            return Ok(());
        }
        if self.entries.len() > HEADERS_MAX {
            events.set(match self.side {
                Side::Request => Event::RequestTooManyHeaders,
                Side::Response => Event::ResponseTooManyHeaders,
            });
            return Err(TooMuch);
        }
        let name = place(text_start + offset(input, header.name), header.name.len(), false);
        let value = match &header.value {
            Value::Plain(value) => place(text_start + offset(input, value), value.len(), false),
            Value::Folded(value) => self.keep(|made| made.extend_from_slice(value)),
        };
        if self.entries.is_empty() {
            self.entries.reserve(HEADERS_USUAL);
        }
        self.entries.push(Entry { name, value, repeated: false });
        Ok(())
    }

    /// The bytes at a place, of which the newest are not kept yet but stand in `input`.
    fn fresh<'a>(&'a self, of: Place, input: &'a [u8], text_start: usize) -> &'a [u8] {
        match (of.start as usize).checked_sub(text_start) {
            Some(start) if !of.made => input.get(start..start + of.length as usize).unwrap_or_default(),
            _ => self.at(of),
        }
    }

    fn name_of<'a>(&'a self, entry: &Entry, input: &'a [u8], text_start: usize) -> &'a [u8] {
        self.fresh(entry.name, input, text_start)
    }

    /// Another header of a name that was there: its value goes behind the one before.
    fn join(
        &mut self,
        found: usize,
        name: &[u8],
        value: &[u8],
        (input, text_start): (&[u8], usize),
        events: &mut Events,
    ) {
        let Some(entry) = self.entries.get(found).copied() else { return };
        if entry.repeated {
            if self.repetitions >= REPETITIONS_MAX {
                return;
            }
            self.repetitions += 1;
        } else {
            events.set(match self.side {
                Side::Request => Event::RequestHeaderRepetition,
                Side::Response => Event::ResponseHeaderRepetition,
            });
        }
        let before = self.fresh(entry.value, input, text_start);
        let joined = if name.eq_ignore_ascii_case(b"content-length") {
            let number = |value| digits(value).map(|(number, _)| number);
            let differ = number(before).is_none() || number(before) != number(value);
            events.set_if(
                differ,
                match self.side {
                    Side::Request => Event::DuplicateContentLengthInRequest,
                    Side::Response => Event::DuplicateContentLengthInResponse,
                },
            );
            entry.value
        } else {
            let before = before.to_vec();
            self.keep(|made| {
                made.extend_from_slice(&before);
                made.extend_from_slice(b", ");
                made.extend_from_slice(value);
            })
        };
        if let Some(entry) = self.entries.get_mut(found) {
            entry.value = joined;
            entry.repeated = true;
        }
    }
}

fn place(start: usize, length: usize, made: bool) -> Place {
    // A head is shorter than 4 GiB by far; if it were not, nothing would be shown.
    match (u32::try_from(start), u32::try_from(length)) {
        (Ok(start), Ok(length)) => Place { start, length, made },
        _ => Place::default(),
    }
}

/// Where `part`, a piece of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

/// Notes what was odd about a header. Each kind is noted once in an exchange, and of what makes a name invalid only
/// what was seen first.
fn note_oddities(side: Side, odd: Oddities, events: &mut Events) {
    if odd == Oddities::default() {
        return;
    }
    events.set_if(odd.deformed_end && side == Side::Response, Event::DeformedEol);
    let (spaced, folded, token, colon) = match side {
        Side::Request => (
            Event::RequestSpaceAfterName,
            Event::InvalidRequestFolding,
            Event::RequestHeaderInvalid,
            Event::RequestFieldMissingColon,
        ),
        Side::Response => (
            Event::ResponseSpaceAfterName,
            Event::InvalidResponseFolding,
            Event::ResponseNameNotToken,
            Event::ResponseFieldMissingColon,
        ),
    };
    let mut once = |condition: bool, event: Event, kind: &[Event]| {
        let known = kind.iter().any(|event| events.has(*event));
        events.set_if(condition && !known, event);
    };
    once(odd.space_after_name, spaced, INVALID_NAMES);
    once(odd.space_before_name, folded, &[Event::InvalidRequestFolding, Event::InvalidResponseFolding]);
    once(odd.name_is_no_token, token, INVALID_NAMES);
    // A name that is empty counts as one without a colon.
    let missing = &[Event::RequestFieldMissingColon, Event::ResponseFieldMissingColon];
    once(odd.no_colon || odd.empty_name, colon, missing);
}
