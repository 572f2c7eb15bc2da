//! Links over real sockets on loopback: what comes through, and what does not.

use bytes::Bytes;
use core::time::Duration;
use link::hello::Hello;
use link::links::{GREETING_MAX, STATIONS_OF_ONE_MAX};
use link::{
    Arrival, ClientNumber, Closing, Holder, Links, Making, Pins, Protection, Roster, SecretIdentity, Trouble,
    WallTime,
};
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;
use wire::{Authenticator, ClientId, Digest, Encode, Frame, NodeId, Peer};

const CLUSTER: Digest = Digest([3; 32]);
const NOW: WallTime = WallTime(1_000_000);
const STATION: ClientId = ClientId(1 << 40 | 5 << 16);
const P0: Peer = Peer::Node(NodeId(0));
const P1: Peer = Peer::Node(NodeId(1));

/// Everybody's keys: of nodes 0 and 1, client 1, and a stranger.
struct World {
    secrets: Vec<Arc<SecretIdentity>>,
    pins: Arc<Pins>,
}

const HOLDERS: [Holder; 3] =
    [Holder::Node(NodeId(0)), Holder::Node(NodeId(1)), Holder::Client(ClientNumber(1))];
const STRANGER: usize = 3;

fn world() -> World {
    let secret = |n: u8| Arc::new(SecretIdentity::from_bytes(&[n + 1; 32], &[n + 101; 32]));
    let secrets: Vec<_> = (0..4).map(secret).collect();
    let identities = HOLDERS.iter().zip(&secrets).map(|(holder, secret)| (*holder, secret.public(None)));
    let roster = Roster::new(identities).expect("each has keys of its own");
    World { secrets, pins: Arc::new(Pins::new(roster, NOW)) }
}

impl World {
    fn tls(&self, keys_of: usize) -> Protection {
        Protection::Tls { secret: Arc::clone(&self.secrets[keys_of]), pins: Arc::clone(&self.pins) }
    }
}

fn making(me: Peer, listen: bool, dial: &[SocketAddr], protection: Protection) -> Making {
    Making {
        me,
        cluster: CLUSTER,
        listen: listen.then(|| "127.0.0.1:0".parse().expect("an address")),
        dial: dial.iter().map(|address| (NodeId(0), *address)).collect(),
        nodes: [NodeId(0), NodeId(1)].map(|node| (node, "127.0.0.1:1".parse().expect("an address"))).into(),
        protection,
    }
}

fn links(making: Making) -> Links {
    Links::new(making).expect("loopback is there")
}

/// Lets all of them turn until `done`, for ten seconds at most; what each heard.
fn pump(
    all: &mut [&mut Links],
    mut done: impl FnMut(&[Vec<Arrival>], &[&mut Links]) -> bool,
) -> Vec<Vec<Arrival>> {
    let mut heard = vec![Vec::new(); all.len()];
    let end = Instant::now() + Duration::from_secs(10);
    while !done(&heard, all) {
        assert!(Instant::now() < end, "it does not come: {heard:?}");
        for (one, heard) in all.iter_mut().zip(&mut heard) {
            one.turn(Some(Duration::from_millis(1)), heard).expect("it turns");
        }
    }
    heard
}

fn frame_from(client: ClientId, body: &'static [u8]) -> Bytes {
    let frame = Frame {
        from: Peer::Client(client),
        vouched: false,
        body: Bytes::from_static(body),
        authenticator: Authenticator::None,
    };
    frame.to_bytes()
}

fn up(all: &mut [&mut Links], peers: &[Peer]) {
    pump(all, |_, all| all.iter().zip(peers).all(|(one, peer)| one.is_up(*peer)));
}

fn closed(links: &Links, closing: Closing) -> u64 {
    links.counters().closed.get(&closing).copied().unwrap_or(0)
}

/// A node that listens, and one that dials it.
fn pair(world: &World, tls: bool) -> (Links, Links) {
    let protection = |n| if tls { world.tls(n) } else { Protection::Plain };
    let listener = links(making(P0, true, &[], protection(0)));
    let address = listener.local_address().expect("it listens");
    (listener, links(making(P1, false, &[address], protection(1))))
}

