//! One TCP conversation.
//!
//! Upon SYN: a conversation begins. Upon SYN and ACK of it from the other side, then ACK: it is established.
//! Upon a segment: in the window, its bytes go to the side's [`Buffer`]; outside, it is not believed.
//! Upon an acknowledgement of what was sent (or of what may have been lost on the way to us): the other side's bytes up to there count.
//! Upon FIN from both sides, or a reset that the receiver takes: it is closed, and whatever is left counts as it is.
//!
//! Not here: who may look at the bytes, and what they say.

use super::buffer::{Buffer, Policy};
use super::{Event, Events};
use crate::Direction;
use crate::frame::Tcp;

/// Bytes of each side that are looked at at all, unless the protocol wants all of them.
const DEPTH_BYTES_MAX: u64 = 1 << 20;
/// Raw bytes that make a chunk worth looking at.
const CHUNK_BYTES: u64 = 2560;
/// Urgent bytes of one side that are taken out at most; later ones stay in.
const URGENT_BYTES_MAX: usize = 64;
/// A window that is believed when its scale was not seen.
const WINDOW_BYTES_MIN: u32 = 65_535;

/// How far a conversation is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum State {
    SynSent,
    SynReceived,
    Established,
    /// One side has said that it is done.
    Closing,
    Closed,
}

/// One side: what it sent.
#[derive(Clone, Debug)]
struct Half {
    /// The number of its SYN.
    initial: u32,
    /// Where its stream ends so far, by segments that were believed.
    next: u64,
    /// Where its own segments went to, with or without bytes.
    said: u64,
    /// Where the other side has acknowledged it to.
    acked: u64,
    /// Bytes that it is willing to receive.
    window: u32,
    scale: u8,
    /// Where its FIN stands.
    end: Option<u64>,
    /// Where urgent bytes stand, which the receiver takes out of the stream; ascending.
    urgent: Vec<u64>,
    buffer: Buffer,
    /// Handed to the application layer.
    app: u64,
    /// Looked at as raw bytes.
    raw: u64,
    /// Raw bytes are to be looked at, though they are few.
    flush: bool,
    /// Nobody wants the application's bytes any more.
    app_is_done: bool,
    depth_reached: bool,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    state: State,
    halves: [Half; 2],
    /// The SYN asked for scaled windows.
    scales: bool,
    /// Bytes of each side that are looked at.
    depth: u64,
}

/// What is there to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Supply<'a> {
    /// Bytes, and where they stand.
    Bytes(&'a [u8], u64),
    /// So many are lost.
    Gap(u64),
    Nothing,
}

/// What a segment did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Seen {
    /// Its bytes became part of the stream.
    pub(crate) in_stream: bool,
    pub(crate) events: Events,
}

impl Half {
    fn new(initial: u32) -> Self {
        Half {
            initial,
            next: 0,
            said: 0,
            acked: 0,
            window: WINDOW_BYTES_MIN,
            scale: 0,
            end: None,
            urgent: Vec::new(),
            buffer: Buffer::new(Policy::Windows),
            app: 0,
            raw: 0,
            flush: false,
            app_is_done: false,
            depth_reached: false,
        }
    }

    /// The place in the stream of a sequence number, near where the stream is now; negative for what lies before its beginning.
    fn place(&self, sequence: u32) -> i64 {
        let near = self.initial.wrapping_add(1).wrapping_add(self.next as u32);
        let distance = sequence.wrapping_sub(near) as i32;
        self.next as i64 + i64::from(distance)
    }

    fn fixed(&self) -> u64 {
        if self.app_is_done { self.raw } else { self.app.max(self.raw) }
    }

    /// The place in what the receiver reads, urgent bytes left out, of a place in what was sent.
    fn read_place(&self, at: u64) -> u64 {
        at - self.urgent.partition_point(|urgent| *urgent < at) as u64
    }

    /// How far what is read was acknowledged, and not beyond the end.
    fn acked_to(&self) -> u64 {
        self.read_place(self.acked.min(self.end.unwrap_or(u64::MAX)))
    }

    /// What both have looked at is not needed any more.
    fn release(&mut self) {
        let until = if self.app_is_done { self.raw } else { self.app.min(self.raw) };
        self.buffer.release(until);
    }
}

