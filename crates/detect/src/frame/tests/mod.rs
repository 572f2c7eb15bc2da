//! What holds for all frames; and frames built for the tests of this folder, and what came out of them.

mod build;
mod gallery;
mod seen;

pub(crate) use build::Frame;
pub(crate) use seen::{Seen, each, events, feed, only, packets, packets_of};

use super::link::link_type;
use gallery::gallery;

#[test]
fn every_kind_of_frame_is_understood_without_fault() {
    for (link, frame) in gallery() {
        for packet in packets_of(link, &frame) {
            assert!(!packet.is_invalid, "{frame:02x?}: {packet:?}");
        }
    }
}

#[test]
fn no_frame_that_is_cut_off_anywhere_does_harm() {
    for (link, frame) in gallery() {
        for length in 0..frame.len() {
            assert!(!packets_of(link, &frame[..length]).is_empty());
        }
    }
}

#[test]
fn no_frame_with_one_wrong_byte_does_harm() {
    for (link, frame) in gallery() {
        for at in 0..frame.len() {
            for value in [0, 1, 0x3f, 0x7f, 0x80, 0xff] {
                let mut frame = frame.clone();
                frame[at] = value;
                assert!(!packets_of(link, &frame).is_empty());
            }
        }
    }
}

#[test]
fn a_link_that_is_not_known_leaves_the_packet_empty() {
    let all = packets_of(4711, &Frame::v4().tcp(b"").bytes());
    assert!(matches!(&all[..], [packet] if !packet.has_ip && packet.events.is_empty()));
}

#[test]
fn what_a_link_pads_is_no_payload() {
    let mut frame = Frame::v4().tcp(b"abc").bytes();
    frame.extend_from_slice(&[0; 9]);
    assert_eq!(only(&frame).payload, b"abc");
}

#[test]
fn layers_beyond_the_limit_make_the_packet_invalid() {
    let mut inner = Frame::v4().udp(1, 2, b"").ip_bytes();
    for _ in 0..20 {
        inner = Frame::v4().protocol(4).raw(&inner).ip_bytes();
    }
    let all = packets_of(link_type::RAW, &inner);
    assert!(all.iter().any(|packet| packet.events == ["too_many_layers"]), "{all:#?}");
    let provider =
        [&[2; 12][..], &[0x88, 0xe7], &[[7; 16].as_slice(), &[0x88, 0xe7]].concat().repeat(3000)].concat();
    assert_eq!(events(&provider), ["too_many_layers"]);
}

#[test]
fn what_is_innermost_is_shown_first() {
    let inner = Frame::v4().sent_by([1, 1, 1, 1]).udp(1, 2, b"x").ip_bytes();
    let middle = Frame::v4().sent_by([2, 2, 2, 2]).protocol(4).raw(&inner).ip_bytes();
    let outer = Frame::v4().sent_by([3, 3, 3, 3]).protocol(4).raw(&middle).bytes();
    let all = packets(&outer);
    let depths: Vec<(u8, String, bool)> =
        all.iter().map(|one| (one.depth, one.source.to_string(), one.hides_payload)).collect();
    assert_eq!(
        depths,
        [(2, "1.1.1.1".into(), false), (1, "2.2.2.2".into(), true), (0, "3.3.3.3".into(), true)]
    );
}
