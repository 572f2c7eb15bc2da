//! What a replica keeps on disk, and how it is built again from that.
//!
//! Two records: PROMISED(v), before any PROMISE for v leaves and before its own PREPARE(v) does; ACCEPTED(v, N,
//! batch), before ACCEPTED(v, N) leaves, which implies the promise of v. A snapshot holds the machine after its
//! checkpoint and the highest promise at that moment, so it replaces every PROMISED before it and every ACCEPTED up
//! to its place.
//!
//! Upon recovery: the machine is the snapshot's; the promise is the highest in snapshot and records; of each place
//!   after the snapshot's, the last ACCEPTED counts. Which of these are chosen was not written down: the replica
//!   hears it again from the leader, and executes again from its own records at most the batches since its last
//!   checkpoint.
//!
//! A replica never takes up again a ballot that it led before: what it proposed there may be gone from its disk
//! while others hold it. Only on an empty disk does the leader of view 0 begin view 0, and since its PREPARE(0)
//! leaves after its PROMISED(0) is durable, an empty disk means that nobody heard from it yet.

use super::checkpoints::Checkpoints;
use super::log::Log;
use super::{Chosen, Replica, Role};
use crate::checkpoint::Checkpoint;
use crate::journal::Journal;
use crate::machine::Machine;
use crate::replica::{Position, Recovered};
use crate::request::Batch;
use crate::roster::Edition;
use crate::service::{RestoreError, Service};
use crate::settings::BadSettings;
use crate::{Protocol, Settings};
use bytes::Bytes;
use core::fmt;
use wire::{Decode, DecodeError, NodeId, Reader, Sequence, View, codec_enum, codec_struct};

/// No ballot below `view` will be accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Promised {
    pub(super) view: View,
}
codec_struct!(Promised | from | { view });

/// `batch` was accepted at `sequence` in `view`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Accepted {
    pub(super) view: View,
    pub(super) sequence: Sequence,
    pub(super) batch: Batch,
}
codec_struct!(Accepted |from| { view, sequence, batch });

/// One record of the log on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Record {
    Promised(Promised),
    Accepted(Accepted),
}
codec_enum!(Record { 0 => Promised, 1 => Accepted });

/// The state at a checkpoint, and the highest promise when it was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Image {
    pub(super) promised: View,
    pub(super) machine: Bytes,
}

impl wire::Encode for Image {
    fn encode(&self, to: &mut Vec<u8>) {
        self.promised.encode(to);
        to.extend_from_slice(&self.machine);
    }
}

/// The machine's bytes go to the end: they have limits of their own.
impl Decode for Image {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Image { promised: Decode::decode(from)?, machine: from.take(from.left())? })
    }
}

/// Why a replica cannot be built from what its disk gave back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecoverError {
    /// The snapshot is none.
    Image(DecodeError),
    /// The snapshot holds no state of the service.
    State(RestoreError),
    /// A record is none.
    Record(Position, DecodeError),
    /// A record says that a place went back to a lower ballot.
    OutOfOrder(Position),
    /// The settings make no cluster.
    Settings(BadSettings),
    /// The node is not a member of the cluster that the settings describe.
    NotAMember(NodeId),
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoverError::Image(error) => write!(f, "the snapshot on disk does not decode: {error}"),
            RecoverError::State(error) => write!(f, "the snapshot on disk: {error}"),
            RecoverError::Record(at, error) => write!(f, "record {} on disk does not decode: {error}", at.0),
            RecoverError::OutOfOrder(at) => write!(f, "record {} on disk goes back to a lower ballot", at.0),
            RecoverError::Settings(wrong) => write!(f, "settings: {wrong}"),
            RecoverError::NotAMember(node) => write!(f, "{node} is not a member of the cluster"),
        }
    }
}

impl core::error::Error for RecoverError {}

impl<S: Service + Clone> Replica<S> {
    /// The replica of node `me`, as far as its disk remembers it; with nothing `recovered`, a new one. `service` is
    /// in its first state.
    ///
    /// # Panics
    /// If the settings are not for Paxos: that is an error of the caller.
    pub fn recover(
        me: NodeId,
        settings: Settings,
        service: S,
        recovered: Recovered,
    ) -> Result<Self, RecoverError> {
        assert_eq!(settings.protocol, Protocol::Paxos);
        settings.check().map_err(RecoverError::Settings)?;
        if !settings.members.contains(&me) {
            return Err(RecoverError::NotAMember(me));
        }
        let mut replica = Replica {
            me,
            blank: recovered.snapshot.is_none() && recovered.records.is_empty(),
            seat: Edition(0),
            journal: Journal::new(recovered.last),
            machine: Machine::new(service, settings.sessions_bytes_max),
            log: Log::default(),
            checkpoints: Checkpoints::default(),
            promised: View(0),
            seen: View(0),
            chosen: Chosen::default(),
            role: Role::Following,
            suspects: false,
            timeout: settings.view_timeout,
            catch_up: None,
            relayed: 0,
            settings,
        };
        if let Some(image) = recovered.snapshot {
            replica.restore_image(image)?;
        }
        for (position, bytes) in recovered.records {
            let record = Record::from_bytes(bytes).map_err(|error| RecoverError::Record(position, error))?;
            replica.replay(position, record)?;
        }
        replica.promised = replica.promised.max(replica.first_view());
        replica.seen = replica.promised;
        Ok(replica)
    }

