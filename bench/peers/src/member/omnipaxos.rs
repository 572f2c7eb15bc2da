//! OmniPaxos: the library's `OmniPaxos` value, with its in-memory storage for reading and `raft-engine` beneath it.
//!
//! Upon batches: each is appended; OmniPaxos itself joins what is appended together into one AcceptDecide per follower.
//! Upon the end of a turn: AcceptDecides leave, the storage is persisted with one sync, everything else leaves, what is
//! decided is executed.
//!
//! Its documentation wants each write durable when the storage returns. Here it is durable before anything that speaks of
//! it leaves, which nobody outside can tell apart, but for AcceptDecide: that says nothing of the leader's own disk. A
//! decision counts the leader, though, and is found only in a later turn, when a follower's Accepted has arrived; by then
//! the leader has synced what it sent in an earlier one.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use omnipaxos::messages::Message;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use serde::{Deserialize, Serialize};

use super::links::Links;
use super::log::Log;
use super::storage::EngineStorage;
use super::{Protocol, Service};
use crate::frame;

/// Half a second of silence, in ticks.
const ELECTION_TICKS: u64 = 10;
/// A second until a message counts as lost.
const RESEND_TICKS: u64 = 20;
/// How many decided batches, or bytes in them, are trimmed together, once all members have them.
const TRIMMED_ENTRIES: usize = 16 * 1024;
const TRIMMED_BYTES: usize = 64 * 1024 * 1024;

/// What is ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Batch(pub(crate) Bytes);

impl Entry for Batch {
    type Snapshot = NoSnapshot;
}

/// A member.
pub(crate) struct Paxos {
    id: u64,
    node: OmniPaxos<Batch, EngineStorage>,
    log: Rc<RefCell<Log>>,
    outgoing: Vec<Message<Batch>>,
    /// The leader's orders to trim, until what they let go was executed.
    trims: Vec<Message<Batch>>,
    executed: usize,
    untrimmed_entries: usize,
    untrimmed_bytes: usize,
}

impl Paxos {
    pub(crate) fn new(id: u64, members: u64, log: Log) -> io::Result<Self> {
        let cluster =
            ClusterConfig { configuration_id: 1, nodes: (1..=members).collect(), flexible_quorum: None };
        let server = ServerConfig {
            pid: id,
            election_tick_timeout: ELECTION_TICKS,
            resend_message_tick_timeout: RESEND_TICKS,
            ..ServerConfig::default()
        };
        let log = Rc::new(RefCell::new(log));
        let node = cluster
            .build_for_server(server, EngineStorage::new(log.clone()))
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(Self {
            id,
            node,
            log,
            outgoing: Vec::new(),
            trims: Vec::new(),
            executed: 0,
            untrimmed_entries: 0,
            untrimmed_bytes: 0,
        })
    }

    fn execute(&mut self, links: &mut Links, service: &Service) -> io::Result<()> {
        if self.node.get_decided_idx() <= self.executed {
            return Ok(());
        }
        let decided = self.node.read_decided_suffix(self.executed).unwrap_or_default();
        for entry in &decided {
            // No snapshot or stop sign is ever made here, and only what was executed is trimmed.
            let LogEntry::Decided(Batch(batch)) = entry else {
                return Err(io::Error::other(format!("no decided entry where one was: {entry:?}")));
            };
            service.execute(batch, links);
            self.untrimmed_bytes += batch.len();
        }
        self.executed += decided.len();
        self.untrimmed_entries += decided.len();
        Ok(())
    }

    /// The leader trims for everybody, after what it may trim was executed.
    fn trim(&mut self) {
        for order in self.trims.drain(..) {
            self.node.handle_incoming(order);
        }
        if self.untrimmed_entries < TRIMMED_ENTRIES && self.untrimmed_bytes < TRIMMED_BYTES {
            return;
        }
        self.untrimmed_entries = 0;
        self.untrimmed_bytes = 0;
        if self.leads() {
            // Refused as long as somebody lags; then the next time.
            let _ = self.node.trim(None);
        }
    }
}

fn send(message: &Message<Batch>, links: &mut Links) -> io::Result<()> {
    let Some(out) = links.out(message.get_receiver() as usize - 1) else { return Ok(()) };
    let mut outcome = Ok(());
    frame::put_member(out, |out| outcome = postcard::to_io(message, out).map(|_| ()));
    outcome.map_err(io::Error::other)
}

/// Whether a message may leave before the leader has synced.
fn needs_no_sync(message: &Message<Batch>) -> bool {
    matches!(message, Message::SequencePaxos(paxos) if matches!(paxos.msg, PaxosMsg::AcceptDecide(_)))
}

impl Protocol for Paxos {
    fn propose(&mut self, batches: Vec<Bytes>) -> Vec<Bytes> {
        let mut refused = Vec::new();
        for batch in batches {
            if self.node.append(Batch(batch.clone())).is_err() {
                refused.push(batch);
            }
        }
        refused
    }

    fn receive(&mut self, message: &Bytes) -> io::Result<()> {
        let message = postcard::from_bytes(message).map_err(io::Error::other)?;
        if matches!(&message, Message::SequencePaxos(paxos) if matches!(paxos.msg, PaxosMsg::Compaction(_))) {
            self.trims.push(message);
        } else {
            self.node.handle_incoming(message);
        }
        Ok(())
    }

    fn tick(&mut self) {
        self.node.tick();
    }

    fn advance(&mut self, links: &mut Links, service: &mut Service) -> io::Result<()> {
        self.node.take_outgoing_messages(&mut self.outgoing);
        let outgoing = std::mem::take(&mut self.outgoing);
        // As many as come before the first that must wait: the order of messages is kept.
        let early = outgoing.iter().take_while(|message| needs_no_sync(message)).count();
        for message in &outgoing[..early] {
            send(message, links)?;
        }
        links.flush()?;
        self.log.borrow_mut().persist()?;
        for message in &outgoing[early..] {
            send(message, links)?;
        }
        self.outgoing = outgoing;
        self.outgoing.clear();
        self.execute(links, service)?;
        self.trim();
        Ok(())
    }

    fn leads(&self) -> bool {
        self.node.get_current_leader() == Some((self.id, true))
    }
}
