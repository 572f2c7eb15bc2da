//! How far a conversation is, and which of its segments are believed.
//!
//! Upon a segment: it is refused with an event that says why, it changes nothing, or it is taken: then its bytes are part of the stream and its
//! acknowledgement counts. `handshake` is the beginning, `established` the middle and `closing` the end; `stamps` looks at time stamps.
//!
//! Numbers are TCP's own, of 32 bits that wrap around. The states, what is refused in each and the names of events are those of the yardstick, so
//! that a rule on an event means the same. Not here: the bytes, see `session`.

mod closing;
mod established;
mod handshake;
mod side;
mod stamps;

use super::{Event, Events};
use crate::Direction;
use crate::frame::Tcp;
use handshake::Offer;
use side::{Side, is_after, is_before};

/// How far a conversation is. What comes later in this list is nearer to its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum State {
    SynSent,
    SynReceived,
    Established,
    /// The server is done.
    FinWait1,
    /// And the client knows.
    FinWait2,
    /// Both are done, the server first.
    TimeWait,
    /// Both are done, the client first.
    LastAck,
    /// The client is done.
    CloseWait,
    /// Both are done, and neither said that it knows.
    Closing,
    Closed,
}

/// A segment, and what the machine has to know beside it.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) tcp: &'a Tcp<'a>,
    pub(super) direction: Direction,
    /// Bytes that it carries.
    pub(super) length: u32,
    /// When it came, in seconds.
    pub(super) seconds: u32,
    /// It came in IPv4: what receivers do with odd time stamps depends on it, as that is how their systems are told apart here.
    pub(super) is_v4: bool,
    /// The number of the first byte of its sender that is still kept.
    pub(super) base: u32,
}

impl Segment<'_> {
    fn sequence(&self) -> u32 {
        self.tcp.sequence()
    }

    /// Behind its last byte.
    fn end(&self) -> u32 {
        self.tcp.sequence().wrapping_add(self.length)
    }

    fn ack(&self) -> u32 {
        self.tcp.acknowledged()
    }

    fn has(&self, flags: u8) -> bool {
        self.tcp.has(flags)
    }

    fn is_to_server(&self) -> bool {
        self.direction == Direction::ToServer
    }

    /// Whether it has none of the flags that begin or end a conversation.
    fn is_plain(&self) -> bool {
        self.tcp.flags() & (Tcp::SYN | Tcp::FIN | Tcp::RST) == 0
    }

    /// The window that it offers, by this scale.
    fn window(&self, scale: u8) -> u32 {
        u32::from(self.tcp.window()) << scale.min(14)
    }
}

/// What becomes of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It cannot be believed.
    Refused,
    /// It is in order and brings nothing.
    Nothing,
    /// Its bytes and its acknowledgement count.
    Taken,
}

/// A conversation's state.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    state: State,
    /// The state before the last change.
    before: State,
    sides: [Side; 2],
    /// Both sides use time stamps.
    stamps: bool,
    /// The first SYN offered to scale windows.
    scales: bool,
    /// The server answered the SYN with a SYN of its own: a handshake in four steps, or both ask at once.
    split: bool,
    fast_open: bool,
    /// Bytes in the SYN that the server did not take.
    ignored_fast_open: bool,
    /// The server went on after the handshake.
    confirmed: bool,
    /// A side was told that the window is full, and sent a byte to see whether it still is.
    probing: [bool; 2],
    /// SYNs that were sent anew and differ, later SYN/ACKs that differ.
    offers: Vec<Offer>,
}

impl Machine {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// The number of a side's SYN.
    pub(super) fn initial(&self, direction: Direction) -> u32 {
        self.sides[direction.index()].initial
    }

    /// How far a side's bytes were acknowledged.
    pub(super) fn acked(&self, direction: Direction) -> u32 {
        self.sides[direction.index()].acked
    }

