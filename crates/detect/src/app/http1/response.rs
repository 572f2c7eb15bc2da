//! The server's side: response line, headers, body, and what comes between two responses.
//!
//! Upon bytes before a response: empty lines are skipped; its exchange is the next that has none; if there was no request, it gets one of
//! which nothing is known. So it is with bytes that are behind a response as well, since nobody can know whether they come with it or later.
//! Upon a line that is no response line: it is part of the body, as browsers show it, unless a response line follows.
//! Upon the end of the headers: there is no body (after `HEAD`, with some codes), it is chunked, of a known length,
//! or goes on until the server closes.
//! Upon `100 Continue`: another response line follows. Upon `101`: the flow goes on as something else. Upon `200`
//! after `CONNECT`: it is a tunnel.
//! Upon a length with something around it: the body goes on behind it until a response line follows.
//! Upon a chunk's length that is none: all that follows is the body.

use super::connection::{Connection, FIELD_BYTES_MAX, Step, View, is_connect};
use super::entity::Kind;
use super::event::Event;
use super::exchange::{Coding, Exchange, Progress, cookie_of};
use super::head::Block;
use super::line::{self, Method};
use super::request::RequestState;
use super::text::{digits, empty_line, without_line_end};
use super::{authorization, chunk, framing};
use crate::Direction;
use crate::app::http::compression::{Chain, named};
use crate::app::{Broken, Context, Next};
use memchr::{memchr, memchr2};

const TO_CLIENT: Direction = Direction::ToClient;
/// What stands for the URI of a request that was not seen.
const URI_NOT_SEEN: &[u8] = b"/libhtp::request_uri_not_seen";

/// Where the server's side is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ResponseState {
    /// Between two responses.
    Idle,
    Line,
    Headers,
    Identity,
    UntilClose,
    /// At the beginning of a line of a body of which nothing says where it ends: a response line ends it.
    Open,
    /// Within such a line.
    OpenLine,
    ChunkLength,
    Chunk,
    ChunkEnd,
    /// The response is over.
    Finalize,
    Tunnel,
}

impl Connection {
    pub(super) fn response_step(
        &mut self,
        view: View<'_>,
        context: &mut Context<'_>,
    ) -> Result<Step, Broken> {
        match self.response_state {
            ResponseState::Idle => match empty_line(view.rest) {
                None => Ok(Step::Wait(0)),
                Some(0) => self.response_start(context),
                Some(length) => Ok(Step::Go(length)),
            },
            ResponseState::Line => self.response_line(view),
            ResponseState::Headers => self.response_headers(view, context),
            ResponseState::Identity => self.response_identity(view),
            ResponseState::UntilClose => {
                self.body(TO_CLIENT, view.rest)?;
                if view.last {
                    return self.on(ResponseState::Finalize, view.rest.len());
                }
                Ok(Step::Wait(view.rest.len()))
            }
            ResponseState::Open => self.response_open(view, context),
            ResponseState::OpenLine => {
                let end = memchr(b'\n', view.rest).map(|end| end + 1);
                let length = end.unwrap_or(view.rest.len());
                self.body(TO_CLIENT, view.rest.get(..length).unwrap_or_default())?;
                if end.is_none() { Ok(Step::Wait(length)) } else { self.on(ResponseState::Open, length) }
            }
            ResponseState::ChunkLength => self.response_chunk_length(view),
            ResponseState::Chunk => self.response_chunk(view),
            ResponseState::ChunkEnd => match memchr(b'\n', view.rest) {
                Some(end) => self.on(ResponseState::ChunkLength, end + 1),
                None => Ok(Step::Wait(view.rest.len())),
            },
            ResponseState::Finalize => {
                self.complete_response(context)?;
                Ok(Step::Go(0))
            }
            ResponseState::Tunnel => Ok(Step::Wait(view.rest.len())),
        }
    }

    fn on(&mut self, state: ResponseState, taken: usize) -> Result<Step, Broken> {
        self.response_state = state;
        Ok(Step::Go(taken))
    }

    /// More is needed, unless there is too much already.
    fn wait_for_response(&mut self, waiting: usize, taken: usize) -> Result<Step, Broken> {
        if waiting > FIELD_BYTES_MAX {
            self.note(TO_CLIENT, Event::ResponseFieldTooLong);
            return Err(Broken);
        }
        Ok(Step::Wait(taken))
    }

