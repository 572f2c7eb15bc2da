//! The parts put together: one monitor beside one replica.
//!
//! - [`inbound`](self): what other nodes and clients send, before the replica sees it;
//! - outbound: what the replica sends, before anybody else sees it;
//! - reconfigure: suspicion, claims, the way into the next configuration;
//! - time: everything that happens because nothing happened.
//!
//! A monitor is in one of four standings:
//!   - **member**: it takes part in the configuration that it entered;
//!   - **changing**: it promised a later one and is not yet in it: nothing of the old one passes any more;
//!   - **forgotten**: it was started again; nothing passes but what leads into a configuration that names its start;
//!   - **quarantined**: its replica was proven guilty; nothing passes, ever.

mod inbound;
mod outbound;
mod reconfigure;
#[cfg(test)]
mod tests;
mod time;

pub use inbound::Heard;
pub use outbound::Sent;

use crate::Specification;
use crate::claim::Claim;
use crate::configuration::{Configuration, Member};
use crate::flood::Bucket;
use crate::following::Following;
use crate::ids::{Digest, FIRST, Incarnation, Node, QUARANTINED, Sequence, Span, Time, View};
use crate::log::Log;
use crate::ordering::Ordering;
use crate::queue::Request;
use crate::rule::{Rule, Severity};
use crate::suspicion::Suspicion;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Configurations in which the replica may be, besides the one entered, at most. Each is one that failed since.
const ELSEWHERE_MAX: usize = 8;

/// What one monitor says to another. No replica can send these.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Control {
    /// The primary is there.
    Beat {
        /// Its configuration.
        view: View,
        /// Its last ORDER.
        last: Sequence,
    },
    /// The sender wants the configuration `target`.
    Suspect {
        /// What it wants.
        target: View,
        /// What it has promised.
        promised: View,
    },
    /// The replica beside the sender broke a rule.
    Alert {
        /// In which configuration.
        view: View,
        /// Whether no correct replica would have done it.
        proof: bool,
    },
    /// The replica of `node` was proven guilty: its own monitor said so to the sender, or to another.
    Convicted {
        /// Whose.
        node: Node,
    },
    /// The sender was started again.
    Rejoin {
        /// This start of it.
        incarnation: Incarnation,
    },
    /// The sender leads `target` if f+1 send it their claims (the paper's RECONREQUEST).
    ReconRequest {
        /// The configuration to be.
        target: View,
    },
}

/// What a monitor tells the replica beside it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// The monitor is gone and the node goes on without: what the monitor would send again, send yourself.
    Unmonitored,
    /// Stop ordering and executing; send your claim for `target` to `candidate`.
    Reconfigure {
        /// The configuration to be.
        target: View,
        /// Who is to lead it.
        candidate: Node,
        /// Whether this monitor has forgotten, so that only seals can prove the claim.
        prove: bool,
    },
}

/// What a monitor wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Say this to every other member.
    Broadcast(Control),
    /// Send the ORDER at this place to this node again.
    ResendOrder(Node, Sequence),
    /// Send the NEWCONFIG to this node again.
    ResendNewConfig(Node),
    /// Send the last STABLECHECKPOINT to this node again.
    ResendStable(Node),
    /// Tell the replica.
    Notice(Notice),
    /// Tell the operator.
    Alarm(Rule),
    /// A configuration was entered.
    Entered,
}

/// What becomes of a message from another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// Hand it to the replica.
    Deliver,
    /// It belongs to a configuration or a place that is over.
    Stale,
    /// It is further ahead than there is room for, or of a configuration not entered yet.
    Ahead,
    /// Its sender may not send it.
    NotAllowed,
    /// It contradicts what is known.
    Contradiction,
}

/// Where a monitor stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// It takes part in the configuration that it entered.
    Member,
    /// It promised a later one and is not yet in it.
    Changing,
    /// It was started again, or stands by: it is in no configuration.
    Forgotten,
    /// Its replica was proven guilty.
    Quarantined,
}

/// A NEWCONFIG as the monitor sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NewConfig {
    /// The configuration, with its members.
    pub configuration: Configuration,
    /// Whose claims it is built on.
    pub claimants: Vec<Node>,
    /// The stable checkpoint that it starts from.
    pub stable: Sequence,
    /// Its digest.
    pub stable_digest: Digest,
    /// The ORDERs that it starts with: the paper's O.
    pub orders: Vec<Digest>,
}

/// A configuration on whose threshold the replica stands: it got the NEWCONFIG and fetches what it lacks.
#[derive(Clone, Hash, Debug)]
struct Threshold {
    configuration: Configuration,
    log: Log,
    last: Sequence,
}

/// A configuration other than the one entered in which the replica may be.
#[derive(Clone, Hash, Debug)]
struct Elsewhere {
    configuration: Configuration,
    log: Log,
    said: Sequence,
}

