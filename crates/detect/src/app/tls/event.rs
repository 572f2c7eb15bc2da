//! What can be odd about a session.

/// Their names, in the order of [`Event`].
pub(super) static NAMES: &[&str] = &[
    "invalid_sslv2_header",
    "invalid_tls_header",
    "invalid_record_version",
    "invalid_record_type",
    "invalid_record_length",
    "invalid_handshake_message",
    "heartbeat_message",
    "invalid_heartbeat_message",
    "overflow_heartbeat_message",
    "dataleak_heartbeat_mismatch",
    "handshake_invalid_length",
    "multiple_sni_extensions",
    "invalid_sni_type",
    "invalid_sni_length",
    "too_many_records_in_packet",
    "invalid_alert_message",
    "invalid_certificate",
    "certificate_invalid_length",
    "certificate_invalid_version",
    "certificate_invalid_serial",
    "certificate_invalid_algorithmidentifier",
    "certificate_invalid_x509name",
    "certificate_invalid_date",
    "certificate_invalid_extensions",
    "certificate_invalid_der",
    "certificate_invalid_subject",
    "certificate_invalid_issuer",
    "certificate_invalid_validity",
    "error_message_encountered",
    "invalid_ssl_record",
];

/// What can be odd about a session: each is the place of its name in [`NAMES`]. Names without one here are known to
/// rules and never come about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    /// A record of SSL 2 without content.
    Ssl2Header = 0,
    /// A record of a version that there is not.
    RecordVersion = 2,
    /// A record of a type that there is not.
    RecordType = 3,
    /// A record without content, or with more than there may be.
    RecordLength = 4,
    /// A handshake message of a type that there is not, or one that is cut off.
    HandshakeMessage = 5,
    /// A heartbeat that nobody may send.
    Heartbeat = 7,
    /// A heartbeat that asks for more than it carries.
    HeartbeatOverflow = 8,
    /// An encrypted heartbeat's answer that is longer than the question.
    HeartbeatLeak = 9,
    /// A length within a hello that goes beyond its end.
    HelloLength = 10,
    /// A second server name.
    SecondServerName = 11,
    /// A server name that is no host name.
    ServerNameType = 12,
    /// A server name that is empty, too long, or cut off.
    ServerNameLength = 13,
    /// More records than the bytes could hold.
    TooManyRecords = 14,
    /// An alert of one byte.
    Alert = 15,
    /// A certificate that cannot be read.
    Certificate = 16,
    /// A certificate with lengths that do not fit.
    CertificateLength = 17,
    /// A certificate of a version that there is not.
    CertificateVersion = 18,
    /// A certificate without a proper serial number.
    CertificateSerial = 19,
    /// A certificate without a proper algorithm.
    CertificateAlgorithm = 20,
    /// A certificate without a proper name.
    CertificateName = 21,
    /// A certificate without a proper date.
    CertificateDate = 22,
    /// A certificate with extensions that cannot be read.
    CertificateExtensions = 23,
    /// A certificate that is no DER.
    CertificateDer = 24,
    /// An error message of SSL 2.
    ErrorMessage = 28,
    /// A record that makes no sense.
    SslRecord = 29,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stand_at_the_places_of_their_names() {
        let at = |event: Event| NAMES[event as usize];
        assert_eq!(at(Event::Ssl2Header), "invalid_sslv2_header");
        assert_eq!(at(Event::HelloLength), "handshake_invalid_length");
        assert_eq!(at(Event::SecondServerName), "multiple_sni_extensions");
        assert_eq!(at(Event::TooManyRecords), "too_many_records_in_packet");
        assert_eq!(at(Event::Alert), "invalid_alert_message");
        assert_eq!(at(Event::CertificateDer), "certificate_invalid_der");
        assert_eq!(at(Event::ErrorMessage), "error_message_encountered");
        assert_eq!(at(Event::SslRecord), "invalid_ssl_record");
    }
}
