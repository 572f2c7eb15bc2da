//! What a part of an expression can begin with.
//!
//! A [`First`] says which byte may stand at a place, and whether the text may end there, for a part *and what follows it* to match.
//! It promises too much rather than too little: what it rules out cannot match. From it come the search for places to try, loops that
//! need no way back, and branches that need not be tried.

use crate::set::{ByteSet, NOT_NEWLINE};
use crate::tree::{Assertion, Condition, Kind, Look, Node};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct First {
    pub(crate) set: ByteSet,
    pub(crate) end: bool,
}

const NEWLINE_OR_END: First = First { set: ByteSet::of(b'\n'), end: true };

impl First {
    /// Nothing is known.
    pub(crate) const ANYTHING: Self = Self { set: ByteSet::ALL, end: true };
    pub(crate) const NOTHING: Self = Self { set: ByteSet::EMPTY, end: false };
    const TEXT_END: Self = Self { set: ByteSet::EMPTY, end: true };

    pub(crate) fn or(self, other: Self) -> Self {
        Self { set: self.set.or(other.set), end: self.end || other.end }
    }

    fn and(self, other: Self) -> Self {
        Self { set: self.set.and(other.set), end: self.end && other.end }
    }
}

/// What `node` can begin with if `follow` is what may come after it.
pub(crate) fn first(node: &Node, follow: First) -> First {
    match node {
        Node::Empty | Node::Keep => follow,
        Node::Byte(_) | Node::Letter(_) | Node::Set(_) => {
            First { set: node.one_byte().unwrap_or(ByteSet::ALL), end: false }
        }
        Node::Concat(items) => items.iter().rev().fold(follow, |follow, item| first(item, follow)),
        Node::Alternate(branches) => {
            branches.iter().fold(First::NOTHING, |sum, branch| sum.or(first(branch, follow)))
        }
        Node::Capture { body, .. } | Node::Atomic(body) => first(body, follow),
        Node::Repeat { max: Some(0), .. } => follow,
        Node::Repeat { body, min: 0, .. } => first(body, follow).or(follow),
        // If the body can be empty, what follows is in what it begins with.
        Node::Repeat { body, .. } => first(body, follow),
        Node::Look(Look { behind: false, negative: false, body, .. }) => {
            first(body, First::ANYTHING).and(follow)
        }
        Node::Look(_) => follow,
        Node::Assert(assertion) => first_of_place(*assertion, follow),
        Node::Conditional { condition: Condition::Define, .. } => follow,
        Node::Conditional { yes, no, .. } => first(yes, follow).or(first(no, follow)),
        Node::Reference { .. } | Node::Call(_) => First::ANYTHING,
    }
}

fn first_of_place(assertion: Assertion, follow: First) -> First {
    match assertion {
        Assertion::TextEnd => First::TEXT_END.and(follow),
        Assertion::TextEndOrNewline | Assertion::LineEnd => NEWLINE_OR_END.and(follow),
        Assertion::TextStart
        | Assertion::LineStart
        | Assertion::WordBoundary
        | Assertion::NotWordBoundary
        | Assertion::SearchStart => follow,
    }
}

/// Where a match can begin, apart from what it begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Anchor {
    Nowhere,
    /// At the place where the search begins, or not at all.
    Start,
    /// There, and at every beginning of a line.
    Lines,
    /// Where it failed, not before the byte after the next one that is not in the set.
    Run(ByteSet),
}

