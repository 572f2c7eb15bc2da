//! What happened in a run, in numbers.

use crate::keys::Counts;
use agree::Message;
use agree::replica::Refusal;
use bytes::Bytes;
use core::fmt;
use std::collections::BTreeMap;
use wire::{Decode, Frame, Peer};

/// Kinds of message that are told apart: the tag of [`Message`] and the one inside it.
const KINDS: usize = 16 * 16;

/// Refusals that are told apart.
pub const REFUSALS: [Refusal; 9] = [
    Refusal::Malformed,
    Refusal::Oversized,
    Refusal::WrongAuthenticator,
    Refusal::UnknownSender,
    Refusal::Stale,
    Refusal::TooFarAhead,
    Refusal::NotAllowed,
    Refusal::Contradiction,
    Refusal::NoRoom,
];

/// The numbers of a run, or the sum over many.
#[derive(Clone, PartialEq, Eq)]
pub struct Stats {
    /// Runs that this is the sum of.
    pub runs: u64,
    /// Things that happened: arrivals, timers, flushes, faults.
    pub events: u64,
    /// Frames put on a link: the protocol's messages, one per receiver.
    pub frames: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Frames that met a cut link.
    pub frames_cut: u64,
    /// Frames lost.
    pub frames_lost: u64,
    /// Frames that arrived a second time.
    pub frames_duplicated: u64,
    /// Frames with flipped bits.
    pub frames_corrupted: u64,
    /// Frames dropped because their link was full.
    pub frames_overflowed: u64,
    /// Frames that an outsider sent.
    pub frames_of_outsiders: u64,
    /// Requests under whose number a client that lies asked for something else as well.
    pub second_thoughts: u64,
    /// Requests of which nobody knows any more whether they were executed.
    pub forgotten: u64,
    /// Frames for a receiver that there is not.
    pub frames_to_nobody: u64,
    /// Faults that began, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Traitors, by strategy.
    pub strategies: BTreeMap<&'static str, u64>,
    /// Views that replicas entered.
    pub views_entered: u64,
    /// The greatest view that any correct replica entered. Over many runs: the sum of those.
    pub reconfigurations: u64,
    /// Times that a replica took back what it had executed.
    pub rollbacks: u64,
    /// Times that a replica took over a state whole.
    pub restores: u64,
    /// Checkpoints that became stable at some replica.
    pub checkpoints: u64,
    /// Batches executed by correct replicas.
    pub batches_executed: u64,
    /// Alarms of guards.
    pub alarms: u64,
    /// Those, by the rule that was broken.
    pub alarms_by_rule: BTreeMap<&'static str, u64>,
    /// Writes that crashes took.
    pub writes_lost: u64,
    /// Operations whose accepted result was checked.
    pub operations_checked: u64,
    /// The most effects that one event left. Over many runs: the most of all.
    pub effects_most: usize,
    /// The most records on a disk.
    pub records_most: usize,
    /// Authenticators made and checked by all nodes and clients.
    pub authenticators: Counts,
    messages: Vec<u64>,
    names: BTreeMap<u16, &'static str>,
    refusals: [u64; REFUSALS.len()],
    refused_of: BTreeMap<Peer, u64>,
}

impl Default for Stats {
    fn default() -> Self {
        Stats {
            runs: 0,
            events: 0,
            frames: 0,
            bytes: 0,
            frames_cut: 0,
            frames_lost: 0,
            frames_duplicated: 0,
            frames_corrupted: 0,
            frames_overflowed: 0,
            frames_of_outsiders: 0,
            second_thoughts: 0,
            forgotten: 0,
            frames_to_nobody: 0,
            faults: BTreeMap::new(),
            strategies: BTreeMap::new(),
            views_entered: 0,
            reconfigurations: 0,
            rollbacks: 0,
            restores: 0,
            checkpoints: 0,
            batches_executed: 0,
            alarms: 0,
            alarms_by_rule: BTreeMap::new(),
            writes_lost: 0,
            operations_checked: 0,
            effects_most: 0,
            records_most: 0,
            authenticators: Counts::default(),
            messages: vec![0; KINDS],
            names: BTreeMap::new(),
            refusals: [0; REFUSALS.len()],
            refused_of: BTreeMap::new(),
        }
    }
}

