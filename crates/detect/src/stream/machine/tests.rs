//! Segment by segment: what is believed, and what is told of what is not.

use super::*;
use crate::Time;
use crate::frame::{Decoder, Transport};

/// Numbers of the two SYNs.
const CLIENT: u32 = 1000;
const SERVER: u32 = 0xffff_fff0;

/// What one segment says.
#[derive(Clone, Copy)]
struct Says<'a> {
    flags: u8,
    sequence: u32,
    ack: u32,
    window: u16,
    options: &'a [u8],
    length: usize,
    seconds: u32,
}

const DEFAULT: Says<'static> =
    Says { flags: Tcp::ACK, sequence: 0, ack: 0, window: 8000, options: &[], length: 0, seconds: 1 };

/// A segment in a datagram of IPv4.
fn bytes(direction: Direction, says: &Says<'_>) -> Vec<u8> {
    let ends = [([10, 0, 0, 1], 4000u16), ([10, 0, 0, 2], 80u16)];
    let (from, to) = (ends[direction.index()], ends[direction.reversed().index()]);
    let header = 20 + says.options.len();
    let total = (20 + header + says.length) as u16;
    let mut out = vec![0x45, 0];
    out.extend(total.to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    out.extend(from.0);
    out.extend(to.0);
    out.extend(from.1.to_be_bytes());
    out.extend(to.1.to_be_bytes());
    out.extend(says.sequence.to_be_bytes());
    out.extend(says.ack.to_be_bytes());
    out.extend([(header as u8 / 4) << 4, says.flags]);
    out.extend(says.window.to_be_bytes());
    out.extend([0; 4]);
    out.extend(says.options);
    out.extend(vec![b'x'; says.length]);
    out
}

/// Link type of bare IP.
const RAW: u16 = 101;

fn with_segment<T>(direction: Direction, says: &Says<'_>, act: impl FnOnce(&Segment<'_>) -> T) -> T {
    let mut act = Some(act);
    let mut result = None;
    Decoder::default().decode(Time::default(), RAW, &bytes(direction, says), &mut |packet| {
        let Transport::Tcp(tcp) = &packet.transport else { panic!("no segment") };
        let segment = Segment {
            tcp,
            direction,
            length: packet.payload.len() as u32,
            seconds: says.seconds,
            is_v4: true,
            base: if direction == Direction::ToServer { CLIENT } else { SERVER },
        };
        result = act.take().map(|act| act(&segment));
    });
    result.unwrap_or_else(|| panic!("no packet"))
}

struct Talk(Machine);

impl Talk {
    fn begun(options: &[u8]) -> Self {
        let syn = Says { flags: Tcp::SYN, sequence: CLIENT, options, ..DEFAULT };
        Talk(with_segment(Direction::ToServer, &syn, Machine::begin))
    }

    /// Established, nothing said.
    fn established() -> Self {
        let mut talk = Talk::begun(&[]);
        let flags = Tcp::SYN | Tcp::ACK;
        talk.server(Says { flags, sequence: SERVER, ack: CLIENT + 1, ..DEFAULT });
        talk.client(Says { sequence: CLIENT + 1, ack: server(1), ..DEFAULT });
        assert_eq!(talk.0.state(), State::Established);
        talk
    }

    fn says(&mut self, direction: Direction, says: Says<'_>) -> (Verdict, Events) {
        let mut events = Events::default();
        let verdict = with_segment(direction, &says, |segment| self.0.segment(segment, &mut events));
        (verdict, events)
    }

    fn client(&mut self, says: Says<'_>) -> (Verdict, Events) {
        self.says(Direction::ToServer, says)
    }

    fn server(&mut self, says: Says<'_>) -> (Verdict, Events) {
        self.says(Direction::ToClient, says)
    }
}

/// A number of the server, which wraps around.
fn server(offset: u32) -> u32 {
    SERVER.wrapping_add(offset)
}

fn only(events: &[Event]) -> Events {
    let mut all = Events::default();
    events.iter().for_each(|event| all.add(*event));
    all
}

#[track_caller]
fn refused(found: (Verdict, Events), events: &[Event]) {
    assert_eq!(found, (Verdict::Refused, only(events)));
}

