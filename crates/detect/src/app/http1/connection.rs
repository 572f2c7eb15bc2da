//! The state of a connection: both sides' parsers, and which exchange each of them is at.
//!
//! Requests and responses are counted for themselves; the n-th response belongs to the n-th request. The exchange is
//! opened by whichever of them comes first.

use super::event::Event;
use super::exchange::{Exchange, Progress};
use super::line::Method;
use super::request::RequestState;
use super::response::ResponseState;
use crate::Direction;
use crate::app::http2::connection::tell;
use crate::app::{Broken, Context, Input, Next, Parser, ProtocolId, Taken, Transactions};

/// Bytes of a line or a header that is not complete; with more the parser gives up.
pub(super) const FIELD_BYTES_MAX: usize = 18_000;
/// Exchanges that wait for their responses at most; with more the parser gives up.
const PIPELINED_MAX: usize = 512;
/// Bytes of a message that are shown as its frame at most.
const FRAME_BYTES_MAX: usize = 256 * 1024;
/// Bytes that a client may send before it is known whether its `CONNECT` is accepted; with more the oldest are dropped.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// What one step of a side's parser came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// So many bytes were taken: go on.
    Go(usize),
    /// So many bytes were taken: more are needed.
    Wait(usize),
}

/// What a side's parser sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// What was not taken yet.
    pub(super) rest: &'a [u8],
    /// Nothing follows.
    pub(super) last: bool,
}

/// The parser of HTTP/1.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) exchanges: Transactions<Exchange>,
    pub(super) request_state: RequestState,
    pub(super) response_state: ResponseState,
    /// How many requests, and how many responses, are behind us.
    pub(super) done: [u64; 2],
    /// Bytes of the body or of the chunk that are to come, for each side.
    pub(super) left: [u64; 2],
    pub(super) bombs: u8,
    /// What was taken of the message that is shown as a frame, for each side.
    frames: [Option<Vec<u8>>; 2],
}

/// The names of the frames.
const FRAMES: [&str; 2] = ["http1.request", "http1.response"];

impl Connection {
    /// For a new flow.
    #[must_use]
    pub fn new() -> Self {
        Connection {
            exchanges: Transactions::default(),
            request_state: RequestState::Idle,
            response_state: ResponseState::Idle,
            done: [0; 2],
            left: [0; 2],
            bombs: 0,
            frames: [None, None],
        }
    }

    /// The exchange that this side is at.
    pub(super) fn current(&mut self, direction: Direction) -> Result<&mut Exchange, Broken> {
        self.exchanges.get_mut(self.done[direction.index()]).ok_or(Broken)
    }

    /// The same; it is opened if the other side did not.
    pub(super) fn open(&mut self, direction: Direction) -> Result<&mut Exchange, Broken> {
        let wanted = self.done[direction.index()];
        if self.exchanges.get(wanted).is_none() {
            if self.exchanges.opened() != wanted || self.exchanges.len() >= PIPELINED_MAX {
                return Err(Broken);
            }
            self.exchanges.open(Exchange::new());
        }
        self.exchanges.get_mut(wanted).ok_or(Broken)
    }

    /// Notes something odd about the exchange that this side is at.
    pub(super) fn note(&mut self, direction: Direction, event: Event) {
        if let Ok(exchange) = self.current(direction) {
            exchange.events.set(event);
        }
    }

    /// Takes bytes of a body.
    pub(super) fn body(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let exchange = self.current(direction)?;
        let mut events = exchange.events;
        let is_bomb = exchange.message_mut(direction).entity.write(bytes, &mut events);
        exchange.events = events;
        if is_bomb {
            self.bombs = self.bombs.saturating_add(1);
            if self.bombs == super::entity::BOMBS_MAX {
                self.note(direction, Event::CompressionBombLimit);
            }
        }
        Ok(())
    }

    /// The body is over.
    pub(super) fn body_over(&mut self, direction: Direction) -> Result<(), Broken> {
        let exchange = self.current(direction)?;
        let mut events = exchange.events;
        exchange.message_mut(direction).entity.flush(&mut events);
        exchange.events = events;
        Ok(())
    }

    /// Both ways are a tunnel now; whatever is open in the exchanges will stay so.
    pub(super) fn tunnel(&mut self) {
        self.request_state = RequestState::Tunnel;
        self.response_state = ResponseState::Tunnel;
    }

    /// Whoever wants to see the next message of this side as a frame sees it from here on.
    pub(super) fn begin_frame(&mut self, direction: Direction, context: &Context<'_>) {
        self.frames[direction.index()] = context.wants_frame(FRAMES[direction.index()]).then(Vec::new);
    }

    /// Shows what was taken of the message.
    pub(super) fn end_frame(&mut self, direction: Direction, context: &mut Context<'_>) {
        if let Some(bytes) = self.frames[direction.index()].take().filter(|bytes| !bytes.is_empty()) {
            context.frame(FRAMES[direction.index()], direction, &bytes);
        }
    }

    fn step(
        &mut self,
        direction: Direction,
        view: View<'_>,
        context: &mut Context<'_>,
    ) -> Result<Step, Broken> {
        match direction {
            Direction::ToServer => self.request_step(view, context),
            Direction::ToClient => self.response_step(view, context),
        }
    }

