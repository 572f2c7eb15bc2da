//! Scans and sweeps of every kind are told, once, with a count.

use super::traffic::{ACK, FIN, PSH, Traffic, URG, host};
use super::{Kind, State, all, all_of, kinds};
use crate::behaviour::Parameters;

const SCANNER: [u8; 4] = [192, 0, 2, 66];
const VICTIM: [u8; 4] = [198, 51, 100, 7];

/// Asks so many ports in the way that `ask` does, and waits for what comes.
fn scan(ports: u16, ask: impl Fn(&mut Traffic, u16)) -> Traffic {
    let mut traffic = Traffic::default();
    for port in 1..=ports {
        ask(&mut traffic, port);
        traffic.wait(10);
    }
    for _ in 0..10 {
        traffic.wait(500).datagram(([10, 9, 9, 9], 5_000), ([10, 9, 9, 8], 6_000), b"the clock goes on");
    }
    traffic
}

#[test]
fn a_syn_scan_is_one_alert_with_a_count_and_one_with_the_sum() {
    let traffic = scan(1_000, |traffic, port| match port {
        22 | 80 => {
            traffic.broken_off((SCANNER, 61_000), (VICTIM, port));
        }
        _ => {
            traffic.refused((SCANNER, 61_000), (VICTIM, port), true);
        }
    });
    let said = all(&traffic);
    let told: Vec<_> = said.iter().map(|said| (said.kind, said.state, said.count, said.distinct)).collect();
    assert_eq!(told, [(Kind::SynScan, State::Began, 20, 20), (Kind::SynScan, State::Over, 1_000, 1_000)]);
    assert_eq!(said[0].second, 0);
    let record = &said[0].record;
    for part in [
        r#""event_type":"alert","src_ip":"192.0.2.66","src_port":61000,"dest_ip":"198.51.100.7""#,
        r#""alert":{"action":"allowed","gid":900,"signature_id":9000001,"rev":1,"signature":"VARANGIAN BEHAVIOUR port scan (SYN)""#,
        r#""varangian":{"behaviour":{"kind":"syn_scan","state":"began","count":20,"distinct":20,"#,
        r#""outcomes":{"refused":20},"examples":[1,2,3,4,5,6,7,8,9,10]"#,
    ] {
        assert!(record.contains(part), "{part} is not in {record}");
    }
}

#[test]
fn a_scan_of_ports_that_do_not_answer_is_told_as_soon_as_they_cannot_answer_any_more() {
    let said = all(&scan(100, |traffic, port| {
        traffic.syn((SCANNER, 61_000), (VICTIM, port), true);
    }));
    assert_eq!((said[0].kind, said[0].state, said[0].count), (Kind::SynScan, State::Began, 20));
    // The twentieth is asked after 0.2 s and waits for three.
    assert!(said[0].second <= 4, "{}", said[0].second);
}

#[test]
fn a_connect_scan_is_told_from_a_syn_scan_by_its_syns() {
    let traffic = scan(100, |traffic, port| match port {
        22 | 80 => {
            traffic.opened_and_reset((SCANNER, 40_000 + port), (VICTIM, port));
        }
        _ => {
            traffic.refused((SCANNER, 40_000 + port), (VICTIM, port), false);
        }
    });
    assert_eq!(kinds(&traffic), [Kind::ConnectScan]);
}

#[test]
fn fin_null_and_xmas_scans_are_told_whether_or_not_anybody_answers() {
    for (flags, kind) in [(FIN, Kind::FinScan), (0, Kind::NullScan), (FIN | PSH | URG, Kind::XmasScan)] {
        let traffic = scan(30, |traffic, port| {
            traffic.segment((SCANNER, 61_000), (VICTIM, port), flags);
        });
        let said = all(&traffic);
        assert_eq!((said[0].kind, said[0].count), (kind, 5));
        assert_eq!((said[1].kind, said[1].state, said[1].count), (kind, State::Over, 30));
        assert_eq!(said.len(), 2);
    }
}

#[test]
fn ack_and_maimon_scans_are_told_by_the_resets_that_they_get() {
    for (flags, kind) in [(ACK, Kind::AckScan), (FIN | ACK, Kind::MaimonScan)] {
        let traffic = scan(60, |traffic, port| {
            traffic.segment((SCANNER, 61_000), (VICTIM, port), flags);
            traffic.segment((VICTIM, port), (SCANNER, 61_000), super::traffic::RST);
        });
        assert_eq!(kinds(&traffic), [kind]);
    }
}

