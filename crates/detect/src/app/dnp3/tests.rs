//! What DNP3 promises, with frames that are built here.

use super::keywords::DATA;
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Takes, Verdict};

/// A frame with right checksums.
fn frame(control: u8, data: &[u8]) -> Vec<u8> {
    let mut head = vec![5, 0x64, data.len() as u8 + 5, control, 4, 0, 3, 0];
    head.extend(link::checksum(&head));
    for block in data.chunks(16) {
        head.extend_from_slice(block);
        head.extend(link::checksum(block));
    }
    head
}

fn request(place: u8, data: &[u8]) -> Vec<u8> {
    frame(0xc4, &[&[place], data].concat())
}

fn response(place: u8, data: &[u8]) -> Vec<u8> {
    frame(0x44, &[&[place], data].concat())
}

fn trial() -> Trial<Dnp3> {
    Trial::new(Dnp3::default(), Transport::Tcp, &[])
}

/// Whether a condition holds for the last message.
fn holds(trial: &Trial<Dnp3>, name: &str, text: &str) -> bool {
    let keyword = keywords::KEYWORDS.iter().find(|keyword| keyword.name == name);
    let Some(Takes::Test(parse)) = keyword.map(|keyword| keyword.takes) else {
        panic!("{name} is a condition")
    };
    let test = parse(text).unwrap_or_else(|complaint| panic!("{text}: {complaint:?}"));
    let last = trial.transactions().last().unwrap_or_else(|| panic!("there is a message"));
    test.check(last, last.direction) == Verdict::Holds
}

fn refused(name: &str, text: &str) -> bool {
    let keyword = keywords::KEYWORDS.iter().find(|keyword| keyword.name == name);
    matches!(keyword.map(|keyword| keyword.takes), Some(Takes::Test(parse)) if parse(text).is_err())
}

#[test]
fn checksums_are_those_of_the_standard() {
    assert_eq!(link::checksum(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), [0xe9, 0x21]);
}

#[test]
fn each_message_is_an_exchange_of_its_direction() {
    let mut trial = trial();
    trial.say(ToServer, &request(0xc0, &[0xc1, 1, 60, 2, 6, 1, 2, 0, 0, 1]));
    trial.say(ToClient, &response(0xc0, &[0xe1, 129, 0x90, 0x04, 1, 2, 0, 0, 1, 0x81, 1]));
    assert_eq!(trial.values(DATA, ToServer), ["\u{fffd}\u{1}<\u{2}\u{6}\u{1}\u{2}\0\0\u{1}"]);
    assert!(trial.transactions().all(|message| message.is_complete));
    assert_eq!(
        trial.records()[1],
        concat!(
            r#"{"response":{"type":"response","control":{"dir":false,"pri":true,"fcb":false,"fcv":false,"#,
            r#""function_code":4},"src":3,"dst":4,"application":{"control":{"fir":true,"fin":true,"con":true,"#,
            r#""uns":false,"sequence":1},"function_code":129,"objects":[{"group":1,"variation":2,"qualifier":0,"#,
            r#""prefix_code":0,"range_code":0,"start":0,"stop":1,"count":2}],"complete":true},"#,
            r#""iin":{"indicators":["device_restart","need_time","parameter_error"]}}}"#
        )
    );
    assert!(holds(&trial, "dnp3_ind", "0x1000"));
    assert!(holds(&trial, "dnp3.ind", "class_1_events, parameter_error"));
    assert!(!holds(&trial, "dnp3.ind", "class_1_events"));
    assert!(holds(&trial, "dnp3_func", "response") && holds(&trial, "dnp3.func", "129"));
    assert!(holds(&trial, "dnp3_obj", "1,02") && !holds(&trial, "dnp3.obj", "2,1"));
    for (name, text) in [("dnp3_func", "nothing"), ("dnp3_ind", "device_restart,?"), ("dnp3_obj", "256,1")] {
        assert!(refused(name, text), "{text}");
    }
}

#[test]
fn frames_are_put_together_however_they_are_cut() {
    let whole = [1, 2, 0, 0, 29].into_iter().chain([1; 30]).collect::<Vec<u8>>();
    let frames =
        [request(0x7f, &[&[0xc0, 2], &whole[..20]].concat()), frame(0xc0, &[]), request(0x80, &whole[20..])]
            .concat();
    for step in [1, 7, frames.len()] {
        let mut trial = trial();
        frames.chunks(step).for_each(|piece| {
            trial.say(ToServer, piece);
        });
        let messages: Vec<_> = trial.transactions().collect();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].bytes, [&[0xc0, 2], &whole[..]].concat());
        assert!(messages[0].is_understood && messages[0].objects[0].count == 30);
    }
    let mut trial = trial();
    trial.say(ToServer, &request(0x40, &[0xc0, 2, 1])).say(ToServer, &request(0x82, &[2, 0, 0, 0, 9]));
    assert!(!trial.transactions().any(|message| message.is_complete));
}

