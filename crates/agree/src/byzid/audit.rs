//! The monitor beside the wire instead of on it: it reads what one node heard and said, and tells which rules were broken.
//!
//! Upon a frame to the node: the specification sees it as an inline monitor would.
//! Upon a frame from the node: the same. What an inline monitor would have stopped is out already; it is told.
//! Upon time: what is owed and late is told.
//!
//! An inline monitor sees a message once and fans it out; here the copies come one by one. The first copy of an ORDER or
//! STABLECHECKPOINT stands for all, a copy of the same for another receiver says nothing new, one for a receiver that has
//! it is said again, and another one at the same place is another story.
//!
//! It has no keys: what was heard was authenticated before it came here ([`crate::capture`]). It judges one
//! configuration: when a monitor speaks of another one, or a NEWCONFIG passes, it is over. Without keys to the claims nobody
//! can tell what follows from them. It is over as well when the node is convicted, or as the primary was late: an inline
//! monitor would let nothing more of it out ([`Ending`]).
//!
//! [`super::auditor`] does it for every node of a capture.

use super::guard::{Fail, Guard};
use super::message::Message as ByzId;
use crate::Message;
use crate::door::Door;
use crate::guard::{Alarm, Guard as GuardTrait, GuardEffect};
use crate::replica::{Destination, Timer};
use crate::settings::Settings;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Decode, Digest, Frame, Keys, NodeId, Peer, Sequence, Signature, Tag, Time};

/// Keys of somebody who has none: it makes nothing that anybody would accept, and believes everything.
#[derive(Clone, Copy, Debug)]
struct Believing;

impl Keys for Believing {
    fn mac(&self, _: Peer, _: &[&[u8]]) -> Tag {
        Tag([0; 16])
    }
    fn mac_is_valid(&self, _: Peer, _: &[&[u8]], _: &Tag) -> bool {
        true
    }
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }
    fn signature_is_valid(&self, _: Peer, _: &[u8], _: &Signature) -> bool {
        true
    }
    fn seal(&self, _: &[u8]) -> Tag {
        Tag([0; 16])
    }
    fn seal_is_valid(&self, _: &[u8], _: &Tag) -> bool {
        true
    }
}

/// What was said at one place: the kind of message, and the place.
type Place = (u8, Sequence);

/// Places remembered at most; the oldest are forgotten first. More than a log and a window hold.
const PLACES_MAX: usize = 4096;

/// Why nothing more of a node is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The first configuration ended.
    Reconfigured,
    /// The node did what no correct replica does.
    Convicted,
    /// The node led, and was late.
    Late,
}

/// A passive monitor of one node.
pub struct Audit {
    guard: Guard<Believing>,
    told: BTreeMap<Place, (Digest, BTreeSet<Peer>)>,
    due: Option<(Timer, Time)>,
    ending: Option<Ending>,
}

impl Audit {
    /// An audit of what `me` says and hears from `now` on.
    #[must_use]
    pub fn new(me: NodeId, settings: &Settings, now: Time) -> Audit {
        let nodes = settings.members.iter().chain(&settings.spares).copied().collect();
        let door = Door::new(Peer::Node(me), settings.protocol, nodes, Believing);
        // Open: what no monitor vouched for is what there is to audit.
        let mut guard = Guard::new(door, settings, Fail::Open, monitor::FIRST, now);
        let mut effects = Vec::new();
        guard.start(now, &mut effects);
        let mut audit = Audit { guard, told: BTreeMap::new(), due: None, ending: None };
        audit.take(now, effects);
        audit
    }

    /// Why what follows is not judged; nothing, as long as it is.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// `frame` reached the node over the link to `from`.
    pub fn heard(&mut self, now: Time, from: Peer, frame: Bytes) -> Vec<Alarm> {
        let mut alarms = self.passed(now);
        if self.ending.is_some()
            || opened(frame.clone()).is_some_and(|(message, vouched)| self.ends(&message, vouched))
        {
            return alarms;
        }
        let mut effects = Vec::new();
        self.guard.receive(now, from, frame, &mut effects);
        alarms.extend(self.take(now, effects));
        alarms
    }

    /// The node put `frame` on the link to `to`.
    pub fn said(&mut self, now: Time, to: Peer, frame: Bytes) -> Vec<Alarm> {
        let mut alarms = self.passed(now);
        let Some((message, vouched)) = opened(frame) else { return alarms };
        if self.ending.is_some() || self.ends(&message, vouched) {
            return alarms;
        }
        let Message::Bundle(bundle) = message else {
            self.said_by_itself(now, to, message, &mut alarms);
            return alarms;
        };
        for message in bundle.into_messages() {
            let to = match &message {
                Message::Reply(reply) => Peer::Client(reply.client),
                _ => to,
            };
            self.said_by_itself(now, to, message, &mut alarms);
        }
        alarms
    }

