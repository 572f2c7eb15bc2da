//! Tells one replica everything and the others as little as it can; when views change it has never heard of any of it.
//!
//! What a quorum is there to prevent, done on purpose: one correct replica, and only one, comes to believe that a batch is
//! settled; then the others, who hear nothing of that one just then, are helped to settle something else. So once somebody
//! suspects a view it asks for another at once, without what prepared, and once somebody else asks it behaves until that view is under
//! way.
//!
//! Its favourite is the node after it: a plan can then see to it that the others hear nothing of that one.

use super::forgery::{self, Kind};
use super::{Means, Strategy};
use agree::replica::Destination;
use agree::{Effect, Event};
use core::time::Duration;
use wire::{NodeId, Peer, Time};

/// The behaviour.
#[derive(Default)]
pub struct Favour {
    /// Whom it tells everything; nobody while it behaves.
    favourite: Option<Peer>,
    /// Who else learns of orders: one bit per node.
    fellows: u64,
    changes_at: Time,
}

impl Favour {
    /// Whether `peer` is told a message of this kind.
    fn tells(&self, favourite: Peer, peer: Peer, kind: Kind) -> bool {
        let is_fellow = peer.node().is_some_and(|node| self.fellows >> (node.0 % 64) & 1 == 1);
        match kind {
            Kind::Order => peer == favourite || is_fellow,
            Kind::Vote | Kind::Checkpoint | Kind::Transfer => peer == favourite,
            Kind::Client | Kind::ViewChange | Kind::Other => true,
        }
    }
}

impl Strategy for Favour {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        if let Event::Message { message, .. } = &event
            && let Some(mine) = forgery::forgetful(message, means)
        {
            means.pass(Effect::Send { to: Destination::Members, message: mine });
            // Who only suspects a view still votes in it.
            if forgery::kind(message) == Kind::ViewChange {
                self.favourite = None;
                self.changes_at = means.now.after(means.settings.view_timeout * 3);
            }
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to, message } = effect else { return means.pass(effect) };
        if let Some(forgetful) = forgery::forgetful(&message, means) {
            return means.pass(Effect::Send { to, message: forgetful });
        }
        let Some(favourite) = self.favourite else { return means.pass(Effect::Send { to, message }) };
        for peer in means.peers(to) {
            if self.tells(favourite, peer, forgery::kind(&message)) {
                means.send(peer, message.clone());
            }
        }
    }

    fn tick(&mut self, means: &mut Means) {
        if means.now < self.changes_at {
            return;
        }
        let next = NodeId((means.me.0 + 1) % means.settings.n() as u16);
        self.favourite = means.random.chance(700).then_some(Peer::Node(next));
        self.fellows = means.random.bits();
        let longest = means.settings.view_timeout * 3;
        self.changes_at = means.now.after(means.random.duration(Duration::from_millis(20), longest));
    }
}
