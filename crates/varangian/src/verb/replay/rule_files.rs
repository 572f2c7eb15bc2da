//! Rule files from the disk, and the files that rules name.

use crate::say::complain;
use detect::rule::{Reputation, RuleFile, Variables};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a rule file at most, unpacked.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// A rule file that was read.
pub(crate) struct RuleSource {
    name: String,
    text: String,
}

/// Reads a rule file; one whose name ends in `.gz` is unpacked. Bytes that are no UTF-8 are replaced.
pub(crate) fn read(path: &Path) -> Result<RuleSource, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = fs::File::open(path).map_err(told)?;
    let mut bytes = Vec::new();
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    if is_packed {
        flate2::read::MultiGzDecoder::new(file).take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(told)?;
    } else {
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(told)?;
    }
    if bytes.len() as u64 >= FILE_BYTES_MAX {
        return Err(format!("{}: longer than {} MiB", path.display(), FILE_BYTES_MAX >> 20));
    }
    Ok(RuleSource { name: path.display().to_string(), text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// The list of categories in a folder of reputation.
const CATEGORIES: &str = "categories.txt";

/// The values that a fresh Suricata has; with a folder of reputation also what its lists say: `categories.txt`, and all files whose names end in `.list`.
pub(crate) fn variables(reputation: Option<&Path>) -> Result<Variables, String> {
    let mut variables = Variables::default();
    let Some(folder) = reputation else { return Ok(variables) };
    let categories = read(&folder.join(CATEGORIES))?;
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "list"))
        .collect();
    paths.sort();
    let lists = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let lists: Vec<(&str, &str)> = lists.iter().map(|list| (&*list.name, &*list.text)).collect();
    let reputation = Reputation::read(&categories.text, &lists);
    for (list, line) in reputation.wrong() {
        complain!("{list}:{line}: no line of a list of reputation, left out");
    }
    variables.set_reputation(reputation);
    Ok(variables)
}

/// The files as the engine takes them.
pub(crate) fn borrowed(sources: &[RuleSource]) -> Vec<RuleFile<'_>> {
    sources.iter().map(|source| RuleFile { name: &source.name, text: &source.text }).collect()
}

/// Reads the files that rules name: beside the rule files, or where they say.
pub(crate) fn reader(files: &[PathBuf]) -> impl Fn(&str) -> Option<Vec<u8>> {
    let folders: Vec<PathBuf> =
        files.iter().filter_map(|file| file.parent().map(Path::to_path_buf)).collect();
    move |name| {
        let mut tried = folders.iter().map(|folder| folder.join(name)).chain([PathBuf::from(name)]);
        tried.find_map(|path| fs::read(path).ok())
    }
}
