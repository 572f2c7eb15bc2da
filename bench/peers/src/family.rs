//! The processes of one cluster: started, watched, and ended whatever happens.
//!
//! Upon the tool's end, by `Drop`: each process is killed and waited for.
//! Upon the tool's end without `Drop` (killed, aborted): the kernel kills each, since every process is started through
//! [`guarded`], which asks for that and then becomes the process that was wanted.
//!
//! Not here: what a member is told. That is `etcd` and `peers`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::Failure;

/// As much of a dead member's last words as is shown.
const LAST_WORDS_BYTES_MAX: u64 = 2_000;

/// The first argument by which this binary is started to become something else.
pub(crate) const GUARDED: &str = "guarded";

/// The processes of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Family {
    children: Vec<(Child, PathBuf)>,
}

impl Family {
    /// Starts `program` with its output in `log`. To be called from the main thread: the kernel kills a guarded process
    /// when the *thread* that started it ends.
    pub(crate) fn start(
        &mut self,
        program: &OsStr,
        arguments: &[OsString],
        log: PathBuf,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::Start {
            program: program.to_string_lossy().into_owned(),
            why: error.to_string(),
        };
        let output = File::create(&log).map_err(failed)?;
        let child = Command::new(std::env::current_exe().map_err(failed)?)
            .arg(GUARDED)
            .arg(std::process::id().to_string())
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .spawn()
            .map_err(failed)?;
        self.children.push((child, log));
        Ok(())
    }

    /// The ids of the processes.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.children.iter().map(|(child, _)| child.id()).collect()
    }

    /// Whether all live; if not, the last words of those that do not: one's death is often the cause of another's.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        let mut ended = Vec::new();
        for (child, log) in &mut self.children {
            if let Ok(Some(status)) = child.try_wait() {
                ended.push(format!(
                    "member process {} ended ({status}); its last words:\n{}",
                    child.id(),
                    tail(log)
                ));
            }
        }
        if ended.is_empty() { Ok(()) } else { Err(Failure::MembersEnded(ended.join("\n"))) }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        for (child, _) in &mut self.children {
            // Already dead is what was wanted.
            let _ = child.kill();
        }
        for (child, _) in &mut self.children {
            let _ = child.wait();
        }
    }
}

/// The end of a log.
fn tail(log: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS_BYTES_MAX)))?;
        file.take(LAST_WORDS_BYTES_MAX).read_to_end(&mut text)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => format!("(no log: {error})"),
    }
}

/// Becomes the program in `arguments` (`PARENT PROGRAM ARGUMENTS…`), with the kernel's word that it dies with its parent.
/// Returns only if that failed.
pub(crate) fn guarded(mut arguments: impl Iterator<Item = OsString>) -> Failure {
    let failed = |why: String| Failure::Start { program: GUARDED.to_owned(), why };
    let parent = arguments.next().and_then(|word| word.to_str().and_then(|word| word.parse::<i32>().ok()));
    let (Some(parent), Some(program)) = (parent, arguments.next()) else {
        return failed("expected: guarded PARENT PROGRAM ARGUMENTS…".to_owned());
    };
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
    {
        return failed(error.to_string());
    }
    // The parent may have died before the kernel was asked.
    if rustix::process::getppid().map(|id| id.as_raw_nonzero().get()) != Some(parent) {
        return failed("the parent is gone".to_owned());
    }
    failed(Command::new(program).args(arguments).exec().to_string())
}

/// Addresses on loopback that nobody listens on, so many.
///
/// Somebody else may take one before it is used; then the member says so and the run fails.
pub(crate) fn free_addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let listeners: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect::<Result<_, _>>()?;
    listeners.iter().map(TcpListener::local_addr).collect()
}
