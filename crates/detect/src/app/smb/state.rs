//! What is remembered of a flow: its exchanges, its trees, its files' names, what was asked for and not answered.

use super::events::Event;
use super::key::{Handle, Key, MessageKey, TreeKey};
use super::transaction::{Command, SmbTransaction, Spoken, Status, What};
use crate::Direction;
use crate::app::Transactions;
use crate::app::dcerpc::interface::Interface;
use crate::app::recent::Recent;
use std::sync::Arc;

/// Exchanges of a flow that may be alive; with as many, the flow is given up.
pub(super) const EXCHANGES_MAX: usize = 1024;
/// Bytes of a name that are kept; the rest is cut off, so that what a flow remembers is bounded.
pub(super) const NAME_BYTES_MAX: usize = 4096;
/// Bytes that a read may ask for or a response have; larger ones are told and passed over.
pub(super) const READ_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// The same for writes.
pub(super) const WRITE_BYTES_MAX: u32 = 16 * 1024 * 1024;
const NAMES_MAX: usize = 1024;
const AWAITED_MAX: usize = 512;
const READS_MAX: usize = 128;
const TREES_MAX: usize = 512;
const FRAGMENTS_MAX: usize = 128;

/// A tree that is connected.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) share: Vec<u8>,
    pub(super) is_pipe: bool,
}

/// A flow.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) transactions: Transactions<SmbTransaction>,
    /// The names of files that are being opened.
    pub(super) awaited_names: Recent<MessageKey, Vec<u8>>,
    /// Files that are being closed or spoken to.
    pub(super) awaited_handles: Recent<MessageKey, Handle>,
    /// Which part of which file a read asks for.
    pub(super) reads: Recent<MessageKey, (Handle, u64)>,
    /// The names of files that are open.
    pub(super) names: Recent<Handle, Vec<u8>>,
    pub(super) trees: Recent<TreeKey, Tree>,
    /// Units of DCERPC of which a part came.
    pub(super) fragments: Recent<(TreeKey, Handle), Vec<u8>>,
    /// The interfaces of the last bind.
    pub(super) interfaces: Arc<Vec<Interface>>,
    pub(super) spoken: Spoken,
    /// What the server said that it takes, 0 if it did not.
    pub(super) read_bytes_max: u32,
    pub(super) write_bytes_max: u32,
    /// What comes this way cannot be read any longer.
    pub(super) is_lost: [bool; 2],
    /// There was a hole this way that no file filled.
    pub(super) had_hole: [bool; 2],
    /// Bytes of a record that follow and are of no interest.
    pub(super) skip: [usize; 2],
    /// The file that bytes which follow belong to, and how many.
    pub(super) file_left: [Option<(Handle, u64)>; 2],
}

impl Default for State {
    fn default() -> Self {
        State {
            transactions: Transactions::default(),
            awaited_names: Recent::new(AWAITED_MAX),
            awaited_handles: Recent::new(AWAITED_MAX),
            reads: Recent::new(READS_MAX),
            names: Recent::new(NAMES_MAX),
            trees: Recent::new(TREES_MAX),
            fragments: Recent::new(FRAGMENTS_MAX),
            interfaces: Arc::default(),
            spoken: Spoken::Unknown,
            read_bytes_max: 0,
            write_bytes_max: 0,
            is_lost: [false; 2],
            had_hole: [false; 2],
            skip: [0; 2],
            file_left: [None; 2],
        }
    }
}

impl State {
    /// Opens an exchange. Nothing if there are too many: then the last of them is marked, and the flow is given up with what
    /// comes next.
    pub(super) fn open(&mut self, command: Command, key: Key, what: What) -> Option<&mut SmbTransaction> {
        if self.transactions.len() >= EXCHANGES_MAX {
            self.note(Event::TooManyTransactions);
            return None;
        }
        let mut transaction = SmbTransaction::new(command, key, what);
        transaction.number = self.transactions.opened().saturating_add(1);
        transaction.spoken = self.spoken.clone();
        // Of files and calls several requests and responses are parts.
        let is_long = matches!(transaction.what, What::File(_) | What::Call(_));
        transaction.done = if is_long { [false, false] } else { [true, self.is_lost[1]] };
        self.transactions.open(transaction);
        self.transactions.last_mut()
    }

