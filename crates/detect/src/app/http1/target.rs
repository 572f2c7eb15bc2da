//! Whom and what a request is for: its line, its URI, its host.

use super::event::{Event, Events};
use super::exchange::Exchange;
use super::line::{self, Method, Version};
use super::{decode, uri};
use crate::app::Broken;

/// Reads the request line, of which `text` has no line end.
pub(super) fn read_request_line(exchange: &mut Exchange, text: &[u8]) -> Result<(), Broken> {
    let mut events = exchange.events;
    let parts = line::request_line(text, &mut events);
    let head = &mut exchange.request.head;
    head.set_line(text);
    let offset = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    exchange.method = Method::named(parts.method);
    exchange.method_name = Some(head.in_line(offset(parts.method), parts.method));
    exchange.uri_raw = parts.uri.map(|part| head.in_line(offset(part), part));
    exchange.request.protocol = parts.protocol.map(|part| head.in_line(offset(part), part));
    exchange.request.version = parts.version;
    exchange.is_0_9 = parts.protocol.is_none();
    match parts.uri {
        Some(authority) if exchange.method == Method::Connect => {
            read_authority(exchange, authority, &mut events)
        }
        Some(raw) => read_uri(exchange, raw, &mut events),
        None if exchange.method == Method::Connect => return Err(Broken),
        None => {}
    }
    exchange.events = events;
    Ok(())
}

fn read_authority(exchange: &mut Exchange, authority: &[u8], events: &mut Events) {
    let Some(found) = uri::host_port(authority) else { return };
    events.set_if(!found.is_valid, Event::UriHostInvalid);
    exchange.port = found.port.flatten();
    let plain = uri::plain_host(found.host);
    exchange.uri_host = Some(exchange.request.head.keep(|made| made.extend_from_slice(&plain)));
}

fn read_uri(exchange: &mut Exchange, raw: &[u8], events: &mut Events) {
    let parts = uri::split(raw);
    let head = &mut exchange.request.head;
    if let Some(host) = parts.host {
        let plain = uri::plain_host(host);
        events.set_if(!uri::is_valid_host(&plain), Event::UriHostInvalid);
        exchange.uri_host = Some(head.keep(|made| made.extend_from_slice(&plain)));
    }
    if let Some(port) = parts.port {
        exchange.port = uri::port_number(port);
        events.set_if(exchange.port.is_none(), Event::UriHostInvalid);
    }
    if let Some(path) = parts.path {
        exchange.path = Some(head.keep(|made| decode::path(path, made)));
    }
    if parts.query.is_none() && parts.fragment.is_none() {
        exchange.uri = exchange.path.filter(|place| !head.at(*place).is_empty());
        return;
    }
    let whole = head.keep_behind(exchange.path, |made| {
        if let Some(query) = parts.query {
            made.push(b'?');
            decode::part(query, made);
        }
        if let Some(fragment) = parts.fragment {
            made.push(b'#');
            decode::part(fragment, made);
        }
    });
    exchange.uri = Some(whole).filter(|place| !head.at(*place).is_empty());
}

/// Which host the request is for.
pub(super) fn find_host(exchange: &mut Exchange, events: &mut Events) {
    let head = &mut exchange.request.head;
    exchange.host = exchange.uri_host;
    let Some(header) = head.value(b"host") else {
        events.set_if(exchange.request.version >= Version::V1_1, Event::MissingHost);
        return;
    };
    let Some(found) = uri::host_port(header) else {
        events.set_if(exchange.uri_host.is_some(), Event::HostAmbiguous);
        return;
    };
    events.set_if(!found.is_valid, Event::HeaderHostInvalid);
    match exchange.uri_host {
        None => {
            let plain = found.host.to_ascii_lowercase();
            exchange.port = found.port.unwrap_or(exchange.port);
            exchange.host = Some(head.keep(|made| made.extend_from_slice(&plain)));
        }
        Some(place) => {
            let other_port = found.port.is_some_and(|port| exchange.port.is_some() && exchange.port != port);
            let other_host = !head.at(place).eq_ignore_ascii_case(found.host);
            events.set_if(other_port || other_host, Event::HostAmbiguous);
        }
    }
}
