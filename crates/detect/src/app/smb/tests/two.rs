//! SMB 2.

use super::build::*;
use super::*;
use crate::app::dcerpc::tests::{bind, bind_ack, request, response, test_of};
use crate::app::{UNTAKEN_BYTES_MAX, Verdict};

const UUID: &str = "367abb81-9844-35f1-ad32-98f038001003";

/// A file is opened, written, read and closed.
fn conversation(bytes: &[u8]) -> Vec<(Direction, Vec<u8>)> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    vec![
        (TO_SERVER, two_tree_connect(1, r"\\srv\docs")),
        (TO_CLIENT, two_tree_connected(1, 4, 1)),
        (TO_SERVER, two_create(2, 4, "plan.txt")),
        (TO_CLIENT, two_created(2, 4, 0xaa)),
        (TO_SERVER, two_write(3, 4, 0xaa, 0, first)),
        (TO_CLIENT, two_answer(9, 0, 3, 4, &[0; 16])),
        (TO_SERVER, two_write(4, 4, 0xaa, first.len() as u64, second)),
        (TO_CLIENT, two_answer(9, 0, 4, 4, &[0; 16])),
        (TO_SERVER, two_read(5, 4, 0xaa, 0)),
        (TO_CLIENT, two_given(0, 5, 4, bytes)),
        (TO_SERVER, two_close(6, 4, 0xaa)),
        (TO_CLIENT, two_answer(6, 0, 6, 4, &[0; 60])),
    ]
}

#[test]
fn a_file_is_one_exchange_each_way_however_its_bytes_come() {
    let bytes: Vec<u8> = (0..5000u32).map(|number| (number * 7) as u8).collect();
    let mut whole = Flow::new();
    whole.hold(&conversation(&bytes), usize::MAX);
    for bytes_at_once in [1, 333, 4096] {
        let mut flow = Flow::new();
        flow.hold(&conversation(&bytes), bytes_at_once);
        assert_eq!(flow.records(), whole.records());
        let all = flow.all();
        // The tree, the file's opening, what was written, what was read, the file's closing.
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|one| one.is_complete(TO_SERVER) && one.is_complete(TO_CLIENT)));
        assert_eq!(content(all[2], TO_SERVER), bytes);
        assert_eq!(content(all[3], TO_CLIENT), bytes);
        assert!(all[2].files(TO_CLIENT).is_none());
        let names = all[2].files(TO_SERVER).map(|files| files.list()[0].name.clone());
        assert_eq!(names, Some(b"plan.txt".to_vec()));
        assert_eq!(framed(&flow, "smb2.hdr").len(), 12);
        assert_eq!(framed(&flow, "smb2.data"), framed(&whole, "smb2.data"));
        assert!(all.iter().all(|one| one.events(TO_SERVER) == 0));
    }
}

#[test]
fn records_tell_what_was_done() {
    let mut flow = Flow::new();
    flow.hold(&conversation(b"text"), usize::MAX);
    let records = flow.records();
    for (record, wanted) in records.iter().zip([
        r#""command":"SMB2_COMMAND_TREE_CONNECT","status":"STATUS_SUCCESS","status_code":"0x0","session_id":9,"tree_id":4"#,
        r#""filename":"plan.txt","disposition":"FILE_OPEN","access":"delete on close""#,
        r#""command":"SMB2_COMMAND_WRITE""#,
        r#""share":"\\\\srv\\docs","fuid":"aaaaaaaa-aaaa-"#,
        r#""command":"SMB2_COMMAND_CLOSE""#,
    ]) {
        assert!(record.contains(wanted), "{record}");
    }
}

