//! How a body is sent and what files it is: what the headers of a message say about what follows them.

use super::connection::is_connect;
use super::entity::Kind;
use super::event::{Event, Events};
use super::exchange::{Coding, Exchange};
use super::line::{Method, Version};
use super::multipart::Multipart;
use super::parameter::parameter;
use super::response::ResponseState;
use super::text::{contains_word, digits, is_word, split_while, trimmed};
use crate::app::Broken;

/// How a request's body is sent.
pub(super) fn request_coding(exchange: &mut Exchange, events: &mut Events) {
    let head = &exchange.request.head;
    exchange.request.coding = if let Some(coding) = head.value(b"transfer-encoding") {
        if contains_word(coding, b"chunked") {
            let old = exchange.request.version < Version::V1_1;
            events.set_if(old, Event::InvalidTransferEncodingInRequest);
            Coding::Chunked
        } else {
            Coding::Invalid
        }
    } else if let Some(length) = head.value(b"content-length") {
        let found = digits(length);
        if let Some((_, junk)) = found {
            events.set_if(junk.before, Event::LengthExtraDataStart);
            events.set_if(junk.after, Event::LengthExtraDataEnd);
        }
        exchange.request.content_length = found.map(|(length, _)| length);
        if found.is_some() { Coding::Identity } else { Coding::Invalid }
    } else {
        Coding::None
    };
}

/// What files a request's body is.
pub(super) fn request_kind(exchange: &mut Exchange) {
    let head = &exchange.request.head;
    let file = || exchange.path.map_or(Kind::Plain, |place| Kind::File(head.at(place).to_vec()));
    let multipart = || head.value(b"content-type").and_then(Multipart::new);
    exchange.request.entity.sink.kind = match exchange.method {
        Method::Post => multipart().map_or_else(file, |multipart| Kind::Multipart(Box::new(multipart))),
        Method::Put => file(),
        _ => Kind::Plain,
    };
}

/// Whether nothing says how long a response's body is.
pub(super) fn is_without_length(exchange: &Exchange) -> bool {
    let head = &exchange.response.head;
    head.value(b"transfer-encoding").is_none() && head.value(b"content-length").is_none()
}

/// The file that the body is: what the server calls it, else the path that was asked for.
pub(super) fn name_file(exchange: &mut Exchange) {
    let named = exchange.response.head.value(b"content-disposition");
    if let Some(name) = named.and_then(|value| parameter(value, b"filename")) {
        exchange.response.entity.sink.kind = Kind::File(name);
    }
}

/// How a response's body is sent, if there is one, and so what follows the headers.
pub(super) fn response_coding(exchange: &mut Exchange, events: &mut Events) -> Result<ResponseState, Broken> {
    let status = exchange.status.unwrap_or(0);
    let bare = is_without_length(exchange);
    if is_connect(exchange) && (200..300).contains(&status) {
        return Ok(ResponseState::Finalize);
    }
    events.set_if(status == 101 && !bare, Event::SwitchingWithLength);
    let is_bodiless = (100..200).contains(&status) || status == 204 || status == 304;
    if exchange.method == Method::Head || (is_bodiless && bare) {
        exchange.response.coding = Coding::None;
        return Ok(ResponseState::Finalize);
    }
    events.set_if(is_bodiless, Event::ResponseBodyUnexpected);
    let head = &exchange.response.head;
    if let Some(coding) = head.value(b"transfer-encoding").filter(|value| contains_word(value, b"chunked")) {
        events.set_if(!coding.eq_ignore_ascii_case(b"chunked"), Event::AbnormalTransferEncoding);
        events.set_if(exchange.response.version < Version::V1_1, Event::ChunkedOldProtocol);
        exchange.response.coding = Coding::Chunked;
        return Ok(ResponseState::ChunkLength);
    }
    if let Some(value) = head.value(b"content-length") {
        let Some((length, junk)) = digits(value) else {
            events.set(Event::InvalidContentLengthInResponse);
            return Err(Broken);
        };
        events.set_if(junk.before, Event::LengthExtraDataStart);
        events.set_if(junk.after, Event::LengthExtraDataEnd);
        exchange.has_odd_length = junk.before || junk.after;
        exchange.response.coding = Coding::Identity;
        exchange.response.content_length = Some(length);
        return Ok(match (length, exchange.has_odd_length) {
            (0, true) => ResponseState::Open,
            (0, false) => ResponseState::Finalize,
            _ => ResponseState::Identity,
        });
    }
    let kind = head.value(b"content-type").map(|value| split_while(value, |byte| byte != b';').0);
    if kind.is_some_and(|kind| is_word(trimmed(kind), b"multipart/byteranges")) {
        events.set(Event::MultipartByteranges);
        return Err(Broken);
    }
    exchange.response.coding = Coding::Identity;
    Ok(ResponseState::UntilClose)
}
