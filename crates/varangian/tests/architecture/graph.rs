//! Who may depend on whom.
//!
//! [`RULES`] is the whole table. A crate that is not in it fails the test, so a new one is given its place by hand.
//! Only what a crate declares counts, so nothing has to be downloaded to check it; what the declared ones bring along
//! is read from `Cargo.lock`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one crate may depend on.
struct Rule {
    name: &'static str,
    /// Crates of the project.
    ours: &'static [&'static str],
    /// Crates of others; nothing means any.
    others: Option<&'static [&'static str]>,
}

/// Everybody's place. `mutation` is nobody's dependency but behind the feature `mutations`, and is checked apart.
const RULES: &[Rule] = &[
    Rule { name: "wire", ours: &[], others: Some(&["blake3", "bytes"]) },
    Rule { name: "mutation", ours: &[], others: Some(&[]) },
    Rule { name: "monitor", ours: &[], others: Some(&[]) },
    Rule { name: "pattern", ours: &[], others: Some(&[]) },
    Rule { name: "agree", ours: &["wire", "monitor"], others: Some(&["bytes"]) },
    Rule { name: "capture", ours: &[], others: Some(&[]) },
    Rule { name: "ruleset", ours: &[], others: Some(&["md-5", "regex", "sha2"]) },
    Rule { name: "kv", ours: &["wire", "agree"], others: Some(&["bytes"]) },
    // Parsers of protocols, each for its layer; what must not come in through them is [`FORBIDDEN_IN_LOGIC`].
    Rule { name: "detect", ours: &["pattern", "pcre"], others: None },
    Rule { name: "pcre", ours: &[], others: Some(&["memchr"]) },
    Rule { name: "sim", ours: &["wire", "agree", "monitor"], others: None },
    Rule { name: "link", ours: &["wire"], others: None },
    // `wire` and `sim` for its tests alone: they ask both disks the same.
    Rule { name: "store", ours: &["wire", "agree", "sim"], others: Some(&["bytes", "crc32fast"]) },
    Rule { name: "client", ours: &["wire", "agree", "kv", "link", "node"], others: Some(&["bytes", "mio"]) },
    Rule { name: "rights", ours: &[], others: Some(&["landlock", "libc", "rustix", "seccompiler"]) },
    Rule { name: "node", ours: &["wire", "agree", "monitor", "kv", "link", "rights", "store"], others: None },
    Rule {
        name: "varangian",
        ours: &[
            "wire", "agree", "capture", "client", "detect", "kv", "monitor", "ruleset", "sim", "link", "node",
        ],
        others: None,
    },
    // It runs the binary, and has a traitor beside a real monitor; nothing depends on it.
    Rule { name: "soak", ours: &["wire", "agree", "client", "kv", "node", "rights", "sim"], others: None },
    Rule { name: "xtask", ours: &[], others: Some(&[]) },
];

/// What comes along with a parser of the field all the same, and why that is bearable.
///
/// `time`: dates of certificates, as the parsers of ASN.1 hand them out. Whoever calls its clock is found by the words of `source.rs`.
///
/// `getrandom`: `x509-parser` has it by way of a feature that only the maker of certificates of `varangian`'s tests may ask for; the lock file does not tell
/// features apart. `cargo tree -p detect -e normal` shows that it is not there.
const EXCUSED_IN_LOGIC: &[(&str, &str)] = &[("detect", "time"), ("detect", "getrandom")];

/// What must not come into a logic crate, not even through somebody else's dependency.
const FORBIDDEN_IN_LOGIC: &[&str] = &[
    "async-executor",
    "async-io",
    "async-std",
    "chrono",
    "embassy-executor",
    "fastrand",
    "futures-executor",
    "getrandom",
    "mio",
    "oorandom",
    "rand",
    "rand_chacha",
    "rand_pcg",
    "rand_xoshiro",
    "rayon",
    "smol",
    "socket2",
    "time",
    "tokio",
];

/// A crate of the project as its manifest describes it.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// What the feature `default` switches on.
    pub(crate) default_features: Vec<String>,
}

/// One line of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_ours: bool,
    pub(crate) is_for_tests: bool,
    pub(crate) is_optional: bool,
}

/// The crates of the workspace, as `cargo metadata` sees them.
pub(crate) fn packages(root: &Path) -> Vec<Package> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    packages.iter().map(package).collect()
}

fn package(value: &Value) -> Package {
    let text = |value: &Value| value.as_str().expect("it is a string").to_string();
    let dependencies = value["dependencies"].as_array().expect("a package has a list of dependencies");
    let default_features = value["features"]["default"].as_array();
    Package {
        name: text(&value["name"]),
        manifest: PathBuf::from(text(&value["manifest_path"])),
        dependencies: dependencies
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                is_ours: dependency["path"].is_string(),
                is_for_tests: dependency["kind"] == "dev",
                is_optional: dependency["optional"] == true,
            })
            .collect(),
        default_features: default_features.map_or_else(Vec::new, |list| list.iter().map(text).collect()),
    }
}

