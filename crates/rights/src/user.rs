//! Becoming another user.
//!
//! Upon a name: it is looked up in [`USERS`] and nowhere else. A name service would load code of others into a process that
//!   holds keys, and ask machines that can be broken.
//! Upon becoming it: groups first, then group, then user, each in all its forms; then it is tried to come back, which must fail.

use crate::Error;
use rustix::fs::{Gid, Uid};
use rustix::process::getuid;
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid, set_thread_uid};

/// Where users are looked up.
pub const USERS: &str = "/etc/passwd";

/// A user of the system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl User {
    /// The user of this name.
    pub fn find(name: &str) -> Result<User, Error> {
        let text = std::fs::read_to_string(USERS)
            .map_err(|error| Error::System { to: "read /etc/passwd", why: error.to_string() })?;
        find_in(&text, name).ok_or_else(|| Error::NoUser(name.to_string()))
    }

    /// Its number.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The number of its group.
    #[must_use]
    pub fn gid(&self) -> u32 {
        self.gid
    }
}

fn find_in(users: &str, name: &str) -> Option<User> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next().filter(|found| *found == name)?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(User { name: found.to_string(), uid, gid })
    })
}

/// Whether this process is root.
#[must_use]
pub fn is_root() -> bool {
    getuid().is_root()
}

/// This process becomes `user` for good. It must have one thread only: each has rights of its own.
pub fn become_user(user: &User) -> Result<(), Error> {
    let failed = |error| Error::system("become another user", error);
    if user.uid == 0 || user.gid == 0 {
        return Err(Error::Root(user.name.clone()));
    }
    if !is_root() {
        return Err(Error::NotRoot(user.name.clone()));
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    set_thread_groups(&[]).map_err(failed)?;
    set_thread_res_gid(gid, gid, gid).map_err(failed)?;
    set_thread_res_uid(uid, uid, uid).map_err(failed)?;
    if set_thread_uid(Uid::ROOT).is_ok() || getuid() != uid {
        return Err(Error::CameBack);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "root:x:0:0:root:/root:/bin/sh\nvg:x:990:991::/:/bin/false\nbroken:x:y:1::\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        assert_eq!(find_in(TEXT, "vg"), Some(User { name: "vg".into(), uid: 990, gid: 991 }));
        assert_eq!(find_in(TEXT, "v"), None);
        assert_eq!(find_in(TEXT, "broken"), None);
    }

    #[test]
    fn to_become_root_is_no_loss_of_rights_and_refused() {
        let root = find_in(TEXT, "root").expect("it is there");
        assert_eq!(become_user(&root), Err(Error::Root("root".into())));
    }
}
