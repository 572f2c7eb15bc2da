//! The process of the monitor: links, guard and its timers, a pipe to the replica and a line to the supervisor.
//!
//! Upon the start: it reads its secrets and listens; then it becomes its user, gives up all files, and waits for its first
//!   replica; then it gives up the calls that it does not need; only when that replica has said its first word, and with it which
//!   changes of the roster its log holds, does it hear a frame: the files may name keys that are long out.
//! Upon a frame: the guard says what becomes of it; what it delivers goes to the replica, all of one turn at once.
//! Upon a word of the replica's: a message is judged by the guard, as within one process. What is no word is refused by name and
//!   counted, and the replica is given up: no correct one writes it.
//! Upon changes of the roster that the replica executed: they count if an operator signed them. If none did, the replica is given up:
//!   no correct one shows such.
//! Upon a new secret, or changes from the files: likewise; what it says from then on is proven by the new secret.
//! Upon an inquiry of a client's: it is told how the node is, whatever becomes of the replica.
//! Upon the end of the pipe, or of patience ([`FULL_MAX`] with a full pipe, [`SAYS_NOTHING_MAX`] without a
//!   word of how it stands): the replica is given up. The guard
//!   hears that it is down, the supervisor why; what would go to it is counted and forgotten.
//! Upon a new pipe: the replica is up again, which to a primary's guard is a reason to ask for another configuration.
//! Upon a full pipe: no link is read until the replica has. To drop instead would make a correct replica miss a request, and be
//!   accused of unfairness. Peers see a slow node, as they should. After `view_timeout` of that the replica counts as down, until it
//!   has read: a node that hears nobody must not go on leading.
//! Upon the end of the line, or a wish to stop: it ends; the replica hears the end of its pipe.

use crate::assemble::{self, AnyGuard};
use crate::clock::Clock;
use crate::config::{Config, changes};
use crate::gate::Gate;
use crate::inquiries::Inquiries;
use crate::report::Report;
use crate::run::{CALENDAR_EVERY, REPORT_EVERY, TURN_MAX, report};
use crate::separate::line::{Line, ToMonitor, ToSupervisor};
use crate::separate::pipe::{OVERFULL_BYTES, Pipe, Reading};
use crate::separate::supervisor::Ended;
use crate::separate::{become_user, standard_input, user, warn_of};
use crate::telling::{Level, News, Say};
use agree::Event;
use agree::account::{Beside, End};
use agree::between::{Standing, ToGuard, ToReplica, WHY_BYTES_MAX};
use agree::roster::Refusal;
use link::{Arrival, Keyring, Pins, SecretIdentity};
use mio::Interest;
use mio::unix::SourceFd;
use rights::{Calls, keep_calls, keep_files};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::{Decode, Text, Time};

/// The numbers of our sources among those of the links.
const LINE: usize = 0;
const PIPE: usize = 1;

/// How long a replica may leave so much unread that the pipe is full.
pub const FULL_MAX: Duration = Duration::from_secs(10);

/// How long a replica that has spoken may say nothing. It says how it stands several times a second, so it is stopped, or its
/// disk has been for as long.
pub const SAYS_NOTHING_MAX: Duration = Duration::from_secs(20);

/// A turn that begins so long after the one before says that this process stood still itself.
const STOOD_STILL_MIN: Duration = Duration::from_secs(1);

/// What runs.
struct Part<'a> {
    config: &'a Config,
    gate: Gate<AnyGuard>,
    line: Line,
    pipe: Option<Pipe>,
    /// The number of the replica at its other end.
    replica: u64,
    /// The pipe may hold more than was read.
    unread: bool,
    /// The pipe has been full for so long that the guard was told that the replica is down.
    choked: bool,
    /// A replica has said something: whom to take is known as far as its log tells.
    told: bool,
    /// Why the last replica was given up, if the supervisor has not been told.
    untold: Option<(u64, String)>,
    standing: Option<Standing>,
    /// When the replica last said how it stands, or was joined.
    heard: Time,
    /// Why it cannot go on, by its own last word.
    last_word: Option<Text<WHY_BYTES_MAX>>,
    /// The end of the last replica that was given up.
    end: Option<(Text<WHY_BYTES_MAX>, Time)>,
    /// When the last turn was.
    turned: Time,
    inquiries: Inquiries,
    clock: Clock,
    arrived: Vec<Arrival>,
    events: Vec<Event>,
    pins: Arc<Pins>,
    keys: Keyring,
}

