//! One monitor, and whatever a replica, its peers and the clock may do to it.
//!
//! For any sequence of messages in both directions, ticks, crashes of the replica and configurations:
//!   - no panic;
//!   - the queue, the log and what is known of others stay within their limits;
//!   - an ORDER passes only if it is the next and the front of the queue, and one digest per configuration and place;
//!   - nothing passes after guilt;
//!   - a claim that is vouched for covers all that the replica ever said it had in the configuration entered.
//!
//! Peers speak through honest monitors: what they send may be late, doubled and out of order, but a NEWCONFIG has members.

use monitor::{
    Action, Configuration, Control, Digest, FIRST, Heard, Incarnation, Member, Monitor, NewConfig, Node,
    Received, Rule, Sent, Sequence, Span, Specification, Time, View,
};
use std::collections::BTreeMap;

/// Requests that wait at most.
const WAITING_MAX: usize = 6;
/// ORDERs past the stable checkpoint at most.
const LOG_MAX: u64 = 12;
/// Members and spares.
const NODES: [Node; 4] = [0, 1, 2, 3];

/// A request: of whom, and which.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Ask(u64, u64);

impl monitor::Request for Ask {
    fn client(&self) -> u64 {
        self.0
    }
    fn timestamp(&self) -> u64 {
        self.1
    }
    fn bytes(&self) -> usize {
        16
    }
}

/// Plays what `data` says, and returns how many messages of the replica passed.
pub fn check(data: &[u8]) -> usize {
    let mut script = Script { data, at: 0 };
    let (me, restarted, open) = (script.below(4), script.below(4) == 0, script.below(4) == 0);
    let incarnation = if restarted { 5 } else { FIRST };
    let now = Time(1 << 30);
    let monitor = Monitor::new(specification(open), me as Node, incarnation, &NODES[..3], &NODES[3..], now);
    let mut play = Play { monitor, now, said: Sequence(0), passed: 0, ordered: BTreeMap::new() };
    while script.at < data.len() {
        play.act(&mut script);
        play.check_limits();
    }
    play.passed
}

fn specification(open: bool) -> Specification {
    Specification {
        f: 1,
        checkpoint_interval: 4,
        window: 4,
        log_orders_max: LOG_MAX,
        requests_waiting_max: WAITING_MAX,
        requests_waiting_bytes_max: 1 << 10,
        open,
        retransmit_after: Span(50),
        heartbeat_every: Span(100),
        view_timeout: Span(500),
        view_timeout_max: Span(5_000),
        act_floor: Span(50),
        act_ceiling: Span(500),
    }
}

/// The bytes, read as choices.
struct Script<'a> {
    data: &'a [u8],
    at: usize,
}

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.data.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    fn below(&mut self, bound: u64) -> u64 {
        u64::from(self.byte()) % bound
    }

    /// A small number near `near`, and now and then one at the end of all numbers.
    fn number(&mut self, near: u64) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            byte => near.saturating_add(u64::from(byte % 8)).saturating_sub(3),
        }
    }

    fn digest(&mut self, at: u64) -> Digest {
        let lie = u8::from(self.below(8) == 0);
        [(at as u8).wrapping_mul(2) | lie; 32]
    }
}

struct Play {
    monitor: Monitor<Ask>,
    now: Time,
    /// What the replica said it has since it entered.
    said: Sequence,
    passed: usize,
    ordered: BTreeMap<(View, Sequence), Digest>,
}

impl Play {
    fn act(&mut self, script: &mut Script) {
        let guilty = self.monitor.guilty().is_some();
        let entered = self.monitor.configuration().clone();
        let mut actions = Vec::new();
        let passed = match script.below(5) {
            0 | 1 => self.replica_says(script, &mut actions),
            2 => {
                self.peer_says(script);
                false
            }
            3 => {
                self.control(script, &mut actions);
                false
            }
            _ => {
                self.time_passes(script, &mut actions);
                false
            }
        };
        assert!(!(guilty && passed), "the replica was proven guilty, and something passed");
        self.passed += usize::from(passed);
        if actions.contains(&Action::Entered) {
            let now = self.monitor.configuration();
            assert!(now.view > entered.view || *now != entered, "configurations only grow");
            self.said = Sequence(0);
        }
    }

    fn check_limits(&self) {
        assert!(self.monitor.waiting().count() <= WAITING_MAX, "the queue is full");
        let log = self.monitor.log();
        assert!(log.contiguous() >= log.stable() && log.contiguous() <= log.end(), "the log is full");
        assert!(log.get(log.end().plus(1)).is_none() || log.end().0 == u64::MAX);
    }

    /// The last place of which the monitor knows.
    fn last(&self) -> u64 {
        self.monitor.log().contiguous().0
    }

