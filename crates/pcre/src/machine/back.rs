//! Going back: marks around what is atomic, and the stack from the top down.

use super::stack::Entry;
use super::{GaveUp, Machine, Way, narrow};
use crate::program::Op;

impl Machine<'_> {
    /// Begins what is atomic, or a look-around.
    pub(super) fn mark(&mut self, op: Op, at: usize) -> Result<(), GaveUp> {
        let (outer, at) = (self.mark, narrow(at));
        self.mark = narrow(self.scratch.stack.len());
        self.scratch.push(match op {
            Op::MarkElse(to) => Entry::MarkElse { to, outer, at },
            _ => Entry::Mark { outer, at },
        })
    }

    /// Forgets the ways that were kept since the innermost mark, and the mark; returns where it was made.
    pub(super) fn commit(&mut self) -> Result<usize, GaveUp> {
        let mark = self.mark as usize;
        let (outer, at) = match self.scratch.stack.get(mark) {
            Some(Entry::Mark { outer, at } | Entry::MarkElse { outer, at, .. }) => (*outer, *at),
            _ => return Err(GaveUp),
        };
        let mut kept = mark;
        for index in mark + 1..self.scratch.stack.len() {
            let Some(entry) = self.scratch.stack.get(index).copied() else { break };
            if entry.is_old_value() {
                if let Some(place) = self.scratch.stack.get_mut(kept) {
                    *place = entry;
                }
                kept += 1;
            }
        }
        self.spend_bytes(self.scratch.stack.len() - mark)?;
        self.scratch.stack.truncate(kept);
        self.mark = outer;
        Ok(at as usize)
    }

    /// Undoes everything since the innermost mark, and the mark; returns where it was made.
    pub(super) fn refute(&mut self) -> Result<usize, GaveUp> {
        let mark = self.mark as usize;
        while self.scratch.stack.len() > mark {
            self.spend(1)?;
            let Some(entry) = self.scratch.stack.pop() else { break };
            match entry {
                Entry::Mark { outer, at } | Entry::MarkElse { outer, at, .. } => {
                    self.mark = outer;
                    return Ok(at as usize);
                }
                Entry::Choice { .. } | Entry::Greedy { .. } | Entry::Lazy { .. } => {}
                old => self.put_back(old),
            }
        }
        Err(GaveUp)
    }

    fn put_back(&mut self, entry: Entry) {
        match entry {
            Entry::Restore { register, value } => self.scratch.put(usize::from(register), value),
            Entry::RestoreGroup { group, start, end } => {
                self.scratch.put(2 * usize::from(group), start);
                self.scratch.put(2 * usize::from(group) + 1, end);
            }
            Entry::Frame { outer, is_new } => {
                self.frame = outer;
                if is_new {
                    self.scratch.drop_frame();
                }
            }
            Entry::Mark { outer, .. } | Entry::MarkElse { outer, .. } => self.mark = outer,
            Entry::Choice { .. } | Entry::Greedy { .. } | Entry::Lazy { .. } => {}
        }
    }

    /// Goes back to the last way that was not taken yet.
    pub(super) fn back(&mut self) -> Result<Way, GaveUp> {
        while let Some(entry) = self.scratch.stack.pop() {
            self.spend(1)?;
            match entry {
                Entry::Choice { pc, at } => return Ok(Some((usize::from(pc), at as usize))),
                Entry::Greedy { pc, least, at } => {
                    if let Some(at) = self.fewer(pc, least as usize, at as usize)? {
                        return Ok(Some((usize::from(pc) + 1, at)));
                    }
                }
                Entry::Lazy { pc, at, limit } => {
                    if let Some(at) = self.more(pc, at as usize, limit as usize)? {
                        return Ok(Some((usize::from(pc) + 1, at)));
                    }
                }
                Entry::MarkElse { to, at, outer } => {
                    self.mark = outer;
                    return Ok(Some((usize::from(to), at as usize)));
                }
                old => self.put_back(old),
            }
        }
        Ok(None)
    }
}
