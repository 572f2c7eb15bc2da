//! TiKV's raft-rs: `RawNode`, driven as the head of its documentation says, step by step.
//!
//! Upon batches: one MsgPropose with all of them.
//! Upon a `Ready`: its messages leave at once, before anything is persisted (Raft allows the leader that, and raft-rs
//! hands out only such messages there); entries and hard state are persisted, with one sync; then the messages that had to
//! wait leave; what is committed is executed.
//!
//! `MemStorage` is the cache of recent entries over the log, as TiKV has one.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Entry, Message, MessageType};
use raft::storage::MemStorage;
use raft::{Config, RawNode, StateRole};
use slog::{Discard, Logger, o};

use super::links::Links;
use super::log::Log;
use super::{Protocol, Service};
use crate::frame;

/// A second without a leader, in ticks.
const ELECTION_TICKS: usize = 20;
const HEARTBEAT_TICKS: usize = 2;
/// As in raft-rs' example.
const MESSAGE_BYTES_MAX: u64 = 1024 * 1024;
/// Executed entries that are kept for members that lag, up to twice as much before they are retired together. A member that
/// lags by more gets a snapshot, which is empty: the service has no state.
const KEPT_BYTES: usize = 128 * 1024 * 1024;
/// What an entry takes beside its data.
const ENTRY_BYTES: usize = 128;
const HARD_STATE: &[u8] = b"hard state";

/// A member.
pub(crate) struct Raft {
    node: RawNode<MemStorage>,
    storage: MemStorage,
    log: Log,
    /// Index and size of the executed entries that are kept.
    kept: VecDeque<(u64, usize)>,
    kept_bytes: usize,
}

impl Raft {
    pub(crate) fn new(id: u64, members: u64, log: Log) -> io::Result<Self> {
        let config = Config {
            id,
            election_tick: ELECTION_TICKS,
            heartbeat_tick: HEARTBEAT_TICKS,
            max_size_per_msg: MESSAGE_BYTES_MAX,
            check_quorum: true,
            pre_vote: true,
            batch_append: true,
            // Followers execute with the next message; only the leader replies.
            skip_bcast_commit: true,
            ..Config::default()
        };
        let storage = MemStorage::new_with_conf_state(((1..=members).collect::<Vec<_>>(), vec![]));
        let node =
            RawNode::new(&config, storage.clone(), &Logger::root(Discard, o!())).map_err(io::Error::other)?;
        Ok(Self { node, storage, log, kept: VecDeque::new(), kept_bytes: 0 })
    }

    fn execute(&mut self, committed: Vec<Entry>, links: &mut Links, service: &Service) {
        for entry in committed {
            // A new leader's own entry is empty; the members never change.
            if !entry.data.is_empty() {
                service.execute(&entry.data, links);
            }
            let bytes = ENTRY_BYTES + entry.data.len();
            self.kept_bytes += bytes;
            self.kept.push_back((entry.index, bytes));
        }
    }

    /// Lets entries go that are beyond what is kept.
    fn retire(&mut self) -> io::Result<()> {
        if self.kept_bytes < 2 * KEPT_BYTES {
            return Ok(());
        }
        let mut index = None;
        while self.kept_bytes > KEPT_BYTES
            && let Some((oldest, bytes)) = self.kept.pop_front()
        {
            self.kept_bytes -= bytes;
            index = Some(oldest + 1);
        }
        if let Some(index) = index {
            self.storage.wl().compact(index).map_err(io::Error::other)?;
            self.log.retire(index);
        }
        Ok(())
    }
}

fn send(messages: Vec<Message>, links: &mut Links) -> io::Result<()> {
    for message in messages {
        let Some(out) = links.out(message.to as usize - 1) else { continue };
        let mut outcome = Ok(());
        frame::put_member(out, |out| outcome = message.write_to_vec(out));
        outcome.map_err(io::Error::other)?;
    }
    Ok(())
}

impl Protocol for Raft {
    fn propose(&mut self, batches: Vec<Bytes>) -> Vec<Bytes> {
        let entries =
            batches.iter().map(|batch| Entry { data: batch.clone(), ..Entry::default() }).collect::<Vec<_>>();
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.node.raft.id;
        message.set_entries(entries.into());
        match self.node.raft.step(message) {
            Ok(()) => Vec::new(),
            Err(_no_leader) => batches,
        }
    }

    fn receive(&mut self, message: &Bytes) -> io::Result<()> {
        let message = Message::parse_from_carllerche_bytes(message).map_err(io::Error::other)?;
        // What a protocol refuses (a message of an old term, say) is no reason to end.
        let _ = self.node.step(message);
        Ok(())
    }

    fn tick(&mut self) {
        self.node.tick();
    }

    fn advance(&mut self, links: &mut Links, service: &mut Service) -> io::Result<()> {
        while self.node.has_ready() {
            let mut ready = self.node.ready();
            send(ready.take_messages(), links)?;
            self.execute(ready.take_committed_entries(), links, service);
            links.flush()?;
            if !ready.snapshot().is_empty() {
                self.storage.wl().apply_snapshot(ready.snapshot().clone()).map_err(io::Error::other)?;
                // What comes next does not follow on what was there.
                self.log.clear();
                self.kept.clear();
                self.kept_bytes = 0;
            }
            if !ready.entries().is_empty() {
                self.log.append(ready.entries())?;
                self.storage.wl().append(ready.entries()).map_err(io::Error::other)?;
            }
            if let Some(state) = ready.hs() {
                self.log.put_message(HARD_STATE, state, ready.must_sync())?;
                self.storage.wl().set_hardstate(state.clone());
            }
            self.log.persist()?;
            send(ready.take_persisted_messages(), links)?;
            let mut light = self.node.advance(ready);
            if let Some(commit) = light.commit_index() {
                self.storage.wl().mut_hard_state().set_commit(commit);
            }
            send(light.take_messages(), links)?;
            self.execute(light.take_committed_entries(), links, service);
            self.node.advance_apply();
        }
        self.retire()
    }

    fn leads(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }
}
