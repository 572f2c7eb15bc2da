//! A rule's head: action, protocol, addresses, ports.

use super::{Compiler, Draft, Failure, HEAD, hook};
use crate::Complaint;
use crate::app::ProtocolId;
use crate::app::table::PROTOCOLS;
use crate::frame::keywords::ProtocolSet;
use crate::rule::compiled::{Action, Head, View, What};
use crate::rule::syntax::{Arrow, Source};
use crate::rule::{AddressSet, PortSet};
use std::sync::Arc;

/// Protocols of the network and transport layers.
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Protocols of Suricata's rules that are not here.
const ABSENT: &[&str] = &["arp", "ether", "irc", "jabber", "template"];
/// Where the words of a head stand in `words_at`.
const PROTOCOL: usize = 1;
const FROM: usize = 2;
const FROM_PORTS: usize = 3;
const TO: usize = 5;
const TO_PORTS: usize = 6;

impl Compiler<'_> {
    /// What is wrong with the head is told even if options ask for what is not here.
    pub(super) fn head_makes_sense(&mut self, source: &Source<'_>) -> Result<(), Failure> {
        let wrong = |word: usize| {
            let at = source.words_at.get(word).copied().unwrap_or_default();
            move |complaint| Failure::new(at, HEAD, complaint)
        };
        let name = source.protocol.split(':').next().unwrap_or_default();
        if !TRANSPORTS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            known_layers(&name.to_ascii_lowercase()).map_err(wrong(PROTOCOL))?;
        }
        self.addresses(source.from).map_err(wrong(FROM))?;
        self.ports(source.from_ports).map_err(wrong(FROM_PORTS))?;
        self.addresses(source.to).map_err(wrong(TO))?;
        self.ports(source.to_ports).map_err(wrong(TO_PORTS))?;
        Ok(())
    }

    pub(super) fn head(&mut self, source: &Source<'_>, draft: &mut Draft) -> Result<Head, Failure> {
        self.read_head(source, draft)
            .map_err(|complaint| Failure::new(source.words_at[PROTOCOL], HEAD, complaint))
    }

    fn read_head(&mut self, source: &Source<'_>, draft: &mut Draft) -> Result<Head, Complaint> {
        let (name, hook) = source.protocol.split_once(':').unwrap_or((source.protocol, ""));
        let mut head = Head {
            protocols: ProtocolSet::ALL,
            version: None,
            layers: Vec::new(),
            from: self.addresses(source.from)?,
            from_ports: self.ports(source.from_ports)?,
            to: self.addresses(source.to)?,
            to_ports: self.ports(source.to_ports)?,
            either: source.arrow == Arrow::Either,
            view: None,
            flow_start: false,
            broken: false,
            reputation: std::mem::take(&mut draft.reputation),
        };
        match name.to_ascii_lowercase().as_str() {
            "ip" => {}
            "ipv4" | "ip4" => head.version = Some(4),
            "ipv6" | "ip6" => head.version = Some(6),
            "tcp" => head.protocols = ProtocolSet::of(&[TCP]),
            "tcp-pkt" => (head.protocols, head.view) = (ProtocolSet::of(&[TCP]), Some(View::Packets)),
            "tcp-stream" => (head.protocols, head.view) = (ProtocolSet::of(&[TCP]), Some(View::Stream)),
            "udp" => head.protocols = ProtocolSet::of(&[UDP]),
            "icmp" => head.protocols = ProtocolSet::of(&[1, 58]),
            "icmpv4" | "icmp4" => (head.protocols, head.version) = (ProtocolSet::of(&[1]), Some(4)),
            "icmpv6" | "icmp6" => (head.protocols, head.version) = (ProtocolSet::of(&[58]), Some(6)),
            "sctp" => head.protocols = ProtocolSet::of(&[132]),
            "esp" => head.protocols = ProtocolSet::of(&[50]),
            "ah" => head.protocols = ProtocolSet::of(&[51]),
            "gre" => head.protocols = ProtocolSet::of(&[47]),
            "pkthdr" => head.broken = true,
            layer => {
                head.layers = known_layers(layer)?;
                head.protocols = ProtocolSet::of(&[TCP, UDP]);
            }
        }
        match hook {
            "" | "all" => {}
            "flow_start" => head.flow_start = true,
            hook => match hook::stage(self, &name.to_ascii_lowercase(), hook, &head.layers) {
                Some((sides, stage)) => draft.add_part(sides, &[], What::Reached(stage)),
                None => {
                    return Err(Complaint::lacking(format!(
                        "the hook '{hook}' of '{name}' is not supported"
                    )));
                }
            },
        }
        if !draft.layers.is_empty() {
            head.layers.clone_from(&draft.layers);
        }
        Ok(head)
    }

    fn addresses(&mut self, text: &str) -> Result<Arc<AddressSet>, Complaint> {
        if let Some(set) = self.addresses.get(text) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(AddressSet::parse(text, self.variables)?);
        self.addresses.insert(text.to_owned(), Arc::clone(&set));
        Ok(set)
    }

    fn ports(&mut self, text: &str) -> Result<Arc<PortSet>, Complaint> {
        if let Some(set) = self.ports.get(text) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(PortSet::parse(text, self.variables)?);
        self.ports.insert(text.to_owned(), Arc::clone(&set));
        Ok(set)
    }
}