/// Runs the monitor of a node until its supervisor is gone, or `stop`.
pub fn run(config: &Config, incarnation: u64, stop: &AtomicBool, say: Say<'_>) -> Result<(), Ended> {
    let mut part = Part::prepare(config, incarnation, say).map_err(Ended::Unable)?;
    let start = Instant::now();
    let (mut reported, mut looked, mut news) = (None, start, News::default());
    let now = part.clock.now();
    part.gate.start(now, &mut part.events);
    while !stop.load(Ordering::Relaxed) {
        match part.turn(say) {
            Ok(true) => {}
            Ok(false) => break,
            Err(why) => return Err(Ended::Failed(why)),
        }
        let now = Instant::now();
        if reported.is_none_or(|at| now - at >= REPORT_EVERY) {
            reported = Some(now);
            let report = part.report();
            news.tell(&report, say);
            // Without room it is dropped: the next one is newer. A supervisor that is gone is noticed by the line's end.
            let _ = part.line.say(&ToSupervisor::Answers(report.answers()));
        }
        if part.inquiries.is_waiting() {
            let account = part.report().account();
            part.inquiries.answer(&account, part.gate.links());
        }
        if now - looked >= CALENDAR_EVERY {
            looked = now;
            part.pins.set_now(assemble::wall_time());
            part.gate.links().check_keys(&mut part.arrived);
        }
    }
    Ok(())
}

