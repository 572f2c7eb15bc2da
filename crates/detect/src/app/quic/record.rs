//! What EVE tells of a packet: the object under `quic`.

use super::header::version_name;
use super::packet::Packet;
use crate::Direction;
use crate::eve::Object;

/// Writes the object.
pub(super) fn write(packet: &Packet, record: &mut Object) {
    if !packet.is_short {
        record.text("version", &version_name(packet.version));
        if let Some(name) = &packet.server_name {
            record.bytes("sni", name);
        }
        if let Some(agent) = &packet.user_agent {
            record.bytes("ua", agent);
        }
    }
    if !packet.cyu.is_empty() {
        record.objects(
            "cyu",
            packet.cyu.iter().map(|(text, hash)| {
                let mut inner = Object::new();
                inner.text("hash", hash);
                inner.text("string", text);
                inner
            }),
        );
    }
    if let Some((text, hash)) = &packet.ja3 {
        let mut inner = Object::new();
        inner.text("hash", hash);
        inner.text("string", text);
        record.object(if packet.from == Direction::ToServer { "ja3" } else { "ja3s" }, inner);
    }
    if let Some(ja4) = &packet.ja4 {
        record.text("ja4", ja4);
    }
    if !packet.extensions.is_empty() {
        record.objects(
            "extensions",
            packet.extensions.iter().map(|extension| {
                let mut inner = Object::new();
                if let Some(name) = extension_name(extension.number) {
                    inner.text("name", name);
                }
                inner.number("type", u64::from(extension.number));
                if !extension.values.is_empty() {
                    inner.byte_strings("values", extension.values.iter().map(Vec::as_slice));
                }
                inner
            }),
        );
    }
}

/// The names that the IANA gives to extensions, without gaps up to 39.
static EXTENSION_NAMES: &[&str] = &[
    "server_name",
    "max_fragment_length",
    "client_certificate_url",
    "trusted_ca_keys",
    "truncated_hmac",
    "status_request",
    "user_mapping",
    "client_authz",
    "server_authz",
    "cert_type",
    "supported_groups",
    "ec_point_formats",
    "srp",
    "signature_algorithms",
    "use_srtp",
    "heartbeat",
    "alpn",
    "status_request_v2",
    "signed_certificate_timestamp",
    "client_certificate_type",
    "server_certificate_type",
    "padding",
    "encrypt_then_mac",
    "extended_master_secret",
    "token_binding",
    "cached_info",
    "tls_lts",
    "compress_certificate",
    "record_size_limit",
    "pwd_protect",
    "pwd_clear",
    "password_salt",
    "ticket_pinning",
    "tls_cert_with_extern_psk",
    "delegated_credentials",
    "session_ticket",
    "tlmsp",
    "tlmsp_proxying",
    "tlmsp_delegate",
    "supported_ekt_ciphers",
];

fn extension_name(number: u16) -> Option<&'static str> {
    let later = match number {
        41 => "pre_shared_key",
        42 => "early_data",
        43 => "supported_versions",
        44 => "cookie",
        45 => "psk_key_exchange_modes",
        47 => "certificate_authorities",
        48 => "oid_filters",
        49 => "post_handshake_auth",
        50 => "signature_algorithms_cert",
        51 => "key_share",
        52 => "transparency_info",
        53 => "connection_id_deprecated",
        54 => "connection_id",
        55 => "external_id_hash",
        56 => "external_session_id",
        57 => "quic_transport_parameters",
        58 => "ticket_request",
        59 => "dnssec_chain",
        13172 => "next_protocol_negotiation",
        65281 => "renegotiation_info",
        _ => return EXTENSION_NAMES.get(usize::from(number)).copied(),
    };
    Some(later)
}