#[test]
fn a_tree_is_a_share_until_its_response_says_that_it_is_of_pipes() {
    for (kind, share, pipe) in [(1, 1, 0), (2, 0, 1)] {
        let mut flow = Flow::new();
        assert_eq!(flow.say(TO_SERVER, &two_tree_connect(1, r"\\srv\x")), Ok(()));
        assert!(flow.last().is_complete(TO_SERVER));
        assert_eq!(shown(flow.last(), keywords::SHARE, TO_SERVER).len(), 1);
        assert_eq!(flow.say(TO_CLIENT, &two_tree_connected(1, 4, kind)), Ok(()));
        assert!(flow.last().is_complete(TO_CLIENT));
        assert_eq!(shown(flow.last(), keywords::SHARE, TO_SERVER).len(), share);
        assert_eq!(shown(flow.last(), keywords::NAMED_PIPE, TO_SERVER).len(), pipe);
    }
}

#[test]
fn what_is_too_long_to_wait_for_is_passed_over() {
    let mut flow = Flow::new();
    let encrypted = session(&[b"\xfdSMB".as_slice(), &vec![7; UNTAKEN_BYTES_MAX]].concat());
    let tree = [
        (TO_SERVER, encrypted),
        (TO_SERVER, two_tree_connect(1, r"\\srv\x")),
        (TO_CLIENT, two_tree_connected(1, 4, 1)),
    ];
    flow.hold(&tree, 100_000);
    assert_eq!(flow.all().len(), 1);
    assert_eq!(shown(flow.last(), keywords::SHARE, TO_SERVER).len(), 1);
}

