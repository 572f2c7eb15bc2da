//! What liars say: now and then something else than what the code that they run wants to say.

use super::Storm;
use crate::Message as AnyMessage;
use crate::pbft::message::{Message, ViewChange};
use crate::pbft::tests::{ToyKeys, signed};
use wire::{Digest, Keys, NodeId, Peer, Sequence};

impl Storm {
    /// What a liar makes of what it wanted to say.
    pub(super) fn tamper(&mut self, from: NodeId, message: AnyMessage) -> AnyMessage {
        let AnyMessage::Pbft(mut message) = message else { return message };
        if self.dice.percent(80) {
            return AnyMessage::Pbft(message);
        }
        let other = self.executed.values().map(|(batch, _)| *batch).next_back().unwrap_or_default();
        match &mut message {
            Message::Prepare(prepare) => prepare.digest = other,
            Message::Commit(commit) => commit.digest = other,
            Message::Checkpoint(checkpoint) => checkpoint.digest = other,
            Message::Committed(committed) => committed.digests.fill(other),
            Message::ViewChange(change) => self.tamper_change(from, change, other),
            Message::NewView(known) => {
                known.order.truncate(known.order.len() / 2);
                known.signature = ToyKeys(Peer::Node(from)).sign(&known.signed_bytes());
            }
            Message::PrePrepare(ordered) if self.dice.percent(50) => {
                let mut forged = signed(self.dice.below(3), 1000);
                forged.signature = Some(Box::new(wire::Signature([7; 64])));
                ordered.batch = crate::Batch::new(vec![forged]);
            }
            Message::PrePrepare(ordered) => ordered.sequence = ordered.sequence.next(),
            Message::Status(status) if self.dice.percent(50) => status.suspects = !status.suspects,
            Message::Status(status) => status.executed = Sequence(self.dice.below(20)),
            Message::AskBatch(_) | Message::FoundBatch(_) => {}
        }
        AnyMessage::Pbft(message)
    }

    fn tamper_change(&mut self, from: NodeId, change: &mut ViewChange, other: Digest) {
        match self.dice.below(4) {
            0 => change.entries.clear(),
            1 => change.entries.iter_mut().for_each(|entry| entry.prepared = None),
            2 => change.entries.iter_mut().for_each(|entry| {
                entry.digest = other;
                entry.prepared = Some(entry.accepted);
            }),
            _ => change.checkpoints.iter_mut().for_each(|(_, digest)| *digest = other),
        }
        change.signature = ToyKeys(Peer::Node(from)).sign(&change.signed_bytes());
    }
}
