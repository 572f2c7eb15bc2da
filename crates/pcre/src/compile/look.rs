//! Look-arounds and conditions.

use super::Compiler;
use crate::error::Error;
use crate::first::First;
use crate::length::Fixed;
use crate::program::{ANY_GROUP, Op};
use crate::tree::{Condition, Look, Node};

impl Compiler<'_> {
    pub(super) fn look(&mut self, look: &Look) -> Result<(), Error> {
        if !look.negative {
            self.push(Op::Mark)?;
            self.look_body(look)?;
            self.push(Op::CommitLook)?;
            return Ok(());
        }
        let mark = self.push(Op::MarkElse(0))?;
        self.look_body(look)?;
        self.push(Op::Refute)?;
        self.aim(mark)
    }

    /// Emits a condition, and returns the instruction to be aimed at where things go on if it does not hold.
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<usize, Error> {
        match condition {
            Condition::Group(group) => self.push(Op::UnlessGroup { group: *group, to: 0 }),
            Condition::Inside(group) => {
                self.push(Op::UnlessInside { group: group.unwrap_or(ANY_GROUP), to: 0 })
            }
            Condition::Define => self.push(Op::Jump(0)),
            Condition::Look(look) if !look.negative => {
                let mark = self.push(Op::MarkElse(0))?;
                self.look_body(look)?;
                self.push(Op::CommitLook)?;
                Ok(mark)
            }
            Condition::Look(look) => {
                let mark = self.push(Op::MarkElse(0))?;
                self.look_body(look)?;
                let refute = self.push(Op::RefuteTo(0))?;
                self.aim(mark)?;
                Ok(refute)
            }
        }
    }

    fn look_body(&mut self, look: &Look) -> Result<(), Error> {
        if !look.behind {
            return self.emit(&look.body, First::ANYTHING);
        }
        let branches = branches_of(look);
        let lengths = self.lengths(look)?;
        match lengths.first() {
            Some(first) if lengths.iter().all(|length| length == first) => {
                self.back(*first)?;
                self.emit(&look.body, First::ANYTHING)
            }
            _ => self.branches_behind(branches, &lengths),
        }
    }

    /// How far back each branch of a look-behind goes.
    fn lengths(&mut self, look: &Look) -> Result<Vec<u16>, Error> {
        let mut lengths = Vec::new();
        for branch in branches_of(look) {
            let length = Fixed::new(&self.captures, &mut self.nodes_left).length(branch);
            let length = length.map_err(|cause| Error { at: look.at, cause })?;
            lengths.push(u16::try_from(length).unwrap_or(u16::MAX));
        }
        Ok(lengths)
    }

    /// Refuses a look-behind without a fixed length, even where it stands in what is left out.
    pub(super) fn check_looks(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Look(look) | Node::Conditional { condition: Condition::Look(look), .. } if look.behind => {
                self.lengths(look).map(drop)?;
            }
            _ => {}
        }
        node.parts().into_iter().try_for_each(|part| self.check_looks(part))
    }

    /// Branches that go back by different lengths.
    fn branches_behind(&mut self, branches: &[Node], lengths: &[u16]) -> Result<(), Error> {
        let mut jumps = Vec::new();
        for (index, (branch, length)) in branches.iter().zip(lengths).enumerate() {
            if index + 1 == branches.len() {
                self.back(*length)?;
                self.emit(branch, First::ANYTHING)?;
                break;
            }
            let split = self.push(Op::Split { to: 0, to_first: false })?;
            self.back(*length)?;
            self.emit(branch, First::ANYTHING)?;
            jumps.push(self.push(Op::Jump(0))?);
            self.aim(split)?;
        }
        jumps.into_iter().try_for_each(|jump| self.aim(jump))
    }

    fn back(&mut self, length: u16) -> Result<(), Error> {
        if length > 0 {
            self.push(Op::Back(length))?;
        }
        Ok(())
    }
}

fn branches_of(look: &Look) -> &[Node] {
    match &*look.body {
        Node::Alternate(branches) => branches,
        body => std::slice::from_ref(body),
    }
}