/// Everything in which `packages` and the lock file break the rules.
pub(crate) fn violations(packages: &[Package], lock: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        let Some(rule) = RULES.iter().find(|rule| rule.name == package.name) else {
            violations.push(format!("{} has no place in the house: give it one in RULES", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            violations.extend(violation(rule, dependency));
        }
        if package.default_features.iter().any(|feature| feature.contains("mutation")) {
            violations.push(format!("{} switches mutations on by default", package.name));
        }
        if crate::LOGIC.contains(&package.name.as_str()) {
            violations.extend(forbidden_in_closure(package, lock));
        }
    }
    violations
}

fn violation(rule: &Rule, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if name == "mutation" {
        let allowed = dependency.is_optional || dependency.is_for_tests;
        return (!allowed).then(|| format!("{} always contains the mutations", rule.name));
    }
    if dependency.is_ours {
        return (!rule.ours.contains(&name)).then(|| format!("{} must not depend on {name}", rule.name));
    }
    let allowed = dependency.is_for_tests || rule.others.is_none_or(|others| others.contains(&name));
    (!allowed).then(|| format!("{} must not depend on {name}, which is not on its list", rule.name))
}

fn forbidden_in_closure(package: &Package, lock: &str) -> Vec<String> {
    let edges = lock_edges(lock);
    let mut reached = BTreeSet::new();
    let mut next: Vec<String> = package
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_ours && !dependency.is_for_tests)
        .map(|dependency| dependency.name.clone())
        .collect();
    while let Some(name) = next.pop() {
        if reached.insert(name.clone()) {
            next.extend(edges.get(&name).into_iter().flatten().cloned());
        }
    }
    reached
        .iter()
        .filter(|name| FORBIDDEN_IN_LOGIC.contains(&name.as_str()))
        .filter(|name| !EXCUSED_IN_LOGIC.contains(&(package.name.as_str(), name.as_str())))
        .map(|name| format!("{} brings {name} along", package.name))
        .collect()
}

/// Who depends on whom, from a `Cargo.lock`. Versions are left out: a name is enough to forbid.
fn lock_edges(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let Some(name) = entry.lines().find_map(|line| line.strip_prefix("name = ")) else { continue };
        let dependencies = edges.entry(name.trim_matches('"').to_string()).or_default();
        for line in entry.lines().filter_map(|line| line.strip_prefix(" \"")) {
            let name = line.trim_end_matches(['"', ',']).split(' ').next().unwrap_or_default();
            dependencies.insert(name.to_string());
        }
    }
    edges
}

/// A check that cannot fail is no check.
#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
version = 4

[[package]]
name = \"blake3\"
version = \"1.0.0\"
dependencies = [
 \"digest\",
]

[[package]]
name = \"digest\"
version = \"1.0.0\"
dependencies = [
 \"blake3\",
 \"tokio 1.0.0\",
]
";

    fn dependency(name: &str, is_ours: bool) -> Dependency {
        Dependency { name: name.into(), is_ours, is_for_tests: false, is_optional: false }
    }

    fn violations_of(
        name: &str,
        dependencies: &[Dependency],
        default_features: &[&str],
        lock: &str,
    ) -> Vec<String> {
        let package = Package {
            name: name.into(),
            manifest: PathBuf::new(),
            dependencies: dependencies.to_vec(),
            default_features: default_features.iter().map(ToString::to_string).collect(),
        };
        violations(&[package], lock)
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        assert_eq!(
            violations_of("wire", &[dependency("agree", true)], &[], ""),
            ["wire must not depend on agree"]
        );
        assert_eq!(
            violations_of("agree", &[dependency("sim", true)], &[], ""),
            ["agree must not depend on sim"]
        );
        assert_eq!(
            violations_of("sim", &[dependency("varangian", true)], &[], ""),
            ["sim must not depend on varangian"]
        );
    }

    #[test]
    fn a_stranger_in_a_logic_crate_is_found() {
        assert_eq!(
            violations_of("monitor", &[dependency("bytes", false)], &[], ""),
            ["monitor must not depend on bytes, which is not on its list"]
        );
    }

    #[test]
    fn a_runtime_that_comes_along_is_found() {
        assert_eq!(
            violations_of("wire", &[dependency("blake3", false)], &[], LOCK),
            ["wire brings tokio along"]
        );
    }

    #[test]
    fn mutations_that_cannot_be_left_out_are_found() {
        assert_eq!(
            violations_of("agree", &[dependency("mutation", true)], &[], ""),
            ["agree always contains the mutations"]
        );
        assert_eq!(violations_of("sim", &[], &["mutations"], ""), ["sim switches mutations on by default"]);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(
            violations_of("attic", &[], &[], ""),
            ["attic has no place in the house: give it one in RULES"]
        );
    }
}
