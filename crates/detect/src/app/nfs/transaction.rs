//! An exchange of NFS: a call and its reply, or a file.

use super::keywords;
use super::rpc::Caller;
use crate::Direction;
use crate::app::file::Files;
use crate::app::transfer::Carried;
use crate::app::{Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// Something odd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    MalformedData = 0,
    NonExistingVersion = 1,
    TooManyTransactions = 3,
}

/// A file that is read or written.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) carried: Carried,
    /// Nothing more belongs to it.
    pub(super) is_closed: bool,
    /// It was committed: a procedure besides the one that writes.
    pub(super) was_committed: bool,
    pub(super) last_xid: u32,
    pub(super) pieces: u32,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

/// An exchange.
#[derive(Clone, Debug)]
pub struct NfsTransaction {
    pub(super) number: u64,
    pub(super) xid: u32,
    pub(super) version: u32,
    pub(super) procedure: u32,
    pub(super) caller: Caller,
    pub(super) name: Vec<u8>,
    /// Of a rename.
    pub(super) new_name: Option<Vec<u8>>,
    pub(super) handle: Vec<u8>,
    pub(super) rpc_state: u32,
    pub(super) status: u32,
    pub(super) done: [bool; 2],
    pub(super) file: Option<Box<OpenFile>>,
    /// The version that the flow began with, which is what records tell.
    pub(super) flow_version: u32,
    events: u128,
}

impl NfsTransaction {
    pub(super) fn new(xid: u32, version: u32, procedure: u32) -> Self {
        NfsTransaction {
            number: 0,
            xid,
            version,
            procedure,
            caller: Caller::default(),
            name: Vec::new(),
            new_name: None,
            handle: Vec::new(),
            rpc_state: 0,
            status: 0,
            done: [false, false],
            file: None,
            flow_version: version,
            events: 0,
        }
    }

    pub(super) fn note(&mut self, event: Event) {
        self.events |= 1 << (event as u8);
    }
}

impl Transaction for NfsTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.done[direction.index()]
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        match field {
            _ if self.is_complete(direction) => Ready::Full,
            keywords::VERSION => Ready::Full,
            // A commit may be added.
            keywords::PROCEDURE => Ready::Part,
            _ => Ready::No,
        }
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        match field {
            keywords::VERSION => show(u64::from(self.version)),
            keywords::PROCEDURE => {
                show(u64::from(self.procedure));
                if self.file.as_ref().is_some_and(|file| file.was_committed) {
                    show(u64::from(super::v3::COMMIT));
                }
            }
            _ => {}
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn files(&self, direction: Direction) -> Option<&Files> {
        let file = self.file.as_ref().map(|file| &file.carried);
        file.filter(|file| file.direction == direction).map(|file| &file.files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        let file = self.file.as_mut().map(|file| &mut file.carried);
        file.filter(|file| file.direction == direction).map(|file| &mut file.files)
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}
