//! The protection of initial packets (RFC 9001, 5): keys that everybody can make from the client's first destination.
//!
//! It hides nothing from those who see the first packet, but a packet that was not made by it is told from one that
//! was.

use super::header::{Header, V2};
use crate::Direction;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use hkdf::Hkdf;
use sha2::Sha256;

const KEY_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const SECRET_BYTES: usize = 32;
/// Bytes of a packet's number at most; the sample stands behind so many, however many there are.
const NUMBER_BYTES_MAX: usize = 4;
const SAMPLE_BYTES: usize = 16;

/// Of the draft that Facebook calls 0xfaceb002, and of the IETF's 23rd to 28th.
const SALT_DRAFT_23: [u8; 20] = [
    0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
    0xf9, 0xf5, 0x02,
];
/// Of the IETF's 29th to 32nd draft.
const SALT_DRAFT_29: [u8; 20] = [
    0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
    0x90, 0xa8, 0x99,
];
/// Of version 1 (RFC 9001, 5.2) and the last drafts.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
    0xbb, 0x7f, 0x0a,
];
/// Of version 2 (RFC 9369, 3.3.1).
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
    0xbd, 0x2e, 0xd9,
];
/// Of Google's Q050.
const SALT_Q050: [u8; 20] = [
    0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3,
    0xb5, 0x6b, 0x45,
];

/// The keys of a connection's beginning.
#[derive(Clone)]
pub(super) struct Keys {
    secret: [u8; SECRET_BYTES],
    is_v2: bool,
    sides: [Option<Box<Side>>; 2],
}

/// The keys of one side.
#[derive(Clone)]
struct Side {
    packet: Aes128Gcm,
    nonce: [u8; NONCE_BYTES],
    header: Aes128,
}

/// The packet was not made with these keys.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Foreign;

impl Keys {
    /// The keys that a packet to this destination begins; nothing for versions that protect otherwise.
    pub(super) fn of(version: u32, destination: &[u8]) -> Option<Self> {
        let salt = match version {
            0x0000_0001 | 0xff00_0021..=0xff00_0022 => SALT_1,
            V2 => SALT_2,
            0xff00_001d..=0xff00_0020 => SALT_DRAFT_29,
            0xface_b002 | 0xff00_0017..=0xff00_001c => SALT_DRAFT_23,
            0x5130_3530 => SALT_Q050,
            _ => return None,
        };
        let (secret, _) = Hkdf::<Sha256>::extract(Some(&salt), destination);
        let secret = secret.as_slice().try_into().ok()?;
        Some(Keys { secret, is_v2: version == V2, sides: [None, None] })
    }

    /// Takes the protection off `packet`, whose head was read: the content in clear.
    pub(super) fn open(
        &mut self,
        from: Direction,
        packet: &[u8],
        header: &Header<'_>,
    ) -> Result<Vec<u8>, Foreign> {
        let content = packet.get(header.bytes..header.bytes + header.content).ok_or(Foreign)?;
        let (number, behind) = content.split_first_chunk::<NUMBER_BYTES_MAX>().ok_or(Foreign)?;
        let sample = behind.first_chunk::<SAMPLE_BYTES>().ok_or(Foreign)?;
        let side = self.side(from).ok_or(Foreign)?;
        let mut mask = (*sample).into();
        side.header.encrypt_block(&mut mask);
        let first = packet.first().ok_or(Foreign)?;
        let first = first ^ (mask[0] & if header.is_long { 0x0f } else { 0x1f });
        let number_bytes = usize::from(first & 0x03) + 1;

        let mut clear = packet.get(..header.bytes + number_bytes).ok_or(Foreign)?.to_vec();
        clear[0] = first;
        let mut nonce = side.nonce;
        for place in 0..number_bytes {
            let byte = number[place] ^ mask[place + 1];
            clear[header.bytes + place] = byte;
            nonce[NONCE_BYTES - number_bytes + place] ^= byte;
        }
        let sealed = content.get(number_bytes..).ok_or(Foreign)?;
        let at = sealed.len().checked_sub(TAG_BYTES).ok_or(Foreign)?;
        let (sealed, tag) = sealed.split_at(at);
        let tag: [u8; TAG_BYTES] = tag.try_into().map_err(|_| Foreign)?;
        let mut opened = sealed.to_vec();
        side.packet
            .decrypt_inout_detached(&nonce.into(), &clear, opened.as_mut_slice().into(), &tag.into())
            .map_err(|_| Foreign)?;
        Ok(opened)
    }

