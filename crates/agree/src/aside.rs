//! What a client and a node say to each other beside the protocol: an inquiry, and the account that answers it.
//!
//! Upon an *inquiry*: a client's station asks one node how it is, by a number that it drew for the occasion. The process that holds
//!   the node's links answers, whatever the replica does and whether or not there is a quorum; no protocol hears of it, and no
//!   replica can say such a thing, since what it says goes out as frames.
//! Upon an *account* that carries the same number: it is the answer, and not an older one.
//! Both carry a MAC between the client and the node over all of it and over who says it: so a plain link tells, too, who it was.
//!
//! Not here: how often a client may ask. That is the node's business.

use crate::account::{ACCOUNT_BYTES_MAX, Account};
use bytes::Bytes;
use core::fmt;
use wire::frame::ASIDE;
use wire::{ClientId, Decode, DecodeError, Encode, Keys, NodeId, Peer, Reader, Tag};

/// The version of what asides look like.
const VERSION: u8 = 3;

/// Stands before what the MAC of an aside is over.
const LABEL: &[u8; 15] = b"varangian aside";

/// What is said beside the protocol between a client and a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Aside {
    /// A client asks how the node is.
    Inquiry,
    /// The node says how it is.
    Account(Box<Account>),
}

/// An aside as it travels.
///
/// ```text
/// '?' | version u8 | number u64 | what u8 | account | MAC
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// The number of the inquiry.
    pub number: u64,
    /// What is said.
    pub aside: Aside,
    /// The MAC of whoever says it, for whoever hears it.
    pub tag: Tag,
}

/// Why an aside is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadAside {
    /// It does not decode.
    Malformed(DecodeError),
    /// Its MAC is not that of whoever is at the other end of the link.
    WrongMac,
    /// It is no inquiry, where one was to come, or no account.
    Misplaced,
    /// It answers another inquiry.
    AnotherNumber,
}

impl fmt::Display for BadAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadAside::Malformed(error) => write!(f, "it does not decode: {error}"),
            BadAside::WrongMac => {
                f.write_str("its MAC is wrong; right would be one of whoever is at the other end")
            }
            BadAside::Misplaced => {
                f.write_str("a node is asked and a client is answered, not the other way round")
            }
            BadAside::AnotherNumber => f.write_str("it answers another inquiry than the last one"),
        }
    }
}

impl core::error::Error for BadAside {}

impl Encode for Sealed {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&[ASIDE, VERSION]);
        self.number.encode(to);
        self.aside.encode(to);
        self.tag.encode(to);
    }
}

impl Decode for Sealed {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let [mark, version] = from.array()?;
        if mark != ASIDE || version != VERSION {
            let tag = if mark == ASIDE { version } else { mark };
            return Err(DecodeError::UnknownTag { of: "aside", tag });
        }
        Ok(Sealed { number: u64::decode(from)?, aside: Aside::decode(from)?, tag: Tag::decode(from)? })
    }
}

impl Encode for Aside {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Aside::Inquiry => to.push(0),
            Aside::Account(account) => {
                to.push(1);
                account.encode(to);
            }
        }
    }
}

impl Decode for Aside {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(Aside::Inquiry),
            1 => {
                let start = from.position();
                let account = Account::decode(from)?;
                let (found, limit) = ((from.position() - start) as u64, ACCOUNT_BYTES_MAX as u64);
                match found > limit {
                    true => Err(DecodeError::OverLimit { field: "account", found, limit }),
                    false => Ok(Aside::Account(Box::new(account))),
                }
            }
            tag => Err(DecodeError::UnknownTag { of: "aside", tag }),
        }
    }
}

/// What the MAC of an aside is over, beside the aside itself: who says it, and in which inquiry.
fn head(from: Peer, number: u64) -> [u8; LABEL.len() + 18] {
    let (kind, name) = match from {
        Peer::Node(node) => (0, u64::from(node.0)),
        Peer::Client(client) => (1, client.0),
    };
    let mut head = [0; LABEL.len() + 18];
    let (label, rest) = head.split_at_mut(LABEL.len());
    label.copy_from_slice(LABEL);
    rest[0] = VERSION;
    rest[1] = kind;
    rest[2..10].copy_from_slice(&name.to_le_bytes());
    rest[10..].copy_from_slice(&number.to_le_bytes());
    head
}

/// What `from` says to `to`, whose keys are `keys`.
fn seal(keys: &impl Keys, from: Peer, to: Peer, number: u64, aside: Aside) -> Bytes {
    let tag = keys.mac(to, &[&head(from, number), &aside.to_bytes()]);
    Sealed { number, aside, tag }.to_bytes()
}

fn open(keys: &impl Keys, from: Peer, bytes: Bytes) -> Result<(u64, Aside), BadAside> {
    let Sealed { number, aside, tag } = Sealed::from_bytes(bytes).map_err(BadAside::Malformed)?;
    match keys.mac_is_valid(from, &[&head(from, number), &aside.to_bytes()], &tag) {
        true => Ok((number, aside)),
        false => Err(BadAside::WrongMac),
    }
}

