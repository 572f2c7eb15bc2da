//! What protocols without exchanges have in their place: a transaction that can never be.

use super::{Field, Piece, Transaction};
use crate::Direction;
use crate::eve::Object;

/// There is none.
#[derive(Clone, Debug)]
pub enum Nothing {}

impl Transaction for Nothing {
    fn is_complete(&self, _direction: Direction) -> bool {
        match *self {}
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {
        match *self {}
    }

    fn record(&self, _record: &mut Object) {
        match *self {}
    }
}
