//! The keywords of SIP and SDP.

use super::message::{Header, Message};
use super::sdp::{Description, Media};
use crate::Direction;
use crate::app::{Family, Field, Keyword, Piece, ProtocolId, Sides};

pub(super) const METHOD: Field = Field::new(Family::Sip, 0);
pub(super) const URI: Field = Field::new(Family::Sip, 1);
pub(super) const PROTOCOL: Field = Field::new(Family::Sip, 2);
pub(super) const STAT_CODE: Field = Field::new(Family::Sip, 3);
pub(super) const STAT_MSG: Field = Field::new(Family::Sip, 4);
pub(super) const REQUEST_LINE: Field = Field::new(Family::Sip, 5);
pub(super) const RESPONSE_LINE: Field = Field::new(Family::Sip, 6);
pub(super) const FROM: Field = Field::new(Family::Sip, 7);
pub(super) const TO: Field = Field::new(Family::Sip, 8);
pub(super) const VIA: Field = Field::new(Family::Sip, 9);
pub(super) const USER_AGENT: Field = Field::new(Family::Sip, 10);
pub(super) const CONTENT_TYPE: Field = Field::new(Family::Sip, 11);
pub(super) const CONTENT_LENGTH: Field = Field::new(Family::Sip, 12);

pub(super) const ORIGIN: Field = Field::new(Family::Sdp, 0);
pub(super) const SESSION_NAME: Field = Field::new(Family::Sdp, 1);
pub(super) const SESSION_INFO: Field = Field::new(Family::Sdp, 2);
pub(super) const SDP_URI: Field = Field::new(Family::Sdp, 3);
pub(super) const EMAIL: Field = Field::new(Family::Sdp, 4);
pub(super) const PHONE_NUMBER: Field = Field::new(Family::Sdp, 5);
pub(super) const CONNECTION_DATA: Field = Field::new(Family::Sdp, 6);
pub(super) const BANDWIDTH: Field = Field::new(Family::Sdp, 7);
pub(super) const TIME: Field = Field::new(Family::Sdp, 8);
pub(super) const REPEAT_TIME: Field = Field::new(Family::Sdp, 9);
pub(super) const TIMEZONE: Field = Field::new(Family::Sdp, 10);
pub(super) const ENCRYPTION_KEY: Field = Field::new(Family::Sdp, 11);
pub(super) const ATTRIBUTE: Field = Field::new(Family::Sdp, 12);
pub(super) const MEDIA: Field = Field::new(Family::Sdp, 13);
pub(super) const MEDIA_INFO: Field = Field::new(Family::Sdp, 14);
pub(super) const MEDIA_CONNECTION_DATA: Field = Field::new(Family::Sdp, 15);
pub(super) const MEDIA_ENCRYPTION_KEY: Field = Field::new(Family::Sdp, 16);

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("sip.method", METHOD, Sides::ToServer),
    buffer("sip.uri", URI, Sides::ToServer),
    buffer("sip.protocol", PROTOCOL, Sides::Both),
    buffer("sip.stat_code", STAT_CODE, Sides::ToClient),
    buffer("sip.stat_msg", STAT_MSG, Sides::ToClient),
    buffer("sip.request_line", REQUEST_LINE, Sides::ToServer),
    buffer("sip.response_line", RESPONSE_LINE, Sides::ToClient),
    buffer("sip.from", FROM, Sides::Both),
    buffer("sip.to", TO, Sides::Both),
    buffer("sip.via", VIA, Sides::Both),
    buffer("sip.user_agent", USER_AGENT, Sides::Both),
    buffer("sip.content_type", CONTENT_TYPE, Sides::Both),
    buffer("sip.content_length", CONTENT_LENGTH, Sides::Both),
    buffer("sdp.origin", ORIGIN, Sides::Both),
    buffer("sdp.session_name", SESSION_NAME, Sides::Both),
    buffer("sdp.session_info", SESSION_INFO, Sides::Both),
    buffer("sdp.uri", SDP_URI, Sides::Both),
    buffer("sdp.email", EMAIL, Sides::Both),
    buffer("sdp.phone_number", PHONE_NUMBER, Sides::Both),
    buffer("sdp.connection_data", CONNECTION_DATA, Sides::Both),
    buffer("sdp.bandwidth", BANDWIDTH, Sides::Both),
    buffer("sdp.time", TIME, Sides::Both),
    buffer("sdp.repeat_time", REPEAT_TIME, Sides::Both),
    buffer("sdp.timezone", TIMEZONE, Sides::Both),
    buffer("sdp.encryption_key", ENCRYPTION_KEY, Sides::Both),
    buffer("sdp.attribute", ATTRIBUTE, Sides::Both),
    buffer("sdp.media.media", MEDIA, Sides::Both),
    buffer("sdp.media.media_info", MEDIA_INFO, Sides::Both),
    buffer("sdp.media.connection_data", MEDIA_CONNECTION_DATA, Sides::Both),
    buffer("sdp.media.encryption_key", MEDIA_ENCRYPTION_KEY, Sides::Both),
];

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword::buffer(name, field, sides, &[ProtocolId::Sip])
}

