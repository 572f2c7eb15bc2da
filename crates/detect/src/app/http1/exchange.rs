//! An exchange: a request and its response, and what rules see of them.

use super::entity::Entity;
use super::event::Events;
use super::forms;
use super::head::{Block, Head, Place};
use super::header::Side;
use super::line::{Method, Version};
use super::record;
use crate::Direction;
use crate::app::file::Files;
use crate::app::http::{REQUEST_BODY_LIMITS, RESPONSE_BODY_LIMITS, field};
use crate::app::{Body, Broken, Family, Field, Piece, Ready, Settings, Transaction};
use crate::eve::Object;

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Progress {
    #[default]
    NotStarted,
    Line,
    Headers,
    Body,
    Trailer,
    Complete,
}

/// How a body is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Coding {
    #[default]
    Unknown,
    None,
    Identity,
    Chunked,
    Invalid,
}

/// What both kinds of messages have.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) progress: Progress,
    pub(super) head: Head,
    pub(super) protocol: Option<Place>,
    pub(super) version: Version,
    pub(super) coding: Coding,
    pub(super) content_length: Option<u64>,
    pub(super) entity: Entity,
    /// Nothing more of it will come, whatever is missing.
    pub(super) ended: bool,
}

impl Message {
    fn is_complete(&self) -> bool {
        self.ended || self.progress == Progress::Complete
    }

    /// Nothing more comes: what there is of the body is all.
    pub(super) fn end(&mut self, events: &mut Events) {
        if !self.is_complete() {
            self.entity.finish(events);
        }
        self.ended = true;
    }

    /// Makes what rules ask for, now that the headers are there, or trailers behind those of which it was made before.
    pub(super) fn make_wanted(&mut self, cookie: &[u8], settings: &Settings) {
        let head = &mut self.head;
        if !head.has_changed() {
            return;
        }
        let forms = [field::HEADER, field::HEADER_NAMES, field::START].map(|field| settings.wants(field));
        let mut out = Vec::with_capacity(if forms == [false; 3] { 0 } else { head.size() });
        if forms[0] {
            forms::write_header(head, cookie, &mut out);
            head.header = Some(head.keep(|made| made.append(&mut out)));
        }
        if forms[1] {
            forms::write_names(head, &mut out);
            head.names = Some(head.keep(|made| made.append(&mut out)));
        }
        if forms[2] {
            forms::write_start(head, &mut out);
            head.start = Some(head.keep(|made| made.append(&mut out)));
        }
    }
}

/// A request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub(super) events: Events,
    pub(super) request: Message,
    pub(super) response: Message,
    pub(super) method: Method,
    pub(super) method_name: Option<Place>,
    pub(super) uri_raw: Option<Place>,
    /// The URI after normalisation.
    pub(super) uri: Option<Place>,
    /// Its path.
    pub(super) path: Option<Place>,
    /// The host that the URI names.
    pub(super) uri_host: Option<Place>,
    /// The host that counts.
    pub(super) host: Option<Place>,
    pub(super) port: Option<u16>,
    /// A request of the first version: a line, no headers.
    pub(super) is_0_9: bool,
    pub(super) code: Option<Place>,
    pub(super) status: Option<u16>,
    pub(super) status_message: Option<Place>,
    pub(super) saw_continue: bool,
    /// Something stands around the number that is the response's length.
    pub(super) has_odd_length: bool,
}

impl Exchange {
    pub(super) fn new() -> Self {
        let message = |side, limits| Message {
            progress: Progress::NotStarted,
            head: Head::new(side),
            protocol: None,
            version: Version::Unknown,
            coding: Coding::Unknown,
            content_length: None,
            entity: Entity::new(limits),
            ended: false,
        };
        Exchange {
            events: Events::default(),
            request: message(Side::Request, REQUEST_BODY_LIMITS),
            response: message(Side::Response, RESPONSE_BODY_LIMITS),
            method: Method::Unknown,
            method_name: None,
            uri_raw: None,
            uri: None,
            path: None,
            uri_host: None,
            host: None,
            port: None,
            is_0_9: false,
            code: None,
            status: None,
            status_message: None,
            saw_continue: false,
            has_odd_length: false,
        }
    }

