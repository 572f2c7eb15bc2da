//! A request that a client showed to somebody who does not lead reaches the leader all the same: its own way there may be cut.
//!
//! Upon such a request: it goes to the leader as it is, at most [`RELAYS_MAX`] between two HEARTBEATs; else NOT-ALLOWED.
//! Upon one from a replica, at the leader: as if the client had come. Elsewhere: NOT-ALLOWED, so that it makes one step.

use super::{Replica, Role};
use crate::Service;
use crate::replica::{Outbox, Refusal};
use crate::request::Request;
use wire::{NodeId, Peer};

/// Requests that are passed on between two HEARTBEATs at most: a cluster that has more to do than it can is asked everywhere.
pub(super) const RELAYS_MAX: u32 = 256;

impl<S: Service + Clone> Replica<S> {
    /// Passes on what a client wants of this replica, which does not lead.
    pub(super) fn relay(&mut self, request: Request, out: &mut Outbox) {
        let leader = self.leader(self.promised);
        let has_leader = matches!(self.role, Role::Following) && !self.suspects && leader != self.me;
        if !has_leader || self.relayed >= RELAYS_MAX {
            return out.refuse(Peer::Client(request.client), Refusal::NotAllowed);
        }
        self.relayed += 1;
        out.send(leader, request);
    }

    /// A replica passes a client's request on.
    pub(super) fn take_relayed(&mut self, from: NodeId, request: Request, out: &mut Outbox) {
        if !matches!(self.role, Role::Leading(_)) {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        self.request(request, out);
        self.propose(out);
    }
}
