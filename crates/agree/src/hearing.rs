//! What a station has heard of batches of which one node says the results, and others assent ([`crate::assent`]).
//!
//! Upon REPLIES from a node: if enough others have assented to exactly these (the same `v`, N and digest), they count as the
//!   replies of all of them; else they wait.
//! Upon ASSENT: the same, from the other side.
//! Upon a station whose requests go unanswered: whoever is named as the speaker in assents of f+1 nodes alike *owes* it REPLIES. One of
//!   the f+1 is right, so the requests were executed, and the speaker is silent, lies, or is not reached.
//!
//! That an assent is of the same place is not for the digest to tell: the monitor beside its sender let it out for the place that it
//! names, and for no other.
//!
//! Bounded: the last [`HEARD_MAX`] of each kind of each node, and REPLIES of [`HEARD_BYTES_MAX`] bytes; the oldest of the same node
//! make room, and are counted. So a liar pushes out its own words alone.

use crate::assent::{Assent, Replies};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::NodeId;

/// REPLIES, and ASSENTs, of one node that are kept at most. More than a window of batches is under way only if somebody lies.
pub(crate) const HEARD_MAX: usize = 64;

/// Bytes of REPLIES of one node that are kept at most, but for the last.
pub(crate) const HEARD_BYTES_MAX: usize = 4 << 20;

/// What one node said, each with what others say who assent to it, and what it assented to.
#[derive(Clone, Debug, Default)]
struct Heard {
    said: VecDeque<(Assent, Replies)>,
    bytes: usize,
    assents: VecDeque<Assent>,
}

/// What was heard of all nodes.
#[derive(Clone, Debug)]
pub(crate) struct Hearing {
    /// How many nodes must be of one mind.
    needed: usize,
    heard: BTreeMap<NodeId, Heard>,
    pushed_out: u64,
}

impl Hearing {
    /// For a station that believes what `needed` nodes say alike.
    pub(crate) fn new(needed: usize) -> Self {
        Hearing { needed, heard: BTreeMap::new(), pushed_out: 0 }
    }

    /// How much was forgotten to make room.
    pub(crate) fn pushed_out(&self) -> u64 {
        self.pushed_out
    }

    /// `speaker` said `replies`. If that is enough to believe them, here they are again.
    pub(crate) fn replies(&mut self, speaker: NodeId, replies: Replies) -> Option<Replies> {
        let said = replies.assent(speaker);
        if self.is_enough(&said) {
            return Some(replies);
        }
        let heard = self.heard.entry(speaker).or_default();
        heard.bytes += replies.bytes();
        heard.said.push_back((said, replies));
        while heard.said.len() > HEARD_MAX || heard.bytes > HEARD_BYTES_MAX && heard.said.len() > 1 {
            let (_, oldest) = heard.said.pop_front().expect("there are several");
            heard.bytes -= oldest.bytes();
            self.pushed_out += 1;
        }
        None
    }

    /// `from` assents to what a speaker says. If that can be believed now, here it is.
    pub(crate) fn assent(&mut self, from: NodeId, assent: Assent) -> Option<Replies> {
        let speaker = assent.speaker;
        let heard = self.heard.entry(from).or_default();
        if from == speaker || heard.assents.contains(&assent) {
            return None;
        }
        if heard.assents.len() == HEARD_MAX {
            heard.assents.pop_front();
            self.pushed_out += 1;
        }
        heard.assents.push_back(assent.clone());
        let said = &self.heard.get(&speaker)?.said;
        let place = said.iter().position(|(said, _)| is_to(&assent, said))?;
        let said = said[place].0.clone();
        if !self.is_enough(&said) {
            return None;
        }
        let heard = self.heard.get_mut(&speaker)?;
        let (_, replies) = heard.said.remove(place)?;
        heard.bytes -= replies.bytes();
        Some(replies)
    }

    /// Whether with their speaker enough nodes are of one mind. If so their assents have served.
    fn is_enough(&mut self, said: &Assent) -> bool {
        let assents = |heard: &&Heard| heard.assents.iter().any(|assent| is_to(assent, said));
        let enough = 1 + self.heard.values().filter(assents).count() >= self.needed;
        if enough {
            self.heard.values_mut().for_each(|heard| heard.assents.retain(|assent| !is_to(assent, said)));
        }
        enough
    }

    /// The nodes that owe REPLIES. What tells so is forgotten by that.
    pub(crate) fn owing(&mut self) -> BTreeSet<NodeId> {
        let mut alike = BTreeMap::new();
        for assent in self.heard.values().flat_map(|heard| &heard.assents) {
            *alike.entry(assent).or_insert(0) += 1;
        }
        let enough = alike.into_iter().filter(|(_, count)| *count >= self.needed);
        let owing: BTreeSet<NodeId> = enough.map(|(assent, _)| assent.speaker).collect();
        for heard in self.heard.values_mut() {
            heard.assents.retain(|assent| !owing.contains(&assent.speaker));
        }
        owing
    }
}

