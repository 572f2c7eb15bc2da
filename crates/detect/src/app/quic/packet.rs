//! What one packet said: each that is looked into is a transaction of its own, of the one direction in which it went.

use super::hello::Extension;
use super::{Event, field};
use crate::Direction;
use crate::app::tls::field as of_tls;
use crate::app::{Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// What one packet said.
#[derive(Clone, Debug)]
pub struct Packet {
    pub(super) from: Direction,
    pub(super) is_long: bool,
    pub(super) is_short: bool,
    pub(super) version: u32,
    pub(super) version_bytes: Vec<u8>,
    pub(super) server_name: Option<Vec<u8>>,
    pub(super) user_agent: Option<Vec<u8>>,
    /// CYU: text and hash of each message of Google's handshake.
    pub(super) cyu: Vec<(String, String)>,
    /// JA3 of a client or JA3S of a server: text and hash.
    pub(super) ja3: Option<(String, String)>,
    pub(super) ja4: Option<String>,
    pub(super) extensions: Vec<Extension>,
    pub(super) events: u128,
}

impl Packet {
    pub(super) fn raise(&mut self, event: Event) {
        self.events |= 1 << (event as u8);
    }
}

impl Transaction for Packet {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if direction == self.from { Ready::Full } else { Ready::No }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if direction != self.from {
            return;
        }
        let ja3 = |is_of: Direction| self.ja3.as_ref().filter(|_| direction == is_of);
        let one = match field {
            field::VERSION => self.is_long.then_some(self.version_bytes.as_slice()),
            field::SERVER_NAME => self.server_name.as_deref(),
            field::USER_AGENT => self.user_agent.as_deref(),
            field::CYU_TEXT => {
                return self.cyu.iter().for_each(|(text, _)| show(Piece::whole(text.as_bytes())));
            }
            field::CYU_HASH => {
                return self.cyu.iter().for_each(|(_, hash)| show(Piece::whole(hash.as_bytes())));
            }
            of_tls::JA3_TEXT => ja3(Direction::ToServer).map(|(text, _)| text.as_bytes()),
            of_tls::JA3_HASH => ja3(Direction::ToServer).map(|(_, hash)| hash.as_bytes()),
            of_tls::JA3S_TEXT => ja3(Direction::ToClient).map(|(text, _)| text.as_bytes()),
            of_tls::JA3S_HASH => ja3(Direction::ToClient).map(|(_, hash)| hash.as_bytes()),
            of_tls::JA4 => self.ja4.as_deref().map(str::as_bytes),
            _ => None,
        };
        if let Some(bytes) = one {
            show(Piece::whole(bytes));
        }
    }

    fn events(&self, direction: Direction) -> u128 {
        if direction == self.from { self.events } else { 0 }
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}
