//! The messages of PBFT.
//!
//! All of them travel under a MAC, so the replica that gets one knows who sent it and can convince nobody else. Two
//! are signed inside as well, because they are shown to third parties: [`ViewChange`], which NEW-VIEW carries, and
//! [`NewView`], which any replica may hand on to one that missed it.
//!
//! **How long they get.** With L = [`crate::Settings::log_batches_max`] a VIEW-CHANGE has at most L entries of
//! [`ENTRY_BYTES`] and a NEW-VIEW at most n of those and L digests. For f = 10 (n = 31), K = 128 and τ = 8, so L = 264,
//! that is about 16 KiB and 513 KiB, within the 1 MiB of a frame. [`new_view_bytes_max`] does the sum, and `recover`
//! refuses settings for which it does not fit. Batches themselves are in neither: who lacks one asks for it by digest.

use crate::protocol::F_MAX;
use crate::request::Batch;
use crate::settings::LOG_BATCHES_MAX;
use bytes::Bytes;
use wire::{Digest, Encode, NodeId, Sequence, Signature, View, codec_enum, codec_struct};

/// Entries of a VIEW-CHANGE, and digests in a NEW-VIEW, at most. Settings may ask for less, never for more.
pub const ENTRIES_MAX: usize = LOG_BATCHES_MAX as usize;

/// Checkpoints named by a VIEW-CHANGE, and votes kept per replica, at most.
pub const CHECKPOINTS_MAX: usize = 32;

/// VIEW-CHANGEs in a NEW-VIEW at most: one of every replica.
pub const PROOFS_MAX: usize = 3 * F_MAX + 1;

/// Digests in one COMMITTED at most.
pub const COMMITTED_MAX: usize = 64;

/// Bytes of an [`Entry`] at most.
pub const ENTRY_BYTES: usize = 8 + 32 + 8 + 9;

/// Bytes of a VIEW-CHANGE with this many entries at most.
#[must_use]
pub const fn view_change_bytes_max(entries: usize) -> usize {
    8 + 2 + 8 + 4 + CHECKPOINTS_MAX * 40 + 4 + entries * ENTRY_BYTES + 64
}

/// Bytes of a NEW-VIEW, as a whole message, of `n` replicas whose logs hold this many batches at most.
#[must_use]
pub const fn new_view_bytes_max(n: usize, batches: usize) -> usize {
    2 + 8 + 8 + 4 + batches * 32 + 4 + n * view_change_bytes_max(batches) + 64
}

/// PRE-PREPARE(v, n, m): the primary of `v` gives the batch `m` the place `n`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrePrepare {
    /// The paper's `v`.
    pub view: View,
    /// The paper's `n`.
    pub sequence: Sequence,
    /// The paper's `m`.
    pub batch: Batch,
}
codec_struct!(PrePrepare |from| { view, sequence, batch });

/// PREPARE(v, n, d): the sender, a backup, accepted the batch `d` at `n` in `v` and will accept no other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Prepare {
    /// The view.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The digest of the batch.
    pub digest: Digest,
}
codec_struct!(Prepare |from| { view, sequence, digest });

/// COMMIT(v, n, d): the sender has seen `2f+1` replicas accept `d` at `n` in `v`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Commit {
    /// The view.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The digest of the batch.
    pub digest: Digest,
}
codec_struct!(Commit |from| { view, sequence, digest });

/// CHECKPOINT(n, d): the sender's state after `n` has the digest `d`, and it will hand it out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checkpoint {
    /// The place of the last batch in it.
    pub sequence: Sequence,
    /// The digest of its manifest.
    pub digest: Digest,
}
codec_struct!(Checkpoint |from| { sequence, digest });

/// What a replica knows of one place in the order: TOCS'02's P and Q in one. See `log`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The place.
    pub sequence: Sequence,
    /// The batch that the sender accepted there last.
    pub digest: Digest,
    /// The last view in which it did (Q).
    pub accepted: View,
    /// The last view in which the batch prepared at the sender (P).
    pub prepared: Option<View>,
}

impl Encode for Entry {
    fn encode(&self, to: &mut Vec<u8>) {
        self.sequence.encode(to);
        self.digest.encode(to);
        self.accepted.encode(to);
        self.prepared.encode(to);
    }
}

impl wire::Decode for Entry {
    fn decode(from: &mut wire::Reader) -> Result<Self, wire::DecodeError> {
        let entry = Entry {
            sequence: wire::Decode::decode(from)?,
            digest: wire::Decode::decode(from)?,
            accepted: wire::Decode::decode(from)?,
            prepared: wire::Decode::decode(from)?,
        };
        if entry.prepared.is_some_and(|prepared| prepared > entry.accepted) {
            return Err(wire::DecodeError::Inconsistent { what: "a batch prepared before it was accepted" });
        }
        Ok(entry)
    }
}

/// VIEW-CHANGE(v, h, C, P and Q, i): replica `i` is done with every view before `v`. Signed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ViewChange {
    /// The view it wants to enter.
    pub view: View,
    /// The paper's `i`.
    pub node: NodeId,
    /// The paper's `h`: its last stable checkpoint.
    pub stable: Sequence,
    /// The paper's `C`: the checkpoints it has taken since, in order.
    pub checkpoints: Vec<(Sequence, Digest)>,
    /// The paper's `P` and `Q`, in order.
    pub entries: Vec<Entry>,
    /// The signature of `node` over the rest.
    pub signature: Signature,
}
codec_struct!(ViewChange |from| {
    view,
    node,
    stable,
    checkpoints = from.list("checkpoints", CHECKPOINTS_MAX),
    entries = from.list("entries", ENTRIES_MAX),
    signature,
});

