//! Tricks by which a sensor is to be made to see something else than the receiver (Ptacek and Newsham, 1998, and what came later), and what is
//! done about each. The table in `docs/detection.md` says the same in words.

use super::*;

const FIN: u8 = 1;
const URG: u8 = 32;
const STREAM: &str =
    r#"alert tcp any any -> any 80 (flow:established,to_server,only_stream; content:"ATTACK"; sid:1;)"#;
const LOOSE: &str = r#"alert tcp any any -> any 80 (content:"ATTACK"; sid:1;)"#;
const OVERLAP: &str =
    r#"alert tcp any any -> any any (stream-event:reassembly_overlap_different_data; sid:2;)"#;

fn counts(rules: &str, frames: &[Vec<u8>]) -> usize {
    alerts(rules, frames).len()
}

/// A segment of the client, at this place of its stream.
fn client(at: i64, flags: u8, payload: &[u8]) -> Vec<u8> {
    segment(CLIENT, SERVER, ((101 + at) as u32, 501), flags, payload)
}

/// A segment without payload, with these options and this payload.
fn with_options(plain: &[u8], options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = [plain, options, payload].concat();
    frame[46] = ((20 + options.len()) as u8 / 4) << 4;
    let length = (frame.len() - 14) as u16;
    frame[16..18].copy_from_slice(&length.to_be_bytes());
    frame
}

/// The server acknowledges so much of it.
fn acknowledged(to: u32) -> Vec<u8> {
    segment(SERVER, CLIENT, (501, 101 + to), ACK, b"")
}

fn handshake() -> Vec<Vec<u8>> {
    talk(&[]).into_iter().take(3).collect()
}

/// After a handshake: these frames.
fn after(frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    [handshake(), frames].concat()
}

/// The IPv4 fragments of a frame, `bytes` of the datagram each.
fn fragments(frame: &[u8], bytes: usize) -> Vec<Vec<u8>> {
    let (link, datagram) = frame.split_at(14);
    let (header, data) = datagram.split_at(20);
    let count = data.len().div_ceil(bytes);
    let piece = |(number, part): (usize, &[u8])| {
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&((20 + part.len()) as u16).to_be_bytes());
        let more = if number + 1 < count { 0x2000 } else { 0 };
        header[6..8].copy_from_slice(&((number * bytes / 8) as u16 | more).to_be_bytes());
        [link, &header, part].concat()
    };
    data.chunks(bytes).enumerate().map(piece).collect()
}

#[test]
fn segments_may_be_tiny_late_doubled_and_in_any_order() {
    let text = b"..ATTACK..";
    let letters = |order: &[usize]| {
        let mut frames: Vec<_> =
            order.iter().map(|at| client(*at as i64, ACK, &text[*at..*at + 1])).collect();
        frames.push(acknowledged(10));
        after(frames)
    };
    assert_eq!(counts(STREAM, &letters(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])), 1);
    assert_eq!(counts(STREAM, &letters(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0])), 1);
    assert_eq!(counts(STREAM, &letters(&[1, 1, 3, 5, 7, 9, 9, 8, 0, 6, 4, 2])), 1);
}

#[test]
fn the_first_to_bring_a_byte_wins_but_for_one_that_begins_earlier() {
    // What comes first, what comes second, and whether the receiver reads the attack.
    for (first, second, is_read) in [
        ((2, &b"ATTACK"[..]), (2, &b"xxxxxx"[..]), true),
        ((2, b"xxxxxx"), (2, b"ATTACK"), false),
        // The second begins earlier and covers the first.
        ((2, b"xxxxxx"), (0, b"..ATTACK"), true),
        ((2, b"ATTACK"), (0, b"..xxxxxx"), false),
        // It begins earlier and covers its beginning.
        ((4, b"xxACK"), (0, b"..ATTA"), false),
        ((4, b"xxCK"), (0, b"..ATTA"), true),
        // It begins later.
        ((0, b"..ATTxxx"), (5, b"ACK"), false),
        ((0, b"..ATTACK"), (5, b"xxx"), true),
        // It lies within.
        ((0, b"..ATTACK.."), (4, b"xx"), true),
    ] {
        let frames = after(vec![
            client(first.0, ACK, first.1),
            client(second.0, ACK, second.1),
            client(0, ACK, b".."),
            acknowledged(8),
        ]);
        assert_eq!(counts(STREAM, &frames), usize::from(is_read), "{first:?} {second:?}");
        assert_eq!(counts(OVERLAP, &frames), 1, "that they differed is told");
    }
}

