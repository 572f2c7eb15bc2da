//! What can go wrong, as a list of things that begin and end.
//!
//! A run's adversity is data: a list of [`Fault`]s, each of which can be taken out without touching the others. That is
//! what makes a failing run shrinkable and its plan readable.

use crate::crew::station;
use crate::network::{Conditions, Flap, PeerSet};
use core::fmt;
use core::time::Duration;
use wire::{Peer, Time};

/// One thing that goes wrong for a while.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fault {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub until: Time,
    /// What it is.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum FaultKind {
    /// Frames are lost, so many in a thousand.
    Loss {
        /// How many.
        permille: u32,
    },
    /// Everything takes longer.
    Delay {
        /// By this much.
        extra: Duration,
    },
    /// Frames arrive twice, so many in a thousand.
    Duplication {
        /// How many.
        permille: u32,
    },
    /// Frames on the same link overtake each other.
    Reordering,
    /// Bits flip in so many frames in a thousand.
    Corruption {
        /// How many.
        permille: u32,
    },
    /// Nobody in `side` hears anybody outside it, nor the other way round, but for a bridge. (Alfatafta et al., "Toward a
    /// Generic Fault Tolerance Technique for Partial Network Partitioning", 2020: that some hear both sides is as common
    /// as a clean cut, and harder.)
    Partition {
        /// The peers on one side.
        side: PeerSet,
        /// The peers that both sides hear, and that hear both.
        bridge: PeerSet,
    },
    /// Frames from a peer in `from` to one in `to` are lost; those the other way are not.
    OneWay {
        /// Who is not heard.
        from: PeerSet,
        /// By whom.
        to: PeerSet,
    },
    /// Whoever leads when it begins is not heard by these others, though it may hear them.
    MutePrimary {
        /// By whom.
        by: PeerSet,
        /// Whether it does not hear them either.
        deaf: bool,
    },
    /// One link comes and goes.
    Flapping(Flap),
    /// The process of a replica dies; it is started again at the end.
    Crash {
        /// Which node.
        node: u8,
    },
    /// Whoever leads when it begins crashes, if it is one of these; it is started again at the end.
    CrashPrimary {
        /// The nodes that may be hit.
        of: PeerSet,
    },
    /// A replica crashes, again and again, whenever it has writes that are not durable yet, and is up again at once.
    CrashMidWrite {
        /// Which node.
        node: u8,
    },
    /// A whole node, monitor and all, loses its power; it gets it back at the end.
    Blackout {
        /// Which node.
        node: u8,
    },
    /// All nodes lose their power at once and get it back at once.
    PowerLoss,
    /// A disk is so many times slower.
    SlowDisk {
        /// Whose.
        node: u8,
        /// How many times.
        slowness: u64,
    },
    /// A clock runs fast, or slow if negative.
    ClockDrift {
        /// Whose.
        node: u8,
        /// In parts per thousand.
        permille: i64,
    },
    /// A process stands still, and then goes on as if nothing had been.
    Pause {
        /// Which node's.
        node: u8,
    },
    /// Whoever leads when it begins stands still, if it is one of these, and then goes on as if nothing had been.
    PausePrimary {
        /// The nodes that may be hit.
        of: PeerSet,
    },
    /// The monitor of a node crashes; a new one, without memory, is started at the end.
    MonitorCrash {
        /// Which node's.
        node: u8,
    },
    /// The machine of a node is taken out, and another one, with an empty disk, takes its seat, once clients have agreed to that:
    /// it begins with the wish, and ends with the new machine, if that is agreed on by then.
    Replaced {
        /// Which node's.
        node: u8,
        /// Whether the old machine is gone from the beginning. Else it runs until the new one does.
        dead: bool,
    },
    /// A client sends requests with proofs that only some replicas find valid, to some replicas only, and again later.
    LyingClient {
        /// Which client, from 0.
        client: u8,
    },
    /// Somebody who is no member and no client sends frames to the nodes.
    Outsider {
        /// How often.
        every: Duration,
    },
}

