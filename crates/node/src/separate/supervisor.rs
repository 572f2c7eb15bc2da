//! The parent of a node's two processes. It has no link, no log and no secret.
//!
//! Upon the start: the monitor is started with its next incarnation, and then a replica; each pair of them gets a fresh pipe.
//! Upon the end of the replica: it is started again after a pause, and the monitor that survives gets the new pipe.
//! Upon the end of the monitor: the replica hears it and ends; when it has, both are started again.
//! Upon the monitor giving its replica up: the replica is killed, whatever it does.
//! Upon a monitor that says nothing for [`SAYS_NOTHING_MAX`], though it spoke before: it is killed, so that it is started again.
//! Upon a part that ends at its very first start because it is told what cannot be: the node ends too, and says why. Later on a
//!   part is started again for ever, after [`PAUSE_MIN`] and twice as long each time up to [`PAUSE_MAX`]; it is counted.
//! Upon what a part tells: it is told in the part's name, as much of it as is bearable ([`super::remarks`]). Neither has the log.
//! Upon a wish to stop: the line to the monitor is closed, the monitor ends, its replica hears that, flushes its log and ends. Who
//!   has not within [`END_MAX`] is killed.
//! Upon a wish to read the configuration anew: the secret and the changes of the roster go to the monitor; other changes are refused
//!   by name.

use super::line::{Line, ToMonitor, ToSupervisor, pair};
use super::remarks::Ear;
use crate::config::{Config, changes};
use crate::http::{self, Shared};
use crate::notify::Notify;
use crate::report::Answers;
use crate::run::log_directory;
use crate::telling::{Level, Tell};
use crate::{handover, starts};
use core::fmt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::SocketType;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// The pause before a part is started again, the first time.
pub const PAUSE_MIN: Duration = Duration::from_millis(20);

/// The longest pause before a part is started again.
pub const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A part that has run for so long is not one that always falls at once.
pub const STEADY_MIN: Duration = Duration::from_secs(10);

/// How long a part may take to end.
pub const END_MAX: Duration = Duration::from_secs(10);

/// How long a monitor that has spoken may say nothing. It says what to answer several times a second.
pub const SAYS_NOTHING_MAX: Duration = Duration::from_secs(20);

/// A look so long after the one before says that this process stood still itself.
const STOOD_STILL_MIN: Duration = Duration::from_secs(1);

/// How often parts are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The exit code of a part that was told what cannot be.
pub const UNABLE: u8 = 2;

/// The program that runs: the same file even if another one has taken its name since.
const PROGRAM: &str = "/proc/self/exe";

/// Why a part ended by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It could not begin.
    Unable(String),
    /// It could not go on.
    Failed(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Unable(why) => write!(f, "it cannot begin: {why}"),
            Ended::Failed(why) => write!(f, "it cannot go on: {why}"),
        }
    }
}

/// What the program must be told to run a part: arguments that come before the path of the configuration.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// For a monitor; the number of its incarnation follows.
    pub monitor: Vec<OsString>,
    /// For a replica.
    pub replica: Vec<OsString>,
}

/// A part, and how it has fared.
struct Part {
    name: &'static str,
    child: Option<(Child, Instant)>,
    starts: u64,
    pause: Duration,
    at: Instant,
    /// Times that a forbidden call ended it.
    forbidden: u64,
    /// What it tells.
    ear: Ear,
}

impl Part {
    fn new(name: &'static str) -> Part {
        let at = Instant::now();
        Part { name, child: None, starts: 0, pause: PAUSE_MIN, at, forbidden: 0, ear: Ear::new(at) }
    }

    fn is_due(&self) -> bool {
        self.child.is_none() && Instant::now() >= self.at
    }

    fn start(&mut self, arguments: &[OsString], config: &Path, input: OwnedFd) -> Result<(), String> {
        let failed = |error| format!("cannot start the {}: {error}", self.name);
        let remarks = self.ear.listen().map_err(failed)?;
        let child = Command::new(PROGRAM)
            .arg0("varangian")
            .args(arguments)
            .arg(config)
            .stdin(Stdio::from(input))
            .stdout(Stdio::null())
            .stderr(Stdio::from(remarks))
            // What this process was told by its surroundings is none of theirs.
            .env_clear()
            // A terminal's Ctrl-C is for this process; it tells them.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        self.child = Some((child, Instant::now()));
        self.starts += 1;
        Ok(())
    }

