//! Breaking out of a sandbox, for real: this program starts itself again, enters a sandbox, and tries.
//!
//! Whatever a part of a node may not do kills it (a call that is not on its list) or is refused (a file that is not below its
//! folder); and what it must be able to do, it is.

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rights::{Calls, Enforced, keep_calls, keep_files};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, exit};

/// What the program that was started again is to try.
const TRY: &str = "BREAK_OUT_TRY";
/// In which folder.
const FOLDER: &str = "BREAK_OUT_FOLDER";

const DONE: i32 = 40;
const REFUSED: i32 = 41;
const NOT_ENFORCED: i32 = 42;

/// What came of a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Done,
    Refused,
    Killed,
    /// The kernel has no landlock.
    NotEnforced,
}

fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(DONE), _) => Outcome::Done,
        (Some(REFUSED), _) => Outcome::Refused,
        (Some(NOT_ENFORCED), _) => Outcome::NotEnforced,
        (_, Some(rights::calls::SIGNAL)) => Outcome::Killed,
        other => panic!("it ended with {other:?}"),
    }
}

/// Has `what` tried inside the sandbox of `part`, in a process of its own.
fn attempt(part: &str, what: &str, folder: &Path) -> Outcome {
    let status = Command::new(std::env::current_exe().expect("we are somewhere"))
        .args(["--exact", "inside", "--nocapture", "--test-threads=1"])
        .env(TRY, format!("{part} {what}"))
        .env(FOLDER, folder)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("it starts");
    outcome(status)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("seal.secret"), "the key of seals").expect("it can be written");
    fs::create_dir(folder.path().join("log")).expect("it can be made");
    folder
}

/// Not a test but what the tests start again; alone it does nothing.
#[test]
fn inside() {
    let (Some(what), Some(folder)) = (std::env::var_os(TRY), std::env::var_os(FOLDER)) else { return };
    let (what, folder) = (what.into_string().expect("we said it"), PathBuf::from(folder));
    let (part, what) = what.split_once(' ').expect("we said it");
    // What is there before.
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has one");
    let parent = nix::unistd::getppid();
    let (mut near, mut far) = UnixStream::pair().expect("there is room");
    let enforced = match part {
        "replica" => keep_files(Some(&folder.join("log")), false),
        _ => keep_files(None, true),
    };
    let enforced = enforced.expect("rights can always be given up");
    keep_calls(if part == "replica" { Calls::Replica } else { Calls::Monitor }).expect("on this machine too");
    let done = match what {
        "udp" => UdpSocket::bind("127.0.0.1:0").is_ok(),
        "listen" => TcpListener::bind("127.0.0.1:0").is_ok(),
        "unix socket" => UnixStream::connect("/run/systemd/private").is_ok(),
        "connect" => TcpStream::connect(address).is_ok(),
        "connect and accept" => {
            let mut near = TcpStream::connect(address).expect("we listen");
            let (mut far, _) = listener.accept().expect("we called");
            near.write_all(b"x").is_ok() && far.read_exact(&mut [0]).is_ok() && near.set_nodelay(true).is_ok()
        }
        "pipe" => near.write_all(b"x").is_ok() && far.read_exact(&mut [0]).is_ok(),
        "exec" => {
            let error =
                nix::unistd::execv(c"/bin/true", &[c"true"]).expect_err("it comes back only if it failed");
            panic!("it was not killed: {error}");
        }
        "fork" => Command::new("/bin/true").status().is_ok(),
        "thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        "ptrace" => nix::sys::ptrace::attach(parent).is_ok(),
        "kill" => signal::kill(parent, Signal::SIGKILL).is_ok(),
        "kill nobody" => signal::kill(Pid::this(), None).is_ok(),
        "make a file in the log" => {
            let (new, old) = (folder.join("log/new"), folder.join("log/old"));
            let mut file = File::create(&new).expect("it may");
            file.write_all(b"record").expect("it may");
            file.sync_data().expect("it may");
            fs::rename(&new, &old).expect("it may");
            File::open(folder.join("log")).and_then(|log| log.sync_all()).expect("it may");
            fs::read(&old).is_ok_and(|read| read == b"record") && fs::remove_file(&old).is_ok()
        }
        "read the seal" => fs::read(folder.join("seal.secret")).is_ok(),
        "read the seal from the log" => fs::read(folder.join("log/../seal.secret")).is_ok(),
        "read a file of everybody's" => fs::read("/etc/passwd").is_ok(),
        "read what only root may" => fs::read("/etc/shadow").is_ok(),
        "read its own memory" => File::open("/proc/self/mem").is_ok(),
        "make a file elsewhere" => File::create(folder.join("new")).is_ok(),
        other => panic!("nobody has said how to try {other}"),
    };
    exit(match (done, enforced) {
        (true, Enforced::Not) => NOT_ENFORCED,
        (true, _) => DONE,
        (false, _) => REFUSED,
    });
}

#[test]
fn a_replica_dies_trying_to_leave_its_process() {
    let folder = folder();
    for what in
        ["udp", "listen", "unix socket", "connect", "exec", "fork", "thread", "ptrace", "kill", "kill nobody"]
    {
        assert_eq!(attempt("replica", what, folder.path()), Outcome::Killed, "{what}");
    }
}

#[test]
fn a_replica_opens_nothing_but_its_log() {
    let folder = folder();
    assert_eq!(attempt("replica", "make a file in the log", folder.path()), Outcome::Done);
    assert_eq!(attempt("replica", "pipe", folder.path()), Outcome::Done);
    for what in [
        "read the seal",
        "read the seal from the log",
        "read a file of everybody's",
        "read what only root may",
        "read its own memory",
        "make a file elsewhere",
    ] {
        match attempt("replica", what, folder.path()) {
            Outcome::Refused => {}
            Outcome::NotEnforced => eprintln!("this kernel has no landlock: {what} is not refused"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_monitor_speaks_tcp_and_nothing_else() {
    let folder = folder();
    assert_eq!(attempt("monitor", "connect and accept", folder.path()), Outcome::Done);
    for what in [
        "udp",
        "listen",
        "unix socket",
        "exec",
        "fork",
        "thread",
        "ptrace",
        "kill",
        "read the seal",
        "read a file of everybody's",
        "make a file in the log",
    ] {
        assert_eq!(attempt("monitor", what, folder.path()), Outcome::Killed, "{what}");
    }
}
