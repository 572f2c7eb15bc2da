//! Checkpoints: what a replica fingerprints every `K` batches, keeps, and hands to one that was away.
//!
//! A checkpoint at N is the machine's snapshot after N, cut into chunks of as many bytes as the
//! cluster is set to. Its **manifest** says how many and lists the
//! digests of the chunks; the checkpoint's digest, the paper's `d`, is the digest of the manifest. So who knows `d`
//! from a quorum can take the chunks from anybody, one at a time, and tells a wrong one at once and whose it was.
//!
//! [`Fetch`] is the receiver's side, in the order in which things happen:
//!   - ask a source for the manifest of `d`; one that does not hash to `d` is refused, its sender blamed;
//!   - ask it for the chunks, [`CHUNKS_IN_FLIGHT_MAX`] at a time; one that does not hash to its entry likewise;
//!   - upon blame or silence: the next source, keeping the chunks that were right;
//!   - when all are here: the snapshot is whole.
//!
//! Not here: which `d` to believe. That is each protocol's business.

use bytes::Bytes;
use core::num::NonZeroU64;
use std::collections::BTreeMap;
use wire::{Decode, DecodeError, Digest, Encode, NodeId, Reader, Sequence, codec_enum, codec_struct};

/// Bytes of one chunk of a snapshot at most.
pub const CHUNK_BYTES_MAX: usize = 128 << 10;

/// Chunks of one snapshot at most.
pub const CHUNKS_MAX: usize = 16 << 10;

/// Chunks asked for and not yet received at most.
pub const CHUNKS_IN_FLIGHT_MAX: usize = 4;

/// What a snapshot consists of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Manifest {
    /// The place of the last batch in it.
    pub sequence: Sequence,
    /// The length of the whole.
    pub bytes: u64,
    /// The length of each chunk; the last one may be shorter.
    pub chunk_bytes: u32,
    /// The digest of each chunk.
    pub chunks: Vec<Digest>,
}

impl Encode for Manifest {
    fn encode(&self, to: &mut Vec<u8>) {
        self.sequence.encode(to);
        self.bytes.encode(to);
        self.chunk_bytes.encode(to);
        self.chunks.encode(to);
    }
}

impl Decode for Manifest {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let manifest = Manifest {
            sequence: Decode::decode(from)?,
            bytes: Decode::decode(from)?,
            chunk_bytes: Decode::decode(from)?,
            chunks: from.list("chunks", CHUNKS_MAX)?,
        };
        if manifest.chunk_bytes as usize > CHUNK_BYTES_MAX {
            return Err(DecodeError::OverLimit {
                field: "bytes of a chunk",
                found: u64::from(manifest.chunk_bytes),
                limit: CHUNK_BYTES_MAX as u64,
            });
        }
        let chunk_bytes = NonZeroU64::new(manifest.chunk_bytes.into());
        if chunk_bytes.map(|each| manifest.bytes.div_ceil(each.get())) != Some(manifest.chunks.len() as u64) {
            return Err(DecodeError::Inconsistent {
                what: "the chunks of a manifest do not add up to its length",
            });
        }
        Ok(manifest)
    }
}

/// A snapshot with its manifest and digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checkpoint {
    sequence: Sequence,
    digest: Digest,
    manifest: Manifest,
    snapshot: Bytes,
}

impl Checkpoint {
    /// The checkpoint of a machine that was in the state of `snapshot` after the batch at `sequence`, handed out in chunks
    /// of `chunk_bytes`: the same at all nodes of a cluster, since the digest depends on it.
    #[must_use]
    pub fn new(sequence: Sequence, snapshot: Bytes, chunk_bytes: usize) -> Self {
        // However small the chunks are set, there are no more of them than a manifest lists.
        let chunk_bytes = chunk_bytes.max(snapshot.len().div_ceil(CHUNKS_MAX));
        assert!((1..=CHUNK_BYTES_MAX).contains(&chunk_bytes), "a chunk has 1 to {CHUNK_BYTES_MAX} bytes");
        let manifest = Manifest {
            sequence,
            bytes: snapshot.len() as u64,
            chunk_bytes: chunk_bytes as u32,
            chunks: snapshot.chunks(chunk_bytes).map(Digest::of_bytes).collect(),
        };
        debug_assert!(manifest.chunks.len() <= CHUNKS_MAX);
        Checkpoint { sequence, digest: Digest::of(&manifest), manifest, snapshot }
    }

