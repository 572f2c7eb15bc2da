//! What a node says of itself to a client that asks ([`crate::aside`]).
//!
//! **Whose word.** [`Account::guard`] is the word of the process that holds the links: in ByzID, of the monitor. [`Account::replica`]
//! is what the replica says of itself: one that was broken into can write there what it likes, and nowhere else. Where the two
//! are not apart ([`Account::apart`]), all of it is worth what the replica's word is worth.
//!
//! **Bounded.** An account has at most [`ACCOUNT_BYTES_MAX`]; every list and text in it has a limit of its own.
//!
//! Not here: what the accounts of all nodes come to; that is [`crate::survey`].

use crate::between::{Standing, WHY_BYTES_MAX};
use crate::protocol::Protocol;
use monitor::QUARANTINED;
use wire::auth::NODES_MAX;
use wire::{Decode, DecodeError, Encode, NodeId, Reader, Text, View, codec_struct};

/// Bytes of an account at most.
pub const ACCOUNT_BYTES_MAX: usize = 16 << 10;

/// Bytes of the name of a program's version at most.
pub const VERSION_BYTES_MAX: usize = 64;

/// Bytes of the name of a rule at most.
pub const RULE_BYTES_MAX: usize = 32;

/// Rules of which an account can tell that they were broken, at most.
pub const ALARMS_MAX: usize = 32;

const _: () = assert!(
    ALARMS_MAX * (RULE_BYTES_MAX + 32) + NODES_MAX * 16 + WHY_BYTES_MAX + 1024 <= ACCOUNT_BYTES_MAX,
    "an account whose lists are full still fits"
);

/// What a node says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Which program answers.
    pub version: Text<VERSION_BYTES_MAX>,
    /// Which protocol it runs.
    pub protocol: Protocol,
    /// Whether guard and replica are processes of their own.
    pub apart: bool,
    /// The word of whoever holds the links.
    pub guard: GuardPart,
    /// The word of the replica; nothing while there is none.
    pub replica: Option<Standing>,
}

/// What the guard says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardPart {
    /// Milliseconds since it was started.
    pub uptime_ms: u64,
    /// The nodes to which a link stands.
    pub links_up: Vec<NodeId>,
    /// Frames that came.
    pub heard: u64,
    /// Frames that went.
    pub said: u64,
    /// Messages that were not let through.
    pub refused: u64,
    /// Connections that came in and were closed for what was at their other end: strangers, as a rule.
    pub connections_refused: u64,
    /// Words of the replica's that were none.
    pub words_refused: u64,
    /// What it sees of the replica.
    pub replica: Beside,
    /// The monitor, where there is one.
    pub monitor: Option<MonitorPart>,
    /// The rules that the replica broke, the latest last.
    pub alarms: Vec<Raised>,
}

/// A replica as whoever stands beside it sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beside {
    /// Whether it runs.
    pub up: bool,
    /// How often it was started.
    pub starts: u64,
    /// Milliseconds since it last said how it stands.
    pub silent_ms: u64,
    /// Why it was last given up, if it ever was.
    pub end: Option<End>,
}

/// The end of a replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Why.
    pub why: Text<WHY_BYTES_MAX>,
    /// Milliseconds since.
    pub ago_ms: u64,
}

/// Where a monitor stands: [`monitor::Standing`], which knows nothing of encodings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stands {
    /// In its configuration.
    Member,
    /// On the way to another.
    Changing,
    /// In none, since it was started again, or stands by.
    Forgotten,
    /// In none ever again.
    Quarantined,
}

impl From<monitor::Standing> for Stands {
    fn from(standing: monitor::Standing) -> Self {
        match standing {
            monitor::Standing::Member => Stands::Member,
            monitor::Standing::Changing => Stands::Changing,
            monitor::Standing::Forgotten => Stands::Forgotten,
            monitor::Standing::Quarantined => Stands::Quarantined,
        }
    }
}

impl Encode for Stands {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(match self {
            Stands::Member => 0,
            Stands::Changing => 1,
            Stands::Forgotten => 2,
            Stands::Quarantined => 3,
        });
    }
}

impl Decode for Stands {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(Stands::Member),
            1 => Ok(Stands::Changing),
            2 => Ok(Stands::Forgotten),
            3 => Ok(Stands::Quarantined),
            tag => Err(DecodeError::UnknownTag { of: "standing of a monitor", tag }),
        }
    }
}

/// What the monitor says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MonitorPart {
    /// Which start of it this is.
    pub incarnation: u64,
    /// Where it stands.
    pub standing: Stands,
    /// The configuration that it entered last.
    pub view: View,
    /// Its members, in the order of their slots.
    pub members: Vec<MemberPart>,
    /// The configuration that it wants: while that is a later one, it suspects whoever leads this one.
    pub wants: View,
    /// The configuration that it has promised.
    pub promised: View,
    /// Whether what the replica says goes out without the monitor's word as long as the monitor can give none (`fail = "open"`).
    pub fails_open: bool,
    /// The rule of whose breach the replica was proven guilty.
    pub guilty: Option<Text<RULE_BYTES_MAX>>,
}

