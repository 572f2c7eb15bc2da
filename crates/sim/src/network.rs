//! The links between nodes and clients.
//!
//! Upon a frame from one peer to another, in this order:
//!   - the link is cut: it is gone;
//!   - more than [`LINK_FRAMES_MAX`] frames are under way on this link: it is dropped, and that is counted;
//!   - it is lost, with the probability that holds at present;
//!   - bits of it are flipped. On a link that names the sender without cryptography the link's own checksum finds that,
//!     and it is lost; where an authenticator covers the frame, it arrives and the door must find it;
//!   - it arrives after a random latency, never before the frame sent before it on the same link; while frames are
//!     being reordered, whenever its latency has passed;
//!   - it arrives a second time, later.
//!
//! Each link draws from a stream of its own, and the same number of times for each frame whatever is in force, so that
//! taking away a fault leaves the luck of all other frames alone.

use crate::agenda::{Agenda, Happening};
use crate::crew::{station, station_index};
use crate::random::{Random, nanos};
use crate::stats::Stats;
use bytes::Bytes;
use core::time::Duration;
use wire::{NodeId, Peer, Time};

/// Peers of one network at most: sets of them are bits of a word.
pub const PEERS_MAX: usize = 64;

/// Frames under way on one link at most.
pub const LINK_FRAMES_MAX: u16 = 2_048;

/// A set of peers, by index.
pub type PeerSet = u64;

/// Which index each peer has: nodes from 0, then the stations of clients.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Directory {
    /// Nodes 0, 1, 2, …
    pub nodes: usize,
    /// Stations 0, 1, 2, …
    pub stations: usize,
}

impl Directory {
    /// How many peers there are.
    #[must_use]
    pub fn peers(self) -> usize {
        self.nodes + self.stations
    }

    /// The index of `peer`, if there is such a peer.
    #[inline]
    #[must_use]
    pub fn index(self, peer: Peer) -> Option<usize> {
        match peer {
            Peer::Node(node) => Some(usize::from(node.0)).filter(|index| *index < self.nodes),
            Peer::Client(client) => {
                station_index(client).filter(|index| *index < self.stations).map(|i| i + self.nodes)
            }
        }
    }

    /// The peer with this index.
    #[inline]
    #[must_use]
    pub fn peer(self, index: usize) -> Peer {
        if index < self.nodes {
            Peer::Node(NodeId(index as u16))
        } else {
            Peer::Client(station(index - self.nodes))
        }
    }
}

/// A link that comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Flap {
    /// One end.
    pub one: u8,
    /// The other end.
    pub other: u8,
    /// How long it is down, and then up.
    pub period: Duration,
}

/// What is in force on the network at present.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Conditions {
    /// For each sender, the receivers that it cannot reach.
    pub cut: [PeerSet; PEERS_MAX],
    /// Links that come and go.
    pub flaps: Vec<Flap>,
    /// Frames lost, in a thousand.
    pub loss_permille: u32,
    /// Frames that arrive twice, in a thousand.
    pub duplicate_permille: u32,
    /// Frames with flipped bits, in a thousand.
    pub corrupt_permille: u32,
    /// Whether frames on one link may overtake each other.
    pub reorder: bool,
    /// What is added to every latency.
    pub delay: Duration,
}

impl Default for Conditions {
    fn default() -> Self {
        Conditions {
            cut: [0; PEERS_MAX],
            flaps: Vec::new(),
            loss_permille: 0,
            duplicate_permille: 0,
            corrupt_permille: 0,
            reorder: false,
            delay: Duration::ZERO,
        }
    }
}

impl Conditions {
    /// Cuts every link from a peer in `from` to one in `to`.
    pub fn cut_between(&mut self, from: PeerSet, to: PeerSet) {
        for (index, cut) in self.cut.iter_mut().enumerate() {
            if from >> index & 1 == 1 {
                *cut |= to & !(1 << index);
            }
        }
    }

