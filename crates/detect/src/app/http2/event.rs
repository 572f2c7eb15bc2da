//! What can be odd about a connection: the names that `app-layer-event:http2.NAME` knows.

/// The names, in the order of the bits.
pub(super) static NAMES: &[&str] = &[
    "invalid_frame_header",
    "invalid_client_magic",
    "invalid_frame_data",
    "invalid_header",
    "invalid_frame_length",
    "extra_header_data",
    "long_frame_data",
    "stream_id_reuse",
    "invalid_http1_settings",
    "failed_decompression",
    "invalid_range",
    "header_integer_overflow",
    "too_many_streams",
    "authority_host_mismatch",
    "userinfo_in_uri",
    "reassembly_limit_reached",
    "dns_request_too_long",
    "dns_response_too_long",
    "data_stream_zero",
    "too_many_frames",
    "compression_bomb",
];

/// Something odd. Some are never set: rules name them all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    InvalidClientMagic = 1,
    InvalidFrameData = 2,
    InvalidHeader = 3,
    InvalidFrameLength = 4,
    ExtraHeaderData = 5,
    LongFrameData = 6,
    StreamIdReuse = 7,
    InvalidHttp1Settings = 8,
    FailedDecompression = 9,
    InvalidRange = 10,
    TooManyStreams = 12,
    AuthorityHostMismatch = 13,
    UserinfoInUri = 14,
    ReassemblyLimitReached = 15,
    DnsRequestTooLong = 16,
    DnsResponseTooLong = 17,
    DataStreamZero = 18,
    TooManyFrames = 19,
    CompressionBomb = 20,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_has_the_last_name() {
        assert_eq!(NAMES.get(Event::CompressionBomb as usize), Some(&"compression_bomb"));
        assert_eq!(NAMES.get(Event::DataStreamZero as usize), Some(&"data_stream_zero"));
        assert_eq!(NAMES.len(), Event::CompressionBomb as usize + 1);
    }
}
