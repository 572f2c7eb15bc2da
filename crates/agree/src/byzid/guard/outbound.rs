//! What the replica sends, on its way through the monitor.

use super::{
    Guard, MANIFESTS_MAX, deliver, is_for_monitor, is_proven, moment, sealed_new_config, stable_is_proven,
};
use crate::assent::{Assent, Replies};
use crate::byzid::message::{
    Claim, Member, Message as ByzId, NewConfig, Order, Reconfigure, Stable, StableCheckpoint,
};
use crate::checkpoint::{CHUNK_BYTES_MAX, Transfer};
use crate::guard::GuardEffect;
use crate::replica::{Destination, Refusal};
use crate::{Message, Reply};
use monitor::{Action, Rule, Sent, Severity};
use wire::{ClientId, Digest, Keys, NodeId, Peer, Sequence, View};

/// What an answer to a client says to the monitor.
struct Says {
    view: View,
    sequence: Sequence,
    to: ClientId,
    /// How many REPLYs it stands for.
    replies: u64,
}

impl<K: Keys> Guard<K> {
    pub(super) fn send_message(
        &mut self,
        now: wire::Time,
        to: Destination,
        message: Message,
        out: &mut Vec<GuardEffect>,
    ) {
        let into_a_configuration =
            matches!(message, Message::ByzId(ByzId::Reconfigure(_) | ByzId::NewConfig(_) | ByzId::Joined(_)));
        if self.is_open() && !(into_a_configuration && self.monitor.is_some()) {
            return self.pass_unvouched(to, message, out);
        }
        let mut actions = Vec::new();
        let passed = match message {
            Message::ByzId(message) => self.send_protocol(now, to, message, out, &mut actions),
            Message::Reply(Reply { view, sequence, client, .. }) => {
                let says = Says { view, sequence, to: client, replies: 1 };
                self.send_answer(now, to, says, message, out, &mut actions)
            }
            Message::Replies(Replies { view, sequence, station, ref results, .. }) => {
                let says = Says { view, sequence, to: station, replies: results.len() as u64 };
                self.send_answer(now, to, says, message, out, &mut actions)
            }
            Message::Assent(Assent { view, sequence, station, count, .. }) => {
                let says = Says { view, sequence, to: station, replies: u64::from(count) };
                self.send_answer(now, to, says, message, out, &mut actions)
            }
            Message::Transfer(transfer) => self.send_transfer(now, to, transfer, out, &mut actions),
            Message::Request(_)
            | Message::Busy(_)
            | Message::Bundle(_)
            | Message::Paxos(_)
            | Message::Pbft(_) => self.forbid(now, Rule::Flooding, &mut actions),
        };
        if let Err(rule) = passed {
            let refusal = match rule.severity() {
                Severity::Proof | Severity::Timing => Refusal::NotAllowed,
                Severity::Crossing => Refusal::Stale,
            };
            out.push(GuardEffect::Refuse { from: Peer::Node(self.me), refusal });
        }
        self.perform(actions, out);
    }