#[test]
fn frames_come_through_whole_and_in_order_both_ways_whatever_their_size() {
    let world = world();
    for tls in [false, true] {
        let (mut p0, mut p1) = pair(&world, tls);
        up(&mut [&mut p0, &mut p1], &[P1, P0]);
        let frames: Vec<Bytes> = (0..40_usize).map(|n| Bytes::from(vec![n as u8; 1 + n * n * 600])).collect();
        for frame in &frames {
            p0.send(P1, frame);
            p1.send(P0, frame);
        }
        let count = |heard: &[Arrival]| heard.iter().filter(|one| matches!(one, Arrival::Frame(..))).count();
        let heard = pump(&mut [&mut p0, &mut p1], |heard, _| heard.iter().all(|one| count(one) == 40));
        for (heard, from) in heard.iter().zip([P1, P0]) {
            let expected: Vec<Arrival> =
                frames.iter().map(|frame| Arrival::Frame(from, frame.clone())).collect();
            let frames: Vec<Arrival> =
                heard.iter().filter(|one| matches!(one, Arrival::Frame(..))).cloned().collect();
            assert!(frames == expected, "tls {tls}: not what was sent");
        }
    }
}

#[test]
fn a_session_is_reached_over_its_stations_connection_and_nobody_speaks_for_another_station() {
    let world = world();
    for tls in [false, true] {
        let protection = |n| if tls { world.tls(n) } else { Protection::Plain };
        let mut p0 = links(making(P0, true, &[], protection(0)));
        let address = p0.local_address().expect("it listens");
        let mut client = links(making(Peer::Client(STATION), false, &[address], protection(2)));
        up(&mut [&mut p0, &mut client], &[Peer::Client(STATION), P0]);
        let session = ClientId(STATION.0 + 9);
        let frame = frame_from(session, b"ask");
        client.send(P0, &frame);
        let heard = pump(&mut [&mut p0, &mut client], |heard, _| !heard[0].is_empty());
        assert_eq!(heard[0], [Arrival::Frame(Peer::Client(session), frame)]);
        p0.send(Peer::Client(session), b"answer");
        let heard = pump(&mut [&mut p0, &mut client], |heard, _| !heard[1].is_empty());
        assert_eq!(heard[1], [Arrival::Frame(P0, Bytes::from_static(b"answer"))]);
        client.send(P0, &frame_from(ClientId(1 << 40 | 6 << 16), b"ask"));
        let heard = pump(&mut [&mut p0, &mut client], |_, all| closed(all[0], Closing::Impostor) == 1);
        assert_eq!(heard[0], [Arrival::Down(Peer::Client(STATION))]);
    }
}

#[test]
fn a_link_that_broke_is_made_again() {
    let world = world();
    let (mut p0, mut p1) = pair(&world, true);
    up(&mut [&mut p0, &mut p1], &[P1, P0]);
    let address = p0.local_address().expect("it listens");
    drop(p0);
    pump(&mut [&mut p1], |_, all| !all[0].is_up(P0));
    let again = Making { listen: Some(address), ..making(P0, true, &[], world.tls(0)) };
    let mut p0 = links(again);
    up(&mut [&mut p0, &mut p1], &[P1, P0]);
}

/// It names nobody: the link says whose it is, of a client the station.
#[test]
fn an_aside_is_handed_on_as_one_whoever_says_it() {
    let world = world();
    let mut p0 = links(making(P0, true, &[], world.tls(0)));
    let address = p0.local_address().expect("it listens");
    let mut client = links(making(STATION.into(), false, &[address], world.tls(2)));
    up(&mut [&mut p0, &mut client], &[STATION.into(), P0]);
    client.send(P0, b"?how");
    p0.send(STATION.into(), b"?so");
    let heard = pump(&mut [&mut p0, &mut client], |heard, _| heard.iter().all(|one| !one.is_empty()));
    assert_eq!(heard[0], [Arrival::Aside(STATION.into(), Bytes::from_static(b"?how"))]);
    assert_eq!(heard[1], [Arrival::Aside(P0, Bytes::from_static(b"?so"))]);
}

#[test]
fn why_no_link_stands_is_told_until_one_does() {
    let world = world();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = nobody.local_addr().expect("it listens");
    drop(nobody);
    let mut p1 = links(making(P1, false, &[address], world.tls(1)));
    let refused = Some(Trouble::Socket(ErrorKind::ConnectionRefused));
    pump(&mut [&mut p1], |_, all| all[0].trouble(NodeId(0)) == refused);
    let mut p0 = links(Making { listen: Some(address), ..making(P0, true, &[], world.tls(0)) });
    up(&mut [&mut p0, &mut p1], &[P1, P0]);
    assert_eq!(p1.trouble(NodeId(0)), None);
}

