//! One TCP conversation: its bytes.
//!
//! Upon a segment that the [`Machine`] takes: its bytes go to the side's [`Buffer`], and what it acknowledges counts.
//! Upon a reset that the receiver obeys, or when both sides are done: whatever is left counts as it is.
//!
//! Not here: which segments are believed, who may look at the bytes, and what they say.

use super::buffer::{Buffer, Policy};
pub(crate) use super::machine::State;
use super::machine::{Machine, Segment, Verdict};
use super::{Event, Events};
use crate::frame::Tcp;
use crate::{Direction, Time};

/// Bytes of each side that are looked at at all, unless the protocol wants all of them.
const DEPTH_BYTES_MAX: u64 = 1 << 20;
/// Raw bytes that make a chunk worth looking at.
const CHUNK_BYTES: u64 = 2560;
/// Urgent bytes of one side that are taken out at most; later ones stay in.
const URGENT_BYTES_MAX: usize = 64;
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
    machine: Machine,
    halves: [Half; 2],
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

/// Raw bytes of one side, taken out.
#[derive(Debug)]
pub(crate) struct Chunk {
    buffer: Buffer,
    from: u64,
    count: usize,
}

impl Chunk {
    pub(crate) fn bytes(&self) -> &[u8] {
        let bytes = self.buffer.from(self.from);
        &bytes[..self.count.min(bytes.len())]
    }
}

/// What a segment does.
struct Seen<'a> {
    /// Its bytes became part of the stream.
    in_stream: bool,
    events: &'a mut Events,
}

