//! A service, and beside it the chain of changes of the roster.
//!
//! Upon a command that begins with [`MARK`]: it is for the chain. A change is appended or refused by name; one that is there already
//!   is done, so that whoever lost the answer may ask again; a look tells the changes after an edition, a page at a time.
//! Upon any other command: the service executes it. No service has commands of its own that begin with the mark.
//!
//! The chain is in the snapshot and in the digest, once there is a change. So a cluster whose roster never changed is, byte
//! for byte, in the states in which it always was, but for an empty chain at the end of its snapshots.

use super::chain::{CHANGES_MAX, Chain};
use super::change::{Edition, Signed};
use super::entries::{Refusal, Roster};
use super::{Notary, Seats};
use crate::service::{RestoreError, Service};
use bytes::Bytes;
use wire::{Decode, DecodeError, Digest, Encode, Reader, Sequence, codec_struct};

/// What a command for the chain begins with. The service's own begin with a small number.
pub const MARK: &[u8] = b"\xffroster1";

/// Changes that one look tells at most.
pub const PAGE_CHANGES_MAX: usize = 64;

/// What the chain is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// To take one more change.
    Change(Box<Signed>),
    /// To tell the changes after this edition.
    Look(Edition),
}

/// What it answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The change is in it; this is the edition now.
    Done(Edition),
    /// It is not.
    Refused(Refusal),
    /// What it knows.
    Chain(Page),
}

/// A page of the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Of which cluster.
    pub cluster: Digest,
    /// The edition now.
    pub edition: Edition,
    /// The next changes after the edition asked for; if they do not lead to the present one there are more.
    pub changes: Vec<Signed>,
}
codec_struct!(Page |from| {
    cluster = Digest::decode(from),
    edition,
    changes = from.list("changes", PAGE_CHANGES_MAX),
});

/// A service with a chain.
#[derive(Clone, Hash, Debug)]
pub struct Governed<S, N> {
    service: S,
    chain: Chain,
    notary: N,
    /// The place of the batch that is being executed.
    place: Sequence,
}

impl<S, N> Governed<S, N> {
    /// `service`, in a cluster that begins with the roster `first`.
    pub fn new(service: S, first: Roster, notary: N) -> Self {
        Governed { service, chain: Chain::new(first), notary, place: Sequence::ZERO }
    }

    /// The service proper.
    pub fn service(&self) -> &S {
        &self.service
    }
}

impl<S: Service, N: Notary> Governed<S, N> {
    fn answer(&mut self, command: Bytes) -> Answer {
        match Command::from_bytes(command) {
            Ok(Command::Look(after)) => Answer::Chain(Page {
                cluster: self.chain.cluster(),
                edition: self.chain.edition(),
                changes: self.chain.after(after).take(PAGE_CHANGES_MAX).cloned().collect(),
            }),
            Ok(Command::Change(signed)) if self.chain.holds(&signed.change) => {
                Answer::Done(self.chain.edition())
            }
            Ok(Command::Change(signed)) => match self.chain.append(*signed, self.place, &self.notary) {
                Ok(edition) => Answer::Done(edition),
                Err(refusal) => Answer::Refused(refusal),
            },
            Err(_) => Answer::Refused(Refusal::Nonsense),
        }
    }
}

impl<S: Service, N: Notary> Service for Governed<S, N> {
    fn begin(&mut self, place: Sequence) {
        self.place = place;
        self.service.begin(place);
    }

    fn apply(&mut self, command: &Bytes) -> Bytes {
        match command.starts_with(MARK) {
            true => self.answer(command.clone()).to_bytes(),
            false => self.service.apply(command),
        }
    }

    fn digest(&self) -> Digest {
        match self.chain.edition() {
            Edition(0) => self.service.digest(),
            Edition(_) => Digest::of_bytes(&(self.service.digest(), self.chain.mark()).to_bytes()),
        }
    }

    fn snapshot(&self) -> Bytes {
        // At the end, so that a service's state of a gigabyte is not moved for it.
        let mut bytes = Vec::from(self.service.snapshot());
        let length = bytes.len();
        let changes: Vec<(Signed, Sequence)> = self.chain.placed_after(Edition(0)).cloned().collect();
        Tail { cluster: self.chain.cluster(), changes }.encode(&mut bytes);
        let tail = (bytes.len() - length) as u64;
        tail.encode(&mut bytes);
        Bytes::from(bytes)
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let cut = || RestoreError { reason: "it has no roster at its end".into() };
        let at = snapshot.len().checked_sub(8).ok_or_else(cut)?;
        let tail = u64::from_bytes(snapshot.slice(at..))?;
        let start = usize::try_from(tail).ok().and_then(|tail| at.checked_sub(tail)).ok_or_else(cut)?;
        let tail = Tail::from_bytes(snapshot.slice(start..at))?;
        let mut chain = Chain::new(self.chain.first().clone());
        if tail.cluster != chain.cluster() {
            let reason = "its first roster is another than that of the files; right would be the files as they were first made";
            return Err(RestoreError { reason: reason.into() });
        }
        for (signed, place) in tail.changes {
            chain
                .append(signed, place, &self.notary)
                .map_err(|refusal| RestoreError { reason: format!("a change in it: {refusal}") })?;
        }
        self.service.restore(&snapshot.slice(..start))?;
        self.chain = chain;
        Ok(())
    }

    fn seats(&self) -> &Seats {
        self.chain.seats()
    }

    fn chain(&self) -> Option<&Chain> {
        Some(&self.chain)
    }
}

/// What stands at the end of a snapshot.
struct Tail {
    cluster: Digest,
    changes: Vec<(Signed, Sequence)>,
}
codec_struct!(Tail |from| {
    cluster = Digest::decode(from),
    changes = from.list("changes", CHANGES_MAX),
});

