//! How many bytes a part of an expression can match.
//!
//! Two questions: a [`Span`] is what holds of every match and may be wide; [`Fixed`] is what a look-behind needs, one number, found by
//! the rules of PCRE2, which see through references and calls where their group has one length.

use crate::NESTING_MAX;
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
    /// The groups by their numbers, from [`captures`].
    captures: &'t [Option<&'t Node>],
    /// The groups that are being measured: one that contains itself has no length.
    open: Vec<u16>,
    /// How deep the recursion is: calls lead from one group into the next.
    depth: usize,
    /// Nodes that may still be looked at, so that groups that refer to groups do not cost time without end.
    left: &'t mut usize,
}

/// How many nodes are looked at for all look-behinds of a pattern. Beyond that a look-behind is refused as not fixed.
pub(crate) const NODES_MEASURED_MAX: usize = 1_000_000;
/// How deep nodes and calls may be nested in a look-behind: more than groups can be. Beyond that it is refused as not fixed.
const DEPTH_MAX: usize = 8 * NESTING_MAX;

impl<'t> Fixed<'t> {
    pub(crate) fn new(captures: &'t [Option<&'t Node>], left: &'t mut usize) -> Self {
        Self { captures, open: Vec::new(), depth: 0, left }
    }

    pub(crate) fn length(&mut self, node: &Node) -> Result<usize, Cause> {
        *self.left = self.left.checked_sub(1).ok_or(Cause::LookBehindNotFixed)?;
        if self.depth >= DEPTH_MAX {
            return Err(Cause::LookBehindNotFixed);
        }
        self.depth += 1;
        let length = self.length_of(node)?;
        self.depth -= 1;
        if length > LOOK_BEHIND_BYTES_MAX { Err(Cause::LookBehindTooLong) } else { Ok(length) }
    }

    fn length_of(&mut self, node: &Node) -> Result<usize, Cause> {
        Ok(match node {
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
        })
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
        if group == 0 || self.open.contains(&group) {
            return Err(Cause::LookBehindNotFixed);
        }
        let found = self.captures.get(usize::from(group)).copied().flatten();
        self.length(found.ok_or(Cause::NoSuchGroup)?)
    }
}

/// The first group of each number up to `groups`, if there is one.
pub(crate) fn captures(root: &Node, groups: u16) -> Vec<Option<&Node>> {
    fn collect<'t>(node: &'t Node, captures: &mut [Option<&'t Node>]) {
        if let Node::Capture { group, .. } = node
            && let Some(place @ None) = captures.get_mut(usize::from(*group))
        {
            *place = Some(node);
        }
        node.parts().into_iter().for_each(|part| collect(part, captures));
    }
    let mut captures = vec![None; usize::from(groups) + 1];
    collect(root, &mut captures);
    captures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::parse::parse;

    fn root(pattern: &str) -> Node {
        let parsed = parse(pattern.as_bytes(), Flags::default());
        parsed.unwrap_or_else(|error| panic!("{pattern}: {error}")).root
    }

    #[test]
    fn a_span_holds_every_length() {
        let cases = [
            ("", 0, Some(0)),
            ("abc", 3, Some(3)),
            ("a?b", 1, Some(2)),
            ("a|bcd|", 0, Some(3)),
            ("(?:ab){2,4}", 4, Some(8)),
            ("a+", 1, None),
            ("(?:\\b)*", 0, Some(0)),
            ("(?=abc)d(?<=xd)", 1, Some(1)),
            ("(a)(?(1)bc|d)", 2, Some(3)),
            ("(a)\\1", 1, None),
            ("(?:a{65535}){65535}", 65_535 * 65_535, Some(65_535 * 65_535)),
            ("(?:(?:a{65535}){65535}){2}", u32::MAX, None),
        ];
        for (pattern, min, max) in cases {
            assert_eq!(span(&root(pattern)), Span { min, max }, "{pattern}");
        }
    }

    #[test]
    fn measuring_ends_however_groups_call_each_other() {
        // Each group calls the one after it twice: the number of nodes doubles with each.
        let calls: String = (1..40).map(|group| format!("((?{0})(?{0}))", group + 1)).collect();
        let tree = root(&format!("{calls}()"));
        let mut left = NODES_MEASURED_MAX;
        assert_eq!(
            Fixed::new(&captures(&tree, 7_000), &mut left).length(&Node::Call(1)),
            Err(Cause::LookBehindNotFixed)
        );
        assert_eq!(left, 0);
        assert_eq!(
            Fixed::new(&captures(&tree, 7_000), &mut NODES_MEASURED_MAX.clone()).length(&Node::Call(38)),
            Ok(0)
        );
        // Each calls the one after it, thousands in a row.
        let calls: String = (1..7_000).map(|group| format!("((?{}))", group + 1)).collect();
        let tree = root(&format!("{calls}(a)"));
        let mut left = NODES_MEASURED_MAX;
        assert_eq!(
            Fixed::new(&captures(&tree, 7_000), &mut left).length(&Node::Call(1)),
            Err(Cause::LookBehindNotFixed)
        );
        assert_eq!(Fixed::new(&captures(&tree, 7_000), &mut left).length(&Node::Call(6_990)), Ok(1));
    }
}
