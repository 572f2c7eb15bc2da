//! The client's side: request line, headers, body, and what comes between two requests.
//!
//! Upon bytes before a request: an exchange is opened; empty lines are skipped.
//! Upon a line without a protocol: it is a request of the first version if nothing but a few spaces follows, else headers follow all the same.
//! Upon the end of the headers: the body is chunked, of a known length, or there is none; after `CONNECT` the response decides how it goes on.
//! Upon bytes behind a request that are no method: they are more of its body.

use super::connection::{Connection, FIELD_BYTES_MAX, Step, View};
use super::entity::Kind;
use super::event::{Event, Events};
use super::exchange::{Coding, Exchange, Progress, cookie_of};
use super::line::{self, Method, Version};
use super::multipart::Multipart;
use super::text::{contains_word, digits, is_space, split_while, without_line_end};
use super::{authorization, chunk, decode, uri};
use crate::Direction;
use crate::app::http::compression::{Chain, named};
use crate::app::http::{REQUEST_BODY_LIMITS, field};
use crate::app::{Body, Broken, Context};
use memchr::{memchr, memchr2};

const TO_SERVER: Direction = Direction::ToServer;
/// Spaces behind a line without a protocol that still leave it a request of the first version.
const SPACES_AFTER_LINE_MAX: usize = 16;

/// Where the client's side is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RequestState {
    /// Between two requests.
    Idle,
    Line,
    Protocol,
    Headers,
    /// After `CONNECT`: what the response says is not known.
    ConnectWait,
    /// After a `CONNECT` that was accepted: does HTTP go on?
    ConnectProbe,
    Identity,
    ChunkLength,
    Chunk,
    ChunkEnd,
    /// The request is over unless more of a body follows.
    Finalize,
    /// After a request of the first version nothing counts.
    Ignore,
    Tunnel,
}

impl Connection {
    pub(super) fn request_step(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        match self.request_state {
            RequestState::Idle if view.rest.is_empty() => Ok(Step::Wait(0)),
            RequestState::Idle => {
                self.open(TO_SERVER)?.request.progress = Progress::Line;
                self.begin_frame(TO_SERVER, context);
                self.to(RequestState::Line, 0)
            }
            RequestState::Line => self.request_line(view),
            RequestState::Protocol => self.request_protocol(view),
            RequestState::Headers => self.request_headers(view, context),
            RequestState::ConnectWait => self.connect_wait(view),
            RequestState::ConnectProbe => self.connect_probe(view, context),
            RequestState::Identity => self.request_identity(view),
            RequestState::ChunkLength => self.request_chunk_length(view),
            RequestState::Chunk => self.request_chunk(view),
            RequestState::ChunkEnd => match memchr(b'\n', view.rest) {
                Some(end) => self.to(RequestState::ChunkLength, end + 1),
                None => Ok(Step::Wait(view.rest.len())),
            },
            RequestState::Finalize => self.request_finalize(view, context),
            RequestState::Ignore | RequestState::Tunnel => Ok(Step::Wait(view.rest.len())),
        }
    }

    fn to(&mut self, state: RequestState, taken: usize) -> Result<Step, Broken> {
        self.request_state = state;
        Ok(Step::Go(taken))
    }

    /// More is needed, unless there is too much already.
    fn wait_for_request(&mut self, waiting: usize, taken: usize) -> Result<Step, Broken> {
        if waiting > FIELD_BYTES_MAX {
            self.note(TO_SERVER, Event::RequestFieldTooLong);
            return Err(Broken);
        }
        Ok(Step::Wait(taken))
    }

    fn request_line(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let length = match memchr(b'\n', view.rest) {
            Some(end) => end + 1,
            None if view.last && !view.rest.is_empty() => view.rest.len(),
            None => return self.wait_for_request(view.rest.len(), 0),
        };
        let line = view.rest.get(..length).unwrap_or_default();
        if line.len() > FIELD_BYTES_MAX {
            self.note(TO_SERVER, Event::RequestFieldTooLong);
            return Err(Broken);
        }
        if line::is_empty_line(line) {
            return Ok(Step::Go(length));
        }
        read_line(self.current(TO_SERVER)?, without_line_end(line))?;
        self.to(RequestState::Protocol, length)
    }