    fn is_cut(&self, now: Time, from: usize, to: usize) -> bool {
        self.cut[from] >> to & 1 == 1
            || self.flaps.iter().any(|flap| {
                let ends = (usize::from(flap.one), usize::from(flap.other));
                let down = (now.0 / nanos(flap.period).max(1)).is_multiple_of(2);
                down && (ends == (from, to) || ends == (to, from))
            })
    }
}

/// How long a frame is under way: `least`, and up to `spread` more, mostly little of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Latency {
    /// The shortest.
    pub least: Duration,
    /// What the unluckiest frame takes more.
    pub spread: Duration,
}

#[derive(Clone, Debug)]
struct Link {
    random: Random,
    last_arrival: u64,
    under_way: u16,
}

/// All links.
#[derive(Clone, Debug)]
pub struct Network {
    directory: Directory,
    links: Vec<Link>,
    least: u64,
    spread: u64,
    /// What is in force.
    pub conditions: Conditions,
    /// A few frames that were sent, for an outsider that listens.
    overheard: Vec<Bytes>,
    sent: u64,
}

/// Frames that an outsider remembers at most.
const OVERHEARD_MAX: usize = 32;

/// One frame in so many is overheard.
const OVERHEARD_EVERY: u64 = 16;

impl Network {
    /// A network between the peers of `directory`.
    #[must_use]
    pub fn new(directory: Directory, latency: Latency, random: &Random) -> Self {
        assert!(directory.peers() <= PEERS_MAX, "at most {PEERS_MAX} nodes and stations");
        let links = (0..directory.peers() * directory.peers())
            .map(|link| {
                let (from, to) = (link / directory.peers(), link % directory.peers());
                // Named by its ends, not by its number: fewer clients must not change the luck of the rest.
                Link { random: random.part((from * PEERS_MAX + to) as u64), last_arrival: 0, under_way: 0 }
            })
            .collect();
        Network {
            directory,
            links,
            least: nanos(latency.least),
            spread: nanos(latency.spread),
            conditions: Conditions::default(),
            overheard: Vec::new(),
            sent: 0,
        }
    }

    /// Puts `frame` on the link between two peers.
    pub fn send(
        &mut self,
        now: Time,
        from: usize,
        to: usize,
        frame: Bytes,
        agenda: &mut Agenda,
        stats: &mut Stats,
    ) {
        let link = &mut self.links[from * self.directory.peers() + to];
        let luck = link.random.bits();
        let fate = link.random.bits();
        self.sent += 1;
        if self.sent.is_multiple_of(OVERHEARD_EVERY) {
            let place = (self.sent / OVERHEARD_EVERY) as usize % OVERHEARD_MAX;
            match self.overheard.get_mut(place) {
                Some(kept) => *kept = frame.clone(),
                None => self.overheard.push(frame.clone()),
            }
        }
        let conditions = &self.conditions;
        if conditions.is_cut(now, from, to) {
            stats.frames_cut += 1;
            return;
        }
        if link.under_way >= LINK_FRAMES_MAX {
            stats.frames_overflowed += 1;
            return;
        }
        let draw = |shift: u32| (((fate >> shift) & 0xffff) as u32 * 1000) >> 16;
        if draw(0) < conditions.loss_permille {
            stats.frames_lost += 1;
            return;
        }
        let mut frame = frame;
        if draw(16) < conditions.corrupt_permille {
            stats.frames_corrupted += 1;
            match corrupt(&frame, fate) {
                Some(corrupted) => frame = corrupted,
                None => return,
            }
        }
        // The square of a uniform number: mostly near the shortest, now and then far from it.
        let x = luck >> 40;
        let spread = if conditions.reorder { self.spread * 4 } else { self.spread };
        let latency =
            self.least + ((u128::from(x * x) * u128::from(spread)) >> 48) as u64 + nanos(conditions.delay);
        let mut at = now.0 + latency;
        if !conditions.reorder {
            at = at.max(link.last_arrival);
        }
        link.last_arrival = link.last_arrival.max(at);
        let sender = self.directory.peer(from);
        if draw(32) < conditions.duplicate_permille {
            stats.frames_duplicated += 1;
            link.under_way += 1;
            let again = at + (luck & 0xff_ffff) % (4 * self.spread + 1);
            agenda.enter(Time(again), Happening::Frame { to: to as u8, link: sender, frame: frame.clone() });
        }
        link.under_way += 1;
        agenda.enter(Time(at), Happening::Frame { to: to as u8, link: sender, frame });
    }

