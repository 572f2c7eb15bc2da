//! What is written down about a message: the third form of EVE's `dns`.

use super::DnsMessage;
use super::kinds::{CODES, Data, TYPES, name_of, options, strings};
use super::message::{Header, Message, Record, Section};
use super::name::Text;
use crate::eve::Object;
use std::borrow::Cow;

pub(super) fn write(seen: &DnsMessage, record: &mut Object) {
    let message = &seen.message;
    let header = message.header;
    record.number("version", 3);
    record.text("type", if seen.direction == crate::Direction::ToServer { "request" } else { "response" });
    record.number("tx_id", seen.number);
    record.number("id", header.id.into());
    record.text("flags", &format!("{:x}", header.flags));
    for flag in flags(header).filter(|flag| !matches!(*flag, "ad" | "cd")) {
        record.flag(flag, true);
    }
    record.number("opcode", header.opcode().into());
    record.text("rcode", &name_of(CODES, header.rcode()));
    let questions = message.section(Section::Questions);
    if !questions.is_empty() {
        record.objects("queries", questions.iter().map(|question| name_and_type(message, question, true)));
    }
    section_details(message, Section::Answers, "answers", record);
    grouped(message, record);
    section_details(message, Section::Authorities, "authorities", record);
    section_details(message, Section::Additionals, "additionals", record);
}

/// The names of the flags that are set.
pub(in crate::app) fn flags(header: Header) -> impl Iterator<Item = &'static str> {
    const FLAGS: [(u16, &str); 8] = [
        (0x8000, "qr"),
        (0x0400, "aa"),
        (0x0200, "tc"),
        (0x0100, "rd"),
        (0x0080, "ra"),
        (0x0040, "z"),
        (0x0020, "ad"),
        (0x0010, "cd"),
    ];
    FLAGS.into_iter().filter(move |(bit, _)| header.flags & bit != 0).map(|(_, name)| name)
}

fn name_and_type(message: &Message, record: &Record, is_question: bool) -> Object {
    let mut object = Object::new();
    object.bytes("rrname", message.text(record.name));
    let cut_off = |object: &mut Object| {
        if record.name.is_cut_off() {
            object.flag("rrname_truncated", true);
        }
    };
    if !is_question {
        cut_off(&mut object);
    }
    object.text("rrtype", &type_name(record.rrtype));
    if is_question {
        cut_off(&mut object);
    }
    object
}

/// Writes all records of a section in full; strings make a record each, options that are none make none.
fn section_details(message: &Message, section: Section, key: &str, object: &mut Object) {
    let mut details = Vec::new();
    for record in message.section(section) {
        match record.data {
            Data::Strings(text) => {
                for string in strings(message.text(text)).flatten() {
                    let mut detail = begun(message, record);
                    detail.bytes("rdata", string);
                    details.push(detail);
                }
            }
            Data::Options(text) if text.is_empty() && section == Section::Additionals => {}
            _ => details.push(detail(message, record)),
        }
    }
    if !details.is_empty() {
        object.objects(key, details);
    }
}

fn begun(message: &Message, record: &Record) -> Object {
    let mut object = name_and_type(message, record, false);
    object.number("ttl", record.ttl.into());
    object
}

fn detail(message: &Message, record: &Record) -> Object {
    let mut object = begun(message, record);
    match record.data {
        Data::Address(text) => object.text("rdata", &address(message.text(text))),
        Data::Name(text) => {
            object.bytes("rdata", message.text(text));
            if text.is_cut_off() {
                object.flag("rdata_truncated", true);
            }
        }
        Data::Bytes(text) => object.bytes("rdata", message.text(text)),
        Data::Soa { server, mailbox, numbers } => {
            object.object("soa", soa(message, server, mailbox, numbers))
        }
        Data::Fingerprint(text) => object.object("sshfp", fingerprint(message.text(text))),
        Data::Service { numbers, target } => object.object("srv", service(message, numbers, target)),
        Data::Options(text) => object.objects("opt", option_objects(message.text(text))),
        Data::Nothing | Data::Strings(_) | Data::Other(_) => {}
    }
    object
}

