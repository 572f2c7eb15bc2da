//! The state of a connection: both tables of headers, and the streams that are open.
//!
//! Upon the client's first bytes: the preface, or something odd. Upon a frame: it is noted with the stream that it is about; settings change the other
//! side's table; headers are put together over `CONTINUATION`s. Upon a frame longer than [`FRAME_BYTES_MAX`]: its beginning counts, the rest is skipped.
//!
//! A connection that came about by `Upgrade` begins with the request that asked for it, as stream 1.

use super::event::Event;
use super::exchange::{Exchange, Stage};
use super::fields::base64;
use super::frame::{self, Detail, HEAD_BYTES, Head, STREAM_MASK};
use super::hpack::{Header, Kind, Table};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::{Broken, Context, Input, Next, Parser, ProtocolId, Taken, Transactions};
use std::collections::BTreeMap;

/// What a client says first.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame that are waited for.
const FRAME_BYTES_MAX: usize = 65_536;
/// Bytes of a longer one that have come when it is told that it is too long. How many come at once is up to the sender, and must not matter.
const LONG_FRAME_BYTES_MIN: usize = 256;
/// Bytes of a block over several frames that are kept; with more the block is cut off, and told.
const BLOCK_BYTES_MAX: usize = 102_400;
/// Streams at most; with more the parser gives up.
const STREAMS_MAX: usize = 4096;

/// A block that goes on in the next frame.
#[derive(Clone, Debug, Default)]
struct Block {
    stream: u32,
    bytes: Vec<u8>,
}

/// The parser.
#[derive(Clone, Debug)]
pub struct Connection {
    exchanges: Transactions<Exchange>,
    /// The exchange of each stream, as far as it is alive.
    streams: BTreeMap<u32, u64>,
    tables: [Table; 2],
    blocks: [Block; 2],
    /// Bytes of a long frame still to be skipped.
    skip: [usize; 2],
    is_begun: bool,
    has_preface: bool,
}

/// What a frame says of headers.
struct Read {
    headers: Vec<Header>,
    weight: Option<u8>,
    /// Whom it is about, if not the stream in its head.
    stream: Option<u32>,
    is_cut: bool,
    /// It was understood.
    is_whole: bool,
}

impl Connection {
    /// For a new flow.
    #[must_use]
    pub fn new() -> Self {
        Connection {
            exchanges: Transactions::holding(STREAMS_MAX),
            streams: BTreeMap::new(),
            tables: Default::default(),
            blocks: Default::default(),
            skip: [0; 2],
            is_begun: false,
            has_preface: false,
        }
    }

    /// Something odd that is not about one stream is told of the newest.
    fn set(&mut self, event: Event) {
        if let Some(last) = self.exchanges.last_mut() {
            last.set(event);
        }
    }

    /// What HTTP/1 handed over: the request that asked for the change.
    fn begin(&mut self, told: &[u8]) {
        let mut reader = Reader::new(told);
        while let (Some(name), Some(value)) = (told_part(&mut reader), told_part(&mut reader)) {
            if name == b"HTTP2-Settings" {
                self.upgrade_settings(value);
                continue;
            }
            let name = if name.eq_ignore_ascii_case(b"host") { b":authority" } else { name };
            if let Ok(exchange) = self.exchange(1) {
                exchange.note(
                    Direction::ToServer,
                    frame::HEADERS,
                    Detail::None,
                    vec![Header::new(name, value)],
                );
                exchange.stage = Stage::ClosedToServer;
            }
        }
    }

    fn upgrade_settings(&mut self, value: &[u8]) {
        let Some(bytes) = base64(value, true) else { return self.set(Event::InvalidHttp1Settings) };
        if bytes.len() % 6 != 0 {
            self.set(Event::InvalidHttp1Settings);
        }
        if let Ok(exchange) = self.exchange(0) {
            let settings = Detail::Settings(frame::settings(&bytes));
            exchange.note(Direction::ToServer, frame::SETTINGS, settings, Vec::new());
        }
    }

