//! At which places of a text an expression is tried.
//!
//! Everywhere from the start on, but for what is known beforehand: a match begins with certain bytes, has a literal in it at a certain
//! distance, has a length, or begins only at the start of the search or of a line. A text without the literal is not looked at twice.

use super::run::BYTES_PER_STEP;
use super::stack::{NONE, Scratch};
use super::{GaveUp, Machine};
use crate::first::Anchor;
use crate::literal::Needle;
use crate::program::{PeekByte, Program, Scan};
use crate::set::ByteSet;
use crate::{Outcome, STEPS_MAX, STEPS_PER_BYTE};
use memchr::{memchr, memchr2, memchr3};

/// Looks for the first match of `program` in `text` that begins at `start` or later.
pub(crate) fn find_at(program: &Program, text: &[u8], start: usize, scratch: &mut Scratch) -> Outcome {
    scratch.begin(program.registers);
    scratch.steps = 0;
    let Some(length) = text.len().checked_sub(start) else { return Outcome::NoMatch };
    // Places are kept in four bytes, of which one value means none.
    if text.len() >= NONE as usize {
        return Outcome::GaveUp;
    }
    let steps = STEPS_MAX + STEPS_PER_BYTE * length as u64;
    let mut machine =
        Machine { program, text, search_start: start, scratch, steps_left: steps, mark: NONE, frame: NONE };
    let found = machine.search(start);
    let left = machine.steps_left;
    // What gave up has used up everything: the last step was larger than what was left.
    scratch.steps = steps - if found.is_err() { 0 } else { left };
    match found {
        Ok(true) => {
            scratch.groups = usize::from(program.groups) + 1;
            Outcome::Match
        }
        Ok(false) => Outcome::NoMatch,
        Err(GaveUp) => Outcome::GaveUp,
    }
}

impl Machine<'_> {
    fn search(&mut self, start: usize) -> Result<bool, GaveUp> {
        let known = &self.program.start;
        let mut at = start;
        // Where the literal stands that was found last.
        let mut literal_at = None;
        loop {
            if self.text.len().saturating_sub(at) < known.bytes_min as usize || at > self.text.len() {
                return Ok(false);
            }
            let Some(candidate) = self.candidate(at, start, &mut literal_at)? else { return Ok(false) };
            if candidate > at {
                // The literal may now be too early for it.
                at = candidate;
                if known.anchor == Anchor::Start {
                    return Ok(false);
                }
                continue;
            }
            if self.attempt(at)? {
                return Ok(true);
            }
            at = match known.anchor {
                Anchor::Start => return Ok(false),
                Anchor::Run(set) => self.after_run(set, at)?,
                Anchor::Lines | Anchor::Nowhere => at + 1,
            };
        }
    }

    /// A place at `at` or later before which no match begins.
    fn candidate(
        &mut self,
        at: usize,
        start: usize,
        literal_at: &mut Option<usize>,
    ) -> Result<Option<usize>, GaveUp> {
        if self.program.start.anchor == Anchor::Start && self.beginning(at) != Some(at) {
            return Ok(None);
        }
        let Some(with_literal) = self.near_literal(at, literal_at)? else { return Ok(None) };
        let Some(at_line) = self.at_line(with_literal, start) else { return Ok(None) };
        let begins = self.beginning(at_line);
        let passed = begins.unwrap_or(self.text.len()) - at;
        self.spend_bytes(passed + if passed > 0 { BYTES_PER_STEP } else { 0 })?;
        Ok(begins)
    }

    /// The place behind the run of bytes of `set` at `at`, and behind the byte that ends it.
    fn after_run(&mut self, set: ByteSet, at: usize) -> Result<usize, GaveUp> {
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !set.contains(*byte)).unwrap_or(rest.len());
        self.spend_bytes(length)?;
        Ok(at + length + 1)
    }

    /// The first place from `at` on that is close enough to a literal.
    fn near_literal(&mut self, at: usize, literal_at: &mut Option<usize>) -> Result<Option<usize>, GaveUp> {
        let Some(needle) = &self.program.start.needle else { return Ok(Some(at)) };
        let least = at.saturating_add(needle.before.min as usize);
        let found = match *literal_at {
            Some(found) if found >= least => found,
            _ => {
                let text = self.within_reach(needle, at);
                let found = needle.find(text, least);
                self.spend_bytes(found.unwrap_or(text.len()) - at)?;
                let Some(found) = found else { return Ok(None) };
                found
            }
        };
        *literal_at = Some(found);
        let first = needle.before.max.map_or(0, |max| found.saturating_sub(max as usize));
        Ok(Some(first.max(at)))
    }

    /// The text as far as the literal may stand in it, if nothing is tried but `at`.
    fn within_reach(&self, needle: &Needle, at: usize) -> &'_ [u8] {
        let text = self.text;
        match needle.before.max.filter(|_| self.program.start.anchor == Anchor::Start) {
            Some(max) => text.get(..at + max as usize + needle.bytes.len()).unwrap_or(text),
            None => text,
        }
    }

    /// The first place from `at` on that is the beginning of a line, if that is asked for.
    fn at_line(&self, at: usize, start: usize) -> Option<usize> {
        let is_line = |at: usize| at == start || self.text.get(at - 1) == Some(&b'\n');
        if self.program.start.anchor != Anchor::Lines || is_line(at) {
            return Some(at);
        }
        memchr(b'\n', self.text.get(at..)?).map(|length| at + length + 1)
    }

    /// The first place from `at` on with a byte that a match can begin with.
    fn beginning(&self, at: usize) -> Option<usize> {
        let start = &self.program.start;
        let set = match start.peek.byte {
            PeekByte::Any => return Some(at),
            PeekByte::One(_) => None,
            PeekByte::Set(set) => self.program.sets.get(usize::from(set)),
        };
        let rest = self.text.get(at..)?;
        let length = match start.scan {
            Scan::Until(one) => memchr(one, rest),
            Scan::UntilTwo(one, two) => memchr2(one, two, rest),
            Scan::UntilThree(one, two, three) => memchr3(one, two, three, rest),
            Scan::All | Scan::Set => rest.iter().position(|byte| set.is_some_and(|set| set.contains(*byte))),
        };
        match length {
            Some(length) => Some(at + length),
            None => start.peek.end.then_some(self.text.len()),
        }
    }
}
