//! What was odd about a TCP conversation, by the names that `stream-event` has for it.

macro_rules! events {
    ($($variant:ident = $name:literal,)*) => {
        /// An oddity of a conversation.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        #[allow(dead_code)] // Names that rules may use, though nothing sets the event yet: such a rule never matches, which the page on rules says.
        pub(crate) enum Event {
            $($variant,)*
        }

        const NAMED: &[(Event, &str)] = &[$((Event::$variant, $name),)*];
    };
}

events! {
    HandshakeAckInWrongDirection = "3whs_ack_in_wrong_dir",
    HandshakeAsyncWrongSequence = "3whs_async_wrong_seq",
    HandshakeRightSequenceWrongAck = "3whs_right_seq_wrong_ack_evasion",
    HandshakeSynAckInWrongDirection = "3whs_synack_in_wrong_direction",
    HandshakeSynAckOtherAck = "3whs_synack_resend_with_different_ack",
    HandshakeSynAckOtherSequence = "3whs_synack_resend_with_diff_seq",
    HandshakeSynAckToServer = "3whs_synack_toserver_on_syn_recv",
    HandshakeSynAckWrongAck = "3whs_synack_with_wrong_ack",
    HandshakeSynOtherSequence = "3whs_syn_resend_diff_seq_on_syn_recv",
    HandshakeSynToClient = "3whs_syn_toclient_on_syn_recv",
    HandshakeWrongSequenceWrongAck = "3whs_wrong_seq_wrong_ack",
    HandshakeAckDataInject = "3whs_ack_data_inject",
    HandshakeSynFlood = "3whs_syn_flood",
    CrossedSynAckWrongAck = "4whs_synack_with_wrong_ack",
    CrossedSynAckWrongSyn = "4whs_synack_with_wrong_syn",
    CrossedWrongSequence = "4whs_wrong_seq",
    CrossedInvalidAck = "4whs_invalid_ack",
    CloseWaitAckOutOfWindow = "closewait_ack_out_of_window",
    CloseWaitFinOutOfWindow = "closewait_fin_out_of_window",
    CloseWaitBeforeLastAck = "closewait_pkt_before_last_ack",
    CloseWaitInvalidAck = "closewait_invalid_ack",
    ClosingAckWrongSequence = "closing_ack_wrong_seq",
    ClosingInvalidAck = "closing_invalid_ack",
    EstablishedOutOfWindow = "est_packet_out_of_window",
    EstablishedBeforeLastAck = "est_pkt_before_last_ack",
    EstablishedSynAckResend = "est_synack_resend",
    EstablishedSynAckOtherAck = "est_synack_resend_with_different_ack",
    EstablishedSynAckOtherSequence = "est_synack_resend_with_diff_seq",
    EstablishedSynAckToServer = "est_synack_toserver",
    EstablishedSynResend = "est_syn_resend",
    EstablishedSynOtherSequence = "est_syn_resend_diff_seq",
    EstablishedSynToClient = "est_syn_toclient",
    EstablishedInvalidAck = "est_invalid_ack",
    FinInvalidAck = "fin_invalid_ack",
    Fin1AckWrongSequence = "fin1_ack_wrong_seq",
    Fin1FinWrongSequence = "fin1_fin_wrong_seq",
    Fin1InvalidAck = "fin1_invalid_ack",
    Fin2AckWrongSequence = "fin2_ack_wrong_seq",
    Fin2FinWrongSequence = "fin2_fin_wrong_seq",
    Fin2InvalidAck = "fin2_invalid_ack",
    FinNoSession = "fin_but_no_session",
    FinOutOfWindow = "fin_out_of_window",
    FinSyn = "fin_syn",
    LastAckWrongSequence = "lastack_ack_wrong_seq",
    LastAckInvalidAck = "lastack_invalid_ack",
    ResetNoSession = "rst_but_no_session",
    TimeWaitAckWrongSequence = "timewait_ack_wrong_seq",
    TimeWaitInvalidAck = "timewait_invalid_ack",
    InvalidTimestamp = "pkt_invalid_timestamp",
    InvalidAck = "pkt_invalid_ack",
    BrokenAck = "pkt_broken_ack",
    ResetInvalidAck = "rst_invalid_ack",
    SynOnShutdown = "shutdown_syn_resend",
    BadWindowUpdate = "pkt_bad_window_update",
    Retransmission = "pkt_retransmission",
    SuspectedResetInject = "suspected_rst_inject",
    WrongThread = "wrong_thread",
    SequenceGap = "reassembly_seq_gap",
    SegmentBeforeBase = "reassembly_segment_before_base_seq",
    NoSegment = "reassembly_no_segment",
    OverlapDifferent = "reassembly_overlap_different_data",
    DepthReached = "reassembly_depth_reached",
    InsertMemcap = "reassembly_insert_memcap",
    InsertLimit = "reassembly_insert_limit",
    InsertInvalid = "reassembly_insert_invalid",
    SpuriousRetransmission = "pkt_spurious_retransmission",
    ReassemblyUrgentLimit = "reassembly_urgent_oob_limit_reached",
    FinAckInvalid = "finack_invalid",
    DuplicateAck = "est_dup_ack",
}

/// A set of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Events(u128);

impl Events {
    pub(crate) fn add(&mut self, event: Event) {
        self.0 |= 1 << event as u8;
    }

    pub(crate) fn has(self, number: u8) -> bool {
        number < 128 && self.0 >> number & 1 == 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn unite(&mut self, other: Events) {
        self.0 |= other.0;
    }
}

/// The number of the event that rules call so, with or without `stream.` before it.
pub(crate) fn event_named(name: &str) -> Option<u8> {
    let name = name.strip_prefix("stream.").unwrap_or(name);
    NAMED.iter().find(|known| known.1.eq_ignore_ascii_case(name)).map(|known| known.0 as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_a_name_of_its_own_and_a_place_in_a_set() {
        assert!(NAMED.len() <= 128);
        for (event, name) in NAMED {
            assert_eq!(event_named(name), Some(*event as u8), "{name}");
            let mut set = Events::default();
            set.add(*event);
            assert!(set.has(*event as u8));
        }
        assert_eq!(event_named("stream.est_invalid_ack"), Some(Event::EstablishedInvalidAck as u8));
        assert_eq!(event_named("x"), None);
    }
}
