//! What nobody honest says, to the parser of any protocol.
//!
//! For any pieces of any sizes in both directions, with holes and ends anywhere:
//!   - no panic; a parser takes no more than it was shown, and comes to an end;
//!   - after each piece every field of its keywords, every file and every record can be asked for;
//!   - the exchanges that are alive are bounded;
//!   - in a stream without holes, crumbs of one to eight bytes lead to the same exchanges as pieces do, and show the same of them.

use detect::Direction;
use detect::app::table::PROTOCOLS;
use detect::app::{Driver, Ends, Protocol, Questions, Settings, Transport};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;

/// Exchanges of one flow at most, of any protocol.
const LIVE_MAX: usize = 4096;
/// Crumbs of an input at most: longer ones are not spelled byte by byte, since a parser may read what it waits for anew with each.
const CRUMBS_MAX: usize = 1024;
/// A step, as the bytes say it.
enum Step<'a> {
    Say(Direction, &'a [u8]),
    Gap(Direction, u64),
    End(Direction),
}

/// What every protocol needs once.
struct Known {
    settings: [Settings; 4],
    questions: Vec<Questions>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let frames = || PROTOCOLS.iter().flat_map(|protocol| protocol.frames.iter().copied()).collect();
        let settings = [
            Settings::default(),
            Settings { records: true, ..Settings::default() },
            Settings { records: true, frames: frames(), ..Settings::default() },
            Settings {
                records: true,
                frames: frames(),
                md5: true,
                sha1: true,
                sha256: true,
                ..Settings::default()
            },
        ];
        Known { settings, questions: PROTOCOLS.iter().map(|protocol| Questions::of(protocol)).collect() }
    })
}

/// The place in the table of the protocol of this name.
#[must_use]
pub fn place(name: &str) -> Option<usize> {
    PROTOCOLS.iter().position(|protocol| protocol.name == name)
}

/// The names of all protocols.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|protocol| protocol.name)
}

/// Begins what [`check`] reads: the protocol, and how it is carried.
#[must_use]
pub fn begin(place: usize, transport: Transport) -> Vec<u8> {
    vec![place as u8, 2 | if transport == Transport::Udp { 0x80 } else { 0 }]
}

/// Writes a piece as [`check`] reads it.
pub fn write(direction: Direction, bytes: &[u8], data: &mut Vec<u8>) {
    for piece in bytes.chunks(0xffff) {
        data.push(direction.index() as u8);
        data.extend((piece.len() as u16).to_le_bytes());
        data.extend_from_slice(piece);
    }
}

/// Checks the promises for `data`, and returns how many values the fields had. With `only` it is always the protocol at that place of the table.
///
/// Two bytes say which protocol and how it is carried; each step is a byte (direction, kind), two for a length, and bytes.
pub fn check(data: &[u8], only: Option<usize>) -> usize {
    let [which, how, data @ ..] = data else { return 0 };
    let place = only.unwrap_or(usize::from(*which) % PROTOCOLS.len());
    let protocol = PROTOCOLS[place];
    let transport = if how & 0x80 == 0 { Transport::Tcp } else { Transport::Udp };
    let steps = steps(data);
    let known = known();
    let settings = &known.settings[usize::from(how & 3)];
    let new = || driver(protocol, settings, transport, how & 4 != 0);

    let (mut driver, mut values) = (new(), 0);
    for step in &steps {
        take(&mut driver, settings, step, usize::MAX);
        for direction in [Direction::ToServer, Direction::ToClient] {
            values += driver.look(settings, &known.questions[place], direction);
        }
        assert!(driver.live() <= LIVE_MAX, "{} exchanges", driver.live());
    }
    if how & 8 != 0 {
        for direction in [Direction::ToServer, Direction::ToClient] {
            driver.end(settings, direction);
            driver.look(settings, &known.questions[place], direction);
        }
    }
    let has_gaps = steps.iter().any(|step| matches!(step, Step::Gap(..)));
    let is_whole = transport == Transport::Tcp && !has_gaps;
    if is_whole && speaks_in_streams(protocol) {
        compare(&steps, 1 + data.len() / CRUMBS_MAX, settings, place, new);
    }
    values
}

/// Whether it is ever read out of a stream, as far as what it is recognised by tells: what comes in datagrams alone need not be put together.
fn speaks_in_streams(protocol: &Protocol) -> bool {
    let carriers = || {
        let signatures = protocol.signatures.iter().map(|signature| signature.transport);
        signatures.chain(protocol.probes.iter().map(|probe| probe.transport))
    };
    carriers().next().is_none() || carriers().any(|carrier| carrier == Transport::Tcp)
}

/// Says the same in pieces and in crumbs of so many bytes.
fn compare(
    steps: &[Step<'_>],
    crumb_bytes: usize,
    settings: &Settings,
    place: usize,
    new: impl Fn() -> Driver,
) {
    let (mut pieces, mut crumbs) = (new(), new());
    for step in steps {
        take(&mut pieces, settings, step, usize::MAX);
        take(&mut crumbs, settings, step, crumb_bytes);
        // Where a parser gives up, or gives way to another, it may have understood more or less before.
        if pieces.is_over() || crumbs.is_over() {
            return;
        }
    }
    let name = PROTOCOLS[place].name;
    assert_eq!(pieces.records(), crumbs.records(), "{name}: pieces and crumbs differ");
    let questions = &known().questions[place];
    assert_eq!(
        pieces.shown(questions),
        crumbs.shown(questions),
        "{name}: pieces and crumbs show different fields"
    );
}

fn driver(protocol: &Protocol, settings: &Settings, transport: Transport, announced: bool) -> Driver {
    let end = |last, port| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let mut driver =
        Driver::new(protocol, settings, Ends { client: end(1, 40_000), server: end(2, 53), transport });
    if announced {
        driver.announce(1, b"name.txt");
    }
    driver
}

/// Takes a step, what is said in pieces of at most so many bytes.
fn take(driver: &mut Driver, settings: &Settings, step: &Step<'_>, piece_bytes: usize) {
    match step {
        Step::Say(direction, bytes) if bytes.len() <= piece_bytes => driver.say(settings, *direction, bytes),
        Step::Say(direction, bytes) => {
            for piece in bytes.chunks(piece_bytes) {
                driver.say(settings, *direction, piece);
            }
        }
        Step::Gap(direction, bytes) => driver.gap(settings, *direction, *bytes),
        Step::End(direction) => driver.end(settings, *direction),
    }
}

fn steps(data: &[u8]) -> Vec<Step<'_>> {
    let (mut steps, mut rest) = (Vec::new(), data);
    while let [kind, short, long, after @ ..] = rest {
        let direction = if kind & 1 == 0 { Direction::ToServer } else { Direction::ToClient };
        let length = u16::from_le_bytes([*short, *long]);
        match kind >> 1 & 15 {
            14 => {
                rest = after;
                let bytes = u64::from(length) << if kind & 0x80 == 0 { 0 } else { 32 };
                steps.push(Step::Gap(direction, bytes.max(1)));
            }
            15 => {
                rest = after;
                steps.push(Step::End(direction));
            }
            _ => {
                let (bytes, behind) = after.split_at(usize::from(length).min(after.len()));
                rest = behind;
                steps.push(Step::Say(direction, bytes));
            }
        }
    }
    steps
}
