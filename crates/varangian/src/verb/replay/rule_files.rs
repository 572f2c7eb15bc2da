//! Rule files from the disk, and what stands beside them: lists that rules name, classes, systems of references, reputation.
//!
//! What a rule file is, is told by its bytes: a text, or one packed by gzip. An archive, or what is no text at all, is refused with that reason, once. A list that
//! rules name must be a regular file: a device or a pipe may never end. Everything that is read has a limit in bytes.

use crate::say::complain;
use detect::rule::{Classes, Described, References, Reputation, RuleFile, Variables};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes of a rule file at most, unpacked.
const FILE_BYTES_MAX: u64 = 512 << 20;
/// Bytes of a list at most that a rule names; also of what stands beside rule files.
const LIST_BYTES_MAX: u64 = 256 << 20;
/// Lines of a file beside rule files that make no sense and are told one by one.
const TOLD_MAX: usize = 20;
/// How gzip and zip begin, and where a tar archive says that it is one.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";
const TAR: (usize, &[u8]) = (257, b"ustar");
/// How texts begin in which a letter has two bytes.
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
/// The mark that some editors put before a text; it says nothing.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// Classes of rules, and systems that rules refer to, beside rule files.
const CLASSES: &str = "classification.config";
const REFERENCES: &str = "reference.config";

/// A rule file that was read.
pub(crate) struct RuleSource {
    name: String,
    text: String,
}

/// Reads a rule file; one that is packed by gzip is unpacked. Bytes that are no UTF-8 are replaced.
pub(crate) fn read(path: &Path) -> Result<RuleSource, String> {
    let name = path.display().to_string();
    let text = fs::File::open(path)
        .map_err(|error| error.to_string())
        .and_then(|file| up_to(file, FILE_BYTES_MAX))
        .and_then(text_of)
        .map_err(|why| format!("{name}: {why}"))?;
    Ok(RuleSource { name, text })
}

/// Reads rule files.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<RuleSource>, String> {
    paths.iter().map(|path| read(path)).collect()
}

/// The text in the bytes of a file.
fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    let plain = if bytes.starts_with(GZIP) {
        up_to(flate2::read::MultiGzDecoder::new(&*bytes), FILE_BYTES_MAX)?
    } else {
        bytes
    };
    let (at, mark) = TAR;
    if plain.get(at..).is_some_and(|rest| rest.starts_with(mark)) {
        return Err("this is a tar archive: 'varangian rules fetch' takes it".to_owned());
    }
    if plain.starts_with(ZIP) {
        return Err("this is a zip archive: what is in it, unpacked, would be right".to_owned());
    }
    if UTF_16.iter().any(|mark| plain.starts_with(mark)) {
        return Err("this is a text in UTF-16: one in UTF-8 would be right".to_owned());
    }
    if let Some(at) = plain.iter().position(|byte| *byte == 0) {
        return Err(format!("this is no text: byte {} of it is zero", at + 1));
    }
    Ok(String::from_utf8_lossy(plain.strip_prefix(MARK).unwrap_or(&plain)).into_owned())
}

fn up_to(reader: impl Read, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("longer than {} MiB, which is the most that is read", bytes_max >> 20));
    }
    Ok(bytes)
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
    let lists = read_all(&paths)?;
    let lists: Vec<(&str, &str)> = lists.iter().map(|list| (&*list.name, &*list.text)).collect();
    let reputation = Reputation::read(&categories.text, &lists);
    for (list, line) in reputation.wrong() {
        complain!("{list}:{line}: no line of a list of reputation, left out");
    }
    variables.set_reputation(reputation);
    Ok(variables)
}

/// The same, with what stands beside the rule files: a `classification.config` in the place of the classes that everybody uses, and a `reference.config` in that
/// of the systems that a fresh Suricata knows. If there are several, the first that describes a name counts.
pub(crate) fn variables_beside(files: &[PathBuf], reputation: Option<&Path>) -> Result<Variables, String> {
    let mut variables = variables(reputation)?;
    let classes = described(files, CLASSES, Classes::read, "config classification: name,Words,2")?;
    let references =
        described(files, REFERENCES, References::read, "config reference: name https://example.org/?id=")?;
    if let Some(classes) = classes {
        variables.set_classes(classes);
    }
    if let Some(references) = references {
        variables.set_references(references);
    }
    Ok(variables)
}

/// What the files of this name beside the rule files describe, all together; nothing if there is none.
fn described<T>(
    files: &[PathBuf],
    name: &str,
    read: fn(&str) -> Described<T>,
    expected: &str,
) -> Result<Option<Described<T>>, String> {
    let mut all: Option<Described<T>> = None;
    for path in folders_of(files).iter().map(|folder| folder.join(name)).filter(|path| path.exists()) {
        let read = read(&beside(&path)?);
        left_out(&path, read.wrong(), expected);
        match &mut all {
            Some(all) => all.extend(read),
            None => all = Some(read),
        }
    }
    Ok(all)
}

