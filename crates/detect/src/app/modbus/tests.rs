//! What Modbus promises, with messages that are built here.

use super::keywords::holds;
use super::message::*;
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;

fn message(number: u8, unit: u8, function: u8, data: &[u8]) -> Vec<u8> {
    [&[0, number, 0, 0, 0, data.len() as u8 + 2, unit, function][..], data].concat()
}

fn trial() -> Trial<Modbus> {
    Trial::new(Modbus::default(), Transport::Tcp, &[])
}

fn request(function: u8, data: &[u8]) -> Message {
    let bytes = message(1, 10, function, data);
    Message::read(&bytes, Said::Client).map(|(message, _)| message).unwrap_or_else(|| panic!("it has come"))
}

fn asked(text: &str, message: &Message) -> bool {
    holds(text, message).unwrap_or_else(|complaint| panic!("{text}: {complaint:?}"))
}

#[test]
fn a_response_completes_its_request() {
    let mut trial = trial();
    trial.say(ToServer, &message(1, 1, 1, &[0, 0, 0, 8])).say(ToServer, &message(2, 1, 5, &[0, 3, 0xff, 0]));
    trial.say(ToClient, &message(2, 1, 5, &[0, 3, 0xff, 0])).say(ToClient, &message(1, 1, 1, &[1, 0x55]));
    assert_eq!(
        trial.transactions().map(|exchange| exchange.response.is_some()).collect::<Vec<_>>(),
        [true, true]
    );
    assert!(trial.events(EVENTS).is_empty());
    assert_eq!(
        trial.records()[1],
        concat!(
            r#"{"id":2,"request":{"transaction_id":2,"protocol_id":0,"unit_id":1,"function_raw":5,"#,
            r#""function_code":"WrSingleCoil","access_type":"WRITE | COILS | SINGLE | WRITE_SINGLE","#,
            r#""category":"PUBLIC_ASSIGNED","error_flags":"NONE","write":{"address":3,"data":65280}},"#,
            r#""response":{"transaction_id":2,"protocol_id":0,"unit_id":1,"function_raw":5,"#,
            r#""function_code":"WrSingleCoil","access_type":"WRITE | COILS | SINGLE | WRITE_SINGLE","#,
            r#""category":"PUBLIC_ASSIGNED","error_flags":"NONE","write":{"address":3,"data":65280}}}"#
        )
    );
}

#[test]
fn what_is_odd_is_told() {
    let odd = |direction, bytes: &[u8]| {
        let mut trial = trial();
        trial.say(direction, bytes);
        trial.events(EVENTS)
    };
    assert_eq!(odd(ToClient, &message(1, 1, 1, &[1, 0])), ["unsolicited_response"]);
    assert_eq!(odd(ToServer, &message(1, 1, 0, &[])), ["invalid_function_code"]);
    assert_eq!(odd(ToServer, &message(1, 1, 1, &[0, 0, 0, 1, 9])), ["invalid_length"]);
    assert_eq!(odd(ToServer, &message(1, 1, 1, &[0, 0, 0, 0])), ["invalid_value"]);
    assert_eq!(odd(ToServer, &message(1, 1, 16, &[0, 0, 0, 1, 3, 0, 0, 0])), ["invalid_value"]);
    assert_eq!(odd(ToServer, &message(1, 1, 16, &[0, 0])), ["invalid_length"]);
    assert_eq!(odd(ToServer, &[0, 1, 0, 9, 0, 2, 1, 7]), ["invalid_protocol_id"]);
    assert_eq!(odd(ToServer, &[0, 1, 0, 0, 0, 1, 1]), ["invalid_length"]);
    assert_eq!(odd(ToServer, &message(1, 1, 8, &[0, 10, 0, 1])), ["invalid_value"]);
    assert_eq!(
        odd(ToClient, &message(1, 1, 0x81, &[99])),
        ["unsolicited_response", "invalid_exception_code"]
    );
    assert_eq!(odd(ToClient, &message(1, 1, 1, &[9, 0])), ["unsolicited_response", "value_mismatch"]);
}

#[test]
fn an_answer_that_does_not_fit_is_told() {
    let mut trial = trial();
    trial.say(ToServer, &message(1, 1, 1, &[0, 0, 0, 8])).say(ToClient, &message(1, 1, 1, &[2, 0, 0]));
    assert_eq!(trial.events(EVENTS), ["value_mismatch"]);
    assert_eq!(trial.transactions().count(), 1);
    trial.say(ToServer, &message(2, 1, 1, &[0, 0, 0, 8])).say(ToClient, &message(2, 1, 0x81, &[2]));
    assert_eq!(trial.transactions().count(), 2);
}

