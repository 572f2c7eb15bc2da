//! Whole handshakes in memory: who gets through, and why everybody else does not.

use super::*;
use crate::holder::ClientNumber;
use crate::identity::PublicIdentity;
use crate::pins::Roster;
use rustls::client::ResolvesClientCert;
use std::io::Write;

const CLIENT: ClientNumber = ClientNumber(7);

fn secret(seed: u8) -> SecretIdentity {
    SecretIdentity::from_bytes(&[seed; 32], &[seed + 100; 32])
}

fn node(number: u8) -> Holder {
    NodeId(u16::from(number)).into()
}

fn roster(identities: &[(Holder, PublicIdentity)]) -> Roster {
    Roster::new(identities.iter().cloned()).expect("it is one")
}

/// Nodes 1 and 2, and client 7; node 3's key ends at 1000.
fn pins() -> Arc<Pins> {
    let roster = roster(&[
        (node(1), secret(1).public(None)),
        (node(2), secret(2).public(None)),
        (node(3), secret(3).public(Some(WallTime(1000)))),
        (CLIENT.into(), secret(7).public(None)),
    ]);
    Arc::new(Pins::new(roster, WallTime(999)))
}

fn server(node: u8, pins: &Arc<Pins>) -> ServerConnection {
    accept(&server_config(&secret(node), Arc::clone(pins))).expect("it can be made")
}

fn caller(seed: u8, pins: &Arc<Pins>, expected: u16) -> ClientConnection {
    connect(&client_config(&secret(seed), Arc::clone(pins), NodeId(expected))).expect("it can be made")
}

/// Carries bytes back and forth until neither side has more to say. How it ended for the client and for the server.
fn shake(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
) -> (Result<(), Refusal>, Result<(), Refusal>) {
    let (mut at_client, mut at_server) = (Ok(()), Ok(()));
    while client.wants_write() || server.wants_write() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).expect("memory takes all");
        }
        hand_over(&bytes, |from| server.read_tls(from).map(|_| ()));
        if at_server.is_ok() {
            at_server = server.process_new_packets().map(|_| ()).map_err(|error| Refusal::of(&error));
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("memory takes all");
        }
        hand_over(&bytes, |from| client.read_tls(from).map(|_| ()));
        if at_client.is_ok() {
            at_client = client.process_new_packets().map(|_| ()).map_err(|error| Refusal::of(&error));
        }
    }
    (at_client, at_server)
}

fn hand_over(mut bytes: &[u8], mut to: impl FnMut(&mut &[u8]) -> std::io::Result<()>) {
    while !bytes.is_empty() {
        to(&mut bytes).expect("memory gives all");
    }
}

/// What the server makes of bytes that nobody's TLS wrote.
fn hears(bytes: &[u8]) -> Refusal {
    let mut server = server(1, &pins());
    let mut rest = bytes;
    while !rest.is_empty() {
        if server.read_tls(&mut rest).is_err() {
            break;
        }
        if let Err(error) = server.process_new_packets() {
            return Refusal::of(&error);
        }
    }
    panic!("the server waits for more after {} bytes", bytes.len());
}

const UNKNOWN_HERE: Result<(), Refusal> = Err(Refusal::RefusedByPeer(AlertDescription::CertificateUnknown));

