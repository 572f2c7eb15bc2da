//! Hooks: `tls:client_hello_done` in the place of the protocol says how far an exchange must be, and so which way.
//!
//! Those of packets (`all`, `flow_start`) are read where the protocol is. Hooks of stages that no parser tells, and those that only a firewall's tables have
//! (`pre_flow`, `pre_stream`), are refused by name.

use super::Compiler;
use crate::app::{ProtocolId, Sides, Takes};
use crate::rule::compiled::Stage;

/// What a hook of a protocol asks for.
pub(super) fn stage(
    compiler: &Compiler<'_>,
    name: &str,
    hook: &str,
    layers: &[ProtocolId],
) -> Option<(Sides, Stage)> {
    let (to_server, to_client) = (Sides::ToServer, Sides::ToClient);
    // It is so far as to have what this keyword looks into.
    let has = |keyword: &str| match compiler.keyword(keyword)?.takes {
        Takes::Buffer(buffer) | Takes::Folded(buffer, _) => Some(Stage::Has(buffer.field)),
        _ => None,
    };
    if layers.is_empty() {
        return None;
    }
    Some(match (name, hook) {
        ("http1", "request_line") => (to_server, has("http.request_line")?),
        ("http1", "request_headers") => (to_server, has("http.host")?),
        ("http1", "request_body" | "request_trailer") => (to_server, Stage::Complete),
        ("http1", "response_line") => (to_client, has("http.response_line")?),
        ("http1", "response_headers") => (to_client, has("http.server")?),
        ("http1", "response_body" | "response_trailer") => (to_client, Stage::Complete),
        ("tls", "client_in_progress") => (to_server, Stage::Begun),
        ("tls", "client_hello_done") => (to_server, has("tls.sni")?),
        ("tls", "server_in_progress") => (to_client, Stage::Begun),
        ("tls", "server_hello") => (to_client, has("ja3s.hash")?),
        ("tls", "server_cert_done") => (to_client, has("tls.certs")?),
        ("ssh", "request_in_progress") => (to_server, Stage::Begun),
        ("ssh", "request_banner_done") => (to_server, has("ssh.proto")?),
        ("ssh", "response_in_progress") => (to_client, Stage::Begun),
        ("ssh", "response_banner_done") => (to_client, has("ssh.proto")?),
        ("ssh", "request_finished") => (to_server, Stage::Complete),
        ("ssh", "response_finished") => (to_client, Stage::Complete),
        ("tls", _) => return None,
        (_, "request_started") => (to_server, Stage::Begun),
        (_, "request_complete") => (to_server, Stage::Complete),
        (_, "response_started") => (to_client, Stage::Begun),
        (_, "response_complete") => (to_client, Stage::Complete),
        _ => return None,
    })
}
