//! What SMTP promises, with conversations that are made up here.

use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Family, Field, Next, Ready, Transaction};
use keywords::{HELO, MAIL_FROM, RCPT_TO, URL};

const FRAMES: &[&str] = &["smtp.command_line", "smtp.data", "smtp.response_line"];

const SUBJECT: Field = Field::new(Family::Email, 2);
const RECEIVED: Field = Field::new(Family::Email, 8);

fn flow() -> Trial<Smtp> {
    Trial::new(Smtp::default(), Transport::Tcp, FRAMES)
}

/// A flow in which the server has said what it is.
fn welcomed() -> Trial<Smtp> {
    let mut flow = flow();
    flow.say(ToClient, b"220 mail.example.com ready\r\n");
    flow
}

const MAIL: &[u8] =
    b"Subject: hello\r\nReceived: a\r\nReceived: b\r\nContent-Type: multipart/mixed; boundary=s\r\n\r\n\
    --s\r\nContent-Type: text/plain\r\n\r\nsee http://x.y/z now\r\n--s\r\n\
    Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    aGVsbG8=\r\n--s--\r\n.\r\n";

/// A mail is sent, in pieces that `say` makes.
fn conversation(flow: &mut Trial<Smtp>, say: fn(&mut Trial<Smtp>, Direction, &[u8])) {
    say(flow, ToClient, b"220-mail.example.com\r\n220 ready\r\n");
    say(flow, ToServer, b"EHLO me.example.org\r\n");
    say(flow, ToClient, b"250-mail.example.com\r\n250 SIZE 1000\r\n");
    say(flow, ToServer, b"MAIL FROM:<a@b.c> SIZE=5\r\n");
    say(flow, ToClient, b"250 ok\r\n");
    say(flow, ToServer, b"RCPT TO: <d@e.f>\r\nRCPT TO:<g@h.i>\r\n");
    say(flow, ToClient, b"250 ok\r\n250 ok\r\n");
    say(flow, ToServer, b"DATA\r\n");
    say(flow, ToClient, b"354 go\r\n");
    say(flow, ToServer, MAIL);
    say(flow, ToClient, b"250 queued\r\n");
    say(flow, ToServer, b"QUIT\r\n");
    say(flow, ToClient, b"221 bye\r\n");
}

fn in_one(flow: &mut Trial<Smtp>, direction: Direction, bytes: &[u8]) {
    flow.say(direction, bytes);
}

fn by_bytes(flow: &mut Trial<Smtp>, direction: Direction, bytes: &[u8]) {
    flow.spell(direction, bytes);
}

#[test]
fn a_mail_is_an_exchange_with_all_that_was_said_for_it() {
    for say in [in_one, by_bytes] {
        let mut flow = flow();
        conversation(&mut flow, say);
        assert!(!flow.broken);
        assert_eq!(flow.transactions().count(), 1);
        assert!(
            flow.transactions()
                .all(|exchange| exchange.is_complete(ToServer) && exchange.is_complete(ToClient))
        );
        assert_eq!(flow.values(HELO, ToServer), ["me.example.org"]);
        assert_eq!(flow.values(MAIL_FROM, ToServer), ["<a@b.c>"]);
        assert_eq!(flow.values(RCPT_TO, ToServer), ["<d@e.f>", "<g@h.i>"]);
        assert_eq!(flow.values(SUBJECT, ToServer), ["hello"]);
        assert_eq!(flow.values(RECEIVED, ToServer), ["a", "b"]);
        assert_eq!(flow.values(URL, ToServer), ["x.y/z"]);
        let Some(exchange) = flow.transactions().next() else { panic!("there is one") };
        let files = exchange.files.list();
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].name.as_slice(), files[0].body.window()), (&b"a.txt"[..], &b"hello"[..]));
        assert_eq!(files[0].ending, Ending::Closed);
        assert!(flow.events(EVENTS).is_empty());
    }
}

#[test]
fn every_line_is_a_frame_and_the_mail_is_one() {
    let mut flow = flow();
    conversation(&mut flow, in_one);
    let of = |name: &str| flow.frames.iter().filter(|frame| frame.0 == name).count();
    // Commands with and without their ends, replies with them.
    assert_eq!((of("smtp.command_line"), of("smtp.response_line"), of("smtp.data")), (12, 10, 1));
    assert!(flow.frames.iter().any(|frame| frame.0 == "smtp.data" && frame.2 == MAIL));
    let mut spelled = Trial::new(Smtp::default(), Transport::Tcp, FRAMES);
    conversation(&mut spelled, by_bytes);
    assert_eq!(flow.frames, spelled.frames);
}

