//! Bytes that are counted by the room they take.
//!
//! A copy has as much room as what it is a copy of, which a vector's has not. What is put back to a frame boundary is such a copy, and by what flows hold it is
//! decided which of them has to go: so that is the same whether somebody went back or not.

use std::ops::{Deref, DerefMut};

/// Bytes, with room for more.
#[derive(Default, Debug)]
pub(crate) struct Room(Vec<u8>);

impl Room {
    /// The bytes; none are left.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Clone for Room {
    fn clone(&self) -> Self {
        let mut copy = Vec::with_capacity(self.0.capacity());
        copy.extend_from_slice(&self.0);
        debug_assert_eq!(copy.capacity(), self.0.capacity());
        Room(copy)
    }
}

impl Deref for Room {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_the_same_room_and_goes_on_as_the_first_does() {
        let mut one = Room::default();
        for byte in 0..200u8 {
            one.push(byte);
            let copy = one.clone();
            assert_eq!((&**copy, copy.capacity()), (&**one, one.capacity()));
        }
        one.drain(..150);
        let mut copy = one.clone();
        one.extend_from_slice(&[7; 400]);
        copy.extend_from_slice(&[7; 400]);
        assert_eq!((&**copy, copy.capacity()), (&**one, one.capacity()));
        assert_eq!(one.take().len(), 450);
        assert_eq!((one.len(), one.capacity()), (0, 0));
    }
}
