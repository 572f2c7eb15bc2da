//! Becoming another user, for real: this program starts itself again as root, becomes somebody else, and tries to come back.

use rights::{Error, User, become_user, end_with_parent, is_root};
use std::fs;
use std::process::Command;

const INSIDE: &str = "ANOTHER_USER_INSIDE";

/// Not a test but what the test starts again; alone it does nothing.
#[test]
fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let nobody = User::find("nobody").expect("every system has one");
    become_user(&nobody).expect("we are root");
    end_with_parent().expect("everybody may");
    let status = fs::read_to_string("/proc/thread-self/status").expect("it is there");
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).expect("it is there");
    assert_eq!(line("Uid:"), format!("Uid:\t{0}\t{0}\t{0}\t{0}", nobody.uid()));
    assert_eq!(line("Groups:").trim_end(), "Groups:");
    assert_eq!(line("CapEff:"), "CapEff:\t0000000000000000");
    assert!(matches!(become_user(&nobody), Err(Error::NotRoot(_))));
}

#[test]
fn who_became_another_user_has_no_rights_left_and_cannot_come_back() {
    if !is_root() {
        eprintln!("not root: there is nothing to give up");
        return;
    }
    let status = Command::new(std::env::current_exe().expect("we are somewhere"))
        .args(["--exact", "inside", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("it starts").success());
}

#[test]
fn a_user_that_is_not_there_is_named() {
    assert_eq!(User::find("nobody-at-all"), Err(Error::NoUser("nobody-at-all".to_string())));
}
