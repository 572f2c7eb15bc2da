//! Strangers: everybody who has no business with a cluster, and tries.
//!
//! | who | what | what must come of it |
//! | --- | --- | --- |
//! | wrong-key | a client's number with another client's key | refused, counted |
//! | unknown-key | a key that nobody pinned | refused, counted |
//! | expired-key | a pinned key that has ended | refused, counted |
//! | plain | HTTP on the port of TLS | closed, counted |
//! | garbage | random bytes | closed, counted |
//! | slow-loris | many connections, and a byte of each five times a second | closed, counted |
//! | flood | connections as fast as they can be made | closed |
//! | scan | a connection to each of many ports | closed |
//!
//! Each runs on threads of its own until it is told to stop.

use crate::cluster::{Cluster, identity_of};
use client::{CallError, Connection};
use kv::Command;
use node::config::ClientConfig;
use sim::random::{Random, Stream};
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wire::Encode;

/// How long a stranger waits for a connection.
const CONNECT_MAX: Duration = Duration::from_millis(300);

/// Connections that a slow loris holds to each node.
const LORIS_CONNECTIONS: usize = 200;

/// How long it waits before it says the next byte.
const LORIS_PAUSE: Duration = Duration::from_millis(200);

/// Ports that a scan looks at, on both sides of the node's.
const SCAN_PORTS: u16 = 500;

/// How long a client with a bad key tries before it begins anew.
const BAD_KEY_PATIENCE: Duration = Duration::from_millis(300);

/// Who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stranger {
    WrongKey,
    UnknownKey,
    ExpiredKey,
    Plain,
    Garbage,
    SlowLoris,
    Flood,
    Scan,
}

impl Stranger {
    /// All of them.
    pub(crate) const ALL: [Stranger; 8] = [
        Stranger::WrongKey,
        Stranger::UnknownKey,
        Stranger::ExpiredKey,
        Stranger::Plain,
        Stranger::Garbage,
        Stranger::SlowLoris,
        Stranger::Flood,
        Stranger::Scan,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stranger::WrongKey => "wrong-key",
            Stranger::UnknownKey => "unknown-key",
            Stranger::ExpiredKey => "expired-key",
            Stranger::Plain => "plain",
            Stranger::Garbage => "garbage",
            Stranger::SlowLoris => "slow-loris",
            Stranger::Flood => "flood",
            Stranger::Scan => "scan",
        }
    }

    /// Whether it comes with a key, made for this cluster, that must not be taken.
    pub(crate) fn has_bad_key(self) -> bool {
        matches!(self, Stranger::WrongKey | Stranger::UnknownKey | Stranger::ExpiredKey)
    }

    /// How long it is at work in turn, and nobody is.
    pub(crate) fn window(self) -> Duration {
        match self {
            // Twice as long as nodes are patient with those who do not say who they are.
            Stranger::SlowLoris => Duration::from_secs(5),
            _ => Duration::from_millis(1_500),
        }
    }

    /// Why its connections may have been ended, by the nodes' own counters.
    pub(crate) fn counted_as(self) -> &'static [&'static str] {
        match self {
            // The key is somebody's, but not his whose name it says.
            Stranger::WrongKey => &["wrong-peer", "tls"],
            Stranger::UnknownKey | Stranger::ExpiredKey | Stranger::Plain | Stranger::Garbage => &["tls"],
            Stranger::SlowLoris => &["slow", "crowded-out"],
            Stranger::Flood | Stranger::Scan => &["closed", "failed", "crowded-out"],
        }
    }
}

/// A stranger at work.
pub(crate) struct AtWork {
    stop: Arc<AtomicBool>,
    /// What it tried so far.
    pub(crate) tries: Arc<AtomicU64>,
    /// Tries that were served, which none may be.
    pub(crate) served: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl AtWork {
    /// Sets a stranger to work on a cluster.
    pub(crate) fn start(stranger: Stranger, cluster: &Cluster, seed: u64) -> Result<AtWork, String> {
        if !stranger.has_bad_key() {
            let nodes: Vec<SocketAddr> =
                cluster.all().into_iter().map(|node| cluster.address(node)).collect();
            return Ok(AtWork::at(stranger, &nodes, seed));
        }
        let config = bad_client(stranger, cluster)?;
        let mut at_work = AtWork::idle();
        at_work.spawn(move |tries, served| ask_with(&config, tries, served));
        Ok(at_work)
    }

    /// Sets a stranger to work who needs no more than addresses.
    pub(crate) fn at(stranger: Stranger, nodes: &[SocketAddr], seed: u64) -> AtWork {
        let (mut at_work, nodes) = (AtWork::idle(), nodes.to_vec());
        match stranger {
            Stranger::WrongKey | Stranger::UnknownKey | Stranger::ExpiredKey => {
                unreachable!("who has a bad key needs a cluster that it is not for")
            }
            Stranger::Plain => at_work.spawn(move |tries, _| {
                say_to(&nodes, b"GET / HTTP/1.1\r\nHost: varangian\r\n\r\n", tries);
            }),
            Stranger::Garbage => {
                let mut random = Random::new(seed, Stream::Outsider);
                at_work.spawn(move |tries, _| {
                    let length = random.between(1, 4_000);
                    let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
                    say_to(&nodes, &bytes, tries);
                });
            }
            Stranger::SlowLoris => {
                let mut held: Vec<(usize, Option<TcpStream>)> =
                    (0..LORIS_CONNECTIONS * nodes.len()).map(|index| (index % nodes.len(), None)).collect();
                at_work.spawn(move |tries, _| {
                    for (node, stream) in &mut held {
                        // The first byte of a TLS record, and then one more at a time.
                        let said = stream.as_mut().is_some_and(|stream| stream.write_all(&[22]).is_ok());
                        if !said {
                            *stream = connect(nodes[*node], tries);
                        }
                    }
                    thread::sleep(LORIS_PAUSE);
                });
            }
            Stranger::Flood => at_work.spawn(move |tries, _| {
                for node in &nodes {
                    drop(connect(*node, tries));
                }
            }),
            Stranger::Scan => {
                let mut port = 0;
                at_work.spawn(move |tries, _| {
                    port = (port + 1) % (2 * SCAN_PORTS);
                    for node in &nodes {
                        let port = node.port() - SCAN_PORTS + port;
                        drop(connect(SocketAddr::new(node.ip(), port), tries));
                    }
                });
            }
        }
        at_work
    }

    /// Nobody yet.
    fn idle() -> AtWork {
        AtWork { stop: Arc::default(), tries: Arc::default(), served: Arc::default(), threads: Vec::new() }
    }

    fn spawn(&mut self, mut once: impl FnMut(&AtomicU64, &AtomicU64) + Send + 'static) {
        let (stop, tries, served) =
            (Arc::clone(&self.stop), Arc::clone(&self.tries), Arc::clone(&self.served));
        self.threads.push(thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                once(&tries, &served);
            }
        }));
    }

    /// Has it stop.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // It panics only if something of ours is wrong, and has said so then.
            let _ = thread.join();
        }
    }
}

