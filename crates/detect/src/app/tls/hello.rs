//! Hellos of TLS, read as Suricata reads them, since fingerprints and events must agree on broken ones as well.
//!
//! A field's parser from elsewhere would not do: here an extension whose inside is broken ends the reading of
//! extensions, but the hello counts as read; an extension whose inside is shorter than itself moves everything
//! behind it; only a length that leaves the message makes the hello void.

use super::event::Event;
use super::reader::Reader;
use super::session::{Progress, Session, mark};
use super::version;
use crate::Direction;
use crate::app::fingerprint::{is_grease, ja4};

/// Bytes of a host name at most.
const SERVER_NAME_BYTES_MAX: u16 = 255;

/// Whose hello it is, by the message's type: whoever sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A client's.
    Client,
    /// A server's.
    Server,
}

/// What of a hello has to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// JA3 or JA3S.
    pub(super) ja3: bool,
    /// JA4.
    pub(super) ja4: bool,
    /// The protocols that could be spoken above.
    pub(super) names_above: bool,
}

/// The hello is void: what was read of it stays.
struct Void;

/// A hello that is being read.
struct Hello<'a> {
    session: &'a mut Session,
    from: Direction,
    kind: Kind,
    wanted: Wanted,
}

/// Reads the hello that `from` sent.
pub(super) fn read(session: &mut Session, from: Direction, kind: Kind, message: &[u8], wanted: Wanted) {
    let mut hello = Hello { session, from, kind, wanted };
    // Void ones leave their side where it was; what is odd about them was raised where it was seen.
    if hello.read(Reader::new(message)).is_ok() {
        hello.finish();
    }
}