    /// The place of the last batch in it.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The paper's `d`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The whole state.
    #[must_use]
    pub fn snapshot(&self) -> &Bytes {
        &self.snapshot
    }

    /// What this replica answers one that fetches; nothing if it is not about this checkpoint.
    #[must_use]
    pub fn serve(&self, ask: &Transfer) -> Option<Transfer> {
        match ask {
            Transfer::AskManifest(ask) if ask.digest == self.digest => {
                Some(Transfer::Manifest(self.manifest.clone()))
            }
            Transfer::AskChunk(ask) if ask.digest == self.digest => {
                let chunk_bytes = self.manifest.chunk_bytes as usize;
                let start = usize::try_from(ask.index).ok()?.checked_mul(chunk_bytes)?;
                if start >= self.snapshot.len() {
                    return None;
                }
                let end = self.snapshot.len().min(start + chunk_bytes);
                let bytes = self.snapshot.slice(start..end);
                Some(Transfer::Chunk(Chunk { digest: self.digest, index: ask.index, bytes }))
            }
            Transfer::AskManifest(_) | Transfer::AskChunk(_) | Transfer::Manifest(_) | Transfer::Chunk(_) => {
                None
            }
        }
    }
}

/// Asks for the manifest of the checkpoint with this digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskManifest {
    /// The checkpoint's digest.
    pub digest: Digest,
}
codec_struct!(AskManifest | from | { digest });

/// Asks for one chunk of the checkpoint with this digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskChunk {
    /// The checkpoint's digest.
    pub digest: Digest,
    /// Which chunk, from 0.
    pub index: u32,
}
codec_struct!(AskChunk |from| { digest, index });

/// One chunk of a snapshot.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Chunk {
    /// The checkpoint's digest.
    pub digest: Digest,
    /// Which chunk, from 0.
    pub index: u32,
    /// The chunk itself.
    pub bytes: Bytes,
}
codec_struct!(Chunk |from| { digest, index, bytes = from.byte_string("chunk", CHUNK_BYTES_MAX) });

/// The messages of a state transfer, the same in every protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Transfer {
    /// Ask for a manifest.
    AskManifest(AskManifest),
    /// Here it is.
    Manifest(Manifest),
    /// Ask for a chunk.
    AskChunk(AskChunk),
    /// Here it is.
    Chunk(Chunk),
}
codec_enum!(Transfer { 0 => AskManifest, 1 => Manifest, 2 => AskChunk, 3 => Chunk });

/// What a [`Fetch`] wants next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing: wait for what was asked.
    Wait,
    /// Send these to the present source.
    Ask(Vec<Transfer>),
    /// The source lied; these go to the next one.
    Blame {
        /// Who sent what does not hash to what it must.
        liar: NodeId,
        /// What to ask the next source.
        ask: Vec<Transfer>,
    },
    /// The snapshot is whole and its digest is the one wanted.
    Done(Checkpoint),
}

/// A state transfer in progress, on the receiver's side.
#[derive(Clone, Hash, Debug)]
pub struct Fetch {
    sequence: Sequence,
    digest: Digest,
    sources: Vec<NodeId>,
    source: usize,
    manifest: Option<Manifest>,
    chunks: BTreeMap<u32, Bytes>,
    asked: BTreeMap<u32, ()>,
}

