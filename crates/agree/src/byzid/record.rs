//! What is on disk, and how a replica is built from it again.
//!
//! Records, in the order in which they were written: every ORDER accepted, every batch fetched for a configuration, and
//! every NEWCONFIG entered. An [`Image`] is the stable checkpoint with the configuration in which it was written; it takes the
//! place of a NEWCONFIG record where a configuration was entered by taking over a checkpoint.
//!
//! To replay: the history is the ORDERs with which the last configuration started, then those accepted in it. ORDERs of a
//! history that a later configuration gave up are on disk too; they are not in that history and are dropped.

use super::Replica;
use super::message::{NewConfig, Order, Stable};
use super::reconfigure::digest_at;
use super::{Mode, Stored};
use crate::checkpoint::Checkpoint;
use crate::machine::MACHINE_BYTES_MAX;
use crate::replica::{Position, Recovered};
use crate::request::Batch;
use crate::service::Service;
use crate::settings::BadSettings;
use bytes::Bytes;
use core::fmt;
use std::collections::{BTreeMap, VecDeque};
use wire::{Decode, DecodeError, Digest, NodeId, Sequence, Tag, codec_enum, codec_struct};

/// One record of the log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Record {
    /// An ORDER that was accepted, or a batch that was fetched.
    Order(Order),
    /// A configuration that was entered.
    NewConfig(Box<NewConfig>),
    /// The replica was started for the first time.
    Begun(Begun),
}
codec_enum!(Record { 0 => Order, 1 => NewConfig, 2 => Begun });

/// The first record of every disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Begun {
    /// Whose disk it is.
    pub node: NodeId,
}
codec_struct!(Begun | from | { node });

/// The stable checkpoint, and what is needed to go on from it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Image {
    /// Which checkpoint, with its seal.
    pub stable: Stable,
    /// The configuration in which it was written; none in the first one.
    pub new_config: Option<Box<NewConfig>>,
    /// The machine.
    pub snapshot: Bytes,
}
codec_struct!(Image |from| {
    stable,
    new_config,
    snapshot = from.byte_string("snapshot", MACHINE_BYTES_MAX),
});

/// Why a replica cannot be built from what is on its disk. It must not run: it may have forgotten what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoverError {
    /// The snapshot is not what was written.
    Snapshot(String),
    /// A record is not what was written.
    Record(Position, DecodeError),
    /// The settings make no cluster.
    Settings(BadSettings),
    /// The disk is another node's.
    OfAnother(NodeId),
    /// An ORDER that was accepted is not there.
    Missing(Sequence),
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoverError::Snapshot(reason) => write!(f, "the snapshot is damaged: {reason}"),
            RecoverError::Record(position, error) => write!(f, "record {} is damaged: {error}", position.0),
            RecoverError::Settings(wrong) => write!(f, "settings: {wrong}"),
            RecoverError::OfAnother(node) => write!(f, "the log is that of node {node}"),
            RecoverError::Missing(sequence) => write!(f, "the ORDER at {sequence} is missing from the log"),
        }
    }
}

impl core::error::Error for RecoverError {}

/// Batches on disk, by place and digest: after a reconfiguration there may be two of one place.
type Batches = BTreeMap<(Sequence, Digest), (Batch, Option<Tag>, Position)>;

impl<S: Service> Replica<S> {
    /// Builds the replica up from its disk.
    pub(super) fn replay(mut self, recovered: Recovered) -> Result<Self, RecoverError> {
        self.checkpoints.insert(
            Sequence::ZERO,
            Checkpoint::new(Sequence::ZERO, self.machine.snapshot(), self.settings.chunk_bytes),
        );
        if let Some(image) = recovered.snapshot {
            self.replay_image(image)?;
        }
        let mut batches = Batches::new();
        let mut history = self.start_of_history();
        for (position, record) in recovered.records {
            match Record::from_bytes(record).map_err(|error| RecoverError::Record(position, error))? {
                Record::Order(order) => {
                    let next = self.stable.sequence.plus(history.len() as u64 + 1);
                    let digest = order.batch.digest();
                    if order.view == self.view && order.sequence == next {
                        history.push_back(digest);
                    }
                    batches.insert((order.sequence, digest), (order.batch, order.seal, position));
                }
                // One that the image has left behind may still be on disk, kept for the sake of an ORDER before it.
                Record::NewConfig(new) if new.view <= self.view => {}
                Record::NewConfig(new) => {
                    self.replay_config(new);
                    history = self.start_of_history();
                }
                Record::Begun(begun) if begun.node == self.me => {}
                Record::Begun(begun) => return Err(RecoverError::OfAnother(begun.node)),
            }
        }
        self.replay_history(history, batches)?;
        self.mode = if self.slot(self.me).is_some() { Mode::Normal } else { Mode::Spare };
        self.ordered = self.machine.sequence();
        Ok(self)
    }

    fn replay_image(&mut self, image: Bytes) -> Result<(), RecoverError> {
        let damaged = |reason: &dyn fmt::Display| RecoverError::Snapshot(reason.to_string());
        let image = Image::from_bytes(image).map_err(|error| damaged(&error))?;
        self.machine.restore(&image.snapshot).map_err(|error| damaged(&error))?;
        let checkpoint = Checkpoint::new(image.stable.sequence, image.snapshot, self.settings.chunk_bytes);
        if checkpoint.digest() != image.stable.digest || self.machine.sequence() != image.stable.sequence {
            return Err(damaged(&"it is not the checkpoint that it says it is"));
        }
        self.stable = image.stable;
        self.checkpoints = BTreeMap::from([(checkpoint.sequence(), checkpoint)]);
        if let Some(new) = image.new_config {
            self.replay_config(new);
        }
        Ok(())
    }

    fn replay_config(&mut self, new: Box<NewConfig>) {
        self.view = new.view;
        self.members = new.members.clone();
        self.new_config = Some(new);
    }

    /// The digests after the stable checkpoint with which the configuration started.
    fn start_of_history(&self) -> VecDeque<Digest> {
        let Some(new) = &self.new_config else { return VecDeque::new() };
        let first = self.stable.sequence.next();
        (first.0..=new.last().0).map_while(|at| digest_at(new, Sequence(at))).collect()
    }

    fn replay_history(
        &mut self,
        history: VecDeque<Digest>,
        mut batches: Batches,
    ) -> Result<(), RecoverError> {
        for digest in history {
            let at = self.machine.sequence().next();
            let (batch, seal, position) = batches.remove(&(at, digest)).ok_or(RecoverError::Missing(at))?;
            self.machine.execute(at, &batch);
            self.history.push_back(digest);
            self.orders.insert(at, Stored { batch, seal, position: Some(position) });
            if at.0.is_multiple_of(self.settings.checkpoint_interval) {
                self.checkpoints
                    .insert(at, Checkpoint::new(at, self.machine.snapshot(), self.settings.chunk_bytes));
            }
        }
        Ok(())
    }
}
