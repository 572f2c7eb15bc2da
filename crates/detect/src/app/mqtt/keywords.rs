//! The keywords of MQTT.

use super::MqttTransaction;
use super::message::{Body, Connect, KINDS, Publish};
use crate::app::{Family, Field, Keyword, Piece, ProtocolId, Sides, Test, Verdict, flag};
use crate::{Complaint, NumberTest};

pub(super) const CLIENT: Field = Field::new(Family::Mqtt, 0);
pub(super) const USERNAME: Field = Field::new(Family::Mqtt, 1);
pub(super) const PASSWORD: Field = Field::new(Family::Mqtt, 2);
pub(super) const WILL_TOPIC: Field = Field::new(Family::Mqtt, 3);
pub(super) const WILL_MESSAGE: Field = Field::new(Family::Mqtt, 4);
pub(super) const PROTOCOL_STRING: Field = Field::new(Family::Mqtt, 5);
pub(super) const TOPIC: Field = Field::new(Family::Mqtt, 6);
pub(super) const MESSAGE: Field = Field::new(Family::Mqtt, 7);
pub(super) const SUBSCRIBED: Field = Field::new(Family::Mqtt, 8);
pub(super) const UNSUBSCRIBED: Field = Field::new(Family::Mqtt, 9);
pub(super) const TYPE: Field = Field::new(Family::Mqtt, 10);
pub(super) const REASON_CODE: Field = Field::new(Family::Mqtt, 11);
pub(super) const QOS: Field = Field::new(Family::Mqtt, 12);
pub(super) const PROTOCOL_VERSION: Field = Field::new(Family::Mqtt, 13);
pub(super) const SESSION_PRESENT: Field = Field::new(Family::Mqtt, 14);

/// Topics of one exchange that are looked at.
const TOPICS_LOOKED_AT_MAX: usize = 100;

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Mqtt];

const TYPES: &[(&str, u64)] = &[
    (KINDS[0], 0),
    (KINDS[1], 1),
    (KINDS[2], 2),
    (KINDS[3], 3),
    (KINDS[4], 4),
    (KINDS[5], 5),
    (KINDS[6], 6),
    (KINDS[7], 7),
    (KINDS[8], 8),
    (KINDS[9], 9),
    (KINDS[10], 10),
    (KINDS[11], 11),
    (KINDS[12], 12),
    (KINDS[13], 13),
    (KINDS[14], 14),
    (KINDS[15], 15),
];

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("mqtt.connect.clientid", CLIENT, Sides::ToServer),
    buffer("mqtt.connect.username", USERNAME, Sides::ToServer),
    buffer("mqtt.connect.password", PASSWORD, Sides::ToServer),
    buffer("mqtt.connect.willtopic", WILL_TOPIC, Sides::ToServer),
    buffer("mqtt.connect.willmessage", WILL_MESSAGE, Sides::ToServer),
    buffer("mqtt.connect.protocol_string", PROTOCOL_STRING, Sides::ToServer),
    buffer("mqtt.publish.topic", TOPIC, Sides::Both),
    buffer("mqtt.publish.message", MESSAGE, Sides::Both),
    buffer("mqtt.subscribe.topic", SUBSCRIBED, Sides::ToServer),
    buffer("mqtt.unsubscribe.topic", UNSUBSCRIBED, Sides::ToServer),
    Keyword::number("mqtt.type", TYPE, Sides::Both, PROTOCOLS, 255, TYPES),
    Keyword::number("mqtt.reason_code", REASON_CODE, Sides::Both, PROTOCOLS, 255, &[]),
    Keyword::number("mqtt.connack.return_code", REASON_CODE, Sides::Both, PROTOCOLS, 255, &[]),
    Keyword::number("mqtt.qos", QOS, Sides::ToServer, PROTOCOLS, 2, &[]),
    Keyword::number("mqtt.protocol_version", PROTOCOL_VERSION, Sides::ToServer, PROTOCOLS, 255, &[]),
    Keyword::number(
        "mqtt.connack.session_present",
        SESSION_PRESENT,
        Sides::ToClient,
        PROTOCOLS,
        1,
        &[("no", 0), ("false", 0), ("off", 0), ("yes", 1), ("true", 1), ("on", 1)],
    ),
    Keyword::test("mqtt.flags", flags),
    Keyword::test("mqtt.connect.flags", connect_flags),
];

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword::buffer(name, field, sides, PROTOCOLS)
}

/// A test that holds if one of the exchange's messages has such a number.
fn any(test: NumberTest, numbers: fn(&super::Message) -> Option<u8>) -> Test {
    Test::new(Sides::ToServer, PROTOCOLS, move |transaction: &MqttTransaction, _| {
        let holds = |message| numbers(message).is_some_and(|number| test.holds(u64::from(number)));
        if transaction.messages.iter().any(holds) { Verdict::Holds } else { Verdict::Open }
    })
}

