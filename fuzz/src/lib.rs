//! What must hold for any bytes that a stranger sends.
//!
//! Each function here takes bytes and panics if its promise is broken. The fuzz targets feed them what libFuzzer thinks
//! up; tests of the crates (`hostile_bytes.rs`, `any_order.rs`) include these files and feed them a fixed number of seeded inputs
//! with every test run.

pub mod audit;
pub mod capture;
pub mod decode;
pub mod door;
pub mod monitor;
