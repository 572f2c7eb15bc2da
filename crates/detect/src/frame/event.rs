//! What was odd about a packet, by the names that `decode-event` has for it.
//!
//! Each decoder sets its events where the header that it reads is at fault; a packet can have several. Not here: what
//! is odd about a TCP conversation (`stream-event`), and what rules make of an event.

macro_rules! events {
    ($($variant:ident = $name:literal,)*) => {
        /// An oddity that a decoder can find.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        #[allow(missing_docs)] // Each is the oddity of its name, see `Event::name`.
        pub enum Event {
            $($variant,)*
        }

        /// All of them, with the name that rules have for each.
        const NAMED: &[(Event, &str)] = &[$((Event::$variant, $name),)*];
    };
}

events! {
    CapturedInPart = "afpacket.trunc_pkt",

    Ipv4TooSmall = "ipv4.pkt_too_small",
    Ipv4HeaderTooSmall = "ipv4.hlen_too_small",
    Ipv4LengthBelowHeader = "ipv4.iplen_smaller_than_hlen",
    Ipv4Truncated = "ipv4.trunc_pkt",
    Ipv4OptionInvalid = "ipv4.opt_invalid",
    Ipv4OptionLength = "ipv4.opt_invalid_len",
    Ipv4OptionMalformed = "ipv4.opt_malformed",
    Ipv4OptionPadding = "ipv4.opt_pad_required",
    Ipv4OptionEnd = "ipv4.opt_eol_required",
    Ipv4OptionTwice = "ipv4.opt_duplicate",
    Ipv4OptionUnknown = "ipv4.opt_unknown",
    Ipv4Version = "ipv4.wrong_ip_version",
    Ipv4WithIcmp6 = "ipv4.icmpv6",

    Icmp4TooSmall = "icmpv4.pkt_too_small",
    Icmp4Type = "icmpv4.unknown_type",
    Icmp4Code = "icmpv4.unknown_code",
    Icmp4Truncated = "icmpv4.ipv4_trunc_pkt",
    Icmp4EmbeddedVersion = "icmpv4.ipv4_unknown_ver",

    Icmp6Type = "icmpv6.unknown_type",
    Icmp6Code = "icmpv6.unknown_code",
    Icmp6TooSmall = "icmpv6.pkt_too_small",
    Icmp6EmbeddedVersion = "icmpv6.ipv6_unknown_version",
    Icmp6Truncated = "icmpv6.ipv6_trunc_pkt",
    Icmp6ListenerHopLimit = "icmpv6.mld_message_with_invalid_hl",
    Icmp6TypeUnassigned = "icmpv6.unassigned_type",
    Icmp6TypeExperimental = "icmpv6.experimentation_type",

    Ipv6TooSmall = "ipv6.pkt_too_small",
    Ipv6Truncated = "ipv6.trunc_pkt",
    Ipv6ExtensionTruncated = "ipv6.trunc_exthdr",
    Ipv6FragmentTwice = "ipv6.exthdr_dupl_fh",
    Ipv6FragmentUseless = "ipv6.exthdr_useless_fh",
    Ipv6RoutingTwice = "ipv6.exthdr_dupl_rh",
    Ipv6HopByHopTwice = "ipv6.exthdr_dupl_hh",
    Ipv6DestinationTwice = "ipv6.exthdr_dupl_dh",
    Ipv6AuthenticationTwice = "ipv6.exthdr_dupl_ah",
    Ipv6EncryptionTwice = "ipv6.exthdr_dupl_eh",
    Ipv6OptionLength = "ipv6.exthdr_invalid_optlen",
    Ipv6Version = "ipv6.wrong_ip_version",
    Ipv6AuthenticationReserved = "ipv6.exthdr_ah_res_not_null",
    Ipv6HopByHopUnknown = "ipv6.hopopts_unknown_opt",
    Ipv6HopByHopPadding = "ipv6.hopopts_only_padding",
    Ipv6DestinationUnknown = "ipv6.dstopts_unknown_opt",
    Ipv6DestinationPadding = "ipv6.dstopts_only_padding",
    Ipv6RoutingTypeZero = "ipv6.rh_type_0",
    Ipv6PaddingEmpty = "ipv6.zero_len_padn",
    Ipv6FragmentReserved = "ipv6.fh_non_zero_reserved_field",
    Ipv6DataAfterNone = "ipv6.data_after_none_header",
    Ipv6NextUnknown = "ipv6.unknown_next_header",
    Ipv6WithIcmp4 = "ipv6.icmpv4",

    TcpTooSmall = "tcp.pkt_too_small",
    TcpHeaderTooSmall = "tcp.hlen_too_small",
    TcpOptionsLength = "tcp.invalid_optlen",
    TcpOptionLength = "tcp.opt_invalid_len",
    TcpOptionTwice = "tcp.opt_duplicate",

    UdpTooSmall = "udp.pkt_too_small",
    UdpHeaderTooSmall = "udp.hlen_too_small",
    UdpHeaderInvalid = "udp.hlen_invalid",
    UdpLength = "udp.len_invalid",

    CookedTooSmall = "sll.pkt_too_small",
    Cooked2TooSmall = "sll2.pkt_too_small",
    EthernetTooSmall = "ethernet.pkt_too_small",
    EthernetTypeUnknown = "ethernet.unknown_ethertype",

    PppTooSmall = "ppp.pkt_too_small",
    PppCompressedTooSmall = "ppp.vju_pkt_too_small",
    PppIpv4TooSmall = "ppp.ip4_pkt_too_small",
    PppIpv6TooSmall = "ppp.ip6_pkt_too_small",
    PppType = "ppp.wrong_type",
    PppUnsupported = "ppp.unsup_proto",
    PppoeTooSmall = "pppoe.pkt_too_small",
    PppoeCode = "pppoe.wrong_code",
    PppoeTags = "pppoe.malformed_tags",

    GreTooSmall = "gre.pkt_too_small",
    GreVersion = "gre.wrong_version",
    Gre0Recursion = "gre.version0_recur",
    Gre0Flags = "gre.version0_flags",
    Gre0HeaderTooBig = "gre.version0_hdr_too_big",
    Gre0Route = "gre.version0_malformed_sre_hdr",
    Gre1Checksum = "gre.version1_chksum",
    Gre1Route = "gre.version1_route",
    Gre1StrictRoute = "gre.version1_ssr",
    Gre1Recursion = "gre.version1_recur",
    Gre1Flags = "gre.version1_flags",
    Gre1NoKey = "gre.version1_no_key",
    Gre1Protocol = "gre.version1_wrong_protocol",
    Gre1RouteMalformed = "gre.version1_malformed_sre_hdr",
    Gre1HeaderTooBig = "gre.version1_hdr_too_big",

    VlanTooSmall = "vlan.header_too_small",
    VlanType = "vlan.unknown_type",
    VlanLayers = "vlan.too_many_layers",
    ProviderTooSmall = "ieee8021ah.header_too_small",
    VntagTooSmall = "vntag.header_too_small",
    VntagType = "vntag.unknown_type",
    EtagTooSmall = "etag.header_too_small",
    EtagType = "etag.unknown_type",

    RawVersion = "ipraw.invalid_ip_version",
    NullTooSmall = "ltnull.pkt_too_small",
    NullType = "ltnull.unsupported_type",
    SctpTooSmall = "sctp.pkt_too_small",
    EspTooSmall = "esp.pkt_too_small",

    Fragment4TooLarge = "ipv4.frag_pkt_too_large",
    Fragment6TooLarge = "ipv6.frag_pkt_too_large",
    Fragment4Overlap = "ipv4.frag_overlap",
    Fragment6Overlap = "ipv6.frag_overlap",
    Fragment6Length = "ipv6.frag_invalid_length",
    Fragment4Ignored = "ipv4.frag_ignored",
    Fragment6Ignored = "ipv6.frag_ignored",

    Ipv4InIpv6TooSmall = "ipv6.ipv4_in_ipv6_too_small",
    Ipv4InIpv6Version = "ipv6.ipv4_in_ipv6_wrong_version",
    Ipv6InIpv6TooSmall = "ipv6.ipv6_in_ipv6_too_small",
    Ipv6InIpv6Version = "ipv6.ipv6_in_ipv6_wrong_version",

    MplsHeaderTooSmall = "mpls.header_too_small",
    MplsTooSmall = "mpls.pkt_too_small",
    MplsRouterAlert = "mpls.bad_label_router_alert",
    MplsImplicitNull = "mpls.bad_label_implicit_null",
    MplsReserved = "mpls.bad_label_reserved",
    MplsPayload = "mpls.unknown_payload_type",

    VxlanPayload = "vxlan.unknown_payload_type",
    GenevePayload = "geneve.unknown_payload_type",
    ErspanTooSmall = "erspan.header_too_small",
    ErspanVersion = "erspan.unsupported_version",
    ErspanVlanLayers = "erspan.too_many_vlan_layers",
    DceTooSmall = "dce.pkt_too_small",
    HdlcTooSmall = "chdlc.pkt_too_small",

    NshTooSmall = "nsh.header_too_small",
    NshVersion = "nsh.unsupported_version",
    NshLength = "nsh.bad_header_length",
    NshTypeReserved = "nsh.reserved_type",
    NshType = "nsh.unsupported_type",
    NshPayload = "nsh.unknown_payload",

    TooManyLayers = "too_many_layers",

    ArpTooSmall = "arp.pkt_too_small",
    ArpHardware = "arp.unsupported_hardware",
    ArpProtocol = "arp.unsupported_protocol",
    ArpInvalid = "arp.invalid_pkt",
    ArpHardwareSize = "arp.invalid_hardware_size",
    ArpProtocolSize = "arp.invalid_protocol_size",
    ArpOperation = "arp.unsupported_opcode",
}

