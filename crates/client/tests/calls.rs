//! Calls to nodes that run on threads of this process, over real links on loopback, with a real log.

use bytes::Bytes;
use client::{CallError, Connection, Kv, KvError};
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use kv::{Refusal, Revision};
use link::{ClientNumber, SecretIdentity};
use node::config::{
    ClientConfig, ClientEntry, Cluster, Config, Durability, Fail, Links, LogForm, NodeEntry, Processes,
    Service,
};
use node::telling::Level;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::NodeId;

/// How long anything may take before the test says that it does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn patience() -> Instant {
    Instant::now() + PATIENCE
}

/// Three nodes of Paxos, and a client.
struct World {
    folder: TempDir,
    cluster: Cluster,
    stop: Arc<AtomicBool>,
    nodes: Vec<JoinHandle<()>>,
}

impl World {
    /// Nothing runs yet.
    fn new() -> World {
        let folder = tempfile::tempdir().expect("there is room");
        // Held until all are known, so that no two are the same.
        let ports: Vec<TcpListener> =
            (0..3).map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback")).collect();
        let addresses: Vec<SocketAddr> =
            ports.iter().map(|port| port.local_addr().expect("it is bound")).collect();
        let identity = |name: &str| {
            let secret = SecretIdentity::generate().expect("there is randomness");
            secret.save(&folder.path().join(name)).expect("there is room");
            secret.public(None)
        };
        let member = |(node, address): (usize, &SocketAddr)| NodeEntry {
            node: NodeId(node as u16),
            address: *address,
            identity: identity(&format!("node-{node}")),
        };
        let members: Vec<NodeEntry> = addresses.iter().enumerate().map(member).collect();
        let client = ClientEntry {
            client: ClientNumber(1),
            name: "client".to_string(),
            identity: identity("client"),
            operator: true,
        };
        let cluster = Cluster {
            name: "test".to_string(),
            service: Service::Kv,
            links: Links::Tls,
            settings: agree::Settings::new(agree::Protocol::Paxos, 1),
            members,
            spares: Vec::new(),
            clients: vec![client],
            chain: agree::roster::Chain::new(agree::roster::Roster::default()),
        }
        .governed();
        World { folder, cluster, stop: Arc::default(), nodes: Vec::new() }
    }

    fn running() -> World {
        let mut world = World::new();
        world.start();
        world
    }

    fn start(&mut self) {
        for entry in &self.cluster.members {
            let path = |name: &str| self.folder.path().join(format!("{name}-{}", entry.node.0));
            let config = Config {
                cluster: self.cluster.clone(),
                node: entry.node,
                data: path("data"),
                secret_file: path("node"),
                seal_file: None,
                listen: entry.address,
                processes: Processes::One,
                monitor_user: None,
                admitted: agree::roster::Edition(0),
                replica_user: None,
                durability: Durability::Async,
                fail: Fail::Closed,
                http: None,
                log: Level::Info,
                log_form: LogForm::Text,
            };
            node::run::create(&config.data).expect("there is room");
            let stop = Arc::clone(&self.stop);
            let run = move || node::run::run(&config, &stop, &mut |_, _| ()).expect("it runs to its end");
            self.nodes.push(thread::spawn(run));
        }
    }

    fn config(&self) -> ClientConfig {
        ClientConfig {
            cluster: self.cluster.clone(),
            client: ClientNumber(1),
            secret_file: self.folder.path().join("client"),
        }
    }

    fn connection(&self) -> Connection {
        Connection::open(&self.config()).expect("the secret is there")
    }

    fn kv(connection: &Connection) -> Kv {
        Kv::new(connection.session().expect("there is room"), PATIENCE)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for node in self.nodes.drain(..) {
            let _ = node.join();
        }
    }
}

/// The smallest executor that there is: it sleeps until it is woken.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits for all of them at once.
async fn all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<Pin<Box<_>>> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    core::future::poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *result = Some(ready);
            }
        }
        if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

#[test]
fn many_sessions_at_once_each_get_their_own_results_in_order() {
    let world = World::running();
    let connection = world.connection();
    let sessions: Vec<Kv> = (0..200).map(|_| World::kv(&connection)).collect();
    let talk = |(number, mut kv): (usize, Kv)| async move {
        for round in 0..5 {
            let (key, value) = (format!("key {number}"), format!("{round}"));
            let written = kv.put_async(key.clone(), value.clone()).await.expect("it is done");
            assert_eq!(written.version.0, round + 1, "once each, in order");
            let item = kv.get_async(key).await.expect("it is done").expect("it is there");
            assert_eq!((item.value, item.revision), (Bytes::from(value), written.revision));
        }
    };
    block_on(all(sessions.into_iter().enumerate().map(talk).collect()));
    let listed = World::kv(&connection).list("key ", usize::MAX).expect("it is done");
    assert_eq!((listed.entries.len(), listed.revision), (200, Revision(1000)));
}

