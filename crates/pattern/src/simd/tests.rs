//! What a processor has against the portable code, filter by filter, place by place.

use super::Path;
use crate::filter::Filter;
use crate::runs::Begins;
use crate::sketch::{Kind, Sketch};
use crate::tiny::{LEAD_BYTES, Leads};
use crate::walk::{Places, STEP_BYTES, Scratch, Walk};

/// Bytes that look like chance, the same in every run.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

const LENGTHS: [usize; 16] = [1, 9, 63, 64, 65, 72, 127, 128, 200, 255, 256, 257, 512, 600, 3_000, 9_000];

fn each_block(text: &[u8], path: Path, mut block: impl FnMut(&Walk)) {
    let mut scratch = Scratch::default();
    let (mut walk, _) = scratch.walk(text, path);
    while walk.advance() {
        block(&walk);
    }
}

/// The eight folded bytes of `text` from `at` on.
fn eight(text: &[u8], at: usize) -> u64 {
    crate::fold::load_folded(text, at)
}

/// The places of `text` that pass, short and long, as `sift(text, steps, places)` tells them, piece by piece.
fn passed(
    text: &[u8],
    path: Path,
    mut sift: impl FnMut(&[u8], usize, &mut [Places; 2]) -> usize,
) -> [Vec<usize>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    each_block(text, path, |walk| {
        let mut done = 0;
        while done < walk.steps() {
            let mut places = [Places::new(); 2];
            let start = walk.at + done * STEP_BYTES;
            let more = sift(walk.text_at(done), walk.steps() - done, &mut places);
            assert!(more > 0, "nothing was done");
            done += more;
            for (all, places) in all.iter_mut().zip(&places) {
                all.extend(places.iter().map(|offset| start + offset));
            }
        }
    });
    for places in &all {
        assert!(places.is_sorted_by(|one, other| one < other), "places are out of order");
    }
    all
}

/// A filter that has grams of `text`, asked in every way.
fn compare<const GRAM: usize, const STRIDE: usize, const LONG: bool>(text: &[u8]) {
    let mut filter = Filter::new(text.len() / 20);
    let short: Vec<usize> = (0..text.len()).step_by(52 * STRIDE).filter(|_| GRAM > 0).collect();
    let long: Vec<usize> = (0..text.len()).step_by(68).filter(|_| LONG).collect();
    short.iter().for_each(|place| filter.add::<GRAM>(eight(text, *place)));
    long.iter().for_each(|place| filter.add_long(eight(text, *place)));
    let mut first = None;
    for path in Path::all() {
        let sift = |text: &[u8], steps, [short, long]: &mut [Places; 2]| {
            path.sift::<GRAM, STRIDE, LONG>(&filter, text, steps, short, long)
        };
        let all = passed(text, path, sift);
        for (all, expected) in all.iter().zip([&short, &long]) {
            assert!(
                expected.iter().all(|place| all.contains(place)),
                "{path:?} loses a gram: {GRAM} {STRIDE}"
            );
        }
        assert_eq!(*first.get_or_insert(all.clone()), all, "{path:?} {GRAM} {STRIDE} {LONG}");
    }
}

#[test]
fn every_way_lets_the_same_places_pass_a_filter() {
    for length in LENGTHS {
        let text = noise(length, length as u64);
        compare::<0, 4, true>(&text);
        compare::<4, 4, true>(&text);
        compare::<4, 4, false>(&text);
        compare::<4, 2, true>(&text);
        compare::<4, 2, false>(&text);
        compare::<4, 1, true>(&text);
        compare::<4, 1, false>(&text);
        compare::<3, 1, false>(&text);
        compare::<2, 1, false>(&text);
    }
}

/// Whether a gram passes a sketch, by the definition.
fn passes<const GRAM: usize>(sketch: &Sketch, folded: u64) -> bool {
    let mut gram = Sketch { kind: sketch.kind, ..Sketch::new(GRAM, 1) };
    gram.add::<GRAM>(folded);
    let tables =
        gram.tables.iter().zip(&sketch.tables).take(if sketch.kind == Kind::Shallow { 3 } else { 4 });
    tables.flat_map(|(ours, theirs)| ours.iter().zip(theirs)).all(|(bits, all)| bits & all == *bits)
}

fn compare_sketch<const GRAM: usize>(text: &[u8], grams: usize) {
    let mut filter = Filter::with_sketch(GRAM, grams);
    for start in (0..text.len()).step_by(17) {
        filter.add::<GRAM>(eight(text, start));
    }
    let sketch = filter.sketch().expect("so few grams have a sketch");
    for path in Path::all() {
        let sift = |text: &[u8], steps, places: &mut [Places; 2]| {
            path.sift_closely::<GRAM>(&filter, text, steps, places)
        };
        let [found, _] = passed(text, path, sift);
        let grams = (0..text.len()).step_by(17);
        assert!(grams.into_iter().all(|place| found.binary_search(&place).is_ok()), "{path:?} loses a gram");
        // Where vectors are not as wide, the words are asked.
        if format!("{path:?}").contains("512") {
            let mut expected = Vec::new();
            each_block(text, path, |walk| {
                let block = 0..walk.steps() * STEP_BYTES;
                let here = block.filter(|offset| passes::<GRAM>(sketch, walk.load(*offset, 0)));
                expected.extend(here.map(|offset| walk.at + offset));
            });
            assert_eq!(found, expected, "{GRAM}");
        }
    }
}

