//! The service that the model replicates: it remembers every command that it was given, in order.
//!
//! So the whole history of a replica is in its state, through snapshots, crashes and state transfers, and what must hold
//! between histories can be seen in any single state. The result of a command is its place in the history.

use agree::Service;
use agree::service::RestoreError;
use bytes::Bytes;
use wire::{Decode, Digest, Encode, Reader};

/// Commands in a history at most; a model has far fewer.
const COMMANDS_MAX: usize = 64;

/// Every command so far.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Chronicle {
    commands: Vec<u8>,
}

impl Chronicle {
    /// The commands, in order, one byte each.
    #[must_use]
    pub fn commands(&self) -> &[u8] {
        &self.commands
    }
}

impl Service for Chronicle {
    fn apply(&mut self, command: &Bytes) -> Bytes {
        self.commands.push(command.first().copied().unwrap_or(u8::MAX));
        assert!(self.commands.len() <= COMMANDS_MAX, "a model makes few requests");
        Bytes::from(vec![self.commands.len() as u8])
    }

    fn digest(&self) -> Digest {
        Digest::of_bytes(&self.commands)
    }

    fn snapshot(&self) -> Bytes {
        self.commands.to_bytes()
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let mut reader = Reader::new(snapshot.clone());
        let count = u32::decode(&mut reader)? as usize;
        let commands = reader.take(count)?.to_vec();
        reader.finish()?;
        self.commands = commands;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_survives_its_snapshot() {
        let mut chronicle = Chronicle::default();
        chronicle.apply(&Bytes::from_static(&[7]));
        assert_eq!(chronicle.apply(&Bytes::from_static(&[3])), Bytes::from_static(&[2]));
        let mut restored = Chronicle::default();
        restored.restore(&chronicle.snapshot()).expect("it is a snapshot");
        assert_eq!(restored, chronicle);
    }
}
