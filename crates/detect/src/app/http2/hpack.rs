//! Headers as HTTP/2 compresses them (RFC 7541): the table of one direction, and the reading of a block.
//!
//! Own code: the field's decoders give a connection up at the first mistake, while here what is understood of a damaged block counts, and what was odd is
//! told. Names and values are shared, not copied, when a block repeats them.
//!
//! The table is bounded by [`TABLE_BYTES_MAX`] whatever the peers agree on: where they agreed on more, the first headers are kept, since nobody knows which
//! the sender will name.
//!
//! Not here: frames, and the order of blocks.

use super::huffman;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of a table that are kept at most.
pub(super) const TABLE_BYTES_MAX: usize = 65_536;
/// The size of a table that was not agreed on.
const TABLE_BYTES_USUAL: usize = 4096;
/// What an entry counts beside its bytes.
const ENTRY_BYTES: usize = 32;
/// Bytes that a number may have behind its first: more overflow.
const NUMBER_BYTES_MAX: usize = 9;

#[rustfmt::skip]
const FIXED: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
    (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""), ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""), ("age", ""),
    ("allow", ""), ("authorization", ""), ("cache-control", ""), ("content-disposition", ""), ("content-encoding", ""),
    ("content-language", ""), ("content-length", ""), ("content-location", ""), ("content-range", ""), ("content-type", ""),
    ("cookie", ""), ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""),
    ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""),
    ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""),
    ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

/// What became of one entry of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A header.
    Header,
    /// The table gets another size.
    Size(u64),
    /// It names an entry of the table that is not there.
    Unknown,
    /// It names the entry 0.
    Zero,
    /// A number is too large.
    Overflow,
}

/// One entry of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) name: Arc<[u8]>,
    pub(super) value: Arc<[u8]>,
    pub(super) kind: Kind,
}

impl Header {
    pub(super) fn new(name: &[u8], value: &[u8]) -> Self {
        Header { name: name.into(), value: value.into(), kind: Kind::Header }
    }

    fn odd(kind: Kind) -> Self {
        Header { kind, ..Header::new(b"", b"") }
    }

    /// What it counts where sizes are limited.
    pub(super) fn size(&self) -> usize {
        ENTRY_BYTES + self.name.len() + self.value.len()
    }
}

/// The bytes end in the middle of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cut;

/// Why a number could not be read.
enum NoNumber {
    Cut,
    Overflow,
}

/// What was agreed on beyond what is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Beyond {
    No,
    /// It may come to that.
    Maybe,
    /// It came to that: nothing is added any more.
    Yes,
}

/// The table of one direction, oldest entry first.
#[derive(Clone, Debug)]
pub(super) struct Table {
    entries: VecDeque<Header>,
    size: usize,
    size_max: usize,
    beyond: Beyond,
}

impl Default for Table {
    fn default() -> Self {
        Table { entries: VecDeque::new(), size: 0, size_max: TABLE_BYTES_USUAL, beyond: Beyond::No }
    }
}

impl Table {
    /// The receiver says how large it may become.
    pub(super) fn allow(&mut self, bytes: u32) {
        self.size_max = bytes as usize;
        self.beyond = if self.size_max > TABLE_BYTES_MAX { Beyond::Maybe } else { Beyond::No };
    }

    /// Reads a block: all its entries, and how many bytes are left of it behind one that ended it.
    pub(super) fn read(&mut self, block: &[u8]) -> Result<(Vec<Header>, usize), Cut> {
        let mut headers = Vec::new();
        let mut rest = block;
        let mut resize = None;
        while !rest.is_empty() {
            match self.entry(&mut rest) {
                Ok(header) => {
                    if let Kind::Size(bytes) = header.kind {
                        resize = resize.max(Some(bytes));
                    }
                    headers.push(header);
                }
                Err(NoNumber::Cut) => return Err(Cut),
                Err(NoNumber::Overflow) => {
                    headers.push(Header::odd(Kind::Overflow));
                    break;
                }
            }
        }
        if let Some(bytes) = resize {
            self.size_max = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        Ok((headers, rest.len()))
    }

    fn entry(&mut self, rest: &mut &[u8]) -> Result<Header, NoNumber> {
        let (first, after) = rest.split_first().ok_or(NoNumber::Cut)?;
        // Where a number overflows, its first byte and what follows count as what is left.
        let mut at = after;
        let header = match first {
            0x80.. => self.named(number(first & 0x7f, 0x7f, &mut at)?),
            0x40..0x80 => {
                let header = self.literal(number(first & 0x3f, 0x3f, &mut at)?, &mut at)?;
                self.add(header.clone());
                header
            }
            0x20..0x40 => {
                let bytes = number(first & 0x1f, 0x1f, &mut at)?;
                let size = usize::try_from(bytes).unwrap_or(usize::MAX);
                if size < self.size_max {
                    self.shrink(size);
                }
                Header::odd(Kind::Size(bytes))
            }
            _ => self.literal(number(first & 0x0f, 0x0f, &mut at)?, &mut at)?,
        };
        *rest = at;
        Ok(header)
    }

    fn literal(&self, name: u64, rest: &mut &[u8]) -> Result<Header, NoNumber> {
        let name = if name == 0 { string(rest)?.into() } else { self.named(name).name };
        Ok(Header { name, value: string(rest)?.into(), kind: Kind::Header })
    }

    fn named(&self, number: u64) -> Header {
        let Some(place) = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1) else {
            return Header::odd(Kind::Zero);
        };
        if let Some((name, value)) = FIXED.get(place) {
            return Header::new(name.as_bytes(), value.as_bytes());
        }
        self.entries
            .iter()
            .rev()
            .nth(place - FIXED.len())
            .cloned()
            .unwrap_or_else(|| Header::odd(Kind::Unknown))
    }