    /// The exchange of this stream, opened if it is new. One frame of the connection is one.
    fn exchange(&mut self, stream: u32) -> Result<&mut Exchange, Broken> {
        let known =
            self.streams.get(&stream).copied().filter(|id| stream != 0 && self.exchanges.get(*id).is_some());
        if let Some(id) = known {
            return self.exchanges.get_mut(id).ok_or(Broken);
        }
        if self.exchanges.len() >= STREAMS_MAX {
            for live in self.exchanges.iter_mut() {
                live.transaction.set(Event::TooManyStreams);
                live.transaction.stage = Stage::Dropped;
            }
            return Err(Broken);
        }
        let id = self.exchanges.open(Exchange::new(stream));
        if stream != 0 {
            if self.streams.len() > 2 * self.exchanges.len() + 64 {
                let exchanges = &self.exchanges;
                self.streams.retain(|_, id| exchanges.get(*id).is_some());
            }
            self.streams.insert(stream, id);
        }
        self.exchanges.get_mut(id).ok_or(Broken)
    }

    /// The client's preface. Gives the bytes that it takes; none if more are needed.
    fn preface(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        if self.has_preface {
            return Ok(Some(0));
        }
        let Some(said) = bytes.get(..PREFACE.len()) else { return Ok(None) };
        self.has_preface = true;
        if said == PREFACE {
            return Ok(Some(PREFACE.len()));
        }
        if std::str::from_utf8(said).is_err() {
            return Err(Broken);
        }
        self.set(Event::InvalidClientMagic);
        Ok(Some(0))
    }

    /// Takes a frame. Gives how many bytes it takes, or how many are needed.
    fn frame(
        &mut self,
        direction: Direction,
        rest: &[u8],
        context: &mut Context<'_>,
    ) -> Result<Result<usize, usize>, Broken> {
        let Some(head) = Head::read(rest) else { return Ok(Err(HEAD_BYTES)) };
        let came = rest.get(HEAD_BYTES..).unwrap_or_default();
        let counts = head.length.min(FRAME_BYTES_MAX);
        let is_long = head.length > counts;
        if is_long && came.len() >= LONG_FRAME_BYTES_MIN {
            self.set(Event::LongFrameData);
        }
        let needed = if is_long && came.len() < LONG_FRAME_BYTES_MIN { LONG_FRAME_BYTES_MIN } else { counts };
        let Some(bytes) = came.get(..counts) else { return Ok(Err(HEAD_BYTES + needed)) };
        self.skip[direction.index()] = head.length - counts;
        let taken = HEAD_BYTES + bytes.len();
        context.frame("http2.hdr", direction, rest.get(..HEAD_BYTES).unwrap_or_default());
        context.frame("http2.data", direction, bytes);
        context.frame("http2.pdu", direction, rest.get(..taken).unwrap_or_default());
        if head.length > 0 || head.kind != frame::SETTINGS {
            self.take(direction, &head, bytes, bytes.len() == head.length, context)?;
        }
        Ok(Ok(taken))
    }

    fn take(
        &mut self,
        direction: Direction,
        head: &Head,
        bytes: &[u8],
        is_all: bool,
        context: &mut Context<'_>,
    ) -> Result<(), Broken> {
        let mut detail = Detail::None;
        let mut read =
            Read { headers: Vec::new(), weight: None, stream: None, is_cut: false, is_whole: true };
        match head.kind {
            frame::HEADERS => read = self.headers(direction, head, bytes, is_all),
            frame::PUSH_PROMISE => read = self.promise(direction, head, bytes, is_all),
            frame::CONTINUATION => read = self.continuation(direction, head, bytes, is_all),
            kind => match frame::detail(kind, bytes) {
                Ok(read) => detail = read,
                Err(frame::WrongLength) => {
                    self.set(Event::InvalidFrameLength);
                    read.is_whole = false;
                }
            },
        }
        if let Detail::Settings(settings) = &detail {
            // What one side accepts is what the other may send.
            let table = &mut self.tables[direction.reversed().index()];
            for (_, value) in settings.iter().filter(|set| set.0 == frame::HEADER_TABLE_SIZE) {
                table.allow(*value);
            }
        }
        if let Some(weight) = read.weight {
            detail = Detail::Weight(weight);
        }
        let stream = read.stream.filter(|_| head.stream != 0).unwrap_or(head.stream);
        self.tell_reuse(stream, head.kind);
        let exchange = self.exchange(stream)?;
        let is_dns = follow(exchange, direction, head, &read);
        if read.is_cut {
            exchange.set(Event::ReassemblyLimitReached);
        }
        exchange.note(direction, head.kind, detail, read.headers);
        let mut is_bomb = false;
        let mut is_dns = is_dns;
        if head.kind == frame::DATA && head.stream == 0 {
            exchange.set(Event::DataStreamZero);
        } else if head.kind == frame::DATA {
            is_bomb = exchange.data(direction, unpadded(head, bytes), head.ends_stream());
            is_dns |= head.ends_stream() && exchange.dns_over(direction);
        }
        if is_dns {
            context.then(Next::Rename(ProtocolId::Doh2));
        }
        if is_bomb { Err(Broken) } else { Ok(()) }
    }