    /// Asks the monitor whether something may pass.
    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut monitor::Monitor<crate::Request>) -> Result<T, Rule>,
    ) -> Result<T, Rule> {
        match &mut self.monitor {
            Some(monitor) => question(monitor),
            None => Err(Rule::StaleConfiguration),
        }
    }

    fn forbid(&mut self, now: wire::Time, rule: Rule, actions: &mut Vec<Action>) -> Result<(), Rule> {
        self.ask(|monitor| Err(monitor.forbidden(moment(now), rule, actions)))
    }

    /// A REPLY, or what stands for several, to whom it is for.
    fn send_answer(
        &mut self,
        now: wire::Time,
        to: Destination,
        says: Says,
        message: Message,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        if to != Destination::Peer(Peer::Client(says.to)) {
            return self.forbid(now, Rule::Flooding, actions);
        }
        let (view, at) = (monitor::View(says.view.0), monitor::Sequence(says.sequence.0));
        self.ask(|monitor| monitor.reply_sent(moment(now), view, at, says.replies, actions))?;
        self.parcels.add(says.to, message, &self.door, out);
        Ok(())
    }

    fn send_protocol(
        &mut self,
        now: wire::Time,
        to: Destination,
        message: ByzId,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        let at = |sequence: Sequence| monitor::Sequence(sequence.0);
        match message {
            ByzId::Order(order) => self.send_order(now, to, order, out, actions),
            ByzId::StableCheckpoint(checkpoint) => self.send_stable(now, to, checkpoint, out, actions),
            ByzId::NewConfig(new) => self.send_new_config(now, *new, out, actions),
            ByzId::Reconfigure(reconfigure) => self.send_reconfigure(now, to, *reconfigure, out, actions),
            ByzId::Ack(ref ack) => {
                let view = monitor::View(ack.view.0);
                self.ask(|monitor| {
                    monitor.ack_sent(moment(now), view, at(ack.sequence), ack.digest.0, actions)
                })?;
                self.transmit_to_primary(to, message, out)
            }
            ByzId::Checkpoint(ref checkpoint) => {
                let (view, digest) = (monitor::View(checkpoint.view.0), checkpoint.digest.0);
                self.ask(|monitor| {
                    monitor.checkpoint_sent(moment(now), view, at(checkpoint.sequence), digest, actions)
                })?;
                self.transmit_to_primary(to, message, out)
            }
            ByzId::Joined(ref joined) => {
                let view = monitor::View(joined.view.0);
                self.ask(|monitor| monitor.joined_sent(moment(now), view, at(joined.last), actions))?;
                // From here on the frames and members are those of the new configuration.
                self.perform(core::mem::take(actions), out);
                self.transmit_to_primary(to, message, out)
            }
            ByzId::Fetch(_) | ByzId::AskBatch(_) => {
                self.ask(|monitor| monitor.draw(moment(now), actions))?;
                self.transmit_to_node(to, message, out)
            }
            ByzId::Fetched(ref fetched) => {
                self.ask(|monitor| {
                    monitor.fetched_sent(moment(now), at(fetched.sequence), fetched.batch.digest().0)
                })?;
                self.transmit_to_node(to, message, out)
            }
            ByzId::Control(_) | ByzId::Relay(_) => self.forbid(now, Rule::Flooding, actions),
        }
    }

    fn transmit_to_node(
        &self,
        to: Destination,
        message: ByzId,
        out: &mut Vec<GuardEffect>,
    ) -> Result<(), Rule> {
        match to {
            Destination::Peer(peer @ Peer::Node(node)) if node != self.me => {
                self.transmit(&[peer], &Message::ByzId(message), out);
                Ok(())
            }
            Destination::Peer(_) | Destination::Members => Err(Rule::StaleConfiguration),
        }
    }

    /// Backups speak to the primary only: the tree of the paper, in which no backup can flood another.
    fn transmit_to_primary(
        &self,
        to: Destination,
        message: ByzId,
        out: &mut Vec<GuardEffect>,
    ) -> Result<(), Rule> {
        let primary = self.monitor.as_ref().map(|monitor| NodeId(monitor.configuration().primary()));
        match to {
            Destination::Peer(Peer::Node(node)) if Some(node) == primary => {
                self.transmit_to_node(to, message, out)
            }
            Destination::Peer(_) | Destination::Members => Err(Rule::StaleConfiguration),
        }
    }

    fn other_members(&self) -> Vec<Peer> {
        self.others.iter().map(|node| Peer::Node(*node)).collect()
    }

    fn send_order(
        &mut self,
        now: wire::Time,
        to: Destination,
        order: Order,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        let one = match to {
            Destination::Members => None,
            Destination::Peer(Peer::Node(node)) => Some(node.0),
            Destination::Peer(Peer::Client(_)) => return self.forbid(now, Rule::Flooding, actions),
        };
        let (view, at) = (monitor::View(order.view.0), monitor::Sequence(order.sequence.0));
        let digest = order.batch.digest();
        let sent = self.ask(|monitor| {
            monitor.order_sent(moment(now), one, view, at, digest.0, order.batch.requests(), actions)
        })?;
        let start = self.monitor.as_ref().map_or(monitor::FIRST, monitor::Monitor::incarnation);
        let seal = self.door.keys().seal(&Order::sealed_bytes(order.view, start, order.sequence, digest));
        let sequence = order.sequence;
        let order = Order { seal: Some(seal), ..order };
        match sent {
            Sent::Again => {
                self.transmit_to_node(to, ByzId::Order(order), out)?;
            }
            Sent::New => {
                let message = Message::from(order);
                let frame = self.transmit(&self.other_members(), &message, out);
                self.frames.insert(sequence, frame);
                self.forget_frames();
                deliver(self.me, message, out);
            }
        }
        Ok(())
    }

    /// Keeps no more frames than the log has ORDERs.
    fn forget_frames(&mut self) {
        let Some(monitor) = &self.monitor else { return };
        let stable = Sequence(monitor.log().stable().0);
        if self.frames.first_key_value().is_some_and(|(first, _)| *first <= stable) {
            self.frames = self.frames.split_off(&stable.next());
        }
    }

    fn send_stable(
        &mut self,
        now: wire::Time,
        to: Destination,
        checkpoint: StableCheckpoint,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        let one = match to {
            Destination::Members => None,
            Destination::Peer(Peer::Node(node)) => Some(node.0),
            Destination::Peer(Peer::Client(_)) => return self.forbid(now, Rule::Flooding, actions),
        };
        let (view, at) = (monitor::View(checkpoint.view.0), monitor::Sequence(checkpoint.stable.sequence.0));
        let digest = checkpoint.stable.digest.0;
        self.ask(|monitor| monitor.stable_sent(moment(now), one, view, at, digest, actions))?;
        let seal = self.door.keys().seal(&checkpoint.stable.sealed_bytes());
        let stable = Stable { seal: Some(seal), ..checkpoint.stable };
        let message = StableCheckpoint { view: checkpoint.view, stable };
        match to {
            Destination::Members => {
                let message = Message::from(message);
                let frame = self.transmit(&self.other_members(), &message, out);
                self.stable_frame = Some(frame);
                self.forget_frames();
                deliver(self.me, message, out);
                Ok(())
            }
            Destination::Peer(_) => self.transmit_to_node(to, ByzId::StableCheckpoint(message), out),
        }
    }

    fn send_new_config(
        &mut self,
        now: wire::Time,
        new: NewConfig,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        if new.members.is_empty() || !stable_is_proven(&self.door, &new.stable) {
            return self.forbid(now, Rule::TrueNewConfig, actions);
        }
        let seen = new.to_monitor();
        self.ask(|monitor| monitor.new_config_sent(moment(now), &seen, actions))?;
        self.perform(core::mem::take(actions), out);
        let message = Message::from(Box::new(sealed_new_config(&self.door, new)));
        let frame = self.transmit(&self.other_members(), &message, out);
        self.new_config_frame = Some(frame);
        deliver(self.me, message, out);
        Ok(())
    }

    /// The replica's claim, completed with the monitor's word, to the candidate; or to this node itself.
    fn send_reconfigure(
        &mut self,
        now: wire::Time,
        to: Destination,
        reconfigure: Reconfigure,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        let Reconfigure { target, claim, seals } = reconfigure;
        let proven = stable_is_proven(&self.door, &claim.stable);
        let said = claim.to_monitor(self.me);
        let target_seen = monitor::View(target.0);
        let completed = self.ask(|monitor| {
            if proven {
                monitor.prove_stable(said.stable, said.stable_digest);
            }
            let monitor::Claim { entered, stable, stable_digest, orders, .. } = said;
            monitor.reconfigure_sent(
                moment(now),
                target_seen,
                entered,
                stable,
                stable_digest,
                orders,
                actions,
            )
        })?;
        let same = claim.stable.sequence.0 == completed.stable.0;
        let stable = if same && (proven || !completed.vouched) {
            claim.stable
        } else {
            // The monitor knows a later one to be stable, or this one though nobody sealed it (its primary went
            // unmonitored), and says so itself.
            let mut stable = Stable {
                sequence: Sequence(completed.stable.0),
                digest: Digest(completed.stable_digest),
                seal: None,
            };
            stable.seal = Some(self.door.keys().seal(&stable.sealed_bytes()));
            stable
        };
        let claim = Claim {
            stable,
            orders: completed.orders.iter().copied().map(Digest).collect(),
            vouched: completed.vouched,
            incarnation: completed.incarnation,
            known: completed.known.iter().map(Member::from_monitor).collect(),
            ..claim
        };
        let seals = if claim.vouched { None } else { seals };
        let message = Reconfigure { target, claim, seals };
        match to {
            Destination::Peer(Peer::Node(node)) if node == self.me => {
                // A monitor that has forgotten has no better opinion of its own replica than of others.
                if !is_proven(&self.door, &self.genesis, &message) {
                    return Err(Rule::StaleConfiguration);
                }
                let received =
                    self.ask(|monitor| Ok(monitor.reconfigure_received(target_seen, completed)))?;
                if received != monitor::Received::Deliver {
                    return Err(Rule::StaleConfiguration);
                }
                deliver(self.me, Message::from(Box::new(message)), out);
                Ok(())
            }
            Destination::Peer(_) | Destination::Members => {
                self.transmit_to_node(to, ByzId::Reconfigure(Box::new(message)), out)
            }
        }
    }

    /// A snapshot changes hands. The manifest must be that of a checkpoint that the monitor knows to be stable, and each
    /// chunk must be the one that the manifest lists.
    fn send_transfer(
        &mut self,
        now: wire::Time,
        to: Destination,
        transfer: Transfer,
        out: &mut Vec<GuardEffect>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Rule> {
        self.ask(|monitor| match &transfer {
            Transfer::AskManifest(_) | Transfer::AskChunk(_) => monitor.draw(moment(now), actions),
            Transfer::Manifest(_) | Transfer::Chunk(_) => monitor.draw_answer(moment(now)),
        })?;
        match &transfer {
            Transfer::AskManifest(_) | Transfer::AskChunk(_) => {}
            Transfer::Manifest(manifest) => {
                let digest = Digest::of(manifest);
                // One that the monitor does not know may be older than what it remembers: the receiver will tell.
                self.manifests.retain(|(known, _)| *known != digest);
                if self.manifests.len() == MANIFESTS_MAX {
                    self.manifests.pop_front();
                }
                self.manifests.push_back((digest, manifest.clone()));
            }
            Transfer::Chunk(chunk) => {
                let right = match self.manifests.iter().find(|(digest, _)| *digest == chunk.digest) {
                    Some((_, manifest)) => {
                        let listed =
                            usize::try_from(chunk.index).ok().and_then(|index| manifest.chunks.get(index));
                        chunk.bytes.len() <= CHUNK_BYTES_MAX
                            && listed == Some(&Digest::of_bytes(&chunk.bytes))
                    }
                    None => return Err(Rule::StaleConfiguration),
                };
                if !right {
                    return self.forbid(now, Rule::TrueStateTransfer, actions);
                }
            }
        }
        match to {
            Destination::Peer(peer @ Peer::Node(node)) if node != self.me => {
                self.transmit(&[peer], &Message::Transfer(transfer), out);
                Ok(())
            }
            Destination::Peer(_) | Destination::Members => self.forbid(now, Rule::Flooding, actions),
        }
    }

    /// No monitor vouches, and the guard is set to fail open: out it goes, and what a primary must see come back comes
    /// back unsealed. Only what leads into a configuration has to wait for a monitor.
    fn pass_unvouched(&mut self, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        let door_to = match to {
            Destination::Peer(Peer::Client(client)) => {
                return self.parcels.add(client, message, &self.door, out);
            }
            Destination::Peer(peer) => vec![peer],
            Destination::Members => self.other_members(),
        };
        let comes_back = matches!(
            (&message, to),
            (Message::ByzId(ByzId::Order(_) | ByzId::StableCheckpoint(_)), Destination::Members)
        );
        match &message {
            Message::ByzId(inner) if is_for_monitor(inner) || matches!(inner, ByzId::Joined(_)) => {
                out.push(GuardEffect::Refuse { from: Peer::Node(self.me), refusal: Refusal::NotAllowed });
            }
            _ => {
                self.transmit(&door_to, &message, out);
                if comes_back {
                    deliver(self.me, message, out);
                }
            }
        }
    }
}
