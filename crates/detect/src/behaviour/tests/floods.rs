//! Floods are told of whom they are for.

use super::traffic::{Traffic, host};
use super::{Kind, State, all, kinds};

const VICTIM: [u8; 4] = [198, 51, 100, 7];
const SOURCE: [u8; 4] = [192, 0, 2, 66];

#[test]
fn a_syn_flood_of_forged_senders_is_one_flood_and_no_scan() {
    let mut traffic = Traffic::default();
    for number in 0..3_000u16 {
        traffic.half_open((host(number), 1_024 + number), (VICTIM, 80)).wait(1);
    }
    traffic.wait(5_000).ping(SOURCE, VICTIM, true);
    let said = all(&traffic);
    let told: Vec<_> = said.iter().map(|said| (said.kind, said.state, said.count)).collect();
    assert_eq!(told, [(Kind::SynFlood, State::Began, 500), (Kind::SynFlood, State::Over, 3_000)]);
    assert!(
        said[0].record.contains(r#""distinct_of":"sources""#)
            && said[0].record.contains(r#""half_open":500"#)
    );
}

#[test]
fn a_syn_flood_of_one_sender_that_nobody_answers_is_told_too() {
    let mut traffic = Traffic::default();
    for number in 0..1_000u16 {
        traffic.syn((SOURCE, 1_024 + number), (VICTIM, 80), true).wait(2);
    }
    traffic.wait(5_000).ping(SOURCE, VICTIM, true);
    assert_eq!(kinds(&traffic), [Kind::SynFlood]);
}

#[test]
fn a_service_that_many_use_at_once_is_not_flooded() {
    let mut traffic = Traffic::default();
    for number in 0..2_000u16 {
        traffic.talk(
            (host(number), 40_000),
            (VICTIM, 80),
            &[(true, b"GET / HTTP/1.0\r\n\r\n"), (false, b"HTTP/1.0 200 OK\r\n\r\n")],
            false,
        );
    }
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn connections_on_which_nothing_is_said_are_a_flood_and_a_check_of_health_is_none() {
    let mut traffic = Traffic::default();
    for number in 0..600u16 {
        traffic.open((SOURCE, 2_000 + number), (VICTIM, 80)).wait(3);
    }
    traffic.wait(5_000).ping(SOURCE, VICTIM, true);
    assert_eq!(kinds(&traffic), [Kind::ConnectionFlood]);
    let mut checks = Traffic::default();
    for number in 0..600u16 {
        checks.opened_and_reset((SOURCE, 2_000 + number), (VICTIM, 80)).wait(500);
    }
    assert_eq!(kinds(&checks), []);
}

#[test]
fn connections_of_one_source_that_are_too_many_are_a_flood_whatever_is_said() {
    let mut traffic = Traffic::default();
    for number in 0..2_500u16 {
        traffic.talk((SOURCE, 2_000 + number), (VICTIM, 80), &[(true, b"GET / HTTP/1.0\r\n\r\n")], true);
    }
    assert_eq!(kinds(&traffic), [Kind::ConnectionFlood]);
}

#[test]
fn datagrams_that_nobody_answers_are_a_flood_and_those_that_are_acknowledged_are_none() {
    let flow = |answer_each: u32| {
        let mut traffic = Traffic::default();
        for number in 0..60_000u32 {
            traffic.datagram((SOURCE, 5_000), (VICTIM, 4_433), b"x");
            if answer_each > 0 && number % answer_each == 0 {
                traffic.datagram((VICTIM, 4_433), (SOURCE, 5_000), b"y");
            }
        }
        traffic
    };
    assert_eq!(kinds(&flow(0)), [Kind::UdpFlood]);
    assert_eq!(kinds(&flow(8)), []);
}

#[test]
fn echo_requests_that_are_too_many_are_a_flood_though_they_are_answered() {
    let mut traffic = Traffic::default();
    for _ in 0..6_000 {
        traffic.ping(SOURCE, VICTIM, true);
    }
    assert_eq!(kinds(&traffic), [Kind::IcmpFlood]);
}
