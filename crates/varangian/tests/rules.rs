//! `varangian rules fetch` and `list` through the real binary, with a web server on this machine.

use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

const RULES: &str = r#"alert http any any -> any any (msg:"one"; http.uri; content:"/one"; classtype:misc-attack; sid:1; rev:1;)
alert tcp any any -> any any (msg:"two"; content:"two"; flowbits:isset,b; sid:2; rev:3;)
#alert tcp any any -> any any (msg:"sets it"; content:"three"; flowbits:set,b; sid:3;)
alert dns any any -> any any (msg:"four"; dns.query; content:"four"; sid:4;)
"#;

fn varangian(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varangian"));
    // A proxy of whoever runs the tests must not be asked for what is on this machine.
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the binary runs")
}

/// A folder of one test's own, empty.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rules-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of words")
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes()).expect("memory takes it");
    }
    packed(&builder.into_inner().expect("memory takes it"))
}

/// An answer as it goes over the wire.
fn answer(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body)
}

/// A web server that answers with these bytes, by path, and then closes; whatever else is asked for is not there.
fn serve(answers: Vec<(&'static str, Vec<u8>)>, tls: Option<Arc<rustls::ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let answers: BTreeMap<&str, Vec<u8>> = answers.into_iter().collect();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            // Whoever leaves in the middle is no reason to stop.
            let _ = match &tls {
                None => one(&mut stream, &answers),
                Some(config) => {
                    let connection =
                        rustls::ServerConnection::new(Arc::clone(config)).expect("the settings are right");
                    one(&mut rustls::StreamOwned::new(connection, stream), &answers)
                }
            };
        }
    });
    address
}

fn one(stream: &mut (impl Read + Write), answers: &BTreeMap<&str, Vec<u8>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0u8];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let missing = answer("404 Not Found", "", b"no");
    stream.write_all(answers.get(path).unwrap_or(&missing))?;
    stream.flush()
}

