//! Which of the system's calls a process may still make: seccomp.
//!
//! Upon [`keep_calls`]: every thread of the process keeps the calls of its list. Any other kills the process, and its supervisor
//!   sees by which signal (`SIGSYS`).
//!
//! What no list has: to run or start anything (`execve`, `clone`, `fork`), to look into others (`ptrace`, `process_vm_readv`), to
//! send signals, to mount, to load, to ask for rights. Memory is never made executable.

use crate::Error;
use libc::c_long;
use rustix::io::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::env::consts::ARCH;

/// The signal that a forbidden call ends a process with.
pub const SIGNAL: i32 = libc::SIGSYS;

/// A list of calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calls {
    /// Of the process that has the links: sockets, and no file.
    Monitor,
    /// Of the process that has the log: files, and no socket but the pipe that it has.
    Replica,
}

/// What both need.
const BOTH: &[c_long] = &[
    // What is open is read, written and closed.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_close,
    // One thread waits for everything.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    // Locks.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    // Memory; what would make it executable is sorted out below.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Time, where the kernel does not answer without a call.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_gettimeofday,
    // Seeds of hash tables, and TLS.
    libc::SYS_getrandom,
    // A signal that asks to stop, and its handler's end.
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    // The end of threads and of the process.
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Who a panic is said to be.
    libc::SYS_gettid,
    libc::SYS_getpid,
];

/// What connections need.
const MONITOR: &[c_long] = &[
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_shutdown,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    // Its supervisor hands it a pipe to each replica that begins.
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
];

/// What a log needs. Where files may be is landlock's business.
const REPLICA: &[c_long] = &[
    libc::SYS_openat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_getdents64,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    libc::SYS_renameat,
    libc::SYS_unlinkat,
    // The log's thread may still be beginning; its name is allowed below.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_sched_getaffinity,
];

/// Gives up every call but those of a list, in all threads of this process.
pub fn keep_calls(calls: Calls) -> Result<(), Error> {
    let machine = TargetArch::try_from(ARCH).map_err(|_| Error::Machine(ARCH))?;
    let failed = |why: String| Error::System { to: "give up system calls", why };
    let program = program(calls, machine).map_err(|error| failed(error.to_string()))?;
    rustix::thread::set_no_new_privs(true).map_err(|error: Errno| failed(error.to_string()))?;
    seccompiler::apply_filter_all_threads(&program).map_err(|error| failed(error.to_string()))
}

fn program(calls: Calls, machine: TargetArch) -> Result<BpfProgram, seccompiler::BackendError> {
    let own = match calls {
        Calls::Monitor => MONITOR,
        Calls::Replica => REPLICA,
    };
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        BOTH.iter().chain(own).map(|call| (*call, Vec::new())).collect();
    let argument = |number, is, value| SeccompCondition::new(number, Length::Dword, is, value);
    let not_executable = || {
        let bit = libc::PROT_EXEC as u64;
        SeccompRule::new(vec![argument(2, Is::MaskedEq(bit), 0)?])
    };
    rules.insert(libc::SYS_mmap, vec![not_executable()?]);
    rules.insert(libc::SYS_mprotect, vec![not_executable()?]);
    // What a descriptor is may be asked (a debug build does at each close), not changed.
    let question = |what: i32| SeccompRule::new(vec![argument(1, Is::Eq, what as u64)?]);
    rules.insert(libc::SYS_fcntl, vec![question(libc::F_GETFD)?, question(libc::F_GETFL)?]);
    // What ends itself may say so: an abort is no break-out.
    let abort = SeccompRule::new(vec![
        argument(0, Is::Eq, std::process::id().into())?,
        argument(2, Is::Eq, libc::SIGABRT as u64)?,
    ])?;
    rules.insert(libc::SYS_tgkill, vec![abort]);
    // To the other end of what is connected, and to no address.
    let no_address = SeccompCondition::new(4, Length::Qword, Is::Eq, 0)?;
    rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![no_address])?]);
    if calls == Calls::Replica {
        let name = SeccompRule::new(vec![argument(0, Is::Eq, libc::PR_SET_NAME as u64)?])?;
        rules.insert(libc::SYS_prctl, vec![name]);
    }
    if calls == Calls::Monitor {
        // TCP, which is what a stream is if no protocol is named, and nothing else that sockets can be.
        let kind = 0xf;
        let tcp = |family: i32| {
            SeccompRule::new(vec![
                argument(0, Is::Eq, family as u64)?,
                argument(1, Is::MaskedEq(kind), libc::SOCK_STREAM as u64)?,
                argument(2, Is::Eq, 0)?,
            ])
        };
        rules.insert(libc::SYS_socket, vec![tcp(libc::AF_INET)?, tcp(libc::AF_INET6)?]);
    }
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, machine)?.try_into()
}
