//! A node from its configuration to its end, in one process.
//!
//! Upon the start: the secrets are read, the log is opened, links are made, guard and replica begin.
//! Upon each turn: [`crate::single`]. Whoever asked over a link how the node is, is told. Now and then a report is left for
//!   those who ask, the service manager hears that the node turns, and the calendar is looked at.
//! Upon a wish to read the configuration anew ([`Reload`]): the secret and the changes of the roster beside it count from now on; other
//!   changes are refused by name, and the old stays.
//! Upon a wish to stop: the turn ends, the log is flushed, and the process ends.
//! Upon a log that failed: the node stops, and says why. It must not go on: it would promise what it cannot keep.

use crate::assemble::{self, AnyGuard};
use crate::clock::Clock;
use crate::config::{Config, Processes};
use crate::core::{Core, Keeping};
use crate::gate::Gate;
use crate::http::{self, Shared};
use crate::inquiries::Inquiries;
use crate::notify::Notify;
use crate::report::{Bounds, Report};
use crate::single::Single;
use crate::starts;
use crate::telling::{Level, News, Say};
use agree::Replica;
use agree::account::Beside;
use agree::between::Standing;
use agree::roster::{Edition, Signed};
use link::{Keyring, SecretIdentity};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::{Peer, Time};

/// How often a report is left.
pub(crate) const REPORT_EVERY: Duration = Duration::from_millis(200);

/// How often the calendar is looked at.
pub(crate) const CALENDAR_EVERY: Duration = Duration::from_secs(1);

/// The longest that a turn waits: a wish to stop is heard that late at most.
pub(crate) const TURN_MAX: Duration = Duration::from_millis(100);

/// The name of the log in a node's data.
const LOG: &str = "log";

/// Where the log of a node is.
#[must_use]
pub fn log_directory(config: &Config) -> PathBuf {
    config.data.join(LOG)
}

/// Makes in `data` what a node of the first roster keeps.
pub fn create(data: &Path) -> Result<(), String> {
    create_admitted(data, Edition(0))
}

/// Makes in `data` what a machine keeps that the change `admitted` of the roster put into its seat: its log, and the count of its
/// monitor's starts. Nothing of it may be there.
pub fn create_admitted(data: &Path, admitted: Edition) -> Result<(), String> {
    let at = |what: &dyn core::fmt::Display| format!("{}: {what}", data.display());
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| at(&error))?;
    store::create(&data.join(LOG)).map_err(|error| at(&error))?;
    starts::create(data, admitted).map_err(|error| at(&error))
}

/// Where a configuration stands, and the wish to read it anew.
#[derive(Clone, Copy, Debug)]
pub struct Reload<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether somebody wishes it.
    pub wished: &'a AtomicBool,
}

/// Runs the node until `stop`, or until it cannot go on. `say` hears what a person should know.
pub fn run(config: &Config, stop: &Arc<AtomicBool>, say: Say<'_>) -> Result<(), String> {
    run_and_reload(config, None, stop, say)
}

