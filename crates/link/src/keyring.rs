//! The keys of a node's replica, of a node's monitor, or of a client: [`wire::Keys`] with real cryptography.
//!
//! - **MACs**: HMAC-SHA256 cut to 16 bytes ([`crate::mac`]). For each pair of holders and each direction there is a key:
//!   HKDF-SHA256 of what their X25519 keys agree on, expanded for who speaks to whom and for their public keys. So a MAC is
//!   never taken for one in the other direction, and not after either has changed a key.
//! - **Signatures**: Ed25519, checked strictly against the key pinned for the signer.
//! - **Seals**: HMAC-SHA256 under the key that monitors share. Whoever was not given it makes zeros, and takes no seal.
//!
//! Upon a peer: its holder is looked up in the roster ([`Pins`]); one that is not there, or whose key has ended by the time that
//!   the driver told, is nobody: no MAC or signature of it is valid, a MAC for it is zeros.
//! Upon a roster that was replaced: before the next proof, keys are computed for those whose identity is new.
//!
//! A keyring is for one thread; its clones share secrets, roster and time. Two clones may be on two threads.

use crate::holder::Holder;
use crate::identity::PublicIdentity;
use crate::mac::{MacKey, derive};
use crate::pins::{Pins, Roster};
use crate::secret::{SealKey, SecretIdentity};
use crate::wall_time::WallTime;
use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::{Keys, Peer, Signature, Tag};

/// Stands before everything that MAC keys are derived from.
const MAC_KEY_LABEL: &[u8] = b"varangian mac key 1";

/// What nobody takes for a MAC or a seal.
const NO_TAG: Tag = Tag([0; 16]);

/// The keys of one holder.
#[derive(Clone)]
pub struct Keyring {
    me: Holder,
    secret: SecretIdentity,
    seal: Option<MacKey>,
    pins: Arc<Pins>,
    table: RefCell<Table>,
}

/// What was computed of a roster.
#[derive(Clone, Default)]
struct Table {
    edition: u64,
    entries: BTreeMap<Holder, Entry>,
}

/// One holder, and the keys for MACs to and from it.
#[derive(Clone)]
struct Entry {
    identity: PublicIdentity,
    /// Nothing where nothing can be agreed on.
    macs: Option<Directions>,
}

#[derive(Clone)]
struct Directions {
    to: MacKey,
    from: MacKey,
}

impl Keyring {
    /// The keys of `me`, whose secret is `secret`; with `seal`, those of a monitor.
    #[must_use]
    pub fn new(me: Holder, secret: &SecretIdentity, seal: Option<&SealKey>, pins: Arc<Pins>) -> Keyring {
        let keyring = Keyring {
            me,
            secret: secret.clone(),
            seal: seal.map(SealKey::mac_key),
            pins,
            table: RefCell::default(),
        };
        // Now rather than at the first message, which would wait.
        keyring.entry(me, |_| ());
        keyring
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
    fn entry<T>(&self, holder: Holder, with: impl FnOnce(&Entry) -> T) -> Option<T> {
        let mut table = self.table.borrow_mut();
        if table.edition != self.pins.edition() {
            let (roster, edition) = self.pins.roster_and_edition();
            *table = Table { edition, entries: self.entries(&roster, &table.entries) };
        }
        table.entries.get(&holder).filter(|entry| !entry.identity.is_expired(self.pins.now())).map(with)
    }

    /// The entries for `roster`. Those of holders whose keys are as `before` are kept.
    fn entries(&self, roster: &Roster, before: &BTreeMap<Holder, Entry>) -> BTreeMap<Holder, Entry> {
        let own = self.secret.public(None);
        roster
            .iter()
            .map(|(holder, identity)| {
                let macs = match before.get(&holder) {
                    Some(entry) if entry.identity.has_keys_of(identity) => entry.macs.clone(),
                    Some(_) | None => self.directions(&own, holder, identity),
                };
                (holder, Entry { identity: identity.clone(), macs })
            })
            .collect()
    }

    fn directions(
        &self,
        own: &PublicIdentity,
        holder: Holder,
        theirs: &PublicIdentity,
    ) -> Option<Directions> {
        let shared = self.secret.agree(theirs)?;
        let key = |(from, from_keys): (Holder, [u8; 64]), (to, to_keys): (Holder, [u8; 64])| {
            MacKey::new(&derive(MAC_KEY_LABEL, &*shared, &[&from.code(), &from_keys, &to.code(), &to_keys]))
        };
        let (me, other) = ((self.me, own.keys()), (holder, theirs.keys()));
        Some(Directions { to: key(me, other), from: key(other, me) })
    }
}

impl Keys for Keyring {
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
        self.entry(Holder::of(to), |entry| entry.macs.as_ref().map(|macs| macs.to.tag(parts)))
            .flatten()
            .unwrap_or(NO_TAG)
    }

    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool {
        self.entry(Holder::of(from), |entry| {
            entry.macs.as_ref().is_some_and(|macs| macs.from.accepts(parts, tag))
        })
        .unwrap_or(false)
    }

    fn sign(&self, body: &[u8]) -> Signature {
        Signature(self.secret.sign(body))
    }

    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool {
        self.entry(Holder::of(signer), |entry| entry.identity.has_signed(body, &signature.0)).unwrap_or(false)
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
        write!(f, "Keyring({}, {})", self.me, self.secret.public(None).fingerprint())
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

    /// Nodes of other builds derive the same keys: when this fails, raise the number in [`MAC_KEY_LABEL`].
    #[test]
    fn the_bytes_of_a_mac_do_not_change_unnoticed() {
        let tag = keys(1).mac(peer(2), PARTS);
        assert_eq!(tag.0.map(|byte| format!("{byte:02x}")).concat(), "eae9a3e7854092ad3e971a786f3b7914");
    }
}
