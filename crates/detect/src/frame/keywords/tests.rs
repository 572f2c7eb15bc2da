//! Each keyword: what it accepts, what it refuses, and on which packets it holds.

use super::super::tests::{Frame, each};
use super::{KEYWORDS, PacketTest, ProtocolSet, keyword};

fn test(name: &str, text: &str) -> Option<PacketTest> {
    let keyword = keyword(name).unwrap_or_else(|| panic!("{name} is no keyword"));
    (keyword.parse)(text).ok()
}

/// Whether it holds on the last packet of the frame.
fn holds(name: &str, text: &str, frame: &Frame) -> bool {
    let test = test(name, text).unwrap_or_else(|| panic!("{name}:{text} is refused"));
    let mut holds = false;
    each(&frame.bytes(), &mut |packet| holds = test.holds(packet));
    holds
}

fn refused(name: &str, texts: &[&str]) {
    for text in texts {
        assert!(test(name, text).is_none(), "{name}:{text} is not refused");
    }
}

fn on(name: &str, frame: &Frame, yes: &[&str], no: &[&str]) {
    for text in yes {
        assert!(holds(name, text, frame), "{name}:{text} does not hold");
    }
    for text in no {
        assert!(!holds(name, text, frame), "{name}:{text} holds");
    }
}

fn tcp() -> Frame {
    Frame::v4().tcp(b"data")
}

