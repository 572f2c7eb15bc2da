//! What was odd about a TCP conversation, by the names that `stream-event` has for it. What cannot happen here has a name too: a rule that asks for it
//! is right, and never holds.

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
    HandshakeRightSequenceWrongAck = "3whs_right_seq_wrong_ack_evasion",
    HandshakeSynAckInWrongDirection = "3whs_synack_in_wrong_direction",
    HandshakeSynAckOtherAck = "3whs_synack_resend_with_diff_ack",
    HandshakeSynAckToServer = "3whs_synack_toserver_on_syn_recv",
    HandshakeSynAckWrongAck = "3whs_synack_with_wrong_ack",
    HandshakeSynOtherSequence = "3whs_syn_resend_diff_seq_on_syn_recv",
    HandshakeSynToClient = "3whs_syn_toclient_on_syn_recv",
    HandshakeWrongSequenceWrongAck = "3whs_wrong_seq_wrong_ack",
    SynFlood = "3whs_syn_flood",
    SynAckFlood = "3whs_synack_flood",
    FastOpenIgnored = "3whs_synack_tfo_data_ignored",
    SplitWrongAck = "4whs_synack_with_wrong_ack",
    SplitWrongSyn = "4whs_synack_with_wrong_syn",
    SplitWrongSequence = "4whs_wrong_seq",
    SplitInvalidAck = "4whs_invalid_ack",
    CloseWaitAckOutOfWindow = "closewait_ack_out_of_window",
    CloseWaitFinOutOfWindow = "closewait_fin_out_of_window",
    CloseWaitBeforeLastAck = "closewait_pkt_before_last_ack",
    CloseWaitInvalidAck = "closewait_invalid_ack",
    ClosingAckWrongSequence = "closing_ack_wrong_seq",
    ClosingInvalidAck = "closing_invalid_ack",
    EstablishedOutOfWindow = "est_packet_out_of_window",
    EstablishedBeforeLastAck = "est_pkt_before_last_ack",
    EstablishedSynAckResend = "est_synack_resend",
    EstablishedSynAckOtherAck = "est_synack_resend_with_diff_ack",
    EstablishedSynAckOtherSequence = "est_synack_resend_with_diff_seq",
    EstablishedSynAckToServer = "est_synack_toserver",
    EstablishedSynResend = "est_syn_resend",
    EstablishedSynOtherSequence = "est_syn_resend_diff_seq",
    EstablishedSynToClient = "est_syn_toclient",
    EstablishedInvalidAck = "est_invalid_ack",
    EstablishedAckOfProbe = "est_ack_zwp_data",
    FinInvalidAck = "fin_invalid_ack",
    Fin1AckWrongSequence = "fin1_ack_wrong_seq",
    Fin1WrongSequence = "fin1_fin_wrong_seq",
    Fin1InvalidAck = "fin1_invalid_ack",
    Fin2AckWrongSequence = "fin2_ack_wrong_seq",
    Fin2WrongSequence = "fin2_fin_wrong_seq",
    Fin2InvalidAck = "fin2_invalid_ack",
    FinWithoutSession = "fin_but_no_session",
    FinOutOfWindow = "fin_out_of_window",
    FinSyn = "fin_syn",
    LastAckWrongSequence = "lastack_ack_wrong_seq",
    LastAckInvalidAck = "lastack_invalid_ack",
    ResetWithoutSession = "rst_but_no_session",
    TimeWaitWrongSequence = "timewait_ack_wrong_seq",
    TimeWaitInvalidAck = "timewait_invalid_ack",
    SynOnShutdown = "shutdown_syn_resend",
    InvalidStamp = "pkt_invalid_timestamp",
    InvalidAck = "pkt_invalid_ack",
    BrokenAck = "pkt_broken_ack",
    ResetInvalidAck = "rst_invalid_ack",
    Retransmission = "pkt_retransmission",
    SpuriousRetransmission = "pkt_spurious_retransmission",
    BadWindowUpdate = "pkt_bad_window_update",
    ResetInjected = "suspected_rst_inject",
    BeforeBase = "reassembly_segment_before_base_seq",
    SequenceGap = "reassembly_seq_gap",
    OverlapDifferent = "reassembly_overlap_different_data",
    DepthReached = "reassembly_depth_reached",
    InsertLimit = "reassembly_insert_limit",
    UrgentLimit = "reassembly_urgent_oob_limit_reached",
}

/// Events that cannot happen to a sensor that only looks, or whose conversations are all seen on one thread from their beginning; a rule on one of them
/// is read and never holds.
const NEVER: &[&str] = &[
    "3whs_ack_data_inject",
    "3whs_ack_in_wrong_dir",
    "3whs_async_wrong_seq",
    "3whs_synack_resend_with_diff_seq",
    "insert_memcap",
    "insert_invalid",
    "reassembly_memcap",
    "reassembly_no_segment",
    "wrong_thread",
];
/// The number of all of those.
const NEVER_NUMBER: u8 = 127;
/// Other names under which rules have asked for events.
const ALSO: &[(&str, &str)] = &[
    ("3whs_synack_resend_with_different_ack", "3whs_synack_resend_with_diff_ack"),
    ("est_synack_resend_with_different_ack", "est_synack_resend_with_diff_ack"),
];

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
    let name = ALSO.iter().find(|also| also.0.eq_ignore_ascii_case(name)).map_or(name, |also| also.1);
    if NEVER.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Some(NEVER_NUMBER);
    }
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
        assert!(NAMED.len() < usize::from(NEVER_NUMBER));
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

    #[test]
    fn what_cannot_happen_is_read_and_never_holds() {
        let mut all = Events::default();
        for (event, _) in NAMED {
            all.add(*event);
        }
        for name in NEVER {
            assert!(event_named(name).is_some_and(|number| !all.has(number)), "{name}");
        }
        for (name, other) in ALSO {
            assert!(event_named(name).is_some() && event_named(name) == event_named(other), "{name}");
        }
    }
}