    /// The length of the URI: none if it is not known yet, none within if there is none.
    pub(crate) fn uri_length(&self, field: Field) -> Option<Option<usize>> {
        if self.ready(field, Direction::ToServer) != Ready::Full {
            return None;
        }
        let uri = if field == field::URI_RAW { self.uri_raw } else { self.uri };
        Some(uri.map(|place| self.request.head.at(place).len()))
    }

    pub(super) fn message(&self, direction: Direction) -> &Message {
        match direction {
            Direction::ToServer => &self.request,
            Direction::ToClient => &self.response,
        }
    }

    pub(super) fn message_mut(&mut self, direction: Direction) -> &mut Message {
        match direction {
            Direction::ToServer => &mut self.request,
            Direction::ToClient => &mut self.response,
        }
    }

    /// Reads headers of a message from `rest`, behind which nothing comes if it is the `last`. What was taken, and whether the headers were cut off
    /// by that: then all that is there is taken and has to do.
    pub(super) fn read_head(
        &mut self,
        direction: Direction,
        rest: &[u8],
        last: bool,
    ) -> Result<(Block, bool), Broken> {
        let mut events = self.events;
        let head = &mut self.message_mut(direction).head;
        let read = head.read(rest, false, &mut events).map_err(|_| Broken);
        self.events = events;
        let mut block = read?;
        let is_cut_off = !block.over && last;
        if is_cut_off {
            let rest_of_it = rest.get(block.taken..).unwrap_or_default();
            self.message_mut(direction).head.read(rest_of_it, true, &mut events).map_err(|_| Broken)?;
            self.events = events;
            block.taken = rest.len();
        }
        Ok((block, is_cut_off))
    }

    /// A field that stands in the first line.
    fn of_line(&self, field: Field, direction: Direction) -> Option<&[u8]> {
        let head = &self.message(direction).head;
        let place = match (field, direction) {
            (field::URI, Direction::ToServer) => self.uri,
            (field::URI_RAW, Direction::ToServer) => self.uri_raw,
            (field::METHOD, Direction::ToServer) => self.method_name,
            (field::PROTOCOL, _) => self.message(direction).protocol,
            (field::STATUS_CODE, Direction::ToClient) => self.code,
            (field::STATUS_MESSAGE, Direction::ToClient) => self.status_message,
            (field::REQUEST_LINE, Direction::ToServer) | (field::RESPONSE_LINE, Direction::ToClient) => {
                return Some(head.line()).filter(|line| !line.is_empty());
            }
            _ => None,
        };
        place.map(|place| head.at(place))
    }

    /// A field that is the value of one header.
    fn of_header(&self, field: Field, direction: Direction) -> Option<&[u8]> {
        let head = &self.message(direction).head;
        match (field, direction) {
            (field::HOST, Direction::ToServer) => self.host.map(|place| head.at(place)),
            (field::HOST_RAW, Direction::ToServer) => match self.uri_host {
                Some(place) => Some(head.at(place)),
                None => head.value(b"host"),
            },
            (field::COOKIE, Direction::ToServer) => head.value(b"cookie"),
            (field::COOKIE, Direction::ToClient) => head.value(b"set-cookie"),
            _ => field::header_of(field).and_then(|name| head.value(name)),
        }
    }

    /// A field that is made of all headers.
    fn show_headers(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        let head = &self.message(direction).head;
        let mut out = Vec::new();
        let made = match field {
            field::HEADER => head.header,
            field::HEADER_NAMES => head.names,
            field::START => head.start,
            _ => None,
        };
        let bytes = match (made, field) {
            (Some(place), _) => head.at(place),
            (None, field::HEADER_RAW) => head.raw(),
            (None, field) => {
                match field {
                    field::HEADER => forms::write_header(head, cookie_of(direction), &mut out),
                    field::HEADER_NAMES => forms::write_names(head, &mut out),
                    field::START => forms::write_start(head, &mut out),
                    _ => {}
                }
                &out
            }
        };
        if !bytes.is_empty() {
            show(Piece::whole(bytes));
        }
    }

