//! The guard of ByzID: the door and the trusted monitor.
