//! The `varangian` binary.
fn main() {}