#[test]
fn right_keys_get_through_and_each_side_knows_the_other() {
    let pins = pins();
    for (seed, holder) in [(2, node(2)), (7, CLIENT.into())] {
        let (mut client, mut server) = (caller(seed, &pins, 1), server(1, &pins));
        assert_eq!(holder_of(&server, &pins), None, "not before the handshake");
        assert_eq!(shake(&mut client, &mut server), (Ok(()), Ok(())));
        assert_eq!(holder_of(&server, &pins), Some(holder));
        assert_eq!(holder_of(&client, &pins), Some(node(1)));
        assert_eq!(server.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
        client.writer().write_all(b"hello").expect("there is room");
        assert_eq!(shake(&mut client, &mut server), (Ok(()), Ok(())));
        let mut heard = [0; 5];
        std::io::Read::read_exact(&mut server.reader(), &mut heard).expect("it was said");
        assert_eq!(&heard, b"hello");
    }
}

#[test]
fn a_key_that_nobody_holds_is_refused_by_either_side() {
    let pins = pins();
    let stranger = secret(9);
    let (mut client, mut server) = (caller(9, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut server), (UNKNOWN_HERE, Err(Refusal::UnknownKey)));
    let mut server = accept(&server_config(&stranger, Arc::clone(&pins))).expect("it can be made");
    let mut client = caller(2, &pins, 1);
    assert_eq!(shake(&mut client, &mut server), (Err(Refusal::UnknownKey), UNKNOWN_HERE));
    assert_eq!(holder_of(&server, &pins), None);
}

#[test]
fn a_key_that_has_ended_is_refused_by_either_side() {
    let pins = pins();
    let (mut client, mut ours) = (caller(3, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut ours), (Ok(()), Ok(())), "it is taken until then");
    pins.set_now(WallTime(1000));
    let ended = Refusal::ExpiredKey { holder: node(3), since: WallTime(1000) };
    let (mut client, mut ours) = (caller(3, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut ours), (UNKNOWN_HERE, Err(ended.clone())));
    let (mut client, mut theirs) = (caller(2, &pins, 3), server(3, &pins));
    assert_eq!(shake(&mut client, &mut theirs), (Err(ended), UNKNOWN_HERE));
}

#[test]
fn another_node_than_the_one_meant_is_refused() {
    let pins = pins();
    let (mut client, mut server) = (caller(7, &pins, 1), server(2, &pins));
    let expected = Refusal::AnotherPeer { expected: node(1), found: node(2) };
    assert_eq!(shake(&mut client, &mut server), (Err(expected), UNKNOWN_HERE));
}

/// A client's key does not make it a node, not even for those who call it.
#[test]
fn a_client_is_no_node_for_those_who_call() {
    let pins = pins();
    let (mut client, mut server) = (caller(2, &pins, 7), server(7, &pins));
    let expected = Refusal::AnotherPeer { expected: node(7), found: CLIENT.into() };
    assert_eq!(shake(&mut client, &mut server).0, Err(expected));
}

/// Shows a key or none, and says that it is a raw one.
#[derive(Debug)]
struct Shows(Option<Arc<CertifiedKey>>);

/// Shows nothing, and speaks of certificates only.
#[derive(Debug)]
struct SpeaksOfCertificates;

impl ResolvesClientCert for SpeaksOfCertificates {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// A caller that keeps all rules but those that `change` breaks.
fn caller_but(change: impl FnOnce(&mut ClientConfig)) -> ClientConnection {
    let mut config = (*client_config(&secret(2), pins(), NodeId(1))).clone();
    change(&mut config);
    connect(&Arc::new(config)).expect("it can be made")
}

#[test]
fn a_shown_key_without_its_secret_is_refused() {
    let shown = vec![CertificateDer::from(spki(secret(2).public(None).signing_key()))];
    let thief = CertifiedKey::new(shown, Arc::new(Secret(secret(9))));
    let mut client =
        caller_but(|config| config.client_auth_cert_resolver = Arc::new(Shows(Some(Arc::new(thief)))));
    let mut server = server(1, &pins());
    assert_eq!(shake(&mut client, &mut server).1, Err(Refusal::WrongProof));
    assert_eq!(holder_of(&server, &pins()), None);
}

#[test]
fn a_caller_without_a_key_is_refused() {
    let mut client = caller_but(|config| config.client_auth_cert_resolver = Arc::new(Shows(None)));
    let mut server = server(1, &pins());
    assert_eq!(shake(&mut client, &mut server).1, Err(Refusal::NoKey));
}

#[test]
fn a_caller_with_certificates_is_refused() {
    let mut client = caller_but(|config| config.client_auth_cert_resolver = Arc::new(SpeaksOfCertificates));
    let mut server = server(1, &pins());
    assert_eq!(shake(&mut client, &mut server).1, Err(Refusal::NothingInCommon));
}

#[test]
fn what_is_no_key_or_more_than_one_is_refused() {
    let key = spki(secret(2).public(None).signing_key());
    let longer = [&key[..], &[0]].concat();
    for shown in [vec![vec![0x30]], vec![longer], vec![key.clone(), key]] {
        let shown = shown.into_iter().map(CertificateDer::from).collect();
        let odd = CertifiedKey::new(shown, Arc::new(Secret(secret(2))));
        let mut client =
            caller_but(|config| config.client_auth_cert_resolver = Arc::new(Shows(Some(Arc::new(odd)))));
        let mut server = server(1, &pins());
        assert!(matches!(shake(&mut client, &mut server).1, Err(Refusal::NotAKey | Refusal::Broken)));
        assert_eq!(holder_of(&server, &pins()), None);
    }
}

#[test]
fn another_protocol_inside_is_refused_and_none_is_nobody() {
    let mut client = caller_but(|config| config.alpn_protocols = vec![b"h2".to_vec()]);
    let mut ours = server(1, &pins());
    assert_eq!(shake(&mut client, &mut ours).1, Err(Refusal::NothingInCommon));
    let mut client = caller_but(|config| config.alpn_protocols.clear());
    let mut ours = server(1, &pins());
    let _ = shake(&mut client, &mut ours);
    assert_eq!(holder_of(&ours, &pins()), None);
}

/// A ClientHello as a client of TLS 1.2 sends it: no supported versions, one cipher.
#[test]
fn a_client_that_speaks_only_tls_1_2_is_refused() {
    let mut hello = vec![0x03, 0x03];
    hello.extend_from_slice(&[7; 32]);
    hello.push(0);
    hello.extend_from_slice(&[0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions = [
        &[0x00, 0x0a, 0, 4, 0, 2, 0x00, 0x1d][..],
        &[0x00, 0x0d, 0, 4, 0, 2, 0x08, 0x07],
        &[0x00, 0x17, 0, 0],
    ]
    .concat();
    hello.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    hello.extend_from_slice(&extensions);
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&(hello.len() as u16 + 4).to_be_bytes());
    record.extend_from_slice(&[1, 0]);
    record.extend_from_slice(&(hello.len() as u16).to_be_bytes());
    record.extend_from_slice(&hello);
    assert_eq!(hears(&record), Refusal::OldTls);
}

#[test]
fn plain_text_and_garbage_are_no_tls() {
    let frame = wire::Encode::to_bytes(&wire::Frame {
        from: wire::Peer::Node(NodeId(2)),
        vouched: true,
        body: wire::Bytes::from_static(b"a plain frame"),
        authenticator: wire::Authenticator::None,
    });
    let length = (frame.len() as u32).to_le_bytes();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &[0xff; 64], &[&length[..], &frame].concat()] {
        assert_eq!(hears(bytes), Refusal::NotTls, "{bytes:?}");
    }
    assert!(matches!(hears(&[22, 3, 1, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]), Refusal::Broken | Refusal::NotTls));
}

#[test]
fn a_roster_that_is_replaced_counts_for_open_links_and_new_ones() {
    let pins = pins();
    let (mut client, mut ours) = (caller(2, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut ours), (Ok(()), Ok(())));
    let with_new_key = roster(&[(node(1), secret(1).public(None)), (node(2), secret(22).public(None))]);
    pins.replace(with_new_key);
    assert_eq!(holder_of(&ours, &pins), None, "the open link is nobody's any more");
    let (mut client, mut ours) = (caller(2, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut ours).1, Err(Refusal::UnknownKey));
    let (mut client, mut ours) = (caller(22, &pins, 1), server(1, &pins));
    assert_eq!(shake(&mut client, &mut ours), (Ok(()), Ok(())));
    assert_eq!(holder_of(&ours, &pins), Some(node(2)));
}

/// Each handshake is a whole one: what one roster let in, the next may not.
#[test]
fn nothing_is_resumed() {
    let pins = pins();
    let (callers, servers) = (
        client_config(&secret(2), Arc::clone(&pins), NodeId(1)),
        server_config(&secret(1), Arc::clone(&pins)),
    );
    for _ in 0..2 {
        let mut client = connect(&callers).expect("it can be made");
        let mut server = accept(&servers).expect("it can be made");
        assert_eq!(shake(&mut client, &mut server), (Ok(()), Ok(())));
        assert_eq!(server.handshake_kind(), Some(rustls::HandshakeKind::Full));
        assert_eq!(client.tls13_tickets_received(), 0);
    }
}
