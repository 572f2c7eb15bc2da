//! How far a model goes: what there is, and how much of each kind of trouble.
//!
//! A scope is finite because everything that could go on for ever is counted: timers that run out, frames that are lost or
//! come twice, crashes, restarts, lies. Within its counts *every* order of events is explored.

use super::lie::Lie;
use super::node::Owner;
use agree::settings::TIME_MAX;
use agree::{Protocol, Settings};
use core::time::Duration;

/// How often things may still happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Budget {
    /// Timers of guards run out, that is, of monitors.
    pub guard_timers: u8,
    /// Timers of replicas run out.
    pub replica_timers: u8,
    /// Frames are lost.
    pub losses: u8,
    /// Frames come twice.
    pub duplicates: u8,
    /// Replicas crash and are started again.
    pub crashes: u8,
    /// Monitors crash and are started again.
    pub monitor_restarts: u8,
    /// The traitor lies.
    pub lies: u8,
    /// The traitor falls silent.
    pub silence: u8,
    /// A client sends its request again, to one node.
    pub retries: u8,
}

impl Budget {
    /// Nothing happens.
    pub const NONE: Budget = Budget {
        guard_timers: 0,
        replica_timers: 0,
        losses: 0,
        duplicates: 0,
        crashes: 0,
        monitor_restarts: 0,
        lies: 0,
        silence: 0,
        retries: 0,
    };

    /// How often the timers of `owner` may still run out.
    pub fn timers(&mut self, owner: Owner) -> &mut u8 {
        match owner {
            Owner::Guard => &mut self.guard_timers,
            Owner::Replica => &mut self.replica_timers,
        }
    }
}

/// What happens before the exploration begins, one thing after the other, without choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prologue {
    /// The next client sends its request.
    Ask,
    /// Everything is delivered and durable, until nothing is under way.
    Quiet,
    /// The guard's timer of this node runs out.
    Fire(u16),
}

/// What one exploration covers.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name, by which it is run.
    pub name: &'static str,
    /// What it covers, in a sentence.
    pub covers: &'static str,
    /// The protocol.
    pub protocol: Protocol,
    /// Requests, each of a client of its own.
    pub requests: usize,
    /// Requests in one batch at most.
    pub batch: usize,
    /// A checkpoint every so many batches.
    pub interval: u64,
    /// Batches outstanding at most.
    pub window: u64,
    /// Whose replica is the traitor.
    pub traitor: Option<u16>,
    /// What it may lie about.
    pub lies: &'static [Lie],
    /// Whether a write is durable at once. Where nothing crashes, a slow disk only delays what is said, as the network does.
    pub disks_at_once: bool,
    /// Nodes whose timers run out; at the others none does.
    pub timers_at: &'static [u16],
    /// Nodes that may crash.
    pub crashes_at: &'static [u16],
    /// Nodes whose monitors may crash.
    pub monitor_restarts_at: &'static [u16],
    /// What happens first.
    pub prologue: &'static [Prologue],
    /// How often what may happen.
    pub budget: Budget,
    /// What must be seen somewhere, or the model shows nothing.
    pub sometimes: &'static [Sometimes],
}

/// What should be possible.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sometimes {
    /// A client believes a result.
    Accepted,
    /// Every client does.
    AllAccepted,
    /// A correct replica enters a later configuration or view.
    Changed,
    /// A client believes a result of a later configuration or view.
    AcceptedAfterChange,
    /// A checkpoint is stable at a correct replica.
    Stable,
    /// The traitor is proven guilty.
    Caught,
    /// Replies that contradict each other reached a client.
    WrongReply,
}

impl Sometimes {
    /// All of them.
    pub const ALL: [Sometimes; 7] = [
        Sometimes::Accepted,
        Sometimes::AllAccepted,
        Sometimes::Changed,
        Sometimes::AcceptedAfterChange,
        Sometimes::Stable,
        Sometimes::Caught,
        Sometimes::WrongReply,
    ];
}

/// Every timer of a model that matters is as long as this; which of two runs out first is the explorer's choice.
const SPAN: Duration = Duration::from_secs(1);

/// What is said only to say something is not said in a model.
const NEVER: Duration = TIME_MAX;

impl Scope {
    /// The smallest scope of `protocol`: one request, nobody lies, nothing breaks.
    #[must_use]
    pub const fn of(protocol: Protocol, name: &'static str, covers: &'static str) -> Scope {
        Scope {
            name,
            covers,
            protocol,
            requests: 1,
            batch: 1,
            interval: 2,
            window: 2,
            traitor: None,
            lies: &[],
            disks_at_once: true,
            timers_at: &[0, 1, 2, 3],
            crashes_at: &[0, 1, 2, 3],
            monitor_restarts_at: &[0, 1, 2],
            prologue: &[],
            budget: Budget::NONE,
            sometimes: &[Sometimes::Accepted],
        }
    }

    /// The cluster's settings: f = 1, and small numbers.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.protocol, 1);
        settings.checkpoint_interval = self.interval;
        settings.window = self.window;
        settings.batch_requests_max = self.batch;
        settings.requests_waiting_max = self.requests.max(1);
        settings.retransmit_after = SPAN;
        // Longer, so that what is lost is sent again before anybody loses patience for want of it.
        settings.view_timeout = SPAN * 2;
        settings.view_timeout_max = SPAN * 16;
        settings.heartbeat_every = if self.protocol.monitored() { NEVER } else { SPAN };
        settings
    }
}
