//! The messages of Paxos.

use wire::{codec_enum, codec_struct};

/// The primary is there, though it has nothing to order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Heartbeat {
    /// The sender's view.
    pub view: wire::View,
}
codec_struct!(Heartbeat | from | { view });

/// A message between replicas of Paxos.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// The primary lives.
    Heartbeat(Heartbeat),
}
codec_enum!(Message { 0 => Heartbeat });

impl Message {
    /// A short name for diagrams and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Message::Heartbeat(_) => "HEARTBEAT",
        }
    }
}
