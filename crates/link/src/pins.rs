//! Whom we know: the identities that a configuration names, and what time it is.
//!
//! Upon a roster: no holder twice, no key with two holders, one key for each holder, or two while it changes keys ([`KEYS_MAX`]), at most `NODES_MAX` nodes and [`CLIENTS_MAX`] clients.
//! Upon a new roster, when somebody is admitted, replaced or has a new key: every [`Keyring`](crate::Keyring) goes by it from its
//!   next MAC on, every handshake from its next verdict on. Links that are open are the transport's business: it asks
//!   [`tls::holder_of`](crate::tls::holder_of) again and drops those that nobody holds any more.
//! Upon the time, which the driver tells: keys whose end it has reached are taken no more.
//!
//! **Why a lock.** One thread replaces the roster a few times in a cluster's life, others read it once per handshake; a keyring
//! looks at a counter and takes the lock only when that has moved. Nothing is computed while it is held.

use crate::holder::Holder;
use crate::identity::{Fingerprint, PublicIdentity};
use crate::wall_time::WallTime;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use wire::auth::NODES_MAX;

/// Clients that a roster names at most, each with any number of sessions.
pub const CLIENTS_MAX: usize = 4096;

/// Identities of one holder at most: one, and another while it changes.
pub const KEYS_MAX: usize = 2;

/// Identities and their holders.
#[derive(Clone, Default, Debug)]
pub struct Roster {
    identities: BTreeMap<Holder, Vec<PublicIdentity>>,
    holders: BTreeMap<[u8; 32], Holder>,
}

/// Why identities make no roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadRoster {
    /// A holder is named twice.
    NamedTwice(Holder),
    /// A holder has no key, or more than [`KEYS_MAX`].
    Keys(Holder, usize),
    /// Two holders have a key in common.
    SharedKey(Holder, Holder),
    /// There are more nodes than [`NODES_MAX`].
    TooManyNodes,
    /// There are more clients than [`CLIENTS_MAX`].
    TooManyClients,
}

/// Why a key is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// No holder has it.
    Key,
    /// It has ended.
    Expired {
        /// Whose it is.
        holder: Holder,
        /// Since when.
        since: WallTime,
        /// Which one.
        fingerprint: Fingerprint,
    },
}

/// The roster that counts now, and the time. Shared by everything that judges keys.
#[derive(Debug)]
pub struct Pins {
    roster: RwLock<Arc<Roster>>,
    /// Grows with every roster.
    edition: AtomicU64,
    now: AtomicU64,
}

impl Roster {
    /// The roster of these identities.
    pub fn new(identities: impl IntoIterator<Item = (Holder, PublicIdentity)>) -> Result<Roster, BadRoster> {
        Roster::of(identities.into_iter().map(|(holder, identity)| (holder, vec![identity])))
    }

    /// The roster of these holders, each with the identities that are taken for its own, the one in force first.
    pub fn of(holders: impl IntoIterator<Item = (Holder, Vec<PublicIdentity>)>) -> Result<Roster, BadRoster> {
        let mut roster = Roster::default();
        let mut agreements = BTreeMap::new();
        let (mut nodes, mut clients) = (0, 0);
        for (holder, identities) in holders {
            match holder {
                Holder::Node(_) => nodes += 1,
                Holder::Client(_) => clients += 1,
            }
            if nodes > NODES_MAX {
                return Err(BadRoster::TooManyNodes);
            }
            if clients > CLIENTS_MAX {
                return Err(BadRoster::TooManyClients);
            }
            if roster.identities.contains_key(&holder) {
                return Err(BadRoster::NamedTwice(holder));
            }
            if !(1..=KEYS_MAX).contains(&identities.len()) {
                return Err(BadRoster::Keys(holder, identities.len()));
            }
            for identity in &identities {
                let same_signing = roster.holders.insert(*identity.signing_key(), holder);
                let same_agreement = agreements.insert(identity.agreement, holder);
                if let Some(other) = same_signing.or(same_agreement) {
                    return Err(BadRoster::SharedKey(other, holder));
                }
            }
            roster.identities.insert(holder, identities);
        }
        Ok(roster)
    }

    /// The identity of `holder` that is in force.
    #[must_use]
    pub fn get(&self, holder: Holder) -> Option<&PublicIdentity> {
        self.all(holder).first()
    }

    /// The identities that are taken for those of `holder`, the one in force first.
    #[must_use]
    pub fn all(&self, holder: Holder) -> &[PublicIdentity] {
        self.identities.get(&holder).map_or(&[], Vec::as_slice)
    }

    /// The identity of `holder` with this Ed25519 key.
    #[must_use]
    pub fn with_key(&self, holder: Holder, signing_key: &[u8; 32]) -> Option<&PublicIdentity> {
        self.all(holder).iter().find(|identity| identity.signing_key() == signing_key)
    }

    /// Everybody, nodes first.
    pub fn iter(&self) -> impl Iterator<Item = (Holder, &[PublicIdentity])> {
        self.identities.iter().map(|(holder, identities)| (*holder, identities.as_slice()))
    }
}

impl Pins {
    /// The roster to go by, and the time at which.
    #[must_use]
    pub fn new(roster: Roster, now: WallTime) -> Pins {
        let roster = RwLock::new(Arc::new(roster));
        Pins { roster, edition: AtomicU64::new(1), now: AtomicU64::new(now.0) }
    }

