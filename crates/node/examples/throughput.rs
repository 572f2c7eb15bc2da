//! Scratch: how fast.
use agree::bundle::Gathering;
use agree::byzid::guard::Fail;
use agree::client::{Client, ClientEffect};
use agree::door::Door;
use agree::guard::Plain;
use agree::replica::{Position, Recovered};
use agree::{Message, Protocol, Service, Settings, Write, byzid, paxos, pbft};
use bytes::Bytes;
use link::{Arrival, Links, Making};
use node::clock::Clock;
use node::core::{Core, Keeping};
use node::gate::Gate;
use node::single::Single;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wire::*;

#[derive(Clone)]
struct K(Peer);
fn mix(parts: &[&[u8]], key: u64) -> [u8; 32] {
    let mut h = Sha256::new();
    h.update(key.to_le_bytes());
    for p in parts {
        h.update(p);
    }
    h.finalize().into()
}
fn num(p: Peer) -> u64 {
    match p {
        Peer::Node(n) => u64::from(n.0),
        Peer::Client(c) => c.station().0 | 1 << 63,
    }
}
impl Keys for K {
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
        Tag(mix(parts, num(to) ^ num(self.0).rotate_left(17))[..16].try_into().unwrap())
    }
    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool {
        mix(parts, num(self.0) ^ num(from).rotate_left(17))[..16] == tag.0
    }
    fn sign(&self, body: &[u8]) -> Signature {
        let m = mix(&[body], num(self.0));
        let mut s = [0; 64];
        s[..32].copy_from_slice(&m);
        Signature(s)
    }
    fn signature_is_valid(&self, signer: Peer, body: &[u8], s: &Signature) -> bool {
        mix(&[body], num(signer)) == s.0[..32]
    }
    fn seal(&self, body: &[u8]) -> Tag {
        Tag(mix(&[body], 7)[..16].try_into().unwrap())
    }
    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool {
        self.seal(body) == *tag
    }
}
#[derive(Clone, Default)]
struct Echo(u64);
impl Service for Echo {
    fn apply(&mut self, _: &Bytes) -> Bytes {
        self.0 += 1;
        Bytes::new()
    }
    fn digest(&self) -> Digest {
        let mut d = [0; 32];
        d[..8].copy_from_slice(&self.0.to_le_bytes());
        Digest(d)
    }
    fn snapshot(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0.to_le_bytes())
    }
    fn restore(&mut self, s: &Bytes) -> Result<(), agree::service::RestoreError> {
        self.0 = u64::from_le_bytes(s[..].try_into().unwrap());
        Ok(())
    }
}
struct Mem(u64);
impl Keeping for Mem {
    fn append(&mut self, w: &mut Vec<Write>) -> Result<(), String> {
        self.0 += w.len() as u64;
        w.clear();
        Ok(())
    }
    fn durable(&mut self) -> Result<Position, String> {
        Ok(Position(self.0))
    }
}
fn address(n: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], 17400 + n).into()
}
fn settings(p: &str, f: usize) -> Settings {
    Settings::new(p.parse::<Protocol>().unwrap(), f)
}
fn run_node(p: &str, f: usize, me: u16) {
    let s = settings(p, f);
    let links = Links::new(Making {
        me: Peer::Node(NodeId(me)),
        cluster: Digest([0; 32]),
        listen: Some(address(me)),
        dial: (0..me).map(|n| (NodeId(n), address(n))).collect(),
        nodes: s.members.clone(),
        protection: link::Protection::Plain,
    })
    .unwrap();
    let clock = Clock::default();
    let door = Door::new(Peer::Node(NodeId(me)), s.protocol, s.members.clone(), K(Peer::Node(NodeId(me))));
    fn go<G: agree::guard::Guard, R: agree::Replica>(g: G, r: R, links: Links, clock: Clock) {
        let mut n = Single::new(Gate::new(g, links), Core::new(r, Mem(0), Position(0)), clock);
        n.start().unwrap();
        let mut last = Instant::now();
        let mut turns = 0u64;
        let mut lb = 0;
        let mut lr = 0;
        loop {
            n.turn(Duration::from_millis(100)).unwrap();
            turns += 1;
            if std::env::var("V").is_ok() && last.elapsed() > Duration::from_secs(1) {
                let t = n.core().tally();
                eprintln!(
                    "turns {turns} batches {} requests {} {:?}",
                    t.batches - lb,
                    t.requests - lr,
                    n.core().status().view
                );
                lb = t.batches;
                lr = t.requests;
                turns = 0;
                last = Instant::now();
            }
        }
    }
    let rec = Recovered::default();
    match s.protocol {
        Protocol::ByzId | Protocol::ByzIdW => {
            let g = byzid::guard::Guard::new(door, &s, Fail::Closed, monitor::FIRST, clock.now());
            go(g, byzid::Replica::recover(NodeId(me), s, Echo::default(), rec).unwrap(), links, clock)
        }
        Protocol::Paxos => go(
            Plain::new(door, &s.members),
            paxos::Replica::recover(NodeId(me), s.clone(), Echo::default(), rec).unwrap(),
            links,
            clock,
        ),
        Protocol::Pbft => go(
            Plain::new(door, &s.members),
            pbft::Replica::recover(NodeId(me), s.clone(), Echo::default(), K(Peer::Node(NodeId(me))), rec)
                .unwrap(),
            links,
            clock,
        ),
    }
}
fn cpu(pid: u32) -> f64 {
    let s = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (v[11].parse::<f64>().unwrap() + v[12].parse::<f64>().unwrap()) * 10_000.0
}
fn load(p: &str, f: usize, clients: u64, secs: u64, run: u64, pids: &[u32]) {
    let s = settings(p, f);
    let me = ClientId(run << 16);
    let mut links = Links::new(Making {
        me: Peer::Client(me),
        cluster: Digest([0; 32]),
        listen: None,
        dial: s.members.iter().map(|n| (*n, address(n.0))).collect(),
        nodes: s.members.clone(),
        protection: link::Protection::Plain,
    })
    .unwrap();
    let mut arrived = Vec::new();
    while !s.members.iter().all(|n| links.is_up(Peer::Node(*n))) {
        links.turn(Some(Duration::from_millis(50)), &mut arrived).unwrap();
    }
    struct C {
        c: Client,
        at: Instant,
        retry: Option<Instant>,
    }
    let key = K(Peer::Client(me));
    let door = Door::new(Peer::Client(me), s.protocol, s.members.clone(), key.clone());
    let mut cs: Vec<C> = (0..clients)
        .map(|i| {
            let id = ClientId(me.0 + 1 + i);
            C { c: Client::new(id, &s, Timestamp(0)), at: Instant::now(), retry: None }
        })
        .collect();
    let op = Bytes::from_static(b"12345678");
    let mut out: BTreeMap<NodeId, Gathering> = BTreeMap::new();
    fn say(n: NodeId, m: Message, door: &Door<K>, links: &mut Links) {
        let f = door.seal_for(&[Peer::Node(n)], &m);
        let f = match &m {
            Message::Request(r) => {
                let d = Door::new(Peer::Client(r.client), Protocol::ByzId, vec![], K(Peer::Client(r.client)));
                d.seal_for(&[Peer::Node(n)], &m)
            }
            _ => f,
        };
        links.send(Peer::Node(n), &f.to_bytes());
    }
    fn perform(
        c: &mut C,
        effects: &mut Vec<ClientEffect>,
        out: &mut BTreeMap<NodeId, Gathering>,
        door: &Door<K>,
        links: &mut Links,
    ) -> bool {
        let mut done = false;
        for e in effects.drain(..) {
            match e {
                ClientEffect::Send(n, m) => {
                    if let Some(m) = out.entry(n).or_default().add(m) {
                        say(n, m, door, links);
                    }
                }
                ClientEffect::SetTimer(d) => c.retry = Some(c.at + d),
                ClientEffect::ClearTimer => c.retry = None,
                ClientEffect::Done(_) => done = true,
            }
        }
        done
    }
    let mut ef = Vec::new();
    for c in &mut cs {
        c.c.submit(op.clone(), &key, &mut ef);
        c.at = Instant::now();
        perform(c, &mut ef, &mut out, &door, &mut links);
    }
    let start = Instant::now();
    let (mut count, mut lat) = (0u64, Vec::new());
    let warm = Duration::from_millis(500);
    let mut last_check = Instant::now();
    let mut c0: Option<Vec<f64>> = None;
    let all: Vec<u32> = std::iter::once(std::process::id()).chain(pids.iter().copied()).collect();
    while start.elapsed() < Duration::from_secs(secs) + warm {
        for (n, g) in &mut out {
            if let Some(m) = g.take() {
                say(*n, m, &door, &mut links);
            }
        }
        links.flush(&mut arrived);
        links.turn(Some(Duration::from_millis(10)), &mut arrived).unwrap();
        let now = Instant::now();
        let measuring = now - start > warm;
        if measuring && c0.is_none() {
            c0 = Some(all.iter().map(|p| cpu(*p)).collect());
        }
        for a in arrived.drain(..) {
            let Arrival::Frame(link, frame) = a else { continue };
            let Ok(o) = door.open(link, frame) else {
                eprintln!("bad");
                continue;
            };
            let ms = match o.message {
                Message::Bundle(b) => b.into_messages(),
                m => vec![m],
            };
            for m in ms {
                let id = match &m {
                    Message::Reply(r) => r.client,
                    Message::Busy(b) => b.client,
                    _ => continue,
                };
                let c = &mut cs[(id.0 - me.0 - 1) as usize];
                c.c.receive(o.from.node().unwrap(), m, &mut ef);
                if perform(c, &mut ef, &mut out, &door, &mut links) {
                    if measuring {
                        count += 1;
                        lat.push(now - c.at);
                    }
                    c.at = now;
                    c.c.submit(op.clone(), &key, &mut ef);
                    perform(c, &mut ef, &mut out, &door, &mut links);
                }
            }
        }
        if last_check.elapsed() > Duration::from_millis(20) {
            last_check = now;
            for c in &mut cs {
                if c.retry.is_some_and(|r| r <= now) {
                    c.c.timeout(&mut ef);
                    perform(c, &mut ef, &mut out, &door, &mut links);
                }
            }
        }
    }
    let c1: Vec<f64> = all.iter().map(|p| cpu(*p)).collect();
    let per: Vec<String> =
        c1.iter().zip(c0.unwrap()).map(|(a, b)| format!("{:.2}", (a - b) / count as f64)).collect();
    lat.sort();
    println!(
        "{p} f={f} clients={clients}: {} ops/s p50 {:?} p99 {:?}   cpu us/op: client, nodes: {}",
        count / secs,
        lat[lat.len() / 2],
        lat[lat.len() * 99 / 100],
        per.join(" ")
    );
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] == "node" {
        std::thread::spawn(|| {
            let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
            std::process::exit(0)
        });
        return run_node(&a[2], a[3].parse().unwrap(), a[4].parse().unwrap());
    }
    let f: usize = a[2].parse().unwrap();
    let s = settings(&a[1], f);
    let mut kids: Vec<_> = s
        .members
        .iter()
        .map(|n| {
            Command::new(&a[0])
                .args(["node", &a[1], &a[2], &n.0.to_string()])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    let secs = std::env::var("S").map_or(3, |s| s.parse().unwrap());
    for (i, c) in a[3..].iter().enumerate() {
        load(
            &a[1],
            f,
            c.parse().unwrap(),
            secs,
            1 + i as u64,
            &kids.iter().map(|k| k.id()).collect::<Vec<_>>(),
        );
    }
    for k in &mut kids {
        let _ = k.kill();
        let _ = k.wait();
    }
}