impl Hello<'_> {
    fn read(&mut self, mut reader: Reader<'_>) -> Result<(), Void> {
        let said = self.within(reader.u16())?;
        self.version(said);
        let random = self.within(reader.take(32))?;
        let of = match self.kind {
            Kind::Client => Direction::ToServer,
            Kind::Server => Direction::ToClient,
        };
        self.session.side_mut(of).random = random.try_into().ok();
        // Drafts of TLS 1.3 before the 22nd left the session and the compression out of the server's hello.
        let is_short = self.kind == Kind::Server && self.session.has(mark::NO_CERTIFICATES);
        if !is_short {
            let session_id = self.within(reader.short_piece())?;
            self.session_id(session_id);
        }
        let ciphers = match self.kind {
            Kind::Client => reader.piece(),
            Kind::Server => reader.take(2),
        };
        let ciphers = self.within(ciphers.filter(|ciphers| ciphers.len() % 2 == 0))?;
        self.ciphers(ciphers);
        if !is_short {
            match self.kind {
                Kind::Client => self.within(reader.short_piece())?,
                Kind::Server => self.within(reader.take(1))?,
            };
        }
        self.extensions(reader)
    }

    fn finish(&mut self) {
        let wanted = self.wanted;
        let side = self.session.side_mut(self.from);
        if wanted.ja3 {
            side.ja3.finish();
        }
        if wanted.ja4 && self.kind == Kind::Client {
            side.ja4 = Some(ja4(&side.offer, false));
        }
        self.session.reach(self.from, Progress::Hello);
    }

    /// What was read, or the hello is void since it would lie beyond the end.
    fn within<T>(&mut self, read: Option<T>) -> Result<T, Void> {
        read.ok_or_else(|| {
            self.session.raise(Event::HelloLength);
            Void
        })
    }

    fn version(&mut self, said: u16) {
        let (kind, wanted) = (self.kind, self.wanted);
        if kind == Kind::Server && (said == version::TLS_1_3 || said >> 8 == 0x7f) {
            self.session.marks |= mark::NO_CERTIFICATES;
        }
        let side = self.session.side_mut(self.from);
        // Drafts before the 16th called themselves 1.3.
        let is_early = said == version::TLS_1_3 || (0x7f01..0x7f10).contains(&said);
        side.version = if is_early { version::TLS_1_3_EARLY_DRAFT } else { said };
        if wanted.ja4 {
            side.offer.version(said);
        }
        if wanted.ja3 {
            side.ja3.version(said);
        }
    }

    fn session_id(&mut self, id: &[u8]) {
        let side = self.session.side_mut(self.from);
        if id.is_empty() || !side.session_id.is_empty() {
            return;
        }
        side.session_id = id.to_vec();
        if self.kind == Kind::Server {
            let [client, server] = &self.session.sides;
            if client.session_id == server.session_id {
                self.session.marks |= mark::RESUMED;
            }
        }
    }

    fn ciphers(&mut self, ciphers: &[u8]) {
        let wanted = self.wanted;
        let side = self.session.side_mut(self.from);
        if wanted.ja4 {
            numbers(ciphers).for_each(|cipher| side.offer.cipher(cipher));
        }
        if wanted.ja3 && !side.ja3.is_finished() {
            let list: Vec<u16> = numbers(ciphers).collect();
            side.ja3.list(&list);
        }
    }

    fn extensions(&mut self, mut reader: Reader<'_>) -> Result<(), Void> {
        let mut seen = Seen::default();
        if let Some(length) = reader.u16() {
            self.within(reader.rest().get(..usize::from(length)))?;
            self.each_extension(&mut reader, length, &mut seen)?;
        }
        if !self.wanted.ja3 {
            return Ok(());
        }
        let side = self.session.side_mut(self.from);
        if !side.ja3.is_finished() {
            side.ja3.list(&seen.types);
            if self.kind == Kind::Client {
                side.ja3.list(&seen.curves);
                side.ja3.list(&seen.formats);
            }
        }
        Ok(())
    }

    /// Reads extensions until `length` bytes were counted; ends early, but well, at one whose inside is broken.
    fn each_extension(&mut self, reader: &mut Reader<'_>, length: u16, seen: &mut Seen) -> Result<(), Void> {
        let mut counted: u16 = 0;
        while counted < length {
            let number = self.within(reader.u16())?;
            let size = self.within(reader.u16())?;
            let content = self.within(reader.rest().get(..usize::from(size)))?;
            let Ok(read) = self.extension(number, content, seen) else {
                return Ok(());
            };
            self.within(reader.take(read))?;
            if !is_grease(number) {
                seen.types.push(number);
                if self.wanted.ja4 {
                    self.session.side_mut(self.from).offer.extension(number);
                }
            }
            counted = counted.wrapping_add(size).wrapping_add(4);
        }
        Ok(())
    }

    /// Reads the inside of an extension; tells how many bytes it took, which moves what follows.
    fn extension(&mut self, number: u16, content: &[u8], seen: &mut Seen) -> Result<usize, Void> {
        let is_client = self.kind == Kind::Client;
        let mut reader = Reader::new(content);
        match number {
            0 if !content.is_empty() => self.server_name(&mut reader)?,
            10 if !content.is_empty() => self.curves(&mut reader, seen)?,
            11 if !content.is_empty() => {
                let formats = self.within(reader.short_piece())?;
                if is_client {
                    seen.formats.extend(formats.iter().copied().map(u16::from));
                }
            }
            13 if !content.is_empty() => {
                let algorithms = reader.piece().filter(|list| list.len() % 2 == 0);
                let algorithms = self.within(algorithms)?;
                if is_client && self.wanted.ja4 {
                    let offer = &mut self.session.side_mut(self.from).offer;
                    numbers(algorithms).for_each(|algorithm| offer.signature(algorithm));
                }
            }
            16 if !content.is_empty() => {
                self.names_above(&mut reader, content)?;
                return Ok(content.len());
            }
            35 | 42 => {
                if is_client {
                    self.session.marks |= if number == 35 { mark::RESUMED } else { mark::EARLY_DATA };
                }
                return Ok(content.len());
            }
            43 if !content.is_empty() => self.versions(&mut reader)?,
            0 | 10 | 11 | 13 | 16 | 43 => {}
            _ => return Ok(content.len()),
        }
        Ok(content.len() - reader.rest().len())
    }

    fn curves(&mut self, reader: &mut Reader<'_>, seen: &mut Seen) -> Result<(), Void> {
        let size = self.within(reader.u16().map(usize::from).filter(|size| *size <= reader.rest().len()))?;
        if self.kind == Kind::Server || !self.wanted.ja3 {
            self.within(reader.take(size))?;
            return Ok(());
        }
        // A list of odd length takes the missing half of its last number from what follows it.
        for _ in 0..size.div_ceil(2) {
            let curve = self.within(reader.u16())?;
            seen.curves.push(curve);
        }
        Ok(())
    }

    fn server_name(&mut self, reader: &mut Reader<'_>) -> Result<(), Void> {
        let kind = self.within(reader.u16().and_then(|_| reader.u8()))?;
        if kind != 0 {
            self.session.raise(Event::ServerNameType);
            return Err(Void);
        }
        let length = self.within(reader.u16())?;
        let name = reader.take(usize::from(length)).filter(|_| (1..=SERVER_NAME_BYTES_MAX).contains(&length));
        let Some(name) = name else {
            self.session.raise(Event::ServerNameLength);
            return Err(Void);
        };
        if self.session.side(self.from).server_name.is_some() {
            self.session.raise(Event::SecondServerName);
        } else {
            self.session.side_mut(self.from).server_name = Some(name.to_vec());
        }
        Ok(())
    }

    fn names_above(&mut self, reader: &mut Reader<'_>, content: &[u8]) -> Result<(), Void> {
        let list = self.within(reader.piece())?;
        let mut names = Reader::new(list);
        while let Some(length) = names.u8() {
            let at = 2 + list.len() - names.rest().len();
            // A name beyond the list is left out; one beyond the extension is broken.
            self.within(content.get(at..).filter(|rest| usize::from(length) <= rest.len()))?;
            let Some(name) = names.take(usize::from(length)) else {
                break;
            };
            if self.wanted.names_above || self.wanted.ja4 {
                self.session.side_mut(self.from).offer.name(name);
            }
        }
        Ok(())
    }

    fn versions(&mut self, reader: &mut Reader<'_>) -> Result<(), Void> {
        match self.kind {
            Kind::Client => {
                let versions = self.within(reader.short_piece().filter(|list| list.len() >= 2))?;
                let wanted = self.wanted;
                if let Some(first) = numbers(versions).find(|said| version::is_valid(*said)) {
                    let side = self.session.side_mut(self.from);
                    side.version = first;
                    if wanted.ja4 {
                        side.offer.version(first);
                    }
                }
                self.session.marks |= mark::VERSIONS_LISTED;
            }
            Kind::Server => {
                let said = self.within(reader.u16())?;
                if self.session.has(mark::VERSIONS_LISTED) && said > version::TLS_1_2 {
                    self.session.marks |= mark::NO_CERTIFICATES;
                }
                self.session.side_mut(self.from).version = said;
            }
        }
        Ok(())
    }
}

/// What JA3 wants of the extensions.
#[derive(Default)]
struct Seen {
    types: Vec<u16>,
    curves: Vec<u16>,
    formats: Vec<u16>,
}

/// The numbers of two bytes each.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}
