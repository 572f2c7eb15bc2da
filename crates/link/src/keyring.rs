//! The keys of a node's replica, of a node's monitor, or of a client: [`wire::Keys`] with real cryptography.
//!
//! - **MACs**: keyed BLAKE3, its first 16 bytes ([`crate::mac`]). For each pair of holders and each direction there is a key:
//!   derived by BLAKE3 from what their X25519 keys agree on, for who speaks to whom and for their public keys. So a MAC is
//!   never taken for one in the other direction, and not after either has changed a key.
//! - **Signatures**: Ed25519, checked strictly against the key pinned for the signer.
//! - **Seals**: the same under the key that monitors share. Whoever was not given it makes zeros, and takes no seal.
//!
//! Upon a peer: its holder is looked up in the roster ([`Pins`]); one that is not there, or whose key has ended by the time that
//!   the driver told, is nobody: no MAC or signature of it is valid, a MAC for it is zeros.
//! Upon a roster that was replaced: before the next proof, keys are computed for those whose identity is new.
//! Upon a holder that changes keys: while the roster names two of its, proofs by either are taken. What is for it is made for the older one
//!   until it has once proven something by the newer one, which it then has: so when the older one is out nobody speaks to it by that. Upon a new secret of our own: what we say is proven by that; the one before
//!   serves to check what others say to us for as long as the roster names it.
//!
//! A keyring is for one thread; its clones share secrets, roster and time. Two clones may be on two threads.

use crate::holder::Holder;
use crate::identity::PublicIdentity;
use crate::mac::{MacKey, derive};
use crate::pins::{KEYS_MAX, Pins, Roster};
use crate::secret::{SealKey, SecretIdentity};
use crate::wall_time::WallTime;
use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use wire::{Keys, Peer, Signature, Tag};

/// What a key between two holders is derived for.
const MAC_KEY_USE: &str = "varangian 2026-11-21 a key for MACs of one holder to another";

/// What nobody takes for a MAC or a seal.
const NO_TAG: Tag = Tag([0; 16]);

/// The keys of one holder.
#[derive(Clone)]
pub struct Keyring {
    me: Holder,
    secrets: Secrets,
    seal: Option<MacKey>,
    pins: Arc<Pins>,
    table: RefCell<Table>,
}

/// The secrets of one holder: the one in force, and the one before. Clones share them.
#[derive(Clone)]
struct Secrets(Arc<RwLock<Vec<SecretIdentity>>>);

impl Secrets {
    /// Whoever died with the lock in hand left a whole list behind.
    fn all(&self) -> Vec<SecretIdentity> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sign(&self, body: &[u8]) -> [u8; 64] {
        let secrets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        secrets.first().map_or([0; 64], |secret| secret.sign(body))
    }

    fn put_first(&self, secret: &SecretIdentity) {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let new = secret.public(None);
        secrets.retain(|other| !other.public(None).has_keys_of(&new));
        secrets.insert(0, secret.clone());
        secrets.truncate(KEYS_MAX);
    }
}

/// What was computed of a roster.
#[derive(Clone, Default)]
struct Table {
    edition: u64,
    /// Our own public keys that count, the one in force first.
    own: Vec<PublicIdentity>,
    entries: BTreeMap<Holder, Entry>,
}

/// One holder, and the keys for MACs to and from it.
#[derive(Clone)]
struct Entry {
    /// Of each identity, the keys for MACs by it; none where nothing can be agreed on.
    identities: Vec<(PublicIdentity, Vec<MacKey>)>,
    /// For each of them.
    to: Vec<Option<MacKey>>,
    /// The newest that it has proven something by.
    spoken: usize,
}

impl Entry {
    fn is_of(&self, identities: &[PublicIdentity]) -> bool {
        self.identities.len() == identities.len()
            && self.identities.iter().zip(identities).all(|((one, _), other)| one == other)
    }
}