#[test]
fn what_follows_a_mail_begins_another_exchange() {
    let mut flow = flow();
    conversation(&mut flow, in_one);
    // The engine looked at the exchange and took it away.
    flow.parser = Smtp { exchanges: Transactions::default(), ..flow.parser.clone() };
    flow.say(ToServer, b"QUIT\r\n");
    assert_eq!(flow.values(HELO, ToServer), ["me.example.org"]);
    assert!(flow.values(MAIL_FROM, ToServer).is_empty());
    let mut flow = welcomed();
    flow.say(ToServer, b"EHLO a\r\nMAIL FROM:<b>\r\nRSET\r\n").say(ToClient, b"250 a\r\n250 b\r\n250 c\r\n");
    flow.say(ToServer, b"MAIL FROM:<d>\r\n");
    assert_eq!(flow.values(MAIL_FROM, ToServer), ["<b>", "<d>"]);
}

#[test]
fn fields_are_there_as_soon_as_they_were_said() {
    let mut flow = welcomed();
    flow.say(ToServer, b"EHLO a\r\n");
    let ready = |flow: &Trial<Smtp>, field| {
        flow.transactions().next().map(|exchange| exchange.ready(field, ToServer))
    };
    assert_eq!(ready(&flow, HELO), Some(Ready::Full));
    assert_eq!(ready(&flow, MAIL_FROM), Some(Ready::No));
    flow.say(ToServer, b"RCPT TO:<a>\r\n");
    assert_eq!(ready(&flow, RCPT_TO), Some(Ready::Part));
    flow.say(ToServer, b"DATA\r\n").say(ToClient, b"250 a\r\n250 b\r\n354 go\r\n");
    assert_eq!(ready(&flow, RCPT_TO), Some(Ready::Full));
    flow.say(ToServer, b"Subject: x\r\n");
    assert_eq!(ready(&flow, SUBJECT), Some(Ready::No));
    flow.say(ToServer, b"\r\n");
    assert_eq!(ready(&flow, SUBJECT), Some(Ready::Full));
}

#[test]
fn encryption_is_handed_on() {
    let mut flow = welcomed();
    flow.say(ToServer, b"EHLO a\r\nSTARTTLS\r\n").say(ToClient, b"250 a\r\n220 go\r\n");
    assert_eq!(flow.next, Some(Next::Switch(ProtocolId::Tls)));
    assert!(flow.transactions().all(|exchange| exchange.is_done));
}

#[test]
fn chunks_are_passed_over() {
    let mut flow = welcomed();
    flow.say(ToServer, b"BDAT 10\r\n12345678\r\nNOOP\r\n");
    assert!(!flow.broken && !flow.parser.is_data);
    flow.say(ToServer, b"RSET\r\nBDAT 4\r\n123456\r\n");
    assert!(flow.broken);
    assert_eq!(flow.events(EVENTS), ["bdat_chunk_len_exceeded"]);
}

#[test]
fn a_mail_may_be_sent_ahead_where_the_server_says_so() {
    let mut flow = welcomed();
    flow.say(ToServer, b"EHLO a\r\n").say(ToClient, b"250-a\r\n250-PIPELINING\r\n250 b\r\n");
    flow.say(ToServer, b"DATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n");
    assert_eq!(flow.values(SUBJECT, ToServer), ["x"]);
    assert!(flow.transactions().all(|exchange| exchange.is_done));
}

