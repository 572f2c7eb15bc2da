//! The checkpoints of one replica: which are being written, which are stable, which are served to others.
//!
//! Where nobody lies, a checkpoint is a local matter. Every batch up to N is chosen, so the state after N is the
//! same everywhere and no ballot can change it: once the snapshot at N survives a loss of power *here*, N is
//! **stable** here, and this replica no longer needs its records up to N. Whoever asks it for what it cut off is
//! told of the checkpoint instead (TRUNCATED) and takes that: what a replica cut off, it can always replace.
//!
//! The last [`CHECKPOINTS_KEPT`] stable checkpoints are served, and the log in memory reaches back to the older of
//! them. So one that began to fetch the older can finish while a new one is taken, and goes on from there by the
//! log; and one that missed a few batches need not fetch a snapshot because a checkpoint came in between.

use crate::checkpoint::{Checkpoint, Transfer};
use crate::replica::Position;
use std::collections::VecDeque;
use wire::Sequence;

/// Stable checkpoints that are served at most.
pub(super) const CHECKPOINTS_KEPT: usize = 2;

/// The checkpoints of one replica.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Checkpoints {
    stable: VecDeque<Checkpoint>,
    /// Snapshots on their way to the disk. No more than fit between the stable checkpoint and the end of the log.
    written: VecDeque<(Position, Checkpoint)>,
}

impl Checkpoints {
    /// The checkpoints of a replica that found `checkpoint` on its disk.
    pub(super) fn restored(checkpoint: Checkpoint) -> Self {
        Checkpoints { stable: VecDeque::from([checkpoint]), written: VecDeque::new() }
    }

    /// The place of the last stable checkpoint.
    pub(super) fn stable(&self) -> Sequence {
        self.latest().map_or(Sequence::ZERO, Checkpoint::sequence)
    }

    /// The last stable checkpoint.
    pub(super) fn latest(&self) -> Option<&Checkpoint> {
        self.stable.back()
    }

    /// The place before which nobody needs the log any more.
    pub(super) fn low(&self) -> Sequence {
        if self.stable.len() < CHECKPOINTS_KEPT {
            return Sequence::ZERO;
        }
        self.stable.front().map_or(Sequence::ZERO, Checkpoint::sequence)
    }

    /// `checkpoint` is being written at `position`.
    pub(super) fn written(&mut self, position: Position, checkpoint: Checkpoint) {
        self.written.push_back((position, checkpoint));
    }

    /// `checkpoint`, which was fetched and makes those still being written moot, is being written at `position`.
    pub(super) fn replaced(&mut self, position: Position, checkpoint: Checkpoint) {
        self.written.clear();
        self.written(position, checkpoint);
    }

    /// Makes the next checkpoint stable that was written up to `durable`, if there is one.
    pub(super) fn next_stable(&mut self, durable: Position) -> Option<&Checkpoint> {
        if self.written.front().is_none_or(|(position, _)| *position > durable) {
            return None;
        }
        let (_, checkpoint) = self.written.pop_front()?;
        if self.stable.len() == CHECKPOINTS_KEPT {
            self.stable.pop_front();
        }
        self.stable.push_back(checkpoint);
        self.stable.back()
    }

    /// The answer to one that fetches, if a checkpoint served is what it asks for.
    pub(super) fn serve(&self, ask: &Transfer) -> Option<Transfer> {
        self.stable.iter().find_map(|checkpoint| checkpoint.serve(ask))
    }
}
