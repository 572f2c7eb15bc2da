//! Who somebody is: two public keys and the day on which they end, as one line of text.
//!
//! ```text
//! varangian2:BASE64:2028-11-21
//!            │      └ from this moment on nobody takes the keys; `never` if there is none
//!            └ Ed25519 key (32 bytes), X25519 key (32), the first two bytes of a hash of both
//! ```
//!
//! Two keys, with secrets that have nothing to do with each other: Ed25519 signs (messages, and the handshake of TLS), X25519
//! agrees on MAC keys. One secret for both would save 32 bytes and couple two proofs of security.
//!
//! Upon a line of text: it must be whole and of our version, the sum must fit (a slip of the hand is told from another key),
//!   and neither key may be of low order (with such a one everybody can agree or sign), else it is refused with what was found.
//!
//! Whoever pins a line vouches for all of it, its end included; nothing in it is signed. For the secret half see
//! [`crate::secret`].

use crate::wall_time::WallTime;
use base64ct::{Base64, Encoding};
use core::fmt;
use core::str::FromStr;
use ed25519_dalek::{Signature, VerifyingKey};

/// What a public identity begins with.
const PREFIX: &str = "varangian2:";

/// The same of builds whose sum was another.
const PREFIX_BEFORE: &str = "varangian1:";
const NEVER: &str = "never";

const KEYS_BYTES: usize = 64;
const SUM_BYTES: usize = 2;

/// Characters of the text of an identity at most.
pub const IDENTITY_CHARACTERS_MAX: usize = 160;

/// Somebody's public keys, and when they end.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicIdentity {
    pub(crate) verifying: VerifyingKey,
    pub(crate) agreement: [u8; 32],
    expires: Option<WallTime>,
}

/// A short name of two keys for people to compare: the first 80 bits of a hash of both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 10]);

/// Why a line is no identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadIdentity {
    /// It does not begin as identities do.
    NoIdentity,
    /// It begins with a secret: what must never be shown was put where everybody reads.
    Secret,
    /// It is of an earlier build.
    Earlier,
    /// What should be keys is not the right number of bytes in Base64.
    Encoding,
    /// The sum does not fit.
    Sum,
    /// The bytes are no keys that can be used.
    Keys,
    /// It does not say when it ends, or wrongly.
    Expiry(String),
}

impl PublicIdentity {
    pub(crate) fn new(verifying: VerifyingKey, agreement: [u8; 32], expires: Option<WallTime>) -> Self {
        PublicIdentity { verifying, agreement, expires }
    }

    /// The moment from which on nobody takes the keys.
    #[must_use]
    pub fn expires(&self) -> Option<WallTime> {
        self.expires
    }

