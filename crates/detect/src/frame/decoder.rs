//! From a frame to its packets.
//!
//! Upon a frame: its link header says what follows, each header says what follows it, until a transport or something
//! unknown is reached. A tunnel's inner packet is decoded and shown where it is met, and so is a datagram that a
//! fragment completes: what is innermost is shown first and the packet of the frame itself last, because an outer
//! packet tells whether its payload was shown as a packet of its own ([`Packet::hides_payload`]). An inner packet of
//! which not even the first header can be read is not shown.
//!
//! Not here: flows, and anything that spans packets other than fragments.

use super::fragment::{Counters, Fragments, Policies};
use super::packet::Packet;
use super::{Event, link};
use crate::Time;

/// Headers on top of each other, tunnels included, that are still read; the next one makes the packet invalid.
const LAYERS_MAX: u8 = 16;
/// Datagrams inside of datagrams that one frame may complete; a fragment further in is left alone. An attacker who
/// sends fragments of fragments would otherwise choose how deep the decoder calls itself.
const REASSEMBLIES_NESTED_MAX: u8 = 4;
/// UDP ports of one kind of tunnel.
const PORTS_MAX: usize = 4;

/// UDP ports of a kind of tunnel: four at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ports {
    ports: [u16; PORTS_MAX],
    count: u8,
}

impl Ports {
    /// These; of more than four the first.
    #[must_use]
    pub fn of(list: &[u16]) -> Self {
        let mut ports = Ports::default();
        for (place, port) in ports.ports.iter_mut().zip(list) {
            *place = *port;
            ports.count += 1;
        }
        ports
    }

    /// Whether one of the two is among them.
    pub(crate) fn include(&self, source: u16, destination: u16) -> bool {
        self.ports.iter().take(usize::from(self.count)).any(|port| *port == source || *port == destination)
    }
}

/// What the decoder is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Teredo is looked for.
    pub teredo: Ports,
    /// Where VXLAN is looked for.
    pub vxlan: Ports,
    /// Where GENEVE is looked for.
    pub geneve: Ports,
    /// How the receivers of fragments put them together.
    pub policies: Policies,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            teredo: Ports::of(&[3544]),
            vxlan: Ports::of(&[4789]),
            geneve: Ports::of(&[6081]),
            policies: Policies::default(),
        }
    }
}

/// A header could not be read. What that means for the packet stands in its events; it matters to a tunnel, whose
/// inner packet is then not shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unread;

/// How reading a header went.
pub(crate) type Outcome = Result<(), Unread>;

/// What reads a header and all that follows it.
pub(crate) type Reader = for<'a> fn(&mut Run<'_>, &mut Packet<'a>, &'a [u8]) -> Outcome;

/// Reads frames. It remembers fragments, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    settings: Settings,
    fragments: Fragments,
}

impl Decoder {
    /// One with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Decoder { settings, fragments: Fragments::default() }
    }

    /// Bytes of pieces of datagrams that are kept.
    pub(crate) fn fragments_bytes(&self) -> u64 {
        self.fragments.held_bytes()
    }

    /// Reads a frame of this link type (the numbers of pcap) and shows its packets, innermost first.
    ///
    /// Frames must come in the order of their time; a time that goes back only keeps fragments longer.
    pub fn decode(&mut self, time: Time, link: u16, frame: &[u8], sink: &mut dyn FnMut(&Packet<'_>)) {
        let mut run =
            Run { time, settings: &self.settings, fragments: &mut self.fragments, sink, reassemblies: 0 };
        let mut packet = Packet::new(time);
        link::read(&mut run, link, &mut packet, frame);
        (run.sink)(&packet);
    }

    /// From here on everything can be put back, at a cost that follows what changes.
    pub fn mark(&mut self) {
        self.fragments.mark();
    }

    /// Puts everything back as it was at the last mark.
    pub fn put_back(&mut self) {
        self.fragments.put_back();
    }

    /// What became of fragments so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.fragments.counters()
    }
}

/// One frame on its way through the headers.
pub(crate) struct Run<'r> {
    pub(crate) time: Time,
    pub(crate) settings: &'r Settings,
    pub(crate) fragments: &'r mut Fragments,
    sink: &'r mut dyn FnMut(&Packet<'_>),
    reassemblies: u8,
}

impl Run<'_> {
    /// Counts a header. Beyond the limit the packet is invalid, and what follows is not read.
    pub(crate) fn layer(packet: &mut Packet<'_>) -> Outcome {
        packet.layers = packet.layers.saturating_add(1);
        if packet.layers >= LAYERS_MAX {
            packet.wrong(Event::TooManyLayers);
            return Err(Unread);
        }
        Ok(())
    }

    /// Reads and shows the packet inside a tunnel, if it can be read.
    pub(crate) fn tunnel(&mut self, parent: &mut Packet<'_>, bytes: &[u8], reader: Reader) -> Outcome {
        self.inner(parent, bytes, reader, false)
    }

    /// The same where only a packet without fault is taken for one: bytes may look like a tunnel by chance.
    pub(crate) fn tunnel_if_valid(
        &mut self,
        parent: &mut Packet<'_>,
        bytes: &[u8],
        reader: Reader,
    ) -> Outcome {
        self.inner(parent, bytes, reader, true)
    }

    fn inner(&mut self, parent: &mut Packet<'_>, bytes: &[u8], reader: Reader, strict: bool) -> Outcome {
        let layers = parent.layers.saturating_add(1);
        if layers >= LAYERS_MAX {
            parent.wrong(Event::TooManyLayers);
            return Err(Unread);
        }
        let mut child = Packet::new(self.time);
        child.depth = parent.depth.saturating_add(1);
        child.layers = layers;
        reader(self, &mut child, bytes)?;
        if strict && child.is_invalid {
            return Err(Unread);
        }
        (self.sink)(&child);
        parent.hides_payload = true;
        Ok(())
    }

    /// Whether one more datagram inside of datagrams may be put together.
    pub(crate) fn may_reassemble(&self) -> bool {
        self.reassemblies < REASSEMBLIES_NESTED_MAX
    }

    /// Reads and shows the datagram that the fragment `last` completed.
    pub(crate) fn reassembled(&mut self, last: &mut Packet<'_>, datagram: &[u8], reader: Reader) {
        let mut whole = Packet::new(self.time);
        whole.depth = last.depth;
        whole.vlan = last.vlan;
        whole.is_reassembled = true;
        self.reassemblies += 1;
        let outcome = reader(self, &mut whole, datagram);
        self.reassemblies -= 1;
        if outcome.is_ok() {
            (self.sink)(&whole);
            last.hides_payload = true;
        }
    }
}
