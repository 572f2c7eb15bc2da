//! What is searched: a file as it is, or what TCP and UDP carried in a capture, flow by flow and side by side.
//!
//! Of captures the classic format is read, with Ethernet and IPv4. Segments are taken as they come: nothing is put in
//! order, nothing that was sent twice is left out.

use std::collections::BTreeMap;

const HEADER_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 16;

/// The bytes of a file to search in, at most `bytes_max` of them.
pub(crate) fn of_file(file: Vec<u8>, bytes_max: usize) -> Vec<u8> {
    let mut text = match file.get(..4) {
        Some([0xd4, 0xc3, 0xb2, 0xa1]) => of_capture(&file),
        _ => file,
    };
    text.truncate(bytes_max);
    text
}

fn of_capture(file: &[u8]) -> Vec<u8> {
    let mut sides: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut rest = file.get(HEADER_BYTES..).unwrap_or_default();
    while let Some((header, after)) = rest.split_at_checked(FRAME_HEADER_BYTES) {
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let Some((frame, after)) = after.split_at_checked(length) else { break };
        rest = after;
        if let Some((side, payload)) = payload(frame) {
            let index = *sides.entry(side).or_insert(texts.len());
            if index == texts.len() {
                texts.push(Vec::new());
            }
            texts[index].extend_from_slice(payload);
        }
    }
    texts.concat()
}

/// Who spoke to whom, and what.
fn payload(frame: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let packet = frame.strip_prefix(frame.get(..12)?)?.strip_prefix(&[8, 0])?;
    let header = usize::from(packet.first()? & 15) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let packet = packet.get(..total)?;
    let transport = packet.get(header..)?;
    let skipped = match packet.get(9)? {
        6 => usize::from(transport.get(12)? >> 4) * 4,
        17 => 8,
        _ => return None,
    };
    let side = [packet.get(9..10)?, packet.get(12..20)?, transport.get(..4)?].concat();
    Some((side, transport.get(skipped..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_capture_is_taken_as_it_is() {
        assert_eq!(of_file(b"some text".to_vec(), 4), b"some");
    }

    #[test]
    fn the_sides_of_flows_are_put_together() {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1];
        file.resize(HEADER_BYTES, 0);
        for (port, payload) in [(1, "first "), (2, "other"), (1, "second ")] {
            let mut frame = vec![0; 12];
            frame.extend([8, 0, 0x45, 0, 0, 28 + payload.len() as u8, 0, 0, 0, 0, 64, 17, 0, 0]);
            frame.extend([10, 0, 0, 1, 10, 0, 0, 2, 0, port, 0, 53, 0, 0, 0, 0]);
            frame.extend(payload.bytes());
            file.extend([0; 8]);
            file.extend((frame.len() as u32).to_le_bytes());
            file.extend([0; 4]);
            file.extend(frame);
        }
        assert_eq!(String::from_utf8_lossy(&of_file(file, 100)), "first second other");
    }
}