/// The options of a record of options.
pub(in crate::app) fn option_objects(bytes: &[u8]) -> impl Iterator<Item = Object> {
    options(bytes).flatten().map(|(code, value)| {
        let mut option = Object::new();
        option.number("code", code.into());
        option.text("data", &hex(value, ""));
        option
    })
}

/// The name of a type of records, or its number.
pub(in crate::app) fn type_name(rrtype: u16) -> Cow<'static, str> {
    name_of(TYPES, rrtype)
}

/// The answers by their types, in the order in which the types came.
fn grouped(message: &Message, object: &mut Object) {
    let answers = message.section(Section::Answers);
    if answers.is_empty() {
        return;
    }
    let mut group = Object::new();
    let mut seen: Vec<u16> = Vec::new();
    for first in answers {
        if seen.contains(&first.rrtype) {
            continue;
        }
        seen.push(first.rrtype);
        let same = || answers.iter().filter(|answer| answer.rrtype == first.rrtype);
        let key = type_name(first.rrtype);
        match first.data {
            Data::Address(_) => {
                let addresses: Vec<String> = same()
                    .filter_map(|answer| text_of(answer.data))
                    .map(|text| address(message.text(text)))
                    .collect();
                group.texts(&key, addresses.iter().map(String::as_str));
            }
            Data::Name(_) | Data::Bytes(_) => {
                group.byte_strings(
                    &key,
                    same().filter_map(|answer| text_of(answer.data)).map(|text| message.text(text)),
                );
            }
            Data::Strings(_) => {
                let all = same().filter_map(|answer| text_of(answer.data));
                group.byte_strings(&key, all.flat_map(|text| strings(message.text(text)).flatten()));
            }
            Data::Soa { .. } | Data::Service { .. } | Data::Fingerprint(_) => {
                group.objects(&key, same().filter_map(|answer| structure(message, answer.data)));
            }
            Data::Nothing | Data::Options(_) | Data::Other(_) => {}
        }
    }
    object.object("grouped", group);
}

fn text_of(data: Data) -> Option<Text> {
    match data {
        Data::Address(text) | Data::Name(text) | Data::Bytes(text) | Data::Strings(text) => Some(text),
        _ => None,
    }
}

/// What a record of several parts says.
pub(in crate::app) fn structure(message: &Message, data: Data) -> Option<Object> {
    match data {
        Data::Soa { server, mailbox, numbers } => Some(soa(message, server, mailbox, numbers)),
        Data::Service { numbers, target } => Some(service(message, numbers, target)),
        Data::Fingerprint(text) => Some(fingerprint(message.text(text))),
        _ => None,
    }
}

fn soa(message: &Message, server: Text, mailbox: Text, numbers: Text) -> Object {
    let mut object = Object::new();
    for (key, cut_off, text) in [("mname", "mname_truncated", server), ("rname", "rname_truncated", mailbox)]
    {
        object.bytes(key, message.text(text));
        if text.is_cut_off() {
            object.flag(cut_off, true);
        }
    }
    let numbers = message.text(numbers).chunks_exact(4);
    for (key, number) in ["serial", "refresh", "retry", "expire", "minimum"].into_iter().zip(numbers) {
        object.number(key, number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    object
}

fn service(message: &Message, numbers: Text, target: Text) -> Object {
    let mut object = Object::new();
    let numbers = message.text(numbers).chunks_exact(2);
    for (key, number) in ["priority", "weight", "port"].into_iter().zip(numbers) {
        object.number(key, number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    object.bytes("name", message.text(target));
    object
}

fn fingerprint(bytes: &[u8]) -> Object {
    let mut object = Object::new();
    if let [how_key, how_print, print @ ..] = bytes {
        object.text("fingerprint", &hex(print, ":"));
        object.number("algo", (*how_key).into());
        object.number("type", (*how_print).into());
    }
    object
}

/// Two digits for each byte.
fn hex(bytes: &[u8], between: &str) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(between)
}

/// An address as EVE writes it: IPv6 in full, nothing if it has another length than an address.
pub(in crate::app) fn address(bytes: &[u8]) -> String {
    match bytes {
        [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
        bytes if bytes.len() == 16 => {
            let words: Vec<String> = bytes
                .chunks_exact(2)
                .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
                .collect();
            words.join(":")
        }
        _ => String::new(),
    }
}
