//! The same alerts on any number of workers, and after going back.

use super::traffic::{Traffic, host};
use super::{ETHERNET, Said, all_of, no_rules, said};
use crate::Time;
use crate::behaviour::Parameters;
use crate::engine::{Judge, Worker};
use std::sync::Arc;

const SCANNER: [u8; 4] = [192, 0, 2, 66];

/// Scans, a sweep, a flood, guesses and ordinary traffic at the same time, over many shards.
fn everything() -> Traffic {
    let mut scan = Traffic::default();
    for port in 1..=200 {
        scan.refused((SCANNER, 61_000), (host(9), port), true).wait(20);
    }
    let mut sweep = Traffic::default();
    for number in 0..300u16 {
        sweep.syn(([192, 0, 2, 67], 61_000), (host(number), 445), true).wait(15);
        sweep.ping([192, 0, 2, 68], host(number), number % 9 == 0);
    }
    let mut flood = Traffic::default();
    for number in 0..2_000u16 {
        flood.half_open((host(number), 2_000), ([198, 51, 100, 7], 80)).wait(1);
    }
    let mut guesses = Traffic::default();
    for number in 0..30u16 {
        let said: &[(bool, &[u8])] = &[
            (false, b"+OK\r\n"),
            (true, b"USER a\r\n"),
            (false, b"+OK\r\n"),
            (true, b"PASS b\r\n"),
            (false, b"-ERR\r\n"),
        ];
        guesses.talk((SCANNER, 30_000 + number), (host(number), 110), said, true).wait(150);
    }
    let mut all = Traffic::default();
    all.with(&scan).with(&sweep).with(&flood).with(&guesses).wait(20_000).ping(SCANNER, host(1), true);
    all
}

#[test]
fn the_alerts_are_the_same_to_the_byte_on_any_number_of_workers() {
    let traffic = everything();
    let alone = all_of(&traffic, &Parameters::default(), 1);
    assert!(alone.len() >= 10, "{alone:?}");
    for workers in [2, 3, 8, 64] {
        assert_eq!(all_of(&traffic, &Parameters::default(), workers), alone, "{workers} workers");
    }
}

#[test]
fn what_was_put_back_says_the_same_again() {
    let traffic = everything();
    let straight = all_of(&traffic, &Parameters::default(), 1);
    let set = no_rules();
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    worker.watch(&Parameters::default());
    judge.watch(Parameters::default());
    let mut said_so_far: Vec<Said> = Vec::new();
    let feed =
        |worker: &mut Worker, judge: &mut Judge, range: core::ops::Range<usize>, out: &mut Vec<Said>| {
            for number in range {
                let (time, frame) = &traffic.frames[number];
                worker.frame(number as u64 + 1, Time(*time), ETHERNET, frame);
            }
            judge.decide(&worker.take(), &mut |alert| out.push(said(alert)));
        };
    let end = traffic.frames.len();
    for start in (0..end).step_by(500) {
        let (half, whole) = ((start + 250).min(end), (start + 500).min(end));
        feed(&mut worker, &mut judge, start..half, &mut said_so_far);
        let (mark, kept, told) = (worker.mark(), judge.clone(), said_so_far.len());
        feed(&mut worker, &mut judge, half..whole, &mut said_so_far);
        worker.put_back(mark);
        judge = kept;
        said_so_far.truncate(told);
        feed(&mut worker, &mut judge, half..whole, &mut said_so_far);
    }
    worker.finish(end as u64 + 1);
    judge.decide(&worker.take(), &mut |alert| said_so_far.push(said(alert)));
    judge.finish(end as u64 + 1, &mut |alert| said_so_far.push(said(alert)));
    assert_eq!(said_so_far, straight);
}

#[test]
fn nobody_who_does_not_watch_is_told_anything() {
    let traffic = everything();
    let set = no_rules();
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    for (number, (time, frame)) in (1..).zip(&traffic.frames) {
        worker.frame(number, Time(*time), ETHERNET, frame);
    }
    worker.finish(traffic.frames.len() as u64 + 1);
    let mut count = 0;
    judge.decide(&worker.take(), &mut |_| count += 1);
    judge.finish(traffic.frames.len() as u64 + 1, &mut |_| count += 1);
    assert_eq!((count, judge.watched_so_far()), (0, (0, 0, 0)));
}
