//! A session: what both sides said in clear, from the first record to the end of the flow. It is the one
//! transaction of its flow.
//!
//! Each side makes progress from its hello to its end, and never back; a field is there once its side came as far
//! as the message that carries it. What comes after the handshake is counted on, not kept.

use super::certificate::Certificate;
use super::event::Event;
use super::field;
use super::version;
use crate::app::fingerprint::{Ja3, Offer};
use crate::app::{Family, Field, Piece, Ready, Transaction};
use crate::eve::Object;
use crate::{Direction, Time};

/// How far a side came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) enum Progress {
    /// It said something at most.
    #[default]
    Begun,
    /// Its hello was read.
    Hello,
    /// Its certificates were read, or could not be.
    Certificate,
    /// It said that its hello is done (servers only).
    HelloDone,
    /// The handshake is done as far as it can be seen.
    Handshake,
    /// It says nothing more.
    Over,
}

/// Marks of a session.
pub(super) mod mark {
    /// A client's hello was read.
    pub(in crate::app::tls) const CLIENT_HELLO: u32 = 1;
    /// A server's hello was read.
    pub(in crate::app::tls) const SERVER_HELLO: u32 = 1 << 1;
    /// A client's key exchange was seen.
    pub(in crate::app::tls) const CLIENT_KEYS: u32 = 1 << 2;
    /// A server's key exchange was seen.
    pub(in crate::app::tls) const SERVER_KEYS: u32 = 1 << 3;
    /// What rules may name and what never comes about.
    pub(in crate::app::tls) const UNKNOWN: u32 = 1 << 4;
    /// Somebody changed the cipher.
    pub(in crate::app::tls) const CIPHER_CHANGED: u32 = 1 << 5;
    /// The client changed the cipher.
    pub(in crate::app::tls) const CLIENT_CIPHER_CHANGED: u32 = 1 << 6;
    /// The server changed the cipher.
    pub(in crate::app::tls) const SERVER_CIPHER_CHANGED: u32 = 1 << 7;
    /// The server asked for a certificate.
    pub(in crate::app::tls) const CERTIFICATE_ASKED: u32 = 1 << 8;
    /// The client sends data before the server's hello.
    pub(in crate::app::tls) const EARLY_DATA: u32 = 1 << 9;
    /// The client listed its versions.
    pub(in crate::app::tls) const VERSIONS_LISTED: u32 = 1 << 10;
    /// The certificates will not be seen: it is TLS 1.3.
    pub(in crate::app::tls) const NO_CERTIFICATES: u32 = 1 << 11;
    /// An older session goes on.
    pub(in crate::app::tls) const RESUMED: u32 = 1 << 12;
    /// A heartbeat waits for its answer.
    pub(in crate::app::tls) const HEARTBEAT: u32 = 1 << 13;
    /// The client sent it.
    pub(in crate::app::tls) const HEARTBEAT_OF_CLIENT: u32 = 1 << 14;
    /// The server sent it.
    pub(in crate::app::tls) const HEARTBEAT_OF_SERVER: u32 = 1 << 15;
    /// SSL 2: a client's hello was seen.
    pub(in crate::app::tls) const SSL2_CLIENT_HELLO: u32 = 1 << 16;
    /// SSL 2: a server's hello was seen.
    pub(in crate::app::tls) const SSL2_SERVER_HELLO: u32 = 1 << 17;
    /// SSL 2: the client's key was seen.
    pub(in crate::app::tls) const SSL2_CLIENT_KEY: u32 = 1 << 18;
    /// SSL 2: the client's hello goes on with no older session.
    pub(in crate::app::tls) const SSL2_NO_SESSION: u32 = 1 << 19;
    /// SSL 2: the client encrypts.
    pub(in crate::app::tls) const SSL2_CLIENT_ENCRYPTS: u32 = 1 << 20;
    /// SSL 2: the server encrypts.
    pub(in crate::app::tls) const SSL2_SERVER_ENCRYPTS: u32 = 1 << 21;
    /// Raw bytes are encrypted from here on.
    pub(in crate::app::tls) const SEALED: u32 = 1 << 22;
}

/// What one side said.
#[derive(Clone, Default, Debug)]
pub(super) struct Side {
    pub(super) progress: Progress,
    pub(super) version: u16,
    pub(super) random: Option<[u8; 32]>,
    pub(super) session_id: Vec<u8>,
    pub(super) server_name: Option<Vec<u8>>,
    pub(super) offer: Offer,
    pub(super) ja3: Ja3,
    pub(super) ja4: Option<String>,
    /// The first certificate, if it could be read.
    pub(super) certificate: Option<Certificate>,
    /// How many certificates came, once they did.
    pub(super) chain_length: Option<usize>,
    /// They as they came, if somebody wants them.
    pub(super) certificates: Vec<Vec<u8>>,
    /// It went on to encrypt: no more certificates will be seen.
    pub(super) encrypts: bool,
}

