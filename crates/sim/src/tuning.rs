//! How a run's cluster, load and hardware are set: drawn from the seed, small on purpose.
//!
//! Small intervals and windows make checkpoints, truncation, state transfer and full windows everyday events; short
//! timeouts make view changes cheap; small chunks make a state transfer long enough to be interrupted and lied to.

use crate::crew::Crew;
use crate::disk::Speed;
use crate::network::Latency;
use crate::random::{Random, Stream};
use agree::checkpoint::CHUNK_BYTES_MAX;
use agree::settings::SESSIONS_BYTES_MIN;
use agree::{Protocol, Settings};
use core::time::Duration;
use wire::NodeId;

/// How a run is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// The cluster.
    pub settings: Settings,
    /// Clients.
    pub clients: usize,
    /// Of how many clients each station is the process.
    pub sessions: usize,
    /// How long a station gathers what is to leave, at most.
    pub turn: Duration,
    /// Requests that each client makes at most.
    pub operations: u64,
    /// The longest that a client thinks.
    pub think: Duration,
    /// The links.
    pub latency: Latency,
    /// The disks.
    pub disk: Speed,
}

impl Tuning {
    /// The tuning of the run `seed`.
    #[must_use]
    pub fn generate(protocol: Protocol, f: usize, seed: u64) -> Self {
        let random = &mut Random::new(seed, Stream::Tuning);
        let micros = Duration::from_micros;
        let millis = Duration::from_millis;
        let mut settings = Settings::new(protocol, f);
        settings.checkpoint_interval = random.pick(&[4, 8, 8, 16]);
        settings.window = random.between(1, 8);
        settings.batch_requests_max = random.pick(&[1, 2, 4, 64]);
        settings.batch_bytes_max = random.pick(&[32, 256, 64 << 10]);
        settings.requests_waiting_max = random.pick(&[2, 8, 64]);
        settings.retransmit_after = random.duration(millis(15), millis(50));
        settings.view_timeout = random.duration(millis(50), millis(250));
        settings.view_timeout_max = random.duration(millis(1_000), millis(2_000));
        settings.heartbeat_every = settings.view_timeout / 5;
        if protocol.monitored() && random.chance(400) {
            let first = settings.n() as u16;
            settings.spares = (first..first + random.between(1, 2) as u16).map(NodeId).collect();
        }
        let slow_network = random.chance(250);
        let (least, spread) = if slow_network { (millis(4), millis(8)) } else { (micros(50), millis(1)) };
        let slowest_disk = millis(random.pick(&[1, 3, 20]));
        let mut tuning = Tuning {
            settings,
            clients: random.between(2, 6) as usize,
            sessions: 1,
            turn: Duration::ZERO,
            operations: u64::MAX,
            think: millis(random.pick(&[1, 5, 20, 50])),
            latency: Latency {
                least: random.duration(micros(20), least),
                spread: random.duration(micros(20), spread),
            },
            disk: Speed {
                least: random.duration(micros(10), micros(200)),
                spread: random.duration(micros(10), slowest_disk),
            },
        };
        // A state here has a few hundred bytes: one chunk, unless chunks are small.
        tuning.settings.chunk_bytes = random.pick(&[CHUNK_BYTES_MAX, 24, 64, 160]);
        tuning.sessions = random.pick(&[1, 2, 3, 6]);
        tuning.turn = random.pick(&[Duration::ZERO, micros(200), millis(2)]);
        if random.chance(200) {
            // More clients than there is room for: sessions are forgotten while they are in use.
            tuning.clients = random.between(8, 12) as usize;
            tuning.settings.sessions_bytes_max = SESSIONS_BYTES_MIN;
        }
        tuning
    }

    /// The clients.
    #[must_use]
    pub fn crew(&self) -> Crew {
        Crew { clients: self.clients, sessions: self.sessions }
    }
}
