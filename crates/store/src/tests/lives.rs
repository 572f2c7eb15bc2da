//! One life after the other, each ended by a crash at any step.
//!
//! A life is: open, append at random, close. Its tape is cut at a random act (opening and closing included) and the disk
//! is put into a state that the crash may have left. The next life must find a prefix of what was ever asked for, all that
//! was promised in it, and nothing else; and what the simulated disk would have found behind the same writes.

use super::tape::{Platter, Tape};
use super::{a_place, expected, record, snapshot};
use crate::{Durability, Log, Options};
use agree::{Position, Write};
use sim::random::{Random, Stream};
use std::path::Path;

/// How much there is of it. More: `LIVES_SEEDS=20000 cargo test -p store lives`.
fn seeds() -> u64 {
    std::env::var("LIVES_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(150)
}

/// An empty log, as it is on a disk.
fn new_platter() -> Platter {
    let place = a_place();
    let tape = Tape::lay(place.path());
    crate::create(place.path()).expect("an empty directory");
    let mut platter = Platter::default();
    tape.acts().iter().for_each(|act| platter.play(act));
    platter
}

fn draw_write(next: u64, random: &mut Random) -> Write {
    if random.chance(120) {
        // Keeps everything from some write of the last few, or nothing.
        let length = random.pick(&[16, 40, 5_000]);
        return snapshot(
            format!("{:x} is the image before {next}", random.bits()).repeat(200)[..length].to_string(),
            next.saturating_sub(random.below(12)),
        );
    }
    let bytes = match random.below(20) {
        0 => 0,
        1 => random.index(6000),
        _ => random.index(300),
    };
    let mut body = format!("{next}:{:x}:", random.bits()).into_bytes();
    body.resize(body.len().max(bytes), random.bits() as u8);
    record(body)
}

/// Lives in `place`; `writes` begin with everything that may be there and get what is asked for.
fn live(
    place: &Path,
    durability: Durability,
    writes: &mut Vec<Write>,
    promised: Position,
    random: &mut Random,
) {
    // From life to life, snapshots are files, entries, or one or the other by their length.
    let inline_bytes_max = random.pick(&[0, 24, 64 << 10]);
    let options = Options { durability, segment_bytes: 8192 << random.below(3), inline_bytes_max };
    let (mut log, found) = Log::open(place, options, || ()).expect("what a crash leaves can be opened");
    let last = found.recovered.last;
    assert!(last >= promised, "{promised:?} was promised, {last:?} is there: {:?}", found.torn);
    assert!(last.0 as usize <= writes.len(), "nobody asked for {last:?}");
    writes.truncate(last.0 as usize);
    assert_eq!(found.recovered, expected(writes), "a prefix of what was asked for");
    for _ in 0..random.below(12) {
        let burst: Vec<_> = (0..random.between(1, 8))
            .map(|index| draw_write(writes.len() as u64 + 1 + index, random))
            .collect();
        writes.extend(burst.iter().cloned());
        let way = if random.chance(500) { Log::append } else { Log::write };
        let last = way(&mut log, burst).expect("the log is sound");
        assert_eq!(last.0 as usize, writes.len(), "positions go on where what survived ends");
        while random.chance(300) && log.durable().expect("the log is sound") < last {
            std::thread::yield_now();
        }
    }
}

fn lives(seed: u64, durability: Durability) {
    let mut random = Random::new(seed, Stream::Disks);
    let mut platter = new_platter();
    let mut writes = Vec::new();
    let mut promised = Position(0);
    for _ in 0..5 {
        let place = a_place();
        platter.lay_out(place.path());
        let tape = Tape::lay(place.path());
        live(place.path(), durability, &mut writes, promised, &mut random);
        let acts = tape.acts();
        let end = random.index(acts.len() + 1);
        acts[..end].iter().for_each(|act| platter.play(act));
        if random.chance(700) {
            platter = platter.lose_power(&mut random);
            promised = platter.promised_power;
        } else {
            if random.chance(400) {
                platter.forget_to_write();
            }
            promised = platter.promised_process;
        }
    }
}

#[test]
fn whatever_a_crash_leaves_holds_what_was_promised_and_nothing_else() {
    for seed in 0..seeds() {
        lives(seed, Durability::Fsync);
    }
}

#[test]
fn async_keeps_a_prefix_and_all_that_was_synced() {
    for seed in 0..seeds() / 2 {
        lives(seed, Durability::Async);
    }
}

#[test]
fn a_crash_at_every_single_step_is_survived() {
    let mut random = Random::new(1, Stream::Crashes);
    let mut platter = new_platter();
    let place = a_place();
    platter.lay_out(place.path());
    let tape = Tape::lay(place.path());
    let mut writes = Vec::new();
    // Long enough for many roll-overs, snapshots and segments that are used again; how many acts a life has is up to the machine, too.
    for life in 0..20 {
        if life >= 3 && tape.acts().len() > 200 {
            break;
        }
        let closed_at = Position(writes.len() as u64);
        live(place.path(), Durability::Fsync, &mut writes, closed_at, &mut random);
    }
    let acts = tape.acts();
    assert!(acts.len() > 200, "only {} acts", acts.len());
    for act in &acts {
        platter.play(act);
        for _ in 0..4 {
            let left = platter.lose_power(&mut random);
            let place = a_place();
            left.lay_out(place.path());
            live(place.path(), Durability::Fsync, &mut writes.clone(), left.promised_power, &mut random);
        }
    }
}
