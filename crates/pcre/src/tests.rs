//! What matches, what is refused, what is bounded.


