//! What a replica keeps on disk, and what it makes of it after a crash.
//!
//! A record is a fact: this replica accepted that batch in that view, saw it prepare, executed it, turned to a view,
//! learned how a view begins. Facts do not contradict each other and their order does not matter, so what is left of
//! them can be read in one pass, and a snapshot may drop any prefix that speaks only of places below it: what else such
//! a prefix held, the last VIEW-CHANGE and NEW-VIEW, is in the snapshot's image.

use super::message::{CHECKPOINTS_MAX, FoundBatch, NewView, PrePrepare, Prepare, ViewChange};
use crate::machine::MACHINE_BYTES_MAX;
use crate::replica::Position;
use crate::request::Batch;
use crate::roster::Edition;
use bytes::Bytes;
use std::collections::BTreeMap;
use wire::{Decode, DecodeError, Digest, Encode, Sequence, View, codec_enum, codec_struct};

/// That a batch was executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Executed {
    pub(super) sequence: Sequence,
    pub(super) digest: Digest,
}
codec_struct!(Executed |from| { sequence, digest });

/// One fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Record {
    /// The replica accepted a batch that the primary (perhaps itself) pre-prepared. Before it says so.
    Accepted(PrePrepare),
    /// It got a batch that it had known only by its digest.
    Got(FoundBatch),
    /// A batch prepared. Before it sends COMMIT.
    Prepared(Prepare),
    /// It executed a batch.
    Executed(Executed),
    /// It turned to another view. Before it says so.
    ViewChange(ViewChange),
    /// It knows how a view begins. Before it says anything in it.
    NewView(NewView),
}
codec_enum!(Record {
    0 => Accepted,
    1 => Got,
    2 => Prepared,
    3 => Executed,
    4 => ViewChange,
    5 => NewView,
});

/// What a snapshot on disk holds beside the machine's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Image {
    /// The last stable checkpoint.
    pub(super) stable: Sequence,
    /// The checkpoints taken since, and it.
    pub(super) checkpoints: Vec<(Sequence, Digest)>,
    /// The last VIEW-CHANGE sent.
    pub(super) change: Option<ViewChange>,
    /// The last NEW-VIEW known.
    pub(super) known: Option<NewView>,
    /// The era that the replica takes part in.
    pub(super) era: Edition,
    /// The machine's state.
    pub(super) snapshot: Bytes,
}
codec_struct!(Image |from| {
    stable,
    checkpoints = from.list("checkpoints", CHECKPOINTS_MAX),
    change,
    known,
    era,
    snapshot = from.byte_string("snapshot", MACHINE_BYTES_MAX),
});

/// What the records are about one place.
#[derive(Clone, Default, Debug)]
pub(super) struct PlaceFacts {
    /// The last view in which a batch was accepted or prepared, and which.
    pub(super) accepted: Option<(View, Digest)>,
    /// The last view in which a batch prepared, and which.
    pub(super) prepared: Option<(View, Digest)>,
    /// What was executed.
    pub(super) executed: Option<Digest>,
    /// The batches.
    pub(super) batches: BTreeMap<Digest, Batch>,
    /// Where the first of these records is.
    pub(super) first: Option<Position>,
}

/// Everything that the disk says.
#[derive(Clone, Default, Debug)]
pub(super) struct Facts {
    pub(super) places: BTreeMap<Sequence, PlaceFacts>,
    pub(super) change: Option<ViewChange>,
    pub(super) known: Option<NewView>,
}

impl Facts {
    /// Reads the records left beside `image`.
    pub(super) fn read(image: Option<&Image>, records: &[(Position, Bytes)]) -> Result<Facts, DecodeError> {
        let mut facts = Facts {
            places: BTreeMap::new(),
            change: image.and_then(|image| image.change.clone()),
            known: image.and_then(|image| image.known.clone()),
        };
        for (position, bytes) in records {
            facts.take(*position, Record::from_bytes(bytes.clone())?);
        }
        Ok(facts)
    }

    fn place(&mut self, position: Position, sequence: Sequence) -> &mut PlaceFacts {
        let place = self.places.entry(sequence).or_default();
        place.first.get_or_insert(position);
        place
    }

    fn take(&mut self, position: Position, record: Record) {
        match record {
            Record::Accepted(PrePrepare { view, sequence, batch }) => {
                let place = self.place(position, sequence);
                place.accepted = place.accepted.max(Some((view, batch.digest())));
                place.batches.insert(batch.digest(), batch);
            }
            Record::Got(FoundBatch { sequence, batch }) => {
                self.place(position, sequence).batches.insert(batch.digest(), batch);
            }
            Record::Prepared(Prepare { view, sequence, digest }) => {
                // What prepared had been accepted, perhaps by NEW-VIEW, of which no other record of the place tells.
                let place = self.place(position, sequence);
                place.accepted = place.accepted.max(Some((view, digest)));
                place.prepared = place.prepared.max(Some((view, digest)));
            }
            Record::Executed(Executed { sequence, digest }) => {
                self.place(position, sequence).executed = Some(digest);
            }
            Record::ViewChange(change) => {
                if self.change.as_ref().is_none_or(|last| last.view < change.view) {
                    self.change = Some(change);
                }
            }
            Record::NewView(known) => {
                if self.known.as_ref().is_none_or(|last| last.view < known.view) {
                    self.known = Some(known);
                }
            }
        }
    }
}

impl Record {
    /// The bytes to be written.
    pub(super) fn encoded(&self) -> Bytes {
        self.to_bytes()
    }
}
