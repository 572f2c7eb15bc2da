//! The rules of the house, checked: which crate may depend on which, and what a logic crate may not touch.
//!
//! - [`graph`]: arrows point one way, from the binary down to `wire`; logic knows no runtime and no randomness;
//! - [`source`]: no word of a clock, a thread, a socket or async in the source of a logic crate;
//! - [`docs`]: the map shows every crate, and no link of it leads nowhere;
//! - here: what is left, and one test for each of the two that the check can fail.
//!
//! `clippy` refuses the same things by their types (`clippy.toml` in each logic crate; `cargo xtask gate` shows that it
//! does). Two nets, since either has holes: clippy sees through a `use … as …`, the scan sees code that is not
//! compiled.

mod docs;
mod graph;
mod source;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The crates that take input and return effects, and do nothing else.
const LOGIC: [&str; 6] = ["wire", "mutation", "monitor", "agree", "kv", "pattern"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn arrows_point_one_way() {
    let violations = graph::violations(&graph::packages(&root()), &read(&root().join("Cargo.lock")));
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn logic_touches_no_clock_chance_thread_or_device() {
    let mut violations = Vec::new();
    let mut files = 0;
    for name in LOGIC {
        for file in source::files(&root().join("crates").join(name).join("src")) {
            files += 1;
            for (line, word) in source::forbidden(&read(&file)) {
                violations.push(format!("{}:{line}: {word}", file.display()));
            }
        }
    }
    assert!(files > 20, "the scan found only {files} files: it looks in the wrong place");
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_monitor_has_no_standard_library() {
    let code = source::without_comments(&read(&root().join("crates/monitor/src/lib.rs")));
    let is_empty = code.trim().is_empty();
    let is_no_std = code.contains("#![no_std]") || code.contains("#![cfg_attr(not(test), no_std)]");
    assert!(
        is_empty || is_no_std,
        "crates/monitor is no_std: it must be able to stand outside an operating system"
    );
}

#[test]
fn every_logic_crate_has_the_same_list_for_clippy() {
    let list = read(&root().join("crates/wire/clippy.toml"));
    for name in LOGIC {
        let path = root().join("crates").join(name).join("clippy.toml");
        assert!(read(&path) == list, "{} differs from crates/wire/clippy.toml", path.display());
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for package in graph::packages(&root()) {
        let manifest = read(&package.manifest);
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
    }
}

/// The workspace denies `unsafe` rather than to forbid it, so that one module may allow it (decision 19).
#[test]
fn unsafe_code_is_allowed_in_one_module_alone() {
    assert!(read(&root().join("Cargo.toml")).contains("\nunsafe_code = \"deny\"\n"));
    // Put together, so that it does not stand in this file.
    let word = ["(unsafe", "_code"].concat();
    let mut allowed = Vec::new();
    for package in graph::packages(&root()) {
        let folder = package.manifest.parent().expect("a manifest lies in a folder");
        for file in source::files(folder) {
            if source::without_comments(&read(&file)).contains(&word) {
                let module = file.strip_prefix(folder).unwrap_or(&file);
                allowed.push(format!("{}: {}", package.name, module.display()));
            }
        }
    }
    assert_eq!(allowed, ["pattern: src/simd.rs"], "another module may not be trusted with `unsafe`");
}

/// The front door of a room is its specification.
#[test]
fn every_file_begins_with_what_it_promises() {
    for package in graph::packages(&root()) {
        let folder = package.manifest.parent().expect("a manifest lies in a folder").join("src");
        for file in source::files(&folder) {
            assert!(read(&file).starts_with("//! "), "{} has no head", file.display());
        }
    }
}

/// A defect that no line asks about can never be found.
#[test]
fn every_defect_stands_somewhere_in_the_code() {
    let list = read(&root().join("crates/mutation/src/lib.rs"));
    let defects: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with("    ") && line.contains(" = \"") && line.contains("\": \""))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(defects.len() >= 3, "the list of defects was not found");
    let mut code = String::new();
    for package in graph::packages(&root()) {
        let folder = package.manifest.parent().expect("a manifest lies in a folder").join("src");
        source::files(&folder).iter().for_each(|file| code += &read(file));
    }
    let lost: Vec<&str> = defects
        .into_iter()
        .filter(|name| {
            !code.contains(&format!("defect!({name})")) && !code.contains(&format!("Defect::{name}"))
        })
        .collect();
    assert!(lost.is_empty(), "defects that nothing asks about: {lost:?}");
}
