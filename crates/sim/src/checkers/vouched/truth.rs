//! What all monitors together let out: the ORDER at each place of each configuration, what each configuration begins with,
//! and the checkpoints that were declared stable.
//!
//! A configuration is named by its number and the start of its primary's monitor ([`Reign`]): see [`monitor::Reign`].

use agree::Settings;
use agree::byzid::message::{Member, NewConfig};
use core::fmt;
use monitor::Incarnation;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Digest, NodeId, Sequence, View};

/// A configuration, by a name that is never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Reign {
    pub(super) view: View,
    /// The start of the primary's monitor.
    pub(super) start: Incarnation,
}

impl Reign {
    /// The first one, which nobody has to bring about.
    pub(super) const FIRST: Reign = Reign { view: View(0), start: monitor::FIRST };

    /// That of configuration `view` with these members.
    pub(super) fn of(view: View, members: &[Member]) -> Reign {
        Reign { view, start: members[(view.0 % members.len() as u64) as usize].incarnation }
    }
}

impl fmt::Display for Reign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.view)?;
        if self.start == monitor::FIRST { Ok(()) } else { write!(f, " (start {})", self.start) }
    }
}

/// What a configuration begins with.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    pub(super) members: Vec<Member>,
    pub(super) stable: Sequence,
    /// The last ORDER that everybody has who enters it.
    pub(super) last: Sequence,
}

impl Beginning {
    pub(super) fn primary(&self, reign: Reign) -> NodeId {
        self.members[(reign.view.0 % self.members.len() as u64) as usize].node
    }
}

/// What was let out, by whomever.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    orders: BTreeMap<(Reign, Sequence), Digest>,
    beginnings: BTreeMap<Reign, Beginning>,
    pub(super) stables: BTreeSet<(Sequence, Digest)>,
}

impl Truth {
    pub(super) fn new(settings: &Settings) -> Self {
        let members = settings.members.iter().map(|node| Member { node: *node, incarnation: monitor::FIRST });
        let first = Beginning { members: members.collect(), stable: Sequence::ZERO, last: Sequence::ZERO };
        Truth {
            orders: BTreeMap::new(),
            beginnings: BTreeMap::from([(Reign::FIRST, first)]),
            stables: BTreeSet::from([(Sequence::ZERO, Digest::ZERO)]),
        }
    }

    /// The ORDER at a place: one it was let out with, or one that the configuration begins with.
    pub(super) fn order(&self, reign: Reign, at: Sequence) -> Option<Digest> {
        self.orders.get(&(reign, at)).copied()
    }

    pub(super) fn beginning(&self, reign: Reign) -> Option<&Beginning> {
        self.beginnings.get(&reign)
    }

    /// An ORDER was let out. There is one for each place of each configuration.
    pub(super) fn ordered(&mut self, reign: Reign, at: Sequence, digest: Digest) -> Result<(), String> {
        match self.orders.insert((reign, at), digest) {
            Some(before) if before != digest => {
                Err(format!("there are two ORDERs for {at} in {reign}: {before} and {digest}"))
            }
            _ => Ok(()),
        }
    }

    /// A NEWCONFIG was let out. There is one for each configuration.
    pub(super) fn begun(&mut self, new: &NewConfig) -> Result<(), String> {
        let reign = Reign::of(new.view, &new.members);
        let mut at = new.stable.sequence;
        for digest in &new.orders {
            at = at.next();
            self.ordered(reign, at, *digest)?;
        }
        let beginning = Beginning { members: new.members.clone(), stable: new.stable.sequence, last: at };
        match self.beginnings.insert(reign, beginning) {
            Some(before) if before.last != at || before.members != new.members => {
                Err(format!("{reign} begins twice, after {} and after {at}", before.last))
            }
            _ => Ok(()),
        }
    }
}
