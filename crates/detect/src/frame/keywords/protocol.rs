//! `ip_proto`: the IP protocol of a packet, by number or name.
//!
//! A rule may have several conditions: one protocol alone, or one `>`, one `<` above it and any number of `!`.
//! [`ProtocolSet`] is what they leave, for an engine that sorts rules by protocol.

use super::PacketTest;
use crate::Complaint;

/// Names, by number. Some numbers share "Any": the last of them is meant.
#[rustfmt::skip]
const NAMES: [&str; 144] = [
    "HOPOPT", "ICMP", "IGMP", "GGP", "IP-in-IP", "ST", "TCP", "CBT", "EGP", "IGP", "BBN-RCC-MON", "NVP-II", "PUP",
    "ARGUS", "EMCON", "XNET", "CHAOS", "UDP", "MUX", "DCN-MEAS", "HMP", "PRM", "XNS-IDP", "TRUNK-1", "TRUNK-2",
    "LEAF-1", "LEAF-2", "RDP", "IRTP", "ISO-TP4", "NETBLT", "MFE-NSP", "MERIT-INP", "DCCP", "3PC", "IDPR", "XTP",
    "DDP", "IDPR-CMTP", "TP++", "IL", "IPv6", "SDRP", "IPv6-Route", "IPv6-Frag", "IDRP", "RSVP", "GRE", "DSR", "BNA",
    "ESP", "AH", "I-NLSP", "SwIPe", "NARP", "MOBILE", "TLSP", "SKIP", "IPv6-ICMP", "IPv6-NoNxt", "IPv6-Opts", "Any",
    "CFTP", "Any", "SAT-EXPAK", "KRYPTOLAN", "RVD", "IPPC", "Any", "SAT-MON", "VISA", "IPCU", "CPNX", "CPHB", "WSN",
    "PVP", "BR-SAT-MON", "SUN-ND", "WB-MON", "WB-EXPAK", "ISO-IP", "VMTP", "SECURE-VMTP", "VINES", "TTP",
    "NSFNET-IGP", "DGP", "TCF", "EIGRP", "OSPF", "Sprite-RPC", "LARP", "MTP", "AX.25", "OS", "MICP", "SCC-SP",
    "ETHERIP", "ENCAP", "Any", "GMTP", "IFMP", "PNNI", "PIM", "ARIS", "SCPS", "QNX", "A/N", "IPComp", "SNP",
    "Compaq-Peer", "IPX-in-IP", "VRRP", "PGM", "Any", "L2TP", "DDX", "IATP", "STP", "SRP", "UTI", "SMP", "SM", "PTP",
    "IS-IS", "FIRE", "CRTP", "CRUDP", "SSCOPMCE", "IPLT", "SPS", "PIPE", "SCTP", "FC", "RSVP-E2E-IGNORE", "Mobility",
    "UDPLite", "MPLS-in-IP", "manet", "HIP", "Shim6", "WESP", "ROHC", "Ethernet",
];

/// Other names.
#[rustfmt::skip]
const ALIASES: [(&str, u8); 53] = [
    ("ip", 0), ("icmp", 1), ("igmp", 2), ("ggp", 3), ("ipencap", 4), ("st", 5), ("tcp", 6), ("egp", 8), ("igp", 9),
    ("pup", 12), ("udp", 17), ("hmp", 20), ("xns-idp", 22), ("rdp", 27), ("iso-tp4", 29), ("dccp", 33), ("xtp", 36),
    ("ddp", 37), ("idpr-cmtp", 38), ("ipV6", 41), ("ipv6-route", 43), ("ipv6-frag", 44), ("idrp", 45), ("rsvp", 46),
    ("gre", 47), ("esp", 50), ("ah", 51), ("skip", 57), ("ipv6-icmp", 58), ("ipv6-nonxt", 59), ("ipv6-opts", 60),
    ("cphb", 73), ("vmtp", 81), ("eigrp", 88), ("ospf", 89), ("ax.25", 93), ("ipip", 94), ("etherip", 97),
    ("encap", 98), ("pim", 103), ("ipcomp", 108), ("vrrp", 112), ("l2tp", 115), ("isis", 124), ("sctp", 132),
    ("fc", 133), ("mobility-header", 135), ("udplite", 136), ("mpls-in-ip", 137), ("hip", 139), ("shim6", 140),
    ("wesp", 141), ("rohc", 142),
];

/// A condition on the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Is(u8),
    IsNot(u8),
    Above(u8),
    Below(u8),
}

