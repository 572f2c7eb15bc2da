//! The way through a text: blocks for the filters, the last of them with zeros behind the text.

/// What the filters ask about at once.
pub(crate) const STEP_BYTES: usize = 64;

/// So far beyond its steps a filter may read.
pub(crate) const REACH_BYTES: usize = 8;

/// The most places that a block has. With a stride of s it has s times as many bytes.
const BLOCK_PLACES: usize = 256;

/// So many places may be written ahead, and count for nothing.
pub(crate) const PLACES_SPARE: usize = 4;

/// The places of a block that passed, as offsets from its start, in order.
pub(crate) type Places = [u16; BLOCK_PLACES + PLACES_SPARE];

/// Room for places, none in it.
pub(crate) const PLACES_NONE: Places = [0; BLOCK_PLACES + PLACES_SPARE];

/// Calls `block(text from here on, where here is, steps)` until the steps have covered `text`, each byte once. What is handed out reaches
/// `REACH_BYTES` beyond its last step; places at or beyond the end of the text are to be ignored.
#[inline]
pub(crate) fn blocks(text: &[u8], stride: usize, mut block: impl FnMut(&[u8], usize, usize)) {
    let steps_max = stride * BLOCK_PLACES / STEP_BYTES;
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let steps = (rest.len().saturating_sub(REACH_BYTES) / STEP_BYTES).min(steps_max);
        if steps > 0 {
            block(rest, at, steps);
            at += steps * STEP_BYTES;
            continue;
        }
        // Less than a step and its reach is left.
        let mut padded = [0; 2 * STEP_BYTES + REACH_BYTES];
        if let Some(start) = padded.get_mut(..rest.len())
            && !rest.is_empty()
        {
            start.copy_from_slice(rest);
            block(&padded, at, rest.len().div_ceil(STEP_BYTES));
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_handed_out_once_and_with_what_follows_it() {
        for (length, stride) in (0..300).chain(1000..1200).flat_map(|length| [(length, 1), (length, 4)]) {
            let text: Vec<u8> = (0..length).map(|index| (index % 251) as u8 + 1).collect();
            let mut covered = 0;
            blocks(&text, stride, |rest, at, steps| {
                assert_eq!(at, covered);
                assert!(steps * STEP_BYTES <= stride * BLOCK_PLACES);
                covered += steps * STEP_BYTES;
                let here = &rest[..steps * STEP_BYTES + REACH_BYTES];
                for (offset, byte) in here.iter().enumerate() {
                    assert_eq!(*byte, text.get(at + offset).copied().unwrap_or(0), "{length} {at} {offset}");
                }
            });
            assert!((text.len()..text.len() + STEP_BYTES).contains(&covered), "{length}: {covered}");
        }
    }
}
