//! What must hold for any bytes that a stranger sends.
//!
//! Each function here takes bytes and panics if its promise is broken. The fuzz targets feed them what libFuzzer thinks
//! up; `crates/varangian/tests/hostile_bytes.rs`, `crates/monitor/tests/any_order.rs` and `crates/pcre/tests/any_bytes.rs` include
//! these files and feed them a fixed number of seeded inputs with every test run.

pub mod audit;
pub mod capture;
pub mod decode;
pub mod door;
pub mod engine;
pub mod frame;
pub mod layer;
pub mod monitor;
pub mod pcre;
pub mod reassembly;
pub mod rules;
