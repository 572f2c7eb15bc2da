//! What must not be let out, and what may be.

use super::gate::Gate;
use super::truth::{Reign, Truth};
use agree::byzid::message::{
    Ack, Claim, Control, Member, NewConfig, Order, Reconfigure, Stable, StableCheckpoint,
};
use agree::{Batch, Protocol, Request, Settings};
use bytes::Bytes;
use core::time::Duration;
use wire::{ClientId, Digest, NodeId, Sequence, Time, Timestamp, View};

fn settings() -> Settings {
    Settings { window: 2, checkpoint_interval: 4, ..Settings::new(Protocol::ByzId, 1) }
}

fn batch(client: u64) -> Batch {
    let operation = Bytes::new();
    Batch::new(vec![Request {
        client: ClientId(client),
        timestamp: Timestamp(1),
        operation,
        speaker: None,
        signature: None,
    }])
}

fn order(at: u64, client: u64) -> Order {
    Order { view: View(0), sequence: Sequence(at), batch: batch(client), seal: None }
}

/// Node `node` from the beginning, as the primary of the first configuration if it is 0.
fn gate(node: usize) -> Gate {
    let mut gate = Gate::new(node, true);
    gate.monitor_started(monitor::FIRST, Some(Reign::FIRST));
    gate
}

/// A primary to whom clients 1, 2, … came, in this order, and what it is judged by.
fn primary(clients: u64) -> (Gate, Truth, Settings) {
    let mut gate = gate(0);
    gate.requests.extend((1..=clients).map(|client| (ClientId(client), Timestamp(1))));
    let settings = settings();
    (gate, Truth::new(&settings), settings)
}

#[test]
fn a_primary_tells_each_place_once_and_to_all() {
    let (mut gate, mut truth, settings) = primary(3);
    assert!(gate.clone().order(&order(1, 1), 1, &mut truth.clone(), &settings).is_err(), "to one alone");
    assert_eq!(gate.order(&order(1, 1), 2, &mut truth, &settings), Ok(()));
    assert_eq!(gate.order(&order(1, 1), 1, &mut truth, &settings), Ok(()), "the same, again");
    assert!(gate.order(&order(1, 2), 1, &mut truth, &settings).is_err(), "another story");
}

#[test]
fn a_primary_leaves_out_no_place_and_no_client() {
    let (gate, truth, settings) = primary(3);
    let judge = |told: &Order| gate.clone().order(told, 2, &mut truth.clone(), &settings);
    assert_eq!(judge(&order(1, 1)), Ok(()));
    assert!(judge(&order(2, 1)).is_err(), "a gap");
    assert!(judge(&order(1, 2)).is_err(), "the second client first");
    assert!(judge(&order(1, 9)).is_err(), "nobody asked for this");
    assert!(judge(&Order { batch: Batch::null(), ..order(1, 1) }).is_err(), "nothing at all");
}

#[test]
fn a_primary_runs_no_further_ahead_than_its_window() {
    let (mut gate, mut truth, settings) = primary(3);
    for at in 1..=2 {
        assert_eq!(gate.order(&order(at, at), 2, &mut truth, &settings), Ok(()));
    }
    assert!(gate.clone().order(&order(3, 3), 2, &mut truth.clone(), &settings).is_err());
    gate.acked.insert(NodeId(1), Sequence(1));
    assert_eq!(gate.order(&order(3, 3), 2, &mut truth, &settings), Ok(()));
}

#[test]
fn a_backup_says_only_what_it_was_told() {
    let (mut gate, mut truth) = (gate(1), Truth::new(&settings()));
    truth.ordered(Reign::FIRST, Sequence(1), batch(1).digest()).expect("the first at its place");
    gate.hear_order(false, &order(1, 1)).expect("it is of the present configuration");
    let ack = |at, digest| Ack { view: View(0), sequence: Sequence(at), digest };
    assert!(
        gate.clone().reply(View(0), Sequence(1), 1, &truth).is_err(),
        "it has not said yet that it has it"
    );
    assert!(gate.clone().ack(&ack(1, Digest([7; 32])), &truth).is_err(), "another batch");
    assert!(gate.clone().ack(&ack(2, batch(1).digest()), &truth).is_err(), "nobody told it that");
    assert_eq!(gate.ack(&ack(1, batch(1).digest()), &truth), Ok(()));
    assert_eq!(gate.reply(View(0), Sequence(1), 1, &truth), Ok(()));
}

