//! The documents keep up with the code.

use crate::{graph, read, root};
use std::fs;
use std::path::{Path, PathBuf};

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    ["", "docs", "docs/adr", "docs/dev"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("the folder can be read"))
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The targets of the links in `text` that lead to files, without the part after `#`.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .filter_map(|link| link.split('#').next())
        .collect()
}

#[test]
fn no_link_leads_nowhere() {
    let documents = documents();
    assert!(documents.len() > 5, "{documents:?}");
    for document in documents {
        for link in links(&read(&document)) {
            let folder = document.parent().unwrap_or(Path::new("."));
            assert!(folder.join(link).exists(), "{} links to {link}", document.display());
        }
    }
}

#[test]
fn the_map_shows_every_crate() {
    let map = read(&root().join("ARCHITECTURE.md"));
    for package in graph::packages(&root()) {
        let name = format!("`{}`", package.name);
        let path = format!("`crates/{}`", package.name);
        assert!(map.contains(&name) || map.contains(&path), "ARCHITECTURE.md does not show {}", package.name);
    }
}

#[test]
fn every_decision_is_in_the_list() {
    let list = read(&root().join("docs/adr/README.md"));
    for document in
        documents().iter().filter(|path| path.parent().is_some_and(|folder| folder.ends_with("adr")))
    {
        let name = document.file_name().and_then(|name| name.to_str()).expect("it has a name");
        assert!(name == "README.md" || list.contains(name), "docs/adr/README.md does not list {name}");
    }
}

#[test]
fn links_are_found() {
    let text = "[a](docs/x.md), [b](https://example.org), [c](y.md#part) and [d](#here)";
    assert_eq!(links(text), ["docs/x.md", "y.md"]);
}
