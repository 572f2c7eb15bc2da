//! One good file, and every way to spoil it.

use super::*;
use crate::telling::Level;
use agree::Protocol;
use core::time::Duration;
use link::WallTime;

fn secret(seed: u8) -> SecretIdentity {
    SecretIdentity::from_bytes(&[seed; 32], &[seed + 100; 32])
}

fn identity(seed: u8) -> String {
    let end = "2028-11-21".parse().expect("it is a date");
    secret(seed).public(Some(end)).to_string()
}

fn cluster() -> String {
    let mut text = "[cluster]\nname = \"harbour\"\nprotocol = \"byzid\"\nf = 1\n".to_string();
    for node in 0..3 {
        text += &format!(
            "[[cluster.members]]\nnode = {node}\naddress = \"127.0.0.1:740{node}\"\nidentity = \"{}\"\n",
            identity(node)
        );
    }
    text += &format!(
        "[[cluster.spares]]\nnode = 3\naddress = \"127.0.0.1:7403\"\nidentity = \"{}\"\n",
        identity(3)
    );
    text +=
        &format!("[[cluster.clients]]\nclient = 1\nname = \"sensor-a\"\nidentity = \"{}\"\n", identity(50));
    text
}

fn node_file() -> String {
    cluster()
        + "[settings]\nwindow = 16\nview_timeout = \"700ms\"\n\
           [node]\nnumber = 0\ndata = \"data\"\nsecret = \"identity.secret\"\nseal = \"seal.secret\"\n"
}

fn client_file() -> String {
    cluster() + "[client]\nnumber = 1\nsecret = \"identity.secret\"\n"
}

fn read(text: &str) -> Result<Document, String> {
    let path = Path::new("/etc/varangian/node.toml");
    Document::read(text, Path::new("/etc/varangian")).map_err(|wrong| wrong.in_file(path, text).to_string())
}

