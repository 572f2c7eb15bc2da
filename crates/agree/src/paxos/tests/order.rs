//! A request on its way through a leader and its acceptors, and what is no request at all.

use super::*;

#[test]
fn the_first_leader_leads_at_once_and_alone_replies() {
    let mut cluster = cluster();
    assert_eq!(leader(&cluster), Some(A));
    requests(&mut cluster, A, 1, 3);
    assert_eq!(cluster.replies.len(), 3);
    assert!(cluster.replies.iter().all(|(node, _)| *node == A));
    cluster.pass(Duration::from_millis(150));
    assert_all_at(&cluster, 3);
}

#[test]
fn one_acceptor_less_is_no_obstacle_and_two_are() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    requests(&mut cluster, A, 1, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.down.insert(B);
    requests(&mut cluster, A, 2, 1);
    cluster.pass(Duration::from_secs(5));
    assert_eq!(cluster.replies.len(), 1, "what a majority does not have is not chosen");
}

#[test]
fn the_leader_does_not_count_itself_before_its_disk_has_it() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    cluster.slow.insert(A);
    requests(&mut cluster, A, 1, 1);
    assert!(cluster.replies.is_empty());
    cluster.down.remove(&C);
    cluster.pass(Duration::from_millis(200));
    assert_eq!(cluster.replies.len(), 1, "two others suffice");
}

#[test]
fn a_request_sent_again_is_answered_again_and_executed_once() {
    let mut cluster = cluster();
    cluster.request(A, 1, 1);
    cluster.request(A, 1, 1);
    assert_eq!(cluster.replies.len(), 2);
    assert_eq!(cluster.replies[0], cluster.replies[1]);
    assert_eq!(cluster.executed(A).len(), 1);
}

#[test]
fn a_request_that_has_a_place_already_gets_no_second() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    cluster.request(A, 1, 1);
    cluster.request(A, 1, 1);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_millis(400));
    assert_eq!(cluster.executed(A).len(), 1);
    assert_eq!(cluster.replies.len(), 1);
}

#[test]
fn while_the_window_is_full_requests_share_a_batch() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    requests(&mut cluster, A, 1, 4 + 4);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_millis(400));
    assert_eq!(cluster.executed(A).len(), 4 + 1, "the window, and one batch of all that waited");
    assert_eq!(cluster.replies.len(), 8);
}

#[test]
fn a_full_queue_says_busy() {
    let mut cluster = cluster_with(Settings { requests_waiting_max: 2, window: 1, ..settings() });
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    requests(&mut cluster, A, 1, 3);
    let leader = cluster.replicas.get_mut(&A).expect("a member");
    let request = crate::Request {
        client: wire::ClientId(9),
        timestamp: wire::Timestamp(1),
        operation: bytes::Bytes::new(),
        speaker: None,
        signature: None,
    };
    let effects =
        step(leader, Event::Message { from: Peer::Client(wire::ClientId(9)), message: request.into() });
    assert!(sends(&effects, "BUSY") && refuses(&effects, Refusal::NoRoom));
}

#[test]
fn nonsense_is_refused_and_never_a_panic() {
    let mut replica = new(C);
    let far = Sequence(u64::MAX);
    let accept = |view, sequence| Accept { view, sequence, chosen: far, batch: Batch::null() };
    let cases = [
        (A, Message::Superseded(Superseded { view: View(u64::MAX) }), Refusal::TooFarAhead),
        (A, Message::Heartbeat(Heartbeat { view: View(1), chosen: far }), Refusal::NotAllowed),
        (A, Message::Accept(accept(View(0), far)), Refusal::TooFarAhead),
        (B, Message::Accept(accept(View(0), Sequence(1))), Refusal::NotAllowed),
        (NodeId(9), Message::Accept(accept(View(9), Sequence(1))), Refusal::UnknownSender),
        (C, Message::Accept(accept(View(2), Sequence(1))), Refusal::NotAllowed),
        (A, Message::Prepare(Prepare { view: View(1), after: far }), Refusal::NotAllowed),
    ];
    for (node, message, refusal) in cases {
        assert!(refuses(&step(&mut replica, from(node, message.clone())), refusal), "{message:?}");
    }
    step(&mut replica, from(A, Message::Prepare(Prepare { view: View(3), after: far })));
    step(
        &mut replica,
        from(A, Message::Heartbeat(Heartbeat { view: View(VIEW_MAX.0 / 3 * 3), chosen: far })),
    );
    step(&mut replica, Event::Timer(crate::paxos::VIEW));
    step(&mut replica, Event::Timer(crate::paxos::CANVASS));
    step(&mut replica, Event::Timer(crate::paxos::CATCH_UP));
}
