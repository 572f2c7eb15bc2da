//! Linearizable: clients cannot tell the cluster from one copy of the service that executes one operation at a time.
//!
//! At the end the final history is replayed, place by place, through a model: the service's specification written a
//! second time, simply, and fed with the operations of the clients' own records.
//!   - every result that a client accepted is the model's;
//!   - no operation stands after one that was invoked only when it had already been answered (real time);
//!   - the state's digest, computed from the model from scratch, is the replicas'.
//!
//! The total order is given, so this is linear in the length of the history; no search is needed. Only where a client asked
//! for two things under one number (it lies) both are tried: the state after the batch says which one the replicas executed.

use super::history::{Asked, History};
use super::ledger::{Ledger, Variant};
use crate::service::{
    FULL, NONSENSE, Operation, REGISTERS, VALUE_BYTES_MAX, digest_of, edition_is, fingerprint_of,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use wire::{ClientId, Decode, Digest, Sequence, Time, Timestamp};

/// The registers, as plainly as they can be written.
#[derive(Clone, Default)]
struct Model {
    registers: BTreeMap<usize, Vec<u8>>,
    writes: u64,
    edition: u64,
}

impl Model {
    fn apply(&mut self, operation: &Bytes) -> Vec<u8> {
        let Ok(operation) = Operation::from_bytes(operation.clone()) else { return NONSENSE.to_vec() };
        let (key, value, result) = match operation {
            Operation::Get { key } => return self.read(key),
            Operation::Put { key, value } => (key, value.to_vec(), self.read(key)),
            Operation::Cas { key, expected, value } => {
                let held = self.read(key);
                if held != expected {
                    return [&[0], &held[..]].concat();
                }
                (key, value.to_vec(), [&[1], &held[..]].concat())
            }
            Operation::Append { key, value } => {
                let longer = [self.read(key), value.to_vec()].concat();
                if longer.len() > VALUE_BYTES_MAX {
                    return FULL.to_vec();
                }
                let length = longer.len() as u8;
                (key, longer, vec![length])
            }
            Operation::Increment { key } => {
                let held = self.read(key);
                let number = if held.len() == 8 {
                    held.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
                } else {
                    0
                };
                let next = number.wrapping_add(1).to_le_bytes().to_vec();
                (key, next.clone(), next)
            }
            Operation::Replace { edition, .. } => {
                if edition == self.edition + 1 {
                    self.edition = edition;
                    self.writes += 1;
                }
                return edition_is(self.edition).to_vec();
            }
        };
        self.registers.insert(usize::from(key) % REGISTERS, value);
        self.writes += 1;
        result
    }

    fn read(&self, key: u8) -> Vec<u8> {
        self.registers.get(&(usize::from(key) % REGISTERS)).cloned().unwrap_or_default()
    }

    fn digest(&self) -> Digest {
        let sum = self
            .registers
            .iter()
            .fold(0u64, |sum, (key, value)| sum.wrapping_add(fingerprint_of(*key, value)));
        digest_of(sum, self.writes)
    }
}

/// The state is compared with the model's every so many places, and at the last.
const DIGEST_EVERY: u64 = 64;

/// Replays `path`. What is wrong, and when it showed at a client, if it did.
pub fn check(ledger: &Ledger, history: &History, path: &[Variant]) -> Result<(), (Option<Time>, String)> {
    let mut model = Model::default();
    let mut latest_invocation = Time::ZERO;
    let mut latest = String::new();
    for (index, variant) in path.iter().enumerate() {
        let sequence = Sequence(index as u64 + 1);
        let Some(entry) = ledger.entry(sequence, *variant) else { continue };
        let applied: Vec<Applied> = ledger
            .applied(entry)
            .iter()
            .filter_map(|(client, timestamp)| {
                Some((*client, *timestamp, history.asked(*client, *timestamp)?))
            })
            .collect();
        let results = apply(&mut model, &applied, entry.state);
        for ((client, timestamp, asked), result) in applied.into_iter().zip(results) {
            if asked.invoked > latest_invocation {
                latest_invocation = asked.invoked;
                latest = format!("{client}{timestamp}");
            }
            let Some(told) = asked.result() else { continue };
            if told.result != result {
                let told_result = &told.result;
                return Err((
                    Some(told.at),
                    format!(
                        "{client} was told {told_result:?} for {timestamp} ({}) at {sequence}; one copy of the service \
                         says {:?}",
                        describe(&asked.operation),
                        Bytes::from(result)
                    ),
                ));
            }
            if told.at < latest_invocation {
                return Err((
                    Some(told.at),
                    format!(
                        "{client}{timestamp} was answered before {latest} was invoked, yet stands after it, at {sequence}"
                    ),
                ));
            }
        }
        let last = index + 1 == path.len();
        if (last || sequence.0.is_multiple_of(DIGEST_EVERY)) && model.digest() != entry.state {
            return Err((
                Some(entry.at),
                format!(
                    "after {sequence} replicas are in state {}; one copy of the service is in {}",
                    entry.state,
                    model.digest()
                ),
            ));
        }
    }
    Ok(())
}

/// A request that was applied, and what is known of it.
type Applied<'a> = (ClientId, Timestamp, &'a Asked);

