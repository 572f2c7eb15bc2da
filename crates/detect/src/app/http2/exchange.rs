//! A stream as rules see it: the frames of both sides, their headers, bodies, and DNS that they carry.
//!
//! Both sides share one stage, which says what may be looked at: most fields of the request once its body began or it is over, those of the response
//! likewise. A frame of the connection as a whole (stream 0) is an exchange of its own, complete at once.

use super::event::Event;
use super::fields;
use super::frame::{self, Detail, Head};
use super::hpack::{Header, Kind};
use super::record;
use crate::Direction;
use crate::app::dns::{DnsMessage, Header as DnsHeader};
use crate::app::file::{self, Ending, FILE_LIMITS, Files};
use crate::app::http::compression::{Coding, Single, Trouble};
use crate::app::http::field;
use crate::app::{Family, Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// Frames of one side that are looked at; further ones are told as an event.
const FRAMES_MAX: u32 = 65_536;
/// Bytes of headers of one side that are kept, names and values that are repeated counted each time; later ones are dropped.
const HEADER_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a DNS message: one that is longer is not looked at.
const DNS_BYTES_MAX: usize = 0xffff;
/// What comes out of so many bytes at most, or it is a bomb, once it is more than [`BOMB_BYTES_MIN`].
const BOMB_RATIO: u64 = 2048;
const BOMB_BYTES_MIN: u64 = 1_048_576;

/// How far a stream is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    Open,
    Reserved,
    DataToServer,
    ClosedToServer,
    DataToClient,
    ClosedToClient,
    Closed,
    /// A frame of the connection.
    Connection,
    /// There are too many.
    Dropped,
}

/// What one side said.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// Kinds of frames that came: bit `n` of all.
    kinds: [u64; 4],
    frames: u32,
    pub(super) errors: Vec<u32>,
    pub(super) settings: Vec<(u16, u32)>,
    pub(super) weights: Vec<u8>,
    pub(super) windows: Vec<u32>,
    pub(super) headers: Vec<Header>,
    header_bytes: usize,
    files: Files,
    file: Option<usize>,
    coding: Unpacking,
    came: u64,
    unpacked: u64,
    pub(super) is_dns: bool,
    dns_bytes: Vec<u8>,
    pub(super) dns: Option<Box<DnsMessage>>,
}

/// What is unpacked is looked at through a window: no more of it is held.
const UNPACKED_BYTES_HELD_MAX: u64 = 256 * 1024;

#[derive(Clone, Default)]
enum Unpacking {
    /// No header named a coding yet.
    #[default]
    Unknown,
    /// Bytes count as they are.
    Plain,
    Packed(Box<Single>),
}

impl std::fmt::Debug for Unpacking {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Unpacking::Unknown => "Unknown",
            Unpacking::Plain => "Plain",
            Unpacking::Packed(_) => "Packed",
        })
    }
}

impl Side {
    pub(super) fn has_kind(&self, kind: u8) -> bool {
        self.kinds.get(usize::from(kind / 64)).is_some_and(|bits| bits >> (kind % 64) & 1 == 1)
    }

    /// Bytes that it holds more than those that came.
    fn unpacked_bytes(&self) -> usize {
        let Unpacking::Packed(single) = &self.coding else { return 0 };
        single.held_bytes() + usize::try_from(self.unpacked.min(UNPACKED_BYTES_HELD_MAX)).unwrap_or(0)
    }

    fn choose(&mut self, value: &[u8]) {
        if !matches!(self.coding, Unpacking::Unknown) {
            return;
        }
        self.coding = match value {
            b"gzip" => Unpacking::Packed(Box::new(Single::new(Coding::Gzip))),
            b"deflate" => Unpacking::Packed(Box::new(Single::new(Coding::Deflate))),
            b"br" => Unpacking::Packed(Box::new(Single::new(Coding::Brotli))),
            _ => Unpacking::Plain,
        };
    }

    fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        let Unpacking::Packed(single) = &mut self.coding else { return Ok(bytes.to_vec()) };
        let mut out = Vec::new();
        let result = single.write(bytes, &mut |piece| {
            out.extend_from_slice(piece);
            if out.len() as u64 > BOMB_BYTES_MIN {
                Err(crate::app::http::compression::Stopped)
            } else {
                Ok(())
            }
        });
        self.came += bytes.len() as u64;
        if let Err(trouble) = result {
            self.coding = Unpacking::Plain;
            return Err(trouble);
        }
        self.unpacked += out.len() as u64;
        Ok(out)
    }

    fn is_bomb(&self) -> bool {
        self.unpacked > self.came.saturating_mul(BOMB_RATIO) && self.unpacked > BOMB_BYTES_MIN
    }
}

/// A stream, or one frame of the connection.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The stream's number, 0 for the connection.
    pub(super) stream: u32,
    pub(super) stage: Stage,
    /// The stream that a promise is about, while its headers go on.
    pub(super) promised: u32,
    pub(super) events: u128,
    sides: [Side; 2],
}

