//! The client's side: one request at a time, until enough replicas vouch for the same result.
//!
//! Upon an operation: T grows by one; REQUEST(o, T, c) goes to the last primary known; the timer starts.
//! In ByzID a station may speak for the client and name whose reply it wants in full ([`crate::assent`]); a client by itself names nobody.
//! Upon a REPLY from a member: one per replica counts, the last one it sent. When `f+1` of them match (in ByzID: of the
//!   same `v` and N too, since replicas execute before others are known to have the batch) the result is accepted.
//! Upon a reply that enough replicas are known to stand behind: the result is accepted.
//! Upon the timer: the request goes to every node, since the primary may have changed, with nobody named; from the
//!   [`ATTEMPTS_STEADY`]th time on the timer doubles up to [`SILENCE_MAX`], or to how long results take of late: a new primary is
//!   found soon after it leads, and whoever waited longer would notice that long after the others that service is back. A
//!   backup's monitor throws the request away; whoever leads now orders it, and the replies name it.
//! Upon a link that is gone, to whoever was to order the request or to answer it in full: as upon the timer. A process that was killed
//!   is known to be gone long before anybody would wait for it in vain.
//! Upon BUSY from the presumed primary: the next attempt waits at least twice as long. Once per attempt, and from nobody
//!   else: a traitor that says BUSY again and again must not keep the request from the others for ever.
//!
//! Upon a wish to give up: the request is not sent again. It may be executed all the same, once, now or later: nobody knows.
//!
//! A client has one request outstanding; who wants more uses more clients.

use crate::protocol::Protocol;
use crate::request::{Reply, Request};
use crate::settings::Settings;
use crate::{Message, Timer};
use bytes::Bytes;
use core::time::Duration;
use std::collections::BTreeMap;
use wire::{ClientId, Keys, NodeId, Sequence, Timestamp, View};

/// The first wait before a request is sent again.
pub const RETRY_AFTER: Duration = Duration::from_millis(200);

/// The longest wait before a request that nobody says anything about is sent again, unless results take longer of late.
pub const SILENCE_MAX: Duration = Duration::from_millis(500);

/// The longest wait before a request is sent again.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// Attempts before the wait for the next one begins to double.
pub const ATTEMPTS_STEADY: u32 = 4;

/// The client's only timer.
pub const RETRY: Timer = Timer(0);

/// What a client wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientEffect {
    /// Send this to one node.
    Send(NodeId, Message),
    /// Wake me after this long.
    SetTimer(Duration),
    /// Never mind.
    ClearTimer,
    /// The outstanding operation has this result.
    Done(Accepted),
}

/// A result that enough replicas vouched for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// Which request.
    pub timestamp: Timestamp,
    /// The view of the replies.
    pub view: View,
    /// The place in the order at which it was executed.
    pub sequence: Sequence,
    /// What came out.
    pub result: Bytes,
}

/// The state of one client.
#[derive(Clone, Hash, Debug)]
pub struct Client {
    id: ClientId,
    protocol: Protocol,
    replies_needed: usize,
    nodes: Vec<NodeId>,
    /// Who leads, as enough replies had it.
    primary: NodeId,
    /// Whose reply the next request wants in full.
    speaker: Option<NodeId>,
    timestamp: Timestamp,
    /// How long the next request is waited for before it is sent again.
    patience: Duration,
    outstanding: Option<Outstanding>,
}

#[derive(Clone, Hash, Debug)]
struct Outstanding {
    request: Request,
    replies: BTreeMap<NodeId, Reply>,
    retry_after: Duration,
    /// How often it was sent to every node.
    attempts: u32,
    /// The presumed primary has asked for patience since the last attempt.
    busy: bool,
}