    /// The same replica on a machine that the change of this edition put into its seat.
    #[must_use]
    pub fn seated(mut self, seat: Edition) -> Self {
        self.seat = seat;
        self
    }

    fn restore_image(&mut self, image: Bytes) -> Result<(), RecoverError> {
        let image = Image::from_bytes(image).map_err(RecoverError::Image)?;
        self.machine.restore(&image.machine).map_err(RecoverError::State)?;
        self.promised = image.promised;
        self.log.truncate(self.executed());
        self.chosen = Chosen { through: self.executed(), by: image.promised };
        self.checkpoints =
            Checkpoints::restored(Checkpoint::new(self.executed(), image.machine, self.settings.chunk_bytes));
        Ok(())
    }

    fn replay(&mut self, position: Position, record: Record) -> Result<(), RecoverError> {
        let accepted = match record {
            Record::Promised(promised) => {
                self.promised = self.promised.max(promised.view);
                return Ok(());
            }
            Record::Accepted(accepted) => accepted,
        };
        self.promised = self.promised.max(accepted.view);
        // A record about a place of the snapshot may be left before one that is still needed.
        if accepted.sequence <= self.log.low() {
            return Ok(());
        }
        let before = self.log.get(accepted.sequence).map_or(View(0), |entry| entry.view);
        if before > accepted.view && !defect!(PaxosStaleBallot) {
            return Err(RecoverError::OutOfOrder(position));
        }
        self.log.accept(accepted.sequence, accepted.view, accepted.batch, position);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Journalist;
    use wire::Encode;

    fn recover(recovered: Recovered) -> Result<Replica<Journalist>, RecoverError> {
        Replica::recover(NodeId(1), Settings::new(Protocol::Paxos, 1), Journalist::default(), recovered)
    }

    fn accepted(view: u64, sequence: u64) -> Bytes {
        let batch = Batch::null();
        Record::Accepted(Accepted { view: View(view), sequence: Sequence(sequence), batch }).to_bytes()
    }

    /// Bytes on disk are a promise to later builds.
    #[test]
    fn the_bytes_of_a_record_do_not_change_unnoticed() {
        let promised = Record::Promised(Promised { view: View(3) }).to_bytes();
        assert_eq!(&promised[..], [0, 3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&accepted(3, 7)[..], [1, 3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let image = Image { promised: View(3), machine: Bytes::from_static(b"state") };
        assert_eq!(&image.to_bytes()[..], b"\x03\0\0\0\0\0\0\0state");
        assert_eq!(Image::from_bytes(image.to_bytes()), Ok(image));
    }

    #[test]
    fn a_promise_and_what_was_accepted_are_recovered() {
        let records = vec![
            (Position(4), accepted(1, 1)),
            (Position(5), Record::Promised(Promised { view: View(5) }).to_bytes()),
            (Position(6), accepted(5, 1)),
        ];
        let replica = recover(Recovered { snapshot: None, records, last: Position(6) }).expect("all is well");
        assert_eq!(replica.promised, View(5));
        let entry = replica.log.get(Sequence(1)).expect("it was accepted");
        assert_eq!((entry.view, entry.record), (View(5), Some(Position(6))));
        assert_eq!(replica.executed(), Sequence::ZERO, "accepted is not chosen");
        assert!(!replica.blank);
    }

    #[test]
    fn a_record_that_goes_back_to_a_lower_ballot_is_an_error() {
        let records = vec![(Position(1), accepted(5, 1)), (Position(2), accepted(4, 1))];
        let error =
            recover(Recovered { snapshot: None, records, last: Position(2) }).expect_err("it went back");
        assert_eq!(error, RecoverError::OutOfOrder(Position(2)));
    }

    #[test]
    fn a_record_that_rotted_is_an_error_and_no_panic() {
        let records = vec![(Position(1), Bytes::from_static(b"\x09rot"))];
        let error = recover(Recovered { snapshot: None, records, last: Position(1) }).expect_err("it rotted");
        assert!(matches!(error, RecoverError::Record(Position(1), DecodeError::UnknownTag { .. })));
    }

    #[test]
    fn a_snapshot_that_rotted_is_an_error_and_no_panic() {
        let snapshot = Some(Bytes::from_static(b"12345678rot"));
        let error = recover(Recovered { snapshot, records: Vec::new(), last: Position(1) }).expect_err("rot");
        assert!(matches!(error, RecoverError::State(_)));
        let snapshot = Some(Bytes::from_static(b"rot"));
        let error = recover(Recovered { snapshot, records: Vec::new(), last: Position(1) }).expect_err("rot");
        assert!(matches!(error, RecoverError::Image(_)));
    }
}