#[test]
fn the_newer_of_two_connections_of_a_peer_stands() {
    let world = world();
    let (mut p0, mut old) = pair(&world, true);
    up(&mut [&mut p0, &mut old], &[P1, P0]);
    let address = p0.local_address().expect("it listens");
    let mut new = links(making(P1, false, &[address], world.tls(1)));
    pump(&mut [&mut p0, &mut new], |_, all| closed(all[0], Closing::Replaced) == 1 && all[1].is_up(P0));
    p0.send(P1, b"hello");
    let heard = pump(&mut [&mut p0, &mut new], |heard, _| !heard[1].is_empty());
    assert_eq!(heard[1], [Arrival::Frame(P0, Bytes::from_static(b"hello"))]);
}

/// What a key that is not taken comes to, and the name under which it is counted.
#[test]
fn a_wrong_an_unknown_and_an_expired_key_are_refused_by_name() {
    let world = world();
    let mut p0 = links(making(P0, true, &[], world.tls(0)));
    let address = p0.local_address().expect("it listens");
    let mut stranger = links(making(P1, false, &[address], world.tls(STRANGER)));
    pump(&mut [&mut p0, &mut stranger], |_, all| {
        all[0].counters().refused.get("unknown-key").is_some_and(|count| *count > 0)
            && all[1].refusal(NodeId(0)) == Some("refused-by-peer")
    });
    // The client's key is known, but it is not that of node 1.
    let mut liar = links(making(P1, false, &[address], world.tls(2)));
    pump(&mut [&mut p0, &mut liar], |_, all| closed(all[0], Closing::WrongPeer) > 0);
    assert!(!p0.is_up(P1));
    // The key has ended meanwhile: an open link goes, and there is no new one.
    let mut p1 = links(making(P1, false, &[address], world.tls(1)));
    up(&mut [&mut p0, &mut p1], &[P1, P0]);
    assert_eq!(p1.refusal(NodeId(0)), None);
    let identities = HOLDERS.iter().zip(&world.secrets);
    let ended = identities.map(|(holder, secret)| (*holder, secret.public(Some(NOW))));
    world.pins.replace(Roster::new(ended).expect("each has keys of its own"));
    let mut arrived = Vec::new();
    p0.check_keys(&mut arrived);
    assert_eq!(arrived, [Arrival::Down(P1)]);
    pump(&mut [&mut p0, &mut p1], |_, all| {
        all.iter().any(|one| one.counters().refused.get("expired-key").is_some_and(|count| *count > 0))
    });
    assert!(!p0.is_up(P1));
}

#[test]
fn one_client_has_so_many_stations_and_nodes_find_room() {
    let mut p0 = links(making(P0, true, &[], Protection::Plain));
    let address = p0.local_address().expect("it listens");
    let station = |number: u64| Peer::Client(ClientId(1 << 40 | number << 16));
    let mut held = Vec::new();
    for number in 0..=STATIONS_OF_ONE_MAX as u64 {
        let hello = Hello { cluster: CLUSTER, me: station(number) }.to_bytes();
        let mut stream = TcpStream::connect(address).expect("it listens");
        let framed = [&(hello.len() as u32).to_le_bytes()[..], &hello].concat();
        stream.write_all(&framed).expect("it reads");
        held.push(stream);
        let is_last = number == STATIONS_OF_ONE_MAX as u64;
        pump(&mut [&mut p0], |_, all| match is_last {
            false => all[0].is_up(station(number)),
            true => closed(all[0], Closing::TooMany) == 1,
        });
    }
    assert!(!p0.is_up(station(STATIONS_OF_ONE_MAX as u64)));
    let mut other = links(making(Peer::Client(ClientId(2 << 40)), false, &[address], Protection::Plain));
    let mut p1 = links(making(P1, false, &[address], Protection::Plain));
    pump(&mut [&mut p0, &mut other, &mut p1], |_, all| {
        all[0].is_up(Peer::Client(ClientId(2 << 40))) && all[0].is_up(P1)
    });
}

