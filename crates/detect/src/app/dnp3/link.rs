//! DNP3's frames: a head of ten bytes, then blocks of sixteen bytes, a checksum behind each.

/// Bytes of a head with its checksum.
pub(super) const HEAD_BYTES: usize = 10;
/// Bytes of the head that its length counts.
const COUNTED_HEAD_BYTES: usize = 5;
const BLOCK_BYTES: usize = 16;
const CHECKSUM_BYTES: usize = 2;
const START: [u8; 2] = [0x05, 0x64];

const CHECKSUMS: [u16; 256] = checksums();

/// What each byte does to a checksum: the polynomial 0x3d65, the low bit first.
const fn checksums() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xa6bc } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// The checksum of these bytes, as it stands behind them.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 2] {
    let step = |sum: u16, byte: &u8| {
        let place = usize::from((sum ^ u16::from(*byte)) & 0xff);
        CHECKSUMS.get(place).copied().unwrap_or_default() ^ sum >> 8
    };
    (!bytes.iter().fold(0, step)).to_le_bytes()
}

/// Why there is no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// So many bytes are needed.
    Incomplete(usize),
    /// It does not begin as a frame does.
    Start,
    Checksum,
    Length,
}

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    /// Bytes behind the head, without checksums.
    pub(super) length: usize,
    pub(super) control: u8,
    pub(super) destination: u16,
    pub(super) source: u16,
}

impl Head {
    /// Reads a head.
    pub(super) fn read(bytes: &[u8]) -> Result<Head, Fault> {
        let head: [u8; HEAD_BYTES] = bytes.first_chunk().copied().ok_or(Fault::Incomplete(HEAD_BYTES))?;
        let [start_1, start_2, length, control, to_low, to_high, from_low, from_high, sum_low, sum_high] =
            head;
        if [start_1, start_2] != START {
            return Err(Fault::Start);
        }
        if checksum(&head[..HEAD_BYTES - CHECKSUM_BYTES]) != [sum_low, sum_high] {
            return Err(Fault::Checksum);
        }
        let length = usize::from(length).checked_sub(COUNTED_HEAD_BYTES).ok_or(Fault::Length)?;
        Ok(Head {
            length,
            control,
            destination: u16::from_le_bytes([to_low, to_high]),
            source: u16::from_le_bytes([from_low, from_high]),
        })
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> usize {
        HEAD_BYTES + self.length + self.length.div_ceil(BLOCK_BYTES) * CHECKSUM_BYTES
    }

    /// Whether it carries data, confirmed or not.
    pub(super) fn has_data(&self) -> bool {
        matches!(self.control & 0x0f, 3 | 4)
    }
}

/// Whether these bytes begin as a frame does.
pub(super) fn starts(bytes: &[u8]) -> bool {
    bytes.starts_with(&START)
}

/// The data behind a head without checksums, if these are right.
pub(super) fn data(blocks: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(blocks.len());
    for block in blocks.chunks(BLOCK_BYTES + CHECKSUM_BYTES) {
        let (bytes, sum) = block.split_last_chunk::<CHECKSUM_BYTES>()?;
        if bytes.is_empty() || checksum(bytes) != *sum {
            return None;
        }
        data.extend_from_slice(bytes);
    }
    Some(data)
}
