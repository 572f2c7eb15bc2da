//! The promises of [`varangian_fuzz::layer`] for whatever libFuzzer thinks up: of the protocol that `VARANGIAN_LAYER` names, or of all.

#![no_main]

use std::sync::OnceLock;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static ONLY: OnceLock<Option<usize>> = OnceLock::new();
    let only = ONLY.get_or_init(|| {
        let name = std::env::var("VARANGIAN_LAYER").ok()?;
        Some(varangian_fuzz::layer::place(&name).expect("VARANGIAN_LAYER is the name of a protocol"))
    });
    varangian_fuzz::layer::check(data, *only);
});
