//! Runs a program on a text, from one place: forwards as it goes, backwards by an explicit stack.
//!
//! Every instruction and every step back costs one step of a budget, long comparisons and runs one more for every
//! [`run::BYTES_PER_STEP`] bytes. When the budget or the stack is at its end, so is the search: it gave up. Nothing here recurses,
//! so no text can exhaust the stack of the thread.
//!
//! - here: the instructions; [`run`]: loops over single bytes; [`call`]: calls of groups;
//! - [`stack`]: what is kept; [`back`]: how it is gone back; [`search`]: at which places to try.

mod back;
mod call;
mod run;
mod search;
pub(crate) mod stack;

use crate::program::{ANY_GROUP, Count, Op, Peek, PeekByte, Program};
use crate::set::WORD;
use crate::tree::Assertion;
use run::BYTES_PER_STEP;
use stack::{Entry, NONE, Scratch};

pub(crate) use search::find_at;

/// The search has met one of its limits.
pub(crate) struct GaveUp;

/// Where things go on: an instruction, and a place in the text. Nothing if this is not the way.
type Way = Option<(usize, usize)>;

struct Machine<'a> {
    program: &'a Program,
    text: &'a [u8],
    /// What `\G` asks for.
    search_start: usize,
    scratch: &'a mut Scratch,
    steps_left: u64,
    /// The innermost mark on the stack, and the call in progress.
    mark: u32,
    frame: u32,
}

/// A place in the text as it is kept. Texts are shorter than 4 GiB: `find_at` sees to that.
fn narrow(at: usize) -> u32 {
    at as u32
}