#[test]
fn a_call_that_began_before_the_nodes_did_is_done_when_they_run() {
    let mut world = World::new();
    let connection = world.connection();
    let mut kv = World::kv(&connection);
    let call = thread::spawn(move || kv.put("a", "b"));
    world.start();
    assert_eq!(call.join().expect("no panic").expect("it is done").revision, Revision(1));
}

#[test]
fn with_nobody_there_nothing_was_asked_and_the_session_goes_on() {
    let mut world = World::new();
    let connection = world.connection();
    let mut session = connection.session().expect("there is room");
    let soon = || Instant::now() + Duration::from_millis(30);
    assert_eq!(session.call(Bytes::from_static(b"x"), soon()), Err(CallError::Unreachable));
    assert!(!CallError::Unreachable.may_have_happened());
    world.start();
    let mut kv = Kv::new(session, PATIENCE);
    assert_eq!(kv.put("a", "b").expect("it is done").revision, Revision(1), "the first was not asked later");
}

#[test]
fn a_future_that_is_dropped_has_given_up_and_the_next_call_gets_its_own_result() {
    let world = World::running();
    let connection = world.connection();
    let mut kv = World::kv(&connection);
    for round in 0..50_u64 {
        {
            let dropped = pin!(kv.put_async("dropped", "x"));
            let _ = dropped.poll(&mut Context::from_waker(Waker::noop()));
        }
        let written = kv.put("kept", format!("{round}")).expect("it is done");
        assert_eq!(written.version.0, round + 1);
    }
    let dropped = kv.get("dropped").expect("it is done").map_or(0, |item| item.version.0);
    assert!(dropped <= 50, "each at most once");
}

#[test]
fn a_connection_that_is_closed_ends_what_waits_and_says_so() {
    let world = World::new();
    let connection = world.connection();
    let mut waits = connection.session().expect("there is room");
    let mut late = connection.session().expect("there is room");
    let call = thread::spawn(move || waits.call(Bytes::from_static(b"x"), patience()));
    drop(connection);
    assert_eq!(call.join().expect("no panic"), Err(CallError::Closed));
    assert_eq!(late.call(Bytes::from_static(b"x"), patience()), Err(CallError::Closed));
    assert_eq!(block_on(late.call_async(Bytes::from_static(b"x"))), Err(CallError::Closed));
}

#[test]
fn a_graceful_close_lets_what_was_asked_come_to_its_end() {
    let world = World::running();
    let connection = world.connection();
    let mut kv = World::kv(&connection);
    kv.put("a", "b").expect("it is done");
    {
        let mut call = pin!(kv.put_async("a", "c"));
        let mut polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "it has only begun");
        connection.close(patience());
        polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))), "{polled:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let world = World::new();
    let connection = world.connection();
    let mut sessions: Vec<_> = (0..u16::MAX).map(|_| connection.session().expect("there is room")).collect();
    assert_eq!(connection.session().err(), Some(CallError::TooManySessions));
    let long = Bytes::from(vec![0; agree::request::OPERATION_BYTES_MAX + 1]);
    let bytes = long.len();
    assert_eq!(sessions[0].call(long, patience()), Err(CallError::TooLong { bytes }));
}

#[test]
fn a_list_comes_whole_however_many_answers_it_takes() {
    let world = World::running();
    let connection = world.connection();
    let mut kv = World::kv(&connection);
    let value = Bytes::from(vec![7; 30_000]);
    for key in 0..7 {
        kv.put(format!("large/{key}"), value.clone()).expect("it is done");
    }
    let whole = kv.list("large/", usize::MAX).expect("it is done");
    assert!(whole.entries.iter().all(|entry| entry.item.value == value));
    assert_eq!((whole.entries.len(), whole.more), (7, false));
    let some = kv.list("large/", 5).expect("it is done");
    assert_eq!((some.entries.len(), some.more), (5, true));
    assert_eq!(block_on(kv.list_async("large/", 5)).expect("it is done"), some);
}

#[test]
fn a_watch_tells_every_change_once_in_order_and_what_is_forgotten_is_said() {
    let world = World::running();
    let connection = world.connection();
    let (mut kv, mut writer) = (World::kv(&connection), World::kv(&connection));
    let since = kv.revision().expect("it is done");
    let writes = thread::spawn(move || {
        for round in 0..100 {
            writer.put("seen", format!("{round}")).expect("it is done");
            writer.put("other", "x").expect("it is done");
        }
    });
    let mut watch = kv.watch("seen", since);
    for round in 0..100 {
        match watch.next().expect("it goes on").expect("it is done") {
            kv::Change::Put(entry) => assert_eq!(entry.item.value, format!("{round}")),
            kv::Change::Deleted(gone) => panic!("nobody deleted {gone:?}"),
        }
    }
    writes.join().expect("no panic");
    let ahead = kv.watch("seen", Revision(1 << 40)).next().expect("it goes on");
    assert_eq!(ahead, Err(KvError::Refused(Refusal::NotReached)));
}

#[test]
fn a_secret_that_is_not_the_client_s_opens_nothing() {
    let world = World::new();
    let secret_file = Path::join(world.folder.path(), "node-0");
    assert!(Connection::open(&ClientConfig { secret_file, ..world.config() }).is_err());
}