impl Client {
    /// Client `id` of the cluster that `settings` describe. `newest` is the greatest timestamp it ever used.
    #[must_use]
    pub fn new(id: ClientId, settings: &Settings, newest: Timestamp) -> Self {
        let mut nodes = settings.members.clone();
        nodes.extend(&settings.spares);
        Client {
            id,
            protocol: settings.protocol,
            replies_needed: settings.protocol.replies_needed(settings.f),
            nodes,
            primary: settings.members[0],
            speaker: None,
            timestamp: newest,
            patience: RETRY_AFTER,
            outstanding: None,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Who leads, as far as it knows.
    #[must_use]
    pub fn primary(&self) -> NodeId {
        self.primary
    }

    /// Supposes that `primary` leads, as another client of the same process has found.
    pub fn suppose(&mut self, primary: NodeId) {
        self.primary = primary;
    }

    /// Gives its next request a timestamp after `newest`, whatever came before.
    pub fn not_before(&mut self, newest: Timestamp) {
        self.timestamp = self.timestamp.max(newest);
    }

    /// Follows `primary`, and shows it what is outstanding: whoever was asked before does not lead any more. Nor need they speak.
    pub fn follow(&mut self, primary: NodeId, out: &mut Vec<ClientEffect>) {
        if primary == self.primary {
            return;
        }
        self.primary = primary;
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.request.speaker = None;
            out.push(ClientEffect::Send(primary, Message::Request(outstanding.request.clone())));
        }
    }

    /// Wants the next replies in full of `speaker` alone, or of everybody. Only for whoever puts together what the others assent to.
    pub(crate) fn let_speak(&mut self, speaker: Option<NodeId>) {
        self.speaker = speaker;
    }

    /// Waits so long before the next request is sent again the first time, as far as that is within the limits.
    pub fn be_patient(&mut self, patience: Duration) {
        self.patience = patience.clamp(RETRY_AFTER, RETRY_AFTER_MAX);
    }

    /// Whether it waits for a result.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.outstanding.is_some()
    }

