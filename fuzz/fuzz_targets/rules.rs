//! The promises of [`varangian_fuzz::rules`] for whatever libFuzzer thinks up.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    varangian_fuzz::rules::check(data);
});
