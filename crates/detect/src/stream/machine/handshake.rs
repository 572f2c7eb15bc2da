//! The beginning: SYN, SYN/ACK, ACK; fast open (RFC 7413); handshakes in four steps, and both sides asking at once.

use super::{Event, Events, Machine, Segment, Side, State, Verdict, is_after};
use crate::Direction;
use crate::frame::Tcp;

/// SYNs of one conversation that differ and are remembered.
const SYNS_MAX: usize = 10;
/// SYN/ACKs of one conversation that differ and are remembered.
const SYN_ACKS_MAX: usize = 5;

/// What a SYN or a SYN/ACK offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    sequence: u32,
    ack: u32,
    window: u16,
    scale: Option<u8>,
    stamp: Option<u32>,
    seconds: u32,
    can_sack: bool,
}

impl Offer {
    fn of_syn(segment: &Segment<'_>) -> Self {
        Offer { ack: 0, ..Offer::of_syn_ack(segment) }
    }

    fn of_syn_ack(segment: &Segment<'_>) -> Self {
        let options = &segment.tcp.options;
        Offer {
            sequence: segment.sequence(),
            ack: segment.ack(),
            window: segment.tcp.window(),
            scale: options.window_scale,
            stamp: options.timestamps.map(|stamps| stamps.0),
            seconds: segment.seconds,
            can_sack: options.sack_permitted,
        }
    }
}

impl Machine {
    /// A conversation that begins with this SYN.
    pub(in super::super) fn begin(syn: &Segment<'_>) -> Self {
        let mut machine = Machine {
            state: State::SynSent,
            before: State::SynSent,
            sides: [Side::default(); 2],
            stamps: false,
            scales: false,
            split: false,
            fast_open: syn.tcp.options.fast_open,
            ignored_fast_open: false,
            confirmed: false,
            probing: [false; 2],
            offers: Vec::new(),
        };
        machine.sides[0].begin(syn.sequence());
        machine.accept_syn(&Offer::of_syn(syn));
        if let Some((0, _)) = syn.tcp.options.timestamps {
            machine.sides[0].began_with_zero = true;
        }
        if machine.fast_open {
            machine.sides[0].next = machine.sides[0].next.wrapping_add(syn.length);
        }
        machine
    }

    fn accept_syn(&mut self, offer: &Offer) {
        if let Some(stamp) = offer.stamp {
            self.sides[0].stamp = stamp;
            self.sides[0].stamp_seconds = offer.seconds;
            self.sides[0].has_stamps = true;
        }
        self.scales = offer.scale.is_some();
        self.sides[1].scale = offer.scale.unwrap_or(0);
        self.sides[1].window = u32::from(offer.window);
    }

    pub(super) fn in_syn_sent(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        match (segment.has(Tcp::SYN | Tcp::ACK), segment.direction) {
            (true, Direction::ToClient) => return self.syn_ack(segment, events),
            (true, Direction::ToServer) => return self.syn_ack_of_client(segment, events),
            _ => {}
        }
        if !self.echo_is_fine(segment) {
            events.add(Event::InvalidStamp);
            return Verdict::Refused;
        }
        if segment.has(Tcp::RST) {
            return self.reset_of_syn(segment, events);
        }
        if segment.has(Tcp::FIN) || !segment.has(Tcp::SYN) {
            return Verdict::Nothing;
        }
        match segment.direction {
            Direction::ToServer => self.syn_again(segment, events),
            Direction::ToClient => self.syn_of_server(segment),
        }
        Verdict::Nothing
    }

    fn reset_of_syn(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if !self.obeys_reset(segment, events) {
            return Verdict::Refused;
        }
        let client = &self.sides[0];
        if segment.is_to_server() {
            let takes_back = segment.sequence() == client.initial
                && segment.tcp.window() == 0
                && segment.ack() == client.initial.wrapping_add(1);
            if !takes_back {
                return Verdict::Nothing;
            }
        }
        self.sides[segment.direction.reversed().index()].was_reset = true;
        self.offers.clear();
        self.change(State::Closed);
        Verdict::Nothing
    }

