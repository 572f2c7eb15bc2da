//! What a node answers over HTTP, asked over real sockets.

use agree::Protocol;
use agree::account::{Beside, MemberPart, MonitorPart, Stands};
use agree::between::{LogStanding, Standing, Tally};
use agree::replica::Status;
use node::http::{self, HEAD_BYTES_MAX, Shared, VISIT_MAX, VISITORS_MAX};
use node::report::{Answers, Duty, Report};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::PoisonError;
use std::time::Duration;
use wire::{Digest, NodeId, Sequence, Time, View};

fn report(normal: bool) -> Report {
    let status = Status {
        view: View(4),
        primary: NodeId(1),
        normal,
        executed: Sequence(77),
        stable: Sequence(64),
        state: Digest([5; 32]),
        sessions: 6,
    };
    let (tally, log) = (Tally::default(), LogStanding::default());
    Report {
        node: NodeId(2),
        protocol: Protocol::ByzId,
        apart: true,
        standing: Some(Standing { status, tally, log }),
        beside: Beside { up: true, starts: 1, silent_ms: 100, end: None },
        vouches: true,
        monitor: None,
        bounds: None,
        passed: node::gate::Passed::default(),
        asides_refused: 0,
        links: link::Counters::default(),
        up: vec![NodeId(0), NodeId(1)],
        ending: node::ending::Ending::default(),
        now: Time(9_000_000_000),
    }
}

fn server() -> (SocketAddr, Shared) {
    let shared = Shared::default();
    let any = "127.0.0.1:0".parse().expect("an address");
    (http::serve(any, Shared::clone(&shared)).expect("loopback is there"), shared)
}

fn set(shared: &Shared, report: Report) {
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(report.answers());
}

/// The first line and the body of the answer to `question`.
fn ask(address: SocketAddr, question: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    // It may hang up in the middle of too much.
    let _ = stream.write_all(question.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.lines().next().unwrap_or_default().to_string(), body.to_string())
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}

#[test]
fn health_says_whether_the_node_takes_part() {
    let (address, shared) = server();
    assert_eq!(get(address, "/health").0, "HTTP/1.1 503 Service Unavailable", "it is starting");
    set(&shared, report(true));
    assert_eq!(get(address, "/health").0, "HTTP/1.1 200 OK");
    set(&shared, report(false));
    assert_eq!(get(address, "/health").0, "HTTP/1.1 503 Service Unavailable");
}

#[test]
fn a_spare_that_stands_by_is_well_and_health_says_what_it_does() {
    let (address, shared) = server();
    let members = [0, 1, 3].map(|node| MemberPart { node: NodeId(node), incarnation: 0 });
    let monitor = MonitorPart {
        incarnation: 1,
        standing: Stands::Forgotten,
        view: View(4),
        members: members.to_vec(),
        wants: View(4),
        promised: View(4),
        fails_open: false,
        guilty: None,
    };
    let spare = Report { vouches: false, monitor: Some(monitor), ..report(false) };
    set(&shared, spare.clone());
    assert_eq!(get(address, "/health"), ("HTTP/1.1 200 OK".to_string(), "stands by\n".to_string()));
    let metrics = get(address, "/metrics").1;
    for line in ["varangian_healthy 1", "varangian_stands_by 1"] {
        assert!(metrics.lines().any(|other| other == line), "{metrics}");
    }
    set(&shared, Report { standing: None, ..spare });
    assert_eq!(get(address, "/health").0, "HTTP/1.1 503 Service Unavailable", "it could take nobody's place");
}

#[test]
fn status_is_one_json_object_and_metrics_are_those_of_prometheus() {
    let (address, shared) = server();
    set(&shared, report(true));
    let status: Value = serde_json::from_str(&get(address, "/status").1).expect("one JSON object");
    assert_eq!(
        (&status["node"], &status["primary"], &status["executed"]),
        (&2.into(), &1.into(), &77.into())
    );
    assert_eq!(status["links_up"], serde_json::json!([0, 1]));
    let metrics = get(address, "/metrics").1;
    for line in metrics.lines() {
        let is_comment = line.starts_with("# HELP varangian_") || line.starts_with("# TYPE varangian_");
        let value = line.rsplit(' ').next().and_then(|value| value.parse::<u64>().ok());
        assert!(is_comment || (line.starts_with("varangian_") && value.is_some()), "{line}");
    }
    assert!(metrics.contains("\nvarangian_executed 77\n"), "{metrics}");
}

#[test]
fn nothing_else_is_answered_and_nothing_can_be_changed() {
    let (address, shared) = server();
    set(&shared, report(true));
    assert_eq!(get(address, "/etc/passwd").0, "HTTP/1.1 404 Not Found");
    assert_eq!(ask(address, "POST /status HTTP/1.1\r\n\r\n").0, "HTTP/1.1 405 Method Not Allowed");
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(2 * HEAD_BYTES_MAX));
    assert_eq!(ask(address, &long).0, "", "too long for an answer");
}

#[test]
fn a_visitor_that_says_nothing_is_sent_away() {
    let (address, shared) = server();
    set(&shared, report(true));
    let mut silent = TcpStream::connect(address).expect("it listens");
    silent.write_all(b"GET /hea").expect("it takes bytes");
    assert_eq!(get(address, "/health").0, "HTTP/1.1 200 OK");
    silent.set_read_timeout(Some(VISIT_MAX + Duration::from_secs(60))).expect("it is a socket");
    assert_eq!(silent.read(&mut [0]).expect("it is closed"), 0);
}

/// The oldest of them make room.
#[test]
fn silent_visitors_at_the_limit_do_not_keep_a_question_of_health_from_being_answered() {
    let (address, shared) = server();
    set(&shared, report(true));
    let connect = || TcpStream::connect(address).expect("it listens");
    let mut silent: Vec<TcpStream> = (0..4 * VISITORS_MAX).map(|_| connect()).collect();
    for _ in 0..VISITORS_MAX {
        assert_eq!(get(address, "/health").0, "HTTP/1.1 200 OK");
        silent.push(connect());
    }
    let metrics = get(address, "/metrics").1;
    let of = |how: &str| {
        let name = format!("varangian_http_visits_total{{why=\"{how}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
        count.map_or(0, |count| count.parse::<usize>().expect("a number"))
    };
    assert_eq!(of("answered"), VISITORS_MAX, "{metrics}");
    assert!(of("crowded-out") >= VISITORS_MAX, "{metrics}");
}

/// It is told as much as the sockets take, and the others are served meanwhile.
#[test]
fn a_visitor_that_does_not_read_holds_up_nobody() {
    let (address, shared) = server();
    let status = "x".repeat(64 << 20);
    let answers = Answers { duty: Duty::TakesPart, status, metrics: String::new() };
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
    let mut stubborn = TcpStream::connect(address).expect("it listens");
    stubborn.write_all(b"GET /status HTTP/1.1\r\n\r\n").expect("it takes bytes");
    assert_eq!(get(address, "/health").0, "HTTP/1.1 200 OK");
    let mut told = Vec::new();
    // It may end by a reset: what the node still had to say is dropped.
    let _ = stubborn.take(1 << 20).read_to_end(&mut told);
    assert!(told.starts_with(b"HTTP/1.1 200 OK\r\n"));
}
