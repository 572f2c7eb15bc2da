//! What rules can ask of files.
//!
//! `file.name`, `file.magic` and `file.data` are buffers: each file of the transaction is a value of theirs. `filename`, `filemagic` and `fileext` are the old way
//! to write a content in the first two: letters may be of either case, and an extension is the end of the name behind a dot.
//! `filesize`, `filemd5`, `filesha1`, `filesha256` and `filestore` are conditions that must hold of one and the same file.

use super::{Ending, FileTest, Needs, hashes};
use crate::app::{Buffer, Family, Field, Keyword, ProtocolId, Sides, Takes, Verdict};
use crate::{Complaint, NumberTest};

/// The name.
pub const NAME: Field = Field::new(Family::File, 0);
/// The type, in words.
pub const MAGIC: Field = Field::new(Family::File, 1);
/// The content.
pub const DATA: Field = Field::new(Family::File, 2);

/// The protocols that carry files.
const PROTOCOLS: &[ProtocolId] = &[
    ProtocolId::Http1,
    ProtocolId::Http2,
    ProtocolId::Doh2,
    ProtocolId::Smtp,
    ProtocolId::FtpData,
    ProtocolId::Smb,
    ProtocolId::Nfs,
];

const fn buffer(field: Field) -> Buffer {
    Buffer { field, sides: Sides::Both, protocols: PROTOCOLS }
}

/// The keywords for files, but for those of [`named`].
pub static KEYWORDS: &[Keyword] = &[
    Keyword { name: "file.name", takes: Takes::Buffer(buffer(NAME)) },
    Keyword { name: "file.magic", takes: Takes::Buffer(buffer(MAGIC)) },
    Keyword { name: "file.data", takes: Takes::Buffer(buffer(DATA)) },
    Keyword { name: "file_data", takes: Takes::Buffer(buffer(DATA)) },
    Keyword { name: "filesize", takes: Takes::File(|value, _| size(value)) },
    Keyword { name: "filestore", takes: Takes::File(|value, _| store(value)) },
    Keyword {
        name: "filemd5",
        takes: Takes::File(|value, read| hashes::test(value, read, Needs::Md5, super::File::md5)),
    },
    Keyword {
        name: "filesha1",
        takes: Takes::File(|value, read| hashes::test(value, read, Needs::Sha1, super::File::sha1)),
    },
    Keyword {
        name: "filesha256",
        takes: Takes::File(|value, read| hashes::test(value, read, Needs::Sha256, super::File::sha256)),
    },
];

/// What a keyword means that is a content of its own: `filename:"a"` is `file.name; content:"a"; nocase;`.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Where the content is looked for.
    pub buffer: Buffer,
    /// What stands before it.
    pub prefix: &'static str,
    /// It stands at the very end.
    pub ends: bool,
}

/// The keyword of this name, if it is one of those.
#[must_use]
pub fn named(name: &str) -> Option<Named> {
    Some(match name {
        "filename" => Named { buffer: buffer(NAME), prefix: "", ends: false },
        "fileext" => Named { buffer: buffer(NAME), prefix: ".", ends: true },
        "filemagic" => Named { buffer: buffer(MAGIC), prefix: "", ends: false },
        _ => return None,
    })
}

/// The size is known when all came; of what is cut off it is known that it was no smaller.
fn size(value: &str) -> Result<FileTest, Complaint> {
    let test = NumberTest::parse(value, u64::MAX, &[])?;
    Ok(FileTest::new(Needs::Nothing, move |file| {
        let grows = matches!(test, NumberTest::More(_) | NumberTest::AtLeast(_));
        match file.ending {
            Ending::Open => Verdict::Open,
            Ending::Closed if test.holds(file.body.total()) => Verdict::Holds,
            Ending::Truncated if grows && test.holds(file.body.total()) => Verdict::Holds,
            Ending::Closed | Ending::Truncated => Verdict::Fails,
        }
    }))
}

/// `filestore[:direction[,scope]]`: which files would be kept is said, and holds of all.
fn store(value: &str) -> Result<FileTest, Complaint> {
    const DIRECTIONS: &[&str] = &["request", "to_server", "response", "to_client", "both"];
    const SCOPES: &[&str] = &["file", "tx", "ssn", "flow"];
    let known = |word: &str, words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut words = value.split(',').map(str::trim).filter(|_| !value.is_empty());
    if let Some(word) = words.next().filter(|word| !known(word, DIRECTIONS)) {
        return Err(Complaint::new(format!("'{word}': expected to_server, to_client or both")));
    }
    if let Some(word) = words.next().filter(|word| !known(word, SCOPES)) {
        return Err(Complaint::new(format!("'{word}': expected file, tx or flow")));
    }
    match words.next() {
        Some(word) => Err(Complaint::new(format!("'{word}' is no part of 'filestore'"))),
        None => Ok(FileTest::new(Needs::Nothing, |_| Verdict::Holds)),
    }
}