/// Where a match of `node` can begin.
///
/// A leading `[…]*` anchors as well: if what follows it were found from a later place of the same run, it were found from the
/// earlier place, too, and that was tried. It is only so if nobody asks how much the run took (`simple`).
pub(crate) fn anchor(node: &Node, simple: bool) -> Anchor {
    match node {
        Node::Assert(Assertion::TextStart | Assertion::SearchStart) => Anchor::Start,
        Node::Assert(Assertion::LineStart) => Anchor::Lines,
        Node::Repeat { body, max: None, .. } if simple => match body.one_byte() {
            Some(ByteSet::ALL) => Anchor::Start,
            Some(NOT_NEWLINE) => Anchor::Lines,
            Some(set) => Anchor::Run(set),
            None => Anchor::Nowhere,
        },
        Node::Capture { body, .. } => anchor(body, simple),
        // What is lazy takes less than it could, and what is atomic keeps to it: then the place counts.
        Node::Atomic(body) => {
            let takes_all = matches!(**body, Node::Repeat { kind: Kind::Greedy | Kind::Possessive, .. });
            anchor(body, simple && takes_all)
        }
        Node::Concat(items) => {
            let is_zero = |node: &&Node| matches!(node, Node::Assert(_) | Node::Look(_) | Node::Keep);
            let mut zero = items.iter().take_while(is_zero).map(|item| anchor(item, simple));
            let next = items.iter().find(|node| !is_zero(node));
            // What stands before a run is asked at another place each time.
            let simple = simple && items.first().is_some_and(|item| !is_zero(&item));
            let of_next = || next.map_or(Anchor::Nowhere, |next| anchor(next, simple));
            zero.find(|anchor| *anchor != Anchor::Nowhere).unwrap_or_else(of_next)
        }
        Node::Alternate(branches) => {
            let anchors = branches.iter().map(|branch| anchor(branch, simple));
            anchors.reduce(weaker).unwrap_or(Anchor::Nowhere)
        }
        _ => Anchor::Nowhere,
    }
}

/// What holds of both.
fn weaker(one: Anchor, other: Anchor) -> Anchor {
    match (one, other) {
        (Anchor::Start, anchor) | (anchor, Anchor::Start) => anchor,
        (one, other) if one == other => one,
        _ => Anchor::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::parse::parse;

    fn root(pattern: &str) -> Node {
        let flags = Flags { dot_all: true, ..Flags::default() };
        parse(pattern.as_bytes(), flags).unwrap_or_else(|error| panic!("{pattern}: {error}")).root
    }

    #[test]
    fn what_comes_first_is_not_ruled_out() {
        let cases: [(&str, &[u8], bool); 12] = [
            ("abc", b"a", false),
            ("(?i)abc", b"aA", false),
            ("a?b", b"ab", false),
            ("(?:a|[bc])+d", b"abc", false),
            ("(?:a?){3}b", b"ab", false),
            ("^\\ba", b"a", false),
            ("(?=[abc])[bcd]", b"bc", false),
            ("(?<=x)a|b", b"ab", false),
            ("a*$", b"a\n", true),
            ("a*\\z", b"a", true),
            ("(?>a*)(?!x)b", b"ab", false),
            ("a{0}(b)", b"b", false),
        ];
        for (pattern, bytes, end) in cases {
            let set = bytes.iter().fold(ByteSet::EMPTY, |set, byte| set.or(ByteSet::of(*byte)));
            assert_eq!(first(&root(pattern), First::ANYTHING), First { set, end }, "{pattern}");
        }
        for unknown in ["", "a*", "(a)|\\1", "(?1)?(a)", "\\b"] {
            assert_eq!(first(&root(unknown), First::ANYTHING), First::ANYTHING, "{unknown}");
        }
    }

    #[test]
    fn a_leading_run_anchors_unless_somebody_asks_about_it() {
        let digits = Anchor::Run(crate::set::DIGIT);
        let cases = [
            ("^a", Anchor::Start),
            ("a", Anchor::Nowhere),
            ("\\Ga|^b", Anchor::Start),
            ("^a|b", Anchor::Nowhere),
            ("(?m)^a|^b", Anchor::Lines),
            ("(?=x)^a", Anchor::Start),
            (".*a", Anchor::Start),
            ("(.*?)a", Anchor::Start),
            ("\\N+a", Anchor::Lines),
            ("\\d*a", digits),
            ("\\d+a|^b", digits),
            ("\\d{3}a", Anchor::Nowhere),
            ("\\d{0,3}a", Anchor::Nowhere),
            ("(?>\\d+)a", digits),
            ("(?>\\d+?)a", Anchor::Nowhere),
            ("\\b\\d+a", Anchor::Nowhere),
        ];
        for (pattern, expected) in cases {
            assert_eq!(anchor(&root(pattern), true), expected, "{pattern}");
        }
        assert_eq!(anchor(&root("(.*)a\\1"), false), Anchor::Nowhere);
    }
}
