//! placeholder
/// x
#[must_use]
pub(crate) fn describe(bytes: &[u8]) -> String {
    format!("data {}", bytes.len())
}