#[test]
fn dcerpc_in_a_pipe_is_exchanges_of_its_own() {
    let mut flow = Flow::new();
    let through = |message: u64, bytes: &[u8]| two_write(message, 4, 0xaa, 0, bytes);
    let conversation = [
        (TO_SERVER, two_tree_connect(1, r"\\srv\IPC$")),
        (TO_CLIENT, two_tree_connected(1, 4, 2)),
        (TO_SERVER, two_create(2, 4, "svcctl")),
        (TO_CLIENT, two_created(2, 4, 0xaa)),
        (TO_SERVER, through(3, &bind(1, 0))),
        (TO_SERVER, two_read(4, 4, 0xaa, 0)),
        (TO_CLIENT, two_given(0, 4, 4, &bind_ack(1, 0))),
        (TO_SERVER, through(5, &request(1, 2, 0, 15, b"first "))),
        (TO_SERVER, through(6, &request(2, 2, 0, 15, b"second"))),
        (TO_SERVER, two_read(7, 4, 0xaa, 0)),
        (TO_CLIENT, two_given(0, 7, 4, &response(3, 2, b"answer"))),
    ];
    flow.hold(&conversation, usize::MAX);
    let all = flow.all();
    assert_eq!(all.len(), 4);
    let call = all[3];
    assert_eq!(shown(call, STUB_DATA, TO_SERVER), ["first second"]);
    assert_eq!(shown(call, STUB_DATA, TO_CLIENT), ["answer"]);
    assert!(call.is_complete(TO_SERVER) && call.is_complete(TO_CLIENT));
    for (name, text, verdict) in [
        ("dcerpc.iface", UUID, Verdict::Holds),
        ("dce_iface", "367abb81-9844-35f1-ad32-98f038001003,=3", Verdict::Fails),
        ("dcerpc.opnum", "15", Verdict::Holds),
        ("dce_opnum", "16-20", Verdict::Fails),
    ] {
        assert_eq!(test_of(name, text).check(call, TO_SERVER), verdict, "{name} {text}");
        assert_eq!(test_of(name, text).check(all[0], TO_SERVER), Verdict::Fails);
    }
    assert_eq!(test_of("dcerpc.iface", UUID).check(all[2], TO_SERVER), Verdict::Fails);
    let records = flow.records();
    assert!(
        records[3].contains(r#""dcerpc":{"request":"REQUEST","response":"RESPONSE","opnum":15"#),
        "{}",
        records[3]
    );
}

#[test]
fn a_unit_that_overflows_a_read_goes_on_with_the_next() {
    let mut flow = Flow::new();
    let answer = response(3, 2, b"a long answer");
    let (first, second) = answer.split_at(20);
    let conversation = [
        (TO_SERVER, two_tree_connect(1, r"\\srv\IPC$")),
        (TO_CLIENT, two_tree_connected(1, 4, 2)),
        (TO_SERVER, two_create(2, 4, "samr")),
        (TO_CLIENT, two_created(2, 4, 0xaa)),
        (TO_SERVER, two_write(3, 4, 0xaa, 0, &request(3, 2, 0, 1, b"x"))),
        (TO_SERVER, two_read(4, 4, 0xaa, 0)),
        (TO_CLIENT, two_given(0x8000_0005, 4, 4, first)),
        (TO_SERVER, two_read(5, 4, 0xaa, 0)),
        (TO_CLIENT, two_given(0, 5, 4, second)),
    ];
    flow.hold(&conversation, usize::MAX);
    assert_eq!(shown(flow.last(), STUB_DATA, TO_CLIENT), ["a long answer"]);
}

#[test]
fn dcerpc_through_ioctl_is_one_exchange() {
    let ioctl = |bytes: &[u8]| {
        let mut body = vec![57, 0, 0, 0];
        body.extend_from_slice(&0x0011_c017u32.to_le_bytes());
        body.extend_from_slice(&[0xaa; 16]);
        body.extend_from_slice(&[0; 4]);
        body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        body.extend_from_slice(&[0; 24]);
        body.extend_from_slice(bytes);
        two(11, 3, 4, &body)
    };
    let answered = |bytes: &[u8]| {
        let mut body = vec![49, 0, 0, 0];
        body.extend_from_slice(&0x0011_c017u32.to_le_bytes());
        body.extend_from_slice(&[0xaa; 16]);
        body.extend_from_slice(&[0; 12]);
        body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        body.extend_from_slice(&[0; 8]);
        body.extend_from_slice(bytes);
        two_answer(11, 0, 3, 4, &body)
    };
    let mut flow = Flow::new();
    let conversation = [
        (TO_SERVER, two_tree_connect(1, r"\\srv\IPC$")),
        (TO_CLIENT, two_tree_connected(1, 4, 2)),
        (TO_SERVER, two_create(2, 4, "srvsvc")),
        (TO_CLIENT, two_created(2, 4, 0xaa)),
        (TO_SERVER, ioctl(&request(3, 2, 0, 1, b"x"))),
        (TO_CLIENT, answered(&response(3, 2, b"y"))),
    ];
    flow.hold(&conversation, usize::MAX);
    assert_eq!(flow.all().len(), 3);
    assert_eq!(shown(flow.last(), STUB_DATA, TO_CLIENT), ["y"]);
    assert!(flow.last().is_complete(TO_CLIENT));
}

#[test]
fn commands_of_a_chain_are_exchanges_each() {
    let first = two_record(13, 0, 0, 72, 1, 0, &[0; 8]);
    let second = two_record(7, 0, 0, 0, 2, 0, &[0; 24]);
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &session(&[first, second].concat())), Ok(()));
    assert_eq!(flow.all().len(), 2);
    assert_eq!(framed(&flow, "smb2.data"), [8, 24]);
}

