//! From the tree of an expression to its program.
//!
//! Each part is emitted with what may follow it ([`First`]), so that a way that cannot lead on is not taken, and a loop that needs
//! no way back keeps none. Whatever this finds out changes how long a search takes and never what it finds.
//!
//! - here: sequences, branches, groups, tables;
//! - [`repeat`]: loops; [`look`]: look-arounds and conditions.

mod look;
mod repeat;

use crate::error::{Cause, Error};
use crate::first::{First, anchor, first};
use crate::length::{NODES_MEASURED_MAX, captures, span};
use crate::literal::literal;
use crate::parse::Parsed;
use crate::program::{Count, Fork, Run};
use crate::program::{Op, PROGRAM_OPS_MAX, Peek, PeekByte, Program, Start, scan_of};
use crate::set::ByteSet;
use crate::tree::{Condition, Node};
use std::collections::BTreeMap;

/// How long a literal of the pool is at most; a longer one becomes several.
const POOL_LITERAL_BYTES_MAX: usize = 255;

/// Compiles `parsed`. With `anchored`, a match begins where the search does, or not at all.
pub(crate) fn compile(parsed: &Parsed, anchored: bool) -> Result<Program, Error> {
    let root = &parsed.root;
    let has_calls = root.any(&|node| matches!(node, Node::Call(_)));
    let mut compiler = Compiler::new(parsed, has_calls)?;
    compiler.emit(root, First::ANYTHING)?;
    compiler.push(Op::Match)?;
    let asks_captures =
        |node: &Node| matches!(node, Node::Reference { .. } | Node::Call(_) | Node::Conditional { .. });
    let simple = !root.any(&asks_captures);
    let first = first(root, First::ANYTHING);
    let anchor = if anchored { crate::first::Anchor::Start } else { anchor(root, simple) };
    let start = Start {
        anchor,
        peek: compiler.peek(first)?,
        scan: scan_of(first.set.not()),
        bytes_min: span(root).min,
        needle: literal(root),
    };
    Ok(compiler.finish(start))
}

struct Compiler<'t> {
    /// The groups by their numbers, if there are look-behinds that might ask for them.
    captures: Vec<Option<&'t Node>>,
    groups: u16,
    has_calls: bool,
    ops: Vec<Op>,
    sets: Vec<ByteSet>,
    /// Where each set stands among `sets`.
    places: BTreeMap<ByteSet, u16>,
    runs: Vec<Run>,
    forks: Vec<Fork>,
    counts: Vec<Count>,
    pool: Vec<u8>,
    entries: Vec<u16>,
    registers: u16,
    /// See [`NODES_MEASURED_MAX`].
    nodes_left: usize,
}

/// The next free index of a table.
fn index(length: usize) -> Result<u16, Error> {
    match u16::try_from(length) {
        Ok(index) if length < PROGRAM_OPS_MAX => Ok(index),
        _ => Err(Error { at: 0, cause: Cause::ProgramTooLarge }),
    }
}

impl<'t> Compiler<'t> {
    fn new(parsed: &'t Parsed, has_calls: bool) -> Result<Self, Error> {
        let groups = usize::from(parsed.groups) + 1;
        let is_behind = |node: &Node| match node {
            Node::Look(look) | Node::Conditional { condition: Condition::Look(look), .. } => look.behind,
            _ => false,
        };
        let asks = parsed.root.any(&is_behind);
        Ok(Self {
            captures: if asks { captures(&parsed.root, parsed.groups) } else { Vec::new() },
            groups: parsed.groups,
            has_calls,
            ops: Vec::new(),
            sets: Vec::new(),
            places: BTreeMap::new(),
            runs: Vec::new(),
            forks: Vec::new(),
            counts: Vec::new(),
            pool: Vec::new(),
            entries: vec![0; if has_calls { groups } else { 0 }],
            registers: index(3 * groups)?,
            nodes_left: NODES_MEASURED_MAX,
        })
    }

    fn finish(self, start: Start) -> Program {
        Program {
            ops: self.ops.into(),
            sets: self.sets.into(),
            runs: self.runs.into(),
            forks: self.forks.into(),
            counts: self.counts.into(),
            pool: self.pool.into(),
            entries: self.entries.into(),
            groups: self.groups,
            registers: self.registers,
            start,
        }
    }

