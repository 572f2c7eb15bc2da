//! Floods of those who say nothing, over real sockets on loopback: whom they keep out, and whom they delay.

use bytes::Bytes;
use core::time::Duration;
use link::hello::Hello;
use link::links::{ACCEPTS_MAX, STRANGERS_MAX};
use link::{Arrival, Closing, Holder, Links, Making, Pins, Protection, Roster, SecretIdentity, WallTime};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use wire::{ClientId, Digest, Encode, NodeId, Peer};

const CLUSTER: Digest = Digest([3; 32]);
const P0: Peer = Peer::Node(NodeId(0));
const P1: Peer = Peer::Node(NodeId(1));
const STATION: Peer = Peer::Client(ClientId(1 << 40));

/// Where everybody is by default, and where nobody else is.
const HERE: &str = "127.0.0.1";
const ELSEWHERE: &str = "127.0.0.2";

/// How many from the address of one of two nodes are kept.
const SHARE: usize = STRANGERS_MAX / 4;

fn socket(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().expect("an address"), 0)
}

fn making(me: Peer, protection: Protection) -> Making {
    Making {
        me,
        cluster: CLUSTER,
        listen: None,
        dial: Vec::new(),
        // Node 0 has an address of its own, where nobody connects from.
        nodes: vec![(NodeId(0), socket("192.0.2.1")), (NodeId(1), socket(HERE))],
        protection,
    }
}

/// Node 0, and where it listens.
fn listener(making: Making) -> (Links, SocketAddr) {
    let links = Links::new(Making { listen: Some(socket(HERE)), ..making }).expect("loopback is there");
    let address = links.local_address().expect("it listens");
    (links, address)
}

/// Somebody from `ip` who says nothing.
fn silent(ip: &str, to: SocketAddr) -> TcpStream {
    let socket_of_it = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket_of_it.bind(&socket(ip).into()).expect("all of 127 is ours");
    socket_of_it.connect(&to.into()).expect("it listens");
    socket_of_it.into()
}

fn say_hello(stream: &mut TcpStream, me: Peer) {
    let hello = Hello { cluster: CLUSTER, me }.to_bytes();
    let framed = [&(hello.len() as u32).to_le_bytes()[..], &hello].concat();
    stream.write_all(&framed).expect("it reads");
}

/// Whether the connection still stands, at the end of a turn.
fn stands(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("it is a socket");
    let mut bytes = [0; 256];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}

/// Lets all of them turn until `done`, for ten seconds at most; what the first one heard.
fn pump(all: &mut [&mut Links], mut done: impl FnMut(&Links) -> bool) -> Vec<Arrival> {
    let (mut heard, end) = (Vec::new(), Instant::now() + Duration::from_secs(10));
    while !done(all[0]) {
        assert!(Instant::now() < end, "it does not come: {:?}", all[0].counters());
        for (index, one) in all.iter_mut().enumerate() {
            let mut arrived = Vec::new();
            one.turn(Some(Duration::from_millis(1)), &mut arrived).expect("it turns");
            if index == 0 {
                heard.append(&mut arrived);
            }
        }
    }
    heard
}

/// So many from `ip` who say nothing, taken in.
fn crowd(links: &mut Links, ip: &str, to: SocketAddr, count: usize) -> Vec<TcpStream> {
    let (mut crowd, before) = (Vec::new(), links.counters().accepted);
    while crowd.len() < count {
        // The system keeps only so many that wait.
        crowd.extend((crowd.len()..count).take(64).map(|_| silent(ip, to)));
        pump(&mut [links], |links| links.counters().accepted == before + crowd.len() as u64);
    }
    crowd
}

fn closed(links: &Links, closing: Closing) -> u64 {
    links.counters().closed.get(&closing).copied().unwrap_or(0)
}

/// They come as fast as they are taken in, from another address and from the node's own, and none of them ever goes by itself.
#[test]
fn a_node_with_a_right_key_gets_in_while_silent_strangers_hold_the_limit() {
    let secrets = [0_u8, 1].map(|n| Arc::new(SecretIdentity::from_bytes(&[n + 1; 32], &[n + 101; 32])));
    let holders = [NodeId(0), NodeId(1)].map(Holder::Node);
    let identities = holders.into_iter().zip(secrets.iter().map(|secret| secret.public(None)));
    let roster = Roster::new(identities).expect("each has keys of its own");
    let pins = Arc::new(Pins::new(roster, WallTime(1_000_000)));
    let protection = |n: usize| Protection::Tls { secret: Arc::clone(&secrets[n]), pins: Arc::clone(&pins) };
    for from in [ELSEWHERE, HERE] {
        let (mut p0, address) = listener(making(P0, protection(0)));
        let mut strangers = crowd(&mut p0, from, address, STRANGERS_MAX);
        assert_eq!(closed(&p0, Closing::CrowdedOut), 0, "there was room for these");
        let dial = vec![(NodeId(0), address)];
        let mut p1 = Links::new(Making { dial, ..making(P1, protection(1)) }).expect("it dials");
        pump(&mut [&mut p0, &mut p1], |p0| {
            strangers.extend((0..ACCEPTS_MAX).map(|_| silent(from, address)));
            p0.is_up(P1)
        });
        assert!(closed(&p0, Closing::CrowdedOut) > 0, "{:?}", p0.counters());
        assert_eq!(closed(&p0, Closing::TooMany), 0, "nobody is refused");
    }
}