    /// Whether the presumed primary has said BUSY since the last attempt.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        self.outstanding.as_ref().is_some_and(|outstanding| outstanding.busy)
    }

    /// Begins `operation` and returns its timestamp.
    ///
    /// # Panics
    /// If one is outstanding already.
    pub fn submit(&mut self, operation: Bytes, keys: &impl Keys, out: &mut Vec<ClientEffect>) -> Timestamp {
        assert!(self.outstanding.is_none(), "a client has one request outstanding");
        self.timestamp = Timestamp(self.timestamp.0 + 1);
        let (client, timestamp, speaker) = (self.id, self.timestamp, self.speaker);
        let mut request = Request { client, timestamp, operation, speaker, signature: None };
        if self.protocol.requests_are_signed() {
            request.signature = Some(Box::new(keys.sign(&request.signed_bytes())));
        }
        out.push(ClientEffect::Send(self.primary, Message::Request(request.clone())));
        out.push(ClientEffect::SetTimer(self.patience));
        self.outstanding = Some(Outstanding {
            request,
            replies: BTreeMap::new(),
            retry_after: self.patience,
            attempts: 0,
            busy: false,
        });
        self.timestamp
    }

    /// Gives up: what comes out of the outstanding operation is not waited for any more.
    pub fn give_up(&mut self, out: &mut Vec<ClientEffect>) {
        if self.outstanding.take().is_some() {
            out.push(ClientEffect::ClearTimer);
        }
    }

    /// The link to `node` stands anew: what was sent before it did was lost.
    pub fn reached(&self, node: NodeId, out: &mut Vec<ClientEffect>) {
        if let Some(outstanding) = self.outstanding.as_ref().filter(|_| node == self.primary) {
            out.push(ClientEffect::Send(node, Message::Request(outstanding.request.clone())));
        }
    }

    /// The link to `node` is gone, and with it what it was to order or to answer: everybody is asked at once.
    pub fn lost(&mut self, node: NodeId, out: &mut Vec<ClientEffect>) {
        let asked = |outstanding: &Outstanding| {
            [Some(self.primary), outstanding.request.speaker].contains(&Some(node))
        };
        if self.outstanding.as_ref().is_some_and(asked) {
            self.timeout(out);
        }
    }

    /// Takes a message from node `from`, whose identity was checked.
    pub fn receive(&mut self, from: NodeId, message: Message, out: &mut Vec<ClientEffect>) {
        let Some(outstanding) = &mut self.outstanding else { return };
        match message {
            Message::Reply(reply) if reply.client == self.id && reply.timestamp == self.timestamp => {
                if !self.nodes.contains(&from) {
                    return;
                }
                outstanding.replies.insert(from, reply);
                self.accept(out);
            }
            Message::Busy(busy)
                if busy.timestamp == self.timestamp && from == self.primary && !outstanding.busy =>
            {
                outstanding.busy = true;
                outstanding.retry_after = (outstanding.retry_after * 2).min(RETRY_AFTER_MAX);
                out.push(ClientEffect::SetTimer(outstanding.retry_after));
            }
            _ => {}
        }
    }

    /// Enough replicas stand behind `reply`.
    pub(crate) fn told(&mut self, reply: Reply, out: &mut Vec<ClientEffect>) {
        if self.outstanding.is_some() && (reply.client, reply.timestamp) == (self.id, self.timestamp) {
            self.primary = reply.primary;
            self.conclude(reply, out);
        }
    }

    /// The retry timer ran out.
    pub fn timeout(&mut self, out: &mut Vec<ClientEffect>) {
        let Some(outstanding) = &mut self.outstanding else { return };
        let most = if outstanding.busy { RETRY_AFTER_MAX } else { self.patience.max(SILENCE_MAX) };
        outstanding.busy = false;
        // Where it was executed already everybody replies; where it was not, everybody shall.
        outstanding.request.speaker = None;
        for node in &self.nodes {
            out.push(ClientEffect::Send(*node, Message::Request(outstanding.request.clone())));
        }
        outstanding.attempts = outstanding.attempts.saturating_add(1);
        if outstanding.attempts >= ATTEMPTS_STEADY {
            let longer = (outstanding.retry_after * 2).min(most);
            outstanding.retry_after = outstanding.retry_after.max(longer);
        }
        out.push(ClientEffect::SetTimer(outstanding.retry_after));
    }

    /// Accepts a result if enough replies match.
    fn accept(&mut self, out: &mut Vec<ClientEffect>) {
        let Some(outstanding) = &self.outstanding else { return };
        let same = |one: &Reply, other: &Reply| match self.protocol {
            Protocol::ByzId | Protocol::ByzIdW => one == other,
            Protocol::Paxos | Protocol::Pbft => one.sequence == other.sequence && one.result == other.result,
        };
        let matching = |reply: &&Reply| {
            outstanding.replies.values().filter(|other| same(reply, other)).count() >= self.replies_needed
        };
        let Some(reply) = outstanding.replies.values().find(matching).cloned() else { return };
        let says_so = |node: &NodeId| {
            outstanding.replies.values().filter(|reply| reply.primary == *node).count() >= self.replies_needed
        };
        if let Some(primary) = outstanding.replies.values().map(|reply| reply.primary).find(says_so) {
            self.primary = primary;
        }
        self.conclude(reply, out);
    }

    fn conclude(&mut self, reply: Reply, out: &mut Vec<ClientEffect>) {
        let Reply { view, sequence, timestamp, result, .. } = reply;
        self.outstanding = None;
        out.push(ClientEffect::ClearTimer);
        out.push(ClientEffect::Done(Accepted { timestamp, view, sequence, result }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Busy;
    use crate::testing::ToyKeys;
    use wire::Peer;

    /// A client that has just asked node 0, its presumed primary.
    fn asking() -> Client {
        let settings = Settings::new(Protocol::Pbft, 1);
        let mut client = Client::new(ClientId(1), &settings, Timestamp(0));
        client.submit(Bytes::from_static(b"put"), &ToyKeys(Peer::Client(ClientId(1))), &mut Vec::new());
        client
    }

    fn busy(client: &mut Client, from: u16) -> Vec<ClientEffect> {
        let mut out = Vec::new();
        let busy = Busy { client: client.id(), timestamp: Timestamp(1) };
        client.receive(NodeId(from), Message::Busy(busy), &mut out);
        out
    }

    #[test]
    fn a_primary_that_is_busy_is_given_time_once_per_attempt() {
        let mut client = asking();
        assert_eq!(busy(&mut client, 0), [ClientEffect::SetTimer(RETRY_AFTER * 2)]);
        for _ in 0..100 {
            assert_eq!(busy(&mut client, 0), [], "the timer that runs is left alone");
        }
        let mut out = Vec::new();
        client.timeout(&mut out);
        assert_eq!(out.pop(), Some(ClientEffect::SetTimer(RETRY_AFTER * 2)));
        assert_eq!(out.len(), 4, "now everybody hears of the request");
        assert_eq!(busy(&mut client, 0), [ClientEffect::SetTimer(RETRY_AFTER * 4)]);
    }

    #[test]
    fn who_hears_nothing_asks_steadily_at_first_and_then_more_rarely_but_never_rarely() {
        let mut client = asking();
        let mut waits = Vec::new();
        for _ in 0..20 {
            let mut out = Vec::new();
            client.timeout(&mut out);
            waits.extend(out.into_iter().filter_map(|effect| match effect {
                ClientEffect::SetTimer(wait) => Some(wait),
                _ => None,
            }));
        }
        assert_eq!(waits[..4], [RETRY_AFTER, RETRY_AFTER, RETRY_AFTER, RETRY_AFTER * 2]);
        assert_eq!(waits.last(), Some(&SILENCE_MAX), "it notices soon that the cluster is back");
    }

    #[test]
    fn nobody_else_can_put_a_client_off() {
        let mut client = asking();
        for node in 1..4 {
            assert_eq!(busy(&mut client, node), []);
        }
    }
}