    fn said_by_itself(&mut self, now: Time, to: Peer, message: Message, alarms: &mut Vec<Alarm>) {
        let Some(to) = self.as_if_inline(to, &message) else { return };
        let mut effects = Vec::new();
        self.guard.send(now, to, message, &mut effects);
        alarms.extend(self.take(now, effects));
    }

    /// It is `now`, and nothing else is.
    pub fn passed(&mut self, now: Time) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        while let Some((timer, at)) = self.due.filter(|(_, at)| *at <= now && self.ending.is_none()) {
            self.due = None;
            let mut effects = Vec::new();
            self.guard.timeout(at, timer, &mut effects);
            alarms.extend(self.take(at, effects));
        }
        alarms
    }

    /// Keeps the timer and the alarms; the rest is for a guard that owns its links.
    fn take(&mut self, now: Time, effects: Vec<GuardEffect>) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        for effect in effects {
            match effect {
                GuardEffect::SetTimer(timer, after) => self.due = Some((timer, now.after(after))),
                GuardEffect::ClearTimer(_) => self.due = None,
                GuardEffect::Alarm(alarm) => alarms.push(alarm),
                GuardEffect::Deliver(_) | GuardEffect::Transmit { .. } | GuardEffect::Refuse { .. } => {}
            }
        }
        let judges = self.guard.monitor().is_some_and(|monitor| monitor.judges() || monitor.has_forgotten());
        if !judges && self.ending.is_none() {
            self.ending = Some(match alarms.last() {
                Some(alarm) if alarm.proof => Ending::Convicted,
                Some(_) => Ending::Late,
                None => Ending::Reconfigured,
            });
        }
        alarms
    }

    /// Whether with this message the first configuration ends, and the audit with it. Nobody follows a word on that for which no
    /// monitor vouches, so who talks of another configuration without does not escape.
    fn ends(&mut self, message: &Message, vouched: bool) -> bool {
        use monitor::Control::ReconRequest;
        let ends = vouched
            && match message {
                Message::ByzId(ByzId::NewConfig(_) | ByzId::Reconfigure(_)) => true,
                Message::ByzId(ByzId::Control(control)) => matches!(control.0, ReconRequest { .. }),
                _ => false,
            };
        if ends {
            self.ending = Some(Ending::Reconfigured);
        }
        ends
    }

    /// To whom the replica would have sent `message` through an inline monitor; nothing if that was before.
    fn as_if_inline(&mut self, to: Peer, message: &Message) -> Option<Destination> {
        let (place, digest) = match message {
            Message::ByzId(ByzId::Order(order)) => ((0, order.sequence), order.batch.digest()),
            Message::ByzId(ByzId::StableCheckpoint(said)) => ((1, said.stable.sequence), said.stable.digest),
            // What monitors say among themselves is no word of the replica's.
            Message::ByzId(ByzId::Control(_) | ByzId::Relay(_)) | Message::Busy(_) => return None,
            _ => return Some(Destination::Peer(to)),
        };
        let again = Some(Destination::Peer(to));
        let Some((told, receivers)) = self.told.get_mut(&place) else {
            if self.told.len() == PLACES_MAX {
                self.told.pop_first();
            }
            self.told.insert(place, (digest, BTreeSet::from([to])));
            return Some(Destination::Members);
        };
        let is_a_copy = *told == digest && receivers.insert(to);
        if is_a_copy { None } else { again }
    }
}