    /// Whether nobody takes the keys any more.
    #[must_use]
    pub fn is_expired(&self, now: WallTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// The same keys with another end.
    #[must_use]
    pub fn until(&self, expires: Option<WallTime>) -> PublicIdentity {
        PublicIdentity { expires, ..self.clone() }
    }

    /// Whether both have the same keys, whenever they end.
    #[must_use]
    pub fn has_keys_of(&self, other: &PublicIdentity) -> bool {
        self.keys() == other.keys()
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut fingerprint = [0; 10];
        fingerprint.copy_from_slice(&digest(&self.keys())[..10]);
        Fingerprint(fingerprint)
    }

    /// The Ed25519 key.
    #[must_use]
    pub fn signing_key(&self) -> &[u8; 32] {
        self.verifying.as_bytes()
    }

    /// The X25519 key.
    #[must_use]
    pub fn agreement_key(&self) -> &[u8; 32] {
        &self.agreement
    }

    /// Whether `signature` over `body` is by the secret half. Strictly: of the signatures that some implementations take and
    /// others do not, none is taken, so that all nodes judge alike.
    #[must_use]
    pub fn has_signed(&self, body: &[u8], signature: &[u8; 64]) -> bool {
        self.verifying.verify_strict(body, &Signature::from_bytes(signature)).is_ok()
    }

    pub(crate) fn keys(&self) -> [u8; KEYS_BYTES] {
        let mut keys = [0; KEYS_BYTES];
        keys[..32].copy_from_slice(self.verifying.as_bytes());
        keys[32..].copy_from_slice(&self.agreement);
        keys
    }
}

fn digest(keys: &[u8; KEYS_BYTES]) -> [u8; 32] {
    blake3::derive_key("varangian identity: its sum and its fingerprint", keys)
}

/// Whether everybody knows what this key agrees on with any other.
fn is_of_low_order(agreement: [u8; 32]) -> bool {
    x25519_dalek::x25519([1; 32], agreement) == [0; 32]
}

impl FromStr for PublicIdentity {
    type Err = BadIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > IDENTITY_CHARACTERS_MAX {
            return Err(BadIdentity::NoIdentity);
        }
        if text.starts_with("varangian-secret") {
            return Err(BadIdentity::Secret);
        }
        if text.starts_with(PREFIX_BEFORE) {
            return Err(BadIdentity::Earlier);
        }
        let rest = text.strip_prefix(PREFIX).ok_or(BadIdentity::NoIdentity)?;
        let (base64, end) = rest.split_once(':').ok_or(BadIdentity::Expiry(String::new()))?;
        let expires = match end {
            NEVER => None,
            end => Some(end.parse::<WallTime>().map_err(|error| BadIdentity::Expiry(error.to_string()))?),
        };
        let mut bytes = [0; KEYS_BYTES + SUM_BYTES];
        match Base64::decode(base64, &mut bytes) {
            Ok(decoded) if decoded.len() == KEYS_BYTES + SUM_BYTES => {}
            Ok(_) | Err(_) => return Err(BadIdentity::Encoding),
        }
        let (keys, sum) = bytes.split_first_chunk::<KEYS_BYTES>().ok_or(BadIdentity::Encoding)?;
        if digest(keys)[..SUM_BYTES] != *sum {
            return Err(BadIdentity::Sum);
        }
        let (verifying, agreement) = keys.split_first_chunk::<32>().ok_or(BadIdentity::Encoding)?;
        let agreement = <[u8; 32]>::try_from(agreement).map_err(|_| BadIdentity::Encoding)?;
        let verifying = VerifyingKey::from_bytes(verifying).map_err(|_| BadIdentity::Keys)?;
        if verifying.is_weak() || is_of_low_order(agreement) {
            return Err(BadIdentity::Keys);
        }
        Ok(PublicIdentity { verifying, agreement, expires })
    }
}

impl fmt::Display for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let mut bytes = [0; KEYS_BYTES + SUM_BYTES];
        bytes[..KEYS_BYTES].copy_from_slice(&keys);
        bytes[KEYS_BYTES..].copy_from_slice(&digest(&keys)[..SUM_BYTES]);
        write!(f, "{PREFIX}{}:", Base64::encode_string(&bytes))?;
        match self.expires {
            None => f.write_str(NEVER),
            Some(end) => end.fmt(f),
        }
    }
}

impl fmt::Debug for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicIdentity({})", self.fingerprint())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks_exact(2).enumerate() {
            let dash = if index == 0 { "" } else { "-" };
            write!(f, "{dash}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadIdentity::NoIdentity => write!(f, "this is no public identity; one begins with '{PREFIX}'"),
            BadIdentity::Earlier => write!(
                f,
                "this identity is of an earlier build, and begins with '{PREFIX_BEFORE}' in the place of '{PREFIX}'; make the \
                 cluster anew (varangian init)"
            ),
            BadIdentity::Secret => f.write_str(
                "this is a SECRET identity where a public one belongs: whoever has read this file can speak in its \
                 holder's name; make a new identity",
            ),
            BadIdentity::Encoding => {
                write!(f, "after '{PREFIX}' there must be {} characters of Base64", (KEYS_BYTES + SUM_BYTES) / 3 * 4)
            }
            BadIdentity::Sum => f.write_str("a character of the identity is wrong: its sum does not fit; copy it again"),
            BadIdentity::Keys => f.write_str("the identity's bytes are no keys that can be used; make a new identity"),
            BadIdentity::Expiry(why) if why.is_empty() => {
                f.write_str("the identity does not say when it ends; it must end in ':2028-11-21' or ':never'")
            }
            BadIdentity::Expiry(why) => write!(f, "the identity's end: {why}, or never"),
        }
    }
}

impl core::error::Error for BadIdentity {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretIdentity;

    fn identity() -> PublicIdentity {
        let end = "2028-11-21".parse().expect("it is a date");
        SecretIdentity::from_bytes(&[7; 32], &[8; 32]).public(Some(end))
    }

