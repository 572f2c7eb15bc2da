//! Leaders that come and go.

use super::*;

#[test]
fn a_batch_accepted_by_a_majority_survives_its_leader() {
    let mut cluster = cluster();
    // A and B have the batch; nobody but A knows that it is chosen, and C never hears of it.
    cluster.drop = Box::new(|_, to, message| to == C && is_accept(message));
    cluster.request(A, 1, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.down.insert(A);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("two of three elect one");
    assert_ne!(new, A);
    cluster.request(new, 1, 1);
    assert_eq!(cluster.replies[1].0, new);
    assert_eq!(cluster.replies[1].1.result, cluster.replies[0].1.result, "it was executed once");
    restart(&mut cluster, A);
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 1);
}

#[test]
fn a_gap_that_nobody_accepted_anything_in_becomes_null() {
    let mut cluster = cluster();
    // The first of two batches is lost; the second reaches B.
    let mut count = 0;
    cluster.drop = Box::new(move |_, to, message| {
        count += u32::from(is_accept(message));
        is_accept(message) && (to == C || count <= 2)
    });
    requests(&mut cluster, A, 1, 2);
    assert!(cluster.replies.is_empty(), "places are executed in order");
    cluster.down.insert(A);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let executed = cluster.executed(B);
    assert_eq!(executed[0], (Sequence(1), Batch::null().digest()));
    assert_ne!(executed[1].1, Batch::null().digest());
    assert_agreement(&cluster);
}

#[test]
fn what_only_a_lost_minority_accepted_is_not_executed_when_overtaken() {
    let mut cluster = cluster();
    // A's batch for place 1 reaches nobody; B and C go on without it.
    cluster.drop = Box::new(|from, to, _| from == A || to == A);
    cluster.request(A, 1, 1);
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("two of three elect one");
    cluster.request(new, 2, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(3));
    assert_all_at(&cluster, 1);
    assert_eq!(cluster.replicas[&A].machine.service(), cluster.replicas[&B].machine.service());
}

#[test]
fn a_replica_that_was_cut_off_does_not_depose_a_leader_that_others_hear() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|from, to, _| from == C || to == C);
    cluster.pass(Duration::from_secs(5));
    assert!(cluster.replicas[&C].suspects);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(1));
    assert_eq!(leader(&cluster), Some(A));
    assert!(cluster.replicas.values().all(|replica| replica.promised == View(0)));
    assert!(!cluster.replicas[&C].suspects);
}

#[test]
fn a_leader_that_hears_nobody_resigns() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, to, _| to == A);
    cluster.request(A, 1, 1);
    cluster.pass(Duration::from_secs(6));
    let new = leader(&cluster).expect("the two that hear each other elect one");
    assert_ne!(new, A);
    cluster.request(new, 1, 1);
    assert!(cluster.replies.iter().all(|(node, reply)| *node == new && reply.sequence == Sequence(1)));
    assert!(!cluster.replies.is_empty());
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(3));
    assert_agreement(&cluster);
    assert_eq!(cluster.executed(A).len(), cluster.executed(new).len());
}

#[test]
fn timeouts_double_without_progress_and_recover_with_it() {
    let mut cluster = cluster();
    cluster.down.extend([A, B]);
    cluster.pass(Duration::from_secs(60));
    let first = cluster.settings.view_timeout;
    assert_eq!(cluster.replicas[&C].timeout, first * 2, "without support nothing changes but this");
    [A, B].into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("all are up");
    requests(&mut cluster, new, 1, 1);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 1);
    assert!(cluster.replicas.values().all(|replica| replica.timeout == first));
}

#[test]
fn five_replicas_outlast_two_leaders() {
    let mut cluster = cluster_with(Settings { f: 2, ..Settings::new(Protocol::Paxos, 2) });
    let mut client = 1;
    for _ in 0..2 {
        let now = leader(&cluster).expect("there is one");
        requests(&mut cluster, now, client, 5);
        client += 5;
        cluster.down.insert(now);
        cluster.pass(Duration::from_secs(4));
    }
    let now = leader(&cluster).expect("three of five elect one");
    requests(&mut cluster, now, client, 5);
    let answered: BTreeSet<_> = cluster.replies.iter().map(|(_, reply)| reply.client).collect();
    assert_eq!(answered.len(), 15);
    cluster.down.clone().into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    assert_all_at(&cluster, 15);
}
