//! Frames: their head, and what those say that say it in fixed places.

use crate::app::bytes::Reader;

/// Bytes of a frame's head.
pub(super) const HEAD_BYTES: usize = 9;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const WITH_PRIORITY: u8 = 0x20;
/// All bits of a stream's number.
pub(super) const STREAM_MASK: u32 = 0x7fff_ffff;

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) is_reserved: bool,
    pub(super) stream: u32,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Option<Head> {
        let mut reader = Reader::new(bytes);
        let [a, b, c] = reader.array::<3>()?;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let (kind, flags, stream) = (reader.u8()?, reader.u8()?, reader.be32()?);
        Some(Head { length, kind, flags, is_reserved: stream > STREAM_MASK, stream: stream & STREAM_MASK })
    }

    pub(super) fn ends_stream(&self) -> bool {
        self.flags & END_STREAM != 0
    }

    pub(super) fn ends_headers(&self) -> bool {
        self.flags & END_HEADERS != 0
    }

    pub(super) fn is_padded(&self) -> bool {
        self.flags & PADDED != 0
    }

    pub(super) fn has_priority(&self) -> bool {
        self.flags & WITH_PRIORITY != 0
    }
}

/// The settings that are known by number.
pub(super) const SETTINGS_NAMES: &[(&str, u16)] = &[
    ("SETTINGS_HEADER_TABLE_SIZE", 1),
    ("SETTINGS_ENABLE_PUSH", 2),
    ("SETTINGS_MAX_CONCURRENT_STREAMS", 3),
    ("SETTINGS_INITIAL_WINDOW_SIZE", 4),
    ("SETTINGS_MAX_FRAME_SIZE", 5),
    ("SETTINGS_MAX_HEADER_LIST_SIZE", 6),
    ("SETTINGS_ENABLE_CONNECT_PROTOCOL", 8),
    ("SETTINGS_NO_RFC7540_PRIORITIES", 9),
];
/// The setting that says how large the table of headers may be.
pub(super) const HEADER_TABLE_SIZE: u16 = 1;

/// The settings of a frame, up to the first that is not known.
pub(super) fn settings(bytes: &[u8]) -> Vec<(u16, u32)> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while let (Some(id), Some(value)) = (reader.be16(), reader.be32()) {
        if !SETTINGS_NAMES.iter().any(|known| known.1 == id) {
            break;
        }
        all.push((id, value));
    }
    all
}

/// What is kept of a frame that is neither headers nor data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Detail {
    None,
    Error(u32),
    Settings(Vec<(u16, u32)>),
    Weight(u8),
    Window(u32),
}

/// The frame is not as long as its kind has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct WrongLength;

/// Reads such a frame.
pub(super) fn detail(kind: u8, bytes: &[u8]) -> Result<Detail, WrongLength> {
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(bytes.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)))
    };
    let least = match kind {
        GOAWAY => bytes.len() >= 8,
        RST_STREAM | WINDOW_UPDATE => bytes.len() == 4,
        PRIORITY => bytes.len() == 5,
        _ => true,
    };
    if !least {
        return Err(WrongLength);
    }
    Ok(match kind {
        // The first word is the last stream that was answered.
        GOAWAY => word(4).map_or(Detail::None, Detail::Error),
        RST_STREAM => word(0).map_or(Detail::None, Detail::Error),
        SETTINGS => Detail::Settings(settings(bytes)),
        PRIORITY => bytes.last().map_or(Detail::None, |weight| Detail::Weight(*weight)),
        WINDOW_UPDATE => word(0).map_or(Detail::None, |bytes| Detail::Window(bytes & STREAM_MASK)),
        _ => Detail::None,
    })
}
