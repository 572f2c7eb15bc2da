//! A request that a client showed to backups reaches the primary all the same.
//!
//! Upon a request that a backup of a view that has begun watches from now on: it goes to the primary as it is, at most
//!   [`RELAYS_PER_TICK_MAX`] between two ticks.
//! Upon the tick: the request watched longest goes there again. The view timer runs for that one, so nobody loses patience
//!   over a request that the primary was not shown, again and again. One per tick is enough: who is first changes.
//! Upon a request from a replica, at the primary of a view that has begun:
//!   - executed already: STALE; it has a place or waits already: nothing;
//!   - more than [`RELAYED_PER_TICK_MAX`] of this replica since the last tick: NO-ROOM. Only those that follow count;
//!   - the client's signature must be valid, else WRONG-AUTHENTICATOR: the replica's word is worth nothing;
//!   - it goes to the queue, which has [`RELAYED_WAITING_MAX`] places more for these than for what clients send themselves; NO-ROOM
//!     if that is full, or an earlier one of the client waits there. The client hears nothing: it did not ask the primary.
//!
//! Upon one elsewhere: NOT-ALLOWED. A relay is never relayed, so it makes at most one step.
//!
//! Upon requests that clients show a backup: it looks at [`LOOKS_PER_TICK_MAX`] of each station between two ticks. To look is to
//!   check a signature, and where a cluster has more to do than it can, everybody's requests come to everybody again.
//!
//! Without this a client that keeps its requests from the primary could have every primary voted out, one after the other.

use super::Replica;
use crate::Service;
use crate::queue::Added;
use crate::replica::{Outbox, Refusal};
use crate::request::Request;
use crate::sessions::Standing;
use std::collections::BTreeMap;
use wire::{ClientId, Keys, NodeId};

/// Requests that a backup passes on between two of its ticks at most, beside the one that it repeats.
pub(super) const RELAYS_PER_TICK_MAX: u32 = 16;

/// Requests that a primary looks at between two of its ticks, per backup: a correct one may tick twice in that time.
pub(super) const RELAYED_PER_TICK_MAX: u32 = 2 * (RELAYS_PER_TICK_MAX + 1);

/// Places in the primary's queue that only requests passed on may take: whoever is watched gets in, however many others ask.
pub(super) const RELAYED_WAITING_MAX: usize = 1024;

/// New requests of one station that a backup looks at between two of its ticks at most.
pub(super) const LOOKS_PER_TICK_MAX: u32 = 32;

/// Stations whose requests a backup looks at between two of its ticks at most.
const STATIONS_PER_TICK_MAX: usize = 1024;

/// What was passed on, and looked at, since the last tick.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Relays {
    /// By this replica.
    sent: u32,
    /// By each other one.
    taken: BTreeMap<NodeId, u32>,
    /// Of each station.
    looked: BTreeMap<ClientId, u32>,
}

impl Relays {
    /// Whether one more request of the client may be looked at now; it is counted.
    pub(super) fn may_look_at(&mut self, client: ClientId) -> bool {
        let station = client.station();
        if self.looked.len() >= STATIONS_PER_TICK_MAX && !self.looked.contains_key(&station) {
            return false;
        }
        let looked = self.looked.entry(station).or_default();
        *looked += 1;
        *looked <= LOOKS_PER_TICK_MAX
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Shows the primary a request that this replica watches from now on.
    pub(super) fn relay(&mut self, request: Request, out: &mut Outbox) {
        if self.views.active && self.relays.sent < RELAYS_PER_TICK_MAX {
            self.relays.sent += 1;
            out.send(self.primary(), request);
        }
    }

    /// Time has passed: the request watched longest is shown again.
    pub(super) fn tick_relays(&mut self, out: &mut Outbox) {
        self.relays = Relays::default();
        if self.views.active
            && !self.leads()
            && let Some(request) = self.order.watch.longest()
        {
            out.send(self.primary(), request.clone());
        }
    }

    /// A replica passes a client's request on.
    pub(super) fn relayed(&mut self, from: NodeId, request: Request) -> Result<(), Refusal> {
        if !(self.leads() && self.views.active) {
            return Err(Refusal::NotAllowed);
        }
        match self.machine.standing(request.client, request.timestamp) {
            Standing::Answered { .. } | Standing::Outdated | Standing::Forgotten | Standing::TooMany => {
                return Err(Refusal::Stale);
            }
            Standing::New => {}
        }
        if self.order.covers(request.client, request.timestamp) {
            return Ok(());
        }
        let taken = self.relays.taken.entry(from).or_default();
        if *taken >= RELAYED_PER_TICK_MAX {
            return Err(Refusal::NoRoom);
        }
        *taken += 1;
        if !self.is_signed(&request) {
            return Err(Refusal::WrongAuthenticator);
        }
        match self.order.enqueue(request, self.settings.requests_waiting_max + RELAYED_WAITING_MAX) {
            Added::Queued | Added::Duplicate => Ok(()),
            Added::Full => Err(Refusal::NoRoom),
        }
    }
}
