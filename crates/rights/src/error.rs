//! Why rights could not be given up. A process that cannot must not go on.

use core::fmt;
use rustix::io::Errno;

/// What went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The system refused.
    System {
        /// To do what.
        to: &'static str,
        /// Why.
        why: String,
    },
    /// There is no such user.
    NoUser(String),
    /// That user is root: nothing would be given up.
    Root(String),
    /// Another user was asked for, and this process is not root.
    NotRoot(String),
    /// The process could have become root again.
    CameBack,
    /// There is no list of calls for this kind of machine.
    Machine(&'static str),
}

impl Error {
    pub(crate) fn system(to: &'static str, error: Errno) -> Error {
        Error::System { to, why: error.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System { to, why } => write!(f, "cannot {to}: {why}"),
            Error::NoUser(name) => {
                write!(f, "there is no user '{name}' in {}; right would be one that is", crate::user::USERS)
            }
            Error::Root(name) => {
                write!(f, "user '{name}' is root; right would be one without rights of its own")
            }
            Error::NotRoot(name) => {
                write!(
                    f,
                    "only root can become '{name}'; right would be to start as root, or to name no user"
                )
            }
            Error::CameBack => f.write_str("this process could become root again after it gave that up"),
            Error::Machine(machine) => write!(f, "there is no list of system calls for {machine}"),
        }
    }
}

impl core::error::Error for Error {}