    /// Tells what it has to tell.
    fn hear(&mut self, tell: Tell<'_>) {
        let name = self.name;
        self.ear.hear(Instant::now(), &mut |level, words| tell(Some(name), level, words));
    }

    /// How it ended, if it has. What it told last is told before.
    fn ended(&mut self, tell: Tell<'_>) -> Option<ExitStatus> {
        self.hear(tell);
        let (child, since) = self.child.as_mut()?;
        // Who cannot be waited for any more is gone; how, nobody knows.
        let status = child.try_wait().unwrap_or(Some(ExitStatus::default()))?;
        let name = self.name;
        self.ear.hear_the_last(Instant::now(), &mut |level, words| tell(Some(name), level, words));
        if since.elapsed() >= STEADY_MIN {
            self.pause = PAUSE_MIN;
        }
        self.child = None;
        self.put_off();
        self.forbidden += u64::from(broke_out(status));
        Some(status)
    }

    /// It is due again after a pause.
    fn put_off(&mut self) {
        self.at = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn kill(&mut self) {
        if let Some((child, _)) = &mut self.child {
            // One that is gone already needs no killing.
            let _ = child.kill();
        }
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(|(child, _)| child.id())
    }

    /// Waits for its end, and brings it about if that takes too long.
    fn end(&mut self, tell: Tell<'_>) {
        let until = Instant::now() + END_MAX;
        while self.child.is_some() && self.ended(tell).is_none() {
            if Instant::now() >= until {
                self.kill();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Whether its sandbox killed it.
fn broke_out(status: ExitStatus) -> bool {
    status.signal() == Some(rights::calls::SIGNAL)
}

fn describe(status: ExitStatus) -> String {
    match status.signal() {
        _ if broke_out(status) => {
            "its sandbox killed it: it made a system call that it has no right to".to_string()
        }
        Some(signal) => format!("signal {signal} ended it"),
        None => format!("it ended with {}", status.code().unwrap_or_default()),
    }
}

/// A node's parent.
pub struct Supervisor<'a> {
    config: &'a Config,
    path: &'a Path,
    arguments: &'a Arguments,
    monitor: Part,
    replica: Part,
    line: Option<Line>,
    /// When the monitor last spoke, if it has.
    heard: Option<Instant>,
    looked: Instant,
    /// Until when the replica of a monitor that is gone may take to end.
    orphan_until: Option<Instant>,
    shared: Shared,
    notify: Notify,
}

impl<'a> Supervisor<'a> {
    /// Prepares to run the node of the configuration `config`, which stands at `path`.
    pub fn new(config: &'a Config, path: &'a Path, arguments: &'a Arguments) -> Supervisor<'a> {
        Supervisor {
            config,
            path,
            arguments,
            monitor: Part::new("monitor"),
            replica: Part::new("replica"),
            line: None,
            heard: None,
            looked: Instant::now(),
            orphan_until: None,
            shared: Shared::default(),
            notify: Notify::from_environment(),
        }
    }

    /// Runs the node until `stop`. Upon `reload` the roster is read anew. `tell` hears what a person should know.
    pub fn run(mut self, stop: &AtomicBool, reload: &AtomicBool, tell: Tell<'_>) -> Result<(), String> {
        if let Some(address) = self.config.http {
            let address = http::serve(address, Arc::clone(&self.shared))
                .map_err(|error| format!("cannot answer on {address}: {error}"))?;
            tell(None, Level::Info, &format!("health, metrics and status at http://{address}/"));
        }
        handover::hand_over(&log_directory(self.config), self.config.replica_user.as_deref())?;
        let Config { node, cluster, listen, .. } = self.config;
        tell(
            None,
            Level::Info,
            &format!("it runs on {listen}, in two processes, as node {} of {}", node.0, cluster.name),
        );
        let ended = loop {
            if stop.load(Ordering::Relaxed) {
                break Ok(());
            }
            if let Err(why) = self.look(tell) {
                break Err(why);
            }
            if reload.swap(false, Ordering::Relaxed) {
                self.reload(tell);
            }
            self.listen(tell);
        };
        tell(None, Level::Info, "it stops");
        self.notify.say("STOPPING=1");
        self.line = None;
        self.monitor.end(tell);
        self.replica.end(tell);
        ended
    }

    /// Sees who has ended, and starts who is due.
    fn look(&mut self, tell: Tell<'_>) -> Result<(), String> {
        if let Some(status) = self.monitor.ended(tell) {
            self.line = None;
            self.orphan_until = Some(Instant::now() + END_MAX);
            *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Self::say_ended(&self.monitor, status, tell)?;
        }
        if let Some(status) = self.replica.ended(tell) {
            self.orphan_until = None;
            Self::say_ended(&self.replica, status, tell)?;
        }
        if self.orphan_until.is_some_and(|until| Instant::now() >= until) {
            self.replica.kill();
        }
        self.lose_patience(tell);
        // A monitor begins when nobody is left who spoke to the one before.
        if self.monitor.is_due() && self.replica.child.is_none() {
            let incarnation =
                starts::next(&self.config.data).map_err(|error| format!("the count of starts: {error}"))?;
            if let Err(why) = self.start_monitor(incarnation) {
                self.monitor.put_off();
                tell(None, Level::Warning, &format!("{why}; it is tried again"));
            }
        }
        if self.replica.is_due()
            && let Err(why) = self.start_replica()
        {
            // The monitor has done nothing wrong.
            self.replica.put_off();
            tell(None, Level::Warning, &format!("{why}; it is tried again"));
        }
        Ok(())
    }

    fn start_monitor(&mut self, incarnation: u64) -> Result<(), String> {
        let (line, far) =
            Line::new().map_err(|error| format!("cannot make a line to the monitor: {error}"))?;
        let mut arguments = self.arguments.monitor.clone();
        arguments.push(incarnation.to_string().into());
        self.monitor.start(&arguments, self.path, far)?;
        self.line = Some(line);
        self.heard = None;
        self.orphan_until = None;
        Ok(())
    }

    /// Starts the replica, if there is a monitor to hear of it.
    fn start_replica(&mut self) -> Result<(), String> {
        let Some(line) = &self.line else { return Ok(()) };
        let (near, far) = pair(SocketType::STREAM)
            .map_err(|error| format!("cannot make a pipe to the replica: {error}"))?;
        self.replica.start(&self.arguments.replica, self.path, far)?;
        if line.hand(&ToMonitor::Replica(self.replica.starts, near)).is_err() {
            // Without its pipe it ends at once, and so has the monitor, or it is about to.
            self.replica.kill();
        }
        Ok(())
    }

    /// Ends a monitor that has spoken and says nothing any more: its node is cut off as long as it hangs.
    fn lose_patience(&mut self, tell: Tell<'_>) {
        let now = Instant::now();
        if now - self.looked >= STOOD_STILL_MIN {
            // It may have been the whole machine that stood still.
            self.heard = self.heard.map(|_| now);
        }
        self.looked = now;
        if self.heard.is_some_and(|heard| now - heard > SAYS_NOTHING_MAX) {
            let seconds = SAYS_NOTHING_MAX.as_secs();
            tell(
                None,
                Level::Warning,
                &format!("the monitor has said nothing for {seconds} s and is killed"),
            );
            self.heard = None;
            self.monitor.kill();
        }
    }

    fn say_ended(part: &Part, status: ExitStatus, tell: Tell<'_>) -> Result<(), String> {
        if part.starts == 1 && status.code() == Some(i32::from(UNABLE)) {
            return Err(format!("the {} cannot begin", part.name));
        }
        let pause = part.at.saturating_duration_since(Instant::now()).as_millis();
        // A part that was broken into is no accident.
        let level = if broke_out(status) { Level::Error } else { Level::Warning };
        tell(
            None,
            level,
            &format!(
                "the {} is gone: {}; it is started again in {pause} ms (start {} so far)",
                part.name,
                describe(status),
                part.starts
            ),
        );
        Ok(())
    }

    /// Waits a little for what the monitor has to say.
    fn listen(&mut self, tell: Tell<'_>) {
        let Some(line) = &self.line else { return std::thread::sleep(LOOK_EVERY) };
        let wait = Timespec { tv_sec: 0, tv_nsec: LOOK_EVERY.subsec_nanos().into() };
        // If a signal ends the wait, that is as good.
        let _ = poll(&mut [PollFd::new(line, PollFlags::IN)], Some(&wait));
        loop {
            let Some(line) = &self.line else { return };
            let said = line.said();
            if matches!(said, Ok(Some(_))) {
                self.heard = Some(Instant::now());
            }
            match said {
                Ok(None) => return,
                Ok(Some(ToSupervisor::Runs)) => self.notify.say("READY=1"),
                Ok(Some(ToSupervisor::ReplicaLost(start, why))) => {
                    if start == self.replica.starts && self.replica.child.is_some() {
                        tell(None, Level::Warning, &format!("the monitor has given the replica up: {why}"));
                        self.replica.kill();
                    }
                }
                Ok(Some(ToSupervisor::Answers(answers))) => {
                    self.notify.say("WATCHDOG=1");
                    let answers = self.complete(answers);
                    *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
                }
                Err(_) => {
                    // It is gone, or not of one binary with us. If it lives, it ends with its line.
                    self.line = None;
                }
            }
        }
    }

    /// What the monitor says of the node, and what only its parent knows.
    fn complete(&self, mut answers: Answers) -> Answers {
        let forbidden = self.monitor.forbidden + self.replica.forbidden;
        let left_out = self.monitor.ear.left_out().saturating_add(self.replica.ear.left_out());
        if let Ok(Value::Object(mut status)) = serde_json::from_str(&answers.status) {
            status.insert("pid".into(), json!(std::process::id()));
            status.insert("monitor_pid".into(), json!(self.monitor.pid()));
            status.insert("replica_pid".into(), json!(self.replica.pid()));
            status.insert("monitor_starts".into(), json!(self.monitor.starts));
            status.insert("replica_starts".into(), json!(self.replica.starts));
            status.insert("forbidden_calls".into(), json!(forbidden));
            status.insert("lines_left_out".into(), json!(left_out));
            answers.status = Value::Object(status).to_string();
        }
        for (name, help, value) in [
            ("monitor_starts_total", "Starts of the monitor.", self.monitor.starts),
            ("replica_starts_total", "Starts of the replica.", self.replica.starts),
            ("forbidden_calls_total", "Parts that were killed for a call they have no right to.", forbidden),
            ("lines_left_out_total", "Lines of the parts' that were too many to be told.", left_out),
        ] {
            answers.metrics.push_str(&format!(
                "# HELP varangian_{name} {help}\n# TYPE varangian_{name} counter\nvarangian_{name} {value}\n"
            ));
        }
        answers
    }

    fn reload(&mut self, tell: Tell<'_>) {
        if let Err(why) = self.hand_over_files() {
            tell(None, Level::Warning, &format!("the configuration stays as it was: {why}"));
        }
    }

    /// The monitor gets the secret and the changes of the roster, if the files are right and nothing else in them has changed.
    fn hand_over_files(&self) -> Result<(), String> {
        let new = self.config.read_anew(self.path)?;
        // Looked at here, where it can still be refused; the monitor reads it itself.
        new.secret().map_err(|error| error.to_string())?;
        let line = self.line.as_ref().ok_or("there is no monitor to hear of it; try again")?;
        let open = |path: &Path| File::open(path).map_err(|error| format!("{}: {error}", path.display()));
        let changes = match open(&changes::beside(self.path)) {
            Ok(file) => file,
            // None yet: an empty list says as much.
            Err(_) => open(Path::new("/dev/null"))?,
        };
        let secret = open(&new.secret_file)?;
        for what in [ToMonitor::Secret(secret.into()), ToMonitor::Changes(changes.into())] {
            line.hand(&what).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