#[test]
fn what_is_odd_is_told() {
    let events = |to_server: &[u8], to_client: &[u8]| {
        let mut flow = welcomed();
        flow.say(ToServer, to_server).say(ToClient, to_client);
        flow.events(EVENTS)
    };
    assert_eq!(events(b"NOOP\r\n", b"25\r\n"), ["invalid_reply"]);
    assert_eq!(events(b"NOOP\r\n", b"999 what\r\n"), ["invalid_reply"]);
    assert_eq!(events(b"STARTTLS\r\n", b"454 no\r\n"), ["tls_rejected"]);
    assert_eq!(events(b"DATA\r\n", b"550 no\r\n"), ["data_command_rejected"]);
    assert_eq!(events(b"DATA\r\nDATA\r\n", b""), ["unparsable_content"]);
    assert_eq!(events(b"DATA\r\nNOOP\r\n", b""), ["invalid_pipelined_sequence"]);
    assert_eq!(events(b"HELO a\r\nHELO b\r\n", b""), ["duplicate_fields"]);
    assert_eq!(events(b"MAIL FROM:a\r\nMAIL FROM:b\r\n", b""), ["duplicate_fields"]);
    assert_eq!(events(&[b'x'; 5000], b""), ["truncated_line"]);
    let mut unasked = flow();
    unasked.say(ToServer, b"NOOP\r\n");
    assert_eq!(unasked.events(EVENTS), ["no_server_welcome_message"]);
    let mut odd = welcomed();
    odd.say(ToServer, b"DATA\r\n").say(ToClient, b"354 go\r\n");
    odd.say(ToServer, format!("a: b\r\n\r\n{}\r\n", "x".repeat(1000)).as_bytes());
    assert_eq!(odd.events(EVENTS), ["mime_long_line"]);
}

#[test]
fn a_line_that_is_too_long_is_cut_and_what_follows_it_is_understood() {
    let mut flow = welcomed();
    flow.say(ToServer, &[b'x'; 4200]).say(ToServer, &[b'y'; 100]).say(ToServer, b"z\r\nMAIL FROM:<a>\r\n");
    assert_eq!(flow.values(MAIL_FROM, ToServer), ["<a>"]);
}

#[test]
fn a_line_of_a_mail_may_be_of_any_length() {
    let mut flow = welcomed();
    flow.say(ToServer, b"DATA\r\n").say(ToClient, b"354 go\r\n");
    flow.say(ToServer, b"Content-Disposition: a; filename=f\r\n\r\n");
    for _ in 0..10 {
        flow.say(ToServer, &[b'x'; 1000]);
    }
    flow.say(ToServer, b"\r\n.\r\n");
    let sizes: Vec<u64> = flow
        .transactions()
        .flat_map(|exchange| exchange.files.list())
        .map(|file| file.body.total())
        .collect();
    assert_eq!(sizes, [10_000]);
}

#[test]
fn a_file_that_the_flow_leaves_open_is_truncated() {
    let mut flow = welcomed();
    flow.say(ToServer, b"DATA\r\n").say(ToClient, b"354 go\r\n");
    flow.say(ToServer, b"Content-Disposition: a; filename=f\r\n\r\nabc").end(ToServer);
    let Some(exchange) = flow.transactions().next() else { panic!("there is one") };
    assert_eq!(exchange.files.list()[0].ending, Ending::Truncated);
    assert!(exchange.is_complete(ToServer) && !exchange.is_complete(ToClient));
}

#[test]
fn every_truncation_is_survived() {
    for length in 0..MAIL.len() {
        let mut flow = welcomed();
        flow.say(ToServer, b"DATA\r\n").say(ToClient, b"354 go\r\n");
        flow.say(ToServer, &MAIL[..length]).end(ToServer).end(ToClient);
        assert_eq!(flow.transactions().count(), 1);
    }
}

#[test]
fn exchanges_without_end_are_not_followed() {
    let mut flow = welcomed();
    for _ in 0..300 {
        flow.say(ToServer, b"RSET\r\n")
            .say(ToClient, b"250 ok\r\n")
            .say(ToServer, b"NOOP\r\n")
            .say(ToClient, b"250 ok\r\n");
    }
    assert!(flow.broken);
    assert!(flow.parser.exchanges.opened() <= EXCHANGES_MAX + 1);
}

#[test]
fn a_server_is_known_by_its_welcome() {
    assert_eq!(is_welcome(b"220 mail.example.com ESMTP\r\n"), Looked::Yes);
    assert_eq!(is_welcome(b"220-a.b"), Looked::Unsure);
    assert_eq!(is_welcome(b"220 welcome to ftp\r\n"), Looked::No);
    assert_eq!(is_welcome(b"SSH-2.0"), Looked::No);
}

#[test]
fn a_record_tells_who_wrote_to_whom() {
    let mut flow = flow();
    conversation(&mut flow, in_one);
    assert_eq!(
        flow.records(),
        [concat!(
            r#"{"helo":"me.example.org","mail_from":"<a@b.c>","rcpt_to":["<d@e.f>","<g@h.i>"],"#,
            r#""email":{"subject":"hello","received":["a","b"],"attachment":["a.txt"],"url":["x.y/z"]}}"#
        )]
    );
}