/// The same of a node whose configuration may be read anew.
pub fn run_and_reload(
    config: &Config,
    reload: Option<Reload<'_>>,
    stop: &Arc<AtomicBool>,
    say: Say<'_>,
) -> Result<(), String> {
    let secret = config.secret().map_err(|error| error.to_string())?;
    let seal = config.seal().map_err(|error| error.to_string())?;
    let pins = assemble::pins(&config.cluster);
    let links = assemble::links(config, &secret, &pins)?;
    let (log, recovered) = assemble::log(config, &log_directory(config), links.waker(), say)?;
    let monitored = config.settings().protocol.monitored();
    let incarnation = match monitored {
        true => Some(starts::next(&config.data).map_err(|error| format!("the count of starts: {error}"))?),
        false => None,
    };
    let clock = Clock::default();
    let last = recovered.last;
    let keys = assemble::keyring(config, &secret, seal.as_ref(), &pins)?;
    // The replica has no key of seals.
    let own = keys.without_seal();
    let guard = assemble::guard(config, keys, incarnation.unwrap_or(0), clock.now());
    let replica = assemble::replica(config, Some(own.clone()), recovered)?;
    let inquiries = Inquiries::new(config.node, own.clone());
    let shared = Shared::default();
    if let Some(address) = config.http {
        let address = http::serve(address, Arc::clone(&shared))
            .map_err(|error| format!("cannot answer on {address}: {error}"))?;
        say(Level::Info, &format!("health, metrics and status at http://{address}/"));
    }
    let gate = Gate::new(guard, links).governed(assemble::membership(&config.cluster, &pins));
    let mut node = Single::new(gate, Core::new(replica, log, last), inquiries, clock);
    node.start()?;
    let Config { cluster, listen, .. } = config;
    say(Level::Info, &format!("it runs on {listen} as node {} of {}", config.node.0, cluster.name));
    let notify = Notify::from_environment();
    notify.say("READY=1");
    let (mut reported, mut looked, mut news) = (None, Instant::now(), News::default());
    while !stop.load(Ordering::Relaxed) {
        node.turn(TURN_MAX)?;
        let now = Instant::now();
        if reported.is_none_or(|at| now - at >= REPORT_EVERY) {
            reported = Some(now);
            let report = of_one_process(config, &mut node, clock.now());
            news.tell(&report, say);
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.answers());
            notify.say("WATCHDOG=1");
        }
        if node.inquiries().is_waiting() {
            let account = of_one_process(config, &mut node, clock.now()).account();
            node.tell(&account);
        }
        if now - looked >= CALENDAR_EVERY {
            looked = now;
            pins.set_now(assemble::wall_time());
            node.check_keys();
        }
        if let Some(reload) = reload.filter(|reload| reload.wished.swap(false, Ordering::Relaxed)) {
            match reload_from(config, reload.path, &own, node.gate()) {
                Ok(()) => say(Level::Info, "the roster was read anew"),
                Err(why) => say(Level::Warning, &format!("the configuration stays as it was: {why}")),
            }
        }
    }
    say(Level::Info, "it stops");
    notify.say("STOPPING=1");
    Ok(())
}

fn reload_from(
    config: &Config,
    path: &Path,
    keys: &Keyring,
    gate: &mut Gate<AnyGuard>,
) -> Result<(), String> {
    let new = config.read_anew(path)?;
    let secret = new.secret().map_err(|error| error.to_string())?;
    let changes: Vec<_> = new.cluster.chain.after(Edition(0)).cloned().collect();
    take_over(&secret, &changes, keys, gate)
}

/// What is said from now on is proven by `secret`, and `changes` count.
pub(crate) fn take_over(
    secret: &SecretIdentity,
    changes: &[Signed],
    keys: &Keyring,
    gate: &mut Gate<AnyGuard>,
) -> Result<(), String> {
    let mut arrived = Vec::new();
    keys.switch_to(secret);
    gate.links().switch_to(secret);
    gate.show(changes, &mut arrived).map(|_| ()).map_err(|refusal| refusal.to_string())
}

fn of_one_process<R: Replica, L: Keeping>(
    config: &Config,
    node: &mut Single<AnyGuard, R, L>,
    now: Time,
) -> Report {
    let standing = node.core().standing();
    let beside = Beside { up: true, starts: 1, silent_ms: 0, end: None };
    let refused = node.inquiries().refused();
    report(config, Some(standing), beside, node.gate(), refused, now)
}

/// How a node stands at `now`, a moment of the clock that was started with it; its replica said `standing` and is seen as
/// `beside`.
pub(crate) fn report(
    config: &Config,
    standing: Option<Standing>,
    beside: Beside,
    gate: &mut Gate<AnyGuard>,
    asides_refused: u64,
    now: Time,
) -> Report {
    let (passed, vouches, monitor) =
        (gate.tally().clone(), gate.guard().vouches(), assemble::monitor_part(gate.guard()));
    let bounds = gate.guard().monitor().map(|monitor| {
        let (order, ack) = monitor.bounds();
        Bounds { order: Duration::from_nanos(order.0), ack: Duration::from_nanos(ack.0) }
    });
    let ending = gate.ending(config.node.into());
    let links = gate.links();
    let nodes = config.cluster.nodes().map(|entry| entry.node);
    let up = nodes.filter(|node| links.is_up(Peer::Node(*node))).collect();
    let protocol = config.settings().protocol;
    Report {
        node: config.node,
        protocol,
        apart: config.processes == Processes::Separate && protocol.monitored(),
        standing,
        beside,
        vouches,
        monitor,
        bounds,
        passed,
        asides_refused,
        links: links.counters().clone(),
        up,
        ending,
        now,
    }
}
