//! The messages of ByzID.
//!
//! ORDER, STABLECHECKPOINT and NEWCONFIG carry a **seal**: a MAC under the key that only monitors hold. The replica
//! leaves it out; its guard puts it in. A replica keeps sealed messages on its disk, and when every monitor was
//! restarted and none can vouch any more, the seals prove that nothing in a replica's log was invented.

use crate::request::{Batch, Request};
use crate::settings::LOG_BATCHES_MAX;
use monitor::{Digest as RawDigest, Incarnation, Node};
use wire::auth::NODES_MAX;
use wire::{
    Decode, DecodeError, Digest, Encode, NodeId, Reader, Sequence, Tag, View, codec_enum, codec_struct,
};

/// ORDERs past a stable checkpoint that a message can list at most.
pub const ORDERS_MAX: usize = LOG_BATCHES_MAX as usize;

/// A member of a configuration: a node, and the start of its monitor that takes part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// The node.
    pub node: NodeId,
    /// The start of its monitor.
    pub incarnation: u64,
}
codec_struct!(Member |from| { node, incarnation });

impl Member {
    /// The same, in the monitor's words.
    #[must_use]
    pub fn to_monitor(self) -> monitor::Member {
        monitor::Member { node: self.node.0, incarnation: self.incarnation }
    }

    /// The same, in ours.
    #[must_use]
    pub fn from_monitor(member: &monitor::Member) -> Self {
        Member { node: NodeId(member.node), incarnation: member.incarnation }
    }
}

/// [ORDER, N, m, v]: the primary gives the batch `m` the place N.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Order {
    /// The configuration.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The requests.
    pub batch: Batch,
    /// The monitor's seal over all of it.
    pub seal: Option<Tag>,
}
codec_struct!(Order |from| { view, sequence, batch, seal });

impl Order {
    /// What the seal of the ORDER with this `digest` at this place is over. It names the start of the primary's monitor:
    /// see [`monitor::Reign`].
    #[must_use]
    pub fn sealed_bytes(view: View, start: Incarnation, sequence: Sequence, digest: Digest) -> Vec<u8> {
        let mut to = b"ORDER".to_vec();
        view.encode(&mut to);
        start.encode(&mut to);
        sequence.encode(&mut to);
        digest.encode(&mut to);
        to
    }
}

/// [ACK, N, D(m), v]: the sender has every ORDER up to N on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ack {
    /// The configuration.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The digest of the batch there.
    pub digest: Digest,
}
codec_struct!(Ack |from| { view, sequence, digest });

/// [CHECKPOINT, N, d]: the sender's state after N has the digest d.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Checkpoint {
    /// The configuration.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// The digest of the state.
    pub digest: Digest,
}
codec_struct!(Checkpoint |from| { view, sequence, digest });

/// A checkpoint that f+1 replicas vouched for, and a monitor's seal on it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stable {
    /// The place.
    pub sequence: Sequence,
    /// The digest of the state.
    pub digest: Digest,
    /// The seal. Whenever and by whomever it was made: what is sealed is a fact.
    pub seal: Option<Tag>,
}
codec_struct!(Stable |from| { sequence, digest, seal });

impl Stable {
    /// The state before any batch, which needs no proof.
    #[must_use]
    pub fn genesis() -> Self {
        Stable { sequence: Sequence::ZERO, digest: Digest::ZERO, seal: None }
    }

    /// What the seal is over.
    #[must_use]
    pub fn sealed_bytes(&self) -> Vec<u8> {
        let mut to = b"STABLE".to_vec();
        self.sequence.encode(&mut to);
        self.digest.encode(&mut to);
        to
    }
}

/// [STABLECHECKPOINT, N, d].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StableCheckpoint {
    /// The configuration.
    pub view: View,
    /// The checkpoint.
    pub stable: Stable,
}
codec_struct!(StableCheckpoint |from| { view, stable });

/// The sender lacks the ORDERs from `first` on, up to `last` at most; the primary sends them again.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetch {
    /// The configuration that the sender is in, or wants to enter.
    pub view: View,
    /// The first one it lacks.
    pub first: Sequence,
}
codec_struct!(Fetch |from| { view, first });

/// The candidate for `target` lacks this batch, of which a claim knows only the digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskBatch {
    /// The configuration to be.
    pub target: View,
    /// The place.
    pub sequence: Sequence,
    /// The digest of the batch.
    pub digest: Digest,
}
codec_struct!(AskBatch |from| { target, sequence, digest });

/// The batch that was asked for. It proves itself by its digest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetched {
    /// The configuration to be.
    pub target: View,
    /// The place.
    pub sequence: Sequence,
    /// The batch.
    pub batch: Batch,
}
codec_struct!(Fetched |from| { target, sequence, batch });