/// What is in a frame, if it can be read, and whether a monitor vouched for it.
fn opened(frame: Bytes) -> Option<(Message, bool)> {
    let frame = Frame::from_bytes(frame).ok()?;
    Message::from_bytes(frame.body).ok().map(|message| (message, frame.vouched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::byzid::message::{Ack, Order};
    use crate::{Batch, Protocol, Request};
    use core::time::Duration;
    use wire::{ClientId, Encode, Timestamp, View};

    const START: Time = Time(1_000_000_000);

    fn settings() -> Settings {
        Settings::new(Protocol::ByzId, 1)
    }

    fn request(client: u64) -> Request {
        let operation = Bytes::new();
        Request {
            client: ClientId(client),
            timestamp: Timestamp(1),
            operation,
            speaker: None,
            signature: None,
        }
    }

    fn order(at: u64, client: u64) -> Message {
        let batch = Batch::new(vec![request(client)]);
        Message::from(ByzId::Order(Order { view: View(0), sequence: Sequence(at), batch, seal: None }))
    }

    fn frame(from: Peer, to: Peer, message: &Message) -> Bytes {
        Door::new(from, Protocol::ByzId, settings().members, Believing).seal_for(&[to], message).to_bytes()
    }

    const P0: Peer = Peer::Node(NodeId(0));
    const P1: Peer = Peer::Node(NodeId(1));
    const P2: Peer = Peer::Node(NodeId(2));

    /// The audit of p0, to which client 1 and then client 2 came.
    fn audit() -> Audit {
        let mut audit = Audit::new(NodeId(0), &settings(), START);
        for client in [1, 2] {
            let from = Peer::Client(ClientId(client));
            assert_eq!(audit.heard(START, from, frame(from, P0, &Message::Request(request(client)))), []);
        }
        audit
    }

    fn rules(alarms: &[Alarm]) -> Vec<&'static str> {
        alarms.iter().map(|alarm| alarm.rule).collect()
    }

    fn say(audit: &mut Audit, to: Peer, message: &Message) -> Vec<&'static str> {
        rules(&audit.said(START, to, frame(P0, to, message)))
    }

    #[test]
    fn who_keeps_the_rules_is_not_accused() {
        let mut audit = audit();
        for (at, client) in [(1, 1), (2, 2)] {
            for to in [P1, P2, P2] {
                assert_eq!(say(&mut audit, to, &order(at, client)), [""; 0]);
            }
        }
        let digest = Batch::new(vec![request(1)]).digest();
        let ack = Message::from(ByzId::Ack(Ack { view: View(0), sequence: Sequence(1), digest }));
        assert_eq!(audit.heard(START, P1, frame(P1, P0, &ack)), []);
        assert_eq!(audit.passed(START.after(Duration::from_secs(1))), []);
    }

    #[test]
    fn each_broken_rule_is_told_by_its_name() {
        let mut two_stories = audit();
        assert_eq!(say(&mut two_stories, P1, &order(1, 1)), [""; 0]);
        assert_eq!(say(&mut two_stories, P2, &order(1, 2)), ["consistency"]);
        assert_eq!(say(&mut audit(), P1, &order(2, 1)), ["no gap"]);
        assert_eq!(say(&mut audit(), P1, &order(1, 2)), ["fairness"]);
        assert_eq!(say(&mut audit(), P1, &order(1, 9)), ["fairness"]);
    }

    #[test]
    fn a_primary_that_does_nothing_is_told_when_its_time_is_up() {
        let mut audit = audit();
        assert_eq!(rules(&audit.passed(START.after(settings().view_timeout * 2))), ["timely action"]);
    }

    #[test]
    fn bytes_that_mean_nothing_are_no_accusation() {
        let mut audit = audit();
        assert_eq!(audit.said(START, P1, Bytes::from_static(b"nonsense")), []);
        assert_eq!(audit.heard(START, P1, Bytes::from_static(b"nonsense")), []);
        assert_eq!(audit.ending(), None);
    }

    #[test]
    fn who_is_convicted_is_not_judged_any_more() {
        let mut audit = audit();
        assert_eq!(say(&mut audit, P1, &order(2, 1)), ["no gap"]);
        assert_eq!(audit.ending(), Some(Ending::Convicted));
        assert_eq!(say(&mut audit, P1, &order(7, 1)), [""; 0]);
    }

    /// A word on another configuration ends the audit only if a monitor vouches for it: a liar cannot talk its way out.
    #[test]
    fn who_talks_of_another_configuration_unvouched_is_judged_all_the_same() {
        let mut audit = audit();
        let request = monitor::Control::ReconRequest { target: monitor::View(1) };
        let message = Message::from(crate::byzid::message::Control(request));
        let door = Door::new(P0, Protocol::ByzId, settings().members, Believing);
        let unvouched = door.seal_for(&[P1], &message).to_bytes();
        assert_eq!(audit.said(START, P1, unvouched), []);
        assert_eq!(audit.ending(), None);
        let vouched = door.of_monitor().seal_for(&[P1], &message).to_bytes();
        assert_eq!(audit.said(START, P1, vouched), []);
        assert_eq!(audit.ending(), Some(Ending::Reconfigured));
    }
}
