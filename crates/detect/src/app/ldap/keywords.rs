//! The keywords of LDAP.
//!
//! Conditions on responses may name which one of them is meant: `any` of them (the default), `all`, or its place,
//! from the end if it is below zero.

use super::LdapTransaction;
use super::message::{Message, OPERATIONS, SEARCH_ENTRY};
use crate::app::{Family, Field, Keyword, Piece, ProtocolId, Sides, Test, Verdict};
use crate::{Complaint, NumberTest};

pub(super) const REQUEST_OPERATION: Field = Field::new(Family::Ldap, 0);
pub(super) const RESPONSE_COUNT: Field = Field::new(Family::Ldap, 1);
pub(super) const REQUEST_NAME: Field = Field::new(Family::Ldap, 2);
pub(super) const RESPONSE_NAMES: Field = Field::new(Family::Ldap, 3);
pub(super) const RESPONSE_MESSAGES: Field = Field::new(Family::Ldap, 4);
pub(super) const REQUEST_ATTRIBUTES: Field = Field::new(Family::Ldap, 5);
pub(super) const RESPONSE_ATTRIBUTES: Field = Field::new(Family::Ldap, 6);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Ldap];

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword::number("ldap.request.operation", REQUEST_OPERATION, Sides::ToServer, PROTOCOLS, 255, OPERATIONS),
    Keyword::number("ldap.responses.count", RESPONSE_COUNT, Sides::ToClient, PROTOCOLS, u32::MAX as u64, &[]),
    Keyword::buffer("ldap.request.dn", REQUEST_NAME, Sides::ToServer, PROTOCOLS),
    Keyword::buffer("ldap.responses.dn", RESPONSE_NAMES, Sides::ToClient, PROTOCOLS),
    Keyword::buffer("ldap.responses.message", RESPONSE_MESSAGES, Sides::ToClient, PROTOCOLS),
    Keyword::buffer("ldap.request.attribute_type", REQUEST_ATTRIBUTES, Sides::ToServer, PROTOCOLS),
    Keyword::buffer("ldap.responses.attribute_type", RESPONSE_ATTRIBUTES, Sides::ToClient, PROTOCOLS),
    Keyword::test("ldap.responses.operation", |text| {
        of_responses(text, u64::from(u8::MAX), OPERATIONS, |response| Some(u64::from(response.operation)))
    }),
    Keyword::test("ldap.responses.result_code", |text| {
        of_responses(text, u64::from(u32::MAX), RESULTS, |response| response.result.map(u64::from))
    }),
];

/// The names of results.
pub(super) const RESULTS: &[(&str, u64)] = &[
    ("success", 0),
    ("operations_error", 1),
    ("protocol_error", 2),
    ("time_limit_exceeded", 3),
    ("size_limit_exceeded", 4),
    ("compare_false", 5),
    ("compare_true", 6),
    ("auth_method_not_supported", 7),
    ("stronger_auth_required", 8),
    ("referral", 10),
    ("admin_limit_exceeded", 11),
    ("unavailable_critical_extension", 12),
    ("confidentiality_required", 13),
    ("sasl_bind_in_progress", 14),
    ("no_such_attribute", 16),
    ("undefined_attribute_type", 17),
    ("inappropriate_matching", 18),
    ("constraint_violation", 19),
    ("attribute_or_value_exists", 20),
    ("invalid_attribute_syntax", 21),
    ("no_such_object", 32),
    ("alias_problem", 33),
    ("invalid_dns_syntax", 34),
    ("is_leaf", 35),
    ("alias_dereferencing_problem", 36),
    ("inappropriate_authentication", 48),
    ("invalid_credentials", 49),
    ("insufficient_access_rights", 50),
    ("busy", 51),
    ("unavailable", 52),
    ("unwilling_to_perform", 53),
    ("loop_detect", 54),
    ("sort_control_missing", 60),
    ("offset_range_error", 61),
    ("naming_violation", 64),
    ("object_class_violation", 65),
    ("not_allowed_on_non_leaf", 66),
    ("not_allowed_on_rdn", 67),
    ("entry_already_exists", 68),
    ("object_class_mods_prohibited", 69),
    ("results_too_large", 70),
    ("affects_multiple_dsas", 71),
    ("control_error", 76),
    ("other", 80),
    ("server_down", 81),
    ("local_error", 82),
    ("encoding_error", 83),
    ("decoding_error", 84),
    ("timeout", 85),
    ("auth_unknown", 86),
    ("filter_error", 87),
    ("user_canceled", 88),
    ("param_error", 89),
    ("no_memory", 90),
    ("connect_error", 91),
    ("not_supported", 92),
    ("control_not_found", 93),
    ("no_results_returned", 94),
    ("more_results_to_return", 95),
    ("client_loop", 96),
    ("referral_limit_exceeded", 97),
    ("invalid_response", 100),
    ("ambiguous_response", 101),
    ("tls_not_supported", 112),
    ("intermediate_response", 113),
    ("unknown_type", 114),
    ("canceled", 118),
    ("no_such_operation", 119),
    ("too_late", 120),
    ("cannot_cancel", 121),
    ("assertion_failed", 122),
    ("authorization_denied", 123),
    ("e_sync_refresh_required", 4096),
    ("no_operation", 16654),
];