#[test]
fn another_cluster_is_not_ours() {
    let world = world();
    let mut p0 = links(making(P0, true, &[], world.tls(0)));
    let address = p0.local_address().expect("it listens");
    let other = Making { cluster: Digest([4; 32]), ..making(P1, false, &[address], world.tls(1)) };
    let mut other = links(other);
    pump(&mut [&mut p0, &mut other], |_, all| closed(all[0], Closing::OtherCluster) > 0);
    assert!(!p0.is_up(P1));
}

#[test]
fn who_dials_turns_nobody_away() {
    let world = world();
    // The system takes connections in for a node that stands still.
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let address = silent.local_addr().expect("it listens");
    let mut p1 = links(making(P1, false, &[address], world.tls(1)));
    pump(&mut [&mut p1], |_, all| closed(all[0], Closing::Slow) > 0);
    assert_eq!(p1.counters().turned_away, 0);
}

/// Plain text, garbage, a scanner that hangs up, one that says nothing, one that says it byte by byte, and very many at once: all
/// are closed and counted, and the good link goes on as if they were not there.
#[test]
fn what_is_not_ours_is_closed_and_counted_and_disturbs_nobody() {
    let world = world();
    for tls in [false, true] {
        let (mut p0, mut p1) = pair(&world, tls);
        up(&mut [&mut p0, &mut p1], &[P1, P0]);
        let address = p0.local_address().expect("it listens");
        let (stop, stopped) = mpsc::channel::<()>();
        let visitors = thread::spawn(move || visit(address, &stopped));
        let start = Instant::now();
        let heard = pump(&mut [&mut p0, &mut p1], |_, all| {
            all[0].counters().closed.values().sum::<u64>() >= VISITORS as u64
        });
        assert!(start.elapsed() < GREETING_MAX * 3, "who says nothing is not waited for");
        assert!(!heard[0].contains(&Arrival::Down(P1)) && !heard[1].contains(&Arrival::Down(P0)));
        assert!(p0.is_up(P1) && p1.is_up(P0), "the good link stands");
        p1.send(P0, b"still here");
        let heard = pump(&mut [&mut p0, &mut p1], |heard, _| !heard[0].is_empty());
        assert_eq!(heard[0], [Arrival::Frame(P1, Bytes::from_static(b"still here"))]);
        let counters = p0.counters();
        assert!(closed(&p0, Closing::CrowdedOut) > 50, "{counters:?}");
        assert!(counters.turned_away > 50, "{counters:?}");
        assert!(closed(&p0, Closing::Slow) > 0, "{counters:?}");
        match tls {
            true => assert!(counters.refused.get("not-tls").is_some_and(|count| *count >= 2), "{counters:?}"),
            false => assert!(closed(&p0, Closing::NotOurs) >= 3, "{counters:?}"),
        }
        drop(stop);
        visitors.join().expect("visitors do not mind");
    }
}

/// Connections of visitors.
const VISITORS: usize = 306;

/// Everybody who is not of our kind, until `stopped`.
fn visit(address: SocketAddr, stopped: &mpsc::Receiver<()>) {
    let connect = || TcpStream::connect(address).expect("it listens");
    let mut visitors = Vec::new();
    for bytes in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0xA5; 4096], &u32::MAX.to_le_bytes()] {
        let mut visitor = connect();
        // It may hang up in the middle.
        let _ = visitor.write_all(bytes);
        visitors.push(visitor);
    }
    drop(connect());
    // One says nothing, and one a byte now and then of what could be a hello.
    visitors.push(connect());
    let mut slow = connect();
    visitors.extend((0..VISITORS - 6).map(|_| connect()));
    while stopped.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
        let _ = slow.write_all(&[40]);
    }
}

#[test]
fn who_does_not_read_costs_no_more_than_the_limit() {
    let world = world();
    let (mut p0, mut p1) = pair(&world, true);
    up(&mut [&mut p0, &mut p1], &[P1, P0]);
    let frame = vec![7; 1 << 20];
    let mut arrived = Vec::new();
    for _ in 0..100 {
        p0.send(P1, &frame);
        p0.flush(&mut arrived);
    }
    assert!(p0.counters().frames_dropped > 50, "{:?}", p0.counters());
    let sent = p0.counters().frames_out as usize;
    let count = |heard: &[Arrival]| heard.iter().filter(|one| matches!(one, Arrival::Frame(..))).count();
    let heard = pump(&mut [&mut p0, &mut p1], |heard, _| count(&heard[1]) == sent);
    assert_eq!(count(&heard[1]), sent, "what was not dropped arrives whole");
}
