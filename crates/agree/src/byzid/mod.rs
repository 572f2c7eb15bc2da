//! ByzID.

pub mod guard;
pub mod message;
