//! What a request costs when nothing goes wrong: message delays, messages, authenticators.
//!
//! One client, one request at a time, links that all take exactly δ, disks that take no time. What `count` requests cost
//! is what a run of `2·count` costs more than a run of `count`: so what a cluster says once, at its start, does not count.
//! For batches of more than one request there are as many clients as keep every batch full, and one batch at a time.

use crate::client::SimStation;
use crate::disk::Speed;
use crate::keys::Counts;
use crate::mix::Mix;
use crate::network::Latency;
use crate::only::Only;
use crate::plan::Plan;
use crate::run::RunSettings;
use crate::world::{Making, World};
use agree::{Protocol, Settings};
use core::time::Duration;
use std::collections::BTreeMap;
use wire::Time;

/// The latency of every link.
const DELTA: Duration = Duration::from_millis(1);

/// Requests that are measured.
const REQUESTS: u64 = 50;

/// Requests of each client that are measured, where there are many.
const REQUESTS_EACH: u64 = 16;

/// The paper's K. No run comes to its first checkpoint: each has at most a hundred batches.
const CHECKPOINT_INTERVAL: u64 = 128;

/// What a request costs.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Which protocol.
    pub protocol: Protocol,
    /// How many faulty replicas it masks.
    pub f: usize,
    /// How many requests share a place in the order.
    pub batch: usize,
    /// Message delays from the request to the result that the client accepts: the most over all requests.
    pub delays: u64,
    /// Messages per request, by name.
    pub messages: BTreeMap<&'static str, f64>,
    /// MACs made per request, by everybody.
    pub macs_made: f64,
    /// MACs checked per request.
    pub macs_checked: f64,
    /// Signatures made per request.
    pub signatures_made: f64,
    /// Signatures checked per request.
    pub signatures_checked: f64,
    /// Seals made per request.
    pub seals_made: f64,
    /// Seals checked per request.
    pub seals_checked: f64,
}

impl Measured {
    /// Messages per request, all together.
    #[must_use]
    pub fn messages_in_all(&self) -> f64 {
        self.messages.values().sum()
    }
}

/// Measures `protocol` for `f`, with batches of one request.
///
/// # Panics
/// If a cluster without faults does not serve its client.
#[must_use]
pub fn measure(protocol: Protocol, f: usize) -> Measured {
    measure_batches(protocol, f, 1)
}

/// Clients for each request of a batch, where batches hold more than one: so many that one batch is always full while another
/// is answered.
const CLIENTS_PER_REQUEST: usize = 3;

/// Measures `protocol` for `f`, with batches of so many requests.
///
/// # Panics
/// If a cluster without faults does not serve its clients.
#[must_use]
pub fn measure_batches(protocol: Protocol, f: usize, batch: usize) -> Measured {
    let clients = if batch == 1 { 1 } else { CLIENTS_PER_REQUEST * batch };
    let each = if batch == 1 { REQUESTS } else { REQUESTS_EACH };
    let (_, few_messages, few) = cost(protocol, f, batch, clients, each);
    let (delays, many_messages, many) = cost(protocol, f, batch, clients, 2 * each);
    let per = |many: u64, few: u64| (many - few) as f64 / (each * clients as u64) as f64;
    let messages = many_messages
        .iter()
        .map(|(name, count)| (*name, per(*count, few_messages.get(name).copied().unwrap_or(0))))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    Measured {
        protocol,
        f,
        batch,
        delays,
        messages,
        macs_made: per(many.macs_made, few.macs_made),
        macs_checked: per(many.macs_checked, few.macs_checked),
        signatures_made: per(many.signatures_made, few.signatures_made),
        signatures_checked: per(many.signatures_checked, few.signatures_checked),
        seals_made: per(many.seals_made, few.seals_made),
        seals_checked: per(many.seals_checked, few.seals_checked),
    }
}