#[test]
fn a_conversation_goes_from_syn_to_closed_and_tells_nothing() {
    let mut talk = Talk::established();
    let none = Events::default();
    let data = Says { sequence: CLIENT + 1, ack: server(1), length: 100, ..DEFAULT };
    assert_eq!(talk.client(data), (Verdict::Taken, none));
    assert_eq!(
        talk.server(Says { sequence: server(1), ack: CLIENT + 101, length: 50, ..DEFAULT }),
        (Verdict::Taken, none)
    );
    let fin = Tcp::FIN | Tcp::ACK;
    assert_eq!(
        talk.client(Says { flags: fin, sequence: CLIENT + 101, ack: server(51), ..DEFAULT }),
        (Verdict::Taken, none)
    );
    assert_eq!(talk.0.state(), State::CloseWait);
    assert_eq!(
        talk.server(Says { flags: fin, sequence: server(51), ack: CLIENT + 102, ..DEFAULT }),
        (Verdict::Taken, none)
    );
    assert_eq!(talk.0.state(), State::LastAck);
    assert_eq!(
        talk.client(Says { sequence: CLIENT + 102, ack: server(52), ..DEFAULT }),
        (Verdict::Taken, none)
    );
    assert_eq!(talk.0.state(), State::Closed);
    assert_eq!(talk.0.acked(Direction::ToClient), server(52));
}

#[test]
fn a_handshake_in_four_steps_is_followed() {
    let mut talk = Talk::begun(&[]);
    talk.server(Says { flags: Tcp::SYN, sequence: SERVER, ..DEFAULT });
    let flags = Tcp::SYN | Tcp::ACK;
    refused(
        talk.client(Says { flags, sequence: CLIENT, ack: server(9), ..DEFAULT }),
        &[Event::SplitWrongAck],
    );
    refused(
        talk.client(Says { flags, sequence: CLIENT + 5, ack: server(1), ..DEFAULT }),
        &[Event::SplitWrongSyn],
    );
    talk.client(Says { flags, sequence: CLIENT, ack: server(1), ..DEFAULT });
    refused(
        talk.server(Says { sequence: server(2), ack: CLIENT + 1, ..DEFAULT }),
        &[Event::SplitWrongSequence],
    );
    let far = Says { sequence: server(1), ack: CLIENT + 100_000, ..DEFAULT };
    refused(talk.server(far), &[Event::InvalidAck, Event::SplitInvalidAck]);
    assert_eq!(talk.server(Says { sequence: server(1), ack: CLIENT + 1, ..DEFAULT }).0, Verdict::Taken);
    assert_eq!(talk.0.state(), State::Established);
}

#[test]
fn what_does_not_fit_the_handshake_is_told() {
    let both = Tcp::SYN | Tcp::ACK;
    let mut talk = Talk::begun(&[]);
    let wrong = Says { flags: both, sequence: SERVER, ack: CLIENT + 2, ..DEFAULT };
    refused(talk.server(wrong), &[Event::HandshakeSynAckWrongAck]);
    refused(
        talk.client(Says { flags: both, sequence: CLIENT, ack: 1, ..DEFAULT }),
        &[Event::HandshakeSynAckInWrongDirection],
    );
    talk.server(Says { ack: CLIENT + 1, ..wrong });
    refused(talk.server(wrong), &[Event::HandshakeSynAckOtherAck]);
    refused(
        talk.client(Says { flags: both, sequence: CLIENT, ack: 1, ..DEFAULT }),
        &[Event::HandshakeSynAckToServer],
    );
    refused(talk.server(Says { flags: Tcp::SYN, ..DEFAULT }), &[Event::HandshakeSynToClient]);
    refused(
        talk.client(Says { flags: Tcp::SYN, sequence: 7, ..DEFAULT }),
        &[Event::HandshakeSynOtherSequence],
    );
    let evasion = Says { sequence: CLIENT + 1, ack: server(5), ..DEFAULT };
    refused(talk.client(evasion), &[Event::HandshakeRightSequenceWrongAck]);
    refused(talk.client(Says { sequence: CLIENT + 9, ..evasion }), &[Event::HandshakeWrongSequenceWrongAck]);
}