fn connect(to: SocketAddr, tries: &AtomicU64) -> Option<TcpStream> {
    tries.fetch_add(1, Ordering::Relaxed);
    let stream = TcpStream::connect_timeout(&to, CONNECT_MAX).ok()?;
    stream.set_write_timeout(Some(CONNECT_MAX)).ok()?;
    Some(stream)
}

fn say_to(nodes: &[SocketAddr], bytes: &[u8], tries: &AtomicU64) {
    for node in nodes {
        if let Some(mut stream) = connect(*node, tries) {
            let _ = stream.write_all(bytes);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn ask_with(config: &ClientConfig, tries: &AtomicU64, served: &AtomicU64) {
    tries.fetch_add(1, Ordering::Relaxed);
    let Ok(connection) = Connection::open(config) else { return };
    let Ok(mut session) = connection.session() else { return };
    let told = session.call(Command::get("few/0").to_bytes(), Instant::now() + BAD_KEY_PATIENCE);
    match told {
        Ok(_) => _ = served.fetch_add(1, Ordering::Relaxed),
        // Refused at once: it would try as fast as it can.
        Err(CallError::KeyRefused { .. }) => thread::sleep(Duration::from_millis(20)),
        Err(_) => {}
    }
}

/// The configuration of a client whose key the nodes must not take. What it knows of the nodes is right.
fn bad_client(stranger: Stranger, cluster: &Cluster) -> Result<ClientConfig, String> {
    let right = cluster.config_of_client(1);
    let folder = cluster.folder().join(stranger.name());
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let file = folder.join("client.toml");
    if file.exists() {
        return ClientConfig::load(&file).map_err(|error| error.to_string());
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    let text = fs::read_to_string(&right).map_err(failed)?;
    let me = identity_of(&right, "client", 1)?;
    let secret_of = |client: u16| cluster.config_of_client(client).with_file_name("identity.secret");
    let (text, secret): (String, PathBuf) = match stranger {
        // Nodes have let it end; it does not know.
        Stranger::ExpiredKey => (text.replacen("number = 1", "number = 3", 1), secret_of(3)),
        Stranger::WrongKey => {
            // It takes the name of client 1 and has the key of client 2: for itself the two are swapped.
            let other = identity_of(&right, "client", 2)?;
            (swap(&text, &me, &other), secret_of(2))
        }
        _ => {
            let made = cluster.wish().varangian.clone();
            let made = std::process::Command::new(made)
                .args(["init", "stranger", "--protocol", cluster.wish().protocol.name()])
                .args(["--nodes", &cluster.count().to_string()])
                .current_dir(&folder)
                .output()
                .map_err(failed)?;
            if !made.status.success() {
                return Err(String::from_utf8_lossy(&made.stderr).into_owned());
            }
            let home = folder.join("stranger/client-1");
            let unknown = identity_of(&home.join("client.toml"), "client", 1)?;
            (text.replace(&me, &unknown), home.join("identity.secret"))
        }
    };
    fs::write(&file, text).map_err(failed)?;
    fs::copy(secret, folder.join("identity.secret")).map_err(failed)?;
    ClientConfig::load(&file).map_err(|error| error.to_string())
}

fn swap(text: &str, one: &str, other: &str) -> String {
    text.replace(one, "\u{0}").replace(other, one).replace('\u{0}', other)
}

#[cfg(test)]
mod tests {
    use super::swap;

    #[test]
    fn two_names_change_places() {
        assert_eq!(swap("a=one b=two c=one", "one", "two"), "a=two b=one c=two");
    }
}
