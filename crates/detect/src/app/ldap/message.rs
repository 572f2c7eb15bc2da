//! One LDAP message (RFC 4511).
//!
//! Kept of it: what keywords look into; and, if records are wanted, its record's part, which is written while it is
//! read. Everything that the
//! grammar has is read, since a message that breaks it is none; lists end with their first element that does.

use crate::app::ber::{
    self, BOOLEAN, Class, ENUMERATED, Element, Fault, NULL, SET, content, element, octets, optional,
    sequence, tagged, text,
};
use crate::app::bytes::Reader;
use crate::eve::Object;

/// Attributes of one message that are kept at most.
const ATTRIBUTES_MAX: usize = 1024;
/// Filters within one another at most.
const FILTER_DEPTH_MAX: usize = 32;
/// What asks for TLS.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

pub(super) const BIND_RESPONSE: u8 = 1;
pub(super) const UNBIND: u8 = 2;
pub(super) const SEARCH_ENTRY: u8 = 4;
pub(super) const ABANDON: u8 = 16;
pub(super) const SEARCH_REFERENCE: u8 = 19;
pub(super) const EXTENDED_RESPONSE: u8 = 24;
pub(super) const INTERMEDIATE: u8 = 25;

/// The operations that there are.
pub(super) const OPERATIONS: &[(&str, u64)] = &[
    ("bind_request", 0),
    ("bind_response", 1),
    ("unbind_request", 2),
    ("search_request", 3),
    ("search_result_entry", 4),
    ("search_result_done", 5),
    ("modify_request", 6),
    ("modify_response", 7),
    ("add_request", 8),
    ("add_response", 9),
    ("del_request", 10),
    ("del_response", 11),
    ("mod_dn_request", 12),
    ("mod_dn_response", 13),
    ("compare_request", 14),
    ("compare_response", 15),
    ("abandon_request", 16),
    ("search_result_reference", 19),
    ("extended_request", 23),
    ("extended_response", 24),
    ("intermediate_response", 25),
];

/// A message.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: u32,
    pub(super) operation: u8,
    /// Whom it is about.
    pub(super) name: Option<Vec<u8>>,
    /// The types of attributes that it asks for, changes or tells.
    pub(super) attributes: Vec<Vec<u8>>,
    pub(super) result: Option<u32>,
    /// What the result is explained with.
    pub(super) explanation: Option<Vec<u8>>,
    /// It asks for TLS.
    pub(super) starts_tls: bool,
    /// The operation's part of the record.
    pub(super) detail: Option<String>,
    pub(super) controls: Option<String>,
}

impl Message {
    /// The message that stands here.
    pub(super) fn read(reader: &mut Reader<'_>, with_record: bool) -> Result<Message, Fault> {
        let mut ahead = *reader;
        let mut parts = sequence(&mut ahead)?;
        let mut message = Message { id: ber::u32(&mut parts)?, ..Message::default() };
        let operation = element(&mut parts)?;
        let mut notes = Notes { object: Object::new(), are_wanted: with_record };
        message.operation(&operation, &mut notes)?;
        let controls = optional(&mut parts, Class::Context, 0)?;
        if with_record {
            message.detail = (!notes.object.is_empty()).then(|| notes.object.finish());
            message.controls = controls.map(written_controls);
        }
        *reader = ahead;
        Ok(message)
    }

    /// Whether a client says it.
    pub(super) fn is_request(&self) -> bool {
        matches!(self.operation, 0 | 2 | 3 | 6 | 8 | 10 | 12 | 14 | 16 | 23)
    }

