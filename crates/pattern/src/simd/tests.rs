//! What a processor has against the portable code, filter by filter, place by place.

use super::Path;
use crate::filter::Filter;
use crate::fold::fold;
use crate::nibbles::{Halves, LEAD_BYTES};
use crate::sketch::{MATRICES, Sketch};
use crate::walk::{Places, STEP_BYTES, Walk};

/// Bytes that look like chance, the same in every run.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The places of `text` that pass, as a walk tells them.
fn passed(text: &[u8], stride: usize, sift: impl FnMut(&[u8], usize, &mut Places) -> usize) -> Vec<usize> {
    let mut places = Vec::new();
    Walk::new(text).go(stride, sift, |place| places.push(place));
    places
}

/// A filter for grams of `text`, and `text` asked in every way.
fn compare<const GRAM: usize, const STRIDE: usize>(mut filter: Filter, text: &[u8]) {
    let grams: Vec<usize> = (0..text.len().saturating_sub(8)).step_by(37 * STRIDE).collect();
    for at in &grams {
        filter.add::<GRAM>(crate::fold::load(text, *at));
    }
    let ways: Vec<Vec<usize>> = Path::all()
        .into_iter()
        .map(|path| {
            passed(text, STRIDE, |text, steps, places| {
                path.sift::<GRAM, STRIDE>(&filter, text, steps, places)
            })
        })
        .collect();
    for (way, path) in ways.iter().zip(Path::all()) {
        assert!(
            grams.iter().all(|at| way.binary_search(at).is_ok()),
            "{path:?} loses a gram: {GRAM} {STRIDE}"
        );
        assert!(way.is_sorted_by(|one, other| one < other), "{path:?} gives places out of order");
        if filter.sketch().is_none() {
            assert_eq!(way, &ways[ways.len() - 1], "{path:?}: {GRAM} {STRIDE}");
        }
    }
}

#[test]
fn every_way_lets_the_same_places_pass_a_filter() {
    for length in [0, 1, 9, 63, 64, 71, 72, 73, 200, 255, 256, 257, 1_000, 5_000] {
        let text = noise(length, length as u64);
        // More grams than a sketch takes.
        let many = || Filter::for_grams(1_000, 1);
        compare::<8, 4>(Filter::for_grams(50, 4), &text);
        compare::<4, 4>(Filter::for_grams(50, 4), &text);
        compare::<4, 2>(Filter::for_grams(50, 2), &text);
        compare::<4, 1>(many(), &text);
        compare::<3, 1>(many(), &text);
        compare::<2, 1>(Filter::for_pairs(1_000), &text);
    }
}

#[test]
fn a_sketch_loses_no_gram() {
    for length in [0, 1, 9, 63, 64, 71, 72, 73, 200, 255, 256, 257, 1_000, 5_000] {
        let text = noise(length, length as u64 + 1);
        compare::<4, 1>(Filter::for_grams(150, 1), &text);
        compare::<3, 1>(Filter::for_grams(150, 1), &text);
        compare::<2, 1>(Filter::for_pairs(150), &text);
    }
}

/// Whether a gram passes a sketch, by the definition.
fn passes<const GRAM: usize>(sketch: &Sketch, bytes: u64) -> bool {
    let mut gram = Sketch::new();
    gram.add::<GRAM>(bytes);
    let (ours, theirs) = (gram.tables.as_flattened(), sketch.tables.as_flattened());
    ours.iter().zip(theirs).all(|(bits, all)| bits & all == *bits)
}

#[test]
fn a_sketch_lets_pass_what_its_definition_does() {
    assert!(MATRICES.as_flattened().iter().all(|matrix| *matrix != 0));
    let text = noise(4_000, 7);
    let mut filter = Filter::for_grams(300, 1);
    for at in (0..text.len()).step_by(17) {
        filter.add::<4>(crate::fold::load(&text, at));
    }
    let sketch = filter.sketch().expect("so few grams have a sketch");
    let expected: Vec<usize> = (0..text.len().div_ceil(STEP_BYTES) * STEP_BYTES)
        .filter(|at| passes::<4>(sketch, fold(crate::fold::load(&text, *at))))
        .collect();
    for path in Path::all() {
        // Without wide vectors the words are asked.
        if format!("{path:?}").contains("512") {
            let found =
                passed(&text, 1, |text, steps, places| path.sift::<4, 1>(&filter, text, steps, places));
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn every_way_lets_the_same_places_pass_the_nibble_and_the_single_lane() {
    for round in 0..60 {
        let bits = noise(LEAD_BYTES * 32, round);
        // The more rounds, the fewer bits.
        let mut halves: [Halves; LEAD_BYTES] = Default::default();
        for (bits_of, byte) in halves.as_flattened_mut().as_flattened_mut().iter_mut().zip(bits) {
            *bits_of = byte | if round < 30 { byte << 1 } else { 0 };
        }
        let mut bytes = [0; 32];
        for (index, byte) in noise(32, round + 100).into_iter().enumerate() {
            bytes[index] = if round % 3 == 0 { byte } else { 1 << (byte & 7) };
        }
        for length in [0, 1, 31, 32, 64, 72, 73, 300, 1_500] {
            let text = noise(length, round * 31 + length as u64);
            let mut ways = Path::all().into_iter().map(|path| {
                let nibbles =
                    passed(&text, 1, |text, steps, places| path.nibbles(&halves, text, steps, places));
                let singles =
                    passed(&text, 1, |text, steps, places| path.singles(&bytes, text, steps, places));
                (nibbles, singles)
            });
            let first = ways.next();
            assert!(ways.all(|way| Some(&way) == first.as_ref()), "{round} {length}");
        }
    }
}
