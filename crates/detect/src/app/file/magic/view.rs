//! Bytes, and numbers in them: what lies beyond the end is nothing.

/// The bytes whose type is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a>(pub(super) &'a [u8]);

impl<'a> View<'a> {
    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// Whether these bytes stand there.
    pub(super) fn has(self, at: usize, bytes: &[u8]) -> bool {
        self.from(at).starts_with(bytes)
    }

    /// The same, letters of either case.
    pub(super) fn has_letters(self, at: usize, letters: &[u8]) -> bool {
        self.from(at).get(..letters.len()).is_some_and(|there| there.eq_ignore_ascii_case(letters))
    }

    /// All from there on.
    pub(super) fn from(self, at: usize) -> &'a [u8] {
        self.0.get(at..).unwrap_or_default()
    }

    /// So many bytes from there, or as many as there are.
    pub(super) fn part(self, at: usize, length: usize) -> &'a [u8] {
        let rest = self.from(at);
        &rest[..rest.len().min(length)]
    }

    pub(super) fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub(super) fn le16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn be16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub(super) fn le32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn be32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    /// A number of two bytes in this order.
    pub(super) fn u16(self, at: usize, is_big: bool) -> Option<u16> {
        if is_big { self.be16(at) } else { self.le16(at) }
    }

    /// A number of four bytes in this order.
    pub(super) fn u32(self, at: usize, is_big: bool) -> Option<u32> {
        if is_big { self.be32(at) } else { self.le32(at) }
    }

    /// A place that is written down there, in four bytes with the smallest first, moved by `plus`.
    pub(super) fn place(self, at: usize, plus: usize) -> Option<usize> {
        usize::try_from(self.le32(at)?).ok()?.checked_add(plus)
    }

    /// Where these bytes begin first, within `range` bytes from `at`.
    pub(super) fn find(self, at: usize, range: usize, bytes: &[u8]) -> Option<usize> {
        let part = self.part(at, range.saturating_add(bytes.len()).saturating_sub(1));
        memchr::memmem::find(part, bytes).map(|found| at + found)
    }

    /// Letters up to a zero, at most so many.
    pub(super) fn letters(self, at: usize, max: usize) -> String {
        let part = self.part(at, max);
        let end = memchr::memchr(0, part).unwrap_or(part.len());
        part[..end]
            .iter()
            .map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '?' })
            .collect()
    }

    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at.checked_add(N)?)?.try_into().ok()
    }
}

/// A moment as C's `ctime` writes it, in universal time: `Sun Sep 13 12:26:40 2020`.
pub(super) fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // `2020-09-13T12:26:40.000000+0000`
    let written = crate::eve::timestamp(crate::Time(seconds.saturating_mul(1_000_000_000)));
    let number = |range: std::ops::Range<usize>| {
        written.get(range).and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(0)
    };
    let (day, month) = (number(8..10), number(5..7));
    let name = MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or_default();
    let weekday = DAYS[(seconds / 86_400 % 7) as usize];
    format!("{weekday} {name} {day:2} {} {}", written.get(11..19).unwrap_or_default(), number(0..4))
}