/// Shows the values of a field.
pub(super) fn visit(message: &Message, direction: Direction, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    if field.is_of(Family::Sdp) {
        if let Some(description) = &message.description {
            visit_description(description, field, show);
        }
        return;
    }
    let header = match field {
        FROM => Some(Header::From),
        TO => Some(Header::To),
        VIA => Some(Header::Via),
        USER_AGENT => Some(Header::UserAgent),
        CONTENT_TYPE => Some(Header::ContentType),
        CONTENT_LENGTH => Some(Header::ContentLength),
        _ => None,
    };
    if let Some(header) = header {
        message.values(header).for_each(|value| show(Piece::whole(value)));
        return;
    }
    let value = match (field, direction) {
        (METHOD, Direction::ToServer) | (STAT_CODE, Direction::ToClient) => message.first(),
        (URI, Direction::ToServer) | (STAT_MSG, Direction::ToClient) => message.second(),
        (PROTOCOL, _) => message.version(),
        (REQUEST_LINE, Direction::ToServer) | (RESPONSE_LINE, Direction::ToClient) => message.line(),
        _ => return,
    };
    if !value.is_empty() {
        show(Piece::whole(value));
    }
}

fn visit_description(description: &Description, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    let single = match field {
        ORIGIN => Some(&description.origin).filter(|value| !value.is_empty()),
        SESSION_NAME => Some(&description.session_name).filter(|value| !value.is_empty()),
        SESSION_INFO => description.session_info.as_ref(),
        SDP_URI => description.uri.as_ref(),
        EMAIL => description.email.as_ref(),
        PHONE_NUMBER => description.phone_number.as_ref(),
        CONNECTION_DATA => description.connection_data.as_ref(),
        TIMEZONE => description.timezone.as_ref(),
        ENCRYPTION_KEY => description.encryption_key.as_ref(),
        _ => None,
    };
    if let Some(value) = single {
        show(Piece::whole(value));
        return;
    }
    let mut all =
        |values: &mut dyn Iterator<Item = &Vec<u8>>| values.for_each(|value| show(Piece::whole(value)));
    // The values of parts end with the first part that has none.
    let of_media = |value: fn(&Media) -> Option<&Vec<u8>>| description.media.iter().map_while(value);
    match field {
        BANDWIDTH => all(&mut description.bandwidths.iter()),
        TIME => all(&mut description.times.iter().map(|(time, _)| time)),
        REPEAT_TIME => all(&mut description.times.iter().map_while(|(_, repeated)| repeated.as_ref())),
        ATTRIBUTE => all(&mut description.attributes.iter()),
        MEDIA => all(&mut description.media.iter().map(|media| &media.media)),
        MEDIA_INFO => all(&mut of_media(|media| media.info.as_ref())),
        MEDIA_CONNECTION_DATA => all(&mut of_media(|media| media.connection_data.as_ref())),
        MEDIA_ENCRYPTION_KEY => all(&mut of_media(|media| media.encryption_key.as_ref())),
        _ => {}
    }
}
