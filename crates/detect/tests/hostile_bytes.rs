//! What must hold for any frames, segments, words and rules, for a fixed number of seeded inputs.
//!
//! The promises are those of the fuzz targets `frame`, `reassembly`, `layer`, `engine` and `rules`, and are written down there. Pure chance gets past no first
//! header, so inputs here are real ones with a few accidents.

#![allow(
    clippy::disallowed_types,
    reason = "the targets keep what they make once; the promise is the engine's"
)]

#[path = "../../../fuzz/src/engine.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod engine;
#[path = "../../../fuzz/src/frame.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "public in the crate it is shared with, and corpora are written there"
)]
mod frame;
#[path = "../../../fuzz/src/layer.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "public in the crate it is shared with, and corpora are written there"
)]
mod layer;
#[path = "../../../fuzz/src/reassembly.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod reassembly;
#[path = "../../../fuzz/src/rules.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod rules;

use detect::Direction;
use detect::app::Transport;
use detect::app::table::PROTOCOLS;

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.byte()).collect()
    }

    /// Up to four accidents.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(5) {
            let at = self.below(bytes.len());
            match (self.below(5), bytes.get_mut(at)) {
                (0, Some(byte)) => *byte = [0, 1, 127, 128, 255][self.next() as usize % 5],
                (1, Some(byte)) => *byte ^= 1 << (self.next() % 8),
                (2, Some(_)) => bytes.truncate(at),
                (3, Some(_)) => {
                    bytes.remove(at);
                }
                _ => bytes.insert(at.min(bytes.len()), self.next().to_le_bytes()[0]),
            }
        }
    }
}

/// A packet of IPv4 of this protocol.
fn ip(protocol: u8, fragment: u16, inner: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((20 + inner.len()) as u16).to_be_bytes());
    packet.extend([0, 7]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(inner);
    packet
}

fn ethernet(kind: u16, inner: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], kind.to_be_bytes().as_slice(), inner].concat()
}

/// Packets of many kinds: what they carry, tunnels, fragments, options.
fn packets() -> Vec<Vec<u8>> {
    let udp =
        [&[0x13, 0x88, 0, 53, 0, 20, 0, 0], b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".as_slice()]
            .concat();
    let tcp = [
        &[
            0x13, 0x88, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 24, 255, 255, 0, 0, 0, 0, 2, 4, 5, 180, 1, 3, 3,
            7, 8, 10, 0, 0,
        ],
        b"GET / HTTP".as_slice(),
    ]
    .concat();
    let v6 = [
        &[0x60, 0, 0, 0, 0, (8 + udp.len()) as u8, 60, 64][..],
        &[
            0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 2,
        ],
        &[17, 0, 1, 4, 0, 0, 0, 0],
        &udp,
    ]
    .concat();
    let whole = ip(6, 0, &tcp);
    let vxlan =
        [&[0x13, 0x88, 0x12, 0xb5, 0, 80, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(0x0800, &whole)]
            .concat();
    let gre = [&[0, 0, 8, 0][..], &whole].concat();
    vec![
        ethernet(0x0800, &whole),
        ethernet(0x0800, &ip(17, 0, &udp)),
        ethernet(0x0800, &ip(1, 0, &[&[3, 1, 0, 0, 0, 0, 0, 0][..], &whole].concat())),
        ethernet(0x0800, &ip(17, 0x2000, &udp[..16])),
        ethernet(0x0800, &ip(17, 2, &udp[16..])),
        ethernet(0x0800, &ip(47, 0, &gre)),
        ethernet(0x0800, &ip(41, 0, &v6)),
        ethernet(0x0800, &ip(17, 0, &vxlan)),
        ethernet(0x86dd, &v6),
        ethernet(0x8100, &[&[0, 5, 8, 0][..], &whole].concat()),
        ethernet(0x8847, &[&[0, 1, 1, 64][..], &whole].concat()),
        ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 60, 0, 0x21][..], &whole].concat()),
        ethernet(
            0x0806,
            &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2],
        ),
        ethernet(0x0800, &ip(132, 0, &[0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4])),
    ]
}

fn some_frames(chance: &mut Chance, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut data = Vec::new();
    for _ in 0..1 + chance.below(12) {
        let mut packet = packets[chance.below(packets.len())].clone();
        chance.damage(&mut packet);
        let link = if chance.below(6) == 0 { [0, 12, 101, 113, 276, 9][chance.below(6)] } else { 1 };
        frame::write(link, 1 << chance.below(38), &packet, &mut data);
    }
    data
}

#[test]
fn any_frames_are_decoded() {
    let (mut chance, packets) = (Chance(1), packets());
    let found: usize = (0..40_000).map(|_| frame::check(&some_frames(&mut chance, &packets))).sum();
    assert!(found > 250_000, "{found} packets");
}

#[test]
fn any_frames_pass_workers_that_agree() {
    let (mut chance, packets) = (Chance(2), packets());
    let mut alerts = 0;
    for _ in 0..2_000 {
        let head = [chance.byte(), chance.byte()];
        alerts += engine::check(&[&head, some_frames(&mut chance, &packets).as_slice()].concat());
    }
    assert!(alerts > 0);
}

#[test]
fn any_segments_are_put_in_order() {
    let mut chance = Chance(3);
    let mut shown = 0;
    for _ in 0..20_000 {
        let mut data = vec![chance.byte() & 4];
        if chance.below(8) == 0 {
            data[0] = chance.byte();
        }
        for _ in 0..1 + chance.below(24) {
            let kind = if chance.below(4) == 0 { chance.byte() } else { chance.byte() & 1 };
            let flags = if chance.below(4) == 0 { chance.byte() } else { 16 };
            let (at, acked) = (chance.below(60) as i16 - 4, chance.below(60) as i16);
            let payload = chance.bytes(30);
            data.extend([kind, flags]);
            data.extend(at.to_le_bytes());
            data.extend(acked.to_le_bytes());
            data.extend([payload.len() as u8, chance.byte()]);
            data.extend(payload);
        }
        shown += reassembly::check(&data);
    }
    assert!(shown > 100_000, "{shown} bytes");
}