    fn emit(&mut self, node: &Node, follow: First) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Byte(byte) => self.push(Op::Byte(*byte)).map(drop)?,
            Node::Letter(letter) => self.push(Op::Letter(*letter)).map(drop)?,
            Node::Set(set) => {
                let set = self.set(*set)?;
                self.push(Op::Set(set))?;
            }
            Node::Concat(items) => self.sequence(items, follow)?,
            Node::Alternate(branches) => self.branches(branches, follow)?,
            Node::Capture { group, body } => self.capture(*group, body, follow)?,
            Node::Atomic(body) => self.atomic(body, follow)?,
            Node::Repeat { body, min, max, kind } => self.repeat(body, (*min, *max), *kind, follow)?,
            Node::Look(look) => self.look(look)?,
            Node::Assert(assertion) => self.push(Op::Assert(*assertion)).map(drop)?,
            Node::Reference { group, nocase } => {
                self.push(Op::Reference { group: *group, nocase: *nocase })?;
            }
            Node::Conditional { condition, yes, no } => self.conditional(condition, yes, no, follow)?,
            Node::Call(group) => self.push(Op::Call(*group)).map(drop)?,
            Node::Keep => self.push(Op::Keep).map(drop)?,
        }
        Ok(())
    }

    /// Items one after the other, bytes that stand side by side as one literal.
    fn sequence(&mut self, items: &[Node], follow: First) -> Result<(), Error> {
        let mut follows = vec![follow; items.len()];
        let mut after = follow;
        for (place, item) in follows.iter_mut().zip(items).rev() {
            *place = after;
            after = first(item, after);
        }
        let mut rest = items;
        let mut follows = &*follows;
        while let ([item, others @ ..], [follow, later @ ..]) = (rest, follows) {
            let length = literal_length(rest);
            if length < 2 {
                self.emit(item, *follow)?;
                (rest, follows) = (others, later);
                continue;
            }
            let (bytes, others) = rest.split_at(length);
            self.literal(bytes)?;
            (rest, follows) = (others, follows.get(length..).unwrap_or_default());
        }
        Ok(())
    }

    fn literal(&mut self, bytes: &[Node]) -> Result<(), Error> {
        let at = index(self.pool.len())?;
        let nocase = bytes.iter().any(|node| matches!(node, Node::Letter(_)));
        self.pool.extend(bytes.iter().filter_map(|node| match node {
            Node::Byte(byte) | Node::Letter(byte) => Some(*byte),
            _ => None,
        }));
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.push(match nocase {
            true => Op::LiteralNocase { at, length },
            false => Op::Literal { at, length },
        })?;
        Ok(())
    }

    fn branches(&mut self, branches: &[Node], follow: First) -> Result<(), Error> {
        let firsts: Vec<First> = branches.iter().map(|branch| first(branch, follow)).collect();
        // What the branches after each one can begin with.
        let mut later = vec![First::NOTHING; branches.len()];
        let mut sum = First::NOTHING;
        for (later, first) in later.iter_mut().zip(&firsts).rev() {
            *later = sum;
            sum = sum.or(*first);
        }
        let mut jumps = Vec::new();
        for (index, ((branch, first), later)) in branches.iter().zip(&firsts).zip(&later).enumerate() {
            if index + 1 == branches.len() {
                self.emit(branch, follow)?;
                break;
            }
            let fork = self.fork(*first, *later, false)?;
            self.emit(branch, follow)?;
            jumps.push(self.push(Op::Jump(0))?);
            self.aim(fork)?;
        }
        jumps.into_iter().try_for_each(|jump| self.aim(jump))
    }

    fn capture(&mut self, group: u16, body: &Node, follow: First) -> Result<(), Error> {
        let length = span(body).only().and_then(|length| u16::try_from(length).ok());
        match length.filter(|_| !self.has_calls) {
            Some(length) => {
                self.emit(body, follow)?;
                self.push(Op::CloseFixed { group, length })?;
            }
            None => {
                let entry = self.here()?;
                // Of groups that share a number the first is the one that is called.
                if let Some(place) = self.entries.get_mut(usize::from(group)).filter(|place| **place == 0) {
                    *place = entry;
                }
                self.push(Op::Note(index(Program::opened(self.groups, group))?))?;
                // Whoever calls the group goes on with something else.
                let follow = if self.has_calls { First::ANYTHING } else { follow };
                self.emit(body, follow)?;
                self.push(Op::Close(group))?;
            }
        }
        Ok(())
    }

    fn atomic(&mut self, body: &Node, follow: First) -> Result<(), Error> {
        if let Node::Repeat { body, min, max, kind: crate::tree::Kind::Greedy } = body {
            return self.repeat(body, (*min, *max), crate::tree::Kind::Possessive, follow);
        }
        self.push(Op::Mark)?;
        self.emit(body, First::ANYTHING)?;
        self.push(Op::Commit)?;
        Ok(())
    }

    /// Two ways; the second, `to`, is to be aimed. `to_first` says which is tried first.
    fn fork(&mut self, next: First, to: First, to_first: bool) -> Result<usize, Error> {
        if next == First::ANYTHING && to == First::ANYTHING {
            return self.push(Op::Split { to: 0, to_first });
        }
        let fork = Fork { to: 0, to_first, next_peek: self.peek(next)?, to_peek: self.peek(to)? };
        let place = index(self.forks.len())?;
        self.forks.push(fork);
        self.push(Op::Fork(place))
    }

    fn peek(&mut self, first: First) -> Result<Peek, Error> {
        let byte = match first.set.only() {
            _ if first.set == ByteSet::ALL => PeekByte::Any,
            Some(byte) => PeekByte::One(byte),
            None => PeekByte::Set(self.set(first.set)?),
        };
        Ok(Peek { byte, end: first.end })
    }

    fn set(&mut self, set: ByteSet) -> Result<u16, Error> {
        if let Some(place) = self.places.get(&set) {
            return Ok(*place);
        }
        let place = index(self.sets.len())?;
        self.sets.push(set);
        self.places.insert(set, place);
        Ok(place)
    }

    fn register(&mut self) -> Result<u16, Error> {
        let register = self.registers;
        self.registers = index(usize::from(register) + 1)?;
        Ok(register)
    }

    fn push(&mut self, op: Op) -> Result<usize, Error> {
        self.here()?;
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    fn here(&self) -> Result<u16, Error> {
        index(self.ops.len())
    }

    /// Lets the instruction at `at` lead to this place.
    fn aim(&mut self, at: usize) -> Result<(), Error> {
        let here = self.here()?;
        self.aim_to(at, here);
        Ok(())
    }

    fn aim_to(&mut self, at: usize, target: u16) {
        match self.ops.get_mut(at) {
            Some(
                Op::Jump(to)
                | Op::Split { to, .. }
                | Op::LeaveIfEmpty { to, .. }
                | Op::MarkElse(to)
                | Op::RefuteTo(to)
                | Op::UnlessGroup { to, .. }
                | Op::UnlessInside { to, .. },
            ) => *to = target,
            Some(Op::Fork(fork)) => {
                if let Some(fork) = self.forks.get_mut(usize::from(*fork)) {
                    fork.to = target;
                }
            }
            _ => {}
        }
    }

    /// A condition, whose first branch is passed over where it does not hold.
    fn conditional(
        &mut self,
        condition: &Condition,
        yes: &Node,
        no: &Node,
        follow: First,
    ) -> Result<(), Error> {
        let passes = self.condition(condition)?;
        self.emit(yes, follow)?;
        let end = self.push(Op::Jump(0))?;
        self.aim(passes)?;
        self.emit(no, follow)?;
        self.aim(end)
    }
}

/// How many bytes that may stand in one literal `items` begin with.
fn literal_length(items: &[Node]) -> usize {
    let mut nocase = None;
    let fits = |item: &&Node| match item {
        // What has no case goes with both.
        Node::Byte(byte) if !byte.is_ascii_alphabetic() => true,
        Node::Byte(_) => !*nocase.get_or_insert(false),
        Node::Letter(_) => *nocase.get_or_insert(true),
        _ => false,
    };
    items.iter().take(POOL_LITERAL_BYTES_MAX).take_while(fits).count()
}
