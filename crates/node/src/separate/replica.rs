//! The process of the replica: replica, log and timers, and a pipe to the monitor. It has no secret and no network.
//!
//! Upon the start: it is at home in its log's folder, gives up all other files, becomes its user, opens the log, gives up
//!   the calls that it does not need; only then does it hear a word.
//! Upon words of the monitor's: the replica takes them; what it wants sent goes back, all of one turn at once; then what it
//!   wants kept goes to the log.
//! Upon a pipe that is full: it hears nothing until the monitor has read. The monitor always reads, so neither waits for ever.
//! Upon a log that failed, or whatever else it cannot go on with: its last word says why.
//! Upon the end of the pipe, or a wish to stop: the log is flushed, and the process ends.

use crate::assemble;
use crate::clock::Clock;
use crate::config::Config;
use crate::core::Core;
use crate::run::{REPORT_EVERY, TURN_MAX, log_directory};
use crate::separate::pipe::{Pipe, Reading};
use crate::separate::supervisor::Ended;
use crate::separate::{become_user, standard_input, user, warn_of};
use crate::telling::Say;
use agree::between::{ToGuard, ToReplica};
use agree::{Destination, Event, Message, Replica};
use mio::{Events, Poll, Token, Waker};
use rights::{Calls, keep_calls, keep_files};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::{Decode, Text, Time};

const PIPE: Token = Token(0);
const WAKER: Token = Token(1);

/// Where the replica is at home: its log's folder, whose path its user need not be able to walk.
const HOME: &str = ".";

/// A replica of any protocol and its log.
type Logged = Core<Box<dyn Replica>, store::Log>;

/// What runs.
struct Part {
    core: Logged,
    pipe: Pipe,
    poll: Poll,
    events: Events,
    clock: Clock,
    sends: Vec<(Destination, Message)>,
    unread: bool,
    reported: Option<Instant>,
}

/// Prepares the replica's process: all that may fail for reasons that starting it again does not mend.
fn prepare(config: &Config, pipe: &mut Pipe, say: Say<'_>) -> Result<(Logged, Poll), String> {
    let replica_user = user(config.replica_user.as_deref(), say)?;
    let log = log_directory(config);
    std::env::set_current_dir(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    become_user(replica_user.as_ref(), "replica_user", say)?;
    warn_of(keep_files(Some(Path::new(HOME)), false).map_err(|error| error.to_string())?, say);
    let poll = Poll::new().map_err(|error| error.to_string())?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(|error| error.to_string())?);
    let (log, recovered) = assemble::log(config, Path::new(HOME), waker, say)?;
    let last = recovered.last;
    let replica = assemble::replica(config, None, recovered)?;
    pipe.register(poll.registry(), PIPE).map_err(|error| error.to_string())?;
    keep_calls(Calls::Replica).map_err(|error| error.to_string())?;
    Ok((Core::new(replica, log, last), poll))
}

/// Runs the replica of a node until its pipe ends, or `stop`.
pub fn run(config: &Config, stop: &AtomicBool, say: Say<'_>) -> Result<(), Ended> {
    let mut pipe = Pipe::new(standard_input().map_err(Ended::Unable)?);
    let (core, poll) = match prepare(config, &mut pipe, say) {
        Ok(prepared) => prepared,
        Err(why) => {
            leave(&mut pipe, &why);
            return Err(Ended::Unable(why));
        }
    };
    let (events, clock) = (Events::with_capacity(16), Clock::default());
    let mut part = Part { core, pipe, poll, events, clock, sends: Vec::new(), unread: false, reported: None };
    part.core.step(clock.now(), Event::Started, &mut part.sends);
    while !stop.load(Ordering::Relaxed) {
        match part.turn() {
            Ok(true) => {}
            Ok(false) => break,
            Err(why) => {
                leave(&mut part.pipe, &why);
                return Err(Ended::Failed(why));
            }
        }
    }
    Ok(())
}

/// The last word: whoever asks the monitor why there is no replica has it.
fn leave(pipe: &mut Pipe, why: &str) {
    pipe.queue(&ToGuard::Ends(Text::cut(why)));
    // If it finds no room, the supervisor's log has it all the same.
    let _ = pipe.flush();
}

impl Part {
    /// One turn; whether there is another.
    fn turn(&mut self) -> Result<bool, String> {
        let now = self.clock.now();
        let mut wait = self.core.deadline().map_or(TURN_MAX, |due| due.since(now).min(TURN_MAX));
        let deaf = self.pipe.is_full();
        if self.core.has_writes() || (self.unread && !deaf) {
            wait = Duration::ZERO;
        }
        match self.poll.poll(&mut self.events, Some(wait)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
        self.unread |= self.events.iter().any(|event| event.token() == PIPE && event.is_readable());
        let now = self.clock.now();
        let mut open = true;
        if self.unread && !deaf {
            match self.pipe.read() {
                Ok(reading) => {
                    self.unread = reading == Reading::More;
                    open = reading != Reading::Closed;
                }
                Err(_) => open = false,
            }
            while let Some(word) = self.pipe.next_word().map_err(|error| error.to_string())? {
                // What our own monitor says is right, or the two are not of one binary.
                let word = ToReplica::from_bytes(word)
                    .map_err(|error| format!("a word of the monitor's: {error}"))?;
                self.core.step(now, word.into(), &mut self.sends);
            }
        }
        let is_open = open && self.say(now)?;
        Ok(match self.core.write()? {
            true => is_open && self.say(self.clock.now())?,
            false => is_open,
        })
    }

    /// Says all there is to say at `now`; whether anybody hears it.
    fn say(&mut self, now: Time) -> Result<bool, String> {
        self.core.passed(now, &mut self.sends)?;
        // Before anything that follows from it.
        if let Some(changes) = self.core.news() {
            self.pipe.queue(&ToGuard::Changes(changes));
        }
        for (to, message) in self.sends.drain(..) {
            self.pipe.queue(&ToGuard::Send { to, message });
        }
        let moment = Instant::now();
        if self.reported.is_none_or(|at| moment - at >= REPORT_EVERY) {
            self.reported = Some(moment);
            self.pipe.queue(&ToGuard::Standing(self.core.standing()));
        }
        Ok(self.pipe.flush().is_ok())
    }
}
