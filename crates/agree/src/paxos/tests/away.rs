//! Those that missed something.

use super::*;

#[test]
fn a_follower_that_missed_a_few_batches_catches_up_by_the_log() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 3);
    cluster.down.insert(C);
    requests(&mut cluster, A, 4, 3);
    restart(&mut cluster, C);
    cluster.pass(Duration::from_secs(1));
    assert_all_at(&cluster, 6);
    assert!(
        !cluster.observed.iter().any(|(node, what)| *node == C
            && matches!(what, Observation::Restored { sequence, .. } if sequence.0 > 0))
    );
}

#[test]
fn a_follower_that_was_away_catches_up_by_snapshot() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    requests(&mut cluster, A, 1, 30);
    assert_eq!(cluster.replicas[&A].log.low(), Sequence(16), "the log reaches back to the older checkpoint");
    restart(&mut cluster, C);
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 30);
    assert!(cluster.observed.iter().any(
        |(node, what)| *node == C && matches!(what, Observation::Restored { sequence: Sequence(24), .. })
    ));
    assert_eq!(cluster.replicas[&C].status().stable, Sequence(24));
    // What it fetched is on its own disk.
    restart(&mut cluster, C);
    assert_eq!(cluster.replicas[&C].status().executed, Sequence(24));
}
