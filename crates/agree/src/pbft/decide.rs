//! What follows from a set of VIEW-CHANGEs: the decision procedure of Castro & Liskov, TOCS'02, section 4.4 (there for
//! MACs and acknowledgements; here the VIEW-CHANGEs are signed, which only makes them easier to show to others).
//!
//! From a set S of VIEW-CHANGEs for one view, of different replicas:
//!   - **start**: the highest checkpoint (n, d) that `f+1` of S have taken (so a correct one has, and hands it out) and
//!     that is at or above the stable checkpoint of `2f+1` of S.
//!   - for each n of the L places after the start:
//!     - **A**: the batch d, if some entry of S has d prepared at n in a view v such that
//!         - A1: `2f+1` of S, whose stable checkpoint is below n, have nothing prepared at n in a later view than v, nor
//!           anything but d in v;
//!         - A2: `f+1` of S accepted d at n in v or later (so a correct replica did, and has the batch);
//!     - **B**: else the NULL batch, if `2f+1` of S, whose stable checkpoint is below n, have nothing prepared at n;
//!     - else nothing follows yet: more VIEW-CHANGEs are needed.
//!   - the order goes up to the last place decided by A; the places after it are free.
//!
//! Where several (d, v) satisfy A, the one of the highest v, then of the highest d is taken: the choice must be the same
//! for everybody who sees S, and any choice is safe (see [`super`]).
//!
//! The order ends at the last A and not at the last batch that is not NULL: a NULL batch that prepared may be executed
//! somewhere already.

use super::message::ViewChange;
use super::quorum::Quorum;
use crate::request::Batch;
use std::collections::BTreeSet;
use wire::{Digest, Sequence, View};

/// What follows from a set of VIEW-CHANGEs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Decision {
    /// The checkpoint from which the view goes on.
    pub(super) start: Sequence,
    /// The batches after it.
    pub(super) order: Vec<Digest>,
}

/// What follows for one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// By A.
    Batch(Digest),
    /// By B.
    Null,
}

/// What follows from `changes`, which are of different replicas, for the same view and well formed; nothing if more
/// of them are needed. `length` is L.
pub(super) fn decide(changes: &[&ViewChange], quorum: Quorum, length: u64) -> Option<Decision> {
    let start = start(changes, quorum)?;
    let mut order = Vec::new();
    let mut last = 0;
    for n in 1..=length {
        match place(changes, quorum, start.plus(n))? {
            Place::Batch(digest) => {
                order.push(digest);
                last = order.len();
            }
            Place::Null => order.push(Batch::null().digest()),
        }
    }
    order.truncate(last);
    Some(Decision { start, order })
}

fn start(changes: &[&ViewChange], quorum: Quorum) -> Option<Sequence> {
    let candidates: BTreeSet<(Sequence, Digest)> =
        changes.iter().flat_map(|change| change.checkpoints.iter().copied()).collect();
    let reached = |n: Sequence| changes.iter().filter(|change| change.stable <= n).count();
    let taken = |one| changes.iter().filter(|change| change.checkpoints.contains(one)).count();
    candidates
        .iter()
        .rev()
        .find(|one| reached(one.0) >= quorum.view_change() && taken(one) >= quorum.one_correct())
        .map(|(sequence, _)| *sequence)
}

/// What one VIEW-CHANGE says about one place.
#[derive(Clone, Copy)]
struct Said {
    /// Whether its sender's log reaches there: its stable checkpoint is below.
    below: bool,
    accepted: Option<(View, Digest)>,
    prepared: Option<(View, Digest)>,
}

fn said(change: &ViewChange, n: Sequence) -> Said {
    let entry = change
        .entries
        .binary_search_by_key(&n, |entry| entry.sequence)
        .ok()
        .map(|index| &change.entries[index]);
    Said {
        below: change.stable < n,
        accepted: entry.map(|entry| (entry.accepted, entry.digest)),
        prepared: entry.and_then(|entry| entry.prepared.map(|view| (view, entry.digest))),
    }
}

fn place(changes: &[&ViewChange], quorum: Quorum, n: Sequence) -> Option<Place> {
    let all: Vec<Said> = changes.iter().map(|change| said(change, n)).collect();
    let candidates: BTreeSet<(View, Digest)> = all.iter().filter_map(|said| said.prepared).collect();
    let chosen = candidates.iter().rev().find(|(view, digest)| {
        a1(&all, *view, *digest) >= quorum.view_change() && a2(&all, *view, *digest) >= quorum.one_correct()
    });
    if let Some((_, digest)) = chosen {
        return Some(Place::Batch(*digest));
    }
    let unprepared = all.iter().filter(|said| said.below && said.prepared.is_none()).count();
    (unprepared >= quorum.view_change()).then_some(Place::Null)
}

/// How many do not contradict that `digest` prepared in `view` and nothing after.
fn a1(all: &[Said], view: View, digest: Digest) -> usize {
    let agrees = |said: &&Said| match said.prepared {
        None => said.below,
        Some((v, d)) => said.below && (v < view || (v == view && d == digest)),
    };
    all.iter().filter(agrees).count()
}

/// How many accepted `digest` in `view` or later.
fn a2(all: &[Said], view: View, digest: Digest) -> usize {
    all.iter().filter(|said| said.accepted.is_some_and(|(v, d)| d == digest && v >= view)).count()
}