fn flags(text: &str) -> Result<Test, Complaint> {
    let test = flag::flags(text, &[("dup", 8), ("retain", 1)])?;
    Ok(any(test, |message| {
        let header = &message.header;
        Some(u8::from(header.is_retained) | u8::from(header.is_repeated) << 3)
    }))
}

fn connect_flags(text: &str) -> Result<Test, Complaint> {
    // That `will` and `will_retain` stand for each other's bits is what rules are tested with.
    let names = [
        ("username", 0x80),
        ("password", 0x40),
        ("will_retain", 0x04),
        ("will", 0x20),
        ("clean_session", 0x02),
    ];
    let test = flag::flags(text, &names)?;
    Ok(any(test, |message| match &message.body {
        Body::Connect(connect) => Some(connect.flags),
        _ => None,
    }))
}

/// Shows the values of a field.
pub(super) fn visit(transaction: &MqttTransaction, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    let connects = || {
        transaction.messages.iter().filter_map(|message| match &message.body {
            Body::Connect(connect) => Some(&**connect),
            _ => None,
        })
    };
    let publishes = || {
        transaction.messages.iter().filter_map(|message| match &message.body {
            Body::Publish(publish) => Some(&**publish),
            _ => None,
        })
    };
    let of_connect = |value: fn(&Connect) -> Option<&Vec<u8>>| {
        connects().filter_map(value).find(|value| !value.is_empty())
    };
    let of_publish = |value: fn(&Publish) -> &Vec<u8>| publishes().map(value).find(|value| !value.is_empty());
    let single = match field {
        CLIENT => of_connect(|connect| Some(&connect.client)),
        USERNAME => of_connect(|connect| connect.username.as_ref()),
        PASSWORD => of_connect(|connect| connect.password.as_ref()),
        WILL_TOPIC => of_connect(|connect| connect.will_topic.as_ref()),
        WILL_MESSAGE => of_connect(|connect| connect.will_message.as_ref()),
        PROTOCOL_STRING => of_connect(|connect| Some(&connect.protocol)),
        TOPIC => of_publish(|publish| &publish.topic),
        MESSAGE => of_publish(|publish| &publish.message),
        _ => None,
    };
    if let Some(value) = single {
        return show(Piece::whole(value));
    }
    let bodies = transaction.messages.iter().map(|message| &message.body);
    match field {
        SUBSCRIBED => bodies
            .flat_map(|body| match body {
                Body::Subscribe { topics, .. } => topics.as_slice(),
                _ => &[],
            })
            .take(TOPICS_LOOKED_AT_MAX)
            .for_each(|(topic, _)| show(Piece::whole(topic))),
        UNSUBSCRIBED => bodies
            .flat_map(|body| match body {
                Body::Unsubscribe { topics, .. } => topics.as_slice(),
                _ => &[],
            })
            .take(TOPICS_LOOKED_AT_MAX)
            .for_each(|topic| show(Piece::whole(topic))),
        _ => {}
    }
}

/// Shows the values of a numeric field.
pub(super) fn number(transaction: &MqttTransaction, field: Field, show: &mut dyn FnMut(u64)) {
    match field {
        TYPE => transaction.messages.iter().for_each(|message| show(u64::from(message.header.kind))),
        QOS => transaction.messages.iter().for_each(|message| show(u64::from(message.header.qos))),
        PROTOCOL_VERSION => show(u64::from(transaction.version)),
        REASON_CODE => reason_codes(transaction, show),
        SESSION_PRESENT => {
            for message in &transaction.messages {
                if let Body::ConnectAnswer { is_known, .. } = message.body {
                    show(u64::from(is_known));
                }
            }
        }
        _ => {}
    }
}

/// The first code of those messages that have one, and all that lists of codes have.
fn reason_codes(transaction: &MqttTransaction, show: &mut dyn FnMut(u64)) {
    let first = transaction.messages.iter().find_map(|message| match &message.body {
        Body::PublishStep { code, .. } | Body::Disconnect { code, .. } => *code,
        Body::Authenticate { code, .. } | Body::ConnectAnswer { code, .. } => Some(*code),
        _ => None,
    });
    if let Some(code) = first {
        show(u64::from(code));
    }
    for message in &transaction.messages {
        if let Body::SubscribeAnswer { codes, .. } | Body::UnsubscribeAnswer { codes, .. } = &message.body {
            codes.iter().for_each(|code| show(u64::from(*code)));
        }
    }
}