/// The most delays of a request, the messages by name, and the authenticators of a run of so many requests of each client.
fn cost(
    protocol: Protocol,
    f: usize,
    batch: usize,
    clients: usize,
    requests: u64,
) -> (u64, BTreeMap<&'static str, u64>, Counts) {
    let settings = RunSettings { mix: Mix::NONE, only: Only::default(), ..RunSettings::new(protocol, f) };
    let mut plan: Plan = settings.plan(0);
    let hour = Duration::from_secs(3600);
    plan.tuning.clients = clients;
    plan.tuning.sessions = 1;
    plan.tuning.turn = Duration::ZERO;
    plan.tuning.operations = requests;
    plan.tuning.think = Duration::ZERO;
    plan.tuning.latency = Latency { least: DELTA, spread: Duration::ZERO };
    plan.tuning.disk = Speed { least: Duration::ZERO, spread: Duration::ZERO };
    let cluster = &mut plan.tuning.settings;
    // More than there are batches: a checkpoint is not part of what a request costs.
    cluster.checkpoint_interval = CHECKPOINT_INTERVAL;
    cluster.window = if batch == 1 { 8 } else { 1 };
    cluster.batch_requests_max = batch;
    cluster.batch_bytes_max = 64 << 10;
    cluster.requests_waiting_max = clients;
    cluster.sessions_bytes_max = Settings::new(protocol, f).sessions_bytes_max;
    // Nothing but the requests themselves shall happen: nobody loses patience, nobody says that it is there.
    cluster.retransmit_after = hour;
    cluster.view_timeout = hour;
    cluster.view_timeout_max = hour;
    cluster.heartbeat_every = hour;
    plan.heal = Time::ZERO.after(hour);
    plan.rest = plan.heal;
    let mut world = World::new(plan, 0, Making::default());
    world.run_until(|clients| clients.iter().all(SimStation::is_done));
    assert_eq!(world.around.stats.checkpoints, 0, "a checkpoint would be counted as a request's");
    assert!(world.around.checkers.violations().is_empty(), "{:?}", world.around.checkers.violations());
    let took = world.around.checkers.history().iter().map(|(_, _, asked)| {
        let told = asked.told.as_ref().expect("all clients are done");
        told.at.since(asked.invoked).as_nanos().div_ceil(DELTA.as_nanos()) as u64
    });
    let delays = took.skip(1).max().unwrap_or(0);
    (delays, world.around.stats.messages(), world.authenticators())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_takes_the_delays_and_messages_that_it_promises() {
        let paxos = measure(Protocol::Paxos, 1);
        assert_eq!(paxos.delays, 4, "request, accept, accepted, reply");
        assert_eq!(paxos.messages_in_all(), 6.0, "{:?}", paxos.messages);
        let pbft = measure(Protocol::Pbft, 1);
        assert_eq!(pbft.delays, 5, "request, pre-prepare, prepare, commit, reply");
        assert_eq!((pbft.messages["PREPARE"], pbft.messages["COMMIT"]), (9.0, 12.0));
        let byzid = measure(Protocol::ByzId, 1);
        assert_eq!(byzid.delays, 3, "request, order, reply");
        assert_eq!((byzid.messages["ORDER"], byzid.messages["ACK"]), (2.0, 2.0));
        assert_eq!(byzid.signatures_made, 0.0);
        let wide = measure(Protocol::ByzIdW, 1);
        assert_eq!((wide.delays, wide.signatures_made), (3, 1.0));
    }

    #[test]
    fn a_batch_shares_what_it_costs_among_its_requests() {
        for (protocol, order) in [(Protocol::ByzId, "ORDER"), (Protocol::Paxos, "ACCEPT")] {
            assert_eq!(measure_batches(protocol, 1, 16).messages[order], 2.0 / 16.0);
        }
        assert_eq!(measure_batches(Protocol::Pbft, 1, 16).messages["PREPARE"], 9.0 / 16.0);
        assert_eq!(measure_batches(Protocol::ByzIdW, 1, 16).signatures_made, 1.0 / 16.0);
    }

    #[test]
    fn what_is_measured_grows_with_f_as_it_should() {
        for f in 1..=3 {
            let members = 2.0 * f as f64;
            assert_eq!(measure(Protocol::ByzId, f).messages["ORDER"], members);
            assert_eq!(measure(Protocol::Paxos, f).messages["ACCEPT"], members);
        }
    }
}