impl Stats {
    /// Counts a frame that is put on a link.
    #[inline]
    pub fn frame(&mut self, frame: &Bytes) {
        self.frames += 1;
        self.bytes += frame.len() as u64;
        let kind = kind_of(frame);
        if self.messages[usize::from(kind)] == 0 {
            self.name(kind, frame);
        }
        self.messages[usize::from(kind)] += 1;
    }

    /// Learns the name of a kind from its first frame.
    fn name(&mut self, kind: u16, frame: &Bytes) {
        let message = Frame::from_bytes(frame.clone()).and_then(|frame| Message::from_bytes(frame.body)).ok();
        self.names.insert(kind, message.map_or("?", |message| message.name()));
    }

    /// Counts a message that was refused.
    pub fn refused(&mut self, from: Option<Peer>, refusal: Refusal) {
        let index = REFUSALS.iter().position(|known| *known == refusal).expect("every refusal is listed");
        self.refusals[index] += 1;
        if let Some(from) = from {
            *self.refused_of.entry(from).or_default() += 1;
        }
    }

    /// Messages sent, by name.
    #[must_use]
    pub fn messages(&self) -> BTreeMap<&'static str, u64> {
        let mut messages = BTreeMap::new();
        for (kind, name) in &self.names {
            *messages.entry(*name).or_default() += self.messages[usize::from(*kind)];
        }
        messages
    }

    /// Refusals, by reason; those that never occurred are left out.
    #[must_use]
    pub fn refusals(&self) -> Vec<(Refusal, u64)> {
        let counted = REFUSALS.into_iter().zip(self.refusals);
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// Messages refused, by the peer they came from.
    #[must_use]
    pub fn refused_of(&self) -> &BTreeMap<Peer, u64> {
        &self.refused_of
    }

    /// Adds the numbers of another run.
    pub fn add(&mut self, other: &Stats) {
        self.runs += other.runs;
        self.events += other.events;
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.frames_cut += other.frames_cut;
        self.frames_lost += other.frames_lost;
        self.frames_duplicated += other.frames_duplicated;
        self.frames_corrupted += other.frames_corrupted;
        self.frames_overflowed += other.frames_overflowed;
        self.frames_of_outsiders += other.frames_of_outsiders;
        self.second_thoughts += other.second_thoughts;
        self.forgotten += other.forgotten;
        self.frames_to_nobody += other.frames_to_nobody;
        self.views_entered += other.views_entered;
        self.reconfigurations += other.reconfigurations;
        self.rollbacks += other.rollbacks;
        self.restores += other.restores;
        self.checkpoints += other.checkpoints;
        self.batches_executed += other.batches_executed;
        self.alarms += other.alarms;
        self.writes_lost += other.writes_lost;
        self.operations_checked += other.operations_checked;
        self.effects_most = self.effects_most.max(other.effects_most);
        self.records_most = self.records_most.max(other.records_most);
        self.authenticators = self.authenticators.plus(other.authenticators);
        for (name, count) in &other.faults {
            *self.faults.entry(name).or_default() += count;
        }
        for (rule, count) in &other.alarms_by_rule {
            *self.alarms_by_rule.entry(rule).or_default() += count;
        }
        for (name, count) in &other.strategies {
            *self.strategies.entry(name).or_default() += count;
        }
        for (kind, count) in other.messages.iter().enumerate() {
            self.messages[kind] += count;
        }
        self.names.extend(&other.names);
        for (mine, others) in self.refusals.iter_mut().zip(other.refusals) {
            *mine += others;
        }
        for (peer, count) in &other.refused_of {
            *self.refused_of.entry(*peer).or_default() += count;
        }
    }
}

