//! Frames and packets: what the bytes of a network mean, from the link up to the transport.
//!
//! In the order in which bytes are understood: `link` (what a capture says, Ethernet and what is like it), `ip`,
//! `fragment` (datagrams in pieces), `transport`, `tunnel` (packets in packets); `decoder` drives them, `packet` is
//! what comes out, `event` what was odd. `keywords` and `buffers` are what rules can ask of a packet; `checksum`
//! answers when asked; `shard` divides the work.
//!
//! A packet is a view into its frame; nothing is copied but fragments. Whatever the bytes are, each frame makes at
//! least one packet.

pub mod buffers;
mod checksum;
mod decoder;
mod event;
mod fragment;
pub mod ip;
pub mod keywords;
mod link;
mod packet;
mod shard;
mod transport;
mod tunnel;

pub use buffers::{PACKET_BUFFERS, bytes, packet_buffer};
pub use checksum::Checksum;
pub use decoder::{Decoder, Ports, Settings};
pub use event::{Event, EventSet};
pub use fragment::{Counters, Network, Policies, Policy};
pub use ip::{Ip, Ipv4, Ipv6};
pub use link::{Arp, KNOWN_LINKS, UnknownLinks};
pub use packet::{Packet, VLAN_LAYERS_MAX, Vlan};
pub use shard::shard;
pub use transport::{Embedded, Icmp4, Icmp6, Tcp, TcpOptions, Transport, Udp};

#[cfg(test)]
mod tests;