/// Requests of one batch that are tried both ways at most; the rest are taken for what was asked first.
const TRIED_MAX: usize = 8;

/// Applies a batch that left replicas in `state`, and returns the results.
///
/// Where clients asked for two things: of all ways that come to this state, one by which they were told the truth, if
/// there is one.
fn apply(model: &mut Model, applied: &[Applied], state: Digest) -> Vec<Vec<u8>> {
    let doubtful = applied.iter().filter(|(_, _, asked)| asked.other.is_some()).count().min(TRIED_MAX);
    if doubtful == 0 {
        return applied.iter().map(|(_, _, asked)| model.apply(&asked.operation)).collect();
    }
    let ways: Vec<(Model, Vec<Vec<u8>>)> = (0..1u32 << doubtful)
        .map(|way| {
            let (mut model, mut bit) = (model.clone(), 0);
            let results = applied
                .iter()
                .map(|(_, _, asked)| match &asked.other {
                    None => model.apply(&asked.operation),
                    Some(other) => {
                        bit += 1;
                        model.apply(if way >> (bit - 1) & 1 == 1 { other } else { &asked.operation })
                    }
                })
                .collect();
            (model, results)
        })
        .collect();
    let is_right = |(model, _): &&(Model, Vec<Vec<u8>>)| model.digest() == state;
    let is_told = |(_, results): &&(Model, Vec<Vec<u8>>)| {
        applied
            .iter()
            .zip(results)
            .all(|((_, _, asked), result)| asked.result().is_none_or(|told| told.result == *result))
    };
    let way = ways.iter().find(|way| is_right(way) && is_told(way)).or_else(|| ways.iter().find(is_right));
    let (right, results) = way.unwrap_or(&ways[0]).clone();
    *model = right;
    results
}

