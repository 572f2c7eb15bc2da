//! The middle: bytes both ways.

use super::{Event, Events, Machine, Segment, State, Verdict, is_after, is_before};
use crate::frame::Tcp;

impl Machine {
    pub(super) fn in_established(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if segment.has(Tcp::RST) {
            return self.reset(segment, events);
        }
        if segment.has(Tcp::FIN) {
            return self.first_fin(segment, events);
        }
        if segment.has(Tcp::SYN) {
            return self.syn_in_established(segment, events);
        }
        if !segment.has(Tcp::ACK) {
            return Verdict::Nothing;
        }
        if self.stamps && !self.stamp_is_fine(segment, events) {
            return Verdict::Refused;
        }
        self.confirmed |= !segment.is_to_server();
        self.exchange(segment, events)
    }

    fn syn_in_established(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let [client, server] = &self.sides;
        let event = match (segment.has(Tcp::ACK), segment.is_to_server()) {
            (true, true) => Event::EstablishedSynAckToServer,
            (true, false) if segment.ack() != client.acked => Event::EstablishedSynAckOtherAck,
            (true, false) if segment.sequence() != server.initial => Event::EstablishedSynAckOtherSequence,
            (true, false) if self.confirmed => Event::EstablishedSynAckResend,
            // The client's ACK was lost, and the server asks for it.
            (true, false) => return Verdict::Nothing,
            (false, false) => Event::EstablishedSynToClient,
            (false, true) if segment.sequence() != client.initial => Event::EstablishedSynOtherSequence,
            (false, true) => Event::EstablishedSynResend,
        };
        events.add(event);
        Verdict::Refused
    }

    fn exchange(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        let (own, other) = (self.sides[at], self.sides[to]);
        let (sequence, end) = (segment.sequence(), segment.end());
        if self.probing[to] && segment.ack() == other.next.wrapping_add(1) {
            events.add(Event::EstablishedAckOfProbe);
        } else if !self.believes_ack(segment, events) {
            events.add(Event::EstablishedInvalidAck);
            return Verdict::Refused;
        }
        let keeps_alive = segment.length <= 1 && sequence == own.next.wrapping_sub(1);
        // What was acknowledged before we saw it may still come.
        let was_missed = is_after(own.acked, own.next) && is_after(end, own.next);
        if !keeps_alive && is_before(end, own.acked) && !was_missed {
            events.add(Event::EstablishedBeforeLastAck);
            return Verdict::Refused;
        }
        if segment.length == 1 && sequence == own.next && own.window == 0 {
            self.probing[at] = true;
            return Verdict::Taken;
        }
        if !is_before(end, own.next) {
            self.sides[at].next = end;
        }
        if is_after(end, own.reach) {
            events.add(Event::EstablishedOutOfWindow);
            return Verdict::Refused;
        }
        self.take_window(segment);
        self.sides[to].acknowledge(segment.ack());
        self.note_stamp(segment, events);
        self.sides[to].reaches(segment.sacked());
        Verdict::Taken
    }

    /// The first FIN: the client's, or the server's.
    pub(super) fn first_fin(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if self.stamps && !self.stamp_is_fine(segment, events) {
            return Verdict::Refused;
        }
        if !self.believes_ack(segment, events) {
            events.add(Event::FinInvalidAck);
            return Verdict::Refused;
        }
        if self.is_out_of_window(segment) {
            events.add(Event::FinOutOfWindow);
            return Verdict::Refused;
        }
        self.change(if segment.is_to_server() { State::CloseWait } else { State::FinWait1 });
        let own = &mut self.sides[segment.direction.index()];
        if segment.sequence() == own.next {
            own.next = segment.end();
        }
        self.finish(segment, true, events);
        Verdict::Taken
    }

    /// Before what its sender has sent already, or behind the window.
    pub(super) fn is_out_of_window(&self, segment: &Segment<'_>) -> bool {
        let own = &self.sides[segment.direction.index()];
        is_before(segment.sequence(), own.next)
            || is_after(segment.sequence(), own.acked.wrapping_add(own.window))
    }

    /// What a segment of a conversation near its end brings.
    pub(super) fn finish(&mut self, segment: &Segment<'_>, has_window: bool, events: &mut Events) {
        if has_window {
            self.take_window(segment);
        }
        self.note_stamp(segment, events);
        if segment.has(Tcp::ACK) {
            self.take_ack(segment);
        }
    }
}

impl Segment<'_> {
    /// Bytes that it acknowledges beyond a hole.
    pub(super) fn sacked(&self) -> u32 {
        let mut total = 0u32;
        for piece in self.tcp.options.sack.unwrap_or_default().chunks_exact(8) {
            let Some((left, right)) = piece.split_first_chunk::<4>() else { continue };
            let Some(right) = right.first_chunk::<4>() else { continue };
            let bytes = u32::from_be_bytes(*right).wrapping_sub(u32::from_be_bytes(*left));
            // A piece is no larger than a window can be.
            if bytes <= 1 << 30 {
                total = total.saturating_add(bytes);
            }
        }
        total.min(1 << 30)
    }
}
