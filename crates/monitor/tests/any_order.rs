//! What must hold whatever a replica, its peers and the clock do to a monitor, for a fixed number of seeded plays.
//!
//! The promises are those of the fuzz target `monitor`, and are written down there.

#[path = "../../../fuzz/src/monitor.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod play;

const PLAYS: u64 = 40_000;
const BYTES: usize = 1_200;

/// SplitMix64: enough to spread a seed, and the same for ever.
fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[test]
fn in_whatever_order_things_happen_the_monitor_keeps_its_promises() {
    let mut passed = 0;
    for seed in 0..PLAYS {
        let mut state = seed;
        let mut bytes: Vec<u8> = (0..BYTES / 8).flat_map(|_| mixed(&mut state).to_le_bytes()).collect();
        // Most plays without numbers at the end of all numbers: those stop the play early.
        if seed % 4 != 0 {
            bytes.iter_mut().filter(|byte| **byte == 255).for_each(|byte| *byte = 254);
        }
        passed += play::check(&bytes);
    }
    assert!(passed > 100_000, "most of what was tried was refused: {passed} passed");
}
