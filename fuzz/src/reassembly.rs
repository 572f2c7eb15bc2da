//! Segments that nobody honest sent, through TCP reassembly.
//!
//! For any segments of both sides, with any numbers, flags and windows, after an honest handshake or after anything else:
//!   - no panic;
//!   - what is shown of a side is shown in order, each place once: as bytes or as a gap;
//!   - a byte that was acknowledged and shown does not change when it is shown again before it is taken;
//!   - memory follows what was sent and has a limit;
//!   - a conversation that was cloned and is shown the same says the same.

use detect::frame::{Decoder, Transport};
use detect::stream::{Conversation, Ordered};
use detect::{Direction, Time};

/// Bytes that one conversation may hold: what each side may keep, with what a vector has to spare when it has just grown, and places.
const HELD_BYTES_MAX: usize = 2 * (3 << 20);
const STEP_BYTES: usize = 8;

/// A segment, as the bytes say it.
struct Step<'a> {
    direction: Direction,
    flags: u8,
    /// Where it begins, from the beginning of its side's stream.
    at: i32,
    /// What it acknowledges, from the beginning of the other side's.
    acked: i32,
    window: u16,
    urgent: u16,
    payload: &'a [u8],
    /// What is there is taken after it, in pieces of so many bytes; 0 for nothing.
    take: u8,
}

/// Checks the promises for `data`, and returns how many bytes were shown.
pub fn check(data: &[u8]) -> usize {
    let [start, rest @ ..] = data else { return 0 };
    let mut talk: Option<Conversation> = None;
    let mut trail = Trail::default();
    if start & 1 == 0 {
        talk = Some(begin());
    }
    let base = if start & 2 == 0 { [1000, 5000] } else { [u32::MAX - 40, u32::MAX - 3] };
    if start & 3 == 2 {
        talk = None;
    }
    let mut rest = rest;
    while let Some(step) = step(&mut rest) {
        let bytes = frame(&step, base);
        let mut twin = None;
        trail.sent += step.payload.len();
        decoded(&bytes, |tcp, payload| match &mut talk {
            None if step.direction == Direction::ToServer => {
                talk = Some(Conversation::begin(tcp, payload, Time(0)))
            }
            None => {}
            Some(talk) => {
                twin = Some(talk.clone());
                talk.segment(step.direction, tcp, payload, Time(0), true);
                if let Some(twin) = &mut twin {
                    twin.segment(step.direction, tcp, payload, Time(0), true);
                }
            }
        });
        let Some(talk) = &mut talk else { continue };
        for side in [Direction::ToServer, Direction::ToClient] {
            if let Some(twin) = &twin {
                assert_eq!(twin.next(side, true), talk.next(side, true));
                assert_eq!(twin.next(side, false), talk.next(side, false));
            }
            trail.show(talk, side, step.take);
        }
        assert!(talk.held_bytes() <= HELD_BYTES_MAX, "{} bytes are held", talk.held_bytes());
        assert!(trail.shown <= trail.sent, "{} bytes of {}", trail.shown, trail.sent);
    }
    trail.shown
}

/// What was shown of each side.
#[derive(Default)]
struct Trail {
    /// How far it was taken.
    at: [u64; 2],
    /// What was acknowledged and shown from there on, and not taken.
    pending: [Vec<u8>; 2],
    shown: usize,
    sent: usize,
}