/// An operation in words.
#[must_use]
pub fn describe(operation: &Bytes) -> String {
    match Operation::from_bytes(operation.clone()) {
        Ok(operation) => format!("{operation:?}"),
        Err(_) => "nonsense".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Entry;
    use super::*;
    use crate::service::Registers;
    use agree::Service;
    use agree::client::Accepted;
    use wire::{Encode, View};

    /// Two clients increment a register, one after the other, and are told these results; executed in this order.
    fn world(told: [u64; 2], order: [u64; 2]) -> (Ledger, History) {
        let operation = Operation::Increment { key: 1 }.to_bytes();
        let mut history = History::new(crate::crew::Crew::together(2));
        let mut ledger = Ledger::new(1);
        let mut registers = Registers::default();
        for client in 1..=2u64 {
            history.invoked(Time(client * 100), ClientId(client), Timestamp(1), operation.clone());
        }
        for (place, client) in (1..).zip(order) {
            registers.apply(&operation);
            let entry = Entry { state: registers.digest(), ..Entry::default() };
            ledger.enter(Sequence(place), entry, &[(ClientId(client), Timestamp(1))]);
        }
        for (client, result) in (1..=2u64).zip(told) {
            let result = Bytes::copy_from_slice(&result.to_le_bytes());
            let accepted =
                Accepted { timestamp: Timestamp(1), view: View(0), sequence: Sequence(client), result };
            history.accepted(Time(client * 100 + 50), ClientId(client), &accepted);
        }
        (ledger, history)
    }

    #[test]
    fn the_model_and_the_service_agree() {
        let mut random = crate::random::Random::new(1, crate::random::Stream::Clients);
        let mut registers = Registers::default();
        let mut model = Model::default();
        for _ in 0..2000 {
            let operation = crate::load::operation(&mut random).to_bytes();
            assert_eq!(registers.apply(&operation), model.apply(&operation));
            assert_eq!(registers.digest(), model.digest());
        }
    }

    #[test]
    fn right_results_in_the_order_of_real_time_pass() {
        let (ledger, history) = world([1, 2], [1, 2]);
        assert_eq!(check(&ledger, &history, &[0, 0]), Ok(()));
    }

    #[test]
    fn a_wrong_result_is_found() {
        let (ledger, history) = world([1, 1], [1, 2]);
        let (at, explanation) =
            check(&ledger, &history, &[0, 0]).expect_err("the second counts from the first");
        assert_eq!(at, Some(Time(250)));
        assert!(explanation.contains("c2 was told"), "{explanation}");
    }

    #[test]
    fn an_order_against_real_time_is_found() {
        let (ledger, history) = world([2, 1], [2, 1]);
        let (_, explanation) =
            check(&ledger, &history, &[0, 0]).expect_err("c2 asked when c1 had its answer");
        assert!(explanation.contains("c1T1 was answered before c2T1 was invoked"), "{explanation}");
    }

    /// A client asks for two things under one number; the second is executed, and it is told this.
    fn two_minds(told: &'static [u8]) -> (Ledger, History) {
        let put =
            |value: &'static [u8]| Operation::Put { key: 1, value: Bytes::from_static(value) }.to_bytes();
        let get = Operation::Get { key: 1 }.to_bytes();
        let mut history = History::new(crate::crew::Crew::together(2));
        let mut ledger = Ledger::new(1);
        let mut registers = Registers::default();
        history.invoked(Time(1), ClientId(1), Timestamp(1), put(b"one"));
        history.invoked_also(ClientId(1), Timestamp(1), put(b"other"));
        history.invoked(Time(2), ClientId(2), Timestamp(1), get.clone());
        let applied = [(ClientId(1), Timestamp(1)), (ClientId(2), Timestamp(1))];
        registers.apply(&put(b"other"));
        registers.apply(&get);
        ledger.enter(Sequence(1), Entry { state: registers.digest(), ..Entry::default() }, &applied);
        let result = Bytes::from_static(told);
        let accepted = Accepted { timestamp: Timestamp(1), view: View(0), sequence: Sequence(1), result };
        history.accepted(Time(50), ClientId(2), &accepted);
        (ledger, history)
    }

    #[test]
    fn of_two_requests_under_one_number_the_state_says_which_was_executed() {
        let (ledger, history) = two_minds(b"other");
        assert_eq!(check(&ledger, &history, &[0]), Ok(()));
    }

    #[test]
    fn a_client_with_two_minds_is_no_excuse_for_lying_to_another() {
        let (ledger, history) = two_minds(b"one");
        let (at, _) = check(&ledger, &history, &[0]).expect_err("that one was not executed");
        assert_eq!(at, Some(Time(50)));
    }

    #[test]
    fn neither_of_two_requests_is_found() {
        let (mut ledger, history) = two_minds(b"other");
        let applied = [(ClientId(1), Timestamp(1)), (ClientId(2), Timestamp(1))];
        ledger = {
            let state = ledger.entry(Sequence(1), 0).expect("it was entered").state;
            let mut wrong = Registers::default();
            wrong.apply(&Operation::Increment { key: 1 }.to_bytes());
            assert_ne!(wrong.digest(), state);
            let mut ledger = Ledger::new(1);
            ledger.enter(Sequence(1), Entry { state: wrong.digest(), ..Entry::default() }, &applied);
            ledger
        };
        assert!(check(&ledger, &history, &[0]).is_err());
    }

    #[test]
    fn a_state_that_does_not_follow_from_the_operations_is_found() {
        let (mut ledger, history) = world([1, 2], [1, 2]);
        ledger.enter(Sequence(3), Entry::default(), &[]);
        assert!(check(&ledger, &history, &[0, 0, 0]).is_err());
    }
}
