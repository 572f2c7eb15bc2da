//! What BitTorrent's table of peers promises, with messages that are built here.

use super::bencode::{Value, value};
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::bytes::Reader;
use crate::app::trial::Trial;

const QUERY: &[u8] =
    b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa12:implied_porti1e9:info_hash3:abc4:porti6881e5:token2:xye\
    1:q13:announce_peer1:t2:aa1:v4:LT\x01\x021:y1:qe";
const RESPONSE: &[u8] = b"d1:rd2:id4:bbbb5:nodes26:cccccccccccccccccccc\x0a\0\0\x01\x1a\xe15:token1:t\
    6:valuesl6:\x0a\0\0\x02\0\x5018:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x51ee1:t1:\x071:y1:re";
const ERROR: &[u8] = b"d1:eli201e7:oh deare1:t1:a1:y1:ee";

fn trial() -> Trial<BittorrentDht> {
    Trial::new(BittorrentDht::default(), Transport::Udp, &[])
}

#[test]
fn each_message_is_an_exchange_of_its_direction() {
    let mut trial = trial();
    trial.say(ToServer, QUERY).say(ToClient, RESPONSE).say(ToClient, b"something else");
    trial.say(ToClient, ERROR);
    assert!(trial.events(EVENTS).is_empty());
    assert_eq!(
        trial.records(),
        [
            concat!(
                r#"{"transaction_id":"6161","client_version":"4c540102","request_type":"announce_peer","#,
                r#""request":{"id":"6161616161616161616161616161616161616161","info_hash":"616263","token":"7879","#,
                r#""implied_port":1,"port":6881}}"#
            ),
            concat!(
                r#"{"transaction_id":"07","response":{"id":"62626262","nodes":[{"#,
                r#""id":"6363636363636363636363636363636363636363","ip":"10.0.0.1","port":6881}],"values":["#,
                r#"{"ip":"10.0.0.2","port":80},{"ip":"2001:0db8:0000:0000:0000:0000:0000:0001","port":81}],"#,
                r#""token":"74"}}"#
            ),
            r#"{"transaction_id":"61","error":{"num":201,"msg":"oh dear"}}"#,
        ]
    );
    let concerned = |direction| trial.transactions().filter(|message| message.concerns(direction)).count();
    assert_eq!((concerned(ToServer), concerned(ToClient)), (1, 2));
}

#[test]
fn what_cannot_be_read_is_told() {
    for bytes in [
        &QUERY[..QUERY.len() - 1],
        b"d1:ad2:id3:abce1:q4:ping1:t1:ae",
        b"d1:ad2:id3:abce1:t1:a1:y1:qe",
        b"d1:ad2:id3:abce1:q4:ping1:y1:qe",
        b"d1:ad3:ide3:abce1:q4:ping1:t1:a1:y1:qe",
        b"d1:ad2:id3:abce1:q4:ping1:t1:a1:y1:ze",
        b"d1:ad2:id3:abc4:porti65536ee1:q4:ping1:t1:a1:y1:qe",
        b"d1:ade1:q4:ping1:t1:a1:y1:qe",
        b"d1:ad2:id3:abce1:q4:ping1:t1:a1:y1:q1:zlllleeeee",
        b"d1:elee",
    ] {
        let mut trial = trial();
        trial.say(ToServer, bytes);
        assert_eq!(trial.events(EVENTS), ["malformed_packet"], "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn values_have_one_form_only() {
    let read = |bytes: &'static [u8]| value(&mut Reader::new(bytes), 0);
    assert_eq!(read(b"i-7e"), Some(Value::Number("-7")));
    assert_eq!(read(b"0:"), Some(Value::Text(b"")));
    assert_eq!(read(b"li1e2:abdee"), Some(Value::List(b"i1e2:abde")));
    assert_eq!(read(b"d1:ai1e1:bi2ee"), Some(Value::Dictionary(b"1:ai1e1:bi2e")));
    for bytes in [
        &b"i-0e"[..],
        b"i01e",
        b"ie",
        b"i1",
        b"03:abc",
        b"4:abc",
        b"d1:bi1e1:ai2ee",
        b"d1:ae",
        b"di1ei2ee",
        b"l",
        b"lllleeee",
        b"99999999999999999999:a",
    ] {
        assert_eq!(read(bytes), None, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn every_damage_is_survived() {
    for whole in [QUERY, RESPONSE, ERROR] {
        for place in 0..whole.len() {
            trial().say(ToServer, &whole[..place]);
            for value in [b'0', b'9', b'd', b'l', b'e', b'i', 0xff] {
                let mut damaged = whole.to_vec();
                damaged[place] = value;
                trial().say(ToServer, &damaged);
            }
        }
    }
}
