//! The keywords of DNP3.

use super::Dnp3Transaction;
use crate::app::{Family, Field, Keyword, ProtocolId, Sides, Test, Verdict};
use crate::{Complaint, Direction};

pub(super) const DATA: Field = Field::new(Family::Dnp3, 0);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Dnp3];

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword::test("dnp3_func", function),
    Keyword::test("dnp3.func", function),
    Keyword::test("dnp3_ind", indicators),
    Keyword::test("dnp3.ind", indicators),
    Keyword::test("dnp3_obj", object),
    Keyword::test("dnp3.obj", object),
    Keyword::buffer("dnp3_data", DATA, Sides::Both, PROTOCOLS),
    Keyword::buffer("dnp3.data", DATA, Sides::Both, PROTOCOLS),
];

/// What the functions are called in rules, from 0 on; answers follow from 129 on.
const FUNCTIONS: &[&str] = &[
    "confirm",
    "read",
    "write",
    "select",
    "operate",
    "direct_operate",
    "direct_operate_nr",
    "immed_freeze",
    "immed_freeze_nr",
    "freeze_clear",
    "freeze_clear_nr",
    "freeze_at_time",
    "freeze_at_time_nr",
    "cold_restart",
    "warm_restart",
    "initialize_data",
    "initialize_appl",
    "start_appl",
    "stop_appl",
    "save_config",
    "enable_unsolicited",
    "disable_unsolicited",
    "assign_class",
    "delay_measure",
    "record_current_time",
    "open_file",
    "close_file",
    "delete_file",
    "get_file_info",
    "authenticate_file",
    "abort_file",
    "activate_config",
    "authenticate_req",
    "authenticate_err",
];
const ANSWERS: &[&str] = &["response", "unsolicited_response", "authenticate_resp"];
const FIRST_ANSWER: u8 = 129;

/// What a server's indications are called, the highest bit first.
pub(super) const INDICATORS: [&str; 16] = [
    "device_restart",
    "device_trouble",
    "local_control",
    "need_time",
    "class_3_events",
    "class_2_events",
    "class_1_events",
    "all_stations",
    "reserved_1",
    "reserved_2",
    "config_corrupt",
    "already_executing",
    "event_buffer_overflow",
    "parameter_error",
    "object_unknown",
    "no_func_code_support",
];

/// A number, written in tens, with `0x` in sixteens, with `0` in eights.
fn number(text: &str) -> Option<u16> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u16::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    }
}

fn place(names: &[&str], text: &str) -> Option<u8> {
    names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|place| u8::try_from(place).ok())
}

fn function(text: &str) -> Result<Test, Complaint> {
    let text = text.trim();
    let code = text
        .parse()
        .ok()
        .or_else(|| place(FUNCTIONS, text))
        .or_else(|| place(ANSWERS, text).map(|place| FIRST_ANSWER + place))
        .ok_or_else(|| Complaint::new(format!("'{text}' is no function of DNP3")))?;
    Ok(test(move |message: &Dnp3Transaction| message.function == code))
}

fn indicators(text: &str) -> Result<Test, Complaint> {
    let bit = |name: &str| place(&INDICATORS, name.trim()).map(|place| 0x8000 >> place);
    let named = || text.split(',').map(bit).try_fold(0, |bits, bit| Some(bits | bit?));
    let bits = number(text.trim())
        .or_else(named)
        .ok_or_else(|| Complaint::new(format!("'{text}' are no indications of DNP3")))?;
    Ok(test(move |message: &Dnp3Transaction| message.indications & bits != 0))
}

fn object(text: &str) -> Result<Test, Complaint> {
    let wanted = text
        .split_once(',')
        .and_then(|(group, variation)| Some((number(group.trim())?, number(variation.trim())?)))
        .filter(|(group, variation)| *group <= 255 && *variation <= 255)
        .ok_or_else(|| Complaint::new(format!("'{text}' is no group and variation of DNP3")))?;
    Ok(test(move |message: &Dnp3Transaction| {
        message.objects.iter().any(|object| (u16::from(object.group), u16::from(object.variation)) == wanted)
    }))
}

/// What is not there in a message that is complete never will be.
fn test(holds: impl Fn(&Dnp3Transaction) -> bool + Send + Sync + 'static) -> Test {
    Test::new(Sides::Both, PROTOCOLS, move |message: &Dnp3Transaction, _: Direction| {
        if holds(message) {
            Verdict::Holds
        } else if message.is_complete {
            Verdict::Fails
        } else {
            Verdict::Open
        }
    })
}