impl Fetch {
    /// Begins to fetch the checkpoint `digest` at `sequence` from `sources`, the first one first.
    #[must_use]
    pub fn new(sequence: Sequence, digest: Digest, sources: Vec<NodeId>) -> Self {
        assert!(!sources.is_empty(), "a state transfer has a source");
        Fetch {
            sequence,
            digest,
            sources,
            source: 0,
            manifest: None,
            chunks: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// The place of the checkpoint wanted.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The digest of the checkpoint wanted.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Who is asked at present.
    #[must_use]
    pub fn source(&self) -> NodeId {
        self.sources[self.source]
    }

    /// What to ask the present source now; also after silence, with [`Fetch::next_source`] before it.
    pub fn ask(&mut self) -> Vec<Transfer> {
        let Some(manifest) = &self.manifest else {
            return vec![Transfer::AskManifest(AskManifest { digest: self.digest })];
        };
        let mut ask = Vec::new();
        for index in 0..manifest.chunks.len() as u32 {
            if self.asked.len() >= CHUNKS_IN_FLIGHT_MAX {
                break;
            }
            if !self.chunks.contains_key(&index) && self.asked.insert(index, ()).is_none() {
                ask.push(Transfer::AskChunk(AskChunk { digest: self.digest, index }));
            }
        }
        ask
    }

    /// Turns to the next source, the first after the last.
    pub fn next_source(&mut self) {
        self.source = (self.source + 1) % self.sources.len();
        self.asked.clear();
    }

    /// Takes an answer of `from`.
    pub fn receive(&mut self, from: NodeId, answer: Transfer) -> Step {
        let right = match answer {
            Transfer::Manifest(manifest) => self.receive_manifest(from, manifest),
            Transfer::Chunk(chunk) => self.receive_chunk(from, chunk),
            Transfer::AskManifest(_) | Transfer::AskChunk(_) => None,
        };
        match right {
            None => Step::Wait,
            Some(false) => {
                self.next_source();
                Step::Blame { liar: from, ask: self.ask() }
            }
            Some(true) => match self.complete() {
                Some(checkpoint) => Step::Done(checkpoint),
                None => Step::Ask(self.ask()),
            },
        }
    }

    /// Nothing if the manifest was not asked for, else whether it is right.
    fn receive_manifest(&mut self, from: NodeId, manifest: Manifest) -> Option<bool> {
        if self.manifest.is_some() || from != self.source() {
            return None;
        }
        let right = Digest::of(&manifest) == self.digest && manifest.sequence == self.sequence;
        if right {
            self.manifest = Some(manifest);
        }
        Some(right)
    }

    /// Nothing if the chunk was not asked for, else whether it is right.
    fn receive_chunk(&mut self, from: NodeId, chunk: Chunk) -> Option<bool> {
        let manifest = self.manifest.as_ref()?;
        if from != self.source() || chunk.digest != self.digest || !self.asked.contains_key(&chunk.index) {
            return None;
        }
        self.asked.remove(&chunk.index);
        let expected = manifest.chunks[usize::try_from(chunk.index).ok()?];
        let right = Digest::of_bytes(&chunk.bytes) == expected;
        if right {
            self.chunks.insert(chunk.index, chunk.bytes);
        }
        Some(right)
    }

    fn complete(&self) -> Option<Checkpoint> {
        let manifest = self.manifest.as_ref()?;
        if self.chunks.len() < manifest.chunks.len() {
            return None;
        }
        let snapshot: Vec<u8> = self.chunks.values().flat_map(|chunk| chunk.iter().copied()).collect();
        let chunk_bytes = manifest.chunk_bytes as usize;
        let checkpoint = Checkpoint::new(self.sequence, Bytes::from(snapshot), chunk_bytes);
        assert_eq!(checkpoint.digest(), self.digest, "right chunks make the right whole");
        Some(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK_BYTES: usize = 100;

    fn checkpoint() -> Checkpoint {
        let snapshot: Vec<u8> = (0..CHUNK_BYTES * 5 + 17).map(|byte| byte as u8).collect();
        Checkpoint::new(Sequence(128), Bytes::from(snapshot), CHUNK_BYTES)
    }

    /// What a manifest says of itself must be true, whoever made it.
    #[test]
    fn a_manifest_whose_chunks_do_not_add_up_does_not_decode() {
        let right = checkpoint().manifest;
        assert_eq!(Manifest::from_bytes(right.to_bytes()), Ok(right.clone()));
        for wrong in [
            Manifest { chunk_bytes: 0, ..right.clone() },
            Manifest { chunk_bytes: CHUNK_BYTES as u32 * 2, ..right.clone() },
            Manifest { chunk_bytes: CHUNK_BYTES_MAX as u32 + 1, ..right.clone() },
            Manifest { bytes: u64::MAX, ..right.clone() },
            Manifest { chunks: Vec::new(), ..right.clone() },
            Manifest { chunk_bytes: 0, bytes: 0, chunks: Vec::new(), ..right },
        ] {
            assert!(Manifest::from_bytes(wrong.to_bytes()).is_err(), "{wrong:?}");
        }
    }

    fn run(
        mut fetch: Fetch,
        mut answer: impl FnMut(NodeId, &Transfer) -> Option<Transfer>,
    ) -> (Checkpoint, Vec<NodeId>) {
        let mut blamed = Vec::new();
        let mut asks: Vec<Transfer> = fetch.ask();
        loop {
            let ask = asks.pop().expect("a fetch that is not done has asked for something");
            let source = fetch.source();
            let Some(answer) = answer(source, &ask) else {
                fetch.next_source();
                asks = fetch.ask();
                continue;
            };
            match fetch.receive(source, answer) {
                Step::Wait => {}
                Step::Ask(more) => asks.extend(more),
                Step::Blame { liar, ask } => {
                    blamed.push(liar);
                    asks = ask;
                }
                Step::Done(checkpoint) => return (checkpoint, blamed),
            }
        }
    }

    #[test]
    fn a_checkpoint_is_fetched_chunk_by_chunk() {
        let checkpoint = checkpoint();
        let fetch = Fetch::new(Sequence(128), checkpoint.digest(), vec![NodeId(1)]);
        let (fetched, blamed) = run(fetch, |_, ask| checkpoint.serve(ask));
        assert_eq!(fetched, checkpoint);
        assert!(blamed.is_empty());
    }

    #[test]
    fn a_source_that_lies_is_blamed_and_the_next_one_asked() {
        let checkpoint = checkpoint();
        let fetch = Fetch::new(Sequence(128), checkpoint.digest(), vec![NodeId(1), NodeId(2)]);
        let (fetched, blamed) = run(fetch, |source, ask| match checkpoint.serve(ask)? {
            Transfer::Chunk(chunk) if source == NodeId(1) && chunk.index == 2 => {
                Some(Transfer::Chunk(Chunk { bytes: Bytes::from_static(b"lie"), ..chunk }))
            }
            answer => Some(answer),
        });
        assert_eq!(fetched, checkpoint);
        assert_eq!(blamed, [NodeId(1)]);
    }

    #[test]
    fn a_silent_source_is_left_for_the_next() {
        let checkpoint = checkpoint();
        let fetch = Fetch::new(Sequence(128), checkpoint.digest(), vec![NodeId(1), NodeId(2)]);
        let (fetched, _) = run(fetch, |source, ask| (source == NodeId(2)).then(|| checkpoint.serve(ask))?);
        assert_eq!(fetched, checkpoint);
    }

    #[test]
    fn an_answer_nobody_asked_for_is_ignored() {
        let checkpoint = checkpoint();
        let mut fetch = Fetch::new(Sequence(128), checkpoint.digest(), vec![NodeId(1)]);
        let chunk = Chunk { digest: checkpoint.digest(), index: 0, bytes: Bytes::new() };
        assert_eq!(fetch.receive(NodeId(1), Transfer::Chunk(chunk)), Step::Wait);
        assert_eq!(fetch.receive(NodeId(9), Transfer::Manifest(checkpoint.manifest.clone())), Step::Wait);
    }
}