#[test]
fn what_is_odd_is_told() {
    let odd = |direction, bytes: &[u8]| {
        let mut trial = trial();
        trial.say(ToServer, &request(0xc0, &[0xc0, 1, 60, 1, 6])).say(direction, bytes);
        (trial.events(EVENTS), trial.broken)
    };
    let mut damaged = request(0xc0, &[0xc0, 1, 60, 1, 6]);
    *damaged.last_mut().unwrap_or_else(|| panic!("it has bytes")) ^= 1;
    assert_eq!(odd(ToServer, &damaged), (vec!["bad_transport_crc"], false));
    damaged[9] ^= 1;
    assert_eq!(odd(ToServer, &damaged), (vec!["bad_link_crc"], true));
    let mut short = vec![5, 0x64, 4, 0xc4, 0, 0, 0, 0];
    short.extend(link::checksum(&short));
    assert_eq!(odd(ToServer, &short), (vec!["len_too_small"], true));
    assert_eq!(odd(ToServer, &request(0xc0, &[0xc0])), (vec!["len_too_small"], false));
    assert_eq!(odd(ToClient, &response(0xc0, &[0xc0, 129])), (vec!["len_too_small"], true));
    assert_eq!(odd(ToServer, b"neither of both"), (vec![], true));
    assert_eq!(odd(ToServer, &request(0xc0, &[0xc0, 1, 99, 1, 7, 1])), (vec!["unknown_object"], false));
    assert_eq!(odd(ToServer, &request(0xc0, &[0xc0, 2, 1, 2, 7, 9, 0])), (vec!["unknown_object"], false));
    assert_eq!(
        odd(ToServer, &request(0xc0, &[0xc0, 2, 1, 1, 8, 0xff, 0xff])),
        (vec!["too_many_points"], false)
    );
}

#[test]
fn messages_and_objects_are_bounded_and_told() {
    let mut long = trial();
    for number in 0..=64 {
        let place = if number == 0 { FIRST } else { number & NUMBER };
        long.say(ToServer, &request(place, &[1; 249]));
    }
    assert_eq!(long.events(EVENTS), ["too_long_reassembly"]);
    let mut many = trial();
    let objects = [60, 1, 6].repeat(80);
    for number in 0..27 {
        let place = if number == 0 {
            FIRST
        } else if number == 26 {
            LAST | number
        } else {
            number
        };
        let head: &[u8] = if number == 0 { &[0xc0, 1] } else { &[] };
        many.say(ToServer, &request(place, &[head, &objects].concat()));
    }
    assert_eq!(many.events(EVENTS), ["too_many_objects"]);
    let mut flood = trial();
    for _ in 0..=OPEN_MAX {
        assert!(flood.events(EVENTS).is_empty());
        flood.say(ToServer, &request(0xc0, &[0xc0, 1, 60, 1, 6]));
    }
    assert_eq!(flood.events(EVENTS), ["flooded"]);
}

#[test]
fn confirmations_are_passed_over() {
    let mut trial = trial();
    trial.say(ToServer, &request(0xc0, &[0xc0, CONFIRM]));
    assert_eq!(trial.transactions().count(), 0);
}

#[test]
fn objects_of_every_form_are_passed_over() {
    let complete: [&[u8]; 8] = [
        &[1, 1, 0, 0, 15, 1, 2],
        &[3, 1, 0, 0, 3, 1],
        &[12, 1, 0x17, 1, 9, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0],
        &[41, 2, 0x28, 1, 0, 9, 0, 1, 2, 0],
        &[70, 5, 0x5b, 1, 10, 0, 1, 0, 0, 0, 2, 0, 0, 0, 8, 9],
        &[70, 2, 0x5b, 1, 0, 0, 12, 0, 1, 0, 13, 0, 2, 0, 0, 0, 0, 0, b'a', b'b', b'c'],
        &[120, 1, 0x5b, 1, 9, 0, 1, 1, 1, 1, 2, 2, 3, 4, 5],
        &[1, 0, 6, 60, 2, 6],
    ];
    for bytes in complete {
        assert_eq!(object::read(bytes, &mut Vec::new()), End::Complete, "{bytes:?}");
        for end in 1..bytes.len() {
            assert!(
                object::read(&bytes[..end], &mut Vec::new()) != End::Complete || end == 3,
                "{bytes:?} to {end}"
            );
        }
    }
    assert_eq!(object::read(&[70, 5, 0x1b, 1, 10], &mut Vec::new()), End::Unknown);
    assert_eq!(object::read(&[1, 2, 0x0f], &mut Vec::new()), End::Cut);
    assert_eq!(object::read(&[1, 2, 0, 9, 3], &mut Vec::new()), End::TooManyPoints);
}

#[test]
fn it_is_recognised_both_ways() {
    let asked = request(0xc0, &[0xc0, 1]);
    assert_eq!((to_server(&asked), to_client(&asked)), (Looked::Yes, Looked::Reversed));
    let answered = response(0xc0, &[0xc0, 129, 0, 0]);
    assert_eq!((to_server(&answered), to_client(&answered)), (Looked::Reversed, Looked::Yes));
    assert_eq!((to_server(b"a DNP3 server"), to_client(b"a DNP3 server")), (Looked::Reversed, Looked::Yes));
    assert_eq!((to_server(&asked[..9]), to_server(b"neither of both")), (Looked::Unsure, Looked::No));
    let mut trial = trial();
    trial.say(ToClient, b"a DNP3 server").say(ToClient, &answered);
    assert_eq!((trial.transactions().count(), trial.broken), (1, false));
}

#[test]
fn every_damage_is_survived() {
    let bytes =
        [0xc0, 129, 0, 0, 70, 2, 0x5b, 1, 0, 0, 12, 0, 1, 0, 13, 0, 2, 0, 0, 0, 0, 0, b'a', b'b', b'c'];
    for place in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = bytes;
            damaged[place] = value;
            trial().say(ToClient, &response(0xc0, &damaged)).say(ToServer, &request(0xc0, &damaged));
            let mut whole = response(0xc0, &bytes);
            whole[place] = value;
            trial().say(ToServer, &whole).say(ToClient, &whole).end(ToClient);
        }
    }
}