#[test]
fn the_table_is_in_order_and_names_nothing_twice() {
    let names: Vec<&str> = KEYWORDS.iter().map(|keyword| keyword.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    assert!(keyword("content").is_none());
}

#[test]
fn numbers_are_compared_in_all_forms() {
    let yes = ["64", " 64 ", "=64", "0x40", "!63", "!=63", "<65", ">63", "<=64", ">=64", "60-70", "60<>70"];
    let also = ["! 63", "> 63", "60 <> 70", "!64-70", "&0x40=0x40", "&0x41!=0x41"];
    for frame in [tcp(), Frame::v6().udp(1, 2, b"")] {
        on("ttl", &frame, &yes, &["63", "64-70", "!64", "<64", ">64", "!60-70"]);
        on("ttl", &frame, &also, &["&0x40=0"]);
    }
    refused("ttl", &["", "256", "x", "-1", "+5", "<0", ">=0", ">255", "<=255", "5-6", "6-5", "5-5", "1 2"]);
    refused("ttl", &["&1", "!&1", "&0xc0=1", "64;", "64a", "0x", "<", "!"]);
}

#[test]
fn headers_of_ip_are_asked() {
    let frame = tcp().tos(0x2e);
    on("tos", &frame, &["46", "x2e", "X2E", "!45", "! 45"], &["45", "!46", "!x2e"]);
    on("tos", &Frame::v6().udp(1, 2, b""), &[], &["0", "!5"]);
    refused("tos", &["", "256", "x123", "x", "0x2e", "boom", "!!5", "-1"]);
    on("id", &frame, &["4660", "\"4660\"", " 4660 "], &["4661"]);
    on("id", &Frame::v6().udp(1, 2, b""), &[], &["0"]);
    refused("id", &["", "65536", "!1", "x", "\"1"]);
    on("l3_proto", &frame, &["ipv4", "ip4", "IPv4"], &["ipv6", "ip6"]);
    refused("l3_proto", &["", "ip", "tcp"]);
    on("sameip", &frame, &[], &[""]);
    let same = Frame::v4().sent_by([198, 51, 100, 2]).tcp(b"");
    on("sameip", &same, &[""], &[]);
    refused("sameip", &["yes"]);
    refused("geoip", &["src,RU", "any,CN"]);
}

#[test]
fn options_of_ip_are_asked_one_at_a_time() {
    let frame = tcp().options(&[7, 7, 4, 0, 0, 0, 0, 0]);
    on("ipopts", &frame, &["rr", "RR", "eol"], &["lsrr", "nop", "ts", "sec", "esec", "ssrr", "satid", "any"]);
    refused("ipopts", &["", "rtralt", "none"]);
}

#[test]
fn fragment_bits_are_compared_as_their_modifier_says() {
    let bits = |bits| Frame::v4().bits(bits).tcp(b"");
    on("fragbits", &bits(2), &["D", "!M", "*MD", "!MD"], &["M", "+D", "!D", "MD", "R"]);
    on("fragbits", &bits(6), &["+D", "+R", "DR", "RD", "* MD"], &["D", "+DR", "!D", "*M"]);
    on("fragbits", &Frame::v6().udp(1, 2, b""), &[], &["!M", "*MDR"]);
    refused("fragbits", &["", "G", "+", "d", "=M"]);
}

#[test]
fn fragment_offsets_are_units_for_ipv4_and_bytes_for_ipv6() {
    let four = Frame::v4().fragment(1, 5, true).raw(&[0; 8]).protocol(17);
    on("fragoffset", &four, &["5", ">4", "<6", "> 4"], &["40", "<5", ">5"]);
    on("fragoffset", &tcp(), &["0", "<1"], &[">0"]);
    let six = Frame::v6().fragment(1, 5, true).raw(&[0; 8]).protocol(17);
    on("fragoffset", &six, &["40"], &["5"]);
    on("fragoffset", &Frame::v6().udp(1, 2, b""), &[], &["0", "<9"]);
    refused("fragoffset", &["", "!5", "x", "65536", "><5"]);
}

#[test]
fn protocols_are_asked_by_number_and_name() {
    on(
        "ip_proto",
        &tcp(),
        &["6", "tcp", "TCP", "!17", "!udp", ">5", "<7", "\"6\""],
        &["17", "!6", ">6", "<6"],
    );
    refused("ip_proto", &["", "Tcp", "256", "nonsense", "6x", "-1", "!"]);
    let set = |texts: &[&str]| ProtocolSet::of_conditions(texts).ok();
    let udp_only = set(&["udp"]).map(|set| (0..=255).filter(|one| set.has(*one)).collect::<Vec<u8>>());
    assert_eq!(udp_only, Some(vec![17]));
    let some = set(&[">5", "<9", "!7"]).map(|set| (0..=255).filter(|one| set.has(*one)).collect::<Vec<u8>>());
    assert_eq!(some, Some(vec![6, 8]));
    assert_eq!(set(&[]), Some(ProtocolSet::ALL));
    for texts in [&["6", "17"][..], &["6", "!17"], &[">5", ">6"], &["<5", "<6"], &[">9", "<9"]] {
        assert_eq!(set(texts), None, "{texts:?}");
    }
    assert!(ProtocolSet::one(6).has(6) && !ProtocolSet::one(6).has(70));
    assert_eq!(ProtocolSet::one(6).and(&ProtocolSet::ALL), ProtocolSet::one(6));
}

#[test]
fn flags_are_compared_as_their_modifier_and_mask_say() {
    let flags = |flags| Frame::v4().tcp_flags(flags).tcp(b"");
    on(
        "flags",
        &flags(0x12),
        &["SA", "AS", "S+", "+S", "+SA", "*SF", "SA,CE", "S,A", "!SF"],
        &["S", "A", "!S", "!SA"],
    );
    on("flags", &flags(0xc2), &["S,CE", "S,12", "SCE", "S12", "S+", "* C"], &["S", "S,C"]);
    on("tcp.flags", &flags(0), &["0"], &["S", "!0", "*0,S", "*S"]);
    on("tcp.flags", &flags(0x10), &["A", "!0", "+A"], &["0", "!S", "!U", "+0"]);
    on("flags", &Frame::v4().udp(1, 2, b""), &[], &["0", "!S"]);
    refused(
        "flags",
        &["", "s", "X", "+", "+!S", "S+!", "S,", "S,0", "S,A,F", "S A", ",S", "SSSSSSSSSSSSSSSS"],
    );
}

#[test]
fn headers_of_tcp_are_asked() {
    let frame = Frame::v6().tcp_options(&[2, 4, 2, 0, 3, 3, 7, 0]).tcp(b"");
    for (name, yes, no) in [
        ("seq", &["7", " 7 "][..], &["8"][..]),
        ("tcp.seq", &["7"], &["8"]),
        ("ack", &["9"], &["7"]),
        ("tcp.ack", &["9"], &["7"]),
        ("window", &["8192", "!1", "! 1"], &["1", "!8192"]),
        ("tcp.window", &["8192"], &["1"]),
        ("tcp.mss", &["512", "<536", "500-600"], &["513"]),
        ("tcp.wscale", &["7", ">6"], &["8"]),
    ] {
        on(name, &frame, yes, no);
        on(name, &Frame::v4().udp(1, 2, b""), &[], yes);
    }
    on("tcp.mss", &tcp(), &[], &["<536", "!5"]);
    refused("seq", &["", "4294967296", "!7", ">7", "x"]);
    refused("window", &["", "65536", ">5", "x"]);
    refused("tcp.mss", &["", "65536"]);
    refused("tcp.wscale", &["256"]);
}

#[test]
fn icmp_is_asked_for_both_versions() {
    for frame in [Frame::v4().icmp4(8, 1, &[1, 2, 3, 4]), Frame::v6().icmp6(128, 0, &[1, 2, 3, 4])] {
        on("itype", &frame, &[">7", "!0"], &["<8", "0"]);
        on("icode", &frame, &["<2"], &[">1"]);
        on("icmp_id", &frame, &["258", "\"258\"", " \" 258 \" "], &["772"]);
        on("icmp_seq", &frame, &["772"], &["258"]);
    }
    on("icmp_id", &Frame::v4().icmp4(3, 3, &[0; 4]), &[], &["0"]);
    on("icmp_id", &Frame::v6().icmp6(128, 1, &[1, 2, 3, 4]), &["0"], &["258"]);
    refused("icmp_id", &["", "65536", "\"5", "5\"", "!5", ">5"]);
    refused("itype", &["", "256", "x"]);
    let big = Frame::v6().icmp6(2, 0, &[&[0, 0, 5, 0][..], &[0x60; 40]].concat());
    on("icmpv6.mtu", &big, &["1280", "<1281"], &["<1280"]);
    on("icmpv6.mtu", &Frame::v6().icmp6(1, 0, &[0; 44]), &[], &["<1281"]);
}

#[test]
fn events_of_the_decoder_are_asked_by_name() {
    let frame = Frame::v4().protocol(6).raw(&[0; 3]);
    on("decode-event", &frame, &["tcp.pkt_too_small", "TCP.Pkt_Too_Small"], &["tcp.hlen_too_small"]);
    on("engine-event", &frame, &["decoder.tcp.pkt_too_small"], &["decoder.too_many_layers"]);
    refused("decode-event", &["", "tcp", "tcp.nothing", "decoder.tcp.pkt_too_small"]);
    refused("engine-event", &["tcp.pkt_too_small", "stream.rst_invalid_ack", ""]);
}

#[test]
fn checksums_are_valid_or_invalid_or_not_there() {
    on("tcpv4-csum", &tcp(), &["valid", "VALID"], &["invalid", "\"valid\"", "\"invalid\""]);
    on("ipv4-csum", &tcp(), &["valid"], &["invalid"]);
    for name in ["tcpv6-csum", "udpv4-csum", "udpv6-csum", "icmpv4-csum", "icmpv6-csum"] {
        on(name, &tcp(), &[], &["valid", "invalid"]);
        refused(name, &["", "good", "\"valid"]);
    }
    on("udpv6-csum", &Frame::v6().udp(1, 2, b"x"), &["valid"], &["invalid"]);
}

#[test]
fn vlan_tags_are_asked_by_their_place() {
    let frame = tcp().vlan(&[100, 200]);
    on(
        "vlan.id",
        &frame,
        &["100", "200", "100,0", "200,1", "200,-1", "100,-2", ">99,all", "0xc8,any"],
        &["300"],
    );
    on("vlan.id", &frame, &["!300,all", "0,2", "!5,2"], &["100,1", "100,all", "100,-3", "200,2"]);
    on("vlan.id", &tcp(), &[], &["0", "!5", "0,0", "!5,all"]);
    refused("vlan.id", &["", "4096", "1,3", "1,-4", "1,x", "1,2,3", "1,", "1, 0", "200abc", "1-9999"]);
    on("vlan.layers", &frame, &["2", ">1", "!0"], &["0", "3"]);
    on("vlan.layers", &tcp(), &["0", "<1"], &["!0"]);
    refused("vlan.layers", &["", "4", ">4", "1-5"]);
}

#[test]
fn the_size_of_the_payload_is_asked() {
    on("dsize", &tcp(), &["4", "<5", ">3", "<=4", ">=4", "3<>5", "!5"], &["0", ">4", "4-9", ">1kb"]);
    let empty = Frame::v4().tcp(b"");
    on("dsize", &empty, &["0", "<5", "<=0"], &["!5", ">=1", "!0"]);
    let outer = Frame::v4().udp(1, 4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &tcp().bytes()].concat());
    on("dsize", &outer, &["<999"], &[">3", "!5"]);
    refused("dsize", &["", "A", ">10<>10", "<>10", "1<>", "2<>1", "1!", "65536"]);
}

#[test]
fn a_call_of_sun_rpc_is_asked() {
    let call: Vec<u8> = [99u32, 0, 2, 100_000, 2, 3].iter().flat_map(|word| word.to_be_bytes()).collect();
    let udp = Frame::v4().udp(1, 111, &call);
    let yes = ["100000", "100000,2", "100000, 2, 3", "100000,*,3", "100000,2,*", "100000,*,*"];
    on("rpc", &udp, &yes, &["100001", "100000,3", "100000,*,4"]);
    on("rpc", &Frame::v4().tcp(&[&[0, 0, 0, 24][..], &call].concat()), &yes, &[]);
    on("rpc", &Frame::v4().udp(1, 111, &call[..23]), &[], &yes);
    refused("rpc", &["", "*", "111,aaa,*", "1,2,3,4", "4294967296", "1,"]);
}
