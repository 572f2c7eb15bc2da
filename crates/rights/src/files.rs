//! Which files a process may still open: landlock.
//!
//! Upon [`keep_files`]: from then on this thread, and those that it starts, open nothing but what lies below the folder, and run
//!   nothing. What is open stays open. Nor do they reach processes outside by signals or abstract sockets.
//! Upon a kernel that cannot, or not all of it: as much as it can, and the caller is told ([`Enforced`]), to say so aloud.

use crate::Error;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::path::Path;

/// What we know how to ask for. A kernel that knows less does what it knows.
const KNOWN: ABI = ABI::V6;

/// How much of it the kernel enforces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enforced {
    /// All.
    Fully,
    /// What this kernel knows of.
    Partly,
    /// Nothing: the kernel has no landlock, or it is switched off.
    Not,
}

/// What a log needs: it reads, writes, makes, renames and removes files, and never runs or links one.
fn of_a_log() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
}

/// Gives up every file but those below `folder`. With `network`, sockets may still be connected.
pub fn keep_files(folder: Option<&Path>, network: bool) -> Result<Enforced, Error> {
    restrict(folder, network).map_err(|why| Error::System { to: "give up files", why })
}

fn restrict(folder: Option<&Path>, network: bool) -> Result<Enforced, String> {
    let text = |error: landlock::RulesetError| error.to_string();
    let mut ruleset = Ruleset::default();
    ruleset = ruleset.handle_access(AccessFs::from_all(KNOWN)).map_err(text)?;
    if !network {
        ruleset = ruleset.handle_access(AccessNet::from_all(KNOWN)).map_err(text)?;
    }
    ruleset = ruleset.scope(Scope::from_all(KNOWN)).map_err(text)?;
    let mut created = ruleset.create().map_err(text)?;
    if let Some(folder) = folder {
        let below = PathFd::new(folder).map_err(|error| error.to_string())?;
        created = created.add_rule(PathBeneath::new(below, of_a_log())).map_err(text)?;
    }
    let status = created.restrict_self().map_err(text)?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Enforced::Fully,
        RulesetStatus::PartiallyEnforced => Enforced::Partly,
        RulesetStatus::NotEnforced => Enforced::Not,
    })
}