#[test]
fn floods_of_syns_and_of_answers_are_told() {
    let mut talk = Talk::begun(&[]);
    let floods = (0..15)
        .filter(|turn| {
            let syn = Says { flags: Tcp::SYN, sequence: 5000 + turn, ..DEFAULT };
            talk.client(syn).1.has(Event::SynFlood as u8)
        })
        .count();
    assert_eq!(floods, 5);
    let flags = Tcp::SYN | Tcp::ACK;
    talk.server(Says { flags, sequence: SERVER, ack: 5015, ..DEFAULT });
    for turn in 1..=5 {
        let other = Says { flags, sequence: server(turn), ack: 5015, ..DEFAULT };
        assert_eq!(talk.server(other).0, Verdict::Nothing);
    }
    refused(talk.server(Says { flags, sequence: server(6), ack: 5015, ..DEFAULT }), &[Event::SynAckFlood]);
    // Whom the client answers decides.
    assert_eq!(talk.client(Says { sequence: 5015, ack: server(4), ..DEFAULT }).0, Verdict::Taken);
    assert_eq!(talk.0.initial(Direction::ToClient), server(3));
}

#[test]
fn an_established_conversation_tells_what_does_not_fit() {
    let both = Tcp::SYN | Tcp::ACK;
    let mut talk = Talk::established();
    refused(
        talk.client(Says { flags: both, sequence: CLIENT, ack: 1, ..DEFAULT }),
        &[Event::EstablishedSynAckToServer],
    );
    refused(
        talk.client(Says { flags: Tcp::SYN, sequence: CLIENT, ..DEFAULT }),
        &[Event::EstablishedSynResend],
    );
    refused(
        talk.client(Says { flags: Tcp::SYN, sequence: 3, ..DEFAULT }),
        &[Event::EstablishedSynOtherSequence],
    );
    refused(talk.server(Says { flags: Tcp::SYN, sequence: 3, ..DEFAULT }), &[Event::EstablishedSynToClient]);
    refused(
        talk.server(Says { flags: both, sequence: SERVER, ack: 3, ..DEFAULT }),
        &[Event::EstablishedSynAckOtherAck],
    );
    let resend = Says { flags: both, sequence: SERVER, ack: CLIENT + 1, ..DEFAULT };
    refused(talk.server(Says { sequence: 3, ..resend }), &[Event::EstablishedSynAckOtherSequence]);
    assert_eq!(talk.server(resend).0, Verdict::Nothing);
    talk.server(Says { sequence: server(1), ack: CLIENT + 1, length: 10, ..DEFAULT });
    refused(talk.server(resend), &[Event::EstablishedSynAckResend]);
    let data = Says { sequence: CLIENT + 1, ack: server(11), length: 10, ..DEFAULT };
    refused(
        talk.client(Says { ack: server(60_000), ..data }),
        &[Event::InvalidAck, Event::EstablishedInvalidAck],
    );
    refused(talk.client(Says { sequence: CLIENT + 50_000, ..data }), &[Event::EstablishedOutOfWindow]);
}

#[test]
fn what_was_acknowledged_is_not_taken_again() {
    let mut talk = Talk::established();
    let data = Says { sequence: CLIENT + 1, ack: server(1), length: 100, ..DEFAULT };
    talk.client(data);
    talk.server(Says { sequence: server(1), ack: CLIENT + 101, ..DEFAULT });
    talk.client(Says { sequence: CLIENT + 101, ..data });
    let found = talk.client(Says { length: 50, ..data });
    refused(found, &[Event::SpuriousRetransmission, Event::EstablishedBeforeLastAck]);
}

#[test]
fn a_window_that_shrinks_out_of_nowhere_is_not_believed() {
    let mut talk = Talk::established();
    let shrinks = Says { sequence: server(500), ack: CLIENT + 10, window: 100, ..DEFAULT };
    assert_eq!(talk.server(shrinks), (Verdict::Nothing, only(&[Event::BadWindowUpdate])));
}