/// A session.
#[derive(Clone, Default, Debug)]
pub struct Session {
    pub(super) sides: [Side; 2],
    pub(super) marks: u32,
    /// What the last handshake messages of the bytes that came last were.
    pub(super) last_messages: u32,
    /// Bytes of the encrypted heartbeat that waits for its answer.
    pub(super) heartbeat_bytes: usize,
    pub(super) time: Time,
    events: u128,
}

impl Session {
    pub(super) fn side(&self, direction: Direction) -> &Side {
        &self.sides[direction.index()]
    }

    pub(super) fn side_mut(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    pub(super) fn has(&self, mark: u32) -> bool {
        self.marks & mark != 0
    }

    pub(super) fn raise(&mut self, event: Event) {
        self.events |= 1 << (event as u8);
    }

    pub(super) fn reach(&mut self, direction: Direction, progress: Progress) {
        let side = self.side_mut(direction);
        side.progress = side.progress.max(progress);
    }

    pub(super) fn reach_both(&mut self, progress: Progress) {
        self.reach(Direction::ToServer, progress);
        self.reach(Direction::ToClient, progress);
    }

    /// Whether both sides encrypt: nothing more of the handshake will be seen.
    pub(super) fn is_sealed(&self) -> bool {
        self.sides.iter().all(|side| side.encrypts)
    }

    /// The certificate that one waits for is there: nothing more of the handshake is worth waiting for.
    pub(super) fn close_handshake(&mut self) {
        let of = if self.has(mark::CERTIFICATE_ASKED) { Direction::ToServer } else { Direction::ToClient };
        if self.side(of).certificate.is_some() {
            self.reach_both(Progress::Handshake);
        }
    }
}

/// What must have been read before there is a field.
fn needs(field: Field) -> Progress {
    if field.is_of(Family::Tls) && field.number() >= field::FIRST_OF_CERTIFICATE {
        Progress::Certificate
    } else {
        Progress::Hello
    }
}

impl Transaction for Session {
    fn is_complete(&self, direction: Direction) -> bool {
        self.side(direction).progress == Progress::Over
    }

    fn is_told(&self) -> bool {
        self.sides.iter().all(|side| side.progress >= Progress::Handshake) || self.is_sealed()
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        let side = self.side(direction);
        if side.progress == Progress::Over {
            return Ready::Full;
        }
        let needed = needs(field);
        if side.progress < needed {
            return Ready::No;
        }
        if side.has(field) {
            return Ready::Full;
        }
        // The server's certificate ends the handshake for both, and the client's may come later than that.
        let may_come = match needed {
            Progress::Certificate if direction == Direction::ToServer => !side.encrypts,
            _ => side.progress == needed,
        };
        if may_come { Ready::Part } else { Ready::Full }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        self.side(direction).visit(field, &mut |bytes| show(Piece::whole(bytes)));
    }

    fn number(&self, field: Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        if field == field::CHAIN_LENGTH {
            show(self.side(direction).chain_length.unwrap_or(0) as u64);
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        super::record::write(self, record);
    }
}

impl Side {
    fn has(&self, field: Field) -> bool {
        if field == field::CHAIN_LENGTH {
            return self.chain_length.is_some();
        }
        let mut is_there = false;
        self.visit(field, &mut |_| is_there = true);
        is_there
    }

    fn visit(&self, field: Field, show: &mut dyn FnMut(&[u8])) {
        let certificate = self.certificate.as_ref();
        let random = self.random.as_ref();
        let one = match field {
            field::SERVER_NAME => self.server_name.as_deref(),
            field::RANDOM => random.map(|random| random.as_slice()),
            field::RANDOM_TIME => random.and_then(|random| random.get(..4)),
            field::RANDOM_BYTES => random.and_then(|random| random.get(4..)),
            field::JA3_TEXT | field::JA3S_TEXT => self.ja3.text().map(str::as_bytes),
            field::JA3_HASH | field::JA3S_HASH => self.ja3.hash().map(str::as_bytes),
            field::JA4 => self.ja4.as_deref().map(str::as_bytes),
            field::SUBJECT => certificate.map(|certificate| certificate.subject.as_slice()),
            field::ISSUER => certificate.map(|certificate| certificate.issuer.as_slice()),
            field::SERIAL => certificate.and_then(|certificate| certificate.serial.as_deref()),
            field::FINGERPRINT => certificate.map(|certificate| certificate.fingerprint.as_slice()),
            field::NAMES_ABOVE => return self.offer.names().iter().for_each(|name| show(name)),
            field::OTHER_NAMES => {
                return certificate
                    .iter()
                    .flat_map(|certificate| &certificate.other_names)
                    .for_each(|name| show(name));
            }
            field::CERTIFICATES => return self.certificates.iter().for_each(|certificate| show(certificate)),
            _ => None,
        };
        one.into_iter().for_each(show);
    }
}

impl Side {
    /// The version that rules ask for: drafts of TLS 1.3 count as it.
    pub(super) fn plain_version(&self) -> u16 {
        if self.version >> 8 == 0x7f { version::TLS_1_3 } else { self.version }
    }
}
