//! The folder of somebody who is new, written from the file of somebody like it.

use super::{Failed, wrong};
use link::SecretIdentity;
use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// What the secret of a new folder is called.
pub(super) const SECRET: &str = "identity.secret";

/// Takes `folder`, which must not be there, be empty, or be one that was begun before; the secret that it begins with.
pub(super) fn begin(folder: &Path) -> Result<SecretIdentity, Failed> {
    let path = folder.join(SECRET);
    if path.exists() {
        return SecretIdentity::load(&path).map_err(wrong);
    }
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(wrong(format!(
            "{} has something in it; right would be a folder that is empty or not there",
            folder.display()
        )));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| wrong(format!("{}: {error}", folder.display())))?;
    let secret = SecretIdentity::generate().map_err(wrong)?;
    secret.save(&path).map_err(wrong)?;
    Ok(secret)
}

/// Writes a file for its owner alone, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failed> {
    let failed = |error| wrong(format!("{}: {error}", path.display()));
    let new = path.with_extension("new");
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(failed)
}

/// The text of a configuration in which the section `[section]` says `said` and, of what it said before, all but `dropped`.
pub(super) fn with_section(text: &str, section: &str, said: &str, dropped: &[&str]) -> String {
    let header = format!("[{section}]");
    let mut inside = false;
    let mut result = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            inside = trimmed == header;
        }
        let key = trimmed.split('=').next().unwrap_or("").trim();
        if inside && dropped.contains(&key) {
            continue;
        }
        result.push_str(line);
        result.push('\n');
        if trimmed == header {
            result.push_str(said);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_says_what_is_new_and_nothing_else_changes() {
        let text = "# Node 0\n[node]\nnumber = 0\nlog = \"info\"\nhttp = \"x\"\n\n[cluster]\nnumber = 1\n";
        let new = with_section(text, "node", "number = 2\n", &["number", "http"]);
        assert_eq!(new, "# Node 0\n[node]\nnumber = 2\nlog = \"info\"\n\n[cluster]\nnumber = 1\n");
    }
}