#[test]
fn the_end_tells_what_does_not_fit() {
    let fin = Tcp::FIN | Tcp::ACK;
    let mut talk = Talk::established();
    let end = Says { flags: fin, sequence: server(1), ack: CLIENT + 1, ..DEFAULT };
    refused(talk.server(Says { sequence: server(40_000), ..end }), &[Event::FinOutOfWindow]);
    refused(talk.server(Says { ack: CLIENT + 50_000, ..end }), &[Event::InvalidAck, Event::FinInvalidAck]);
    talk.server(end);
    assert_eq!(talk.0.state(), State::FinWait1);
    refused(talk.client(Says { flags: Tcp::SYN, sequence: 9, ..DEFAULT }), &[Event::SynOnShutdown]);
    let late = Says { sequence: CLIENT + 40_000, ack: server(1), ..DEFAULT };
    refused(talk.client(late), &[Event::Fin1AckWrongSequence]);
    refused(talk.client(Says { flags: fin, ..late }), &[Event::Fin1WrongSequence]);
    talk.client(Says { sequence: CLIENT + 1, ack: server(2), ..DEFAULT });
    assert_eq!(talk.0.state(), State::FinWait2);
    refused(talk.client(late), &[Event::Fin2AckWrongSequence]);
    refused(talk.client(Says { flags: fin, ..late }), &[Event::Fin2WrongSequence]);
    talk.client(Says { flags: fin, sequence: CLIENT + 1, ack: server(2), ..DEFAULT });
    assert_eq!(talk.0.state(), State::TimeWait);
    refused(talk.client(late), &[Event::TimeWaitWrongSequence]);
}

#[test]
fn the_client_may_be_done_first() {
    let fin = Tcp::FIN | Tcp::ACK;
    let mut talk = Talk::established();
    talk.client(Says { flags: fin, sequence: CLIENT + 1, ack: server(1), ..DEFAULT });
    let far = Says { sequence: server(40_000), ack: CLIENT + 2, ..DEFAULT };
    refused(talk.server(far), &[Event::CloseWaitAckOutOfWindow]);
    refused(talk.server(Says { flags: fin, ..far }), &[Event::CloseWaitFinOutOfWindow]);
    let fits = Says { sequence: server(1), ack: CLIENT + 50_000, ..DEFAULT };
    refused(talk.server(fits), &[Event::InvalidAck, Event::CloseWaitInvalidAck]);
    talk.server(Says { flags: fin, ack: CLIENT + 2, ..fits });
    let last = Says { sequence: CLIENT + 90, ack: server(2), ..DEFAULT };
    refused(talk.client(last), &[Event::LastAckWrongSequence]);
    refused(
        talk.client(Says { ack: server(60_000), ..last }),
        &[Event::InvalidAck, Event::LastAckInvalidAck],
    );
}

#[test]
fn a_reset_is_obeyed_at_the_next_number_alone() {
    let mut talk = Talk::established();
    let reset = Says { flags: Tcp::RST, sequence: server(2), ..DEFAULT };
    refused(talk.server(reset), &[]);
    let bad = Says { flags: Tcp::RST | Tcp::ACK, sequence: server(1), ack: CLIENT + 50_000, ..DEFAULT };
    refused(talk.server(bad), &[Event::InvalidAck, Event::ResetInvalidAck]);
    assert_eq!(talk.server(Says { sequence: server(1), ..reset }).0, Verdict::Taken);
    assert!(talk.0.is_closed());
}

#[test]
fn whoever_goes_on_behind_a_signed_reset_never_sent_it() {
    let mut signature = vec![19, 18];
    signature.extend([7; 16]);
    signature.extend([1, 1]);
    let mut talk = Talk::established();
    talk.client(Says { flags: Tcp::RST, sequence: CLIENT + 1, options: &signature, ..DEFAULT });
    assert_eq!(talk.0.state(), State::Closed);
    assert!(!talk.0.is_closed());
    let data = Says { sequence: CLIENT + 1, ack: server(1), length: 10, ..DEFAULT };
    assert_eq!(talk.client(data), (Verdict::Taken, only(&[Event::ResetInjected])));
    assert_eq!(talk.0.state(), State::Established);
}