    /// Whether what this side says is not looked at any more, or cannot be yet.
    fn is_waiting(&self, direction: Direction) -> bool {
        direction == Direction::ToServer && self.request_state == RequestState::ConnectWait
    }

    /// Everything of a side that is not complete will not be.
    fn end_side(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.end_frame(direction, context);
        for live in self.exchanges.iter_mut() {
            let exchange = &mut live.transaction;
            let mut events = exchange.events;
            exchange.message_mut(direction).end(&mut events);
            exchange.events = events;
        }
    }

    /// The flow goes on as something else: all that was understood is complete.
    pub(super) fn leave(&mut self, next: Next, context: &mut Context<'_>) {
        self.tunnel();
        if context.changing {
            self.note(Direction::ToClient, Event::FailedProtocolChange);
            return;
        }
        self.end_side(Direction::ToServer, context);
        self.end_side(Direction::ToClient, context);
        context.then(next);
    }

    /// HTTP/2 answers the request that asked for it.
    pub(super) fn hand_over(&mut self, protocol: ProtocolId, context: &mut Context<'_>) {
        let (ProtocolId::Http2, Ok(exchange)) = (protocol, self.current(Direction::ToClient)) else { return };
        let head = &exchange.request.head;
        let mut told = Vec::new();
        for (name, place) in [(&b":method"[..], exchange.method_name), (b":path", exchange.uri_raw)] {
            if let Some(place) = place {
                tell(name, head.at(place), &mut told);
            }
        }
        head.headers().for_each(|(name, value)| tell(name, value, &mut told));
        context.tell(told);
    }

    /// What `Upgrade` asks for, if it is something that is understood.
    pub(super) fn upgrade(value: &[u8]) -> Option<ProtocolId> {
        if value.eq_ignore_ascii_case(b"h2c") {
            Some(ProtocolId::Http2)
        } else if value.eq_ignore_ascii_case(b"websocket") {
            Some(ProtocolId::Websocket)
        } else {
            None
        }
    }

    /// Whether a gap can be a piece of this side's body.
    fn gap_in_body(&mut self, direction: Direction, bytes: u64) -> Result<(), Broken> {
        let (known, open) = match direction {
            Direction::ToServer => (self.request_state == RequestState::Identity, false),
            Direction::ToClient => (
                self.response_state == ResponseState::Identity,
                matches!(
                    self.response_state,
                    ResponseState::UntilClose | ResponseState::Open | ResponseState::OpenLine
                ),
            ),
        };
        if !known && !open {
            return Ok(());
        }
        let left = &mut self.left[direction.index()];
        let skipped = if known { bytes.min(*left) } else { bytes };
        *left = left.saturating_sub(skipped);
        let is_over = known && *left == 0;
        let exchange = self.current(direction)?;
        let mut events = exchange.events;
        exchange.message_mut(direction).entity.skip(skipped, &mut events);
        exchange.events = events;
        if is_over {
            match direction {
                Direction::ToServer => self.request_state = RequestState::Finalize,
                Direction::ToClient => self.response_state = ResponseState::Finalize,
            }
        }
        Ok(())
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
        let mut at = 0;
        loop {
            let rest = input.bytes.get(at..).unwrap_or_default();
            let step = self.step(direction, View { rest, last: input.last }, context)?;
            let (Step::Go(taken) | Step::Wait(taken)) = step;
            if let Some(frame) = &mut self.frames[direction.index()] {
                let room = FRAME_BYTES_MAX.saturating_sub(frame.len()).min(taken);
                frame.extend_from_slice(rest.get(..room).unwrap_or_default());
            }
            at += taken.min(rest.len());
            if context.asked().is_some() {
                return Ok(Taken::part(at, 0));
            }
            if matches!(step, Step::Wait(_)) {
                break;
            }
        }
        let waiting = input.bytes.len() - at;
        if self.is_waiting(direction) {
            at += waiting.saturating_sub(WAITING_BYTES_MAX);
        }
        Ok(Taken::part(at, 0))
    }

    fn gap(&mut self, direction: Direction, bytes: u64, context: &mut Context<'_>) -> Result<(), Broken> {
        if self.exchanges.get(self.done[direction.index()]).is_none() {
            return Ok(());
        }
        self.end_frame(direction, context);
        self.gap_in_body(direction, bytes)?;
        let progress = self.current(direction)?.message(direction).progress;
        if progress > Progress::NotStarted && progress < Progress::Complete {
            self.begin_frame(direction, context);
        }
        match direction {
            Direction::ToServer if self.request_state == RequestState::Finalize => {
                self.complete_request(context)
            }
            Direction::ToClient if self.response_state == ResponseState::Finalize => {
                self.complete_response(context)
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self, direction: Direction, context: &mut Context<'_>) {
        self.end_side(direction, context);
        if direction == Direction::ToClient {
            // A server that closes answers nothing more.
            self.end_side(Direction::ToServer, context);
        }
    }

    fn transactions(&self) -> &Transactions<Exchange> {
        &self.exchanges
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Exchange> {
        &mut self.exchanges
    }
}

/// Whether the method of the exchange is one that opens a tunnel.
pub(super) fn is_connect(exchange: &Exchange) -> bool {
    exchange.method == Method::Connect
}