/// The monitor beside one replica.
#[derive(Clone, Hash, Debug)]
pub struct Monitor<R> {
    spec: Specification,
    me: Node,
    incarnation: Incarnation,
    member: bool,
    guilty: Option<Rule>,
    replica_up: bool,
    configuration: Configuration,
    spares: Vec<Node>,
    log: Log,
    ordering: Ordering<R>,
    following: Following,
    bucket: Bucket,
    /// For requests that clients show where nobody orders them.
    relays: Bucket,
    /// For answers: how many a replica sends is up to those who ask, so this one never convicts.
    answers: Bucket,
    suspicion: Suspicion,
    /// The newest start of each node's monitor that this one knows of.
    known: BTreeMap<Node, Incarnation>,
    threshold: Option<Threshold>,
    /// Where the replica may be instead of in the configuration entered:
    ///   - beyond a threshold that was left without a JOINED: it may have crossed it before it was stopped;
    ///   - in the configurations from before it proposed the one that it leads, until it first says that it has that one
    ///     on its disk: if it crashes before, it comes back with one of these.
    elsewhere: Vec<Elsewhere>,
    /// The monitor had forgotten when its replica proposed the configuration that it leads, and the replica has not yet said
    /// that it has that one on its disk. Of what the replica had before, only seals can tell.
    unsure: bool,
    /// To whom, and to which start of its monitor, the claim for the configuration promised was given.
    claimed_to: Option<Member>,
    /// The claims for the configuration that this node is to lead, while it gathers them.
    claims: Option<BTreeMap<Node, Claim>>,
    heard_at: Time,
    entered_at: Time,
    beat_at: Time,
    retransmit_at: Time,
    /// Since when enough monitors want a later configuration than this one's, and which.
    change_since: Option<Time>,
    change_to: View,
    repeat_at: Option<Time>,
    handing_over: bool,
    /// Configurations that did not come about since the last one entered.
    failed_changes: u32,
}

impl<R: Request> Monitor<R> {
    /// The monitor of `me` in a cluster whose first configuration has these `members`, and these `spares`. Its
    /// `incarnation` is [`FIRST`] if it has never run before; else it has forgotten.
    pub fn new(
        spec: Specification,
        me: Node,
        incarnation: Incarnation,
        members: &[Node],
        spares: &[Node],
        now: Time,
    ) -> Self {
        let first = |node: &Node| Member { node: *node, incarnation: FIRST };
        let configuration = Configuration { view: View(0), members: members.iter().map(first).collect() };
        let slot = configuration.slot(me);
        let log = Log::new(Sequence(0), [0; 32], &[], spec.log_orders_max);
        let n = configuration.members.len();
        let mut known: BTreeMap<Node, Incarnation> =
            members.iter().chain(spares).map(|node| (*node, FIRST)).collect();
        known.insert(me, incarnation);
        Monitor {
            me,
            incarnation,
            member: incarnation == FIRST && slot.is_some(),
            guilty: None,
            replica_up: true,
            ordering: Ordering::new(&spec, slot.unwrap_or(n), n, Sequence(0), true),
            following: Following::new(&spec, Sequence(0)),
            bucket: Bucket::full(),
            relays: Bucket::full(),
            answers: Bucket::full(),
            suspicion: if incarnation == FIRST {
                Suspicion::none(View(0))
            } else {
                Suspicion::of_forgotten()
            },
            known,
            threshold: None,
            elsewhere: Vec::new(),
            unsure: false,
            claimed_to: None,
            claims: None,
            heard_at: now,
            entered_at: now,
            beat_at: now.after(spec.heartbeat_every),
            retransmit_at: now.after(spec.retransmit_after),
            change_since: None,
            change_to: View(0),
            repeat_at: (incarnation != FIRST).then_some(now),
            handing_over: false,
            failed_changes: 0,
            spares: spares.to_vec(),
            configuration,
            log,
            spec,
        }
    }

    /// The node beside whose replica it stands.
    pub fn me(&self) -> Node {
        self.me
    }

    /// Which start of it this is.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The configuration that it entered last.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The ORDERs of that configuration.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What is late at present, but for what there is to spare: a request that waits for its ORDER, an ACK. Shown to the operator.
    pub fn bounds(&self) -> (Span, Span) {
        (self.ordering.act.bound(), self.following.ack.bound())
    }

    /// The rule of whose breach the replica was proven guilty, if it was.
    pub fn guilty(&self) -> Option<Rule> {
        self.guilty
    }

    /// Whether it has forgotten and not yet found its way into a configuration.
    pub fn has_forgotten(&self) -> bool {
        !self.member
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        match (self.guilty, self.member) {
            (Some(_), _) => Standing::Quarantined,
            (None, false) => Standing::Forgotten,
            (None, true) if self.is_normal() => Standing::Member,
            (None, true) => Standing::Changing,
        }
    }