#[test]
fn the_same_syn_again_is_no_other_conversation() {
    let mut talk = Talk::established();
    assert!(!talk.0.gives_way_to(Direction::ToServer, CLIENT + 7));
    talk.client(Says { flags: Tcp::RST, sequence: CLIENT + 1, ..DEFAULT });
    assert!(talk.0.gives_way_to(Direction::ToServer, CLIENT + 7));
    assert!(!talk.0.gives_way_to(Direction::ToServer, CLIENT));
    assert!(talk.0.gives_way_to(Direction::ToClient, CLIENT));
}

#[test]
fn an_older_time_stamp_is_refused_and_so_is_an_echo_of_none() {
    let stamps =
        |value: u32, echo: u32| [&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat();
    let mut talk = Talk::begun(&stamps(100, 0));
    let flags = Tcp::SYN | Tcp::ACK;
    let answer = Says { flags, sequence: SERVER, ack: CLIENT + 1, ..DEFAULT };
    refused(talk.server(Says { options: &stamps(500, 99), ..answer }), &[Event::InvalidStamp]);
    talk.server(Says { options: &stamps(500, 100), ..answer });
    let data = Says { sequence: CLIENT + 1, ack: server(1), length: 5, ..DEFAULT };
    assert_eq!(talk.client(Says { options: &stamps(101, 500), ..data }).0, Verdict::Taken);
    let next = Says { sequence: CLIENT + 6, ..data };
    refused(talk.client(Says { options: &stamps(50, 500), ..next }), &[Event::InvalidStamp]);
    assert_eq!(talk.client(Says { options: &stamps(101, 500), ..next }).0, Verdict::Taken);
}

#[test]
fn fast_open_counts_once_the_server_took_it() {
    let cookie = [34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1];
    let open = || {
        let syn = Says { flags: Tcp::SYN, sequence: CLIENT, options: &cookie, length: 20, ..DEFAULT };
        Talk(with_segment(Direction::ToServer, &syn, Machine::begin))
    };
    let flags = Tcp::SYN | Tcp::ACK;
    let mut talk = open();
    assert_eq!(
        talk.server(Says { flags, sequence: SERVER, ack: CLIENT + 21, ..DEFAULT }).1,
        Events::default()
    );
    assert_eq!(talk.0.acked(Direction::ToServer), CLIENT + 21);
    let mut talk = open();
    let ignores = Says { flags, sequence: SERVER, ack: CLIENT + 1, ..DEFAULT };
    assert_eq!(talk.server(ignores).1, only(&[Event::FastOpenIgnored]));
    assert!(talk.0.gives_way_to(Direction::ToServer, CLIENT));
}

#[test]
fn an_acknowledgement_without_its_flag_is_told() {
    let mut talk = Talk::established();
    let found = talk.client(Says { flags: Tcp::PSH, sequence: CLIENT + 1, ack: 5, length: 3, ..DEFAULT });
    assert_eq!(found, (Verdict::Nothing, only(&[Event::BrokenAck])));
}

#[test]
fn whatever_comes_panics_nowhere() {
    let mut seed = 1u32;
    let mut next = move |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) % below
    };
    for _ in 0..300 {
        let mut talk = Talk::begun(&[]);
        for _ in 0..60 {
            let places = [0, 1, 2, 100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
            let place = |base: u32, at: u32| base.wrapping_add(places[at as usize]);
            let direction = if next(2) == 0 { Direction::ToServer } else { Direction::ToClient };
            let (own, other) =
                if direction == Direction::ToServer { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
            let flags =
                [Tcp::ACK, Tcp::SYN, Tcp::SYN | Tcp::ACK, Tcp::FIN | Tcp::ACK, Tcp::FIN, Tcp::RST, 0, 0xff];
            let says = Says {
                flags: flags[next(8) as usize],
                sequence: place(own, next(7)),
                ack: place(other, next(7)),
                window: [0, 1, 8000, 0xffff][next(4) as usize],
                length: [0, 1, 100][next(3) as usize],
                seconds: next(u32::MAX),
                ..DEFAULT
            };
            talk.says(direction, says);
        }
    }
}