#[test]
fn what_was_acknowledged_does_not_change_any_more() {
    let attack = after(vec![
        client(1, ACK, b"ATTA"),
        client(0, ACK, b"."),
        acknowledged(5),
        client(0, ACK, b".xxxx"),
        client(5, ACK, b"CK"),
        acknowledged(7),
    ]);
    assert_eq!(counts(STREAM, &attack), 1);
}

#[test]
fn of_two_that_differ_the_one_that_lost_is_looked_at_by_itself() {
    // The first has too few hops to live, or a wrong checksum, and never arrives; nobody but the receiver knows.
    let mut lie = client(0, ACK, b"xxxxxx");
    lie[22] = 1;
    let frames = after(vec![lie, client(0, ACK, b"ATTACK"), acknowledged(6)]);
    assert_eq!(counts(ATTACK, &frames), 1);
    assert_eq!(counts(OVERLAP, &frames), 1);
}

#[test]
fn checksums_are_looked_at_only_where_a_rule_asks() {
    let mut frame = client(0, ACK, b"ATTACK");
    frame[50..52].copy_from_slice(&[0xde, 0xad]);
    let frames = after(vec![frame, acknowledged(6)]);
    assert_eq!(counts(STREAM, &frames), 1);
    let asks = r#"alert tcp any any -> any any (tcpv4-csum:invalid; dsize:6; sid:1;)"#;
    assert_eq!(counts(asks, &frames), 1);
}

#[test]
fn what_the_receiver_drops_is_no_part_of_the_stream_and_looked_at_by_itself() {
    let lies: [Vec<u8>; 3] = [
        // No acknowledgement at all; one of what was never said; far beyond the window.
        client(0, 8, b"ATTACK"),
        segment(CLIENT, SERVER, (101, 501 + 0x7000_0000), ACK, b"ATTACK"),
        client(3_000_000, ACK, b"ATTACK"),
    ];
    for lie in lies {
        let frames = after(vec![lie.clone(), client(0, ACK, b"honest"), acknowledged(6)]);
        assert_eq!(counts(STREAM, &frames), 0);
        assert_eq!(counts(ATTACK, &frames), 1);
        // Nor does it take the place of what the receiver reads.
        let mut lie = lie;
        let at = lie.len() - 6;
        lie[at..].copy_from_slice(b"xxxxxx");
        let frames = after(vec![lie, client(0, ACK, b"ATT"), client(3, ACK, b"ACK"), acknowledged(6)]);
        assert_eq!(counts(STREAM, &frames), 1);
    }
}

#[test]
fn a_reset_ends_a_conversation_only_where_it_was_expected() {
    let with = |reset: Vec<u8>| {
        after(vec![client(0, ACK, b"ATT"), acknowledged(3), reset, client(3, ACK, b"ACK"), acknowledged(6)])
    };
    // At the place that comes next it is taken: what follows is looked at segment by segment.
    assert_eq!(counts(STREAM, &with(client(3, RST, b""))), 0);
    // Elsewhere the receiver asks back or drops it.
    for at in [-1_000_000, -100, 1, 100, 60_000, 1_000_000] {
        assert_eq!(counts(STREAM, &with(client(at, RST, b""))), 1, "{at}");
    }
}

#[test]
fn after_a_reset_the_same_ports_may_be_used_again() {
    let mut frames = vec![
        segment(CLIENT, SERVER, (9100, 0), SYN, b""),
        segment(SERVER, CLIENT, (9500, 9101), SYN | ACK, b""),
        segment(CLIENT, SERVER, (9101, 9501), ACK, b""),
        segment(CLIENT, SERVER, (9101, 9501), RST | ACK, b""),
    ];
    frames.extend(talk(&[(true, 0, b"ATT"), (true, 3, b"ACK")]));
    assert_eq!(counts(STREAM, &frames), 1);
    // The same number is the same segment, sent once more: what follows is looked at by itself.
    let mut frames = after(vec![client(0, RST, b"")]);
    frames.extend(talk(&[(true, 0, b"ATTACK")]));
    assert_eq!((counts(STREAM, &frames), counts(LOOSE, &frames)), (0, 1));
}