    fn response_start(&mut self, context: &mut Context<'_>) -> Result<Step, Broken> {
        self.begin_frame(TO_CLIENT, context);
        self.decide_version(context)?;
        let at_request_line = self.request_state == RequestState::Line;
        let exchange = self.open(TO_CLIENT)?;
        if exchange.request.progress == Progress::NotStarted {
            exchange.events.set(Event::UnableToMatchResponse);
            let head = &mut exchange.request.head;
            let uri = head.keep(|made| made.extend_from_slice(URI_NOT_SEEN));
            exchange.uri_raw = Some(uri);
            exchange.path = Some(uri);
            exchange.request.progress = Progress::Complete;
            self.done[Direction::ToServer.index()] += 1;
        }
        let exchange = self.current(TO_CLIENT)?;
        let unread = exchange.method_name.is_none() && exchange.uri_raw.is_none() && at_request_line;
        exchange.events.set_if(unread, Event::RequestLineIncomplete);
        let path = exchange.path.map(|place| exchange.request.head.at(place).to_vec());
        exchange.response.entity.sink.kind = Kind::File(path.unwrap_or_default());
        if exchange.is_0_9 {
            exchange.response.coding = Coding::Identity;
            exchange.response.progress = Progress::Body;
            return self.on(ResponseState::UntilClose, 0);
        }
        exchange.response.progress = Progress::Line;
        self.on(ResponseState::Line, 0)
    }

    fn response_line(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let length = match line_length(view.rest) {
            Some(length) => length,
            None if view.last && !view.rest.is_empty() => view.rest.len(),
            None => return self.wait_for_response(view.rest.len(), 0),
        };
        let (line, after) = view.rest.split_at_checked(length).ok_or(Broken)?;
        if line.len() > FIELD_BYTES_MAX {
            self.note(TO_CLIENT, Event::ResponseFieldTooLong);
            return Err(Broken);
        }
        if line::is_empty_line(line) {
            return Ok(Step::Go(length));
        }
        if line::is_no_response_line(line) {
            return self.line_of_body(line, after, view.last);
        }
        read_line(self.current(TO_CLIENT)?, line);
        self.on(ResponseState::Headers, length)
    }

    /// A line that is no response line is skipped if a response line may follow, else a body begins with it.
    fn line_of_body(&mut self, line: &[u8], after: &[u8], last: bool) -> Result<Step, Broken> {
        if after.len() <= 1 && !last {
            return Ok(Step::Wait(0));
        }
        let is_short = without_line_end(line).len() <= 2;
        if after.first() == Some(&b'H') || (is_short && !after.is_empty()) {
            return Ok(Step::Go(line.len()));
        }
        let is_behind = self.done[TO_CLIENT.index()] > 0;
        let exchange = self.current(TO_CLIENT)?;
        exchange.events.set_if(is_behind, Event::ResponseBodyUnexpected);
        exchange.response.entity.decode_with(None);
        exchange.response.coding = Coding::Identity;
        exchange.response.progress = Progress::Body;
        self.body(TO_CLIENT, line)?;
        self.on(ResponseState::Open, line.len())
    }

    /// A line of a body that has no end but the next response line.
    fn response_open(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let line = view.rest.get(..FIELD_BYTES_MAX).unwrap_or(view.rest);
        match line::may_be_response_line(line) {
            None if !view.last && line.len() < FIELD_BYTES_MAX => return Ok(Step::Wait(0)),
            None | Some(false) => return self.on(ResponseState::OpenLine, 0),
            Some(true) => {}
        }
        let others_wait = self.done[Direction::ToServer.index()] > self.done[TO_CLIENT.index()] + 1;
        let has_line = !self.current(TO_CLIENT)?.response.head.line().is_empty();
        if has_line || others_wait {
            self.complete_response(context)?;
            return Ok(Step::Go(0));
        }
        // What stood before was in front of this response, not one by itself.
        self.on(ResponseState::Line, 0)
    }