    fn heard(&self, script: &mut Script) -> Heard {
        let view = View(script.number(self.monitor.configuration().view.0 + 1));
        let view = if script.below(4) == 0 { view } else { self.monitor.configuration().view };
        let from = if script.below(2) == 0 {
            self.monitor.configuration().primary()
        } else {
            NODES[script.below(4) as usize]
        };
        Heard { now: self.now, from, vouched: script.below(8) != 0, view }
    }

    fn replica_says(&mut self, script: &mut Script, actions: &mut Vec<Action>) -> bool {
        let (now, heard) = (self.now, self.heard(script));
        let view = heard.view;
        let near = Sequence(script.number(self.last().saturating_add(1)));
        let digest = script.digest(near.0);
        let known =
            if script.below(8) == 0 { digest } else { self.monitor.log().get(near).unwrap_or(digest) };
        let monitor = &mut self.monitor;
        match script.below(9) {
            0 | 1 => self.order(script, view, actions),
            2 => {
                let sent = monitor.ack_sent(now, view, near, known, actions);
                self.said_if(sent, near)
            }
            3 => {
                let replies = script.below(4);
                let sent = monitor.reply_sent(now, view, near, replies, actions);
                self.said_if(sent, near)
            }
            4 => monitor.checkpoint_sent(now, view, near, digest, actions).is_ok(),
            5 => {
                let to = (script.below(2) == 0).then_some(1);
                monitor.stable_sent(now, to, view, near, digest, actions).is_ok()
            }
            6 => monitor.joined_sent(now, view, near, actions).is_ok(),
            7 => monitor.fetched_sent(now, near, known).is_ok(),
            _ => self.claim(script, actions),
        }
    }

    fn said_if(&mut self, sent: Result<(), Rule>, at: Sequence) -> bool {
        if sent.is_ok() {
            self.said = self.said.max(at);
        }
        sent.is_ok()
    }

    fn order(&mut self, script: &mut Script, view: View, actions: &mut Vec<Action>) -> bool {
        let at = Sequence(if script.below(4) == 0 {
            script.number(self.last())
        } else {
            self.last().saturating_add(1)
        });
        let digest = script.digest(at.0);
        let skip = usize::from(script.below(8) == 0);
        let count = script.below(3) as usize;
        let requests: Vec<Ask> = self.monitor.waiting().skip(skip).take(count).cloned().collect();
        let front: Vec<Ask> = self.monitor.waiting().take(requests.len()).cloned().collect();
        let next = Sequence(self.last().saturating_add(1));
        let to = (script.below(4) == 0).then_some(1);
        match self.monitor.order_sent(self.now, to, view, at, digest, &requests, actions) {
            Ok(Sent::New) => {
                assert_eq!(view, self.monitor.configuration().view);
                assert_eq!(at, next, "no gap");
                assert_eq!(requests, front, "fairness");
                assert!(!requests.is_empty(), "an ORDER is of something");
                assert_eq!(self.ordered.insert((view, at), digest), None, "one place, one ORDER");
                true
            }
            Ok(Sent::Again) => {
                let first = self.ordered.get(&(view, at)).copied();
                assert!(first.is_none_or(|first| first == digest), "consistency");
                assert_eq!(self.monitor.log().get(at), Some(digest), "consistency");
                true
            }
            Err(_) => false,
        }
    }

    fn claim(&mut self, script: &mut Script, actions: &mut Vec<Action>) -> bool {
        let target = View(script.number(self.monitor.configuration().view.0 + 3));
        let log = self.monitor.log();
        let stable =
            if script.below(4) == 0 { Sequence(script.number(log.stable().0)) } else { log.stable() };
        let last = script.number(log.contiguous().0).min(stable.0.saturating_add(LOG_MAX + 2));
        let mut entered = self.monitor.configuration().clone();
        if script.below(4) == 0 {
            // The guard has seen the seal of a claim's configuration, so it is one that came about.
            entered.view = View(script.number(entered.view.0).min(entered.view.0 + 9));
        }
        let orders = (stable.0.saturating_add(1)..=last)
            .map(|at| self.monitor.log().get(Sequence(at)).unwrap_or([at as u8; 32]))
            .collect();
        let digest = if script.below(8) == 0 { [1; 32] } else { log.stable_digest() };
        let claimed =
            self.monitor.reconfigure_sent(self.now, target, entered, stable, digest, orders, actions);
        let Ok(claim) = claimed else { return false };
        assert!(claim.known.len() <= NODES.len(), "no more is known than there is");
        if claim.vouched && claim.entered == *self.monitor.configuration() {
            let covered = claim.last() >= self.said || self.said <= self.monitor.log().stable();
            assert!(covered, "the claim leaves out what the replica said it has");
        }
        let received = self.monitor.reconfigure_received(target, claim.clone());
        if received == Received::Deliver && script.below(2) == 0 {
            return self.propose(script, target, &claim, actions);
        }
        true
    }

