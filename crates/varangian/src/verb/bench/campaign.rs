//! What is measured, in which order.
//!
//! For each f, payload, rate that is offered and number of clients: in each repetition every system in turn, each time another one
//!   first. So whatever else the machine does hits all alike, and what is compared was measured within seconds.
//! A cluster is started for each turn and ended after it: no other one idles beside it, and repetitions owe nothing to each other.
//! Upon a system that cannot be measured in a cell: it is said, and the cell goes on without it.
//! Upon a wish to stop: what was measured until then is what there is.

use super::arguments::{Peer, System, Wish};
use super::failure::{self, Outage};
use super::measure::{self, Turn};
use super::peers::Peers;
use super::row::Row;
use super::stop::Stop;
use super::trouble::Trouble;
use crate::progress::Progress;
use crate::say::complain;

/// What was measured.
#[derive(Default)]
pub(super) struct Results {
    pub(super) rows: Vec<Row>,
    pub(super) outages: Vec<Outage>,
    /// Something could not be measured.
    pub(super) is_incomplete: bool,
    /// Somebody wanted us to stop.
    pub(super) was_stopped: bool,
}

/// Measures everything that is wished for.
pub(super) fn run(wish: &Wish, peers: Option<&Peers>, stop: &Stop) -> Results {
    let mut results = Results::default();
    let systems: Vec<System> =
        wish.systems.iter().copied().filter(|system| is_there(*system, peers)).collect();
    let cells = cells(wish);
    let turns = (cells.len() * wish.repetitions * systems.len()) as u64;
    let (mut progress, mut done) = (Progress::new(turns, "turns"), 0);
    'all: for cell in &cells {
        let mut systems = systems.clone();
        for repetition in 1..=wish.repetitions {
            for system in in_turn(&systems, wish.seed, repetition) {
                progress.update(done, &format!(" {} {}", note(cell), system.label()));
                done += 1;
                let turn = Turn { repetition, ..*cell };
                match measure(wish, system, &turn, peers, stop) {
                    Ok(Measured::Row(row)) => results.rows.push(row),
                    Ok(Measured::Outage(outage)) => results.outages.push(outage),
                    Err(Trouble::Stopped) => {
                        results.was_stopped = true;
                        break 'all;
                    }
                    Err(trouble) => {
                        complain!("{}, {}: {trouble}", system.label(), note(cell));
                        results.is_incomplete = true;
                        systems.retain(|other| *other != system);
                    }
                }
            }
        }
    }
    progress.finish();
    results
}

enum Measured {
    Row(Row),
    Outage(Outage),
}

fn measure(
    wish: &Wish,
    system: System,
    turn: &Turn,
    peers: Option<&Peers>,
    stop: &Stop,
) -> Result<Measured, Trouble> {
    match (system, wish.failure, peers) {
        (System::Ours(protocol), None, _) => measure::measure(wish, protocol, turn, stop).map(Measured::Row),
        (System::Ours(protocol), Some(failure), _) => {
            failure::run(wish, failure, protocol, turn, stop).map(Measured::Outage)
        }
        (System::Theirs { peer, is_batched }, _, Some(peers)) => {
            peers.measure(wish, (peer, is_batched), turn, stop).map(Measured::Row)
        }
        (System::Theirs { .. }, _, None) => Err(Trouble::Peer("no tool".to_string())),
    }
}

/// Everything that differs but the repetition.
fn cells(wish: &Wish) -> Vec<Turn> {
    let mut cells = Vec::new();
    for f in &wish.f {
        for payload in &wish.payloads {
            for offered in &wish.offered {
                for clients in &wish.clients {
                    cells.push(Turn {
                        f: *f,
                        clients: *clients,
                        payload: *payload,
                        offered: *offered,
                        repetition: 0,
                    });
                }
            }
        }
    }
    cells
}

/// The systems, another one first each time.
fn in_turn(systems: &[System], seed: u64, repetition: usize) -> Vec<System> {
    let mut systems = systems.to_vec();
    if !systems.is_empty() {
        let first = (seed % systems.len() as u64) as usize + repetition - 1;
        let first = first % systems.len();
        systems.rotate_left(first);
    }
    systems
}

fn is_there(system: System, peers: Option<&Peers>) -> bool {
    let missing = |peer: Peer| peers.map_or(Some(String::new()), |peers| peers.missing(peer));
    match system {
        System::Ours(_) => true,
        System::Theirs { peer, .. } => match missing(peer) {
            None => true,
            Some(why) => {
                if !why.is_empty() {
                    complain!("{why}");
                }
                false
            }
        },
    }
}

fn note(turn: &Turn) -> String {
    let kilobytes = |bytes: usize| bytes as f64 / 1024.0;
    format!(
        "f = {}, {}/{}, {} clients",
        turn.f,
        kilobytes(turn.payload.request_bytes),
        kilobytes(turn.payload.reply_bytes),
        turn.clients
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use agree::Protocol;

    #[test]
    fn everybody_is_first_and_last_as_often_as_the_others() {
        let systems = [Protocol::ByzId, Protocol::Paxos, Protocol::Pbft].map(System::Ours);
        for seed in 0..4 {
            let orders: Vec<Vec<System>> =
                (1..=3).map(|repetition| in_turn(&systems, seed, repetition)).collect();
            for place in 0..3 {
                let mut there: Vec<String> = orders.iter().map(|order| order[place].label()).collect();
                there.sort();
                assert_eq!(there, ["byzid", "paxos", "pbft"]);
            }
        }
        assert!(in_turn(&[], 7, 1).is_empty());
    }
}