    /// The keys of one side, made when they are needed first.
    fn side(&mut self, from: Direction) -> Option<&Side> {
        let place = self.sides.get_mut(from.index())?;
        if place.is_none() {
            *place = Some(Box::new(Side::of(&self.secret, from, self.is_v2)?));
        }
        place.as_deref()
    }
}

impl Side {
    fn of(secret: &[u8; SECRET_BYTES], from: Direction, is_v2: bool) -> Option<Self> {
        let label = match from {
            Direction::ToServer => "client in",
            Direction::ToClient => "server in",
        };
        let secret: [u8; SECRET_BYTES] = expanded(secret, label)?;
        let labels =
            if is_v2 { ["quicv2 key", "quicv2 iv", "quicv2 hp"] } else { ["quic key", "quic iv", "quic hp"] };
        Some(Side {
            packet: Aes128Gcm::new(&expanded::<KEY_BYTES>(&secret, labels[0])?.into()),
            nonce: expanded(&secret, labels[1])?,
            header: Aes128::new(&expanded::<KEY_BYTES>(&secret, labels[2])?.into()),
        })
    }
}

/// HKDF-Expand-Label (RFC 8446, 7.1) without a context.
fn expanded<const N: usize>(secret: &[u8; SECRET_BYTES], label: &str) -> Option<[u8; N]> {
    const PREFIX: &str = "tls13 ";
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(PREFIX.len() + label.len()).ok()?];
    let info = [&length[..], &label_length, PREFIX.as_bytes(), label.as_bytes(), &[0]];
    let mut key = [0; N];
    Hkdf::<Sha256>::from_prk(secret).ok()?.expand_multi_info(&info, &mut key).ok()?;
    Some(key)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Seals `content` behind the clear head `head`, whose last bytes are the packet's number: the whole packet.
    pub(in super::super) fn seal(
        keys: &mut Keys,
        from: Direction,
        head: &[u8],
        number_bytes: usize,
        content: &[u8],
    ) -> Vec<u8> {
        let side = keys.side(from).expect("keys");
        let mut nonce = side.nonce;
        let number = &head[head.len() - number_bytes..];
        number.iter().zip(&mut nonce[NONCE_BYTES - number_bytes..]).for_each(|(byte, place)| *place ^= byte);
        let mut sealed = content.to_vec();
        let tag = side
            .packet
            .encrypt_inout_detached(&nonce.into(), head, sealed.as_mut_slice().into())
            .expect("short");
        let mut packet = [head, &sealed, tag.as_slice()].concat();
        let number_at = head.len() - number_bytes;
        let sample: [u8; SAMPLE_BYTES] =
            packet[number_at + NUMBER_BYTES_MAX..][..SAMPLE_BYTES].try_into().expect("long enough");
        let mut mask = sample.into();
        side.header.encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        (0..number_bytes).for_each(|place| packet[number_at + place] ^= mask[place + 1]);
        packet
    }

    #[test]
    fn the_keys_of_the_standards_example_are_made() {
        let destination = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        let keys = Keys::of(1, &destination).expect("version 1");
        let hex = crate::app::fingerprint::hex;
        let secret: [u8; SECRET_BYTES] = expanded(&keys.secret, "client in").expect("a secret");
        assert_eq!(hex(&secret), "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea");
        assert_eq!(
            hex(&expanded::<16>(&secret, "quic key").expect("a key")),
            "1f369613dd76d5467730efcbe3b1a22d"
        );
        assert_eq!(hex(&expanded::<12>(&secret, "quic iv").expect("a nonce")), "fa044b2f42a3fd3b46fb255c");
        assert_eq!(
            hex(&expanded::<16>(&secret, "quic hp").expect("a key")),
            "9f50449e04a0e810283a1e9933adedd2"
        );
    }

    #[test]
    fn versions_without_known_keys_have_none() {
        assert!(Keys::of(V2, b"x").is_some() && Keys::of(0xff00_001d, b"x").is_some());
        assert!(Keys::of(0, b"x").is_none() && Keys::of(0x5130_3436, b"x").is_none());
    }
}