#[test]
fn a_negotiation_in_smb_1_may_be_answered_in_smb_2() {
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &one_negotiate(&["NT LM 0.12", "SMB 2.???"])), Ok(()));
    let mut body = vec![0; 64];
    body[4..6].copy_from_slice(&0x0311u16.to_le_bytes());
    body[32..36].copy_from_slice(&0x0200_0000u32.to_le_bytes());
    body[36..40].copy_from_slice(&0x0200_0000u32.to_le_bytes());
    assert_eq!(flow.say(TO_CLIENT, &two_answer(0, 0, 0, 0, &body)), Ok(()));
    assert!(flow.last().is_complete(TO_CLIENT));
    assert!(has(flow.last(), Event::NegotiateMaxReadSizeTooLarge));
    assert!(has(flow.last(), Event::NegotiateMaxWriteSizeTooLarge));
    assert!(flow.records()[0].contains(r#""dialect":"3.11""#));
}

#[test]
fn who_logs_in_is_told() {
    let mut flow = Flow::new();
    let setup = |blob: &[u8]| two(1, 1, 0, &[&[0; 24], blob].concat());
    assert_eq!(flow.say(TO_SERVER, &setup(&auth::tests::authenticate([0, 1, 2]))), Ok(()));
    assert_eq!(shown(flow.last(), keywords::NTLMSSP_USER, TO_SERVER), ["ann"]);
    assert_eq!(shown(flow.last(), keywords::NTLMSSP_DOMAIN, TO_SERVER), ["DOM"]);
    assert!(!has(flow.last(), Event::UnusualNtlmsspOrder));
    let mut odd = Flow::new();
    assert_eq!(odd.say(TO_SERVER, &setup(&auth::tests::authenticate([2, 1, 0]))), Ok(()));
    assert!(has(odd.last(), Event::UnusualNtlmsspOrder));
}

#[test]
fn lengths_that_lie_and_pieces_that_overlap_are_events() {
    let mut flow = Flow::new();
    flow.hold(&conversation(b"text")[..4], usize::MAX);
    assert_eq!(flow.say(TO_SERVER, &two_write(3, 4, 0xaa, 0, b"abcd")), Ok(()));
    assert_eq!(flow.say(TO_SERVER, &two_write(4, 4, 0xaa, 2, b"xy")), Ok(()));
    assert!(has(flow.last(), Event::FileOverlap));
    let mut lying = two_write(5, 4, 0xaa, 4, b"efgh");
    lying[72] = 200;
    assert_eq!(flow.say(TO_SERVER, &lying), Ok(()));
    assert!(has(flow.last(), Event::WriteRequestTooLarge));
    let mut given = two_given(0, 9, 4, b"efgh");
    given[72] = 200;
    assert_eq!(flow.say(TO_CLIENT, &given), Ok(()));
    assert!(has(flow.last(), Event::ReadResponseTooLarge));
    for place in 0..70 {
        assert_eq!(flow.say(TO_SERVER, &two_write(10, 4, 0xaa, 100 + place * 2, b"z")), Ok(()));
    }
    assert!(has(flow.last(), Event::WriteQueueCountExceeded));
}

#[test]
fn in_a_hole_zeros_stand_for_a_file_and_else_the_next_record_is_searched_for() {
    let mut flow = Flow::new();
    flow.hold(&conversation(b"text")[..4], usize::MAX);
    let record = two_write(3, 4, 0xaa, 0, &[1; 3000]);
    assert_eq!(flow.say(TO_SERVER, &record[..1000]), Ok(()));
    flow.lose(TO_SERVER, 1000);
    assert_eq!(flow.say(TO_SERVER, &record[2000..]), Ok(()));
    let file = content(flow.last(), TO_SERVER);
    assert_eq!((file.len(), file.iter().filter(|byte| **byte == 0).count()), (3000, 1000));
    flow.lose(TO_SERVER, 777);
    let rubbish = [&b"\0\0SMB and more"[..], &two(13, 8, 0, &[]), &two(13, 9, 0, &[])].concat();
    assert_eq!(flow.say(TO_SERVER, &rubbish), Ok(()));
    assert_eq!(flow.all().len(), 5);
    assert!(!flow.all()[2].is_complete(TO_SERVER));
    flow.seconds = 61;
    assert_eq!(flow.say(TO_SERVER, &two(13, 10, 0, &[])), Ok(()));
    assert!(flow.all()[2].is_complete(TO_SERVER) && flow.all()[2].is_complete(TO_CLIENT));
}

#[test]
fn a_flow_that_was_joined_in_its_midst_begins_with_the_first_record() {
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &[&[0x55; 100][..], &two(13, 1, 0, &[])].concat()), Ok(()));
    assert_eq!(flow.all().len(), 1);
}

#[test]
fn cut_and_lying_records_do_no_harm() {
    let conversation = conversation(b"some text in a file");
    for (count, (direction, whole)) in conversation.iter().enumerate() {
        for place in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut lying = whole.clone();
                lying[place] = value;
                let mut flow = Flow::new();
                flow.hold(&conversation[..count], usize::MAX);
                let _ = flow.say(*direction, &lying);
            }
        }
    }
}
