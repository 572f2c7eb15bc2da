//! The promises of [`varangian_fuzz::reassembly`] for whatever libFuzzer thinks up.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    varangian_fuzz::reassembly::check(data);
});