    fn response_headers(&mut self, view: View<'_>, context: &mut Context<'_>) -> Result<Step, Broken> {
        let exchange = self.current(TO_CLIENT)?;
        let (Block { taken, over }, is_cut_off) = exchange.read_head(TO_CLIENT, view.rest, view.last)?;
        if is_cut_off {
            exchange.response.make_wanted(cookie_of(TO_CLIENT), context.settings);
            return self.on(ResponseState::Finalize, taken);
        }
        if !over {
            return self.wait_for_response(view.rest.len() - taken, taken);
        }
        if exchange.response.progress > Progress::Headers {
            exchange.response.make_wanted(cookie_of(TO_CLIENT), context.settings);
            return self.on(ResponseState::Finalize, taken);
        }
        self.response_headers_over(context)?;
        Ok(Step::Go(taken))
    }

    /// Decides what follows the headers.
    fn response_headers_over(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        if self.is_interim()? {
            self.response_state = ResponseState::Line;
            return Ok(());
        }
        self.forget_refused_body()?;
        let may_decode = self.bombs < super::entity::BOMBS_MAX;
        let exchange = self.current(TO_CLIENT)?;
        let mut events = exchange.events;
        exchange.response.make_wanted(cookie_of(TO_CLIENT), context.settings);
        framing::name_file(exchange);
        let chosen = framing::response_coding(exchange, &mut events);
        exchange.events = events;
        exchange.response.progress = Progress::Body;
        let tunnel = exchange.status == Some(101) && framing::is_without_length(exchange);
        let upgrade = exchange.response.head.value(b"upgrade").and_then(Connection::upgrade);
        self.response_state = chosen?;
        if tunnel {
            match upgrade {
                Some(protocol) => {
                    self.hand_over(protocol, context);
                    self.leave(Next::Switch(protocol), context);
                }
                None => self.tunnel(),
            }
            return Ok(());
        }
        let exchange = self.current(TO_CLIENT)?;
        let length = exchange.response.content_length.unwrap_or(0);
        exchange.response.entity.sink.announced = length;
        self.left[TO_CLIENT.index()] = length;
        // What nobody looks into need not be decoded.
        self.prepare_decoding(may_decode && !context.settings.counts_files)
    }

    fn prepare_decoding(&mut self, may_decode: bool) -> Result<(), Broken> {
        let exchange = self.current(TO_CLIENT)?;
        let Some(value) = exchange.response.head.value(b"content-encoding") else { return Ok(()) };
        let encoding = named(value, true);
        exchange.events.set_if(encoding.too_many, Event::TooManyLayers);
        exchange.events.set_if(encoding.abnormal, Event::AbnormalContentEncoding);
        let codings = if may_decode { encoding.codings.as_slice() } else { &[] };
        exchange.response.entity.decode_with(Chain::new(codings));
        Ok(())
    }

    /// `100 Continue` without a body: the response itself comes later.
    fn is_interim(&mut self) -> Result<bool, Broken> {
        let exchange = self.current(TO_CLIENT)?;
        let head = &mut exchange.response.head;
        let length = head.value(b"content-length").and_then(digits).map_or(0, |(length, _)| length);
        if exchange.status != Some(100) || head.value(b"transfer-encoding").is_some() || length > 0 {
            return Ok(false);
        }
        if is_connect(exchange) {
            return Ok(false);
        }
        exchange.events.set_if(exchange.saw_continue, Event::ContinueAlreadySeen);
        exchange.events.set_if(exchange.saw_continue, Event::ContinueAlreadySeenOld);
        exchange.saw_continue = true;
        exchange.response.head.clear();
        exchange.response.progress = Progress::Line;
        Ok(true)
    }

    /// A client that waited for `100 Continue` and is refused does not send its body.
    fn forget_refused_body(&mut self) -> Result<(), Broken> {
        let left = self.left[Direction::ToServer.index()];
        let waiting = self.request_state == RequestState::Identity && left > 0;
        let exchange = self.current(TO_CLIENT)?;
        let refused = exchange.status.is_some_and(|status| (400..500).contains(&status));
        let nothing_sent = exchange.request.content_length == Some(left);
        let expected = exchange.request.head.value(b"expect") == Some(b"100-continue");
        if waiting && refused && nothing_sent && expected {
            self.request_state = RequestState::Finalize;
        }
        Ok(())
    }

    fn response_identity(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let left = self.left[TO_CLIENT.index()];
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(view.rest.len());
        self.body(TO_CLIENT, view.rest.get(..taken).unwrap_or_default())?;
        self.left[TO_CLIENT.index()] = left - taken as u64;
        if left > taken as u64 && !view.last {
            return Ok(Step::Wait(taken));
        }
        if self.current(TO_CLIENT)?.has_odd_length && !view.last {
            // It may as well be longer.
            return self.on(ResponseState::Open, taken);
        }
        self.body_over(TO_CLIENT)?;
        self.on(ResponseState::Finalize, taken)
    }

