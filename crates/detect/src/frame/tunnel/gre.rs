//! GRE: version 0 around anything with an EtherType, version 1 (PPTP) around PPP.
//!
//! Bits that a version does not have make the packet invalid, and what follows is not read.

use super::super::decoder::{Outcome, Reader, Run};
use super::super::ip::{v4, v6};
use super::super::link::{self, ether_type};
use super::super::{Event, Packet, Transport};
use super::erspan;

const CHECKSUM: u8 = 0x80;
const ROUTE: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
const STRICT_ROUTE: u8 = 0x08;
const RECURSION: u8 = 0x07;
const ACKNOWLEDGED: u8 = 0x80;
const FLAGS: u8 = 0x78;
const VERSION: u8 = 0x07;
/// Bytes of the header without anything optional.
const HEADER_BYTES: usize = 4;
/// Bytes of each optional field.
const FIELD_BYTES: usize = 4;

/// Reads the header and the packet behind it.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        packet.wrong(Event::GreTooSmall);
        return;
    };
    if Run::layer(packet).is_err() {
        return;
    }
    packet.transport = Transport::Gre(header);
    let length = match header[1] & VERSION {
        0 => length_0(*header, bytes),
        1 => length_1(*header, bytes),
        _ => Err(Event::GreVersion),
    };
    let payload = match length.map(|length| bytes.get(length..)) {
        Ok(Some(payload)) => payload,
        Ok(None) => return,
        Err(fault) => return packet.wrong(fault),
    };
    if let Some(reader) = reader(*header, bytes) {
        let _: Outcome = run.tunnel(packet, payload, reader);
    }
}

/// What reads the inner packet, if there is one.
fn reader(header: [u8; HEADER_BYTES], bytes: &[u8]) -> Option<Reader> {
    Some(match u16::from_be_bytes([header[2], header[3]]) {
        ether_type::IPV4 => v4::read,
        ether_type::IPV6 => v6::read,
        ether_type::VLAN => link::read_vlan,
        ether_type::BRIDGE => link::read_ethernet,
        ether_type::ARP => link::read_arp,
        ether_type::ERSPAN if header[0] & SEQUENCE == 0 => link::read_ethernet,
        ether_type::ERSPAN => erspan::read,
        // PPTP says how much it carries: nothing, when it only acknowledges.
        ether_type::PPP if header[1] & VERSION == 1 && bytes.get(4..6) == Some(&[0, 0]) => return None,
        ether_type::PPP => link::read_ppp,
        _ => return None,
    })
}

/// Bytes of a header of version 0.
fn length_0(header: [u8; HEADER_BYTES], bytes: &[u8]) -> Result<usize, Event> {
    let [flags, more, ..] = header;
    if flags & RECURSION != 0 {
        return Err(Event::Gre0Recursion);
    }
    if more & FLAGS != 0 {
        return Err(Event::Gre0Flags);
    }
    let fields =
        [flags & (CHECKSUM | ROUTE), flags & KEY, flags & SEQUENCE].iter().filter(|bit| **bit != 0).count();
    let mut length = HEADER_BYTES + fields * FIELD_BYTES;
    if length > bytes.len() {
        return Err(Event::Gre0HeaderTooBig);
    }
    if flags & ROUTE == 0 {
        return Ok(length);
    }
    // Source routes, of which the last is empty.
    loop {
        let Some([family_high, family_low, _, route, ..]) = bytes.get(length..) else {
            return Err(Event::Gre0Route);
        };
        length += FIELD_BYTES;
        if [*family_high, *family_low, *route] == [0; 3] {
            return Ok(length);
        }
        length += usize::from(*route);
        if length > bytes.len() {
            return Err(Event::Gre0Route);
        }
    }
}

/// Bytes of a header of version 1.
fn length_1(header: [u8; HEADER_BYTES], bytes: &[u8]) -> Result<usize, Event> {
    let [flags, more, ..] = header;
    for (is_set, fault) in [
        (flags & CHECKSUM != 0, Event::Gre1Checksum),
        (flags & ROUTE != 0, Event::Gre1Route),
        (flags & STRICT_ROUTE != 0, Event::Gre1StrictRoute),
        (flags & RECURSION != 0, Event::Gre1Recursion),
        (more & FLAGS != 0, Event::Gre1Flags),
        (u16::from_be_bytes([header[2], header[3]]) != ether_type::PPP, Event::Gre1Protocol),
        (flags & KEY == 0, Event::Gre1NoKey),
    ] {
        if is_set {
            return Err(fault);
        }
    }
    let fields = [flags & SEQUENCE, more & ACKNOWLEDGED].iter().filter(|bit| **bit != 0).count();
    let length = HEADER_BYTES + FIELD_BYTES + fields * FIELD_BYTES;
    if length > bytes.len() { Err(Event::Gre1HeaderTooBig) } else { Ok(length) }
}
