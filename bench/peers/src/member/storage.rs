//! OmniPaxos' storage over the log: its own `MemoryStorage` answers all reads, every write is noted in the log as well.
//!
//! What is noted is persisted by whoever drives the protocol, before anything that depends on it leaves.

use std::cell::RefCell;
use std::rc::Rc;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::{NoSnapshot, StopSign, Storage, StorageOp, StorageResult};
use omnipaxos_storage::memory_storage::MemoryStorage;
use raft::eraftpb;
use serde::Serialize;

use super::log::Log;
use super::omnipaxos::Batch;

const PROMISE: &[u8] = b"promise";
const ACCEPTED_ROUND: &[u8] = b"accepted round";
const DECIDED: &[u8] = b"decided";
const COMPACTED: &[u8] = b"compacted";
const STOP_SIGN: &[u8] = b"stop sign";

/// Memory and log.
pub(crate) struct EngineStorage {
    memory: MemoryStorage<Batch>,
    log: Rc<RefCell<Log>>,
    /// Where the next entry goes, counted from 0 and as if nothing had been trimmed.
    next: usize,
}

impl EngineStorage {
    pub(crate) fn new(log: Rc<RefCell<Log>>) -> Self {
        Self { memory: MemoryStorage::default(), log, next: 0 }
    }

    fn note(&mut self, entries: &[Batch]) -> StorageResult<()> {
        let first = self.next as u64 + 1;
        let entries: Vec<_> = (first..)
            .zip(entries)
            .map(|(index, batch)| eraftpb::Entry {
                index,
                data: batch.0.clone(),
                ..eraftpb::Entry::default()
            })
            .collect();
        self.next += entries.len();
        Ok(self.log.borrow_mut().append(&entries)?)
    }

    fn put(&self, key: &[u8], value: &impl Serialize, must_sync: bool) -> StorageResult<()> {
        Ok(self.log.borrow_mut().put(key, postcard::to_stdvec(value)?, must_sync)?)
    }
}

impl Storage<Batch> for EngineStorage {
    /// Atomic, since what is noted together is written as one record.
    fn write_atomically(&mut self, operations: Vec<StorageOp<Batch>>) -> StorageResult<()> {
        for operation in operations {
            match operation {
                StorageOp::AppendEntry(entry) => self.append_entry(entry)?,
                StorageOp::AppendEntries(entries) => self.append_entries(entries)?,
                StorageOp::AppendOnPrefix(from, entries) => self.append_on_prefix(from, entries)?,
                StorageOp::SetPromise(ballot) => self.set_promise(ballot)?,
                StorageOp::SetDecidedIndex(index) => self.set_decided_idx(index)?,
                StorageOp::SetAcceptedRound(ballot) => self.set_accepted_round(ballot)?,
                StorageOp::SetCompactedIdx(index) => self.set_compacted_idx(index)?,
                StorageOp::Trim(index) => self.trim(index)?,
                StorageOp::SetStopsign(sign) => self.set_stopsign(sign)?,
                StorageOp::SetSnapshot(snapshot) => self.set_snapshot(snapshot)?,
            }
        }
        Ok(())
    }

    fn append_entry(&mut self, entry: Batch) -> StorageResult<()> {
        self.note(std::slice::from_ref(&entry))?;
        self.memory.append_entry(entry)
    }

    fn append_entries(&mut self, entries: Vec<Batch>) -> StorageResult<()> {
        self.note(&entries)?;
        self.memory.append_entries(entries)
    }

    fn append_on_prefix(&mut self, from: usize, entries: Vec<Batch>) -> StorageResult<()> {
        self.next = from;
        self.note(&entries)?;
        self.memory.append_on_prefix(from, entries)
    }

    fn set_promise(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.put(PROMISE, &ballot, true)?;
        self.memory.set_promise(ballot)
    }

    /// May be forgotten: it is found again.
    fn set_decided_idx(&mut self, index: usize) -> StorageResult<()> {
        self.put(DECIDED, &index, false)?;
        self.memory.set_decided_idx(index)
    }

    fn get_decided_idx(&self) -> StorageResult<usize> {
        self.memory.get_decided_idx()
    }

    fn set_accepted_round(&mut self, ballot: Ballot) -> StorageResult<()> {
        self.put(ACCEPTED_ROUND, &ballot, true)?;
        self.memory.set_accepted_round(ballot)
    }

    fn get_accepted_round(&self) -> StorageResult<Option<Ballot>> {
        self.memory.get_accepted_round()
    }

    fn get_entries(&self, from: usize, to: usize) -> StorageResult<Vec<Batch>> {
        self.memory.get_entries(from, to)
    }

    fn get_log_len(&self) -> StorageResult<usize> {
        self.memory.get_log_len()
    }

    fn get_suffix(&self, from: usize) -> StorageResult<Vec<Batch>> {
        self.memory.get_suffix(from)
    }

    fn get_promise(&self) -> StorageResult<Option<Ballot>> {
        self.memory.get_promise()
    }

    fn set_stopsign(&mut self, sign: Option<StopSign>) -> StorageResult<()> {
        self.put(STOP_SIGN, &sign, true)?;
        self.memory.set_stopsign(sign)
    }

    fn get_stopsign(&self) -> StorageResult<Option<StopSign>> {
        self.memory.get_stopsign()
    }

    fn trim(&mut self, index: usize) -> StorageResult<()> {
        self.log.borrow_mut().retire(index as u64 + 1);
        self.memory.trim(index)
    }

    fn set_compacted_idx(&mut self, index: usize) -> StorageResult<()> {
        self.put(COMPACTED, &index, false)?;
        self.memory.set_compacted_idx(index)
    }

    fn get_compacted_idx(&self) -> StorageResult<usize> {
        self.memory.get_compacted_idx()
    }

    fn set_snapshot(&mut self, snapshot: Option<NoSnapshot>) -> StorageResult<()> {
        self.memory.set_snapshot(snapshot)
    }

    fn get_snapshot(&self) -> StorageResult<Option<NoSnapshot>> {
        self.memory.get_snapshot()
    }
}
