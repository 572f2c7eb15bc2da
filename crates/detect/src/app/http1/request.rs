//! The client's side: request line, headers, body, and what comes between two requests.
//!
//! Upon bytes before a request: empty lines are skipped, then an exchange is opened.
//! Upon a line without a protocol: headers follow if anything but a few spaces does; if the response begins before that, it is a request of the
//! first version. If it has no method that is known either, and a line that has one follows, that is the next request.
//! Upon the end of the headers: the body is chunked, of a known length, or there is none; after `CONNECT` the
//! response decides how it goes on.
//! Upon bytes behind a request, whatever they are: they are the next one, since nobody can know whether they come with it or later.

use super::connection::{Connection, FIELD_BYTES_MAX, Step, View};
use super::entity::Kind;
use super::event::Event;
use super::exchange::{Coding, Progress, cookie_of};
use super::head::Block;
use super::line::{self, Method};
use super::text::{empty_line, is_space, split_while, without_line_end};
use super::{authorization, chunk, framing, target};
use crate::Direction;
use crate::app::http::compression::{Chain, named};
use crate::app::http::{REQUEST_BODY_LIMITS, field};
use crate::app::{Body, Broken, Context};
use memchr::{memchr, memchr2};

const TO_SERVER: Direction = Direction::ToServer;
/// Spaces behind a line without a protocol that still leave it a request of the first version.
const SPACES_AFTER_LINE_MAX: usize = 16;

/// Bytes of the longest method that is known.
const METHOD_BYTES_MAX: usize = 16;

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
    /// The request is over.
    Finalize,
    /// After a request of the first version nothing counts.
    Ignore,
    Tunnel,
}

impl Connection {
    pub(super) fn request_step(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        match self.request_state {
            RequestState::Idle => self.request_start(view, context),
            RequestState::Line => self.request_line(view),
            RequestState::Protocol => self.request_protocol(view, context),
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
            RequestState::Finalize => {
                self.complete_request(context)?;
                Ok(Step::Go(0))
            }
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

    fn request_start(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        match empty_line(view.rest) {
            None => return Ok(Step::Wait(0)),
            Some(0) => {}
            Some(length) => return Ok(Step::Go(length)),
        }
        self.open(TO_SERVER)?.request.progress = Progress::Line;
        self.begin_frame(TO_SERVER, context);
        self.to(RequestState::Line, 0)
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
        let is_unanswered = self.done[TO_SERVER.index()] > self.done[Direction::ToClient.index()];
        let exchange = self.current(TO_SERVER)?;
        target::read_request_line(exchange, without_line_end(line))?;
        // It may be meant as a body of the request before, which has none.
        let is_none = exchange.method == Method::Unknown && exchange.request.protocol.is_none();
        exchange.events.set_if(is_none && is_unanswered, Event::RequestBodyUnexpected);
        self.to(RequestState::Protocol, length)
    }

    /// Behind the line. What follows it may come much later, so all that can be known of the line is shown before.
    fn request_protocol(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_SERVER)?;
        exchange.request.progress = Progress::Headers;
        if !exchange.is_0_9 {
            return self.to(RequestState::Headers, 0);
        }
        let (spaces, after) = split_while(view.rest, is_space);
        if after.is_empty() && spaces.len() <= SPACES_AFTER_LINE_MAX {
            if !view.last {
                return Ok(Step::Wait(0));
            }
            self.complete_request(context)?;
            return Ok(Step::Go(0));
        }
        if exchange.method == Method::Unknown {
            let (word, behind) = split_while(after, |byte| !is_space(byte));
            if behind.is_empty() && word.len() <= METHOD_BYTES_MAX && !view.last {
                return Ok(Step::Wait(0));
            }
            exchange.is_0_9 = Method::named(word) == Method::Unknown;
            if !exchange.is_0_9 {
                self.complete_request(context)?;
                return Ok(Step::Go(spaces.len()));
            }
        }
        exchange.is_0_9 = false;
        exchange.events.set(Event::MissingProtocol);
        self.to(RequestState::Headers, 0)
    }

    /// Whether the response that begins is to a line without a protocol behind which nothing came: then that was all of the request.
    pub(super) fn decide_version(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        let is_answered = self.done[TO_SERVER.index()] == self.done[Direction::ToClient.index()];
        if self.request_state == RequestState::Protocol && is_answered {
            self.complete_request(context)?;
        }
        Ok(())
    }

    fn request_headers(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_SERVER)?;
        let (Block { taken, over }, is_cut_off) = exchange.read_head(TO_SERVER, view.rest, view.last)?;
        if is_cut_off {
            exchange.request.progress = Progress::Trailer;
        } else if !over {
            return self.wait_for_request(view.rest.len() - taken, taken);
        }
        if exchange.request.progress > Progress::Headers {
            exchange.request.make_wanted(cookie_of(TO_SERVER), context.settings);
            return self.to(RequestState::Finalize, taken);
        }
        self.request_headers_over(context)?;
        Ok(Step::Go(taken))
    }

    fn request_headers_over(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        let may_decode = self.bombs < super::entity::BOMBS_MAX;
        let exchange = self.current(TO_SERVER)?;
        let mut events = exchange.events;
        framing::request_coding(exchange, &mut events);
        target::find_host(exchange, &mut events);
        authorization::note(&exchange.request.head, &mut events);
        let encoding = exchange.request.head.value(b"content-encoding").map(|value| named(value, false));
        if let Some(encoding) = encoding {
            events.set_if(encoding.too_many, Event::TooManyLayers);
            events.set_if(encoding.abnormal, Event::AbnormalContentEncoding);
            let codings = if may_decode { encoding.codings.as_slice() } else { &[] };
            exchange.request.entity.decode_with(Chain::new(codings));
        }
        framing::request_kind(exchange);
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
        let Some(end) = memchr2(b'\n', 0, view.rest.get(..FIELD_BYTES_MAX).unwrap_or(view.rest)) else {
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
        let line = view.rest.get(..FIELD_BYTES_MAX).unwrap_or(view.rest);
        match chunk::length(line) {
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
            chunk::Length::Invalid | chunk::Length::TooLarge { .. } => {
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