    /// A frame came to the end of its link.
    pub fn arrived(&mut self, from: Peer, to: usize) {
        if let Some(from) = self.directory.index(from) {
            let link = &mut self.links[from * self.directory.peers() + to];
            link.under_way = link.under_way.saturating_sub(1);
        }
    }

    /// The most frames under way on one link.
    #[must_use]
    pub fn fullest_link(&self) -> u16 {
        self.links.iter().map(|link| link.under_way).max().unwrap_or(0)
    }

    /// Frames that an outsider overheard.
    #[must_use]
    pub fn overheard(&self) -> &[Bytes] {
        &self.overheard
    }

    /// Who has which index.
    #[must_use]
    pub fn directory(&self) -> Directory {
        self.directory
    }
}

/// Whether an encoded frame ends with an authenticator.
#[must_use]
pub fn is_authenticated(frame: &[u8]) -> Option<bool> {
    // version u8 | sender: tag u8 and id | vouched u8 | body length u32 | body | authenticator: tag u8 and more
    let body = match frame.get(1)? {
        0 => 9,
        1 => 15,
        _ => return None,
    };
    let length = u32::from_le_bytes(frame.get(body - 4..body)?.try_into().ok()?) as usize;
    let authenticator = *frame.get(body + length)?;
    Some(authenticator != 0)
}