fn node(text: &str) -> Config {
    match read(text) {
        Ok(Document::Node(config)) => *config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_counts_and_the_rest_is_as_usual() {
    let config = node(&node_file());
    assert_eq!(config.node, NodeId(0));
    assert_eq!(config.listen, "127.0.0.1:7400".parse().expect("it is an address"));
    assert_eq!(config.data, Path::new("/etc/varangian/data"), "relative to the file");
    assert_eq!(config.secret_file, Path::new("/etc/varangian/identity.secret"));
    assert_eq!(config.seal_file.as_deref(), Some(Path::new("/etc/varangian/seal.secret")));
    let usual = (Links::Tls, Processes::Separate, Durability::Fsync, Fail::Closed, Level::Info);
    assert_eq!((config.cluster.links, config.processes, config.durability, config.fail, config.log), usual);
    assert_eq!((config.http, &config.monitor_user, &config.replica_user), (None, &None, &None));
    let mut settings = Settings::new(Protocol::ByzId, 1);
    settings.spares = vec![NodeId(3)];
    settings.window = 16;
    settings.view_timeout = Duration::from_millis(700);
    assert_eq!(config.settings(), settings);
    assert_eq!(config.cluster.roster().iter().count(), 5);
}

#[test]
fn everything_can_be_said() {
    let settings = "[settings]\ncheckpoint_interval = 64\nwindow = 4\nbatch_requests_max = 10\n\
                    batch_bytes_max = 65536\nchunk_bytes = 4096\nsessions_bytes_max = 1048576\nrequests_waiting_max = 100\n\
                    retransmit_after = \"10ms\"\nview_timeout = \"1s\"\nview_timeout_max = \"1min\"\n\
                    heartbeat_every = \"900us\"\n";
    let rest = "listen = \"0.0.0.0:7400\"\nprocesses = \"one\"\nmonitor_user = \"vg-monitor\"\n\
                replica_user = \"vg-replica\"\ndurability = \"async\"\nfail = \"open\"\n\
                http = \"[::1]:7500\"\nlog = \"warning\"\nlog_form = \"json\"\n";
    let text = node_file().replace("[settings]\nwindow = 16\nview_timeout = \"700ms\"\n", settings) + rest;
    let config = node(&text.replace("f = 1\n", "f = 1\nlinks = \"plain\"\n"));
    assert_eq!(config.cluster.links, Links::Plain);
    let choices = (config.processes, config.durability, config.fail, config.log, config.log_form);
    assert_eq!(choices, (Processes::One, Durability::Async, Fail::Open, Level::Warning, LogForm::Json));
    assert_eq!(config.monitor_user.as_deref(), Some("vg-monitor"));
    assert_eq!(config.replica_user.as_deref(), Some("vg-replica"));
    let settings = config.settings();
    assert_eq!((settings.checkpoint_interval, settings.window, settings.chunk_bytes), (64, 4, 4096));
    assert_eq!((settings.batch_requests_max, settings.batch_bytes_max), (10, 65536));
    assert_eq!((settings.sessions_bytes_max, settings.requests_waiting_max), (1 << 20, 100));
    assert_eq!(settings.retransmit_after, Duration::from_millis(10));
    assert_eq!(settings.view_timeout_max, Duration::from_secs(60));
    assert_eq!(settings.heartbeat_every, Duration::from_micros(900));
    let warnings = config.warnings(WallTime(0)).join("\n");
    assert_eq!(warnings.matches("GIVES UP").count(), 4, "{warnings}");
    assert!(warnings.contains("SPEAK IN THE NAME OF ANY NODE"), "{warnings}");
}

#[test]
fn a_good_file_is_warned_of_only_when_a_key_ends() {
    let config = node(&node_file());
    let end: WallTime = "2028-11-21".parse().expect("it is a date");
    assert_eq!(config.warnings(WallTime(end.0 - 40 * 86_400)), [""; 0]);
    let soon = config.warnings(WallTime(end.0 - 20 * 86_400));
    assert_eq!(soon[0], "the key of node 0 ends at 2028-11-21");
    assert_eq!(soon.len(), 5);
    assert!(config.warnings(end)[4].contains("the key of client 1 ended"));
}

#[test]
fn a_clients_file_is_smaller() {
    let Ok(Document::Client(config)) = read(&client_file()) else { panic!("it is a client's") };
    assert_eq!(config.client, ClientNumber(1));
    assert_eq!(
        config.cluster,
        Cluster { settings: config.cluster.settings.clone(), ..node(&node_file()).cluster }
    );
    assert_eq!(config.cluster.difference(&node(&node_file()).cluster), None);
}

/// What is changed in the good file, the line that is named, and a part of what is said.
#[test]
fn what_is_wrong_is_told_with_its_line_and_what_would_be_right() {
    let (zero, one) = (identity(0), identity(1));
    let spoiled = zero.replace("varangian2:O", "varangian2:P");
    for (from, to, line, said) in [
        ("name = \"harbour\"", "nmae = \"harbour\"", 2, "unknown field `nmae`, expected one of"),
        ("name = \"harbour\"", "name = \"\"", 2, "a name is 1 to 64 letters"),
        ("protocol = \"byzid\"", "protocol = \"raft\"", 3, "there are byzid, byzid-w, paxos, pbft"),
        ("protocol = \"byzid\"", "protocol = \"pbft\"", 3, "3 members; pbft for f = 1 has 4"),
        ("f = 1\n", "f = 0\n", 4, "f is 0; it is from 1 to 10"),
        ("f = 1\n", "f = -1\n", 4, "integer `-1`"),
        ("f = 1\n", "f = 1\nlinks = \"none\"\n", 5, "expected `tls` or `plain`"),
        ("f = 1\n", "", 1, "missing field `f`"),
        ("node = 1\n", "node = 0\n", 10, "node 0 is named twice"),
        ("node = 1\n", "node = 70000\n", 10, "u16"),
        ("node = 1\n", "node = 1\nport = 7401\n", 11, "unknown field `port`"),
        ("127.0.0.1:7401", "127.0.0.1:7400", 11, "nodes 0 and 1 have the same address"),
        ("127.0.0.1:7401", "node-1:7400", 11, "names are not looked up"),
        ("127.0.0.1:7401", "127.0.0.1:0", 11, "port 0"),
        (&one, &zero, 12, "node 0 and node 1 have the same key"),
        (&zero, &spoiled, 8, "its sum does not fit"),
        (&zero, &zero.replace("2028-11-21", "2028-02-30"), 8, "'2028-02-30' is no moment"),
        ("name = \"sensor-a\"", "name = \"a b\"", 23, "a name is 1 to 64 letters"),
        ("window = 16", "window = 0", 26, "window is 0; it is from 1 to 4096"),
        ("window = 16", "window = 4000", 26, "batches in the log (2 × checkpoint_interval + window) is 4256"),
        ("window = 16", "windwo = 16", 26, "unknown field `windwo`"),
        ("700ms", "700", 27, "right would be a whole number and us, ms, s or min"),
        ("700ms", "20s", 27, "view_timeout is 20s; it is from 1ns to 10s"),
        ("number = 0", "number = 7", 29, "there is no node 7 in the cluster; there are 0, 1, 2, 3"),
        ("number = 0", "number = \"0\"", 29, "expected u16"),
        ("data = \"data\"\n", "", 28, "missing field `data`"),
        (
            "seal = \"seal.secret\"\n",
            "",
            29,
            "byzid has monitors; right would be a line in [node] such as seal",
        ),
        ("seal = ", "fail = \"ajar\"\nseal = ", 32, "expected `closed` or `open`"),
        ("seal = ", "durability = \"maybe\"\nseal = ", 32, "expected `fsync` or `async`"),
        ("seal = ", "replica_user = \"-x\"\nseal = ", 32, "a user is 1 to 32"),
        ("seal = ", "http = \"localhost\"\nseal = ", 32, "this is no address"),
        ("seal = ", "log = \"loud\"\nseal = ", 32, "unknown variant `loud`"),
        ("seal = ", "seal \"", 32, ""),
    ] {
        let text = node_file();
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        let Err(error) = read(&text) else { panic!("{to} is taken") };
        let place = format!("/etc/varangian/node.toml:{line}: ");
        assert!(error.starts_with(&place) && error.contains(said), "{to}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn where_there_is_no_monitor_nothing_is_said_of_one() {
    let spares = cluster().find("[[cluster.spares]]").expect("there are spares");
    let clients = cluster().find("[[cluster.clients]]").expect("there are clients");
    let paxos = node_file().replace("byzid", "paxos").replace(&cluster()[spares..clients], "");
    let error = read(&paxos).expect_err("there is a seal");
    assert!(error.contains("paxos has no monitors; seal has no meaning here"), "{error}");
    let paxos = paxos.replace("seal = \"seal.secret\"\n", "");
    assert_eq!(node(&paxos).seal_file, None);
    let error = read(&(paxos + "fail = \"open\"\n")).expect_err("it has no monitor");
    assert!(error.contains("fail has no meaning here"), "{error}");
}

#[test]
fn a_file_is_for_one_of_them() {
    let both = node_file() + "[client]\nnumber = 1\nsecret = \"x\"\n";
    assert!(read(&both).expect_err("it is for two").contains("a file is for one of them"));
    assert!(read(&cluster()).expect_err("it is for nobody").contains("neither [node] nor [client]"));
    let settings = client_file() + "[settings]\nwindow = 4\n";
    assert!(read(&settings).expect_err("it has settings").contains("settings are the nodes' business"));
    let another = client_file().replace("number = 1", "number = 2");
    assert!(read(&another).expect_err("there is none").contains("there is no client 2"));
}

#[test]
fn a_secret_that_strayed_into_a_file_is_found_and_not_quoted() {
    for secret in ["varangian-secret1:q6urq6ur", "varangian-seal1:q6urq6ur"] {
        for from in ["\"identity.secret\"", "number = 0", "name = \"harbour\""] {
            let error = read(&node_file().replace(from, &format!("x = \"{secret}\""))).expect_err(secret);
            assert!(error.contains("a SECRET stands here") && !error.contains("q6ur"), "{error}");
        }
    }
}

#[test]
fn garbage_is_refused() {
    for text in ["", "\0", "[[[", "cluster = 1", "[cluster]", &"[".repeat(100_000), &"a.".repeat(100_000)] {
        assert!(read(text).is_err());
    }
}

#[test]
fn a_secret_must_be_the_one_that_the_cluster_knows() {
    let folder = std::env::temp_dir().join(format!("varangian-config-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).expect("there is room for a folder");
    secret(0).save(&folder.join("identity.secret")).expect("it can be written");
    secret(9).save(&folder.join("another.secret")).expect("it can be written");
    std::fs::write(folder.join("node.toml"), node_file()).expect("it can be written");
    let mut config = Config::load(&folder.join("node.toml")).expect("it is right");
    assert!(config.secret().is_ok());
    assert!(config.seal().is_err(), "there is no such file");
    config.secret_file = folder.join("another.secret");
    let error = config.secret().expect_err("it is another's").to_string();
    assert!(error.contains(&secret(9).public(None).fingerprint().to_string()), "{error}");
    let client = ClientConfig::load(&folder.join("node.toml")).expect_err("it is a node's").to_string();
    assert!(client.contains("a client's has [client]"), "{client}");
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