/// Beginnings of what protocols say; each parser is told all of them.
const WORDS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84",
    b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00\x00\x04\x00\x2f\x00\x35\x01\x00\x00\x00",
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01",
    b"\x00\x1d\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03a.b\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x01\x02\x03\x04",
    b"\x00\x00\x00\x2c\xfeSMB\x40\x00\x01\x00\x00\x00\x00\x00\x00\x00\x1f\x00\x00\x00\x00\x00\x00\x00",
    b"\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\x01\x00\x00\x00\xb8\x10\xb8\x10\x00\x00\x00\x00\x01\x00\x00\x00",
    b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nabc\r\n.\r\nQUIT\r\n",
    b"220 a ESMTP\r\n250-b\r\n250 STARTTLS\r\n354 go\r\n",
    b"USER a\r\nPASS b\r\nPORT 1,2,3,4,5,6\r\nRETR c\r\n",
    b"SSH-2.0-x\r\n\x00\x00\x00\x1c\x04\x14aaaaaaaaaaaaaaaa\x00\x00\x00\x00\x00\x00\x00\x00",
    b"INVITE sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n",
    b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\x30\x05\x00\x01ab",
    b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x02",
    b"\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21",
    b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
    b"\x00\x00\x00\x08\x04\xd2\x16\x2f\x00\x00\x00\x09\x00\x03\x00\x00a\x00b\x00\x00",
    b"RFB 003.008\n\x01\x01\x00\x00\x00",
    b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
    b"\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00\x01",
    b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe",
    b"\x81\x85\x01\x02\x03\x04abcde",
    b"\x01\x01\x06\x00\x12\x34\x56\x78",
    b"\x65\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00",
    b"+OK ready\r\nUSER a\r\nSTAT\r\n",
    b"* OK ready\r\na1 LOGIN b c\r\n",
];

#[test]
fn any_words_are_read_by_every_protocol() {
    let mut chance = Chance(4);
    let mut values = 0;
    for place in 0..PROTOCOLS.len() {
        for _ in 0..400 {
            let transport = if chance.below(3) == 0 { Transport::Udp } else { Transport::Tcp };
            let mut data = layer::begin(place, transport);
            data[1] = data[1] & 0x80 | chance.byte() & 15;
            for _ in 0..1 + chance.below(5) {
                let mut words = WORDS[chance.below(WORDS.len())].to_vec();
                chance.damage(&mut words);
                let direction = if chance.below(2) == 0 { Direction::ToServer } else { Direction::ToClient };
                match chance.below(12) {
                    0 => data.extend([28 | chance.byte() & 1, chance.byte(), 0]),
                    1 => data.extend([30 | chance.byte() & 1, 0, 0]),
                    _ => layer::write(direction, &words, &mut data),
                }
            }
            values += layer::check(&data, Some(place));
        }
    }
    assert!(values > 10_000, "{values} values");
}

/// Rules of which the accidents are made.
const RULES: &[&str] = &[
    r#"alert http $HOME_NET any -> $EXTERNAL_NET $HTTP_PORTS (msg:"a"; flow:established,to_server; http.uri; content:"/a"; startswith; pcre:"/b\.php\?id=\d+/Ui"; sid:1; rev:2;)"#,
    r#"alert tcp any any -> [10.0.0.0/8,!10.0.0.3] [80,1024:] (content:"|00 01|ab"; offset:2; depth:40; content:!"zz"; distance:-4; within:9; byte_test:2,>,100,0,relative,little; sid:2;)"#,
    r#"alert tcp any any <> any any (flags:S,12; dsize:10<>20; ttl:>3; threshold:type both,track by_src,count 5,seconds 60; sid:3;)"#,
    r#"alert udp any any -> any 53 (dns.query; to_lowercase; content:"example"; dataset:isset,x,type string; sid:4;)"#,
    r#"alert tls any any -> any any (tls.sni; dotprefix; content:".org"; endswith; ja3.hash; content:"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; xbits:set,a,track ip_pair,expire 5; sid:5;)"#,
    r#"pass ip any any -> any any (ip_proto:!6; flowbits:isnotset,a|b; flowint:c,+,1; fragbits:M+; sid:6;)"#,
    r#"alert http any any -> any any (file.data; content:"MZ"; byte_extract:4,60,at,little; byte_jump:2,at,relative; isdataat:!10,relative; base64_decode:bytes 8,offset 1; base64_data; content:"A"; sid:7;)"#,
    r#"alert smb any any -> any any (smb.named_pipe; content:"x"; app-layer-event:smb.malformed_data; iprep:src,a,>,3; sid:8;)"#,
];

#[test]
fn any_text_is_loaded_or_refused() {
    let mut chance = Chance(5);
    let mut loaded = 0;
    for _ in 0..6_000 {
        let mut text = Vec::new();
        for _ in 0..1 + chance.below(3) {
            let mut rule = RULES[chance.below(RULES.len())].as_bytes().to_vec();
            if chance.below(2) == 0 {
                let other = RULES[chance.below(RULES.len())].as_bytes();
                let (at, from) = (chance.below(rule.len()), chance.below(other.len()));
                rule.truncate(at);
                rule.extend(&other[from..]);
            }
            chance.damage(&mut rule);
            text.extend(rule);
            text.push(b'\n');
        }
        loaded += rules::check(&text);
    }
    assert!(loaded > 1_000, "{loaded} rules");
}