    /// Marks the newest exchange.
    pub(super) fn note(&mut self, event: Event) {
        if let Some(transaction) = self.transactions.last_mut() {
            transaction.note(event);
        }
    }

    fn find(&mut self, is_it: impl Fn(&SmbTransaction) -> bool) -> Option<&mut SmbTransaction> {
        self.transactions.iter_mut().map(|live| &mut live.transaction).find(|transaction| is_it(transaction))
    }

    /// The oldest exchange of this command and key.
    pub(super) fn find_command(&mut self, command: Command, key: &Key) -> Option<&mut SmbTransaction> {
        self.find(|transaction| transaction.command == command && transaction.key.matches(key))
    }

    /// The newest exchange, if it is of this command.
    pub(super) fn find_last(&mut self, command: Command) -> Option<&mut SmbTransaction> {
        self.transactions.last_mut().filter(|transaction| transaction.command == command)
    }

    /// The negotiation that a client of this SMB began.
    pub(super) fn find_negotiation(&mut self, version: u8) -> Option<&mut SmbTransaction> {
        self.find(|transaction| {
            matches!(transaction.what, What::Negotiate(_)) && transaction.command.version() == version
        })
    }

    pub(super) fn find_session_setup(&mut self, key: &Key) -> Option<&mut SmbTransaction> {
        self.find(|transaction| {
            matches!(transaction.what, What::SessionSetup(_)) && transaction.key.matches(key)
        })
    }

    pub(super) fn find_tree_connect(&mut self, key: &Key) -> Option<&mut SmbTransaction> {
        self.find(|transaction| {
            matches!(transaction.what, What::TreeConnect(_)) && transaction.key.matches(key)
        })
    }

    /// The file of this handle, closed or not.
    pub(super) fn find_file(&mut self, handle: Handle, direction: Direction) -> Option<&mut SmbTransaction> {
        self.find(|transaction| {
            transaction
                .file()
                .is_some_and(|file| file.handle == handle && file.carried.direction == direction)
        })
    }

    /// The file of this handle that is not closed.
    pub(super) fn find_open_file(
        &mut self,
        handle: Handle,
        direction: Direction,
    ) -> Option<&mut SmbTransaction> {
        self.find(|transaction| {
            transaction.file().is_some_and(|file| {
                file.handle == handle
                    && file.carried.direction == direction
                    && file.carried.transfer.is_open()
            })
        })
    }

    /// The file of this handle is closed: what was written to it and read from it is complete.
    pub(super) fn close_file(&mut self, handle: Handle, direction: Direction, status: Option<Status>) {
        let Some(transaction) = self.find_file(handle, direction) else {
            return;
        };
        let was_open = !transaction.done[0];
        if let Some(file) = transaction.file_mut().filter(|_| was_open) {
            file.carried.close();
        }
        transaction.done = [true, true];
        if status.is_some() {
            transaction.status = status;
        }
    }

    /// The name of an open file, `otherwise` if it is not known.
    pub(super) fn name_of(&mut self, handle: Handle, otherwise: &[u8]) -> Vec<u8> {
        self.names.get(&handle).map_or_else(|| otherwise.to_vec(), Clone::clone)
    }

    /// Nothing that follows this way can be read: exchanges do not wait for it.
    pub(super) fn lose(&mut self, direction: Direction) {
        self.is_lost[direction.index()] = true;
        for live in self.transactions.iter_mut() {
            live.transaction.done[direction.index()] = true;
        }
    }
}

/// Text without zeros, as UTF-16 of Latin letters becomes readable.
pub(super) fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != 0).take(NAME_BYTES_MAX).collect()
}

/// Text of bounded length.
pub(super) fn bounded(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(NAME_BYTES_MAX)].to_vec()
}
