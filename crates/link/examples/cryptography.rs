//! What cryptography costs: digests, MACs on frames, signatures, a handshake.
//!
//!     cargo run --release -p link --example cryptography
//!
//! Each figure is the quartile of many short runs in turns, so that whatever else the machine does falls on all of them.
//! What is there and what could be: BLAKE3 beside SHA-256, and beside HMAC-SHA256 by `ring`. A MAC is on a frame: a head and a body,
//! of which a long one is stood for by its digest ([`wire::frame::Head::covering`]).

use link::mac::MacKey;
use link::tls::{accept, client_config, connect, server_config};
use link::{Holder, Keyring, Pins, Roster, SecretIdentity, WallTime};
use ring::{digest, hmac, signature};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use wire::frame::Head;
use wire::{Digest, Keys, NodeId, Peer};

fn main() {
    hashes();
    keyring();
    signatures();
    handshake();
}

/// Nanoseconds that each of `what` takes.
fn nanoseconds<const N: usize>(times: u32, mut what: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut runs: [Vec<f64>; N] = [const { Vec::new() }; N];
    for _ in 0..81 {
        for (what, runs) in what.iter_mut().zip(&mut runs) {
            let began = Instant::now();
            (0..times).for_each(|_| what());
            runs.push(began.elapsed().as_nanos() as f64 / f64::from(times));
        }
    }
    runs.map(|mut runs| {
        runs.sort_by(f64::total_cmp);
        runs[runs.len() / 4]
    })
}

fn hashes() {
    let (ours, theirs) = (MacKey::new(&[7; 32]), hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let head = Head::new(Peer::Node(NodeId(1)), true);
    println!("{:>10} {:>10} {:>10} {:>10} {:>12}", "bytes", "digest", "SHA-256", "MAC", "HMAC-SHA256");
    for bytes in [40, 100, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20] {
        let body = &vec![2; bytes][..];
        let times = (4_000_000 / bytes).clamp(3, 2_000) as u32;
        let figures = nanoseconds(
            times,
            [
                &mut || {
                    black_box(Digest::of_bytes(black_box(body)));
                },
                &mut || {
                    black_box(digest::digest(&digest::SHA256, black_box(body)));
                },
                &mut || {
                    black_box(ours.tag(&head.covering(black_box(body)).parts()));
                },
                &mut || {
                    let mut context = hmac::Context::with_key(&theirs);
                    [&[1; 27][..], black_box(body)].iter().for_each(|part| context.update(part));
                    black_box(context.sign());
                },
            ],
        );
        let [digest, sha, mac, hmac] = figures;
        println!("{bytes:>10} {digest:>10.0} {sha:>10.0} {mac:>10.0} {hmac:>12.0}");
    }
    println!("nanoseconds");
}

fn secret(seed: u8) -> SecretIdentity {
    SecretIdentity::from_bytes(&[seed; 32], &[seed + 100; 32])
}

fn pins() -> Arc<Pins> {
    let identities = (0..7).map(|node| (Holder::Node(NodeId(u16::from(node))), secret(node).public(None)));
    Arc::new(Pins::new(Roster::new(identities).expect("each is another"), WallTime(0)))
}

fn keyring() {
    let pins = pins();
    let keys =
        |node: u8| Keyring::new(NodeId(u16::from(node)).into(), &secret(node), None, Arc::clone(&pins));
    let (one, other) = (keys(1), keys(2));
    let parts: [&[u8]; 2] = [&[1; 27], &[2; 73]];
    let (from, to) = (Peer::Node(NodeId(1)), Peer::Node(NodeId(2)));
    let tag = one.mac(to, &parts);
    let [make, check, build] = nanoseconds(
        200,
        [
            &mut || {
                black_box(one.mac(to, black_box(&parts)));
            },
            &mut || assert!(other.mac_is_valid(from, black_box(&parts), &tag)),
            &mut || {
                black_box(keys(1));
            },
        ],
    );
    println!("\nkeyring, 100 bytes: {make:.0} ns to make, {check:.0} ns to check a MAC");
    println!("keyring of 7 nodes: {:.0} µs to compute", build / 1e3);
}

fn signatures() {
    let (secret, body) = (secret(1), [2; 69]);
    let (public, made) = (secret.public(None), secret.sign(&body));
    let other = signature::UnparsedPublicKey::new(&signature::ED25519, public.signing_key());
    let [make, check, other] = nanoseconds(
        10,
        [
            &mut || {
                black_box(secret.sign(black_box(&body)));
            },
            &mut || assert!(public.has_signed(black_box(&body), &made)),
            &mut || assert!(other.verify(black_box(&body), &made).is_ok()),
        ],
    );
    println!(
        "Ed25519: {:.1} µs to sign, {:.1} µs to check ({:.1} by ring)",
        make / 1e3,
        check / 1e3,
        other / 1e3
    );
}

fn handshake() {
    let pins = pins();
    let server = server_config(&secret(1), Arc::clone(&pins));
    let client = client_config(&secret(2), pins, NodeId(1));
    let [both] = nanoseconds(
        5,
        [&mut || {
            let mut client = connect(&client).expect("it can be made");
            let mut server = accept(&server).expect("it can be made");
            let mut bytes = Vec::new();
            while client.is_handshaking() || server.is_handshaking() {
                bytes.clear();
                client.write_tls(&mut bytes).expect("memory takes all");
                server.read_tls(&mut &bytes[..]).expect("memory gives all");
                server.process_new_packets().expect("it is pinned");
                bytes.clear();
                while server.wants_write() {
                    server.write_tls(&mut bytes).expect("memory takes all");
                }
                client.read_tls(&mut &bytes[..]).expect("memory gives all");
                client.process_new_packets().expect("it is pinned");
            }
        }],
    );
    println!("TLS: {:.0} µs for a handshake, both sides together", both / 1e3);
}
