//! The end: from the first FIN to the last acknowledgement.

use super::{Event, Events, Machine, Segment, State, Verdict, is_after, is_before};
use crate::frame::Tcp;

impl Machine {
    /// Whether a segment brings only what was sent before.
    fn is_retransmission(&self, segment: &Segment<'_>, events: &mut Events) -> bool {
        let own = &self.sides[segment.direction.index()];
        let end = segment.end();
        let is_old = segment.length > 0
            && (is_before(segment.sequence(), own.acked)
                || !is_after(end, own.acked)
                || !is_after(end, own.next));
        if is_old {
            events.add(Event::Retransmission);
        }
        is_old
    }

    fn refuse(event: Event, events: &mut Events) -> Verdict {
        events.add(event);
        Verdict::Refused
    }

    /// What is decided alike wherever a conversation is about to end: resets, SYNs, segments that acknowledge nothing, and those of another time. With `is_fin` the
    /// segment may end its side, whatever else it says.
    fn settles(&mut self, segment: &Segment<'_>, is_fin: bool, events: &mut Events) -> Option<Verdict> {
        if segment.has(Tcp::RST) {
            return Some(self.reset(segment, events));
        }
        if !is_fin && segment.has(Tcp::SYN) {
            return Some(Self::refuse(Event::SynOnShutdown, events));
        }
        if !is_fin && !segment.has(Tcp::ACK) {
            return Some(Verdict::Nothing);
        }
        (self.stamps && !self.stamp_is_fine(segment, events)).then_some(Verdict::Refused)
    }

    /// The server is done, and perhaps the client knows.
    pub(super) fn in_fin_wait(
        &mut self,
        state: State,
        segment: &Segment<'_>,
        events: &mut Events,
    ) -> Verdict {
        let is_fin = segment.has(Tcp::FIN);
        if let Some(verdict) = self.settles(segment, is_fin, events) {
            return verdict;
        }
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        let (own, other) = (self.sides[at], self.sides[to]);
        let is_first = state == State::FinWait1;
        let says_again = is_fin
            && segment.ack() == other.acked
            && if is_first {
                segment.has(Tcp::ACK) && !segment.is_to_server() && segment.sequence() == own.next
            } else {
                segment.sequence() == own.next.wrapping_sub(1)
            };
        let is_old = self.is_retransmission(segment, events) || says_again;
        if is_fin && !is_old && self.is_out_of_window(segment) {
            return Self::refuse(
                if is_first { Event::Fin1WrongSequence } else { Event::Fin2WrongSequence },
                events,
            );
        }
        if !self.believes_ack(segment, events) {
            return Self::refuse(
                if is_first { Event::Fin1InvalidAck } else { Event::Fin2InvalidAck },
                events,
            );
        }
        if !is_old && is_fin {
            let knows = !is_first || segment.has(Tcp::ACK);
            self.change(if knows { State::TimeWait } else { State::Closing });
        } else if !is_old {
            if is_after(segment.end(), own.reach) {
                return Self::refuse(
                    if is_first { Event::Fin1AckWrongSequence } else { Event::Fin2AckWrongSequence },
                    events,
                );
            }
            if segment.sequence() == own.next {
                self.change(State::FinWait2);
            }
        }
        let own = &mut self.sides[at];
        if own.next == segment.sequence() {
            own.next = segment.end();
        }
        self.finish(segment, !is_old, events);
        self.sides[to].reaches(segment.sacked());
        Verdict::Taken
    }

    pub(super) fn in_closing(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if let Some(verdict) = self.settles(segment, false, events) {
            return verdict;
        }
        let is_old = self.is_retransmission(segment, events);
        if segment.sequence() != self.sides[segment.direction.index()].next {
            return Self::refuse(Event::ClosingAckWrongSequence, events);
        }
        if !self.believes_ack(segment, events) {
            return Self::refuse(Event::ClosingInvalidAck, events);
        }
        if !is_old {
            self.change(State::TimeWait);
        }
        self.finish(segment, !is_old, events);
        Verdict::Taken
    }

    /// The client is done, the server goes on.
    pub(super) fn in_close_wait(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let is_fin = segment.has(Tcp::FIN);
        if let Some(verdict) = self.settles(segment, is_fin, events) {
            return verdict;
        }
        let at = segment.direction.index();
        let own = self.sides[at];
        let is_old = self.is_retransmission(segment, events);
        let is_beyond = is_after(segment.sequence(), own.acked.wrapping_add(own.window));
        if is_fin {
            if !is_old && (is_beyond || is_before(segment.sequence(), own.next)) {
                return Self::refuse(Event::CloseWaitFinOutOfWindow, events);
            }
        } else if segment.length > 0 && !is_after(segment.end(), own.acked) {
            return Self::refuse(Event::CloseWaitBeforeLastAck, events);
        } else if is_beyond {
            return Self::refuse(Event::CloseWaitAckOutOfWindow, events);
        }
        if !self.believes_ack(segment, events) {
            return Self::refuse(Event::CloseWaitInvalidAck, events);
        }
        if is_fin {
            if !segment.is_to_server() && !is_old {
                self.change(State::LastAck);
            }
        } else if segment.sequence() == own.next {
            self.sides[at].next = segment.end();
        }
        self.finish(segment, !is_old, events);
        Verdict::Taken
    }

    pub(super) fn in_last_ack(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if segment.has(Tcp::FIN) && !segment.has(Tcp::RST) {
            return Verdict::Nothing;
        }
        if let Some(verdict) = self.settles(segment, false, events) {
            return verdict;
        }
        if !segment.is_to_server() {
            return Verdict::Nothing;
        }
        let own = self.sides[0];
        let is_old = self.is_retransmission(segment, events);
        if !self.believes_ack(segment, events) {
            return Self::refuse(Event::LastAckInvalidAck, events);
        }
        let behind = segment.sequence().wrapping_sub(own.next);
        if !is_old && !is_before(segment.sequence(), own.next) {
            if behind > 1 {
                return Self::refuse(Event::LastAckWrongSequence, events);
            }
            self.change(State::Closed);
        }
        self.finish(segment, !is_old, events);
        Verdict::Taken
    }

    pub(super) fn in_time_wait(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if segment.has(Tcp::FIN) && !segment.has(Tcp::RST) {
            return Verdict::Nothing;
        }
        if let Some(verdict) = self.settles(segment, false, events) {
            return verdict;
        }
        let own = self.sides[segment.direction.index()];
        let is_old = self.is_retransmission(segment, events);
        // The FIN itself takes a number, which may have been counted or not.
        let near = segment.sequence().wrapping_sub(own.next).wrapping_add(1) <= 2;
        if !is_old && !near {
            if !segment.is_to_server() && segment.length > 0 && segment.sequence() == own.acked {
                return Verdict::Nothing;
            }
            return Self::refuse(Event::TimeWaitWrongSequence, events);
        }
        if !self.believes_ack(segment, events) {
            return Self::refuse(Event::TimeWaitInvalidAck, events);
        }
        if !is_old {
            self.change(State::Closed);
        }
        self.finish(segment, !is_old, events);
        Verdict::Taken
    }
}
