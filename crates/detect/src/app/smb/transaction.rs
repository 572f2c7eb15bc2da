//! An exchange of SMB.

use super::call::Call;
use super::events::Event;
use super::key::{Handle, Key};
use super::{auth, keywords, names};
use crate::Direction;
use crate::app::file::Files;
use crate::app::transfer::Carried;
use crate::app::{Field, Piece, Ready, Transaction, dcerpc};
use crate::eve::Object;
use std::sync::Arc;

/// A command, with the SMB that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    One(u8),
    Two(u16),
}

impl Command {
    /// Which SMB.
    pub(super) fn version(self) -> u8 {
        match self {
            Command::One(_) => 1,
            Command::Two(_) => 2,
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    /// As Windows NT numbers it.
    Nt(u32),
    /// As DOS did.
    Dos { class: u8, code: u16 },
}

/// What both sides agreed to speak.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Spoken {
    #[default]
    Unknown,
    /// The name that the client gave it.
    One(Arc<[u8]>),
    Two(u16),
}

/// What one side of SMB 1 says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    pub(super) system: Vec<u8>,
    pub(super) manager: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Negotiation {
    pub(super) dialects: Vec<Vec<u8>>,
    pub(super) client_guid: Option<[u8; 16]>,
    pub(super) server_guid: Option<[u8; 16]>,
    pub(super) read_bytes_max: u32,
    pub(super) write_bytes_max: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SessionSetup {
    pub(super) client: Option<Host>,
    pub(super) server: Option<Host>,
    pub(super) login: auth::Credentials,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TreeConnect {
    pub(super) share: Vec<u8>,
    pub(super) is_pipe: bool,
    pub(super) share_kind: u8,
    pub(super) service_asked: Option<Vec<u8>>,
    pub(super) service_given: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Create {
    pub(super) name: Vec<u8>,
    pub(super) disposition: u32,
    pub(super) is_deleted_on_close: bool,
    pub(super) is_directory: bool,
    /// Created, accessed, modified, changed: seconds since 1970.
    pub(super) times: [u64; 4],
    pub(super) size: u64,
    pub(super) handle: Handle,
}

#[derive(Clone, Debug)]
pub(super) struct SetInfo {
    pub(super) command: u16,
    pub(super) level: u16,
    pub(super) name: Vec<u8>,
    pub(super) handle: Handle,
    pub(super) is_deleted_on_close: bool,
}

/// A file that is read or written.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) handle: Handle,
    pub(super) share: Vec<u8>,
    pub(super) carried: Carried,
}

/// What it is about.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A command of which nothing but its status is told.
    Plain,
    Negotiate(Box<Negotiation>),
    SessionSetup(Box<SessionSetup>),
    TreeConnect(Box<TreeConnect>),
    Create(Box<Create>),
    File(Box<OpenFile>),
    Call(Box<Call>),
    Ioctl(u32),
    Rename {
        handle: Handle,
        from: Vec<u8>,
        to: Vec<u8>,
    },
    SetInfo(Box<SetInfo>),
}

/// An exchange.
#[derive(Clone, Debug)]
pub struct SmbTransaction {
    pub(super) number: u64,
    pub(super) command: Command,
    pub(super) status: Option<Status>,
    pub(super) spoken: Spoken,
    pub(super) key: Key,
    pub(super) done: [bool; 2],
    pub(super) what: What,
    events: u128,
}

impl SmbTransaction {
    pub(super) fn new(command: Command, key: Key, what: What) -> Self {
        SmbTransaction {
            number: 0,
            command,
            status: None,
            spoken: Spoken::Unknown,
            key,
            done: [true, false],
            what,
            events: 0,
        }
    }

    /// Something is odd about it.
    pub(super) fn note(&mut self, event: Event) {
        self.events |= event.bit();
    }

    /// Its response came.
    pub(super) fn answered(&mut self, status: Status) {
        self.status = Some(status);
        self.done[1] = true;
    }

    /// The call of DCERPC, if it is one.
    pub(crate) fn call(&self) -> Option<&Call> {
        match &self.what {
            What::Call(call) => Some(call),
            _ => None,
        }
    }

    pub(super) fn call_mut(&mut self) -> Option<&mut Call> {
        match &mut self.what {
            What::Call(call) => Some(call),
            _ => None,
        }
    }

    pub(super) fn file(&self) -> Option<&OpenFile> {
        match &self.what {
            What::File(file) => Some(file),
            _ => None,
        }
    }

    pub(super) fn file_mut(&mut self) -> Option<&mut OpenFile> {
        match &mut self.what {
            What::File(file) => Some(file),
            _ => None,
        }
    }
}

impl Transaction for SmbTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.done[direction.index()]
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) {
            return Ready::Full;
        }
        let has_stub = self.call().is_some_and(|call| !call.stubs[direction.index()].bytes().is_empty());
        if field == dcerpc::STUB_DATA && has_stub { Ready::Part } else { Ready::No }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let login = || match &self.what {
            What::SessionSetup(setup) => setup.login.ntlmssp.as_ref(),
            _ => None,
        };
        let tree = |is_pipe: bool| match &self.what {
            What::TreeConnect(tree) if tree.is_pipe == is_pipe => Some(tree.share.as_slice()),
            _ => None,
        };
        let bytes = match field {
            keywords::SHARE => tree(false),
            keywords::NAMED_PIPE => tree(true),
            keywords::NTLMSSP_USER => login().map(|login| login.user.as_slice()),
            keywords::NTLMSSP_DOMAIN => login().map(|login| login.domain.as_slice()),
            dcerpc::STUB_DATA => self.call().map(|call| call.stubs[direction.index()].bytes()),
            _ => None,
        };
        if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
            show(Piece::whole(bytes));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn files(&self, direction: Direction) -> Option<&Files> {
        self.file()
            .map(|file| &file.carried)
            .filter(|file| file.direction == direction)
            .map(|file| &file.files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        let file = self.file_mut().map(|file| &mut file.carried);
        file.filter(|file| file.direction == direction).map(|file| &mut file.files)
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}

impl Spoken {
    /// As records have it.
    pub(super) fn name(&self) -> String {
        match self {
            Spoken::Unknown => "unknown".to_owned(),
            Spoken::One(name) => core::str::from_utf8(name).unwrap_or("invalid").to_owned(),
            Spoken::Two(number) => names::dialect(*number),
        }
    }
}
