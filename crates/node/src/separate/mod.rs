//! A node in two processes and their supervisor: whoever breaks the replica has neither the monitor nor the network.
//!
//! - [`supervisor`]: starts both, and starts them again; answers for them; holds no link and no log;
//! - [`monitor`]: the links and the guard; it may speak to the network and opens no file;
//! - [`replica`]: the replica and the log; it may write below its log's folder and has no network;
//! - [`pipe`]: what joins the two; [`mod@line`]: what joins supervisor and monitor; [`remarks`]: what both tell people.
//!
//! **Who falls with whom.** A replica that dies is started again, and its monitor goes on: it must not forget. A monitor that dies
//! takes its replica with it, since what was on its way between the two is lost; both are started again, the monitor
//! with its next incarnation. Both end when their supervisor does.
//!
//! **Whom one trusts.** The supervisor trusts the monitor. The monitor trusts nothing that the replica writes. The replica is told
//! what it needs, and has no secret: in a protocol with monitors it signs nothing. What it tells stands in the log under its own name.

pub mod line;
pub mod monitor;
pub mod pipe;
pub mod remarks;
pub mod replica;
pub mod supervisor;

use crate::telling::{Level, Say};
use rights::{Enforced, User};
use std::os::fd::{AsFd, OwnedFd};

/// What a part takes from its supervisor: its standard input is no terminal, but a socket to somebody.
fn standard_input() -> Result<OwnedFd, String> {
    std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| format!("there is no socket on standard input: {error}"))
}

/// The user whose rights a part is to have. If none is named, or there is no choice, which is said: none.
fn user(name: Option<&str>, say: Say<'_>) -> Result<Option<User>, String> {
    let Some(name) = name else { return Ok(None) };
    if !rights::is_root() {
        say(Level::Warning, &format!("it does not become the user {name}, since root has not started it"));
        return Ok(None);
    }
    User::find(name).map(Some).map_err(|error| error.to_string())
}

/// Becomes `user`, and says so if nothing is given up by that.
fn become_user(user: Option<&User>, key: &str, say: Say<'_>) -> Result<(), String> {
    if let Some(user) = user {
        rights::become_user(user).map_err(|error| error.to_string())?;
    } else if rights::is_root() {
        let right = format!("right would be a line in [node] such as {key} = \"vg\"");
        say(Level::Warning, &format!("this part runs as root; {right}"));
    }
    rights::end_with_parent().map_err(|error| error.to_string())
}

/// Says what the kernel does not do for us.
fn warn_of(enforced: Enforced, say: Say<'_>) {
    match enforced {
        Enforced::Fully => {}
        Enforced::Partly => {
            say(Level::Warning, "this kernel knows only a part of landlock: what it knows is enforced")
        }
        Enforced::Not => say(
            Level::Warning,
            "this kernel has NO LANDLOCK, or it is switched off: the files of this machine are guarded by the rights of \
             users alone",
        ),
    }
}
