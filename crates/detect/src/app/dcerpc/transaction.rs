//! An exchange of DCERPC: a bind and its answer, or a request and its response.

use super::interface::{Interface, Uuid};
use super::keywords;
use super::stub::Stub;
use crate::Direction;
use crate::app::{Field, Piece, Ready, Transaction};
use crate::eve::Object;
use std::sync::Arc;

/// Whose activity a datagram belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Activity {
    pub(crate) uuid: Uuid,
    pub(crate) sequence: u32,
}

/// An exchange.
#[derive(Clone, Debug)]
pub struct DcerpcTransaction {
    pub(crate) call_id: u32,
    pub(crate) minor: u8,
    pub(crate) is_little: bool,
    pub(crate) context: u16,
    /// The operation's number, once a request named it.
    pub(crate) operation: Option<u16>,
    /// What was sent (or would have been) and what came back.
    pub(crate) kinds: [u8; 2],
    pub(crate) done: [bool; 2],
    pub(crate) stubs: [Stub; 2],
    /// The interfaces that were known when it was touched last.
    pub(crate) interfaces: Arc<Vec<Interface>>,
    /// Of datagrams only.
    pub(crate) activity: Option<Activity>,
    /// It was ended by the end of the flow.
    pub(crate) lost: [bool; 2],
}

impl DcerpcTransaction {
    /// One of which nothing but the call's number is known.
    pub(crate) fn new(call_id: u32) -> Self {
        DcerpcTransaction {
            call_id,
            minor: 0,
            is_little: true,
            context: 0,
            operation: None,
            kinds: [super::pdu::kind::REQUEST, super::pdu::kind::RESPONSE],
            done: [false; 2],
            stubs: [Stub::default(), Stub::default()],
            interfaces: Arc::default(),
            activity: None,
            lost: [false; 2],
        }
    }

    /// Nothing more comes this way.
    pub(crate) fn lose(&mut self, direction: Direction) {
        if !self.done[direction.index()] {
            self.done[direction.index()] = true;
            self.lost[direction.index()] = true;
        }
    }
}

impl Transaction for DcerpcTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.done[direction.index()]
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) {
            Ready::Full
        } else if field == keywords::STUB_DATA && !self.stubs[direction.index()].bytes().is_empty() {
            Ready::Part
        } else {
            Ready::No
        }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let stub = self.stubs[direction.index()].bytes();
        if field == keywords::STUB_DATA && !stub.is_empty() {
            show(Piece { little_endian: self.is_little, ..Piece::whole(stub) });
        }
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}
