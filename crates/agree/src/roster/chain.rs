//! All changes of a roster, from the first edition to the present one.
//!
//! Upon one more change ([`Chain::append`]): its edition must be the next, its signature that of one whom the present roster names
//!   as an operator, and the result a roster; else it is refused by name.
//! Upon changes that somebody shows ([`Chain::take`]): those that are new are appended. If they differ from what is here, and lead at
//!   least as far, they take its place: a ByzID replica may have told of a change that was taken back, and another one
//!   was put in its place. Nothing makes a chain shorter, so nobody who shows an old one brings back a key that is out.
//!
//! At [`CHANGES_MAX`] no more are taken.

use super::change::{Edition, Holder, Signed, What};
use super::entries::{Refusal, Roster};
use super::seats::Seats;
use super::{Change, Notary};
use wire::{Digest, Encode, Sequence};

/// Changes of a chain at most.
pub const CHANGES_MAX: usize = 1024;

/// The first roster, and every change since.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Chain {
    cluster: Digest,
    first: Roster,
    changes: Vec<(Signed, Sequence)>,
    roster: Roster,
    seats: Seats,
    /// Of each edition, the fingerprint of all that leads to it.
    marks: Vec<Digest>,
}

impl Chain {
    /// The chain that begins with the roster `first`.
    #[must_use]
    pub fn new(first: Roster) -> Chain {
        let cluster = first.digest();
        let (roster, seats) = (first.clone(), Seats::default());
        Chain { cluster, first, changes: Vec::new(), roster, seats, marks: vec![cluster] }
    }

    /// Of which cluster it is: the digest of its first roster.
    #[must_use]
    pub fn cluster(&self) -> Digest {
        self.cluster
    }

    /// The roster with which it begins.
    #[must_use]
    pub fn first(&self) -> &Roster {
        &self.first
    }

    /// The roster now.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The edition of that.
    #[must_use]
    pub fn edition(&self) -> Edition {
        Edition(self.changes.len() as u64)
    }

    /// Who sits where.
    #[must_use]
    pub fn seats(&self) -> &Seats {
        &self.seats
    }

    /// The fingerprint of the whole chain: equal chains have equal ones.
    #[must_use]
    pub fn mark(&self) -> Digest {
        self.marks.last().copied().unwrap_or(self.cluster)
    }

    /// What it was at `edition`, if it has come to that.
    #[must_use]
    pub fn mark_at(&self, edition: Edition) -> Option<Digest> {
        self.marks.get(usize::try_from(edition.0).ok()?).copied()
    }

    /// The changes after `edition`, in order.
    pub fn after(&self, edition: Edition) -> impl Iterator<Item = &Signed> {
        self.placed_after(edition).map(|(signed, _)| signed)
    }

    /// The same, each with the place at which it was executed.
    pub fn placed_after(&self, edition: Edition) -> impl Iterator<Item = &(Signed, Sequence)> {
        self.changes.iter().skip(usize::try_from(edition.0).unwrap_or(usize::MAX))
    }

    /// Whether `change` is in it, whoever signed it.
    #[must_use]
    pub fn holds(&self, change: &Change) -> bool {
        self.changes.iter().any(|(signed, _)| signed.change == *change)
    }

    /// Takes one more change, executed at `place`.
    pub fn append(
        &mut self,
        signed: Signed,
        place: Sequence,
        notary: &impl Notary,
    ) -> Result<Edition, Refusal> {
        let change = &signed.change;
        if change.cluster != self.cluster {
            return Err(Refusal::OtherCluster);
        }
        if change.edition != self.edition().next() {
            return Err(Refusal::EditionIs(self.edition()));
        }
        if self.changes.len() >= CHANGES_MAX {
            return Err(Refusal::Full);
        }
        let signer = self.roster.get(Holder::Client(signed.operator)).filter(|entry| entry.operator);
        let signer = signer.ok_or(Refusal::NoOperator)?;
        let body = change.signed_bytes();
        if !signer.identities.iter().any(|one| notary.has_signed(one, &body, &signed.signature)) {
            return Err(Refusal::WrongSignature);
        }
        self.roster = self.roster.changed(change, notary)?;
        if let (What::Replaced { .. }, Holder::Node(node)) = (&change.what, change.holder) {
            self.seats.take(node, change.edition, place);
        }
        self.marks.push(Digest::of_bytes(&(self.mark(), signed.to_bytes()).to_bytes()));
        self.changes.push((signed, place));
        Ok(self.edition())
    }

