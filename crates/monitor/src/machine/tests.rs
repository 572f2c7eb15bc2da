//! What the monitor must not do to an honest replica, and what a traitor must not get past it.

use super::*;
use crate::queue::Admission;
use alloc::vec;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Ask(u64);

impl Request for Ask {
    fn client(&self) -> u64 {
        self.0
    }
    fn timestamp(&self) -> u64 {
        1
    }
    fn bytes(&self) -> usize {
        8
    }
}

const NOW: Time = Time(1_000_000_000);

fn spec() -> Specification {
    Specification {
        f: 1,
        checkpoint_interval: 4,
        window: 4,
        log_orders_max: 12,
        requests_waiting_max: 32,
        requests_waiting_bytes_max: 1 << 20,
        open: false,
        retransmit_after: Span(50_000_000),
        heartbeat_every: Span(100_000_000),
        view_timeout: Span(500_000_000),
        view_timeout_max: Span(10_000_000_000),
        act_floor: Span(50_000_000),
        act_ceiling: Span(500_000_000),
    }
}

/// The monitor of node `me`, which was never restarted, in a cluster of 0, 1, 2 with the spare 3.
fn monitor(me: Node) -> Monitor<Ask> {
    Monitor::new(spec(), me, FIRST, &[0, 1, 2], &[3], NOW)
}

fn heard(from: Node, view: u64) -> Heard {
    Heard { now: NOW, from, vouched: true, view: View(view) }
}

fn batch(at: u64) -> Digest {
    [u8::try_from(at).expect("a small place"); 32]
}

/// The primary's replica gives a request each the places up to `last`.
fn order_up_to(primary: &mut Monitor<Ask>, last: u64) {
    for at in primary.ordering.last.0 + 1..=last {
        assert_eq!(primary.request_received(NOW, Ask(at)), Admission::Queued);
        let view = primary.configuration.view;
        let sent = primary.order_sent(NOW, None, view, Sequence(at), batch(at), &[Ask(at)], &mut vec![]);
        assert_eq!(sent, Ok(Sent::New));
    }
}

/// A backup is sent the places up to `last` of view 0 by node 0.
fn follow_up_to(backup: &mut Monitor<Ask>, last: u64) {
    for at in 1..=last {
        assert_eq!(
            backup.order_received(heard(0, 0), Sequence(at), batch(at), 1),
            Received::Deliver,
            "place {at}"
        );
    }
}

fn new_config(view: u64, starts: [Incarnation; 3], last: u64) -> NewConfig {
    let members = starts.iter().zip(0..).map(|(start, node)| Member { node, incarnation: *start }).collect();
    NewConfig {
        configuration: Configuration { view: View(view), members },
        claimants: vec![0, 1, 2],
        stable: Sequence(0),
        stable_digest: [0; 32],
        orders: (1..=last).map(batch).collect(),
    }
}

/// The replica of `monitor` claims for `target` that it entered `entered` and has all up to `last`.
fn claim(monitor: &mut Monitor<Ask>, target: u64, entered: &Configuration, last: u64) -> Result<Claim, Rule> {
    let orders = (1..=last).map(batch).collect();
    let (stable, digest) = (Sequence(0), [0; 32]);
    monitor.reconfigure_sent(NOW, View(target), entered.clone(), stable, digest, orders, &mut vec![])
}

fn ask_for_claim(monitor: &mut Monitor<Ask>, candidate: Node, target: u64) -> Received {
    let control = Control::ReconRequest { target: View(target) };
    monitor.control_received(NOW, candidate, &control, &mut vec![])
}

#[test]
fn a_backup_that_lies_about_a_checkpoint_does_not_make_the_primary_a_liar() {
    let mut primary = monitor(0);
    order_up_to(&mut primary, 4);
    assert_eq!(primary.checkpoint_received(heard(2, 0), Sequence(4), [7; 32]), Received::Deliver);
    assert_eq!(primary.checkpoint_received(heard(1, 0), Sequence(4), [9; 32]), Received::Deliver);
    let sent = primary.stable_sent(NOW, None, View(0), Sequence(4), [7; 32], &mut vec![]);
    assert_eq!((sent, primary.guilty()), (Ok(()), None));
}
