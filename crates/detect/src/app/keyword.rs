//! How a protocol tells the rule language which keywords it has.

use super::{Field, ProtocolId, Transaction};
use crate::rule::ReadFile;
use crate::{Complaint, Direction};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A keyword of a protocol.
#[derive(Clone, Copy)]
pub struct Keyword {
    /// As rules write it: `http.uri`.
    pub name: &'static str,
    /// What it takes and what it means.
    pub takes: Takes,
}

impl Keyword {
    /// A sticky buffer.
    #[must_use]
    pub const fn buffer(
        name: &'static str,
        field: Field,
        sides: Sides,
        protocols: &'static [ProtocolId],
    ) -> Self {
        Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols }) }
    }

    /// A condition on a number of at most `max`; `names` are words that stand for numbers.
    #[must_use]
    pub const fn number(
        name: &'static str,
        field: Field,
        sides: Sides,
        protocols: &'static [ProtocolId],
        max: u64,
        names: &'static [(&'static str, u64)],
    ) -> Self {
        Keyword { name, takes: Takes::Number(Number { field, sides, protocols, max, names }) }
    }

    /// A test that is made of the text after the colon.
    #[must_use]
    pub const fn test(name: &'static str, parse: fn(&str) -> Result<Test, Complaint>) -> Self {
        Keyword { name, takes: Takes::Test(parse) }
    }
}

/// What a keyword takes and what it means.
#[derive(Clone, Copy)]
pub enum Takes {
    /// Nothing: what follows (`content`, `pcre`, `bsize`, transformations …) looks into this buffer.
    Buffer(Buffer),
    /// Nothing: the `content` before it looks into this buffer (the old form, `http_uri`).
    Modifier(Buffer),
    /// The same as [`Takes::Buffer`], of digits whose letters are all of one case: what rules say is brought into that case.
    Folded(Buffer, Letters),
    /// A condition on a number, see [`crate::NumberTest`].
    Number(Number),
    /// A condition on a file; all those of a rule must hold of the same one. It may read other files that the rule names.
    File(fn(&str, ReadFile<'_>) -> Result<super::file::FileTest, Complaint>),
    /// Anything else: reads the text after the colon (empty if there is none) and makes a test of it.
    Test(fn(&str) -> Result<Test, Complaint>),
}

/// The case of letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letters {
    /// `abc`.
    Small,
    /// `ABC`.
    Capital,
}

/// Bytes that rules look into.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Which.
    pub field: Field,
    /// In which directions it can be there.
    pub sides: Sides,
    /// Whose it is: a rule that uses it needs one of these protocols.
    pub protocols: &'static [ProtocolId],
}

/// A number that rules ask for.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Which.
    pub field: Field,
    /// In which directions it can be there.
    pub sides: Sides,
    /// Whose it is.
    pub protocols: &'static [ProtocolId],
    /// The largest value that the protocol can have.
    pub max: u64,
    /// Words that stand for values.
    pub names: &'static [(&'static str, u64)],
}

/// In which directions something can be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sides {
    /// To the server only.
    ToServer,
    /// To the client only.
    ToClient,
    /// Both.
    Both,
}

impl Sides {
    /// Whether `direction` is one of them.
    #[must_use]
    pub fn include(self, direction: Direction) -> bool {
        match self {
            Sides::ToServer => direction == Direction::ToServer,
            Sides::ToClient => direction == Direction::ToClient,
            Sides::Both => true,
        }
    }
}

/// What a test says of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds, and will.
    Holds,
    /// Not yet, but it may.
    Open,
    /// It does not hold, and never will.
    Fails,
}

/// What such a test is made of: given the transaction, which can be cast to the protocol's own type, and the direction.
type Check = Arc<dyn Fn(&dyn Any, Direction) -> Verdict + Send + Sync>;

/// A condition on a transaction that is neither a buffer nor a plain number.
#[derive(Clone)]
pub struct Test {
    /// In which directions it can hold.
    pub sides: Sides,
    /// Whose it is.
    pub protocols: &'static [ProtocolId],
    check: Check,
}

impl Test {
    /// A test of a protocol whose transactions are `T`s; others fail it.
    pub fn new<T: Transaction>(
        sides: Sides,
        protocols: &'static [ProtocolId],
        check: impl Fn(&T, Direction) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let check: Check = Arc::new(move |transaction, direction| match transaction.downcast_ref::<T>() {
            Some(transaction) => check(transaction, direction),
            None => Verdict::Fails,
        });
        Test { sides, protocols, check }
    }

    /// A test of several protocols: `check` is given the transaction as it is and casts it itself.
    pub fn of_any(
        sides: Sides,
        protocols: &'static [ProtocolId],
        check: impl Fn(&dyn Any, Direction) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        Test { sides, protocols, check: Arc::new(check) }
    }

    /// What it says of `transaction`.
    #[must_use]
    pub fn check(&self, transaction: &dyn Any, direction: Direction) -> Verdict {
        (self.check)(transaction, direction)
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Test").field("sides", &self.sides).finish_non_exhaustive()
    }
}