    /// Frames of a stream that is closed may come for a moment, but not all of them.
    fn tell_reuse(&mut self, stream: u32, kind: u8) {
        let late = matches!(kind, frame::RST_STREAM | frame::WINDOW_UPDATE | frame::PRIORITY);
        let known = self.streams.get(&stream).and_then(|id| self.exchanges.get(*id));
        if stream != 0 && !late && known.is_some_and(|exchange| exchange.stage == Stage::Closed) {
            self.set(Event::StreamIdReuse);
        }
    }

    /// Reads a block with the direction's table.
    fn block(&mut self, direction: Direction, block: &[u8], is_all: bool) -> (Read, usize) {
        let mut read =
            Read { headers: Vec::new(), weight: None, stream: None, is_cut: false, is_whole: true };
        match self.tables[direction.index()].read(block) {
            Ok((headers, left)) => {
                if headers.iter().any(|header| !matches!(header.kind, Kind::Header | Kind::Size(_))) {
                    self.set(Event::InvalidHeader);
                }
                read.headers = headers;
                (read, left)
            }
            Err(_) => {
                read.is_whole = false;
                if is_all {
                    self.set(Event::InvalidFrameData);
                }
                (read, 0)
            }
        }
    }

    fn headers(&mut self, direction: Direction, head: &Head, bytes: &[u8], is_all: bool) -> Read {
        if !head.ends_headers() {
            self.blocks[direction.index()] = Block { stream: head.stream, bytes: bytes.to_vec() };
            return Read { headers: Vec::new(), weight: None, stream: None, is_cut: false, is_whole: true };
        }
        // The padding itself is read as headers without a name, as those do for whom rules are written.
        let mut reader = Reader::new(bytes);
        let pad = if head.is_padded() { reader.u8().map(|_| ()) } else { Some(()) };
        let weight =
            if head.has_priority() { reader.be32().and_then(|_| reader.u8()).map(Some) } else { Some(None) };
        let (Some(()), Some(weight)) = (pad, weight) else { return self.unread(is_all) };
        let (mut read, left) = self.block(direction, reader.rest(), is_all);
        if left > 0 {
            self.set(Event::ExtraHeaderData);
        }
        read.weight = weight.filter(|_| read.is_whole);
        read
    }

    fn unread(&mut self, is_all: bool) -> Read {
        if is_all {
            self.set(Event::InvalidFrameData);
        }
        Read { headers: Vec::new(), weight: None, stream: None, is_cut: false, is_whole: false }
    }

    fn promise(&mut self, direction: Direction, head: &Head, bytes: &[u8], is_all: bool) -> Read {
        let mut reader = Reader::new(bytes);
        let pad = if head.is_padded() { reader.u8().map(|_| ()) } else { Some(()) };
        let (Some(()), Some(stream)) = (pad, reader.be32()) else { return self.unread(is_all) };
        let (mut read, _) = self.block(direction, reader.rest(), is_all);
        read.stream = Some(stream & STREAM_MASK).filter(|_| read.is_whole);
        read
    }

