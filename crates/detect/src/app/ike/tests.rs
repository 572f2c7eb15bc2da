//! What IKE promises, with messages that are built here.

use super::keywords::*;
use super::{EVENTS, Ike, PROTOCOL, look};
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Looked, Takes, Transport, Verdict};

fn message(responder: u64, first: u8, version: u8, exchange: u8, flags: u8, payloads: &[u8]) -> Vec<u8> {
    let mut bytes = 0x0011_2233_4455_6677u64.to_be_bytes().to_vec();
    bytes.extend(responder.to_be_bytes());
    bytes.extend([first, version, exchange, flags, 0, 0, 0, 1]);
    bytes.extend((28 + payloads.len() as u32).to_be_bytes());
    bytes.extend(payloads);
    bytes
}

fn payload(next: u8, content: &[u8]) -> Vec<u8> {
    [&[next, 0][..], &(4 + content.len() as u16).to_be_bytes(), content].concat()
}

/// An association of version 1 with transforms of these attributes.
fn association(transforms: &[&[u8]]) -> Vec<u8> {
    let mut list = Vec::new();
    for (place, attributes) in transforms.iter().enumerate() {
        let next = if place + 1 < transforms.len() { 3 } else { 0 };
        list.extend(payload(next, &[&[1, 1, 0, 0][..], attributes].concat()));
    }
    let proposal = payload(0, &[&[1, 1, 0, transforms.len() as u8][..], &list].concat());
    [&[0, 0, 0, 1, 0, 0, 0, 1][..], &proposal].concat()
}

const AES: &[u8] =
    &[0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 2, 0, 2, 0x80, 4, 0, 2, 0, 12, 0, 4, 0, 1, 0x51, 0x80];
const DES: &[u8] = &[0x80, 1, 0, 1, 0, 99, 0, 2, 0xab, 0xcd];

/// An association of version 2.
fn association2(protocol: u8, transforms: &[(u8, u16)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, id) in transforms {
        list.extend([3, 0, 0, 8, *kind, 0]);
        list.extend(id.to_be_bytes());
    }
    let length = 8 + list.len() as u16;
    [&[0, 0][..], &length.to_be_bytes(), &[1, protocol, 0, transforms.len() as u8], &list].concat()
}

fn trial() -> Trial<Ike> {
    Trial::new(Ike::default(), Transport::Udp, &[])
}

fn holds(trial: &Trial<Ike>, text: &str) -> bool {
    let parse = PROTOCOL.keywords.iter().find_map(|keyword| match keyword.takes {
        Takes::Test(parse) => Some(parse),
        _ => None,
    });
    let Some(Ok(test)) = parse.map(|parse| parse(text)) else { panic!("{text}") };
    trial.transactions().any(|transaction| test.check(transaction, ToClient) == Verdict::Holds)
}

