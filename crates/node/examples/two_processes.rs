//! What it costs to keep monitor and replica apart: the same load on a cluster of each kind, in turns, within one run.
//!
//!     cargo build --release -p varangian && cargo build --release -p node --example two_processes
//!     target/release/examples/two_processes target/release/varangian FOLDER async 5 3 1 64 512
//!
//! Arguments: the program, a new folder, the durability, repetitions, seconds each, and numbers of clients. The service is null,
//! links are plain: what differs is not drowned by what does not. Prints each repetition; take medians.

use agree::Message;
use agree::bundle::Gathering;
use agree::client::{Client, ClientEffect};
use agree::door::Door;
use bytes::Bytes;
use link::{Arrival, Keyring, Links};
use node::assemble;
use node::config::ClientConfig;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wire::{ClientId, Encode, NodeId, Peer, Timestamp};

const WARM: Duration = Duration::from_millis(500);
const WARM_UP_MAX: Duration = Duration::from_secs(20);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A cluster of three on this machine.
struct Cluster {
    name: &'static str,
    nodes: Vec<Child>,
    config: ClientConfig,
    stations: u32,
}

impl Cluster {
    fn start(
        program: &str,
        folder: &Path,
        name: &'static str,
        port: u16,
        durability: &str,
    ) -> Result<Cluster> {
        let folder = folder.join(name);
        let made = Command::new(program)
            .args(["init", "--nodes", "3", "--protocol", "byzid", "--links", "plain", "--service", "null"])
            .args(["--name", "measured", "--port", &port.to_string()])
            .arg(&folder)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err("init failed".into());
        }
        let mut nodes = Vec::new();
        for node in 0..3 {
            let file = folder.join(format!("node-{node}/node.toml"));
            let text: String = fs::read_to_string(&file)?
                .lines()
                .filter(|line| !line.starts_with("http"))
                .map(|line| match line.split(' ').next() {
                    Some("processes") => format!("processes = \"{name}\"\n"),
                    Some("durability") => format!("durability = \"{durability}\"\n"),
                    _ => format!("{line}\n"),
                })
                .collect();
            fs::write(&file, text)?;
            nodes.push(
                Command::new(program)
                    .arg("node")
                    .arg(&file)
                    .stdin(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()?,
            );
        }
        let config = ClientConfig::load(&folder.join("client-1/client.toml"))?;
        Ok(Cluster { name, nodes, config, stations: 0 })
    }

    /// The processor time of all its processes so far, in microseconds.
    fn cpu_us(&self) -> f64 {
        let mut total = 0.0;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let Some((head, rest)) = text.rsplit_once(')') else { continue };
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let number =
                |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
            let pid = head.split(' ').next().and_then(|pid| pid.parse::<u32>().ok()).unwrap_or(0);
            let parent = number(1);
            if self.nodes.iter().any(|node| node.id() == pid || u64::from(node.id()) == parent) {
                total += (number(11) + number(12)) as f64 * 10_000.0;
            }
        }
        total
    }

    fn measure(&mut self, clients: u16, seconds: u64) -> Result<()> {
        self.stations += 1;
        let mut load = Load::new(&self.config, self.stations, clients)?;
        load.run(WARM)?;
        (load.latencies, load.count) = (Vec::new(), 0);
        let (before, start) = (self.cpu_us(), Instant::now());
        load.run(Duration::from_secs(seconds))?;
        let (cpu, took) = (self.cpu_us() - before, start.elapsed().as_secs_f64());
        load.latencies.sort();
        let at = |share: usize| load.latencies[load.latencies.len() * share / 100].as_micros();
        println!(
            "{:<9} clients {clients:>4}: {:>8.0} a second, p50 {:>6} us, p99 {:>6} us, nodes {:>6.1} us of processor each",
            self.name,
            load.count as f64 / took,
            at(50),
            at(99),
            cpu / load.count as f64
        );
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            let _ = Command::new("kill").arg(node.id().to_string()).status();
            let _ = node.wait();
        }
    }
}

struct Session {
    client: Client,
    /// By which a request of its own, alone, is proven.
    door: Door<Keyring>,
    at: Instant,
    retry: Option<Instant>,
}

/// Clients of one station, each with one request outstanding.
struct Load {
    station: ClientId,
    links: Links,
    door: Door<Keyring>,
    keys: Keyring,
    sessions: Vec<Session>,
    out: BTreeMap<NodeId, Gathering>,
    arrived: Vec<Arrival>,
    effects: Vec<ClientEffect>,
    latencies: Vec<Duration>,
    count: u64,
}