impl Event {
    /// The event of this name, in whatever case it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Event> {
        NAMED.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(event, _)| *event)
    }

    /// Its name: `ipv4.trunc_pkt`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMED.get(self as usize).map_or("", |(_, name)| name)
    }
}

/// The events of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EventSet([u64; 3]);

impl EventSet {
    /// None.
    pub const NONE: EventSet = EventSet([0; 3]);

    /// Adds one; a second time changes nothing.
    pub fn add(&mut self, event: Event) {
        let number = event as usize;
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Whether `event` is one of them.
    #[must_use]
    pub fn has(&self, event: Event) -> bool {
        let number = event as usize;
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == EventSet::NONE
    }

    /// All of them, in the order of [`Event`].
    pub fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        NAMED.iter().map(|(event, _)| *event).filter(|event| self.has(*event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_by_its_name_and_no_two_share_one() {
        for (place, (event, name)) in NAMED.iter().enumerate() {
            assert_eq!(*event as usize, place);
            assert_eq!(Event::named(name), Some(*event), "{name}");
            assert_eq!(Event::named(&name.to_uppercase()), Some(*event));
            assert_eq!(event.name(), *name);
        }
        assert_eq!(Event::named("ipv4.nothing"), None);
        assert!(NAMED.len() <= 192, "a set has room for 192");
    }

    #[test]
    fn a_set_holds_what_was_added_and_nothing_else() {
        let mut set = EventSet::NONE;
        assert!(set.is_empty());
        set.add(Event::CapturedInPart);
        set.add(Event::ArpOperation);
        set.add(Event::ArpOperation);
        assert!(set.has(Event::ArpOperation) && set.has(Event::CapturedInPart));
        assert!(!set.has(Event::Ipv4Truncated));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Event::CapturedInPart, Event::ArpOperation]);
    }
}