    fn request_protocol(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_SERVER)?;
        if exchange.is_0_9 {
            let (spaces, after) = split_while(view.rest, is_space);
            if after.is_empty() && spaces.len() <= SPACES_AFTER_LINE_MAX {
                return self.to(RequestState::Finalize, 0);
            }
            exchange.is_0_9 = false;
            exchange.events.set(Event::MissingProtocol);
        }
        exchange.request.progress = Progress::Headers;
        self.to(RequestState::Headers, 0)
    }

    fn request_headers(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_SERVER)?;
        let mut events = exchange.events;
        let head = &mut exchange.request.head;
        let mut taken = 0;
        let mut over = false;
        if memchr(b'\n', view.rest).is_some() {
            let block = head.read(view.rest, false, &mut events).map_err(|_| Broken);
            exchange.events = events;
            let block = block?;
            (taken, over) = (block.taken, block.over);
        }
        if !over && view.last {
            // Nothing more comes: what is there has to do.
            let rest = view.rest.get(taken..).unwrap_or_default();
            head.read(rest, true, &mut events).map_err(|_| Broken)?;
            taken = view.rest.len();
            exchange.events = events;
            exchange.request.progress = Progress::Trailer;
            over = true;
        }
        if !over {
            return self.wait_for_request(view.rest.len() - taken, taken);
        }
        if exchange.request.progress > Progress::Headers {
            return self.to(RequestState::Finalize, taken);
        }
        self.request_headers_over(context)?;
        Ok(Step::Go(taken))
    }

    fn request_headers_over(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        let may_decode = self.bombs < super::entity::BOMBS_MAX;
        let exchange = self.current(TO_SERVER)?;
        let mut events = exchange.events;
        choose_coding(exchange, &mut events);
        find_host(exchange, &mut events);
        authorization::note(&exchange.request.head, &mut events);
        let encoding = exchange.request.head.value(b"content-encoding").map(|value| named(value, false));
        if let Some(encoding) = encoding {
            events.set_if(encoding.too_many, Event::TooManyLayers);
            events.set_if(encoding.abnormal, Event::AbnormalContentEncoding);
            let codings = if may_decode { encoding.codings.as_slice() } else { &[] };
            exchange.request.entity.decode_with(Chain::new(codings));
        }
        choose_kind(exchange);
        let sink = &mut exchange.request.entity.sink;
        sink.announced = exchange.request.content_length.unwrap_or(0);
        if !matches!(sink.kind, Kind::File(_)) && context.settings.wants(field::REQUEST_BODY) {
            sink.body = Some(Body::new(REQUEST_BODY_LIMITS));
        }
        exchange.request.make_wanted(cookie_of(TO_SERVER), context.settings);
        exchange.events = events;
        let length = exchange.request.content_length.unwrap_or(0);
        let state = match exchange.request.coding {
            // Headers are over even where nothing can be made of what follows.
            Coding::Invalid | Coding::Unknown => {
                exchange.request.progress = Progress::Body;
                return Err(Broken);
            }
            _ if exchange.method == Method::Connect => RequestState::ConnectWait,
            Coding::Chunked => RequestState::ChunkLength,
            Coding::Identity if length > 0 => RequestState::Identity,
            Coding::Identity | Coding::None => RequestState::Finalize,
        };
        exchange.request.progress = Progress::Body;
        self.left[TO_SERVER.index()] = length;
        self.request_state = state;
        Ok(())
    }

    /// What the response to `CONNECT` says decides how it goes on.
    fn connect_wait(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_SERVER)?;
        if exchange.response.progress <= Progress::Line {
            return Ok(Step::Wait(0));
        }
        let accepted = exchange.status.is_some_and(|status| (200..300).contains(&status));
        if view.rest.is_empty() && !view.last {
            return Ok(Step::Wait(0));
        }
        self.to(if accepted { RequestState::ConnectProbe } else { RequestState::Finalize }, 0)
    }

    fn connect_probe(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let Some(end) = memchr2(b'\n', 0, view.rest) else {
            return self.wait_for_request(view.rest.len(), 0);
        };
        let line = view.rest.get(..=end).unwrap_or_default();
        if Method::named(first_word(line)) == Method::Unknown {
            self.tunnel();
            return Ok(Step::Go(0));
        }
        self.complete_request(context)?;
        Ok(Step::Go(0))
    }

    fn request_identity(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let left = self.left[TO_SERVER.index()];
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(view.rest.len());
        if taken == 0 {
            return Ok(Step::Wait(0));
        }
        self.body(TO_SERVER, view.rest.get(..taken).unwrap_or_default())?;
        self.left[TO_SERVER.index()] = left - taken as u64;
        if left > taken as u64 {
            return Ok(Step::Wait(taken));
        }
        self.body_over(TO_SERVER)?;
        self.to(RequestState::Finalize, taken)
    }

    fn request_chunk_length(&mut self, view: View<'_>) -> Result<Step, Broken> {
        match chunk::length(view.rest) {
            chunk::Length::More => self.wait_for_request(view.rest.len(), 0),
            chunk::Length::Blank { taken } => Ok(Step::Go(taken)),
            chunk::Length::Known { bytes, extension, taken } => {
                if extension {
                    self.note(TO_SERVER, Event::RequestChunkExtension);
                }
                self.left[TO_SERVER.index()] = bytes;
                if bytes > 0 {
                    return self.to(RequestState::Chunk, taken);
                }
                self.current(TO_SERVER)?.request.progress = Progress::Trailer;
                self.to(RequestState::Headers, taken)
            }
            chunk::Length::Invalid { is_whole_line: true } => Err(Broken),
            chunk::Length::Invalid { .. } | chunk::Length::TooLarge { .. } => {
                self.note(TO_SERVER, Event::InvalidRequestChunkLen);
                Err(Broken)
            }
        }
    }

    fn request_chunk(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let left = self.left[TO_SERVER.index()];
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(view.rest.len());
        if taken == 0 {
            return Ok(Step::Wait(0));
        }
        self.body(TO_SERVER, view.rest.get(..taken).unwrap_or_default())?;
        self.left[TO_SERVER.index()] = left - taken as u64;
        if left > taken as u64 { Ok(Step::Wait(taken)) } else { self.to(RequestState::ChunkEnd, taken) }
    }

    /// Behind a request: the next one, or bytes that belong to this one's body though nothing said so.
    fn request_finalize(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let newline = memchr(b'\n', view.rest);
        let line = match newline {
            _ if view.rest.is_empty() => &[],
            Some(end) => view.rest.get(..end).unwrap_or_default(),
            None if view.last => view.rest,
            None => return self.wait_for_request(view.rest.len(), 0),
        };
        let method = first_word(line);
        if line.is_empty() || Method::named(method) != Method::Unknown {
            self.complete_request(context)?;
            return Ok(Step::Go(0));
        }
        if !method.is_empty() {
            self.note(TO_SERVER, Event::RequestBodyUnexpected);
        }
        let taken = line.len() + usize::from(newline.is_some());
        self.body(TO_SERVER, view.rest.get(..taken).unwrap_or_default())?;
        Ok(Step::Go(taken))
    }

    /// The request is over.
    pub(super) fn complete_request(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        let exchange = self.current(TO_SERVER)?;
        let mut events = exchange.events;
        if exchange.request.progress != Progress::Complete {
            exchange.request.entity.finish(&mut events);
            exchange.request.progress = Progress::Complete;
        }
        exchange.events = events;
        self.request_state = if exchange.is_0_9 { RequestState::Ignore } else { RequestState::Idle };
        self.end_frame(TO_SERVER, context);
        self.done[TO_SERVER.index()] += 1;
        Ok(())
    }
}

