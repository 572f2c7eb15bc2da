//! A DNS message: the header, the questions, and three sections of records.
//!
//! Promises: [`Message::parse`] says no to a message whose header cannot be true, or whose questions or
//! answers do not fit into it; authorities and additional records that do not fit are left out in full, and
//! said to be invalid, since resolvers get along without them. All text stands in one buffer, so a message of
//! any number of names costs two allocations.
//!
//! Own code instead of a crate from the field: those refuse what must be seen here (names that are too long
//! or loop, types that nobody knows), and allocate for each name. Shared by DNS over UDP, TCP and HTTP/2, and
//! by multicast DNS.

use super::kinds::{Data, kind};
use super::name::{NameOddities, Names, Text};

/// It is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault;

/// Why there is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The header cannot be true: these bytes are something else.
    Header,
    /// The header may be true, but the rest is damaged.
    Body,
}

/// The bytes of a header.
pub(super) const HEADER_BYTES: usize = 12;
/// Records for which room is made at once; more only as they are found.
const RECORDS_EXPECTED: usize = 6;

/// The header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Which question this is about.
    pub id: u16,
    /// All flags, the opcode and the code of the answer.
    pub flags: u16,
    counts: [u16; 4],
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<(Header, &[u8])> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let word = |place: usize| {
            u16::from_be_bytes([
                header.get(place).copied().unwrap_or(0),
                header.get(place + 1).copied().unwrap_or(0),
            ])
        };
        Some((Header { id: word(0), flags: word(2), counts: [word(4), word(6), word(8), word(10)] }, rest))
    }

    /// Whether it says that it is an answer.
    #[must_use]
    pub fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// Whether the bit that must be zero is not.
    #[must_use]
    pub fn has_z(self) -> bool {
        self.flags & 0x0040 != 0
    }

    /// What is asked for: 0 for an ordinary question.
    #[must_use]
    pub fn opcode(self) -> u8 {
        (self.flags >> 11) as u8 & 0x0f
    }

    /// How it went: 0 for well.
    #[must_use]
    pub fn rcode(self) -> u16 {
        self.flags & 0x000f
    }

    /// Whether a message of `length` bytes can have this header: there is room for what it counts, it counts
    /// something or ends here, and a question asks something.
    fn is_plausible(self, length: usize) -> bool {
        let records: usize = self.counts.iter().map(|count| usize::from(*count)).sum();
        let fits = 2 * records <= length && (records > 0 || length <= HEADER_BYTES);
        fits && (self.is_response() || self.counts[0] > 0)
    }
}

/// A question, or a record. A question has no data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Whom it is about.
    pub name: Text,
    /// Its type.
    pub rrtype: u16,
    /// Its class.
    pub class: u16,
    /// How long it may be remembered, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// A section of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// What was asked.
    Questions,
    /// What is answered.
    Answers,
    /// Who is to be asked.
    Authorities,
    /// What goes with it.
    Additionals,
}

/// A message that was understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// What is odd about any of its names.
    pub odd: NameOddities,
    /// The authorities cannot be read, and nothing after them.
    pub has_invalid_authorities: bool,
    /// The additional records cannot be read.
    pub has_invalid_additionals: bool,
    text: Vec<u8>,
    records: Vec<Record>,
    /// Where the first three sections end in the list.
    ends: [usize; 3],
}

impl Message {
    /// Reads the message that these bytes are.
    ///
    /// # Errors
    ///
    /// It is none, or a damaged one.
    pub fn parse(bytes: &[u8]) -> Result<Message, Refusal> {
        Message::read(bytes, true)
    }

    /// What the header says of a message of `length` bytes of which `bytes` are there: nothing if it cannot
    /// be one.
    pub(super) fn glance(bytes: &[u8], length: usize) -> Option<Header> {
        Header::parse(bytes).map(|(header, _)| header).filter(|header| header.is_plausible(length))
    }

    /// The same for a message that is all there, every section of which is looked at.
    pub(super) fn look(bytes: &[u8]) -> Option<Header> {
        Message::read(bytes, false).map(|message| message.header).ok()
    }

