//! How many bytes a part of an expression can match.
//!
//! Two questions: a [`Span`] is what holds of every match and may be wide; [`Fixed`] is what a look-behind needs, one number, found by
//! the rules of PCRE2, which see through references and calls where their group has one length.

use crate::error::Cause;
use crate::tree::Node;

/// How far back a look-behind may look, as in PCRE2.
pub(crate) const LOOK_BEHIND_BYTES_MAX: usize = 65_535;

/// At least `min` bytes, and at most `max` if there is a bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
}

impl Span {
    pub(crate) const NOTHING: Self = Self { min: 0, max: Some(0) };

    pub(crate) fn then(self, next: Self) -> Self {
        let max = match (self.max, next.max) {
            (Some(first), Some(second)) => first.checked_add(second),
            _ => None,
        };
        Self { min: self.min.saturating_add(next.min), max }
    }

    fn or(self, other: Self) -> Self {
        let max = self.max.and_then(|first| other.max.map(|second| first.max(second)));
        Self { min: self.min.min(other.min), max }
    }

    fn times(self, min: u16, max: Option<u16>) -> Self {
        let most = match (self.max, max) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            (Some(each), Some(times)) => each.checked_mul(u32::from(times)),
            _ => None,
        };
        Self { min: self.min.saturating_mul(u32::from(min)), max: most }
    }

    pub(crate) fn only(self) -> Option<u32> {
        self.max.filter(|max| *max == self.min)
    }
}

/// The lengths that `node` can have. What depends on other groups may have any.
pub(crate) fn span(node: &Node) -> Span {
    match node {
        Node::Empty | Node::Look(_) | Node::Assert(_) | Node::Keep => Span::NOTHING,
        Node::Byte(_) | Node::Letter(_) | Node::Set(_) => Span { min: 1, max: Some(1) },
        Node::Concat(items) => items.iter().map(span).fold(Span::NOTHING, Span::then),
        Node::Alternate(branches) => branches.iter().map(span).reduce(Span::or).unwrap_or(Span::NOTHING),
        Node::Capture { body, .. } | Node::Atomic(body) => span(body),
        Node::Repeat { body, min, max, .. } => span(body).times(*min, *max),
        Node::Conditional { condition: crate::tree::Condition::Define, .. } => Span::NOTHING,
        Node::Conditional { yes, no, .. } => span(yes).or(span(no)),
        Node::Reference { .. } | Node::Call(_) => Span { min: 0, max: None },
    }
}

/// The one length of what stands in a look-behind.
pub(crate) struct Fixed<'t> {
    /// The whole expression, in which groups that are referred to are looked for.
    root: &'t Node,
    /// The groups that are being measured: one that contains itself has no length.
    open: Vec<u16>,
    /// Nodes that may still be looked at, so that groups that refer to groups do not cost time without end.
    left: &'t mut usize,
}

/// How many nodes are looked at for all look-behinds of a pattern. Beyond that a look-behind is refused as not fixed.
pub(crate) const NODES_MEASURED_MAX: usize = 1_000_000;

impl<'t> Fixed<'t> {
    pub(crate) fn new(root: &'t Node, left: &'t mut usize) -> Self {
        Self { root, open: Vec::new(), left }
    }

    pub(crate) fn length(&mut self, node: &Node) -> Result<usize, Cause> {
        *self.left = self.left.checked_sub(1).ok_or(Cause::LookBehindNotFixed)?;
        let length = match node {
            Node::Empty | Node::Look(_) | Node::Assert(_) | Node::Keep => 0,
            Node::Byte(_) | Node::Letter(_) | Node::Set(_) => 1,
            Node::Concat(items) => {
                let mut sum = 0usize;
                for item in items {
                    sum = sum.saturating_add(self.length(item)?);
                }
                sum
            }
            Node::Alternate(branches) => self.same(branches)?,
            Node::Capture { group, body } => {
                self.open.push(*group);
                let length = self.length(body)?;
                self.open.pop();
                length
            }
            Node::Atomic(body) => self.length(body)?,
            Node::Repeat { body, .. } if matches!(**body, Node::Look(_)) => 0,
            Node::Repeat { body, min, max, .. } if *max == Some(*min) => {
                self.length(body)?.saturating_mul(usize::from(*min))
            }
            Node::Conditional { condition: crate::tree::Condition::Define, .. } => 0,
            Node::Conditional { yes, no, .. } => {
                let length = self.length(yes)?;
                // Without a second branch only the first is measured, as in PCRE2.
                if **no != Node::Empty && self.length(no)? != length {
                    return Err(Cause::LookBehindNotFixed);
                }
                length
            }
            Node::Reference { group, .. } | Node::Call(group) => self.group(*group)?,
            Node::Repeat { .. } => return Err(Cause::LookBehindNotFixed),
        };
        if length > LOOK_BEHIND_BYTES_MAX { Err(Cause::LookBehindTooLong) } else { Ok(length) }
    }

    fn same(&mut self, branches: &[Node]) -> Result<usize, Cause> {
        let mut length = None;
        for branch in branches {
            let this = self.length(branch)?;
            if *length.get_or_insert(this) != this {
                return Err(Cause::LookBehindNotFixed);
            }
        }
        Ok(length.unwrap_or(0))
    }

    fn group(&mut self, group: u16) -> Result<usize, Cause> {
        let root = self.root;
        if group == 0 || self.open.contains(&group) {
            return Err(Cause::LookBehindNotFixed);
        }
        let found = find(root, group).ok_or(Cause::NoSuchGroup)?;
        self.length(found)
    }
}

/// The first group of that number.
pub(crate) fn find(node: &Node, group: u16) -> Option<&Node> {
    match node {
        Node::Capture { group: this, .. } if *this == group => Some(node),
        node => node.parts().into_iter().find_map(|part| find(part, group)),
    }
}