    fn body(&self, field: Field, direction: Direction) -> Option<&Body> {
        match (field, direction) {
            (field::REQUEST_BODY, Direction::ToServer) => {
                let sink = &self.request.entity.sink;
                sink.body.as_ref().or_else(|| sink.whole())
            }
            _ => None,
        }
    }
}

/// The header that holds cookies.
pub(super) fn cookie_of(direction: Direction) -> &'static [u8] {
    match direction {
        Direction::ToServer => b"cookie",
        Direction::ToClient => b"set-cookie",
    }
}

/// Bytes of room that the two heads and bodies of an exchange have beside what came of them.
const ROOM_BYTES: usize = 6 * 1024;

impl Transaction for Exchange {
    fn unpacked_bytes(&self) -> usize {
        ROOM_BYTES + self.request.entity.unpacked_bytes() + self.response.entity.unpacked_bytes()
    }

    fn is_complete(&self, direction: Direction) -> bool {
        self.message(direction).is_complete()
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        let message = self.message(direction);
        if let Some(body) = self.body(field, direction) {
            return body.ready();
        }
        if message.is_complete() {
            return Ready::Full;
        }
        let since = match field {
            field::URI | field::URI_RAW | field::METHOD | field::PROTOCOL => Progress::Line,
            field::REQUEST_LINE | field::RESPONSE_LINE => Progress::Line,
            field::STATUS_CODE | field::STATUS_MESSAGE => Progress::Line,
            field::REQUEST_BODY => return Ready::No,
            field::HEADER
            | field::HEADER_RAW
            | field::HEADER_NAMES
            | field::START
            | field::REQUEST_HEADER
            | field::RESPONSE_HEADER
                if message.coding == Coding::Chunked =>
            {
                // Trailers may come.
                return if message.progress > Progress::Headers { Ready::Part } else { Ready::No };
            }
            field if field.is_of(Family::Http) => Progress::Headers,
            field if field.is_of(Family::File) => {
                let files = message.entity.sink.files.list();
                return if files.is_empty() { Ready::No } else { Ready::Part };
            }
            _ => return Ready::No,
        };
        if message.progress > since { Ready::Full } else { Ready::No }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        match field {
            field::REQUEST_BODY => {
                if let Some(piece) = self.body(field, direction).and_then(Body::piece) {
                    show(piece);
                }
            }
            field::HEADER | field::HEADER_RAW | field::HEADER_NAMES | field::START
                if self.message(direction).progress > Progress::Headers =>
            {
                self.show_headers(field, direction, show);
            }
            field::HEADER | field::HEADER_RAW | field::HEADER_NAMES | field::START => {}
            field::REQUEST_HEADER | field::RESPONSE_HEADER => {
                let wanted =
                    if field == field::REQUEST_HEADER { Direction::ToServer } else { Direction::ToClient };
                if wanted == direction {
                    for (name, value) in self.message(direction).head.headers() {
                        show(Piece::whole(&[name, b": ", value].concat()));
                    }
                }
            }
            field if field.is_of(Family::Http) => {
                let found = self.of_line(field, direction).or_else(|| self.of_header(field, direction));
                if let Some(bytes) = found {
                    show(Piece::whole(bytes));
                }
            }
            _ => {}
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events.0
    }

    fn files(&self, direction: Direction) -> Option<&Files> {
        Some(&self.message(direction).entity.sink.files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        Some(&mut self.message_mut(direction).entity.sink.files)
    }

    fn inspected(&mut self, direction: Direction) {
        let sink = &mut self.message_mut(direction).entity.sink;
        if let Some(body) = &mut sink.body {
            body.inspected();
        }
        sink.files.inspected();
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}
