//! What a handshake of RFB says.

use super::keywords;
use crate::Direction;
use crate::app::{Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// Something odd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    UnimplementedSecurityType,
    UnknownSecurityResult,
    MalformedMessage,
    ConfusedState,
}

/// How a pixel is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct PixelFormat {
    pub(super) bits: u8,
    pub(super) depth: u8,
    pub(super) is_big_endian: bool,
    pub(super) is_true_colour: bool,
    /// Red, green, blue.
    pub(super) max: [u16; 3],
    pub(super) shift: [u8; 3],
}

/// What the server shows.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) format: PixelFormat,
    pub(super) name: Vec<u8>,
}

/// A version: its major and its minor part, three letters each.
pub(super) type Version = [[u8; 3]; 2];

/// The exchange.
#[derive(Clone, Debug, Default)]
pub struct RfbTransaction {
    pub(super) is_complete: bool,
    /// The client's and the server's.
    pub(super) versions: [Option<Version>; 2],
    pub(super) security_type: Option<u32>,
    pub(super) challenge: Option<[u8; 16]>,
    pub(super) response: Option<[u8; 16]>,
    pub(super) security_result: Option<u32>,
    pub(super) failure: Option<Vec<u8>>,
    pub(super) is_shared: Option<bool>,
    pub(super) screen: Option<Screen>,
    pub(super) events: u128,
}

impl RfbTransaction {
    pub(super) fn note(&mut self, event: Event) {
        self.events |= 1 << (event as u8);
    }
}

impl Transaction for RfbTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        self.is_complete
    }

    fn ready(&self, field: Field, _direction: Direction) -> Ready {
        let is_known = match field {
            keywords::NAME => self.screen.is_some(),
            keywords::SECURITY_TYPE => self.security_type.is_some(),
            keywords::SECURITY_RESULT => self.security_result.is_some(),
            _ => false,
        };
        if is_known || self.is_complete { Ready::Full } else { Ready::No }
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if let Some(screen) = &self.screen
            && field == keywords::NAME
            && !screen.name.is_empty()
        {
            show(Piece::whole(&screen.name));
        }
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        let number = match field {
            keywords::SECURITY_TYPE => self.security_type,
            keywords::SECURITY_RESULT => self.security_result,
            _ => None,
        };
        if let Some(number) = number {
            show(u64::from(number));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}
