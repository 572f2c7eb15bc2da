//! Rule files out of what was fetched: a text, one packed by gzip, an archive (tar), or such an archive packed by gzip.
//!
//! What it is, is told by its bytes, not by its name. Of an archive, files whose name ends in `.rules` are taken, and `classification.config`;
//! nothing of it is ever written under the name that it has there, so no name can lead out of a folder.
//!
//! Bounded: unpacked bytes and files have a limit, beyond which the archive is refused as a whole. What ends early, or is damaged, is refused.

use flate2::read::MultiGzDecoder;
use ruleset::{Glob, IGNORED_BY_DEFAULT};
use std::io::{self, Read};

/// Bytes that may come out at most: some five times the largest set that is published today.
pub(super) const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Files of an archive at most, of whatever kind.
pub(super) const FILES_MAX: usize = 10_000;

/// How gzip and zip begin, and where an archive says that it is one.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";
const TAR: (usize, &[u8]) = (257, b"ustar");
/// The classes of rules, as archives call the file.
const CLASSES: &str = "classification.config";

/// What came out.
#[derive(Default)]
pub(super) struct Unpacked {
    /// Rule files: name and text. Bytes that are no UTF-8 are replaced.
    pub(super) files: Vec<(String, String)>,
    /// `classification.config`, as it was.
    pub(super) classes: Option<Vec<u8>>,
    /// Rule files that were left out: those of deleted rules.
    pub(super) left_out: usize,
}

/// Takes apart what was fetched as `name`. `bytes_max`: how many may come out.
pub(super) fn unpack(name: &str, bytes: &[u8], bytes_max: u64) -> Result<Unpacked, String> {
    if bytes.starts_with(ZIP) {
        return Err(format!(
            "{name}: a zip archive, which is not read: there usually is a .tar.gz of the same beside it"
        ));
    }
    if !bytes.starts_with(GZIP) {
        return of_plain(name, bytes, bytes_max);
    }
    let mut plain = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(bytes_max + 1);
    reader.read_to_end(&mut plain).map_err(|error| damaged(name, &error))?;
    of_plain(name.strip_suffix(".gz").unwrap_or(name), &plain, bytes_max)
}

fn of_plain(name: &str, plain: &[u8], bytes_max: u64) -> Result<Unpacked, String> {
    if plain.len() as u64 > bytes_max {
        return Err(format!(
            "{name}: more than {} MiB when unpacked, which is the most that is taken",
            bytes_max >> 20
        ));
    }
    let (at, mark) = TAR;
    if plain.get(at..).is_some_and(|rest| rest.starts_with(mark)) {
        return of_tar(name, plain);
    }
    let text = String::from_utf8_lossy(plain).into_owned();
    Ok(Unpacked { files: vec![(base(name).to_owned(), text)], ..Unpacked::default() })
}

fn of_tar(name: &str, plain: &[u8]) -> Result<Unpacked, String> {
    let mut unpacked = Unpacked::default();
    let ignored = Glob::new(IGNORED_BY_DEFAULT);
    let mut archive = tar::Archive::new(plain);
    for (count, entry) in archive.entries().map_err(|error| damaged(name, &error))?.enumerate() {
        if count >= FILES_MAX {
            return Err(format!("{name}: more than {FILES_MAX} files, which is the most that is taken"));
        }
        let mut entry = entry.map_err(|error| damaged(name, &error))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_classes = base(&path) == CLASSES;
        if !is_classes && !path.ends_with(".rules") {
            continue;
        }
        if ignored.matches(&path) {
            unpacked.left_out += 1;
            continue;
        }
        let size = entry.size();
        let mut content = Vec::new();
        // The size that the archive claims is no reason to believe it: `plain` bounds what there is.
        entry.read_to_end(&mut content).map_err(|error| damaged(name, &error))?;
        if content.len() as u64 != size {
            return Err(damaged(name, &io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        if is_classes {
            unpacked.classes = Some(content);
        } else {
            unpacked.files.push((path, String::from_utf8_lossy(&content).into_owned()));
        }
    }
    if unpacked.files.is_empty() {
        return Err(format!("{name}: there is no file in it whose name ends in .rules"));
    }
    Ok(unpacked)
}

fn damaged(name: &str, error: &io::Error) -> String {
    format!("{name}: damaged, or cut off: {error}")
}

/// A name without the folders before it.
pub(super) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).expect("memory takes it");
        }
        builder.into_inner().expect("memory takes it")
    }

    #[test]
    fn what_it_is_is_told_by_its_bytes_and_not_by_its_name() {
        let tar = archive(&[
            ("rules/a.rules", b"one"),
            ("rules/LICENSE", b"x"),
            ("rules/classification.config", b"c"),
        ]);
        for bytes in [tar.clone(), packed(&tar)] {
            let unpacked = unpack("download", &bytes, 1 << 20).expect("an archive");
            assert_eq!(unpacked.files, [("rules/a.rules".to_owned(), "one".to_owned())]);
            assert_eq!(unpacked.classes.as_deref(), Some(&b"c"[..]));
        }
        for bytes in [b"two".to_vec(), packed(b"two")] {
            let unpacked = unpack("https://example.org/x/b.rules.gz", &bytes, 1 << 20).expect("a text");
            assert_eq!(unpacked.files[0].1, "two");
            assert!(unpacked.files[0].0.starts_with("b.rules"), "{:?}", unpacked.files);
        }
    }

    #[test]
    fn deleted_rules_are_left_out_and_counted() {
        let tar = archive(&[("rules/a.rules", b"one"), ("rules/emerging-deleted.rules", b"two")]);
        let unpacked = unpack("t", &tar, 1 << 20).expect("an archive");
        assert_eq!((unpacked.files.len(), unpacked.left_out), (1, 1));
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let bomb = packed(&vec![b'#'; 3 << 20]);
        assert!(bomb.len() < 1 << 16, "it is small as it comes");
        let told = unpack("bomb.rules.gz", &bomb, 1 << 20).err().expect("it is refused");
        assert!(told.contains("more than 1 MiB when unpacked"), "{told}");
        assert!(unpack("bomb.rules.gz", &bomb, 4 << 20).is_ok());
    }

    #[test]
    fn what_is_cut_off_anywhere_is_refused() {
        let tar = archive(&[("rules/a.rules", b"alert")]);
        let whole = packed(&tar);
        for end in 3..whole.len() {
            assert!(unpack("t.tar.gz", &whole[..end], 1 << 20).is_err(), "{end} bytes of {}", whole.len());
        }
        assert!(unpack("t.tar", &tar[..514], 1 << 20).is_err(), "in the middle of a file");
    }

    #[test]
    fn an_archive_without_rules_is_refused_by_name() {
        let tar = archive(&[("rules/readme.txt", b"x")]);
        let told = unpack("t.tar", &tar, 1 << 20).err().expect("it is refused");
        assert!(told.contains("no file in it whose name ends in .rules"), "{told}");
        let told = unpack("t.zip", b"PK\x03\x04....", 1 << 20).err().expect("it is refused");
        assert!(told.contains(".tar.gz"), "{told}");
    }
}
