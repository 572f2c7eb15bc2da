//! What a call carries one way: its fragments, one after the other.

/// Bytes of it that are kept; what follows is not.
const STUB_BYTES_MAX: usize = 1024 * 1024;

/// The data of a call, one way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stub {
    bytes: Vec<u8>,
    /// How many fragments it came in.
    pub(crate) fragments: u16,
}

impl Stub {
    /// Adds what a fragment carries.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let room = STUB_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Another fragment came.
    pub(crate) fn count_fragment(&mut self) {
        self.fragments = self.fragments.saturating_add(1);
    }

    /// What was carried so far.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_does_not_grow_beyond_its_limit() {
        let mut stub = Stub::default();
        for _ in 0..5 {
            stub.append(&[7; 300_000]);
        }
        assert_eq!(stub.bytes().len(), STUB_BYTES_MAX);
    }
}
