//! What may be odd about an exchange.

/// Something odd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Event {
    MalformedData = 1,
    DuplicateNegotiate = 5,
    NegotiateMalformedDialects = 6,
    FileOverlap = 7,
    NegotiateMaxReadSizeTooLarge = 10,
    NegotiateMaxWriteSizeTooLarge = 11,
    ReadResponseTooLarge = 13,
    ReadQueueSizeExceeded = 14,
    ReadQueueCountExceeded = 15,
    WriteRequestTooLarge = 16,
    WriteQueueSizeExceeded = 17,
    WriteQueueCountExceeded = 18,
    UnusualNtlmsspOrder = 19,
    TooManyTransactions = 20,
}

impl Event {
    /// Its bit.
    pub(super) fn bit(self) -> u128 {
        1 << (self as u8)
    }
}

/// The names of all, in the order of their bits. Some are known to rules and never come about, here as in Suricata.
pub(super) const NAMES: &[&str] = &[
    "internal_error",
    "malformed_data",
    "record_overflow",
    "malformed_ntlmssp_request",
    "malformed_ntlmssp_response",
    "duplicate_negotiate",
    "negotiate_malformed_dialects",
    "file_overlap",
    "request_to_client",
    "response_to_server",
    "negotiate_max_read_size_too_large",
    "negotiate_max_write_size_too_large",
    "read_request_too_large",
    "read_response_too_large",
    "read_queue_size_exceeded",
    "read_queue_cnt_exceeded",
    "write_request_too_large",
    "write_queue_size_exceeded",
    "write_queue_cnt_exceeded",
    "unusual_ntlmssp_order",
    "too_many_transactions",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_stands_at_the_place_of_its_bit() {
        for (event, name) in [
            (Event::MalformedData, "malformed_data"),
            (Event::DuplicateNegotiate, "duplicate_negotiate"),
            (Event::NegotiateMalformedDialects, "negotiate_malformed_dialects"),
            (Event::FileOverlap, "file_overlap"),
            (Event::NegotiateMaxReadSizeTooLarge, "negotiate_max_read_size_too_large"),
            (Event::NegotiateMaxWriteSizeTooLarge, "negotiate_max_write_size_too_large"),
            (Event::ReadResponseTooLarge, "read_response_too_large"),
            (Event::ReadQueueSizeExceeded, "read_queue_size_exceeded"),
            (Event::ReadQueueCountExceeded, "read_queue_cnt_exceeded"),
            (Event::WriteRequestTooLarge, "write_request_too_large"),
            (Event::WriteQueueSizeExceeded, "write_queue_size_exceeded"),
            (Event::WriteQueueCountExceeded, "write_queue_cnt_exceeded"),
            (Event::UnusualNtlmsspOrder, "unusual_ntlmssp_order"),
            (Event::TooManyTransactions, "too_many_transactions"),
        ] {
            assert_eq!(NAMES.get(event as usize), Some(&name));
        }
    }
}