fn sha256(bytes: &[u8]) -> String {
    let suites = rustls::crypto::ring::default_provider().cipher_suites;
    let hash = suites
        .iter()
        .filter_map(|suite| suite.tls13())
        .map(|suite| suite.common.hash_provider)
        .find(|hash| hash.output_len() == 32)
        .expect("TLS 1.3 has SHA-256");
    hash.hash(bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fetch(arguments: &[&str]) -> (Option<i32>, Value, String) {
    let output = varangian(&[&["rules", "fetch", "--json"], arguments].concat());
    let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), told, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A source that must be refused, with these words; what was there stays.
fn refused(folder: &Path, arguments: &[&str], words: &str) {
    let out = folder.join("kept.rules");
    fs::write(&out, "what was there\n").expect("a file");
    let (code, _, told) = fetch(&[arguments, &["--out", text(&out)]].concat());
    assert_eq!(code, Some(2), "{arguments:?}: {told}");
    assert!(told.contains(words), "{arguments:?}: wanted {words}, told {told}");
    assert!(told.contains("stays as it was"), "{told}");
    assert_eq!(fs::read(&out).expect("the file"), b"what was there\n");
    let hidden = fs::read_dir(folder).expect("the folder").flatten();
    let left: Vec<_> = hidden.filter(|entry| entry.file_name().to_string_lossy().ends_with(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_archive_is_fetched_checked_merged_with_the_lists_and_put_in_its_place() {
    let folder = folder("archive");
    let tar = archive(&[
        ("rules/a.rules", RULES),
        ("rules/classification.config", "config classification: misc-attack,Misc Attack,2\n"),
        ("rules/x-deleted.rules", "alert tcp any any -> any any (sid:99;)\n"),
    ]);
    let sums = format!("{}  open.tar.gz\n", sha256(&tar));
    let server = serve(vec![("/open.tar.gz", ok(&tar)), ("/open.tar.gz.sha256", ok(sums.as_bytes()))], None);
    let (disable, modify, drop) = (folder.join("disable"), folder.join("modify"), folder.join("drop"));
    fs::write(&disable, "1\n").expect("a file");
    fs::write(&modify, "4 \"four\" \"4444\"\n").expect("a file");
    fs::write(&drop, "4\n777\n").expect("a file");
    let out = folder.join("deep/all.rules");
    let url = format!("http://{server}/open.tar.gz");
    let lists = ["--disable", text(&disable), "--modify", text(&modify), "--drop", text(&drop)];
    let arguments = [&[url.as_str(), "--checksum-required", "--out", text(&out)], &lists[..]].concat();
    let (code, told, error) = fetch(&arguments);
    assert_eq!(code, Some(0), "{error}");
    let counts = [
        "rules",
        "enabled",
        "disabled_by_list",
        "dropped_by_list",
        "modified_by_list",
        "enabled_for_flowbits",
    ];
    assert_eq!(counts.map(|name| told[name].as_u64().unwrap_or(99)), [4, 3, 1, 1, 1, 1], "{told}");
    assert_eq!((&told["written"], &told["loaded"]), (&true.into(), &3.into()), "{told}");
    let idle = told["lines"].as_array().expect("a list").iter().find(|line| line["matched"] == 0);
    assert_eq!(idle.expect("777 is no rule")["text"], "777", "{told}");
    let rules = fs::read_to_string(&out).expect("the rules");
    assert!(rules.contains("# alert http"), "{rules}");
    assert!(rules.contains("drop dns") && rules.contains("4444"), "{rules}");
    assert!(rules.contains("flowbits:set,b; noalert; sid:3;"), "{rules}");
    assert!(fs::read_to_string(folder.join("deep/classification.config")).is_ok());
    let (code, told, _) = fetch(&arguments);
    assert_eq!((code, &told["written"]), (Some(0), &false.into()), "the same again changes nothing");
    let checked = varangian(&["rules", "check", text(&out), "--json"]);
    assert_eq!(checked.status.code(), Some(0));
}

#[test]
fn what_is_not_what_was_published_is_refused() {
    let folder = folder("checksum");
    let (good, other) = (sha256(RULES.as_bytes()), sha256(b"other"));
    let server = serve(
        vec![
            ("/a.rules", ok(RULES.as_bytes())),
            ("/b.rules", ok(RULES.as_bytes())),
            ("/b.rules.md5", ok(b"00112233445566778899aabbccddeeff\n")),
            ("/c.rules", ok(RULES.as_bytes())),
            ("/c.rules.sha256", ok(b"<html>come back later</html>")),
            ("/d.rules", ok(RULES.as_bytes())),
            ("/d.rules.sha256", answer("503 Busy", "", b"")),
        ],
        None,
    );
    let url = |name: &str| format!("http://{server}/{name}");
    refused(&folder, &[&url("a.rules"), "--sha256", &other], "its SHA-256 is");
    refused(&folder, &[&url("a.rules"), "--sha256", "abc"], "64 hexadecimal digits would be right");
    refused(&folder, &[&url("a.rules"), "--sha256", "00112233445566778899aabbccddeeff"], "is an MD5");
    refused(&folder, &[&url("b.rules")], "its MD5 is");
    refused(&folder, &[&url("c.rules")], "is no checksum");
    refused(&folder, &[&url("d.rules")], "status 503");
    refused(&folder, &[&url("a.rules"), "--checksum-required"], "no checksum was published");
    let out = folder.join("out.rules");
    let (code, _, told) = fetch(&[&url("a.rules"), "--sha256", &good, "--out", text(&out)]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    let (code, _, told) = fetch(&[&url("a.rules"), "--out", text(&out)]);
    assert_eq!(code, Some(0));
    assert!(told.contains("by HTTP nobody knows who sent it"), "{told}");
}

#[test]
fn what_breaks_off_goes_in_circles_or_swells_is_refused() {
    let folder = folder("broken");
    let mut short = ok(RULES.as_bytes());
    short.truncate(short.len() - 10);
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nalert\r\n".to_vec();
    chunked.extend(b"ff\r\n tcp");
    let half = packed(RULES.as_bytes());
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    (0..257).for_each(|_| bomb.write_all(&[b' '; 1 << 20]).expect("memory takes it"));
    let bomb = bomb.finish().expect("memory takes it");
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n".as_bytes().to_vec();
    let again = answer("302 Found", "Location: /again\r\n", b"");
    let server = serve(
        vec![
            ("/short.rules", short),
            ("/chunked.rules", chunked),
            ("/half.rules.gz", ok(&half[..half.len() - 9])),
            ("/bomb.rules.gz", ok(&bomb)),
            ("/long.rules", long),
            ("/again", again),
            ("/page.rules", ok(b"<html>please log in</html>\n")),
            (
                "/none.rules",
                ok(RULES.replace("\nalert", "\n#alert").replacen("alert", "#alert", 1).as_bytes()),
            ),
            ("/useless.rules", ok(b"alert tcp any any -> any any (msg:\"x\"; lua:x.lua; sid:1;)\n")),
            ("/moved.rules", answer("301 Moved", "Location: /found.rules\r\n", b"")),
            ("/found.rules", ok(RULES.as_bytes())),
        ],
        None,
    );
    let url = |name: &str| format!("http://{server}/{name}");
    refused(&folder, &[&url("short.rules")], "broke off");
    refused(&folder, &[&url("chunked.rules")], "broke off");
    refused(&folder, &[&url("half.rules.gz")], "damaged, or cut off");
    refused(&folder, &[&url("bomb.rules.gz")], "more than 256 MiB when unpacked");
    refused(&folder, &[&url("long.rules")], "longer than 128 MiB");
    refused(&folder, &[&url("again")], "more than 5 redirects");
    refused(&folder, &[&url("page.rules")], "there is no rule in what was fetched");
    refused(&folder, &[&url("none.rules")], "none of the 4 rules is enabled");
    refused(&folder, &[&url("useless.rules")], "can load none of the 1 enabled rules");
    refused(&folder, &[&url("absent.rules")], "no such file on that server");
    refused(&folder, &["ftp://127.0.0.1/x.rules"], "ftp is not spoken");
    refused(&folder, &[text(&folder.join("nothing.rules"))], "no such file");
    let out = folder.join("out.rules");
    let (code, told, error) = fetch(&[&url("moved.rules"), "--out", text(&out)]);
    assert_eq!((code, &told["rules"]), (Some(0), &4.into()), "a redirect that ends is followed: {error}");
}

#[test]
fn without_a_network_the_rules_stay_and_the_words_say_so() {
    let folder = folder("offline");
    // A port at which nobody listens: it was bound a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    refused(&folder, &[&format!("http://{closed}/x.rules")], "refused");
    refused(&folder, &["http://no-such-host.invalid/x.rules", "--timeout", "20"], "no-such-host.invalid");
    // One that takes the call and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    refused(&folder, &[&format!("http://{address}/x.rules"), "--timeout", "0.3"], "--timeout allows more");
}

#[test]
fn a_list_with_a_mistake_is_told_with_its_place_before_anything_is_fetched() {
    let folder = folder("list");
    let list = folder.join("disable.conf");
    fs::write(&list, "7\nnonsense\n").expect("a file");
    refused(&folder, &["http://127.0.0.1:1/x", "--disable", text(&list)], "disable.conf:2:1: `nonsense`");
    refused(&folder, &["http://127.0.0.1:1/x", "--modify", text(&folder.join("absent"))], "absent");
}

/// An authority's certificate (PEM), and a server's settings by it, for 127.0.0.1.
fn authority() -> (String, Arc<rustls::ServerConfig>) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
    let certificate = server.signed_by(&server_key, &issuer).expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let secret = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions that it knows")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .expect("they belong together");
    (ca, Arc::new(config))
}

#[test]
fn by_https_only_a_server_that_proves_who_it_is_is_believed() {
    let folder = folder("tls");
    let (trusted, config) = authority();
    let (stranger, _) = authority();
    let (ca, other) = (folder.join("ca.pem"), folder.join("other.pem"));
    fs::write(&ca, trusted).expect("a file");
    fs::write(&other, stranger).expect("a file");
    let plain = serve(vec![("/a.rules", ok(RULES.as_bytes()))], None);
    let down = format!("Location: http://{plain}/a.rules\r\n");
    let server = serve(
        vec![("/a.rules", ok(RULES.as_bytes())), ("/down.rules", answer("302 Found", &down, b""))],
        Some(config),
    );
    let url = format!("https://{server}/a.rules");
    let out = folder.join("out.rules");
    let (code, told, error) = fetch(&[&url, "--ca", text(&ca), "--out", text(&out)]);
    assert_eq!((code, &told["rules"]), (Some(0), &4.into()), "{error}");
    refused(&folder, &[&url, "--ca", text(&other)], "does not prove who it is");
    refused(&folder, &[&url], "does not prove who it is");
    refused(
        &folder,
        &[&format!("https://localhost:{}/a.rules", server.port()), "--ca", text(&ca)],
        "does not prove",
    );
    refused(&folder, &[&format!("https://{server}/down.rules"), "--ca", text(&ca)], "which is no HTTPS");
    let mute = format!("https://{plain}/a.rules");
    refused(&folder, &[&mute, "--ca", text(&ca), "--timeout", "0.5"], "--timeout allows more");
    fs::write(&other, "no certificate").expect("a file");
    refused(&folder, &[&url, "--ca", text(&other)], "there is no certificate in it");
}

#[test]
fn a_server_that_never_stops_is_left() {
    let folder = folder("endless");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let _ = endless(&mut stream);
    });
    refused(&folder, &[&format!("http://{address}/x.rules")], "longer than 128 MiB");
}

fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    let much = vec![b'#'; 1 << 20];
    loop {
        stream.write_all(&much)?;
    }
}

#[test]
fn rules_are_listed_by_number_and_by_what_stands_in_them() {
    let folder = folder("listed");
    let file = folder.join("r.rules");
    fs::write(&file, RULES).expect("a file");
    let list = |arguments: &[&str]| {
        let output = varangian(&[&["rules", "list", text(&file), "--json"], arguments].concat());
        let lines = String::from_utf8(output.stdout).expect("text");
        let rules: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (output.status.code(), rules)
    };
    let (code, all) = list(&[]);
    assert_eq!((code, all.len()), (Some(0), 4));
    assert_eq!(
        all[0],
        serde_json::json!({
            "gid": 1, "sid": 1, "rev": 1, "enabled": true, "action": "alert", "protocol": "http",
            "classtype": "misc-attack", "msg": "one",
        })
    );
    let sids = |rules: &[Value]| rules.iter().filter_map(|rule| rule["sid"].as_u64()).collect::<Vec<_>>();
    assert_eq!(sids(&list(&["--sid", "2,4"]).1), [2, 4]);
    assert_eq!(sids(&list(&["--grep", "FLOWBITS:(is)?set"]).1), [2, 3]);
    assert_eq!(sids(&list(&["--grep", "flowbits", "--enabled"]).1), [2]);
    assert_eq!(list(&["--sid", "9"]).0, Some(0), "none is no error");
    let output = varangian(&["rules", "list", text(&file), "--sid", "9"]);
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("none of the 4 rules is meant"));
    assert_eq!(list(&["--grep", "("]).0, Some(2));
}

#[test]
fn what_the_engine_does_not_load_is_told_with_its_place_and_its_reason() {
    let folder = folder("reasons");
    let (source, out) = (folder.join("a.rules"), folder.join("out/all.rules"));
    let bad: String = (10..25)
        .map(|sid| format!("alert tcp any any -> any any (msg:\"x\"; lua:x.lua; sid:{sid};)\n"))
        .collect();
    fs::write(&source, format!("{RULES}{bad}")).expect("a file");
    let output = varangian(&["rules", "fetch", text(&source), "--out", text(&out)]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("15 rules cannot be loaded:\n  a.rules:5: rule 1:10: lua: "), "{told}");
    assert!(
        told.contains("rule 1:19: ") && !told.contains("rule 1:20: ") && told.contains("… and 5 more"),
        "{told}"
    );
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        words.contains("\n  rule 1:3 is enabled: it sets the flowbit b, about which rule 1:2 asks\n"),
        "{words}"
    );
    fs::write(&source, bad).expect("a file");
    refused(&folder, &[text(&source)], "none of the 15 enabled rules\n  a.rules:1: rule 1:10: lua: ");
}