    /// Whether nothing more can be said, but for what comes again. After a reset that may be none, something can.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::TimeWait | State::Closed) && !self.sides.iter().any(|side| side.was_reset)
    }

    /// The server did not take what the SYN brought.
    pub(super) fn ignored_fast_open(&self) -> bool {
        self.ignored_fast_open
    }

    /// The ends were mistaken for each other.
    pub(super) fn reverse(&mut self) {
        self.sides.swap(0, 1);
        self.probing.swap(0, 1);
    }

    /// Whether a SYN of this number, which goes this way, begins another conversation in the place of this one.
    pub(super) fn gives_way_to(&self, direction: Direction, sequence: u32) -> bool {
        if direction == Direction::ToServer {
            if self.ignored_fast_open {
                return true;
            }
            // The same number again is the same SYN, sent once more.
            if sequence == self.sides[0].initial {
                return false;
            }
        }
        self.state >= State::LastAck
    }

    fn change(&mut self, state: State) {
        if state != self.state {
            self.before = self.state;
            self.state = state;
        }
    }

    /// A segment.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if !segment.has(Tcp::ACK) && segment.ack() != 0 {
            events.add(Event::BrokenAck);
        }
        if self.brings_nothing(segment, events) {
            self.after_reset(segment, events);
            return Verdict::Nothing;
        }
        if segment.length > 0 {
            let acked = self.sides[segment.direction.index()].acked;
            let is_before_base = !is_after(segment.end(), segment.base);
            if is_before_base || !is_after(segment.end(), acked) {
                events.add(Event::SpuriousRetransmission);
            }
            if is_before_base {
                self.after_reset(segment, events);
                return Verdict::Nothing;
            }
        }
        // As nearly always: what all states need stays out of the processor's cache.
        let verdict = match self.state {
            State::Established => self.in_established(segment, events),
            state => self.dispatch(state, segment, events),
        };
        if verdict != Verdict::Refused {
            self.after_reset(segment, events);
        }
        verdict
    }

    #[inline(never)]
    fn dispatch(&mut self, state: State, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        match state {
            State::SynSent => self.in_syn_sent(segment, events),
            State::SynReceived => self.in_syn_received(segment, events),
            State::Established => self.in_established(segment, events),
            State::FinWait1 | State::FinWait2 => self.in_fin_wait(state, segment, events),
            State::TimeWait => self.in_time_wait(segment, events),
            State::LastAck => self.in_last_ack(segment, events),
            State::CloseWait => self.in_close_wait(segment, events),
            State::Closing => self.in_closing(segment, events),
            State::Closed => self.in_closed(segment, events),
        }
    }

    /// Keep-alives, their answers, full windows, what was said before: nothing to look at more closely.
    fn brings_nothing(&mut self, segment: &Segment<'_>, events: &mut Events) -> bool {
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        let (own, other) = (self.sides[at], self.sides[to]);
        let (sequence, ack) = (segment.sequence(), segment.ack());
        let is_plain = segment.is_plain();
        if segment.length <= 1 && is_plain && ack == other.acked && sequence == own.next.wrapping_sub(1) {
            self.sides[at].keeps_alive = true;
            return true;
        }
        let window = segment.window(other.scale);
        let is_empty = segment.length == 0 && is_plain;
        let fits = ack == other.acked && sequence == own.next;
        if is_empty && segment.tcp.window() != 0 && window == other.window && other.keeps_alive && fits {
            self.sides[to].keeps_alive = false;
            self.sides[at].keeps_alive = false;
            return true;
        }
        self.sides[at].keeps_alive = false;
        let is_established = self.state >= State::Established;
        let was_probed = std::mem::take(&mut self.probing[to]);
        if was_probed
            && is_established
            && is_empty
            && segment.has(Tcp::ACK)
            && window == 0
            && other.window == 0
            && fits
        {
            return true;
        }
        self.probing[to] = was_probed;
        if self.ends_shutdown(segment) {
            return false;
        }
        let updates_window =
            is_established && is_empty && segment.tcp.window() != 0 && window != other.window && fits;
        if updates_window {
            return false;
        }
        self.is_bad_window_update(segment, events) || self.is_outdated(segment)
    }

    /// The last acknowledgement of a conversation.
    fn ends_shutdown(&self, segment: &Segment<'_>) -> bool {
        let (own, other) =
            (self.sides[segment.direction.index()], self.sides[segment.direction.reversed().index()]);
        matches!(self.state, State::TimeWait | State::CloseWait | State::LastAck)
            && segment.tcp.flags() == Tcp::ACK
            && segment.length == 0
            && segment.sequence() == own.next.wrapping_add(1)
            && segment.ack() == other.next.wrapping_add(1)
    }

    /// A segment from nowhere that shuts the window by more than it can have filled: believed, what follows would be out of the window.
    fn is_bad_window_update(&self, segment: &Segment<'_>, events: &mut Events) -> bool {
        /// A window that is this small may be shut to the last byte.
        const SMALL_WINDOW_BYTES: u32 = 1024;
        /// By so much more than what was acknowledged others still shrink.
        const MARGIN_BYTES: u32 = 32;
        let (own, other) =
            (self.sides[segment.direction.index()], self.sides[segment.direction.reversed().index()]);
        let window = segment.window(other.scale);
        if self.state < State::Established
            || self.state == State::Closed
            || !segment.is_plain()
            || window >= other.window
        {
            return false;
        }
        let shrinks = other.window - window;
        if shrinks <= segment.length
            || !is_after(segment.ack(), other.next)
            || !is_after(segment.sequence(), own.next)
        {
            return false;
        }
        let acknowledges = segment.ack().wrapping_sub(other.acked);
        let margin = if window > SMALL_WINDOW_BYTES { MARGIN_BYTES } else { 0 };
        let is_bad = shrinks > acknowledges.saturating_add(margin);
        if is_bad {
            events.add(Event::BadWindowUpdate);
        }
        is_bad
    }

    /// An acknowledgement that a later one has overtaken.
    fn is_outdated(&self, segment: &Segment<'_>) -> bool {
        let (own, other) =
            (self.sides[segment.direction.index()], self.sides[segment.direction.reversed().index()]);
        self.state >= State::Established
            && segment.length == 0
            && segment.tcp.flags() & (Tcp::ACK | Tcp::SYN | Tcp::FIN | Tcp::RST) == Tcp::ACK
            && segment.sequence() == own.next
            && is_before(segment.ack(), other.acked)
            && segment.tcp.options.sack.is_none()
    }

    /// Whoever goes on behind a reset of its own never sent it.
    fn after_reset(&mut self, segment: &Segment<'_>, events: &mut Events) {
        let receiver = &mut self.sides[segment.direction.reversed().index()];
        if receiver.was_reset && !segment.has(Tcp::RST) {
            receiver.was_reset = false;
            events.add(Event::ResetInjected);
        }
    }

    /// Whether the other side may have received what is acknowledged.
    fn believes_ack(&self, segment: &Segment<'_>, events: &mut Events) -> bool {
        if !segment.has(Tcp::ACK) {
            return true;
        }
        let other = &self.sides[segment.direction.reversed().index()];
        let ack = segment.ack();
        let is_fine = if ack == other.acked || (is_after(ack, other.acked) && !is_after(ack, other.reach)) {
            true
        } else if is_before(ack, other.acked) {
            // Old ones come late; from before the window they do not.
            other.window == 0 || !is_before(ack, other.acked.wrapping_sub(other.window))
        } else {
            self.state == State::SynSent
                && !segment.is_to_server()
                && segment.has(Tcp::RST)
                && ack == other.initial.wrapping_add(1)
        };
        if !is_fine {
            events.add(Event::InvalidAck);
        }
        is_fine
    }

    /// Whether a reset is one that its receiver obeys: exactly the next number.
    fn obeys_reset(&mut self, segment: &Segment<'_>, events: &mut Events) -> bool {
        if self.stamps && !self.stamp_is_fine(segment, events) {
            return false;
        }
        if segment.ack() != 0 && !self.believes_ack(segment, events) {
            events.add(Event::ResetInvalidAck);
            return false;
        }
        segment.sequence() == self.sides[segment.direction.index()].next
    }

    /// A reset once there was an answer: everything that was said until then counts.
    fn reset(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if !self.obeys_reset(segment, events) {
            return Verdict::Refused;
        }
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        // Signed although nothing else is: some receivers obey it, others throw it away.
        self.sides[to].was_reset |= segment.tcp.options.md5 || segment.tcp.options.authenticated;
        self.change(State::Closed);
        if segment.has(Tcp::ACK) && self.believes_ack(segment, events) {
            self.sides[to].acknowledge(segment.ack());
        }
        self.sides[at].acknowledge(segment.sequence());
        self.note_stamp(segment, events);
        Verdict::Taken
    }

    fn in_closed(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        if segment.has(Tcp::RST) || self.sides[at].was_reset || !self.sides[to].was_reset {
            return Verdict::Nothing;
        }
        // The reset was injected: it goes on where it was.
        let verdict = self.dispatch(self.before, segment, events);
        if verdict != Verdict::Refused && self.state == State::Closed {
            self.state = self.before;
        }
        verdict
    }

    /// Takes a segment's acknowledgement and window.
    fn take_ack(&mut self, segment: &Segment<'_>) {
        let other = &mut self.sides[segment.direction.reversed().index()];
        other.next = side::later(other.next, segment.ack());
        other.acknowledge(segment.ack());
    }

    fn take_window(&mut self, segment: &Segment<'_>) {
        let other = &mut self.sides[segment.direction.reversed().index()];
        other.window = segment.window(other.scale);
    }
}

#[cfg(test)]
mod tests;