    /// The client asks once more: the last SYN counts, and an answer to one before it is still one.
    fn syn_again(&mut self, segment: &Segment<'_>, events: &mut Events) {
        let client = &self.sides[0];
        let last = Offer {
            sequence: client.initial,
            ack: 0,
            window: self.sides[1].window.try_into().unwrap_or(u16::MAX),
            scale: self.scales.then_some(self.sides[1].scale),
            stamp: client.has_stamps.then_some(client.stamp),
            seconds: client.stamp_seconds,
            can_sack: segment.tcp.options.sack_permitted,
        };
        let offer = Offer::of_syn(segment);
        let is_known = |known: &Offer| known.stamp == last.stamp && known.sequence == last.sequence;
        if offer != last && !self.offers.iter().any(is_known) {
            if self.offers.len() >= SYNS_MAX {
                events.add(Event::SynFlood);
            } else {
                self.offers.push(last);
            }
        }
        self.accept_syn(&offer);
        if segment.sequence() != self.sides[0].initial {
            self.sides[0].begin(segment.sequence());
        }
    }

    /// The server asks instead of answering.
    fn syn_of_server(&mut self, segment: &Segment<'_>) {
        self.split = true;
        let server = &mut self.sides[1];
        server.begin(segment.sequence());
        server.window = u32::from(segment.tcp.window());
        server.scale = segment.tcp.options.window_scale.unwrap_or(0);
        self.scales = segment.tcp.options.window_scale.is_some();
        if let Some((stamp, _)) = segment.tcp.options.timestamps {
            server.stamp = stamp;
            server.stamp_seconds = segment.seconds;
            server.has_stamps = true;
            server.began_with_zero = stamp == 0;
        }
    }

    /// Whether an answer to the SYN has the SYN's stamp.
    fn echo_is_fine(&self, segment: &Segment<'_>) -> bool {
        let Some((_, echo)) = segment.tcp.options.timestamps.filter(|_| !segment.is_to_server()) else {
            return true;
        };
        let client = &self.sides[0];
        if client.has_stamps { client.stamp == 0 || echo == 0 || echo == client.stamp } else { echo == 0 }
    }

    fn syn_ack(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        // An answer to a SYN before the last one: that one counts.
        let is_answer = |offer: &&Offer| offer.sequence.wrapping_add(1) == segment.ack();
        if segment.ack() != self.sides[0].initial.wrapping_add(1)
            && let Some(offer) = self.offers.iter().find(is_answer).copied()
        {
            self.accept_syn(&offer);
            self.sides[0].begin(offer.sequence);
        }
        let first = self.sides[0].initial.wrapping_add(1);
        let is_fast = self.fast_open || segment.tcp.options.fast_open;
        if is_fast && segment.ack() == self.sides[0].next {
            self.fast_open = true;
        } else if segment.ack() != first {
            events.add(Event::HandshakeSynAckWrongAck);
            return Verdict::Refused;
        } else if is_fast {
            self.fast_open = true;
            self.ignored_fast_open = true;
            self.sides[0].next = first;
            events.add(Event::FastOpenIgnored);
        }
        if !self.echo_is_fine(segment) {
            let echo = segment.tcp.options.timestamps.map(|stamps| stamps.1);
            let Some(offer) = self.offers.iter().find(|offer| offer.stamp == echo).copied() else {
                events.add(Event::InvalidStamp);
                return Verdict::Refused;
            };
            self.accept_syn(&offer);
        }
        self.offers.clear();
        self.accept_syn_ack(&Offer::of_syn_ack(segment));
        Verdict::Nothing
    }

    fn accept_syn_ack(&mut self, offer: &Offer) {
        self.change(State::SynReceived);
        let [client, server] = &mut self.sides;
        server.begin(offer.sequence);
        client.window = u32::from(offer.window);
        match offer.stamp.filter(|_| client.has_stamps) {
            Some(stamp) => {
                server.stamp = stamp;
                server.stamp_seconds = offer.seconds;
                server.began_with_zero = stamp == 0;
                self.stamps = true;
            }
            None => {
                client.stamp = 0;
                server.stamp = 0;
                client.began_with_zero = false;
            }
        }
        client.acked = offer.ack;
        server.acked = server.initial.wrapping_add(1);
        client.scale = offer.scale.filter(|_| self.scales).unwrap_or(0);
        client.reset_reach();
        server.reset_reach();
        self.split = false;
    }

    /// The client answers the server's SYN.
    fn syn_ack_of_client(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let wrong = if !self.split {
            Some(Event::HandshakeSynAckInWrongDirection)
        } else if segment.ack() != self.sides[1].initial.wrapping_add(1) {
            Some(Event::SplitWrongAck)
        } else if segment.sequence() != self.sides[0].initial {
            Some(Event::SplitWrongSyn)
        } else {
            None
        };
        if let Some(event) = wrong {
            events.add(event);
            return Verdict::Refused;
        }
        self.change(State::SynReceived);
        let [client, server] = &mut self.sides;
        client.begin(segment.sequence());
        server.window = u32::from(segment.tcp.window());
        match segment.tcp.options.timestamps.filter(|_| server.has_stamps) {
            Some((stamp, _)) => {
                client.stamp = stamp;
                client.stamp_seconds = segment.seconds;
                client.began_with_zero = stamp == 0;
                self.stamps = true;
            }
            None => {
                client.stamp = 0;
                server.stamp = 0;
                server.began_with_zero = false;
            }
        }
        server.acked = segment.ack();
        client.acked = client.initial.wrapping_add(1);
        server.scale = segment.tcp.options.window_scale.filter(|_| self.scales).unwrap_or(0);
        client.reset_reach();
        server.reset_reach();
        Verdict::Nothing
    }

