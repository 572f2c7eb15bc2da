//! How a replica begins, the first time and after a crash.
//!
//! Upon nothing on disk: view 0, which began without NEW-VIEW; nothing executed; checkpoint 0 is the service as given.
//! Upon a snapshot and records: the machine is restored and what was executed since is executed again, as far as the
//!   records tell without a gap. What was accepted and prepared follows from the facts and from the last NEW-VIEW known:
//!   - after its start, up to the end of its order: what it decided, if the batch is here;
//!   - after that: what was accepted in its view;
//!   - up to its start: what was accepted last.
//!
//! Whatever was accepted in the present view was said, or may have been: PREPARE and COMMIT for it are said again upon
//! the STATUS of those who lack them, and nothing else is ever said in their place.

use super::Replica;
use super::catch_up::CatchUp;
use super::log::{Log, Slot};
use super::message::{CHECKPOINTS_MAX, NewView, new_view_bytes_max};
use super::order::Order;
use super::quorum::Quorum;
use super::record::{Facts, Image, PlaceFacts};
use super::relay::Relays;
use super::stable::Checkpoints;
use super::view_change::Views;
use crate::Service;
use crate::checkpoint::Checkpoint;
use crate::journal::Journal;
use crate::machine::Machine;
use crate::replica::Recovered;
use crate::roster::Edition;
use crate::roster::seats::first_view_of;
use crate::service::RestoreError;
use crate::settings::{BadSettings, Settings};
use core::fmt;
use wire::frame::BODY_BYTES_MAX;
use wire::{Decode, DecodeError, Keys, NodeId, Sequence, View};

/// Why a replica cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecoverError {
    /// The settings make no cluster.
    Settings(BadSettings),
    /// This node is not in the settings.
    NotAMember(NodeId),
    /// A record or snapshot is not one of this protocol.
    Record(DecodeError),
    /// The service does not take its snapshot back.
    Snapshot(RestoreError),
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoverError::Settings(wrong) => write!(f, "settings: {wrong}"),
            RecoverError::NotAMember(node) => write!(f, "{node} is not a member of the cluster"),
            RecoverError::Record(error) => write!(f, "a record on disk: {error}"),
            RecoverError::Snapshot(error) => write!(f, "the snapshot on disk: {error}"),
        }
    }
}

impl core::error::Error for RecoverError {}

