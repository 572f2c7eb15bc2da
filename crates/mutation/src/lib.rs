//! Named defects that can be switched on, one at a time, to see whether the checkers find them.
//!
//! Only builds with the feature `mutations` contain a line of this crate; there it is a process-wide switch, so that a
//! mutant behaves alike on every thread. A release build has no switch to throw.

#![no_std]

use core::sync::atomic::{AtomicU16, Ordering};

static ACTIVE: AtomicU16 = AtomicU16::new(0);

/// Switches on the one `defect`, or all off.
pub fn activate(defect: Option<Defect>) {
    ACTIVE.store(defect.map_or(0, |defect| defect as u16 + 1), Ordering::Relaxed);
}

/// Whether `defect` is switched on.
#[inline]
#[must_use]
pub fn is_active(defect: Defect) -> bool {
    ACTIVE.load(Ordering::Relaxed) == defect as u16 + 1
}

macro_rules! defects {
    ($($variant:ident = $name:literal: $protocol:literal, $breaks:literal;)*) => {
        /// A defect by name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Defect { $(#[doc = $breaks] $variant,)* }

        impl Defect {
            /// Every defect, in the order of their declaration.
            pub const ALL: &[Defect] = &[$(Defect::$variant,)*];

            /// The name under which it is listed.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name,)* }
            }

            /// The protocol in which it is looked for.
            #[must_use]
            pub const fn protocol(self) -> &'static str {
                match self { $(Defect::$variant => $protocol,)* }
            }

            /// The smallest f with which it makes a difference.
            #[must_use]
            pub const fn f(self) -> usize {
                match self {
                    // With f = 1, f-1 CHECKPOINTs are none, and the monitor only counts when one comes.
                    Defect::MonitorCheckpointQuorum => 2,
                    _ => 1,
                }
            }

            /// What it breaks.
            #[must_use]
            pub const fn breaks(self) -> &'static str {
                match self { $(Defect::$variant => $breaks,)* }
            }
        }
    };
}

