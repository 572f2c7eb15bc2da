//! What FTP promises, with conversations that are made up here.

use super::data::{DataFlow, note};
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::file::Ending;
use crate::app::trial::Trial;
use crate::app::{Keyword, Ready, Takes, Transaction, Verdict};
use core::net::{IpAddr, Ipv4Addr};
use keywords::{CODE, COMMAND, COMMAND_DATA, DATA_KEYWORDS, DYNAMIC_PORT, KEYWORDS, REPLY};

fn flow() -> Trial<Ftp> {
    Trial::new(Ftp::default(), Transport::Tcp, &[])
}

fn fetched(flow: &mut Trial<Ftp>, say: fn(&mut Trial<Ftp>, Direction, &[u8])) {
    say(flow, ToClient, b"220 (a server)\r\n");
    say(flow, ToServer, b"USER anonymous\r\n");
    say(flow, ToClient, b"331 Which password?\r\n");
    say(flow, ToServer, b"port 10,0,0,1,200,7\r\nPORT 10,0,0,1,200,7  \r\n");
    say(flow, ToClient, b"200 ok\r\n200 ok\r\n");
    say(flow, ToServer, b"RETR a file.txt\r\n");
    say(flow, ToClient, b"150 here it comes\r\n226 done\r\n");
    say(flow, ToServer, b"PASV\r\n");
    say(flow, ToClient, b"227 Entering Passive Mode (10,0,0,2,1,2).\r\n");
    say(flow, ToServer, b"STOR b\r\n");
}

#[test]
fn a_password_that_is_refused_is_told_and_a_command_before_it_is_not() {
    let mut flow = flow();
    flow.say(ToClient, b"220 (a server)\r\n")
        .say(ToServer, b"LIST\r\n")
        .say(ToClient, b"530 Log in first.\r\n");
    flow.say(ToServer, b"USER me\r\n").say(ToClient, b"331 Which password?\r\n");
    assert_eq!(flow.refused_logins, 0);
    flow.say(ToServer, b"PASS wrong\r\n").say(ToClient, b"530 Login incorrect.\r\n");
    assert_eq!(flow.refused_logins, 1);
    flow.say(ToServer, b"PASS right\r\n").say(ToClient, b"230 Welcome.\r\n");
    assert_eq!(flow.refused_logins, 1);
}

fn in_one(flow: &mut Trial<Ftp>, direction: Direction, bytes: &[u8]) {
    flow.say(direction, bytes);
}

fn by_bytes(flow: &mut Trial<Ftp>, direction: Direction, bytes: &[u8]) {
    flow.spell(direction, bytes);
}

/// What a keyword's test says of each transaction.
fn verdicts(flow: &Trial<Ftp>, name: &str, text: &str) -> Vec<Verdict> {
    verdicts_of(flow, KEYWORDS, name, text)
}

fn verdicts_of<P: Parser>(flow: &Trial<P>, keywords: &[Keyword], name: &str, text: &str) -> Vec<Verdict> {
    let keyword = keywords.iter().find(|keyword| keyword.name == name);
    let Some(Takes::Test(make)) = keyword.map(|keyword| keyword.takes) else { panic!("{name} is a test") };
    let Ok(test) = make(text) else { panic!("{text} is understood") };
    flow.transactions().map(|exchange| test.check(exchange, ToServer)).collect()
}

#[test]
fn a_command_and_its_replies_are_an_exchange() {
    for say in [in_one as fn(&mut Trial<Ftp>, Direction, &[u8]), by_bytes] {
        let mut flow = flow();
        fetched(&mut flow, say);
        assert!(!flow.broken);
        assert_eq!(flow.values(COMMAND, ToServer), ["USER", "PORT", "PORT", "RETR", "PASV", "STOR"]);
        assert_eq!(
            flow.values(COMMAND_DATA, ToServer),
            ["anonymous", "10,0,0,1,200,7", "10,0,0,1,200,7", "a file.txt", "b"]
        );
        assert_eq!(flow.values(CODE, ToClient), ["331", "200", "200", "150", "226", "227"]);
        assert_eq!(flow.values(REPLY, ToClient)[3], "here it comes");
        assert_eq!(flow.numbers(DYNAMIC_PORT, ToServer), [51_207, 51_207, 258]);
        assert_eq!(flow.transactions().filter(|exchange| exchange.is_complete(ToClient)).count(), 6);
    }
}