/// A member of a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemberPart {
    /// Which node.
    pub node: NodeId,
    /// The start of its monitor that takes part.
    pub incarnation: u64,
}

impl MemberPart {
    /// Whether its replica was proven guilty.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        self.incarnation == QUARANTINED
    }
}

/// A rule that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raised {
    /// Its name.
    pub rule: Text<RULE_BYTES_MAX>,
    /// Whether no correct replica would have done it.
    pub proof: bool,
    /// In which configuration, the last time.
    pub view: View,
    /// How often.
    pub times: u64,
    /// Milliseconds since the last time.
    pub ago_ms: u64,
}

codec_struct!(Account |from| { version, protocol, apart, guard, replica });
codec_struct!(GuardPart |from| {
    uptime_ms,
    links_up = from.list("links", NODES_MAX),
    heard,
    said,
    refused,
    connections_refused,
    words_refused,
    replica,
    monitor,
    alarms = from.list("alarms", ALARMS_MAX),
});
codec_struct!(Beside |from| { up, starts, silent_ms, end });
codec_struct!(End |from| { why, ago_ms });
codec_struct!(MonitorPart |from| {
    incarnation,
    standing,
    view,
    members = from.list("members", NODES_MAX),
    wants,
    promised,
    fails_open,
    guilty,
});
codec_struct!(MemberPart |from| { node, incarnation });
codec_struct!(Raised |from| { rule, proof, view, times, ago_ms });

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::between::{LogStanding, Tally};
    use crate::replica::Status;
    use wire::{Digest, Sequence};

    /// A backup of configuration 3, which node 0 leads, with nothing to complain of.
    pub(crate) fn account() -> Account {
        let members = [0, 1, 2].map(|node| MemberPart { node: NodeId(node), incarnation: 0 });
        let monitor = MonitorPart {
            incarnation: 0,
            standing: Stands::Member,
            view: View(3),
            members: members.to_vec(),
            wants: View(3),
            promised: View(3),
            fails_open: false,
            guilty: None,
        };
        let status = Status {
            view: View(3),
            primary: NodeId(0),
            normal: true,
            executed: Sequence(100),
            stable: Sequence(64),
            state: Digest([5; 32]),
            sessions: 2,
        };
        let log = LogStanding { writes: 300, unsynced: 0, segments: 1, bytes: 16 << 20 };
        Account {
            version: Text::cut("0.1.0"),
            protocol: Protocol::ByzId,
            apart: true,
            guard: GuardPart {
                uptime_ms: 60_000,
                links_up: [0, 1, 2].map(NodeId).to_vec(),
                heard: 7,
                said: 8,
                refused: 9,
                connections_refused: 0,
                words_refused: 0,
                replica: Beside { up: true, starts: 1, silent_ms: 90, end: None },
                monitor: Some(monitor),
                alarms: Vec::new(),
            },
            replica: Some(Standing { status, tally: Tally::default(), log }),
        }
    }

    /// One with everything in it that can be.
    pub(crate) fn full() -> Account {
        let mut account = account();
        let guard = &mut account.guard;
        guard.links_up = (0..NODES_MAX as u16).map(NodeId).collect();
        let end = End { why: Text::cut(&"x".repeat(WHY_BYTES_MAX)), ago_ms: 1 };
        guard.replica.end = Some(end);
        let rule = Text::cut(&"r".repeat(RULE_BYTES_MAX));
        guard.alarms =
            vec![Raised { rule: rule.clone(), proof: true, view: View(2), times: 3, ago_ms: 4 }; ALARMS_MAX];
        let monitor = guard.monitor.as_mut().expect("it has one");
        monitor.members = vec![MemberPart { node: NodeId(1), incarnation: QUARANTINED }; NODES_MAX];
        monitor.guilty = Some(rule);
        account
    }

    #[test]
    fn an_account_is_read_back_and_the_fullest_is_within_its_limit() {
        for account in [account(), full(), Account { replica: None, ..account() }] {
            assert_eq!(Account::from_bytes(account.to_bytes()), Ok(account.clone()));
            assert!(account.to_bytes().len() <= ACCOUNT_BYTES_MAX);
        }
    }

    #[test]
    fn every_rule_has_a_name_that_fits() {
        assert!(monitor::Rule::ALL.len() <= ALARMS_MAX);
        assert!(monitor::Rule::ALL.iter().all(|rule| rule.name().len() <= RULE_BYTES_MAX));
    }
}
