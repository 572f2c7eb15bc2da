//! The process of a replica that lies: the honest one in the hands of a strategy of `sim::byzantine`, or one that lies to its own
//! monitor.
//!
//! It speaks to a real monitor over a real pipe and writes to a real log. It has no sandbox, since who breaks a replica does not
//!   put itself into one, and no key, as every replica.
//! Upon the start: it is honest, so that the cluster begins well. Upon the file of the mark: it lies.
//! Upon `babble`, which is no strategy of the simulator: what it writes into the pipe is no word.

use agree::between::{ToGuard, ToReplica};
use agree::replica::{Position, Status};
use agree::{Destination, Effect, Event, Message, Outbox, Replica, Timer};
use mio::{Events, Poll, Token, Waker};
use node::assemble;
use node::clock::Clock;
use node::config::Config;
use node::core::{Core, Keeping};
use node::run::log_directory;
use node::separate::pipe::{Pipe, Reading};
use node::telling::{Level, Say};
use sim::byzantine::{Act, Behaviour, Traitor};
use sim::keys::KeyRing;
use sim::random::{Random, Stream};
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::{Decode, Encode, Peer, Time};

/// The strategy that writes nonsense into the pipe.
pub(crate) const BABBLE: &str = "babble";

/// The timer of whims: the honest replica has no such number.
const WHIM: Timer = Timer(15);

const PIPE: Token = Token(0);
const WAKER: Token = Token(1);

/// How often it says how it stands, as an honest one does.
const REPORT_EVERY: Duration = Duration::from_millis(200);

/// The longest that a turn waits.
const TURN_MAX: Duration = Duration::from_millis(20);

/// Acts that make further acts, at most, in one step.
const ACTS_MAX: usize = 10_000;

/// An honest replica in the hands of a traitor.
struct Corrupt {
    honest: Box<dyn Replica>,
    traitor: Traitor,
    /// Whether the time has come.
    lies: Rc<Cell<bool>>,
    /// The position of the last write.
    last: Position,
    /// When something that was put off is due.
    due: BTreeSet<(Time, u32)>,
}

impl Corrupt {
    fn new(honest: Box<dyn Replica>, config: &Config, how: &[Behaviour], seed: u64, last: Position) -> Self {
        let (me, settings) = (config.node, Rc::new(config.settings()));
        let mut traitor = Traitor::new(me, settings, how, Random::new(seed, Stream::Traitors));
        traitor.started_alone(KeyRing::new(seed).of(Peer::Node(me), &Rc::default()));
        Corrupt {
            honest,
            traitor,
            lies: Rc::default(),
            last,
            due: BTreeSet::from([(Time::ZERO, Traitor::TICK)]),
        }
    }

    /// What was put off and is due.
    fn whims(&mut self, now: Time) -> Vec<Act> {
        let mut acts = Vec::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, index)) = self.due.pop_first() else { break };
            acts.extend(self.traitor.due(index, now, Some(self.honest.status())));
            if index == Traitor::TICK {
                self.due.insert((now.after(Traitor::TICK_EVERY), index));
            }
        }
        acts
    }

    fn perform(&mut self, now: Time, acts: Vec<Act>, out: &mut Outbox) {
        let mut acts = VecDeque::from(acts);
        for _ in 0..ACTS_MAX {
            let Some(act) = acts.pop_front() else { return };
            match act {
                Act::Effect(effect) => {
                    self.last.0 += u64::from(matches!(effect, Effect::Write(_)));
                    out.push(effect);
                }
                Act::Feed(event) => acts.extend(self.traitor.step(&mut *self.honest, now, event)),
                Act::ClaimDurable => {
                    let event = Event::Durable(self.last);
                    acts.extend(self.traitor.step(&mut *self.honest, now, event));
                }
                Act::Later(after, act) => {
                    if let Some(index) = self.traitor.put_off(*act) {
                        self.due.insert((now.after(after), index));
                    }
                }
                // There is no way past the monitor, and no second replica.
                Act::Raw { .. } | Act::OfTwin(_) => {}
            }
        }
    }
}