#[test]
fn exchanges_that_are_open_are_bounded_and_told() {
    let mut trial = trial();
    for _ in 0..=OPEN_MAX {
        trial.say(ToServer, &message(1, 1, 7, &[]));
    }
    assert_eq!(trial.events(EVENTS), ["flooded"]);
    assert!(!trial.broken);
    trial.say(ToServer, &message(1, 1, 7, &[]));
    assert!(trial.broken);
}

#[test]
fn functions_are_asked_for() {
    let diagnostic = request(8, &[0, 4, 0, 0]);
    assert!(asked("function 8", &diagnostic) && asked("function 8, subfunction 4", &diagnostic));
    assert!(!asked("function 8, subfunction 1", &diagnostic) && !asked("function 1", &diagnostic));
    assert!(asked("function assigned", &diagnostic) && asked("function public", &diagnostic));
    assert!(!asked("function !assigned", &diagnostic) && !asked("function user", &diagnostic));
    assert!(asked("function user", &request(70, &[])) && asked("function reserved", &request(90, &[])));
    assert!(asked("function unassigned", &request(50, &[])) && asked("function !user", &request(50, &[])));
    assert!(
        asked("unit 10", &diagnostic)
            && asked("unit >9, function 8", &diagnostic)
            && asked("unit 9<>11", &diagnostic)
    );
    assert!(!asked("unit <10", &diagnostic) && !asked("unit 11, function 8", &diagnostic));
}

#[test]
fn access_is_asked_for() {
    let read = request(1, &[0, 4, 0, 3]);
    assert!(
        asked("access read", &read) && asked("access read coils", &read) && !asked("access write", &read)
    );
    assert!(!asked("access read holding", &read));
    for (range, expected) in
        [("5", true), ("7", true), ("8", false), (">6", true), (">7", false), ("<6", true), ("<5", false)]
    {
        assert_eq!(asked(&format!("access read coils, address {range}"), &read), expected, "{range}");
    }
    assert!(asked("access read, address 6<>9", &read) && !asked("access read, address 7<>9", &read));
    let single = request(6, &[0, 4, 0x12, 0x34]);
    assert!(asked("access write holding, address 5, value 4660", &single));
    assert!(
        asked("access write, address 5, value >4000", &single)
            && !asked("access write, address 6, value >0", &single)
    );
    assert!(asked("access write coils, address 5, value 1", &request(5, &[0, 4, 0xff, 0])));
    let several = request(16, &[0, 4, 0, 2, 4, 0, 1, 0, 2]);
    assert!(
        asked("access write, address 6, value 1<>3", &several)
            && !asked("access write, address 5, value 2", &several)
    );
    let both = request(23, &[0, 9, 0, 1, 0, 4, 0, 1, 2, 0, 7]);
    assert!(asked("access write holding, address 5, value 7", &both) && asked("access read", &both));
    assert!(!asked("access write, address 1", &request(6, &[0xff, 0xff, 0, 0])));
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let message = request(1, &[0, 4, 0, 3]);
    for text in [
        "",
        "function",
        "function 0",
        "function nonsense",
        "access",
        "access look",
        "access write input",
        "access write discretes",
        "access read, address 5, value 1",
        "access write, address 5<>9, value 1",
        "access read, address 99999",
        "unit",
        "unit 1 function 1",
        "function 1 and more",
    ] {
        assert!(holds(text, &message).is_err(), "{text}");
    }
}

#[test]
fn modbus_is_recognised() {
    assert_eq!(look(&message(1, 1, 1, &[0, 0, 0, 1])), Looked::Yes);
    assert_eq!(look(&message(1, 1, 99, &[])), Looked::No);
    assert_eq!(look(&[0, 1, 0, 1, 0, 2, 1, 1]), Looked::No);
    assert_eq!(look(&message(1, 1, 1, &[0, 0, 0, 1])[..9]), Looked::Unsure);
}

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let said =
        [message(1, 1, 1, &[0, 0, 0, 8]), message(2, 1, 16, &[0, 0, 0, 1, 2, 0, 7]), message(3, 1, 7, &[])]
            .concat();
    let mut whole = trial();
    whole.say(ToServer, &said);
    let mut spelled = trial();
    spelled.spell(ToServer, &said);
    assert!(whole.transactions().eq(spelled.transactions()));
    assert_eq!(whole.transactions().count(), 3);
}

#[test]
fn every_damage_is_survived() {
    for function in 0..=255u8 {
        for length in [0usize, 1, 2, 3, 4, 5, 8, 11] {
            let bytes = message(1, 1, function, &vec![0xff; length]);
            trial().say(ToServer, &bytes).say(ToClient, &bytes);
            trial().say(ToClient, &bytes).say(ToServer, &bytes);
            for place in 0..bytes.len() {
                trial().say(ToServer, &bytes[..place]).end(ToServer);
            }
        }
    }
}