/// Which of the responses is meant.
#[derive(Clone, Copy)]
enum Which {
    Any,
    All,
    At(i64),
}

fn of_responses(
    text: &str,
    max: u64,
    names: &[(&str, u64)],
    number: fn(&Message) -> Option<u64>,
) -> Result<Test, Complaint> {
    let (condition, which) = match text.split_once(',') {
        None => (text, Which::Any),
        Some((condition, "any")) => (condition, Which::Any),
        Some((condition, "all")) => (condition, Which::All),
        Some((condition, place)) => {
            let place = place
                .trim()
                .parse::<i32>()
                .map_err(|_| Complaint::new(format!("'{place}' is no response's place")))?;
            (condition, Which::At(i64::from(place)))
        }
    };
    let test = NumberTest::parse(condition, max, names)?;
    Ok(Test::new(Sides::ToClient, PROTOCOLS, move |exchange: &LdapTransaction, _| {
        let holds = |response: &Message| number(response).map(|number| test.holds(number));
        let responses = &exchange.responses;
        let is_so = match which {
            Which::Any => responses.iter().any(|response| holds(response) == Some(true)),
            // Responses without such a number do not count.
            Which::All => responses.iter().all(|response| holds(response) != Some(false)),
            Which::At(place) => {
                let place = if place < 0 { place + responses.len() as i64 } else { place };
                let response = usize::try_from(place).ok().and_then(|place| responses.get(place));
                response.and_then(holds) == Some(true)
            }
        };
        if is_so { Verdict::Holds } else { Verdict::Open }
    }))
}

/// Shows the values of a field.
pub(super) fn visit(exchange: &LdapTransaction, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    let mut whole = |value: &Vec<u8>| show(Piece::whole(value));
    let request = exchange.request.as_ref();
    let responses = exchange.responses.iter();
    let nothing = Vec::new();
    match field {
        REQUEST_NAME => request.and_then(|request| request.name.as_ref()).into_iter().for_each(whole),
        REQUEST_ATTRIBUTES => request.into_iter().flat_map(|request| &request.attributes).for_each(whole),
        // Each response has its place, even if it has no such thing.
        RESPONSE_NAMES => responses.for_each(|response| whole(response.name.as_ref().unwrap_or(&nothing))),
        RESPONSE_MESSAGES => {
            responses.for_each(|response| whole(response.explanation.as_ref().unwrap_or(&nothing)))
        }
        RESPONSE_ATTRIBUTES => responses
            .filter(|response| response.operation == SEARCH_ENTRY)
            .flat_map(|response| &response.attributes)
            .for_each(whole),
        _ => {}
    }
}

/// Shows the values of a numeric field.
pub(super) fn number(exchange: &LdapTransaction, field: Field, show: &mut dyn FnMut(u64)) {
    match field {
        REQUEST_OPERATION => exchange.request.iter().for_each(|request| show(u64::from(request.operation))),
        RESPONSE_COUNT => show(exchange.responses.len() as u64),
        _ => {}
    }
}