impl Exchange {
    pub(super) fn new(stream: u32) -> Self {
        let stage = if stream == 0 { Stage::Connection } else { Stage::Open };
        Exchange { stream, stage, promised: 0, events: 0, sides: [Side::default(), Side::default()] }
    }

    pub(super) fn set(&mut self, event: Event) {
        self.events |= 1 << event as u8;
    }

    pub(super) fn side(&self, direction: Direction) -> &Side {
        &self.sides[direction.index()]
    }

    pub(super) fn side_mut(&mut self, direction: Direction) -> &mut Side {
        &mut self.sides[direction.index()]
    }

    /// Notes a frame.
    pub(super) fn note(&mut self, direction: Direction, kind: u8, detail: Detail, headers: Vec<Header>) {
        let side = self.side_mut(direction);
        if side.frames >= FRAMES_MAX {
            self.set(Event::TooManyFrames);
            return;
        }
        side.frames += 1;
        if let Some(bits) = side.kinds.get_mut(usize::from(kind / 64)) {
            *bits |= 1 << (kind % 64);
        }
        match detail {
            Detail::None => {}
            Detail::Error(code) => side.errors.push(code),
            Detail::Settings(mut settings) => side.settings.append(&mut settings),
            Detail::Weight(weight) => side.weights.push(weight),
            Detail::Window(bytes) => side.windows.push(bytes),
        }
        for header in headers {
            side.header_bytes = side.header_bytes.saturating_add(header.size());
            if side.header_bytes > HEADER_BYTES_MAX {
                break;
            }
            side.headers.push(header);
        }
    }

    /// What the headers of one frame change. Gives the DNS message that the path carries.
    pub(super) fn look_at_headers(&mut self, direction: Direction, headers: &[Header]) -> Option<Vec<u8>> {
        let (mut authority, mut host, mut path, mut accepts_dns) = (None, None, None, false);
        for header in headers {
            let (name, value) = (&*header.name, &*header.value);
            match name {
                b"content-encoding" => self.side_mut(direction).choose(value),
                b"accept" => accepts_dns |= value == b"application/dns-message",
                b"content-type" if value == b"application/dns-message" => {
                    self.side_mut(direction).is_dns = true
                }
                b":path" => path = Some(value),
                name if name.eq_ignore_ascii_case(b":authority") => {
                    authority = Some(value);
                    if value.contains(&b'@') {
                        self.set(Event::UserinfoInUri);
                    }
                }
                name if name.eq_ignore_ascii_case(b"host") => host = Some(value),
                _ => {}
            }
        }
        if let (Some(authority), Some(host)) = (authority, host)
            && !authority.eq_ignore_ascii_case(host)
        {
            self.set(Event::AuthorityHostMismatch);
        }
        let coded = path.filter(|_| accepts_dns)?.strip_prefix(b"/dns-query?dns=")?;
        fields::base64(coded, false)
    }

    /// A frame of headers or data moves the stream on.
    pub(super) fn advance(&mut self, direction: Direction, head: &Head) {
        let to_client = direction == Direction::ToClient;
        if head.ends_stream() {
            self.stage = match (self.stage, to_client) {
                (Stage::ClosedToServer | Stage::DataToClient, true) => Stage::Closed,
                (Stage::ClosedToClient, false) => Stage::Closed,
                (Stage::ClosedToServer | Stage::DataToClient | Stage::ClosedToClient, _) => self.stage,
                (Stage::Closed | Stage::Connection, _) => self.stage,
                (_, true) => Stage::ClosedToClient,
                (_, false) => Stage::ClosedToServer,
            };
        } else if head.kind == frame::DATA {
            self.stage = self.stage.max(if to_client { Stage::DataToClient } else { Stage::DataToServer });
        }
    }

    /// A frame of data; tells whether it is a bomb, after which nothing can be followed.
    pub(super) fn data(&mut self, direction: Direction, bytes: &[u8], is_over: bool) -> bool {
        let side = self.side_mut(direction);
        let out = match side.unpack(bytes) {
            Ok(out) => out,
            Err(trouble) => {
                let refused = trouble == Trouble::Refused;
                self.set(if refused { Event::CompressionBomb } else { Event::FailedDecompression });
                return false;
            }
        };
        let is_first = side.file.is_none();
        if is_first {
            side.file = side.files.open(b"", FILE_LIMITS);
        }
        if let Some(place) = side.file {
            side.files.append(place, &out);
            if is_over {
                side.files.close(place, Ending::Closed);
            }
        }
        if is_first && direction == Direction::ToClient && fields::has_invalid_range(self) {
            self.set(Event::InvalidRange);
        }
        self.dns_data(direction, &out);
        let is_bomb = self.side(direction).is_bomb();
        if is_bomb {
            self.set(Event::CompressionBomb);
        }
        is_bomb
    }