    /// Takes what of `shown`, changes in order, is new or stands in the place of what is here. Whether anything was.
    pub fn take(&mut self, shown: &[Signed], notary: &impl Notary) -> Result<bool, Refusal> {
        let Some(first) = shown.first() else { return Ok(false) };
        let known = self.after(Edition(first.change.edition.0.saturating_sub(1)));
        let same = known.zip(shown).take_while(|(known, shown)| known == shown).count();
        let Some(next) = shown.get(same) else { return Ok(false) };
        let last = shown.last().map_or(Edition(0), |last| last.change.edition);
        if next.change.edition == self.edition().next() {
            let mut longer = self.clone();
            for signed in &shown[same..] {
                longer.append(signed.clone(), Sequence(0), notary)?;
            }
            *self = longer;
            return Ok(true);
        }
        if last < self.edition() || next.change.edition > self.edition() {
            return Err(Refusal::EditionIs(self.edition()));
        }
        let kept = usize::try_from(next.change.edition.0.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut other = Chain::new(self.first.clone());
        for (signed, place) in self.changes.iter().take(kept) {
            other.append(signed.clone(), *place, notary)?;
        }
        for signed in &shown[same..] {
            other.append(signed.clone(), Sequence(0), notary)?;
        }
        *self = other;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestNotary, identity, roster, signed};
    use super::*;
    use wire::NodeId;

    const NODE: Holder = Holder::Node(NodeId(1));

    fn chain() -> Chain {
        Chain::new(roster())
    }

    fn add(chain: &Chain, edition: u64, seed: u8) -> Signed {
        let what = What::KeyAdded { identity: identity(seed) };
        let change = Change { cluster: chain.cluster(), edition: Edition(edition), holder: NODE, what };
        signed(change, 1, 11)
    }

    fn retire(chain: &Chain, edition: u64, seed: u8) -> Signed {
        let what = What::KeyRetired { identity: identity(seed) };
        let change = Change { cluster: chain.cluster(), edition: Edition(edition), holder: NODE, what };
        signed(change, 1, 11)
    }

    fn append(chain: &mut Chain, signed: Signed) -> Result<Edition, Refusal> {
        chain.append(signed, Sequence(7), &TestNotary)
    }

    #[test]
    fn only_an_operator_makes_the_next_edition() {
        let mut chain = chain();
        let good = add(&chain, 1, 50);
        let cases = [
            (Signed { operator: 2, ..good.clone() }, Refusal::NoOperator),
            (Signed { operator: 9, ..good.clone() }, Refusal::NoOperator),
            (signed(good.change.clone(), 2, 12), Refusal::NoOperator),
            (signed(good.change.clone(), 1, 12), Refusal::WrongSignature),
            (add(&chain, 2, 50), Refusal::EditionIs(Edition(0))),
            (
                signed(Change { cluster: Digest([1; 32]), ..good.change.clone() }, 1, 11),
                Refusal::OtherCluster,
            ),
        ];
        for (change, refusal) in cases {
            assert_eq!(append(&mut chain, change), Err(refusal));
        }
        assert_eq!(chain, self::chain(), "what was refused left nothing behind");
        assert_eq!(append(&mut chain, good.clone()), Ok(Edition(1)));
        assert_eq!(append(&mut chain, good), Err(Refusal::EditionIs(Edition(1))), "not twice");
    }

    #[test]
    fn an_operator_whose_key_is_out_changes_nothing_any_more() {
        let mut chain = chain();
        let holder = Holder::Client(1);
        let of = |edition, what, seed| {
            let cluster = self::chain().cluster();
            signed(Change { cluster, edition: Edition(edition), holder, what }, 1, seed)
        };
        append(&mut chain, of(1, What::KeyAdded { identity: identity(70) }, 11)).expect("it has one key");
        append(&mut chain, of(2, What::KeyRetired { identity: identity(11) }, 70)).expect("either signs");
        let old = of(3, What::KeyAdded { identity: identity(71) }, 11);
        assert_eq!(append(&mut chain, old), Err(Refusal::WrongSignature));
        assert!(append(&mut chain, of(3, What::KeyAdded { identity: identity(71) }, 70)).is_ok());
    }

    #[test]
    fn whoever_has_the_first_roster_can_check_what_is_shown() {
        let mut here = chain();
        append(&mut here, add(&chain(), 1, 50)).expect("it is next");
        append(&mut here, retire(&chain(), 2, 1)).expect("it is next");
        let shown: Vec<Signed> = here.after(Edition(0)).cloned().collect();
        let mut there = chain();
        assert_eq!(there.take(&shown, &TestNotary), Ok(true));
        assert_eq!((there.mark(), there.roster()), (here.mark(), here.roster()));
        assert_eq!(there.take(&shown, &TestNotary), Ok(false), "nothing new");
        assert_eq!(there.take(&shown[..1], &TestNotary), Ok(false), "an old chain changes nothing");
        let mut forged = shown.clone();
        forged[1].signature.0[0] ^= 1;
        let mut there = chain();
        assert_eq!(there.take(&forged, &TestNotary), Err(Refusal::WrongSignature));
        assert_eq!(there, chain(), "nothing of it is taken");
    }

    #[test]
    fn what_was_taken_back_gives_way_to_what_leads_as_far_and_to_nothing_less() {
        let mut here = chain();
        append(&mut here, add(&chain(), 1, 50)).expect("it is next");
        append(&mut here, retire(&chain(), 2, 1)).expect("it is next");
        let (other, also) = (add(&chain(), 1, 60), retire(&chain(), 2, 1));
        let before = here.clone();
        let shorter = here.take(core::slice::from_ref(&other), &TestNotary);
        assert_eq!((shorter, &here), (Err(Refusal::EditionIs(Edition(2))), &before));
        assert_eq!(here.take(&[other, also], &TestNotary), Ok(true));
        assert_eq!(here.roster().get(NODE).map(|entry| entry.identities.clone()), Some(vec![identity(60)]));
    }

    #[test]
    fn a_chain_has_an_end() {
        let mut chain = chain();
        for round in 0..CHANGES_MAX as u64 / 2 {
            let (new, old) = if round % 2 == 0 { (50, 1) } else { (1, 50) };
            append(&mut chain, add(&self::chain(), 2 * round + 1, new)).expect("it is next");
            append(&mut chain, retire(&self::chain(), 2 * round + 2, old)).expect("it is next");
        }
        let one_more = add(&self::chain(), CHANGES_MAX as u64 + 1, 60);
        assert_eq!(append(&mut chain, one_more), Err(Refusal::Full));
    }
}
