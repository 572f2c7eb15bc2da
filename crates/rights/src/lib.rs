//! What a process gives up before it meets strangers, so that whoever takes it over has little.
//!
//! In the order in which a process goes through it:
//! - [`end_with_parent`]: it dies when its supervisor does, and leaves no dump of its memory;
//! - [`user`]: it becomes another user, and cannot come back;
//! - [`files`]: it opens nothing but what lies below one folder, or nothing at all (landlock);
//! - [`calls`]: of the system's calls it keeps those on a short list; any other kills it (seccomp).
//!
//! An edge, and Linux alone. Not here: who gives up what and when; that is `node`'s.

pub mod calls;
pub mod error;
pub mod files;
pub mod user;

pub use calls::{Calls, keep_calls};
pub use error::Error;
pub use files::{Enforced, keep_files};
pub use user::{User, become_user, is_root};

use rustix::process::{DumpableBehavior, Signal};

/// From now on this process is killed when the thread that started it ends, and its memory is written nowhere.
///
/// Both are undone when a process becomes another user, so this comes after [`become_user`].
pub fn end_with_parent() -> Result<(), Error> {
    let failed = |error| Error::system("ask to end with the parent", error);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)?;
    let failed = |error| Error::system("forbid dumps of memory", error);
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed)
}
