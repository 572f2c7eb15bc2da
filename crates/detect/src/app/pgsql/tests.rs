//! What PostgreSQL promises, with messages that are built here.

use super::keywords::QUERY;
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;

fn message(letter: u8, content: &[u8]) -> Vec<u8> {
    [&[letter][..], &(content.len() as u32 + 4).to_be_bytes(), content].concat()
}

fn startup(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 4).to_be_bytes()[..], content].concat()
}

fn trial() -> Trial<Pgsql> {
    Trial::new(Pgsql::default(), Transport::Tcp, &[])
}

fn hello() -> Vec<u8> {
    startup(b"\0\x03\0\0user\0anna\0database\0things\0\0")
}

fn query(text: &str) -> Vec<u8> {
    message(b'Q', &[text.as_bytes(), &[0]].concat())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// A whole conversation, in the order of time.
fn conversation() -> Vec<(Direction, Vec<u8>)> {
    let row = message(b'D', b"\0\x02\0\0\0\x03one\xff\xff\xff\xff");
    vec![
        (ToServer, startup(&[4, 0xd2, 0x16, 0x2f])),
        (ToClient, b"N".to_vec()),
        (ToServer, hello()),
        (ToClient, message(b'R', b"\0\0\0\x05salt")),
        (ToServer, message(b'p', b"md5secret\0")),
        (
            ToClient,
            [
                message(b'R', &[0; 4]),
                message(b'S', b"TimeZone\0UTC\0"),
                message(b'S', b"is_superuser\0off\0"),
                message(b'K', &[0, 0, 0, 7, 0, 0, 0, 9]),
                ready(),
            ]
            .concat(),
        ),
        (ToServer, query("select * from things")),
        (
            ToClient,
            [
                message(b'T', &[&b"\0\x01a\0"[..], &[0; 18]].concat()),
                row.clone(),
                row,
                message(b'C', b"SELECT 2\0"),
                ready(),
            ]
            .concat(),
        ),
        (ToServer, query("oops")),
        (ToClient, [message(b'E', b"SERROR\0VERROR\0C42601\0Mno\0\0"), ready()].concat()),
        (ToServer, message(b'X', b"")),
    ]
}

const RECORDS: [&str; 6] = [
    r#"{"tx_id":1,"request":{"message":"SSL Request"},"response":{"ssl_accepted":false}}"#,
    concat!(
        r#"{"tx_id":2,"request":{"protocol_version":"3.0","startup_parameters":{"user":"anna","#,
        r#""optional_parameters":[{"database":"things"}]}},"response":{"authentication_md5_password":"salt"}}"#
    ),
    concat!(
        r#"{"tx_id":3,"request":{"password_redacted":true},"response":{"parameter_status":[{"TimeZone":"UTC"},"#,
        r#"{"is_superuser":"off"}],"message":"authentication_ok","process_id":7,"secret_key":9}}"#
    ),
    concat!(
        r#"{"tx_id":4,"request":{"simple_query":"select * from things"},"response":{"field_count":1,"#,
        r#""data_rows":2,"data_size":6,"command_completed":"SELECT 2"}}"#
    ),
    concat!(
        r#"{"tx_id":5,"request":{"simple_query":"oops"},"response":{"severity_localizable":"ERROR","#,
        r#""severity_non_localizable":"ERROR","code":"42601","message":"no"}}"#
    ),
    r#"{"tx_id":6,"request":{"message":"termination_message"}}"#,
];

#[test]
fn each_request_and_what_comes_of_it_is_an_exchange() {
    let mut trial = trial();
    for (direction, bytes) in conversation() {
        trial.say(direction, &bytes);
    }
    assert_eq!(trial.records(), RECORDS);
    assert_eq!(trial.values(QUERY, ToServer), ["select * from things", "oops"]);
    assert!(trial.transactions().all(|exchange| exchange.is_asked && exchange.is_answered));
    assert!(trial.events(EVENTS).is_empty() && !trial.broken);
}

#[test]
fn bytes_one_by_one_say_the_same() {
    let mut trial = trial();
    for (direction, bytes) in conversation() {
        bytes.chunks(1).for_each(|byte| {
            trial.say(direction, byte);
        });
    }
    assert_eq!(trial.records(), RECORDS);
}

#[test]
fn tls_begins_where_the_server_agrees() {
    let mut trial = trial();
    trial.say(ToServer, &startup(&[4, 0xd2, 0x16, 0x2f])).say(ToClient, b"S");
    assert_eq!(trial.next, Some(Next::Switch(ProtocolId::Tls)));
}

#[test]
fn sasl_takes_several_exchanges() {
    let mut trial = trial();
    trial.say(ToServer, &hello());
    trial.say(ToClient, &message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"));
    trial.say(ToServer, &message(b'p', b"SCRAM-SHA-256\0\0\0\0\x02n,"));
    trial.say(ToClient, &message(b'R', b"\0\0\0\x0br=1"));
    trial.say(ToServer, &message(b'p', b"c=2"));
    trial.say(ToClient, &message(b'R', b"\0\0\0\x0cv=3"));
    assert_eq!(
        trial.records()[1..],
        [
            concat!(
                r#"{"tx_id":2,"request":{"sasl_authentication_mechanism":"scram_SHA256","sasl_param":"n,"},"#,
                r#""response":{"message":"authentication_sasl_continue"}}"#
            ),
            concat!(
                r#"{"tx_id":3,"request":{"sasl_response":"c=2"},"#,
                r#""response":{"authentication_sasl_final":"v=3"}}"#
            ),
        ]
    );
}

#[test]
fn copied_rows_are_counted_both_ways() {
    let mut trial = trial();
    let row = message(b'd', b"1,2");
    trial.say(ToServer, &query("copy a from stdin")).say(ToClient, &message(b'G', &[0, 0, 1, 0, 0]));
    trial.say(ToServer, &[row.clone(), row.clone(), row.clone(), message(b'c', b"")].concat());
    trial.say(ToClient, &[message(b'C', b"COPY 3\0"), ready()].concat());
    trial.say(ToServer, &query("copy a to stdout"));
    trial.say(ToClient, &[message(b'H', &[0, 0, 1, 0, 0]), row, message(b'c', b"")].concat());
    trial.say(ToClient, &[message(b'C', b"COPY 1\0"), ready()].concat());
    let records = trial.records();
    assert!(records[1].contains(r#""copy_data_in":{"msg_count":3,"data_size":9},"message":"copy_done""#));
    assert!(records[2].contains(r#""copy_data_out":{"row_count":1,"data_size":3},"message":"copy_done""#));
}

#[test]
fn what_is_odd_is_told() {
    let odd = |direction, bytes: &[u8]| {
        let mut trial = trial();
        trial.say(direction, bytes);
        (trial.events(EVENTS), trial.broken)
    };
    assert_eq!(odd(ToServer, &startup(&[0, 9, 0, 0])), (vec!["malformed_request"], false));
    assert_eq!(odd(ToClient, &message(b'R', &[0, 0, 0, 99])), (vec!["malformed_response"], false));
    assert_eq!(odd(ToServer, b"X\0\0\0\x05"), (vec!["invalid_length"], true));
    assert_eq!(odd(ToClient, b"Z\0\0\0\x06II"), (vec!["invalid_length"], true));
    assert_eq!(odd(ToClient, &message(b'Z', b"?")), (vec![], false));
    assert_eq!(odd(ToServer, &message(b'Q', b"no end")), (vec![], true));
    let mut trial = trial();
    for _ in 0..=OPEN_MAX {
        trial.say(ToServer, &query("q"));
    }
    assert_eq!(trial.events(EVENTS), ["too_many_transactions"]);
    assert_eq!(trial.transactions().filter(|exchange| exchange.is_answered).count(), 1);
}

#[test]
fn long_rows_are_passed_over_and_other_long_messages_are_refused() {
    let mut trial = trial();
    trial.say(ToServer, &query("q"));
    let row = message(b'D', &[0; MESSAGE_BYTES_MAX + 9]);
    trial.say(ToClient, &row[..1000]).say(ToClient, &row[1000..]);
    trial.say(ToClient, &[message(b'C', b"SELECT 1\0"), ready()].concat());
    assert!(trial.records()[0].contains(r#""data_rows":1"#) && !trial.broken);
    trial.say(ToServer, b"Q\0\x7f\0\0");
    assert!(trial.broken);
}

#[test]
fn behind_a_hole_the_next_whole_message_counts() {
    let mut trial = trial();
    trial.say(ToServer, &query("q")).say(ToClient, &message(b'C', b"A\0")).gap(ToClient, 5);
    trial.say(ToClient, b"\xff\xff\xff\xff\xff").say(ToClient, &ready());
    assert!(trial.transactions().all(|exchange| exchange.is_answered) && !trial.broken);
}

#[test]
fn it_is_recognised_both_ways() {
    assert_eq!(to_server(&hello()), Looked::Yes);
    assert_eq!(to_server(&hello()[..20]), Looked::Unsure);
    assert_eq!(to_server(b"\0\0\0\x03"), Looked::No);
    assert_eq!(to_client(b"S"), Looked::Yes);
    assert_eq!(to_client(&message(b'R', b"\0\0\0\x05salt")), Looked::Yes);
    assert_eq!(to_client(&message(b'R', b"\0\0\0\x63")), Looked::No);
}

#[test]
fn every_damage_is_survived() {
    for (place, (_, whole)) in conversation().into_iter().enumerate() {
        for cut in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut trial = trial();
                for (direction, bytes) in conversation().into_iter().take(place) {
                    trial.say(direction, &bytes);
                }
                let mut damaged = whole.clone();
                damaged[cut] = value;
                trial.say(ToServer, &damaged).say(ToClient, &damaged);
                trial.end(ToServer).end(ToClient);
            }
        }
    }
}
