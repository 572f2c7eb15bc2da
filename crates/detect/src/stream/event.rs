//! What was odd about a TCP conversation, by the names that `stream-event` has for it. An event that nothing sets is not here, so
//! that a rule that asks for it is refused.

macro_rules! events {
    ($($variant:ident = $name:literal,)*) => {
        /// An oddity of a conversation.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Event {
            $($variant,)*
        }

        const NAMED: &[(Event, &str)] = &[$((Event::$variant, $name),)*];
    };
}

events! {
    HandshakeAckInWrongDirection = "3whs_ack_in_wrong_dir",
    HandshakeRightSequenceWrongAck = "3whs_right_seq_wrong_ack_evasion",
    HandshakeSynAckInWrongDirection = "3whs_synack_in_wrong_direction",
    HandshakeSynAckOtherAck = "3whs_synack_resend_with_different_ack",
    HandshakeSynAckOtherSequence = "3whs_synack_resend_with_diff_seq",
    HandshakeSynAckToServer = "3whs_synack_toserver_on_syn_recv",
    HandshakeSynAckWrongAck = "3whs_synack_with_wrong_ack",
    HandshakeSynOtherSequence = "3whs_syn_resend_diff_seq_on_syn_recv",
    HandshakeSynToClient = "3whs_syn_toclient_on_syn_recv",
    HandshakeWrongSequenceWrongAck = "3whs_wrong_seq_wrong_ack",
    CloseWaitAckOutOfWindow = "closewait_ack_out_of_window",
    CloseWaitInvalidAck = "closewait_invalid_ack",
    EstablishedOutOfWindow = "est_packet_out_of_window",
    EstablishedSynAckResend = "est_synack_resend",
    EstablishedSynAckOtherAck = "est_synack_resend_with_different_ack",
    EstablishedSynAckOtherSequence = "est_synack_resend_with_diff_seq",
    EstablishedSynAckToServer = "est_synack_toserver",
    EstablishedSynResend = "est_syn_resend",
    EstablishedSynOtherSequence = "est_syn_resend_diff_seq",
    EstablishedSynToClient = "est_syn_toclient",
    EstablishedInvalidAck = "est_invalid_ack",
    FinOutOfWindow = "fin_out_of_window",
    FinSyn = "fin_syn",
    InvalidAck = "pkt_invalid_ack",
    ResetInvalidAck = "rst_invalid_ack",
    SynOnShutdown = "shutdown_syn_resend",
    Retransmission = "pkt_retransmission",
    OverlapDifferent = "reassembly_overlap_different_data",
    DepthReached = "reassembly_depth_reached",
    InsertLimit = "reassembly_insert_limit",
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
}

/// The number of the event that rules call so, with or without `stream.` before it.
pub(crate) fn event_named(name: &str) -> Option<u8> {
    let name = name.strip_prefix("stream.").unwrap_or(name);
    NAMED.iter().find(|known| known.1.eq_ignore_ascii_case(name)).map(|known| known.0 as u8)
}

/// The names of those in a set, in the order of their numbers.
pub(crate) fn event_names(events: Events) -> impl Iterator<Item = &'static str> {
    NAMED.iter().filter(move |known| events.has(known.0 as u8)).map(|known| known.1)
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
            assert_eq!(event_names(set).collect::<Vec<_>>(), [*name]);
        }
        assert_eq!(event_named("stream.est_invalid_ack"), Some(Event::EstablishedInvalidAck as u8));
        assert_eq!(event_named("x"), None);
    }
}