impl Session {
    /// A conversation that begins with this SYN.
    pub(crate) fn begin(syn: &Tcp<'_>) -> Self {
        let mut client = Half::new(syn.sequence());
        client.window = u32::from(syn.window());
        client.scale = syn.options.window_scale.unwrap_or(0);
        Session {
            state: State::SynSent,
            halves: [client, Half::new(0)],
            scales: syn.options.window_scale.is_some(),
            depth: DEPTH_BYTES_MAX,
        }
    }

    /// The ends were mistaken for each other.
    pub(crate) fn reverse(&mut self) {
        self.halves.swap(0, 1);
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn is_established(&self) -> bool {
        self.state >= State::Established
    }

    /// Bytes that a side has sent: for `stream_size`.
    pub(crate) fn sent(&self, direction: Direction) -> u64 {
        let half = &self.halves[direction.index()];
        half.next
            + u64::from(half.end.is_some())
            + u64::from(self.state > State::SynSent || direction == Direction::ToServer)
    }

    /// Bytes of a side's stream so far, as far as they were believed.
    pub(crate) fn said_bytes(&self, direction: Direction) -> u64 {
        self.halves[direction.index()].next
    }

    /// A segment.
    pub(crate) fn segment(&mut self, direction: Direction, tcp: &Tcp<'_>, payload: &[u8]) -> Seen {
        let mut seen = Seen::default();
        if tcp.has(Tcp::SYN) {
            self.syn(direction, tcp, &mut seen);
            if tcp.has(Tcp::SYN | Tcp::FIN) {
                seen.events.add(Event::FinSyn);
            }
            if !payload.is_empty() && self.state < State::Established {
                self.data(direction, 0, payload, &mut seen);
            }
            return seen;
        }
        if tcp.has(Tcp::RST) {
            self.reset(direction, tcp, &mut seen);
            return seen;
        }
        match self.state {
            State::SynSent => {
                if tcp.has(Tcp::ACK) && direction == Direction::ToClient {
                    seen.events.add(Event::HandshakeAckInWrongDirection);
                }
                return seen;
            }
            State::SynReceived => {
                if !self.completes_handshake(direction, tcp, &mut seen) {
                    return seen;
                }
                self.state = State::Established;
            }
            State::Established | State::Closing | State::Closed => {}
        }
        if self.state == State::Closed {
            return seen;
        }
        self.exchange(direction, tcp, payload, &mut seen);
        seen
    }

    fn syn(&mut self, direction: Direction, tcp: &Tcp<'_>, seen: &mut Seen) {
        let is_answer = tcp.has(Tcp::ACK);
        match (self.state, direction, is_answer) {
            (State::SynSent, Direction::ToServer, false) => {
                // Asked again, or anew: the last one counts until there is an answer.
                if self.halves[0].initial != tcp.sequence() {
                    self.halves[0] = Half::new(tcp.sequence());
                    self.halves[0].scale = tcp.options.window_scale.unwrap_or(0);
                    self.halves[0].window = u32::from(tcp.window());
                }
            }
            (State::SynSent, Direction::ToClient, true) => {
                let wanted = self.halves[0].initial.wrapping_add(1);
                let ahead = tcp.acknowledged().wrapping_sub(wanted);
                if u64::from(ahead) > self.halves[0].next {
                    seen.events.add(Event::HandshakeSynAckWrongAck);
                    return;
                }
                let mut server = Half::new(tcp.sequence());
                server.window = u32::from(tcp.window());
                match tcp.options.window_scale {
                    Some(scale) if self.scales => server.scale = scale,
                    _ => self.halves[0].scale = 0,
                }
                self.halves[0].acked = u64::from(ahead);
                self.halves[1] = server;
                self.state = State::SynReceived;
            }
            (State::SynSent, Direction::ToServer, true) => {
                seen.events.add(Event::HandshakeSynAckInWrongDirection)
            }
            (State::SynSent, Direction::ToClient, false) => {
                // Both ask at once: followed as if the client had been answered, once each acknowledges the other.
                self.halves[1] = Half::new(tcp.sequence());
                self.halves[1].window = u32::from(tcp.window());
            }
            (State::SynReceived, Direction::ToServer, true) => {
                seen.events.add(Event::HandshakeSynAckToServer)
            }
            (State::SynReceived, Direction::ToClient, true) => {
                if tcp.acknowledged() != self.halves[0].initial.wrapping_add(1) {
                    seen.events.add(Event::HandshakeSynAckOtherAck);
                } else if tcp.sequence() != self.halves[1].initial {
                    seen.events.add(Event::HandshakeSynAckOtherSequence);
                    // Nothing was said yet: whom the client answers decides.
                    self.halves[1].initial = tcp.sequence();
                }
            }
            (State::SynReceived, Direction::ToClient, false) => seen.events.add(Event::HandshakeSynToClient),
            (State::SynReceived, Direction::ToServer, false) => {
                if tcp.sequence() != self.halves[0].initial {
                    seen.events.add(Event::HandshakeSynOtherSequence);
                }
            }
            (State::Established, Direction::ToServer, true) => {
                seen.events.add(Event::EstablishedSynAckToServer)
            }
            (State::Established, Direction::ToClient, true) => {
                let same_ack = tcp.acknowledged() == self.halves[0].initial.wrapping_add(1);
                seen.events.add(match (same_ack, tcp.sequence() == self.halves[1].initial) {
                    (false, _) => Event::EstablishedSynAckOtherAck,
                    (true, false) => Event::EstablishedSynAckOtherSequence,
                    (true, true) => Event::EstablishedSynAckResend,
                });
            }
            (State::Established, Direction::ToClient, false) => {
                seen.events.add(Event::EstablishedSynToClient)
            }
            (State::Established, Direction::ToServer, false) => {
                let is_same = tcp.sequence() == self.halves[0].initial;
                seen.events.add(if is_same {
                    Event::EstablishedSynResend
                } else {
                    Event::EstablishedSynOtherSequence
                });
            }
            (State::Closing, ..) => seen.events.add(Event::SynOnShutdown),
            (State::Closed, ..) => {}
        }
    }

    fn completes_handshake(&mut self, direction: Direction, tcp: &Tcp<'_>, seen: &mut Seen) -> bool {
        if !tcp.has(Tcp::ACK) {
            return false;
        }
        if direction == Direction::ToClient {
            // The server goes on before we saw the client's answer: it must have got one, or will.
            if self.halves[1].place(tcp.sequence()) < 0 {
                seen.events.add(Event::HandshakeAckInWrongDirection);
                return false;
            }
            return true;
        }
        let right_ack = self.halves[1].place(tcp.acknowledged()) >= 0;
        let right_sequence = self.halves[0].place(tcp.sequence()) >= 0;
        match (right_sequence, right_ack) {
            (true, true) => true,
            (true, false) => {
                seen.events.add(Event::HandshakeRightSequenceWrongAck);
                false
            }
            (false, _) => {
                seen.events.add(Event::HandshakeWrongSequenceWrongAck);
                false
            }
        }
    }

    /// A segment of a conversation that is established or about to end.
    fn exchange(&mut self, direction: Direction, tcp: &Tcp<'_>, payload: &[u8], seen: &mut Seen) {
        let (own, other) = (direction.index(), direction.reversed().index());
        let at = self.halves[own].place(tcp.sequence());
        let reach = self.halves[own].acked.max(self.halves[own].next);
        let window = u64::from(self.halves[other].window) << self.halves[other].scale;
        let right = reach.saturating_add(window.max(u64::from(WINDOW_BYTES_MIN)));
        if at > i64::try_from(right).unwrap_or(i64::MAX) {
            seen.events.add(match self.state {
                _ if tcp.has(Tcp::FIN) => Event::FinOutOfWindow,
                State::Closing => Event::CloseWaitAckOutOfWindow,
                _ => Event::EstablishedOutOfWindow,
            });
            return;
        }
        if tcp.has(Tcp::ACK) && !self.acknowledge(direction, tcp, seen) {
            return;
        }
        self.halves[own].window = u32::from(tcp.window());
        let reached = u64::try_from(at).unwrap_or(0) + payload.len() as u64;
        self.halves[own].said = self.halves[own].said.max(reached);
        if !payload.is_empty() {
            let (at, payload) = match u64::try_from(at) {
                Ok(at) => (at, payload),
                Err(_) => {
                    // A byte before the beginning is what keep-alives carry.
                    let before = usize::try_from(-at).unwrap_or(usize::MAX).min(payload.len());
                    (0, &payload[before..])
                }
            };
            if at + payload.len() as u64 <= self.halves[own].acked && self.halves[own].acked > 0 {
                seen.events.add(Event::Retransmission);
            }
            let urgent = usize::from(tcp.urgent());
            if tcp.has(Tcp::URG) && (1..=payload.len()).contains(&urgent) {
                // The receiver is handed this byte apart from the stream.
                let (before, after) = (&payload[..urgent - 1], &payload[urgent..]);
                self.data(direction, at, before, seen);
                let place = at + before.len() as u64;
                self.note_urgent(direction, place);
                self.data(direction, place + 1, after, seen);
            } else {
                self.data(direction, at, payload, seen);
            }
        }
        if tcp.has(Tcp::FIN) {
            let end = u64::try_from(at).unwrap_or(0) + payload.len() as u64;
            let half = &mut self.halves[own];
            if half.end.is_none() {
                half.end = Some(end);
                half.next = half.next.max(end);
            }
            if self.state == State::Established {
                self.state = State::Closing;
            }
        }
        let is_over = |half: &Half| half.end.is_some_and(|end| half.acked > end);
        if self.state == State::Closing && self.halves.iter().all(is_over) {
            self.state = State::Closed;
        }
    }

    /// Takes an acknowledgement; false if it cannot be believed.
    fn acknowledge(&mut self, direction: Direction, tcp: &Tcp<'_>, seen: &mut Seen) -> bool {
        let half = &mut self.halves[direction.reversed().index()];
        let acked = half.place(tcp.acknowledged());
        // What was lost on its way to us may be acknowledged, but no more than fits a window.
        let most = half.next.saturating_add(u64::from(u16::MAX) << 14) as i64;
        if acked > most {
            seen.events.add(Event::InvalidAck);
            seen.events.add(match self.state {
                State::Closing => Event::CloseWaitInvalidAck,
                _ => Event::EstablishedInvalidAck,
            });
            return false;
        }
        if let Ok(acked) = u64::try_from(acked) {
            half.acked = half.acked.max(acked);
            half.next = half.next.max(acked.min(half.end.unwrap_or(u64::MAX)));
        }
        true
    }

    fn note_urgent(&mut self, direction: Direction, place: u64) {
        let half = &mut self.halves[direction.index()];
        half.next = half.next.max(place + 1);
        if let Err(at) = half.urgent.binary_search(&place)
            && half.urgent.len() < URGENT_BYTES_MAX
        {
            half.urgent.insert(at, place);
        }
    }

    fn data(&mut self, direction: Direction, at: u64, payload: &[u8], seen: &mut Seen) {
        if payload.is_empty() {
            return;
        }
        let depth = self.depth;
        let half = &mut self.halves[direction.index()];
        if half.end.is_some_and(|end| at >= end) {
            return;
        }
        half.next = half.next.max(at + payload.len() as u64);
        seen.in_stream = true;
        let at = half.read_place(at);
        let kept = usize::try_from(depth.saturating_sub(at)).unwrap_or(0).min(payload.len());
        if kept < payload.len() && !half.depth_reached {
            half.depth_reached = true;
            seen.events.add(Event::DepthReached);
        }
        if kept == 0 {
            return;
        }
        let fixed = half.fixed();
        let added = half.buffer.add(at, &payload[..kept], fixed);
        if added.differed {
            seen.events.add(Event::OverlapDifferent);
        }
        if added.refused {
            seen.events.add(Event::InsertLimit);
        }
    }

    fn reset(&mut self, direction: Direction, tcp: &Tcp<'_>, seen: &mut Seen) {
        let (own, other) = (direction.index(), direction.reversed().index());
        let is_believed = match self.state {
            State::SynSent => {
                direction == Direction::ToServer
                    || (tcp.has(Tcp::ACK) && tcp.acknowledged() == self.halves[0].initial.wrapping_add(1))
                    || !tcp.has(Tcp::ACK)
            }
            State::Closed => false,
            _ => {
                let half = &self.halves[own];
                let at = half.place(tcp.sequence());
                let window = u64::from(self.halves[other].window) << self.halves[other].scale;
                let right = half.acked.max(half.next).saturating_add(window.max(1)) as i64;
                let left = half.acked.min(half.next) as i64 - 1;
                at >= left && at <= right
            }
        };
        if !is_believed {
            if self.state != State::Closed {
                seen.events.add(Event::ResetInvalidAck);
            }
            return;
        }
        if self.state >= State::Established && tcp.has(Tcp::ACK) {
            self.acknowledge(direction, tcp, seen);
        }
        self.state = State::Closed;
    }

    /// What the application layer has to be shown next. With `all` also what was not acknowledged.
    pub(crate) fn for_app(&self, direction: Direction, all: bool) -> Supply<'_> {
        let half = &self.halves[direction.index()];
        if half.app_is_done { Supply::Nothing } else { supply(half, half.app, all, self.depth) }
    }