impl ViewChange {
    /// The bytes that [`ViewChange::signature`] is over. They begin with words that no other signed thing begins with.
    #[must_use]
    pub fn signed_bytes(&self) -> Bytes {
        let mut to = Vec::with_capacity(view_change_bytes_max(self.entries.len()));
        to.extend_from_slice(b"varangian pbft VIEW-CHANGE");
        self.view.encode(&mut to);
        self.node.encode(&mut to);
        self.stable.encode(&mut to);
        self.checkpoints.encode(&mut to);
        self.entries.encode(&mut to);
        Bytes::from(to)
    }
}

/// NEW-VIEW(v, V, O): the primary of `v` shows that `2f+1` replicas want it and what follows from what they said. Signed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NewView {
    /// The view that begins.
    pub view: View,
    /// The checkpoint from which it goes on.
    pub start: Sequence,
    /// The paper's `O`: the batches at `start + 1`, `start + 2`, … Whatever comes after is free.
    pub order: Vec<Digest>,
    /// The paper's `V`: the VIEW-CHANGEs it follows from, by increasing node.
    pub proofs: Vec<ViewChange>,
    /// The primary's signature over the rest. Without it a backup could give a view another beginning than its
    /// primary did, and the primary's vote would be counted for both.
    pub signature: Signature,
}
codec_struct!(NewView |from| {
    view,
    start,
    order = from.list("order", ENTRIES_MAX),
    proofs = from.list("proofs", PROOFS_MAX),
    signature,
});

impl NewView {
    /// The bytes that [`NewView::signature`] is over.
    #[must_use]
    pub fn signed_bytes(&self) -> Bytes {
        let mut to = Vec::with_capacity(128 + self.order.len() * 32);
        to.extend_from_slice(b"varangian pbft NEW-VIEW");
        self.view.encode(&mut to);
        self.start.encode(&mut to);
        self.order.encode(&mut to);
        Digest::of(&self.proofs).encode(&mut to);
        Bytes::from(to)
    }

    /// The digest of what it decides, whatever it follows from.
    #[must_use]
    pub fn decision(&self) -> Digest {
        Digest::of(&(self.start.0, self.order.clone()))
    }
}

/// STATUS: where the sender stands. Who has what it lacks sends it. See `catch_up`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Status {
    /// The view it is in, or wants to enter.
    pub view: View,
    /// Whether it is in it.
    pub active: bool,
    /// Whether it suspects it.
    pub suspects: bool,
    /// The view of the last NEW-VIEW it knows; 0 if none.
    pub known: View,
    /// What that one decided.
    pub decision: Digest,
    /// The last batch it executed.
    pub executed: Sequence,
    /// Its last stable checkpoint.
    pub stable: Sequence,
    /// The members, by slot, whose VIEW-CHANGE for `view` it has.
    pub changes: u64,
    /// Which of the 64 places after `executed` it accepted a batch for in `view`.
    pub accepted: u64,
    /// Which of them prepared.
    pub prepared: u64,
}
codec_struct!(Status |from| { view, active, suspects, known, decision, executed, stable, changes, accepted, prepared });

/// COMMITTED: the sender executed these batches at `first`, `first + 1`, …
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Committed {
    /// The place of the first.
    pub first: Sequence,
    /// The digests of the batches.
    pub digests: Vec<Digest>,
}
codec_struct!(Committed |from| { first, digests = from.list("digests", COMMITTED_MAX) });

/// Asks for a batch that the sender knows only by its digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskBatch {
    /// Its place.
    pub sequence: Sequence,
    /// Its digest.
    pub digest: Digest,
}
codec_struct!(AskBatch |from| { sequence, digest });

/// The batch that was asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FoundBatch {
    /// Its place.
    pub sequence: Sequence,
    /// The batch.
    pub batch: Batch,
}
codec_struct!(FoundBatch |from| { sequence, batch });

/// A message between replicas of PBFT.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// The primary gives a batch its place.
    PrePrepare(PrePrepare),
    /// A backup accepted it.
    Prepare(Prepare),
    /// A replica knows that enough accepted it.
    Commit(Commit),
    /// A replica fingerprints its state.
    Checkpoint(Checkpoint),
    /// A replica wants another primary.
    ViewChange(ViewChange),
    /// The other primary begins.
    NewView(NewView),
    /// Where a replica stands.
    Status(Status),
    /// What a replica executed.
    Committed(Committed),
    /// A replica lacks a batch.
    AskBatch(AskBatch),
    /// Here it is.
    FoundBatch(FoundBatch),
}
codec_enum!(Message {
    0 => PrePrepare,
    1 => Prepare,
    2 => Commit,
    3 => Checkpoint,
    4 => ViewChange,
    5 => NewView,
    6 => Status,
    7 => Committed,
    8 => AskBatch,
    9 => FoundBatch,
});

impl Message {
    /// A short name for diagrams and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Message::PrePrepare(_) => "PRE-PREPARE",
            Message::Prepare(_) => "PREPARE",
            Message::Commit(_) => "COMMIT",
            Message::Checkpoint(_) => "CHECKPOINT",
            Message::ViewChange(_) => "VIEW-CHANGE",
            Message::NewView(_) => "NEW-VIEW",
            Message::Status(_) => "STATUS",
            Message::Committed(_) => "COMMITTED",
            Message::AskBatch(_) => "ASK-BATCH",
            Message::FoundBatch(_) => "FOUND-BATCH",
        }
    }
}