impl Machine<'_> {
    fn spend(&mut self, steps: u64) -> Result<(), GaveUp> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(GaveUp)?;
        Ok(())
    }

    fn spend_bytes(&mut self, bytes: usize) -> Result<(), GaveUp> {
        self.spend((bytes / BYTES_PER_STEP) as u64)
    }

    /// Whether the expression matches from `at` on. Then the registers say what.
    fn attempt(&mut self, at: usize) -> Result<bool, GaveUp> {
        self.scratch.stack.clear();
        self.scratch.frames.clear();
        self.scratch.kept.clear();
        self.scratch.put(0, narrow(at));
        (self.mark, self.frame) = (NONE, NONE);
        let (mut pc, mut at) = (0, at);
        loop {
            self.spend(1)?;
            let Some(op) = self.program.ops.get(pc) else { return Ok(false) };
            let way = match *op {
                Op::Match if self.frame == NONE => {
                    // A `\K` that a look-ahead has called may stand behind the end.
                    let start = self.scratch.register(0).min(narrow(at));
                    self.scratch.put(0, start);
                    self.scratch.put(1, narrow(at));
                    return Ok(true);
                }
                Op::Byte(byte) => self.one(pc, at, |this| this == byte),
                Op::Letter(letter) => self.one(pc, at, |this| this.to_ascii_lowercase() == letter),
                Op::Set(set) => {
                    let set = self.program.sets.get(usize::from(set));
                    self.one(pc, at, |this| set.is_some_and(|set| set.contains(this)))
                }
                Op::Literal { at: from, length } => {
                    self.literal(from, length, false, at)?.map(|at| (pc + 1, at))
                }
                Op::LiteralNocase { at: from, length } => {
                    self.literal(from, length, true, at)?.map(|at| (pc + 1, at))
                }
                // The index of an instruction fits: the program is no longer.
                Op::Run(run) => self.run(run, pc as u16, at)?.map(|at| (pc + 1, at)),
                Op::Jump(to) => Some((usize::from(to), at)),
                Op::Split { to, to_first } => Some(self.both(pc + 1, usize::from(to), to_first, at)?),
                Op::Fork(fork) => self.fork(fork, pc, at)?,
                Op::Assert(assertion) => self.holds(assertion, at).then_some((pc + 1, at)),
                op => self.control(op, pc, at)?,
            };
            let Some(way) = (match way {
                Some(way) => Some(way),
                None => self.back()?,
            }) else {
                return Ok(false);
            };
            (pc, at) = way;
        }
    }

    fn one(&self, pc: usize, at: usize, is: impl Fn(u8) -> bool) -> Way {
        self.text.get(at).filter(|byte| is(**byte)).map(|_| (pc + 1, at + 1))
    }

    /// The place after the literal, if it stands at `at`.
    fn literal(&mut self, from: u16, length: u8, nocase: bool, at: usize) -> Result<Option<usize>, GaveUp> {
        let (from, length) = (usize::from(from), usize::from(length));
        let (Some(literal), Some(there)) =
            (self.program.pool.get(from..from + length), self.text.get(at..at + length))
        else {
            return Ok(None);
        };
        let is = if nocase { literal.eq_ignore_ascii_case(there) } else { literal == there };
        if is {
            self.spend_bytes(length)?;
        }
        Ok(is.then_some(at + length))
    }

    /// Takes one of two ways and keeps the other.
    fn both(&mut self, next: usize, to: usize, to_first: bool, at: usize) -> Result<(usize, usize), GaveUp> {
        let (first, second) = if to_first { (to, next) } else { (next, to) };
        self.scratch.push(Entry::Choice { pc: second as u16, at: narrow(at) })?;
        Ok((first, at))
    }

    fn fork(&mut self, index: u16, pc: usize, at: usize) -> Result<Way, GaveUp> {
        let Some(fork) = self.program.forks.get(usize::from(index)) else { return Ok(None) };
        let byte = self.text.get(at).copied();
        let to = usize::from(fork.to);
        Ok(match (self.peek(fork.next_peek, byte), self.peek(fork.to_peek, byte)) {
            (true, true) => Some(self.both(pc + 1, to, fork.to_first, at)?),
            (true, false) => Some((pc + 1, at)),
            (false, true) => Some((to, at)),
            (false, false) => None,
        })
    }

    fn peek(&self, peek: Peek, byte: Option<u8>) -> bool {
        match (byte, peek.byte) {
            (None, _) => peek.end,
            (Some(_), PeekByte::Any) => true,
            (Some(byte), PeekByte::One(one)) => byte == one,
            (Some(byte), PeekByte::Set(set)) => {
                self.program.sets.get(usize::from(set)).is_some_and(|set| set.contains(byte))
            }
        }
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let (text, length) = (self.text, self.text.len());
        let newline_at = |at: usize| text.get(at) == Some(&b'\n');
        let word_at = |at: usize| text.get(at).is_some_and(|byte| WORD.contains(*byte));
        let before = |is: &dyn Fn(usize) -> bool| at.checked_sub(1).is_some_and(is);
        match assertion {
            Assertion::TextStart => at == 0,
            Assertion::LineStart => at == 0 || at < length && before(&newline_at),
            Assertion::TextEnd => at == length,
            Assertion::TextEndOrNewline => at == length || at + 1 == length && newline_at(at),
            Assertion::LineEnd => at == length || newline_at(at),
            Assertion::WordBoundary => before(&word_at) != word_at(at),
            Assertion::NotWordBoundary => before(&word_at) == word_at(at),
            Assertion::SearchStart => at == self.search_start,
        }
    }

    /// The instructions that look at no byte.
    fn control(&mut self, op: Op, pc: usize, at: usize) -> Result<Way, GaveUp> {
        let next = Some((pc + 1, at));
        Ok(match op {
            Op::Note(register) => {
                self.scratch.change(register, narrow(at))?;
                next
            }
            Op::LeaveIfEmpty { register, to } => {
                let is_empty = self.scratch.register(usize::from(register)) == narrow(at);
                if is_empty { Some((usize::from(to), at)) } else { next }
            }
            Op::Zero(register) => {
                self.scratch.change(register, 0)?;
                next
            }
            Op::Count(index) => match self.program.counts.get(usize::from(index)) {
                Some(count) => Some((self.count(count, pc, at)?, at)),
                None => None,
            },
            Op::Close(group) => self.close(group, pc, at)?,
            Op::CloseFixed { group, length } => {
                let start = at.saturating_sub(usize::from(length));
                self.scratch.change_group(group, narrow(start), narrow(at))?;
                next
            }
            Op::Reference { group, nocase } => self.reference(group, nocase, at)?.map(|at| (pc + 1, at)),
            Op::Mark | Op::MarkElse(_) => {
                self.mark(op, at)?;
                next
            }
            Op::Commit => {
                self.commit()?;
                next
            }
            Op::CommitLook => Some((pc + 1, self.commit()?)),
            Op::Refute => {
                self.refute()?;
                None
            }
            Op::RefuteTo(to) => Some((usize::from(to), self.refute()?)),
            Op::Back(length) => at.checked_sub(usize::from(length)).map(|at| (pc + 1, at)),
            Op::Call(group) => self.call(group, pc, at)?,
            Op::UnlessGroup { group, to } => {
                let has = self.scratch.register(2 * usize::from(group) + 1) != NONE;
                if has { next } else { Some((usize::from(to), at)) }
            }
            Op::UnlessInside { group, to } => {
                let called = self.called();
                let inside = called.is_some_and(|called| group == ANY_GROUP || group == called);
                if inside { next } else { Some((usize::from(to), at)) }
            }
            Op::Keep => {
                self.scratch.change(0, narrow(at))?;
                next
            }
            // Of a call of the whole expression; the end of a search is seen to in `attempt`.
            Op::Match => self.end_call(at)?,
            Op::Byte(_)
            | Op::Letter(_)
            | Op::Set(_)
            | Op::Literal { .. }
            | Op::LiteralNocase { .. }
            | Op::Run(_)
            | Op::Assert(_)
            | Op::Jump(_)
            | Op::Split { .. }
            | Op::Fork(_) => None,
        })
    }

    /// The end of a round: once more if it must be, out if it must not, and else the next instruction.
    fn count(&mut self, count: &Count, pc: usize, at: usize) -> Result<usize, GaveUp> {
        let rounds = self.scratch.register(usize::from(count.register)).saturating_add(1);
        self.scratch.change(count.register, rounds)?;
        if rounds < u32::from(count.min) {
            return Ok(usize::from(count.again));
        }
        let noted = count.noted.map(|register| self.scratch.register(usize::from(register)));
        let is_empty = noted == Some(narrow(at));
        let is_last = count.max.is_some_and(|max| rounds >= u32::from(max));
        Ok(if is_empty || is_last { pc + 2 } else { pc + 1 })
    }

    /// The place after what the group matched, if the same stands here.
    fn reference(&mut self, group: u16, nocase: bool, at: usize) -> Result<Option<usize>, GaveUp> {
        let first = 2 * usize::from(group);
        let (start, end) = (self.scratch.register(first), self.scratch.register(first + 1));
        if end == NONE {
            return Ok(None);
        }
        let text = self.text;
        let Some(before) = text.get(start as usize..end as usize) else { return Ok(None) };
        let Some(there) = text.get(at..at + before.len()) else { return Ok(None) };
        self.spend_bytes(before.len())?;
        let is = if nocase { before.eq_ignore_ascii_case(there) } else { before == there };
        Ok(is.then_some(at + before.len()))
    }
}