    /// The operation's name.
    pub(super) fn operation_name(&self) -> &'static str {
        let same = |known: &&(&str, u64)| known.1 == u64::from(self.operation);
        OPERATIONS.iter().find(same).map_or("", |(name, _)| name)
    }

    fn operation(&mut self, operation: &Element<'_>, notes: &mut Notes) -> Result<(), Fault> {
        if operation.class != Class::Application {
            return Err(Fault::Invalid);
        }
        self.operation = u8::try_from(operation.tag).map_err(|_| Fault::Invalid)?;
        let mut parts = Reader::new(operation.content);
        let parts = &mut parts;
        match operation.tag {
            0 => self.bind(parts, notes),
            1 => {
                self.result(parts, notes)?;
                if let Some(credentials) = optional(parts, Class::Context, 7)? {
                    notes.digits("server_sasl_creds", credentials);
                }
                Ok(())
            }
            2 if parts.is_empty() => Ok(()),
            2 => content(parts, NULL).map(|_| ()),
            3 => self.search(parts, notes),
            4 => {
                self.named(parts, "base_object", notes)?;
                self.attribute_list(parts, "type", false, notes)
            }
            5 | 7 | 9 | 11 | 13 | 15 => self.result(parts, notes),
            6 => self.modify(parts, notes),
            8 => {
                self.named(parts, "entry", notes)?;
                self.attribute_list(parts, "name", true, notes)
            }
            10 => {
                let name = utf8(operation.content)?;
                notes.bytes("dn", name);
                self.name = Some(name.to_vec());
                Ok(())
            }
            12 => self.rename(parts, notes),
            14 => self.compare(parts, notes),
            16 => ber::unsigned(operation.content, 4).map(|_| ()),
            19 => text(parts).map(|_| ()),
            23 => self.extended(parts, notes),
            24 => {
                self.result(parts, notes)?;
                optional_name(parts, 10, notes)?;
                optional_value(parts, 11, notes)
            }
            25 => {
                optional_name(parts, 0, notes)?;
                optional_value(parts, 1, notes)
            }
            _ => Err(Fault::Invalid),
        }
    }

    fn named(&mut self, parts: &mut Reader<'_>, key: &str, notes: &mut Notes) -> Result<(), Fault> {
        let name = text(parts)?;
        notes.bytes(key, name);
        self.name = Some(name.to_vec());
        Ok(())
    }

    fn add_attribute(&mut self, kind: &[u8]) {
        if self.attributes.len() < ATTRIBUTES_MAX {
            self.attributes.push(kind.to_vec());
        }
    }

    fn bind(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        let version = ber::unsigned(content(parts, ber::INTEGER)?, 1)?;
        if version > 127 {
            return Err(Fault::Invalid);
        }
        notes.number("version", version);
        self.named(parts, "name", notes)?;
        let choice = element(parts)?;
        match choice.tag {
            0 => Ok(()),
            3 => {
                let mut inner = Reader::new(choice.content);
                let mechanism = text(&mut inner)?;
                let credentials = octets(&mut inner).ok();
                if notes.are_wanted {
                    let mut sasl = Object::new();
                    sasl.bytes("mechanism", mechanism);
                    if let Some(credentials) = credentials {
                        sasl.text("credentials", &digits(credentials));
                    }
                    notes.object.object("sasl", sasl);
                }
                Ok(())
            }
            _ => Err(Fault::Invalid),
        }
    }

    fn result(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        let code = enumerated(parts)?;
        let name = text(parts)?;
        let explanation = text(parts)?;
        if notes.are_wanted {
            match super::keywords::RESULTS.iter().find(|(_, known)| *known == u64::from(code)) {
                Some((name, _)) => notes.object.text("result_code", name),
                None => notes.object.text("result_code", &format!("unknown-{code}")),
            }
        }
        notes.bytes("matched_dn", name);
        notes.bytes("message", explanation);
        self.result = Some(code);
        self.name = Some(name.to_vec());
        self.explanation = Some(explanation.to_vec());
        Ok(())
    }

    fn search(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        self.named(parts, "base_object", notes)?;
        notes.number("scope", u64::from(enumerated(parts)?));
        notes.number("deref_alias", u64::from(enumerated(parts)?));
        notes.number("size_limit", u64::from(ber::u32(parts)?));
        notes.number("time_limit", u64::from(ber::u32(parts)?));
        let types_only = boolean(parts)?;
        if notes.are_wanted {
            notes.object.flag("types_only", types_only);
        }
        if let Some(present) = filter(parts, FILTER_DEPTH_MAX)?
            && notes.are_wanted
        {
            let mut object = Object::new();
            object.text("type", "present");
            object.bytes("value", present);
            notes.object.object("filter", object);
        }
        let mut list = sequence(parts)?;
        while let Ok(kind) = text(&mut list) {
            self.add_attribute(kind);
        }
        if notes.are_wanted && !self.attributes.is_empty() {
            notes.object.byte_strings("attributes", self.attributes.iter().map(Vec::as_slice));
        }
        Ok(())
    }

    /// Attributes with their values; of some messages each must have one.
    fn attribute_list(
        &mut self,
        parts: &mut Reader<'_>,
        key: &str,
        needs_values: bool,
        notes: &mut Notes,
    ) -> Result<(), Fault> {
        let mut list = sequence(parts)?;
        let mut objects = Vec::new();
        while let Ok((kind, values)) = attribute(&mut list, needs_values) {
            self.add_attribute(kind);
            if notes.are_wanted && objects.len() < ATTRIBUTES_MAX {
                let mut object = Object::new();
                object.bytes(key, kind);
                if !values.is_empty() {
                    object.byte_strings("values", values);
                }
                objects.push(object);
            }
        }
        if !objects.is_empty() {
            notes.object.objects("attributes", objects);
        }
        Ok(())
    }

    fn modify(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        self.named(parts, "object", notes)?;
        let mut list = sequence(parts)?;
        let mut objects = Vec::new();
        let mut count = 0;
        while let Ok((operation, kind, values)) = change(&mut list) {
            count += 1;
            self.add_attribute(kind);
            if notes.are_wanted && objects.len() < ATTRIBUTES_MAX {
                let mut modification = Object::new();
                modification.bytes("attribute_type", kind);
                if !values.is_empty() {
                    modification.byte_strings("attribute_values", values);
                }
                let mut object = Object::new();
                match operation {
                    0 => object.text("operation", "add"),
                    1 => object.text("operation", "delete"),
                    2 => object.text("operation", "replace"),
                    other => object.text("operation", &other.to_string()),
                }
                object.object("modification", modification);
                objects.push(object);
            }
        }
        if !objects.is_empty() {
            notes.object.objects("changes", objects);
        }
        if count == 0 { Err(Fault::Invalid) } else { Ok(()) }
    }

    fn rename(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        self.named(parts, "entry", notes)?;
        notes.bytes("new_rdn", text(parts)?);
        let deletes = boolean(parts)?;
        let superior = optional(parts, Class::Context, 0)?.map(utf8).transpose()?;
        if notes.are_wanted {
            notes.object.flag("delete_old_rdn", deletes);
        }
        if let Some(superior) = superior {
            notes.bytes("new_superior", superior);
        }
        Ok(())
    }

    fn compare(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        self.named(parts, "entry", notes)?;
        let mut assertion = sequence(parts)?;
        let kind = text(&mut assertion)?;
        let value = octets(&mut assertion)?;
        self.add_attribute(kind);
        if notes.are_wanted {
            let mut object = Object::new();
            object.bytes("description", kind);
            object.bytes("value", value);
            notes.object.object("attribute_value_assertion", object);
        }
        Ok(())
    }

    fn extended(&mut self, parts: &mut Reader<'_>, notes: &mut Notes) -> Result<(), Fault> {
        let name = utf8(tagged(parts, Class::Context, 0)?)?;
        self.starts_tls = name == START_TLS;
        notes.bytes("name", name);
        optional_value(parts, 1, notes)
    }
}

