//! Captures that nobody honest wrote.
//!
//! For any passages at the nodes of a cluster, at any times that an audit takes:
//!   - no panic;
//!   - only the node at which something passed is accused;
//!   - who is not judged any more is not accused any more.

use agree::byzid::auditor::Auditor;
use agree::capture::{Passage, What};
use agree::{Protocol, Settings};
use wire::{Authenticator, Bytes, ClientId, Encode, Frame, NodeId, Peer, Time};

/// Checks the promises for `data`, and returns how many accusations there were.
///
/// A passage is seven bytes and what is said: which node and in which direction, how long after the one before in
/// hundreds of microseconds (two bytes), the other end of the link, how the frame is made, and how long it is (two bytes).
pub fn check(data: &[u8]) -> usize {
    let mut auditor = Auditor::new(Settings::new(Protocol::ByzId, 1)).expect("byzid has rules");
    let (mut now, mut accusations, mut rest) = (Time(0), 0, data);
    while let [place, later, much_later, peer, made, short, long, after @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*short, *long])).min(after.len());
        let body = Bytes::copy_from_slice(&after[..length]);
        rest = &after[length..];
        let tenths = u64::from(u16::from_le_bytes([*later, *much_later]));
        now = Time(now.0 + tenths * 100_000);
        let node = NodeId(u16::from(place % 3));
        let peer = match peer % 8 {
            other @ 0..=3 => Peer::Node(NodeId(u16::from(other))),
            client => Peer::Client(ClientId(u64::from(client))),
        };
        let frame = match made % 4 {
            0 => body,
            _ => {
                let from = if place & 4 == 0 { peer } else { node.into() };
                Frame { from, vouched: made & 4 == 0, body, authenticator: Authenticator::None }.to_bytes()
            }
        };
        let what = match place >> 2 & 3 {
            0 | 2 => What::Heard { from: peer, frame },
            1 => What::Said { to: peer, frame },
            _ => What::Nothing,
        };
        let judged = auditor.ending(node).is_none();
        let alarms =
            auditor.examine(Passage { at: now, node, what }).expect("time goes on and nodes are known");
        assert!(judged || alarms.is_empty(), "who is not judged is not accused");
        assert!(alarms.iter().all(|alarm| alarm.node == node), "nobody else did anything");
        accusations += alarms.len();
    }
    accusations
}