fn first_word(line: &[u8]) -> &[u8] {
    let (_, rest) = split_while(line, is_space);
    split_while(rest, |byte| !is_space(byte)).0
}

/// Reads the request line, of which `text` has no line end.
fn read_line(exchange: &mut Exchange, text: &[u8]) -> Result<(), Broken> {
    let mut events = exchange.events;
    let parts = line::request_line(text, &mut events);
    let head = &mut exchange.request.head;
    head.set_line(text);
    let offset = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    exchange.method = Method::named(parts.method);
    exchange.method_name = Some(head.in_line(offset(parts.method), parts.method));
    exchange.uri_raw = parts.uri.map(|part| head.in_line(offset(part), part));
    exchange.request.protocol = parts.protocol.map(|part| head.in_line(offset(part), part));
    exchange.request.version = parts.version;
    exchange.is_0_9 = parts.protocol.is_none();
    match parts.uri {
        Some(authority) if exchange.method == Method::Connect => {
            read_authority(exchange, authority, &mut events)
        }
        Some(raw) => read_uri(exchange, raw, &mut events),
        None if exchange.method == Method::Connect => return Err(Broken),
        None => {}
    }
    exchange.events = events;
    Ok(())
}

fn read_authority(exchange: &mut Exchange, authority: &[u8], events: &mut Events) {
    let Some(found) = uri::host_port(authority) else { return };
    events.set_if(!found.is_valid, Event::UriHostInvalid);
    exchange.port = found.port.flatten();
    let plain = uri::plain_host(found.host);
    exchange.uri_host = Some(exchange.request.head.keep(|made| made.extend_from_slice(&plain)));
}

