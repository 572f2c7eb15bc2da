//! The verbs that change who is a node or a client, and by which key: `admit`, `remove`, `replace`, `rotate-keys`.
//!
//! - [`operator`]: what they share: the roster as the cluster has it, a change of it, and who can be reached;
//! - [`rotate`]: a node or a client changes its key, and is understood all the while;
//! - [`replace`]: another machine takes the seat of a node;
//! - [`admit`]: a client comes, or goes.
//!
//! Each can be broken off at any moment and started again: it looks first at what is done already.

pub(crate) mod admit;
mod folder;
mod operator;
pub(crate) mod replace;
pub(crate) mod rotate;

use crate::Outcome;
use crate::say::complain;

/// Why a verb came to no good end.
enum Failed {
    /// It cannot be done like this.
    Wrong(String),
    /// The cluster says no.
    Refused(String),
    /// There is no answer in time.
    Unanswered(String),
}

fn outcome(result: Result<(), Failed>) -> Outcome {
    match result {
        Ok(()) => Outcome::Fine,
        Err(Failed::Wrong(why)) => {
            complain!("error: {why}");
            Outcome::Refused
        }
        Err(Failed::Refused(why)) => {
            complain!("refused: {why}");
            Outcome::Violated
        }
        Err(Failed::Unanswered(why)) => {
            complain!("error: {why}");
            Outcome::Unanswered
        }
    }
}

/// The text of an error of something wrong.
fn wrong(error: impl core::fmt::Display) -> Failed {
    Failed::Wrong(error.to_string())
}