impl Replica for Corrupt {
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox) {
        if !self.lies.get() {
            let mut honest = Outbox::new();
            self.honest.step(now, event, &mut honest);
            return self.perform(now, honest.drain().map(Act::Effect).collect(), out);
        }
        let acts = match event {
            Event::Timer(WHIM) => self.whims(now),
            event => self.traitor.step(&mut *self.honest, now, event),
        };
        self.perform(now, acts, out);
        if let Some((at, _)) = self.due.first() {
            out.set_timer(WHIM, at.since(now).max(Duration::from_millis(1)));
        }
    }

    fn status(&self) -> Status {
        self.honest.status()
    }
}

/// How a replica is to lie.
pub(crate) struct Orders {
    /// A strategy by its name, or [`BABBLE`].
    pub(crate) behaviour: String,
    /// Its whims.
    pub(crate) seed: u64,
    /// It lies once this file is there.
    pub(crate) mark: PathBuf,
}

/// Runs the replica until its pipe ends.
pub(crate) fn run(config: &Config, orders: &Orders, stop: &AtomicBool, say: Say<'_>) -> Result<(), String> {
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    rights::end_with_parent().map_err(|error| error.to_string())?;
    let mut pipe = Pipe::new(input);
    let mut poll = Poll::new().map_err(|error| error.to_string())?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(|error| error.to_string())?);
    let (log, recovered) = assemble::log(config, &log_directory(config), waker, say)?;
    let last = recovered.last;
    let honest = assemble::replica(config, None, recovered)?;
    pipe.register(poll.registry(), PIPE).map_err(|error| error.to_string())?;
    let behaviour = Behaviour::named(&orders.behaviour);
    if behaviour.is_none() && orders.behaviour != BABBLE {
        return Err(format!("there is no strategy '{}'", orders.behaviour));
    }
    let corrupt = Corrupt::new(honest, config, behaviour.as_slice(), orders.seed, last);
    let lies = Rc::clone(&corrupt.lies);
    let mut random = Random::new(orders.seed, Stream::Traitors).part(1);
    let clock = Clock::default();
    let mut core = Core::new(corrupt, log, last);
    let mut sends: Vec<(Destination, Message)> = Vec::new();
    core.step(clock.now(), Event::Started, &mut sends);
    let mut events = Events::with_capacity(16);
    let mut reported = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let now = clock.now();
        let wait = match core.has_writes() {
            true => Duration::ZERO,
            false => core.deadline().map_or(TURN_MAX, |due| due.since(now).min(TURN_MAX)),
        };
        match poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.to_string()),
            Ok(()) | Err(_) => {}
        }
        let now = clock.now();
        if !lies.get() && orders.mark.exists() {
            say(Level::Warning, &format!("from now on it lies: {}", orders.behaviour));
            lies.set(true);
            core.step(now, Event::Timer(WHIM), &mut sends);
        }
        let reading = pipe.read().map_err(|error| error.to_string())?;
        while let Some(word) = pipe.next_word().map_err(|error| error.to_string())? {
            let word = ToReplica::from_bytes(word).map_err(|error| error.to_string())?;
            core.step(now, word.into(), &mut sends);
        }
        say_all(&mut core, now, &mut sends, &mut pipe)?;
        if core.write()? {
            say_all(&mut core, clock.now(), &mut sends, &mut pipe)?;
        }
        if reported.elapsed() >= REPORT_EVERY {
            reported = Instant::now();
            pipe.queue(&ToGuard::Standing(core.standing()));
        }
        if lies.get() && behaviour.is_none() {
            pipe.queue(&Nonsense(random.bits()));
        }
        if reading == Reading::Closed || pipe.flush().is_err() {
            break;
        }
    }
    Ok(())
}

/// Hands to the pipe all that there is to say at `now`.
fn say_all<L: Keeping>(
    core: &mut Core<Corrupt, L>,
    now: Time,
    sends: &mut Vec<(Destination, Message)>,
    pipe: &mut Pipe,
) -> Result<(), String> {
    core.passed(now, sends)?;
    for (to, message) in sends.drain(..) {
        pipe.queue(&ToGuard::Send { to, message });
    }
    Ok(())
}

/// No word.
struct Nonsense(u64);

impl Encode for Nonsense {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(0x77);
        to.extend_from_slice(&self.0.to_le_bytes());
    }
}
