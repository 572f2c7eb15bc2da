//! Versions of SSL and TLS by their numbers.

/// No version is known yet.
pub(super) const UNKNOWN: u16 = 0;
/// SSL 2, in the notation of all the others.
pub(super) const SSL_2: u16 = 0x0200;
/// SSL 3.
pub(super) const SSL_3: u16 = 0x0300;
/// TLS 1.0.
pub(super) const TLS_1_0: u16 = 0x0301;
/// TLS 1.1.
pub(super) const TLS_1_1: u16 = 0x0302;
/// TLS 1.2.
pub(super) const TLS_1_2: u16 = 0x0303;
/// TLS 1.3.
pub(super) const TLS_1_3: u16 = 0x0304;
/// A draft of TLS 1.3 before the 16th: which one cannot be told.
pub(super) const TLS_1_3_EARLY_DRAFT: u16 = 0x7f01;

/// The drafts of TLS 1.3 that can be told apart.
fn is_draft(version: u16) -> bool {
    matches!(version, 0x7f10..=0x7f1c | TLS_1_3_EARLY_DRAFT | 0xfb14..=0xfb17 | 0xfb1a)
}

/// Whether records may carry this version.
pub(super) fn is_valid(version: u16) -> bool {
    matches!(version, SSL_3..=TLS_1_3) || is_draft(version)
}

/// Whether it is TLS 1.3 or one of the drafts that count as it.
pub(super) fn is_tls_1_3(version: u16) -> bool {
    version == TLS_1_3 || matches!(version, 0x7f10..=0x7f1c | TLS_1_3_EARLY_DRAFT)
}

/// The name of a version, as EVE has it.
pub(super) fn name(version: u16) -> String {
    match version {
        UNKNOWN => "UNDETERMINED".to_string(),
        SSL_2 => "SSLv2".to_string(),
        SSL_3 => "SSLv3".to_string(),
        TLS_1_0 => "TLSv1".to_string(),
        TLS_1_1 => "TLS 1.1".to_string(),
        TLS_1_2 => "TLS 1.2".to_string(),
        TLS_1_3 => "TLS 1.3".to_string(),
        TLS_1_3_EARLY_DRAFT => "TLS 1.3 draft-<16".to_string(),
        draft if is_draft(draft) && draft >> 8 == 0x7f => format!("TLS 1.3 draft-{}", draft & 0xff),
        draft if is_draft(draft) => format!("TLS 1.3 draft-{}-fb", draft & 0xff),
        other => format!("0x{other:04x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_names_that_eve_has() {
        assert_eq!(name(TLS_1_2), "TLS 1.2");
        assert_eq!(name(0x7f1c), "TLS 1.3 draft-28");
        assert_eq!(name(0xfb17), "TLS 1.3 draft-23-fb");
        assert_eq!(name(0x0505), "0x0505");
    }

    #[test]
    fn records_of_other_versions_are_not_valid() {
        assert!([SSL_3, TLS_1_3, 0x7f10, 0x7f1c, 0xfb1a].into_iter().all(is_valid));
        assert!(![UNKNOWN, SSL_2, 0x0305, 0x7f0f, 0x7f1d, 0xfb18, 0xffff].into_iter().any(is_valid));
    }
}
