//! Loops over single bytes, which most of the time of a search goes into.
//!
//! The end of a run is found at once, by `memchr` where few bytes end it. A shorter run is only tried where the byte after it is one
//! that may follow.

use super::{GaveUp, Machine, narrow};
use crate::machine::stack::Entry;
use crate::program::{Op, PeekByte, Program, Run, Scan};
use crate::tree::Kind;
use memchr::{memchr, memchr2, memchr3, memrchr};

/// How many bytes may be passed over for one step.
pub(super) const BYTES_PER_STEP: usize = 16;

impl Machine<'_> {
    /// Where things go on after the loop, if it can be passed.
    pub(super) fn run(&mut self, index: u16, pc: u16, at: usize) -> Result<Option<usize>, GaveUp> {
        let Some(run) = self.program.runs.get(usize::from(index)) else { return Ok(None) };
        let room = self.text.len().saturating_sub(at);
        let (min, max) = (run.min as usize, (run.max as usize).min(room));
        if min > room {
            return Ok(None);
        }
        let (least, limit) = (at + min, at + max);
        if run.kind == Kind::Lazy {
            let enough = self.run_end(run, at, least)? == least;
            return if enough { self.lazy(run, pc, least, limit) } else { Ok(None) };
        }
        let end = self.run_end(run, at, limit)?;
        if end < least {
            return Ok(None);
        }
        match run.kind {
            Kind::Possessive => Ok(self.may_follow(run, end).then_some(end)),
            Kind::Greedy | Kind::Lazy => self.greedy(run, pc, least, end),
        }
    }

    /// Another way for a loop that took the bytes up to `at`, which is more than `least`.
    pub(super) fn fewer(&mut self, pc: u16, least: usize, at: usize) -> Result<Option<usize>, GaveUp> {
        match run_at(self.program, pc) {
            Some(run) if at > least => self.greedy(run, pc, least, at - 1),
            _ => Ok(None),
        }
    }

    /// Another way for a lazy loop that took the bytes up to `at`, which is less than `limit`.
    pub(super) fn more(&mut self, pc: u16, at: usize, limit: usize) -> Result<Option<usize>, GaveUp> {
        match run_at(self.program, pc) {
            Some(run) if self.run_end(run, at, at + 1)? > at => self.lazy(run, pc, at + 1, limit),
            _ => Ok(None),
        }
    }

    /// The longest run between `least` and `end` that something can follow.
    fn greedy(&mut self, run: &Run, pc: u16, least: usize, end: usize) -> Result<Option<usize>, GaveUp> {
        let stop = match run.next.byte {
            _ if self.may_follow(run, end) => Some(end),
            // Any byte will do, but there must be one.
            PeekByte::Any => end.checked_sub(1).filter(|stop| *stop >= least),
            PeekByte::One(byte) => {
                memrchr(byte, self.text.get(least..end).unwrap_or_default()).map(|found| least + found)
            }
            PeekByte::Set(_) => (least..end).rev().find(|at| self.may_follow(run, *at)),
        };
        self.spend_bytes(end - stop.unwrap_or(least))?;
        if let Some(stop) = stop.filter(|stop| *stop > least) {
            self.scratch.push(Entry::Greedy { pc, least: narrow(least), at: narrow(stop) })?;
        }
        Ok(stop)
    }

    /// The shortest run from `least` on, up to `limit`, that something can follow. What comes before `least` is in the set.
    fn lazy(&mut self, run: &Run, pc: u16, least: usize, limit: usize) -> Result<Option<usize>, GaveUp> {
        let room = self.text.get(least..limit).unwrap_or_default();
        let stop = match (run.next.byte, run.scan) {
            _ if self.may_follow(run, least) => Some(least),
            (PeekByte::One(byte), Scan::All) => Some(memchr(byte, room).map_or(limit, |found| least + found)),
            (PeekByte::One(byte), Scan::Until(other)) => {
                Some(memchr2(byte, other, room).map_or(limit, |found| least + found))
            }
            _ => {
                let end = |at: &usize| self.may_follow(run, *at) || !self.in_run(run, *at);
                Some((least..limit).find(end).unwrap_or(limit))
            }
        };
        self.spend_bytes(stop.map_or(0, |stop| stop - least))?;
        let stop = stop.filter(|stop| self.may_follow(run, *stop));
        if let Some(stop) = stop.filter(|stop| *stop < limit) {
            self.scratch.push(Entry::Lazy { pc, at: narrow(stop), limit: narrow(limit) })?;
        }
        Ok(stop)
    }

    /// The first place from `at` to `limit` where the byte is not in the set of the loop; `limit` if there is none.
    fn run_end(&mut self, run: &Run, at: usize, limit: usize) -> Result<usize, GaveUp> {
        let room = self.text.get(at..limit).unwrap_or_default();
        let end = match run.scan {
            Scan::All => None,
            Scan::Until(one) => memchr(one, room),
            Scan::UntilTwo(one, two) => memchr2(one, two, room),
            Scan::UntilThree(one, two, three) => memchr3(one, two, three, room),
            Scan::Set => {
                let set = self.program.sets.get(usize::from(run.set));
                room.iter().position(|byte| !set.is_some_and(|set| set.contains(*byte)))
            }
        };
        let length = end.unwrap_or(room.len());
        self.spend_bytes(length)?;
        Ok(at + length)
    }

    fn in_run(&self, run: &Run, at: usize) -> bool {
        let set = self.program.sets.get(usize::from(run.set));
        self.text.get(at).is_some_and(|byte| set.is_some_and(|set| set.contains(*byte)))
    }

    fn may_follow(&self, run: &Run, at: usize) -> bool {
        self.peek(run.next, self.text.get(at).copied())
    }
}

/// The loop that the instruction at `pc` is.
fn run_at(program: &Program, pc: u16) -> Option<&Run> {
    match program.ops.get(usize::from(pc))? {
        Op::Run(index) => program.runs.get(usize::from(*index)),
        _ => None,
    }
}