    fn line_of(keys: &[u8; 64]) -> String {
        let mut bytes = keys.to_vec();
        bytes.extend_from_slice(&digest(keys)[..2]);
        format!("{PREFIX}{}:never", Base64::encode_string(&bytes))
    }

    #[test]
    fn an_identity_is_read_as_it_is_written() {
        for identity in [identity(), identity().until(None), identity().until(Some(WallTime(1_800_000_001)))]
        {
            let line = identity.to_string();
            assert_eq!(line.parse(), Ok(identity));
            assert!(
                line.len() <= IDENTITY_CHARACTERS_MAX && !line.contains(['"', '\\', '\n', ' ']),
                "{line}"
            );
        }
    }

    /// Operators have these lines in their files: when this fails, raise the version in [`PREFIX`].
    #[test]
    fn the_text_of_an_identity_does_not_change_unnoticed() {
        assert_eq!(
            identity().to_string(),
            "varangian2:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iwx1KtqzuyWETeRcDeTbmBxb6xXOv6U2dqEqAIESN/BEjZG:2028-11-21"
        );
        assert_eq!(identity().fingerprint().to_string(), "3646-f43f-dc44-8ab1-1a1e");
    }

    #[test]
    fn a_slip_of_the_hand_is_told_from_another_key() {
        let line = identity().to_string();
        for at in PREFIX.len()..PREFIX.len() + 88 {
            let mut wrong = line.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).expect("it was text");
            let error = wrong.parse::<PublicIdentity>().expect_err(&wrong);
            assert!(matches!(error, BadIdentity::Sum | BadIdentity::Keys), "{error}");
        }
    }

    #[test]
    fn what_is_no_identity_is_refused_with_the_reason() {
        let line = identity().to_string();
        for (wrong, said) in [
            (String::new(), "one begins with 'varangian2:'"),
            ("x".repeat(1 << 20), "one begins with 'varangian2:'"),
            (line.replace("varangian2", "varangian3"), "one begins with 'varangian2:'"),
            (line.replace("varangian2", "varangian1"), "of an earlier build"),
            (line.replace(":2028-11-21", ""), "must end in ':2028-11-21' or ':never'"),
            (line.replace("2028-11-21", "tomorrow"), "'tomorrow' is no moment"),
            ("varangian2:AAAA:never".to_string(), "88 characters of Base64"),
            (line.replace("varangian2:", "varangian2:\u{e9}"), "88 characters of Base64"),
            (line_of(&[0; 64]), "no keys that can be used"),
            ("varangian-secret1:AAAA".to_string(), "SECRET"),
        ] {
            let error = wrong.parse::<PublicIdentity>().expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    /// With such a key everybody could compute what it agrees on with any other.
    #[test]
    fn keys_of_low_order_are_refused() {
        let mut keys = identity().keys();
        for low in [0_u8, 1] {
            keys[32..].fill(0);
            keys[32] = low;
            assert_eq!(line_of(&keys).parse::<PublicIdentity>(), Err(BadIdentity::Keys));
        }
        let mut keys = identity().keys();
        keys[..32].fill(0);
        keys[0] = 1;
        assert_eq!(line_of(&keys).parse::<PublicIdentity>(), Err(BadIdentity::Keys));
    }

    #[test]
    fn an_identity_ends_at_its_moment_and_not_before() {
        let end = identity().expires().expect("it ends");
        assert!(!identity().is_expired(WallTime(end.0 - 1)));
        assert!(identity().is_expired(end));
        assert!(!identity().until(None).is_expired(WallTime(u64::MAX)));
    }

    #[test]
    fn the_fingerprint_is_of_both_keys_and_of_nothing_else() {
        let one = SecretIdentity::from_bytes(&[1; 32], &[2; 32]).public(None);
        let other_agreement = SecretIdentity::from_bytes(&[1; 32], &[3; 32]).public(None);
        let other_signing = SecretIdentity::from_bytes(&[4; 32], &[2; 32]).public(None);
        assert_ne!(one.fingerprint(), other_agreement.fingerprint());
        assert_ne!(one.fingerprint(), other_signing.fingerprint());
        assert_eq!(one.fingerprint(), one.until(Some(WallTime(1))).fingerprint());
    }
}