    /// Goes by another roster from now on.
    pub fn replace(&self, roster: Roster) {
        // Whoever died with the lock in hand left a whole roster behind: it is one pointer.
        let mut held = self.roster.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(roster);
        self.edition.fetch_add(1, Ordering::Release);
    }

    /// What was computed of the roster is computed again: somebody who goes by it has a new secret.
    pub(crate) fn touch(&self) {
        self.edition.fetch_add(1, Ordering::Release);
    }

    /// Tells what time it is.
    pub fn set_now(&self, now: WallTime) {
        self.now.store(now.0, Ordering::Relaxed);
    }

    /// What time it is, as was last told.
    #[must_use]
    pub fn now(&self) -> WallTime {
        WallTime(self.now.load(Ordering::Relaxed))
    }

    /// The roster that counts.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        self.roster_and_edition().0
    }

    /// Who holds this Ed25519 key.
    pub fn holder_of(&self, signing_key: &[u8; 32]) -> Result<Holder, Unknown> {
        let roster = self.roster();
        let holder = *roster.holders.get(signing_key).ok_or(Unknown::Key)?;
        let identity = roster.with_key(holder, signing_key).ok_or(Unknown::Key)?;
        match identity.expires().filter(|_| identity.is_expired(self.now())) {
            None => Ok(holder),
            Some(since) => Err(Unknown::Expired { holder, since, fingerprint: identity.fingerprint() }),
        }
    }

    pub(crate) fn roster_and_edition(&self) -> (Arc<Roster>, u64) {
        let held = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&held), self.edition())
    }

    pub(crate) fn edition(&self) -> u64 {
        self.edition.load(Ordering::Acquire)
    }
}

impl fmt::Display for BadRoster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRoster::NamedTwice(holder) => write!(f, "{holder} is named twice; once is right"),
            BadRoster::Keys(holder, found) => {
                write!(f, "{holder} has {found} keys; one is right, or {KEYS_MAX} while it changes")
            }
            BadRoster::SharedKey(one, other) => {
                write!(f, "{one} and {other} have the same key; each needs an identity of its own")
            }
            BadRoster::TooManyNodes => write!(f, "there are more than {NODES_MAX} nodes; that is the most"),
            BadRoster::TooManyClients => {
                write!(
                    f,
                    "there are more than {CLIENTS_MAX} clients; that is the most, each with any number of sessions"
                )
            }
        }
    }
}

impl core::error::Error for BadRoster {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holder::ClientNumber;
    use crate::secret::SecretIdentity;
    use wire::NodeId;

    fn identity(seed: u8) -> PublicIdentity {
        SecretIdentity::from_bytes(&[seed; 32], &[seed; 32]).public(None)
    }

    fn node(number: u16) -> Holder {
        NodeId(number).into()
    }

    #[test]
    fn a_key_has_one_holder_and_a_holder_one_key() {
        assert_eq!(
            Roster::new([(node(1), identity(1)), (node(1), identity(2))]).map(|_| ()),
            Err(BadRoster::NamedTwice(node(1)))
        );
        let client = ClientNumber(1).into();
        let half = SecretIdentity::from_bytes(&[2; 32], &[1; 32]).public(None);
        for same in [identity(1), half] {
            assert_eq!(
                Roster::new([(node(1), identity(1)), (client, same)]).map(|_| ()),
                Err(BadRoster::SharedKey(node(1), client))
            );
        }
    }

    #[test]
    fn a_holder_that_changes_keys_is_known_by_both() {
        let holder = node(1);
        let roster = Roster::of([(holder, vec![identity(1), identity(2)])]).expect("it is one");
        assert_eq!(roster.get(holder), Some(&identity(1)), "the first is in force");
        let pins = Pins::new(roster, WallTime(0));
        for seed in [1, 2] {
            assert_eq!(pins.holder_of(identity(seed).signing_key()), Ok(holder));
        }
        for keys in [Vec::new(), vec![identity(1), identity(2), identity(3)]] {
            let count = keys.len();
            assert_eq!(Roster::of([(holder, keys)]).map(|_| ()), Err(BadRoster::Keys(holder, count)));
        }
    }

    #[test]
    fn a_roster_is_bounded() {
        let nodes = (0..65_u8).map(|number| (node(u16::from(number)), identity(number)));
        assert_eq!(Roster::new(nodes).map(|_| ()), Err(BadRoster::TooManyNodes));
    }

    #[test]
    fn an_ended_key_has_no_holder_and_the_reason_names_who_had_it() {
        let end = WallTime(1000);
        let roster = Roster::new([(node(1), identity(1).until(Some(end)))]).expect("it is one");
        let pins = Pins::new(roster, WallTime(999));
        let key = *identity(1).signing_key();
        assert_eq!(pins.holder_of(&key), Ok(node(1)));
        pins.set_now(end);
        let fingerprint = identity(1).fingerprint();
        assert_eq!(pins.holder_of(&key), Err(Unknown::Expired { holder: node(1), since: end, fingerprint }));
        assert_eq!(pins.holder_of(&[9; 32]), Err(Unknown::Key));
    }
}