impl Half {
    fn new(initial: u32) -> Self {
        Half {
            initial,
            next: 0,
            said: 0,
            acked: 0,
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
        if self.urgent.is_empty() {
            return at;
        }
        at - self.urgent.partition_point(|urgent| *urgent < at) as u64
    }

    /// Whether the byte at this place of what was sent is there, or was.
    fn has_byte(&self, at: u64) -> bool {
        let at = self.read_place(at);
        at < self.fixed() || !self.buffer.from(at).is_empty()
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
    /// A conversation that begins with this SYN, and whether its bytes became part of the stream: with fast open they do.
    pub(crate) fn begin(syn: &Tcp<'_>, payload: &[u8], time: Time, events: &mut Events) -> (Self, bool) {
        let mut seen = Seen { in_stream: false, events };
        let segment = Segment {
            tcp: syn,
            direction: Direction::ToServer,
            length: length(payload),
            seconds: seconds(time),
            is_v4: true,
            base: syn.sequence(),
        };
        let mut session = Session {
            machine: Machine::begin(&segment),
            halves: [Half::new(syn.sequence()), Half::new(0)],
            depth: DEPTH_BYTES_MAX,
        };
        if syn.acknowledged() != 0 {
            seen.events.add(Event::BrokenAck);
        }
        if syn.options.fast_open {
            session.data(Direction::ToServer, 0, payload, &mut seen);
        }
        (session, seen.in_stream)
    }

    /// The ends were mistaken for each other.
    pub(crate) fn reverse(&mut self) {
        self.halves.swap(0, 1);
        self.machine.reverse();
    }

    /// Bytes of memory that it holds beside itself.
    pub(crate) fn held_bytes(&self) -> usize {
        self.halves.iter().map(|half| half.buffer.held_bytes() + half.urgent.len() * 8).sum()
    }

    pub(crate) fn state(&self) -> State {
        self.machine.state()
    }

    pub(crate) fn is_established(&self) -> bool {
        self.machine.state() >= State::Established
    }

    /// A side has said that it is done.
    pub(crate) fn is_ending(&self) -> bool {
        self.machine.state() > State::Established
    }

    /// Nothing more can be said.
    pub(crate) fn is_closed(&self) -> bool {
        self.machine.is_closed()
    }

    /// Both sides are done: it is kept for what comes late.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.machine.state(), State::LastAck | State::TimeWait | State::Closed)
    }

    /// Whether a SYN of this number, which goes this way, begins another conversation in the place of this one.
    pub(crate) fn gives_way_to(&self, direction: Direction, sequence: u32) -> bool {
        self.machine.gives_way_to(direction, sequence)
    }

    /// Bytes that a side has sent: for `stream_size`.
    pub(crate) fn sent(&self, direction: Direction) -> u64 {
        let half = &self.halves[direction.index()];
        let has_begun = self.machine.state() > State::SynSent || direction == Direction::ToServer;
        half.next + u64::from(half.end.is_some()) + u64::from(has_begun)
    }

    /// Bytes of a side's stream so far, as far as they were believed.
    pub(crate) fn said_bytes(&self, direction: Direction) -> u64 {
        self.halves[direction.index()].next
    }

    /// A segment. True if its bytes became part of the stream.
    pub(crate) fn segment(
        &mut self,
        direction: Direction,
        tcp: &Tcp<'_>,
        payload: &[u8],
        time: Time,
        is_v4: bool,
        events: &mut Events,
    ) -> bool {
        let mut seen = Seen { in_stream: false, events };
        if tcp.has(Tcp::SYN | Tcp::FIN) {
            seen.events.add(Event::FinSyn);
        }
        let half = &self.halves[direction.index()];
        let segment = Segment {
            tcp,
            direction,
            length: length(payload),
            seconds: seconds(time),
            is_v4,
            base: half.initial.wrapping_add(1).wrapping_add(half.buffer.base() as u32),
        };
        let had_begun = self.machine.state() > State::SynSent;
        let verdict = self.machine.segment(&segment, seen.events);
        if !had_begun && self.machine.ignored_fast_open() {
            // What the SYN brought will be said again, perhaps otherwise.
            self.halves[0] = Half::new(self.machine.initial(Direction::ToServer));
        }
        for side in [Direction::ToServer, Direction::ToClient] {
            let half = &mut self.halves[side.index()];
            // Until both have begun, whoever asks anew chooses a new number.
            if half.initial != self.machine.initial(side) {
                *half = Half::new(self.machine.initial(side));
            }
        }
        if verdict == Verdict::Taken {
            self.take(direction, tcp, payload, &mut seen);
        } else if self.machine.state() == State::SynReceived {
            self.note_acked();
        }
        seen.in_stream
    }

    fn note_acked(&mut self) {
        for side in [Direction::ToServer, Direction::ToClient] {
            let half = &mut self.halves[side.index()];
            if let Ok(acked) = u64::try_from(half.place(self.machine.acked(side))) {
                // Whoever acknowledges more than the end has not taken the end for one.
                if half.end.is_some_and(|end| acked > end + 1) {
                    half.end = None;
                }
                half.acked = half.acked.max(acked);
                half.next = half.next.max(acked.min(half.end.unwrap_or(u64::MAX)));
            }
        }
    }

    fn take(&mut self, direction: Direction, tcp: &Tcp<'_>, payload: &[u8], seen: &mut Seen<'_>) {
        let own = direction.index();
        let at = self.halves[own].place(tcp.sequence());
        self.note_acked();
        let reached = u64::try_from(at).unwrap_or(0) + payload.len() as u64;
        self.halves[own].said = self.halves[own].said.max(reached);
        // What a reset carries says why, and is no part of what was said.
        if !payload.is_empty() && !tcp.has(Tcp::RST) {
            let (at, payload) = match u64::try_from(at) {
                Ok(at) => (at, payload),
                Err(_) => {
                    // A byte before the beginning is what keep-alives carry.
                    let before = usize::try_from(-at).unwrap_or(usize::MAX).min(payload.len());
                    (0, &payload[before..])
                }
            };
            let urgent = usize::from(tcp.urgent());
            let is_urgent = tcp.has(Tcp::URG)
                && (1..=payload.len()).contains(&urgent)
                && self.note_urgent(direction, at + urgent as u64 - 1, seen);
            if is_urgent {
                // The receiver is handed this byte apart from the stream.
                self.data(direction, at, &payload[..urgent - 1], seen);
                let half = &mut self.halves[own];
                half.next = half.next.max(at + urgent as u64);
                self.data(direction, at + urgent as u64, &payload[urgent..], seen);
            } else {
                self.data(direction, at, payload, seen);
            }
        }
        if tcp.has(Tcp::FIN) {
            let half = &mut self.halves[own];
            let end = u64::try_from(at).unwrap_or(0) + payload.len() as u64;
            // What was acknowledged reaches beyond it, but for the end itself: then it is none.
            let is_end = half.acked <= end || (half.acked == end + 1 && !half.has_byte(end));
            if half.end.is_none() && is_end {
                half.end = Some(end);
                half.next = half.next.max(end);
            }
        }
    }

    /// The byte at this place is urgent. False if it stays in the stream: the receiver has it already, or there were too many.
    fn note_urgent(&mut self, direction: Direction, place: u64, seen: &mut Seen<'_>) -> bool {
        let half = &mut self.halves[direction.index()];
        let Err(at) = half.urgent.binary_search(&place) else { return true };
        if half.urgent.len() >= URGENT_BYTES_MAX {
            seen.events.add(Event::UrgentLimit);
            return false;
        }
        let (read, fixed) = (half.read_place(place), half.fixed());
        let is_cut = half.buffer.cut(read, fixed);
        if is_cut {
            half.urgent.insert(at, place);
        }
        is_cut
    }

    fn data(&mut self, direction: Direction, at: u64, payload: &[u8], seen: &mut Seen<'_>) {
        if payload.is_empty() {
            return;
        }
        let depth = self.depth;
        let half = &mut self.halves[direction.index()];
        half.next = half.next.max(at + payload.len() as u64);
        // What lies behind the end is kept, since the end may be a lie; as long as it is believed it is no part of the stream.
        seen.in_stream = half.end.is_none_or(|end| at < end);
        let at = half.read_place(at);
        let kept = usize::try_from(depth.saturating_sub(at)).unwrap_or(0).min(payload.len());
        if kept < payload.len() && !half.depth_reached {
            half.depth_reached = true;
            seen.events.add(Event::DepthReached);
        }
        if kept == 0 {
            return;
        }
        let (fixed, settled) = (half.fixed(), half.acked_to());
        let added = half.buffer.add(at, &payload[..kept], fixed, settled);
        if at + kept as u64 <= fixed {
            seen.events.add(Event::BeforeBase);
        }
        if added.differed {
            seen.events.add(Event::OverlapDifferent);
            // Which of the two the receiver has nobody knows for certain: what is not in the stream is looked at by itself.
            seen.in_stream = false;
        }
        if added.refused {
            seen.events.add(Event::InsertLimit);
        }
    }

    /// What the application layer has to be shown next. With `all` also what was not acknowledged.
    pub(crate) fn for_app(&self, direction: Direction, all: bool) -> Supply<'_> {
        let half = &self.halves[direction.index()];
        if half.app_is_done { Supply::Nothing } else { supply(half, half.app, all, self.depth) }
    }