#[test]
fn who_comes_from_where_a_node_lives_is_not_crowded_out_from_elsewhere() {
    let (mut p0, address) = listener(making(P0, Protection::Plain));
    let mut at_home = crowd(&mut p0, HERE, address, 1);
    let mut first = crowd(&mut p0, ELSEWHERE, address, 1);
    let _others = crowd(&mut p0, ELSEWHERE, address, 2 * STRANGERS_MAX);
    assert!(stands(&mut at_home[0]) && !stands(&mut first[0]), "{:?}", p0.counters());
    assert_eq!(closed(&p0, Closing::TooMany), 0);
    say_hello(&mut at_home[0], P1);
    pump(&mut [&mut p0], |p0| p0.is_up(P1));
    // Where it lived before is an address like any other.
    p0.set_address(NodeId(1), socket("127.0.0.3"), &mut Vec::new());
    let mut moved = crowd(&mut p0, "127.0.0.3", address, 1);
    let mut left = crowd(&mut p0, HERE, address, 1);
    let _others = crowd(&mut p0, ELSEWHERE, address, STRANGERS_MAX);
    assert!(stands(&mut moved[0]) && !stands(&mut left[0]), "{:?}", p0.counters());
}

#[test]
fn who_shares_the_address_of_a_node_has_no_more_than_its_share() {
    let (mut p0, address) = listener(making(P0, Protection::Plain));
    let mut at_home = crowd(&mut p0, HERE, address, 2 * STRANGERS_MAX);
    let standing =
        |crowd: &mut [TcpStream]| crowd.iter_mut().filter_map(|one| stands(one).then_some(())).count();
    assert_eq!(standing(&mut at_home), STRANGERS_MAX, "there is nobody else");
    let mut others = crowd(&mut p0, ELSEWHERE, address, 2 * STRANGERS_MAX);
    assert_eq!(standing(&mut at_home), SHARE);
    assert!(standing(&mut at_home[2 * STRANGERS_MAX - SHARE..]) == SHARE, "the latest are kept");
    assert_eq!(standing(&mut others), STRANGERS_MAX - SHARE);
    // One from elsewhere who says who it is gets in.
    say_hello(others.last_mut().expect("there are some"), STATION);
    pump(&mut [&mut p0], |p0| p0.is_up(STATION));
    assert_eq!(closed(&p0, Closing::TooMany), 0);
}

/// The system tells once of all that wait: each turn takes up what the one before left.
#[test]
fn a_flood_is_taken_in_by_bounded_turns_after_what_came_over_links_that_stand() {
    const TURNS: usize = 6;
    let (mut p0, address) = listener(making(P0, Protection::Plain));
    let mut node = silent(HERE, address);
    say_hello(&mut node, P1);
    pump(&mut [&mut p0], |p0| p0.is_up(P1));
    let _flood: Vec<TcpStream> = (0..TURNS * ACCEPTS_MAX).map(|_| silent(ELSEWHERE, address)).collect();
    node.write_all(&[3, 0, 0, 0, 7, 7, 7]).expect("it reads");
    let frame = Arrival::Frame(P1, Bytes::from_static(&[7; 3]));
    let mut heard = None;
    for turn in 1..=TURNS {
        let (before, mut arrived) = (p0.counters().accepted, Vec::new());
        p0.turn(Some(Duration::from_secs(60)), &mut arrived).expect("it turns");
        assert_eq!(p0.counters().accepted - before, ACCEPTS_MAX as u64, "in turn {turn}");
        if arrived.contains(&frame) {
            heard.get_or_insert(turn);
        }
    }
    assert!(heard.is_some_and(|turn| turn < TURNS), "the frame waits for the flood: {heard:?}");
    assert_eq!(p0.counters().accepts_put_off, TURNS as u64);
}

/// A node that comes back could not say who it is.
#[test]
fn while_nothing_is_read_nobody_is_crowded_out() {
    let (mut p0, address) = listener(making(P0, Protection::Plain));
    p0.hold(true);
    let mut first = crowd(&mut p0, ELSEWHERE, address, STRANGERS_MAX);
    say_hello(&mut first[0], P1);
    let _others: Vec<TcpStream> = (0..10).map(|_| silent(ELSEWHERE, address)).collect();
    for _ in 0..10 {
        p0.turn(Some(Duration::from_millis(1)), &mut Vec::new()).expect("it turns");
    }
    assert_eq!(closed(&p0, Closing::CrowdedOut), 0, "{:?}", p0.counters());
    p0.hold(false);
    pump(&mut [&mut p0], |p0| p0.is_up(P1) && p0.counters().accepted == STRANGERS_MAX as u64 + 10);
}
