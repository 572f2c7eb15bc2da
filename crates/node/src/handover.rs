//! The log becomes its replica's.
//!
//! Upon a start by root with a user for the replica: what is in the log's folder is given to that user, and then the folder; once,
//!   since a folder that the replica owns may hold what a traitor put there. No link is followed.
//! Upon any other start: nothing.

use rights::User;
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// Gives the log in `folder` to the user `name`.
pub fn hand_over(folder: &Path, name: Option<&str>) -> Result<(), String> {
    let Some(name) = name.filter(|_| rights::is_root()) else { return Ok(()) };
    let user = User::find(name).map_err(|error| error.to_string())?;
    give(folder, &user).map_err(|error| format!("{} cannot be given to {name}: {error}", folder.display()))
}

fn give(folder: &Path, user: &User) -> std::io::Result<()> {
    if fs::symlink_metadata(folder)?.uid() == user.uid() {
        return Ok(());
    }
    let (uid, gid) = (Some(user.uid()), Some(user.gid()));
    for entry in fs::read_dir(folder)? {
        lchown(entry?.path(), uid, gid)?;
    }
    lchown(folder, uid, gid)
}