/// What a replica whose monitor has forgotten shows instead of its word.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Seals {
    /// The sealed NEWCONFIG of the configuration that it entered; none in the first one.
    pub new_config: Option<Box<NewConfig>>,
    /// The seals of the ORDERs that came after it, in order.
    pub orders: Vec<Tag>,
}
codec_struct!(Seals |from| {
    new_config,
    orders = from.list("seals", ORDERS_MAX),
});

/// What one replica says it has: see [`monitor::claim`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Claim {
    /// The configuration that it entered last.
    pub entered: View,
    /// Its members.
    pub members: Vec<Member>,
    /// Its stable checkpoint.
    pub stable: Stable,
    /// The digests of the ORDERs after it.
    pub orders: Vec<Digest>,
    /// Whether the monitor vouches. This and what follows is the guard's to fill in.
    pub vouched: bool,
    /// The start of the monitor.
    pub incarnation: u64,
    /// The starts of other monitors that this one knows of.
    pub known: Vec<Member>,
}
codec_struct!(Claim |from| {
    entered,
    members = from.list("members", NODES_MAX),
    stable,
    orders = from.list("orders", ORDERS_MAX),
    vouched,
    incarnation,
    known = from.list("known starts", NODES_MAX),
});

impl Claim {
    /// The same, in the monitor's words.
    #[must_use]
    pub fn to_monitor(&self, node: NodeId) -> monitor::Claim {
        monitor::Claim {
            node: node.0,
            incarnation: self.incarnation,
            vouched: self.vouched,
            entered: monitor::Configuration {
                view: monitor::View(self.entered.0),
                members: self.members.iter().map(|member| member.to_monitor()).collect(),
            },
            stable: monitor::Sequence(self.stable.sequence.0),
            stable_digest: self.stable.digest.0,
            orders: self.orders.iter().map(|digest| digest.0).collect(),
            known: self.known.iter().map(|member| member.to_monitor()).collect(),
        }
    }
}

/// ⟨RECONFIGURE, v+1, N, C, S⟩: the sender's claim for configuration `target`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reconfigure {
    /// The configuration to be.
    pub target: View,
    /// What the sender has. The batches themselves are fetched by their digests.
    pub claim: Claim,
    /// The proof of the claim, if the sender's monitor has forgotten.
    pub seals: Option<Seals>,
}
codec_struct!(Reconfigure |from| { target, claim, seals });

/// [NEWCONFIG, v+1, V, O].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NewConfig {
    /// The configuration.
    pub view: View,
    /// Its members, by slot.
    pub members: Vec<Member>,
    /// Whose claims it is built on: the paper's V.
    pub claimants: Vec<NodeId>,
    /// The stable checkpoint that it starts from.
    pub stable: Stable,
    /// The digests of the ORDERs after it: the paper's O.
    pub orders: Vec<Digest>,
    /// The monitor's seal over all of it.
    pub seal: Option<Tag>,
}
codec_struct!(NewConfig |from| {
    view,
    members = from.list("members", NODES_MAX),
    claimants = from.list("claimants", NODES_MAX),
    stable,
    orders = from.list("orders", ORDERS_MAX),
    seal,
});

impl NewConfig {
    /// The place of the last ORDER in it.
    #[must_use]
    pub fn last(&self) -> Sequence {
        self.stable.sequence.plus(self.orders.len() as u64)
    }

    /// Who leads it; nobody, if it has no members.
    #[must_use]
    pub fn primary(&self) -> Option<NodeId> {
        let slot = self.view.0.checked_rem(self.members.len() as u64)?;
        self.members.get(usize::try_from(slot).ok()?).map(|member| member.node)
    }

    /// What the seal is over.
    #[must_use]
    pub fn sealed_bytes(&self) -> Vec<u8> {
        let mut to = b"NEWCONFIG".to_vec();
        NewConfig { seal: None, ..self.clone() }.encode(&mut to);
        to
    }

    /// The same, in the monitor's words.
    #[must_use]
    pub fn to_monitor(&self) -> monitor::NewConfig {
        monitor::NewConfig {
            configuration: monitor::Configuration {
                view: monitor::View(self.view.0),
                members: self.members.iter().map(|member| member.to_monitor()).collect(),
            },
            claimants: self.claimants.iter().map(|node| node.0).collect::<Vec<Node>>(),
            stable: monitor::Sequence(self.stable.sequence.0),
            stable_digest: self.stable.digest.0,
            orders: self.orders.iter().map(|digest| digest.0).collect::<Vec<RawDigest>>(),
        }
    }
}

/// The sender entered configuration `view` and has every ORDER up to `last` on disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Joined {
    /// The configuration.
    pub view: View,
    /// The last ORDER that it has.
    pub last: Sequence,
}
codec_struct!(Joined |from| { view, last });

/// What one monitor says to another. A replica that sends one is guilty of flooding.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Control(pub monitor::Control);