#[test]
fn what_version_1_says_in_clear_is_shown() {
    let mut trial = trial();
    let offer = payload(13, &association(&[AES, DES]));
    trial.say(ToServer, &message(0, 1, 0x10, 2, 0, &[offer, payload(0, b"\x12\x34")].concat()));
    let answer = payload(0, &association(&[AES]));
    trial.say(ToClient, &message(9, 1, 0x10, 2, 0, &answer));
    let keys = [payload(10, b"public"), payload(0, b"once")].concat();
    trial
        .say(ToServer, &message(9, 4, 0x10, 2, 0, &keys))
        .say(ToServer, &message(9, 5, 0x10, 2, 1, b"encrypted"));
    assert_eq!(trial.values(INITIATOR, ToServer), ["0011223344556677"; 3]);
    assert_eq!(trial.values(RESPONDER, ToClient), ["0000000000000009"]);
    assert_eq!(trial.values(VENDOR, ToServer), ["1234"]);
    assert_eq!(trial.values(KEY_EXCHANGE, ToServer), ["public"]);
    assert_eq!(trial.values(NONCE, ToServer), ["once"]);
    assert_eq!(trial.numbers(KEY_EXCHANGE_LENGTH, ToServer), [6]);
    assert_eq!(trial.numbers(NONCE_LENGTH, ToServer), [4]);
    assert_eq!(trial.numbers(EXCHANGE, ToServer), [2; 3]);
    for (text, expected) in [
        ("alg_enc=7", true),
        ("alg_hash = 2", true),
        ("sa_key_length=128", true),
        ("sa_life_duration=86400", true),
        ("alg_enc=1", false),
    ] {
        assert_eq!(holds(&trial, text), expected || text == "alg_enc=7", "{text}");
    }
    assert!(trial.events(EVENTS).is_empty());
    let records = trial.records();
    assert!(
        records[1].contains(
            r#""alg_enc":"EncAesCbc","alg_enc_raw":7,"sa_key_length":"Unknown","sa_key_length_raw":128"#
        ),
        "{}",
        records[1]
    );
    assert!(
        records[2]
            .contains(r#""client":{"key_exchange_payload":"7075626c6963","key_exchange_payload_length":6"#),
        "{}",
        records[2]
    );
    assert!(
        records[3].contains(r#""payload":["Identification"],"ikev1":{"doi":1,"encrypted_payloads":true}"#),
        "{}",
        records[3]
    );
}

#[test]
fn several_answers_and_bytes_left_over_are_told_to_the_message_before() {
    let mut trial = trial();
    let offer = payload(0, &association(&[AES, DES]));
    trial.say(ToServer, &message(0, 1, 0x10, 2, 0, &offer)).say(ToClient, &message(9, 1, 0x10, 2, 0, &offer));
    assert_eq!(trial.events(EVENTS), ["multiple_server_proposal"]);
    trial.say(ToServer, &message(0, 13, 0x10, 2, 0, &[payload(0, b""), vec![1]].concat()));
    assert_eq!(trial.events(EVENTS), ["payload_extra_data", "multiple_server_proposal"]);
}

#[test]
fn an_association_that_makes_no_sense_is_no_message() {
    let mut trial = trial();
    trial.say(ToServer, &message(0, 1, 0x10, 2, 0, &payload(0, &[0, 0])));
    trial.say(ToServer, &message(0, 1, 0x30, 2, 0, b""));
    assert_eq!(trial.transactions().count(), 0);
    // Associations within associations.
    let nested = (0..1000).fold(Vec::new(), |inner, _| {
        let next: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 1];
        [next, &payload(1, &[]), &payload(0, &inner)].concat()
    });
    trial.say(ToServer, &message(0, 1, 0x10, 2, 0, &payload(0, &nested)));
    assert!(trial.transactions().count() <= 1);
}

#[test]
fn proposals_of_version_2_are_weighed() {
    let odd = |protocol, transforms: &[(u8, u16)]| {
        let mut trial = trial();
        trial.say(ToServer, &message(0, 33, 0x20, 34, 8, &payload(0, &association2(protocol, transforms))));
        trial.events(EVENTS)
    };
    let strong = [(1, 20), (2, 5), (4, 19)];
    assert!(odd(1, &strong).is_empty());
    assert_eq!(odd(2, &strong), ["no_encryption"]);
    assert_eq!(
        odd(1, &[(1, 3), (2, 2), (3, 2), (4, 2)]),
        ["weak_crypto_enc", "weak_crypto_prf", "weak_crypto_dh", "weak_crypto_auth"]
    );
    assert_eq!(odd(1, &[(1, 12), (2, 0), (3, 12), (4, 14)]), ["invalid_proposal"]);
    assert_eq!(odd(1, &[(1, 12), (9, 1)]), ["weak_crypto_no_dh", "weak_crypto_no_auth", "unknown_proposal"]);
}

#[test]
fn what_the_server_of_version_2_chose_is_asked() {
    let mut trial = trial();
    let chosen = payload(0, &association2(1, &[(1, 12), (2, 5), (3, 12), (4, 14)]));
    trial.say(ToClient, &message(9, 33, 0x20, 34, 0x20, &chosen));
    assert!(holds(&trial, "alg_enc=12") && holds(&trial, "alg_dh=14") && !holds(&trial, "alg_auth=2"));
    let record = trial.records().concat();
    assert!(
        record.contains(r#""role":"responder","alg_enc":"ENCR_AES_CBC","alg_auth":"AUTH_HMAC_SHA2_256_128""#),
        "{record}"
    );
    assert!(
        record.contains(r#""payload":["SecurityAssociation","NoNextPayload"],"ikev2":{"errors":0}"#),
        "{record}"
    );
    let notify = payload(0, &[0, 0, 0, 14]);
    trial.say(ToClient, &message(9, 41, 0x20, 34, 0x20, &notify));
    assert!(trial.records()[1].contains(r#""ikev2":{"errors":1,"notify":["NO_PROPOSAL_CHOSEN"]}"#));
}

#[test]
fn ike_is_recognised_both_ways() {
    let first = message(0, 33, 0x20, 34, 8, &[]);
    assert_eq!(look(&first, ToServer), Looked::Yes);
    assert_eq!(look(&first, ToClient), Looked::Reversed);
    assert_eq!(look(&message(0, 33, 0x20, 33, 8, &[]), ToServer), Looked::No);
    assert_eq!(look(&[first, vec![0]].concat(), ToServer), Looked::No);
    assert_eq!(look(&message(1, 1, 0x10, 2, 0, &[]), ToClient), Looked::Yes);
}

#[test]
fn every_damage_is_survived() {
    let wholes = [
        message(0, 1, 0x10, 2, 0, &[payload(4, &association(&[AES, DES])), payload(0, b"key")].concat()),
        message(9, 33, 0x20, 34, 0, &payload(0, &association2(1, &[(1, 12), (2, 5)]))),
    ];
    for whole in wholes {
        for place in 0..whole.len() {
            trial().say(ToClient, &whole[..place]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = value;
                trial().say(ToServer, &damaged);
            }
        }
    }
}