fn beside(path: &Path) -> Result<String, String> {
    let read = regular(path).map_err(|error| error.to_string()).and_then(|file| up_to(file, LIST_BYTES_MAX));
    read.and_then(text_of).map_err(|why| format!("{}: {why}", path.display()))
}

fn left_out(path: &Path, lines: &[usize], expected: &str) {
    for line in lines.iter().take(TOLD_MAX) {
        complain!("{}:{line}: left out: expected a line like '{expected}'", path.display());
    }
    if lines.len() > TOLD_MAX {
        complain!("{}: {} more lines left out", path.display(), lines.len() - TOLD_MAX);
    }
}

/// The files as the engine takes them.
pub(crate) fn borrowed(sources: &[RuleSource]) -> Vec<RuleFile<'_>> {
    sources.iter().map(|source| RuleFile { name: &source.name, text: &source.text }).collect()
}

/// The folders of files, each once, in the order of the files.
fn folders_of(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let folders = files.iter().filter_map(|file| file.parent().map(Path::to_path_buf));
    folders.filter(|folder| seen.insert(folder.clone())).collect()
}

/// Reads the lists that rules name: beside the rule files, or where they say.
pub(crate) fn reader(files: &[PathBuf]) -> impl Fn(&str) -> Result<Vec<u8>, String> {
    let folders = folders_of(files);
    move |name| {
        let mut why = None;
        for path in folders.iter().map(|folder| folder.join(name)).chain([PathBuf::from(name)]) {
            match regular(&path) {
                Ok(file) => {
                    let bytes = up_to(file, LIST_BYTES_MAX)?;
                    return Ok(bytes.strip_prefix(MARK).map(<[u8]>::to_vec).unwrap_or(bytes));
                }
                // That it is elsewhere is no reason; the first other one is told.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    why.get_or_insert(error);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(why.map_or_else(|| "there is no such file".to_owned(), |error| error.to_string()))
    }
}

/// Opens a regular file. Others are not even opened: that alone may wait for ever.
fn regular(path: &Path) -> io::Result<fs::File> {
    let wrong = || io::Error::new(ErrorKind::InvalidInput, "it is no regular file");
    if !fs::metadata(path)?.is_file() {
        return Err(wrong());
    }
    let file = fs::File::open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_a_rule_file_is_is_told_by_its_bytes() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"\xef\xbb\xbfalert").expect("memory takes it");
        let packed = packed.finish().expect("memory takes it");
        assert_eq!(text_of(packed), Ok("alert".to_owned()));
        assert_eq!(text_of(b"\xef\xbb\xbfalert".to_vec()), Ok("alert".to_owned()));
        let mut tar = vec![b'a'; 600];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, words) in [
            (tar, "rules fetch"),
            (b"PK\x03\x04".to_vec(), "zip"),
            (b"\xff\xfea\0".to_vec(), "UTF-16"),
            (b"al\0ert".to_vec(), "byte 3"),
        ] {
            let told = text_of(bytes).err();
            assert!(told.as_ref().is_some_and(|told| told.contains(words)), "{words}: {told:?}");
        }
    }

    #[test]
    fn a_list_is_a_regular_file_of_bounded_length_and_else_the_reason_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = [folder.path().join("a.rules")];
        fs::write(folder.path().join("list"), b"\xef\xbb\xbf00ff\n").expect("a file");
        let read = reader(&rules);
        assert_eq!(read("list"), Ok(b"00ff\n".to_vec()));
        assert!(read("/dev/zero").is_err_and(|why| why.contains("no regular file")));
        assert!(read(".").is_err_and(|why| why.contains("no regular file")));
        assert!(read("absent").is_err_and(|why| why.contains("os error 2")));
        assert!(up_to(io::repeat(b'a'), 1 << 20).is_err_and(|why| why.contains("longer than 1 MiB")));
    }

    #[test]
    fn classes_beside_rule_files_stand_in_the_place_of_those_that_everybody_uses() {
        let folder = tempfile::tempdir().expect("a folder");
        let rules = [folder.path().join("a.rules"), folder.path().join("b.rules")];
        let text = "alert tcp any any -> any any (classtype:own; sid:1;)";
        let warnings = |variables: &Variables| {
            let files = [RuleFile { name: "r", text }];
            detect::rule::RuleSet::load(&files, variables, &|_| None).report().warnings.len()
        };
        assert_eq!(warnings(&variables_beside(&rules, None).expect("nothing is wrong")), 1);
        fs::write(folder.path().join(CLASSES), "config classification: own,Words,2\n").expect("a file");
        assert_eq!(warnings(&variables_beside(&rules, None).expect("nothing is wrong")), 0);
        fs::write(folder.path().join(CLASSES), [0; 4]).expect("a file");
        assert!(variables_beside(&rules, None).is_err_and(|why| why.contains("no text")));
    }
}
