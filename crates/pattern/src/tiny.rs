//! The tiny lane: up to 32 patterns, in eight groups, all compared at once.
//!
//! Of each pattern up to three bytes are looked for, the rarest that it has. For each of them there are tables that say
//! for which groups a byte fits: one by its lower seven bits, and one each by its lower and by its upper half, for
//! processors that look up 16 entries but not 128. Where all agree on a group, each pattern is asked.

use crate::fold::{fold, load_folded};
use crate::rarity;
use crate::records::Records;
use crate::simd::Path;
use crate::walk::{Places, STEP_BYTES, Walk};
use std::ops::Range;

/// How many patterns the lane has room for.
pub(crate) const TINY_PATTERNS_MAX: usize = 32;
const GROUPS: usize = 8;

/// How many bytes of a pattern are looked for.
pub(crate) const LEAD_BYTES: usize = 3;

/// For each byte of a lead, which groups fit.
#[derive(Clone, Debug)]
pub(crate) struct Leads {
    /// By the lower seven bits of a byte of the text.
    pub(crate) by_seven: [[u8; 128]; LEAD_BYTES],
    /// By its lower and by its upper half.
    pub(crate) by_halves: [[[u8; 16]; 2]; LEAD_BYTES],
}

/// Up to 32 patterns.
#[derive(Clone, Debug)]
pub(crate) struct Tiny {
    leads: Box<Leads>,
    /// The first record, and how many there are.
    first: u32,
    count: usize,
    /// For each, which bits of its folded lead count, and what they are; none can be what there is where there is no
    /// pattern.
    masks: [u32; TINY_PATTERNS_MAX],
    wanted: [u32; TINY_PATTERNS_MAX],
}

impl Tiny {
    /// A lane for the `members` among `records`, which are `TINY_PATTERNS_MAX` or fewer.
    pub(crate) fn new(records: &mut Records, members: Range<usize>) -> Tiny {
        let mut leads = Box::new(Leads::new());
        let (first, count) = (members.start as u32, members.len());
        let mut rarities = Vec::new();
        let (mut masks, mut wanted) = ([0; TINY_PATTERNS_MAX], [u32::MAX; TINY_PATTERNS_MAX]);
        for (index, record) in members.enumerate() {
            let (pattern, _) = records.pattern(record);
            rarity::of_grams(pattern, LEAD_BYTES.min(pattern.len()), &mut rarities);
            let at = (0..rarities.len()).rev().max_by_key(|at| rarities.get(*at)).unwrap_or(0);
            let lead = pattern.get(at..).unwrap_or_default();
            // Neighbours are alike, so they share a group if there are more than groups.
            let group = index * GROUPS / count.max(GROUPS);
            for place in 0..LEAD_BYTES {
                leads.allow(place, lead.get(place).copied(), 1 << group);
            }
            let mask = u32::MAX >> (8 * (4 - lead.len().min(LEAD_BYTES)));
            if let (Some(masks), Some(wanted)) = (masks.get_mut(index), wanted.get_mut(index)) {
                (*masks, *wanted) = (mask, load_folded(lead, 0) as u32 & mask);
            }
            records.set_window(record, at);
        }
        Tiny { leads, first, count, masks, wanted }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &Walk,
        places: &mut Places,
        found: &mut impl FnMut(u32, usize),
    ) {
        let mut done = 0;
        while done < walk.steps() {
            places.count = 0;
            let start = done * STEP_BYTES;
            done += path.tiny(&self.leads, walk.text_at(done), walk.steps() - done, places);
            for offset in places.iter() {
                let mut fitting = self.fitting(walk.load(start + offset, 0) as u32);
                while fitting != 0 {
                    let record = self.first + fitting.trailing_zeros();
                    records.compare(record, walk.text, walk.at + start + offset, found);
                    fitting &= fitting - 1;
                }
            }
        }
    }

    /// A bit for each pattern whose lead is there.
    #[inline]
    fn fitting(&self, there: u32) -> u32 {
        let leads = self.masks.iter().zip(&self.wanted).enumerate();
        leads.fold(0, |bits, (index, (mask, wanted))| bits | u32::from(there & mask == *wanted) << index)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Leads>()
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.count
    }
}

impl Leads {
    pub(crate) fn new() -> Leads {
        Leads { by_seven: [[0; 128]; LEAD_BYTES], by_halves: [[[0; 16]; 2]; LEAD_BYTES] }
    }

    /// Lets `byte` (any byte, if there is none) fit the group with this `bit`.
    fn allow(&mut self, place: usize, byte: Option<u8>, bit: u8) {
        let (seven, halves) = (&mut self.by_seven[place], &mut self.by_halves[place]);
        let Some(byte) = byte.map(fold) else {
            seven.iter_mut().chain(halves.as_flattened_mut()).for_each(|groups| *groups |= bit);
            return;
        };
        seven[usize::from(byte & 127)] |= bit;
        halves[0][usize::from(byte & 15)] |= bit;
        halves[1][usize::from(byte >> 4)] |= bit;
    }

    /// The portable way: adds to `places` at which bytes of so many steps a pattern may stand; returns how many steps
    /// were done.
    pub(crate) fn sift(&self, text: &[u8], steps: usize, places: &mut Places) -> usize {
        for step in 0..steps {
            if places.is_enough() {
                return step;
            }
            let leads = text.windows(LEAD_BYTES).enumerate().skip(step * STEP_BYTES).take(STEP_BYTES);
            for (offset, lead) in leads {
                let fit = |groups: u8, (halves, byte): (&[[u8; 16]; 2], &u8)| {
                    groups & halves[0][usize::from(byte & 15)] & halves[1][usize::from(byte >> 4)]
                };
                places.push_if(offset, self.by_halves.iter().zip(lead).fold(u8::MAX, fit) != 0);
            }
        }
        steps
    }
}