impl Trail {
    fn show(&mut self, talk: &mut Conversation, side: Direction, take: u8) {
        let place = side.index();
        let (all, take) = (take & 0x80 != 0, u64::from(take & 0x7f) * 16);
        // Every turn takes something, so there are no more than pieces and holes.
        for _ in 0..100_000 {
            let (count, is_gap) = match talk.next(side, false) {
                Ordered::Bytes(bytes, at) => {
                    assert_eq!(at, self.at[place], "out of order");
                    let known = self.pending[place].len().min(bytes.len());
                    assert_eq!(
                        self.pending[place][..known],
                        bytes[..known],
                        "it changed after it was acknowledged"
                    );
                    if bytes.len() > known {
                        self.pending[place].extend_from_slice(&bytes[known..]);
                    }
                    (bytes.len() as u64, false)
                }
                Ordered::Gap(bytes) => {
                    assert!(self.pending[place].is_empty(), "what was shown became a gap");
                    (bytes, true)
                }
                Ordered::Nothing if all => match talk.next(side, true) {
                    Ordered::Bytes(bytes, at) => {
                        assert_eq!(at, self.at[place], "out of order");
                        (bytes.len() as u64, false)
                    }
                    Ordered::Gap(bytes) => (bytes, true),
                    Ordered::Nothing => return,
                },
                Ordered::Nothing => return,
            };
            assert!(count > 0);
            let taken = if is_gap { count } else { count.min(take) };
            if taken == 0 || take == 0 {
                return;
            }
            self.shown += if is_gap { 0 } else { taken as usize };
            self.at[place] += taken;
            let known = self.pending[place].len().min(taken as usize);
            self.pending[place].drain(..known);
            talk.took(side, taken);
        }
        panic!("it does not come to an end");
    }
}

/// An honest handshake.
fn begin() -> Conversation {
    let mut talk = None;
    let handshake = [
        (Direction::ToServer, 2u8, -1, -1),
        (Direction::ToClient, 18, -1, 0),
        (Direction::ToServer, 16, 0, 0),
    ];
    for (direction, flags, at, acked) in handshake {
        let step = Step { direction, flags, at, acked, window: 60_000, urgent: 0, payload: &[], take: 0 };
        decoded(&frame(&step, [1000, 5000]), |tcp, payload| match &mut talk {
            None => talk = Some(Conversation::begin(tcp, payload, Time(0))),
            Some(talk) => {
                talk.segment(direction, tcp, payload, Time(0), true);
            }
        });
    }
    talk.expect("the decoder reads an honest segment")
}

/// Reads a step: direction and reach, flags, where, what is acknowledged (each two bytes and signed), how long, how much is taken.
fn step<'a>(rest: &mut &'a [u8]) -> Option<Step<'a>> {
    let (head, after) = rest.split_first_chunk::<STEP_BYTES>()?;
    let [kind, flags, at, at_high, acked, acked_high, length, take] = *head;
    let (payload, behind) = after.split_at(usize::from(length).min(after.len()));
    *rest = behind;
    // Near, or far away, where numbers wrap.
    let scale = [1, 1, 64, 65_536][usize::from(kind >> 1 & 3)];
    let ack_scale = [1, 1, 64, 65_536][usize::from(kind >> 3 & 3)];
    Some(Step {
        direction: if kind & 1 == 0 { Direction::ToServer } else { Direction::ToClient },
        flags,
        at: i32::from(i16::from_le_bytes([at, at_high])) * scale,
        acked: i32::from(i16::from_le_bytes([acked, acked_high])) * ack_scale,
        window: [60_000, 0, 1, 512][usize::from(kind >> 5 & 3)],
        urgent: if kind & 0x80 == 0 { 0 } else { u16::from(length / 2) },
        payload,
        take,
    })
}

fn frame(step: &Step<'_>, base: [u32; 2]) -> Vec<u8> {
    let (own, other) = (step.direction.index(), step.direction.reversed().index());
    let hosts: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let ports: [u16; 2] = [4000, 80];
    let mut frame = vec![0x45, 0];
    frame.extend(((40 + step.payload.len()) as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(hosts[own]);
    frame.extend(hosts[other]);
    frame.extend(ports[own].to_be_bytes());
    frame.extend(ports[other].to_be_bytes());
    frame.extend(base[own].wrapping_add(1).wrapping_add_signed(step.at).to_be_bytes());
    frame.extend(base[other].wrapping_add(1).wrapping_add_signed(step.acked).to_be_bytes());
    frame.extend([0x50, step.flags]);
    frame.extend(step.window.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(step.urgent.to_be_bytes());
    frame.extend(step.payload);
    frame
}

fn decoded(bytes: &[u8], mut work: impl FnMut(&detect::frame::Tcp<'_>, &[u8])) {
    Decoder::default().decode(Time(0), 12, bytes, &mut |packet| {
        if let Transport::Tcp(tcp) = &packet.transport {
            work(tcp, packet.payload);
        }
    });
}