    fn dns_data(&mut self, direction: Direction, bytes: &[u8]) {
        let side = self.side_mut(direction);
        if !side.is_dns {
            return;
        }
        if side.dns_bytes.len() + bytes.len() <= DNS_BYTES_MAX {
            side.dns_bytes.extend_from_slice(bytes);
            return;
        }
        side.is_dns = false;
        self.set(match direction {
            Direction::ToServer => Event::DnsRequestTooLong,
            Direction::ToClient => Event::DnsResponseTooLong,
        });
    }

    /// The body is over: what it says, if it is DNS. Tells whether it is.
    pub(super) fn dns_over(&mut self, direction: Direction) -> bool {
        let bytes = std::mem::take(&mut self.side_mut(direction).dns_bytes);
        !bytes.is_empty() && self.take_dns(direction, &bytes)
    }

    /// Takes a DNS message, if it is one.
    pub(super) fn take_dns(&mut self, direction: Direction, bytes: &[u8]) -> bool {
        let Ok(message) = DnsMessage::parse(bytes, direction) else { return false };
        let header: DnsHeader = message.message.header;
        if direction == Direction::ToServer && header.is_response() {
            return false;
        }
        self.side_mut(direction).dns = Some(Box::new(message));
        true
    }

    /// The length of the URI: none if it is not known yet, none within if there is none.
    pub(crate) fn uri_length(&self) -> Option<Option<usize>> {
        if self.ready(field::URI, Direction::ToServer) == Ready::No {
            return None;
        }
        let path = fields::first(self.side(Direction::ToServer), b":path");
        if path.is_none() && self.stage < Stage::Closed { None } else { Some(path.map(<[u8]>::len)) }
    }

    /// Since when a field may be looked at.
    fn since(field: Field, direction: Direction) -> Stage {
        match (field, direction) {
            (field::REQUEST_HEADER | field::RESPONSE_HEADER, _) => Stage::Open,
            (field, _) if field.is_of(Family::Http2) => Stage::Open,
            (_, Direction::ToServer) => Stage::DataToServer,
            (_, Direction::ToClient) => Stage::DataToClient,
        }
    }
}

impl Transaction for Exchange {
    fn unpacked_bytes(&self) -> usize {
        self.sides.iter().map(Side::unpacked_bytes).sum()
    }

    fn is_complete(&self, _direction: Direction) -> bool {
        self.stage >= Stage::Closed
    }

    fn lacks(&self, field: Field, direction: Direction) -> bool {
        let message = self.side(direction).dns.as_ref();
        field.is_of(Family::Dns) && message.is_none_or(|message| message.lacks(field, direction))
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        if field.is_of(Family::Dns) {
            return if self.side(direction).dns.is_some() { Ready::Full } else { Ready::No };
        }
        if let Some(files) = fields::body(self, field, direction) {
            return files.ready(file::DATA);
        }
        let since = Exchange::since(field, direction);
        match self.stage {
            stage if stage < since => Ready::No,
            stage if stage >= Stage::Closed => Ready::Full,
            // Headers of the other side may come as long as the stream is open.
            _ if since == Stage::Open => Ready::Part,
            stage if stage > since => Ready::Full,
            _ => Ready::Part,
        }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if field.is_of(Family::Dns) {
            if let Some(message) = &self.side(direction).dns {
                message.visit(field, direction, show);
            }
        } else if let Some(files) = fields::body(self, field, direction) {
            files.visit(file::DATA, show);
        } else {
            fields::visit(self, field, direction, show);
        }
    }

    fn number(&self, field: Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        if let Some(message) = &self.side(direction).dns {
            message.number(field, direction, show);
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn files(&self, direction: Direction) -> Option<&Files> {
        Some(&self.side(direction).files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        Some(&mut self.side_mut(direction).files)
    }

    fn record_beside(&self, record: &mut Object) {
        // The answer repeats the question.
        let message = [Direction::ToClient, Direction::ToServer]
            .into_iter()
            .find_map(|direction| self.side(direction).dns.as_ref());
        if let Some(message) = message {
            let mut dns = Object::new();
            message.record(&mut dns);
            record.object("dns", dns);
        }
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}

impl Side {
    /// Values of all headers of this name, in their order; what one entry of the table repeats counts once.
    pub(super) fn values<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Header> {
        let named = move |header: &&Header| header.kind == Kind::Header && *header.name == *name;
        let repeats = move |place: usize, header: &Header| {
            let before = self.headers.get(..place).unwrap_or_default().iter();
            before.rev().take(64).any(|other| std::sync::Arc::ptr_eq(&other.value, &header.value))
        };
        self.headers
            .iter()
            .enumerate()
            .filter(move |(place, header)| named(header) && !repeats(*place, header))
            .map(|one| one.1)
    }
}