impl<'a> Part<'a> {
    /// All that may fail for reasons that starting it again does not mend.
    fn prepare(config: &'a Config, incarnation: u64, say: Say<'_>) -> Result<Part<'a>, String> {
        let line = Line::of(standard_input()?);
        let secret = config.secret().map_err(|error| error.to_string())?;
        let seal = config.seal().map_err(|error| error.to_string())?;
        let monitor_user = user(config.monitor_user.as_deref(), say)?;
        let pins = assemble::pins(&config.cluster);
        let keys = assemble::keyring(config, &secret, seal.as_ref(), &pins)?;
        let links = assemble::links(config, &secret, &pins)?;
        let (registry, token) = links.foreign(LINE);
        registry
            .register(&mut SourceFd(&line.as_raw_fd()), token, Interest::READABLE)
            .map_err(|error| error.to_string())?;
        become_user(monitor_user.as_ref(), "monitor_user", say)?;
        warn_of(keep_files(None, true).map_err(|error| error.to_string())?, say);
        let clock = Clock::default();
        let own = keys.without_seal();
        let inquiries = Inquiries::new(config.node, own.clone());
        let guard = assemble::guard(config, keys, incarnation, clock.now());
        keep_calls(Calls::Monitor).map_err(|error| error.to_string())?;
        line.say(&ToSupervisor::Runs).map_err(|error| error.to_string())?;
        let mut part = Part {
            config,
            gate: Gate::new(guard, links).governed(assemble::membership(&config.cluster, &pins)),
            line,
            pipe: None,
            replica: 0,
            unread: false,
            choked: false,
            told: false,
            untold: None,
            standing: None,
            heard: Time::ZERO,
            last_word: None,
            end: None,
            turned: Time::ZERO,
            inquiries,
            clock,
            arrived: Vec::new(),
            events: Vec::new(),
            pins,
            keys: own,
        };
        part.await_replica(say)?;
        Ok(part)
    }

    /// The first replica is there from the beginning: its guard need not hear of it.
    fn await_replica(&mut self, say: Say<'_>) -> Result<(), String> {
        loop {
            match self.line.handed().map_err(|_| "the supervisor is gone")? {
                Some(ToMonitor::Replica(start, pipe)) => return self.join(start, pipe),
                Some(ToMonitor::Changes(file)) => self.read_changes(file, say),
                Some(ToMonitor::Secret(file)) => self.read_secret(file, say),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn join(&mut self, start: u64, socket: OwnedFd) -> Result<(), String> {
        let mut pipe = Pipe::new(socket);
        let (registry, token) = self.gate.links().foreign(PIPE);
        pipe.register(registry, token).map_err(|error| error.to_string())?;
        self.pipe = Some(pipe);
        self.replica = start;
        self.unread = true;
        self.heard = self.clock.now();
        Ok(())
    }

    /// Gives the replica up.
    fn lose(&mut self, now: Time, why: String, say: Say<'_>) {
        let Some(mut pipe) = self.pipe.take() else { return };
        let _ = pipe.deregister(self.gate.links().foreign(PIPE).0);
        self.choked = false;
        self.standing = None;
        // Why it ends it knows best, if it says so.
        let word = self.last_word.take().map(|word| format!("it said: {word}"));
        self.end = Some((Text::cut(word.as_ref().unwrap_or(&why)), now));
        say(Level::Warning, &format!("the replica is given up: {why}"));
        self.untold = Some((self.replica, why));
        self.gate.replica_is_up(now, false, &mut self.events);
    }

    /// One turn; whether there is another.
    fn turn(&mut self, say: Say<'_>) -> Result<bool, String> {
        let now = self.clock.now();
        let mut wait = self.gate.deadline().map_or(TURN_MAX, |due| due.since(now).min(TURN_MAX));
        if self.unread {
            wait = Duration::ZERO;
        }
        let full = self.pipe.as_ref().is_some_and(Pipe::is_full);
        let links = self.gate.links();
        links.hold(full || !self.told);
        links.turn(Some(wait), &mut self.arrived).map_err(|error| format!("links: {error}"))?;
        let now = self.clock.now();
        let mut handed = false;
        let mut arrived = std::mem::take(&mut self.arrived);
        for arrival in arrived.drain(..) {
            match arrival {
                Arrival::Frame(link, frame) => self.gate.heard(now, link, frame, &mut self.events),
                Arrival::Aside(link, bytes) => self.inquiries.hear(now, link, bytes),
                Arrival::Foreign(LINE) => handed = true,
                Arrival::Foreign(_) => self.unread = true,
                Arrival::Up(_) | Arrival::Down(_) => {}
            }
        }
        self.arrived = arrived;
        if self.unread {
            self.hear_replica(now, say);
        }
        self.lose_patience(now, say);
        if handed && !self.take_what_is_handed(now, say)? {
            return Ok(false);
        }
        self.gate.passed(now, &mut self.events);
        self.tell_replica(now, say);
        self.gate.flush(now, &mut self.arrived);
        if let Some((start, why)) = self.untold.take() {
            let word = ToSupervisor::ReplicaLost(start, why.clone());
            if !self.line.say(&word).map_err(|error| error.to_string())? {
                self.untold = Some((start, why));
            }
        }
        Ok(true)
    }

    /// Takes what the replica wrote, and trusts none of it.
    fn hear_replica(&mut self, now: Time, say: Say<'_>) {
        let Some(pipe) = &mut self.pipe else {
            self.unread = false;
            return;
        };
        let reading = pipe.read();
        self.unread = matches!(reading, Ok(Reading::More));
        // What it said before its end is still said.
        let mut end = match reading {
            Ok(Reading::Closed) => Some("its end of the pipe is closed".to_string()),
            Ok(Reading::Drained | Reading::More) => None,
            Err(error) => Some(error.to_string()),
        };
        loop {
            let word = match pipe.next_word() {
                Ok(Some(word)) => word,
                Ok(None) => break,
                Err(error) => {
                    self.gate.refuse_word();
                    end = Some(error.to_string());
                    break;
                }
            };
            let word = ToGuard::from_bytes(word);
            // Its last word tells nothing of the roster.
            self.told |= matches!(&word, Ok(word) if !matches!(word, ToGuard::Ends(_)));
            match word {
                Ok(ToGuard::Send { to, message }) => self.gate.send(now, to, message, &mut self.events),
                Ok(ToGuard::Standing(standing)) => {
                    self.standing = Some(standing);
                    self.heard = now;
                }
                Ok(ToGuard::Changes(changes)) => match self.gate.show(&changes, &mut self.arrived) {
                    // What the files said may lead further than a replica that is still behind.
                    Ok(_) | Err(Refusal::EditionIs(_)) => {}
                    Err(refusal) => {
                        end = Some(format!("it showed a change of the roster that cannot be: {refusal}"));
                        break;
                    }
                },
                Ok(ToGuard::Ends(why)) => self.last_word = Some(why),
                Err(error) => {
                    self.gate.refuse_word();
                    end = Some(format!("it wrote what is no word: {error}"));
                    break;
                }
            }
        }
        if let Some(why) = end {
            self.lose(now, why, say);
        }
    }

    /// Gives up a replica that has spoken and says nothing any more. How long it takes to begin is up to its log.
    fn lose_patience(&mut self, now: Time, say: Say<'_>) {
        if now.since(self.turned) >= STOOD_STILL_MIN {
            // It may have been the whole machine that stood still.
            self.heard = now;
        }
        self.turned = now;
        if self.standing.is_some() && now.since(self.heard) > SAYS_NOTHING_MAX {
            let seconds = SAYS_NOTHING_MAX.as_secs();
            self.lose(now, format!("it has said nothing for {seconds} s"), say);
        }
    }

    fn tell_replica(&mut self, now: Time, say: Say<'_>) {
        let mut failed = None;
        match &mut self.pipe {
            Some(pipe) => {
                for word in self.events.drain(..).filter_map(ToReplica::from_event) {
                    pipe.queue(&word);
                }
                match pipe.flush() {
                    Err(error) => failed = Some(error.to_string()),
                    Ok(()) if pipe.is_overfull() => {
                        failed = Some(format!("{} MiB wait for it to read", OVERFULL_BYTES >> 20));
                    }
                    Ok(()) if pipe.full_since().is_some_and(|since| since.elapsed() > FULL_MAX) => {
                        let seconds = FULL_MAX.as_secs();
                        failed =
                            Some(format!("for {seconds} s it has not read enough, and the pipe is full"));
                    }
                    Ok(()) => {}
                }
            }
            None => {
                self.events.drain(..).for_each(|_| self.gate.lose_word());
            }
        }
        if let Some(why) = failed {
            self.lose(now, why, say);
        }
        self.look_whether_it_chokes(now);
    }

    /// While no link is read nobody is heard, so nothing is led.
    fn look_whether_it_chokes(&mut self, now: Time) {
        let Some(pipe) = &self.pipe else { return };
        let patience = self.config.cluster.settings.view_timeout;
        let chokes = pipe.full_since().is_some_and(|since| since.elapsed() > patience);
        if chokes != self.choked {
            self.choked = chokes;
            self.gate.replica_is_up(now, !chokes, &mut self.events);
        }
    }

    /// Takes what the supervisor has for us; whether it is still there.
    fn take_what_is_handed(&mut self, now: Time, say: Say<'_>) -> Result<bool, String> {
        loop {
            match self.line.handed() {
                Ok(None) => return Ok(true),
                Ok(Some(ToMonitor::Replica(start, socket))) => {
                    self.lose(now, "another one begins".to_string(), say);
                    self.untold = None;
                    // What was meant for the one before is none of the next one's business.
                    self.events.clear();
                    self.join(start, socket)?;
                    self.gate.replica_is_up(now, true, &mut self.events);
                }
                Ok(Some(ToMonitor::Changes(file))) => self.read_changes(file, say),
                Ok(Some(ToMonitor::Secret(file))) => self.read_secret(file, say),
                // The supervisor is gone, or talks nonsense.
                Err(_) => return Ok(false),
            }
        }
    }

    /// Changes of the roster from the files; links to those whose keys are out are closed.
    fn read_changes(&mut self, file: OwnedFd, say: Say<'_>) {
        let read = changes::read(file.into(), Path::new(changes::NAME)).map_err(|error| error.to_string());
        let shown = read.and_then(|changes| {
            self.gate.show(&changes, &mut self.arrived).map_err(|refusal| refusal.to_string())
        });
        match shown {
            Ok(_) => say(Level::Info, "the roster was read anew"),
            Err(why) => say(Level::Warning, &format!("the roster stays as it was: {why}")),
        }
    }

    /// What is said from now on is proven by another secret.
    fn read_secret(&mut self, file: OwnedFd, say: Say<'_>) {
        match SecretIdentity::read(file.into(), Path::new("the secret")) {
            Ok(secret) => {
                self.keys.switch_to(&secret);
                self.gate.links().switch_to(&secret);
                say(Level::Info, &format!("it speaks by the key {}", secret.public(None).fingerprint()));
            }
            Err(error) => say(Level::Warning, &format!("the secret stays as it was: {error}")),
        }
    }

    fn report(&mut self) -> Report {
        let now = self.clock.now();
        let ago_ms = |since: Time| u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
        let beside = Beside {
            up: self.pipe.is_some(),
            starts: self.replica,
            silent_ms: ago_ms(self.heard),
            end: self.end.as_ref().map(|(why, at)| End { why: why.clone(), ago_ms: ago_ms(*at) }),
        };
        let refused = self.inquiries.refused();
        report(self.config, self.standing.clone(), beside, &mut self.gate, refused, now)
    }
}