#[test]
fn data_connections_are_announced_with_their_files() {
    let mut flow = flow();
    fetched(&mut flow, in_one);
    let end = |last, port| (IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
    let expected = |to, transfer, direction, name: &[u8]| Expectation {
        to,
        protocol: ProtocolId::FtpData,
        note: note(transfer, direction),
        name: name.to_vec(),
    };
    assert_eq!(
        flow.expectations,
        [
            expected(end(1, 51_207), Transfer::Fetch, ToServer, b"a file.txt"),
            expected(end(2, 258), Transfer::Store, ToServer, b"b")
        ]
    );
}

#[test]
fn the_file_of_a_data_connection_has_its_name_and_its_bytes() {
    for (way, keyword) in [(ToServer, "stor"), (ToClient, "retr")] {
        let transfer = if keyword == "stor" { Transfer::Store } else { Transfer::Fetch };
        let mut flow = Trial::new(DataFlow::default(), Transport::Tcp, &[]);
        flow.announced = Some((note(transfer, way), b"name".to_vec()));
        flow.say(way.reversed(), b"noise").say(way, b"con").say(way, b"tent").end(way);
        let Some(data) = flow.transactions().next() else { panic!("there is one") };
        assert!(data.files(way.reversed()).is_none());
        let Some(files) = data.files(way) else { panic!("it goes this way") };
        let file = &files.list()[0];
        assert_eq!(
            (file.name.as_slice(), file.body.window(), file.ending),
            (&b"name"[..], &b"content"[..], Ending::Closed)
        );
        assert!(data.is_complete(ToServer) && data.is_complete(ToClient));
        assert_eq!(verdicts_of(&flow, DATA_KEYWORDS, "ftpdata_command", keyword), [Verdict::Holds]);
        assert_eq!(flow.records().len(), 1);
    }
    let mut unknown = Trial::new(DataFlow::default(), Transport::Tcp, &[]);
    unknown.say(ToServer, b"x");
    assert!(unknown.broken);
}

#[test]
fn a_file_with_a_hole_is_truncated() {
    let mut flow = Trial::new(DataFlow::default(), Transport::Tcp, &[]);
    flow.announced = Some((note(Transfer::Fetch, ToClient), b"name".to_vec()));
    flow.say(ToClient, b"con").gap(ToClient, 10);
    let ending = flow
        .transactions()
        .next()
        .and_then(|data| data.files(ToClient)?.list().first())
        .map(|file| file.ending);
    assert_eq!((flow.broken, ending), (true, Some(Ending::Truncated)));
}

#[test]
fn tests_on_the_mode_and_the_reply_wait_for_the_reply() {
    let mut flow = flow();
    flow.say(ToServer, b"PASV\r\n");
    assert_eq!(verdicts(&flow, "ftp.mode", "passive"), [Verdict::Open]);
    assert_eq!(verdicts(&flow, "ftp.reply_received", "yes"), [Verdict::Open]);
    flow.say(ToClient, b"227 ok (1,2,3,4,5,6)\r\n");
    assert_eq!(verdicts(&flow, "ftp.mode", "passive"), [Verdict::Holds]);
    assert_eq!(verdicts(&flow, "ftp.mode", "active"), [Verdict::Fails]);
    assert_eq!(verdicts(&flow, "ftp.reply_received", "on"), [Verdict::Holds]);
    assert_eq!(verdicts(&flow, "ftp.reply_received", "no"), [Verdict::Fails]);
    let mut flow = self::flow();
    flow.say(ToServer, b"USER x\r\n").say(ToClient, b"331 x\r\n");
    assert_eq!(verdicts(&flow, "ftp.mode", "passive"), [Verdict::Fails]);
}

#[test]
fn a_bounce_is_told_from_an_honest_port() {
    let mut flow = flow();
    flow.say(ToServer, b"PORT 10,0,0,1,1,1\r\nPORT 10,0,0,9,1,1\r\nPORT nonsense\r\n");
    assert_eq!(verdicts(&flow, "ftpbounce", ""), [Verdict::Fails, Verdict::Holds, Verdict::Fails]);
}

#[test]
fn a_reply_that_nobody_asked_for_is_an_exchange_without_command() {
    let mut flow = flow();
    flow.say(ToClient, b"220-first\r\n220 second\r\n");
    assert_eq!(flow.transactions().count(), 1);
    assert!(flow.values(REPLY, ToClient).is_empty());
    assert!(flow.transactions().all(|exchange| exchange.is_complete(ToClient)));
}

#[test]
fn a_preliminary_reply_leaves_the_exchange_open() {
    let mut flow = flow();
    flow.say(ToServer, b"LIST\r\n").say(ToClient, b"150 wait\r\n");
    let Some(exchange) = flow.transactions().next() else { panic!("there is one") };
    assert_eq!((exchange.ready(CODE, ToClient), exchange.ready(REPLY, ToClient)), (Ready::Part, Ready::No));
    assert_eq!(exchange.ready(COMMAND, ToServer), Ready::Full);
    flow.say(ToClient, b"226 done\r\n");
    assert!(flow.transactions().all(|exchange| exchange.is_done));
}

#[test]
fn encryption_is_handed_on() {
    let mut flow = flow();
    flow.say(ToServer, b"AUTH TLS\r\n").say(ToClient, b"234 go\r\n");
    assert_eq!(flow.next, Some(Next::Switch(ProtocolId::Tls)));
}

#[test]
fn what_is_odd_is_told() {
    let events = |to_server: &[u8], to_client: &[u8]| {
        let mut flow = flow();
        flow.say(ToServer, to_server).say(ToClient, to_client);
        assert!(!flow.broken);
        flow.events(EVENTS)
    };
    assert_eq!(events(b"RETR file\r\n", b""), ["file_before_port"]);
    assert_eq!(events(&[&b"USER "[..], &[b'x'; 5000], b"\r\n"].concat(), b""), ["request_command_too_long"]);
    assert_eq!(events(b"USER x\r\n", &[&b"331 "[..], &[b'x'; 5000]].concat()), ["response_command_too_long"]);
    let mut nameless = flow();
    nameless.say(ToServer, b"PASV\r\n").say(ToClient, b"227 ok (1,2,3,4,5,6)\r\n").say(ToServer, b"RETR\r\n");
    assert_eq!(nameless.events(EVENTS), ["file_without_name"]);
    let mut many = flow();
    many.say(ToServer, &b"NOOP\r\n".repeat(1100));
    assert!(many.broken);
    assert_eq!(many.events(EVENTS), ["too_many_transactions"]);
}

#[test]
fn the_rest_of_a_line_that_is_too_long_is_passed_over() {
    let mut flow = flow();
    flow.say(ToServer, &[&b"USER "[..], &[b'x'; 5000]].concat())
        .say(ToServer, b"USER y")
        .say(ToServer, b"\r\n");
    flow.say(ToServer, b"PASS z\r\n");
    assert_eq!(flow.values(COMMAND, ToServer), ["USER", "PASS"]);
}

#[test]
fn ports_are_read_as_they_are_written() {
    assert_eq!(commands::active(b"PORT 192,0,2,1,200,7"), Some(51_207));
    assert_eq!(commands::active(b"PORT 192,0,2,1,256,7"), None);
    assert_eq!(commands::active(b"PORT 192,0,2,1,200"), None);
    assert_eq!(commands::extended_active(b"EPRT |2|2001:db8::1|41813|"), Some(41_813));
    assert_eq!(commands::extended_active(b"EPRT |2|2001:db8::1|81813|"), None);
    assert_eq!(commands::extended_active(b"EPRT |2|2001:db8::1|41813"), None);
    assert_eq!(commands::passive(b"227 Entering Passive Mode (192,0,2,1,221,243)."), Some(56_819));
    assert_eq!(commands::passive(b"227 Entering Passive Mode (192,0,2,1,257,243)"), None);
    assert_eq!(commands::extended_passive(b"229 Entering Extended Passive Mode (|||48758|)"), Some(48_758));
    assert_eq!(commands::extended_passive(b"229 (|||0|)"), None);
}

#[test]
fn nothing_that_is_said_ends_the_parser() {
    for bytes in
        [&b"PORT ,,,,,\r\n227 (\r\nEPRT |||\r\nRETR \r\n\r\n\0\xff\n"[..], &[0xff; 300], b"\n\n\r\r\n"]
    {
        flow().say(ToServer, bytes).say(ToClient, bytes).end(ToServer).end(ToClient);
    }
}

#[test]
fn a_record_tells_the_command_and_its_replies() {
    let mut flow = flow();
    flow.say(ToServer, b"PASV\r\n").say(ToClient, b"227 ok (1,2,3,4,5,6)\r\n");
    assert_eq!(
        flow.records(),
        [concat!(
            r#"{"command":"PASV","dynamic_port":1286,"mode":"passive","completion_code":["227"],"#,
            r#""reply":["ok (1,2,3,4,5,6)"],"reply_truncated":false,"reply_received":"yes"}"#,
        )]
    );
}
