//! The patterns themselves, equal ones as one record, and the comparison that decides.

use crate::runs::is_run;
use crate::{PATTERN_BYTES_MAX, PATTERNS_MAX, Pattern};
use std::borrow::Cow;
use std::ops::Range;

/// One distinct pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// Where its bytes begin; letters are small if it is `nocase`.
    bytes_at: u32,
    /// Where the indices of its patterns begin; they end where the next record's begin.
    ids_at: u32,
    length: u8,
    nocase: bool,
    /// Where in it the part begins that its lane looks for.
    window_at: u8,
}

/// All distinct patterns: those that are runs of one byte, then the others, the shortest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    records: Box<[Record]>,
    bytes: Box<[u8]>,
    ids: Box<[u32]>,
    /// So many of them, the first, are runs of one byte.
    runs: usize,
}

impl Records {
    pub(crate) fn new(patterns: &[Pattern]) -> Records {
        let mut order: Vec<Entry> =
            patterns.iter().zip(0..).filter_map(Entry::new).take(PATTERNS_MAX).collect();
        order.sort_unstable();
        let (mut records, mut bytes, mut ids) = (Vec::new(), Vec::new(), Vec::with_capacity(order.len()));
        let mut last: Option<&Entry> = None;
        for entry in &order {
            if last.is_none_or(|last| !last.is_equal(entry)) {
                records.push(Record {
                    bytes_at: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                    ids_at: u32::try_from(ids.len()).unwrap_or(u32::MAX),
                    length: entry.length,
                    nocase: entry.nocase,
                    window_at: 0,
                });
                bytes.extend_from_slice(&entry.bytes);
            }
            ids.push(entry.index);
            last = Some(entry);
        }
        let mut records = Records { records: records.into(), bytes: bytes.into(), ids: ids.into(), runs: 0 };
        records.runs = (0..records.len()).take_while(|record| is_run(records.pattern(*record).0)).count();
        records
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// How many patterns the records stand for.
    pub(crate) fn patterns(&self) -> usize {
        self.ids.len()
    }

    /// How many records, the first ones, are runs.
    pub(crate) fn runs(&self) -> usize {
        self.runs
    }

    /// How many records, the first ones, are runs or have less than `length` bytes.
    pub(crate) fn shorter_than(&self, length: usize) -> usize {
        let others = self.records.get(self.runs..).unwrap_or_default();
        self.runs + others.partition_point(|record| usize::from(record.length) < length)
    }

    /// The bytes of a record, and whether letters match either case.
    pub(crate) fn pattern(&self, record: usize) -> (&[u8], bool) {
        let Some(record) = self.records.get(record) else { return (&[], false) };
        (self.bytes_of(record), record.nocase)
    }

    pub(crate) fn set_window(&mut self, record: usize, at: usize) {
        if let Some(record) = self.records.get_mut(record) {
            record.window_at = u8::try_from(at).unwrap_or(0);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.records) + self.bytes.len() + size_of_val(&*self.ids)
    }

    #[inline]
    fn bytes_of(&self, record: &Record) -> &[u8] {
        let start = record.bytes_at as usize;
        self.bytes.get(start..start.wrapping_add(usize::from(record.length))).unwrap_or_default()
    }

    /// The indices of the patterns that are `record`.
    #[inline]
    fn ids_of(&self, record: usize) -> &[u32] {
        let at =
            |record: usize| self.records.get(record).map_or(self.ids.len(), |record| record.ids_at as usize);
        self.ids.get(Range { start: at(record), end: at(record.wrapping_add(1)) }).unwrap_or_default()
    }

    /// Reports `record` if it stands in `text` so that its window begins at `window`.
    #[inline]
    pub(crate) fn compare(
        &self,
        record: u32,
        text: &[u8],
        window: usize,
        found: &mut impl FnMut(u32, usize),
    ) {
        let number = record;
        let Some(record) = self.records.get(number as usize) else { return };
        let Some(start) = window.checked_sub(usize::from(record.window_at)) else { return };
        let end = start.wrapping_add(usize::from(record.length));
        let Some(there) = text.get(start..end) else { return };
        let bytes = self.bytes_of(record);
        if if record.nocase { there.eq_ignore_ascii_case(bytes) } else { there == bytes } {
            self.report(number, end, found);
        }
    }

    /// Reports every pattern that `record` stands for.
    #[inline]
    pub(crate) fn report(&self, record: u32, end: usize, found: &mut impl FnMut(u32, usize)) {
        for id in self.ids_of(record as usize) {
            found(*id, end);
        }
    }
}

/// A pattern on its way into a record. The order of the fields is the order of the records.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'a> {
    is_no_run: bool,
    length: u8,
    nocase: bool,
    bytes: Cow<'a, [u8]>,
    index: u32,
}

impl<'a> Entry<'a> {
    fn new((pattern, index): (&'a Pattern, u32)) -> Option<Entry<'a>> {
        let length = u8::try_from(pattern.bytes.len()).ok().filter(|length| *length > 0)?;
        const { assert!(PATTERN_BYTES_MAX == u8::MAX as usize) };
        // Without a letter in it, either case is the same.
        let nocase = pattern.nocase && pattern.bytes.iter().any(u8::is_ascii_alphabetic);
        let is_small = !nocase || !pattern.bytes.iter().any(u8::is_ascii_uppercase);
        let bytes: Cow<[u8]> =
            if is_small { (&*pattern.bytes).into() } else { pattern.bytes.to_ascii_lowercase().into() };
        Some(Entry { is_no_run: !is_run(&bytes), length, nocase, bytes, index })
    }

    fn is_equal(&self, other: &Entry) -> bool {
        self.nocase == other.nocase && self.bytes == other.bytes
    }
}
