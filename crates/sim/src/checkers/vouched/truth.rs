//! What all monitors together let out: the ORDER at each place of each configuration, what each configuration begins with,
//! and the checkpoints that were declared stable.

use agree::Settings;
use agree::byzid::message::{Member, NewConfig};
use std::collections::{BTreeMap, BTreeSet};
use wire::{Digest, NodeId, Sequence, View};

/// What a configuration begins with.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    pub(super) members: Vec<Member>,
    pub(super) stable: Sequence,
    /// The last ORDER that everybody has who enters it.
    pub(super) last: Sequence,
}

impl Beginning {
    pub(super) fn primary(&self, view: View) -> NodeId {
        self.members[(view.0 % self.members.len() as u64) as usize].node
    }
}

/// What was let out, by whomever.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    orders: BTreeMap<(View, Sequence), Digest>,
    beginnings: BTreeMap<View, Beginning>,
    pub(super) stables: BTreeSet<(Sequence, Digest)>,
}

impl Truth {
    pub(super) fn new(settings: &Settings) -> Self {
        let members = settings.members.iter().map(|node| Member { node: *node, incarnation: monitor::FIRST });
        let first = Beginning { members: members.collect(), stable: Sequence::ZERO, last: Sequence::ZERO };
        Truth {
            orders: BTreeMap::new(),
            beginnings: BTreeMap::from([(View(0), first)]),
            stables: BTreeSet::from([(Sequence::ZERO, Digest::ZERO)]),
        }
    }

    /// The ORDER at a place: one it was let out with, or one that the configuration begins with.
    pub(super) fn order(&self, view: View, at: Sequence) -> Option<Digest> {
        self.orders.get(&(view, at)).copied()
    }

    pub(super) fn beginning(&self, view: View) -> Option<&Beginning> {
        self.beginnings.get(&view)
    }

    /// An ORDER was let out. There is one for each place of each configuration.
    pub(super) fn ordered(&mut self, view: View, at: Sequence, digest: Digest) -> Result<(), String> {
        match self.orders.insert((view, at), digest) {
            Some(before) if before != digest => {
                Err(format!("there are two ORDERs for {at} in {view}: {before} and {digest}"))
            }
            _ => Ok(()),
        }
    }

    /// A NEWCONFIG was let out. There is one for each configuration.
    pub(super) fn begun(&mut self, new: &NewConfig) -> Result<(), String> {
        let mut at = new.stable.sequence;
        for digest in &new.orders {
            at = at.next();
            self.ordered(new.view, at, *digest)?;
        }
        let beginning = Beginning { members: new.members.clone(), stable: new.stable.sequence, last: at };
        match self.beginnings.insert(new.view, beginning) {
            Some(before) if before.last != at || before.members != new.members => {
                Err(format!("{} begins twice, after {} and after {at}", new.view, before.last))
            }
            _ => Ok(()),
        }
    }
}