impl FaultKind {
    /// Its name, for counting.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Loss { .. } => "loss",
            FaultKind::Delay { .. } => "delay",
            FaultKind::Duplication { .. } => "duplication",
            FaultKind::Reordering => "reordering",
            FaultKind::Corruption { .. } => "corruption",
            FaultKind::Partition { .. } => "partition",
            FaultKind::OneWay { .. } => "one-way cut",
            FaultKind::MutePrimary { .. } => "mute primary",
            FaultKind::Flapping(_) => "link flaps",
            FaultKind::Crash { .. } => "crash",
            FaultKind::CrashPrimary { .. } => "crash of the primary",
            FaultKind::CrashMidWrite { .. } => "crashes mid-write",
            FaultKind::Blackout { .. } => "blackout",
            FaultKind::PowerLoss => "power loss",
            FaultKind::SlowDisk { .. } => "slow disk",
            FaultKind::ClockDrift { .. } => "clock drift",
            FaultKind::Pause { .. } => "pause",
            FaultKind::PausePrimary { .. } => "pause of the primary",
            FaultKind::MonitorCrash { .. } => "monitor crash",
            FaultKind::Replaced { .. } => "replaced",
            FaultKind::LyingClient { .. } => "lying client",
            FaultKind::Outsider { .. } => "outsider",
        }
    }

    /// Adds what this does to the network; `struck` is the node that it hit, if it chose one when it began.
    pub fn apply(&self, struck: Option<usize>, conditions: &mut Conditions) {
        match self {
            FaultKind::Loss { permille } => {
                conditions.loss_permille = conditions.loss_permille.max(*permille)
            }
            FaultKind::Delay { extra } => conditions.delay = conditions.delay.max(*extra),
            FaultKind::Duplication { permille } => {
                conditions.duplicate_permille = conditions.duplicate_permille.max(*permille);
            }
            FaultKind::Reordering => conditions.reorder = true,
            FaultKind::Corruption { permille } => {
                conditions.corrupt_permille = conditions.corrupt_permille.max(*permille);
            }
            FaultKind::Partition { side, bridge } => {
                let (one, other) = (side & !bridge, !side & !bridge);
                conditions.cut_between(one, other);
                conditions.cut_between(other, one);
            }
            FaultKind::OneWay { from, to } => conditions.cut_between(*from, *to),
            FaultKind::MutePrimary { by, deaf } => {
                let primary = struck.map_or(0, |node| 1 << node);
                conditions.cut_between(primary, *by);
                if *deaf {
                    conditions.cut_between(*by, primary);
                }
            }
            FaultKind::Flapping(flap) => conditions.flaps.push(*flap),
            FaultKind::Crash { .. }
            | FaultKind::CrashPrimary { .. }
            | FaultKind::CrashMidWrite { .. }
            | FaultKind::Blackout { .. }
            | FaultKind::PowerLoss
            | FaultKind::SlowDisk { .. }
            | FaultKind::ClockDrift { .. }
            | FaultKind::Pause { .. }
            | FaultKind::PausePrimary { .. }
            | FaultKind::MonitorCrash { .. }
            | FaultKind::Replaced { .. }
            | FaultKind::LyingClient { .. }
            | FaultKind::Outsider { .. } => {}
        }
    }
}

/// The peers of a set by name, as far as they exist: `p0 p2 c1`.
struct Names(PeerSet);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> =
            (0..64).filter(|index| self.0 >> index & 1 == 1).map(|index| format!("#{index}")).collect();
        f.write_str(&names.join(" "))
    }
}

