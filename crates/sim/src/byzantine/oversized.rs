//! Sends more than fits: frames that announce a gigabyte, bodies of a megabyte, lists over their limits.

use super::{Act, Means, Strategy};
use agree::request::OPERATION_BYTES_MAX;
use agree::{Message, Request};
use bytes::Bytes;
use wire::frame::{Head, VERSION};
use wire::{Authenticator, ClientId, Encode, Frame, Keys, Peer, Timestamp};

/// The behaviour.
pub struct Oversized;

impl Strategy for Oversized {
    fn tick(&mut self, means: &mut Means) {
        if means.random.chance(950) {
            return;
        }
        let to = means.somebody();
        let me = Peer::Node(means.me);
        let body = match means.random.below(3) {
            0 => {
                let operation = Bytes::from(vec![0; OPERATION_BYTES_MAX + 1]);
                let request = Request {
                    client: ClientId(1),
                    timestamp: Timestamp(1),
                    operation,
                    speaker: None,
                    signature: None,
                };
                Message::Request(request).to_bytes()
            }
            // A list of four milliards, of which none is there.
            1 => Bytes::from_static(&[
                3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255,
            ]),
            _ => {
                let frame = [VERSION, 0, 0, 0, 0, 255, 255, 255, 127, 0];
                return means.act(Act::Raw { to, frame: Bytes::copy_from_slice(&frame) });
            }
        };
        let authenticator = match means.random.below(2) {
            0 => Authenticator::None,
            _ => Authenticator::Mac(means.keys.mac(to, &Head::new(me, true).covering(&body).parts())),
        };
        let frame = Frame { from: me, vouched: true, body, authenticator }.to_bytes();
        means.act(Act::Raw { to, frame });
    }
}
