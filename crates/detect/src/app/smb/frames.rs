//! The structures within the stream that `frame` rules look into.
//!
//! A record that is taken as it comes is collected for them until it is whole, or ends, or is too long: then they see what
//! there is.

use super::nbss::{self, Dialect};
use crate::Direction;
use crate::app::Context;

/// Bytes of a record that are collected.
const COLLECTED_BYTES_MAX: usize = 256 * 1024;
/// Names of all frames.
pub(super) const NAMES: &[&str] = &[
    "nbss.pdu",
    "nbss.hdr",
    "nbss.data",
    "smb1.pdu",
    "smb1.hdr",
    "smb1.data",
    "smb2.pdu",
    "smb2.hdr",
    "smb2.data",
    "smb3.pdu",
    "smb3.hdr",
    "smb3.data",
];

/// Shows a NetBIOS record.
pub(super) fn session(context: &mut Context<'_>, direction: Direction, record: &[u8]) {
    show(context, direction, ["nbss.pdu", "nbss.hdr", "nbss.data"], record, nbss::HEADER_BYTES);
}

/// Shows an SMB record, or one of a chain.
pub(super) fn record(
    context: &mut Context<'_>,
    direction: Direction,
    dialect: Dialect,
    record: &[u8],
    header_bytes: usize,
) {
    let names = match dialect {
        Dialect::One => ["smb1.pdu", "smb1.hdr", "smb1.data"],
        Dialect::Two => ["smb2.pdu", "smb2.hdr", "smb2.data"],
        Dialect::Three => ["smb3.pdu", "smb3.hdr", "smb3.data"],
        Dialect::Other => return,
    };
    show(context, direction, names, record, header_bytes);
}

fn show(
    context: &mut Context<'_>,
    direction: Direction,
    [whole, front, rest]: [&'static str; 3],
    record: &[u8],
    header_bytes: usize,
) {
    context.frame(whole, direction, record);
    let (header, data) = record.split_at(header_bytes.min(record.len()));
    context.frame(front, direction, header);
    if !data.is_empty() {
        context.frame(rest, direction, data);
    }
}

/// A record that comes bit by bit.
#[derive(Clone, Debug, Default)]
pub(super) struct Collected {
    bytes: Vec<u8>,
    left: usize,
    dialect: Option<Dialect>,
    header_bytes: usize,
}

impl Collected {
    /// Begins with what is there of a NetBIOS record, of which `missing` bytes are not.
    pub(super) fn begin(
        context: &Context<'_>,
        record: &[u8],
        missing: usize,
        dialect: Dialect,
        header_bytes: usize,
    ) -> Self {
        if !NAMES.iter().any(|name| context.wants_frame(name)) {
            return Collected::default();
        }
        Collected { bytes: record.to_vec(), left: missing, dialect: Some(dialect), header_bytes }
    }

    /// Adds what belongs to the record, and shows it when that was all.
    pub(super) fn append(&mut self, context: &mut Context<'_>, direction: Direction, bytes: &[u8]) {
        if self.dialect.is_none() {
            return;
        }
        let mine = &bytes[..bytes.len().min(self.left)];
        self.left -= mine.len();
        self.bytes.extend_from_slice(mine);
        if self.left == 0 || self.bytes.len() >= COLLECTED_BYTES_MAX {
            self.finish(context, direction);
        }
    }

    /// Shows what there is.
    pub(super) fn finish(&mut self, context: &mut Context<'_>, direction: Direction) {
        let Collected { bytes, dialect, header_bytes, .. } = core::mem::take(self);
        if let Some(dialect) = dialect {
            session(context, direction, &bytes);
            record(
                context,
                direction,
                dialect,
                bytes.get(nbss::HEADER_BYTES..).unwrap_or_default(),
                header_bytes,
            );
        }
    }
}
