//! What the store costs on this machine: commands, digests, checkpoints of states of three sizes, and the check of a history.
//! The figures of `docs/adr/0011-checkpoints-that-follow-what-changed.md` are from here.
//!
//!     cargo run --release -p kv --example costs

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::disallowed_types,
    reason = "it measures and prints; it is no logic"
)]

use agree::Service;
use agree::checkpoint::{CHUNK_BYTES_MAX, Checkpoint};
use agree::machine::Machine;
use core::time::Duration;
use kv::history::{Operation, Verdict, check};
use kv::{Command, Limits, Null, Store};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;
use wire::{ClientId, Digest, Encode, Sequence, Time};

const REPETITIONS: usize = 7;

/// The median time of some runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[REPETITIONS / 2]
}

/// Keys that follow each other stand anywhere.
fn key(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn put(number: u64, keys: u64, value_bytes: usize) -> Command {
    let key = key(number % keys).to_be_bytes();
    let mut value = vec![number as u8; value_bytes];
    value[..8].copy_from_slice(&number.to_le_bytes());
    Command::put(key.to_vec(), value)
}

fn commands() {
    println!("command                                  ns each");
    for value_bytes in [16, 100, 1000, 4000, 60_000] {
        let keys = 1000;
        let puts: Vec<_> = (0..2000).map(|number| put(number, keys, value_bytes).to_bytes()).collect();
        let gets: Vec<_> =
            (0..keys).map(|number| Command::get(key(number).to_be_bytes().to_vec()).to_bytes()).collect();
        let mut store = Store::default();
        let put = median(|| puts.iter().for_each(|put| drop(store.apply(put)))) / puts.len() as u32;
        let get = median(|| gets.iter().for_each(|get| drop(store.apply(get)))) / gets.len() as u32;
        println!(
            "put of {value_bytes:6} bytes, get of as many     {:6} {:6}",
            put.as_nanos(),
            get.as_nanos()
        );
    }
    let (mut null, store) = (Null::default(), Store::default());
    let command = Null::command(4096, 4096);
    let each = median(|| (0..1000).for_each(|_| drop(null.apply(&command)))) / 1000;
    println!("null 4/4                                 {:6}", each.as_nanos());
    let each = median(|| {
        (0..1000).for_each(|_| {
            black_box(store.digest());
        })
    }) / 1000;
    println!("digest                                   {:6}", each.as_nanos());
}

fn checkpoints() {
    println!(
        "\nstate: MB, values of   snapshot  machine's  checkpoint  restore ms   fixed chunks changed by 1, 128, 32768 puts"
    );
    for (megabytes, value_bytes) in [(1, 1000), (10, 1000), (100, 1000), (100, 10_000)] {
        let keys = megabytes * 1_000_000 / value_bytes as u64;
        // No past but a little: the size of the state is that of its entries.
        let limits = Limits { changes: 1, ..Limits::default() };
        let mut store = Store::new(limits);
        (0..2 * keys).for_each(|number| drop(store.execute(&put(number, keys, value_bytes))));
        let snapshot = median(|| drop(black_box(store.snapshot())));
        let machine = Machine::new(store.clone(), 1 << 20);
        let machines = median(|| drop(black_box(machine.snapshot())));
        let before = store.snapshot();
        let digests =
            |snapshot: &[u8]| snapshot.chunks(CHUNK_BYTES_MAX).map(Digest::of_bytes).collect::<Vec<_>>();
        let checkpoint = median(|| drop(Checkpoint::new(Sequence(1), before.clone(), CHUNK_BYTES_MAX)));
        let mut restored = Store::new(limits);
        let restore = median(|| restored.restore(&before).expect("it is a snapshot"));
        let old = digests(&before);
        let changed = PUTS.map(|puts| {
            let mut store = store.clone();
            (0..puts).for_each(|number| drop(store.execute(&put(number * 7, keys, value_bytes))));
            let new = digests(&store.snapshot());
            old.iter().zip(&new).filter(|(old, new)| old != new).count() * 100 / old.len()
        });
        println!(
            "{megabytes:9} {value_bytes:9}     {:8.2}   {:8.2}    {:8.2}    {:8.2}   {changed:3?} % of {}",
            ms(snapshot),
            ms(machines),
            ms(checkpoint),
            ms(restore),
            old.len()
        );
    }
}

/// What a checkpoint costs if the state is cut into leaves by the hash of the key, and only those that changed since the
/// last are written and hashed again: a trial with a small store for each leaf.
fn leaves() {
    println!(
        "\nleaves of KiB   number   ms for 1, 128, 32768 puts anywhere       ms for as many on 1 % of the keys"
    );
    let (keys, value_bytes) = (100_000, 1000);
    for leaf_bytes in [4 << 10, 16 << 10, 128 << 10] {
        let number = (keys as usize * (value_bytes + 33)).div_ceil(leaf_bytes);
        let mut leaves = vec![Store::new(Limits { changes: 0, ..Limits::default() }); number];
        let leaf_of = |key: u64| (key.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32) as usize % number;
        for at in 0..keys {
            leaves[leaf_of(key(at))].execute(&put(at, keys, value_bytes));
        }
        let mut digests = vec![Digest::ZERO; number];
        let mut time = |puts: u64, spread: u64| {
            median(|| {
                let changed: BTreeSet<usize> = (0..puts).map(|at| leaf_of(key(at * 7 % spread))).collect();
                for leaf in changed {
                    digests[leaf] = Digest::of_bytes(&leaves[leaf].snapshot());
                }
            })
        };
        let anywhere = PUTS.map(|puts| ms(time(puts, keys)));
        let hot = PUTS.map(|puts| ms(time(puts, keys / 100)));
        println!("{:13}   {number:6}   {anywhere:8.2?}      {hot:8.2?}", leaf_bytes >> 10);
    }
}

const PUTS: [u64; 3] = [1, 128, 32_768];

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A million operations of 64 clients, one in a thousand of unknown outcome.
fn histories() {
    let (mut store, mut history) = (Store::default(), Vec::new());
    for number in 0..1_000_000u64 {
        let command = match number % 4 {
            0 | 1 => put(number, 10_000, 16),
            _ => Command::get(key(number % 10_000).to_be_bytes().to_vec()),
        };
        let answer = store.execute(&command);
        let told = (number % 1000 != 0).then_some((Time(number + 64), answer));
        history.push(Operation { client: ClientId(number % 64), command, invoked: Time(number), told });
    }
    let start = Instant::now();
    let verdict = check(Store::default(), &history);
    println!("\na history of {} operations: {:.2} s", history.len(), start.elapsed().as_secs_f64());
    assert_eq!(verdict, Verdict::Linearizable);
}

fn main() {
    commands();
    checkpoints();
    leaves();
    histories();
}
