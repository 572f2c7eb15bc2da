//! Shows that the gate of the logic crates bites: a crate that does everything that logic must not do is put under their
//! `clippy.toml`, and clippy must refuse every single line of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// One offence per line. Each must be refused.
const OFFENCES: &[&str] = &[
    "pub fn a() -> u64 { std::time::Instant::now().elapsed().as_secs() }",
    "pub fn b() -> bool { std::time::SystemTime::now() == std::time::UNIX_EPOCH }",
    "pub fn c() { std::thread::sleep(core::time::Duration::ZERO) }",
    "pub fn d() { drop(std::thread::spawn(|| ())); }",
    "pub fn e() -> bool { std::fs::read(\"x\").is_ok() }",
    "pub fn f() -> bool { std::net::TcpStream::connect(\"x:1\").is_ok() }",
    "pub fn g() -> bool { std::env::var(\"X\").is_ok() }",
    "pub fn h() { std::process::exit(1) }",
    "pub fn i() { println!(\"x\") }",
    "pub fn j() -> usize { std::collections::HashMap::<u8, u8>::new().len() }",
    "pub fn k(set: &std::collections::HashSet<u8>) -> usize { set.len() }",
    "pub async fn l() {}",
    "pub fn m() -> bool { std::io::stdin().lines().next().is_some() }",
    "pub fn n(lock: &std::sync::Mutex<u8>) -> bool { lock.is_poisoned() }",
    "use std::collections::HashMap as Innocent; pub fn o(map: &Innocent<u8, u8>) -> usize { map.len() }",
];

/// Whether clippy refuses every offence.
pub(crate) fn holds() -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let probe = target.join("gate");
    write(&probe.join("Cargo.toml"), &manifest(&root));
    write(&probe.join("clippy.toml"), &read(&root.join("crates/wire/clippy.toml")));
    write(&probe.join("src/lib.rs"), &OFFENCES.join("\n"));
    let output = Command::new("cargo")
        .args(["clippy", "--offline", "--quiet", "--message-format=short"])
        .current_dir(&probe)
        .env("CARGO_TARGET_DIR", probe.join("target"))
        .output()
        .expect("cargo runs");
    let report = String::from_utf8_lossy(&output.stderr);
    let mut all = true;
    for (index, offence) in OFFENCES.iter().enumerate() {
        let place = format!("src/lib.rs:{}:", index + 1);
        let refused = report
            .lines()
            .any(|line| line.starts_with(&place) && line.contains("error: use of a disallowed"));
        if !refused {
            eprintln!("NOT refused: {offence}");
            all = false;
        }
    }
    if all {
        eprintln!("clippy refuses all {} offences", OFFENCES.len());
    } else {
        eprintln!("{report}");
    }
    all
}

/// A crate outside the workspace, with the workspace's lints.
fn manifest(root: &Path) -> String {
    let workspace = read(&root.join("Cargo.toml"));
    let lints: Vec<&str> = workspace.lines().filter(|line| line.starts_with("disallowed_")).collect();
    format!(
        "[package]\nname = \"gate\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lints.clippy]\n{}\n\n[workspace]\n",
        lints.join("\n")
    )
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}