/// `name 3, other 4`.
fn list<N: fmt::Display>(counts: impl IntoIterator<Item = (N, u64)>) -> String {
    let counts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    if counts.is_empty() { "none".to_string() } else { counts.join(", ") }
}

impl fmt::Display for Stats {
    /// A line for each subject.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.authenticators;
        writeln!(f, "messages: {} ({} bytes): {}", self.frames, self.bytes, list(self.messages()))?;
        writeln!(
            f,
            "on the way: {} cut, {} lost, {} twice, {} corrupted, {} overflowed, {} of outsiders, {} to nobody",
            self.frames_cut,
            self.frames_lost,
            self.frames_duplicated,
            self.frames_corrupted,
            self.frames_overflowed,
            self.frames_of_outsiders,
            self.frames_to_nobody,
        )?;
        writeln!(f, "faults: {}", list(self.faults.iter().map(|(name, count)| (*name, *count))))?;
        writeln!(f, "lies: {}", list(self.strategies.iter().map(|(name, count)| (*name, *count))))?;
        writeln!(
            f,
            "replicas: {} batches executed, {} views entered, {} reconfigurations, {} rollbacks, {} restores, \
             {} stable checkpoints, {} alarms, {} writes lost; at most {} effects of an event, {} records on a disk",
            self.batches_executed,
            self.views_entered,
            self.reconfigurations,
            self.rollbacks,
            self.restores,
            self.checkpoints,
            self.alarms,
            self.writes_lost,
            self.effects_most,
            self.records_most,
        )?;
        let refusals = self.refusals().into_iter().map(|(refusal, count)| (format!("{refusal:?}"), count));
        writeln!(f, "refused: {}", list(refusals))?;
        writeln!(
            f,
            "made and checked: MACs {} and {}, signatures {} and {}, seals {} and {}",
            counts.macs_made,
            counts.macs_checked,
            counts.signatures_made,
            counts.signatures_checked,
            counts.seals_made,
            counts.seals_checked,
        )?;
        write!(
            f,
            "clients: {} results checked; {} events in {} runs",
            self.operations_checked, self.events, self.runs
        )
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        write!(f, "; refused by peer: {}", list(self.refused_of.iter().map(|(peer, count)| (*peer, *count))))
    }
}

/// The tags of the message in an encoded frame, read where they are.
#[inline]
fn kind_of(frame: &[u8]) -> u16 {
    let body = if frame.get(1) == Some(&0) { 9 } else { 15 };
    let tag = frame.get(body).map_or(15, |tag| u16::from(*tag).min(15));
    // Only messages that are enums themselves have a second tag: TRANSFER and those of the protocols.
    let inner = if !(3..=6).contains(&tag) {
        0
    } else {
        frame.get(body + 1).map_or(15, |tag| u16::from(*tag).min(15))
    };
    tag << 4 | inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use agree::request::Busy;
    use wire::{Authenticator, ClientId, Encode, NodeId, Timestamp};

    #[test]
    fn frames_are_counted_by_the_name_of_their_message() {
        let mut stats = Stats::default();
        let busy = Message::Busy(Busy { client: ClientId(1), timestamp: Timestamp(1) });
        for from in [Peer::Node(NodeId(1)), Peer::Client(ClientId(7))] {
            let frame =
                Frame { from, vouched: false, body: busy.to_bytes(), authenticator: Authenticator::None };
            stats.frame(&frame.to_bytes());
        }
        stats.frame(&Bytes::from_static(b"nonsense"));
        assert_eq!(stats.messages(), BTreeMap::from([("BUSY", 2), ("?", 1)]));
        let mut sum = Stats::default();
        sum.add(&stats);
        sum.add(&stats);
        assert_eq!(sum.messages()["BUSY"], 4);
    }
}
