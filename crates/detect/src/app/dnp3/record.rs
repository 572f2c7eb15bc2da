//! What is written down of a message of DNP3.

use super::keywords::INDICATORS;
use super::object::Object;
use super::{Dnp3Transaction, FROM_MASTER};
use crate::Direction;
use crate::eve;

const UNSOLICITED: u8 = 130;

/// Writes the message.
pub(super) fn write(message: &Dnp3Transaction, record: &mut eve::Object) {
    let (key, kind) = match (message.direction, message.function) {
        (Direction::ToServer, _) => ("request", "request"),
        (Direction::ToClient, UNSOLICITED) => ("response", "unsolicited_response"),
        (Direction::ToClient, _) => ("response", "response"),
    };
    let mut object = eve::Object::new();
    object.text("type", kind);
    object.object("control", link_control(message.head.control));
    object.number("src", u64::from(message.head.source));
    object.number("dst", u64::from(message.head.destination));
    let mut application = eve::Object::new();
    application.object("control", control(message.control));
    application.number("function_code", u64::from(message.function));
    if !message.objects.is_empty() {
        application.objects("objects", message.objects.iter().map(object_of));
    }
    application.flag("complete", message.is_understood);
    object.object("application", application);
    if message.direction == Direction::ToClient {
        let is_set = |(place, _): &(usize, &&'static str)| message.indications & 0x8000 >> place != 0;
        let names = INDICATORS.iter().enumerate().filter(is_set).map(|(_, name)| *name);
        let mut indications = eve::Object::new();
        if message.indications != 0 {
            indications.texts("indicators", names);
        }
        object.object("iin", indications);
    }
    record.object(key, object);
}

fn link_control(control: u8) -> eve::Object {
    let mut object = eve::Object::new();
    object.flag("dir", control & FROM_MASTER != 0);
    object.flag("pri", control & 0x40 != 0);
    object.flag("fcb", control & 0x20 != 0);
    object.flag("fcv", control & 0x10 != 0);
    object.number("function_code", u64::from(control & 0x0f));
    object
}

fn control(control: u8) -> eve::Object {
    let mut object = eve::Object::new();
    object.flag("fir", control & 0x80 != 0);
    object.flag("fin", control & 0x40 != 0);
    object.flag("con", control & 0x20 != 0);
    object.flag("uns", control & 0x10 != 0);
    object.number("sequence", u64::from(control & 0x0f));
    object
}

fn object_of(object: &Object) -> eve::Object {
    let mut written = eve::Object::new();
    written.number("group", u64::from(object.group));
    written.number("variation", u64::from(object.variation));
    written.number("qualifier", u64::from(object.qualifier));
    written.number("prefix_code", u64::from(object.qualifier >> 4 & 7));
    written.number("range_code", u64::from(object.qualifier & 0x0f));
    written.number("start", u64::from(object.start));
    written.number("stop", u64::from(object.stop));
    written.number("count", u64::from(object.count));
    written
}
