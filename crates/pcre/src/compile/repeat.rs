//! Loops.
//!
//! A loop over single bytes is one instruction. Any other is made of forks, and counts only where it must. As in PCRE2, a loop
//! without an upper bound ends after a round that matched nothing, once it has done as many as it must.

use super::{Compiler, index};
use crate::error::Error;
use crate::first::{First, first};
use crate::length::span;
use crate::program::{Count, Op, Run, scan_of};
use crate::set::ByteSet;
use crate::tree::{Kind, Node};

/// `min` and `max` of a loop; nothing means any number of times.
type Bounds = (u16, Option<u16>);

impl Compiler<'_> {
    pub(super) fn repeat(
        &mut self,
        body: &Node,
        bounds: Bounds,
        kind: Kind,
        follow: First,
    ) -> Result<(), Error> {
        match (bounds, body.one_byte()) {
            ((_, Some(0)), _) => self.never(body),
            ((1, Some(1)), _) => self.emit(body, follow),
            (_, Some(set)) => self.run(set, bounds, kind, follow),
            _ if kind == Kind::Possessive => {
                self.push(Op::Mark)?;
                self.rounds(body, bounds, true, First::ANYTHING)?;
                self.push(Op::Commit)?;
                Ok(())
            }
            _ => self.rounds(body, bounds, kind == Kind::Greedy, follow),
        }
    }

    /// A body that is never matched, but may be called.
    fn never(&mut self, body: &Node) -> Result<(), Error> {
        if !self.has_calls {
            return self.check_looks(body);
        }
        let jump = self.push(Op::Jump(0))?;
        self.emit(body, First::ANYTHING)?;
        self.aim(jump)
    }

    fn run(&mut self, set: ByteSet, (min, max): Bounds, kind: Kind, follow: First) -> Result<(), Error> {
        // Nothing that may follow is in the set: then the run goes to its end, whatever its kind, and no shorter one will do.
        let apart = set.and(follow.set) == ByteSet::EMPTY;
        let kind = if apart || max == Some(min) { Kind::Possessive } else { kind };
        let run = Run {
            min: u32::from(min),
            max: max.map_or(u32::MAX, u32::from),
            set: self.set(set)?,
            scan: scan_of(set),
            kind,
            next: self.peek(follow)?,
        };
        let place = index(self.runs.len())?;
        self.runs.push(run);
        self.push(Op::Run(place))?;
        Ok(())
    }

    fn rounds(&mut self, body: &Node, bounds: Bounds, greedy: bool, follow: First) -> Result<(), Error> {
        let once = first(body, follow);
        let noted = match bounds.1.is_none() && span(body).min == 0 {
            true => Some(self.register()?),
            false => None,
        };
        match bounds {
            (0, Some(1)) => {
                let fork = self.fork(once, follow, !greedy)?;
                self.emit(body, follow)?;
                self.aim(fork)
            }
            (0, None) => self.any_number(body, noted, greedy, (once, follow)),
            (1, None) => {
                let again = self.here()?;
                let leave = self.round(body, noted, once.or(follow))?;
                let fork = self.fork(follow, once, greedy)?;
                self.aim_to(fork, again);
                leave.map_or(Ok(()), |leave| self.aim(leave))
            }
            bounds => self.counted(body, bounds, noted, greedy, (once, follow)),
        }
    }

    fn any_number(
        &mut self,
        body: &Node,
        noted: Option<u16>,
        greedy: bool,
        (once, follow): (First, First),
    ) -> Result<(), Error> {
        let again = self.here()?;
        let fork = self.fork(once, follow, !greedy)?;
        let leave = self.round(body, noted, once.or(follow))?;
        self.push(Op::Jump(again))?;
        self.aim(fork)?;
        leave.map_or(Ok(()), |leave| self.aim(leave))
    }

    /// The body once. If its beginning is noted, there is an instruction to be aimed at where the loop ends after an empty round.
    fn round(&mut self, body: &Node, noted: Option<u16>, follow: First) -> Result<Option<usize>, Error> {
        if let Some(register) = noted {
            self.push(Op::Note(register))?;
        }
        self.emit(body, follow)?;
        noted.map(|register| self.push(Op::LeaveIfEmpty { register, to: 0 })).transpose()
    }

    fn counted(
        &mut self,
        body: &Node,
        (min, max): Bounds,
        noted: Option<u16>,
        greedy: bool,
        (once, follow): (First, First),
    ) -> Result<(), Error> {
        let register = self.register()?;
        self.push(Op::Zero(register))?;
        let none = if min == 0 { Some(self.fork(once, follow, !greedy)?) } else { None };
        let again = self.here()?;
        if let Some(register) = noted {
            self.push(Op::Note(register))?;
        }
        self.emit(body, once.or(follow))?;
        let place = index(self.counts.len())?;
        self.counts.push(Count { register, noted, min, max, again });
        self.push(Op::Count(place))?;
        let fork = self.fork(follow, once, greedy)?;
        self.aim_to(fork, again);
        none.map_or(Ok(()), |none| self.aim(none))
    }
}
