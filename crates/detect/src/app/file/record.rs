//! What EVE has of a file under `fileinfo`.

use super::{Ending, File};
use crate::eve::Object;

/// Writes down what is known of `file`, which the exchange number `exchange` carried.
#[must_use]
pub fn record(file: &File, exchange: u64) -> Object {
    let mut record = Object::new();
    record.bytes("filename", &file.name);
    if let Some(magic) = file.magic() {
        record.bytes("magic", magic.as_bytes());
    }
    record.flag("gaps", file.has_gaps);
    record.text(
        "state",
        match file.ending {
            Ending::Open => "UNKNOWN",
            Ending::Closed => "CLOSED",
            Ending::Truncated => "TRUNCATED",
        },
    );
    let digests: [(&str, Option<&[u8]>); 3] = [
        ("md5", file.md5().map(|digest| digest.as_slice())),
        ("sha1", file.sha1().map(|digest| digest.as_slice())),
        ("sha256", file.sha256().map(|digest| digest.as_slice())),
    ];
    for (name, digest) in digests {
        if let Some(digest) = digest {
            record.text(name, &hexadecimal(digest));
        }
    }
    record.flag("stored", false);
    record.number("size", file.body.total());
    record.number("tx_id", exchange);
    record
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