    /// Whether there may be something for the application layer that was acknowledged.
    pub(crate) fn offers(&self, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        !half.app_is_done && half.app < half.acked_to().min(self.depth)
    }

    /// Gives back the memory that a closed conversation does not need.
    pub(crate) fn let_go(&mut self) {
        debug_assert!(self.is_closed());
        self.halves.iter_mut().for_each(|half| half.buffer.let_go());
    }

    /// The application layer has taken `bytes` bytes, or knows of a gap of so many.
    pub(crate) fn app_took(&mut self, direction: Direction, bytes: u64) {
        let half = &mut self.halves[direction.index()];
        half.app += bytes;
        half.release();
    }

    /// If what the application layer left is followed by a hole that nobody will fill: how many bytes it left, and how long the hole is.
    pub(crate) fn hole_behind(&self, direction: Direction, all: bool) -> Option<(u64, u64)> {
        let half = &self.halves[direction.index()];
        if half.app_is_done {
            return None;
        }
        let left = half.buffer.from(half.app).len() as u64;
        let Supply::Gap(hole) = supply(half, half.app + left, all, self.depth) else { return None };
        Some((left, hole))
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

    /// Whether there may be raw bytes that are worth looking at.
    pub(crate) fn has_raw(&self, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        let is_enough = half.acked_to().saturating_sub(half.raw) >= CHUNK_BYTES;
        is_enough || half.flush || half.depth_reached || self.is_closed()
    }

    /// The raw bytes that are to be looked at next, if there are enough. With `all` also few, and what was not acknowledged.
    pub(crate) fn raw(&self, direction: Direction, all: bool) -> Supply<'_> {
        let half = &self.halves[direction.index()];
        if all || self.has_raw(direction) { supply(half, half.raw, all, self.depth) } else { Supply::Nothing }
    }

    /// All bytes are looked at, however many: the protocol moves files of any size, and its messages go on behind them.
    pub(crate) fn look_at_all(&mut self) {
        self.depth = u64::MAX;
    }

    /// Raw bytes were looked at, or known to be lost. They stay until [`Session::looked`].
    pub(crate) fn raw_took(&mut self, direction: Direction, bytes: u64) {
        self.halves[direction.index()].raw += bytes;
    }

    /// Everything raw that was to be looked at was.
    pub(crate) fn looked(&mut self, direction: Direction) {
        let half = &mut self.halves[direction.index()];
        half.flush = false;
        half.release();
    }

    /// Takes bytes out that [`Session::raw`] has shown, so that they can be looked at while the flow changes.
    pub(crate) fn take_out(&mut self, direction: Direction, from: u64, count: usize) -> Chunk {
        let half = &mut self.halves[direction.index()];
        let buffer = std::mem::replace(&mut half.buffer, Buffer::new(Policy::Windows));
        Chunk { buffer, from, count }
    }

    /// What was taken out comes back.
    pub(crate) fn give_back(&mut self, direction: Direction, chunk: Chunk) {
        self.halves[direction.index()].buffer = chunk.buffer;
    }

    /// Whether a side will say nothing more: it has said that it is done, or the conversation is closed, and everything before that was shown.
    pub(crate) fn is_over(&self, direction: Direction) -> bool {
        let half = &self.halves[direction.index()];
        let has_ended = || half.end.is_some_and(|end| half.acked > end && half.app >= half.read_place(end));
        (self.is_closed() || has_ended())
            // What was said and not acknowledged yet is still to come.
            && matches!(self.for_app(direction, true), Supply::Nothing)
    }
}

fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.seconds()).unwrap_or(u32::MAX)
}

fn supply(half: &Half, from: u64, all: bool, depth: u64) -> Supply<'_> {
    let acked = half.acked_to().min(depth);
    if !all && from >= acked {
        return Supply::Nothing;
    }
    let bytes = half.buffer.from(from);
    let end = half.end.map_or(u64::MAX, |end| half.read_place(end));
    let limit = if all { end } else { acked };
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
        && let Some(hole) = half.buffer.hole_end(from)
        && hole <= end
    {
        return Supply::Gap(hole - from);
    }
    Supply::Nothing
}
