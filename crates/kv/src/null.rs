//! A service that does nothing, so that what is measured around it is the protocol.
//!
//! Upon any command: the counter goes one further; the result is as many zeros as the first four bytes of the command say
//!   (little-endian), at most [`RESULT_BYTES_MAX`]; none if the command is shorter than that.
//!
//! This gives the x/y micro-benchmarks of the paper: requests of x KiB, replies of y KiB. The state is the counter, so a
//! command executed twice, or not at all, shows in the digest.

use agree::Service;
use agree::request::{OPERATION_BYTES_MAX, RESULT_BYTES_MAX};
use agree::service::RestoreError;
use bytes::Bytes;
use wire::{Decode, Digest, Encode};

/// What results are cut from, so that none has to be made.
static ZEROS: [u8; RESULT_BYTES_MAX] = [0; RESULT_BYTES_MAX];

/// Counts its commands and does nothing else.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Null {
    applied: u64,
}

impl Null {
    /// A command of `command_bytes` that asks for a result of `result_bytes`, each cut to its limit. A command that asks for
    /// anything needs four bytes to say so, and has them even if `command_bytes` is less.
    #[must_use]
    pub fn command(command_bytes: usize, result_bytes: usize) -> Bytes {
        let result_bytes = result_bytes.min(RESULT_BYTES_MAX) as u32;
        let head = result_bytes.to_le_bytes();
        let least = if result_bytes == 0 { 0 } else { head.len() };
        let mut command = vec![0; command_bytes.clamp(least, OPERATION_BYTES_MAX)];
        for (to, from) in command.iter_mut().zip(head) {
            *to = from;
        }
        Bytes::from(command)
    }

    /// How many commands it was given.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied
    }
}

impl Service for Null {
    fn apply(&mut self, command: &Bytes) -> Bytes {
        self.applied = self.applied.wrapping_add(1);
        let wanted = command.first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
        let length = usize::try_from(wanted).map_or(RESULT_BYTES_MAX, |wanted| wanted.min(RESULT_BYTES_MAX));
        Bytes::from_static(&ZEROS[..length])
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.applied)
    }

    fn snapshot(&self) -> Bytes {
        self.applied.to_bytes()
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        self.applied = u64::from_bytes(snapshot.clone())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_as_long_as_the_command_asks() {
        let mut null = Null::default();
        for (command, result) in [(0, 0), (4096, 0), (0, 4096), (4096, 4096), (2, 1), (65_536, 65_536)] {
            let bytes = Null::command(command, result);
            assert_eq!(bytes.len(), if result > 0 { command.max(4) } else { command });
            assert_eq!(null.apply(&bytes).len(), result);
        }
        assert_eq!(null.applied(), 6);
    }

    #[test]
    fn nobody_gets_or_sends_more_than_the_limits() {
        let mut null = Null::default();
        assert_eq!(null.apply(&Bytes::from_static(&[255; 9])).len(), RESULT_BYTES_MAX);
        assert_eq!(Null::command(usize::MAX, usize::MAX).len(), OPERATION_BYTES_MAX);
        assert_eq!(null.apply(&Bytes::from_static(&[1, 0, 0])), b""[..]);
    }

    #[test]
    fn every_command_shows_in_the_digest_and_survives_a_restore() {
        let mut null = Null::default();
        let before = null.digest();
        null.apply(&Bytes::new());
        assert_ne!(null.digest(), before);
        let mut restored = Null::default();
        restored.restore(&null.snapshot()).expect("it is a snapshot");
        assert_eq!(restored, null);
        assert!(restored.restore(&Bytes::from_static(b"nonsense!")).is_err());
        assert_eq!(restored, null);
    }
}