#[test]
fn an_end_that_the_receiver_did_not_take_hides_nothing() {
    // Nobody acknowledges the end; what follows it is acknowledged.
    let fin = client(3, ACK | FIN, b"");
    let frames =
        after(vec![client(0, ACK, b"ATT"), acknowledged(3), fin, client(3, ACK, b"ACK.."), acknowledged(8)]);
    assert_eq!(counts(STREAM, &frames), 1);
    // Far away it is not believed at all.
    let fin = client(900_000_000, ACK | FIN, b"");
    let frames = after(vec![client(0, ACK, b"ATT"), fin, client(3, ACK, b"ACK"), acknowledged(6)]);
    assert_eq!(counts(STREAM, &frames), 1);
}

#[test]
fn what_follows_an_end_that_was_taken_is_no_part_of_the_stream() {
    let frames =
        after(vec![client(0, ACK | FIN, b"ATT"), acknowledged(4), client(3, ACK, b"ACK"), acknowledged(4)]);
    assert_eq!(counts(STREAM, &frames), 0);
}

#[test]
fn what_comes_with_the_first_segment_belongs_to_the_stream_if_it_was_taken() {
    let begin = |options: &[u8], payload: &[u8], taken: u32| {
        let mut frames = handshake();
        frames[0] = with_options(&segment(CLIENT, SERVER, (100, 0), SYN, b""), options, payload);
        frames[1] = segment(SERVER, CLIENT, (500, 101 + taken), SYN | ACK, b"");
        frames[2] = segment(CLIENT, SERVER, (101 + taken, 501), ACK, b"");
        frames
    };
    // Fast open: a cookie of eight bytes.
    let cookie = &[34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1];
    let rest = [client(3, ACK, b"ACK"), acknowledged(6)];
    assert_eq!(counts(STREAM, &[begin(cookie, b"ATT", 3), rest.to_vec()].concat()), 1);
    // The server does not take it: it is said again.
    let again = [client(0, ACK, b"ATTACK"), acknowledged(6)];
    assert_eq!(counts(STREAM, &[begin(cookie, b"xxx", 0), again.to_vec()].concat()), 1);
    // Without fast open it is no part of the stream, and looked at by itself.
    let said = [begin(&[], b"ATTACK", 0), vec![client(0, ACK, b"honest"), acknowledged(6)]].concat();
    assert_eq!((counts(STREAM, &said), counts(LOOSE, &said)), (0, 1));
}

#[test]
fn another_beginning_in_the_midst_changes_nothing() {
    for lie in [
        segment(CLIENT, SERVER, (70_000, 0), SYN, b""),
        segment(SERVER, CLIENT, (90_000, 101), SYN | ACK, b""),
        segment(SERVER, CLIENT, (90_000, 0), SYN, b""),
    ] {
        let frames = after(vec![
            client(0, ACK, b"ATT"),
            acknowledged(3),
            lie,
            client(3, ACK, b"ACK"),
            acknowledged(6),
        ]);
        assert_eq!(counts(STREAM, &frames), 1);
    }
}

#[test]
fn what_is_said_before_or_without_a_handshake_is_looked_at_by_itself() {
    let attack = client(0, ACK, b"ATTACK");
    assert_eq!(counts(LOOSE, std::slice::from_ref(&attack)), 1);
    let mut frames = handshake();
    frames.insert(1, attack);
    assert_eq!(counts(LOOSE, &frames), 1);
    assert_eq!(counts(STREAM, &frames), 0);
}

#[test]
fn an_urgent_byte_is_no_part_of_what_the_receiver_reads() {
    let urgent = |at: i64, payload: &[u8], place: u16| {
        let mut frame = client(at, ACK | URG, payload);
        frame[52..54].copy_from_slice(&place.to_be_bytes());
        frame
    };
    let in_order = after(vec![urgent(0, b"ATTxAC", 4), client(6, ACK, b"K"), acknowledged(7)]);
    assert_eq!(counts(STREAM, &in_order), 1);
    // The same where what follows came first.
    let turned = after(vec![client(6, ACK, b"K"), urgent(0, b"ATTxAC", 4), acknowledged(7)]);
    assert_eq!(counts(STREAM, &turned), 1);
    // What the receiver has already cannot be taken out again.
    let late = after(vec![
        client(0, ACK, b"ATTACK"),
        acknowledged(6),
        urgent(0, b"ATTACK", 4),
        client(6, ACK, b"."),
        acknowledged(7),
    ]);
    assert_eq!(counts(STREAM, &late), 1);
}