    fn continuation(&mut self, direction: Direction, head: &Head, bytes: &[u8], is_all: bool) -> Read {
        let place = direction.index();
        let mut is_cut = false;
        let is_next = self.blocks[place].stream == head.stream;
        if is_next {
            let kept = &mut self.blocks[place].bytes;
            let room = BLOCK_BYTES_MAX.saturating_sub(kept.len());
            is_cut = room > 0 && bytes.len() >= room;
            kept.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        }
        let mut read = if is_next && !head.ends_headers() {
            Read { headers: Vec::new(), weight: None, stream: None, is_cut, is_whole: true }
        } else if is_next {
            let block = std::mem::take(&mut self.blocks[place]);
            self.block(direction, &block.bytes, is_all).0
        } else {
            self.block(direction, bytes, is_all).0
        };
        read.is_cut = is_cut;
        if direction == Direction::ToClient && read.is_whole {
            let known = self.streams.get(&head.stream).and_then(|id| self.exchanges.get(*id));
            read.stream = known.map(|exchange| exchange.promised).filter(|promised| *promised > 0);
        }
        read
    }
}

/// What a frame changes in its stream. Tells whether it carries DNS.
fn follow(exchange: &mut Exchange, direction: Direction, head: &Head, read: &Read) -> bool {
    let to_client = direction == Direction::ToClient;
    let is_of_headers = matches!(head.kind, frame::HEADERS | frame::PUSH_PROMISE | frame::CONTINUATION);
    let mut question = None;
    if !read.is_whole {
        return false;
    }
    match head.kind {
        frame::PUSH_PROMISE if to_client => {
            if let Some(stream) = read.stream.filter(|_| !head.ends_headers()) {
                exchange.promised = stream;
            }
            exchange.stage = Stage::Reserved;
        }
        frame::CONTINUATION if to_client && head.ends_headers() => exchange.promised = 0,
        frame::HEADERS if to_client => exchange.promised = 0,
        frame::RST_STREAM => exchange.promised = 0,
        _ => {}
    }
    if is_of_headers {
        question = exchange.look_at_headers(direction, &read.headers);
    }
    if matches!(head.kind, frame::HEADERS | frame::DATA) {
        exchange.advance(direction, head);
    }
    question.is_some_and(|message| exchange.take_dns(Direction::ToServer, &message))
}

/// The data of a frame, without what fills it up.
fn unpadded<'a>(head: &Head, bytes: &'a [u8]) -> &'a [u8] {
    match bytes.first() {
        Some(count) if head.is_padded() => {
            bytes.get(1..bytes.len().saturating_sub((*count).into())).unwrap_or(bytes)
        }
        _ => bytes,
    }
}

/// A part of what was handed over: its length before it.
fn told_part<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = reader.be32()?;
    reader.take(usize::try_from(length).ok()?)
}

/// Writes a header to hand over to the connection that follows HTTP/1.
pub(crate) fn tell(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    for part in [name, value] {
        if let Ok(length) = u32::try_from(part.len()) {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(part);
        }
    }
}

impl Default for Connection {
    fn default() -> Self {
        Connection::new()
    }
}

impl Parser for Connection {
    type Transaction = Exchange;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if !self.is_begun {
            self.is_begun = true;
            self.begin(context.announced_name);
        }
        let mut at = 0;
        if direction == Direction::ToServer {
            match self.preface(input.bytes)? {
                Some(taken) => at = taken,
                None => return Ok(Taken::part(0, PREFACE.len())),
            }
        }
        let skipped = self.skip[direction.index()].min(input.bytes.len() - at);
        self.skip[direction.index()] -= skipped;
        at += skipped;
        while let Some(rest) = input.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.frame(direction, rest, context)? {
                Ok(taken) => at += taken,
                Err(wanted) => return Ok(Taken::part(at, wanted)),
            }
        }
        Ok(Taken::part(at, 0))
    }

    fn transactions(&self) -> &Transactions<Exchange> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Exchange> {
        &mut self.exchanges
    }
}