#[test]
fn a_udp_scan_is_told_with_or_without_errors_that_come_back() {
    let traffic = scan(60, |traffic, port| {
        traffic.undelivered((SCANNER, 50_000), (VICTIM, port), b"");
    });
    let said = all(&traffic);
    assert_eq!((said[0].kind, said[0].second), (Kind::UdpScan, 0));
    assert!(said[0].record.contains(r#""outcomes":{"refused":20}"#), "{}", said[0].record);
    let traffic = scan(60, |traffic, port| {
        traffic.datagram((SCANNER, 50_000), (VICTIM, port), b"");
    });
    assert_eq!(kinds(&traffic), [Kind::UdpScan]);
}

#[test]
fn a_udp_scan_that_pretends_to_be_a_resolver_is_told_by_the_low_ports() {
    let traffic = scan(60, |traffic, port| {
        traffic.datagram((SCANNER, 53), (VICTIM, port), b"");
    });
    assert_eq!(kinds(&traffic), [Kind::UdpScan]);
}

#[test]
fn a_scan_of_ip_protocols_is_told() {
    let traffic = scan(255, |traffic, number| {
        traffic.protocol(SCANNER, VICTIM, number as u8);
    });
    let said = all(&traffic);
    assert_eq!((said[0].kind, said[0].count), (Kind::ProtocolScan, 8));
    assert!(said[0].record.contains(r#""distinct_of":"protocols""#));
}

#[test]
fn sweeps_are_told_by_hosts_that_do_not_answer() {
    let sweep = |ask: &dyn Fn(&mut Traffic, u16)| {
        let mut traffic = Traffic::default();
        for number in 1..=254 {
            ask(&mut traffic, number);
            traffic.wait(5);
        }
        traffic.wait(5_000).ping(SCANNER, VICTIM, true);
        traffic
    };
    let tcp = sweep(&|traffic, number| match number % 10 {
        0 => {
            traffic.broken_off((SCANNER, 61_000), (host(number), 445));
        }
        _ => {
            traffic.syn((SCANNER, 61_000), (host(number), 445), true);
        }
    });
    let said = all(&tcp);
    let told: Vec<_> = said.iter().map(|said| (said.kind, said.state, said.count, said.distinct)).collect();
    assert_eq!(told, [(Kind::TcpSweep, State::Began, 20, 20), (Kind::TcpSweep, State::Over, 254, 254)]);
    let pings = sweep(&|traffic, number| {
        traffic.ping(SCANNER, host(number), number % 8 == 0);
    });
    assert_eq!(kinds(&pings), [Kind::PingSweep]);
    let udp = sweep(&|traffic, number| {
        traffic.datagram((SCANNER, 40_000), (host(number), 161), b"?");
    });
    assert_eq!(kinds(&udp), [Kind::UdpSweep]);
}

#[test]
fn many_ports_of_many_hosts_are_three_alerts_and_one_of_the_network() {
    let mut traffic = Traffic::default();
    for number in 1..=30 {
        for port in 1..=40 {
            traffic.refused((SCANNER, 61_000), (host(number), port), true);
        }
    }
    let said = all(&traffic);
    let began: Vec<Kind> =
        said.iter().filter(|said| said.state == State::Began).map(|said| said.kind).collect();
    assert_eq!(began, [Kind::SynScan, Kind::SynScan, Kind::SynScan, Kind::NetworkScan]);
    let sum = said.iter().find(|said| said.kind == Kind::NetworkScan && said.state == State::Over);
    assert!(sum.is_some_and(|sum| sum.count > 1_000), "{said:?}");
    assert_eq!(said.len(), 8);
}

#[test]
fn a_scan_that_is_slow_is_found_with_a_longer_window() {
    let mut traffic = Traffic::default();
    for port in 1..=40 {
        traffic.refused((SCANNER, 61_000), (VICTIM, port), true).wait(60_000);
    }
    assert_eq!(kinds(&traffic), []);
    let mut parameters = Parameters::default();
    for (name, value) in [("scan_window_seconds", 86_400), ("group_silence_seconds", 86_400)] {
        parameters.set(name, value).expect("it is within its range");
    }
    let said = all_of(&traffic, &parameters, 1);
    assert_eq!(
        said.iter().map(|said| (said.state, said.count)).collect::<Vec<_>>(),
        [(State::Began, 20), (State::Over, 40)]
    );
}

#[test]
fn a_scan_that_goes_on_for_hours_is_told_once_an_hour_and_at_its_end() {
    let mut traffic = Traffic::default();
    for port in 1..=900u16 {
        traffic.refused((SCANNER, 61_000), (VICTIM, port), true).wait(10_000);
    }
    let states: Vec<State> = all(&traffic).iter().map(|said| said.state).collect();
    assert_eq!(states, [State::Began, State::GoesOn, State::GoesOn, State::Over]);
}

#[test]
fn who_is_exempt_is_not_told_of() {
    let traffic = scan(100, |traffic, port| {
        traffic.refused((SCANNER, 61_000), (VICTIM, port), true);
    });
    let mut parameters = Parameters::default();
    parameters.exempt("192.0.2.64/26").expect("a network");
    assert_eq!(all_of(&traffic, &parameters, 1), []);
}