#[test]
fn lines_that_are_no_rules_are_told_and_the_others_count() {
    let folder = folder("lines");
    let (source, out) = (folder.join("a.rules"), folder.join("all.rules"));
    fs::write(&source, format!("{RULES}{}", "alert \u{1b}[2Jtcp any\n".repeat(1_200))).expect("a file");
    let output = varangian(&["rules", "fetch", text(&source), "--out", text(&out)]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("1200 lines are no rules") && told.contains("… and 1180 more"), "{told}");
    assert!(!told.contains('\u{1b}') && told.lines().count() < 30, "{told}");
    assert_eq!(fs::read_to_string(&out).expect("the rules").lines().count(), 4);
    let output = varangian(&["rules", "list", text(&source)]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("… and 1180 more") && !told.contains('\u{1b}'), "{told}");
    // Nothing at all: no line that is indented and empty.
    fs::write(&source, "").expect("a file");
    let output = varangian(&["rules", "fetch", text(&source), "--out", text(&out)]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("there is no rule in what was fetched\n") && !told.contains("\n  \n"), "{told}");
}

#[test]
fn what_rules_say_of_themselves_does_not_act_on_a_terminal() {
    let folder = folder("escapes");
    let file = folder.join("r.rules");
    let rule = "alert tcp any any -> any any (msg:\"a \u{1b}[2J b\"; classtype:\u{9b}x; sid:1;)\n";
    fs::write(&file, rule).expect("a file");
    let told = String::from_utf8(varangian(&["rules", "list", text(&file)]).stdout).expect("text");
    assert!(told.contains("a \\u{1b}[2J b") && told.contains("\\u{9b}x"), "{told}");
    assert!(!told.contains(['\u{1b}', '\u{9b}']), "{told}");
}

#[test]
fn a_rule_whose_list_lies_beside_the_rule_file_can_be_loaded() {
    let folder = folder("lists-beside");
    let (source, out) = (folder.join("a.rules"), folder.join("out/all.rules"));
    let rule = "alert dns any any -> any any (msg:\"x\"; dns.query; dataset:isset,bad,type string,load bad.lst; sid:9;)\n";
    fs::write(&source, format!("{RULES}{rule}")).expect("a file");
    let (code, told, _) = fetch(&[text(&source), "--out", text(&out)]);
    assert_eq!((code, &told["loaded"], &told["not_loaded"]), (Some(0), &4.into(), &1.into()), "{told}");
    // `example.org`, as such lists have it.
    fs::write(folder.join("out/bad.lst"), "ZXhhbXBsZS5vcmc=\n").expect("a file");
    let (code, told, _) = fetch(&[text(&source), "--out", text(&out)]);
    assert_eq!((code, &told["loaded"], &told["not_loaded"]), (Some(0), &5.into(), &0.into()), "{told}");
}
