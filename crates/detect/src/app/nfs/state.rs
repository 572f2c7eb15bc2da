//! What is remembered of a flow: its exchanges, its calls that were not answered, the names of its files.

use super::rpc::Call;
use super::transaction::{Event, NfsTransaction, OpenFile};
use crate::Direction;
use crate::app::Transactions;
use crate::app::recent::Recent;
use crate::app::transfer::Carried;

/// Exchanges of a flow that may be open; with more, the oldest that is not complete is given up.
const EXCHANGES_MAX: usize = 1000;
const CALLS_MAX: usize = 512;
const NAMES_MAX: usize = 512;
/// Bytes of a name that are kept; the rest is cut off.
const NAME_BYTES_MAX: usize = 4096;
/// Bytes of a handle that are kept: the standard allows 128.
const HANDLE_BYTES_MAX: usize = 256;

/// A call that was not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) version: u32,
    pub(super) procedure: u32,
    /// Where it reads.
    pub(super) offset: u64,
    pub(super) name: Vec<u8>,
    pub(super) handle: Vec<u8>,
    /// RPCSEC_GSS protects it without hiding it.
    pub(super) is_protected: bool,
}

/// Bytes that follow and belong to a file.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub(super) handle: Vec<u8>,
    pub(super) bytes: u64,
}

/// A flow.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) transactions: Transactions<NfsTransaction>,
    pub(super) calls: Recent<u32, Asked>,
    pub(super) names: Recent<Vec<u8>, Vec<u8>>,
    /// The version of the first call that told one.
    pub(super) version: u32,
    /// There was a hole this way that no file filled.
    pub(super) had_hole: [bool; 2],
    pub(super) left: [Option<Left>; 2],
    /// Bytes of a record that follow and are of no interest.
    pub(super) skip: [u64; 2],
}

impl Default for State {
    fn default() -> Self {
        State {
            transactions: Transactions::default(),
            calls: Recent::new(CALLS_MAX),
            names: Recent::new(NAMES_MAX),
            version: 0,
            had_hole: [false; 2],
            left: [None, None],
            skip: [0; 2],
        }
    }
}

impl State {
    /// Opens an exchange.
    pub(super) fn open(&mut self, mut transaction: NfsTransaction) {
        if self.transactions.len() >= EXCHANGES_MAX
            && let Some(live) =
                self.transactions.iter_mut().find(|live| live.transaction.done != [true, true])
        {
            live.transaction.note(Event::TooManyTransactions);
            live.transaction.done = [true, true];
            if let Some(file) = &mut live.transaction.file {
                file.is_closed = true;
            }
        }
        transaction.number = self.transactions.opened().saturating_add(1);
        transaction.flow_version = self.version;
        self.transactions.open(transaction);
    }

    /// Opens the exchange of a call that is no transfer.
    pub(super) fn open_call(
        &mut self,
        call: &Call<'_>,
        procedure: u32,
        asked: &Asked,
        new_name: Option<Vec<u8>>,
    ) {
        let mut transaction = NfsTransaction::new(call.xid, call.version, procedure);
        transaction.done[0] = true;
        transaction.caller = call.caller.clone();
        transaction.name.clone_from(&asked.name);
        transaction.new_name = new_name;
        transaction.handle.clone_from(&asked.handle);
        self.open(transaction);
    }

    /// Completes the exchange of a call.
    pub(super) fn answer(&mut self, xid: u32, rpc_state: u32, status: u32, handle: &[u8]) {
        let is_it = |transaction: &NfsTransaction| transaction.file.is_none() && transaction.xid == xid;
        let found = self.transactions.iter_mut().find(|live| is_it(&live.transaction));
        if let Some(transaction) = found.map(|live| &mut live.transaction) {
            transaction.done[1] = true;
            transaction.rpc_state = rpc_state;
            transaction.status = status;
            if transaction.handle.is_empty() {
                transaction.handle = handle.to_vec();
            }
        }
    }

    /// Marks the newest exchange.
    pub(super) fn note(&mut self, event: Event) {
        if let Some(transaction) = self.transactions.last_mut() {
            transaction.note(event);
        }
    }

    /// The file of this handle that is not closed.
    pub(super) fn find_file(&mut self, handle: &[u8], direction: Direction) -> Option<&mut NfsTransaction> {
        self.transactions.iter_mut().map(|live| &mut live.transaction).find(|transaction| {
            transaction.handle == handle
                && transaction
                    .file
                    .as_ref()
                    .is_some_and(|file| !file.is_closed && file.carried.direction == direction)
        })
    }

    /// Opens the exchange of a file.
    pub(super) fn open_file(&mut self, mut transaction: NfsTransaction, direction: Direction) {
        transaction.file = Some(Box::new(OpenFile {
            carried: Carried::new(direction, transaction.name.clone()),
            is_closed: false,
            was_committed: false,
            last_xid: 0,
            pieces: 0,
            is_first: true,
            is_last: false,
        }));
        self.open(transaction);
    }

    /// The name of a file, nothing if it is not known.
    pub(super) fn name_of(&mut self, handle: &[u8]) -> Vec<u8> {
        self.names.get(&handle.to_vec()).cloned().unwrap_or_default()
    }

    /// Remembers the name of a file.
    pub(super) fn learn_name(&mut self, handle: &[u8], name: &[u8]) {
        self.names.put(bounded_handle(handle), bounded_name(name));
    }
}

pub(super) fn bounded_name(name: &[u8]) -> Vec<u8> {
    name[..name.len().min(NAME_BYTES_MAX)].to_vec()
}

pub(super) fn bounded_handle(handle: &[u8]) -> Vec<u8> {
    handle[..handle.len().min(HANDLE_BYTES_MAX)].to_vec()
}