    /// The application layer has taken `bytes` bytes, or knows of a gap of so many.
    pub(crate) fn app_took(&mut self, direction: Direction, bytes: u64) {
        let half = &mut self.halves[direction.index()];
        half.app += bytes;
        half.release();
    }

    /// How far the application layer has come.
    pub(crate) fn app_at(&self, direction: Direction) -> u64 {
        self.halves[direction.index()].app
    }

    /// Nobody wants the application's bytes of this side any more.
    pub(crate) fn app_is_done(&mut self, direction: Direction) {
        let half = &mut self.halves[direction.index()];
        half.app_is_done = true;
        half.release();
    }

    /// The application layer has understood something: raw bytes up to there are worth looking at.
    pub(crate) fn flush(&mut self, direction: Direction) {
        self.halves[direction.index()].flush = true;
    }

    /// The raw bytes that are to be looked at next, if there are enough. With `all` also few, and what was not acknowledged.
    pub(crate) fn raw(&self, direction: Direction, all: bool) -> Supply<'_> {
        let half = &self.halves[direction.index()];
        let is_enough = half.acked_to().saturating_sub(half.raw) >= CHUNK_BYTES;
        if all || half.flush || half.depth_reached || self.state == State::Closed || is_enough {
            supply(half, half.raw, all, self.depth)
        } else {
            Supply::Nothing
        }
    }

    /// All bytes are looked at, however many: the protocol moves files of any size, and its messages go on behind them.
    pub(crate) fn look_at_all(&mut self) {
        self.depth = u64::MAX;
    }

    /// Raw bytes were looked at, or known to be lost.
    pub(crate) fn raw_took(&mut self, direction: Direction, bytes: u64) {
        let half = &mut self.halves[direction.index()];
        half.raw += bytes;
        half.release();
    }

    /// Everything that was to be looked at at once was.
    pub(crate) fn flushed(&mut self, direction: Direction) {
        self.halves[direction.index()].flush = false;
    }

    /// Whether a side has said that it is done, and everything before that was shown.
    pub(crate) fn has_ended(&self, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        half.end.is_some_and(|end| half.app >= half.read_place(end))
    }
}

fn supply(half: &Half, from: u64, all: bool, depth: u64) -> Supply<'_> {
    let acked = half.acked_to().min(depth);
    let bytes = half.buffer.from(from);
    let limit = if all { u64::MAX } else { acked };
    let count = usize::try_from(limit.saturating_sub(from)).unwrap_or(usize::MAX).min(bytes.len());
    if count > 0 {
        return Supply::Bytes(&bytes[..count], from);
    }
    // A hole whose end was acknowledged is never filled. Whether there is one, its sender tells by going on behind it: what was
    // acknowledged too early may still come.
    let goes_on = || half.buffer.hole_end(from).is_some() || half.read_place(half.said) >= acked;
    if bytes.is_empty() && from < acked && goes_on() {
        let end = half.buffer.hole_end(from).unwrap_or(acked).min(acked);
        return Supply::Gap(end - from);
    }
    if all
        && bytes.is_empty()
        && let Some(end) = half.buffer.hole_end(from)
    {
        return Supply::Gap(end - from);
    }
    Supply::Nothing
}