    /// Which configurations it is content with no more, and what it has promised.
    pub fn suspicion(&self) -> &Suspicion {
        &self.suspicion
    }

    /// The requests that wait for the primary's replica to order them.
    pub fn waiting(&self) -> impl Iterator<Item = &R> {
        self.ordering.queue.iter()
    }

    /// Whether messages of the entered configuration pass.
    fn is_normal(&self) -> bool {
        self.member && self.guilty.is_none() && self.suspicion.promised <= self.configuration.view
    }

    /// Whether what the replica says now is measured by the rules of the present configuration. It is not once its node was
    /// convicted, promised a later configuration, or as the primary hands over; then nothing of it passes, whatever it is.
    pub fn judges(&self) -> bool {
        self.is_normal() && !self.handing_over
    }

    /// Whether the replica may act as the primary.
    fn leads(&self) -> bool {
        self.is_normal() && self.configuration.primary() == self.me
    }

    fn slot_of(&self, node: Node) -> Option<usize> {
        self.configuration.slot(node)
    }

    /// The replica broke `rule`: blocks what it sent, and does what the rule's severity asks for.
    fn violate(&mut self, now: Time, rule: Rule, actions: &mut Vec<Action>) -> Rule {
        match rule.severity() {
            Severity::Crossing => {}
            Severity::Timing => {
                actions.push(Action::Alarm(rule));
                self.hand_over(now, actions);
            }
            Severity::Proof => {
                if self.guilty.is_none() {
                    self.guilty = Some(rule);
                    actions.push(Action::Alarm(rule));
                    self.repeat_at = Some(now);
                    actions.push(Action::Broadcast(Control::Alert {
                        view: self.configuration.view,
                        proof: true,
                    }));
                }
            }
        }
        rule
    }

    /// Says that it is not in order here; a primary goes with that.
    fn hand_over(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.leads() {
            self.handing_over = true;
            self.suspicion.give_up(self.configuration.view.next());
        }
        self.repeat_at = Some(now);
        actions.push(Action::Broadcast(Control::Alert { view: self.configuration.view, proof: false }));
    }

    /// Starts and stops the timers of both roles after anything that may have changed what is owed.
    fn watch(&mut self, now: Time) {
        if self.leads() && !self.handing_over {
            let has_room = self.ordering.has_room(&self.spec, self.log.end());
            self.ordering.watch(now, has_room);
        } else {
            self.ordering.act.forgive();
        }
        if self.is_normal() && self.configuration.primary() != self.me && self.replica_up {
            self.following.watch(now, self.log.contiguous(), self.log.stable());
        } else {
            self.following.ack.forgive();
        }
    }

    /// Whether a member takes no part: it is quarantined, or its monitor was started again after this configuration was made.
    fn is_absent(&self, member: &Member) -> bool {
        member.incarnation == QUARANTINED
            || self.known.get(&member.node).is_some_and(|known| *known > member.incarnation)
    }

    /// The replica may be there, the monitor cannot know.
    fn may_be_in(&mut self, elsewhere: Elsewhere) {
        if self.elsewhere.len() == ELSEWHERE_MAX {
            self.elsewhere.remove(0);
        }
        self.elsewhere.push(elsewhere);
    }

    /// The replica said what it says only once it has the configuration entered on its disk.
    fn is_here(&mut self) {
        self.elsewhere.clear();
        self.unsure = false;
    }

    /// Enters `configuration`, which goes on after the ORDERs in `log`.
    fn enter(
        &mut self,
        now: Time,
        configuration: Configuration,
        log: Log,
        last: Sequence,
        actions: &mut Vec<Action>,
    ) {
        assert!(configuration.view > self.configuration.view || !self.member, "configurations only grow");
        let slot = configuration.slot(self.me).expect("only a member enters");
        let n = configuration.members.len();
        for member in &configuration.members {
            let known = self.known.entry(member.node).or_insert(FIRST);
            *known = (*known).max(member.incarnation);
        }
        self.ordering = Ordering::new(&self.spec, slot, n, last, false);
        let said = core::mem::replace(&mut self.following, Following::new(&self.spec, last)).said;
        self.suspicion.entered(configuration.view);
        let leads = configuration.primary() == self.me;
        let configuration = core::mem::replace(&mut self.configuration, configuration);
        let log = core::mem::replace(&mut self.log, log);
        if leads && self.member {
            self.may_be_in(Elsewhere { configuration, log, said });
        } else if leads {
            self.unsure = true;
        } else {
            self.is_here();
        }
        self.member = true;
        self.threshold = None;
        self.claims = None;
        self.heard_at = now;
        self.entered_at = now;
        self.beat_at = now;
        self.retransmit_at = now.after(self.spec.retransmit_after);
        self.change_since = None;
        self.change_to = self.configuration.view;
        self.repeat_at = None;
        self.handing_over = false;
        self.failed_changes = 0;
        actions.push(Action::Entered);
        self.watch(now);
    }
}