/// `frame` with one to three of its bits flipped; nothing if the link's checksum finds it.
fn corrupt(frame: &Bytes, fate: u64) -> Option<Bytes> {
    if !is_authenticated(frame)? {
        return None;
    }
    let mut bytes = frame.to_vec();
    let mut random = fate;
    for _ in 0..=(fate >> 48) % 3 {
        random = crate::random::scramble(random.wrapping_add(1));
        let place = (random >> 8) as usize % bytes.len();
        bytes[place] ^= 1 << (random & 7);
    }
    Some(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use wire::{Authenticator, ClientId, Encode, Frame, Tag};

    const DIRECTORY: Directory = Directory { nodes: 3, stations: 2 };

    fn network() -> Network {
        let latency = Latency { least: Duration::from_micros(100), spread: Duration::from_micros(400) };
        Network::new(DIRECTORY, latency, &Random::new(1, Stream::Network))
    }

    fn frame(authenticator: Authenticator) -> Bytes {
        let body = Bytes::from_static(b"a body of some length");
        Frame { from: Peer::Node(NodeId(0)), vouched: false, body, authenticator }.to_bytes()
    }

    /// Sends `count` frames from 0 to 1, one each millisecond, and returns what arrives.
    fn send(network: &mut Network, frame: &Bytes, count: u64) -> (Vec<(Time, Bytes)>, Stats) {
        let mut agenda = Agenda::default();
        let mut stats = Stats::default();
        for index in 0..count {
            network.send(Time(index * 1_000_000), 0, 1, frame.clone(), &mut agenda, &mut stats);
        }
        let mut arrived = Vec::new();
        while let Some((at, Happening::Frame { to: 1, link, frame })) = agenda.take_next() {
            assert_eq!(link, Peer::Node(NodeId(0)));
            network.arrived(link, 1);
            arrived.push((at, frame));
        }
        (arrived, stats)
    }

    #[test]
    fn every_peer_has_its_index() {
        for index in 0..DIRECTORY.peers() {
            assert_eq!(DIRECTORY.index(DIRECTORY.peer(index)), Some(index));
        }
        assert_eq!(DIRECTORY.index(Peer::Node(NodeId(3))), None);
        assert_eq!(DIRECTORY.index(Peer::Client(ClientId(3))), Some(3), "a session is at its station");
        assert_eq!(DIRECTORY.index(Peer::Client(station(2))), None);
    }

    #[test]
    fn without_faults_every_frame_arrives_once_within_the_latency() {
        let mut network = network();
        let (arrived, _) = send(&mut network, &frame(Authenticator::None), 1000);
        assert_eq!(arrived.len(), 1000);
        for (index, (at, _)) in arrived.iter().enumerate() {
            let took = at.0 - index as u64 * 1_000_000;
            assert!((100_000..=500_000).contains(&took), "{took}");
        }
        assert_eq!(network.fullest_link(), 0);
    }

    #[test]
    fn loss_duplication_and_cuts_really_occur() {
        let mut network = network();
        network.conditions.loss_permille = 300;
        network.conditions.duplicate_permille = 200;
        let (arrived, stats) = send(&mut network, &frame(Authenticator::None), 1000);
        assert!((200..400).contains(&stats.frames_lost), "{}", stats.frames_lost);
        assert!((80..220).contains(&stats.frames_duplicated), "{}", stats.frames_duplicated);
        assert_eq!(arrived.len() as u64, 1000 - stats.frames_lost + stats.frames_duplicated);
        network.conditions.cut_between(0b1, 0b10);
        assert_eq!(send(&mut network, &frame(Authenticator::None), 100).0.len(), 0);
        assert!(!network.conditions.is_cut(Time(0), 1, 0), "one way only");
        network.conditions = Conditions::default();
        network.conditions.flaps.push(Flap { one: 1, other: 0, period: Duration::from_millis(10) });
        assert_eq!(send(&mut network, &frame(Authenticator::None), 100).0.len(), 50);
    }

    #[test]
    fn frames_overtake_each_other_only_while_they_are_reordered() {
        let burst = |reorder| {
            let mut network = network();
            network.conditions.reorder = reorder;
            let (mut agenda, mut stats) = (Agenda::default(), Stats::default());
            for index in 0..100u8 {
                network.send(Time(0), 0, 1, Bytes::from(vec![index]), &mut agenda, &mut stats);
            }
            let mut order = Vec::new();
            while let Some((_, Happening::Frame { frame, .. })) = agenda.take_next() {
                order.push(frame[0]);
            }
            order.is_sorted()
        };
        assert!(burst(false));
        assert!(!burst(true));
    }

    #[test]
    fn flipped_bits_arrive_only_where_an_authenticator_can_find_them() {
        let mut network = network();
        network.conditions.corrupt_permille = 1000;
        let genuine = frame(Authenticator::Mac(Tag([7; 16])));
        let (arrived, _) = send(&mut network, &genuine, 50);
        assert_eq!(arrived.len(), 50);
        // Bits may flip back, but hardly ever.
        assert!(arrived.iter().filter(|(_, frame)| *frame != genuine).count() > 45);
        assert_eq!(send(&mut network, &frame(Authenticator::None), 50).0.len(), 0);
    }

    #[test]
    fn a_link_holds_no_more_than_its_limit() {
        let mut network = network();
        let (mut agenda, mut stats) = (Agenda::default(), Stats::default());
        for _ in 0..u64::from(LINK_FRAMES_MAX) + 10 {
            network.send(Time(0), 0, 1, Bytes::new(), &mut agenda, &mut stats);
        }
        assert_eq!(stats.frames_overflowed, 10);
        assert_eq!(network.fullest_link(), LINK_FRAMES_MAX);
    }
}
