//! What survives a loss of power, and what is said before it would.

use super::*;

#[test]
fn a_promise_survives_power_loss() {
    let mut replica = new(C);
    step(&mut replica, Event::Started);
    let effects =
        step(&mut replica, from(B, Message::Prepare(Prepare { view: View(4), after: Sequence(0) })));
    assert!(!sends(&effects, "PROMISE"), "it waits for the disk");
    let writes: Vec<Write> = effects
        .into_iter()
        .filter_map(|effect| if let Effect::Write(write) = effect { Some(write) } else { None })
        .collect();
    assert!(sends(&step(&mut replica, Event::Durable(Position(1))), "PROMISE"));
    let mut again = recover(C, &settings(), left_on(&writes, 1));
    let old = Accept { view: View(3), sequence: Sequence(1), chosen: Sequence(0), batch: Batch::null() };
    let effects = step(&mut again, from(A, Message::Accept(old)));
    assert!(sends(&effects, "SUPERSEDED") && refuses(&effects, Refusal::Stale));
    assert!(again.log.get(Sequence(1)).is_none());
}

#[test]
fn an_acceptance_is_not_said_before_it_is_durable_and_then_once() {
    let mut replica = new(C);
    let accept = Accept { view: View(0), sequence: Sequence(1), chosen: Sequence(0), batch: Batch::null() };
    let effects = step(&mut replica, from(A, Message::Accept(accept.clone())));
    assert!(!sends(&effects, "ACCEPTED"));
    let effects = step(&mut replica, from(A, Message::Accept(accept.clone())));
    assert!(!sends(&effects, "ACCEPTED"), "the first is still on its way to the disk");
    let effects = step(&mut replica, Event::Durable(Position(1)));
    assert_eq!(effects.len(), 1);
    assert!(sends(&effects, "ACCEPTED"));
    assert!(sends(&step(&mut replica, from(A, Message::Accept(accept))), "ACCEPTED"), "the leader missed it");
}

#[test]
fn a_leader_that_lost_its_records_does_not_resume_its_ballot() {
    let mut cluster = cluster();
    cluster.slow.insert(A);
    cluster.drop = Box::new(|_, to, message| to == C && is_accept(message));
    let kept = cluster.disks[&A].len();
    cluster.request(A, 1, 1);
    restart_with(&mut cluster, A, kept);
    cluster.slow.clear();
    assert!(!matches!(cluster.replicas[&A].role, Role::Leading(_)));
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("they elect one");
    assert!(cluster.replicas[&new].promised > View(0));
    cluster.request(new, 2, 1);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 2);
}

#[test]
fn everybody_loses_power_and_nothing_chosen_is_lost() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 11);
    let before = cluster.executed(A);
    [A, B, C].into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("they elect one");
    requests(&mut cluster, new, 1, 11);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 11);
    assert_eq!(
        cluster.replies.len(),
        22 + 3,
        "after a crash the batches since the checkpoint are executed again"
    );
    assert_eq!(before.len(), 11);
}

#[test]
fn a_promise_outlives_the_records_that_a_snapshot_replaces() {
    let mut cluster = cluster();
    cluster.down.insert(A);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("two of three elect one");
    requests(&mut cluster, new, 1, 9);
    let promised = cluster.replicas[&new].promised;
    assert!(promised > View(0));
    [B, C].into_iter().for_each(|node| restart(&mut cluster, node));
    assert!([B, C].iter().all(|node| cluster.replicas[node].promised >= promised));
}

#[test]
fn a_checkpoint_bounds_what_is_left_on_disk_and_in_memory() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 100);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 100);
    for (node, replica) in &cluster.replicas {
        let left = left_on(&cluster.disks[node], cluster.disks[node].len());
        assert!(left.records.len() <= 8, "{node}: {}", left.records.len());
        assert!(left.records.iter().all(|(_, record)| Record::from_bytes(record.clone()).is_ok()));
        assert_eq!(replica.log.low(), Sequence(88));
        assert_eq!(replica.status().stable, Sequence(96));
    }
}

#[test]
fn a_disk_that_does_not_keep_up_stops_its_replica_and_not_its_memory() {
    let mut cluster = cluster();
    cluster.slow.insert(C);
    requests(&mut cluster, A, 1, 60);
    assert_eq!(cluster.replies.len(), 60, "the others go on");
    let stuck = &cluster.replicas[&C];
    assert!(stuck.executed() <= stuck.limit());
    assert_eq!(stuck.limit(), Sequence(2 * 8 + 4));
    assert_agreement(&cluster);
    cluster.slow.clear();
    let written = Position(cluster.disks[&C].len() as u64);
    cluster.step(C, Event::Durable(written));
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 60);
}