fn read_uri(exchange: &mut Exchange, raw: &[u8], events: &mut Events) {
    let parts = uri::split(raw);
    let head = &mut exchange.request.head;
    if let Some(host) = parts.host {
        let plain = uri::plain_host(host);
        events.set_if(!uri::is_valid_host(&plain), Event::UriHostInvalid);
        exchange.uri_host = Some(head.keep(|made| made.extend_from_slice(&plain)));
    }
    if let Some(port) = parts.port {
        exchange.port = uri::port_number(port);
        events.set_if(exchange.port.is_none(), Event::UriHostInvalid);
    }
    if let Some(path) = parts.path {
        exchange.path = Some(head.keep(|made| decode::path(path, made)));
    }
    if parts.query.is_none() && parts.fragment.is_none() {
        exchange.uri = exchange.path.filter(|place| !head.at(*place).is_empty());
        return;
    }
    let whole = head.keep_behind(exchange.path, |made| {
        if let Some(query) = parts.query {
            made.push(b'?');
            decode::part(query, made);
        }
        if let Some(fragment) = parts.fragment {
            made.push(b'#');
            decode::part(fragment, made);
        }
    });
    exchange.uri = Some(whole).filter(|place| !head.at(*place).is_empty());
}

/// How the body is sent.
fn choose_coding(exchange: &mut Exchange, events: &mut Events) {
    let head = &exchange.request.head;
    exchange.request.coding = if let Some(coding) = head.value(b"transfer-encoding") {
        if contains_word(coding, b"chunked") {
            let old = exchange.request.version < Version::V1_1;
            events.set_if(old, Event::InvalidTransferEncodingInRequest);
            Coding::Chunked
        } else {
            Coding::Invalid
        }
    } else if let Some(length) = head.value(b"content-length") {
        let found = digits(length);
        if let Some((_, junk)) = found {
            events.set_if(junk.before, Event::LengthExtraDataStart);
            events.set_if(junk.after, Event::LengthExtraDataEnd);
        }
        exchange.request.content_length = found.map(|(length, _)| length);
        if found.is_some() { Coding::Identity } else { Coding::Invalid }
    } else {
        Coding::None
    };
}

/// Which host the request is for.
fn find_host(exchange: &mut Exchange, events: &mut Events) {
    let head = &mut exchange.request.head;
    exchange.host = exchange.uri_host;
    let Some(header) = head.value(b"host") else {
        events.set_if(exchange.request.version >= Version::V1_1, Event::MissingHost);
        return;
    };
    let Some(found) = uri::host_port(header) else {
        events.set_if(exchange.uri_host.is_some(), Event::HostAmbiguous);
        return;
    };
    events.set_if(!found.is_valid, Event::HeaderHostInvalid);
    match exchange.uri_host {
        None => {
            let plain = found.host.to_ascii_lowercase();
            exchange.port = found.port.unwrap_or(exchange.port);
            exchange.host = Some(head.keep(|made| made.extend_from_slice(&plain)));
        }
        Some(place) => {
            let other_port = found.port.is_some_and(|port| exchange.port.is_some() && exchange.port != port);
            let other_host = !head.at(place).eq_ignore_ascii_case(found.host);
            events.set_if(other_port || other_host, Event::HostAmbiguous);
        }
    }
}

/// What files the body is.
fn choose_kind(exchange: &mut Exchange) {
    let head = &exchange.request.head;
    let path = exchange.path.map(|place| head.at(place).to_vec());
    let file = path.map_or(Kind::Plain, Kind::File);
    let multipart = || head.value(b"content-type").and_then(Multipart::new);
    exchange.request.entity.sink.kind = match exchange.method {
        Method::Post => multipart().map_or(file, |multipart| Kind::Multipart(Box::new(multipart))),
        Method::Put => file,
        _ => Kind::Plain,
    };
}