#[test]
fn old_time_stamps_change_nothing() {
    // A receiver may drop the second for its time stamp, or not: its bytes are in the stream.
    let stamped = |at: i64, stamp: u32, payload: &[u8]| {
        with_options(
            &client(at, ACK, b""),
            &[&[1, 1, 8, 10], &stamp.to_be_bytes()[..], &[0; 4]].concat(),
            payload,
        )
    };
    let frames = after(vec![stamped(0, 1_000_000, b"ATT"), stamped(3, 5, b"ACK"), acknowledged(6)]);
    assert_eq!(counts(STREAM, &frames), 1);
}

#[test]
fn fragments_may_be_tiny_late_and_in_any_order() {
    let whole = client(0, ACK, b"..ATTACK....");
    for bytes in [8, 16, 24] {
        let mut pieces = fragments(&whole, bytes);
        assert_eq!(counts(STREAM, &after([pieces.clone(), vec![acknowledged(12)]].concat())), 1, "{bytes}");
        pieces.reverse();
        assert_eq!(counts(STREAM, &after([pieces, vec![acknowledged(12)]].concat())), 1, "{bytes}");
    }
}

#[test]
fn overlapping_fragments_are_settled_as_the_receiver_does_and_told() {
    let rules = format!("{STREAM}\nalert ip any any -> any any (decode-event:ipv4.frag_overlap; sid:3;)");
    let pieces = |text: &[u8; 16]| fragments(&client(0, ACK, text), 8);
    let (wicked, fine) = (pieces(b"....ATTACK......"), pieces(b"....xxxxxx......"));
    // The part with the words is the fourth; the one that came first wins.
    for (first, second, is_read) in [(&wicked, &fine, true), (&fine, &wicked, false)] {
        let order = vec![
            first[3].clone(),
            second[3].clone(),
            first[2].clone(),
            first[0].clone(),
            first[1].clone(),
            first[4].clone(),
            acknowledged(16),
        ];
        let said = alerts(&rules, &after(order));
        assert!(said.iter().any(|alert| alert.0 == 3), "{said:?}");
        assert_eq!(said.iter().any(|alert| alert.0 == 1), is_read, "{said:?}");
    }
}

#[test]
fn extension_headers_of_ipv6_hide_nothing() {
    let segment = |extensions: &[(u8, &[u8])]| {
        let tcp = &client(0, ACK, b"ATTACK")[34..];
        let (mut chain, mut next) = (tcp.to_vec(), 6);
        for (kind, rest) in extensions.iter().rev() {
            chain = [&[next], *rest, chain.as_slice()].concat();
            next = *kind;
        }
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0];
        frame.extend((chain.len() as u16).to_be_bytes());
        frame.extend([next, 64]);
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        [frame, chain].concat()
    };
    let padding: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
    let routing: &[u8] = &[0, 0, 0, 0, 0, 0, 0];
    // A fragment that is the whole datagram.
    let fragment: &[u8] = &[0, 0, 0, 0, 0, 0, 7];
    for chain in [
        vec![],
        vec![(0, padding)],
        vec![(60, padding)],
        vec![(43, routing)],
        vec![(0, padding), (43, routing), (60, padding)],
        vec![(44, fragment)],
        vec![(0, padding), (44, fragment), (60, padding)],
    ] {
        let said = counts(LOOSE, &[segment(&chain)]);
        assert_eq!(said, 1, "{chain:?}");
    }
    // More than a sane sender makes: it is told.
    let odd = r#"alert ip any any -> any any (decode-event:ipv6.exthdr_dupl_dh; sid:1;)"#;
    assert_eq!(counts(odd, &[segment(&[(60, padding), (60, padding), (60, padding)])]), 1);
}

#[test]
fn a_hole_in_a_message_ends_the_wait_for_its_rest() {
    let rule = r#"alert http any any -> any 80 (http.uri; content:"/wicked"; sid:1;)"#;
    let second = b"GET /wicked HTTP/1.1\r\nHost: a\r\n\r\n";
    let frames = after(vec![
        client(0, ACK, b"GET /a HTTP/1.1\r\nHo"),
        // Forty bytes are lost on the way to us; the server has them.
        client(59, ACK, second),
        acknowledged(59 + second.len() as u32),
    ]);
    let _ = counts(rule, &frames);
    let other =
        r#"alert tcp any any -> any 80 (flow:established,to_server,only_stream; content:"wicked"; sid:1;)"#;
    assert_eq!(counts(other, &frames), 1);
}
