//! What the monitor must not do to an honest replica, and what a traitor must not get past it.

use super::*;
use crate::claim;
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

/// The same in a cluster that goes on without monitors.
fn open_monitor(me: Node) -> Monitor<Ask> {
    Monitor::new(Specification { open: true, ..spec() }, me, FIRST, &[0, 1, 2], &[3], NOW)
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

/// The replica of `monitor` claims for `target` that it entered `entered`, and has what the checkpoint `digest` at place 4 covers
/// and `orders` after it.
fn claim_from_four(
    monitor: &mut Monitor<Ask>,
    target: u64,
    entered: &Configuration,
    digest: Digest,
    orders: &[Digest],
) -> Result<Claim, Rule> {
    let (view, entered, stable) = (View(target), entered.clone(), Sequence(4));
    monitor.reconfigure_sent(NOW, view, entered, stable, digest, orders.to_vec(), &mut vec![])
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

fn beats(primary: &mut Monitor<Ask>, now: Time) -> bool {
    let mut actions = vec![];
    primary.tick(now, &mut actions);
    assert!(primary.deadline() > now, "it would be called again and again");
    actions.iter().any(|action| matches!(action, Action::Broadcast(Control::Beat { .. })))
}

#[test]
fn a_heart_beats_only_while_its_replica_works() {
    let mut primary = monitor(0);
    let later = |count| NOW.after(Span(spec().heartbeat_every.0 * count));
    assert!(beats(&mut primary, later(1)));
    let mut actions = vec![];
    primary.replica_is_up(later(1), false, &mut actions);
    assert_eq!(actions[0], Action::Alarm(Rule::Presence), "it hands over");
    assert!(!beats(&mut primary, later(2)), "it is down");
    primary.replica_is_up(later(2), true, &mut vec![]);
    assert!(!beats(&mut primary, later(3)), "it is up, and has lost the thread");
}

#[test]
fn a_primary_whom_nobody_follows_any_more_hands_over() {
    let late = NOW.after(spec().view_timeout);
    let hands_over = |primary: &mut Monitor<Ask>| {
        let mut actions = vec![];
        primary.tick(late, &mut actions);
        let alert = Control::Alert { view: View(0), proof: false };
        actions.contains(&Action::Broadcast(alert))
            && !actions.iter().any(|it| matches!(it, Action::Alarm(_)))
    };
    let mut primary = monitor(0);
    order_up_to(&mut primary, 2);
    assert!(!hands_over(&mut primary.clone()), "nobody has begun to follow");
    assert_eq!(primary.ack_received(heard(1, 0), Sequence(1), batch(1)), Received::Deliver);
    assert!(hands_over(&mut primary.clone()), "the second place");
    assert_eq!(primary.ack_received(heard(2, 0), Sequence(2), batch(2)), Received::Deliver);
    assert!(!hands_over(&mut primary), "f of them have all");
}

#[test]
fn a_backup_that_crashed_before_its_ack_may_speak_of_its_checkpoint_too_early() {
    let mut backup = monitor(1);
    follow_up_to(&mut backup, 4);
    assert_eq!(backup.ack_sent(NOW, View(0), Sequence(3), batch(3), &mut vec![]), Ok(()));
    // Place 4 is on its disk, its ACK was never sent; it was started again, and says its checkpoint once more.
    let early = backup.checkpoint_sent(NOW, View(0), Sequence(4), [7; 32], &mut vec![]);
    assert_eq!((early, backup.guilty()), (Err(Rule::StaleConfiguration), None));
    assert_eq!(backup.ack_sent(NOW, View(0), Sequence(4), batch(4), &mut vec![]), Ok(()));
    assert_eq!(backup.checkpoint_sent(NOW, View(0), Sequence(4), [7; 32], &mut vec![]), Ok(()));
    let never_sent = backup.checkpoint_sent(NOW, View(0), Sequence(8), [7; 32], &mut vec![]);
    assert_eq!(never_sent, Err(Rule::TrueCheckpoint));
}

#[test]
fn a_backup_says_one_thing_of_a_place_unless_a_primary_without_a_monitor_misled_it() {
    let said_again = |vouched: Option<bool>| {
        let mut backup = open_monitor(1);
        follow_up_to(&mut backup, 8);
        for place in 1..=8 {
            assert_eq!(backup.ack_sent(NOW, View(0), Sequence(place), batch(place), &mut vec![]), Ok(()));
        }
        assert_eq!(backup.checkpoint_sent(NOW, View(0), Sequence(8), [7; 32], &mut vec![]), Ok(()));
        if let Some(vouched) = vouched {
            let stable = Heard { vouched, ..heard(0, 0) };
            assert_eq!(backup.stable_received(stable, Sequence(4), [3; 32]), Received::Deliver);
        }
        backup.checkpoint_sent(NOW, View(0), Sequence(8), [9; 32], &mut vec![])
    };
    assert_eq!(said_again(None), Err(Rule::TrueCheckpoint));
    assert_eq!(said_again(Some(true)), Err(Rule::TrueCheckpoint));
    assert_eq!(said_again(Some(false)), Ok(()));
}

#[test]
fn a_primary_has_said_what_its_replies_said_even_if_they_were_too_many() {
    let mut primary = monitor(0);
    order_up_to(&mut primary, 1);
    assert_eq!(primary.reply_sent(NOW, View(0), Sequence(1), 2, &mut vec![]), Ok(()), "counted, and let out");
    assert_eq!(ask_for_claim(&mut primary, 1, 1), Received::Deliver);
    let entered = primary.configuration().clone();
    assert_eq!(claim(&mut primary.clone(), 1, &entered, 1).map(|claim| claim.vouched), Ok(true));
    assert_eq!(
        claim(&mut primary, 1, &entered, 0),
        Err(Rule::TrueReconfigure),
        "it forgets what a client heard"
    );
}

#[test]
fn a_primary_that_lost_its_last_order_is_not_guilty_of_giving_its_place_again() {
    let mut primary = monitor(0);
    order_up_to(&mut primary, 3);
    assert_eq!(primary.request_received(NOW, Ask(9)), Admission::Queued);
    // Place 3 was not on its disk when it crashed. What waits is handed to it again.
    primary.replica_is_up(NOW, false, &mut vec![]);
    primary.replica_is_up(NOW, true, &mut vec![]);
    let sent = primary.order_sent(NOW, None, View(0), Sequence(3), [9; 32], &[Ask(9)], &mut vec![]);
    assert_eq!((sent, primary.guilty()), (Err(Rule::StaleConfiguration), None));
}

#[test]
fn a_replica_may_stand_beyond_any_threshold_that_its_monitor_left() {
    let mut backup = monitor(2);
    follow_up_to(&mut backup, 3);
    let (first, second) = (new_config(1, [0; 3], 3), new_config(3, [0; 3], 3));
    assert_eq!(backup.new_config_received(NOW, 1, true, &first), Received::Deliver);
    // The replica is in; its JOINED waits for the disk. The next two come at once.
    assert_eq!(backup.new_config_received(NOW, 0, true, &second), Received::Deliver);
    assert_eq!(ask_for_claim(&mut backup, 1, 4), Received::Deliver);
    let claimed = claim(&mut backup, 4, &first.configuration, 3);
    assert_eq!((claimed.map(|claim| claim.vouched), backup.guilty()), (Ok(true), None));
}

/// No claim told that the checkpoint is stable, so the configuration starts from an earlier one. The replica enters, crashes before
/// its JOINED is out, and is started again.
#[test]
fn a_replica_beyond_a_threshold_goes_on_from_the_stable_checkpoint_that_its_monitor_saw() {
    let mut backup = monitor(2);
    follow_up_to(&mut backup, 4);
    assert_eq!(backup.stable_received(heard(0, 0), Sequence(4), [7; 32]), Received::Deliver);
    let new = new_config(1, [0; 3], 4);
    assert_eq!(backup.new_config_received(NOW, 1, true, &new), Received::Deliver);
    assert_eq!(ask_for_claim(&mut backup, 0, 3), Received::Deliver);
    let entered = &new.configuration;
    let claimed = claim_from_four(&mut backup.clone(), 3, entered, [7; 32], &[]);
    assert_eq!(claimed.map(|claim| (claim.vouched, claim.stable)), Ok((true, Sequence(4))));
    let lies: [(Digest, &[Digest]); 2] = [([9; 32], &[]), ([7; 32], &[[9; 32]])];
    for (digest, orders) in lies {
        let mut traitor = backup.clone();
        let lie = claim_from_four(&mut traitor, 3, entered, digest, orders);
        assert_eq!((lie, traitor.guilty()), (Err(Rule::TrueReconfigure), Some(Rule::TrueReconfigure)));
    }
    assert_eq!(claim(&mut backup, 3, entered, 3), Err(Rule::TrueReconfigure), "it left one out");
}

/// The checkpoint became stable in configuration 1, which the replica left for 3; its monitor is in neither.
#[test]
fn what_a_seal_says_is_stable_is_so_beyond_every_threshold() {
    let mut backup = monitor(2);
    follow_up_to(&mut backup, 2);
    assert_eq!(backup.new_config_received(NOW, 1, true, &new_config(1, [0; 3], 2)), Received::Deliver);
    for at in 3..=4 {
        assert_eq!(backup.order_received(heard(1, 1), Sequence(at), batch(at), 1), Received::Deliver);
    }
    assert_eq!(backup.stable_received(heard(1, 1), Sequence(4), [7; 32]), Received::Deliver);
    let new = new_config(3, [0; 3], 4);
    assert_eq!(backup.new_config_received(NOW, 0, true, &new), Received::Deliver);
    assert_eq!(ask_for_claim(&mut backup, 1, 4), Received::Deliver);
    let mut unproven = backup.clone();
    let lie = claim_from_four(&mut unproven, 4, &new.configuration, [7; 32], &[]);
    assert_eq!(lie, Err(Rule::TrueReconfigure), "nothing says that it is stable");
    backup.prove_stable(Sequence(4), [7; 32]);
    let mut traitor = backup.clone();
    let lie = claim_from_four(&mut traitor, 4, &new.configuration, [7; 32], &[[9; 32]]);
    assert_eq!((lie, traitor.guilty()), (Err(Rule::TrueReconfigure), Some(Rule::TrueReconfigure)));
    let claimed = claim_from_four(&mut backup, 4, &new.configuration, [7; 32], &[]);
    assert_eq!((claimed.map(|claim| claim.vouched), backup.guilty()), (Ok(true), None));
}

/// Lets the replica of `monitor` propose the configuration `view`, to which nobody but node 0 gave a claim.
fn propose(monitor: &mut Monitor<Ask>, view: u64, entered: &Configuration, starts: [Incarnation; 3]) {
    for other in [0, 2] {
        let word = Control::Suspect { target: View(view), promised: View(view - 1) };
        monitor.control_received(NOW, other, &word, &mut vec![]);
    }
    assert_eq!(monitor.suspicion.promised, View(view));
    let known: Vec<Member> =
        (0..3).zip(starts).map(|(node, incarnation)| Member { node, incarnation }).collect();
    let own = claim(monitor, view, entered, 2).expect("it is true");
    for node in [0, 2] {
        let claim = Claim {
            node,
            incarnation: starts[usize::from(node)],
            vouched: true,
            known: known.clone(),
            ..own.clone()
        };
        assert_eq!(monitor.reconfigure_received(View(view), claim), Received::Deliver);
    }
    assert_eq!(monitor.reconfigure_received(View(view), own), Received::Deliver);
    let proposed = new_config(view, starts, 2);
    assert_eq!(monitor.new_config_sent(NOW, &proposed, &mut vec![]), Ok(()));
}

#[test]
fn a_candidate_whose_replica_crashes_again_and_again_comes_back_with_what_it_has_on_disk() {
    let mut candidate = monitor(1);
    follow_up_to(&mut candidate, 2);
    let on_disk = candidate.configuration.clone();
    propose(&mut candidate, 1, &on_disk, [0; 3]);
    propose(&mut candidate, 4, &on_disk, [0; 3]);
    assert_eq!(ask_for_claim(&mut candidate, 2, 5), Received::Deliver);
    let claimed = claim(&mut candidate, 5, &on_disk, 2);
    assert_eq!((claimed.map(|claim| claim.vouched), candidate.guilty()), (Ok(true), None));
}

#[test]
fn a_candidate_whose_monitor_had_forgotten_may_fall_back_on_seals() {
    let mut candidate = Monitor::new(spec(), 1, 7, &[0, 1, 2], &[3], NOW);
    let on_disk = candidate.configuration.clone();
    propose(&mut candidate, 1, &on_disk, [0, 7, 0]);
    let mut actions = vec![];
    candidate.control_received(NOW, 2, &Control::ReconRequest { target: View(2) }, &mut actions);
    let notice = Notice::Reconfigure { target: View(2), candidate: 2, prove: true };
    assert!(actions.contains(&Action::Notice(notice)), "{actions:?}");
    let claimed = claim(&mut candidate, 2, &on_disk, 2);
    assert_eq!((claimed.map(|claim| claim.vouched), candidate.guilty()), (Ok(false), None));
}

#[test]
fn a_batch_that_crosses_the_way_into_a_configuration_is_no_lie() {
    let mut backup = monitor(2);
    follow_up_to(&mut backup, 3);
    // In the next configuration place 3 is another batch; the replica has it, the monitor waits for JOINED.
    let new = new_config(1, [0; 3], 2);
    assert_eq!(backup.new_config_received(NOW, 1, true, &new), Received::Deliver);
    assert_eq!(backup.order_received(heard(1, 1), Sequence(3), [9; 32], 1), Received::Deliver);
    let sent = backup.fetched_sent(NOW, Sequence(3), [9; 32]);
    assert_eq!((sent, backup.guilty()), (Err(Rule::StaleConfiguration), None));
}

#[test]
fn a_backup_says_it_joined_with_no_more_than_it_was_sent() {
    let mut backup = monitor(1);
    follow_up_to(&mut backup, 3);
    assert_eq!(backup.joined_sent(NOW, View(0), Sequence(2), &mut vec![]), Ok(()));
    assert_eq!(backup.following.said, Sequence(2), "it counts like an ACK");
    assert_eq!(backup.joined_sent(NOW, View(0), Sequence(4), &mut vec![]), Err(Rule::TrueAck));
}

#[test]
fn a_claim_is_given_to_one_start_of_the_candidates_monitor() {
    let mut backup = monitor(2);
    follow_up_to(&mut backup, 2);
    assert_eq!(ask_for_claim(&mut backup, 1, 1), Received::Deliver);
    let first = backup.configuration.clone();
    assert!(claim(&mut backup, 1, &first, 2).is_ok());
    assert_eq!(ask_for_claim(&mut backup, 1, 1), Received::Deliver, "it may ask again");
    backup.control_received(NOW, 1, &Control::Rejoin { incarnation: 9 }, &mut vec![]);
    assert_eq!(ask_for_claim(&mut backup, 1, 1), Received::Stale);
    assert_eq!(claim(&mut backup, 1, &first, 2), Err(Rule::StaleConfiguration));
    assert_eq!(ask_for_claim(&mut backup, 2, 2), Received::NotAllowed);
}

#[test]
fn a_spare_whose_monitor_was_started_again_may_be_a_member_by_now() {
    let mut spare = Monitor::<Ask>::new(spec(), 3, FIRST, &[0, 1, 2], &[3], NOW);
    assert_eq!(ask_for_claim(&mut spare, 1, 1), Received::NotAllowed);
    let mut spare = Monitor::<Ask>::new(spec(), 3, 5, &[0, 1, 2], &[3], NOW);
    assert_eq!(ask_for_claim(&mut spare, 1, 7), Received::Deliver);
    let mut entered = new_config(4, [0; 3], 2).configuration;
    entered.members[0].node = 3;
    assert_eq!(claim(&mut spare, 7, &entered, 2).map(|claim| claim.vouched), Ok(false));
}

/// Node 0 gives its claim for configuration 2 to node 2, is then found guilty, and only node 1 hears of it. Node 2 gave its
/// claim for configuration 1 to node 1 before that.
#[test]
fn a_slot_that_changes_hands_votes_once() {
    let mut nodes: Vec<Monitor<Ask>> = (0..3).map(monitor).collect();
    order_up_to(&mut nodes[0], 2);
    follow_up_to(&mut nodes[1], 2);
    follow_up_to(&mut nodes[2], 2);
    let first = nodes[0].configuration.clone();
    for other in [0, 2] {
        let word = Control::Suspect { target: View(1), promised: View(0) };
        nodes[1].control_received(NOW, other, &word, &mut vec![]);
    }
    assert_eq!(ask_for_claim(&mut nodes[2], 1, 1), Received::Deliver);
    let of_two_for_one = claim(&mut nodes[2], 1, &first, 2).expect("it is true");
    for other in [0, 1] {
        let word = Control::Suspect { target: View(2), promised: View(1) };
        nodes[2].control_received(NOW, other, &word, &mut vec![]);
    }
    assert_eq!(ask_for_claim(&mut nodes[0], 2, 2), Received::Deliver);
    let of_zero_for_two = claim(&mut nodes[0], 2, &first, 2).expect("it is true");
    let of_two_for_two = claim(&mut nodes[2], 2, &first, 2).expect("it is true");
    nodes[1].control_received(NOW, 0, &Control::Alert { view: View(0), proof: true }, &mut vec![]);
    let of_one_for_one = claim(&mut nodes[1], 1, &first, 2).expect("it is true");
    let later = [&of_zero_for_two, &of_two_for_two];
    assert!(claim::is_quorum(&claim::without_stale(&later), 1), "node 2 knows of nothing");
    let sooner = [&of_one_for_one, &of_two_for_one];
    let start = claim::start_of(&claim::without_stale(&sooner), &[3]).expect("there are claims");
    // Were the spare in, it and node 1 could serve a client in configuration 1, of which configuration 2 never hears.
    assert!(start.members.iter().all(|member| member.node != 3), "{:?}", start.members);
}

#[test]
fn a_backup_at_a_stable_checkpoint_that_its_monitor_forgot_may_acknowledge_it_again() {
    let mut backup = monitor(2);
    assert_eq!(backup.new_config_received(NOW, 1, true, &new_config(1, [0; 3], 4)), Received::Deliver);
    assert_eq!(backup.joined_sent(NOW, View(1), Sequence(4), &mut vec![]), Ok(()));
    let of_the_state = backup.ack_sent(NOW, View(1), Sequence(4), [99; 32], &mut vec![]);
    assert_eq!((of_the_state, backup.guilty()), (Err(Rule::StaleConfiguration), None));
}

#[test]
fn a_checkpoint_that_became_stable_on_the_threshold_is_not_what_the_replica_said_it_has() {
    let mut backup = monitor(2);
    let new = new_config(1, [0; 3], 2);
    assert_eq!(backup.new_config_received(NOW, 1, true, &new), Received::Deliver);
    assert_eq!(backup.stable_received(heard(1, 1), Sequence(4), [7; 32]), Received::Deliver);
    assert_eq!(backup.joined_sent(NOW, View(1), Sequence(2), &mut vec![]), Ok(()));
    assert_eq!(ask_for_claim(&mut backup, 0, 3), Received::Deliver);
    let claimed = claim(&mut backup, 3, &new.configuration, 2);
    assert_eq!((claimed.map(|claim| claim.vouched), backup.guilty()), (Ok(true), None));
}

#[test]
fn those_who_ask_much_do_not_make_a_flooder_of_the_one_who_answers() {
    let mut primary = monitor(0);
    order_up_to(&mut primary, 2);
    let passed = (0..10_000).filter(|_| primary.fetched_sent(NOW, Sequence(1), batch(1)).is_ok()).count();
    assert_eq!((passed as u64, primary.guilty()), (crate::flood::BURST, None));
    // And its own questions and claims are not crowded out.
    assert_eq!(primary.draw(NOW, &mut vec![]), Ok(()));
}

#[test]
fn a_checkpoint_is_vouched_for_once_however_fast_they_come_and_again_only_so_often() {
    let mut backup = monitor(1);
    follow_up_to(&mut backup, 8);
    let mut actions = vec![];
    while backup.draw(NOW, &mut actions).is_ok() {}
    assert_eq!(backup.ack_sent(NOW, View(0), Sequence(8), batch(8), &mut actions), Ok(()));
    let mut vouch = |at, digest| backup.checkpoint_sent(NOW, View(0), Sequence(at), digest, &mut actions);
    assert_eq!(vouch(4, [4; 32]), Ok(()));
    assert_eq!(vouch(4, [4; 32]), Err(Rule::StaleConfiguration), "the bucket is empty");
    assert_eq!(vouch(8, [8; 32]), Ok(()));
}

#[test]
fn what_was_said_before_does_not_pass_without_end() {
    let (mut primary, mut backup) = (monitor(0), monitor(1));
    order_up_to(&mut primary, 2);
    follow_up_to(&mut backup, 2);
    let mut actions = vec![];
    let again = (0..10_000)
        .filter(|_| {
            let (view, at) = (View(0), Sequence(1));
            primary.order_sent(NOW, Some(1), view, at, batch(1), &[Ask(1)], &mut actions).is_ok()
        })
        .count();
    let acks = (0..10_000)
        .filter(|_| backup.ack_sent(NOW, View(0), Sequence(1), batch(1), &mut actions).is_ok())
        .count();
    assert!(again <= 1_000 && acks <= 1_000, "{again} ORDERs, {acks} ACKs");
}