    fn response_chunk_length(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let line = view.rest.get(..FIELD_BYTES_MAX).unwrap_or(view.rest);
        match chunk::length(line) {
            chunk::Length::More => self.wait_for_response(view.rest.len(), 0),
            chunk::Length::Blank { taken } | chunk::Length::TooLarge { taken } => Ok(Step::Go(taken)),
            chunk::Length::Known { bytes, extension, taken } => {
                if extension {
                    self.note(TO_CLIENT, Event::ResponseChunkExtension);
                }
                self.left[TO_CLIENT.index()] = bytes;
                if bytes > 0 {
                    return self.on(ResponseState::Chunk, taken);
                }
                self.current(TO_CLIENT)?.response.progress = Progress::Trailer;
                self.on(ResponseState::Headers, taken)
            }
            chunk::Length::Invalid => {
                self.note(TO_CLIENT, Event::InvalidResponseChunkLen);
                self.current(TO_CLIENT)?.response.coding = Coding::Identity;
                self.on(ResponseState::UntilClose, 0)
            }
        }
    }

    fn response_chunk(&mut self, view: View<'_>) -> Result<Step, Broken> {
        let left = self.left[TO_CLIENT.index()];
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(view.rest.len());
        self.body(TO_CLIENT, view.rest.get(..taken).unwrap_or_default())?;
        self.left[TO_CLIENT.index()] = left - taken as u64;
        if left == taken as u64 {
            return self.on(ResponseState::ChunkEnd, taken);
        }
        if view.last {
            return self.on(ResponseState::Finalize, taken);
        }
        Ok(Step::Wait(taken))
    }

    /// Whether the response accepts a `CONNECT`. Only the first of a connection opens a tunnel that is recognised anew.
    fn is_tunnel(&mut self) -> Result<bool, Broken> {
        let is_first = self.done[TO_CLIENT.index()] == 0;
        let exchange = self.current(TO_CLIENT)?;
        let accepted = exchange.status.is_some_and(|status| (200..300).contains(&status));
        Ok(is_first && accepted && is_connect(exchange))
    }

    /// The response is over.
    pub(super) fn complete_response(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        let tunnel = self.is_tunnel()?;
        let exchange = self.current(TO_CLIENT)?;
        let mut events = exchange.events;
        if exchange.response.progress != Progress::Complete {
            exchange.response.entity.finish(&mut events);
            exchange.response.progress = Progress::Complete;
        }
        exchange.events = events;
        if refuses_login(exchange) {
            context.refuses_login();
        }
        self.end_frame(TO_CLIENT, context);
        if tunnel {
            self.leave(Next::Recognise, context);
        } else {
            self.response_state = ResponseState::Idle;
        }
        self.done[TO_CLIENT.index()] += 1;
        Ok(())
    }
}

/// Whether it refuses what the client gave to prove who it is: in a header by a scheme that asks once, or in a form.
/// A request without any is only told to bring it, and schemes with a challenge are refused on the way.
fn refuses_login(exchange: &Exchange) -> bool {
    matches!(exchange.status, Some(401 | 403))
        && (exchange.method == Method::Post || authorization::is_known(&exchange.request.head))
}

/// The length of the line at the front, its end included: `\r`, `\n` or both.
fn line_length(rest: &[u8]) -> Option<usize> {
    let end = memchr2(b'\r', b'\n', rest)?;
    match (rest.get(end), rest.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(end + 2),
        (Some(b'\r'), None) => None,
        _ => Some(end + 1),
    }
}

fn read_line(exchange: &mut Exchange, line: &[u8]) {
    let mut events = exchange.events;
    let parts = line::response_line(line, &mut events);
    let head = &mut exchange.response.head;
    head.set_line(line);
    let offset = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    exchange.response.protocol = parts.protocol.map(|part| head.in_line(offset(part), part));
    exchange.response.version = parts.version;
    exchange.code = parts.code.map(|part| head.in_line(offset(part), part));
    exchange.status = parts.status;
    exchange.status_message = parts.message.map(|part| head.in_line(offset(part), part));
    exchange.response.progress = Progress::Headers;
    exchange.events = events;
}
