//! What a search keeps besides the text: registers, and a stack of what to do if things go wrong from here.
//!
//! An entry of the stack is a way not taken yet, or the old value of something that was changed since. To go back is to pop entries,
//! putting old values back, down to a way that can be taken. What is atomic drops the ways but keeps the old values.

use super::GaveUp;

/// How many entries the stack has at most: 3 MiB. A search that needs more gives up.
pub(crate) const BACKTRACK_ENTRIES_MAX: usize = 1 << 18;
/// How many calls of groups there may be on the way of one attempt, the ended ones included: 768 KiB. A search that needs more gives up.
pub(crate) const CALLS_MAX: usize = 1 << 16;
/// How many registers the calls may keep together: 1 MiB.
pub(crate) const CALL_REGISTERS_MAX: usize = 1 << 18;

/// The value of a register that has none, and the index of what is not there.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// Go on there.
    Choice {
        pc: u16,
        at: u32,
    },
    /// A run that took the bytes up to `at` can do with fewer, down to `least`.
    Greedy {
        pc: u16,
        least: u32,
        at: u32,
    },
    /// A run that took the bytes up to `at` can take more, up to `limit`.
    Lazy {
        pc: u16,
        at: u32,
        limit: u32,
    },
    Restore {
        register: u16,
        value: u32,
    },
    RestoreGroup {
        group: u16,
        start: u32,
        end: u32,
    },
    /// Something atomic began at `at`; `outer` is the mark around it.
    Mark {
        outer: u32,
        at: u32,
    },
    /// The same, and if it fails, things go on at `to`.
    MarkElse {
        to: u16,
        outer: u32,
        at: u32,
    },
    /// Another call was in progress; whether it is a new one that is to be forgotten.
    Frame {
        outer: u32,
        is_new: bool,
    },
}

const _: () = assert!(size_of::<Entry>() * BACKTRACK_ENTRIES_MAX == 3 << 20 && size_of::<Frame>() == 12);

/// A call of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) group: u16,
    /// Where things go on after it.
    pub(super) back: u16,
    /// The call that it was made in.
    pub(super) outer: u32,
    /// Where the registers before it begin among all that are kept.
    pub(super) kept: u32,
}

/// The memory of a search, to be used again by the next: by any expression, one at a time.
///
/// It grows with what searches need, and never beyond a few megabytes.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    pub(super) registers: Vec<u32>,
    pub(super) stack: Vec<Entry>,
    pub(super) frames: Vec<Frame>,
    pub(super) kept: Vec<u32>,
    /// How many groups the last match has, the whole included.
    pub(super) groups: usize,
    pub(super) steps: u64,
}

impl Scratch {
    /// Memory for one search at a time.
    pub fn new() -> Self {
        Self::default()
    }

    /// From where to where the group matched, if it did; group 0 is the whole. After anything but a match there is nothing.
    pub fn group(&self, group: usize) -> Option<(usize, usize)> {
        if group >= self.groups {
            return None;
        }
        match self.registers.get(2 * group..2 * group + 2)? {
            [start, end] if *end != NONE => Some((*start as usize, *end as usize)),
            _ => None,
        }
    }

    /// How many steps the last search took.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn begin(&mut self, registers: u16) {
        self.registers.clear();
        self.registers.resize(usize::from(registers), NONE);
        self.groups = 0;
    }

    pub(super) fn push(&mut self, entry: Entry) -> Result<(), GaveUp> {
        if self.stack.len() >= BACKTRACK_ENTRIES_MAX {
            return Err(GaveUp);
        }
        self.stack.push(entry);
        Ok(())
    }

    pub(super) fn register(&self, register: usize) -> u32 {
        self.registers.get(register).copied().unwrap_or(NONE)
    }

    pub(super) fn put(&mut self, register: usize, value: u32) {
        if let Some(place) = self.registers.get_mut(register) {
            *place = value;
        }
    }

    /// Changes a register in such a way that going back changes it back.
    pub(super) fn change(&mut self, register: u16, value: u32) -> Result<(), GaveUp> {
        let old = self.register(usize::from(register));
        self.push(Entry::Restore { register, value: old })?;
        self.put(usize::from(register), value);
        Ok(())
    }

    /// The same for both ends of a group.
    pub(super) fn change_group(&mut self, group: u16, start: u32, end: u32) -> Result<(), GaveUp> {
        let first = 2 * usize::from(group);
        let old = Entry::RestoreGroup { group, start: self.register(first), end: self.register(first + 1) };
        self.push(old)?;
        self.put(first, start);
        self.put(first + 1, end);
        Ok(())
    }

    /// Forgets the last call.
    pub(super) fn drop_frame(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.kept.truncate(frame.kept as usize);
        }
    }
}

impl Entry {
    /// Whether it holds an old value, and not a way that could be taken.
    pub(super) fn is_old_value(&self) -> bool {
        match self {
            Self::Restore { .. } | Self::RestoreGroup { .. } | Self::Frame { .. } => true,
            Self::Choice { .. }
            | Self::Greedy { .. }
            | Self::Lazy { .. }
            | Self::Mark { .. }
            | Self::MarkElse { .. } => false,
        }
    }
}
