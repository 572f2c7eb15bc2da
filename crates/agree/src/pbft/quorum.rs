//! How many of `n = 3f+1` are enough, and for what.
//!
//! Two sets of `2f+1` share `f+1` replicas, so at least one correct one; in any `f+1` there is a correct one.

/// The quorums of a cluster that masks `f` faulty replicas.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Quorum {
    f: usize,
}

impl Quorum {
    pub(super) fn new(f: usize) -> Self {
        Quorum { f }
    }

    fn strong(self) -> usize {
        2 * self.f + 1
    }

    /// Replicas that accepted a batch, the primary among them, for it to be prepared.
    pub(super) fn prepare(self) -> usize {
        self.strong() - usize::from(defect!(PbftPrepareQuorum))
    }

    /// COMMITs for a batch to be committed.
    pub(super) fn commit(self) -> usize {
        self.strong() - usize::from(defect!(PbftCommitQuorum))
    }

    /// CHECKPOINTs for a checkpoint to be stable.
    pub(super) fn checkpoint(self) -> usize {
        self.strong() - usize::from(defect!(PbftCheckpointQuorum))
    }

    /// VIEW-CHANGEs for a view to begin, and for what a decision rests on.
    pub(super) fn view_change(self) -> usize {
        self.strong() - usize::from(defect!(PbftViewChangeQuorum))
    }

    /// Enough that one of them is correct.
    pub(super) fn one_correct(self) -> usize {
        self.f + 1
    }
}