impl Condition {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let text = text.trim();
        let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text).trim();
        let make: (fn(u8) -> Condition, &str) = match text.split_at_checked(1) {
            Some(("!", rest)) => (Condition::IsNot, rest),
            Some((">", rest)) => (Condition::Above, rest),
            Some(("<", rest)) => (Condition::Below, rest),
            _ => (Condition::Is, text),
        };
        number(make.1.trim_start()).map(make.0)
    }

    fn holds(self, protocol: u8) -> bool {
        match self {
            Condition::Is(wanted) => protocol == wanted,
            Condition::IsNot(unwanted) => protocol != unwanted,
            Condition::Above(bound) => protocol > bound,
            Condition::Below(bound) => protocol < bound,
        }
    }
}

/// Names are told apart by case; a word that begins with a digit is a number.
fn number(word: &str) -> Result<u8, Complaint> {
    let complaint = || Complaint::new(format!("'{word}' is no IP protocol"));
    if word.starts_with(|first: char| first.is_ascii_digit()) {
        let is_decimal = word.bytes().all(|byte| byte.is_ascii_digit());
        return word.parse().ok().filter(|_| is_decimal).ok_or_else(complaint);
    }
    let by_name = NAMES.iter().rposition(|name| *name == word).and_then(|at| u8::try_from(at).ok());
    let by_alias = || ALIASES.iter().find(|(name, _)| *name == word).map(|(_, protocol)| *protocol);
    by_name.or_else(by_alias).ok_or_else(complaint)
}

/// One condition, as a test of a packet.
pub(super) fn parse(text: &str) -> Result<PacketTest, Complaint> {
    let condition = Condition::parse(text)?;
    let protocols = ProtocolSet::ALL.only(|protocol| condition.holds(protocol));
    Ok(PacketTest::new(move |packet| condition.holds(packet.protocol)).with_protocols(protocols))
}

/// IP protocols.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProtocolSet([u64; 4]);

impl ProtocolSet {
    /// All of them.
    pub const ALL: ProtocolSet = ProtocolSet([u64::MAX; 4]);

    /// This one.
    #[must_use]
    pub fn one(protocol: u8) -> Self {
        ProtocolSet::of(&[protocol])
    }

    /// These.
    #[must_use]
    pub fn of(protocols: &[u8]) -> Self {
        ProtocolSet::ALL.only(|candidate| protocols.contains(&candidate))
    }

    /// Whether all are in it.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == ProtocolSet::ALL
    }

    /// The one that is in it, if there is no other.
    #[must_use]
    pub fn single(&self) -> Option<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        (0..=u8::MAX).find(|protocol| self.has(*protocol)).filter(|_| count == 1)
    }

    /// What all `ip_proto` conditions of a rule leave.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them, or with having them together.
    pub fn of_conditions(texts: &[&str]) -> Result<Self, Complaint> {
        let conditions =
            texts.iter().map(|text| Condition::parse(text)).collect::<Result<Vec<_>, Complaint>>()?;
        let count = |is: fn(&Condition) -> bool| conditions.iter().filter(|condition| is(condition)).count();
        let alone = count(|condition| matches!(condition, Condition::Is(_)));
        if alone > 0 && conditions.len() > 1 {
            return Err(Complaint::new("a single IP protocol leaves no room for another condition on it"));
        }
        let above = conditions.iter().find_map(|condition| match condition {
            Condition::Above(bound) => Some(*bound),
            _ => None,
        });
        let below = conditions.iter().find_map(|condition| match condition {
            Condition::Below(bound) => Some(*bound),
            _ => None,
        });
        let is_twice = count(|condition| matches!(condition, Condition::Above(_))) > 1
            || count(|condition| matches!(condition, Condition::Below(_))) > 1;
        let is_empty = matches!((above, below), (Some(above), Some(below)) if below <= above);
        if is_twice || is_empty {
            return Err(Complaint::new("IP protocols lie above one number and below a larger one"));
        }
        let all = |protocol| conditions.iter().all(|condition| condition.holds(protocol));
        Ok(ProtocolSet::ALL.only(all))
    }

    /// Whether `protocol` is one of them.
    #[must_use]
    pub fn has(&self, protocol: u8) -> bool {
        self.0.get(usize::from(protocol / 64)).is_some_and(|word| word & (1 << (protocol % 64)) != 0)
    }

    /// Those that are in both.
    #[must_use]
    pub fn and(&self, other: &ProtocolSet) -> Self {
        self.only(|protocol| other.has(protocol))
    }

    fn only(self, keep: impl Fn(u8) -> bool) -> Self {
        let mut set = ProtocolSet([0; 4]);
        for protocol in 0..=u8::MAX {
            if self.has(protocol)
                && keep(protocol)
                && let Some(word) = set.0.get_mut(usize::from(protocol / 64))
            {
                *word |= 1 << (protocol % 64);
            }
        }
        set
    }
}