    pub(super) fn in_syn_received(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if segment.has(Tcp::RST) {
            return self.reset(segment, events);
        }
        if segment.has(Tcp::FIN) {
            return self.first_fin(segment, events);
        }
        if segment.has(Tcp::SYN) {
            return self.syn_in_syn_received(segment, events);
        }
        if !segment.has(Tcp::ACK) {
            return Verdict::Nothing;
        }
        let answered = self
            .offers
            .iter()
            .find(|offer| offer.sequence.wrapping_add(1) == segment.ack() && offer.ack == segment.sequence());
        if let Some(offer) = answered.copied() {
            self.accept_syn_ack(&offer);
        }
        if self.stamps && !self.stamp_is_fine(segment, events) {
            return Verdict::Refused;
        }
        if self.split && !segment.is_to_server() {
            return self.end_of_split(segment, events);
        }
        self.end_of_handshake(segment, events)
    }

    fn syn_in_syn_received(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let wrong = match (segment.has(Tcp::ACK), segment.is_to_server()) {
            (true, true) => Some(Event::HandshakeSynAckToServer),
            (true, false) if segment.ack() != self.sides[0].acked => Some(Event::HandshakeSynAckOtherAck),
            (true, false) if segment.sequence() != self.sides[1].initial => {
                // Whom the client answers decides.
                let offer = Offer::of_syn_ack(segment);
                let is_known =
                    self.offers.iter().any(|known| Offer { seconds: offer.seconds, ..*known } == offer);
                if !is_known && self.offers.len() >= SYN_ACKS_MAX {
                    Some(Event::SynAckFlood)
                } else {
                    if !is_known {
                        self.offers.push(offer);
                    }
                    None
                }
            }
            (true, false) => None,
            (false, false) => Some(Event::HandshakeSynToClient),
            (false, true) if segment.sequence() != self.sides[0].initial => {
                Some(Event::HandshakeSynOtherSequence)
            }
            (false, true) => None,
        };
        match wrong {
            Some(event) => {
                events.add(event);
                Verdict::Refused
            }
            None => Verdict::Nothing,
        }
    }

    fn end_of_split(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        if segment.sequence() != self.sides[1].next {
            events.add(Event::SplitWrongSequence);
            return Verdict::Refused;
        }
        if !self.believes_ack(segment, events) {
            events.add(Event::SplitInvalidAck);
            return Verdict::Refused;
        }
        self.establish(segment, segment.end(), events);
        Verdict::Taken
    }

    /// The ACK that makes it a conversation, or what shows that there was one.
    fn end_of_handshake(&mut self, segment: &Segment<'_>, events: &mut Events) -> Verdict {
        let [client, server] = self.sides;
        let (sequence, ack) = (segment.sequence(), segment.ack());
        let is_answer = ack == server.next;
        let to_client = !segment.is_to_server();
        // The client's ACK was lost on its way to us, or it was a fast open: the server goes on.
        let fits = to_client && ack == client.acked && sequence == server.next;
        let goes_on = to_client && is_after(ack, client.acked) && !is_after(ack, client.reach);
        let is_fine = (sequence == client.next && is_answer)
            || (is_after(sequence, client.next) && !is_after(sequence, client.reach) && is_answer)
            || fits
            || goes_on;
        if is_fine {
            self.establish(segment, segment.end(), events);
            return Verdict::Taken;
        }
        events.add(if sequence == client.next {
            Event::HandshakeRightSequenceWrongAck
        } else {
            Event::HandshakeWrongSequenceWrongAck
        });
        Verdict::Refused
    }

    fn establish(&mut self, segment: &Segment<'_>, next: u32, events: &mut Events) {
        let (at, to) = (segment.direction.index(), segment.direction.reversed().index());
        self.note_stamp(segment, events);
        self.sides[at].next = next;
        self.take_window(segment);
        self.sides[to].acknowledge(segment.ack());
        self.sides[to].reset_reach();
        self.offers.clear();
        self.change(State::Established);
    }
}