impl fmt::Display for FaultKind {
    /// In words. Peers in sets are named by index: nodes first, then clients.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Loss { permille } => write!(f, "{permille} ‰ of all frames are lost"),
            FaultKind::Delay { extra } => write!(f, "every frame takes {extra:?} longer"),
            FaultKind::Duplication { permille } => write!(f, "{permille} ‰ of all frames arrive twice"),
            FaultKind::Reordering => write!(f, "frames overtake each other"),
            FaultKind::Corruption { permille } => write!(f, "bits flip in {permille} ‰ of all frames"),
            FaultKind::Partition { side, bridge: 0 } => {
                write!(f, "{} and the others do not hear each other", Names(*side))
            }
            FaultKind::Partition { side, bridge } => {
                let (side, bridge) = (Names(*side & !*bridge), Names(*bridge));
                write!(f, "{side} and the others do not hear each other, but {bridge} hear both")
            }
            FaultKind::OneWay { from, to } => write!(f, "{} do not hear {}", Names(*to), Names(*from)),
            FaultKind::MutePrimary { by, deaf } => {
                let deaf = if *deaf { ", and does not hear them" } else { "" };
                write!(f, "the primary is not heard by {}{deaf}", Names(*by))
            }
            FaultKind::Flapping(flap) => {
                write!(
                    f,
                    "the link between #{} and #{} comes and goes every {:?}",
                    flap.one, flap.other, flap.period
                )
            }
            FaultKind::Crash { node } => write!(f, "the replica of p{node} is down"),
            FaultKind::CrashPrimary { of } => {
                write!(f, "the primary is down, if it is one of {}", Names(*of))
            }
            FaultKind::CrashMidWrite { node } => {
                write!(f, "the replica of p{node} crashes whenever it writes")
            }
            FaultKind::Blackout { node } => write!(f, "all of p{node} is without power"),
            FaultKind::PowerLoss => write!(f, "all nodes are without power"),
            FaultKind::SlowDisk { node, slowness } => {
                write!(f, "the disk of p{node} is {slowness} times slower")
            }
            FaultKind::ClockDrift { node, permille } => write!(f, "the clock of p{node} runs {permille:+} ‰"),
            FaultKind::Pause { node } => write!(f, "p{node} stands still"),
            FaultKind::PausePrimary { of } => {
                write!(f, "the primary stands still, if it is one of {}", Names(*of))
            }
            FaultKind::MonitorCrash { node } => write!(f, "the monitor of p{node} is down"),
            FaultKind::Replaced { node, dead: true } => {
                write!(f, "p{node} is lost, and another machine takes its seat")
            }
            FaultKind::Replaced { node, dead: false } => {
                write!(f, "another machine takes the seat of p{node}")
            }
            FaultKind::LyingClient { client } => {
                write!(f, "{} lies", Peer::Client(station(usize::from(*client))))
            }
            FaultKind::Outsider { every } => write!(f, "an outsider sends something every {every:?}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Time| (time.0 / 1_000_000, time.0 / 1000 % 1000);
        let ((from, from_micros), (until, until_micros)) = (millis(self.from), millis(self.until));
        write!(f, "{from}.{from_micros:03} to {until}.{until_micros:03} ms: {}", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_cuts_both_ways_and_a_one_way_cut_does_not() {
        let mut conditions = Conditions::default();
        FaultKind::Partition { side: 0b001, bridge: 0 }.apply(None, &mut conditions);
        assert_eq!((conditions.cut[0] & 0b111, conditions.cut[1] & 0b111), (0b110, 0b001));
        let mut conditions = Conditions::default();
        FaultKind::Partition { side: 0b001, bridge: 0b100 }.apply(None, &mut conditions);
        assert_eq!((conditions.cut[0] & 0b111, conditions.cut[1] & 0b111), (0b010, 0b001));
        assert_eq!(conditions.cut[2], 0, "the bridge hears both sides and both hear it");
        let mut conditions = Conditions::default();
        FaultKind::OneWay { from: 0b001, to: 0b110 }.apply(None, &mut conditions);
        assert_eq!((conditions.cut[0], conditions.cut[1]), (0b110, 0));
    }

    #[test]
    fn a_fault_reads_as_a_sentence() {
        let fault =
            Fault { from: Time(1_500_000), until: Time(2_000_000), kind: FaultKind::Crash { node: 2 } };
        assert_eq!(fault.to_string(), "1.500 to 2.000 ms: the replica of p2 is down");
    }
}
