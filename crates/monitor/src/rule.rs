//! The rules, by the names under which the paper states them, and what breaking one costs.

/// What the specification demands of the replica beside the monitor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// The primary sends the same ORDER to everyone: it leaves the replica once, and the monitor fans it out.
    Consistency,
    /// The primary numbers its ORDERs without gaps.
    NoGap,
    /// The primary orders requests first come, first served, and none that no client sent.
    Fairness,
    /// The primary orders a waiting request in time.
    TimelyAction,
    /// The primary keeps at most τ ORDERs outstanding, and none beyond the log's end.
    Window,
    /// An ORDER sent again is the one that was sent.
    Retransmission,
    /// A backup ACKs in time.
    AckInTime,
    /// A backup ACKs only what it was sent.
    TrueAck,
    /// A replica replies only from ORDERs that it has.
    TrueReply,
    /// A replica sends a CHECKPOINT only where one is due, and one digest per place.
    TrueCheckpoint,
    /// The primary declares a checkpoint stable only with f matching CHECKPOINTs.
    StableCheckpoint,
    /// The primary declares a checkpoint stable in time.
    StableCheckpointInTime,
    /// A RECONFIGURE tells all that the replica ever said it had, as the monitor logged it.
    TrueReconfigure,
    /// A NEWCONFIG follows from f+1 RECONFIGUREs as the specification computes it.
    TrueNewConfig,
    /// A state transfer hands out what the monitor's log says.
    TrueStateTransfer,
    /// A replica sends only the kinds of messages that its role has, and no more of them than the protocol needs.
    Flooding,
    /// What belongs to an older configuration is dead.
    StaleConfiguration,
    /// A replica that leads is there: one that stopped has lost the thread when it is back, and hands over.
    Presence,
}

/// What a broken rule says about the replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// No correct replica does this. The node is quarantined.
    Proof,
    /// A correct replica may do this on a bad day. It costs the role, not the membership: were it otherwise, a slow
    /// hour would quarantine the whole cluster.
    Timing,
    /// A correct replica does this when a message crosses another. The message is blocked and counted, no more.
    Crossing,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 18] = [
        Rule::Consistency,
        Rule::NoGap,
        Rule::Fairness,
        Rule::TimelyAction,
        Rule::Window,
        Rule::Retransmission,
        Rule::AckInTime,
        Rule::TrueAck,
        Rule::TrueReply,
        Rule::TrueCheckpoint,
        Rule::StableCheckpoint,
        Rule::StableCheckpointInTime,
        Rule::TrueReconfigure,
        Rule::TrueNewConfig,
        Rule::TrueStateTransfer,
        Rule::Flooding,
        Rule::StaleConfiguration,
        Rule::Presence,
    ];

    /// The name under which it is reported.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Consistency => "consistency",
            Rule::NoGap => "no gap",
            Rule::Fairness => "fairness",
            Rule::TimelyAction => "timely action",
            Rule::Window => "window",
            Rule::Retransmission => "retransmission",
            Rule::AckInTime => "ACK in time",
            Rule::TrueAck => "true ACK",
            Rule::TrueReply => "true REPLY",
            Rule::TrueCheckpoint => "true CHECKPOINT",
            Rule::StableCheckpoint => "STABLECHECKPOINT",
            Rule::StableCheckpointInTime => "STABLECHECKPOINT in time",
            Rule::TrueReconfigure => "true RECONFIGURE",
            Rule::TrueNewConfig => "true NEWCONFIG",
            Rule::TrueStateTransfer => "true state transfer",
            Rule::Flooding => "flooding",
            Rule::StaleConfiguration => "stale configuration",
            Rule::Presence => "presence",
        }
    }

    /// What breaking it says about the replica.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Rule::Consistency
            | Rule::NoGap
            | Rule::Fairness
            | Rule::Window
            | Rule::Retransmission
            | Rule::TrueAck
            | Rule::TrueReply
            | Rule::TrueCheckpoint
            | Rule::StableCheckpoint
            | Rule::TrueReconfigure
            | Rule::TrueStateTransfer
            | Rule::Flooding => Severity::Proof,
            Rule::TimelyAction | Rule::AckInTime | Rule::StableCheckpointInTime | Rule::Presence => {
                Severity::Timing
            }
            // A claim may have changed while the NEWCONFIG was made of it.
            Rule::TrueNewConfig | Rule::StaleConfiguration => Severity::Crossing,
        }
    }
}
