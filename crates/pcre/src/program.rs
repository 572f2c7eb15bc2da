//! The compiled form of an expression: a list of small instructions, and the tables they point into.
//!
//! Made by `compile`, run by `machine`. An instruction is six bytes; what does not fit stands in a table, and equal sets of bytes
//! stand there once. All indices are made by `compile` and point into their tables.

use crate::first::Anchor;
use crate::literal::Needle;
use crate::set::ByteSet;
use crate::tree::Assertion;

/// How many instructions a program has at most, and how many entries each of its tables: what an index of two bytes can name.
pub(crate) const PROGRAM_OPS_MAX: usize = 65_535;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Byte(u8),
    /// A letter in either case, given in its small one.
    Letter(u8),
    Set(u16),
    /// Bytes of the pool, as they are.
    Literal {
        at: u16,
        length: u8,
    },
    /// The same in any case; in the pool they are small.
    LiteralNocase {
        at: u16,
        length: u8,
    },
    /// A loop over single bytes.
    Run(u16),
    Assert(Assertion),
    Reference {
        group: u16,
        nocase: bool,
    },
    Jump(u16),
    /// Two ways: the next instruction, and `to`. The one that is not first is tried if the other fails.
    Split {
        to: u16,
        to_first: bool,
    },
    /// The same, where the next byte may decide.
    Fork(u16),
    /// Notes the place in a register.
    Note(u16),
    /// Goes on at `to` if the place is the one noted: a loop that matched nothing has ended.
    LeaveIfEmpty {
        register: u16,
        to: u16,
    },
    /// Begins to count.
    Zero(u16),
    /// Ends a round of a counted loop. The next instruction decides whether to go round once more where both is allowed, and the
    /// one after it is outside.
    Count(u16),
    /// Ends a capturing group that began where its register says.
    Close(u16),
    /// Ends a capturing group of that length.
    CloseFixed {
        group: u16,
        length: u16,
    },
    /// Begins what is atomic, or a positive look-around.
    Mark,
    /// Begins a negative look-around, or one that is a condition: if what follows fails, goes on at `to`.
    MarkElse(u16),
    /// Ends what is atomic: what could have been otherwise inside is forgotten.
    Commit,
    /// The same, and goes back to where it began.
    CommitLook,
    /// Ends a negative look-around, which is thereby false.
    Refute,
    /// Ends a negative look-around that is a condition: goes on at `to`.
    RefuteTo(u16),
    /// Goes back that many bytes.
    Back(u16),
    /// Calls a group.
    Call(u16),
    /// Goes on at `to` unless the group has matched.
    UnlessGroup {
        group: u16,
        to: u16,
    },
    /// Goes on at `to` unless inside a call, of the group if one is given.
    UnlessInside {
        group: u16,
        to: u16,
    },
    /// The match begins here.
    Keep,
    /// Ends the expression.
    Match,
}

const _: () = assert!(size_of::<Op>() == 6, "thousands of programs are held");

/// No group, for [`Op::UnlessInside`].
pub(crate) const ANY_GROUP: u16 = u16::MAX;

/// What the next byte must be for a way to be worth trying.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Peek {
    pub(crate) byte: PeekByte,
    /// Whether there need not be one.
    pub(crate) end: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PeekByte {
    Any,
    One(u8),
    Set(u16),
}

/// How the end of a run of bytes of a set is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scan {
    /// It is the end of the text.
    All,
    /// At one of the few bytes that are not in the set.
    Until(u8),
    UntilTwo(u8, u8),
    UntilThree(u8, u8, u8),
    /// Byte by byte.
    Set,
}

/// A loop over single bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) set: u16,
    pub(crate) scan: Scan,
    pub(crate) kind: crate::tree::Kind,
    /// What may come after it.
    pub(crate) next: Peek,
}

/// See [`Op::Fork`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fork {
    pub(crate) to: u16,
    pub(crate) to_first: bool,
    pub(crate) next_peek: Peek,
    pub(crate) to_peek: Peek,
}

/// A loop that counts its rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) register: u16,
    /// Where the place at the beginning of a round is noted, if an empty one ends the loop.
    pub(crate) noted: Option<u16>,
    pub(crate) min: u16,
    /// Nothing means any number of times.
    pub(crate) max: Option<u16>,
    /// The beginning of the body.
    pub(crate) again: u16,
}

/// What is known of every match before anything is tried.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) anchor: Anchor,
    pub(crate) peek: Peek,
    /// How to get to the next byte that the peek allows; `Scan::Set` where its set is to be asked byte by byte.
    pub(crate) scan: Scan,
    pub(crate) bytes_min: u32,
    pub(crate) needle: Option<Needle>,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) ops: Box<[Op]>,
    pub(crate) sets: Box<[ByteSet]>,
    pub(crate) runs: Box<[Run]>,
    pub(crate) forks: Box<[Fork]>,
    pub(crate) counts: Box<[Count]>,
    pub(crate) pool: Box<[u8]>,
    /// Where each group begins, the whole expression being group 0. Empty if nothing is called.
    pub(crate) entries: Box<[u16]>,
    pub(crate) groups: u16,
    /// How many registers there are: two for each group and the whole, one for the beginning of each, and those of loops.
    pub(crate) registers: u16,
    pub(crate) start: Start,
}

impl Program {
    /// The register in which the place where a group was entered is noted.
    pub(crate) fn opened(groups: u16, group: u16) -> usize {
        2 * (usize::from(groups) + 1) + usize::from(group)
    }

    /// What it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.ops)
            + size_of_val(&*self.sets)
            + size_of_val(&*self.runs)
            + size_of_val(&*self.forks)
            + size_of_val(&*self.counts)
            + size_of_val(&*self.entries)
            + self.pool.len()
            + self.start.needle.as_ref().map_or(0, |needle| needle.bytes.len())
    }
}

/// The scan that ends at the first byte outside `set`.
pub(crate) fn scan_of(set: ByteSet) -> Scan {
    let outside = set.not();
    let mut bytes = outside.bytes();
    match (outside.len(), bytes.next(), bytes.next(), bytes.next()) {
        (0, ..) => Scan::All,
        (1, Some(one), ..) => Scan::Until(one),
        (2, Some(one), Some(two), _) => Scan::UntilTwo(one, two),
        (3, Some(one), Some(two), Some(three)) => Scan::UntilThree(one, two, three),
        _ => Scan::Set,
    }
}
