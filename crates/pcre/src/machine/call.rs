//! Calls of groups: `(?1)`, `(?R)`.
//!
//! A call keeps all registers and puts them back when it ends, so that what a group matched inside is forgotten. It can be gone back
//! into; so its frame stays until the way back is before it.

use super::stack::{CALL_REGISTERS_MAX, CALLS_MAX, Entry, Frame, NONE};
use super::{GaveUp, Machine, Way, narrow};
use crate::program::Program;

impl Machine<'_> {
    /// The end of a capturing group. If it was called, things go on behind the call.
    pub(super) fn close(&mut self, group: u16, pc: usize, at: usize) -> Result<Way, GaveUp> {
        if self.called() == Some(group) {
            return self.end_call(at);
        }
        let opened = self.scratch.register(Program::opened(self.program.groups, group));
        self.scratch.change_group(group, opened, narrow(at))?;
        Ok(Some((pc + 1, at)))
    }

    /// The group whose call is in progress.
    pub(super) fn called(&self) -> Option<u16> {
        self.scratch.frames.get(self.frame as usize).map(|frame| frame.group)
    }

    pub(super) fn call(&mut self, group: u16, pc: usize, at: usize) -> Result<Way, GaveUp> {
        let Some(entry) = self.program.entries.get(usize::from(group)) else { return Ok(None) };
        let scratch = &mut *self.scratch;
        let registers = scratch.registers.get(2..).unwrap_or_default();
        let kept = scratch.kept.len();
        if scratch.frames.len() >= CALLS_MAX || kept + registers.len() > CALL_REGISTERS_MAX {
            return Err(GaveUp);
        }
        scratch.kept.extend_from_slice(registers);
        let bytes = 4 * registers.len();
        let frame = Frame { group, back: (pc + 1) as u16, outer: self.frame, kept: narrow(kept) };
        scratch.push(Entry::Frame { outer: self.frame, is_new: true })?;
        self.frame = narrow(scratch.frames.len());
        scratch.frames.push(frame);
        self.spend_bytes(bytes)?;
        Ok(Some((usize::from(*entry), at)))
    }

    /// Behind a call: groups are as they were before it.
    pub(super) fn end_call(&mut self, at: usize) -> Result<Way, GaveUp> {
        let Some(frame) = self.scratch.frames.get(self.frame as usize).copied() else { return Ok(None) };
        let registers = self.scratch.registers.len();
        for register in 2..registers {
            let old = self.scratch.kept.get(frame.kept as usize + register - 2).copied().unwrap_or(NONE);
            if self.scratch.register(register) != old {
                self.scratch.change(register as u16, old)?;
            }
        }
        self.spend_bytes(4 * registers)?;
        self.scratch.push(Entry::Frame { outer: self.frame, is_new: false })?;
        self.frame = frame.outer;
        Ok(Some((usize::from(frame.back), at)))
    }
}
