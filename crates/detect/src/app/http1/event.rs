//! What can be odd about an exchange: the names that `app-layer-event:http.NAME` knows.

macro_rules! events {
    ($($variant:ident $name:literal)*) => {
        /// Something odd. Some are never set: rules name them all the same, and a rule that names what does not exist
        /// would be refused.
        #[allow(dead_code)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(super) enum Event {
            $($variant,)*
        }

        /// The names, in the order of the bits.
        pub(super) static NAMES: &[&str] = &[$($name,)*];
    };
}

events! {
    UnknownError "unknown_error"
    GzipDecompressionFailed "gzip_decompression_failed"
    RequestFieldMissingColon "request_field_missing_colon"
    ResponseFieldMissingColon "response_field_missing_colon"
    InvalidRequestChunkLen "invalid_request_chunk_len"
    InvalidResponseChunkLen "invalid_response_chunk_len"
    InvalidTransferEncodingInRequest "invalid_transfer_encoding_value_in_request"
    InvalidTransferEncodingInResponse "invalid_transfer_encoding_value_in_response"
    InvalidContentLengthInRequest "invalid_content_length_field_in_request"
    InvalidContentLengthInResponse "invalid_content_length_field_in_response"
    DuplicateContentLengthInRequest "duplicate_content_length_field_in_request"
    DuplicateContentLengthInResponse "duplicate_content_length_field_in_response"
    ContinueAlreadySeen "continue_already_seen"
    ContinueAlreadySeenOld "100_continue_already_seen"
    UnableToMatchResponse "unable_to_match_response_to_request"
    InvalidServerPort "invalid_server_port_in_request"
    InvalidAuthorityPort "invalid_authority_port"
    RequestHeaderInvalid "request_header_invalid"
    ResponseHeaderInvalid "response_header_invalid"
    MissingHost "missing_host_header"
    HostAmbiguous "host_header_ambiguous"
    InvalidRequestFolding "invalid_request_field_folding"
    InvalidResponseFolding "invalid_response_field_folding"
    RequestFieldTooLong "request_field_too_long"
    ResponseFieldTooLong "response_field_too_long"
    FileNameTooLong "file_name_too_long"
    RequestLineInvalid "request_line_invalid"
    RequestBodyUnexpected "request_body_unexpected"
    ResponseBodyUnexpected "response_body_unexpected"
    PortMismatch "request_server_port_tcp_port_mismatch"
    UriHostInvalid "request_uri_host_invalid"
    HeaderHostInvalid "request_header_host_invalid"
    AuthUnrecognized "request_auth_unrecognized"
    RequestHeaderRepetition "request_header_repetition"
    ResponseHeaderRepetition "response_header_repetition"
    DoubleEncodedUri "double_encoded_uri"
    UriDelimiter "uri_delim_non_compliant"
    MethodDelimiter "method_delim_non_compliant"
    RequestLineLeadingSpace "request_line_leading_whitespace"
    TooManyLayers "too_many_encoding_layers"
    RequestTooManyLzmaLayers "request_too_many_lzma_layers"
    ResponseTooManyLzmaLayers "response_too_many_lzma_layers"
    AbnormalContentEncoding "abnormal_ce_header"
    MultipartByteranges "response_multipart_byteranges"
    AbnormalTransferEncoding "response_abnormal_transfer_encoding"
    ChunkedOldProtocol "response_chunked_old_proto"
    ResponseInvalidProtocol "response_invalid_protocol"
    ResponseInvalidStatus "response_invalid_status"
    RequestLineIncomplete "request_line_incomplete"
    ProtocolExtraData "protocol_contains_extra_data"
    LengthExtraDataStart "content_length_extra_data_start"
    LengthExtraDataEnd "content_length_extra_data_end"
    SwitchingWithLength "switching_proto_with_content_length"
    DeformedEol "deformed_eol"
    ParserStateError "parser_state_error"
    MissingOutbound "missing_outbound_transaction_data"
    MissingInbound "missing_inbound_transaction_data"
    ZeroLengthData "zero_length_data_chunks"
    UnknownMethod "request_line_unknown_method"
    UnknownMethodNoProtocol "request_line_unknown_method_no_protocol"
    UnknownMethodInvalidProtocol "request_line_unknown_method_invalid_protocol"
    MissingProtocol "request_line_missing_protocol"
    ResponseLineInvalidProtocol "response_line_invalid_protocol"
    ResponseLineInvalidStatus "response_line_invalid_response_status"
    ResponseBodyInternalError "response_body_internal_error"
    RequestBodyCallbackError "request_body_data_callback_error"
    ResponseEmptyName "response_invalid_empty_name"
    RequestEmptyName "request_invalid_empty_name"
    ResponseSpaceAfterName "response_invalid_lws_after_name"
    ResponseNameNotToken "response_header_name_not_token"
    RequestSpaceAfterName "request_invalid_lws_after_name"
    LzmaDisabled "lzma_decompression_disabled"
    ConnectionAlreadyOpen "connection_already_open"
    CompressionBombDoubleLzma "compression_bomb_double_lzma"
    InvalidContentEncoding "invalid_content_encoding"
    InvalidGap "invalid_gap"
    RequestChunkExtension "request_chunk_extension"
    ResponseChunkExtension "response_chunk_extension"
    RequestTooManyHeaders "request_too_many_headers"
    ResponseTooManyHeaders "response_too_many_headers"
    LzmaMemlimit "lzma_memlimit_reached"
    CompressionBomb "compression_bomb"
    CompressionBombLimit "compression_bomb_limit_reached"
    RangeInvalid "range_invalid"
    MultipartGenericError "multipart_generic_error"
    MultipartNoFiledata "multipart_no_filedata"
    MultipartInvalidHeader "multipart_invalid_header"
    TooManyWarnings "too_many_warnings"
    FailedProtocolChange "failed_protocol_change"
}

/// A set of them, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Events(pub(super) u128);

impl Events {
    /// Adds one.
    pub(super) fn set(&mut self, event: Event) {
        self.0 |= 1 << event as u8;
    }

    /// Adds one if `condition`.
    pub(super) fn set_if(&mut self, condition: bool, event: Event) {
        if condition {
            self.set(event);
        }
    }

    /// Whether it is among them.
    pub(super) fn has(self, event: Event) -> bool {
        self.0 & 1 << event as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_event_has_one_bit_and_one_name() {
        assert!(NAMES.len() <= 128);
        assert_eq!(Event::FailedProtocolChange as usize, NAMES.len() - 1);
        assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), NAMES.len());
    }
}