impl Encode for Command {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(MARK);
        match self {
            Command::Change(signed) => {
                to.push(0);
                signed.encode(to);
            }
            Command::Look(after) => {
                to.push(1);
                after.encode(to);
            }
        }
    }
}

impl Decode for Command {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.take(MARK.len())? != MARK {
            return Err(DecodeError::Inconsistent { what: "a command for the roster without its mark" });
        }
        match u8::decode(from)? {
            0 => Signed::decode(from).map(|signed| Command::Change(Box::new(signed))),
            1 => Edition::decode(from).map(Command::Look),
            tag => Err(DecodeError::UnknownTag { of: "command for the roster", tag }),
        }
    }
}

impl Encode for Answer {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Answer::Done(edition) => {
                to.push(0);
                edition.encode(to);
            }
            Answer::Refused(refusal) => {
                to.push(1);
                refusal.encode(to);
            }
            Answer::Chain(page) => {
                to.push(2);
                page.encode(to);
            }
        }
    }
}

impl Decode for Answer {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Edition::decode(from).map(Answer::Done),
            1 => Refusal::decode(from).map(Answer::Refused),
            2 => Page::decode(from).map(Answer::Chain),
            tag => Err(DecodeError::UnknownTag { of: "answer about the roster", tag }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestNotary, identity, roster, signed};
    use super::super::{Change, Holder, What};
    use super::*;
    use crate::request::RESULT_BYTES_MAX;
    use crate::testing::Journalist;
    use wire::NodeId;

    type Service_ = Governed<Journalist, TestNotary>;

    fn governed() -> Service_ {
        Governed::new(Journalist::default(), roster(), TestNotary)
    }

    fn change(edition: u64, what: What) -> Command {
        let cluster = roster().digest();
        let holder = Holder::Node(NodeId(1));
        Command::Change(Box::new(signed(Change { cluster, edition: Edition(edition), holder, what }, 1, 11)))
    }

    fn ask(service: &mut Service_, command: &Command) -> Answer {
        Answer::from_bytes(service.apply(&command.to_bytes())).expect("it is an answer")
    }

    fn added(seed: u8) -> What {
        What::KeyAdded { identity: identity(seed) }
    }

    #[test]
    fn the_services_own_commands_and_states_are_as_they_were() {
        let (mut one, mut other) = (governed(), Journalist::default());
        let command = Bytes::from_static(b"\x01write");
        assert_eq!(one.apply(&command), other.apply(&command));
        assert_eq!(one.digest(), other.digest());
    }

    #[test]
    fn a_change_is_done_once_and_asked_for_again_is_done_still() {
        let mut service = governed();
        let before = service.digest();
        let first = change(1, added(50));
        assert_eq!(ask(&mut service, &first), Answer::Done(Edition(1)));
        assert_ne!(service.digest(), before);
        assert_eq!(ask(&mut service, &first), Answer::Done(Edition(1)));
        let other = change(1, added(51));
        assert_eq!(ask(&mut service, &other), Answer::Refused(Refusal::EditionIs(Edition(1))));
        let Answer::Chain(page) = ask(&mut service, &Command::Look(Edition(0))) else { panic!("a look") };
        assert_eq!((page.edition, page.changes.len()), (Edition(1), 1));
        let nonsense = service.apply(&Bytes::from_static(b"\xffroster1?"));
        assert_eq!(Answer::from_bytes(nonsense), Ok(Answer::Refused(Refusal::Nonsense)));
    }

    #[test]
    fn what_is_restored_is_what_was_there() {
        let mut service = governed();
        service.apply(&Bytes::from_static(b"\x01write"));
        service.begin(Sequence(9));
        let replaced = What::Replaced { identity: identity(60), address: Bytes::from_static(b"there") };
        assert_eq!(ask(&mut service, &change(1, replaced)), Answer::Done(Edition(1)));
        let mut restored = governed();
        restored.restore(&service.snapshot()).expect("it is one");
        assert_eq!((restored.digest(), restored.snapshot()), (service.digest(), service.snapshot()));
        assert_eq!(restored.seats().since, Sequence(9));
        assert_eq!(restored.seats().of(NodeId(1)), Edition(1));
    }

    #[test]
    fn a_snapshot_of_another_cluster_or_with_a_forged_change_is_refused() {
        let mut service = governed();
        assert_eq!(ask(&mut service, &change(1, added(50))), Answer::Done(Edition(1)));
        let whole = service.snapshot();
        let mut other = Governed::new(Journalist::default(), Roster::default(), TestNotary);
        assert!(other.restore(&whole).expect_err("another").to_string().contains("first roster"));
        for length in 0..whole.len() {
            assert!(governed().restore(&whole.slice(..length)).is_err(), "cut at {length}");
        }
        let mut forged = whole.to_vec();
        let at = forged.len() - 8 - 8 - 1;
        forged[at] ^= 1;
        assert!(
            governed().restore(&Bytes::from(forged)).expect_err("forged").to_string().contains("signature")
        );
    }

    #[test]
    fn a_full_page_fits_a_result() {
        let identity = Bytes::from(vec![b'x'; super::super::change::IDENTITY_BYTES_MAX]);
        let address = Bytes::from(vec![b'x'; super::super::change::ADDRESS_BYTES_MAX]);
        let largest = Change {
            cluster: Digest([0; 32]),
            edition: Edition(1),
            holder: Holder::Client(1),
            what: What::Replaced { identity, address },
        };
        let changes = vec![signed(largest, 1, 1); PAGE_CHANGES_MAX];
        let page = Page { cluster: Digest([0; 32]), edition: Edition(64), changes };
        assert!(Answer::Chain(page).to_bytes().len() <= RESULT_BYTES_MAX);
    }
}