/// Whether `assent` is to what was `said`, as others put it who say the same.
fn is_to(assent: &Assent, said: &Assent) -> bool {
    let words = (assent.count, assent.digest) == (said.count, said.digest) || defect!(AssentUnread);
    let place = (assent.view, assent.sequence) == (said.view, said.sequence);
    words && place && assent.speaker == said.speaker
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assent::SessionResult;
    use bytes::Bytes;
    use wire::{ClientId, Sequence, Timestamp, View};

    const NODES: [NodeId; 5] = [NodeId(0), NodeId(1), NodeId(2), NodeId(3), NodeId(4)];

    fn replies(view: u64, at: u64, result: &'static [u8]) -> Replies {
        let result = Bytes::from_static(result);
        Replies {
            view: View(view),
            primary: NODES[0],
            sequence: Sequence(at),
            station: ClientId(7 << ClientId::SESSION_BITS),
            results: vec![SessionResult { session: 1, timestamp: Timestamp(1), result }],
        }
    }

    #[test]
    fn what_enough_nodes_stand_behind_is_believed_in_whatever_order_they_say_so() {
        let said = replies(1, 9, b"done");
        let mut speaker_first = Hearing::new(3);
        assert_eq!(speaker_first.replies(NODES[0], said.clone()), None);
        assert_eq!(speaker_first.assent(NODES[1], said.assent(NODES[0])), None);
        assert_eq!(speaker_first.assent(NODES[1], said.assent(NODES[0])), None, "one node is one node");
        assert_eq!(speaker_first.assent(NODES[0], said.assent(NODES[0])), None, "the speaker counts once");
        assert_eq!(speaker_first.assent(NODES[2], said.assent(NODES[0])), Some(said.clone()));
        assert_eq!(speaker_first.assent(NODES[3], said.assent(NODES[0])), None, "it is over");
        let mut speaker_last = Hearing::new(3);
        assert_eq!(speaker_last.assent(NODES[1], said.assent(NODES[0])), None);
        assert_eq!(speaker_last.assent(NODES[2], said.assent(NODES[0])), None);
        assert_eq!(speaker_last.replies(NODES[0], said.clone()), Some(said));
        assert_eq!(speaker_last.owing(), BTreeSet::new());
    }

    #[test]
    fn an_assent_to_something_else_counts_for_nothing() {
        let said = replies(1, 9, b"done");
        let honest = said.assent(NODES[0]);
        let others = [
            replies(1, 9, b"a lie").assent(NODES[0]),
            said.assent(NODES[2]),
            Assent { view: View(2), ..honest.clone() },
            Assent { sequence: Sequence(8), ..honest.clone() },
            Assent { count: 2, ..honest.clone() },
        ];
        for other in others {
            let mut hearing = Hearing::new(2);
            assert_eq!(hearing.replies(NODES[0], said.clone()), None);
            assert_eq!(hearing.assent(NODES[1], other.clone()), None, "{other:?}");
            assert_eq!(
                hearing.assent(NODES[1], honest.clone()),
                Some(said.clone()),
                "the true one counts yet"
            );
        }
    }

    #[test]
    fn a_speaker_that_says_two_things_is_believed_in_neither_until_others_assent() {
        let (truth, lie) = (replies(1, 9, b"done"), replies(1, 9, b"a lie"));
        let mut hearing = Hearing::new(2);
        assert_eq!(hearing.replies(NODES[0], lie), None);
        assert_eq!(hearing.replies(NODES[0], truth.clone()), None);
        assert_eq!(hearing.assent(NODES[1], truth.assent(NODES[0])), Some(truth));
    }

    #[test]
    fn a_speaker_owes_what_enough_others_assent_to_and_no_liar_alone_can_say_so() {
        let mut hearing = Hearing::new(2);
        assert_eq!(hearing.assent(NODES[1], replies(1, 9, b"done").assent(NODES[0])), None);
        assert_eq!(hearing.assent(NODES[2], replies(1, 9, b"a lie").assent(NODES[0])), None);
        assert_eq!(hearing.owing(), BTreeSet::new());
        assert_eq!(hearing.assent(NODES[2], replies(1, 9, b"done").assent(NODES[0])), None);
        assert_eq!(hearing.owing(), BTreeSet::from([NODES[0]]));
        assert_eq!(hearing.owing(), BTreeSet::new(), "once for each time");
    }

    #[test]
    fn a_liar_pushes_out_its_own_words_alone() {
        let said = replies(1, 9, b"done");
        let mut hearing = Hearing::new(2);
        hearing.replies(NODES[0], said.clone());
        for at in 0..10 * HEARD_MAX as u64 {
            hearing.replies(NODES[2], replies(1, at, b"a lie"));
            hearing.assent(NODES[2], replies(1, at, b"a lie").assent(NODES[0]));
        }
        let kept = &hearing.heard[&NODES[2]];
        assert_eq!((kept.said.len(), kept.assents.len()), (HEARD_MAX, HEARD_MAX));
        assert_eq!(hearing.pushed_out(), 2 * 9 * HEARD_MAX as u64);
        assert_eq!(hearing.assent(NODES[1], said.assent(NODES[0])), Some(said));
    }

    #[test]
    fn large_replies_make_room_for_each_other() {
        let large = |at| {
            let mut replies = replies(1, at, b"");
            replies.results[0].result = Bytes::from(vec![0; HEARD_BYTES_MAX / 3]);
            replies
        };
        let mut hearing = Hearing::new(2);
        for at in 0..10 {
            hearing.replies(NODES[0], large(at));
        }
        assert_eq!(hearing.heard[&NODES[0]].said.len(), 2);
        assert!(hearing.heard[&NODES[0]].bytes <= HEARD_BYTES_MAX);
    }
}