impl Load {
    fn new(config: &ClientConfig, station: u32, clients: u16) -> Result<Load> {
        let secret = config.secret()?;
        let settings = &config.cluster.settings;
        let pins = assemble::pins(&config.cluster);
        let station = config.client.session(station, 0);
        let me = Peer::Client(station);
        let keyring = || Keyring::new(config.client.into(), &secret, None, std::sync::Arc::clone(&pins));
        let mut links = Links::new(assemble::making(&config.cluster, me, &secret, &pins))?;
        let mut arrived = Vec::new();
        let end = Instant::now() + WARM_UP_MAX;
        while !settings.members.iter().all(|node| links.is_up(Peer::Node(*node))) {
            links.turn(Some(Duration::from_millis(50)), &mut arrived)?;
            if Instant::now() > end {
                return Err("the nodes are not there".into());
            }
        }
        let mut load = Load {
            station,
            links,
            door: Door::new(me, settings.protocol, settings.members.clone(), keyring()),
            keys: keyring(),
            sessions: Vec::new(),
            out: BTreeMap::new(),
            arrived,
            effects: Vec::new(),
            latencies: Vec::new(),
            count: 0,
        };
        for number in 1..=clients {
            let me = ClientId(station.0 + u64::from(number));
            let client = Client::new(me, settings, Timestamp(0));
            let door = Door::new(Peer::Client(me), settings.protocol, settings.members.clone(), keyring());
            load.sessions.push(Session { client, door, at: Instant::now(), retry: None });
            load.submit(usize::from(number) - 1);
        }
        Ok(load)
    }

    fn submit(&mut self, index: usize) {
        let session = &mut self.sessions[index];
        session.at = Instant::now();
        session.client.submit(Bytes::from_static(&[0; 8]), &self.keys, &mut self.effects);
        self.perform(index);
    }

    /// Does what a session wants; whether it is done.
    fn perform(&mut self, index: usize) -> bool {
        let mut done = false;
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                ClientEffect::Send(node, message) => {
                    if let Some(full) = self.out.entry(node).or_default().add(message) {
                        self.say(node, &full);
                    }
                }
                ClientEffect::SetTimer(after) => self.sessions[index].retry = Some(Instant::now() + after),
                ClientEffect::ClearTimer => self.sessions[index].retry = None,
                ClientEffect::Done(_) => done = true,
            }
        }
        done
    }

    fn say(&mut self, node: NodeId, message: &Message) {
        let door = match message {
            Message::Request(request) => {
                &self.sessions[(request.client.0 - self.station.0 - 1) as usize].door
            }
            _ => &self.door,
        };
        let frame = door.seal_for(&[Peer::Node(node)], message);
        self.links.send(Peer::Node(node), &frame.to_bytes());
    }

    fn run(&mut self, duration: Duration) -> Result<()> {
        let end = Instant::now() + duration;
        let mut looked = Instant::now();
        while Instant::now() < end {
            for (node, mut gathered) in std::mem::take(&mut self.out) {
                if let Some(message) = gathered.take() {
                    self.say(node, &message);
                }
            }
            self.links.flush(&mut self.arrived);
            self.links.turn(Some(Duration::from_millis(10)), &mut self.arrived)?;
            for arrival in std::mem::take(&mut self.arrived) {
                let Arrival::Frame(link, frame) = arrival else { continue };
                let Ok(opened) = self.door.open(link, frame) else { continue };
                let (Peer::Node(from), messages) = (opened.from, flat(opened.message)) else { continue };
                messages.into_iter().for_each(|message| self.hear(from, message));
            }
            if looked.elapsed() > Duration::from_millis(20) {
                looked = Instant::now();
                for index in 0..self.sessions.len() {
                    if self.sessions[index].retry.is_some_and(|retry| retry <= looked) {
                        self.sessions[index].client.timeout(&mut self.effects);
                        self.perform(index);
                    }
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, from: NodeId, message: Message) {
        let client = match &message {
            Message::Reply(reply) => reply.client,
            Message::Busy(busy) => busy.client,
            _ => return,
        };
        let Some(index) = client.0.checked_sub(self.station.0 + 1).map(|index| index as usize) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(index) else { return };
        session.client.receive(from, message, &mut self.effects);
        if self.perform(index) {
            self.latencies.push(self.sessions[index].at.elapsed());
            self.count += 1;
            self.submit(index);
        }
    }
}

fn flat(message: Message) -> Vec<Message> {
    match message {
        Message::Bundle(bundle) => bundle.into_messages(),
        message => vec![message],
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder, durability, repetitions, seconds, clients @ ..] = &arguments[..] else {
        return Err("arguments: PROGRAM FOLDER fsync|async REPETITIONS SECONDS CLIENTS...".into());
    };
    let folder = Path::new(folder);
    fs::create_dir(folder)?;
    let mut clusters = [
        Cluster::start(program, folder, "one", 22_000, durability)?,
        Cluster::start(program, folder, "separate", 22_100, durability)?,
    ];
    std::thread::sleep(Duration::from_secs(2));
    for clients in clients {
        for _ in 0..repetitions.parse::<u32>()? {
            for cluster in &mut clusters {
                cluster.measure(clients.parse()?, seconds.parse()?)?;
            }
        }
    }
    Ok(())
}