#[test]
fn a_checkpoint_is_declared_when_f_backups_vouched_for_it() {
    let (mut gate, truth, settings) = primary(0);
    let stable = Stable { sequence: Sequence(4), digest: Digest([4; 32]), seal: None };
    let said = StableCheckpoint { view: View(0), stable };
    assert!(gate.clone().stable(&said, &truth, &settings).is_err());
    gate.vouchers.insert(NodeId(2), (Sequence(4), Digest([4; 32])));
    gate.settle_debts(Time(1), &truth, &settings).expect("nothing is late");
    assert_eq!(gate.stable(&said, &truth, &settings), Ok(()));
}

#[test]
fn who_owes_an_order_is_given_some_time_and_no_more() {
    let (mut gate, truth, settings) = primary(1);
    let late = Time(1).after(settings.view_timeout * 3);
    assert_eq!(gate.settle_debts(Time(1), &truth, &settings), Ok(()));
    assert!(gate.clone().settle_debts(late, &truth, &settings).is_err());
    gate.hear_own_monitor(late, &alert());
    assert_eq!(
        gate.settle_debts(late.after(Duration::from_nanos(1)), &truth, &settings),
        Ok(()),
        "its monitor said so"
    );
}

#[test]
fn a_primary_that_was_started_again_leads_no_more_or_its_monitor_is_silent() {
    let (gate, truth, settings) = primary(0);
    let started_again = |mut gate: Gate| {
        gate.replica_is_up(false, &truth);
        gate.replica_is_up(true, &truth);
        gate.settle_debts(Time(1), &truth, &settings)
    };
    assert!(started_again(gate.clone()).is_err());
    let mut hands_over = gate;
    hands_over.hear_own_monitor(Time(1), &alert());
    assert_eq!(started_again(hands_over), Ok(()), "since nobody followed: it broke no rule");
}

fn alert() -> Control {
    Control(monitor::Control::Alert { view: monitor::View(0), proof: false })
}

fn claim(vouched: bool, orders: usize) -> Claim {
    let member = |node| Member { node: NodeId(node), incarnation: monitor::FIRST };
    Claim {
        entered: View(0),
        members: (0..3).map(member).collect(),
        stable: Stable::genesis(),
        orders: vec![batch(1).digest(); orders],
        vouched,
        incarnation: monitor::FIRST,
        known: (0..3).map(member).collect(),
    }
}

fn new_config(claimants: &[u16], orders: usize) -> NewConfig {
    NewConfig {
        view: View(1),
        members: claim(true, 0).members,
        claimants: claimants.iter().copied().map(NodeId).collect(),
        stable: Stable::genesis(),
        orders: vec![batch(1).digest(); orders],
        seal: None,
    }
}

#[test]
fn a_configuration_follows_from_a_quorum_of_claims() {
    let mut gate = gate(1);
    let claims = gate.claims.entry(View(1)).or_default();
    claims.insert(NodeId(1), claim(true, 1));
    claims.insert(NodeId(2), claim(false, 2));
    let judge = |gate: &Gate, new: &NewConfig| super::change::new_config(gate, new, &settings());
    assert!(judge(&gate, &new_config(&[1, 2], 2)).is_err(), "one vouched claim, and one is missing");
    gate.claims.entry(View(1)).or_default().insert(NodeId(0), claim(true, 0));
    assert_eq!(judge(&gate, &new_config(&[0, 1, 2], 2)), Ok(()));
    assert!(judge(&gate, &new_config(&[0, 1, 2], 1)).is_err(), "what one of them has is left out");
    assert_eq!(judge(&gate, &new_config(&[0, 1], 1)), Ok(()));
    let knows = gate.claims.entry(View(1)).or_default().get_mut(&NodeId(0)).expect("it came");
    knows.known[1].incarnation = 5;
    assert!(
        judge(&gate, &new_config(&[0, 1], 1)).is_err(),
        "one of them is from before a start that the other knows of"
    );
}

#[test]
fn a_claim_tells_all_that_was_said_and_nothing_that_was_not() {
    let mut truth = Truth::new(&settings());
    let said = |orders| Reconfigure { target: View(1), claim: claim(true, orders), seals: None };
    assert!(super::change::claim_is_true(NodeId(2), &said(1), &truth).is_err(), "nobody ordered that");
    truth.ordered(Reign::FIRST, Sequence(1), batch(1).digest()).expect("the first at its place");
    assert_eq!(super::change::claim_is_true(NodeId(2), &said(1), &truth), Ok(()));
    let mut gate = gate(2);
    gate.say(View(0), Sequence(1));
    assert!(gate.clone().claim(&said(0)).is_err());
    assert_eq!(gate.claim(&said(1)), Ok(()));
}

#[test]
fn nobody_is_let_out_more_than_a_flood() {
    let mut flow = super::flow::Flow::default();
    let over = (0..10_000).find(|_| flow.passed(Time(1), true).is_err());
    assert!(over.is_some());
    assert_eq!(flow.passed(Time(1 << 40), true), Ok(()));
}
