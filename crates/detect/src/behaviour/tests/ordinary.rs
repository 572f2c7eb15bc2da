//! Ordinary traffic is not told of: browsers, resolvers, monitors, mail servers, and captures that begin in the middle.

use super::kinds;
use super::traffic::{ACK, FIN, RST, Traffic, host};

const HOME: [u8; 4] = [192, 168, 1, 20];

#[test]
fn a_browser_that_opens_hundreds_of_connections_is_no_scanner() {
    let mut traffic = Traffic::default();
    for number in 0..400u16 {
        let (client, server) = ((HOME, 30_000 + number), (host(number), 443));
        match number % 7 {
            // Trackers that a filter refuses, and servers that are gone.
            0 => {
                traffic.refused(client, server, false);
            }
            1 if number % 2 == 0 => {
                traffic.syn(client, server, false);
            }
            _ => {
                traffic.talk(
                    client,
                    server,
                    &[(true, b"\x16\x03\x01hello"), (false, b"\x16\x03\x03hello")],
                    true,
                );
            }
        }
        traffic.wait(50);
    }
    traffic.wait(10_000);
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn a_resolver_with_lame_and_late_servers_is_no_scanner() {
    let resolver = [192, 168, 1, 53];
    let mut traffic = Traffic::default();
    for number in 0..600u16 {
        let (from, to) = ((resolver, 10_000 + number), (host(number), 53));
        traffic.datagram(from, to, b"?");
        if !number.is_multiple_of(6) {
            traffic.datagram(to, from, b"!");
        }
        traffic.wait(50);
    }
    // Answers that come so late that they begin flows of their own, and the errors about them.
    traffic.wait(120_000);
    for number in 0..200u16 {
        traffic.undelivered((host(1), 53), (resolver, 10_000 + number), b"!").wait(20);
    }
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn a_monitor_that_asks_fifty_hosts_each_minute_is_no_sweep() {
    let monitor = [192, 168, 1, 9];
    let mut traffic = Traffic::default();
    for round in 0..10u16 {
        for number in 0..50u16 {
            // Some of them are switched off.
            traffic.ping(monitor, host(number), number % 10 != 0);
            traffic.opened_and_reset((monitor, 20_000 + round * 64 + number), (host(number), 443));
            traffic.talk(
                (monitor, 30_000 + round * 64 + number),
                (host(number), 22),
                &[(false, b"SSH-2.0-OpenSSH_9.2\r\n"), (true, b"SSH-2.0-check\r\n")],
                true,
            );
        }
        traffic.wait(60_000);
    }
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn traceroute_is_no_scan() {
    let mut traffic = Traffic::default();
    for number in 0..90u16 {
        traffic.datagram((HOME, 45_000), (host(1), 33_434 + number), b"traceroute").wait(50);
    }
    traffic.wait(10_000).ping(HOME, host(2), true);
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn a_capture_that_begins_in_the_middle_shows_no_scan() {
    let mut traffic = Traffic::default();
    for number in 0..200u16 {
        let (client, server) = ((HOME, 30_000 + number), (host(number), 443));
        // The server speaks first here, and the client's end comes later.
        traffic.segment(server, client, ACK).segment(client, server, ACK);
        traffic.segment(client, server, FIN | ACK).segment(server, client, ACK);
        traffic.segment((host(3), 443), (HOME, 20_000 + number), ACK);
    }
    for number in 0..19u16 {
        // Idle connections that the other side has forgotten.
        traffic.segment((HOME, 50_000 + number), (host(4), 8_000 + number), FIN | ACK);
        traffic.segment((host(4), 8_000 + number), (HOME, 50_000 + number), RST);
    }
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn answers_that_take_another_way_are_no_silence() {
    let mut traffic = Traffic::default();
    for number in 0..200u16 {
        // Only what the client sends is seen.
        let (client, server) = ((HOME, 30_000 + number), (host(number), 443));
        traffic.syn(client, server, false).segment(client, server, ACK).wait(20);
    }
    traffic.wait(10_000).ping(HOME, host(2), true);
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn what_goes_to_many_needs_no_answer() {
    let mut traffic = Traffic::default();
    for number in 0..100u16 {
        traffic.datagram((HOME, 40_000), ([239, 1, 2, 3], 1_000 + number), b"x");
        traffic.datagram((HOME, 40_000), ([224, 0, (number >> 4) as u8, number as u8], 5_000), b"x");
    }
    traffic.wait(10_000).ping(HOME, host(2), true);
    assert_eq!(kinds(&traffic), []);
}

#[test]
fn an_attempt_at_the_very_end_of_a_capture_is_not_called_unanswered() {
    let mut traffic = Traffic::default();
    for port in 1..=100u16 {
        traffic.syn((HOME, 40_000), (host(1), port), true);
    }
    assert_eq!(kinds(&traffic), []);
}