impl Keyring {
    /// The keys of `me`, whose secret is `secret`; with `seal`, those of a monitor.
    #[must_use]
    pub fn new(me: Holder, secret: &SecretIdentity, seal: Option<&SealKey>, pins: Arc<Pins>) -> Keyring {
        let keyring = Keyring {
            me,
            secrets: Secrets(Arc::new(RwLock::new(vec![secret.clone()]))),
            seal: seal.map(SealKey::mac_key),
            pins,
            table: RefCell::default(),
        };
        // Now rather than at the first message, which would wait.
        keyring.entry(me, |_| ());
        keyring
    }

    /// The same keys without that of seals. A new secret of either is the other's too.
    #[must_use]
    pub fn without_seal(&self) -> Keyring {
        Keyring { seal: None, ..self.clone() }
    }

    /// We have a new secret: from now on what we say is proven by it, wherever these keys are shared.
    pub fn switch_to(&self, secret: &SecretIdentity) {
        self.secrets.put_first(secret);
        self.pins.touch();
    }

    /// Whose keys they are.
    #[must_use]
    pub fn me(&self) -> Holder {
        self.me
    }

    /// Whom they go by.
    #[must_use]
    pub fn pins(&self) -> &Arc<Pins> {
        &self.pins
    }

    /// Tells what time it is: to these keys, and to everything that goes by the same [`Pins`].
    pub fn set_now(&self, now: WallTime) {
        self.pins.set_now(now);
    }

    /// What `with` makes of the entry of `holder`, if it is somebody.
    fn entry<T>(&self, holder: Holder, with: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut table = self.table.borrow_mut();
        if table.edition != self.pins.edition() {
            let (roster, edition) = self.pins.roster_and_edition();
            *table = self.computed(&roster, edition, &table);
        }
        table.entries.get_mut(&holder).map(with)
    }

    /// Whether `peer` has proven something by one of its identities; from now on the newest of those is in use.
    fn is_proven(&self, peer: Peer, by: impl Fn(&PublicIdentity, &[MacKey]) -> bool) -> bool {
        let judge = |entry: &mut Entry| {
            let taken = |(identity, keys): &(PublicIdentity, Vec<MacKey>)| {
                !self.is_expired(identity) && by(identity, keys)
            };
            let proven = entry.identities.iter().position(taken);
            entry.spoken = entry.spoken.max(proven.unwrap_or(0));
            proven.is_some()
        };
        self.entry(Holder::of(peer), judge).unwrap_or(false)
    }

    fn is_expired(&self, identity: &PublicIdentity) -> bool {
        identity.is_expired(self.pins.now())
    }

    /// What follows from `roster`. What was computed before for the same keys is kept.
    fn computed(&self, roster: &Roster, edition: u64, before: &Table) -> Table {
        let mut secrets = self.secrets.all();
        // The one in force counts even if the roster does not know it yet; the one before only as long as it does.
        let known = roster.all(self.me);
        let mut first = true;
        secrets.retain(|secret| {
            let public = secret.public(None);
            core::mem::take(&mut first) || known.iter().any(|identity| identity.has_keys_of(&public))
        });
        let own: Vec<PublicIdentity> = secrets.iter().map(|secret| secret.public(None)).collect();
        let entries = roster
            .iter()
            .map(|(holder, identities)| {
                let same = before.entries.get(&holder).filter(|entry| entry.is_of(identities));
                let kept = same.filter(|_| before.own == own).cloned();
                let spoken = same.map_or(0, |entry| entry.spoken);
                (holder, kept.unwrap_or_else(|| self.entry_of(&secrets, holder, identities, spoken)))
            })
            .collect();
        Table { edition, own, entries }
    }

    fn entry_of(
        &self,
        secrets: &[SecretIdentity],
        holder: Holder,
        identities: &[PublicIdentity],
        spoken: usize,
    ) -> Entry {
        let from = |theirs: &PublicIdentity| {
            secrets.iter().filter_map(|own| self.mac_key(own, holder, theirs, false)).collect()
        };
        let to = |theirs| self.mac_key(secrets.first()?, holder, theirs, true);
        Entry {
            spoken,
            to: identities.iter().map(to).collect(),
            identities: identities.iter().map(|theirs| (theirs.clone(), from(theirs))).collect(),
        }
    }

