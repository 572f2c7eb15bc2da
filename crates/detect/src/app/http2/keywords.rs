//! The keywords of HTTP/2 alone; those that it shares with HTTP/1 stand in `http`.

use super::exchange::{Exchange, Side};
use super::frame::SETTINGS_NAMES;
use super::hpack::Kind;
use crate::app::{Buffer, Family, Field, Keyword, ProtocolId, Sides, Takes, Test, Transaction, Verdict};
use crate::{Complaint, NumberTest};

pub(super) const HEADER_NAME: Field = Field::new(Family::Http2, 0);
pub(super) const HEADER: Field = Field::new(Family::Http2, 1);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Http2, ProtocolId::Doh2];

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("http2.header_name", HEADER_NAME),
    buffer("http2.header", HEADER),
    Keyword::test("http2.frametype", frame_type),
    Keyword::test("http2.errorcode", error_code),
    Keyword::test("http2.priority", |text| {
        let test = NumberTest::parse(text, u8::MAX.into(), &[])?;
        Ok(any(move |side| side.weights.iter().any(|weight| test.holds((*weight).into()))))
    }),
    Keyword::test("http2.window", |text| {
        let test = NumberTest::parse(text, u32::MAX.into(), &[])?;
        Ok(any(move |side| side.windows.iter().any(|bytes| test.holds((*bytes).into()))))
    }),
    Keyword::test("http2.size_update", |text| {
        let test = NumberTest::parse(text, u64::MAX, &[])?;
        let holds = move |kind| matches!(kind, Kind::Size(bytes) if test.holds(bytes));
        Ok(any(move |side| side.headers.iter().any(|header| holds(header.kind))))
    }),
    Keyword::test("http2.settings", settings),
];

/// Kinds of frames, in the order of their numbers.
const FRAME_TYPES: &[&str] = &[
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];
/// The same, as they may be written, too.
const FRAME_TYPES_IN_ONE_WORD: &[(&str, usize)] =
    &[("RSTSTREAM", 3), ("PUSHPROMISE", 5), ("WINDOWUPDATE", 8)];

/// Why a stream or a connection is given up, in the order of the codes.
pub(super) const ERRORS: &[&str] = &[
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

const fn buffer(name: &'static str, field: Field) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides: Sides::Both, protocols: PROTOCOLS }) }
}

/// Something that holds of what one side said, sooner or later.
fn any(holds: impl Fn(&Side) -> bool + Send + Sync + 'static) -> Test {
    Test::new(Sides::Both, PROTOCOLS, move |exchange: &Exchange, direction| {
        if holds(exchange.side(direction)) {
            Verdict::Holds
        } else if exchange.is_complete(direction) {
            Verdict::Fails
        } else {
            Verdict::Open
        }
    })
}

fn place(names: &[&str], text: &str) -> Option<usize> {
    names.iter().position(|name| name.eq_ignore_ascii_case(text))
}

/// `http2.frametype:GOAWAY` or its number.
fn frame_type(text: &str) -> Result<Test, Complaint> {
    let text = text.trim();
    let in_one_word =
        || FRAME_TYPES_IN_ONE_WORD.iter().find(|name| name.0.eq_ignore_ascii_case(text)).map(|name| name.1);
    let named = || place(FRAME_TYPES, text).or_else(in_one_word).and_then(|place| u8::try_from(place).ok());
    let Some(kind) = text.parse::<u8>().ok().or_else(named) else {
        return Err(Complaint::new(format!("'{text}' is no kind of frame")));
    };
    Ok(any(move |side| side.has_kind(kind)))
}

/// `http2.errorcode:CANCEL` or its number.
fn error_code(text: &str) -> Result<Test, Complaint> {
    let text = text.trim();
    let named = || place(ERRORS, text).and_then(|place| u32::try_from(place).ok());
    let Some(code) = text.parse::<u32>().ok().or_else(named) else {
        return Err(Complaint::new(format!("'{text}' is no error that HTTP/2 knows")));
    };
    Ok(any(move |side| side.errors.contains(&code)))
}

/// `http2.settings:SETTINGS_ENABLE_PUSH=0`, or the name alone for any value.
fn settings(text: &str) -> Result<Test, Complaint> {
    let text = text.trim();
    let end = text.find([' ', '<', '>', '=']).unwrap_or(text.len());
    let (name, condition) = text.split_at(end);
    let Some(id) =
        SETTINGS_NAMES.iter().find(|known| known.0.eq_ignore_ascii_case(name)).map(|known| known.1)
    else {
        return Err(Complaint::new(format!("'{name}' is no setting that HTTP/2 knows")));
    };
    let condition = condition.trim();
    let test =
        if condition.is_empty() { None } else { Some(NumberTest::parse(condition, u32::MAX.into(), &[])?) };
    Ok(any(move |side| {
        side.settings
            .iter()
            .any(|(set, value)| *set == id && test.is_none_or(|test| test.holds((*value).into())))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["", "GO_AWAY", "256", "NOTHING"] {
            assert!(frame_type(text).is_err(), "{text}");
        }
        for text in ["", "14x", "WHATEVER"] {
            assert!(error_code(text).is_err(), "{text}");
        }
        for text in ["", "SETTINGS_NONE", "SETTINGS_ENABLE_PUSH=x"] {
            assert!(settings(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_and_numbers_are_read() {
        for text in ["goaway", "RST_STREAM", "255", " 4 "] {
            assert!(frame_type(text).is_ok(), "{text}");
        }
        assert!(error_code("internal_error").is_ok() && error_code("4000000000").is_ok());
        for text in ["SETTINGS_ENABLE_PUSH", "SETTINGS_MAX_FRAME_SIZE >16384", "settings_enable_push=0"] {
            assert!(settings(text).is_ok(), "{text}");
        }
    }
}