/// What is noted for the record while a message is read.
struct Notes {
    object: Object,
    are_wanted: bool,
}

impl Notes {
    fn bytes(&mut self, key: &str, value: &[u8]) {
        if self.are_wanted {
            self.object.bytes(key, value);
        }
    }

    fn number(&mut self, key: &str, value: u64) {
        if self.are_wanted {
            self.object.number(key, value);
        }
    }

    fn digits(&mut self, key: &str, value: &[u8]) {
        if self.are_wanted {
            self.object.text(key, &digits(value));
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn utf8(bytes: &[u8]) -> Result<&[u8], Fault> {
    if core::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(Fault::Invalid) }
}

fn enumerated(parts: &mut Reader<'_>) -> Result<u32, Fault> {
    let content = content(parts, ENUMERATED)?;
    let value = content
        .iter()
        .try_fold(0u32, |value, byte| value.checked_mul(256).map(|value| value | u32::from(*byte)));
    value.ok_or(Fault::Invalid)
}

fn boolean(parts: &mut Reader<'_>) -> Result<bool, Fault> {
    match content(parts, BOOLEAN)? {
        [value] => Ok(*value != 0),
        _ => Err(Fault::Invalid),
    }
}

fn optional_name(parts: &mut Reader<'_>, tag: u32, notes: &mut Notes) -> Result<(), Fault> {
    if let Some(name) = optional(parts, Class::Context, tag)? {
        notes.bytes("name", utf8(name)?);
    }
    Ok(())
}

fn optional_value(parts: &mut Reader<'_>, tag: u32, notes: &mut Notes) -> Result<(), Fault> {
    if let Some(value) = optional(parts, Class::Context, tag)? {
        notes.bytes("value", value);
    }
    Ok(())
}

/// An attribute's type and values.
fn attribute<'a>(list: &mut Reader<'a>, needs_values: bool) -> Result<(&'a [u8], Vec<&'a [u8]>), Fault> {
    let mut ahead = *list;
    let mut parts = sequence(&mut ahead)?;
    let kind = text(&mut parts)?;
    let mut set = Reader::new(content(&mut parts, SET)?);
    let mut values = Vec::new();
    while let Ok(value) = octets(&mut set) {
        if values.len() < ATTRIBUTES_MAX {
            values.push(value);
        }
    }
    if needs_values && values.is_empty() {
        return Err(Fault::Invalid);
    }
    *list = ahead;
    Ok((kind, values))
}

/// What is done to an attribute, its type and values.
type Change<'a> = (u32, &'a [u8], Vec<&'a [u8]>);

/// Reads one.
fn change<'a>(list: &mut Reader<'a>) -> Result<Change<'a>, Fault> {
    let mut ahead = *list;
    let mut parts = sequence(&mut ahead)?;
    let operation = enumerated(&mut parts)?;
    let (kind, values) = attribute(&mut parts, false)?;
    *list = ahead;
    Ok((operation, kind, values))
}