    /// The candidate proposes what follows from its own claim and those of others alike.
    fn propose(
        &mut self,
        script: &mut Script,
        target: View,
        own: &monitor::Claim,
        actions: &mut Vec<Action>,
    ) -> bool {
        let mut claims = vec![own.clone()];
        for node in NODES[..3].iter().filter(|node| **node != own.node) {
            let claim = monitor::Claim { node: *node, vouched: true, incarnation: FIRST, ..own.clone() };
            self.monitor.reconfigure_received(target, claim.clone());
            claims.push(claim);
        }
        let claims: Vec<&monitor::Claim> = claims.iter().collect();
        let Some(start) = monitor::claim::start_of(&claims, &NODES[3..]) else { return true };
        let mut new = NewConfig {
            configuration: Configuration { view: target, members: start.members },
            claimants: claims.iter().map(|claim| claim.node).collect(),
            stable: start.stable,
            stable_digest: start.stable_digest,
            orders: start.orders,
        };
        if script.below(8) == 0 {
            new.orders.pop();
        }
        self.monitor.new_config_sent(self.now, &new, actions).is_ok()
    }

    fn peer_says(&mut self, script: &mut Script) {
        let heard = self.heard(script);
        let at = Sequence(script.number(self.last().saturating_add(1)));
        let digest = script.digest(at.0);
        match script.below(7) {
            0 | 1 => {
                self.monitor.order_received(heard, at, digest, script.below(3));
            }
            2 => {
                let known = self.monitor.log().get(at).unwrap_or(digest);
                self.monitor.ack_received(heard, at, known);
            }
            3 => {
                self.monitor.joined_received(heard, at);
            }
            4 => {
                self.monitor.checkpoint_received(heard, at, digest);
            }
            5 => {
                self.monitor.stable_received(heard, at, digest);
            }
            _ => {
                let new = self.new_config(script, at);
                let from = new.configuration.primary();
                if from != self.monitor.me() {
                    self.monitor.new_config_received(self.now, from, heard.vouched, &new);
                }
            }
        }
    }

    fn new_config(&mut self, script: &mut Script, last: Sequence) -> NewConfig {
        let log = self.monitor.log();
        let mut members = self.monitor.configuration().members.clone();
        let slot = script.below(3) as usize;
        if script.below(4) == 0 {
            members[slot] = Member { node: NODES[script.below(4) as usize], incarnation: FIRST };
        }
        if let Some(mine) = members.iter_mut().find(|member| member.node == self.monitor.me()) {
            mine.incarnation = self.monitor.incarnation();
        }
        let (stable, stable_digest) = (log.stable(), log.stable_digest());
        let last = last.0.min(stable.0.saturating_add(LOG_MAX));
        let orders = (stable.0.saturating_add(1)..=last)
            .map(|at| log.get(Sequence(at)).unwrap_or([(at as u8).wrapping_mul(2); 32]))
            .collect();
        let view = View(script.number(self.monitor.configuration().view.0 + 3).min(u64::MAX >> 1));
        NewConfig {
            configuration: Configuration { view, members },
            claimants: NODES[..2].to_vec(),
            stable,
            stable_digest,
            orders,
        }
    }

    fn control(&mut self, script: &mut Script, actions: &mut Vec<Action>) {
        let from = NODES[script.below(4) as usize];
        // Views grow by one at a time: no monitor gets to the end of them.
        let view = View(self.monitor.configuration().view.0 + script.below(5));
        let control = match script.below(7) {
            0 => Control::Beat { view, last: Sequence(script.number(self.last())) },
            1 | 2 => {
                Control::Suspect { target: view, promised: View(view.0.saturating_sub(script.below(2))) }
            }
            3 => Control::Alert { view, proof: script.below(8) == 0 },
            4 => Control::Convicted { node: NODES[script.below(4) as usize] },
            5 => Control::Rejoin { incarnation: Incarnation::from(script.byte()) },
            _ => Control::ReconRequest { target: view },
        };
        self.monitor.control_received(self.now, from, &control, actions);
    }

    fn time_passes(&mut self, script: &mut Script, actions: &mut Vec<Action>) {
        match script.below(6) {
            0 => self.monitor.replica_is_up(self.now, script.below(2) == 0, actions),
            1..=3 => {
                let ask = Ask(script.below(8), script.below(4));
                self.monitor.request_received(self.now, ask);
            }
            _ => {
                let until = self.monitor.deadline().0.saturating_sub(self.now.0).min(1 << 20);
                self.now = self.now.after(Span(until.saturating_add(script.below(8))));
                self.monitor.tick(self.now, actions);
            }
        }
    }
}
