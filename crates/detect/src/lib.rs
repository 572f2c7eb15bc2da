//! Detection: frames in, alerts out.
//!
//! In the order in which a frame passes: `app` is what is understood above TCP and UDP, one folder for each protocol; `behaviour` is what many flows mean together;
//! `eve` is how an alert is written down.
//!
//! The crate is logic: the same frames and the same rules give the same alerts in the same order, on every machine and on any
//! number of workers. Time is the time of the frames.

pub mod app;
pub mod behaviour;
pub mod engine;
pub mod eve;
mod flow;
pub mod frame;
mod inspect;
mod lists;
mod number;
mod plan;
mod room;
pub mod rule;
mod state;
pub mod stream;
mod time;

pub use number::NumberTest;
pub use time::Time;

/// Which way bytes go, as rules say it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// From the client, who spoke first.
    ToServer,
    /// From the server.
    ToClient,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Direction::ToServer => Direction::ToClient,
            Direction::ToClient => Direction::ToServer,
        }
    }

    /// 0 to the server, 1 to the client: a place in a pair.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Direction::ToServer => 0,
            Direction::ToClient => 1,
        }
    }
}

/// What is wrong with a rule, or with a part of one: it is not loaded at all. The second part tells whose fault it is, see [`Complaint::is_lacking`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint(pub String, Fault);

/// Whose fault it is that a text is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Text,
    Reader,
}

impl Complaint {
    /// A text that cannot be right: what was wrong, and what would be right.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Complaint(words.into(), Fault::Text)
    }

    /// A text that may be right, and asks for what is not here: a keyword, an event, a file that cannot be read, more than a limit allows.
    #[must_use]
    pub fn lacking(words: impl Into<String>) -> Self {
        Complaint(words.into(), Fault::Reader)
    }

    /// Whether the text may be right, and asks for what is not here.
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        self.1 == Fault::Reader
    }
}