/// The inquiry `number` of the station `me` to `node`.
pub fn ask(keys: &impl Keys, me: ClientId, node: NodeId, number: u64) -> Bytes {
    seal(keys, me.into(), node.into(), number, Aside::Inquiry)
}

/// The number of the inquiry that came over the link to the station `from`.
pub fn asked(keys: &impl Keys, from: ClientId, bytes: Bytes) -> Result<u64, BadAside> {
    match open(keys, from.into(), bytes)? {
        (number, Aside::Inquiry) => Ok(number),
        (_, Aside::Account(_)) => Err(BadAside::Misplaced),
    }
}

/// The answer of the node `me` to the inquiry `number` of the station `to`.
pub fn answer(keys: &impl Keys, me: NodeId, to: ClientId, number: u64, account: Account) -> Bytes {
    seal(keys, me.into(), to.into(), number, Aside::Account(Box::new(account)))
}

/// The account that came over the link to `node`, if it answers the inquiry `number`.
pub fn answered(keys: &impl Keys, node: NodeId, number: u64, bytes: Bytes) -> Result<Account, BadAside> {
    match open(keys, node.into(), bytes)? {
        (found, Aside::Account(account)) if found == number => Ok(*account),
        (_, Aside::Account(_)) => Err(BadAside::AnotherNumber),
        (_, Aside::Inquiry) => Err(BadAside::Misplaced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::{account, full};
    use wire::{Digest, Signature};

    const CLIENT: ClientId = ClientId(6 << 40);

    /// Whose keys they are; a MAC is a digest that both ends, and nobody else, compute.
    struct Pair(Peer);

    fn tag(from: Peer, to: Peer, parts: &[&[u8]]) -> Tag {
        let bytes = [&from.to_bytes()[..], &to.to_bytes(), &parts.concat()].concat();
        Tag(Digest::of_bytes(&bytes).0[..16].try_into().expect("it is long enough"))
    }

    impl Keys for Pair {
        fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag {
            tag(self.0, to, parts)
        }
        fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], found: &Tag) -> bool {
            tag(from, self.0, parts) == *found
        }
        fn sign(&self, _: &[u8]) -> Signature {
            Signature([0; 64])
        }
        fn signature_is_valid(&self, _: Peer, _: &[u8], _: &Signature) -> bool {
            false
        }
        fn seal(&self, _: &[u8]) -> Tag {
            Tag([0; 16])
        }
        fn seal_is_valid(&self, _: &[u8], _: &Tag) -> bool {
            false
        }
    }

    fn keys() -> (Pair, Pair) {
        (Pair(CLIENT.into()), Pair(NodeId(2).into()))
    }

    #[test]
    fn an_inquiry_is_answered_with_its_number() {
        let (client, node) = keys();
        let inquiry = ask(&client, CLIENT, NodeId(2), 77);
        assert_eq!(inquiry[0], ASIDE);
        assert_eq!(asked(&node, CLIENT, inquiry), Ok(77));
        let answer = answer(&node, NodeId(2), CLIENT, 77, full());
        assert_eq!(answered(&client, NodeId(2), 77, answer.clone()), Ok(full()));
        assert_eq!(answered(&client, NodeId(2), 78, answer.clone()), Err(BadAside::AnotherNumber));
        assert_eq!(answered(&client, NodeId(1), 77, answer.clone()), Err(BadAside::WrongMac));
        assert_eq!(
            asked(&node, CLIENT, answer.clone()),
            Err(BadAside::WrongMac),
            "not in the other direction"
        );
        let other = Pair(NodeId(1).into());
        assert_eq!(answered(&other, NodeId(2), 77, answer), Err(BadAside::WrongMac));
    }

    #[test]
    fn no_bit_of_an_account_can_be_changed_on_the_way() {
        let (client, node) = keys();
        let bytes = answer(&node, NodeId(2), CLIENT, 77, account());
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.to_vec();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(answered(&client, NodeId(2), 77, changed.into()).is_err(), "bit {at}");
        }
    }

    /// Bytes on the wire are a promise to nodes of other builds: when this fails, raise [`VERSION`].
    #[test]
    fn the_bytes_of_an_inquiry_do_not_change_unnoticed() {
        let sealed = Sealed { number: 258, aside: Aside::Inquiry, tag: Tag([7; 16]) };
        let expected = [&[b'?', 3, 2, 1, 0, 0, 0, 0, 0, 0, 0][..], &[7; 16]].concat();
        assert_eq!(&sealed.to_bytes()[..], expected);
        assert_eq!(Sealed::from_bytes(expected.into()), Ok(sealed));
    }

    /// The same for what the account holds.
    #[test]
    fn the_bytes_of_an_account_do_not_change_unnoticed() {
        let digest = Digest::of(&full()).to_string();
        assert_eq!((VERSION, digest.as_str()), (3, "2e06d39d"), "another account is another version");
    }
}
