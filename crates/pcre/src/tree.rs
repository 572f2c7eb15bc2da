//! What an expression means, as a tree: made by `parse`, read by whatever looks for a fast way, and by `compile`.
//!
//! Names, options and ways of writing are gone: `\d`, `[0-9]` and `[[:digit:]]` are one set, a named reference is a number, and a
//! letter that may have either case is a node of its own. A tree is at most `NESTING_MAX` groups deep, so walking it may recurse.

use crate::set::ByteSet;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Node {
    /// Nothing, at once.
    Empty,
    Byte(u8),
    /// A letter in either case; here in its small one.
    Letter(u8),
    Set(ByteSet),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match.
    Alternate(Vec<Node>),
    Capture {
        group: u16,
        body: Box<Node>,
    },
    /// What it matched first is never reconsidered.
    Atomic(Box<Node>),
    Repeat {
        body: Box<Node>,
        min: u16,
        /// Nothing means any number of times.
        max: Option<u16>,
        kind: Kind,
    },
    Look(Look),
    Assert(Assertion),
    /// What the group matched last.
    Reference {
        group: u16,
        nocase: bool,
    },
    Conditional {
        condition: Condition,
        yes: Box<Node>,
        no: Box<Node>,
    },
    /// The group's expression once more, as a subroutine; 0 is the whole.
    Call(u16),
    /// `\K`: the match starts here.
    Keep,
}

/// In which order numbers of repetitions are tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Greedy,
    Lazy,
    /// As often as possible, and never fewer.
    Possessive,
}

/// A condition on the text around a place, which matches nothing itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Look {
    pub(crate) behind: bool,
    pub(crate) negative: bool,
    pub(crate) body: Box<Node>,
    /// Where it stands in the pattern, for errors that only show when everything was read.
    pub(crate) at: usize,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Condition {
    /// The group has matched.
    Group(u16),
    /// Inside a call, of the group if there is one.
    Inside(Option<u16>),
    /// Never: the yes-branch is there to be called.
    Define,
    Look(Look),
}

/// What may be asked of a place alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Assertion {
    /// `\A`, and `^` outside multiline.
    TextStart,
    /// `^` in multiline: also after a newline, but not at the very end.
    LineStart,
    /// `\z`.
    TextEnd,
    /// `\Z`, and `$` outside multiline: also before a newline that ends the text.
    TextEndOrNewline,
    /// `$` in multiline: also before every newline.
    LineEnd,
    WordBoundary,
    NotWordBoundary,
    /// `\G`: where the search began.
    SearchStart,
}

impl Node {
    /// The bytes that the node may be, if it is one byte and nothing else.
    pub(crate) fn one_byte(&self) -> Option<ByteSet> {
        match self {
            Self::Byte(byte) => Some(ByteSet::of(*byte)),
            Self::Letter(letter) => Some(ByteSet::of(*letter).fold()),
            Self::Set(set) => Some(*set),
            _ => None,
        }
    }

    /// The node for one byte out of `set`, in its simplest form.
    pub(crate) fn from_set(set: ByteSet) -> Self {
        match (set.only(), set.only_letter()) {
            (Some(byte), _) => Self::Byte(byte),
            (_, Some(letter)) => Self::Letter(letter),
            _ => Self::Set(set),
        }
    }

    pub(crate) fn from_byte(byte: u8, nocase: bool) -> Self {
        match nocase && byte.is_ascii_alphabetic() {
            true => Self::Letter(byte.to_ascii_lowercase()),
            false => Self::Byte(byte),
        }
    }

    pub(crate) fn concat(mut items: Vec<Self>) -> Self {
        match items.len() {
            0 => Self::Empty,
            1 => items.remove(0),
            _ => Self::Concat(items),
        }
    }

    /// `a|b|c` of single bytes is `[abc]`: which one comes first cannot be told afterwards.
    pub(crate) fn alternate(mut branches: Vec<Self>) -> Self {
        if branches.len() == 1 {
            return branches.remove(0);
        }
        let sets: Option<Vec<ByteSet>> = branches.iter().map(Self::one_byte).collect();
        match sets {
            Some(sets) => Self::from_set(sets.into_iter().fold(ByteSet::EMPTY, ByteSet::or)),
            None => Self::Alternate(branches),
        }
    }

    /// The nodes inside this one, in the order of the pattern.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Concat(items) | Self::Alternate(items) => items.iter().collect(),
            Self::Capture { body, .. } | Self::Atomic(body) | Self::Repeat { body, .. } => vec![body],
            Self::Look(look) => vec![&look.body],
            Self::Conditional { condition: Condition::Look(look), yes, no } => vec![&look.body, yes, no],
            Self::Conditional { yes, no, .. } => vec![yes, no],
            Self::Empty
            | Self::Byte(_)
            | Self::Letter(_)
            | Self::Set(_)
            | Self::Assert(_)
            | Self::Reference { .. }
            | Self::Call(_)
            | Self::Keep => Vec::new(),
        }
    }

    /// Whether `is` holds for the node or anything inside it.
    pub(crate) fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self) || self.parts().into_iter().any(|part| part.any(is))
    }
}