impl From<DecodeError> for RecoverError {
    fn from(error: DecodeError) -> Self {
        RecoverError::Record(error)
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Replica `me`, as its disk says it was; `service` is in its first state.
    pub fn recover(
        me: NodeId,
        settings: Settings,
        service: S,
        keys: K,
        recovered: Recovered,
    ) -> Result<Self, RecoverError> {
        settings.check().map_err(RecoverError::Settings)?;
        if !settings.members.contains(&me) {
            return Err(RecoverError::NotAMember(me));
        }
        let image = recovered.snapshot.map(Image::from_bytes).transpose()?;
        let facts = Facts::read(image.as_ref(), &recovered.records)?;
        let stable = image.as_ref().map_or(Sequence::ZERO, |image| image.stable);
        let era = image.as_ref().map_or(Edition(0), |image| image.era);
        let mut replica = Replica {
            me,
            quorum: Quorum::new(settings.f),
            keys,
            machine: Machine::new(service, settings.sessions_bytes_max),
            journal: Journal::new(recovered.last),
            log: Log::new(stable, settings.log_batches_max()),
            checkpoints: Checkpoints::default(),
            views: Views::new(first_view_of(era), facts.known, facts.change),
            order: Order::new(&settings),
            relays: Relays::default(),
            catch_up: CatchUp::default(),
            kept_from: recovered.records.first().map_or(recovered.last, |(position, _)| *position),
            era,
            seat: Edition(0),
            settings,
        };
        replica.restore(image)?;
        for (sequence, place) in facts.places {
            if replica.log.contains(sequence) {
                let slot = replica.recovered_slot(sequence, place);
                *replica.log.slot(sequence) = slot;
            }
        }
        replica.execute_again();
        // What this replica knows its state to have been it has executed again; nothing else may be said of it.
        let executed = replica.machine.sequence();
        replica.checkpoints.own.retain(|sequence, _| *sequence <= executed);
        let accepted = replica.log.iter().filter(|(_, slot)| slot.accepted_in(replica.views.view).is_some());
        let last = accepted.map(|(sequence, _)| sequence).last().unwrap_or_default();
        replica.order.next = last.max(replica.decided_up_to()).max(replica.machine.sequence()).next();
        Ok(replica)
    }

    /// The same replica on a machine that the change of this edition put into its seat.
    #[must_use]
    pub fn seated(mut self, seat: Edition) -> Self {
        self.seat = seat;
        self
    }

    /// Takes over the snapshot; without one, the service as given is checkpoint 0.
    fn restore(&mut self, image: Option<Image>) -> Result<(), RecoverError> {
        let Some(image) = image else {
            self.checkpoints.keep(Checkpoint::new(
                Sequence::ZERO,
                self.machine.snapshot(),
                self.settings.chunk_bytes,
            ));
            return Ok(());
        };
        self.machine.restore(&image.snapshot).map_err(RecoverError::Snapshot)?;
        self.checkpoints.own = image.checkpoints.into_iter().collect();
        self.checkpoints.keep(Checkpoint::new(
            self.machine.sequence(),
            image.snapshot,
            self.settings.chunk_bytes,
        ));
        self.checkpoints.transferred = self.machine.sequence();
        Ok(())
    }

    /// The slot that follows from what the disk says about `sequence`.
    fn recovered_slot(&self, sequence: Sequence, place: PlaceFacts) -> Slot {
        let known = self.views.known.as_ref().filter(|known| sequence > known.start);
        let mut slot = Slot { first_record: place.first, committed: place.executed, ..Slot::default() };
        slot.batches = place.batches;
        let (accepted, prepared) = match known {
            Some(known) => settled_by(known, sequence, &place.accepted, &place.prepared),
            None => (place.accepted, place.prepared),
        };
        if let Some((view, digest)) = accepted.filter(|(_, digest)| slot.batch(*digest).is_some()) {
            slot.accept(view, digest);
            slot.prepared = prepared.filter(|(_, prepared)| *prepared == digest).map(|(view, _)| view);
        }
        if self.views.active
            && let Some(digest) = slot.accepted_in(self.views.view)
        {
            if !self.leads() {
                slot.prepares.insert(self.me, digest);
            }
            // All that is on disk is durable.
            slot.commit_behind = slot.prepared_in(self.views.view).then(|| self.journal.durable_up_to());
        }
        slot
    }

    /// Executes again what the records say was executed.
    fn execute_again(&mut self) {
        loop {
            if self.is_closing() {
                return;
            }
            let sequence = self.machine.sequence().next();
            let slot = self.log.get(sequence);
            let Some(batch) = slot.and_then(|slot| slot.batch(slot.committed?)) else { return };
            self.machine.execute(sequence, &batch);
            if sequence.0.is_multiple_of(self.settings.checkpoint_interval) || self.is_closing() {
                self.checkpoints.keep(Checkpoint::new(
                    sequence,
                    self.machine.snapshot(),
                    self.settings.chunk_bytes,
                ));
            }
        }
    }
}

type Fact = Option<(View, wire::Digest)>;

/// What is left of what was accepted and prepared at `sequence` in the light of `known`, which starts below.
fn settled_by(known: &NewView, sequence: Sequence, accepted: &Fact, prepared: &Fact) -> (Fact, Fact) {
    match known.decided_at(sequence) {
        Some(decided) => (Some((known.view, decided)), prepared.filter(|(_, digest)| *digest == decided)),
        None => (
            accepted.filter(|(view, _)| *view >= known.view),
            prepared.filter(|(view, _)| *view >= known.view),
        ),
    }
}

/// Whether replicas with these settings, sound in all else, keep their messages within a frame.
pub(crate) fn fits(settings: &Settings) -> Result<(), BadSettings> {
    let length = settings.log_batches_max();
    let batches = usize::try_from(length).unwrap_or(usize::MAX);
    let (n, interval) = (settings.n(), settings.checkpoint_interval);
    let bytes = new_view_bytes_max(n, batches);
    // One more for a checkpoint that was taken over from far ahead, and one for each end of the present era.
    let checkpoints = length / interval + 4;
    if bytes > BODY_BYTES_MAX {
        return Err(BadSettings(format!(
            "a NEW-VIEW of {n} members with {batches} batches in the log takes up to {bytes} bytes; a frame takes \
             {BODY_BYTES_MAX}: set a smaller checkpoint_interval"
        )));
    }
    if checkpoints > CHECKPOINTS_MAX as u64 {
        return Err(BadSettings(format!(
            "a VIEW-CHANGE would name up to {checkpoints} checkpoints; it can name {CHECKPOINTS_MAX}: set a larger \
             checkpoint_interval or a smaller window"
        )));
    }
    Ok(())
}
