//! Frames and captures that tests make for themselves, and the binary that looks at them.

#![allow(dead_code, reason = "each file of tests uses its own part of it")]

use capture::{Frame, Link, Resolution, Writer};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;
pub(crate) const FIN: u8 = 1;
/// When captures begin, in nanoseconds.
pub(crate) const BEGIN_NS: u64 = 1_700_000_000_000_000_000;

pub(crate) fn varangian(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varangian")).args(arguments).output().expect("the binary runs")
}

/// A folder of one test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path of words")
}

/// A packet in Ethernet and IPv4, without checksums, which nobody looks at.
pub(crate) fn packet(from: [u8; 4], to: [u8; 4], protocol: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend(((20 + content.len()) as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend(from);
    frame.extend(to);
    frame.extend(content);
    frame
}

/// A segment.
pub(crate) fn segment(
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    sequence: u32,
    acked: u32,
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(from.1.to_be_bytes());
    content.extend(to.1.to_be_bytes());
    content.extend(sequence.to_be_bytes());
    content.extend(acked.to_be_bytes());
    content.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    content.extend(payload);
    packet(from.0, to.0, 6, &content)
}

/// A datagram.
pub(crate) fn datagram(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(from.1.to_be_bytes());
    content.extend(to.1.to_be_bytes());
    content.extend(((8 + payload.len()) as u16).to_be_bytes());
    content.extend([0, 0]);
    content.extend(payload);
    packet(from.0, to.0, 17, &content)
}

/// What each side says, in turns: whether it is the server, and what.
pub(crate) type Turns<'a> = &'a [(bool, &'a [u8])];

/// A conversation from handshake to good-bye.
pub(crate) fn conversation(client: ([u8; 4], u16), server: ([u8; 4], u16), turns: Turns<'_>) -> Vec<Vec<u8>> {
    let (mut asked, mut answered) = (101u32, 501u32);
    let mut frames = vec![
        segment(client, server, 100, 0, SYN, b""),
        segment(server, client, 500, 101, SYN | ACK, b""),
        segment(client, server, 101, 501, ACK, b""),
    ];
    for (is_server, said) in turns {
        if *is_server {
            frames.push(segment(server, client, answered, asked, ACK, said));
            answered += said.len() as u32;
        } else {
            frames.push(segment(client, server, asked, answered, ACK, said));
            asked += said.len() as u32;
        }
    }
    frames.extend([
        segment(client, server, asked, answered, ACK, b""),
        segment(client, server, asked, answered, ACK | FIN, b""),
        segment(server, client, answered, asked + 1, ACK | FIN, b""),
        segment(client, server, asked + 1, answered + 1, ACK, b""),
    ]);
    frames
}

/// Writes a capture: times and frames.
pub(crate) fn write_capture(path: &Path, frames: impl IntoIterator<Item = (u64, Vec<u8>)>) {
    let mut writer = Writer::create(path, Link::ETHERNET, Resolution::Microseconds).expect("a file");
    for (time_ns, bytes) in frames {
        let frame = Frame { time_ns, link: Link::ETHERNET, wire_len: bytes.len() as u32, bytes: &bytes };
        writer.frame(frame).expect("a frame");
    }
    writer.finish().expect("the file");
}
