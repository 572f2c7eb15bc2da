//! SMB 1.

use super::build::*;
use super::*;
use crate::app::dcerpc::tests::{bind, bind_ack, request, response, test_of};
use crate::app::{Takes, Verdict};

const FILE: [u8; 2] = [1, 0x40];

/// A file is opened, written, read and closed.
fn conversation(bytes: &[u8]) -> Vec<(Direction, Vec<u8>)> {
    vec![
        (TO_SERVER, one_tree_connect(2, r"\\srv\docs", "?????")),
        (TO_CLIENT, one_tree_connected(2, "A:")),
        (TO_SERVER, one_create(3, r"\plan.txt")),
        (TO_CLIENT, one_created(3, FILE)),
        (TO_SERVER, one_write(4, FILE, 0, bytes)),
        (TO_CLIENT, one_answer(0x2f, 0, 4, &[6, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        (TO_SERVER, one_read(5, FILE, 0)),
        (TO_CLIENT, one_given(5, bytes)),
        (TO_SERVER, one_close(6, FILE)),
        (TO_CLIENT, one_answer(0x04, 0, 6, &[0, 0, 0])),
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
        assert_eq!(all.len(), 5);
        assert!(all.iter().all(|one| one.is_complete(TO_SERVER) && one.is_complete(TO_CLIENT)));
        assert_eq!(content(all[2], TO_SERVER), bytes);
        assert_eq!(content(all[3], TO_CLIENT), bytes);
        assert_eq!(framed(&flow, "smb1.data"), framed(&whole, "smb1.data"));
        assert!(all.iter().all(|one| one.events(TO_SERVER) == 0), "{:?}", flow.records());
    }
    assert_eq!(shown(whole.all()[0], keywords::SHARE, TO_SERVER), [r"\srv\docs"]);
    assert!(whole.records()[1].contains(r#""filename":"\\plan.txt","#), "{}", whole.records()[1]);
    assert!(whole.records()[2].contains(r#""fuid":"4001""#), "{}", whole.records()[2]);
}

#[test]
fn the_version_of_an_exchange_is_asked_for() {
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &one(0x2b, 1, &[1, 1, 0, 0, 0])), Ok(()));
    let keyword = PROTOCOL.keywords.iter().find(|keyword| keyword.name == "smb.version");
    let Some(Takes::Test(make)) = keyword.map(|keyword| keyword.takes) else {
        panic!("no such keyword");
    };
    for (text, verdict) in [("1", Verdict::Holds), (" 2 ", Verdict::Fails)] {
        let test = make(text).unwrap_or_else(|complaint| panic!("{complaint:?}"));
        assert_eq!(test.check(flow.last(), TO_SERVER), verdict);
    }
    assert!(make("3").is_err());
}

#[test]
fn a_negotiation_agrees_on_a_dialect_and_its_oddities_are_events() {
    let chosen = |place: u16| {
        let mut body = vec![17];
        body.extend_from_slice(&place.to_le_bytes());
        body.extend_from_slice(&[0; 32]);
        body.extend_from_slice(&16u16.to_le_bytes());
        body.extend_from_slice(&[7; 16]);
        one_answer(0x72, 0, 1, &body)
    };
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &one_negotiate(&["LANMAN1.0", "NT LM 0.12"])), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &chosen(1)), Ok(()));
    assert!(flow.records()[0].contains(r#""dialect":"NT LM 0.12""#), "{:?}", flow.records());
    assert!(!has(flow.last(), Event::NegotiateMalformedDialects));
    assert_eq!(flow.say(TO_SERVER, &one_negotiate(&["NT LM 0.12"])), Ok(()));
    assert!(has(flow.last(), Event::DuplicateNegotiate));
    let mut odd = Flow::new();
    assert_eq!(odd.say(TO_SERVER, &one_negotiate(&["NT LM 0.12"])), Ok(()));
    assert_eq!(odd.say(TO_CLIENT, &chosen(9)), Ok(()));
    assert!(has(odd.last(), Event::NegotiateMalformedDialects));
    let mut empty = Flow::new();
    assert_eq!(empty.say(TO_SERVER, &one_negotiate(&[""])), Ok(()));
    assert!(has(empty.last(), Event::NegotiateMalformedDialects));
}

#[test]
fn chained_commands_are_exchanges_each() {
    // A login with nothing in it, and behind it a tree.
    let setup: Vec<u8> = [&[12, 0x75, 0, 60, 0][..], &[0; 23]].concat();
    let connect = &one_tree_connect(1, r"\\srv\x", "A:")[36..];
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &one(0x73, 1, &[&setup, connect].concat())), Ok(()));
    let records = flow.records();
    assert_eq!(records.len(), 2);
    assert!(
        records[0].contains("SESSION_SETUP_ANDX") && records[1].contains("TREE_CONNECT_ANDX"),
        "{records:?}"
    );
}

#[test]
fn dcerpc_in_a_pipe_is_exchanges_of_its_own() {
    let conversation = [
        (TO_SERVER, one_tree_connect(2, r"\\srv\IPC$", "IPC")),
        (TO_CLIENT, one_tree_connected(2, "IPC")),
        (TO_SERVER, one_create(3, r"\svcctl")),
        (TO_CLIENT, one_created(3, FILE)),
        (TO_SERVER, one_write(4, FILE, 0, &bind(1, 0))),
        (TO_SERVER, one_read(5, FILE, 0)),
        (TO_CLIENT, one_given(5, &bind_ack(1, 0))),
        (TO_SERVER, one_write(6, FILE, 0, &request(3, 2, 0, 12, b"stub"))),
        (TO_SERVER, one_read(7, FILE, 0)),
        (TO_CLIENT, one_given(7, &response(3, 2, b"answer"))),
    ];
    let mut flow = Flow::new();
    flow.hold(&conversation, usize::MAX);
    assert_eq!(flow.all().len(), 4);
    assert_eq!(shown(flow.all()[0], keywords::NAMED_PIPE, TO_SERVER), [r"\srv\IPC$"]);
    assert_eq!(shown(flow.last(), STUB_DATA, TO_SERVER), ["stub"]);
    assert_eq!(shown(flow.last(), STUB_DATA, TO_CLIENT), ["answer"]);
    let interface = test_of("dcerpc.iface", "367abb81-9844-35f1-ad32-98f038001003");
    assert_eq!(interface.check(flow.last(), TO_SERVER), Verdict::Holds);
}

#[test]
fn dcerpc_in_a_transaction_is_one_exchange() {
    let unit = request(3, 2, 0, 12, b"stub");
    let mut body = vec![16];
    body.extend_from_slice(&[0; 22]);
    body.extend_from_slice(&(unit.len() as u16).to_le_bytes());
    body.extend_from_slice(&84u16.to_le_bytes());
    body.extend_from_slice(&[2, 0, 0x26, 0, FILE[0], FILE[1], 0, 0]);
    let mut name = vec![0];
    name.extend_from_slice(&wide(r"\PIPE\"));
    name.extend_from_slice(&[0, 0]);
    body.extend_from_slice(&name);
    body.resize(84 - 32, 0);
    body.extend_from_slice(&unit);
    let answer = response(3, 2, b"answer");
    let mut answered = vec![10];
    answered.extend_from_slice(&[0; 12]);
    answered.extend_from_slice(&(answer.len() as u16).to_le_bytes());
    answered.extend_from_slice(&56u16.to_le_bytes());
    answered.extend_from_slice(&[0; 7]);
    answered.extend_from_slice(&answer);
    let mut flow = Flow::new();
    let conversation = [
        (TO_SERVER, one_tree_connect(2, r"\\srv\IPC$", "IPC")),
        (TO_CLIENT, one_tree_connected(2, "IPC")),
        (TO_SERVER, one_create(3, r"\samr")),
        (TO_CLIENT, one_created(3, FILE)),
        (TO_SERVER, one(0x25, 4, &body)),
        (TO_CLIENT, one_answer(0x25, 0, 4, &answered)),
    ];
    flow.hold(&conversation, usize::MAX);
    assert_eq!(flow.all().len(), 3, "{:?}", flow.records());
    assert_eq!(shown(flow.last(), STUB_DATA, TO_SERVER), ["stub"]);
    assert_eq!(shown(flow.last(), STUB_DATA, TO_CLIENT), ["answer"]);
}

#[test]
fn files_are_renamed_and_set_to_be_deleted() {
    let set = |command: u16, parameters: &[u8], data: &[u8]| {
        let mut body = vec![15];
        body.extend_from_slice(&[0; 18]);
        body.extend_from_slice(&(parameters.len() as u16).to_le_bytes());
        body.extend_from_slice(&68u16.to_le_bytes());
        body.extend_from_slice(&(data.len() as u16).to_le_bytes());
        body.extend_from_slice(&(68 + parameters.len() as u16).to_le_bytes());
        body.extend_from_slice(&[1, 0]);
        body.extend_from_slice(&command.to_le_bytes());
        body.extend_from_slice(&[0; 5]);
        body.extend_from_slice(parameters);
        body.extend_from_slice(data);
        one(0x32, 9, &body)
    };
    let name = wide("new.txt");
    let rename = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &(name.len() as u32).to_le_bytes(), &name].concat();
    let path = [&1010u16.to_le_bytes()[..], &[0; 4], &wide(r"\old.txt"), &[0, 0]].concat();
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &set(6, &path, &rename)), Ok(()));
    let file = [&FILE[..], &1013u16.to_le_bytes()].concat();
    assert_eq!(flow.say(TO_SERVER, &set(8, &file, &[1])), Ok(()));
    let records = flow.records();
    assert!(records[0].contains(r#""rename":{"from":"\\old.txt","to":"new.txt"}"#), "{}", records[0]);
    assert!(records[1].contains(r#""access":"delete on close","subcmd":"SET_FILE_INFO""#), "{}", records[1]);
    assert_eq!(flow.say(TO_CLIENT, &one_answer(0x32, 0, 9, &[0, 0, 0])), Ok(()));
    assert!(flow.all()[0].is_complete(TO_CLIENT));
}

#[test]
fn a_status_of_dos_is_told_as_such() {
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &one(0x2b, 1, &[1, 1, 0, 0, 0])), Ok(()));
    let mut answer = one_answer(0x2b, 0x0005_0001, 1, &[0, 0, 0]);
    answer[15] = 0;
    assert_eq!(flow.say(TO_CLIENT, &answer), Ok(()));
    assert!(
        flow.records()[0].contains(r#""status":"DOS_ACCESS_DENIED","status_code":"0x0005""#),
        "{:?}",
        flow.records()
    );
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