    /// The key for MACs between us by `own` and `holder` by `theirs`: to it, or from it.
    fn mac_key(
        &self,
        own: &SecretIdentity,
        holder: Holder,
        theirs: &PublicIdentity,
        to: bool,
    ) -> Option<MacKey> {
        let shared = own.agree(theirs)?;
        let (me, other) = ((self.me, own.public(None).keys()), (holder, theirs.keys()));
        let ((from, from_keys), (to, to_keys)) = if to { (me, other) } else { (other, me) };
        Some(MacKey::new(&derive(MAC_KEY_USE, &shared, &[&from.code(), &from_keys, &to.code(), &to_keys])))
    }
}

impl Keys for Keyring {
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
        let made = |entry: &mut Entry| {
            let (identity, _) = entry.identities.get(entry.spoken)?;
            let key = entry.to.get(entry.spoken)?.as_ref().filter(|_| !self.is_expired(identity))?;
            Some(key.tag(parts))
        };
        self.entry(Holder::of(to), made).flatten().unwrap_or(NO_TAG)
    }

    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool {
        self.is_proven(from, |_, keys| keys.iter().any(|key| key.accepts(parts, tag)))
    }

    fn sign(&self, body: &[u8]) -> Signature {
        Signature(self.secrets.sign(body))
    }

    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool {
        self.is_proven(signer, |identity, _| identity.has_signed(body, &signature.0))
    }

    fn seal(&self, body: &[u8]) -> Tag {
        self.seal.as_ref().map_or(NO_TAG, |key| key.tag(&[body]))
    }

    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool {
        self.seal.as_ref().is_some_and(|key| key.accepts(&[body], tag))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.secrets.all();
        let fingerprints = secrets.iter().map(|secret| secret.public(None).fingerprint());
        write!(f, "Keyring({}, {:?})", self.me, fingerprints.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holder::ClientNumber;
    use wire::NodeId;

    const CLIENT: ClientNumber = ClientNumber(7);

    fn secret(seed: u8) -> SecretIdentity {
        SecretIdentity::from_bytes(&[seed; 32], &[seed + 100; 32])
    }

    fn peer(node: u16) -> Peer {
        Peer::Node(NodeId(node))
    }

    fn holder(node: u8) -> Holder {
        NodeId(u16::from(node)).into()
    }

    /// Nodes 1, 2, 3 and a client; node 3's key ends at 1000.
    fn roster() -> Roster {
        let end = Some(WallTime(1000));
        Roster::new([
            (holder(1), secret(1).public(None)),
            (holder(2), secret(2).public(None)),
            (holder(3), secret(3).public(end)),
            (CLIENT.into(), secret(7).public(None)),
        ])
        .expect("it is one")
    }

    fn pins() -> Arc<Pins> {
        Arc::new(Pins::new(roster(), WallTime(999)))
    }

    fn keys(node: u8) -> Keyring {
        Keyring::new(holder(node), &secret(node), None, pins())
    }

    fn client_keys() -> Keyring {
        Keyring::new(CLIENT.into(), &secret(7), None, pins())
    }

    const PARTS: &[&[u8]] = &[b"head", b"body"];

    #[test]
    fn a_mac_convinces_its_receiver_and_nobody_else() {
        let tag = keys(1).mac(peer(2), PARTS);
        assert!(keys(2).mac_is_valid(peer(1), PARTS, &tag));
        assert!(!keys(2).mac_is_valid(peer(1), &[b"head", b"bodY"], &tag));
        assert!(!keys(2).mac_is_valid(peer(1), &[b"heaD", b"body"], &tag));
        assert!(!keys(2).mac_is_valid(peer(3), PARTS, &tag));
        assert!(!keys(3).mac_is_valid(peer(1), PARTS, &tag));
        assert!(!keys(1).mac_is_valid(peer(2), PARTS, &tag), "not even reflected");
    }

    #[test]
    fn all_sessions_of_a_client_are_heard_and_nobody_speaks_for_them() {
        for session in [0, 1, u16::MAX] {
            let client = Peer::Client(CLIENT.session(2, session));
            let tag = client_keys().mac(peer(1), PARTS);
            assert!(keys(1).mac_is_valid(client, PARTS, &tag));
            assert!(!keys(1).mac_is_valid(peer(7), PARTS, &tag), "client 7 is not node 7");
            let tag = keys(1).mac(client, PARTS);
            assert!(client_keys().mac_is_valid(peer(1), PARTS, &tag));
            let forged = keys(2).mac(peer(1), PARTS);
            assert!(!keys(1).mac_is_valid(client, PARTS, &forged));
        }
    }

    #[test]
    fn a_node_can_check_what_it_said_to_itself() {
        let tag = keys(1).mac(peer(1), PARTS);
        assert!(keys(1).mac_is_valid(peer(1), PARTS, &tag));
    }

    #[test]
    fn a_signature_convinces_everybody_of_its_signer() {
        let client = Peer::Client(CLIENT.session(2, 3));
        let signature = client_keys().sign(b"body");
        assert!(keys(2).signature_is_valid(client, b"body", &signature));
        assert!(!keys(2).signature_is_valid(peer(1), b"body", &signature));
        assert!(!keys(2).signature_is_valid(client, b"", &signature));
        let mut wrong = signature;
        wrong.0[63] ^= 1;
        assert!(!keys(2).signature_is_valid(client, b"body", &wrong));
    }

    #[test]
    fn only_monitors_seal_and_only_they_can_tell() {
        let key = SealKey::from_bytes(&[9; 32]);
        let monitor = |node: u8| Keyring::new(holder(node), &secret(node), Some(&key), pins());
        let seal = monitor(1).seal(b"body");
        assert!(monitor(2).seal_is_valid(b"body", &seal));
        assert!(!monitor(2).seal_is_valid(b"bodY", &seal));
        let forged = keys(2).seal(b"body");
        assert!(!monitor(1).seal_is_valid(b"body", &forged));
        assert!(!keys(2).seal_is_valid(b"body", &seal));
        assert!(!keys(2).seal_is_valid(b"body", &forged));
    }

    #[test]
    fn a_stranger_is_nobody() {
        let stranger = Keyring::new(holder(9), &secret(9), None, pins());
        let tag = stranger.mac(peer(1), PARTS);
        assert!(!keys(1).mac_is_valid(peer(9), PARTS, &tag));
        assert!(!keys(1).mac_is_valid(peer(9), PARTS, &NO_TAG));
        assert!(!keys(1).signature_is_valid(peer(9), b"body", &stranger.sign(b"body")));
        assert_eq!(keys(1).mac(peer(9), PARTS), NO_TAG);
        assert_eq!(keys(1).mac(Peer::Client(ClientNumber(8).session(0, 0)), PARTS), NO_TAG);
    }

    #[test]
    fn from_the_end_of_its_key_on_nobody_takes_its_word() {
        let receiver = keys(1);
        let tag = keys(3).mac(peer(1), PARTS);
        let signature = keys(3).sign(b"body");
        assert!(receiver.mac_is_valid(peer(3), PARTS, &tag));
        assert!(receiver.signature_is_valid(peer(3), b"body", &signature));
        receiver.set_now(WallTime(1000));
        assert!(!receiver.mac_is_valid(peer(3), PARTS, &tag));
        assert!(!receiver.signature_is_valid(peer(3), b"body", &signature));
        assert_eq!(receiver.mac(peer(3), PARTS), NO_TAG);
        assert!(receiver.mac_is_valid(peer(2), PARTS, &keys(2).mac(peer(1), PARTS)), "the others go on");
    }

    #[test]
    fn a_new_roster_counts_from_the_next_proof_on() {
        let receiver = keys(1);
        let old = keys(2).mac(peer(1), PARTS);
        assert!(receiver.mac_is_valid(peer(2), PARTS, &old));
        let roster = Roster::new([
            (holder(1), secret(1).public(None)),
            (holder(2), secret(22).public(None)),
            (holder(9), secret(9).public(None)),
        ])
        .expect("it is one");
        receiver.pins().replace(roster.clone());
        assert!(!receiver.mac_is_valid(peer(2), PARTS, &old), "the old key is out");
        let pins = Arc::new(Pins::new(roster, WallTime(999)));
        for (node, seed) in [(2, 22), (9, 9)] {
            let sender = Keyring::new(holder(node), &secret(seed), None, Arc::clone(&pins));
            let tag = sender.mac(peer(1), PARTS);
            assert!(receiver.mac_is_valid(peer(u16::from(node)), PARTS, &tag), "node {node}");
        }
        let gone = keys(3);
        assert!(!receiver.mac_is_valid(peer(3), PARTS, &gone.mac(peer(1), PARTS)));
    }

    /// Node 2 changes from its secret to another one, step by step; node 1 and it understand each other at every one.
    #[test]
    fn a_holder_changes_keys_and_is_understood_all_the_while() {
        let (old, new) = (secret(2), secret(22));
        let of = |keys: Vec<PublicIdentity>| {
            let one = vec![secret(1).public(None)];
            Roster::of([(holder(1), one), (holder(2), keys)]).expect("it is one")
        };
        let (one, two) = (keys(1), keys(2));
        let understand = |when: &str| {
            assert!(one.mac_is_valid(peer(2), PARTS, &two.mac(peer(1), PARTS)), "{when}");
            assert!(two.mac_is_valid(peer(1), PARTS, &one.mac(peer(2), PARTS)), "{when}");
            assert!(one.signature_is_valid(peer(2), b"body", &two.sign(b"body")), "{when}");
        };
        let both = || of(vec![old.public(None), new.public(None)]);
        one.pins().replace(both());
        understand("one knows, the other does not");
        two.pins().replace(both());
        understand("both know");
        let (by_old, signed_by_old) = (two.mac(peer(1), PARTS), two.sign(b"body"));
        let for_old = one.mac(peer(2), PARTS);
        two.without_seal().switch_to(&new);
        assert_ne!(two.mac(peer(1), PARTS), by_old, "it speaks by the new one");
        understand("it has switched");
        assert!(one.mac_is_valid(peer(2), PARTS, &by_old), "what is under way still counts");
        assert!(two.mac_is_valid(peer(1), PARTS, &for_old), "in both directions");
        assert_ne!(one.mac(peer(2), PARTS), for_old, "it is spoken to by the key that it speaks by");
        let stale = keys(1);
        stale.pins().replace(both());
        assert!(stale.mac_is_valid(peer(2), PARTS, &two.mac(peer(1), PARTS)));
        one.pins().replace(of(vec![new.public(None)]));
        two.pins().replace(of(vec![new.public(None)]));
        understand("the old one is retired");
        assert!(
            two.mac_is_valid(peer(1), PARTS, &stale.mac(peer(2), PARTS)),
            "who has not heard of that is heard"
        );
        assert!(!one.mac_is_valid(peer(2), PARTS, &by_old));
        assert!(!one.signature_is_valid(peer(2), b"body", &signed_by_old));
        assert!(
            !two.mac_is_valid(peer(1), PARTS, &for_old),
            "who has stolen the old one deceives nobody with it"
        );
    }

    /// What a door asks of its keys, and that a thread can be given some.
    #[test]
    fn a_keyring_can_be_cloned_and_handed_to_a_thread() {
        fn takes<K: Keys + Clone + Send + 'static>(keys: K) -> Tag {
            std::thread::spawn(move || keys.mac(peer(2), PARTS)).join().expect("it does not panic")
        }
        assert!(keys(2).mac_is_valid(peer(1), PARTS, &takes(keys(1))));
    }

    #[test]
    fn clones_go_by_the_same_time_and_roster() {
        let receiver = keys(1);
        let clone = receiver.clone();
        let tag = keys(3).mac(peer(1), PARTS);
        receiver.set_now(WallTime(1000));
        assert!(!clone.mac_is_valid(peer(3), PARTS, &tag));
    }

    /// Nodes of other builds derive the same keys: when this fails, change the date in [`MAC_KEY_USE`].
    #[test]
    fn the_bytes_of_a_mac_do_not_change_unnoticed() {
        let tag = keys(1).mac(peer(2), PARTS);
        assert_eq!(tag.0.map(|byte| format!("{byte:02x}")).concat(), "e1ecb6903d7e79480608514de9f25bb1");
    }
}
