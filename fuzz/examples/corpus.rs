//! Makes corpora for the fuzz targets out of a folder of captures and rules that somebody has: `corpus FOLDER OUT`. With `--protocols` it
//! names the protocols instead.
//!
//! Upon a capture: some of its first frames become inputs of `frame` and `engine`; its TCP conversations inputs of `reassembly`; what flows
//! say, by the protocol that the engine recognised, inputs of `layer`. Upon a rule file: its rules become inputs of `rules`.
//!
//! Inputs are small: a fuzzer gains by many short ones. What cannot be read is passed over and counted.

use capture::{Chunk, Reader};
use detect::app::Transport as Carrier;
use detect::app::table::PROTOCOLS;
use detect::engine::{Judge, Worker};
use detect::frame::{Decoder, Transport};
use detect::rule::{RuleFile, RuleSet, Variables};
use detect::stream::{Conversation, Ordered};
use detect::{Direction, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use varangian_fuzz::{frame, layer};

/// Bytes of an input at most.
const INPUT_BYTES_MAX: usize = 4000;
/// Bytes of an input of `layer` at most: certificates and pages are longer.
const LAYER_BYTES_MAX: usize = 8000;
/// Frames of one capture that are looked at at most.
const FRAMES_MAX: usize = 20_000;
/// Inputs of one target that come of one capture at most.
const INPUTS_OF_A_CAPTURE_MAX: usize = 12;
/// Rules of one file that become inputs at most.
const RULES_OF_A_FILE_MAX: usize = 400;

type End = (IpAddr, u16);
type Kept = (u64, u16, Vec<u8>);

fn main() -> io::Result<()> {
    if std::env::args().nth(1).is_some_and(|word| word == "--protocols") {
        layer::names().for_each(|name| println!("{name}"));
        return Ok(());
    }
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(root), Some(out)) = (words.next(), words.next()) else {
        eprintln!("usage: corpus FOLDER OUT");
        std::process::exit(2);
    };
    let mut files = Vec::new();
    list(&root, &mut files)?;
    files.sort();
    let mut corpora = Corpora { out, counts: BTreeMap::new() };
    let set = protocols();
    for file in files {
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        match kind {
            "pcap" | "pcapng" | "cap" => {
                let frames = read(&file);
                corpora.frames(&frames)?;
                corpora.streams(&frames, &set)?;
            }
            "rules" => corpora.rules(&fs::read(&file)?)?,
            _ => {}
        }
    }
    for (target, count) in &corpora.counts {
        println!("{target:<24} {count:>6}");
    }
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The first frames of a capture, as far as it can be read.
fn read(path: &Path) -> Vec<Kept> {
    let (mut frames, mut chunk) = (Vec::new(), Chunk::new());
    let Ok(mut reader) = Reader::open(path) else { return frames };
    while let Ok(true) = reader.next_chunk(&mut chunk) {
        frames.extend(chunk.frames().map(|frame| (frame.time_ns, frame.link.0, frame.bytes.to_vec())));
        if frames.len() >= FRAMES_MAX {
            break;
        }
    }
    frames
}

/// A rule for each protocol: it tells which flow speaks it.
fn protocols() -> Arc<RuleSet> {
    let rules = PROTOCOLS.iter().enumerate();
    let rules = rules.map(|(place, protocol)| {
        format!("alert {} any any -> any any (sid:{};)\n", protocol.name, place + 1)
    });
    let text: String = rules.collect();
    let set = RuleSet::load(&[RuleFile { name: "protocols", text: &text }], &Variables::default(), &|_| None);
    for refused in &set.report().refused {
        eprintln!("not recognised: {:?} {}", refused.sid, refused.why.words);
    }
    Arc::new(set)
}

struct Corpora {
    out: PathBuf,
    counts: BTreeMap<String, usize>,
}

/// What one flow says, with what is needed to follow it.
struct Flow {
    client: End,
    talk: Option<Conversation>,
    initial: [Option<u32>; 2],
    said: Vec<u8>,
    segments: Vec<u8>,
}

impl Corpora {
    fn put(&mut self, target: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.out.join(target);
        fs::create_dir_all(&folder)?;
        let name = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        fs::write(folder.join(format!("{name:016x}")), bytes)?;
        *self.counts.entry(target.to_owned()).or_default() += 1;
        Ok(())
    }

    fn rules(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(bytes);
        let rules: Vec<&str> =
            text.lines().filter(|line| !line.trim().is_empty() && line.len() < INPUT_BYTES_MAX).collect();
        // Of a long file, some from everywhere.
        for rule in rules.iter().step_by(rules.len().div_ceil(RULES_OF_A_FILE_MAX).max(1)) {
            self.put("rules", format!("{rule}\n").as_bytes())?;
        }
        Ok(())
    }

    fn frames(&mut self, frames: &[Kept]) -> io::Result<()> {
        let (mut input, mut before, mut count) = (Vec::new(), None, 0);
        for (time, link, bytes) in frames {
            let since = before.map_or(0, |before| time.saturating_sub(before));
            before = Some(*time);
            let begun = input.len();
            frame::write(*link, since, bytes, &mut input);
            if input.len() > INPUT_BYTES_MAX {
                let rest = input.split_off(begun);
                self.put_frames(&input)?;
                input = rest;
                count += 1;
                if count >= INPUTS_OF_A_CAPTURE_MAX {
                    return Ok(());
                }
            }
        }
        self.put_frames(&input)
    }

    fn put_frames(&mut self, input: &[u8]) -> io::Result<()> {
        if input.is_empty() || input.len() > 2 * INPUT_BYTES_MAX {
            return Ok(());
        }
        self.put("frame", input)?;
        self.put("engine", &[&[100, 7], input].concat())
    }

    fn streams(&mut self, frames: &[Kept], set: &Arc<RuleSet>) -> io::Result<()> {
        let spoken = spoken(frames, set);
        let mut flows: BTreeMap<(End, End, bool), Flow> = BTreeMap::new();
        let mut decoder = Decoder::default();
        for (time, link, bytes) in frames {
            decoder.decode(Time(*time), *link, bytes, &mut |packet| {
                let (from, to) =
                    ((packet.source, packet.source_port), (packet.destination, packet.destination_port));
                let key = |is_tcp| (from.min(to), from.max(to), is_tcp);
                match &packet.transport {
                    Transport::Tcp(tcp) => {
                        let flow = flows.entry(key(true)).or_insert_with(|| Flow::new(from));
                        flow.segment(from, tcp, packet.payload, packet.time);
                    }
                    Transport::Udp(_) => {
                        let flow = flows.entry(key(false)).or_insert_with(|| Flow::new(from));
                        let direction = flow.direction(from);
                        flow.say(direction, packet.payload);
                    }
                    _ => {}
                }
            });
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for ((low, high, is_tcp), mut flow) in flows {
            flow.finish();
            let count = counts.entry("reassembly").or_default();
            if is_tcp && !flow.segments.is_empty() && *count < INPUTS_OF_A_CAPTURE_MAX {
                *count += 1;
                flow.segments.truncate(INPUT_BYTES_MAX);
                self.put("reassembly", &[&[4], flow.segments.as_slice()].concat())?;
            }
            for place in spoken.get(&(low, high)).into_iter().flatten() {
                let count = counts.entry(PROTOCOLS[*place].name).or_default();
                if flow.said.is_empty() || *count >= INPUTS_OF_A_CAPTURE_MAX {
                    continue;
                }
                *count += 1;
                let mut input = layer::begin(*place, if is_tcp { Carrier::Tcp } else { Carrier::Udp });
                input.extend(&flow.said[..flow.said.len().min(LAYER_BYTES_MAX)]);
                self.put(&format!("layer-{}", PROTOCOLS[*place].name), &input)?;
            }
        }
        Ok(())
    }
}

/// Which protocols, by their place in the table, are spoken between which ends.
fn spoken(frames: &[Kept], set: &Arc<RuleSet>) -> BTreeMap<(End, End), BTreeSet<usize>> {
    let mut worker = Worker::new(Arc::clone(set), |_| true);
    for (number, (time, link, bytes)) in (1..).zip(frames) {
        worker.frame(number, Time(*time), *link, bytes);
    }
    worker.finish(frames.len() as u64 + 1);
    let mut spoken: BTreeMap<(End, End), BTreeSet<usize>> = BTreeMap::new();
    Judge::new(Arc::clone(set)).decide(&worker.take(), &mut |alert| {
        let Some(flow) = alert.flow else { return };
        let ends = (flow.client.min(flow.server), flow.client.max(flow.server));
        spoken.entry(ends).or_default().insert(alert.meta.sid as usize - 1);
    });
    spoken
}

impl Flow {
    fn new(client: End) -> Self {
        Flow { client, talk: None, initial: [None; 2], said: Vec::new(), segments: Vec::new() }
    }

    fn direction(&self, from: End) -> Direction {
        if from == self.client { Direction::ToServer } else { Direction::ToClient }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        if !bytes.is_empty() {
            layer::write(direction, bytes, &mut self.said);
        }
    }

    fn segment(&mut self, from: End, tcp: &detect::frame::Tcp<'_>, payload: &[u8], time: Time) {
        let direction = self.direction(from);
        let is_syn = tcp.has(2);
        if is_syn {
            self.initial[direction.index()] = Some(tcp.sequence());
        }
        self.note_segment(direction, tcp, payload);
        match &mut self.talk {
            None if is_syn && !tcp.has(16) => self.talk = Some(Conversation::begin(tcp, payload, time)),
            None => {}
            Some(talk) => {
                talk.segment(direction, tcp, payload, time, from.0.is_ipv4());
            }
        }
        self.drain(direction.reversed(), false);
        self.drain(direction, false);
    }

    /// The segment as the target `reassembly` reads it.
    fn note_segment(&mut self, direction: Direction, tcp: &detect::frame::Tcp<'_>, payload: &[u8]) {
        let (own, other) = (direction.index(), direction.reversed().index());
        let place = |initial: Option<u32>, number: u32| {
            i16::try_from(number.wrapping_sub(initial.unwrap_or(number)).wrapping_sub(1) as i32)
        };
        if let (Ok(at), Ok(acked)) =
            (place(self.initial[own], tcp.sequence()), place(self.initial[other], tcp.acknowledged()))
        {
            let payload = &payload[..payload.len().min(255)];
            self.segments.extend([own as u8, tcp.flags()]);
            self.segments.extend(at.to_le_bytes());
            self.segments.extend(acked.to_le_bytes());
            self.segments.extend([payload.len() as u8, 9]);
            self.segments.extend(payload);
        }
    }

    fn drain(&mut self, direction: Direction, all: bool) {
        loop {
            let Some(talk) = &mut self.talk else { return };
            let (bytes, count) = match talk.next(direction, all) {
                Ordered::Bytes(bytes, _) => (bytes.to_vec(), bytes.len() as u64),
                Ordered::Gap(count) => (Vec::new(), count),
                Ordered::Nothing => return,
            };
            talk.took(direction, count);
            self.say(direction, &bytes);
        }
    }

    fn finish(&mut self) {
        self.drain(Direction::ToServer, true);
        self.drain(Direction::ToClient, true);
    }
}
