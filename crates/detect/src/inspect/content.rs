//! `content`: a string that must, or must not, stand in a part of the buffer.

use super::chain::{Look, Operand, Values};
use super::search::find;

/// A string to look for.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) nocase: bool,
    pub(crate) negated: bool,
    /// Where the part begins.
    pub(crate) offset: Option<Operand>,
    /// Where the part ends, from the buffer's beginning.
    pub(crate) depth: Option<Operand>,
    /// How far behind the last match the part begins.
    pub(crate) distance: Option<Operand>,
    /// How far behind the last match the string ends at the latest.
    pub(crate) within: Option<Operand>,
    /// It stands at the very end.
    pub(crate) ends: bool,
    /// The next link depends on where this one was found: it is worth looking for another place.
    pub(crate) next_depends: bool,
    /// It takes part in finding candidates.
    pub(crate) fast: bool,
    /// It takes part in finding candidates only, since it was said to be enough.
    pub(crate) fast_only: bool,
}

impl Content {
    /// A string that may stand anywhere.
    pub(crate) fn anywhere(bytes: Vec<u8>, negated: bool) -> Self {
        Content {
            bytes: bytes.into(),
            nocase: false,
            negated,
            offset: None,
            depth: None,
            distance: None,
            within: None,
            ends: false,
            next_depends: false,
            fast: false,
            fast_only: false,
        }
    }

    /// Whether it is looked for behind the last match.
    pub(crate) fn is_relative(&self) -> bool {
        self.distance.is_some() || self.within.is_some()
    }

    /// The part of the buffer in which to look, or nothing if there cannot be one. `last` is where the last match ended.
    pub(crate) fn part(&self, look: &Look<'_>, last: usize, values: &Values) -> Option<(usize, usize)> {
        let length = signed(look.bytes.len());
        let value = |operand: &Option<Operand>| operand.map(|operand| operand.signed(values));
        let (offset, depth) = if self.is_relative() {
            let last = signed(last);
            let distance = value(&self.distance).unwrap_or(0);
            let mut offset = (last + distance).max(0);
            let mut depth = length;
            if let Some(within) = value(&self.within) {
                depth = depth.min(last + within + distance);
                if last == 0 {
                    depth = stream_depth(depth, look)?;
                }
            }
            let from = value(&self.offset).unwrap_or(0);
            if let Some(limit) = value(&self.depth) {
                depth = depth.min(last + from + limit);
            }
            offset = offset.max(from);
            (offset, depth)
        } else {
            let from = value(&self.offset).unwrap_or(0);
            let mut depth = length;
            if let Some(limit) = value(&self.depth) {
                // A depth counts from where the offset is.
                depth = from + limit;
                if look.start != 0 {
                    depth = stream_depth(depth, look)?;
                }
            }
            (from, depth)
        };
        let depth = depth.min(length);
        if offset > depth || depth <= 0 {
            return None;
        }
        Some((usize::try_from(offset).ok()?, usize::try_from(depth).ok()?))
    }

    /// Where it ends in `bytes[from..until]`, at the first place.
    pub(crate) fn end(&self, bytes: &[u8], from: usize, until: usize) -> Option<usize> {
        let part = bytes.get(from..until)?;
        if self.ends {
            // There is one place only where it may stand.
            let at = part.len().checked_sub(self.bytes.len())?;
            let tail = &part[at..];
            let same =
                if self.nocase { tail.eq_ignore_ascii_case(&self.bytes) } else { *tail == *self.bytes };
            return (same && until == bytes.len()).then_some(until);
        }
        find(part, &self.bytes, self.nocase).map(|at| from + at + self.bytes.len())
    }
}

/// A depth counts from the beginning of the whole stream, of which `look` may be a later part.
fn stream_depth(depth: i64, look: &Look<'_>) -> Option<i64> {
    let start = i64::try_from(look.start).unwrap_or(i64::MAX);
    if start == 0 || depth >= start.saturating_add(signed(look.bytes.len())) {
        Some(depth)
    } else if depth <= start {
        None
    } else {
        Some(depth - start)
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
