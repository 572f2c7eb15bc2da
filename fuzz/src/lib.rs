//! What must hold for any bytes that a stranger sends.
//!
//! Each function here takes bytes and panics if its promise is broken. The fuzz targets feed them what libFuzzer thinks
//! up; `crates/varangian/tests/hostile_bytes.rs` includes this file and feeds them a fixed number of seeded inputs with
//! every test run.

pub mod audit;
pub mod decode;
pub mod door;
pub mod monitor;
