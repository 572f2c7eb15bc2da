//! The handshake of one side, put together from the pieces that its initial packets carry.
//!
//! Upon the pieces of a packet: they are laid over what earlier packets brought, each at its place. Once as many
//! bytes came as the furthest piece reaches, the hello is read. A handshake that reaches to [`HANDSHAKE_BYTES_MAX`]
//! is not kept, and an event.
//!
//! Bytes are counted as they come: a piece that comes twice counts twice, and may complete a handshake that has a
//! hole, as in Suricata.

use super::hello::{self, Hello, Outcome};

/// Bytes of a side's handshake; what reaches so far is not kept.
const HANDSHAKE_BYTES_MAX: u64 = 65_535;

/// The handshake of one side, as far as it came.
#[derive(Clone, Default, Debug)]
pub(super) struct Handshake {
    bytes: Vec<u8>,
    came: u64,
}

/// What came of the pieces of one packet.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) hello: Option<Box<Hello>>,
    /// The handshake reaches too far.
    pub(super) is_too_long: bool,
}

/// A piece at the beginning is neither a hello nor the beginning of one.
pub(super) struct NoHello;

impl Handshake {
    /// Takes the pieces of one packet.
    pub(super) fn take(&mut self, pieces: &[(u64, &[u8])]) -> Result<Progress, NoHello> {
        let mut progress = Progress::default();
        let past = core::mem::take(self);
        let mut open = Vec::new();
        for (offset, piece) in pieces {
            if *offset == 0 {
                match hello::read(piece) {
                    Outcome::Hello(hello) => {
                        progress.hello = Some(hello);
                        continue;
                    }
                    Outcome::Other => return Err(NoHello),
                    Outcome::Incomplete => {}
                }
            }
            open.push((*offset, *piece));
        }
        let reach = |(offset, piece): &(u64, &[u8])| offset.saturating_add(piece.len() as u64);
        let whole = open.iter().map(reach).max().unwrap_or(0).max(past.bytes.len() as u64);
        let new: u64 = open.iter().map(|(_, piece)| piece.len() as u64).sum();
        if whole >= HANDSHAKE_BYTES_MAX {
            progress.is_too_long = true;
            return Ok(progress);
        }
        if whole == 0 {
            return Ok(progress);
        }
        let mut bytes = past.bytes;
        bytes.resize(usize::try_from(whole).unwrap_or(0), 0);
        for (offset, piece) in &open {
            let at = usize::try_from(*offset).unwrap_or(usize::MAX);
            if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..piece.len())) {
                place.copy_from_slice(piece);
            }
        }
        let came = past.came + new;
        if came >= whole && new > 0 {
            match hello::read(&bytes) {
                Outcome::Hello(hello) => {
                    progress.hello = Some(hello);
                    return Ok(progress);
                }
                Outcome::Other => return Ok(progress),
                Outcome::Incomplete => {}
            }
        }
        *self = Handshake { bytes, came };
        Ok(progress)
    }
}