/// Names of protocols below the layers that exchanges belong to.
const TRANSPORTS: &[&str] = &[
    "ip",
    "ipv4",
    "ip4",
    "ipv6",
    "ip6",
    "tcp",
    "tcp-pkt",
    "tcp-stream",
    "udp",
    "icmp",
    "icmpv4",
    "icmp4",
    "icmpv6",
    "icmp6",
    "sctp",
    "esp",
    "ah",
    "gre",
    "pkthdr",
];

/// The same as [`layers`], or what is wrong with the name.
pub(super) fn known_layers(name: &str) -> Result<Vec<ProtocolId>, Complaint> {
    layers(name).ok_or_else(|| {
        if ABSENT.contains(&name) {
            Complaint::lacking(format!("the protocol '{name}' is not supported"))
        } else {
            Complaint::new(format!("'{name}' is no protocol that is known"))
        }
    })
}

/// The protocols that a name in a rule's head or in `app-layer-protocol` means.
pub(super) fn layers(name: &str) -> Option<Vec<ProtocolId>> {
    use ProtocolId as Id;
    let known = match name {
        "http" => vec![Id::Http1, Id::Http2],
        "http1" => vec![Id::Http1],
        "tls" | "ssl" => vec![Id::Tls],
        // What DCERPC says may be carried by SMB.
        "dcerpc" => vec![Id::Dcerpc, Id::Smb],
        "dns" => vec![Id::Dns, Id::Doh2],
        "http2" => vec![Id::Http2, Id::Doh2],
        // What says so may be about either half of it.
        "doh2" => vec![Id::Doh2, Id::Http2, Id::Dns],
        "ikev2" => vec![Id::Ike],
        _ => PROTOCOLS.iter().filter(|protocol| protocol.name == name).map(|protocol| protocol.id).collect(),
    };
    (!known.is_empty()).then_some(known)
}

/// What a rule wants done.
pub(crate) fn action(word: &str) -> Result<Action, Complaint> {
    Ok(match word {
        "alert" => Action::Alert,
        "pass" => Action::Pass,
        "drop" | "sdrop" => Action::Drop,
        "reject" | "rejectsrc" | "rejectdst" | "rejectboth" => Action::Reject,
        "config" => Action::Config,
        "accept" => {
            return Err(Complaint::lacking("'accept' is an action of firewalls, and a sensor is none"));
        }
        other => {
            // Those of firewalls say behind a colon how far they reach.
            if let Some((action @ ("accept" | "drop" | "reject"), _)) = other.split_once(':') {
                return Err(Complaint::lacking(format!(
                    "'{other}': '{action}' with a reach is for firewalls, and a sensor is none"
                )));
            }
            return Err(Complaint::new(format!(
                "'{other}' is no action: expected alert, pass, drop, reject or config"
            )));
        }
    })
}