    fn add(&mut self, header: Header) {
        self.size = self.size.saturating_add(header.size());
        match self.beyond {
            Beyond::No => self.entries.push_back(header),
            Beyond::Maybe if self.size <= TABLE_BYTES_MAX => self.entries.push_back(header),
            Beyond::Maybe if self.size > self.size_max => self.beyond = Beyond::Yes,
            Beyond::Maybe | Beyond::Yes => {}
        }
        let max = if self.beyond == Beyond::No { self.size_max.min(TABLE_BYTES_MAX) } else { self.size_max };
        self.shrink(max);
    }

    fn shrink(&mut self, max: usize) {
        while self.size > max {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.size = self.size.saturating_sub(oldest.size());
        }
    }
}

/// A number whose first bits are `first`; `full` if more bytes follow.
fn number(first: u8, full: u8, rest: &mut &[u8]) -> Result<u64, NoNumber> {
    if first < full {
        return Ok(first.into());
    }
    let more = rest.iter().take_while(|byte| **byte & 0x80 != 0).count();
    let (bytes, after) = rest.split_at_checked(more + 1).ok_or(NoNumber::Cut)?;
    *rest = after;
    let last = bytes.last().copied().unwrap_or(0);
    if more > NUMBER_BYTES_MAX || (more == NUMBER_BYTES_MAX && last > 1) {
        return Ok(0);
    }
    bytes.iter().enumerate().try_fold(u64::from(full), |sum, (place, byte)| {
        sum.checked_add(u64::from(byte & 0x7f) << (7 * place)).ok_or(NoNumber::Overflow)
    })
}

fn string(rest: &mut &[u8]) -> Result<Vec<u8>, NoNumber> {
    let (first, after) = rest.split_first().ok_or(NoNumber::Cut)?;
    let mut at = after;
    let length = usize::try_from(number(first & 0x7f, 0x7f, &mut at)?).map_err(|_| NoNumber::Cut)?;
    let (bytes, after) = at.split_at_checked(length).ok_or(NoNumber::Cut)?;
    *rest = after;
    Ok(if first & 0x80 == 0 { bytes.to_vec() } else { huffman::decode(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &mut Table, block: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = table.read(block).map(|read| read.0).unwrap_or_default();
        headers.iter().map(|header| (text(&header.name), text(&header.value))).collect()
    }

    #[test]
    fn what_was_added_is_named_by_later_blocks() {
        let mut table = Table::default();
        assert_eq!(read(&mut table, &[0x53, 3, b'*', b'/', b'*']), [("accept".into(), "*/*".into())]);
        assert_eq!(read(&mut table, b"\x40\x01a\x01b"), [("a".into(), "b".into())]);
        assert_eq!(
            read(&mut table, &[0xbe, 0xbf]),
            [("a".into(), "b".into()), ("accept".into(), "*/*".into())]
        );
    }

    #[test]
    fn an_entry_that_is_not_there_is_told() {
        let kinds = |block: &[u8]| -> Vec<Kind> {
            Table::default()
                .read(block)
                .map(|read| read.0)
                .unwrap_or_default()
                .iter()
                .map(|header| header.kind)
                .collect()
        };
        assert_eq!(kinds(&[0x80, 0xbe]), [Kind::Zero, Kind::Unknown]);
        assert_eq!(kinds(&[0x3f, 0xe1, 0x1f]), [Kind::Size(4096)]);
        assert_eq!(kinds(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), [Kind::Overflow]);
        assert_eq!(Table::default().read(&[0xff]), Err(Cut));
    }

    #[test]
    fn the_table_is_bounded_whatever_the_peers_agree_on() {
        let entry = [&[0x40, 1, b'n', 0x7f, 0xff, 0x07][..], &[b'v'; 1150]].concat();
        for agreed in [0, 100, 65_536, u32::MAX] {
            let mut table = Table::default();
            table.allow(agreed);
            for _ in 0..500 {
                assert!(table.read(&entry).is_ok());
            }
            let kept: usize = table.entries.iter().map(Header::size).sum();
            assert!(kept <= TABLE_BYTES_MAX && kept <= agreed as usize, "{agreed}: {kept}");
        }
        let mut table = Table::default();
        assert!(table.read(&[0x3f, 0xff, 0xff, 0xff, 0x7f]).is_ok());
        (0..500).for_each(|_| assert!(table.read(&entry).is_ok()));
        assert!(table.entries.iter().map(Header::size).sum::<usize>() <= TABLE_BYTES_MAX);
    }
}