#[test]
fn a_sketch_lets_pass_what_its_definition_does() {
    for length in LENGTHS {
        let text = noise(length, length as u64 + 1);
        for grams in [50, 100, 300] {
            compare_sketch::<4>(&text, grams);
            compare_sketch::<3>(&text, grams);
            compare_sketch::<2>(&text, grams);
        }
    }
}

#[test]
fn every_way_lets_the_same_places_pass_the_single_lane() {
    for round in 0..30 {
        let mut bytes = [0; 32];
        for (index, byte) in noise(32, round + 100).into_iter().enumerate() {
            bytes[index] = if round % 3 == 0 { byte } else { 1 << (byte & 7) };
        }
        for length in LENGTHS {
            let text = noise(length, round * 31 + length as u64);
            let mut ways = Path::all().into_iter().map(|path| {
                let sift = |text: &[u8], steps, [places, _]: &mut [Places; 2]| {
                    path.singles(&bytes, text, steps, places)
                };
                passed(&text, path, sift)
            });
            let first = ways.next();
            assert!(ways.all(|way| Some(&way) == first.as_ref()), "{round} {length}");
        }
    }
}

#[test]
fn the_tiny_lane_lets_pass_what_its_tables_say() {
    for round in 0..40 {
        let mut leads = Leads::new();
        // The more rounds, the fewer bits.
        let bits = |seed| {
            noise(128, seed).into_iter().map(move |byte| if round < 20 { byte } else { 1 << (byte & 7) })
        };
        for place in 0..LEAD_BYTES {
            leads.by_seven[place].iter_mut().zip(bits(round)).for_each(|(groups, bits)| *groups = bits);
            for half in &mut leads.by_halves[place] {
                half.iter_mut().zip(bits(round + 1)).for_each(|(groups, bits)| *groups = bits | bits << 1);
            }
        }
        for length in LENGTHS {
            let text = noise(length, round * 37 + length as u64);
            for path in Path::all() {
                let sift = |text: &[u8], steps, [places, _]: &mut [Places; 2]| {
                    path.tiny(&leads, text, steps, places)
                };
                let [found, _] = passed(&text, path, sift);
                let mut expected = Vec::new();
                each_block(&text, path, |walk| {
                    for offset in 0..walk.steps() * STEP_BYTES {
                        let lead = walk.load(offset, 0).to_le_bytes();
                        let groups = (0..LEAD_BYTES).fold(u8::MAX, |groups, place| {
                            let byte = usize::from(lead[place]);
                            let halves = leads.by_halves[place];
                            let is_wide = format!("{path:?}").contains("512");
                            groups
                                & if is_wide {
                                    leads.by_seven[place][byte & 127]
                                } else {
                                    halves[0][byte & 15] & halves[1][byte >> 4]
                                }
                        });
                        expected.extend((groups != 0).then_some(walk.at + offset));
                    }
                });
                assert_eq!(found, expected, "{path:?} {round} {length}");
            }
        }
    }
}

#[test]
fn every_way_sees_runs_begin_at_the_same_places() {
    for round in 0..20 {
        for length in LENGTHS {
            let text: Vec<u8> =
                noise(length, round * 41 + length as u64).iter().map(|byte| byte % 3 * 32).collect();
            let folded: Vec<u8> = text.iter().map(|byte| crate::fold::fold(*byte)).collect();
            let mut begins = Begins { bytes: [0; 32], reach: 2 + round as usize % 6 };
            for byte in &[0, 32][..1 + round as usize % 2] {
                crate::singles::include(&mut begins.bytes, crate::fold::fold(*byte));
            }
            let mut expected = Vec::new();
            for at in 0..length {
                let is_first = at == 0 || text[at - 1] != text[at];
                let is_long =
                    text[at..].starts_with(&[text[at]; 3]) && text.get(at + begins.reach) == Some(&text[at]);
                let is_one = crate::singles::includes(&begins.bytes, folded[at]);
                expected.extend((is_first && is_long && is_one).then_some(at));
            }
            for path in Path::all() {
                let mut found = Vec::new();
                each_block(&text, path, |walk| {
                    let mut done = 0;
                    while done < walk.steps() {
                        let mut places = Places::new();
                        let start = walk.at + done * STEP_BYTES;
                        done += path.runs(&begins, walk.text_before(done), walk.steps() - done, &mut places);
                        // What begins behind the end are the zeros there.
                        found.extend(
                            places.iter().map(|offset| start + offset).filter(|place| *place < length),
                        );
                    }
                });
                assert_eq!(found, expected, "{path:?} {round} {length}");
            }
        }
    }
}