defects! {
    SessionsLost = "sessions-lost": "byzid", "a snapshot leaves out the session table: a retransmitted request runs twice";
    SessionsIgnored = "sessions-ignored": "byzid", "a request that was executed already is executed again";
    SessionsFloorless = "sessions-floorless": "byzid", "a request of a session that was forgotten is taken for a new one, and runs again";
    ClientQuorum = "client-quorum": "byzid", "the client accepts f matching replies instead of f+1";
    AssentUnread = "assent-unread": "byzid", "an assent counts for whatever the speaker says, and not only for what it is the digest of";
    MonitorConsistency = "monitor-consistency": "byzid", "consistency: an ORDER sent again to one backup may be another than was sent";
    MonitorRetransmission = "monitor-retransmission": "byzid", "retransmission: an ORDER that never went to all may go to one backup";
    MonitorNoGap = "monitor-no-gap": "byzid", "no gap: the primary may leave out places";
    MonitorFairness = "monitor-fairness": "byzid", "fairness: the primary may order requests in another order, or invent them";
    MonitorTimelyAction = "monitor-timely-action": "byzid", "timely action: a primary that orders nothing is not noticed";
    MonitorWindow = "monitor-window": "byzid", "window: the primary may run ahead of its backups without bound";
    MonitorRetransmits = "monitor-retransmits": "byzid", "an ORDER that was lost is not sent again";
    MonitorAckInTime = "monitor-ack-in-time": "byzid", "ACK in time: a backup that does not ACK is waited for";
    MonitorTrueAck = "monitor-true-ack": "byzid", "true ACK: a backup may ACK what it was not sent";
    MonitorTrueReply = "monitor-true-reply": "byzid", "true REPLY: a replica may reply from an ORDER that it does not have";
    MonitorReplyFlood = "monitor-reply-flood": "byzid", "flooding: a replica may send clients any number of replies";
    MonitorTrueCheckpoint = "monitor-true-checkpoint": "byzid", "true CHECKPOINT: a backup may vouch for a state that it has not reached";
    MonitorCheckpointQuorum = "monitor-checkpoint-quorum": "byzid", "a checkpoint counts as proven with f-1 CHECKPOINTs instead of f";
    MonitorStableCheckpoint = "monitor-stable-checkpoint": "byzid", "STABLECHECKPOINT: the primary may declare what nobody vouched for";
    MonitorStableInTime = "monitor-stable-in-time": "byzid", "STABLECHECKPOINT in time: a primary that declares nothing stable is not noticed";
    MonitorTrueReconfigure = "monitor-true-reconfigure": "byzid", "true RECONFIGURE: a replica may leave out what it has, or invent it";
    MonitorTrueNewConfig = "monitor-true-new-config": "byzid", "true NEWCONFIG: a candidate may start with other ORDERs than follow from the claims";
    MonitorStateTransfer = "monitor-state-transfer": "byzid", "true state transfer: a replica may hand a candidate another batch than was ordered";
    MonitorFlooding = "monitor-flooding": "byzid", "flooding: a replica may send as much as it likes";
    MonitorStaleInbound = "monitor-stale-inbound": "byzid", "stale configuration: what belongs to an older configuration is heard";
    MonitorStaleOutbound = "monitor-stale-outbound": "byzid", "stale configuration: a replica may go on in a configuration that its monitor has left";
    MonitorPresence = "monitor-presence": "byzid", "presence: a primary that was started again goes on leading";
    MonitorReconfigureQuorum = "monitor-reconfigure-quorum": "byzid", "a configuration is built on f claims instead of f+1";
    MonitorSealedQuorum = "monitor-sealed-quorum": "byzid", "a monitor that has forgotten counts as vouching";
    MonitorStaleClaims = "monitor-stale-claims": "byzid", "a claim from before a monitor's restart counts";
    MonitorForgottenJoins = "monitor-forgotten-joins": "byzid", "a restarted monitor joins a configuration that does not name its start";
    ByzIdReplyBeforeDurable = "byzid-reply-before-durable": "byzid", "replies leave before their record is durable";
    ByzIdAckBeforeDurable = "byzid-ack-before-durable": "byzid", "ACKs leave before their record is durable";
    ByzIdJoinedBeforeDurable = "byzid-joined-before-durable": "byzid", "JOINED leaves before the configuration is durable";
    ByzIdNoRollback = "byzid-no-rollback": "byzid", "a replica keeps what a later configuration gave up";
    ByzIdRecordsDropped = "byzid-records-dropped": "byzid", "a snapshot replaces records of places after it";
    ByzIdSealsUnchecked = "byzid-seals-unchecked": "byzid", "claims of forgotten monitors are believed without their seals";
    PaxosPromiseQuorum = "paxos-promise-quorum": "paxos", "a candidate leads with f promises instead of f+1";
    PaxosAcceptQuorum = "paxos-accept-quorum": "paxos", "a batch counts as chosen with f acceptances instead of f+1";
    PaxosPromiseNotDurable = "paxos-promise-not-durable": "paxos", "PROMISE leaves before its record is durable";
    PaxosAcceptedNotDurable = "paxos-accepted-not-durable": "paxos", "ACCEPTED leaves before its record is durable";
    PaxosRecordsDropped = "paxos-records-dropped": "paxos", "a snapshot replaces records of places after it";
    PaxosStaleBallot = "paxos-stale-ballot": "paxos", "ACCEPT of a ballot below the promise is accepted";
    PaxosAcceptedForgotten = "paxos-accepted-forgotten": "paxos", "a new leader ignores what was accepted before it";
    PaxosLowestBallot = "paxos-lowest-ballot": "paxos", "a new leader proposes what was accepted in the lowest ballot";
    PaxosStaleExecuted = "paxos-stale-executed": "paxos", "a follower executes what it accepted in a ballot before the one that says it is chosen";
    PaxosReplyEarly = "paxos-reply-early": "paxos", "the leader executes and replies before f+1 accepted";
    PaxosBallotResumed = "paxos-ballot-resumed": "paxos", "a leader that crashed begins its old ballot again";
    PaxosNoCatchUp = "paxos-no-catch-up": "paxos", "a replica that missed a batch never asks for it";
    PaxosEraIgnored = "paxos-era-ignored": "paxos", "a machine that takes another's seat votes at once, in the ballots in which the one before did";
    PbftPrepareQuorum = "pbft-prepare-quorum": "pbft", "a batch counts as prepared with 2f replicas that accepted it instead of 2f+1";
    PbftCommitQuorum = "pbft-commit-quorum": "pbft", "a batch counts as committed with 2f COMMITs instead of 2f+1";
    PbftCheckpointQuorum = "pbft-checkpoint-quorum": "pbft", "a checkpoint counts as stable with 2f CHECKPOINTs instead of 2f+1";
    PbftViewChangeQuorum = "pbft-view-change-quorum": "pbft", "a view begins, and is decided, with 2f VIEW-CHANGEs instead of 2f+1";
    PbftTwoPrePrepares = "pbft-two-pre-prepares": "pbft", "a replica accepts a second batch for the same view and place, and lets others change their votes";
    PbftRequestUnsigned = "pbft-request-unsigned": "pbft", "the client's signature on a request is not checked";
    PbftOrderUnverified = "pbft-order-unverified": "pbft", "a backup believes the order in NEW-VIEW without checking that it follows";
    PbftPreparedOmitted = "pbft-prepared-omitted": "pbft", "a VIEW-CHANGE leaves out what prepared";
    PbftPrepareForgotten = "pbft-prepare-forgotten": "pbft", "PREPARE leaves without a record, and a loss of power makes the replica forget it";
    PbftEraRunsOn = "pbft-era-runs-on": "pbft", "a replica goes on executing what an era decided after its end";
    PbftLeftAlone = "pbft-left-alone": "pbft", "nobody joins a replica that was left alone in a later view";
    PbftOldViewAccepted = "pbft-old-view-accepted": "pbft", "messages of a view that is over still count";
}
