//! Names of what is told as numbers, as records have them. Layouts that are not listed are told as `unknown`.

/// The version of a client.
pub(super) fn version(number: u32) -> &'static str {
    match number {
        0x80001 => "v4",
        0x80004 => "v5",
        0x80005 => "v10.0",
        0x80006 => "v10.1",
        0x80007 => "v10.2",
        0x80008 => "v10.3",
        0x80009 => "v10.4",
        0x8000a => "v10.5",
        0x8000b => "v10.6",
        0x8000c => "v10.7",
        _ => UNKNOWN,
    }
}

/// The system that has this build.
pub(super) fn build(number: u32) -> &'static str {
    match number {
        528 => "Windows NT 3.1",
        807 => "Windows NT 3.5",
        1057 => "Windows NT 3.51",
        1381 => "Windows NT 4.0",
        2195 => "Windows 2000",
        2600 => "Windows XP",
        3790 => "Windows Server 2003",
        6000 => "Windows Vista RTM",
        6001 => "Windows Vista SP1",
        6002 => "Windows Vista SP2",
        7600 => "Windows 7 RTM",
        7601 => "Windows 7 SP1",
        9200 => "Windows 8",
        9600 => "Windows 8.1",
        10240 => "Windows 10 TH1",
        10586 => "Windows 10 TH2",
        14393 => "Windows 10 RS1",
        15063 => "Windows 10 RS2",
        16299 => "Windows 10 RS3",
        17134 => "Windows 10 RS4",
        17763 => "Windows 10 RS5",
        _ => UNKNOWN,
    }
}

/// A keyboard.
pub(super) fn keyboard(number: u32) -> Option<&'static str> {
    Some(match number {
        1 => "xt",
        2 => "ico",
        3 => "at",
        4 => "enhanced",
        5 => "1050",
        6 => "9140",
        7 => "jp",
        _ => return None,
    })
}

/// How a client says that it is connected.
pub(super) fn connection(hint: u8) -> Option<&'static str> {
    Some(match hint {
        1 => "modem",
        2 => "low_broadband",
        3 => "satellite",
        4 => "high_broadband",
        5 => "wan",
        6 => "lan",
        7 => "autodetect",
        _ => return None,
    })
}

/// What both sides agree to speak.
pub(super) fn protocol(number: u32) -> &'static str {
    match number {
        0 => "rdp",
        1 => "ssl",
        2 => "hybrid",
        4 => "rds_tls",
        8 => "hybrid_ex",
        _ => UNKNOWN,
    }
}

/// Why a server refuses.
pub(super) fn refusal(code: u32) -> &'static str {
    match code {
        1 => "ssl required by server",
        2 => "ssl not allowed by server",
        3 => "ssl cert not on server",
        4 => "inconsistent flags",
        5 => "hybrid required by server",
        6 => "ssl with user auth required by server",
        _ => UNKNOWN,
    }
}

/// What bits of a number stand for.
pub(super) fn flags(number: u16, names: &[(u16, &'static str)]) -> Vec<&'static str> {
    names.iter().filter(|(bit, _)| number & bit != 0).map(|(_, name)| *name).collect()
}

pub(super) const REQUEST_FLAGS: &[(u16, &str)] = &[
    (1, "restricted_admin_mode_required"),
    (2, "redirected_authentication_mode_required"),
    (8, "correlation_info_present"),
];

pub(super) const SUPPORT_FLAGS: &[(u16, &str)] = &[
    (1, "extended_client_data"),
    (2, "dynvc_gfx"),
    (8, "restricted_admin"),
    (0x10, "redirected_authentication"),
];

pub(super) const CAPABILITIES: &[(u16, &str)] = &[
    (1, "support_errinfo_pdf"),
    (2, "want_32bpp_session"),
    (4, "support_statusinfo_pdu"),
    (8, "strong_asymmetric_keys"),
    (0x20, "valid_connection_type"),
    (0x40, "support_monitor_layout_pdu"),
    (0x80, "support_netchar_autodetect"),
    (0x100, "support_dynvc_gfx_protocol"),
    (0x200, "support_dynamic_time_zone"),
    (0x400, "support_heartbeat_pdu"),
];

const UNKNOWN: &str = "unknown";

/// A keyboard's layout.
pub(super) fn layout(number: u32) -> &'static str {
    LAYOUTS.iter().find(|(known, _)| *known == number).map_or(UNKNOWN, |(_, name)| *name)
}

const LAYOUTS: &[(u32, &str)] = &[
    (0x0401, "ar-SA"),
    (0x0402, "bg-BG"),
    (0x0403, "ca-ES"),
    (0x0404, "zh-TW"),
    (0x0405, "cs-CZ"),
    (0x0406, "da-DK"),
    (0x0407, "de-DE"),
    (0x0408, "el-GR"),
    (0x0409, "en-US"),
    (0x040a, "es-ES_tradnl"),
    (0x040b, "fi-FI"),
    (0x040c, "fr-FR"),
    (0x040d, "he-IL"),
    (0x040e, "hu-HU"),
    (0x040f, "is-IS"),
    (0x0410, "it-IT"),
    (0x0411, "ja-JP"),
    (0x0412, "ko-KR"),
    (0x0413, "nl-NL"),
    (0x0414, "nb-NO"),
    (0x0415, "pl-PL"),
    (0x0416, "pt-BR"),
    (0x0418, "ro-RO"),
    (0x0419, "ru-RU"),
    (0x041a, "hr-HR"),
    (0x041b, "sk-SK"),
    (0x041d, "sv-SE"),
    (0x041e, "th-TH"),
    (0x041f, "tr-TR"),
    (0x0420, "ur-PK"),
    (0x0421, "id-ID"),
    (0x0422, "uk-UA"),
    (0x0423, "be-BY"),
    (0x0424, "sl-SI"),
    (0x0425, "et-EE"),
    (0x0426, "lv-LV"),
    (0x0427, "lt-LT"),
    (0x0429, "fa-IR"),
    (0x042a, "vi-VN"),
    (0x0439, "hi-IN"),
    (0x0804, "zh-CN"),
    (0x0807, "de-CH"),
    (0x0809, "en-GB"),
    (0x080a, "es-MX"),
    (0x080c, "fr-BE"),
    (0x0810, "it-CH"),
    (0x0813, "nl-BE"),
    (0x0816, "pt-PT"),
    (0x0c04, "zh-HK"),
    (0x0c07, "de-AT"),
    (0x0c09, "en-AU"),
    (0x0c0a, "es-ES"),
    (0x0c0c, "fr-CA"),
    (0x1009, "en-CA"),
    (0x100c, "fr-CH"),
    (0x1409, "en-NZ"),
    (0x1809, "en-IE"),
    (0x4009, "en-IN"),
];
