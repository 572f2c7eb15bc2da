//! What was found in short texts lately.
//!
//! Upon a text in which the same strings were looked for lately: what was found then. Much is said again and again (methods, versions, names of programs), and to look for
//! thousands of strings waits for tables that are in no near cache, many times as long as to see that a text is the same.
//! Upon another: it is looked into, and takes the place of the one in its slot.
//!
//! It decides how long something takes, never what is found: a text counts as the same only if all of its bytes are.

/// Texts that are remembered.
const SLOTS: usize = 512;
/// Bytes of a text that is remembered, at most.
const TEXT_BYTES_MAX: usize = 128;
/// Rules that are remembered for one, at most.
const RULES_MAX: usize = 64;

const _: () = assert!(SLOTS.is_power_of_two());

/// Texts, and the rules that were found in each.
#[derive(Default)]
pub(crate) struct Recent {
    /// None, or [`SLOTS`].
    slots: Vec<Slot>,
}

#[derive(Clone, Default)]
struct Slot {
    /// Who looked for something there; nobody if the slot is free.
    variant: Option<u32>,
    text: Vec<u8>,
    rules: Vec<u32>,
}

impl Recent {
    /// Adds to `found` the rules that a variant finds in a text, which it knows or `look` adds.
    pub(crate) fn found_or(
        &mut self,
        variant: u32,
        text: &[u8],
        found: &mut Vec<u32>,
        look: impl FnOnce(&mut Vec<u32>),
    ) {
        if text.len() > TEXT_BYTES_MAX {
            return look(found);
        }
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); SLOTS];
        }
        let Some(slot) = self.slots.get_mut(place(variant, text)) else { return look(found) };
        if slot.variant == Some(variant) && slot.text == text {
            found.extend_from_slice(&slot.rules);
            return;
        }
        let before = found.len();
        look(found);
        let rules = found.get(before..).unwrap_or_default();
        slot.variant = (rules.len() <= RULES_MAX).then_some(variant);
        slot.rules.clear();
        slot.text.clear();
        if slot.variant.is_some() {
            // No more room than is needed: slots that are used again and again stay within their limits.
            slot.rules.reserve_exact(rules.len());
            slot.rules.extend_from_slice(rules);
            slot.text.reserve_exact(text.len());
            slot.text.extend_from_slice(text);
        }
    }
}

/// The slot of a text. Who chooses texts that share one makes it slow, and not wrong.
fn place(variant: u32, text: &[u8]) -> usize {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(into, byte)| *into = *byte);
    let begin = mix(u64::from(variant), text.len() as u64);
    let sum = words.iter().chain([&last]).fold(begin, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    // The highest bits depend on all others.
    (sum >> 48) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, and whether it was looked for.
    fn find(recent: &mut Recent, variant: u32, text: &[u8], rules: &[u32]) -> (Vec<u32>, bool) {
        let (mut found, mut looked) = (vec![7], false);
        recent.found_or(variant, text, &mut found, |found| {
            looked = true;
            found.extend_from_slice(rules);
        });
        assert_eq!(found.first(), Some(&7), "what was found before stays");
        (found.split_off(1), looked)
    }

    #[test]
    fn what_was_found_in_a_text_is_found_again_without_a_look() {
        let mut recent = Recent::default();
        assert_eq!(find(&mut recent, 1, b"curl/8", &[3, 4, 3]), (vec![3, 4, 3], true));
        assert_eq!(find(&mut recent, 1, b"curl/8", &[9]), (vec![3, 4, 3], false));
        assert_eq!(find(&mut recent, 1, b"", &[]), (vec![], true));
        assert_eq!(find(&mut recent, 1, b"", &[9]), (vec![], false));
    }

    #[test]
    fn another_text_or_another_variant_is_looked_into() {
        let mut recent = Recent::default();
        for variant in 0..50 {
            for text in [&b"GET"[..], b"GEt", b"GET\0", b"HTTP/1.1", b"HTTP/1.1\0", &[0; 8], &[0; 9], b""] {
                let rules = [variant, text.len() as u32, u32::from(text.contains(&b'T'))];
                assert_eq!(find(&mut recent, variant, text, &rules).0, rules);
            }
        }
    }

    #[test]
    fn long_texts_and_many_rules_are_looked_into_each_time_and_slots_do_not_grow() {
        let mut recent = Recent::default();
        for _ in 0..2 {
            assert!(find(&mut recent, 1, &[b'a'; TEXT_BYTES_MAX + 1], &[1]).1);
            assert!(find(&mut recent, 1, b"many", &[1; RULES_MAX + 1]).1);
        }
        for number in 0..100_000u32 {
            let mut text = vec![b'a'; 4 + number as usize % (TEXT_BYTES_MAX - 3)];
            text[..4].copy_from_slice(&number.to_be_bytes());
            let rules = vec![number; number as usize % (RULES_MAX + 1)];
            assert_eq!(find(&mut recent, 1, &text, &rules).0, rules);
        }
        assert_eq!(recent.slots.len(), SLOTS);
        assert!(recent.slots.iter().all(|slot| slot.text.capacity() <= TEXT_BYTES_MAX));
        assert!(recent.slots.iter().all(|slot| slot.rules.capacity() <= RULES_MAX));
        let used = recent.slots.iter().filter(|slot| slot.variant.is_some()).count();
        assert!(used > SLOTS / 2, "texts are spread: {used}");
    }
}