impl Encode for Control {
    fn encode(&self, to: &mut Vec<u8>) {
        match &self.0 {
            monitor::Control::Beat { view, last } => {
                to.push(0);
                view.0.encode(to);
                last.0.encode(to);
            }
            monitor::Control::Suspect { target, promised } => {
                to.push(1);
                target.0.encode(to);
                promised.0.encode(to);
            }
            monitor::Control::Alert { view, proof } => {
                to.push(2);
                view.0.encode(to);
                proof.encode(to);
            }
            monitor::Control::Rejoin { incarnation } => {
                to.push(3);
                incarnation.encode(to);
            }
            monitor::Control::ReconRequest { target } => {
                to.push(4);
                target.0.encode(to);
            }
            monitor::Control::Convicted { node } => {
                to.push(5);
                node.encode(to);
            }
        }
    }
}

impl Decode for Control {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let view = |from: &mut Reader| u64::decode(from).map(monitor::View);
        Ok(Control(match u8::decode(from)? {
            0 => monitor::Control::Beat { view: view(from)?, last: monitor::Sequence(u64::decode(from)?) },
            1 => monitor::Control::Suspect { target: view(from)?, promised: view(from)? },
            2 => monitor::Control::Alert { view: view(from)?, proof: bool::decode(from)? },
            3 => monitor::Control::Rejoin { incarnation: u64::decode(from)? },
            4 => monitor::Control::ReconRequest { target: view(from)? },
            5 => monitor::Control::Convicted { node: Node::decode(from)? },
            tag => return Err(DecodeError::UnknownTag { of: "Control", tag }),
        }))
    }
}

/// A client showed `request` to the sender's monitor, which does not lead: the primary's monitor takes it as if the client had come
/// itself. Monitors alone say so, and they do not lie. A replica that says it is guilty of flooding.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Relay {
    /// What the client asks for.
    pub request: Request,
}
codec_struct!(Relay | from | { request });

/// A message between nodes of a ByzID cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// The primary orders.
    Order(Order),
    /// A backup has it.
    Ack(Ack),
    /// A backup's state.
    Checkpoint(Checkpoint),
    /// The primary declares a checkpoint stable.
    StableCheckpoint(StableCheckpoint),
    /// A backup lacks ORDERs.
    Fetch(Fetch),
    /// A candidate lacks a batch.
    AskBatch(AskBatch),
    /// Here it is.
    Fetched(Fetched),
    /// A replica's claim.
    Reconfigure(Box<Reconfigure>),
    /// The new configuration.
    NewConfig(Box<NewConfig>),
    /// A backup entered it.
    Joined(Joined),
    /// From monitor to monitor.
    Control(Control),
    /// From monitor to monitor: a client's request.
    Relay(Relay),
}
codec_enum!(Message {
    0 => Order,
    1 => Ack,
    2 => Checkpoint,
    3 => StableCheckpoint,
    4 => Fetch,
    5 => AskBatch,
    6 => Fetched,
    7 => Reconfigure,
    8 => NewConfig,
    9 => Joined,
    10 => Control,
    11 => Relay,
});

impl Message {
    /// A short name for diagrams and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Message::Order(_) => "ORDER",
            Message::Ack(_) => "ACK",
            Message::Checkpoint(_) => "CHECKPOINT",
            Message::StableCheckpoint(_) => "STABLECHECKPOINT",
            Message::Fetch(_) => "FETCH",
            Message::AskBatch(_) => "ASK-BATCH",
            Message::Fetched(_) => "FETCHED",
            Message::Reconfigure(_) => "RECONFIGURE",
            Message::NewConfig(_) => "NEWCONFIG",
            Message::Joined(_) => "JOINED",
            Message::Control(Control(control)) => match control {
                monitor::Control::Beat { .. } => "BEAT",
                monitor::Control::Suspect { .. } => "SUSPECT",
                monitor::Control::Alert { .. } => "ALERT",
                monitor::Control::Rejoin { .. } => "REJOIN",
                monitor::Control::ReconRequest { .. } => "RECONREQUEST",
                monitor::Control::Convicted { .. } => "CONVICTED",
            },
            Message::Relay(_) => "RELAY",
        }
    }

    /// Whether it is an ORDER, which ByzID-W signs.
    #[must_use]
    pub fn is_order(&self) -> bool {
        matches!(self, Message::Order(_))
    }
}

macro_rules! into_message {
    ($($variant:ident($type:ty)),*) => {$(
        impl From<$type> for crate::Message {
            fn from(message: $type) -> Self {
                crate::Message::ByzId(Message::$variant(message))
            }
        }
    )*};
}
into_message!(
    Order(Order),
    Ack(Ack),
    Checkpoint(Checkpoint),
    StableCheckpoint(StableCheckpoint),
    Fetch(Fetch),
    AskBatch(AskBatch),
    Fetched(Fetched),
    Reconfigure(Box<Reconfigure>),
    NewConfig(Box<NewConfig>),
    Joined(Joined),
    Control(Control),
    Relay(Relay)
);