/// Reads a filter. If it only asks whether an attribute is there: its type.
fn filter<'a>(reader: &mut Reader<'a>, depth: usize) -> Result<Option<&'a [u8]>, Fault> {
    let depth = depth.checked_sub(1).filter(|depth| *depth > 0).ok_or(Fault::Invalid)?;
    let element = element(reader)?;
    if element.class != Class::Context {
        return Err(Fault::Invalid);
    }
    let mut inner = Reader::new(element.content);
    match element.tag {
        0 | 1 => {
            filter(&mut inner, depth)?;
            while filter(&mut inner, depth).is_ok() {}
        }
        2 => {
            filter(&mut inner, depth)?;
        }
        3 | 5 | 6 | 8 => {
            text(&mut inner)?;
            octets(&mut inner)?;
        }
        4 => {
            text(&mut inner)?;
            let mut parts = sequence(&mut inner)?;
            if !matches!(ber::element(&mut parts)?.tag, 0..=2) {
                return Err(Fault::Invalid);
            }
        }
        7 => return utf8(element.content).map(Some),
        9 => {
            for tag in [1, 2] {
                if let Some(name) = optional(&mut inner, Class::Context, tag)? {
                    utf8(name)?;
                }
            }
            tagged(&mut inner, Class::Context, 3)?;
            optional(&mut inner, Class::Context, 4)?;
        }
        _ => return Err(Fault::Invalid),
    }
    Ok(None)
}

/// The list of controls, as it is written down.
fn written_controls(content: &[u8]) -> String {
    let mut list = Reader::new(content);
    let mut objects = Vec::new();
    while let Ok(mut parts) = sequence(&mut list) {
        let Ok(kind) = text(&mut parts) else { break };
        let is_critical = boolean(&mut parts).unwrap_or(false);
        let mut object = Object::new();
        object.bytes("control_type", kind);
        object.flag("criticality", is_critical);
        if let Ok(value) = octets(&mut parts) {
            object.text("control_value", &digits(value));
        }
        if objects.len() < ATTRIBUTES_MAX {
            objects.push(object.finish());
        }
    }
    format!("[{}]", objects.join(","))
}