    fn read(bytes: &[u8], keep: bool) -> Result<Message, Refusal> {
        let (header, body) = Header::parse(bytes).ok_or(Refusal::Header)?;
        if !header.is_plausible(bytes.len()) {
            return Err(Refusal::Header);
        }
        let mut reader = Reader { names: Names::new(bytes, keep), records: Vec::new(), keep };
        if keep {
            reader.records.reserve(RECORDS_EXPECTED);
        }
        let mut message = Message { header, ..Message::default() };
        reader.sections(body, &mut message).map_err(|Fault| Refusal::Body)?;
        message.odd = reader.names.odd;
        message.text = reader.names.text;
        message.records = reader.records;
        Ok(message)
    }

    /// The records of a section.
    #[must_use]
    pub fn section(&self, section: Section) -> &[Record] {
        let [questions, answers, authorities] = self.ends;
        let records = match section {
            Section::Questions => self.records.get(..questions),
            Section::Answers => self.records.get(questions..answers),
            Section::Authorities => self.records.get(answers..authorities),
            Section::Additionals => self.records.get(authorities..),
        };
        records.unwrap_or_default()
    }

    /// The bytes of a piece of text of this message.
    #[must_use]
    pub fn text(&self, text: Text) -> &[u8] {
        let start = usize::try_from(text.start).unwrap_or(usize::MAX);
        self.text.get(start..start.saturating_add(usize::from(text.length))).unwrap_or_default()
    }
}

/// Reads the sections of one message.
struct Reader<'a> {
    names: Names<'a>,
    records: Vec<Record>,
    keep: bool,
}

impl<'a> Reader<'a> {
    fn sections(&mut self, body: &'a [u8], message: &mut Message) -> Result<(), Fault> {
        let [questions, answers, authorities, additionals] = message.header.counts;
        let mut rest = body;
        for _ in 0..questions {
            rest = self.question(rest)?;
        }
        message.ends = [self.records.len(); 3];
        rest = self.section(rest, answers)?;
        let answers_end = self.records.len();
        message.ends = [message.ends[0], answers_end, answers_end];
        match self.section(rest, authorities) {
            Ok(after) => rest = after,
            Err(Fault) => {
                self.records.truncate(answers_end);
                message.has_invalid_authorities = true;
                return Ok(());
            }
        }
        message.ends[2] = self.records.len();
        if self.section(rest, additionals).is_err() {
            self.records.truncate(message.ends[2]);
            message.has_invalid_additionals = true;
        }
        Ok(())
    }

    fn question(&mut self, from: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (rest, name) = self.names.read(from)?;
        let (fields, rest) = rest.split_first_chunk::<4>().ok_or(Fault)?;
        let [kind, kind_low, class, class_low] = *fields;
        self.push(Record {
            name,
            rrtype: u16::from_be_bytes([kind, kind_low]),
            class: u16::from_be_bytes([class, class_low]),
            ttl: 0,
            data: Data::Nothing,
        });
        Ok(rest)
    }

    fn section(&mut self, from: &'a [u8], count: u16) -> Result<&'a [u8], Fault> {
        let mut rest = from;
        for _ in 0..count {
            rest = self.record(rest)?;
        }
        Ok(rest)
    }

    fn record(&mut self, from: &'a [u8]) -> Result<&'a [u8], Fault> {
        let (rest, name) = self.names.read(from)?;
        let (fields, rest) = rest.split_first_chunk::<10>().ok_or(Fault)?;
        let [kind_high, kind_low, class, class_low, t0, t1, t2, t3, length, length_low] = *fields;
        let length = usize::from(u16::from_be_bytes([length, length_low]));
        let (data, rest) = rest.split_at_checked(length).ok_or(Fault)?;
        let rrtype = u16::from_be_bytes([kind_high, kind_low]);
        let data = kind(rrtype, data, &mut self.names)?;
        self.push(Record {
            name,
            rrtype,
            class: u16::from_be_bytes([class, class_low]),
            ttl: u32::from_be_bytes([t0, t1, t2, t3]),
            data,
        });
        Ok(rest)
    }

    fn push(&mut self, record: Record) {
        if self.keep {
            self.records.push(record);
        }
    }
}
